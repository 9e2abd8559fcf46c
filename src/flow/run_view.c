/* run_view.c: see run_view.h. */
#include "flow/run_view.h"

#include "base/limits.h"
#include "flow/admin_body.h"
#include "flow/incident_view.h"
#include "flow/retention.h"

err
run_visible(struct call *c, uint64_t incident, struct incident_row *ret_row,
    bool *ret)
{
	*ret_row = (struct incident_row){0};
	return view_attached(c, incident, ret_row, ret);
}

err
view_run(struct call *c, size_t i, struct run_row *ret,
    struct incident_row *ret_incident)
{
	bool hidden, visible;
	struct uuid id;

	TRY(call_uuid(c, i, &id));
	TRY(store_run_by_id(c->lane->conn, &id, c->a, ret));
	if (ret->project != c->project->o.project)
		return err_of(E_NOT_FOUND);
	TRY(run_visible(c, ret->incident, ret_incident, &visible));
	hidden = ret_incident->private != 0;
	if (!hidden) {
		call_touch(c, "run", &id);
		return OK;
	}
	call_touch_hidden(c, "run", &id);
	call_touch_hidden(c, "incident", &ret_incident->id.u);
	return call_ask_private(c, c->route->perm, ret->project, visible,
	    &c->grant);
}

/* ---- the head ---- */

void
run_head_json(struct call *c, struct jw *w, const struct run_row *row,
    const struct uuid *incident)
{
	const struct world *world = call_world(c);
	const struct runbook_object *rb = world_runbook(world, &row->runbook);

	jw_uuid(w, "id", &row->id);
	jw_kobj(w, "runbook");
	jw_uuid(w, "id", &row->runbook);
	jw_kstr(w, "slug", rb == NULL ? STR_NONE : rb->slug);
	jw_kstr(w, "name", rb == NULL ? STR_NONE : rb->name);
	jw_ki64(w, "version", row->number);
	jw_obj_end(w);
	jw_kstr(w, "state", run_state_text(row->state));
	jw_kobj(w, "requester");
	jw_kstr(w, "kind",
	    str_c(
		principal_kind_text((enum principal_kind)row->requester_kind)));
	jw_uuid(w, "id", &row->requester);
	jw_kstr(w, "name",
	    world_principal_name(world,
		(enum principal_kind)row->requester_kind, &row->requester));
	jw_obj_end(w);
	id_or_null(w, "trigger", &row->cause);
	id_or_null(w, "incident", incident);
	id_or_null(w, "alert", &row->alert);
	jw_time(w, "created_at", row->created);
	jw_time(w, "started_at", row->started);
	jw_time(w, "ended_at", row->ended);
	retention_expires(c, w, row->project, RETAIN_RUN, incident, row->ended);
}

/* ---- steps ---- */

static void
votes_json(struct call *c, struct jw *w, const struct run_vote *v)
{
	jw_karr(w, "decisions");
	for (; v != NULL; v = v->next) {
		jw_obj(w);
		jw_uuid(w, "user", &v->who);
		jw_kstr(w, "name",
		    world_principal_name(call_world(c), PRINCIPAL_USER,
			&v->who));
		jw_kstr(w, "decision", v->yes ? STR("approve") : STR("reject"));
		jw_time(w, "at", v->at);
		jw_ki64(w, "seq", (int64_t)v->seq);
		jw_kstr(w, "note", v->note);
		jw_obj_end(w);
	}
	jw_arr_end(w);
}

static void
person_json(struct jw *w, const struct person *p)
{
	jw_obj(w);
	jw_kstr(w, "kind", p->group ? STR("group") : STR("user"));
	jw_kstr(w, "id", p->id);
	jw_obj_end(w);
}

/* Whom it waits for, and until when. */
static err
waiting_json(struct engine_run *r, struct jw *w, const struct step *s,
    const struct run_step *st)
{
	char digest[DIGEST_TEXT + 1];

	if (st->at == AT_MANUAL) {
		jw_kobj(w, "waiting_for");
		jw_kstr(w, "instructions", s->manual.instructions);
		jw_name(w, STR("assignee"));
		if (s->manual.assigned)
			person_json(w, &s->manual.assignee);
		else
			jw_null(w);
		jw_time(w, "until", st->due);
		jw_obj_end(w);
	} else if (st->at == AT_APPROVAL) {
		TRY(engine_digest(r, digest));
		jw_kobj(w, "waiting_for");
		jw_kstr(w, "message", s->approval.message);
		jw_ki64(w, "count", s->approval.count);
		jw_karr(w, "approvers");
		for (size_t i = 0; i < s->approval.approvers_n; i++)
			person_json(w, &s->approval.approvers[i]);
		jw_arr_end(w);
		jw_kstr(w, "digest", str_c(digest));
		jw_time(w, "until", st->due);
		jw_obj_end(w);
	} else if (st->due != 0 && !run_at_over(st->at)) {
		jw_time(w, "until", st->due);
	}
	return OK;
}

static err
step_json(struct call *c, struct engine_run *r, struct jw *w,
    const struct step *s)
{
	const struct run_step *st = &r->m.run->step[s->index];

	jw_obj(w);
	jw_kstr(w, "id", s->id);
	jw_kstr(w, "kind", step_kind_text(s->kind));
	jw_kstr(w, "name", s->name.n > 0 ? s->name : STR_NONE);
	jw_kstr(w, "path", s->path);
	jw_kbool(w, "undo", s->in_undo);
	jw_kstr(w, "state", run_at_text(st->at));
	jw_kstr(w, "code", st->code.n > 0 ? st->code : STR_NONE);
	jw_ki64(w, "attempt", st->attempt);
	jw_kbool(w, "began", st->began);
	jw_time(w, "started_at", st->started);
	jw_time(w, "ended_at", st->ended);
	id_or_null(w, "task", &st->task);
	if (!uuid_is_zero(&st->by))
		jw_uuid(w, "completed_by", &st->by);
	if (st->note.n > 0)
		jw_kstr(w, "note", st->note);
	if (st->outputs != NULL) {
		jw_name(w, STR("outputs"));
		jw_value(w, st->outputs);
	}
	if (st->votes != NULL)
		votes_json(c, w, st->votes);
	TRY(waiting_json(r, w, s, st));
	jw_obj_end(w);
	return OK;
}

/* What it says of itself beside the row. */
static void
rest_json(struct call *c, struct jw *w, struct engine_run *r)
{
	const struct run *run = r->m.run;

	jw_kstr(w, "digest", r->facts.digest);
	jw_kstr(w, "code", run->code.n > 0 ? run->code : STR_NONE);
	jw_kbool(w, "stopping", run->stopping);
	jw_kbool(w, "undo_failed", run->undo_bad);
	jw_kbool(w, "frozen", world_frozen(call_world(c), r->row.project));
	jw_time(w, "deadline", run_over(run) ? 0 : run->deadline);
	jw_ki64(w, "depth", r->row.depth);
	jw_name(w, STR("inputs"));
	jw_value(w, r->facts.inputs);
	jw_name(w, STR("outputs"));
	if (run->outputs != NULL)
		jw_value(w, run->outputs);
	else
		jw_null(w);
}

err
answer_run(struct call *c, struct engine_run *r, const struct uuid *incident,
    int status)
{
	struct run_row row = r->row;
	struct jw *w = answer(c, status);

	row.state = (uint8_t)r->m.run->state;
	jw_obj(w);
	run_head_json(c, w, &row, incident);
	rest_json(c, w, r);
	jw_karr(w, "steps");
	for (size_t i = 0; i < r->v.rb->steps_n; i++)
		TRY(step_json(c, r, w, r->v.rb->steps[i]));
	jw_arr_end(w);
	jw_obj_end(w);
	answer_etag(c, r->row.version);
	return buf_check(&c->out);
}

/* ---- plans ---- */

/* Delegates that could take it now. */
static void
delegates_json(struct call *c, struct jw *w, uint32_t project,
    const struct selector *sel)
{
	static const struct json_limits lim = {4, 64, 256};
	const struct object *const *o;
	size_t n;

	o = world_objects(call_world(c), OBJECT_DELEGATE, &n);
	jw_karr(w, "delegates");
	for (size_t i = 0; i < n; i++) {
		const struct delegate *d = (const struct delegate *)o[i];
		const struct json *labels;

		if (d->o.project != project || d->state != DELEGATE_APPROVED ||
		    !err_ok(json_parse(c->a, d->labels, &lim, NULL, &labels)) ||
		    !selector_matches(sel, labels))
			continue;
		jw_obj(w);
		jw_uuid(w, "id", &d->o.id);
		jw_kstr(w, "name", d->name);
		jw_obj_end(w);
	}
	jw_arr_end(w);
}

static void
uses_json(struct jw *w, const struct step *s)
{
	jw_karr(w, "connectors");
	if (s->kind == STEP_HTTP)
		jw_str(w, s->http.connector);
	for (size_t i = 0; s->kind == STEP_SCRIPT && i < s->script.connectors_n;
	     i++)
		jw_str(w, s->script.connectors[i]);
	jw_arr_end(w);
	jw_karr(w, "secrets");
	for (size_t i = 0; s->kind == STEP_SCRIPT && i < s->script.secrets_n;
	     i++)
		jw_str(w, s->script.secrets[i].name);
	jw_arr_end(w);
}

/* The values it would be given, as far as the inputs tell: what a step before
 * it gives is null here. */
static err
task_json(struct call *c, struct engine_run *r, struct jw *w,
    const struct step *s)
{
	struct scope scope = {.inputs = r->m.inputs,
	    .incident = r->m.incident,
	    .alert = r->m.alert,
	    .run = r->m.about};
	struct trail t = {""};
	struct selector sel;
	struct buf b;
	err e;

	if (s->kind == STEP_SCRIPT) {
		jw_kstr(w, "interpreter", s->script.interpreter);
		jw_kstr(w, "script", s->script.script);
	} else {
		jw_kstr(w, "action", s->http.action);
	}
	buf_init_on(&b, c->a, LIM_RUN_VALUES);
	e = step_values(s, &scope, c->a, &t, &b);
	jw_name(w, STR("values"));
	if (err_ok(e))
		jw_raw(w, buf_view(&b));
	else
		jw_null(w);
	jw_kstr(w, "values_wait", err_ok(e) ? STR_NONE : str_c(t.detail));
	uses_json(w, s);
	e = engine_selector(r, s, &sel);
	jw_name(w, STR("selector"));
	if (err_ok(e))
		selector_json(w, &sel);
	else
		jw_null(w);
	if (!err_ok(e))
		sel = (struct selector){0}; /* matches nothing */
	delegates_json(c, w, r->row.project, &sel);
	return arena_check(c->a);
}

err
answer_plan(struct call *c, struct engine_run *r, const struct uuid *incident)
{
	struct jw *w = answer(c, 200);

	jw_obj(w);
	jw_kbool(w, "dry_run", true);
	jw_kobj(w, "runbook");
	jw_uuid(w, "id", &r->row.runbook);
	jw_kstr(w, "slug", r->v.rb->slug);
	jw_ki64(w, "version", r->row.number);
	jw_obj_end(w);
	jw_kstr(w, "digest", r->facts.digest);
	id_or_null(w, "incident", incident);
	jw_kbool(w, "frozen", world_frozen(call_world(c), r->row.project));
	jw_name(w, STR("inputs"));
	jw_value(w, r->facts.inputs);
	jw_karr(w, "steps");
	for (size_t i = 0; i < r->v.rb->steps_n; i++) {
		const struct step *s = r->v.rb->steps[i];

		jw_obj(w);
		jw_kstr(w, "id", s->id);
		jw_kstr(w, "kind", step_kind_text(s->kind));
		jw_kstr(w, "path", s->path);
		jw_kbool(w, "undo", s->in_undo);
		jw_kbool(w, "conditional", s->only_if != NULL);
		if (s->kind == STEP_SCRIPT || s->kind == STEP_HTTP)
			TRY(task_json(c, r, w, s));
		jw_obj_end(w);
	}
	jw_arr_end(w);
	jw_obj_end(w);
	return buf_check(&c->out);
}
