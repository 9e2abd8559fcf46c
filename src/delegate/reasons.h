/* reasons.h: why a delegate refuses, as one type (reasons.def). */
#ifndef DELEGATE_REASONS_H
#define DELEGATE_REASONS_H

#include "base/str.h"

enum reason {
#define REASON(name, code, meaning) name,
#include "delegate/reasons.def"
#undef REASON
	REASONS
};

struct str reason_code(enum reason r);
struct str reason_meaning(enum reason r);

/* In a function that returns a reason: stop at the first that is one. */
#define HOLDS(x)                                                               \
	do {                                                                   \
		enum reason r_ = (x);                                          \
		if (r_ != REASON_NONE)                                         \
			return r_;                                             \
	} while (0)

#endif
