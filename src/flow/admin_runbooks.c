/*
 * admin_runbooks.c: /v1/projects/{p}/runbooks: what all versions of a runbook
 * have in common.  {n} is its id or its slug.
 */
#include "flow/admin_body.h"
#include "flow/handlers.h"
#include "flow/runbooks.h"

/* ---- answers ---- */

static void
render(struct call *c, struct jw *w, const struct object *o)
{
	const struct runbook_object *r = (const struct runbook_object *)o;

	(void)c;
	jw_obj(w);
	jw_uuid(w, "id", &r->o.id);
	jw_kstr(w, "slug", r->slug);
	jw_kstr(w, "name", r->name);
	jw_kstr(w, "context", r->context);
	jw_karr(w, "incident_types");
	for (size_t i = 0; i < r->types_n; i++)
		jw_str(w, r->types[i]);
	jw_arr_end(w);
	jw_kbool(w, "pinned", r->pinned);
	jw_kbool(w, "archived", r->archived);
	jw_ki64(w, "latest", r->latest);
	jw_name(w, STR("current"));
	if (r->current == 0)
		jw_null(w);
	else
		jw_i64(w, r->current);
	subject_json(w, "owner", r->owner_kind, &r->owner);
	jw_uuid(w, "created_by", &r->created_by.u);
	times_json(w, &r->o);
	jw_obj_end(w);
}

static bool
wanted(struct call *c, const struct object *o)
{
	return o->project == c->project->o.project;
}

err
route_runbook_list(struct call *c)
{
	return list_objects(c, OBJECT_RUNBOOK, wanted, render);
}

err
route_runbook_get(struct call *c)
{
	const struct runbook_object *r;

	TRY(call_runbook(c, &r));
	return answer_object(c, 200, &r->o, render);
}

/* ---- making and changing ---- */

static err
read_owner(struct call *c, struct runbook_object *r)
{
	const struct json *j = json_get(c->body, STR("owner"));

	if (j == NULL)
		return OK;
	if (!subject_of(j, &r->owner_kind, &r->owner) ||
	    !subject_exists(call_world(c), r->owner_kind, &r->owner))
		return call_bad(c, E_INVALID,
		    "owner: a user, service account or group there is");
	return OK;
}

err
route_runbook_create(struct call *c)
{
	struct runbook_object r = {.latest = 1,
	    .owner_kind = c->actor->kind,
	    .owner = c->actor->id,
	    .created_by = {c->actor->id}};
	struct runbook_version v = {0};
	const struct runbook *rb;
	struct str text;

	TRY(body_document(c, &rb, &text));
	TRY(read_owner(c, &r));
	if (world_runbook_slug(call_world(c), c->project->o.project,
		rb->slug) != NULL)
		return call_bad(c, E_EXISTS, "slug: a runbook has it already");
	TRY(room_for(c, OBJECT_RUNBOOK, LIM_RUNBOOKS));
	r.slug = rb->slug;
	runbook_show(&r, rb);
	admin_new(c, OBJECT_RUNBOOK, c->project->o.project, &r.o);
	call_touch(c, "runbook", &r.o.id);
	TRY(version_make(c, &r, &v));
	TRY(admin_put(c, &r.o));
	return answer_created(c, project_path(c, "/runbooks"), &r.o, render);
}

err
route_runbook_patch(struct call *c)
{
	const struct runbook_object *old;
	struct runbook_object r;

	TRY(call_runbook(c, &old));
	TRY(call_match(c, old->o.version));
	TRY(runbook_copy(c, old, &r));
	r.name = body_text(c, "name", r.name);
	r.pinned = body_flag(c, "pinned", r.pinned);
	r.archived = body_flag(c, "archived", r.archived);
	TRY(read_owner(c, &r));
	admin_touch(c, &r.o);
	TRY(admin_put(c, &r.o));
	c->rec.body = c->req->body;
	return answer_object(c, 200, &r.o, render);
}

static bool
triggered(struct call *c, const struct uuid *runbook)
{
	const struct object *const *o;
	size_t n;

	o = world_objects(call_world(c), OBJECT_TRIGGER, &n);
	for (size_t i = 0; i < n; i++)
		if (uuid_eq(&((const struct trigger_object *)o[i])->runbook,
			runbook))
			return true;
	return false;
}

/* What was published may have run, and stays to be looked at. */
err
route_runbook_delete(struct call *c)
{
	const struct runbook_object *r;
	struct uuid id;

	TRY(call_runbook(c, &r));
	TRY(call_match(c, r->o.version));
	if (r->current != 0)
		return call_bad(c, E_CONFLICT,
		    "a version was published: archive it");
	if (triggered(c, &r->o.id))
		return call_bad(c, E_CONFLICT, "a trigger starts it");
	id = r->o.id;
	c->dirty = true;
	TRY(store_version_delete(c->lane->conn, &id));
	TRY(admin_remove(c, OBJECT_RUNBOOK, &id));
	answer_empty(c, 204);
	return OK;
}
