/* admin_projects.c: /v1/projects. */
#include "base/limits.h"
#include "flow/admin_body.h"
#include "flow/desk.h"
#include "flow/handlers.h"
#include "flow/holds.h"
#include "flow/project_end.h"
#include "flow/secret_care.h"

static void
render(struct call *c, struct jw *w, const struct object *o)
{
	const struct project *p = (const struct project *)o;

	(void)c;
	jw_obj(w);
	jw_uuid(w, "id", &o->id);
	jw_kstr(w, "slug", p->slug);
	jw_kstr(w, "name", p->name);
	times_json(w, o);
	jw_obj_end(w);
}

static bool
visible(struct call *c, const struct object *o)
{
	return call_can(c, PERM_PROJECT_VIEW, o->project);
}

err
route_project_list(struct call *c)
{
	return list_objects(c, OBJECT_PROJECT, visible, render);
}

err
route_project_get(struct call *c)
{
	call_touch(c, "project", &c->project->o.id);
	return answer_object(c, 200, &c->project->o, render);
}

err
route_project_create(struct call *c)
{
	struct project p = {0};
	uint32_t number;

	p.slug = body_text(c, "slug", STR(""));
	p.name = body_text(c, "name", p.slug);
	if (world_project_slug(call_world(c), p.slug) != NULL)
		return call_bad(c, E_EXISTS, "slug: a project has it already");
	TRY(room_for(c, OBJECT_PROJECT, LIM_PROJECTS));
	TRY(admin_project_number(c, &number));
	admin_new(c, OBJECT_PROJECT, number, &p.o);
	TRY(admin_project_keys(c, number));
	TRY(admin_put(c, &p.o));
	c->rec.project = number;
	c->rec.body = c->req->body;
	call_touch(c, "project", &p.o.id);
	answer_location(c, "/v1/projects/%.*s", STR_ARG(p.slug));
	return answer_object(c, 201, &p.o, render);
}

err
route_project_patch(struct call *c)
{
	struct project p = *c->project;

	call_touch(c, "project", &p.o.id);
	TRY(call_match(c, p.o.version));
	p.slug = arena_dup(c->a, p.slug);
	p.name = arena_dup(c->a, body_text(c, "name", p.name));
	TRY(arena_check(c->a));
	admin_touch(c, &p.o);
	TRY(admin_put(c, &p.o));
	c->rec.body = c->req->body;
	return answer_object(c, 200, &p.o, render);
}

/* ---- deleting ---- */

/* Records of what happened outlive the wish to tidy up: a project that has
 * any stays until retention has removed them. */
static err
has_no_records(struct call *c, uint32_t project)
{
	struct alert_filter f = {.project = project};
	struct alert_row *row;
	bool any;
	size_t n;

	TRY(store_incident_any(c->lane->conn, project, &any));
	TRY(store_alert_list(c->lane->conn, &f, 1, c->a, &row, &n));
	if (!any && n == 0 && !desk_in_use(c->lane, project))
		return OK;
	return call_bad(c, E_CONFLICT,
	    "the project has incidents or alerts on record");
}

err
route_project_delete(struct call *c)
{
	uint32_t project = c->project->o.project;
	struct uuid id = c->project->o.id, part;

	call_touch(c, "project", &id);
	TRY(call_match(c, c->project->o.version));
	TRY(hold_refuse(c, hold_within(call_world(c), project, c->now)));
	TRY(has_no_records(c, project));
	while (project_first(c, OBJECT_INTEGRATION, project, &part)) {
		TRY(drop_tokens(c, &part));
		TRY(admin_remove(c, OBJECT_INTEGRATION, &part));
	}
	while (project_first(c, OBJECT_CONNECTOR, project, &part))
		TRY(admin_remove(c, OBJECT_CONNECTOR, &part));
	while (project_first(c, OBJECT_SECRET, project, &part)) {
		TRY(secret_destroy_all(c->lane,
		    world_secret(call_world(c), &part), c->a));
		TRY(admin_remove(c, OBJECT_SECRET, &part));
	}
	while (project_first(c, OBJECT_BINDING, project, &part))
		TRY(admin_remove(c, OBJECT_BINDING, &part));
	TRY(project_end(c, project));
	TRY(admin_remove(c, OBJECT_PROJECT, &id));
	answer_empty(c, 204);
	return OK;
}
