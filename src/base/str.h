/*
 * str.h: a view of bytes: a pointer and a length, never owning, never
 * NUL-terminated.  C strings exist only where libc or a library wants one.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
	const char *p;
	size_t n;
};

/* For printf: "%.*s", STR_ARG(s).  Only for text known to be printable. */
#define STR_ARG(s) (int)(s).n, (s).p

#define STR(lit) ((struct str){"" lit "", sizeof(lit) - 1})
#define STR_NONE ((struct str){NULL, 0})

static inline struct str
str_of(const char *p, size_t n)
{
	return (struct str){p, n};
}

static inline struct str
str_c(const char *c)
{
	return (struct str){c, c == NULL ? 0 : strlen(c)};
}

static inline bool
str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool
str_is(struct str a, const char *c)
{
	return str_eq(a, str_c(c));
}

static inline bool
str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && memcmp(s.p, prefix.p, prefix.n) == 0;
}

static inline bool
str_ends(struct str s, struct str suffix)
{
	return s.n >= suffix.n &&
	    memcmp(s.p + (s.n - suffix.n), suffix.p, suffix.n) == 0;
}

/* The view without its first n bytes; n is clamped. */
static inline struct str
str_skip(struct str s, size_t n)
{
	if (n > s.n)
		n = s.n;
	if (n == 0)
		return s; /* NULL + 0 is not for C17 */
	return (struct str){s.p + n, s.n - n};
}

static inline struct str
str_head(struct str s, size_t n)
{
	return (struct str){s.p, n < s.n ? n : s.n};
}

/*
 * Cut at the first `sep`: *ret_head gets what stands before it, *rest what
 * follows.  Without a separator the head is everything, the rest is empty
 * and the answer is false.  ret_head and rest may alias.
 */
bool str_cut(struct str s, char sep, struct str *ret_head, struct str *rest);

/* ASCII case-insensitive equality. */
bool str_ieq(struct str a, struct str b);
/* -1, 0, 1 by bytes, shorter first. */
int str_cmp(struct str a, struct str b);
/* Does `s` contain `needle`, comparing ASCII letters without case? */
bool str_find(struct str s, struct str needle);
bool str_ifind(struct str s, struct str needle);
/* Trim spaces and tabs at both ends. */
struct str str_trim(struct str s);

/*
 * Parse all of `s` as a decimal number within [min, max]: digits only, no
 * sign for u64, one leading '-' for i64, no leading zero, no space.
 */
bool str_u64(struct str s, uint64_t min, uint64_t max, uint64_t *ret);
bool str_i64(struct str s, int64_t min, int64_t max, int64_t *ret);

#endif
