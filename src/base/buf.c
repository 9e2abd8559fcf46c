#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){.max = max};
}

void
buf_init_on(struct buf *b, struct arena *a, size_t max)
{
	*b = (struct buf){.max = max, .arena = a};
}

void
buf_done(struct buf *b)
{
	if (b->arena == NULL)
		mem_free(b->p);
	*b = (struct buf){.max = b->max, .arena = b->arena};
}

static char *
grown(struct buf *b, size_t cap)
{
	char *p;

	if (b->arena == NULL)
		return mem_grow(b->p, cap, 1);
	if (arena_extend(b->arena, b->p, b->cap, cap))
		return b->p;
	p = arena_raw(b->arena, cap);
	if (p != NULL && b->n > 0)
		memcpy(p, b->p, b->n);
	return p;
}

bool
buf_room(struct buf *b, size_t n)
{
	size_t cap = b->cap;
	char *p;

	if (b->failed || n > b->max - b->n) {
		b->failed = true;
		return false;
	}
	if (n <= b->cap - b->n)
		return true;
	if (cap < 256)
		cap = b->max < 256 ? b->max : 256;
	while (cap - b->n < n)
		cap = cap > b->max / 2 ? b->max : cap * 2;
	p = grown(b, cap);
	if (p == NULL) {
		b->failed = true;
		return false;
	}
	b->p = p;
	b->cap = cap;
	return true;
}

void
buf_c(struct buf *b, const char *c)
{
	buf_add(b, c, strlen(c));
}

void
buf_u64(struct buf *b, uint64_t v)
{
	char t[20];
	size_t i = sizeof t;

	do {
		t[--i] = (char)('0' + v % 10);
		v /= 10;
	} while (v != 0);
	buf_add(b, t + i, sizeof t - i);
}

void
buf_i64(struct buf *b, int64_t v)
{
	if (v < 0) {
		buf_char(b, '-');
		buf_u64(b, (uint64_t)0 - (uint64_t)v);
		return;
	}
	buf_u64(b, (uint64_t)v);
}

void
buf_be16(struct buf *b, uint16_t v)
{
	unsigned char t[2] = {(unsigned char)(v >> 8), (unsigned char)v};

	buf_add(b, t, sizeof t);
}

void
buf_be32(struct buf *b, uint32_t v)
{
	buf_be16(b, (uint16_t)(v >> 16));
	buf_be16(b, (uint16_t)v);
}

void
buf_be64(struct buf *b, uint64_t v)
{
	buf_be32(b, (uint32_t)(v >> 32));
	buf_be32(b, (uint32_t)v);
}

void
buf_fmt(struct buf *b, const char *fmt, ...)
{
	char t[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t, sizeof t, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof t) {
		b->failed = true;
		return;
	}
	buf_add(b, t, (size_t)n);
}

struct str
cur_view(struct cur *c, size_t n)
{
	struct str s;

	if (c->failed || n > c->n) {
		c->failed = true;
		return STR_NONE;
	}
	s = str_of((const char *)c->p, n);
	c->p += n;
	c->n -= n;
	return s;
}

void
cur_bytes(struct cur *c, void *dst, size_t n)
{
	struct str s = cur_view(c, n);

	if (c->failed)
		memset(dst, 0, n);
	else if (n > 0)
		memcpy(dst, s.p, n);
}

/* n bytes, big-endian; 0 on failure, never a part of the number. */
static uint64_t
cur_number(struct cur *c, size_t n)
{
	unsigned char t[8];
	uint64_t v = 0;

	cur_bytes(c, t, n);
	for (size_t i = 0; i < n; i++)
		v = v << 8 | t[i];
	return v;
}

uint8_t
cur_u8(struct cur *c)
{
	return (uint8_t)cur_number(c, 1);
}

uint16_t
cur_be16(struct cur *c)
{
	return (uint16_t)cur_number(c, 2);
}

uint32_t
cur_be32(struct cur *c)
{
	return (uint32_t)cur_number(c, 4);
}

uint64_t
cur_be64(struct cur *c)
{
	return cur_number(c, 8);
}
