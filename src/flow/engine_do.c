/* engine_do.c: what comes of what happened to a run. */
#include "audit/digest.h"
#include "base/json_canon.h"
#include "base/limits.h"
#include "flow/connectors.h"
#include "flow/engine.h"
#include "flow/handlers.h"
#include "flow/line.h"
#include "flow/shape.h"
#include "flow/writer.h"

static const struct json_limits values_limits = {
    .depth = LIM_JSON_DEPTH * 2,
    .members = LIM_JSON_MEMBERS,
    .values = LIM_JSON_VALUES,
};

bool
engine_may(struct engine_run *r, enum permission p)
{
	struct target t = {.perm = p, .project = r->row.project};
	const struct call *c = &r->as;

	if (!access_decide(c->actor, &t, c->now).allowed)
		return false;
	return c->also == NULL || access_decide(c->also, &t, c->now).allowed;
}

/* ---- entries ---- */

static struct run_step *
state_of(struct engine_run *r, const struct step *s)
{
	return &r->m.run->step[s->index];
}

/* A resource that is a word of ours and not an id. */
static void
touch_ref(struct call *c, const char *type, struct str ref)
{
	size_t i = c->rec.resources;

	if (i == AUDIT_RESOURCES || ref.n == 0)
		return;
	call_touch_num(c, type, 0);
	c->rec.resource[i].ref = ref;
}

void
engine_touch(struct engine_run *r, struct call *c)
{
	if (r->incident != NULL && r->incident->head.restricted) {
		call_touch_hidden(c, "run", &r->row.id);
		call_touch_hidden(c, "incident", &r->incident->row.id.u);
		return;
	}
	call_touch(c, "run", &r->row.id);
	if (r->incident != NULL)
		call_touch(c, "incident", &r->incident->row.id.u);
}

static struct str
output_digest(struct engine_run *r, const struct json *outputs)
{
	char *text;

	if (outputs == NULL)
		return STR("");
	text = arena_get(r->a, DIGEST_TEXT + 1);
	if (text == NULL || !err_ok(digest_json(r->a, outputs, text)))
		return STR("");
	return str_of(text, DIGEST_TEXT);
}

err
engine_record(struct engine_run *r, enum audit_action action, struct str reason,
    const struct step *s)
{
	struct call *c = &r->as;
	const struct json *outputs =
	    s != NULL ? state_of(r, s)->outputs : r->m.run->outputs;

	c->rec = (struct record){.action = action,
	    .project = r->row.project,
	    .reason = reason};
	engine_touch(r, c);
	if (r->incident != NULL)
		c->rec.body_key = r->incident->key;
	if (!r->origin.hidden)
		call_touch(c, "runbook", &r->row.runbook);
	if (s != NULL && !r->origin.hidden) {
		touch_ref(c, "run_step", s->id);
		touch_ref(c, "code", state_of(r, s)->code);
	}
	touch_ref(c, "output_digest", output_digest(r, outputs));
	return ledger_add(writer_ledger(r->lane->writer), r->lane, r->a, c);
}

err
engine_note(struct engine_run *r, struct call *by, enum entry_kind kind,
    const struct step *s, struct str text)
{
	const struct json *outputs =
	    s != NULL ? state_of(r, s)->outputs : r->m.run->outputs;
	struct str digest = output_digest(r, outputs);
	struct buf b;
	struct jw w;

	if (r->incident == NULL)
		return OK;
	buf_init_on(&b, r->a, 1024);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_uuid(&w, "run", &r->row.id);
	jw_uuid(&w, "runbook", &r->row.runbook);
	jw_ki64(&w, "version", r->row.number);
	if (s == NULL) {
		jw_kstr(&w, "state", run_state_text(r->m.run->state));
	} else {
		jw_kstr(&w, "step", s->id);
		jw_kstr(&w, "state", run_at_text(state_of(r, s)->at));
		jw_kstr(&w, "code", state_of(r, s)->code);
		jw_ki64(&w, "attempt", state_of(r, s)->attempt);
	}
	if (digest.n > 0)
		jw_kstr(&w, "output_digest", digest);
	jw_obj_end(&w);
	TRY(buf_check(&b));
	return desk_entry(by, r->incident, kind, false, 0, text, buf_view(&b),
	    NULL);
}

/* ---- steps that others carry out ---- */

static err
ends(struct engine_run *r, const struct run_effect *f, bool good,
    struct str code)
{
	struct run_result res = {.attempt = f->attempt,
	    .how = good ? RUN_GOOD : RUN_BAD,
	    .code = code};

	return run_result(&r->m, f->step, &res);
}

/* Who started the run may still run what the step uses. */
static bool
still_may(struct engine_run *r, const struct step *s)
{
	bool connects = s->kind == STEP_HTTP || s->script.connectors_n > 0;
	bool secrets = s->kind == STEP_SCRIPT && s->script.secrets_n > 0;

	return engine_may(r, PERM_RUNBOOK_RUN) &&
	    (!connects || engine_may(r, PERM_CONNECTOR_USE)) &&
	    (!secrets || engine_may(r, PERM_SECRET_USE));
}

static err
labels_copy(struct arena *a, const struct connector *c, struct selector *ret)
{
	struct label *l = arena_array(a, c->labels_n + 1, sizeof *l);

	TRY(arena_check(a));
	for (size_t i = 0; i < c->labels_n; i++)
		l[i] = (struct label){c->labels[i].name, c->labels[i].value};
	*ret = (struct selector){l, c->labels_n};
	return OK;
}

err
engine_selector(struct engine_run *r, const struct step *s,
    struct selector *ret)
{
	struct connector_use use;
	struct connector c;
	const struct json *j;

	*ret = s->delegates;
	if (!s->selects && s->kind == STEP_HTTP) {
		TRY(connector_usable(r->lane->snap->world, r->row.project,
		    s->http.connector, r->m.now, &r->m.trail, &use));
		TRY(json_parse(r->a, use.document, &connector_limits,
		    &r->m.trail, &j));
		TRY(connector_parse(r->a, j, &r->m.trail, &c));
		TRY(labels_copy(r->a, &c, ret));
	}
	/* L13: what selects nothing matches nothing */
	return err_of(ret->labels_n > 0 ? E_OK : E_INVALID);
}

/* {"name":"value"} of the delegates that may take it. */
static err
labels_of(struct engine_run *r, const struct step *s, struct str *ret)
{
	struct selector sel;
	const struct json *j;
	struct buf b;
	struct jw w;

	TRY(engine_selector(r, s, &sel));
	buf_init_on(&b, r->a, 4096);
	jw_init(&w, &b);
	selector_json(&w, &sel);
	TRY(buf_check(&b));
	TRY(json_parse(r->a, buf_view(&b), &values_limits, &r->m.trail, &j));
	return json_canon_text(r->a, json_get(j, STR("labels")), 4096, ret);
}

/* Audit numbers of all approvals given in this run. */
static err
approvals_of(struct engine_run *r, struct task_new *t)
{
	uint64_t *seq;
	size_t n = 0;

	for (size_t i = 0; i < r->m.run->step_n; i++)
		for (const struct run_vote *v = r->m.run->step[i].votes;
		     v != NULL; v = v->next)
			n += v->yes;
	seq = arena_array(r->a, n + 1, sizeof *seq);
	TRY(arena_check(r->a));
	t->approvals = seq;
	for (size_t i = 0; i < r->m.run->step_n; i++)
		for (const struct run_vote *v = r->m.run->step[i].votes;
		     v != NULL; v = v->next)
			if (v->yes)
				seq[t->approvals_n++] = v->seq;
	return OK;
}

static err
canonical(struct engine_run *r, struct str text, struct str *ret)
{
	const struct json *j;

	TRY(json_parse(r->a, text, &values_limits, &r->m.trail, &j));
	return json_canon_text(r->a, j, LIM_RUN_VALUES, ret);
}

static err
offer(struct engine_run *r, const struct run_effect *f, struct uuid *ret)
{
	const struct step *s = f->step;
	struct task_new t = {.project = r->row.project,
	    .run = r->row.id,
	    .step = s->id,
	    .attempt = f->attempt,
	    .runbook = r->row.runbook,
	    .version = r->row.number,
	    .timeout_s = s->timeout_s};

	TRY(canonical(r, f->values, &t.values));
	TRY(labels_of(r, s, &t.labels));
	TRY(approvals_of(r, &t));
	return task_offer(r->lane, &t, r->m.now, ret);
}

/* The store is in trouble, not the step. */
static bool
ours(err e)
{
	return err_status(e) >= 500;
}

static err
do_task(struct engine_run *r, const struct run_effect *f)
{
	struct uuid task;
	err e;

	if (!still_may(r, f->step))
		return ends(r, f, false, STR("forbidden"));
	e = offer(r, f, &task);
	if (err_ok(e)) {
		state_of(r, f->step)->task = task;
		return OK;
	}
	if (ours(e))
		return e;
	return ends(r, f, false, str_c(err_name(e)));
}

static err
do_cancel(struct engine_run *r, const struct run_effect *f)
{
	const struct uuid *task = &state_of(r, f->step)->task;
	err e;

	if (f->step->kind == STEP_INCIDENT || uuid_is_zero(task))
		return OK;
	e = task_cancel(r->lane, task, r->m.now);
	return err_is(e, E_NOT_FOUND) ? OK : e;
}

/* ---- incident steps: the very requests anybody could make ---- */

static const struct route *
route_of(err (*handle)(struct call *c))
{
	for (size_t i = 0; i < routes_n; i++)
		if (routes[i].handle == handle)
			return &routes[i];
	bug(__FILE__, __LINE__, "no such route");
}

/* A refusal is an answer: *ret. An error is one of the store. */
static err
ask_line(struct engine_run *r, err (*handle)(struct call *c), struct str body,
    err *ret)
{
	/* entries of refusals are shared: they outlive this function */
	struct call *c = ARENA_NEW(r->a, struct call);
	struct buf number;

	TRY(arena_check(r->a));
	*c = r->as;
	buf_init_on(&number, r->a, 24);
	buf_u64(&number, r->incident->row.number);
	c->route = route_of(handle);
	c->var[0] = c->project->slug;
	c->var[1] = buf_view(&number);
	c->rec = (struct record){.action = c->route->audit,
	    .project = r->row.project};
	c->trail.detail[0] = '\0';
	c->dirty = false;
	*ret = json_parse(c->a, body, &values_limits, &c->trail, &c->body);
	if (err_ok(*ret))
		*ret = line_inside(c);
	if (!err_ok(*ret)) {
		if (c->dirty || ours(*ret))
			return *ret;
		c->rec.body = STR_NONE;
		if (!line_denied(c, *ret)) {
			c->rec.outcome = AUDIT_ERROR;
			c->rec.reason = str_c(err_name(*ret));
		}
	} else {
		c->rec.body = body;
	}
	if (r->origin.hidden)
		call_touch_hidden(c, "run", &r->row.id);
	else
		call_touch(c, "run", &r->row.id);
	return ledger_add(writer_ledger(r->lane->writer), r->lane, r->a, c);
}

/* "fields.x" of a step is one member of fields; the others stay. */
static void
fields_json(struct jw *w, const struct json *set, const struct json *old)
{
	static const struct str prefix = {"fields.", 7};

	jw_kobj(w, "fields");
	for (const struct json *j = json_first(set); j != NULL; j = j->next)
		if (str_starts(j->name, prefix)) {
			jw_name(w, str_skip(j->name, prefix.n));
			jw_value(w, j);
		}
	for (old = json_first(old); old != NULL; old = old->next) {
		bool again = false;

		for (const struct json *j = json_first(set); j != NULL;
		     j = j->next)
			again |= str_starts(j->name, prefix) &&
			    str_eq(str_skip(j->name, prefix.n), old->name);
		if (again)
			continue;
		jw_name(w, old->name);
		jw_value(w, old);
	}
	jw_obj_end(w);
}

static err
patch_body(struct engine_run *r, const struct json *set, struct str *ret)
{
	const struct json *doc;
	bool below = false;
	struct buf b;
	struct jw w;

	TRY(desk_incident_doc(r->lane, r->incident));
	TRY(json_parse(r->a, r->incident->doc, &values_limits, &r->m.trail,
	    &doc));
	buf_init_on(&b, r->a, LIM_REPLY);
	jw_init(&w, &b);
	jw_obj(&w);
	for (const struct json *j = json_first(set); j != NULL; j = j->next) {
		if (str_starts(j->name, STR("fields."))) {
			below = true;
			continue;
		}
		jw_name(&w, j->name);
		jw_value(&w, j);
	}
	if (below)
		fields_json(&w, set, json_get(doc, STR("fields")));
	jw_obj_end(&w);
	*ret = buf_view(&b);
	return buf_check(&b);
}

static err
move_body(struct engine_run *r, struct str to, struct str *ret)
{
	struct buf b;
	struct jw w;

	buf_init_on(&b, r->a, 256);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_kstr(&w, "to", to);
	jw_obj_end(&w);
	*ret = buf_view(&b);
	return buf_check(&b);
}

static err
entry_body(struct engine_run *r, const struct json *v, struct str *ret)
{
	bool key = false;
	struct buf b;
	struct jw w;

	(void)json_bool(json_get(v, STR("key_event")), &key);
	buf_init_on(&b, r->a, LIM_RUN_VALUES);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_kstr(&w, "text", json_str_at(v, STR("timeline")));
	jw_kbool(&w, "key_event", key);
	jw_obj_end(&w);
	*ret = buf_view(&b);
	return buf_check(&b);
}

/* Each part of the step, until one is refused. */
static err
change_incident(struct engine_run *r, const struct json *v, err *ret)
{
	const struct json *set = json_get(v, STR("set"));
	struct str to = json_str_at(v, STR("transition")), body;

	*ret = OK;
	if (json_first(set) != NULL) {
		TRY(patch_body(r, set, &body));
		TRY(ask_line(r, route_incident_patch, body, ret));
	}
	if (err_ok(*ret) && to.n > 0) {
		TRY(move_body(r, to, &body));
		TRY(ask_line(r, route_incident_move, body, ret));
	}
	if (err_ok(*ret) && json_get(v, STR("timeline")) != NULL) {
		TRY(entry_body(r, v, &body));
		TRY(ask_line(r, route_timeline_add, body, ret));
	}
	return OK;
}

static err
do_incident(struct engine_run *r, const struct run_effect *f)
{
	const struct json *v;
	err e;

	if (r->incident == NULL)
		return ends(r, f, false, STR("no_incident"));
	TRY(json_parse(r->a, f->values, &values_limits, &r->m.trail, &v));
	TRY(change_incident(r, v, &e));
	TRY(engine_scope(r)); /* what follows sees what was changed */
	return ends(r, f, err_ok(e), err_ok(e) ? STR("") : str_c(err_name(e)));
}

/* ---- telling ---- */

static err
tell_step(struct engine_run *r, const struct run_effect *f)
{
	struct run_step *s = state_of(r, f->step);
	enum audit_action action =
	    run_at_over(f->at) ? AUDIT_RUN_STEP_END : AUDIT_RUN_STEP;
	struct run_step now = *s;
	struct buf text;
	err e;

	/* as it was then: later effects of the same event may be ahead */
	s->at = f->at;
	s->code = f->code;
	buf_init_on(&text, r->a, 512);
	buf_fmt(&text, "%.*s: step %.*s %.*s", STR_ARG(r->v.rb->name),
	    STR_ARG(f->step->id), STR_ARG(run_at_text(f->at)));
	if (f->code.n > 0)
		buf_fmt(&text, " (%.*s)", STR_ARG(f->code));
	e = engine_record(r, action, run_at_text(f->at), f->step);
	if (err_ok(e))
		e = engine_note(r, &r->as, ENTRY_RUN_STEP, f->step,
		    buf_view(&text));
	*s = now;
	return e;
}

static err
tell_end(struct engine_run *r)
{
	struct uuid next;
	struct buf text;
	err e;

	TRY(engine_record(r, AUDIT_RUN_END, run_state_text(r->m.run->state),
	    NULL));
	buf_init_on(&text, r->a, 512);
	buf_fmt(&text, "%.*s: run %.*s", STR_ARG(r->v.rb->name),
	    STR_ARG(run_state_text(r->m.run->state)));
	TRY(engine_note(r, &r->as, ENTRY_RUN_ENDED, NULL, buf_view(&text)));
	if (r->v.rb->limit == 0)
		return OK;
	e = store_run_first(r->lane->conn, &r->row.runbook, RUN_QUEUED, &next);
	if (err_is(e, E_NOT_FOUND))
		return OK;
	TRY(e);
	return engine_later(r->lane, &next);
}

err
engine_do(struct engine_run *r, const struct run_effect *f)
{
	switch (f->kind) {
	case RUN_DO_TASK:
		return do_task(r, f);
	case RUN_DO_CANCEL:
		return do_cancel(r, f);
	case RUN_DO_INCIDENT:
		return do_incident(r, f);
	case RUN_TELL_STEP:
		return tell_step(r, f);
	case RUN_TELL_END:
		return tell_end(r);
	}
	return err_of(E_INTERNAL);
}
