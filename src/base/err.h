/*
 * err.h: the one error type.
 *
 * `err` is a struct around a code, so an error can be neither ignored, nor
 * mixed with an int, nor tested with `if (f())`: the compiler refuses.  What
 * each code means to an outsider stands in errors.def.  Detail that helps the
 * outsider goes into a `struct trail`; detail that helps the operator goes to
 * the log, once, at the top (flow, role, cli).
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>
#include <stdint.h>

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF(f, a) __attribute__((format(printf, f, a)))
#define NONNULL __attribute__((nonnull))
#define CLEANUP(fn) __attribute__((cleanup(fn)))

enum err_code {
#define ERR(name, code, status, exit_code, text) name,
#include "base/errors.def"
#undef ERR
	E_MAX_
};

typedef struct {
	uint16_t code;
} err;

static inline err
err_of(enum err_code code)
{
	return (err){(uint16_t)code};
}

static inline bool
err_ok(err e)
{
	return e.code == E_OK;
}

static inline bool
err_is(err e, enum err_code code)
{
	return e.code == (uint16_t)code;
}

#define OK err_of(E_OK)

/* Return the error of x, if it is one, to our own caller. */
#define TRY(x)                                                                 \
	do {                                                                   \
		err try_e_ = (x);                                              \
		if (!err_ok(try_e_))                                           \
			return try_e_;                                         \
	} while (0)

/* Discard an error on purpose; `why` is for the reader. */
static inline void
err_ignore(err e, const char *why)
{
	(void)e;
	(void)why;
}

/* The row of errors.def.  All strings are static. */
const char *err_name(err e); /* "unknown_member" */
const char *err_text(err e); /* public sentence */
int err_status(err e);	     /* HTTP status */
int err_exit(err e);	     /* process exit code */

/*
 * A trail is what may be told to the sender of a bad request: at most 191
 * bytes, built from the sender's own input and fixed words.  Control
 * characters and non-ASCII are replaced when it is set.
 */
struct trail {
	char detail[192];
};

/* Keeps the first detail: the lower, more exact sentence wins. */
void trail_set(struct trail *t, const char *fmt, ...) PRINTF(2, 3);

/* For broken invariants only: prints and aborts, in release builds too. */
_Noreturn void bug(const char *file, int line, const char *what);
#define BUG_ON(cond)                                                           \
	do {                                                                   \
		if (__builtin_expect(!!(cond), 0))                             \
			bug(__FILE__, __LINE__, #cond);                        \
	} while (0)

#endif
