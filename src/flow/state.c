/* state.c: see state.h. */
#include "flow/state.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "flow/readers.h"

/* ---- snapshots ---- */

struct snap *
snap_ref(struct snap *s)
{
	atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

struct snap *
snap_unref(struct snap *s)
{
	if (s == NULL ||
	    atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
		return NULL;
	(void)world_unref(s->world);
	(void)project_keys_unref(s->keys);
	mem_free(s->class_keys);
	mem_free(s);
	return NULL;
}

static int
by_class(const void *a, const void *b)
{
	const struct class_key *x = a, *y = b;

	if (x->project != y->project)
		return x->project < y->project ? -1 : 1;
	if (x->class != y->class)
		return x->class < y->class ? -1 : 1;
	return x->term < y->term ? -1 : x->term > y->term;
}

err
snap_new(uint64_t version, struct world *world, struct project_keys *keys,
    const struct class_key *ck, size_t n, struct snap **ret)
{
	struct snap *s = mem_new(1, sizeof *s);

	if (s == NULL)
		return err_of(E_NO_MEMORY);
	s->class_keys = mem_new(n + 1, sizeof *s->class_keys);
	if (s->class_keys == NULL) {
		mem_free(s);
		return err_of(E_NO_MEMORY);
	}
	atomic_init(&s->refs, 1);
	s->version = version;
	s->world = world_ref(world);
	s->keys = project_keys_ref(keys);
	if (n > 0)
		memcpy(s->class_keys, ck, n * sizeof *ck);
	s->class_keys_n = n;
	qsort(s->class_keys, n, sizeof *s->class_keys, by_class);
	*ret = s;
	return OK;
}

/* The first that is not before (project, class), or not before what follows
 * them. */
static size_t
class_place(const struct snap *s, uint32_t project, unsigned class)
{
	size_t lo = 0, hi = s->class_keys_n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct class_key *k = &s->class_keys[mid];

		if (k->project < project ||
		    (k->project == project && (unsigned)k->class < class))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

size_t
snap_class_terms(const struct snap *s, uint32_t project, enum seal_class class,
    const struct class_key **ret)
{
	size_t first = class_place(s, project, (unsigned)class);

	*ret = s->class_keys + first;
	return class_place(s, project, (unsigned)class + 1) - first;
}

/* The last of its run: the newest term. */
uint32_t
snap_class_key(const struct snap *s, uint32_t project, enum seal_class class)
{
	size_t end = class_place(s, project, (unsigned)class + 1);

	if (end == 0 || s->class_keys[end - 1].project != project ||
	    s->class_keys[end - 1].class != class)
		return 0;
	return s->class_keys[end - 1].id;
}

/* ---- lanes ---- */

/*
 * A rotation may have wrapped the key under a project key that is newer than
 * the lane's snapshot, which a request keeps to its end: only the keyring
 * takes the newer keys.
 */
static void
rekey(struct lane *l)
{
	struct state *st = l->state;
	struct snap *s;

	(void)pthread_mutex_lock(&st->lock);
	s = snap_ref(st->snap);
	(void)pthread_mutex_unlock(&st->lock);
	keyring_rekey(l->ring, s->keys);
	(void)snap_unref(s);
}

static err
load_key(void *ctx, uint32_t id, struct arena *a, struct wrapped_key *ret)
{
	struct lane *l = ctx;
	struct data_key_row row;

	TRY(store_data_key_get(l->conn, id, a, &row));
	if (row.version > project_keys_latest(l->snap->keys, row.project))
		rekey(l);
	*ret = (struct wrapped_key){
	    .id = row.id,
	    .project = row.project,
	    .version = row.version,
	    .class = row.class,
	    .subject = row.subject,
	    .term = row.term,
	    .stored = row.was_wrapped,
	};
	return OK;
}

err
lane_open(struct state *st, enum lane_kind kind, unsigned number,
    struct lane *ret)
{
	err e;

	*ret = (struct lane){.state = st, .kind = kind, .number = number};
	arena_init(&ret->scratch, (size_t)4 * LIM_ARENA);
	issuers_init(&ret->issuers);
	if (kind == LANE_WRITER)
		ret->conn = store_writer(st->store);
	else
		TRY(store_reader(st->store, &ret->conn));
	(void)pthread_mutex_lock(&st->lock);
	ret->snap = snap_ref(st->snap);
	(void)pthread_mutex_unlock(&st->lock);
	e = keyring_new(ret->snap->keys, load_key, ret, &ret->ring);
	if (err_ok(e))
		keyring_meter(ret->ring, st->meters);
	else
		lane_close(ret);
	return e;
}

void
lane_close(struct lane *l)
{
	l->ring = keyring_free(l->ring);
	arena_done(&l->scratch);
	pages_clear(&l->pages);
	opened_clear(&l->opened);
	issuers_done(&l->issuers);
	l->snap = snap_unref(l->snap);
	if (l->kind != LANE_WRITER)
		l->conn = store_conn_close(l->conn);
}

/* What a destroyed key may have opened; the others are got anew. */
static void
forget(struct lane *l)
{
	uint64_t now =
	    atomic_load_explicit(&l->state->forget, memory_order_acquire);

	if (l->forgot == now)
		return;
	l->forgot = now;
	keyring_clear(l->ring);
	pages_clear(&l->pages);
	opened_clear(&l->opened);
}

void
state_forget_keys(struct state *st)
{
	atomic_fetch_add_explicit(&st->forget, 1, memory_order_acq_rel);
	readers_poke(st->readers);
	readers_poke(st->logins);
	readers_poke(st->hashes);
}

void
lane_refresh(struct lane *l)
{
	struct state *st = l->state;
	struct snap *old = l->snap;

	forget(l);
	if (atomic_load_explicit(&st->version, memory_order_acquire) ==
	    old->version)
		return;
	(void)pthread_mutex_lock(&st->lock);
	l->snap = snap_ref(st->snap);
	(void)pthread_mutex_unlock(&st->lock);
	keyring_rekey(l->ring, l->snap->keys);
	(void)snap_unref(old);
}

void
state_publish(struct state *st, struct snap *s)
{
	struct snap *old;

	(void)pthread_mutex_lock(&st->lock);
	old = st->snap;
	st->snap = snap_ref(s);
	atomic_store_explicit(&st->version, s->version, memory_order_release);
	(void)pthread_mutex_unlock(&st->lock);
	(void)snap_unref(old);
}

/* ---- sealing ---- */

err
lane_open_sealed(struct lane *l, const struct seal_where *w, struct stored s,
    struct arena *a, struct str *ret)
{
	return keyring_open(l->ring, w, s, a, ret);
}

err
lane_seal(struct lane *l, uint32_t project, enum seal_class class,
    const struct seal_where *w, struct str plain, struct arena *a,
    struct sealed *ret)
{
	const struct data_key *k;
	uint32_t id = snap_class_key(l->snap, project, class);

	if (id == 0)
		return err_of(E_SEALED);
	TRY(keyring_get(l->ring, id, &k));
	return seal_close(k, w, plain, a, ret);
}

err
lane_blind(struct lane *l, uint32_t project, const char *label, struct str text,
    uint8_t ret[BLIND_SIZE])
{
	const struct data_key *k;
	uint32_t id = snap_class_key(l->snap, project, SEAL_CLASS_INDEX);

	if (id == 0)
		return err_of(E_SEALED);
	TRY(keyring_get(l->ring, id, &k));
	return seal_mac(k, label, text, ret, BLIND_SIZE);
}
