/*
 * run_log_api.c: GET /v1/projects/{p}/runs/{i}/log: a window of what a run's
 * steps wrote, text, by Range, ?offset= and ?bytes=, or ?tail=; and the same
 * live (log/stream).  Nobody ever holds the whole.
 */
#include "base/limits.h"
#include "base/text.h"
#include "flow/handlers.h"
#include "flow/run_log_api.h"
#include "flow/run_view.h"
#include "store/task.h"

enum { OF_RUN = 10000 };

/* ---- which log ---- */

/* The last try of that step. */
static err
of_step(struct call *c, struct str step, const struct task_row *r, size_t n,
    struct run_log_of *of)
{
	struct task_job job;

	while (n-- > 0) {
		TRY(task_job(c->lane, &r[n], c->a, &job));
		if (!str_eq(job.step, step))
			continue;
		of->task = &r[n].id;
		return OK;
	}
	return call_bad(c, E_NOT_FOUND, "that step has run on no delegate");
}

err
run_log_asked(struct call *c, struct run_log_of *ret)
{
	struct str step = c->query.raw[PARAM_STEP];
	struct incident_row incident;
	struct run_row run;
	struct task_row *r;
	size_t n;

	TRY(view_run(c, 1, &run, &incident));
	*ret = (struct run_log_of){.run = run.id,
	    .project = c->project->o.project};
	if (step.p == NULL)
		return OK;
	TRY(store_task_of_run(c->lane->conn, &run.id, OF_RUN, c->a, &r, &n));
	return of_step(c, step, r, n, ret);
}

/* ---- which bytes ---- */

struct window {
	uint64_t from, n;
	bool partial; /* asked for by Range */
};

/* bytes=A-B, A- or -N; RFC 9110 14.1.2, one range. */
static bool
by_range(struct str h, uint64_t size, struct window *w)
{
	static const struct str unit = {"bytes=", 6};
	struct str a, b;
	uint64_t first, last = size == 0 ? 0 : size - 1;

	if (!str_starts(h, unit) || !str_cut(str_skip(h, unit.n), '-', &a, &b))
		return false;
	if (a.n == 0) {
		if (!str_u64(b, 1, INT64_MAX, &last))
			return false;
		w->n = last < size ? last : size;
		w->from = size - w->n;
		return true;
	}
	if (!str_u64(a, 0, INT64_MAX, &first) ||
	    (b.n > 0 && !str_u64(b, first, INT64_MAX, &last)))
		return false;
	w->from = first;
	w->n = last < first ? 0 : last - first + 1;
	return true;
}

static err
number(struct call *c, enum param p, uint64_t max, uint64_t *ret)
{
	struct str s = c->query.raw[p];

	if (s.p == NULL || str_u64(s, 0, max, ret))
		return OK;
	return call_bad(c, E_INVALID, "%s: 0 to %llu", param_text(p),
	    (unsigned long long)max);
}

static err
window_of(struct call *c, uint64_t size, struct window *w)
{
	struct str range = http_header(c->req, STR("range"));
	uint64_t tail = UINT64_MAX;

	*w = (struct window){.n = LIM_LOG_PIECE};
	TRY(number(c, PARAM_OFFSET, INT64_MAX, &w->from));
	TRY(number(c, PARAM_BYTES, LIM_LOG_WINDOW, &w->n));
	TRY(number(c, PARAM_TAIL, LIM_LOG_WINDOW, &tail));
	if (tail != UINT64_MAX) {
		w->n = tail < size ? tail : size;
		w->from = size - w->n;
	}
	if (range.p != NULL) {
		w->partial = true;
		if (!by_range(range, size, w))
			return call_bad(c, E_INVALID,
			    "Range: one range of bytes");
		if (w->from >= size)
			return call_bad(c, E_RANGE, "the log has %llu bytes",
			    (unsigned long long)size);
	}
	if (w->n > LIM_LOG_WINDOW)
		w->n = LIM_LOG_WINDOW;
	return OK;
}

err
route_run_log(struct call *c)
{
	struct run_log_of of;
	struct window w;
	struct str text;
	struct buf range;
	uint64_t size;

	TRY(run_log_asked(c, &of));
	TRY(run_log_size(c->lane, &of, &size));
	TRY(window_of(c, size, &w));
	(void)answer(c, w.partial ? 206 : 200);
	c->content_type = STR("text/plain; charset=utf-8");
	TRY(run_log_read(c->lane, &of, w.from, (size_t)w.n, c->a, &text));
	buf_str(&c->out, text);
	buf_init_on(&range, c->a, 96);
	if (text.n > 0)
		buf_fmt(&range, "bytes %llu-%llu/%llu",
		    (unsigned long long)w.from,
		    (unsigned long long)(w.from + text.n - 1),
		    (unsigned long long)size);
	else
		buf_fmt(&range, "bytes */%llu", (unsigned long long)size);
	c->content_range = buf_view(&range);
	return buf_check(&c->out);
}

/* ---- live ---- */

err
run_log_begin(struct call *c, uint64_t *ret)
{
	struct str last = http_header(c->req, STR("last-event-id"));
	uint64_t tail = LIM_LOG_PIECE, size;
	struct run_log_of of;

	TRY(run_log_asked(c, &of));
	TRY(run_log_size(c->lane, &of, &size));
	TRY(number(c, PARAM_TAIL, LIM_LOG_WINDOW, &tail));
	*ret = tail < size ? size - tail : 0;
	TRY(number(c, PARAM_OFFSET, INT64_MAX, ret));
	if (last.p != NULL && !str_u64(last, 0, INT64_MAX, ret))
		return call_bad(c, E_INVALID,
		    "Last-Event-ID is not one of this stream");
	return OK;
}

err
route_run_log_stream(struct call *c)
{
	uint64_t at;

	return run_log_begin(c, &at);
}

err
run_log_event(struct call *c, struct lane *l, struct arena *a, uint64_t *at,
    struct buf *b)
{
	struct lane *own = c->lane;
	struct arena *real = c->a;
	struct run_log_of of;
	struct str text = STR("");
	struct jw w;
	err e;

	c->lane = l;
	c->a = a;
	e = run_log_asked(c, &of);
	if (err_ok(e))
		e = run_log_read(l, &of, *at, LIM_LOG_PIECE / 4, a, &text);
	c->lane = own;
	c->a = real;
	TRY(e);
	if (text.n == 0)
		return OK;
	buf_fmt(b,
	    "id: %llu\nevent: log\ndata: ", (unsigned long long)(*at + text.n));
	jw_init(&w, b);
	jw_obj(&w);
	jw_ki64(&w, "offset", (int64_t)*at);
	jw_name(&w, STR("data"));
	jw_b64(&w, text);
	jw_obj_end(&w);
	buf_c(b, "\n\n");
	*at += text.n;
	return buf_check(b);
}
