/*
 * arena.h: memory of one request.  Allocations are freed together by
 * arena_reset; a cap bounds what one request may hold.  Overflow is sticky:
 * once an allocation was refused every later one is, and arena_failed says
 * so; nobody needs to check each call, but everybody must survive NULL.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/err.h"
#include "base/str.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *head; /* newest chunk, owns the list */
	char *at;		  /* next free byte */
	size_t left;		  /* bytes free behind `at` */
	size_t held;		  /* bytes taken from the system */
	size_t max;		  /* may never hold more than this */
	bool failed;
};

/* No memory is taken before the first use. */
void arena_init(struct arena *a, size_t max);
/* Free everything but one small chunk, clear the failure mark. */
void arena_reset(struct arena *a);
void arena_done(struct arena *a);

/* n bytes, zeroed, aligned to 16; NULL on overflow. */
void *arena_get(struct arena *a, size_t n);
/* The same, not zeroed: for bytes that are written whole at once. */
void *arena_raw(struct arena *a, size_t n);
/* Grow the newest allocation where it is; false when p is not the newest or
 * there is no room. The new bytes are not zeroed. */
bool arena_extend(struct arena *a, const void *p, size_t old, size_t n);
/* count * size with overflow check. */
void *arena_array(struct arena *a, size_t count, size_t size);
#define ARENA_NEW(a, type) ((type *)arena_get((a), sizeof(type)))

/* Copies; the result lives as long as the arena.  STR_NONE on overflow. */
struct str arena_dup(struct arena *a, struct str s);
/* A NUL-terminated copy for libc; NULL on overflow or an embedded NUL. */
const char *arena_cstr(struct arena *a, struct str s);

static inline err
arena_check(const struct arena *a)
{
	return err_of(a->failed ? E_NO_MEMORY : E_OK);
}

#endif
