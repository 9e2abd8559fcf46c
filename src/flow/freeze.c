/*
 * freeze.c: automation stands still, everywhere or in one project, from the
 * moment the answer is given: no task is leased, no step starts, what runs is
 * told to stop.  Letting it go on looks at every run once.
 */
#include "flow/admin_body.h"
#include "flow/engine.h"
#include "flow/handlers.h"
#include "flow/writer.h"

enum { PIECE_RUNS = 64 };

static uint32_t
place_of(const struct call *c)
{
	return c->project == NULL ? 0 : c->project->o.project;
}

/* ---- answers ---- */

static void
freeze_json(struct call *c, struct jw *w, const char *name,
    const struct freeze *f)
{
	jw_name(w, str_c(name));
	if (f == NULL) {
		jw_null(w);
		return;
	}
	jw_obj(w);
	jw_kstr(w, "reason", f->reason);
	jw_kobj(w, "by");
	jw_kstr(w, "kind", str_c(principal_kind_text(f->by_kind)));
	jw_uuid(w, "id", &f->by.u);
	jw_kstr(w, "name",
	    world_principal_name(call_world(c), f->by_kind, &f->by.u));
	jw_obj_end(w);
	jw_time(w, "since", f->o.created);
	jw_obj_end(w);
}

static err
answer_freeze(struct call *c, int status)
{
	const struct world *world = call_world(c);
	const struct freeze *all = world_freeze(world, 0), *here = NULL;
	struct jw *w = answer(c, status);

	if (c->project != NULL)
		here = world_freeze(world, c->project->o.project);
	jw_obj(w);
	jw_kbool(w, "frozen", all != NULL || here != NULL);
	freeze_json(c, w, "organization", all);
	if (c->project != NULL) {
		jw_kstr(w, "project_slug", c->project->slug);
		freeze_json(c, w, "project", here);
		if (here != NULL)
			answer_etag(c, here->o.version);
	} else if (all != NULL) {
		answer_etag(c, all->o.version);
	}
	jw_obj_end(w);
	return buf_check(&c->out);
}

err
route_freeze_get(struct call *c)
{
	return answer_freeze(c, 200);
}

err
route_project_freeze_get(struct call *c)
{
	return answer_freeze(c, 200);
}

/* ---- every run of a place ---- */

typedef err (*each_run)(struct call *c, const struct uuid *run);

static err
runs_of(struct call *c, uint32_t project, enum run_state state, each_run fn)
{
	struct uuid id[PIECE_RUNS];
	uint64_t after = 0;
	size_t n = PIECE_RUNS;

	while (n == PIECE_RUNS) {
		TRY(store_run_in_state(c->lane->conn, project, (uint8_t)state,
		    after, id, PIECE_RUNS, &n, &after));
		for (size_t i = 0; i < n; i++)
			TRY(fn(c, &id[i]));
	}
	return OK;
}

static err
runs_at(struct call *c, uint32_t project, enum run_state state, each_run fn)
{
	const struct object *const *o;
	size_t n;

	if (project != 0)
		return runs_of(c, project, state, fn);
	o = world_objects(call_world(c), OBJECT_PROJECT, &n);
	for (size_t i = 0; i < n; i++)
		TRY(runs_of(c, o[i]->project, state, fn));
	return OK;
}

/* ---- freezing ---- */

static err
stop_run(struct call *c, const struct uuid *run)
{
	return task_cancel_run(c->lane, run, c->now);
}

static err
freeze(struct call *c)
{
	uint32_t place = place_of(c);
	const struct freeze *old = world_freeze(call_world(c), place);
	struct freeze f = {.reason = body_text(c, "reason", STR("")),
	    .by_kind = c->actor->kind,
	    .by = {c->actor->id}};

	if (f.reason.n == 0)
		return call_bad(c, E_INVALID, "reason is empty");
	c->rec.body = c->req->body;
	if (old != NULL)
		return answer_freeze(c, 200); /* the first one stands */
	admin_new(c, OBJECT_FREEZE, place, &f.o);
	call_touch(c, "freeze", &f.o.id);
	TRY(admin_put(c, &f.o));
	TRY(runs_at(c, place, RUN_RUNNING, stop_run));
	TRY(runs_at(c, place, RUN_UNDOING, stop_run));
	tasks_wake(c->lane);
	return answer_freeze(c, 201);
}

err
route_freeze_put(struct call *c)
{
	return freeze(c);
}

err
route_project_freeze_put(struct call *c)
{
	return freeze(c);
}

/* ---- going on ---- */

static err
go_on(struct call *c, const struct uuid *run)
{
	struct engine_run *r;

	TRY(engine_open(c->lane, run, c->now, &r));
	if (r->m.held)
		return OK; /* the other freeze still holds */
	TRY(run_look(&r->m));
	TRY(engine_settle(r));
	return engine_rest(c->lane, c->now);
}

static err
have_turn(struct call *c, const struct uuid *run)
{
	TRY(engine_later(c->lane, run));
	return engine_rest(c->lane, c->now);
}

static err
thaw(struct call *c)
{
	uint32_t place = place_of(c);
	const struct freeze *old = world_freeze(call_world(c), place);
	struct uuid id;

	if (old == NULL)
		return err_of(E_NOT_FOUND);
	id = old->o.id;
	call_touch(c, "freeze", &id);
	TRY(call_match(c, old->o.version));
	TRY(admin_remove(c, OBJECT_FREEZE, &id));
	TRY(runs_at(c, place, RUN_RUNNING, go_on));
	TRY(runs_at(c, place, RUN_UNDOING, go_on));
	TRY(runs_at(c, place, RUN_QUEUED, have_turn));
	tasks_wake(c->lane);
	answer_empty(c, 204);
	return OK;
}

err
route_freeze_end(struct call *c)
{
	return thaw(c);
}

err
route_project_freeze_end(struct call *c)
{
	return thaw(c);
}
