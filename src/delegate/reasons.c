#include "delegate/reasons.h"

static const struct {
	struct str code, meaning;
} rows[] = {
#define REASON(name, code, meaning)                                            \
	[name] = {{code, sizeof(code) - 1}, {meaning, sizeof(meaning) - 1}},
#include "delegate/reasons.def"
#undef REASON
};

struct str
reason_code(enum reason r)
{
	return rows[r].code;
}

struct str
reason_meaning(enum reason r)
{
	return rows[r].meaning;
}
