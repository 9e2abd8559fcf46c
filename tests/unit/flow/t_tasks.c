/*
 * t_tasks.c: what becomes of a task, whoever says what when: offered, given
 * back, lost, cancelled; logs in pieces; rations; the text that is signed.
 */
#include "base/json_canon.h"
#include "flow/envelope.h"
#include "flow/park.h"
#include "flow/ration.h"
#include "flow/run_log.h"
#include "flow/task_job.h"
#include "tests/unit/flow/office.h"

/* ---- the engine, as far as it is heard ---- */

static struct heard {
	size_t n;
	struct task_event last;
	char step[64], code[64], outputs[256];
} heard;

static void
text_to(char *to, size_t max, struct str s)
{
	snprintf(to, max, "%.*s", STR_ARG(s));
}

static err
hear(struct lane *l, const struct task_event *e)
{
	(void)l;
	heard.n++;
	heard.last = *e;
	text_to(heard.step, sizeof heard.step, e->step);
	text_to(heard.code, sizeof heard.code, e->code);
	text_to(heard.outputs, sizeof heard.outputs, e->outputs);
	return OK;
}

/* ---- work on the writer's thread ---- */

struct job {
	struct office *o;
	struct task_new t;
	struct uuid task;
	struct task_row row;
	int64_t now;
	err (*fn)(struct lane *l, struct job *j);
};

static const struct uuid run_id = {{0xaa}}, delegate_id = {{0xdd}},
			 other_id = {{0xee}};

static err
on_writer(struct lane *l, void *arg)
{
	struct job *j = arg;

	return j->fn(l, j);
}

static err
doing(struct job *j, err (*fn)(struct lane *l, struct job *j))
{
	j->fn = fn;
	return writer_do(j->o->w, on_writer, j);
}

static err
offer(struct lane *l, struct job *j)
{
	return task_offer(l, &j->t, j->now, &j->task);
}

static err
look(struct lane *l, struct job *j)
{
	return store_task_get(l->conn, &j->task, &j->o->a, &j->row);
}

static err
lease(struct lane *l, struct job *j)
{
	TRY(look(l, j));
	j->row.state = TASK_LEASED;
	j->row.delegate = delegate_id;
	j->row.fence++;
	j->row.until = j->now + LIM_LEASE_MS;
	return store_task_update(l->conn, &j->row);
}

static err
begin(struct lane *l, struct job *j)
{
	TRY(look(l, j));
	return task_begun(l, &j->row, j->now, &j->o->a);
}

static err
tend(struct lane *l, struct job *j)
{
	return tasks_tend(l, &j->now);
}

static err
cancel(struct lane *l, struct job *j)
{
	return task_cancel(l, &j->task, j->now);
}

static err
drop(struct lane *l, struct job *j)
{
	return tasks_drop(l, &delegate_id, j->now, &j->o->a);
}

static void
ready(struct job *j, struct office *o)
{
	office_open(o);
	o->st.on_task = hear;
	memset(&heard, 0, sizeof heard);
	*j = (struct job){.o = o,
	    .now = o->now,
	    .t = {.project = 1,
		.run = run_id,
		.step = STR("fix"),
		.attempt = 2,
		.runbook = {{7}},
		.version = 3,
		.values = STR("{\"args\":[],\"env\":{}}"),
		.labels = STR("{\"site\":\"fra\"}"),
		.timeout_s = 60}};
}

TEST(L13_an_empty_selector_is_no_offer)
{
	static const char *const bad[] = {"{}", "", "[]", "null",
	    "{\"site\":\"\"}", "{\"\":\"x\"}", "{\"site\":1}",
	    "{\"Site\":\"fra\"}", "{\"site\":\"../fra\"}"};
	struct office o;
	struct job j;

	ready(&j, &o);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		j.t.labels = str_c(bad[i]);
		T_ERR(doing(&j, offer), E_INVALID);
	}
	j.t.labels = STR("{\"site\":\"fra\"}");
	j.t.values = STR("{ }"); /* not canonical */
	T_ERR(doing(&j, offer), E_INVALID);
	j.t.values = STR("[]");
	T_ERR(doing(&j, offer), E_INVALID);
	j.t.values = STR("{}");
	T_GOOD(doing(&j, offer));
	T_EQ_INT(heard.n, 0);
	office_close(&o);
}

TEST(a_lease_that_ends_before_the_start_is_offered_again)
{
	struct office o;
	struct job j;

	ready(&j, &o);
	T_GOOD(doing(&j, offer));
	T_GOOD(doing(&j, lease));
	j.now += LIM_LEASE_MS; /* the very end is still within */
	T_GOOD(doing(&j, tend));
	T_GOOD(doing(&j, look));
	T_EQ_INT(j.row.state, TASK_LEASED);
	j.now += 1;
	T_GOOD(doing(&j, tend));
	T_GOOD(doing(&j, look));
	T_EQ_INT(j.row.state, TASK_QUEUED);
	T_EQ_INT(j.row.fence, 1); /* the next lease has another */
	T_OK(uuid_is_zero(&j.row.delegate));
	T_EQ_INT(heard.n, 0);
	office_close(&o);
}

TEST(a_lease_that_ends_after_the_start_is_lost_and_told)
{
	struct office o;
	struct job j;

	ready(&j, &o);
	T_GOOD(doing(&j, offer));
	T_GOOD(doing(&j, lease));
	T_GOOD(doing(&j, begin));
	T_EQ_INT(heard.n, 1);
	T_OK(heard.last.started);
	T_EQ_STR(str_c(heard.step), STR("fix"));
	T_EQ_INT(heard.last.attempt, 2);
	T_EQ_MEM(&heard.last.run, &run_id, sizeof run_id);
	j.now += LIM_LEASE_MS + 1;
	T_GOOD(doing(&j, tend));
	T_EQ_INT(heard.n, 2);
	T_EQ_INT(heard.last.outcome, TASK_LOST);
	T_GOOD(doing(&j, look));
	T_EQ_INT(j.row.state, TASK_DONE);
	T_GOOD(doing(&j, tend)); /* once */
	T_EQ_INT(heard.n, 2);
	office_close(&o);
}

TEST(cancelling)
{
	struct office o;
	struct job j;

	ready(&j, &o);
	T_GOOD(doing(&j, offer));
	T_GOOD(doing(&j, cancel));
	T_EQ_INT(heard.n, 1);
	T_OK(!heard.last.started);
	T_EQ_INT(heard.last.outcome, TASK_CANCELLED);
	T_ERR(doing(&j, cancel), E_NOT_FOUND);
	/* leased: it is marked, and over when its lease is */
	T_GOOD(doing(&j, offer));
	T_GOOD(doing(&j, lease));
	T_GOOD(doing(&j, cancel));
	T_EQ_INT(heard.n, 1);
	T_GOOD(doing(&j, look));
	T_OK(j.row.cancel);
	T_GOOD(doing(&j, cancel));
	j.now += LIM_LEASE_MS + 1;
	T_GOOD(doing(&j, tend));
	T_EQ_INT(heard.n, 2);
	T_EQ_INT(heard.last.outcome, TASK_CANCELLED);
	office_close(&o);
}

TEST(who_is_revoked_has_nothing)
{
	struct office o;
	struct job j, k;

	ready(&j, &o);
	k = j;
	T_GOOD(doing(&j, offer));
	T_GOOD(doing(&k, offer));
	T_GOOD(doing(&j, lease));
	T_GOOD(doing(&k, lease));
	T_GOOD(doing(&k, begin));
	T_GOOD(doing(&j, drop));
	T_GOOD(doing(&j, look));
	T_GOOD(doing(&k, look));
	T_EQ_INT(j.row.state, TASK_QUEUED);
	T_EQ_INT(k.row.state, TASK_DONE);
	T_EQ_INT(heard.last.outcome, TASK_LOST);
	office_close(&o);
}

TEST(the_queue_has_an_end)
{
	struct office o;
	struct job j;

	ready(&j, &o);
	for (int i = 0; i < LIM_TASKS_QUEUED; i++)
		T_GOOD(doing(&j, offer));
	T_ERR(doing(&j, offer), E_LIMIT);
	j.t.project = 1;
	T_GOOD(doing(&j, cancel));
	T_GOOD(doing(&j, offer));
	office_close(&o);
}

/* ---- logs ---- */

struct logging {
	struct office *o;
	struct str bytes;
	struct uuid task;
	struct str got;
	uint64_t from, size;
	size_t max;
	bool whole; /* of the run */
};

static err
log_append(struct lane *l, void *arg)
{
	struct logging *g = arg;

	return run_log_append(l, 1, &run_id, &g->task, g->bytes);
}

static err
log_read(struct lane *l, void *arg)
{
	struct logging *g = arg;
	struct run_log_of of = {run_id, g->whole ? NULL : &g->task, 1};

	TRY(run_log_size(l, &of, &g->size));
	return run_log_read(l, &of, g->from, g->max, &g->o->a, &g->got);
}

TEST(logs_are_read_where_one_looks)
{
	static char big[3 * LIM_LOG_PIECE + 17];
	struct logging g = {.task = delegate_id};
	struct office o;

	for (size_t i = 0; i < sizeof big; i++)
		big[i] = (char)('a' + i % 26);
	office_open(&o);
	g.o = &o;
	g.max = sizeof big;
	T_GOOD(writer_do(o.w, log_read, &g)); /* nothing is there */
	T_EQ_INT(g.size + g.got.n, 0);
	/* small ones become one piece, large ones several */
	for (size_t i = 0; i < 100; i++) {
		g.bytes = str_of(big + i, 1);
		T_GOOD(writer_do(o.w, log_append, &g));
	}
	g.bytes = str_of(big + 100, sizeof big - 100);
	T_GOOD(writer_do(o.w, log_append, &g));
	T_GOOD(writer_do(o.w, log_read, &g));
	T_EQ_INT(g.size, sizeof big);
	T_EQ_STR(g.got, str_of(big, sizeof big));
	for (size_t i = 0; i < 200; i++) {
		g.from = i * 983;
		g.max = 1 + i * 331;
		T_GOOD(writer_do(o.w, log_read, &g));
		T_EQ_STR(g.got,
		    str_head(str_skip(str_of(big, sizeof big), g.from), g.max));
	}
	/* another task's stand behind it in the run's, and apart */
	g.task = other_id;
	g.bytes = STR("other");
	T_GOOD(writer_do(o.w, log_append, &g));
	g.task = (struct uuid){{0}};
	g.bytes = STR("own");
	T_GOOD(writer_do(o.w, log_append, &g));
	T_GOOD(writer_do(o.w, log_append, &g));
	g.whole = true;
	g.from = sizeof big - 2;
	g.max = 100;
	T_GOOD(writer_do(o.w, log_read, &g));
	T_EQ_INT(g.size, sizeof big + 11);
	T_EQ_STR(str_skip(g.got, 2), STR("otherownown"));
	g.whole = false;
	g.task = other_id;
	g.from = 1;
	T_GOOD(writer_do(o.w, log_read, &g));
	T_EQ_STR(g.got, STR("ther"));
	g.from = 5;
	T_GOOD(writer_do(o.w, log_read, &g));
	T_EQ_INT(g.got.n, 0);
	office_close(&o);
}

/* ---- rations ---- */

TEST(each_has_a_ration_of_its_own)
{
	struct ration *r = ration_new();
	int64_t now = 1000000;
	unsigned n = 0;

	while (err_ok(ration_take(r, &delegate_id, 0, now)) && n < 100000)
		n++;
	T_EQ_INT(n, LIM_DELEGATE_BURST);
	T_GOOD(ration_take(r, &other_id, 0, now));
	now += 1000000; /* a second */
	for (n = 0; err_ok(ration_take(r, &delegate_id, 0, now)); n++)
		continue;
	T_EQ_INT(n, LIM_DELEGATE_RATE);
	now += 1000000;
	for (n = 0; err_ok(ration_take(r, &delegate_id, LIM_LOG_POST, now));
	     n++)
		continue;
	T_EQ_INT(n, LIM_DELEGATE_RATE / (1 + LIM_LOG_POST / RATION_BYTES));
	/* more of them than there are places: none is NULL */
	for (unsigned i = 0; i < 5000; i++) {
		struct uuid u = {{0}};

		memcpy(u.b + 12, &i, sizeof i);
		T_GOOD(ration_take(r, &u, 0, now + i));
	}
	r = ration_free(r);
}

/* ---- waiting ---- */

TEST(who_waits_is_taken_out_in_time)
{
	static struct park p;
	static struct call c[4], *out[LIM_PARKED];
	static struct actor a[2];

	a[0].id = delegate_id;
	a[1].id = other_id;
	for (size_t i = 0; i < 4; i++) {
		c[i].actor = &a[i % 2];
		c[i].park_until = 100 * (int64_t)(i + 1);
		c[i].park = true;
		park_add(&p, &c[i]);
		T_OK(!c[i].park);
		T_EQ_INT(c[i].parks, 1);
	}
	T_EQ_INT(park_wait(&p, 40, 1000), 60);
	T_EQ_INT(park_wait(&p, 140, 1000), 0);
	T_EQ_INT(park_take(&p, out, 99, false), 0);
	T_EQ_INT(park_take(&p, out, 100, false), 1);
	T_OK(out[0] == &c[0]);
	park_end(&p, &delegate_id); /* c[2] */
	T_EQ_INT(park_take(&p, out, 101, false), 1);
	T_OK(out[0] == &c[2]);
	T_EQ_INT(park_take(&p, out, 0, true), 2);
	T_EQ_INT(p.n, 0);
	T_EQ_INT(park_wait(&p, 0, 1000), 1000);
}

/* ---- the text that is signed ---- */

TEST(the_envelope_is_canonical)
{
	static const struct json_limits lim = {32, 1000, 100000};
	struct task_row row = {.id = {{1}},
	    .run = run_id,
	    .delegate = delegate_id,
	    .attempt = 1,
	    .fence = 7};
	struct task_job job = {.step = STR("fix"),
	    .labels = STR("{\"os\":\"linux\",\"site\":\"fra\"}"),
	    .values = STR("{\"args\":[\"a\\nb\"],\"env\":{}}"),
	    .inputs = STR("{\"x\":1}"),
	    .version = 2};
	struct hash proof[2] = {{{1}}, {{2}}};
	struct envelope_connector con = {.id = {{3}},
	    .version = 4,
	    .slug = STR("jira"),
	    .digest = STR("d"),
	    .document = STR("{\"a\":\"\\u0001\"}")};
	struct secret_use sec[2] = {{.id = {{5}},
					.name = STR("s"),
					.version = 1,
					.data = STR("ZA=="),
					.box = STR("Yg==")},
	    {.name = STR("v"),
		.external = STR("{\"connector\":\"c\",\"field\":\"f\","
				"\"path\":\"p\"}")}};
	struct envelope_approval app = {9, STR("{\"leaf\":1}"), {proof, 2}};
	struct envelope e = {.log = STR("x/audit/1"),
	    .task = &row,
	    .job = &job,
	    .project_slug = STR("alpha"),
	    .issued = 5,
	    .expires = 6,
	    .digest = STR("e"),
	    .document = STR("{\"q\":\"\xc3\xa9\"}"),
	    .connectors = &con,
	    .connectors_n = 1,
	    .secrets = sec,
	    .secrets_n = 2,
	    .approvals = &app,
	    .approvals_n = 1,
	    .checkpoint = STR("n\n1\nr\n\n\xe2\x80\x94 n s\n")};
	const struct json *j;
	struct arena a;
	struct buf b;

	arena_init(&a, 1 << 20);
	buf_init_on(&b, &a, 65536);
	T_GOOD(envelope_text(&e, &b));
	T_GOOD(json_parse(&a, buf_view(&b), &lim, NULL, &j));
	T_OK(json_is_canon(buf_view(&b), j));
	T_EQ_INT(j->count, 20);
	T_EQ_STR(json_str_at(j, STR("v")), STR("redoubt-task/1"));
	T_EQ_INT(json_get(j, STR("secrets"))->count, 2);
	arena_done(&a);
}

T_MAIN
