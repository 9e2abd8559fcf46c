/* admin_body.c: see admin_body.h. */
#include "flow/admin_body.h"

#include <stdio.h>

#include "base/limits.h"
#include "base/time.h"

/* Private incidents looked at for one question. */
enum { SHOWN_MAX = 200 };

/* ---- bodies ---- */

struct str
body_text(const struct call *c, const char *name, struct str old)
{
	const struct json *j = json_get(c->body, str_c(name));
	struct str s = STR("");

	if (j == NULL)
		return old;
	(void)json_str(j, &s); /* null: empty */
	return s;
}

bool
body_flag(const struct call *c, const char *name, bool old)
{
	bool v = old;

	(void)json_bool(json_get(c->body, str_c(name)), &v);
	return v;
}

err
body_strs(struct call *c, const char *name, const struct str **ret,
    size_t *ret_n)
{
	const struct json *j = json_get(c->body, str_c(name));
	struct str *s;

	if (j == NULL)
		return OK;
	s = arena_array(c->a, j->count + 1, sizeof *s);
	TRY(arena_check(c->a));
	*ret = s;
	*ret_n = 0;
	for (j = json_first(j); j != NULL; j = j->next)
		s[(*ret_n)++] = j->text;
	return OK;
}

int64_t
body_time(const struct call *c, const char *name)
{
	struct str s = json_str_at(c->body, str_c(name));
	int64_t ms = 0;

	if (s.p != NULL && !time_parse(s, &ms))
		return 0;
	return ms;
}

struct permset
body_perms(const struct call *c, const char *name, struct permset all)
{
	const struct json *j = json_first(json_get(c->body, str_c(name)));
	struct permset set = {{0, 0}};
	enum permission p;

	for (; j != NULL; j = j->next) {
		if (str_is(j->text, "*"))
			set = permset_or(set, all);
		else if (perm_parse(j->text, &p))
			permset_add(&set, p);
	}
	return set;
}

bool
subject_of(const struct json *j, enum principal_kind *ret_kind,
    struct uuid *ret)
{
	return principal_kind_parse(json_str_at(j, STR("kind")), ret_kind) &&
	    uuid_parse(json_str_at(j, STR("id")), ret);
}

bool
subject_exists(const struct world *w, enum principal_kind kind,
    const struct uuid *id)
{
	switch (kind) {
	case PRINCIPAL_USER:
		return world_user(w, id) != NULL;
	case PRINCIPAL_SERVICE_ACCOUNT:
		return world_service_account(w, id) != NULL;
	case PRINCIPAL_GROUP:
		return world_group(w, id) != NULL;
	default:
		return false;
	}
}

/* ---- answers ---- */

void
perms_json(struct jw *w, const char *name, struct permset set)
{
	perms_named(w, str_c(name), set);
}

void
perms_named(struct jw *w, struct str name, struct permset set)
{
	jw_name(w, name);
	jw_arr(w);
	for (unsigned p = 0; p < PERM_MAX_; p++)
		if (permset_has(&set, (enum permission)p))
			jw_str(w, str_c(perm_text((enum permission)p)));
	jw_arr_end(w);
}

void
subject_json(struct jw *w, const char *name, enum principal_kind kind,
    const struct uuid *id)
{
	if (name != NULL)
		jw_name(w, str_c(name));
	jw_obj(w);
	jw_kstr(w, "kind", str_c(principal_kind_text(kind)));
	jw_uuid(w, "id", id);
	jw_obj_end(w);
}

void
strs_json(struct jw *w, const char *name, const struct str *s, size_t n)
{
	jw_name(w, str_c(name));
	jw_arr(w);
	for (size_t i = 0; i < n; i++)
		jw_str(w, s[i]);
	jw_arr_end(w);
}

void
id_or_null(struct jw *w, const char *name, const struct uuid *u)
{
	if (u != NULL && !uuid_is_zero(u)) {
		jw_uuid(w, name, u);
		return;
	}
	jw_name(w, str_c(name));
	jw_null(w);
}

void
times_json(struct jw *w, const struct object *o)
{
	jw_time(w, "created_at", o->created);
	jw_time(w, "updated_at", o->updated);
}

err
answer_object(struct call *c, int status, const struct object *o,
    admin_render render)
{
	render(c, answer(c, status), o);
	answer_etag(c, o->version);
	return buf_check(&c->out);
}

err
answer_created(struct call *c, const char *path, const struct object *o,
    admin_render render)
{
	char id[UUID_TEXT + 1];

	uuid_text(&o->id, id);
	answer_location(c, "%s/%s", path, id);
	return answer_object(c, 201, o, render);
}

const char *
project_path(struct call *c, const char *under)
{
	struct buf b;

	buf_init_on(&b, c->a, 512);
	buf_c(&b, "/v1/projects/");
	buf_str(&b, c->project->slug);
	buf_c(&b, under);
	buf_char(&b, '\0');
	return b.failed ? "" : b.p;
}

/* ---- guards ---- */

err
room_for(struct call *c, enum object_kind kind, size_t max)
{
	size_t n;

	(void)world_objects(call_world(c), kind, &n);
	if (n < max)
		return OK;
	return call_bad(c, E_LIMIT, "there are %zu already", n);
}

err
keeps_admin(struct call *c, const struct object *o, enum object_kind kind,
    const struct uuid *id)
{
	struct world *after;
	err e;

	TRY(admin_preview(c, o, kind, id, &after));
	e = access_has_admin(after, c->now);
	(void)world_unref(after);
	return e;
}

err
may_show(struct call *c, const struct subject *s, size_t n)
{
	struct incident_id *id;
	struct incident_row row;
	bool member = true;
	size_t found;

	TRY(store_member_of(c->lane->conn, s, n, SHOWN_MAX + 1, c->a, &id,
	    &found));
	for (size_t i = 0; i < found && member; i++) {
		TRY(store_incident_by_id(c->lane->conn, &id[i], c->a, &row));
		TRY(view_own_member(c, row.seq, &member));
	}
	if (member && found <= SHOWN_MAX)
		return OK;
	return call_bad(c, E_FORBIDDEN,
	    "it sees what is hidden from you; ask one of its members");
}

err
may_join(struct call *c, const struct uuid *group)
{
	struct subject as_group = {2, *group};

	TRY(access_may_map_group(c->actor, group, c->now, &c->trail));
	return may_show(c, &as_group, 1);
}

/* ---- cascades ---- */

/* The ids of some objects, copied: each removal makes another world. */
struct ids {
	struct uuid *id;
	size_t n;
};

err
drop_bindings(struct call *c, const struct uuid *subject)
{
	const struct binding *const *b;
	struct ids ids;

	b = world_bindings_of(call_world(c), subject, &ids.n);
	ids.id = arena_array(c->a, ids.n + 1, sizeof *ids.id);
	TRY(arena_check(c->a));
	for (size_t i = 0; i < ids.n; i++)
		ids.id[i] = b[i]->o.id;
	return admin_remove_all(c, OBJECT_BINDING, ids.id, ids.n);
}

err
drop_tokens(struct call *c, const struct uuid *owner)
{
	const struct object *const *o;
	struct ids ids = {0};
	size_t n;

	o = world_objects(call_world(c), OBJECT_TOKEN, &n);
	for (size_t i = 0; i < n; i++)
		if (uuid_eq(&((const struct token *)o[i])->owner.u, owner))
			ids.n++;
	ids.id = arena_array(c->a, ids.n + 1, sizeof *ids.id);
	TRY(arena_check(c->a));
	ids.n = 0;
	for (size_t i = 0; i < n; i++)
		if (uuid_eq(&((const struct token *)o[i])->owner.u, owner))
			ids.id[ids.n++] = o[i]->id;
	return admin_remove_all(c, OBJECT_TOKEN, ids.id, ids.n);
}

/* g without the principal, stored. */
static err
leave(struct call *c, const struct group *g, const struct uuid *principal)
{
	struct group copy = *g;
	struct principal_id *m;

	m = arena_array(c->a, g->members_n + 1, sizeof *m);
	TRY(arena_check(c->a));
	copy.name = arena_dup(c->a, g->name);
	copy.members = m;
	copy.members_n = 0;
	for (size_t i = 0; i < g->members_n; i++)
		if (!uuid_eq(&g->members[i].u, principal))
			m[copy.members_n++] = g->members[i];
	admin_touch(c, &copy.o);
	return admin_put(c, &copy.o);
}

err
leave_groups(struct call *c, const struct uuid *principal)
{
	const struct group *const *g;
	size_t n;

	for (;;) { /* each time in the world that the last change made */
		g = world_groups_of(call_world(c), principal, &n);
		if (n == 0)
			return OK;
		TRY(leave(c, g[0], principal));
	}
}
