/*
 * summary.c: GET /v1/projects/{p}/summary: how it stands, for a board.
 *
 * Counts see what the lists would show this caller, by the same means: a
 * private incident is counted for its members, resource groups hold row by
 * row.  What one may not see at all is null.  The cost does not grow with what
 * is over: open incidents are counted in index ranges, of alerts that fire and
 * runs that live so many are looked at, and `more` says that there are others.
 */
#include "domain/words.h"
#include "flow/admin_body.h"
#include "flow/engine.h"
#include "flow/handlers.h"
#include "flow/incident_view.h"
#include "flow/run_view.h"
#include "flow/things.h"
#include "flow/writer.h"

enum {
	CELLS = 256, /* of severity and service */
	FIRING = 1u << ALERT_TRIGGERED | 1u << ALERT_ACKNOWLEDGED,
	UNSEEN_MS = 3 * LIM_LEASE_MS, /* a delegate asks once in a lease */
};

static const struct json_limits doc_limits = {LIM_JSON_DEPTH + 2,
    LIM_JSON_MEMBERS, LIM_JSON_VALUES + 100};

static const enum incident_status open_statuses[] = {INCIDENT_NEW,
    INCIDENT_ACKNOWLEDGED, INCIDENT_INVESTIGATING, INCIDENT_MITIGATING,
    INCIDENT_MONITORING};
enum { OPEN = sizeof open_statuses / sizeof *open_statuses };

/* How much of a kind the caller may see: nothing, some of it, all. */
enum sight { NOTHING, SOME, ALL };

static enum sight
sight_of(struct call *c, enum permission p)
{
	struct target some = {.perm = p,
	    .project = c->project->o.project,
	    .some = true};

	if (call_can(c, p, c->project->o.project))
		return ALL;
	if (!access_decide(c->actor, &some, c->now).allowed)
		return NOTHING;
	permset_add(&c->asked, p);
	return SOME;
}

static bool
holds(struct call *c, enum permission p, const struct resource *thing)
{
	struct target t = {.perm = p,
	    .project = c->project->o.project,
	    .res = thing};

	return access_decide(c->actor, &t, c->now).allowed;
}

/* How many there are in all, and whether that is not all of them. */
static void
totals(struct jw *w, uint64_t total, bool more)
{
	jw_arr_end(w);
	jw_ki64(w, "total", (int64_t)total);
	jw_kbool(w, "more", more);
	jw_obj_end(w);
}

/* ---- incidents ---- */

struct board {
	uint64_t n[OPEN][SEVERITY_MAX_];
	uint64_t total;
	bool more;
};

static err
count_all(struct call *c, struct incident_filter *f, struct board *b)
{
	for (size_t s = 0; s < OPEN; s++)
		for (unsigned v = 0; v < SEVERITY_MAX_; v++) {
			uint64_t *n = &b->n[s][v];

			f->statuses = 1u << open_statuses[s];
			f->severities = 1u << v;
			TRY(store_incident_count(c->lane->conn, f, n));
			b->more = b->more || *n >= STORE_COUNT_MAX;
			b->total += *n;
		}
	return OK;
}

static err
count_row(struct call *c, const struct incident_row *r, struct board *b)
{
	struct resource thing;
	struct str doc;

	TRY(incident_doc(c, r, &doc));
	TRY(thing_incident(c, r, r->severity, doc, &thing));
	if (!holds(c, PERM_INCIDENT_VIEW, &thing))
		return OK;
	for (size_t s = 0; s < OPEN; s++)
		if (open_statuses[s] == (enum incident_status)r->status) {
			b->n[s][r->severity]++;
			b->total++;
		}
	return OK;
}

/* Row by row, for who may see some of them only. */
static err
count_some(struct call *c, struct incident_filter *f, struct board *b)
{
	size_t n = PIECE, seen = 0;
	err e = OK;

	for (size_t s = 0; s < OPEN; s++)
		f->statuses |= 1u << open_statuses[s];
	while (err_ok(e) && n == PIECE && seen < LIM_SUMMARY) {
		struct incident_row *row;
		struct scratch s;

		scratch_begin(c, &s);
		e = store_incident_list(c->lane->conn, f, PIECE, c->a, &row,
		    &n);
		for (size_t i = 0; err_ok(e) && i < n; i++) {
			e = count_row(c, &row[i], b);
			f->after_number = row[i].number;
			f->after_severity = row[i].severity;
		}
		seen += n;
		scratch_end(c, &s);
	}
	b->more = n == PIECE;
	return e;
}

static err
incidents(struct call *c, struct jw *w)
{
	struct incident_filter f = {.project = c->project->o.project};
	enum sight sight = sight_of(c, PERM_INCIDENT_VIEW);
	struct board b = {.total = 0};
	struct subjects me;

	jw_name(w, STR("incidents"));
	if (sight == NOTHING) {
		jw_null(w);
		return OK;
	}
	caller_subjects(c, &me);
	f.as = me.s;
	f.as_n = me.n;
	TRY(sight == ALL ? count_all(c, &f, &b) : count_some(c, &f, &b));
	jw_obj(w);
	jw_karr(w, "open");
	for (unsigned v = 0; v < SEVERITY_MAX_; v++)
		for (size_t s = 0; s < OPEN; s++) {
			if (b.n[s][v] == 0)
				continue;
			jw_obj(w);
			jw_kstr(w, "severity", severity_text(v));
			jw_kstr(w, "status",
			    incident_status_text(open_statuses[s]));
			jw_ki64(w, "count", (int64_t)b.n[s][v]);
			jw_obj_end(w);
		}
	totals(w, b.total, b.more);
	return OK;
}

/* ---- alerts ---- */

struct cell {
	uint8_t severity;
	struct str service;
	uint64_t n, loud; /* of those, nobody has acknowledged */
};

struct firing {
	struct arena *keep; /* for names of services */
	enum sight sight;
	struct cell *cell;
	size_t cells;
	uint64_t total;
	bool more;
};

static void
add(struct firing *f, const struct alert_row *r, struct str service)
{
	uint8_t severity = r->severity;
	size_t i = 0;

	f->total++;
	while (i < f->cells &&
	    (f->cell[i].severity != severity ||
		!str_eq(f->cell[i].service, service)))
		i++;
	if (i == CELLS) {
		f->more = true;
		return;
	}
	if (i == f->cells)
		f->cell[f->cells++] =
		    (struct cell){severity, arena_dup(f->keep, service), 0, 0};
	f->cell[i].n++;
	f->cell[i].loud += r->status == ALERT_TRIGGERED;
}

static err
fire(struct call *c, const struct alert_row *r, struct firing *f)
{
	struct incident_row incident = {0};
	struct seal_where w = alert_where(r);
	const struct json *j;
	struct resource thing;
	struct str doc;

	TRY(lane_open_sealed(c->lane, &w, r->stored, c->a, &doc));
	TRY(json_parse(c->a, doc, &doc_limits, NULL, &j));
	if (f->sight == SOME) {
		if (r->incident != 0)
			TRY(store_incident_by_seq(c->lane->conn, r->incident,
			    c->a, &incident));
		TRY(thing_alert(c, r, r->incident == 0 ? NULL : &incident.id.u,
		    doc, &thing));
		if (!holds(c, PERM_ALERT_VIEW, &thing))
			return OK;
	}
	add(f, r, json_str_at(j, STR("service")));
	return OK;
}

static err
fire_all(struct call *c, struct firing *f)
{
	struct alert_filter filter = {.project = c->project->o.project,
	    .statuses = FIRING};
	size_t n = PIECE, seen = 0;
	struct subjects me;
	err e = OK;

	caller_subjects(c, &me);
	filter.as = me.s;
	filter.as_n = me.n;
	while (err_ok(e) && n == PIECE && seen < LIM_SUMMARY) {
		struct alert_row *row;
		struct scratch s;

		scratch_begin(c, &s);
		e = store_alert_list(c->lane->conn, &filter, PIECE, c->a, &row,
		    &n);
		for (size_t i = 0; err_ok(e) && i < n; i++) {
			e = fire(c, &row[i], f);
			filter.after = row[i].seq;
		}
		seen += n;
		scratch_end(c, &s);
	}
	f->more = f->more || n == PIECE;
	return e;
}

static err
alerts(struct call *c, struct jw *w)
{
	struct firing f = {.keep = c->a,
	    .sight = sight_of(c, PERM_ALERT_VIEW),
	    .cell = arena_array(c->a, CELLS, sizeof *f.cell)};

	TRY(arena_check(c->a));
	jw_name(w, STR("alerts"));
	if (f.sight == NOTHING) {
		jw_null(w);
		return OK;
	}
	TRY(fire_all(c, &f));
	jw_obj(w);
	jw_karr(w, "firing");
	for (size_t i = 0; i < f.cells; i++) {
		const struct cell *x = &f.cell[i];

		jw_obj(w);
		jw_kstr(w, "severity", alert_severity_text(x->severity));
		jw_kstr(w, "service", x->service.n > 0 ? x->service : STR_NONE);
		jw_ki64(w, "count", (int64_t)x->n);
		jw_ki64(w, "unacknowledged", (int64_t)x->loud);
		jw_obj_end(w);
	}
	totals(w, f.total, f.more);
	return OK;
}

/* ---- delegates ---- */

static void
delegates(struct call *c, struct jw *w)
{
	struct writer *writer = c->lane->state->writer;
	const struct object *const *o;
	int64_t ok = 0, stale = 0, pending = 0;
	size_t n;

	jw_name(w, STR("delegates"));
	if (sight_of(c, PERM_DELEGATE_VIEW) != ALL) {
		jw_null(w);
		return;
	}
	o = world_objects(call_world(c), OBJECT_DELEGATE, &n);
	for (size_t i = 0; i < n; i++) {
		const struct delegate *d = (const struct delegate *)o[i];
		int64_t seen =
		    writer == NULL ? 0 : writer_used(writer, &d->o.id);

		if (d->o.project != c->project->o.project)
			continue;
		pending += d->state == DELEGATE_PENDING;
		if (d->state != DELEGATE_APPROVED)
			continue;
		ok += c->now - seen <= UNSEEN_MS;
		stale += c->now - seen > UNSEEN_MS;
	}
	jw_obj(w);
	jw_ki64(w, "ok", ok);
	jw_ki64(w, "stale", stale);
	jw_ki64(w, "pending", pending);
	jw_obj_end(w);
}

/* ---- runs ---- */

struct waiting {
	int64_t live, approval, manual;
	size_t seen;
	bool more;
};

static err
look_at(struct call *c, const struct run_row *row, struct waiting *x)
{
	struct incident_row incident;
	struct engine_run r;
	bool visible;

	if (run_state_over(row->state))
		return OK;
	TRY(run_visible(c, row->incident, &incident, &visible));
	if (!visible)
		return OK;
	x->live++;
	TRY(engine_read(c->lane, row, c->a, c->now, &r));
	for (size_t i = 0; i < r.m.run->step_n; i++) {
		x->approval += r.m.run->step[i].at == AT_APPROVAL;
		x->manual += r.m.run->step[i].at == AT_MANUAL;
	}
	return OK;
}

static err
runs(struct call *c, struct jw *w)
{
	struct run_filter f = {.project = c->project->o.project};
	struct waiting x = {0};
	size_t n = PIECE;
	err e = OK;

	jw_name(w, STR("runs"));
	if (sight_of(c, PERM_RUN_VIEW) != ALL) {
		jw_null(w);
		return OK;
	}
	while (err_ok(e) && n == PIECE && x.seen < LIM_SUMMARY &&
	    x.live < LIM_SUMMARY_RUNS) {
		struct run_row *row;
		struct scratch s;

		scratch_begin(c, &s);
		e = store_run_list(c->lane->conn, &f, PIECE, c->a, &row, &n);
		for (size_t i = 0; err_ok(e) && i < n; i++) {
			e = look_at(c, &row[i], &x);
			f.before = row[i].seq;
		}
		x.seen += n;
		scratch_end(c, &s);
	}
	TRY(e);
	jw_obj(w);
	jw_ki64(w, "live", x.live);
	jw_ki64(w, "waiting_approval", x.approval);
	jw_ki64(w, "waiting_manual", x.manual);
	jw_kbool(w, "more", n == PIECE);
	jw_obj_end(w);
	return OK;
}

err
route_project_summary(struct call *c)
{
	struct jw *w;

	/* who may do nothing here is refused, and that is on record */
	if (!access_sees(c->actor, c->project->o.project, c->now))
		TRY(call_ask(c, PERM_PROJECT_VIEW, c->project->o.project,
		    &c->grant));
	w = answer(c, 200);
	jw_obj(w);
	TRY(alerts(c, w));
	TRY(incidents(c, w));
	delegates(c, w);
	TRY(runs(c, w));
	jw_time(w, "as_of", c->now);
	jw_obj_end(w);
	return buf_check(&c->out);
}
