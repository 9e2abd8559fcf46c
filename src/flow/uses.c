/* uses.c: see uses.h. */
#include "flow/uses.h"

#include <pthread.h>

#include "base/limits.h"
#include "base/mem.h"

/* LOAD_MEMORY: rows of far more tokens than there may be at one time. */
enum {
	USES_MAX = 262144,
	USES_FLUSH_MS = 60000,
	LOAD_MEMORY = 256 * 1024 * 1024
};
_Static_assert(USES_MAX >= (int)LIM_ALL_TOKENS, "every token's use is kept");

struct use {
	struct uuid token;
	int64_t used, written;
	uint32_t next; /* place of the next pending one, plus 1; 0: none */
	bool pending;  /* to be written with this batch */
};

/* Open addressing; grows to USES_MAX, past which use is no longer kept. */
struct uses {
	pthread_mutex_t lock; /* readers against the writer; held briefly */
	struct use *slot;
	size_t slots, n;  /* slots: a power of two */
	uint32_t pending; /* place of the first one, plus 1 */
};

static size_t
start_of(const struct uses *u, const struct uuid *token)
{
	uint64_t h;

	memcpy(&h, token->b + 8, sizeof h); /* the random half */
	return (size_t)(h * UINT64_C(0x9e3779b97f4a7c15) >> 20) &
	    (u->slots - 1);
}

static struct use *
find(const struct uses *u, const struct uuid *token)
{
	size_t i = start_of(u, token);

	while (u->slot[i].used != 0 && !uuid_eq(&u->slot[i].token, token))
		i = (i + 1) & (u->slots - 1);
	return &u->slot[i];
}

static void
await(struct uses *u, struct use *s)
{
	s->pending = true;
	s->next = u->pending;
	u->pending = (uint32_t)(s - u->slot) + 1;
}

static bool
grow(struct uses *u)
{
	struct use *old = u->slot;
	size_t n = u->slots;

	if (u->n * 2 < u->slots)
		return true;
	if (u->slots >= (size_t)2 * USES_MAX)
		return u->n + 1 < u->slots;
	u->slots = n == 0 ? 256 : n * 2;
	u->slot = mem_new(u->slots, sizeof *u->slot);
	if (u->slot == NULL) {
		u->slot = old;
		u->slots = n;
		return n > 0 && u->n + 1 < n;
	}
	u->pending = 0;
	for (size_t i = 0; i < n; i++) {
		struct use *s;

		if (old[i].used == 0)
			continue;
		s = find(u, &old[i].token);
		*s = old[i];
		if (s->pending)
			await(u, s);
	}
	mem_free(old);
	return true;
}

static void
note(struct uses *u, const struct uuid *token, int64_t now, int64_t written)
{
	struct use *s;

	if (!grow(u))
		return;
	s = find(u, token);
	if (s->used == 0) {
		s->token = *token;
		s->written = written;
		u->n++;
	}
	s->used = now > s->used ? now : s->used;
	if (!s->pending && s->used - s->written >= USES_FLUSH_MS)
		await(u, s);
}

void
uses_note(struct uses *u, const struct uuid *token, int64_t now)
{
	(void)pthread_mutex_lock(&u->lock);
	note(u, token, now, 0);
	(void)pthread_mutex_unlock(&u->lock);
}

err
uses_flush(struct uses *u, struct store_conn *c)
{
	while (u->pending != 0) {
		struct use *s = &u->slot[u->pending - 1];
		struct token_id id = {s->token};

		TRY(store_token_used_put(c, &id, s->used));
		s->written = s->used;
		s->pending = false;
		u->pending = s->next;
	}
	return OK;
}

/* What was not written will be tried again at the next use. */
void
uses_undo(struct uses *u)
{
	for (size_t i = 0; i < u->slots; i++)
		u->slot[i].written = 0;
}

int64_t
uses_last(struct uses *u, const struct uuid *token)
{
	int64_t used;

	(void)pthread_mutex_lock(&u->lock);
	used = find(u, token)->used;
	(void)pthread_mutex_unlock(&u->lock);
	return used;
}

err
uses_load(struct store_conn *c, struct uses **ret)
{
	struct uses *u = mem_new(1, sizeof *u);
	struct token_used_row *row;
	struct arena a;
	size_t n;
	err e;

	if (u == NULL)
		return err_of(E_NO_MEMORY);
	(void)pthread_mutex_init(&u->lock, NULL);
	arena_init(&a, LOAD_MEMORY);
	e = grow(u) ? store_token_used(c, &a, &row, &n) : err_of(E_NO_MEMORY);
	for (size_t i = 0; err_ok(e) && i < n; i++)
		note(u, &row[i].token.u, row[i].used, row[i].used);
	arena_done(&a);
	if (!err_ok(e)) {
		(void)uses_free(u);
		return e;
	}
	*ret = u;
	return OK;
}

struct uses *
uses_free(struct uses *u)
{
	if (u == NULL)
		return NULL;
	mem_free(u->slot);
	mem_free(u);
	return NULL;
}
