/*
 * sqlite_runs.c: runs of an index, their union and intersection, and the
 * range of keys that a range of times can be in.
 */
#include "store/runs.h"

struct run *
runs_add(struct runs *rs, struct arena *a, enum query query, bool down)
{
	void *v = rs->v;
	struct run *r = rows_more(a, &v, rs->n, &rs->cap, sizeof *r);

	rs->v = v;
	if (r == NULL)
		return NULL;
	rs->n++;
	*r = (struct run){.query = query, .down = down, .want = 2};
	return r;
}

static err
fill(struct store_conn *c, struct run *r, uint64_t bound)
{
	struct q q = q_start(c, r->query);

	q_u64(&q, bound > INT64_MAX ? INT64_MAX : bound);
	for (unsigned i = 0; i < r->num_n; i++)
		q_num(&q, r->num[i]);
	if (r->blob != NULL) {
		q.at = 4;
		q_blob(&q, r->blob, BLIND_SIZE);
	}
	r->at = r->n = 0;
	while (r->n < r->want && q_next(&q))
		r->key[r->n++] = c_u64(&q, 0);
	r->end = r->n < r->want;
	/* Little at first: most runs are left after a key or two. */
	if (r->want < RUN_AHEAD)
		r->want *= 2;
	return q_end(&q);
}

static void
skip(struct run *r, uint64_t bound)
{
	while (r->at < r->n &&
	    (r->down ? r->key[r->at] > bound : r->key[r->at] < bound))
		r->at++;
}

err
run_seek(struct store_conn *c, struct run *r, uint64_t bound, uint64_t *ret,
    bool *ret_got)
{
	skip(r, bound);
	if (r->at == r->n && !r->end)
		TRY(fill(c, r, bound));
	*ret_got = r->at < r->n;
	if (*ret_got)
		*ret = r->key[r->at];
	return OK;
}

err
runs_seek(struct store_conn *c, struct runs *rs, uint64_t bound, uint64_t *ret,
    bool *ret_got)
{
	bool got = false;
	uint64_t best = 0;

	for (size_t i = 0; i < rs->n; i++) {
		struct run *r = &rs->v[i];
		uint64_t key = 0;
		bool has;

		TRY(run_seek(c, r, bound, &key, &has));
		if (has && (!got || (r->down ? key > best : key < best))) {
			best = key;
			got = true;
		}
	}
	*ret_got = got;
	if (got)
		*ret = best;
	return OK;
}

err
run_has(struct store_conn *c, struct run *r, uint64_t key, bool *ret)
{
	uint64_t found = 0;
	bool got;

	TRY(run_seek(c, r, key, &found, &got));
	*ret = got && found == key;
	return OK;
}

/* Ask each in turn; *key moves beyond what one of them does not have. */
static err
agree(struct store_conn *c, struct runs *all, uint64_t *key, bool *ret_got)
{
	*ret_got = true;
	for (size_t i = 0; i < all->n && *ret_got; i++)
		TRY(run_seek(c, &all->v[i], *key, key, ret_got));
	return OK;
}

err
walk_next(struct store_conn *c, struct walk *w, uint64_t *ret, bool *ret_got)
{
	*ret_got = false;
	while (w->lo <= w->hi) {
		uint64_t bound = w->down ? w->hi : w->lo, key = 0, other;
		bool got;

		TRY(runs_seek(c, &w->any, bound, &key, &got));
		if (!got || key < w->lo || key > w->hi)
			return OK;
		other = key;
		TRY(agree(c, &w->all, &other, &got));
		if (!got || other < w->lo || other > w->hi)
			return OK;
		if (w->down)
			w->hi = other == key ? key - 1 : other;
		else
			w->lo = other == key ? key + 1 : other;
		if (other == key) {
			*ret = key;
			*ret_got = true;
			return OK;
		}
	}
	return OK;
}

err
pairs_find(struct store_conn *c, enum query query, uint32_t project,
    uint32_t statuses, uint32_t severities, struct arena *a, struct pair **ret,
    size_t *ret_n)
{
	int64_t status = -1, severity = -1;
	void *rows = NULL;
	size_t n = 0, cap = 0;

	for (bool got = true; got;) {
		struct q q = q_start(c, query);
		struct pair p = {0}, *row;

		q_num(&q, project);
		q_num(&q, status);
		q_num(&q, severity);
		got = q_next(&q);
		if (got)
			p = (struct pair){c_u8(&q, 0), c_u8(&q, 1)};
		TRY(q_end(&q));
		status = p.status;
		severity = p.severity;
		if (!got || !in_set(statuses, p.status) ||
		    !in_set(severities, p.severity))
			continue;
		row = rows_more(a, &rows, n, &cap, sizeof *row);
		if (row == NULL)
			return err_of(E_NO_MEMORY);
		*row = p;
		n++;
	}
	*ret = rows;
	*ret_n = n;
	return OK;
}

/* ---- times ---- */

/*
 * Where rows turn from earlier than `time` to not earlier: a key in
 * [lo, hi + 1].  With times out of order there may be several such places;
 * this finds one.
 */
static err
turn(struct store_conn *c, const struct span *s, int64_t time, uint64_t lo,
    uint64_t hi, uint64_t *ret)
{
	while (lo <= hi) {
		uint64_t mid = lo + (hi - lo) / 2, key = 0;
		struct q q = q_start(c, s->time_from);
		int64_t t = 0;
		bool got;

		q_num(&q, s->project);
		q_u64(&q, mid);
		got = q_next(&q);
		if (got) {
			key = c_u64(&q, 0);
			t = c_num(&q, 1);
		}
		TRY(q_end(&q));
		if (got && key <= hi && t < time)
			lo = key + 1;
		else
			hi = mid - 1;
	}
	*ret = lo;
	return OK;
}

static int64_t
minus(int64_t a, int64_t b)
{
	int64_t v;

	return __builtin_sub_overflow(a, b, &v) ? INT64_MIN : v;
}

static int64_t
plus(int64_t a, int64_t b)
{
	int64_t v;

	return __builtin_add_overflow(a, b, &v) ? INT64_MAX : v;
}

/*
 * Let slack be the most by which a row is earlier than any before it.  Left
 * of a turn at `from - slack` all rows are before `from`; right of a turn at
 * `to + slack` none is before `to`.
 */
err
span_narrow(struct store_conn *c, const struct span *s, int64_t from,
    int64_t to, uint64_t *lo, uint64_t *hi)
{
	int64_t slack;
	uint64_t first = *lo, end;

	if (from == 0 && to == 0)
		return OK;
	TRY(meta_number(c, s->order, &slack));
	if (from != 0)
		TRY(turn(c, s, minus(from, slack), *lo, *hi, &first));
	if (to != 0) {
		TRY(turn(c, s, plus(to, slack), first, *hi, &end));
		*hi = end - 1;
	}
	*lo = first;
	return OK;
}
