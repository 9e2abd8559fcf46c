/* admin_explain.c: POST /v1/access/explain. */
#include "auth/actor.h"
#include "flow/admin_body.h"
#include "flow/asked.h"
#include "flow/handlers.h"

static bool
known_member(struct str name)
{
	return str_is(name, "project") || str_is(name, "type") ||
	    str_is(name, "id");
}

/* With that token of the principal, when the body names one. */
static err
with_token(struct call *c, const struct actor **who)
{
	struct str text = json_str_at(c->body, STR("token"));
	const struct token *t = NULL;
	struct uuid id;

	if (text.p == NULL)
		return OK;
	if (uuid_parse(text, &id))
		t = world_token(call_world(c), &id);
	if (t == NULL || t->owner_kind != (*who)->kind ||
	    !uuid_eq(&t->owner.u, &(*who)->id))
		return call_bad(c, E_NOT_FOUND,
		    "token: the principal has no such token");
	*who = auth_supposed_token(c->a, call_world(c), t);
	return err_of(*who == NULL ? E_NO_MEMORY : E_OK);
}

/* The one asked about: the caller with its credential, or somebody without. */
static err
principal_of(struct call *c, const struct actor **ret)
{
	const struct json *j = json_get(c->body, STR("principal"));
	enum principal_kind kind;
	struct uuid id;

	*ret = c->actor;
	if (j != NULL && j->kind != JSON_NULL) {
		if (!subject_of(j, &kind, &id))
			return err_of(E_INVALID);
		if (kind == PRINCIPAL_GROUP)
			return call_bad(c, E_INVALID,
			    "principal: a group does not act");
		TRY(asked_principal(c, kind, &id, ret));
	}
	return with_token(c, ret);
}

static err
target_of(struct call *c, const struct actor *who, struct target *t)
{
	const struct json *r = json_get(c->body, STR("resource"));
	struct str slug = json_str_at(r, STR("project"));
	struct str type = json_str_at(r, STR("type"));
	struct str id = json_str_at(r, STR("id"));
	uint64_t seq;

	for (const struct json *j = json_first(r); j != NULL; j = j->next)
		if (!known_member(j->name) || j->kind != JSON_STRING)
			return call_bad(c, E_UNKNOWN_MEMBER,
			    "resource: project, type and id, as texts");
	if (slug.p == NULL)
		return id.p == NULL
		    ? OK
		    : call_bad(c, E_INVALID, "resource: an id needs a project");
	TRY(asked_project(c, slug, &t->project));
	if (id.p == NULL)
		return OK;
	TRY(asked_resource(c, type, id, t, &seq));
	return t->restricted ? asked_member(c, who, seq, &t->member) : OK;
}

static void
names_of(struct jw *w, struct str name, bool has)
{
	if (has)
		jw_str(w, name);
}

/* The roles that have the permission: those that are built in are no secret,
 * the organization's own are told to who may see roles. */
static void
roles_that_grant(struct call *c, struct jw *w, enum permission p)
{
	const struct object *const *o;
	bool sees = call_can(c, PERM_ROLE_VIEW, 0);
	size_t n;

	jw_karr(w, "roles");
	for (unsigned r = 0; r < ROLE_MAX_; r++) {
		struct permset s = role_perms((enum builtin_role)r);

		names_of(w, str_c(role_name((enum builtin_role)r)),
		    permset_has(&s, p));
	}
	o = world_objects(call_world(c), OBJECT_ROLE, &n);
	for (size_t i = 0; sees && i < n; i++) {
		const struct role *r = (const struct role *)o[i];

		names_of(w, r->name, permset_has(&r->perms, p));
	}
	jw_arr_end(w);
	jw_karr(w, "redacted");
	names_of(w, STR("roles"), !sees);
	jw_arr_end(w);
}

err
route_access_explain(struct call *c)
{
	struct target t = {0};
	const struct actor *who;
	struct jw *w;

	if (!perm_parse(json_str_at(c->body, STR("permission")), &t.perm))
		return call_bad(c, E_INVALID, "permission: no such permission");
	TRY(principal_of(c, &who));
	TRY(target_of(c, who, &t));
	call_touch(c, principal_kind_text(who->kind), &who->id);
	w = answer(c, 200);
	jw_obj(w);
	access_explain(w, who, &t, c->now);
	roles_that_grant(c, w, t.perm);
	jw_ki64(w, "snapshot", (int64_t)world_version(call_world(c)));
	jw_obj_end(w);
	return buf_check(&c->out);
}
