/*
 * sqlite_alerts.c: lists of alerts.
 */
#include "store/runs.h"

enum { VERDICTS = 64 };

/* May the caller see alerts of this incident?  Neighbours in a list are of
 * few incidents. */
struct verdict {
	uint64_t incident; /* 0 = free */
	bool visible;
};

struct lister {
	struct store_conn *c;
	const struct alert_filter *f;
	struct arena *a;
	struct walk w;
	struct verdict verdict[VERDICTS];
};

static err
visible(struct lister *l, uint64_t incident, bool *ret)
{
	struct verdict *v = &l->verdict[incident % VERDICTS];
	bool got, private = true;
	struct q q;

	if (incident == 0 || v->incident == incident) {
		*ret = incident == 0 || v->visible;
		return OK;
	}
	q = q_start(l->c, Q_INCIDENT_BY_SEQ);
	q_u64(&q, incident);
	got = q_next(&q);
	if (got)
	private = c_u8(&q, 6) != 0;
	TRY(q_end(&q));
	*ret = got && !private;
	if (got && private)
		TRY(store_member_any(l->c, incident, l->f->as, l->f->as_n,
		    ret));
	*v = (struct verdict){incident, *ret};
	return OK;
}

static err
runs_of_incident(struct lister *l)
{
	for (int open = 0; open < 2; open++) {
		struct run *r =
		    runs_add(&l->w.any, l->a, Q_ALERT_OF_DOWN, true);

		if (r == NULL)
			return err_of(E_NO_MEMORY);
		r->num[0] = (int64_t)l->f->incident;
		r->num[1] = open;
		r->num_n = 2;
	}
	return OK;
}

static err
runs_of_project(struct lister *l)
{
	struct pair *p = NULL;
	size_t n = 0;

	TRY(pairs_find(l->c, Q_ALERT_RUNS, l->f->project, l->f->statuses,
	    l->f->severities, l->a, &p, &n));
	for (size_t i = 0; i < n; i++) {
		struct run *r =
		    runs_add(&l->w.any, l->a, Q_ALERT_RUN_DOWN, true);

		if (r == NULL)
			return err_of(E_NO_MEMORY);
		r->num[0] = l->f->project;
		r->num[1] = p[i].status;
		r->num[2] = p[i].severity;
		r->num_n = 3;
	}
	return OK;
}

static bool
matches(const struct alert_filter *f, const struct alert_row *r)
{
	return r->project == f->project && in_set(f->statuses, r->status) &&
	    in_set(f->severities, r->severity) &&
	    in_times(r->first_seen, f->from, f->to) &&
	    (f->incident == 0 || r->incident == f->incident);
}

/* Read the row; *ret_wanted: it is in the list. */
static err
look(struct lister *l, uint64_t seq, struct alert_row *r, bool *ret_wanted)
{
	struct q q = q_start(l->c, Q_ALERT_BY_SEQ);
	bool wanted = false;
	err e = OK;

	q_u64(&q, seq);
	if (q_next(&q)) {
		alert_read(&q, r);
		wanted = matches(l->f, r);
		if (wanted)
			e = visible(l, r->incident, &wanted);
		if (err_ok(e) && wanted)
			r->stored.bytes = c_copy(&q, 12, l->a);
	}
	TRY(q_end(&q));
	*ret_wanted = wanted;
	return e;
}

static err
list(struct lister *l, size_t max, struct alert_row **ret, size_t *ret_n)
{
	struct span s = {Q_ALERT_TIME_FROM, 0, order_alerts};
	void *rows = NULL;
	size_t n = 0, cap = 0;

	l->w.down = true;
	l->w.lo = 1;
	TRY(store_alert_last(l->c, &l->w.hi));
	if (l->f->after > 0 && l->f->after - 1 < l->w.hi)
		l->w.hi = l->f->after - 1;
	TRY(span_narrow(l->c, &s, l->f->from, l->f->to, &l->w.lo, &l->w.hi));
	TRY(l->f->incident > 0 ? runs_of_incident(l) : runs_of_project(l));
	while (n < max) {
		struct alert_row r = {0}, *row;
		uint64_t seq = 0;
		bool got;

		TRY(walk_next(l->c, &l->w, &seq, &got));
		if (!got)
			break;
		TRY(look(l, seq, &r, &got));
		if (!got)
			continue;
		row = rows_more(l->a, &rows, n, &cap, sizeof *row);
		if (row == NULL)
			return err_of(E_NO_MEMORY);
		*row = r;
		n++;
	}
	*ret = rows;
	*ret_n = n;
	return OK;
}

err
store_alert_list(struct store_conn *c, const struct alert_filter *f, size_t max,
    struct arena *a, struct alert_row **ret, size_t *ret_n)
{
	struct lister l = {.c = c, .f = f, .a = a};
	bool began;
	err e;

	TRY(conn_enter(c, &began));
	e = list(&l, max, ret, ret_n);
	conn_leave(c, began);
	return e;
}
