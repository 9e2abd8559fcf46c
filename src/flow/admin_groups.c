/* admin_groups.c: /v1/groups. */
#include <stdlib.h>

#include "base/limits.h"
#include "flow/admin_body.h"
#include "flow/handlers.h"
#include "flow/sessions.h"

/* Lists show members of small groups only: a page stays a page. */
enum { SHOWN_IN_LIST = 100 };

static enum principal_kind
kind_of(const struct world *w, const struct uuid *id)
{
	return world_user(w, id) != NULL ? PRINCIPAL_USER
					 : PRINCIPAL_SERVICE_ACCOUNT;
}

static void
render_some(struct call *c, struct jw *w, const struct group *g, size_t max)
{
	jw_obj(w);
	jw_uuid(w, "id", &g->o.id);
	jw_kstr(w, "name", g->name);
	jw_ki64(w, "member_count", (int64_t)g->members_n);
	jw_name(w, STR("members"));
	if (g->members_n > max) {
		jw_null(w);
	} else {
		jw_arr(w);
		for (size_t i = 0; i < g->members_n; i++)
			subject_json(w, NULL,
			    kind_of(call_world(c), &g->members[i].u),
			    &g->members[i].u);
		jw_arr_end(w);
	}
	times_json(w, &g->o);
	jw_obj_end(w);
}

static void
render(struct call *c, struct jw *w, const struct object *o)
{
	render_some(c, w, (const struct group *)o, LIM_GROUP_MEMBERS);
}

static void
render_listed(struct call *c, struct jw *w, const struct object *o)
{
	render_some(c, w, (const struct group *)o, SHOWN_IN_LIST);
}

static err
find(struct call *c, const struct group **ret)
{
	struct uuid id;

	TRY(call_uuid(c, 0, &id));
	*ret = world_group(call_world(c), &id);
	if (*ret == NULL)
		return err_of(E_NOT_FOUND);
	call_touch(c, "group", &id);
	return OK;
}

static err
name_is_free(struct call *c, struct str name, const struct uuid *but)
{
	const struct object *const *o;
	size_t n;

	o = world_objects(call_world(c), OBJECT_GROUP, &n);
	for (size_t i = 0; i < n; i++)
		if (str_eq(((const struct group *)o[i])->name, name) &&
		    !uuid_eq(&o[i]->id, but))
			return call_bad(c, E_EXISTS,
			    "name: a group has it already");
	return OK;
}

static int
by_id(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct principal_id));
}

/* The members of the body, sorted, each once. */
static err
read_members(struct call *c, struct group *g)
{
	const struct json *j = json_get(c->body, STR("members"));
	struct principal_id *m;
	size_t n = 0, out = 0;

	if (j == NULL)
		return OK;
	m = arena_array(c->a, j->count + 1, sizeof *m);
	TRY(arena_check(c->a));
	for (j = json_first(j); j != NULL; j = j->next) {
		enum principal_kind kind;

		if (!subject_of(j, &kind, &m[n].u) || kind == PRINCIPAL_GROUP ||
		    !subject_exists(call_world(c), kind, &m[n].u))
			return call_bad(c, E_INVALID,
			    "members: item %zu is no user or service account "
			    "there is",
			    n + 1);
		n++;
	}
	if (n > 1)
		qsort(m, n, sizeof *m, by_id);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || by_id(&m[i - 1], &m[i]) != 0)
			m[out++] = m[i];
	g->members = m;
	g->members_n = out;
	return OK;
}

/* new's members are sorted, each is there once; does it have one that old
 * has not? */
static bool
somebody_joins(const struct group *old, const struct group *new)
{
	size_t stay = 0;

	if (new->members_n == 0)
		return false;
	for (size_t i = 0; i < old->members_n; i++)
		stay += bsearch(&old->members[i], new->members, new->members_n,
			    sizeof *new->members, by_id) != NULL;
	return stay < new->members_n;
}

/* Who is let out logs in again: sessions do not outlive a loss of rights. */
static err
drop_sessions_of_leavers(struct call *c, const struct group *old,
    const struct group *new)
{
	struct principal_id *out;
	size_t n = 0;

	out = arena_array(c->a, old->members_n + 1, sizeof *out);
	TRY(arena_check(c->a));
	for (size_t i = 0; i < old->members_n; i++)
		if (new->members_n == 0 ||
		    bsearch(&old->members[i], new->members, new->members_n,
			sizeof *new->members, by_id) == NULL)
			out[n++] = old->members[i];
	return drop_sessions_of_all(c, out, n);
}

err
route_group_list(struct call *c)
{
	return list_objects(c, OBJECT_GROUP, NULL, render_listed);
}

err
route_group_get(struct call *c)
{
	const struct group *g;

	TRY(find(c, &g));
	return answer_object(c, 200, &g->o, render);
}

err
route_group_create(struct call *c)
{
	struct group g = {0};

	g.name = body_text(c, "name", STR(""));
	TRY(name_is_free(c, g.name, &g.o.id));
	TRY(room_for(c, OBJECT_GROUP, LIM_GROUPS));
	TRY(read_members(c, &g));
	admin_new(c, OBJECT_GROUP, 0, &g.o);
	TRY(admin_put(c, &g.o));
	c->rec.body = c->req->body;
	call_touch(c, "group", &g.o.id);
	return answer_created(c, "/v1/groups", &g.o, render);
}

static err
copy_members(struct call *c, struct group *g)
{
	struct principal_id *m;

	m = arena_array(c->a, g->members_n + 1, sizeof *m);
	TRY(arena_check(c->a));
	if (g->members_n > 0)
		memcpy(m, g->members, g->members_n * sizeof *m);
	g->members = m;
	return OK;
}

/* To let somebody in is to grant what the group has. */
err
route_group_patch(struct call *c)
{
	const struct group *old;
	struct group g, before;

	TRY(find(c, &old));
	TRY(call_match(c, old->o.version));
	g = *old;
	g.name = arena_dup(c->a, body_text(c, "name", g.name));
	TRY(arena_check(c->a));
	TRY(name_is_free(c, g.name, &g.o.id));
	TRY(copy_members(c, &g));
	before = g;
	TRY(read_members(c, &g));
	if (somebody_joins(old, &g))
		TRY(may_join(c, &g.o.id));
	TRY(keeps_admin(c, &g.o, g.o.kind, NULL));
	admin_touch(c, &g.o);
	TRY(admin_put(c, &g.o));
	TRY(drop_sessions_of_leavers(c, &before, &g));
	c->rec.body = c->req->body;
	return answer_object(c, 200, &g.o, render);
}

err
route_group_delete(struct call *c)
{
	static const struct group nobody;
	const struct group *g;
	struct group before;
	struct uuid id;

	TRY(find(c, &g));
	TRY(call_match(c, g->o.version));
	id = g->o.id;
	before = *g;
	TRY(copy_members(c, &before));
	TRY(keeps_admin(c, NULL, OBJECT_GROUP, &id));
	TRY(drop_bindings(c, &id));
	TRY(admin_remove(c, OBJECT_GROUP, &id));
	TRY(drop_sessions_of_leavers(c, &before, &nobody));
	answer_empty(c, 204);
	return OK;
}
