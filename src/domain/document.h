/*
 * document.h: reading documents people write (runbooks, triggers), for the
 * files of domain: where in the document something stands, what was refused
 * there, values and conditions with what they may refer to.
 */
#ifndef DOMAIN_DOCUMENT_H
#define DOMAIN_DOCUMENT_H

#include "domain/condition.h"

/* For "%.*s": as much of a text from outside as a message has room for. */
#define SHORT(s) (int)((s).n < 60 ? (s).n : 60), (s).p

/* A place: a chain from the innermost outwards, on the readers' stacks. */
struct at {
	const struct at *up;
	struct str name; /* p == NULL: an item */
	size_t index;
};

struct document {
	struct arena *a;
	struct trail *t;
	unsigned sources; /* bit per enum value_kind that may be named */
	/* The type of an input, of an output of a step before; false: none. */
	bool (*input)(void *ctx, struct str name, enum value_type *ret);
	bool (*output)(void *ctx, struct str step, struct str name,
	    enum value_type *ret, const char **why);
	void *ctx;
};

static inline struct at
at_member(const struct at *up, struct str name)
{
	return (struct at){up, name, 0};
}

static inline struct at
at_item(const struct at *up, size_t i)
{
	return (struct at){up, STR_NONE, i};
}

/* "steps[3].retry.times" */
struct str at_text(struct arena *a, const struct at *at);
/* Sets the trail to "place: text" and returns the error. */
err refuse(struct document *d, const struct at *at, enum err_code code,
    const char *fmt, ...) PRINTF(4, 5) MUST_USE;

/* Numbers and names that canonical JSON cannot have are found with their
 * place. */
err document_plain(struct document *d, const struct at *at,
    const struct json *j) MUST_USE;

/* want TYPE_ANY: whatever it is. */
err value_parse(struct document *d, const struct at *at, const struct json *j,
    enum value_type want, struct value *ret) MUST_USE;
err cond_parse(struct document *d, const struct at *at, const struct json *j,
    struct cond *ret) MUST_USE;

#endif
