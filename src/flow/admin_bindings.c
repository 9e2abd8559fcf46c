/*
 * admin_bindings.c: /v1/bindings.  Who sees roles sees all of them; who
 * grants in a project sees that project's.
 */
#include "base/limits.h"
#include "flow/admin_body.h"
#include "flow/handlers.h"

static void
render(struct call *c, struct jw *w, const struct object *o)
{
	const struct binding *b = (const struct binding *)o;
	const struct project *p = world_project(call_world(c), o->project);

	jw_obj(w);
	jw_uuid(w, "id", &o->id);
	subject_json(w, "subject", b->subject_kind, &b->subject);
	jw_kstr(w, "role", b->role);
	jw_name(w, STR("project"));
	jw_str(w, p == NULL ? STR_NONE : p->slug);
	id_or_null(w, "resource_group", &b->group);
	jw_time(w, "not_before", b->starts);
	jw_time(w, "expires_at", b->expires);
	jw_name(w, STR("reason"));
	jw_str(w, b->reason.n == 0 ? STR_NONE : b->reason);
	jw_uuid(w, "created_by", &b->created_by.u);
	if (!uuid_is_zero(&b->glass)) /* of what incident, members know */
		jw_uuid(w, "break_glass", &b->glass);
	times_json(w, o);
	jw_obj_end(w);
}

static bool
visible(struct call *c, const struct object *o)
{
	return call_can(c, PERM_ROLE_VIEW, 0) ||
	    call_can(c, PERM_BINDING_EDIT, o->project);
}

/* Refused before anything is looked up, so that nothing can be guessed. */
static err
sees_any(struct call *c)
{
	if (call_can(c, PERM_ROLE_VIEW, 0) ||
	    access_anywhere(c->actor, PERM_BINDING_EDIT, c->now))
		return OK;
	return call_ask(c, PERM_ROLE_VIEW, 0, &c->grant);
}

static err
find(struct call *c, const struct binding **ret)
{
	struct uuid id;

	TRY(sees_any(c));
	TRY(call_uuid(c, 0, &id));
	*ret = world_binding(call_world(c), &id);
	if (*ret == NULL)
		return err_of(E_NOT_FOUND);
	call_touch(c, "binding", &id);
	c->rec.project = (*ret)->o.project;
	if (visible(c, &(*ret)->o))
		return OK;
	/* on record, but to the caller as if it were not there */
	err_ignore(call_ask(c, PERM_ROLE_VIEW, 0, &c->grant), "it says no");
	return err_of(E_NOT_FOUND);
}

/* ---- list ---- */

static bool
wanted(struct call *c, const struct object *o)
{
	return (c->project == NULL || o->project == c->project->o.project) &&
	    visible(c, o);
}

err
route_binding_list(struct call *c)
{
	struct str slug = c->query.raw[PARAM_PROJECT];

	TRY(sees_any(c));
	if (slug.p != NULL) {
		c->project = world_project_slug(call_world(c), slug);
		if (c->project == NULL)
			return err_of(E_NOT_FOUND);
		if (!call_can(c, PERM_ROLE_VIEW, 0))
			TRY(call_ask(c, PERM_BINDING_EDIT,
			    c->project->o.project, &c->grant));
	}
	return list_objects(c, OBJECT_BINDING, wanted, render);
}

err
route_binding_get(struct call *c)
{
	const struct binding *b;

	TRY(find(c, &b));
	return answer_object(c, 200, &b->o, render);
}

/* ---- create ---- */

static err
place_of(struct call *c, uint32_t *ret)
{
	struct str slug = json_str_at(c->body, STR("project"));
	const struct project *p = NULL;
	err e = err_of(E_NOT_FOUND);

	if (slug.p != NULL)
		p = world_project_slug(call_world(c), slug);
	if (slug.p == NULL || p != NULL) {
		*ret = p == NULL ? 0 : p->o.project;
		c->rec.project = *ret;
		e = call_ask(c, PERM_BINDING_EDIT, *ret, &c->grant);
	}
	if (err_is(e, E_NOT_FOUND))
		return call_bad(c, E_NOT_FOUND, "project: no such project");
	return e;
}

/* It must be one whose resources the binding can reach. */
static err
read_group(struct call *c, struct binding *b, uint32_t project)
{
	struct str id = json_str_at(c->body, STR("resource_group"));
	const struct resource_group *g = NULL;

	if (id.p == NULL)
		return OK;
	if (uuid_parse(id, &b->group))
		g = world_resource_group(call_world(c), &b->group);
	if (g == NULL ||
	    (g->o.project != 0 && project != 0 && g->o.project != project))
		return call_bad(c, E_INVALID,
		    "resource_group: no such group there");
	return OK;
}

static err
read_times(struct call *c, struct binding *b)
{
	const struct json *expires = json_get(c->body, STR("expires_at"));

	b->starts = body_time(c, "not_before");
	b->expires = body_time(c, "expires_at");
	if (expires == NULL || expires->kind == JSON_NULL)
		return OK;
	if (b->expires <= c->now)
		return call_bad(c, E_INVALID, "expires_at: is past");
	if (b->expires <= b->starts)
		return call_bad(c, E_INVALID,
		    "expires_at: is not after not_before");
	return OK;
}

static err
read_binding(struct call *c, struct binding *b)
{
	const struct json *subject = json_get(c->body, STR("subject"));

	b->role = body_text(c, "role", STR(""));
	b->reason = body_text(c, "reason", STR(""));
	if (!subject_of(subject, &b->subject_kind, &b->subject) ||
	    !subject_exists(call_world(c), b->subject_kind, &b->subject))
		return call_bad(c, E_INVALID,
		    "subject: no such user, service account or group");
	return read_times(c, b);
}

static err
is_new(struct call *c, const struct binding *b, uint32_t project)
{
	const struct binding *const *old;
	size_t n;

	old = world_bindings_of(call_world(c), &b->subject, &n);
	for (size_t i = 0; i < n; i++)
		if (old[i]->o.project == project &&
		    old[i]->expires == b->expires &&
		    old[i]->starts == b->starts &&
		    uuid_eq(&old[i]->group, &b->group) &&
		    str_eq(old[i]->role, b->role))
			return call_bad(c, E_EXISTS,
			    "the subject has this role there already");
	return OK;
}

err
route_binding_create(struct call *c)
{
	struct binding b = {0};
	struct permset perms;
	uint32_t project = 0;

	TRY(place_of(c, &project));
	TRY(read_binding(c, &b));
	TRY(read_group(c, &b, project));
	if (!world_role_perms(call_world(c), b.role, &perms))
		return call_bad(c, E_INVALID, "role: no such role");
	TRY(access_may_grant(c->actor, perms, project, c->now, &c->trail));
	TRY(is_new(c, &b, project));
	TRY(room_for(c, OBJECT_BINDING, LIM_BINDINGS));
	b.created_by.u = c->actor->id;
	admin_new(c, OBJECT_BINDING, project, &b.o);
	TRY(admin_put(c, &b.o));
	c->rec.body = c->req->body;
	call_touch(c, "binding", &b.o.id);
	return answer_created(c, "/v1/bindings", &b.o, render);
}

err
route_binding_delete(struct call *c)
{
	const struct binding *b;
	struct uuid id;

	TRY(find(c, &b));
	if (!err_ok(call_ask(c, PERM_BINDING_EDIT, b->o.project, &c->grant)))
		return err_of(E_FORBIDDEN); /* it is seen, so it exists */
	TRY(call_match(c, b->o.version));
	if (!uuid_is_zero(&b->glass))
		return call_bad(c, E_CONFLICT,
		    "end the break-glass that made it");
	id = b->o.id;
	TRY(keeps_admin(c, NULL, OBJECT_BINDING, &id));
	TRY(admin_remove(c, OBJECT_BINDING, &id));
	answer_empty(c, 204);
	return OK;
}
