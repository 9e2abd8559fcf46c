/*
 * sqlite_list.c: lists of incidents and alerts.
 *
 * What everybody in the project may see and what the caller sees as a member
 * are found separately: a private incident is reached only through its
 * members, so how many there are that the caller may not see shows neither
 * in a page nor in the time a page takes.
 */
#include "store/runs.h"

/* A place in a list, before the row is read. */
struct hit {
	uint64_t number;
	uint8_t severity;
};

struct hits {
	struct hit *v;
	size_t n, max;
};

struct lister {
	struct store_conn *c;
	const struct incident_filter *f;
	struct arena *a;
	bool down;	 /* numbers fall */
	bool ranked;	 /* by severity first */
	uint64_t lo, hi; /* numbers the filter's times can be in */
	struct runs tags;
	struct hits open; /* what all may see */
	struct hits mine; /* as a member */
	uint64_t count;	  /* instead of hits when counting */
	bool counting;
};

/* Does a stand before b? */
static bool
before(const struct lister *l, const struct hit *a, const struct hit *b)
{
	if (l->ranked && a->severity != b->severity)
		return l->f->sort == SORT_WORST ? a->severity < b->severity
						: a->severity > b->severity;
	return l->down ? a->number > b->number : a->number < b->number;
}

static bool
after_cursor(const struct lister *l, const struct hit *h)
{
	struct hit at = {l->f->after_number, l->f->after_severity};

	return at.number == 0 || before(l, &at, h);
}

/* Keep the first `max` in order. */
static void
hits_put(const struct lister *l, struct hits *hs, const struct hit *h)
{
	size_t at = hs->n;

	while (at > 0 && before(l, h, &hs->v[at - 1]))
		at--;
	if (at == hs->max)
		return;
	if (hs->n < hs->max)
		hs->n++;
	memmove(&hs->v[at + 1], &hs->v[at], (hs->n - at - 1) * sizeof *hs->v);
	hs->v[at] = *h;
}

static bool
enough(const struct lister *l, const struct hits *hs)
{
	return l->counting ? l->count >= STORE_COUNT_MAX : hs->n >= hs->max;
}

static void
take(struct lister *l, struct hits *hs, const struct hit *h)
{
	if (l->counting)
		l->count++;
	else
		hits_put(l, hs, h);
}

/* The row's columns without its blob. */
static err
peek_row(struct store_conn *c, enum query id, uint32_t project, uint64_t key,
    struct incident_row *ret)
{
	struct q q = q_start(c, id);
	bool got;

	if (id == Q_INCIDENT_BY_NUMBER)
		q_num(&q, project);
	q_u64(&q, key);
	got = q_next(&q);
	if (got)
		incident_read(&q, ret);
	return q_one(&q, got);
}

static err
tag_runs(struct lister *l, struct runs *ret)
{
	const uint8_t *value[] = {l->f->service, l->f->type};
	static const int64_t kind[] = {TAG_SERVICE, TAG_TYPE};

	*ret = (struct runs){0};
	for (size_t i = 0; i < 2; i++) {
		struct run *r;

		if (value[i] == NULL)
			continue;
		r = runs_add(ret, l->a, l->down ? Q_TAG_RUN_DOWN : Q_TAG_RUN_UP,
		    l->down);
		if (r == NULL)
			return err_of(E_NO_MEMORY);
		r->num[0] = l->f->project;
		r->num[1] = kind[i];
		r->num_n = 2;
		r->blob = value[i];
	}
	return OK;
}

/* ---- what everybody in the project may see ---- */

/* Incidents of the given pairs; rank: only those of this severity. */
static err
open_pass(struct lister *l, const struct pair *p, size_t n, int rank)
{
	struct walk w = {.down = l->down, .lo = l->lo, .hi = l->hi};
	bool got, timed = l->f->from != 0 || l->f->to != 0;
	struct hit h = {0};

	TRY(tag_runs(l, &w.all));
	for (size_t i = 0; i < n; i++) {
		struct run *r;

		if (rank >= 0 && p[i].severity != rank)
			continue;
		r = runs_add(&w.any, l->a,
		    l->down ? Q_INCIDENT_RUN_DOWN : Q_INCIDENT_RUN_UP, l->down);
		if (r == NULL)
			return err_of(E_NO_MEMORY);
		r->num[0] = l->f->project;
		r->num[1] = p[i].status;
		r->num[2] = p[i].severity;
		r->num_n = 3;
	}
	h.severity = rank >= 0 ? (uint8_t)rank : 0;
	if (l->f->after_number != 0 &&
	    (!l->ranked || h.severity == l->f->after_severity)) {
		if (l->down && l->f->after_number - 1 < w.hi)
			w.hi = l->f->after_number - 1;
		else if (!l->down && l->f->after_number + 1 > w.lo)
			w.lo = l->f->after_number + 1;
	}
	while (!enough(l, &l->open)) {
		struct incident_row r;

		TRY(walk_next(l->c, &w, &h.number, &got));
		if (!got)
			return OK;
		if (timed) {
			TRY(peek_row(l->c, Q_INCIDENT_BY_NUMBER, l->f->project,
			    h.number, &r));
			if (!in_times(r.created, l->f->from, l->f->to))
				continue;
		}
		take(l, &l->open, &h);
	}
	return OK;
}

static err
list_open(struct lister *l)
{
	bool worst = l->f->sort == SORT_WORST;
	struct pair *p = NULL;
	size_t n = 0;

	TRY(pairs_find(l->c, Q_INCIDENT_RUNS, l->f->project, l->f->statuses,
	    l->f->severities, l->a, &p, &n));
	if (!l->ranked)
		return open_pass(l, p, n, -1);
	for (int i = 0; i <= UINT8_MAX && !enough(l, &l->open); i++) {
		int s = worst ? i : UINT8_MAX - i;
		bool any = false;

		for (size_t k = 0; k < n; k++)
			any |= p[k].severity == s;
		if (!any ||
		    (l->f->after_number != 0 &&
			(worst ? s < l->f->after_severity
			       : s > l->f->after_severity)))
			continue;
		TRY(open_pass(l, p, n, s));
	}
	return OK;
}

/* ---- what the caller sees as a member ---- */

static err
member_runs(struct lister *l, struct runs *ret)
{
	*ret = (struct runs){0};
	for (size_t i = 0; i < l->f->as_n; i++) {
		struct run *r = runs_add(ret, l->a,
		    l->down ? Q_MEMBER_RUN_DOWN : Q_MEMBER_RUN_UP, l->down);

		if (r == NULL)
			return err_of(E_NO_MEMORY);
		r->num[0] = l->f->as[i].kind;
		r->num_n = 1;
		r->blob = l->f->as[i].id.b;
	}
	return OK;
}

static err
mine_matches(struct lister *l, const struct incident_row *r, bool *ret)
{
	const struct incident_filter *f = l->f;

	*ret = r->private != 0 && r->project == f->project &&
	    r->number >= l->lo && r->number <= l->hi &&
	    in_set(f->statuses, r->status) &&
	    in_set(f->severities, r->severity) &&
	    in_times(r->created, f->from, f->to) &&
	    after_cursor(l, &(struct hit){r->number, r->severity});
	for (size_t i = 0; *ret && i < l->tags.n; i++)
		TRY(run_has(l->c, &l->tags.v[i], r->number, ret));
	return OK;
}

/* Begin where the last page ended. */
static err
go_on(struct lister *l, struct walk *w)
{
	struct incident_row r = {0};
	err e = peek_row(l->c, Q_INCIDENT_BY_NUMBER, l->f->project,
	    l->f->after_number, &r);

	if (err_is(e, E_NOT_FOUND))
		return OK;
	TRY(e);
	if (l->down)
		w->hi = r.seq;
	else
		w->lo = r.seq;
	return OK;
}

/* Numbers rise with seq in a project, so runs of seqs are in order too. */
static err
list_mine(struct lister *l)
{
	struct walk w = {.down = l->down, .lo = 1, .hi = INT64_MAX};
	uint64_t seq = 0;
	bool got;

	TRY(member_runs(l, &w.any));
	TRY(tag_runs(l, &l->tags));
	if (!l->ranked && l->f->after_number != 0)
		TRY(go_on(l, &w));
	/* By severity, the best may be the last. */
	while (l->ranked || !enough(l, &l->mine)) {
		struct incident_row r = {0};
		err e;

		TRY(walk_next(l->c, &w, &seq, &got));
		if (!got)
			return OK;
		e = peek_row(l->c, Q_INCIDENT_BY_SEQ, 0, seq, &r);
		if (err_is(e, E_NOT_FOUND))
			continue;
		TRY(e);
		TRY(mine_matches(l, &r, &got));
		if (got)
			take(l, &l->mine, &(struct hit){r.number, r.severity});
	}
	return OK;
}

/* ---- the list ---- */

static err
lister_init(struct lister *l)
{
	struct span s = {Q_INCIDENT_TIME_FROM, l->f->project, order_incidents};
	uint64_t last_seq, last;

	BUG_ON(l->f->as_n > SUBJECTS_MAX);
	l->down = l->f->sort != SORT_OLDEST;
	l->ranked = !l->counting &&
	    (l->f->sort == SORT_WORST || l->f->sort == SORT_MILDEST);
	TRY(store_incident_last(l->c, l->f->project, &last_seq, &last));
	l->lo = 1;
	l->hi = last;
	return span_narrow(l->c, &s, l->f->from, l->f->to, &l->lo, &l->hi);
}

static err
find(struct lister *l)
{
	TRY(lister_init(l));
	TRY(list_open(l));
	return list_mine(l);
}

static err
read_rows(struct lister *l, size_t max, struct incident_row **ret,
    size_t *ret_n)
{
	struct incident_row *rows;
	size_t n = l->open.n + l->mine.n, i = 0, k = 0;

	if (n > max)
		n = max;
	rows = arena_array(l->a, n, sizeof *rows);
	if (rows == NULL)
		return err_of(E_NO_MEMORY);
	while (i + k < n) {
		bool from_open = k == l->mine.n ||
		    (i < l->open.n && before(l, &l->open.v[i], &l->mine.v[k]));
		const struct hit *h = from_open ? &l->open.v[i] : &l->mine.v[k];

		TRY(store_incident_by_number(l->c, l->f->project, h->number,
		    l->a, &rows[i + k]));
		if (from_open)
			i++;
		else
			k++;
	}
	*ret = rows;
	*ret_n = n;
	return OK;
}

err
store_incident_list(struct store_conn *c, const struct incident_filter *f,
    size_t max, struct arena *a, struct incident_row **ret, size_t *ret_n)
{
	struct lister l = {.c = c, .f = f, .a = a};
	bool began;
	err e;

	l.open.v = arena_array(a, max, sizeof *l.open.v);
	l.mine.v = arena_array(a, max, sizeof *l.mine.v);
	l.open.max = l.mine.max = max;
	TRY(arena_check(a));
	TRY(conn_enter(c, &began));
	e = find(&l);
	if (err_ok(e))
		e = read_rows(&l, max, ret, ret_n);
	conn_leave(c, began);
	return e;
}

err
store_incident_count(struct store_conn *c, const struct incident_filter *f,
    uint64_t *ret)
{
	struct incident_filter all = *f;
	struct arena a;
	struct lister l = {.c = c, .f = &all, .a = &a, .counting = true};
	bool began;
	err e;

	all.after_number = 0;
	arena_init(&a, 1024 * 1024);
	e = conn_enter(c, &began);
	if (err_ok(e)) {
		e = find(&l);
		conn_leave(c, began);
	}
	arena_done(&a);
	TRY(e);
	*ret = l.count;
	return OK;
}

/* Private incidents one of these is a member of, of any project. */
err
store_member_of(struct store_conn *c, const struct subject *as, size_t as_n,
    size_t max, struct arena *a, struct incident_id **ret, size_t *ret_n)
{
	struct incident_filter f = {.as = as, .as_n = as_n};
	struct lister l = {.c = c, .f = &f, .a = a, .down = true};
	struct walk w = {.down = true, .lo = 1, .hi = INT64_MAX};
	void *rows = NULL;
	size_t n = 0, cap = 0;
	uint64_t seq = 0;
	bool got = true;

	TRY(member_runs(&l, &w.any));
	while (n < max) {
		struct incident_row r = {0};
		struct incident_id *id;
		err e;

		TRY(walk_next(c, &w, &seq, &got));
		if (!got)
			break;
		e = peek_row(c, Q_INCIDENT_BY_SEQ, 0, seq, &r);
		if (err_is(e, E_NOT_FOUND) || (err_ok(e) && r.private == 0))
			continue;
		TRY(e);
		id = rows_more(a, &rows, n, &cap, sizeof *id);
		if (id == NULL)
			return err_of(E_NO_MEMORY);
		*id = r.id;
		n++;
	}
	*ret = rows;
	*ret_n = n;
	return OK;
}
