/* shred.c: see shred.h: incidents, runs, and a run of all of it. */
#include "flow/shred.h"

#include <stdio.h>

#include "base/limits.h"
#include "base/time.h"
#include "flow/desk.h"
#include "flow/holds.h"
#include "flow/keys.h"
#include "flow/pieces.h"
#include "flow/writer.h"
#include "store/retention.h"

enum {
	PIECE_INCIDENTS = 24, /* in one transaction, or for so long */
	PIECE_US = 3000,
	PIECE_RUNS = 16,
	PIECE_PARTS = 256,
	COUNT_ROWS = 256,
	FOLD_TRIES = 10,
	FOLD_REST_MS = 500,
};
static const int64_t DAY_MS = INT64_C(86400000);
static const char unfolded[] = "retention.unfolded";

struct shredding {
	struct pieces p;
	struct lane reader;
	const struct shred_target *t;
	int64_t now;
	struct due_at at, next;
	size_t n; /* rows the piece looked at */
	struct shredded delta, done;
};

/* ---- one incident, one run ---- */

static err
parts_of(struct lane *l, enum seal_table table, uint32_t key, uint64_t *io_rows)
{
	uint64_t n;

	do {
		TRY(store_keyed_delete(l->conn, table, key, PIECE_PARTS, &n));
		*io_rows += n;
	} while (n == PIECE_PARTS);
	return OK;
}

/* Its runs end with it, and what they wrote. */
static err
runs_of(struct lane *l, uint64_t incident, uint64_t *io_rows)
{
	struct uuid run[PIECE_RUNS];
	size_t n;

	do {
		TRY(store_run_of(l->conn, incident, run, PIECE_RUNS, &n));
		for (size_t i = 0; i < n; i++)
			TRY(store_run_delete(l->conn, &run[i], io_rows));
	} while (n == PIECE_RUNS);
	return OK;
}

/* Alerts have a time of their own; those of a private incident go with it,
 * since nobody could say any more who may see them. */
static err
alerts_of(struct lane *l, const struct incident_row *r, uint64_t *io_rows)
{
	uint64_t n;

	do {
		TRY(store_alerts_leave(l->conn, r->seq, r->private != 0,
		    PIECE_PARTS, &n));
		*io_rows += r->private != 0 ? n : 0;
	} while (n == PIECE_PARTS);
	return OK;
}

static err
shred_incident(struct lane *l, const struct incident_row *r,
    struct shred_note *n, struct arena *a)
{
	uint32_t key, kin[KEYS_KIN];
	struct str ref;
	size_t kin_n;

	TRY(seal_key_id(r->stored, &key));
	TRY(keys_kin(l->conn, key, kin, &kin_n));
	TRY(shred_keys(l, n, kin, kin_n, a));
	for (size_t i = 0; i < kin_n; i++) {
		TRY(parts_of(l, SEAL_TABLE_AUDIT, kin[i], &n->rows));
		TRY(parts_of(l, SEAL_TABLE_HAPPENING, kin[i], &n->rows));
	}
	TRY(runs_of(l, r->seq, &n->rows));
	TRY(alerts_of(l, r, &n->rows));
	TRY(store_incident_delete(l->conn, r, &n->rows));
	n->units++;
	if (r->private == 0) {
		shred_note_id(n, &r->id.u);
		return OK;
	}
	TRY(ledger_blind(l, a, &r->id.u, &ref));
	shred_note_text(n, ref);
	return OK;
}

static err
incidents_piece(struct lane *l, void *arg)
{
	struct shredding *s = arg;
	const struct shred_target *t = s->t;
	int64_t until = time_mono_us() + PIECE_US;
	struct incident_row *row;
	struct shred_note n;

	arena_reset(&s->p.a);
	s->delta = (struct shredded){.leaves = 0};
	s->next = s->at;
	TRY(shred_note_begin(&n, t, s->now, &s->p.a));
	TRY(store_incident_due(l->conn, t->project, s->now - t->days * DAY_MS,
	    &s->next, PIECE_INCIDENTS, &s->p.a, &row, &s->n));
	for (size_t i = 0; i < s->n; i++) {
		if (hold_covers(l->snap->world, t->project, &row[i].id.u,
			s->now) == NULL)
			TRY(shred_incident(l, &row[i], &n, &s->p.a));
		if (time_mono_us() < until)
			continue;
		/* others want the writer: the next piece goes on here */
		s->next = (struct due_at){row[i].closed, row[i].seq};
		s->n = PIECE_INCIDENTS;
		break;
	}
	return shred_note_end(l, &n, &s->p.a, &s->delta);
}

/* A run of an incident is under what holds the incident. */
static bool
run_held(struct lane *l, const struct shredding *s, const struct run_due_row *r,
    struct arena *a)
{
	struct incident_row row;
	const struct uuid *incident = NULL;

	if (r->incident != 0 &&
	    err_ok(store_incident_by_seq(l->conn, r->incident, a, &row)))
		incident = &row.id.u;
	return hold_covers(l->snap->world, s->t->project, incident, s->now) !=
	    NULL;
}

static err
runs_piece(struct lane *l, void *arg)
{
	struct shredding *s = arg;
	const struct shred_target *t = s->t;
	struct run_due_row row[PIECE_RUNS];
	struct shred_note n;

	arena_reset(&s->p.a);
	s->delta = (struct shredded){.leaves = 0};
	s->next = s->at;
	TRY(shred_note_begin(&n, t, s->now, &s->p.a));
	TRY(store_run_over(l->conn, t->project, s->now - t->days * DAY_MS,
	    &s->next, PIECE_RUNS, row, &s->n));
	for (size_t i = 0; i < s->n; i++) {
		if (run_held(l, s, &row[i], &s->p.a))
			continue;
		TRY(store_run_delete(l->conn, &row[i].id, &n.rows));
		shred_note_id(&n, &row[i].id);
		n.units++;
	}
	return shred_note_end(l, &n, &s->p.a, &s->delta);
}

/* ---- all of a place ---- */

static void
add(struct shredding *s)
{
	for (unsigned k = 0; k < RETENTION_CLASSES; k++)
		s->done.units[k] += s->delta.units[k];
	s->done.keys += s->delta.keys;
	s->done.leaves += s->delta.leaves;
}

/* Is anything due?  The writer is not asked for nothing. */
static err
any_due(struct shredding *s, bool *ret)
{
	const struct shred_target *t = s->t;
	int64_t before = s->now - t->days * DAY_MS;
	struct due_at at = {0, 0};
	struct incident_row *row;
	struct run_due_row run;
	size_t n = 0;

	arena_reset(&s->p.a);
	if (t->class == RETAIN_INCIDENT)
		TRY(store_incident_due(s->reader.conn, t->project, before, &at,
		    1, &s->p.a, &row, &n));
	else
		TRY(store_run_over(s->reader.conn, t->project, before, &at, 1,
		    &run, &n));
	*ret = n > 0;
	return OK;
}

static err
by_time(struct shredding *s, err (*piece)(struct lane *l, void *arg),
    size_t full)
{
	bool due;

	TRY(any_due(s, &due));
	s->at = (struct due_at){0, 0};
	s->n = due ? full : 0;
	while (s->n == full) {
		TRY(pieces_do(&s->p, piece, s));
		s->at = s->next;
		add(s);
	}
	return OK;
}

/* No such class is destroyed here, or it is kept for ever. */
static bool
target_of(const struct world *w, uint32_t project, enum retention_class k,
    struct shred_target *ret)
{
	bool of_org = k == RETAIN_AUDIT_BODY || k == RETAIN_REPLY;

	if (k == RETAIN_PERSON || k == RETAIN_SECRET_VERSION ||
	    of_org != (project == 0))
		return false;
	*ret = (struct shred_target){project, k, retention_days(w, project, k),
	    retention_by(w, project, k)};
	return ret->days != RETAIN_FOR_EVER;
}

static err
one_target(struct shredding *s, const struct shred_target *t)
{
	s->t = t;
	if (hold_covers(s->reader.snap->world, t->project, NULL, s->now) !=
	    NULL)
		return OK;
	switch (t->class) {
	case RETAIN_INCIDENT:
		return by_time(s, incidents_piece, PIECE_INCIDENTS);
	case RETAIN_RUN:
		return by_time(s, runs_piece, PIECE_RUNS);
	default:
		return shred_terms(&s->p, &s->reader, t, s->now, &s->done);
	}
}

static err
one_place(struct shredding *s, uint32_t project)
{
	struct shred_target t;

	for (unsigned k = 0; k < RETENTION_CLASSES; k++) {
		lane_refresh(&s->reader);
		if (target_of(s->reader.snap->world, project,
			(enum retention_class)k, &t))
			TRY(one_target(s, &t));
	}
	return OK;
}

/* The organization, then every project there is now. */
static err
places(const struct world *w, struct arena *a, uint32_t **ret, size_t *ret_n)
{
	const struct object *const *o;
	size_t n;

	o = world_objects(w, OBJECT_PROJECT, &n);
	*ret = arena_array(a, n + 1, sizeof **ret);
	TRY(arena_check(a));
	(*ret)[0] = 0;
	for (size_t i = 0; i < n; i++)
		(*ret)[i + 1] = o[i]->project;
	*ret_n = n + 1;
	return OK;
}

/* ---- afterwards ---- */

static err
summary(struct lane *l, void *arg)
{
	struct shredding *s = arg;
	uint64_t units = 0;

	arena_reset(&s->p.a);
	for (unsigned k = 0; k < RETENTION_CLASSES; k++)
		units += s->done.units[k];
	TRY(store_meta_set(l->conn, unfolded, STR("0")));
	return pieces_record(&s->p, l, AUDIT_RETENTION_RUN,
	    "units=%llu keys=%llu leaves=%llu", (unsigned long long)units,
	    (unsigned long long)s->done.keys,
	    (unsigned long long)s->done.leaves);
}

static err
is_unfolded(struct shredding *s, bool *ret)
{
	struct str v;
	err e;

	arena_reset(&s->p.a);
	e = store_meta_get(s->reader.conn, unfolded, &s->p.a, &v);
	*ret = err_ok(e) && str_is(v, "1");
	return err_is(e, E_NOT_FOUND) ? OK : e;
}

/* No thread has a destroyed key or what it opened, no page of the store's
 * log either; only then is it put on record as done. */
static err
finish(struct shredding *s)
{
	struct state *st = s->p.r->st;
	err e = OK;
	bool open;

	TRY(is_unfolded(s, &open));
	if (!open) {
		s->done.clean = true;
		return OK;
	}
	state_forget_keys(st);
	for (int i = 0; i < FOLD_TRIES; i++) {
		TRY(pieces_go_on(&s->p));
		e = store_checkpoint(st->store, true);
		if (!err_is(e, E_LOCKED))
			break;
		pieces_rest(&s->p, FOLD_REST_MS);
	}
	TRY(e); /* the next run begins with it */
	s->done.clean = true;
	return pieces_do(&s->p, summary, s);
}

static err
all_places(struct shredding *s)
{
	uint32_t *project;
	struct arena a;
	size_t n = 0;
	err e;

	arena_init(&a, LIM_ARENA);
	e = places(s->reader.snap->world, &a, &project, &n);
	for (size_t i = 0; i < n && err_ok(e); i++)
		e = one_place(s, project[i]);
	arena_done(&a);
	return e;
}

err
shred_run(const struct rotation *by, int64_t now, struct trail *t,
    struct shredded *ret)
{
	struct shredding s = {.now = now};
	err e;

	pieces_init(&s.p, by, t);
	e = lane_open(by->st, LANE_READER, 0, &s.reader);
	if (err_ok(e)) {
		e = finish(&s); /* what a crash left */
		if (err_ok(e))
			e = all_places(&s);
		if (err_ok(e))
			e = finish(&s);
		lane_close(&s.reader);
	}
	pieces_done(&s.p);
	*ret = s.done;
	return e;
}

/* ---- looking ahead ---- */

static err
count_incidents(struct lane *l, const struct shred_target *t, int64_t now,
    struct arena *a, struct shred_item *io)
{
	struct due_at at = {0, 0};
	struct incident_row *row;
	size_t n;

	do {
		arena_reset(a);
		TRY(store_incident_due(l->conn, t->project,
		    now - t->days * DAY_MS, &at, COUNT_ROWS, a, &row, &n));
		for (size_t i = 0; i < n; i++) {
			if (hold_covers(l->snap->world, t->project,
				&row[i].id.u, now) != NULL)
				continue;
			/* A private one counts; which it is nobody is told. */
			if (row[i].private == 0 && io->ids < SHRED_IDS)
				io->id[io->ids++] = row[i].id.u;
			io->units++;
		}
	} while (n == COUNT_ROWS);
	return OK;
}

static err
count_runs(struct lane *l, const struct shred_target *t, int64_t now,
    struct arena *a, struct shred_item *io)
{
	struct shredding s = {.t = t, .now = now};
	struct run_due_row row[PIECE_RUNS];
	struct due_at at = {0, 0};
	size_t n;

	do {
		arena_reset(a);
		TRY(store_run_over(l->conn, t->project, now - t->days * DAY_MS,
		    &at, PIECE_RUNS, row, &n));
		for (size_t i = 0; i < n; i++) {
			if (run_held(l, &s, &row[i], a))
				continue;
			if (io->ids < SHRED_IDS)
				io->id[io->ids++] = row[i].id;
			io->units++;
		}
	} while (n == PIECE_RUNS);
	return OK;
}

static err
count(struct lane *l, const struct shred_target *t, int64_t now,
    struct shred_item *io)
{
	struct arena a;
	err e;

	*io = (struct shred_item){.project = t->project,
	    .class = t->class,
	    .days = t->days};
	arena_init(&a, LIM_ARENA);
	if (t->class == RETAIN_INCIDENT)
		e = count_incidents(l, t, now, &a, io);
	else if (t->class == RETAIN_RUN)
		e = count_runs(l, t, now, &a, io);
	else if (hold_covers(l->snap->world, t->project, NULL, now) != NULL)
		e = OK;
	else
		e = shred_terms_count(l, t, now, io);
	arena_done(&a);
	return e;
}

err
shred_preview(struct lane *l, int64_t now, struct arena *a,
    struct shred_item **ret, size_t *ret_n)
{
	const struct world *w = l->snap->world;
	struct shred_target t;
	uint32_t *project;
	size_t n, found = 0;

	TRY(places(w, a, &project, &n));
	*ret = arena_array(a, n * RETENTION_CLASSES, sizeof **ret);
	TRY(arena_check(a));
	for (size_t i = 0; i < n; i++)
		for (unsigned k = 0; k < RETENTION_CLASSES; k++) {
			if (!target_of(w, project[i], (enum retention_class)k,
				&t))
				continue;
			TRY(count(l, &t, now, &(*ret)[found]));
			found += (*ret)[found].units > 0;
		}
	*ret_n = found;
	return OK;
}
