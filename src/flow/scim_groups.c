/*
 * scim_groups.c: /scim/v2/{provider}/Groups: the rows of a provider's group
 * map.  A new one makes a group of ours that may nothing yet; what it may is
 * for those to say who may grant it.  Members are accounts of the provider,
 * and memberships are kept with them, as those that a login gives.
 */
#include "base/limits.h"
#include "flow/admin_body.h"
#include "flow/handlers.h"
#include "flow/scim.h"
#include "flow/shape.h"
#include "flow/sso_groups.h"

#define SCHEMA "urn:ietf:params:scim:schemas:core:2.0:Group"

/* ---- the map ---- */

/* The row of that group; NULL: none. */
static const struct json *
row_of(const struct sso *s, const struct uuid *group)
{
	const struct json *j = json_first(s->config.v[IDP_C_MAP]);

	for (; j != NULL; j = j->next) {
		struct uuid g = idp_map_group(j);

		if (uuid_eq(&g, group))
			return j;
	}
	return NULL;
}

static bool
named(const struct sso *s, struct str name, const struct json *but)
{
	const struct json *j = json_first(s->config.v[IDP_C_MAP]);

	for (; j != NULL; j = j->next)
		if (j != but && str_eq(idp_map_value(j), name))
			return true;
	return false;
}

static void
row_json(struct jw *w, struct str value, const struct uuid *group)
{
	jw_obj(w);
	jw_kstr(w, "value", value);
	jw_uuid(w, "group", group);
	jw_obj_end(w);
}

/* The map without `but`, and with one row more when name is some. */
static err
map_put(struct call *c, const struct sso *s, const struct json *but,
    struct str name, const struct uuid *group)
{
	static const struct json_limits lim = {8, 1000, 100000};
	const struct idp *old = world_idp(call_world(c), &s->id);
	struct idp_config cfg = s->config;
	const struct json *j;
	struct buf b, text;
	struct idp i;
	struct jw w;

	if (old == NULL)
		return err_of(E_NOT_FOUND);
	buf_init_on(&b, c->a, LIM_REPLY);
	jw_init(&w, &b);
	jw_arr(&w);
	for (j = json_first(cfg.v[IDP_C_MAP]); j != NULL; j = j->next) {
		struct uuid g = idp_map_group(j);

		if (j != but)
			row_json(&w, idp_map_value(j), &g);
	}
	if (name.n > 0)
		row_json(&w, name, group);
	jw_arr_end(&w);
	TRY(buf_check(&b));
	TRY(json_parse(c->a, buf_view(&b), &lim, &c->trail, &cfg.v[IDP_C_MAP]));
	buf_init_on(&text, c->a, LIM_REPLY);
	jw_init(&w, &text);
	idp_config_write(&w, &cfg);
	TRY(buf_check(&text));
	i = *old;
	i.name = arena_dup(c->a, old->name);
	i.kind = arena_dup(c->a, old->kind);
	i.config = buf_view(&text);
	TRY(arena_check(c->a));
	admin_touch(c, &i.o);
	return admin_put(c, &i.o);
}

/* ---- answers ---- */

static void
members_json(struct call *c, struct jw *w, const struct sso *s,
    const struct uuid *group)
{
	const struct object *const *o;
	size_t n;

	o = world_objects(call_world(c), OBJECT_IDENTITY, &n);
	jw_karr(w, "members");
	for (size_t k = 0; k < n; k++) {
		const struct identity *i = (const struct identity *)o[k];

		if (!uuid_eq(&i->idp, &s->id) ||
		    !uuids_has(i->groups, i->groups_n, group))
			continue;
		jw_obj(w);
		jw_uuid(w, "value", &i->user);
		jw_obj_end(w);
	}
	jw_arr_end(w);
}

static void
render(struct call *c, struct jw *w, const struct sso *s,
    const struct json *row, bool members)
{
	struct uuid g = idp_map_group(row);
	const struct group *ours = world_group(call_world(c), &g);

	jw_obj(w);
	jw_karr(w, "schemas");
	jw_str(w, STR(SCHEMA));
	jw_arr_end(w);
	jw_uuid(w, "id", &g);
	jw_kstr(w, "displayName", idp_map_value(row));
	if (members)
		members_json(c, w, s, &g);
	if (ours != NULL)
		scim_meta(c, w, "Group", s, &g, &ours->o);
	jw_obj_end(w);
}

/* As it is now. */
static err
show(struct call *c, int status, const struct uuid *group)
{
	const struct json *row;
	struct sso s;

	TRY(scim_provider(c, &s));
	row = row_of(&s, group);
	if (row == NULL)
		return err_of(E_NOT_FOUND);
	render(c, scim_answer(c, status), &s, row, true);
	return buf_check(&c->out);
}

static bool
matches(const struct scim_query *q, const struct json *row)
{
	struct uuid g = idp_map_group(row);
	char id[UUID_TEXT + 1];

	uuid_text(&g, id);
	return q->by == SCIM_ALL ||
	    (q->by == SCIM_ID && str_is(q->value, id)) ||
	    (q->by == SCIM_DISPLAY_NAME &&
		str_eq(q->value, idp_map_value(row)));
}

err
route_scim_group_list(struct call *c)
{
	const struct json *j;
	struct scim_query q;
	size_t n = 0, at = 0, from, shown;
	struct sso s;
	struct jw *w;

	TRY(scim_provider(c, &s));
	TRY(scim_query_read(c->a, c->req->query, &c->trail, &q));
	for (j = json_first(s.config.v[IDP_C_MAP]); j != NULL; j = j->next)
		n += matches(&q, j);
	from = q.start - 1 < n ? q.start - 1 : n;
	shown = n - from < q.count ? n - from : q.count;
	w = scim_list(c, &q, n, shown);
	for (j = json_first(s.config.v[IDP_C_MAP]); j != NULL; j = j->next) {
		if (!matches(&q, j))
			continue;
		if (at >= from && at < from + shown)
			render(c, w, &s, j, !q.no_members);
		at++;
	}
	scim_list_end(w);
	return buf_check(&c->out);
}

static err
group_at(struct call *c, struct sso *s, struct uuid *ret,
    const struct json **ret_row)
{
	TRY(scim_provider(c, s));
	TRY(call_uuid(c, 1, ret));
	*ret_row = row_of(s, ret);
	if (*ret_row == NULL || world_group(call_world(c), ret) == NULL)
		return err_of(E_NOT_FOUND);
	call_touch(c, "group", ret);
	return OK;
}

err
route_scim_group_get(struct call *c)
{
	const struct json *row;
	struct uuid group;
	struct sso s;

	TRY(group_at(c, &s, &group, &row));
	return show(c, 200, &group);
}

/* ---- members ---- */

/* Put the account into the group, or take it out. */
static err
member_set(struct call *c, const struct identity *old, const struct uuid *group,
    bool in)
{
	struct uuids want;
	struct identity i;
	struct follow f;

	if (uuids_has(old->groups, old->groups_n, group) == in)
		return OK;
	TRY(account_copy(c, old, &i));
	want.id = arena_array(c->a, i.groups_n + 1, sizeof *want.id);
	want.n = 0;
	TRY(arena_check(c->a));
	for (size_t k = 0; k < i.groups_n; k++)
		if (!uuid_eq(&i.groups[k], group))
			want.id[want.n++] = i.groups[k];
	if (in && want.n >= LIM_LIST)
		return call_bad(c, E_LIMIT, "members: one is in %d groups",
		    LIM_LIST);
	if (in)
		want.id[want.n++] = *group;
	TRY(groups_follow(c, &i, &want, &f));
	i.groups = f.given.id;
	i.groups_n = f.given.n;
	admin_touch(c, &i.o);
	return admin_put(c, &i.o);
}

static err
account_at(struct call *c, const struct sso *s, struct str id,
    const struct identity **ret)
{
	struct uuid user;

	*ret = uuid_parse(id, &user) ? scim_identity(c, s, &user) : NULL;
	if (*ret == NULL)
		return call_bad(c, E_INVALID,
		    "members: %.*s is no account of this provider",
		    id.n < 64 ? (int)id.n : 64, id.p);
	return OK;
}

static bool
listed(const struct scim_group *g, const struct uuid *user)
{
	char id[UUID_TEXT + 1];

	uuid_text(user, id);
	for (size_t k = 0; k < g->add_n; k++)
		if (str_is(g->add[k], id))
			return true;
	return false;
}

/* A member that is not among those who stay; NULL: none. */
static const struct identity *
surplus(struct call *c, const struct sso *s, const struct scim_group *g,
    const struct uuid *group)
{
	const struct object *const *o;
	size_t n;

	o = world_objects(call_world(c), OBJECT_IDENTITY, &n);
	for (size_t k = 0; k < n; k++) {
		const struct identity *i = (const struct identity *)o[k];

		if (uuid_eq(&i->idp, &s->id) &&
		    uuids_has(i->groups, i->groups_n, group) &&
		    !listed(g, &i->user))
			return i;
	}
	return NULL;
}

static err
members_change(struct call *c, const struct sso *s, const struct scim_group *g,
    const struct uuid *group)
{
	const struct identity *i;
	size_t before = 0;

	if (g->replace || g->remove_all)
		while ((i = surplus(c, s, g, group)) != NULL &&
		    before++ < LIM_GROUP_MEMBERS)
			TRY(member_set(c, i, group, false));
	for (size_t k = 0; k < g->remove_n; k++) {
		struct uuid user;

		/* to be out of it is what was asked for */
		i = uuid_parse(g->remove[k], &user) ? scim_identity(c, s, &user)
						    : NULL;
		if (i != NULL)
			TRY(member_set(c, i, group, false));
	}
	for (size_t k = 0; k < g->add_n; k++) {
		TRY(account_at(c, s, g->add[k], &i));
		TRY(member_set(c, i, group, true));
	}
	return OK;
}

/* ---- changing ---- */

static err
name_free(struct call *c, const struct sso *s, struct str name,
    const struct json *but)
{
	if (!name_valid(name, LIM_NAME))
		return call_bad(c, E_INVALID, "displayName: 1 to %d characters",
		    LIM_NAME);
	if (named(s, name, but))
		return call_bad(c, E_EXISTS,
		    "displayName: a group has it already");
	return OK;
}

/* A name of ours that nobody has: theirs, if it is free. */
static struct str
our_name(struct call *c, const struct sso *s, struct str name)
{
	const struct object *const *o;
	struct buf b;
	size_t n;

	o = world_objects(call_world(c), OBJECT_GROUP, &n);
	for (size_t k = 0; k < n; k++) {
		if (!str_eq(((const struct group *)o[k])->name, name))
			continue;
		buf_init_on(&b, c->a, 1024);
		buf_str(&b, s->name);
		buf_c(&b, ": ");
		buf_str(&b, name);
		return buf_view(&b);
	}
	return name;
}

err
route_scim_group_create(struct call *c)
{
	char id[UUID_TEXT + 1];
	struct scim_group in;
	struct group g = {0};
	struct sso s;

	TRY(scim_provider(c, &s));
	TRY(scim_group_read(c->a, c->body, &c->trail, &in));
	TRY(name_free(c, &s, in.name, NULL));
	if (s.config.v[IDP_C_MAP] != NULL &&
	    s.config.v[IDP_C_MAP]->count >= LIM_LIST)
		return call_bad(c, E_LIMIT, "the provider has %d groups",
		    LIM_LIST);
	TRY(room_for(c, OBJECT_GROUP, LIM_GROUPS));
	admin_new(c, OBJECT_GROUP, 0, &g.o);
	g.name = our_name(c, &s, in.name);
	TRY(admin_put(c, &g.o));
	TRY(map_put(c, &s, NULL, in.name, &g.o.id));
	TRY(members_change(c, &s, &in, &g.o.id));
	c->rec.body = c->req->body;
	call_touch(c, "group", &g.o.id);
	uuid_text(&g.o.id, id);
	answer_location(c, "/scim/v2/%.*s/Groups/%s", STR_ARG(c->var[0]), id);
	return show(c, 201, &g.o.id);
}

static err
change(struct call *c, struct sso *s, const struct json *row,
    const struct scim_group *in, const struct uuid *group)
{
	if (in->name.p != NULL && !str_eq(in->name, idp_map_value(row))) {
		TRY(name_free(c, s, in->name, row));
		TRY(map_put(c, s, row, in->name, group));
	}
	TRY(members_change(c, s, in, group));
	c->rec.body = c->req->body;
	return show(c, 200, group);
}

err
route_scim_group_put(struct call *c)
{
	const struct json *row;
	struct scim_group in;
	struct uuid group;
	struct sso s;

	TRY(group_at(c, &s, &group, &row));
	TRY(scim_group_read(c->a, c->body, &c->trail, &in));
	return change(c, &s, row, &in, &group);
}

err
route_scim_group_patch(struct call *c)
{
	const struct json *row;
	struct scim_group in;
	struct uuid group;
	struct sso s;

	TRY(group_at(c, &s, &group, &row));
	TRY(scim_group_patch(c->a, c->body, &c->trail, &in));
	return change(c, &s, row, &in, &group);
}

/* The row goes, and the memberships it gave; the group of ours stays, with
 * whoever was put into it by hand. */
err
route_scim_group_delete(struct call *c)
{
	const struct scim_group none = {.replace = true};
	const struct json *row;
	struct uuid group;
	struct sso s;

	TRY(group_at(c, &s, &group, &row));
	TRY(members_change(c, &s, &none, &group));
	TRY(map_put(c, &s, row, STR(""), NULL));
	answer_empty(c, 204);
	return OK;
}
