/* uses.c: see uses.h. */
#include "flow/uses.h"

#include <pthread.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"

/* LOAD_MEMORY: rows of far more tokens than there may be at one time. */
enum {
	DAY_MS = 86400000,
	USES_MAX = 262144,
	USES_FLUSH_MS = 60000,
	LOAD_MEMORY = 256 * 1024 * 1024
};
_Static_assert(USES_MAX >= (int)LIM_ALL_TOKENS + (int)LIM_SESSIONS,
    "every token's and session's use is kept");

struct use {
	struct uuid token;
	int64_t used, written;
	uint32_t *day; /* of each permission's last use; NULL: none yet */
	struct permset unsaved;
	uint32_t next; /* place of the next pending one, plus 1; 0: none */
	bool pending;  /* to be written with this batch */
	bool gone;     /* deleted: lost when the table is made anew */
};

/* Open addressing; grows to USES_MAX, past which use is no longer kept. */
struct uses {
	pthread_mutex_t lock; /* readers against the writer; held briefly */
	struct use *slot;
	size_t slots, n;  /* slots: a power of two */
	size_t gone;	  /* of n */
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
	if (u->slots >= (size_t)2 * USES_MAX && u->gone == 0)
		return u->n + 1 < u->slots;
	if (u->gone * 4 <= u->n && u->slots < (size_t)2 * USES_MAX)
		u->slots = n == 0 ? 256 : n * 2;
	u->slot = mem_new(u->slots, sizeof *u->slot);
	if (u->slot == NULL) {
		u->slot = old;
		u->slots = n;
		return n > 0 && u->n + 1 < n;
	}
	u->n -= u->gone;
	u->gone = 0;
	u->pending = 0;
	for (size_t i = 0; i < n; i++) {
		struct use *s;

		if (old[i].gone)
			mem_free(old[i].day);
		if (old[i].used == 0 || old[i].gone)
			continue;
		s = find(u, &old[i].token);
		*s = old[i];
		if (s->pending)
			await(u, s);
	}
	mem_free(old);
	return true;
}

static struct use *
note(struct uses *u, const struct uuid *token, int64_t now, int64_t written)
{
	struct use *s;

	if (!grow(u))
		return NULL;
	s = find(u, token);
	if (s->used == 0) {
		s->token = *token;
		s->written = written;
		u->n++;
	}
	u->gone -= s->gone;
	s->gone = false;
	s->used = now > s->used ? now : s->used;
	if (!s->pending && s->used - s->written >= USES_FLUSH_MS)
		await(u, s);
	return s;
}

/* Without memory the use is not kept: the report then says less. */
static void
note_right(struct uses *u, struct use *s, enum permission p, uint32_t day,
    bool saved)
{
	if (s->day == NULL)
		s->day = mem_new(PERM_MAX_, sizeof *s->day);
	if (s->day == NULL || s->day[p] >= day)
		return;
	s->day[p] = day;
	if (saved)
		return;
	permset_add(&s->unsaved, p);
	if (!s->pending)
		await(u, s);
}

void
uses_note(struct uses *u, const struct uuid *token, struct permset with,
    int64_t now)
{
	struct use *s;

	(void)pthread_mutex_lock(&u->lock);
	s = note(u, token, now, 0);
	for (unsigned p = 0; s != NULL && p < PERM_MAX_; p++)
		if (permset_has(&with, (enum permission)p))
			note_right(u, s, (enum permission)p,
			    (uint32_t)(now / DAY_MS), false);
	(void)pthread_mutex_unlock(&u->lock);
}

uint32_t
uses_right_number(enum permission p)
{
	return crc32_ieee(str_c(perm_text(p)));
}

static err
flush_rights(struct use *s, struct store_conn *c)
{
	for (unsigned p = 0; p < PERM_MAX_; p++) {
		struct right_used_row row = {.token = {s->token},
		    .permission = uses_right_number((enum permission)p)};

		if (!permset_has(&s->unsaved, (enum permission)p))
			continue;
		row.used = (int64_t)s->day[p] * DAY_MS;
		TRY(store_right_used_put(c, &row));
	}
	s->unsaved = (struct permset){{0}};
	return OK;
}

err
uses_flush(struct uses *u, struct store_conn *c)
{
	while (u->pending != 0) {
		struct use *s = &u->slot[u->pending - 1];
		struct token_id id = {s->token};

		if (!s->gone) {
			TRY(store_token_used_put(c, &id, s->used));
			TRY(flush_rights(s, c));
		}
		s->written = s->used;
		s->pending = false;
		u->pending = s->next;
	}
	return OK;
}

void
uses_forget(struct uses *u, const struct uuid *token)
{
	struct use *s;

	(void)pthread_mutex_lock(&u->lock);
	s = find(u, token);
	if (s->used != 0 && !s->gone) {
		s->gone = true;
		u->gone++;
	}
	(void)pthread_mutex_unlock(&u->lock);
}

/* What was not written will be tried again at the next use, and nothing is
 * known to be gone. */
void
uses_undo(struct uses *u)
{
	for (size_t i = 0; i < u->slots; i++) {
		struct use *s = &u->slot[i];

		s->written = 0;
		s->gone = false;
		for (unsigned p = 0; s->day != NULL && p < PERM_MAX_; p++)
			if (s->day[p] != 0)
				permset_add(&s->unsaved, (enum permission)p);
	}
	u->gone = 0;
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

void
uses_rights(struct uses *u, const struct uuid *token, int64_t ret[PERM_MAX_])
{
	const struct use *s;

	(void)pthread_mutex_lock(&u->lock);
	s = find(u, token);
	for (unsigned p = 0; p < PERM_MAX_; p++)
		ret[p] = s->day == NULL ? 0 : (int64_t)s->day[p] * DAY_MS;
	(void)pthread_mutex_unlock(&u->lock);
}

/* A permission this server does not know is none of its business. */
static void
load_right(struct uses *u, const uint32_t number[PERM_MAX_],
    const struct right_used_row *row)
{
	struct use *s = find(u, &row->token.u);

	if (s->used == 0)
		return;
	for (unsigned p = 0; p < PERM_MAX_; p++)
		if (number[p] == row->permission)
			note_right(u, s, (enum permission)p,
			    (uint32_t)(row->used / DAY_MS), true);
}

static err
load_rights(struct uses *u, struct store_conn *c)
{
	uint32_t number[PERM_MAX_];
	struct right_used_row *row;
	struct arena a;
	size_t n;
	err e;

	for (unsigned p = 0; p < PERM_MAX_; p++)
		number[p] = uses_right_number((enum permission)p);
	arena_init(&a, LOAD_MEMORY);
	e = store_rights_used(c, &a, &row, &n);
	for (size_t i = 0; err_ok(e) && i < n; i++)
		load_right(u, number, &row[i]);
	arena_done(&a);
	return e;
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
		(void)note(u, &row[i].token.u, row[i].used, row[i].used);
	arena_done(&a);
	if (err_ok(e))
		e = load_rights(u, c);
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
	for (size_t i = 0; i < u->slots; i++)
		mem_free(u->slot[i].day);
	mem_free(u->slot);
	mem_free(u);
	return NULL;
}
