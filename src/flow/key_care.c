/* key_care.c: see key_care.h. */
#include "flow/key_care.h"

#include <stdio.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/time.h"
#include "flow/keys.h"
#include "flow/retention.h"
#include "flow/rotate.h"
#include "flow/writer.h"
#include "store/key_use.h"

/*
 * The writer looks after grants between takes of at most LIM_WRITER_QUEUE
 * requests, of which each seals at most LIM_ALERTS alerts and a payload of
 * LIM_INGEST_BODY: half a block is more than that.
 */
enum { BLOCK_SEALS = 1 << 23, RENEW_MAX = 64, GRANT_MAX = 256 };
#define DAY_MS INT64_C(86400000)
#define BLOCK_BYTES (INT64_C(1) << 36)

_Static_assert(BLOCK_SEALS / 2 > LIM_WRITER_QUEUE * (LIM_ALERTS + 8),
    "half a block of seals is more than a take seals");
_Static_assert(BLOCK_BYTES / 2 >
	(int64_t)LIM_WRITER_QUEUE * (2 * LIM_INGEST_BODY + LIM_REPLY / 2),
    "half a block of bytes is more than a take seals");

const struct amount key_care_block = {BLOCK_SEALS, BLOCK_BYTES};

/* Of a key that nobody has counted: what schema 8 gives those it finds. */
static const struct amount uncounted = {INT64_C(1) << 31, INT64_C(1) << 39};

err
key_care_meters(struct meters **ret)
{
	static const struct amount limit = {(uint64_t)LIM_KEY_MI_SEALS << 20,
	    (uint64_t)LIM_KEY_GIB << 30};

	return meters_new(&limit, &key_care_block, ret);
}

/* ---- grants ---- */

struct grants {
	uint32_t id[GRANT_MAX];
	struct amount to[GRANT_MAX];
	size_t n;
};

static err
since_of(struct lane *l, uint32_t id, struct key_use_row *row)
{
	err e = store_key_use_get(l->conn, id, row);

	if (!err_is(e, E_NOT_FOUND))
		return e;
	*row = (struct key_use_row){.id = id,
	    .since = time_now_ms(),
	    .seals = uncounted.seals,
	    .bytes = uncounted.bytes};
	return OK;
}

static err
put_grants(struct lane *l, void *arg)
{
	struct grants *g = arg;

	for (size_t i = 0; i < g->n; i++) {
		struct key_use_row row;

		if (!meters_plan(l->state->meters, g->id[i], &g->to[i]))
			continue;
		TRY(since_of(l, g->id[i], &row));
		row.seals = g->to[i].seals;
		row.bytes = g->to[i].bytes;
		TRY(store_key_use_put(l->conn, &row));
	}
	return OK;
}

static void
give(struct lane *l, const struct grants *g)
{
	for (size_t i = 0; i < g->n; i++)
		meters_give(l->state->meters, g->id[i], &g->to[i]);
}

void
key_care_grant(struct lane *l)
{
	struct grants g = {.n = 0};
	err e;

	if (!meters_due(l->state->meters))
		return;
	g.n = meters_low(l->state->meters, g.id, GRANT_MAX);
	if (g.n == 0)
		return;
	e = writer_run(l->writer, put_grants, &g);
	if (err_ok(e))
		give(l, &g);
	else
		log_event(LOG_STORE, KVE("error", e), KVC("at", "key grants"));
}

static bool
seals_now(const struct snap *s, const struct class_key *k)
{
	return keys_seal(k->class) &&
	    snap_class_key(s, k->project, k->class) == k->id;
}

static err
begin_some(struct lane *l, size_t *at)
{
	const struct snap *s = l->snap;
	struct grants g = {.n = 0};
	struct key_use_row row;
	err e;

	for (; *at < s->class_keys_n && g.n < GRANT_MAX; ++*at) {
		const struct class_key *k = &s->class_keys[*at];
		struct amount used;

		if (!seals_now(s, k))
			continue;
		TRY(since_of(l, k->id, &row));
		used = (struct amount){row.seals, row.bytes};
		TRY(meters_add(l->state->meters, k->id, &used));
		g.id[g.n++] = k->id;
	}
	TRY(store_begin(l->conn));
	e = put_grants(l, &g);
	if (err_ok(e))
		e = store_commit(l->conn);
	else
		store_rollback(l->conn);
	if (err_ok(e))
		give(l, &g);
	return e;
}

err
key_care_begin(struct lane *l)
{
	size_t at = 0;

	while (at < l->snap->class_keys_n) {
		err e = begin_some(l, &at);

		if (err_is(e, E_NO_SPACE) || err_is(e, E_IO)) {
			log_event(LOG_STORE, KVE("error", e),
			    KVC("at", "key grants"));
			continue;
		}
		TRY(e);
	}
	return OK;
}

static err
settle(struct lane *l)
{
	const struct snap *s = l->snap;

	for (size_t i = 0; i < s->class_keys_n; i++) {
		uint32_t id = s->class_keys[i].id;
		struct key_use_row row;
		struct amount used;

		if (!meters_used(l->state->meters, id, &used))
			continue;
		TRY(since_of(l, id, &row));
		row.seals = used.seals;
		row.bytes = used.bytes;
		TRY(store_key_use_put(l->conn, &row));
	}
	return OK;
}

void
key_care_end(struct lane *l)
{
	err e = store_begin(l->conn);

	if (err_ok(e)) {
		e = settle(l);
		if (err_ok(e))
			e = store_commit(l->conn);
		else
			store_rollback(l->conn);
	}
	err_ignore(e, "the grants stay: too much, never too little");
}

/* ---- new terms ---- */

struct renewing {
	struct class_key key[RENEW_MAX];
	const char *why[RENEW_MAX];
	size_t n;
	int64_t now;
	struct arena a;
};

static const char *
worn(struct lane *l, const struct class_key *k, int64_t now)
{
	const struct policy *p = world_policy(l->snap->world);
	struct key_use_row row;
	struct amount used;
	int64_t term;

	if (!err_ok(store_key_use_get(l->conn, k->id, &row)))
		return NULL; /* the next grant makes its row */
	if (now - row.since >= (int64_t)p->key_days * DAY_MS)
		return "age";
	term = retention_term_ms(l->snap->world, k->project, k->class);
	if (term > 0 && now - row.since >= term)
		return "retention";
	if (!meters_used(l->state->meters, k->id, &used))
		return NULL;
	if (used.seals >= p->key_seals)
		return "seals";
	return used.bytes >= (uint64_t)LIM_KEY_TERM_GIB << 30 ? "bytes" : NULL;
}

static err
record(struct lane *l, const struct renewing *r, size_t i)
{
	char text[160];

	(void)snprintf(text, sizeof text,
	    "term project=%u class=%s term=%llu why=%s by=policy",
	    r->key[i].project, rotate_class_name(r->key[i].class),
	    (unsigned long long)r->key[i].term, r->why[i]);
	return ledger_system(writer_ledger(l->writer), l,
	    desk_arena(writer_desk(l->writer)), AUDIT_KEY_ROTATE, str_c(text),
	    r->now);
}

static err
renew(struct lane *l, void *arg)
{
	struct renewing *r = arg;

	TRY(keys_new_terms(l, r->key, r->n, &r->a));
	for (size_t i = 0; i < r->n; i++)
		TRY(record(l, r, i));
	return OK;
}

void
key_care_renew(struct lane *l, int64_t now, size_t *at)
{
	struct renewing r = {.now = now};
	const struct snap *s = l->snap;
	err e;

	if (*at >= s->class_keys_n)
		*at = 0;
	for (size_t i = 0; i < RENEW_MAX && *at < s->class_keys_n; ++*at, i++) {
		const struct class_key *k = &s->class_keys[*at];

		if (!rotate_class(k->class) ||
		    snap_class_key(s, k->project, k->class) != k->id)
			continue;
		r.why[r.n] = worn(l, k, now);
		if (r.why[r.n] != NULL)
			r.key[r.n++] = *k;
	}
	if (r.n == 0)
		return;
	arena_init(&r.a, LIM_ARENA);
	e = writer_run(l->writer, renew, &r);
	arena_done(&r.a);
	if (!err_ok(e))
		log_event(LOG_STORE, KVE("error", e), KVC("at", "key terms"));
}
