/*
 * buf.h: bytes being written, with a maximum that has no default.  Writing
 * past it, or out of memory, sets `failed`; later writes are dropped and one
 * buf_check at the end tells.  A buf on an arena grows inside the arena and
 * needs no done; otherwise it owns its memory.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct buf {
	char *p;
	size_t n;   /* bytes written */
	size_t cap; /* bytes at p */
	size_t max; /* n never exceeds this */
	struct arena *arena;
	bool failed;
};

void buf_init(struct buf *b, size_t max);
void buf_init_on(struct buf *b, struct arena *a, size_t max);
void buf_done(struct buf *b); /* wipes nothing; see secret.h for keys */
static inline void
buf_clear(struct buf *b)
{
	b->n = 0;
	b->failed = false;
}

/* Make room for n more bytes; false sets failed. */
bool buf_room(struct buf *b, size_t n);
static inline void
buf_add(struct buf *b, const void *p, size_t n)
{
	if (n == 0 || ((b->failed || n > b->cap - b->n) && !buf_room(b, n)))
		return;
	memcpy(b->p + b->n, p, n);
	b->n += n;
}
static inline void
buf_str(struct buf *b, struct str s)
{
	buf_add(b, s.p, s.n);
}
void buf_c(struct buf *b, const char *c);
static inline void
buf_char(struct buf *b, char c)
{
	if ((b->failed || b->n == b->cap) && !buf_room(b, 1))
		return;
	b->p[b->n++] = c;
}
void buf_u64(struct buf *b, uint64_t v);
void buf_i64(struct buf *b, int64_t v);
/* Big-endian integers, for wire formats. */
void buf_be16(struct buf *b, uint16_t v);
void buf_be32(struct buf *b, uint32_t v);
void buf_be64(struct buf *b, uint64_t v);
/* For fixed formats with numbers; never for text from outside. */
void buf_fmt(struct buf *b, const char *fmt, ...) PRINTF(2, 3);

static inline struct str
buf_view(const struct buf *b)
{
	return (struct str){b->p, b->n};
}

static inline err
buf_check(const struct buf *b)
{
	return err_of(b->failed ? E_NO_MEMORY : E_OK);
}

/*
 * A cursor over received bytes: every getter knows how much it wants, none
 * believes a length in the message before comparing it with what is left,
 * and a message is right only if cur_end says nothing is left.
 */
struct cur {
	const unsigned char *p;
	size_t n;
	bool failed;
};

static inline struct cur
cur_of(struct str s)
{
	return (struct cur){(const unsigned char *)s.p, s.n, false};
}
/* Numbers; 0 on failure. */
uint8_t cur_u8(struct cur *c);
uint16_t cur_be16(struct cur *c);
uint32_t cur_be32(struct cur *c);
uint64_t cur_be64(struct cur *c);
/* Copies exactly n bytes; on failure dst is zeroed. */
void cur_bytes(struct cur *c, void *dst, size_t n);
/* A view of exactly n bytes; empty on failure. */
struct str cur_view(struct cur *c, size_t n);
static inline bool
cur_end(const struct cur *c)
{
	return !c->failed && c->n == 0;
}

#endif
