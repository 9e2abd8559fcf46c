/*
 * shred_terms.c: see shred.h: what class keys seal: alerts, deliveries,
 * bodies of the log, answers.  A term is due when it ended so long ago; all
 * it sealed is due then, but alerts that are open, which go on in the newest
 * term, and what a legal hold covers, which stays with its key.
 */
#include "base/limits.h"
#include "flow/desk.h"
#include "flow/holds.h"
#include "flow/keys.h"
#include "flow/pieces.h"
#include "flow/retention.h"
#include "flow/shred.h"
#include "flow/writer.h"
#include "store/key_use.h"
#include "store/retention.h"

enum { PIECE_ROWS = 128, SCAN_ALERTS = 256 };
static const int64_t DAY_MS = INT64_C(86400000);

/* Tables that keys of a class seal; the first one is what is due. */
static const struct sealed_by {
	enum seal_class class;
	enum retention_class due;
	enum seal_table table[4];
	size_t n;
} sealed_by[] = {
    {SEAL_CLASS_ALERT, RETAIN_ALERT,
	{SEAL_TABLE_ALERT, SEAL_TABLE_RUN, SEAL_TABLE_HAPPENING}, 3},
    {SEAL_CLASS_PAYLOAD, RETAIN_DELIVERY,
	{SEAL_TABLE_DELIVERY, SEAL_TABLE_TASK, SEAL_TABLE_RUN_LOG}, 3},
    {SEAL_CLASS_AUDIT, RETAIN_AUDIT_BODY, {SEAL_TABLE_AUDIT}, 1},
    {SEAL_CLASS_REPLY, RETAIN_REPLY, {SEAL_TABLE_REPLY}, 1},
};

static const struct sealed_by *
tables_of(enum retention_class k)
{
	for (size_t i = 0; i < sizeof sealed_by / sizeof *sealed_by; i++)
		if (sealed_by[i].due == k)
			return &sealed_by[i];
	return NULL;
}

bool
shred_class_of(enum retention_class k, enum seal_class *ret)
{
	const struct sealed_by *s = tables_of(k);

	if (s != NULL)
		*ret = s->class;
	return s != NULL;
}

/* ---- which terms ---- */

/* Is the i-th of n terms over so long that what it sealed is due?  With 0
 * days the newest one counts too: a run gives the class a new one first. */
static err
term_due(struct lane *l, const struct shred_target *t,
    const struct class_key *k, size_t i, size_t n, int64_t now, bool *ret)
{
	struct key_use_row next;
	err e;

	*ret = t->days == 0;
	if (*ret || i + 1 >= n)
		return OK;
	e = store_key_use_get(l->conn, k[i + 1].id, &next);
	if (err_is(e, E_NOT_FOUND))
		return OK;
	TRY(e);
	*ret = next.since + t->days * DAY_MS <= now;
	return OK;
}

/* ---- one term ---- */

struct term {
	struct pieces *p;
	const struct shred_target *t;
	const struct sealed_by *s;
	uint32_t key;
	int64_t now;
	struct shredded *io;
	/* Of a piece. */
	const struct keyed_alert *alert;
	size_t n;
	uint64_t did;
	bool last; /* the key goes with it */
	struct shredded delta;
};

static bool
stays(const struct world *w, const struct term *t, struct lane *l,
    const struct keyed_alert *a, bool *ret_held)
{
	struct incident_row row;
	err e;

	*ret_held = false;
	if (a->incident == 0)
		return a->open;
	e = store_incident_by_seq(l->conn, a->incident, &t->p->a, &row);
	*ret_held = err_ok(e) &&
	    hold_covers(w, t->t->project, &row.id.u, t->now) != NULL;
	return a->open || *ret_held;
}

/* Nothing is destroyed where a hold covers what is no incident's own. */
static bool
held(const struct lane *l, const struct term *t)
{
	return hold_covers(l->snap->world, t->t->project, NULL, t->now) != NULL;
}

/* No table has a row of the key. */
static err
sealed_none(struct lane *l, const struct sealed_by *s, uint32_t key, bool *ret)
{
	bool any = false;

	for (size_t i = 0; i < s->n && !any; i++)
		TRY(store_keyed_any(l->conn, s->table[i], key, &any));
	*ret = !any;
	return OK;
}

static err
end_piece(struct lane *l, struct term *t, struct shred_note *n)
{
	bool none;

	TRY(sealed_none(l, t->s, t->key, &none));
	if (none) {
		TRY(shred_keys(l, n, &t->key, 1, &t->p->a));
		t->last = true;
	}
	n->units = n->rows;
	return shred_note_end(l, n, &t->p->a, &t->delta);
}

/* Rows that are all due: the key goes in the transaction of the last. */
static err
rows_piece(struct lane *l, void *arg)
{
	struct term *t = arg;
	struct shred_note n;

	arena_reset(&t->p->a);
	t->delta = (struct shredded){.leaves = 0};
	t->did = 0;
	t->last = false;
	if (held(l, t))
		return OK;
	TRY(shred_note_begin(&n, t->t, t->now, &t->p->a));
	TRY(store_keyed_delete(l->conn, t->s->table[0], t->key, PIECE_ROWS,
	    &n.rows));
	t->did = n.rows;
	return end_piece(l, t, &n);
}

/* Those of a list of alerts that are due go, open ones into the newest
 * term. */
static err
alerts_piece(struct lane *l, void *arg)
{
	struct term *t = arg;
	struct shred_note n;
	struct alert_card *a;

	arena_reset(&t->p->a);
	t->delta = (struct shredded){.leaves = 0};
	t->last = false;
	if (held(l, t))
		return OK;
	TRY(shred_note_begin(&n, t->t, t->now, &t->p->a));
	for (size_t i = 0; i < t->n; i++) {
		bool is_held;

		if (!stays(l->snap->world, t, l, &t->alert[i], &is_held)) {
			TRY(store_alert_delete(l->conn, t->alert[i].seq));
			shred_note_id(&n, &t->alert[i].id.u);
			n.rows++;
		} else if (!is_held) {
			TRY(desk_alert_id(l, &t->alert[i].id, &a));
			TRY(desk_alert_doc(l, a));
			desk_alert_changed(a, a->doc);
		}
	}
	/* what was moved is written now, so that it counts no more below */
	TRY(desk_flush(writer_desk(l->writer), l));
	return end_piece(l, t, &n);
}

static void
add(struct term *t)
{
	for (unsigned k = 0; k < RETENTION_CLASSES; k++)
		t->io->units[k] += t->delta.units[k];
	t->io->keys += t->delta.keys;
	t->io->leaves += t->delta.leaves;
}

static err
shred_alerts(struct term *t, struct lane *reader)
{
	struct keyed_alert list[PIECE_ROWS];
	uint64_t after = 0;

	t->alert = list;
	do {
		TRY(store_keyed_alerts(reader->conn, t->key, after, PIECE_ROWS,
		    list, &t->n));
		TRY(pieces_do(t->p, alerts_piece, t));
		add(t);
		after = t->n > 0 ? list[t->n - 1].seq : after;
	} while (t->n == PIECE_ROWS);
	return OK;
}

static err
shred_rows(struct term *t)
{
	do {
		TRY(pieces_do(t->p, rows_piece, t));
		add(t);
	} while (t->did == PIECE_ROWS && !t->last);
	return OK;
}

/* Is there anything of it to do: rows, or a key without any? */
static err
worth_it(struct lane *l, const struct term *t, bool *ret)
{
	TRY(store_keyed_any(l->conn, t->s->table[0], t->key, ret));
	return *ret ? OK : sealed_none(l, t->s, t->key, ret);
}

/* ---- all terms of a class ---- */

struct new_term {
	struct pieces *p;
	struct class_key key;
};

static err
new_term(struct lane *l, void *arg)
{
	struct new_term *n = arg;

	arena_reset(&n->p->a);
	return keys_new_terms(l, &n->key, 1, &n->p->a);
}

/* With 0 days all there is goes: what comes from now on needs a new key. */
static err
renew(struct pieces *p, struct lane *reader, const struct shred_target *t,
    const struct sealed_by *s)
{
	uint32_t id = snap_class_key(reader->snap, t->project, s->class);
	struct new_term n = {.p = p, .key = {t->project, s->class, id, 0}};
	bool any = false;

	if (id == 0)
		return OK;
	TRY(store_keyed_any(reader->conn, s->table[0], id, &any));
	if (!any)
		return OK;
	TRY(pieces_do(p, new_term, &n));
	lane_refresh(reader);
	pieces_rest(p, LIM_READERS_MS); /* what is under way is sealed anew */
	return OK;
}

err
shred_terms(struct pieces *p, struct lane *reader, const struct shred_target *t,
    int64_t now, struct shredded *io)
{
	const struct sealed_by *s = tables_of(t->class);
	struct term one = {.p = p, .t = t, .s = s, .now = now, .io = io};
	const struct class_key *k;
	size_t n;

	if (t->days == 0)
		TRY(renew(p, reader, t, s));
	n = snap_class_terms(reader->snap, t->project, s->class, &k);
	for (size_t i = 0; i + 1 < n; i++) { /* the newest one seals */
		bool due;

		TRY(term_due(reader, t, k, i, n, now, &due));
		one.key = k[i].id;
		if (due)
			TRY(worth_it(reader, &one, &due));
		if (!due)
			continue;
		if (t->class == RETAIN_ALERT)
			TRY(shred_alerts(&one, reader));
		else
			TRY(shred_rows(&one));
	}
	return OK;
}

static err
count_alerts(struct lane *l, struct term *t, uint32_t key,
    struct shred_item *io)
{
	struct keyed_alert list[SCAN_ALERTS];
	uint64_t after = 0;
	bool is_held;
	size_t n;

	do {
		TRY(store_keyed_alerts(l->conn, key, after, SCAN_ALERTS, list,
		    &n));
		for (size_t i = 0; i < n; i++) {
			arena_reset(&t->p->a);
			after = list[i].seq;
			if (stays(l->snap->world, t, l, &list[i], &is_held))
				continue;
			if (io->ids < SHRED_IDS)
				io->id[io->ids++] = list[i].id.u;
			io->units++;
		}
	} while (n == SCAN_ALERTS);
	return OK;
}

err
shred_terms_count(struct lane *l, const struct shred_target *t, int64_t now,
    struct shred_item *io)
{
	const struct sealed_by *s = tables_of(t->class);
	struct pieces scratch = {.r = NULL};
	struct term one = {.p = &scratch, .t = t, .s = s, .now = now};
	const struct class_key *k;
	size_t n = snap_class_terms(l->snap, t->project, s->class, &k);
	uint64_t rows;
	err e = OK;

	arena_init(&scratch.a, LIM_ARENA);
	for (size_t i = 0; i < n && err_ok(e); i++) {
		bool due;

		e = term_due(l, t, k, i, n, now, &due);
		if (!err_ok(e) || !due)
			continue;
		if (t->class == RETAIN_ALERT) {
			e = count_alerts(l, &one, k[i].id, io);
			continue;
		}
		e = store_keyed_count(l->conn, s->table[0], k[i].id, &rows);
		io->units += err_ok(e) ? rows : 0;
	}
	arena_done(&scratch.a);
	return e;
}
