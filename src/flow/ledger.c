/* ledger.c: see ledger.h. */
#include "flow/ledger.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/text.h"

enum { COALESCE_MAX = LIM_BATCH, KEY_MAX = 512 };

/* An entry others may share. */
struct shared {
	struct audit_entry entry;
	struct str key; /* what must be the same */
	int64_t time;	/* of the first */
};

struct ledger {
	struct audit_tree *tree, *before;
	uint64_t seq, seq_before; /* of the last entry */
	uint64_t signed_size;
	int64_t time, time_before; /* of the last entry: never goes back */
	struct shared shared[COALESCE_MAX];
	size_t shared_n;
};

/* ---- the tree in the store ---- */

err
ledger_tile(void *conn, unsigned level, uint64_t index, struct audit_tile *ret)
{
	ret->level = level;
	ret->index = index;
	return store_tile_get(conn, level, index, (uint8_t *)ret->hash);
}

static err
tile_store(void *conn, const struct audit_tile *t)
{
	return store_tile_put(conn, t->level, t->index,
	    (const uint8_t *)t->hash);
}

struct tail {
	struct hash hash[TILE_WIDTH];
	size_t n, max;
	int64_t time; /* of the last one */
	struct arena a;
	err e;
};

static bool
tail_leaf(void *ctx, uint64_t seq, struct str leaf)
{
	struct tail *t = ctx;
	struct audit_entry entry;

	(void)seq;
	if (t->n == t->max)
		return false;
	audit_leaf_hash(leaf, &t->hash[t->n++]);
	t->e = audit_leaf_read(&t->a, leaf, &entry);
	t->time = entry.time;
	arena_reset(&t->a);
	return err_ok(t->e);
}

err
ledger_load(struct store_conn *conn, uint64_t size, struct audit_tree *tree,
    int64_t *ret_time)
{
	uint64_t full = size - size % TILE_WIDTH;
	struct tail t = {.e = OK};
	size_t skip = full > 0; /* the last entry before the tail: its time */
	err e;

	t.max = (size_t)(size - full) + skip;
	arena_init(&t.a, (size_t)1024 * 1024);
	e = size == 0
	    ? OK
	    : store_audit_walk(conn, full > 0 ? full : 1, false, tail_leaf, &t);
	arena_done(&t.a);
	TRY(e);
	TRY(t.e);
	if (t.n != t.max)
		return err_of(E_CORRUPT);
	*ret_time = t.time;
	return audit_tree_restore(tree, size, t.hash + skip, t.n - skip,
	    ledger_tile, conn);
}

err
ledger_open(struct lane *l, struct ledger **ret)
{
	struct ledger *g = mem_new(1, sizeof *g);
	err e;

	if (g == NULL)
		return err_of(E_NO_MEMORY);
	e = audit_tree_new(&g->tree);
	if (err_ok(e))
		e = audit_tree_new(&g->before);
	if (err_ok(e))
		e = store_audit_last(l->conn, &g->seq);
	if (err_ok(e))
		e = ledger_load(l->conn, g->seq, g->tree, &g->time);
	if (!err_ok(e)) {
		(void)ledger_close(g);
		return e;
	}
	*ret = g;
	return OK;
}

struct ledger *
ledger_close(struct ledger *g)
{
	if (g == NULL)
		return NULL;
	(void)audit_tree_free(g->tree);
	(void)audit_tree_free(g->before);
	mem_free(g);
	return NULL;
}

void
ledger_begin(struct ledger *g)
{
	audit_tree_copy(g->before, g->tree);
	g->seq_before = g->seq;
	g->time_before = g->time;
	g->shared_n = 0;
}

void
ledger_undo(struct ledger *g)
{
	audit_tree_copy(g->tree, g->before);
	g->seq = g->seq_before;
	g->time = g->time_before;
	g->shared_n = 0;
}

uint64_t
ledger_next(const struct ledger *g)
{
	return g->seq + 1;
}

const struct audit_tree *
ledger_tree(const struct ledger *g)
{
	return g->tree;
}

/* ---- entries ---- */

static err
append(struct ledger *g, struct lane *l, struct arena *batch,
    struct audit_entry *e, int64_t now)
{
	struct hash h;
	struct buf b;

	g->time = now > g->time ? now : g->time;
	e->time = g->time;
	e->seq = g->seq + 1;
	buf_init_on(&b, batch, LIM_LEAF);
	TRY(audit_leaf_write(&b, e));
	audit_leaf_hash(buf_view(&b), &h);
	TRY(store_audit_append(l->conn, e->seq, buf_view(&b)));
	TRY(audit_tree_append(g->tree, &h, tile_store, l->conn));
	g->seq = e->seq;
	atomic_fetch_add_explicit(&l->state->n.audit_entries, 1,
	    memory_order_relaxed);
	return OK;
}

/* A private incident appears as a blind reference: the same each time, and
 * meaning nothing to who does not know the id already. */
err
ledger_blind(struct lane *l, struct arena *a, const struct uuid *u,
    struct str *ret)
{
	uint8_t blind[BLIND_SIZE];
	struct buf b;

	TRY(lane_blind(l, 0, "audit reference",
	    str_of((const char *)u->b, sizeof u->b), blind));
	buf_init_on(&b, a, 64);
	buf_c(&b, "priv:");
	hex_add(&b, str_of((char *)blind, sizeof blind));
	*ret = buf_view(&b);
	return buf_check(&b);
}

/* Everything done while the glass is broken says under which. */
static void
tag_glass(struct arena *a, const struct actor *who, int64_t now,
    struct audit_entry *ret)
{
	const struct binding *b = NULL;

	while ((b = access_glass(who, b, now)) != NULL) {
		struct audit_resource *to;

		if (ret->resources == AUDIT_RESOURCES)
			ret->resources--;
		to = &ret->resource[ret->resources++];
		*to = (struct audit_resource){STR("break_glass"),
		    uuid_dup(a, &b->glass)};
	}
}

static err
resources(struct lane *l, struct arena *a, const struct record *r,
    struct audit_entry *ret)
{
	for (size_t i = 0; i < r->resources; i++) {
		struct audit_resource *to = &ret->resource[i];
		struct buf b;

		to->type = str_c(r->resource[i].type);
		if (r->resource[i].hidden) {
			TRY(ledger_blind(l, a, &r->resource[i].id, &to->id));
		} else if (!uuid_is_zero(&r->resource[i].id)) {
			to->id = uuid_dup(a, &r->resource[i].id);
		} else if (r->resource[i].ref.n > 0) {
			to->id = r->resource[i].ref;
		} else {
			buf_init_on(&b, a, 24);
			buf_u64(&b, r->resource[i].num);
			to->id = buf_view(&b);
		}
	}
	ret->resources = r->resources;
	return arena_check(a);
}

static err
entry_of(struct lane *l, struct arena *a, const struct call *c,
    struct audit_entry *ret)
{
	const struct record *r = &c->rec;

	*ret = (struct audit_entry){
	    .action = r->action,
	    .outcome = r->outcome,
	    .address = c->address,
	    .request_id = str_of(c->request_id_text, UUID_TEXT),
	    .reason = r->reason,
	    .principal_kind = STR("anonymous"),
	};
	if (c->request_id_text[0] == '\0') { /* nobody asked over the API */
		ret->request_id = STR("");
		ret->principal_kind = STR("system");
	}
	if (c->actor != NULL) {
		ret->principal_kind =
		    str_c(principal_kind_text(c->actor->kind));
		ret->principal_id = uuid_dup(a, &c->actor->id);
		ret->credential = call_credential(c, a);
	}
	if (r->project != 0) {
		const struct project *p =
		    world_project(l->snap->world, r->project);

		if (p != NULL)
			ret->project = uuid_dup(a, &p->o.id);
	}
	TRY(resources(l, a, r, ret));
	if (c->actor != NULL)
		tag_glass(a, c->actor, c->now, ret);
	return arena_check(a);
}

/*
 * What is kept sealed beside a leaf: salt[32], the count of hidden ids, those
 * ids, then the committed body.
 */
static err
keep_body(struct ledger *g, struct lane *l, struct arena *a,
    const struct record *r, const uint8_t salt[32])
{
	struct seal_where where = {.table = SEAL_TABLE_AUDIT, .schema = 1};
	uint32_t id = r->body_key;
	const struct data_key *k;
	struct sealed sealed;
	struct buf b;
	size_t at;

	buf_init_on(&b, a, LIM_BODY + 1024);
	buf_add(&b, salt, 32);
	at = b.n;
	buf_char(&b, 0);
	for (size_t i = 0; i < r->resources; i++) {
		if (!r->resource[i].hidden)
			continue;
		buf_add(&b, r->resource[i].id.b, 16);
		if (!b.failed)
			b.p[at]++;
	}
	buf_str(&b, r->body);
	TRY(buf_check(&b));
	if (id == 0)
		id = snap_class_key(l->snap, 0, SEAL_CLASS_AUDIT);
	TRY(keyring_get(l->ring, id, &k));
	seal_where_num(&where, g->seq + 1);
	TRY(seal_close(k, &where, buf_view(&b), a, &sealed));
	return store_audit_body_put(l->conn, g->seq + 1, sealed);
}

static bool
any_hidden(const struct record *r)
{
	for (size_t i = 0; i < r->resources; i++)
		if (r->resource[i].hidden)
			return true;
	return false;
}

static void
key_part(struct buf *b, struct str s)
{
	buf_be16(b, (uint16_t)s.n);
	buf_str(b, s);
}

/* Everything that must be the same for two entries to share one. */
static struct str
key_of(struct arena *a, const struct audit_entry *e)
{
	struct buf b;

	buf_init_on(&b, a, 2048);
	buf_be16(&b, (uint16_t)e->action);
	buf_be16(&b, (uint16_t)e->outcome);
	key_part(&b, e->principal_kind);
	key_part(&b, e->principal_id);
	key_part(&b, e->credential);
	key_part(&b, e->address);
	key_part(&b, e->project);
	key_part(&b, e->reason);
	for (size_t i = 0; i < e->resources; i++) {
		key_part(&b, e->resource[i].type);
		key_part(&b, e->resource[i].id);
	}
	return b.failed ? STR_NONE : buf_view(&b);
}

static bool
may_share(const struct record *r)
{
	return r->outcome == AUDIT_DENIED ||
	    (r->outcome == AUDIT_OK && r->body.n == 0 &&
		audit_action_kind(r->action) == AUDIT_READ);
}

static err
share(struct ledger *g, struct lane *l, struct arena *batch,
    struct audit_entry *e, int64_t now)
{
	struct str key = key_of(batch, e);

	for (size_t i = 0; i < g->shared_n && key.n > 0; i++) {
		if (str_eq(g->shared[i].key, key)) {
			g->shared[i].entry.count++;
			return OK;
		}
	}
	if (key.n == 0 || g->shared_n == COALESCE_MAX)
		return append(g, l, batch, e, now);
	e->count = 1;
	g->shared[g->shared_n++] = (struct shared){*e, key, now};
	return arena_check(batch);
}

err
ledger_add(struct ledger *g, struct lane *l, struct arena *batch,
    const struct call *c)
{
	const struct record *r = &c->rec;
	uint8_t salt[32], commitment[COMMITMENT_SIZE];
	struct audit_entry e;

	TRY(entry_of(l, batch, c, &e));
	if (may_share(r))
		return share(g, l, batch, &e, c->now);
	if (r->body.n > 0 || (r->outcome == AUDIT_OK && any_hidden(r))) {
		rand_bytes(salt, sizeof salt);
		audit_commit(salt, STR("body"), r->body, commitment);
		e.commitment = commitment;
		TRY(keep_body(g, l, batch, r, salt));
	}
	if (r->commitment != NULL)
		e.commitment = r->commitment;
	return append(g, l, batch, &e, c->now);
}

err
ledger_system(struct ledger *g, struct lane *l, struct arena *batch,
    enum audit_action action, struct str detail, int64_t now)
{
	struct audit_entry e = {
	    .action = action,
	    .outcome = AUDIT_OK,
	    .principal_kind = STR("system"),
	    .reason = detail,
	};

	return append(g, l, batch, &e, now);
}

err
ledger_entry(struct ledger *g, struct lane *l, struct arena *batch,
    struct audit_entry *e, struct str body, int64_t now)
{
	uint8_t salt[32], commitment[COMMITMENT_SIZE];
	const struct record r = {.body = body};

	e->principal_kind = STR("system");
	if (body.n > 0) {
		rand_bytes(salt, sizeof salt);
		audit_commit(salt, STR("body"), body, commitment);
		e->commitment = commitment;
		TRY(keep_body(g, l, batch, &r, salt));
	}
	return append(g, l, batch, e, now);
}

err
ledger_event(struct ledger *g, struct lane *l, struct arena *batch,
    const struct record *r, enum principal_kind kind,
    const struct uuid *principal, int64_t now)
{
	const struct project *p = world_project(l->snap->world, r->project);
	struct audit_entry e = {
	    .action = r->action,
	    .outcome = r->outcome,
	    .principal_kind = str_c(principal_kind_text(kind)),
	    .commitment = r->commitment,
	    .reason = r->reason,
	};

	if (!uuid_is_zero(principal))
		e.principal_id = uuid_dup(batch, principal);
	if (p != NULL)
		e.project = uuid_dup(batch, &p->o.id);
	TRY(resources(l, batch, r, &e));
	return append(g, l, batch, &e, now);
}

err
ledger_flush(struct ledger *g, struct lane *l, struct arena *batch)
{
	for (size_t i = 0; i < g->shared_n; i++)
		TRY(append(g, l, batch, &g->shared[i].entry,
		    g->shared[i].time));
	g->shared_n = 0;
	return OK;
}

/* ---- checkpoints ---- */

bool
ledger_unsigned(const struct ledger *g)
{
	return g->seq != g->signed_size;
}

err
ledger_sign(struct ledger *g, struct lane *l, const struct ipc_end *keeper,
    struct arena *a, int64_t now)
{
	struct keeper_last last;
	struct hash_list proof;
	struct hash root;
	struct buf note;

	TRY(keeper_last(keeper, &last));
	if (last.size > g->seq)
		return err_of(E_BAD_ANSWER);
	TRY(audit_tree_root(g->tree, &root));
	TRY(audit_tree_consistency(g->tree, last.size, g->seq, ledger_tile,
	    l->conn, a, &proof));
	buf_init_on(&note, a, NOTE_MAX);
	TRY(keeper_sign(keeper, g->seq, root.b,
	    (const uint8_t(*)[KEEPER_HASH])proof.h, proof.n, &note));
	return store_checkpoint_put(l->conn, g->seq, now, buf_view(&note));
}

void
ledger_signed(struct ledger *g)
{
	g->signed_size = g->seq;
}
