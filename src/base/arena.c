#include "base/arena.h"

#include "base/mem.h"

struct arena_chunk {
	struct arena_chunk *next;
	size_t size; /* of data[] */
	_Alignas(16) char data[];
};

enum { FIRST_CHUNK = 4096, CHUNK_MAX = 256 * 1024 };

void
arena_init(struct arena *a, size_t max)
{
	*a = (struct arena){.max = max};
}

static void
chunks_free(struct arena_chunk *c)
{
	while (c != NULL) {
		struct arena_chunk *next = c->next;

		mem_free(c);
		c = next;
	}
}

void
arena_reset(struct arena *a)
{
	struct arena_chunk *keep = a->head;

	if (keep != NULL && keep->size > CHUNK_MAX) {
		chunks_free(keep);
		keep = NULL;
	} else if (keep != NULL) {
		chunks_free(keep->next);
		keep->next = NULL;
	}
	a->head = keep;
	a->at = keep == NULL ? NULL : keep->data;
	a->left = keep == NULL ? 0 : keep->size;
	a->held = a->left;
	a->failed = false;
}

void
arena_done(struct arena *a)
{
	chunks_free(a->head);
	*a = (struct arena){.max = a->max};
}

static bool
chunk_add(struct arena *a, size_t need)
{
	size_t size = a->head == NULL ? FIRST_CHUNK : a->head->size * 2;
	struct arena_chunk *c;

	if (size > CHUNK_MAX)
		size = CHUNK_MAX;
	if (size < need)
		size = need;
	if (size > a->max - a->held)
		size = need;
	if (need > a->max - a->held)
		return false;
	c = mem_grow(NULL, 1, sizeof *c + size); /* zeroed by arena_get */
	if (c == NULL)
		return false;
	c->size = size;
	c->next = a->head;
	a->head = c;
	a->at = c->data;
	a->left = size;
	a->held += size;
	return true;
}

static size_t
rounded(size_t n)
{
	return n == 0 ? 16 : (n + 15) & ~(size_t)15;
}

void *
arena_raw(struct arena *a, size_t n)
{
	char *p;

	if (a->failed || n > a->max) {
		a->failed = true;
		return NULL;
	}
	n = rounded(n);
	if (n > a->left && !chunk_add(a, n)) {
		a->failed = true;
		return NULL;
	}
	p = a->at;
	a->at += n;
	a->left -= n;
	return p;
}

bool
arena_extend(struct arena *a, const void *p, size_t old, size_t n)
{
	size_t more;

	if (p == NULL || a->failed || n > a->max || old > n ||
	    (const char *)p + rounded(old) != a->at)
		return false;
	more = rounded(n) - rounded(old);
	if (more > a->left)
		return false;
	a->at += more;
	a->left -= more;
	return true;
}

void *
arena_get(struct arena *a, size_t n)
{
	void *p = arena_raw(a, n);

	return p == NULL ? NULL : memset(p, 0, n);
}

void *
arena_array(struct arena *a, size_t count, size_t size)
{
	size_t n;

	if (__builtin_mul_overflow(count, size, &n)) {
		a->failed = true;
		return NULL;
	}
	return arena_get(a, n);
}

struct str
arena_dup(struct arena *a, struct str s)
{
	char *p = arena_raw(a, s.n);

	if (p == NULL)
		return STR_NONE;
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return str_of(p, s.n);
}

const char *
arena_cstr(struct arena *a, struct str s)
{
	char *p;

	if (s.n > 0 && memchr(s.p, '\0', s.n) != NULL)
		return NULL;
	p = arena_raw(a, s.n + 1);
	if (p == NULL)
		return NULL;
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return p;
}
