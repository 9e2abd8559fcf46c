/* admin_rgroups.c: /v1/resource-groups.  To widen one that is bound is to
 * grant. */
#include "base/limits.h"
#include "domain/words.h"
#include "flow/admin_body.h"
#include "flow/handlers.h"

/* ---- answers ---- */

static void
enums_json(struct jw *w, const struct resource_group *g)
{
	jw_karr(w, "types");
	for (unsigned t = 0; t < RESOURCE_TYPES; t++)
		if ((g->types >> t & 1) != 0)
			jw_str(w,
			    str_c(resource_type_text((enum resource_type)t)));
	jw_arr_end(w);
	jw_karr(w, "severities");
	for (unsigned s = SEV0; s <= SEV4; s++)
		if ((g->severities >> s & 1) != 0)
			jw_str(w, severity_text(s));
	jw_arr_end(w);
}

static void
labels_json(struct jw *w, const struct resource_group *g)
{
	struct str name, value;

	jw_kobj(w, "labels");
	for (size_t i = 0; i < g->labels_n; i++)
		if (str_cut(g->labels[i], '=', &name, &value)) {
			jw_name(w, name);
			jw_str(w, value);
		}
	jw_obj_end(w);
}

static void
render(struct call *c, struct jw *w, const struct object *o)
{
	const struct resource_group *g = (const struct resource_group *)o;
	const struct project *p = world_project(call_world(c), o->project);
	char id[UUID_TEXT + 1];

	jw_obj(w);
	jw_uuid(w, "id", &o->id);
	jw_kstr(w, "name", g->name);
	jw_kstr(w, "project", p == NULL ? STR_NONE : p->slug);
	enums_json(w, g);
	strs_json(w, "services", g->services, g->services_n);
	strs_json(w, "environments", g->environments, g->environments_n);
	strs_json(w, "incident_types", g->kinds, g->kinds_n);
	labels_json(w, g);
	jw_karr(w, "ids");
	for (size_t i = 0; i < g->ids_n; i++) {
		uuid_text(&g->ids[i], id);
		jw_str(w, str_of(id, UUID_TEXT));
	}
	jw_arr_end(w);
	times_json(w, o);
	jw_obj_end(w);
}

/* ---- bodies ---- */

static err
read_types(struct call *c, struct resource_group *g)
{
	const struct json *j = json_get(c->body, STR("types"));
	enum resource_type t;

	if (j == NULL)
		return OK;
	g->types = 0;
	for (j = json_first(j); j != NULL; j = j->next) {
		if (!resource_type_parse(j->text, &t))
			return call_bad(c, E_INVALID,
			    "types: incident, alert and integration");
		g->types |= (uint8_t)(1u << t);
	}
	return OK;
}

static err
read_severities(struct call *c, struct resource_group *g)
{
	const struct json *j = json_get(c->body, STR("severities"));
	enum severity s;

	if (j == NULL)
		return OK;
	g->severities = 0;
	for (j = json_first(j); j != NULL; j = j->next) {
		if (!severity_parse(j->text, &s))
			return call_bad(c, E_INVALID, "severities: sev0..sev4");
		g->severities |= (uint8_t)(1u << s);
	}
	return OK;
}

static err
read_labels(struct call *c, struct resource_group *g)
{
	const struct json *j = json_get(c->body, STR("labels"));
	struct str *s;

	if (j == NULL)
		return OK;
	s = arena_array(c->a, j->count + 1, sizeof *s);
	TRY(arena_check(c->a));
	g->labels = s;
	g->labels_n = 0;
	for (j = json_first(j); j != NULL; j = j->next) {
		struct buf b;

		if (memchr(j->name.p, '=', j->name.n) != NULL)
			return call_bad(c, E_INVALID,
			    "labels: a name holds no =");
		buf_init_on(&b, c->a, LIM_BODY);
		buf_str(&b, j->name);
		buf_char(&b, '=');
		buf_str(&b, j->text);
		TRY(buf_check(&b));
		s[g->labels_n++] = buf_view(&b);
	}
	return OK;
}

static err
read_ids(struct call *c, struct resource_group *g)
{
	const struct json *j = json_get(c->body, STR("ids"));
	struct uuid *id;

	if (j == NULL)
		return OK;
	id = arena_array(c->a, j->count + 1, sizeof *id);
	TRY(arena_check(c->a));
	g->ids = id;
	g->ids_n = 0;
	for (j = json_first(j); j != NULL; j = j->next)
		if (!uuid_parse(j->text, &id[g->ids_n++]))
			return call_bad(c, E_INVALID, "ids: not an id");
	return OK;
}

static err
read_body(struct call *c, struct resource_group *g)
{
	const struct resource_group *known;

	g->name = body_text(c, "name", g->name);
	known = world_resource_group_name(call_world(c), g->name);
	if (known != NULL && !uuid_eq(&known->o.id, &g->o.id))
		return call_bad(c, E_EXISTS,
		    "name: a resource group has it already");
	TRY(read_types(c, g));
	TRY(read_severities(c, g));
	TRY(read_labels(c, g));
	TRY(read_ids(c, g));
	TRY(body_strs(c, "services", &g->services, &g->services_n));
	TRY(body_strs(c, "environments", &g->environments, &g->environments_n));
	return body_strs(c, "incident_types", &g->kinds, &g->kinds_n);
}

/* ---- routes ---- */

err
route_rgroup_list(struct call *c)
{
	return list_objects(c, OBJECT_RESOURCE_GROUP, NULL, render);
}

static err
find(struct call *c, const struct resource_group **ret)
{
	struct uuid id;

	TRY(call_uuid(c, 0, &id));
	*ret = world_resource_group(call_world(c), &id);
	if (*ret == NULL)
		return err_of(E_NOT_FOUND);
	call_touch(c, "resource_group", &id);
	return OK;
}

err
route_rgroup_get(struct call *c)
{
	const struct resource_group *g;

	TRY(find(c, &g));
	return answer_object(c, 200, &g->o, render);
}

err
route_rgroup_create(struct call *c)
{
	struct str slug = json_str_at(c->body, STR("project"));
	struct resource_group g = {0};
	const struct project *p = NULL;

	if (slug.p != NULL) {
		p = world_project_slug(call_world(c), slug);
		if (p == NULL)
			return call_bad(c, E_NOT_FOUND,
			    "project: no such project");
	}
	TRY(read_body(c, &g));
	TRY(room_for(c, OBJECT_RESOURCE_GROUP, LIM_RESOURCE_GROUPS));
	admin_new(c, OBJECT_RESOURCE_GROUP, p == NULL ? 0 : p->o.project, &g.o);
	TRY(admin_put(c, &g.o));
	c->rec.body = c->req->body;
	call_touch(c, "resource_group", &g.o.id);
	return answer_created(c, "/v1/resource-groups", &g.o, render);
}

/*
 * Who changes what a bound group holds grants what is bound with it, to all
 * who hold such a binding; so it must have that, and be none of them.
 */
static err
may_change(struct call *c, const struct resource_group *g)
{
	const struct object *const *o;
	size_t n;

	o = world_objects(call_world(c), OBJECT_BINDING, &n);
	for (size_t i = 0; i < n; i++) {
		const struct binding *b = (const struct binding *)o[i];
		struct permset perms;

		if (!uuid_eq(&b->group, &g->o.id))
			continue;
		if (access_is_subject(c->actor, &b->subject))
			return call_bad(c, E_FORBIDDEN,
			    "you cannot change a resource group that limits "
			    "you");
		if (world_role_perms(call_world(c), b->role, &perms))
			TRY(access_may_grant(c->actor, perms, b->o.project,
			    c->now, &c->trail));
	}
	return OK;
}

err
route_rgroup_patch(struct call *c)
{
	const struct resource_group *old;
	struct resource_group g;
	const struct object *copy;

	TRY(find(c, &old));
	TRY(call_match(c, old->o.version));
	TRY(may_change(c, old));
	TRY(admin_copy(c, &old->o, &copy));
	g = *(const struct resource_group *)copy;
	TRY(read_body(c, &g));
	admin_touch(c, &g.o);
	TRY(admin_put(c, &g.o));
	c->rec.body = c->req->body;
	return answer_object(c, 200, &g.o, render);
}

err
route_rgroup_delete(struct call *c)
{
	const struct resource_group *g;
	const struct object *const *o;
	struct uuid id;
	size_t n;

	TRY(find(c, &g));
	TRY(call_match(c, g->o.version));
	id = g->o.id;
	o = world_objects(call_world(c), OBJECT_BINDING, &n);
	for (size_t i = 0; i < n; i++)
		if (uuid_eq(&((const struct binding *)o[i])->group, &id))
			return call_bad(c, E_CONFLICT,
			    "a binding names the resource group");
	TRY(admin_remove(c, OBJECT_RESOURCE_GROUP, &id));
	answer_empty(c, 204);
	return OK;
}
