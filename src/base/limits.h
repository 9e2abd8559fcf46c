/* limits.h: the numbers of limits.def, as constants. */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

enum limit {
#define LIMIT(name, value, unit, what) name = (value),
#include "base/limits.def"
#undef LIMIT
};

#endif
