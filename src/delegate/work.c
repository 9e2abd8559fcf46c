/*
 * work.c: a task that may be run, being run: a script in a sandbox, an http
 * step by the broker.  What it writes is masked before anything else happens
 * to it.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/json_canon.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "delegate/agent.h"

enum {
	READ = 65536,
	READS = 8, /* of one stream in one turn */
	MASKED = 16 * READ + 64 * MASK_MAX,
	ENV_LINE = 4096,
	WALL_S = 600,
	MEMORY_MB = 512,
	PIDS = 64,
	WORK_MB = 64,
	OUTPUT_KB = 4096,
};

static const struct json_limits limits = {.depth = LIM_JSON_DEPTH,
    .members = LIM_JSON_MEMBERS,
    .values = LIM_JSON_VALUES};

/* ---- the end ---- */

static void
secrets_wipe(struct job *j)
{
	if (j->pages != NULL)
		mem_wipe(j->pages, j->pages_n);
	for (size_t i = 0; i < j->task.secrets; i++) {
		struct str *v = &j->task.secret[i].value;

		if (j->task.secret[i].external && v->n > 0)
			mem_wipe((char *)(uintptr_t)v->p, v->n);
		*v = STR_NONE;
	}
}

void
work_end(struct agent *g, struct job *j)
{
	if (j->relay != 0)
		err_ignore(broker_cancel(g->broker, j->relay),
		    "the relay is gone already");
	j->relay = j->ask = 0;
	if (j->spool.fd >= 0 &&
	    !err_ok(spool_end(&j->spool, j->result.log_sha)))
		j->spool.failed = true;
	j->result.log_bytes = j->spool.fd >= 0 ? j->spool.size : 0;
	if (j->spool.failed || !err_ok(result_keep(g, j)))
		log_event(LOG_DELEGATE_SERVER, KVC("task", j->id_text),
		    KVC("detail", "the result could not be written down"));
	secrets_wipe(j);
	j->state = JOB_ENDED;
	agent_wake(g);
}

static void
fail(struct agent *g, struct job *j, const char *outcome, struct str code)
{
	job_outcome(j, outcome, code);
	work_end(g, j);
}

/* ---- outputs ---- */

/* What a step says it found: masked, then read like anything foreign. */
static bool
outputs_take(struct job *j, struct str text, struct trail *t)
{
	const struct json *v;
	struct buf b;

	buf_init_on(&b, &j->arena, LIM_RUN_VALUES);
	if (!err_ok(mask_text(j->mask, text, &b)) ||
	    !err_ok(json_parse(&j->arena, buf_view(&b), &limits, t, &v)) ||
	    !err_ok(step_outputs_check(j->task.step, v, t)))
		return false;
	return err_ok(
	    json_canon_text(&j->arena, v, LIM_RUN_VALUES, &j->result.outputs));
}

static void
outputs_judge(struct job *j, struct str text)
{
	struct trail t = {0};

	if (outputs_take(j, text, &t)) {
		job_outcome(j, "succeeded", STR(""));
		return;
	}
	j->result.outputs = STR("{}");
	job_outcome(j, "failed", STR("outputs"));
	spool_add(&j->spool, STR("\n[outputs: "));
	spool_add(&j->spool, str_c(t.detail));
	spool_add(&j->spool, STR("]\n"));
}

/* ---- what a script writes ---- */

static void
stream_read(struct job *j, int fd, struct masker *m, bool *open)
{
	char raw[READ];
	struct buf b;

	if (!*open)
		return;
	buf_init(&b, MASKED);
	/* One that writes without end must not keep the others waiting. */
	for (unsigned i = 0; i < READS; i++) {
		ssize_t n = read(fd, raw, sizeof raw);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0) {
			mask_end(m, &b);
			*open = false;
		} else {
			mask_add(m, str_of(raw, (size_t)n), &b);
		}
		spool_add(&j->spool, buf_view(&b));
		buf_clear(&b);
		if (n < (ssize_t)sizeof raw)
			break;
	}
	mem_wipe(raw, sizeof raw);
	buf_done(&b);
}

static void
streams_read(struct job *j)
{
	stream_read(j, j->box.out, j->out, &j->out_open);
	stream_read(j, j->box.err, j->err, &j->err_open);
}

/* Nothing of it runs any more: read to the end. */
static void
streams_finish(struct job *j)
{
	for (unsigned i = 0; i < 1000 && (j->out_open || j->err_open); i++)
		streams_read(j);
}

static void
outputs_read(struct job *j, const struct sandbox_event *ev)
{
	char raw[READ];
	struct buf b;
	ssize_t n;

	buf_init_on(&b, &j->arena, LIM_RUN_VALUES);
	while (ev->outputs >= 0 && (n = read(ev->outputs, raw, sizeof raw)) > 0)
		buf_add(&b, raw, (size_t)n);
	if (ev->outputs_kind == SANDBOX_NO_OUTPUTS)
		buf_c(&b, "{}");
	outputs_judge(j,
	    ev->outputs_kind == SANDBOX_BAD_OUTPUTS || b.failed ? STR("")
								: buf_view(&b));
}

static void
script_judge(struct job *j, const struct sandbox_event *ev)
{
	struct str code = str_c(sandbox_end_code(ev->end));

	j->result.exit = ev->status;
	switch (ev->end) {
	case SANDBOX_EXITED:
		if (ev->status == 0)
			outputs_read(j, ev);
		else
			job_outcome(j, "failed", STR("exit"));
		return;
	case SANDBOX_TIMED_OUT:
		job_outcome(j, "timed_out", code);
		return;
	case SANDBOX_CANCELLED:
		job_outcome(j, "cancelled", code);
		return;
	case SANDBOX_REFUSED:
		log_event(LOG_DELEGATE_SANDBOX, KVC("task", j->id_text),
		    KVC("detail", ev->detail.detail));
		job_outcome(j, "refused", reason_code(REASON_SANDBOX));
		return;
	default:
		job_outcome(j, "failed", code);
		return;
	}
}

static struct str
secret_value(const struct job *j, struct str name)
{
	for (size_t i = 0; i < j->task.secrets; i++)
		if (str_eq(j->task.secret[i].name, name)) /* public: a name */
			return j->task.secret[i].value;
	return STR_NONE;
}

/* Where a script may connect to, and what it may have done, as approved. */
static void
relay_open(struct agent *g, struct job *j, int listener)
{
	struct str doc[BROKER_CONNECTORS], secret[BROKER_CONNECTORS];
	size_t n = 0;

	for (size_t i = 0; i < j->task.connectors && n < BROKER_CONNECTORS;
	     i++) {
		const struct task_connector *c = &j->task.connector[i];

		if (!c->of_step || c->c.egress == CONNECTOR_EGRESS_NONE)
			continue;
		doc[n] = c->document;
		secret[n++] = c->c.egress == CONNECTOR_EGRESS_INJECT
		    ? secret_value(j, c->c.auth.secret)
		    : STR("");
	}
	j->relay = ++g->asked;
	if (!err_ok(
		broker_relay(g->broker, j->relay, listener, doc, secret, n)))
		j->relay = 0;
}

void
work_poll(struct agent *g, struct job *j)
{
	struct sandbox_event ev;

	if (!j->boxed || j->state != JOB_RUNNING)
		return;
	streams_read(j);
	while (err_ok(sandbox_next(&j->box, 0, &ev))) {
		if (ev.what == SANDBOX_STARTED) {
			if (ev.egress >= 0) {
				relay_open(g, j, ev.egress);
				(void)close(ev.egress);
			}
			continue;
		}
		streams_finish(j);
		script_judge(j, &ev);
		if (ev.outputs >= 0)
			(void)close(ev.outputs);
		sandbox_done(&j->box);
		j->boxed = false;
		work_end(g, j);
		return;
	}
	pthread_cond_signal(&g->work);
}

/* ---- starting a script ---- */

static uint32_t
at_most(uint32_t want, uint32_t usual, int64_t most)
{
	uint32_t v = want != 0 ? want : usual;

	return v < most ? v : (uint32_t)most;
}

static void
limits_set(const struct agent *g, const struct step *s,
    struct sandbox_limits *ret)
{
	const struct step_limits *l = &s->script.limits;
	const struct policy *p = &g->policy;

	ret->wall_s = at_most(l->wall_s,
	    s->timeout_s != 0 ? s->timeout_s : WALL_S, p->limits_wall_s);
	ret->cpu_s = at_most(l->cpu_s, ret->wall_s, p->limits_cpu_s);
	ret->memory_mb = at_most(l->memory_mb, MEMORY_MB, p->limits_memory_mb);
	ret->pids = at_most(l->pids, PIDS, p->limits_pids);
	ret->work_mb = at_most(l->work_mb, WORK_MB, p->limits_work_mb);
}

/* argv: the interpreter, its arguments, the script, the step's arguments. */
static size_t
argv_make(const struct job *j, const struct interpreter *in,
    struct str argv[SANDBOX_ARGS])
{
	const struct json *v = json_get(j->task.values, STR("args"));
	size_t n = 0;

	argv[n++] = in->path;
	for (size_t i = 0; i < in->args.n && n < SANDBOX_ARGS - 1; i++)
		argv[n++] = in->args.word[i];
	argv[n++] = STR(SANDBOX_SCRIPT);
	for (v = json_first(v); v != NULL && n < SANDBOX_ARGS; v = v->next)
		argv[n++] = v->text;
	return v == NULL ? n : 0;
}

static bool
env_add(struct arena *a, struct str env[SANDBOX_ENV], size_t *n,
    struct str name, struct str value)
{
	struct buf b;

	if (*n == SANDBOX_ENV)
		return false;
	buf_init_on(&b, a, name.n + value.n + 1);
	buf_str(&b, name);
	buf_char(&b, '=');
	buf_str(&b, value);
	env[(*n)++] = buf_view(&b);
	return err_ok(buf_check(&b));
}

/* SECRET_FD_DB_PASSWORD=3 for the secret db-password. */
static bool
secret_env(struct arena *a, struct str env[SANDBOX_ENV], size_t *n,
    struct str secret, size_t fd)
{
	char name[128], number[8];
	struct buf b = {.p = name, .cap = sizeof name, .max = sizeof name};
	struct buf v = {.p = number,
	    .cap = sizeof number,
	    .max = sizeof number};

	buf_c(&b, "SECRET_FD_");
	for (size_t i = 0; i < secret.n; i++) {
		char c = secret.p[i];

		if (c >= 'a' && c <= 'z')
			c = (char)(c - 'a' + 'A');
		else if ((c < 'A' || c > 'Z') && (c < '0' || c > '9'))
			c = '_';
		buf_char(&b, c);
	}
	buf_u64(&v, fd);
	return err_ok(buf_check(&b)) &&
	    env_add(a, env, n, buf_view(&b), buf_view(&v));
}

struct script {
	struct str argv[SANDBOX_ARGS], env[SANDBOX_ENV], secret[SANDBOX_FDS];
	struct sandbox_spec spec;
};

static bool
environment(struct job *j, struct script *s)
{
	const struct json *v = json_get(j->task.values, STR("env"));

	for (v = json_first(v); v != NULL; v = v->next)
		if (!env_add(&j->arena, s->env, &s->spec.env_n, v->name,
			v->text))
			return false;
	for (size_t i = 0; i < j->task.secrets; i++) {
		const struct task_secret *t = &j->task.secret[i];
		size_t n = s->spec.secrets_n;

		if (!t->of_step)
			continue;
		if (n == SANDBOX_FDS ||
		    !secret_env(&j->arena, s->env, &s->spec.env_n, t->name,
			SANDBOX_FIRST_SECRET + n))
			return false;
		s->secret[s->spec.secrets_n++] = t->value;
	}
	return true;
}

static bool
passes(const struct job *j)
{
	for (size_t i = 0; i < j->task.connectors; i++)
		if (j->task.connector[i].of_step &&
		    j->task.connector[i].c.egress != CONNECTOR_EGRESS_NONE)
			return true;
	return false;
}

static err
script_run(struct agent *g, struct job *j, struct trail *t)
{
	const struct step *s = j->task.step;
	const struct interpreter *in =
	    policy_interpreter(&g->policy, s->script.interpreter);
	struct script c = {.spec = {.id = str_c(j->id_text)}};

	if (in == NULL)
		return err_of(E_INVALID);
	c.spec.profile = in->profile;
	limits_set(g, s, &c.spec.limits);
	c.spec.argv = c.argv;
	c.spec.argv_n = argv_make(j, in, c.argv);
	c.spec.script = s->script.script;
	c.spec.env = c.env;
	c.spec.secrets = c.secret;
	c.spec.egress = g->broker != NULL && passes(j);
	if (c.spec.argv_n == 0 || !environment(j, &c))
		return err_of(E_LIMIT);
	TRY(masker_new(j->mask, &j->out));
	TRY(masker_new(j->mask, &j->err));
	TRY(zygote_run(g->zygote, &c.spec, t, &j->box));
	j->boxed = j->out_open = j->err_open = true;
	(void)fcntl(j->box.out, F_SETFL, O_NONBLOCK);
	(void)fcntl(j->box.err, F_SETFL, O_NONBLOCK);
	return OK;
}

static void
script_begin(struct agent *g, struct job *j)
{
	struct trail t = {0};
	err e = script_run(g, j, &t);

	if (err_ok(e)) {
		j->state = JOB_RUNNING;
		return;
	}
	log_event(LOG_DELEGATE_REFUSED, KVC("task", j->id_text),
	    KVE("error", e), KVC("detail", t.detail));
	fail(g, j, "refused",
	    reason_code(err_is(e, E_INVALID) || err_is(e, E_LIMIT)
		    ? REASON_ENVIRONMENT
		    : REASON_SANDBOX));
}

/* ---- an http step ---- */

static struct str
outputs_asked(struct job *j)
{
	const struct step *s = j->task.step;
	struct buf b;
	struct jw w;

	if (s->outputs_n == 0)
		return STR_NONE;
	buf_init_on(&b, &j->arena, 65536);
	jw_init(&w, &b);
	jw_arr(&w);
	for (size_t i = 0; i < s->outputs_n; i++) {
		jw_obj(&w);
		jw_kstr(&w, "name", s->outputs[i].name);
		jw_kstr(&w, "type", value_type_text(s->outputs[i].type));
		jw_kstr(&w, "pointer", s->outputs[i].pointer);
		jw_obj_end(&w);
	}
	jw_arr_end(&w);
	return buf_view(&b);
}

static void
http_begin(struct agent *g, struct job *j)
{
	const struct step *s = j->task.step;
	const struct task_connector *c =
	    task_connector(&j->task, s->http.connector);
	const struct json *params = json_get(j->task.values, STR("params"));
	struct broker_ask q = {.document = c->document,
	    .secret = secret_value(j, c->c.auth.secret),
	    .ms = (int64_t)at_most(s->timeout_s, 60, g->policy.limits_wall_s) *
		1000,
	    .action = s->http.action,
	    .params = params == NULL ? STR_NONE : params->raw,
	    .outputs = outputs_asked(j)};

	j->ask = ++g->asked;
	if (g->broker == NULL || !err_ok(broker_http(g->broker, j->ask, &q))) {
		j->ask = 0;
		fail(g, j, "refused", reason_code(REASON_BROKER));
		return;
	}
	j->state = JOB_RUNNING;
}

/* The answer in the step's log: where it went and what came. */
static void
answer_tell(struct job *j, const struct broker_event *ev)
{
	struct buf b;

	buf_init(&b, 1024);
	buf_str(&b, ev->host);
	buf_fmt(&b, ":%u status %d ", (unsigned)ev->port, ev->status);
	buf_c(&b, broker_end_code(ev->end));
	buf_char(&b, '\n');
	spool_add(&j->spool, buf_view(&b));
	buf_done(&b);
}

static void
http_end(struct agent *g, struct job *j, const struct broker_event *ev)
{
	answer_tell(j, ev);
	j->ask = 0;
	if (ev->end == BROKER_OK)
		outputs_judge(j, ev->outputs.n > 0 ? ev->outputs : STR("{}"));
	else if (ev->end == BROKER_TIMEOUT)
		job_outcome(j, "timed_out", str_c(broker_end_code(ev->end)));
	else if (ev->end == BROKER_CANCELLED)
		job_outcome(j, "cancelled", str_c(broker_end_code(ev->end)));
	else
		job_outcome(j, "failed", str_c(broker_end_code(ev->end)));
	work_end(g, j);
}

/* ---- external secrets, one after the other, then the step ---- */

static void step_begin(struct agent *g, struct job *j);

static bool
secret_ask(struct agent *g, struct job *j)
{
	while (j->external < j->task.secrets) {
		struct task_secret *s = &j->task.secret[j->external];
		const struct task_connector *c =
		    task_connector(&j->task, s->connector);
		struct broker_ask q = {.path = s->path,
		    .field = s->field,
		    .ms = 10000};

		if (!s->external) {
			j->external++;
			continue;
		}
		q.document = c->document;
		q.secret = secret_value(j, c->c.auth.secret);
		j->ask = ++g->asked;
		if (g->broker != NULL &&
		    err_ok(broker_secret(g->broker, j->ask, &q))) {
			j->state = JOB_ASKING;
			return true;
		}
		j->ask = 0;
		fail(g, j, "failed", reason_code(REASON_BROKER));
		return true;
	}
	return false;
}

static void
secret_take(struct agent *g, struct job *j, const struct broker_event *ev)
{
	j->ask = 0;
	if (ev->end != BROKER_OK) {
		answer_tell(j, ev);
		fail(g, j, j->cancelled ? "cancelled" : "failed",
		    reason_code(REASON_SECRET_READ));
		return;
	}
	j->task.secret[j->external].value = arena_dup(&j->arena, ev->value);
	j->external++;
	step_begin(g, j);
}

/* The values are all there now: what is masked may have grown. */
static bool
mask_again(struct job *j)
{
	struct str value[TASK_SECRETS];
	struct trail t = {0};
	size_t n = 0;

	if (j->external == 0)
		return true;
	j->mask = mask_set_free(j->mask);
	for (size_t i = 0; i < j->task.secrets; i++)
		value[n++] = j->task.secret[i].value;
	return err_ok(mask_set_new(value, n, &t, &j->mask));
}

static void
step_begin(struct agent *g, struct job *j)
{
	if (secret_ask(g, j))
		return;
	if (!mask_again(j)) {
		fail(g, j, "failed", reason_code(REASON_SECRET_MASK));
		return;
	}
	if (j->task.step->kind == STEP_SCRIPT)
		script_begin(g, j);
	else
		http_begin(g, j);
}

/* ---- granted: on the disk first, then it begins ---- */

void
work_begin(struct agent *g, struct job *j)
{
	uint64_t max = at_most(j->task.step->kind == STEP_SCRIPT
		? j->task.step->script.limits.output_kb
		: 0,
	    OUTPUT_KB, g->policy.limits_output_kb);

	if (!err_ok(journal_started(g->journal, &j->id, j->fence,
		j->task.expires, time_now_ms()))) {
		job_refuse(g, j, REASON_JOURNAL);
		return;
	}
	j->journaled = true;
	if (!err_ok(spool_open(&j->spool, g->dir, &j->id, max * 1024))) {
		job_refuse(g, j, REASON_JOURNAL);
		return;
	}
	step_begin(g, j);
}

void
work_cancel(struct agent *g, struct job *j, bool now)
{
	if (j->state == JOB_OFFERED || j->state == JOB_GRANTED) {
		if (j->busy)
			return; /* its start is on the way: then */
		job_refuse(g, j, REASON_STOPPING);
		job_outcome(j, "cancelled", STR("cancelled"));
		return;
	}
	if (j->killed && !now)
		return;
	j->killed = true;
	if (j->boxed)
		sandbox_kill(&j->box, now);
	else if (j->ask != 0 && g->broker != NULL)
		err_ignore(broker_cancel(g->broker, j->ask),
		    "it has ended by itself");
}

/* ---- what the broker says ---- */

static void
decided(struct job *j, const struct broker_event *ev)
{
	struct buf b;

	if (j->spool.fd < 0 || j->state != JOB_RUNNING)
		return;
	buf_init(&b, 1024);
	buf_c(&b, "[connection to ");
	buf_str(&b, ev->host);
	buf_fmt(&b, ":%u: ", (unsigned)ev->port);
	buf_c(&b, broker_end_meaning(ev->end));
	buf_c(&b, "]\n");
	spool_add(&j->spool, buf_view(&b));
	buf_done(&b);
}

void
work_broker(struct agent *g, const struct broker_event *ev)
{
	for (size_t i = 0; i < LIM_DELEGATE_TASKS; i++) {
		struct job *j = &g->job[i];

		if (j->state == JOB_FREE || ev->id == 0)
			continue;
		if (j->relay == ev->id && ev->what == BROKER_DECISION)
			decided(j, ev);
		if (j->ask != ev->id)
			continue;
		if (ev->what == BROKER_ANSWER && j->state == JOB_RUNNING)
			http_end(g, j, ev);
		else if (ev->what == BROKER_VALUE && j->state == JOB_ASKING)
			secret_take(g, j, ev);
	}
}
