/* run.c: see run.h: the walk, and what starts and ends steps. */
#include "domain/run.h"

#include "base/limits.h"
#include "domain/run_inner.h"

bool
run_over(const struct run *r)
{
	return run_state_over(r->state);
}

err
run_new(const struct runbook *rb, struct arena *a, struct run **ret)
{
	struct run *r = ARENA_NEW(a, struct run);
	struct run_step *s =
	    arena_array(a, rb->steps_n + 1, sizeof(struct run_step));

	TRY(arena_check(a));
	r->state = RUN_QUEUED;
	r->step = s;
	r->step_n = rb->steps_n;
	*ret = r;
	return OK;
}

void
run_machine_init(struct run_machine *m)
{
	m->first = NULL;
	m->last = &m->first;
}

/* ---- effects ---- */

struct run_step *
run_step_of(const struct run_machine *m, const struct step *s)
{
	return &m->run->step[s->index];
}

static struct run_effect *
effect(struct run_machine *m, enum run_effect_kind kind, const struct step *s)
{
	struct run_effect *e = ARENA_NEW(m->a, struct run_effect);

	if (e == NULL)
		return NULL; /* arena_check at the end of each event */
	e->kind = kind;
	e->step = s;
	if (s != NULL) {
		e->attempt = run_step_of(m, s)->attempt;
		e->at = run_step_of(m, s)->at;
		e->code = run_step_of(m, s)->code;
	}
	*m->last = e;
	m->last = &e->next;
	return e;
}

/* ---- what values see ---- */

/* {"id":{outputs}} of steps that have any. */
static const struct json *
outputs_of(struct run_machine *m)
{
	struct json *all = ARENA_NEW(m->a, struct json), **last, *j;

	if (all == NULL)
		return NULL;
	all->kind = JSON_OBJECT;
	last = &all->child;
	for (size_t i = 0; i < m->run->step_n; i++) {
		if (m->run->step[i].outputs == NULL)
			continue;
		j = ARENA_NEW(m->a, struct json);
		if (j == NULL)
			return NULL;
		*j = *m->run->step[i].outputs;
		j->name = m->rb->steps[i]->id;
		j->next = NULL;
		*last = j;
		last = &j->next;
		all->count++;
	}
	return all;
}

static struct scope
scope_of(struct run_machine *m)
{
	return (struct scope){
	    .inputs = m->inputs,
	    .steps = outputs_of(m),
	    .incident = m->incident,
	    .alert = m->alert,
	    .run = m->about,
	};
}

/* ---- ending a step ---- */

static bool
block_undoes(const struct run_machine *m, const struct block *b)
{
	for (size_t i = 0; i < b->n; i++)
		if (run_step_of(m, b->steps[i])->undo)
			return true;
	return false;
}

/* Did what failed inside of it ask for undoing? */
static bool
inner_undo(const struct run_machine *m, const struct step *s)
{
	if (s->kind == STEP_CONDITION)
		return block_undoes(m, &s->condition.then) ||
		    block_undoes(m, &s->condition.otherwise);
	if (s->kind != STEP_PARALLEL)
		return false;
	for (size_t i = 0; i < s->parallel.branches_n; i++)
		if (block_undoes(m, &s->parallel.branches[i]))
			return true;
	return false;
}

static void
end_step(struct run_machine *m, const struct step *s, enum run_at at,
    struct str code)
{
	struct run_step *r = run_step_of(m, s);

	r->at = at;
	r->code = code;
	r->due = 0;
	r->stopping = false;
	r->ended = m->now;
	if (at == AT_SUCCEEDED)
		r->order = ++m->run->order;
	if (at == AT_FAILED && s->on_failure != FAILURE_CONTINUE)
		r->undo = s->on_failure == FAILURE_UNDO || inner_undo(m, s);
	(void)effect(m, RUN_TELL_STEP, s);
}

/* Is it, or anything it stands in, being stopped? */
static bool
halted(const struct run_machine *m, const struct step *s)
{
	if (m->run->stopping)
		return true;
	for (; s->parent != STEP_NONE; s = m->rb->steps[s->parent])
		if (run_step_of(m, m->rb->steps[s->parent])->stopping)
			return true;
	return false;
}

static int64_t
backoff_ms(const struct retry *r, uint32_t attempt)
{
	uint64_t s = r->backoff_s, max = r->max_s > 0 ? r->max_s : 86400;

	for (uint32_t i = 1; i < attempt && s < max; i++)
		s *= r->factor > 0 ? r->factor : 1;
	return (int64_t)(s < max ? s : max) * 1000;
}

/* How often what was lost, and may be run again, is. */
enum { LOST_AGAIN = 3 };

static bool
again(const struct run_machine *m, const struct step *s, bool lost)
{
	uint32_t attempt = run_step_of(m, s)->attempt;

	if (halted(m, s))
		return false;
	if (!lost)
		return attempt <= s->retry.times;
	return s->idempotent &&
	    (attempt <= s->retry.times || attempt <= LOST_AGAIN);
}

/* An attempt has failed: another one, or the end of it. */
static void
fail_attempt(struct run_machine *m, const struct step *s, struct str code,
    bool lost)
{
	struct run_step *r = run_step_of(m, s);

	if (!again(m, s, lost)) {
		end_step(m, s, AT_FAILED, code);
		return;
	}
	r->at = AT_RETRYING;
	r->code = code;
	r->began = r->stopping = false;
	r->due = backoff_ms(&s->retry, r->attempt);
	if (r->due > 0)
		r->due += m->now;
	(void)effect(m, RUN_TELL_STEP, s);
}

/* ---- stopping ---- */

static bool halt_block(struct run_machine *m, const struct block *b,
    struct str code);

/* The same for all that stands in it; is anything of it still going on? */
static bool
halt_inner(struct run_machine *m, const struct step *s, struct str code)
{
	bool active = false;

	if (s->kind == STEP_CONDITION) {
		active = halt_block(m, &s->condition.then, code);
		active |= halt_block(m, &s->condition.otherwise, code);
	} else if (s->kind == STEP_PARALLEL) {
		for (size_t i = 0; i < s->parallel.branches_n; i++)
			active |= halt_block(m, &s->parallel.branches[i], code);
	}
	return active;
}

bool
run_compound(const struct step *s)
{
	return s->kind == STEP_CONDITION || s->kind == STEP_PARALLEL;
}

static void
stopped(struct run_machine *m, const struct step *s)
{
	struct run_step *r = run_step_of(m, s);

	end_step(m, s, r->stop_bad ? AT_FAILED : AT_CANCELLED, r->code);
}

bool
run_halt(struct run_machine *m, const struct step *s, bool bad, struct str code)
{
	struct run_step *r = run_step_of(m, s);

	if (r->at == AT_PENDING || run_at_over(r->at))
		return false;
	if (!r->stopping) {
		r->stopping = true;
		r->stop_bad = bad;
		r->code = code;
		r->due = 0;
		if (r->at == AT_RUNNING && !run_compound(s))
			(void)effect(m, RUN_DO_CANCEL, s);
	}
	if (r->at == AT_RUNNING) {
		if (!run_compound(s) || halt_inner(m, s, code))
			return true;
	}
	stopped(m, s);
	return false;
}

static bool
halt_block(struct run_machine *m, const struct block *b, struct str code)
{
	bool active = false;

	for (size_t i = 0; i < b->n; i++)
		active |= run_halt(m, b->steps[i], false, code);
	return active;
}

/* ---- starting a step ---- */

/* "set", "timeline", "key_event", "transition" with values in place. */
static err
incident_values(struct run_machine *m, const struct step *s,
    const struct scope *scope, struct buf *out)
{
	const struct step_incident *i = &s->incident;
	const struct json *v;
	struct jw w;

	jw_init(&w, out);
	jw_obj(&w);
	jw_kobj(&w, "set");
	for (size_t n = 0; n < i->set_n; n++) {
		TRY(value_eval(i->set[n].value, scope, m->a, &m->trail, &v));
		jw_name(&w, i->set[n].name);
		jw_value(&w, v);
	}
	jw_obj_end(&w);
	if (i->timeline != NULL) {
		struct str text;

		TRY(value_eval(i->timeline, scope, m->a, &m->trail, &v));
		TRY(value_as_text(m->a, v, &text));
		jw_kstr(&w, "timeline", text);
		jw_kbool(&w, "key_event", i->key_event);
	}
	if (i->transition.n > 0)
		jw_kstr(&w, "transition", i->transition);
	jw_obj_end(&w);
	return buf_check(out);
}

/* An attempt of a step that something else carries out. */
static err
start_attempt(struct run_machine *m, const struct step *s)
{
	struct run_step *r = run_step_of(m, s);
	struct scope scope = scope_of(m);
	bool change = s->kind == STEP_INCIDENT;
	struct run_effect *e;
	struct buf b;
	err bad;

	r->at = AT_RUNNING;
	r->attempt++;
	r->began = false;
	r->code = STR("");
	r->due = s->timeout_s > 0 ? m->now + (int64_t)s->timeout_s * 1000 : 0;
	buf_init_on(&b, m->a, LIM_RUN_VALUES);
	bad = change ? incident_values(m, s, &scope, &b)
		     : step_values(s, &scope, m->a, &m->trail, &b);
	TRY(arena_check(m->a));
	(void)effect(m, RUN_TELL_STEP, s);
	if (!err_ok(bad)) {
		/* it would be the same the next time */
		end_step(m, s, AT_FAILED, STR("values"));
		return OK;
	}
	e = effect(m, change ? RUN_DO_INCIDENT : RUN_DO_TASK, s);
	TRY(arena_check(m->a));
	e->values = buf_view(&b);
	return OK;
}

/* A step of a kind that waits for time or for people. */
static void
start_waiting(struct run_machine *m, const struct step *s, enum run_at at,
    uint32_t seconds)
{
	struct run_step *r = run_step_of(m, s);

	r->at = at;
	r->attempt = 1;
	r->due = seconds > 0 ? m->now + (int64_t)seconds * 1000 : 0;
	(void)effect(m, RUN_TELL_STEP, s);
}

static err
start_condition(struct run_machine *m, const struct step *s)
{
	struct run_step *r = run_step_of(m, s);
	struct scope scope = scope_of(m);
	bool yes;
	err e;

	start_waiting(m, s, AT_RUNNING, s->timeout_s);
	e = cond_eval(s->condition.when, &scope, m->a, &m->trail, &yes);
	TRY(arena_check(m->a));
	if (!err_ok(e)) {
		end_step(m, s, AT_FAILED, STR("condition"));
		return OK;
	}
	r->branch = yes ? 1 : 2;
	return OK;
}

static err
start_step(struct run_machine *m, const struct step *s)
{
	struct run_step *r = run_step_of(m, s);
	struct scope scope = scope_of(m);
	bool yes = true;
	err e = OK;

	r->started = m->now;
	if (s->only_if != NULL)
		e = cond_eval(s->only_if, &scope, m->a, &m->trail, &yes);
	TRY(arena_check(m->a));
	if (!err_ok(e)) {
		end_step(m, s, AT_FAILED, STR("condition"));
		return OK;
	}
	if (!yes) {
		end_step(m, s, AT_SKIPPED, STR("condition"));
		return OK;
	}
	switch (s->kind) {
	case STEP_SCRIPT:
	case STEP_HTTP:
	case STEP_INCIDENT:
		return start_attempt(m, s);
	case STEP_MANUAL:
		start_waiting(m, s, AT_MANUAL, s->timeout_s);
		return OK;
	case STEP_APPROVAL:
		start_waiting(m, s, AT_APPROVAL, s->approval.expires_s);
		return OK;
	case STEP_WAIT:
		start_waiting(m, s, AT_WAITING, s->wait_s);
		return OK;
	case STEP_CONDITION:
		return start_condition(m, s);
	case STEP_PARALLEL:
		start_waiting(m, s, AT_RUNNING, s->timeout_s);
		return OK;
	}
	return err_of(E_INTERNAL);
}

/* ---- the walk ---- */

enum walked { GOES_ON, IS_DONE, HAS_FAILED };

static err walk_block(struct run_machine *m, const struct block *b,
    enum walked *ret);

static err
walk_condition(struct run_machine *m, const struct step *s)
{
	enum walked w;

	TRY(walk_block(m,
	    run_step_of(m, s)->branch == 1 ? &s->condition.then
					   : &s->condition.otherwise,
	    &w));
	if (w == IS_DONE)
		end_step(m, s, AT_SUCCEEDED, STR(""));
	else if (w == HAS_FAILED)
		end_step(m, s, AT_FAILED, STR("inner"));
	return OK;
}

static err
walk_parallel(struct run_machine *m, const struct step *s)
{
	const struct step_parallel *p = &s->parallel;
	size_t going = 0, failed = 0;
	enum walked w;

	for (size_t i = 0; i < p->branches_n; i++) {
		TRY(walk_block(m, &p->branches[i], &w));
		going += w == GOES_ON;
		failed += w == HAS_FAILED;
		if (failed > 0 && p->fail_first) {
			(void)run_halt(m, s, true, STR("inner"));
			return OK;
		}
	}
	if (going > 0)
		return OK;
	if (failed > 0)
		end_step(m, s, AT_FAILED, STR("inner"));
	else
		end_step(m, s, AT_SUCCEEDED, STR(""));
	return OK;
}

/* Go on with a step that has started. */
static err
walk_step(struct run_machine *m, const struct step *s)
{
	struct run_step *r = run_step_of(m, s);

	if (r->at == AT_RETRYING && r->due == 0 && !m->held && !halted(m, s))
		return start_attempt(m, s);
	if (r->at != AT_RUNNING || !run_compound(s))
		return OK;
	if (r->stopping) {
		(void)run_halt(m, s, r->stop_bad, r->code);
		return OK;
	}
	return s->kind == STEP_CONDITION ? walk_condition(m, s)
					 : walk_parallel(m, s);
}

static err
walk_block(struct run_machine *m, const struct block *b, enum walked *ret)
{
	*ret = GOES_ON;
	for (size_t i = 0; i < b->n; i++) {
		const struct step *s = b->steps[i];
		struct run_step *r = run_step_of(m, s);

		if (r->at == AT_PENDING) {
			if (m->held || halted(m, s))
				return OK;
			TRY(start_step(m, s));
		}
		TRY(walk_step(m, s));
		if (!run_at_over(r->at))
			return OK;
		if (r->at != AT_SUCCEEDED && r->at != AT_SKIPPED &&
		    s->on_failure != FAILURE_CONTINUE) {
			*ret = HAS_FAILED;
			return OK;
		}
	}
	*ret = IS_DONE;
	return OK;
}

/* ---- the run ---- */

static void
end_run(struct run_machine *m, enum run_state state, struct str code)
{
	struct run *r = m->run;

	r->state = state;
	r->ended = m->now;
	r->stopping = false;
	if (code.n > 0)
		r->code = code;
	for (size_t i = 0; i < r->step_n; i++) {
		if (r->step[i].at == AT_PENDING)
			r->step[i].at = AT_SKIPPED;
		r->step[i].due = 0;
	}
	(void)effect(m, RUN_TELL_END, NULL);
}

static err
run_results(struct run_machine *m, const struct json **ret)
{
	static const struct json_limits lim = {.depth = LIM_JSON_DEPTH,
	    .members = LIM_JSON_MEMBERS,
	    .values = LIM_JSON_VALUES};
	struct scope scope = scope_of(m);
	const struct json *v;
	struct buf b;
	struct jw w;

	buf_init_on(&b, m->a, LIM_RUN_VALUES);
	jw_init(&w, &b);
	jw_obj(&w);
	for (size_t i = 0; i < m->rb->outputs_n; i++) {
		const struct result *o = &m->rb->outputs[i];

		TRY(value_eval(o->value, &scope, m->a, &m->trail, &v));
		if (!value_type_holds(o->type, v))
			return err_of(E_INVALID);
		jw_name(&w, o->name);
		jw_value(&w, v);
	}
	jw_obj_end(&w);
	TRY(buf_check(&b));
	return json_parse(m->a, buf_view(&b), &lim, &m->trail, ret);
}

static err
succeed(struct run_machine *m)
{
	err e = run_results(m, &m->run->outputs);

	TRY(arena_check(m->a));
	if (err_ok(e))
		end_run(m, RUN_SUCCEEDED, STR(""));
	else
		end_run(m, RUN_FAILED, STR("outputs"));
	return OK;
}

/* The step whose undoing comes before those of the steps done before it. */
static const struct step *
undo_next(const struct run_machine *m, uint32_t before)
{
	const struct step *best = NULL;
	uint32_t order = 0;

	for (size_t i = 0; i < m->run->step_n; i++) {
		const struct step *s = m->rb->steps[i];
		const struct run_step *r = run_step_of(m, s);

		if (s->in_undo || s->undo.n == 0 || r->at != AT_SUCCEEDED ||
		    r->order >= before || r->order <= order)
			continue;
		best = s;
		order = r->order;
	}
	return best;
}

static err
walk_undo(struct run_machine *m)
{
	uint32_t before = UINT32_MAX;
	const struct step *s;
	enum walked w;

	/* what undoing itself has done comes after all that is undone */
	while ((s = undo_next(m, before)) != NULL) {
		TRY(walk_block(m, &s->undo, &w));
		if (w == GOES_ON)
			return OK;
		m->run->undo_bad |= w == HAS_FAILED;
		before = run_step_of(m, s)->order;
	}
	end_run(m, RUN_FAILED, STR(""));
	return OK;
}

static err
failed(struct run_machine *m)
{
	struct run *r = m->run;

	r->code = STR("step");
	if (!block_undoes(m, &m->rb->main) ||
	    undo_next(m, UINT32_MAX) == NULL) {
		end_run(m, RUN_FAILED, STR(""));
		return OK;
	}
	r->state = RUN_UNDOING;
	r->deadline = m->now + (int64_t)m->rb->timeout_s * 1000;
	return walk_undo(m);
}

/* All that is being stopped; is anything still going on? */
static bool
halt_all(struct run_machine *m)
{
	bool active = false;

	for (size_t i = 0; i < m->run->step_n; i++)
		active |= run_halt(m, m->rb->steps[i], false, m->run->code);
	return active;
}

err
run_walk(struct run_machine *m)
{
	struct run *r = m->run;
	enum walked w;

	TRY(arena_check(m->a));
	if (run_over(r) || r->state == RUN_QUEUED)
		return OK;
	if (r->stopping) {
		if (!halt_all(m))
			end_run(m, r->stop_bad ? RUN_FAILED : RUN_CANCELLED,
			    STR(""));
		return arena_check(m->a);
	}
	if (r->state == RUN_UNDOING) {
		TRY(walk_undo(m));
		return arena_check(m->a);
	}
	TRY(walk_block(m, &m->rb->main, &w));
	if (w == IS_DONE)
		TRY(succeed(m));
	else if (w == HAS_FAILED)
		TRY(failed(m));
	return arena_check(m->a);
}

/* ---- for run_event.c ---- */

void
run_end_good(struct run_machine *m, const struct step *s,
    const struct json *outputs)
{
	run_step_of(m, s)->outputs = outputs;
	end_step(m, s, AT_SUCCEEDED, STR(""));
}

void
run_end_bad(struct run_machine *m, const struct step *s, struct str code)
{
	end_step(m, s, AT_FAILED, code);
}

void
run_end_attempt(struct run_machine *m, const struct step *s,
    const struct run_result *res)
{
	struct run_step *r = run_step_of(m, s);
	struct str code = res->code;

	if (code.n == 0)
		code = STR("failed");
	if (res->how == RUN_LOST) {
		fail_attempt(m, s, code, true);
		return;
	}
	if (r->stopping && !r->stop_bad) {
		stopped(m, s);
		return;
	}
	if (r->stopping) /* by its own time limit */
		code = r->code;
	fail_attempt(m, s, code, false);
}
