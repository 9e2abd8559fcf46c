/* admin_roles.c: /v1/roles.  Built-in roles have their name for an id. */
#include "base/limits.h"
#include "flow/admin_body.h"
#include "flow/handlers.h"

static void
role_json(struct jw *w, const struct role *r)
{
	jw_obj(w);
	jw_uuid(w, "id", &r->o.id);
	jw_kstr(w, "name", r->name);
	perms_json(w, "permissions", r->perms);
	jw_kbool(w, "builtin", false);
	times_json(w, &r->o);
	jw_obj_end(w);
}

static void
render(struct call *c, struct jw *w, const struct object *o)
{
	(void)c;
	role_json(w, (const struct role *)o);
}

static void
builtin_json(struct jw *w, enum builtin_role r)
{
	jw_obj(w);
	jw_kstr(w, "id", str_c(role_name(r)));
	jw_kstr(w, "name", str_c(role_name(r)));
	jw_kstr(w, "description", str_c(role_text(r)));
	perms_json(w, "permissions", role_perms(r));
	jw_kbool(w, "builtin", true);
	jw_knull(w, "created_at");
	jw_knull(w, "updated_at");
	jw_obj_end(w);
}

/* ---- list: the built-in ones first ---- */

/* Where a page starts: the position is one byte (of a built-in role) or an
 * id (of a custom one), each of the last that was shown. */
static err
start_of(struct call *c, const struct object *const *o, size_t n, size_t *ret)
{
	struct str pos;
	size_t i = 0;

	TRY(cursor_take(c, &pos));
	*ret = 0;
	if (pos.n == 0)
		return OK;
	if (pos.n == 1) {
		*ret = (size_t)(unsigned char)pos.p[0] + 1;
		return OK;
	}
	if (pos.n != sizeof o[0]->id.b)
		return err_of(E_BAD_CURSOR);
	while (i < n && memcmp(o[i]->id.b, pos.p, pos.n) <= 0)
		i++;
	*ret = ROLE_MAX_ + i;
	return OK;
}

err
route_role_list(struct call *c)
{
	const struct object *const *o;
	struct str pos = STR_NONE;
	char builtin = 0;
	size_t n, i, end;
	struct jw *w;

	o = world_objects(call_world(c), OBJECT_ROLE, &n);
	TRY(start_of(c, o, n, &i));
	end = n + ROLE_MAX_ - i > c->query.limit ? i + c->query.limit
						 : n + ROLE_MAX_;
	w = list_begin(c);
	for (; i < end; i++) {
		if (i < ROLE_MAX_) {
			builtin_json(w, (enum builtin_role)i);
			builtin = (char)i;
			pos = str_of(&builtin, 1);
		} else {
			render(c, w, o[i - ROLE_MAX_]);
			pos = str_of((const char *)o[i - ROLE_MAX_]->id.b, 16);
		}
	}
	return list_end(c, end < n + ROLE_MAX_ ? pos : STR_NONE);
}

/* ---- one ---- */

static err
find(struct call *c, const struct role **ret)
{
	enum builtin_role b;
	struct uuid id;

	if (role_parse(c->var[0], &b))
		return call_bad(c, E_CONFLICT,
		    "a built-in role cannot be changed");
	TRY(call_uuid(c, 0, &id));
	*ret = world_role_id(call_world(c), &id);
	if (*ret == NULL)
		return err_of(E_NOT_FOUND);
	call_touch(c, "role", &id);
	return OK;
}

err
route_role_get(struct call *c)
{
	const struct role *r;
	enum builtin_role b;

	if (role_parse(c->var[0], &b)) {
		builtin_json(answer(c, 200), b);
		answer_etag(c, 1);
		return buf_check(&c->out);
	}
	TRY(find(c, &r));
	return answer_object(c, 200, &r->o, render);
}

static err
name_is_free(struct call *c, struct str name)
{
	enum builtin_role b;

	if (role_parse(name, &b) || world_role(call_world(c), name) != NULL)
		return call_bad(c, E_EXISTS, "name: a role has it already");
	return OK;
}

/* "*" is everything the caller has in the organization. */
static struct permset
read_perms(struct call *c)
{
	return body_perms(c, "permissions",
	    access_effective(c->actor, 0, c->now));
}

err
route_role_create(struct call *c)
{
	struct role r = {0};

	r.name = body_text(c, "name", STR(""));
	r.perms = read_perms(c);
	TRY(access_may_grant(c->actor, r.perms, 0, c->now, &c->trail));
	TRY(name_is_free(c, r.name));
	TRY(room_for(c, OBJECT_ROLE, LIM_ROLES));
	admin_new(c, OBJECT_ROLE, 0, &r.o);
	TRY(admin_put(c, &r.o));
	c->rec.body = c->req->body;
	call_touch(c, "role", &r.o.id);
	return answer_created(c, "/v1/roles", &r.o, render);
}

static bool
is_bound(struct call *c, struct str name)
{
	const struct object *const *o;
	size_t n;

	o = world_objects(call_world(c), OBJECT_BINDING, &n);
	for (size_t i = 0; i < n; i++)
		if (str_eq(((const struct binding *)o[i])->role, name))
			return true;
	return false;
}

/* Bindings name their role, so one that is bound keeps its name. */
static err
may_rename(struct call *c, const struct role *old, struct str name)
{
	if (str_eq(old->name, name))
		return OK;
	TRY(name_is_free(c, name));
	if (is_bound(c, old->name))
		return call_bad(c, E_CONFLICT,
		    "name: the role is bound and keeps its name");
	return OK;
}

err
route_role_patch(struct call *c)
{
	const struct role *old;
	struct permset more;
	struct role r;

	TRY(find(c, &old));
	TRY(call_match(c, old->o.version));
	TRY(access_may_edit_role(c->actor, old, &c->trail));
	r = *old;
	r.name = arena_dup(c->a, body_text(c, "name", r.name));
	TRY(arena_check(c->a));
	if (json_get(c->body, STR("permissions")) != NULL)
		r.perms = read_perms(c);
	more = (struct permset){
	    {r.perms.w[0] & ~old->perms.w[0], r.perms.w[1] & ~old->perms.w[1]}};
	TRY(access_may_grant(c->actor, more, 0, c->now, &c->trail));
	TRY(may_rename(c, old, r.name));
	admin_touch(c, &r.o);
	TRY(admin_put(c, &r.o));
	c->rec.body = c->req->body;
	return answer_object(c, 200, &r.o, render);
}

err
route_role_delete(struct call *c)
{
	const struct role *r;
	struct uuid id;

	TRY(find(c, &r));
	TRY(call_match(c, r->o.version));
	TRY(access_may_edit_role(c->actor, r, &c->trail));
	if (is_bound(c, r->name))
		return call_bad(c, E_CONFLICT, "the role is bound");
	id = r->o.id;
	TRY(admin_remove(c, OBJECT_ROLE, &id));
	answer_empty(c, 204);
	return OK;
}
