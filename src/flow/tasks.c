/* tasks.c: see tasks.h and task_job.h. */
#include "base/json_canon.h"
#include "base/limits.h"
#include "base/rand.h"
#include "domain/selector.h"
#include "flow/desk.h"
#include "flow/runs.h"
#include "flow/task_job.h"
#include "flow/writer.h"

enum { TEND = 64, OF_RUN = 10000 };

static const struct json_limits job_limits = {
    .depth = LIM_JSON_DEPTH + 4,
    .members = LIM_JSON_MEMBERS,
    .values = LIM_JSON_VALUES,
};

static struct arena *
desk_of(struct lane *l)
{
	return desk_arena(writer_desk(l->writer));
}

void
tasks_wake(struct lane *l)
{
	writer_wake_parked(l->writer);
}

static struct seal_where
where_of(const struct task_row *r)
{
	struct seal_where w = {.table = SEAL_TABLE_TASK,
	    .schema = 1,
	    .project = r->project};

	seal_where_id(&w, &r->id);
	return w;
}

/* ---- what is to be done, as it lies in the store ---- */

static void
job_json(struct jw *w, const struct task_new *t)
{
	jw_obj(w);
	jw_kstr(w, "step", t->step);
	jw_kstr(w, "labels", t->labels);
	jw_kstr(w, "values", t->values);
	jw_uuid(w, "runbook", &t->runbook);
	jw_ki64(w, "version", t->version);
	jw_ki64(w, "timeout_s", t->timeout_s);
	jw_karr(w, "approvals");
	for (size_t i = 0; i < t->approvals_n; i++)
		jw_i64(w, (int64_t)t->approvals[i]);
	jw_arr_end(w);
	jw_obj_end(w);
}

static err
job_read(const struct json *j, struct task_job *ret)
{
	int64_t version, timeout, seq;
	const struct json *a;

	*ret = (struct task_job){
	    .step = json_str_at(j, STR("step")),
	    .labels = json_str_at(j, STR("labels")),
	    .values = json_str_at(j, STR("values")),
	};
	if (!uuid_parse(json_str_at(j, STR("runbook")), &ret->runbook) ||
	    !json_i64(json_get(j, STR("version")), 0, UINT32_MAX, &version) ||
	    !json_i64(json_get(j, STR("timeout_s")), 0, UINT32_MAX, &timeout))
		return err_of(E_CORRUPT);
	ret->version = (uint32_t)version;
	ret->timeout_s = (uint32_t)timeout;
	a = json_first(json_get(j, STR("approvals")));
	for (; a != NULL; a = a->next) {
		if (!json_i64(a, 1, INT64_MAX, &seq) ||
		    ret->approvals_n == LIM_TASK_APPROVALS)
			return err_of(E_CORRUPT);
		ret->approvals[ret->approvals_n++] = (uint64_t)seq;
	}
	return OK;
}

err
task_job(struct lane *l, const struct task_row *r, struct arena *a,
    struct task_job *ret)
{
	struct seal_where w = where_of(r);
	const struct json *j;
	struct str text;
	err e;

	TRY(lane_open_sealed(l, &w, r->stored, a, &text));
	TRY(json_parse(a, text, &job_limits, NULL, &j));
	TRY(job_read(j, ret));
	e = run_inputs_text(l, &r->run, a, &ret->inputs);
	if (!err_is(e, E_NOT_FOUND))
		TRY(e);
	return json_parse(a, ret->labels, &job_limits, NULL, &ret->labels_json);
}

/* ---- offering ---- */

/* An object with at least one label: what selects nothing gets nothing. */
static bool
selects(struct arena *a, struct str labels)
{
	const struct json *j;

	if (!err_ok(json_parse(a, labels, &job_limits, NULL, &j)) ||
	    j->kind != JSON_OBJECT || j->count == 0 || j->count > LIM_SELECTOR)
		return false;
	for (j = json_first(j); j != NULL; j = j->next)
		if (j->kind != JSON_STRING || !label_name_valid(j->name) ||
		    !label_value_valid(j->text))
			return false;
	return true;
}

static bool
is_object(struct arena *a, struct str text)
{
	const struct json *j;

	return err_ok(json_parse(a, text, &job_limits, NULL, &j)) &&
	    j->kind == JSON_OBJECT && json_is_canon(text, j);
}

static err
offered(struct lane *l, const struct task_new *t, struct task_row *r,
    struct arena *a)
{
	struct seal_where w = where_of(r);
	struct buf b;
	struct jw jw;

	buf_init_on(&b, a, LIM_TASK);
	jw_init(&jw, &b);
	job_json(&jw, t);
	TRY(buf_check(&b));
	TRY(lane_blind(l, r->project, "task selector", t->labels, r->selector));
	TRY(lane_seal(l, r->project, SEAL_CLASS_PAYLOAD, &w, buf_view(&b), a,
	    &r->sealed));
	return store_task_insert(l->conn, r);
}

err
task_offer(struct lane *l, const struct task_new *t, int64_t now,
    struct uuid *ret)
{
	struct task_row r = {.id = rand_uuid(now),
	    .run = t->run,
	    .project = t->project,
	    .attempt = t->attempt,
	    .state = TASK_QUEUED,
	    .offered = now,
	    .changed = now};
	struct arena *a = desk_of(l);
	uint64_t waiting;

	if (!selects(a, t->labels) || !is_object(a, t->values) ||
	    t->approvals_n > LIM_TASK_APPROVALS)
		return err_of(E_INVALID);
	TRY(store_task_waiting(l->conn, t->project, &waiting));
	if (waiting >= LIM_TASKS_QUEUED)
		return err_of(E_LIMIT);
	TRY(offered(l, t, &r, a));
	tasks_wake(l);
	*ret = r.id;
	return OK;
}

/* ---- events ---- */

const char *
task_outcome_text(enum task_outcome o)
{
	static const char *const text[TASK_OUTCOMES] = {
	    [TASK_NONE] = "none",
	    [TASK_SUCCEEDED] = "succeeded",
	    [TASK_FAILED] = "failed",
	    [TASK_TIMED_OUT] = "timed_out",
	    [TASK_CANCELLED] = "cancelled",
	    [TASK_REFUSED] = "refused",
	    [TASK_LOST] = "lost",
	};

	return o < TASK_OUTCOMES ? text[o] : "none";
}

static err
tell(struct lane *l, const struct task_row *r, struct task_event *ev,
    struct arena *a)
{
	struct task_job job;

	if (l->state->on_task == NULL)
		return OK;
	TRY(task_job(l, r, a, &job));
	ev->task = r->id;
	ev->run = r->run;
	ev->delegate = r->delegate;
	ev->project = r->project;
	ev->attempt = r->attempt;
	ev->step = job.step;
	return l->state->on_task(l, ev);
}

err
task_over(struct lane *l, struct task_row *r, const struct task_end *e,
    struct arena *a)
{
	struct task_event ev = {.outcome = e->outcome,
	    .code = e->code,
	    .exit = e->exit,
	    .outputs = e->outputs,
	    .log_bytes = e->log_bytes,
	    .now = e->now};

	r->state = TASK_DONE;
	r->outcome = (uint8_t)e->outcome;
	r->until = 0;
	r->changed = e->now;
	TRY(store_task_update(l->conn, r));
	return tell(l, r, &ev, a);
}

err
task_begun(struct lane *l, struct task_row *r, int64_t now, struct arena *a)
{
	struct task_event ev = {.started = true, .now = now};

	r->state = TASK_STARTED;
	r->until = now + LIM_LEASE_MS;
	r->changed = now;
	TRY(store_task_update(l->conn, r));
	return tell(l, r, &ev, a);
}

err
task_requeue(struct lane *l, struct task_row *r, int64_t now)
{
	r->state = TASK_QUEUED;
	r->delegate = (struct uuid){{0}};
	r->until = 0;
	r->changed = now;
	tasks_wake(l);
	return store_task_update(l->conn, r);
}

/* ---- cancelling ---- */

static err
cancel(struct lane *l, struct task_row *r, int64_t now, struct arena *a)
{
	struct task_end e = {.outcome = TASK_CANCELLED,
	    .code = STR("cancelled"),
	    .now = now};

	if (r->state == TASK_DONE || r->cancel)
		return OK;
	r->cancel = true;
	if (r->state == TASK_QUEUED)
		return task_over(l, r, &e, a);
	tasks_wake(l); /* its delegate is told */
	return store_task_update(l->conn, r);
}

err
task_cancel(struct lane *l, const struct uuid *task, int64_t now)
{
	struct arena *a = desk_of(l);
	struct task_row r;

	TRY(store_task_get(l->conn, task, a, &r));
	if (r.state == TASK_DONE)
		return err_of(E_NOT_FOUND);
	return cancel(l, &r, now, a);
}

err
task_cancel_run(struct lane *l, const struct uuid *run, int64_t now)
{
	struct arena *a = desk_of(l);
	struct task_row *r;
	size_t n;

	TRY(store_task_of_run(l->conn, run, OF_RUN, a, &r, &n));
	for (size_t i = 0; i < n; i++)
		TRY(cancel(l, &r[i], now, a));
	return OK;
}

err
task_forget_run(struct lane *l, const struct uuid *run)
{
	TRY(store_log_forget(l->conn, run));
	return store_task_forget(l->conn, run);
}

/* ---- leases that end ---- */

/* Nobody knows whether what was started has been done: that is for the engine
 * to judge.  What was not started is offered again. */
static err
lapse(struct lane *l, struct task_row *r, int64_t now, struct arena *a)
{
	struct task_end lost = {.outcome = TASK_LOST,
	    .code = STR("lost"),
	    .now = now};
	struct task_end gone = {.outcome = TASK_CANCELLED,
	    .code = STR("cancelled"),
	    .now = now};

	if (r->state == TASK_STARTED)
		return task_over(l, r, &lost, a);
	return r->cancel ? task_over(l, r, &gone, a) : task_requeue(l, r, now);
}

static err
record_lapse(struct lane *l, const struct task_row *r, int64_t now,
    struct arena *a)
{
	char id[UUID_TEXT + 1];
	struct buf b;

	uuid_text(&r->id, id);
	buf_init_on(&b, a, 128);
	buf_fmt(&b, "task=%s fence=%llu was=%s", id,
	    (unsigned long long)r->fence,
	    r->state == TASK_STARTED ? "started" : "leased");
	TRY(buf_check(&b));
	return ledger_system(writer_ledger(l->writer), l, a, AUDIT_TASK_LAPSE,
	    buf_view(&b), now);
}

err
tasks_drop(struct lane *l, const struct uuid *delegate, int64_t now,
    struct arena *a)
{
	struct task_row *r;
	size_t n;

	TRY(store_task_held(l->conn, delegate, OF_RUN, a, &r, &n));
	for (size_t i = 0; i < n; i++) {
		TRY(record_lapse(l, &r[i], now, a));
		TRY(lapse(l, &r[i], now, a));
	}
	return OK;
}

bool
tasks_due(struct lane *l, int64_t now)
{
	int64_t next;

	return err_ok(store_task_next(l->conn, &next)) && next != 0 &&
	    next < now;
}

err
tasks_tend(struct lane *l, void *arg)
{
	const int64_t *now = arg;
	struct arena *a = desk_of(l);
	struct task_row *r;
	size_t n;

	TRY(store_task_over(l->conn, *now, TEND, a, &r, &n));
	for (size_t i = 0; i < n; i++) {
		TRY(record_lapse(l, &r[i], *now, a));
		TRY(lapse(l, &r[i], *now, a));
	}
	return OK;
}
