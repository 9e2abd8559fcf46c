/* scim_read.c: see scim_read.h. */
#include "flow/scim_read.h"

#include "base/limits.h"
#include "base/text.h"

#define USER_URN "urn:ietf:params:scim:schemas:core:2.0:User:"
#define GROUP_URN "urn:ietf:params:scim:schemas:core:2.0:Group:"

/* ---- filters ---- */

static struct str
without_urn(struct str s)
{
	if (s.n > sizeof USER_URN - 1 &&
	    str_ieq(str_of(s.p, sizeof USER_URN - 1), STR(USER_URN)))
		return str_skip(s, sizeof USER_URN - 1);
	if (s.n > sizeof GROUP_URN - 1 &&
	    str_ieq(str_of(s.p, sizeof GROUP_URN - 1), STR(GROUP_URN)))
		return str_skip(s, sizeof GROUP_URN - 1);
	return s;
}

static enum scim_by
attribute(struct str name)
{
	static const struct {
		const char *name;
		enum scim_by by;
	} of[] = {{"id", SCIM_ID}, {"userName", SCIM_USER_NAME},
	    {"externalId", SCIM_EXTERNAL_ID}, {"emails.value", SCIM_EMAIL},
	    {"emails", SCIM_EMAIL}, {"displayName", SCIM_DISPLAY_NAME}};

	name = without_urn(name);
	for (size_t i = 0; i < sizeof of / sizeof *of; i++)
		if (str_ieq(name, str_c(of[i].name)))
			return of[i].by;
	/* emails[type eq "work"].value */
	if (name.n > 7 && str_ieq(str_of(name.p, 7), STR("emails[")))
		return SCIM_EMAIL;
	return SCIM_NEVER;
}

/* A JSON string and nothing after it. */
static bool
quoted(struct arena *a, struct str text, struct str *ret)
{
	static const struct json_limits one = {1, 1, 1};
	struct trail t = {{0}};
	const struct json *j;

	return err_ok(json_parse(a, text, &one, &t, &j)) && json_str(j, ret);
}

err
scim_filter_read(struct arena *a, struct str text, struct trail *t,
    enum scim_by *ret_by, struct str *ret_value)
{
	struct str name, op, value;

	text = str_trim(text);
	if (text.n > LIM_DEDUP || !str_cut(text, ' ', &name, &text) ||
	    !str_cut(str_trim(text), ' ', &op, &text) ||
	    !str_ieq(op, STR("eq")) || !quoted(a, str_trim(text), &value)) {
		trail_set(t, "filter: one equality, as userName eq \"name\"");
		return err_of(E_INVALID);
	}
	*ret_by = attribute(name);
	*ret_value = value;
	return OK;
}

/* application/x-www-form-urlencoded: `+` is a space. */
static err
form_value(struct arena *a, struct str s, struct str *ret)
{
	char *p = arena_array(a, s.n + 1, 1);

	TRY(arena_check(a));
	for (size_t i = 0; i < s.n; i++)
		p[i] = s.p[i];
	for (size_t i = 0; i < s.n; i++)
		if (p[i] == '+')
			p[i] = ' ';
	return url_decode(a, str_of(p, s.n), ret);
}

static bool
names_members(struct str list)
{
	struct str one;

	while (list.n > 0) {
		(void)str_cut(list, ',', &one, &list);
		one = without_urn(str_trim(one));
		if (str_ieq(one, STR("members")))
			return true;
	}
	return false;
}

/* Numbers out of range are taken as the nearest in it (RFC 7644, 3.4.2.4). */
static bool
number(struct str s, uint32_t min, uint32_t max, uint32_t *ret)
{
	bool minus = s.n > 0 && s.p[0] == '-';
	uint64_t v;

	if (minus)
		s = str_skip(s, 1);
	if (!str_u64(s, 0, UINT32_MAX, &v))
		return false;
	if (minus || v < min)
		v = min;
	*ret = v > max ? max : (uint32_t)v;
	return true;
}

static err
query_one(struct arena *a, struct str name, struct str value, struct trail *t,
    struct scim_query *q)
{
	bool ok = true;

	if (str_is(name, "filter"))
		return scim_filter_read(a, value, t, &q->by, &q->value);
	if (str_is(name, "startIndex"))
		ok = number(value, 1, UINT32_MAX, &q->start);
	else if (str_is(name, "count"))
		ok = number(value, 0, LIM_PAGE, &q->count);
	else if (str_is(name, "excludedAttributes"))
		q->no_members = names_members(value);
	else if (str_is(name, "attributes"))
		q->no_members = !names_members(value);
	if (ok)
		return OK;
	trail_set(t, "%.*s: a number", STR_ARG(name));
	return err_of(E_INVALID);
}

err
scim_query_read(struct arena *a, struct str query, struct trail *t,
    struct scim_query *ret)
{
	struct scim_query q = {.start = 1, .count = LIM_PAGE};
	struct str pair, name, value;

	while (query.n > 0) {
		(void)str_cut(query, '&', &pair, &query);
		(void)str_cut(pair, '=', &name, &value);
		TRY(form_value(a, name, &name));
		TRY(form_value(a, value, &value));
		TRY(query_one(a, name, value, t, &q));
	}
	*ret = q;
	return OK;
}

/* ---- users ---- */

static err
bad(struct trail *t, const char *what)
{
	trail_set(t, "%s", what);
	return err_of(E_INVALID);
}

/* true, false, or the same as text in any case. */
static bool
truth(const struct json *j, bool *ret)
{
	struct str s;

	if (json_bool(j, ret))
		return true;
	if (!json_str(j, &s))
		return false;
	*ret = str_ieq(s, STR("true"));
	return *ret || str_ieq(s, STR("false"));
}

/* null takes a value away. */
static err
text_of(const struct json *j, struct trail *t, struct str *ret)
{
	if (j == NULL)
		return OK;
	if (j->kind == JSON_NULL) {
		*ret = STR("");
		return OK;
	}
	if (!json_str(j, ret))
		return bad(t, "a text was expected");
	return OK;
}

/* name.formatted; else given and family name; else as it was. */
static err
name_parts(struct arena *a, const struct json *name, struct trail *t,
    struct str *ret)
{
	struct str given = STR(""), family = STR(""), whole = STR("");
	struct buf b;

	TRY(text_of(json_get(name, STR("formatted")), t, &whole));
	TRY(text_of(json_get(name, STR("givenName")), t, &given));
	TRY(text_of(json_get(name, STR("familyName")), t, &family));
	if (whole.n > 0) {
		*ret = whole;
		return OK;
	}
	if (given.n == 0 && family.n == 0)
		return OK;
	buf_init_on(&b, a, 4096);
	buf_str(&b, given);
	if (given.n > 0 && family.n > 0)
		buf_c(&b, " ");
	buf_str(&b, family);
	TRY(buf_check(&b));
	*ret = buf_view(&b);
	return OK;
}

/* What people read goes before its parts. */
static err
name_of(struct arena *a, const struct json *body, struct trail *t,
    struct str *ret)
{
	struct str shown = STR("");

	TRY(text_of(json_get(body, STR("displayName")), t, &shown));
	if (shown.n == 0)
		return name_parts(a, json_get(body, STR("name")), t, ret);
	*ret = shown;
	return OK;
}

/* A list of {value, primary}, or one of them, or a text. */
static err
email_of(const struct json *emails, struct trail *t, struct str *ret)
{
	const struct json *j;
	bool found = false;

	if (emails == NULL)
		return OK;
	if (emails->kind == JSON_STRING || emails->kind == JSON_NULL)
		return text_of(emails, t, ret);
	if (emails->kind == JSON_OBJECT)
		return text_of(json_get(emails, STR("value")), t, ret);
	if (emails->kind != JSON_ARRAY)
		return bad(t, "emails: a list");
	for (j = json_first(emails); j != NULL; j = j->next) {
		const struct json *value =
		    j->kind == JSON_STRING ? j : json_get(j, STR("value"));
		bool primary = false;

		(void)truth(json_get(j, STR("primary")), &primary);
		if (!found || primary)
			TRY(text_of(value, t, ret));
		found = true;
		if (primary)
			break;
	}
	return OK;
}

static err
user_members(struct arena *a, const struct json *body, struct trail *t,
    struct scim_user *io)
{
	const struct json *active = json_get(body, STR("active"));

	TRY(text_of(json_get(body, STR("userName")), t, &io->user_name));
	TRY(text_of(json_get(body, STR("externalId")), t, &io->external_id));
	TRY(name_of(a, body, t, &io->name));
	TRY(email_of(json_get(body, STR("emails")), t, &io->email));
	if (active != NULL && !truth(active, &io->active))
		return bad(t, "active: true or false");
	return OK;
}

static err
user_whole(const struct scim_user *u, struct trail *t)
{
	if (u->user_name.n > 0)
		return OK;
	trail_set(t, "userName");
	return err_of(E_MISSING);
}

err
scim_user_read(struct arena *a, const struct json *body, struct trail *t,
    struct scim_user *ret)
{
	struct scim_user u = {.active = true};

	if (body == NULL || body->kind != JSON_OBJECT)
		return bad(t, "a user resource was expected");
	TRY(user_members(a, body, t, &u));
	TRY(user_whole(&u, t));
	*ret = u;
	return OK;
}

/* ---- operations ---- */

enum op { OP_ADD, OP_REPLACE, OP_REMOVE };

struct operation {
	enum op op;
	struct str path; /* n 0: none */
	const struct json *value;
};

static err
operation_read(const struct json *j, struct trail *t, struct operation *ret)
{
	struct str op = json_str_at(j, STR("op"));

	ret->path = without_urn(str_trim(json_str_at(j, STR("path"))));
	ret->value = json_get(j, STR("value"));
	if (str_ieq(op, STR("add")))
		ret->op = OP_ADD;
	else if (str_ieq(op, STR("replace")))
		ret->op = OP_REPLACE;
	else if (str_ieq(op, STR("remove")))
		ret->op = OP_REMOVE;
	else
		return bad(t, "op: add, replace or remove");
	if (ret->op == OP_REMOVE && ret->path.n == 0)
		return bad(t, "remove: a path was expected");
	if (ret->op != OP_REMOVE && ret->value == NULL)
		return bad(t, "a value was expected");
	return OK;
}

static err
operations(const struct json *body, struct trail *t, const struct json **ret)
{
	*ret = json_get(body, STR("Operations"));
	if (*ret == NULL || (*ret)->kind != JSON_ARRAY || (*ret)->count == 0)
		return bad(t, "Operations: a list was expected");
	return OK;
}

static bool
path_is(struct str path, const char *name)
{
	return str_ieq(path, str_c(name));
}

/* One attribute by its path; those that are not kept are read over. */
static err
user_attribute(struct str path, const struct json *value, struct trail *t,
    struct scim_user *io)
{
	if (path_is(path, "active")) {
		if (value == NULL)
			io->active = false;
		else if (!truth(value, &io->active))
			return bad(t, "active: true or false");
		return OK;
	}
	if (path_is(path, "userName"))
		return text_of(value, t, &io->user_name);
	if (path_is(path, "externalId"))
		return text_of(value, t, &io->external_id);
	if (path_is(path, "displayName") || path_is(path, "name.formatted"))
		return text_of(value, t, &io->name);
	if (attribute(path) == SCIM_EMAIL)
		return email_of(value, t, &io->email);
	return OK;
}

static err
user_remove(struct str path, struct trail *t, struct scim_user *io)
{
	if (path_is(path, "userName"))
		return bad(t, "userName cannot be removed");
	if (path_is(path, "externalId"))
		io->external_id = STR("");
	else if (path_is(path, "displayName") || path_is(path, "name") ||
	    path_is(path, "name.formatted"))
		io->name = STR("");
	else if (path_is(path, "active"))
		io->active = false;
	return OK;
}

/* Without a path: an object whose members may be paths themselves. */
static err
user_object(struct arena *a, const struct json *value, struct trail *t,
    struct scim_user *io)
{
	if (value == NULL || value->kind != JSON_OBJECT)
		return bad(t, "value: an object was expected");
	TRY(user_members(a, value, t, io));
	for (const struct json *j = json_first(value); j != NULL; j = j->next)
		if (memchr(j->name.p, '.', j->name.n) != NULL ||
		    memchr(j->name.p, '[', j->name.n) != NULL)
			TRY(user_attribute(without_urn(j->name), j, t, io));
	return OK;
}

err
scim_user_patch(struct arena *a, const struct json *body, struct trail *t,
    struct scim_user *io)
{
	struct scim_user u = *io;
	const struct json *list;

	TRY(operations(body, t, &list));
	for (const struct json *j = json_first(list); j != NULL; j = j->next) {
		struct operation o;

		TRY(operation_read(j, t, &o));
		if (o.op == OP_REMOVE)
			TRY(user_remove(o.path, t, &u));
		else if (o.path.n == 0)
			TRY(user_object(a, o.value, t, &u));
		else if (path_is(o.path, "name"))
			TRY(name_parts(a, o.value, t, &u.name));
		else
			TRY(user_attribute(o.path, o.value, t, &u));
	}
	TRY(user_whole(&u, t));
	*io = u;
	return OK;
}

/* ---- groups ---- */

/* [{value: id}, ...] or one of them, behind those in *io. */
static err
member_ids(struct arena *a, const struct json *value, struct trail *t,
    const struct str **io, size_t *io_n)
{
	size_t count = value == NULL ? 0 : 1;
	const struct json *j = value;
	struct str *id;

	if (value != NULL && value->kind == JSON_ARRAY) {
		count = value->count;
		j = json_first(value);
	}
	if (count > LIM_GROUP_MEMBERS)
		return bad(t, "members: too many");
	id = arena_array(a, *io_n + count + 1, sizeof *id);
	TRY(arena_check(a));
	if (*io_n > 0)
		memcpy(id, *io, *io_n * sizeof *id);
	for (size_t i = 0; i < count; i++, j = j->next) {
		struct str s = json_str_at(j, STR("value"));

		if (s.p == NULL && !json_str(j, &s))
			return bad(t, "members: a list of {value}");
		id[(*io_n)++] = s;
	}
	*io = id;
	return OK;
}

err
scim_group_read(struct arena *a, const struct json *body, struct trail *t,
    struct scim_group *ret)
{
	struct scim_group g = {.replace = true};

	if (body == NULL || body->kind != JSON_OBJECT)
		return bad(t, "a group resource was expected");
	TRY(text_of(json_get(body, STR("displayName")), t, &g.name));
	if (g.name.n == 0) {
		trail_set(t, "displayName");
		return err_of(E_MISSING);
	}
	TRY(member_ids(a, json_get(body, STR("members")), t, &g.add, &g.add_n));
	*ret = g;
	return OK;
}

/* members[value eq "id"] */
static bool
member_path(struct arena *a, struct str path, struct str *ret)
{
	struct trail t = {{0}};
	struct str name, rest, text;
	enum scim_by by;

	if (!str_cut(path, '[', &name, &rest) || !path_is(name, "members") ||
	    rest.n == 0 || rest.p[rest.n - 1] != ']')
		return false;
	text = str_of(rest.p, rest.n - 1);
	if (!str_starts(str_trim(text), STR("value ")))
		return false;
	return err_ok(scim_filter_read(a, text, &t, &by, ret));
}

static err
group_remove(struct arena *a, const struct operation *o, struct trail *t,
    struct scim_group *g)
{
	struct str *one = ARENA_NEW(a, struct str);
	const struct json *none = NULL;

	TRY(arena_check(a));
	if (path_is(o->path, "members") && o->value == none) {
		g->remove_all = true;
		return OK;
	}
	if (path_is(o->path, "members"))
		return member_ids(a, o->value, t, &g->remove, &g->remove_n);
	if (!member_path(a, o->path, one))
		return path_is(o->path, "displayName")
		    ? bad(t, "displayName cannot be removed")
		    : OK;
	return member_ids(a, &(struct json){.kind = JSON_STRING, .text = *one},
	    t, &g->remove, &g->remove_n);
}

static err
group_set(struct arena *a, enum op op, struct str path,
    const struct json *value, struct trail *t, struct scim_group *g)
{
	if (path_is(path, "displayName"))
		return text_of(value, t, &g->name);
	if (!path_is(path, "members"))
		return OK;
	if (op == OP_REPLACE) {
		g->replace = true;
		g->add_n = 0;
	}
	return member_ids(a, value, t, &g->add, &g->add_n);
}

err
scim_group_patch(struct arena *a, const struct json *body, struct trail *t,
    struct scim_group *ret)
{
	struct scim_group g = {0};
	const struct json *list;

	TRY(operations(body, t, &list));
	for (const struct json *j = json_first(list); j != NULL; j = j->next) {
		struct operation o;

		TRY(operation_read(j, t, &o));
		if (o.op == OP_REMOVE) {
			TRY(group_remove(a, &o, t, &g));
			continue;
		}
		if (o.path.n > 0) {
			TRY(group_set(a, o.op, o.path, o.value, t, &g));
			continue;
		}
		for (const struct json *m = json_first(o.value); m != NULL;
		     m = m->next)
			TRY(group_set(a, o.op, m->name, m, t, &g));
	}
	*ret = g;
	return OK;
}
