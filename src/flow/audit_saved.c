/* audit_saved.c: see audit_saved.h; /v1/audit/filters. */
#include "flow/audit_saved.h"

#include "base/limits.h"
#include "flow/admin_body.h"
#include "flow/audit_query.h"
#include "flow/handlers.h"

static bool
own(const struct call *c, const struct audit_filter *f)
{
	return uuid_eq(&f->owner.u, &c->actor->id);
}

static bool
wanted(struct call *c, const struct object *o)
{
	const struct audit_filter *f = (const struct audit_filter *)o;

	return f->shared || own(c, f);
}

/* ---- using ---- */

/* By name: the caller's own, else the shared one. */
static const struct audit_filter *
named(struct call *c, struct str name)
{
	const struct audit_filter *shared = NULL;
	const struct object *const *o;
	size_t n;

	o = world_objects(call_world(c), OBJECT_AUDIT_FILTER, &n);
	for (size_t i = 0; i < n; i++) {
		const struct audit_filter *f =
		    (const struct audit_filter *)o[i];

		if (!str_eq(f->name, name))
			continue;
		if (own(c, f))
			return f;
		if (f->shared)
			shared = f;
	}
	return shared;
}

err
audit_saved_members(struct call *c, struct str name, const struct json **ret)
{
	static const struct json_limits limits = {
	    .depth = LIM_JSON_DEPTH,
	    .members = LIM_JSON_MEMBERS,
	    .values = LIM_JSON_VALUES,
	};
	const struct audit_filter *f = NULL;
	struct uuid id;

	if (uuid_parse(name, &id))
		f = world_audit_filter(call_world(c), &id);
	if (f == NULL || !wanted(c, &f->o))
		f = named(c, name);
	if (f == NULL)
		return call_bad(c, E_INVALID, "filter: no such saved filter");
	return json_parse(c->a, arena_dup(c->a, f->members), &limits, NULL,
	    ret);
}

/* ---- answers ---- */

static void
render(struct call *c, struct jw *w, const struct object *o)
{
	const struct audit_filter *f = (const struct audit_filter *)o;

	jw_obj(w);
	jw_uuid(w, "id", &o->id);
	jw_kstr(w, "name", f->name);
	jw_kraw(w, "filter", f->members);
	jw_kbool(w, "shared", f->shared);
	jw_uuid(w, "owner", &f->owner.u);
	jw_kbool(w, "own", own(c, f));
	times_json(w, o);
	jw_obj_end(w);
}

/* ---- bodies ---- */

/* A name says one filter to whoever may use it. */
static err
name_free(struct call *c, const struct audit_filter *f)
{
	const struct object *const *o;
	size_t n;

	o = world_objects(call_world(c), OBJECT_AUDIT_FILTER, &n);
	for (size_t i = 0; i < n; i++) {
		const struct audit_filter *g =
		    (const struct audit_filter *)o[i];

		if (str_eq(g->name, f->name) && !uuid_eq(&g->o.id, &f->o.id) &&
		    (own(c, g) || (g->shared && f->shared)))
			return call_bad(c, E_EXISTS,
			    "name: a filter has it already");
	}
	return OK;
}

static err
read_body(struct call *c, struct audit_filter *f)
{
	const struct json *j = json_get(c->body, STR("filter"));
	struct audit_query q = {0};
	struct buf b;
	struct jw w;

	f->name = arena_dup(c->a, body_text(c, "name", f->name));
	f->shared = body_flag(c, "shared", f->shared);
	TRY(arena_check(c->a));
	TRY(name_free(c, f));
	if (j == NULL)
		return OK;
	TRY(audit_query_object(c, j, &q));
	buf_init_on(&b, c->a, LIM_BODY);
	jw_init(&w, &b);
	jw_value(&w, j);
	f->members = buf_view(&b);
	return buf_check(&b);
}

/* ---- routes ---- */

err
route_audit_filter_list(struct call *c)
{
	return list_objects(c, OBJECT_AUDIT_FILTER, wanted, render);
}

static err
find(struct call *c, bool to_change, const struct audit_filter **ret)
{
	const struct audit_filter *f;
	struct uuid id;

	TRY(call_uuid(c, 0, &id));
	f = world_audit_filter(call_world(c), &id);
	if (f == NULL || !wanted(c, &f->o))
		return err_of(E_NOT_FOUND);
	call_touch(c, "audit_filter", &id);
	/* whoever runs the place can tidy up after those who left */
	if (to_change && !own(c, f))
		TRY(call_ask(c, PERM_POLICY_EDIT, 0, &c->grant));
	*ret = f;
	return OK;
}

err
route_audit_filter_get(struct call *c)
{
	const struct audit_filter *f;

	TRY(find(c, false, &f));
	return answer_object(c, 200, &f->o, render);
}

err
route_audit_filter_create(struct call *c)
{
	struct audit_filter f = {.owner.u = c->actor->id, .members = STR("{}")};

	TRY(read_body(c, &f));
	TRY(room_for(c, OBJECT_AUDIT_FILTER, LIM_AUDIT_FILTERS));
	admin_new(c, OBJECT_AUDIT_FILTER, 0, &f.o);
	TRY(admin_put(c, &f.o));
	c->rec.body = c->req->body;
	call_touch(c, "audit_filter", &f.o.id);
	return answer_created(c, "/v1/audit/filters", &f.o, render);
}

err
route_audit_filter_patch(struct call *c)
{
	const struct audit_filter *old;
	const struct object *copy;
	struct audit_filter f;

	TRY(find(c, true, &old));
	TRY(call_match(c, old->o.version));
	TRY(admin_copy(c, &old->o, &copy));
	f = *(const struct audit_filter *)copy;
	TRY(read_body(c, &f));
	admin_touch(c, &f.o);
	TRY(admin_put(c, &f.o));
	c->rec.body = c->req->body;
	return answer_object(c, 200, &f.o, render);
}

err
route_audit_filter_delete(struct call *c)
{
	const struct audit_filter *f;
	struct uuid id;

	TRY(find(c, true, &f));
	TRY(call_match(c, f->o.version));
	id = f->o.id;
	TRY(admin_remove(c, OBJECT_AUDIT_FILTER, &id));
	answer_empty(c, 204);
	return OK;
}
