/* audit_query.c: see audit_query.h. */
#include "flow/audit_query.h"

#include "base/cidr.h"
#include "base/limits.h"
#include "base/time.h"
#include "flow/audit_saved.h"

/* The members, and where they lie; the others are read by name. */
static const struct member {
	const char *name;
	enum param param;
	size_t at; /* a struct str */
} members[] = {
    {"request", PARAM_REQUEST, offsetof(struct audit_query, request)},
    {"resource", PARAM_RESOURCE, offsetof(struct audit_query, resource)},
    {"principal", PARAM_PRINCIPAL, offsetof(struct audit_query, principal)},
    {"project", PARAM_PROJECT, offsetof(struct audit_query, project)},
    {"action", PARAM_ACTION, offsetof(struct audit_query, action)},
    {"address", PARAM_ADDRESS, offsetof(struct audit_query, address)},
};
enum { MEMBERS = sizeof members / sizeof *members };

static struct str *
text_at(struct audit_query *q, const struct member *m)
{
	return (struct str *)(void *)((char *)q + m->at);
}

/* ---- what the bytes must hold ---- */

/* `before` and then the text: no string of a leaf has a quote inside, so
 * what is found is the member. */
static err
need(struct call *c, struct audit_query *q, const char *before, struct str s,
    const char *after)
{
	struct buf b;

	if (s.n == 0)
		return OK;
	buf_init_on(&b, c->a, LIM_TARGET);
	buf_c(&b, before);
	buf_str(&b, s);
	buf_c(&b, after);
	q->need[q->needs++] = buf_view(&b);
	return buf_check(&b);
}

/* The id of "kind", "id" or "kind:id"; in a leaf kinds have no capitals and
 * ids of either form are found as they are. */
static struct str
id_of(struct str s)
{
	struct str kind, id;

	return str_cut(s, ':', &kind, &id) && !str_is(kind, "priv") ? id : s;
}

static err
needs(struct call *c, struct audit_query *q)
{
	bool prefix = str_ends(q->action, STR("."));
	bool block = memchr(q->address.p == NULL ? "" : q->address.p, '/',
			 q->address.n) != NULL;

	q->needs = 0;
	TRY(need(c, q, "\"request_id\":\"", q->request, "\""));
	TRY(need(c, q, "\"", id_of(q->resource), "\""));
	TRY(need(c, q, "\"", id_of(q->principal), "\""));
	TRY(need(c, q, "\"project\":\"", q->project, "\""));
	TRY(need(c, q, "\"action\":\"", q->action, prefix ? "" : "\""));
	if (q->has_outcome)
		TRY(need(c, q, "\"outcome\":\"",
		    str_c(audit_outcome_text(q->outcome)), "\""));
	return block ? OK : need(c, q, "\"address\":\"", q->address, "\"");
}

/* ---- reading ---- */

static err
check_action(struct call *c, struct audit_query *q)
{
	struct str *s = &q->action;
	enum audit_action a;

	if (str_ends(*s, STR(".*")))
		s->n--;
	if (s->p != NULL && !str_ends(*s, STR(".")) &&
	    !audit_action_parse(*s, &a))
		return call_bad(c, E_INVALID, "action: not known");
	return OK;
}

/* Leaves name a project by its id; people by its slug. */
static err
check_project(struct call *c, struct audit_query *q)
{
	char text[UUID_TEXT + 1];
	const struct project *p;
	struct uuid id;

	if (q->project.p == NULL || uuid_parse(q->project, &id))
		return OK;
	p = world_project_slug(call_world(c), q->project);
	if (p == NULL)
		return call_bad(c, E_INVALID, "project: no such project");
	uuid_text(&p->o.id, text);
	q->project = arena_dup(c->a, str_of(text, UUID_TEXT));
	return arena_check(c->a);
}

static err
check_address(struct call *c, struct audit_query *q)
{
	char text[ADDRESS_TEXT];

	if (q->address.p == NULL)
		return OK;
	if (address_text(q->address, text)) {
		q->address = arena_dup(c->a, str_c(text));
		return arena_check(c->a);
	}
	if (!cidr_valid(q->address))
		return call_bad(c, E_INVALID,
		    "address: an address, or a block like 10.0.0.0/8");
	return OK;
}

static err
check_texts(struct call *c, struct audit_query *q)
{
	for (size_t i = 0; i < MEMBERS; i++) {
		struct str s = *text_at(q, &members[i]);

		if (s.p != NULL && (s.n == 0 || s.n > LIM_NAME))
			return call_bad(c, E_INVALID, "%s: 1 to %d characters",
			    members[i].name, LIM_NAME);
	}
	return OK;
}

static err
check(struct call *c, struct audit_query *q, struct str outcome)
{
	TRY(check_texts(c, q));
	if (outcome.p != NULL) {
		if (!audit_outcome_parse(outcome, &q->outcome))
			return call_bad(c, E_INVALID,
			    "outcome: ok, denied, error or intent");
		q->has_outcome = true;
	}
	TRY(check_action(c, q));
	TRY(check_project(c, q));
	TRY(check_address(c, q));
	return needs(c, q);
}

static int64_t
days_ago(const struct call *c, int64_t days)
{
	return c->now - days * INT64_C(86400000);
}

static err
days_param(struct call *c, struct audit_query *q)
{
	struct str s = c->query.raw[PARAM_DAYS];
	int64_t days;

	if (s.p == NULL)
		return OK;
	if (!str_i64(s, 1, LIM_AUDIT_DAYS, &days))
		return call_bad(c, E_INVALID, "days: 1 to %d", LIM_AUDIT_DAYS);
	q->from = days_ago(c, days);
	return OK;
}

/* One member of an object: NULL, or what is wrong with it. */
static const char *
member_of(struct call *c, const struct json *j, struct audit_query *q,
    struct str *outcome)
{
	int64_t days;

	if (str_is(j->name, "days")) {
		if (!json_i64(j, 1, LIM_AUDIT_DAYS, &days))
			return "days: a number of days";
		q->from = days_ago(c, days);
		return NULL;
	}
	if (j->kind != JSON_STRING)
		return "filter: its members are texts";
	if (str_is(j->name, "from"))
		return time_parse(j->text, &q->from) ? NULL : "from: no time";
	if (str_is(j->name, "to"))
		return time_parse(j->text, &q->to) ? NULL : "to: no time";
	if (str_is(j->name, "outcome")) {
		*outcome = j->text;
		return NULL;
	}
	for (size_t i = 0; i < MEMBERS; i++)
		if (str_is(j->name, members[i].name)) {
			*text_at(q, &members[i]) = j->text;
			return NULL;
		}
	return "";
}

static err
set_members(struct call *c, const struct json *filter, struct audit_query *q,
    struct str *outcome)
{
	for (const struct json *j = json_first(filter); j != NULL;
	     j = j->next) {
		const char *wrong = member_of(c, j, q, outcome);

		if (wrong == NULL)
			continue;
		if (wrong[0] != '\0')
			return call_bad(c, E_INVALID, "%s", wrong);
		return call_bad(c, E_UNKNOWN_MEMBER,
		    "filter has principal, action, outcome, resource, request, "
		    "address, project, from, to and days");
	}
	return OK;
}

static err
set_saved(struct call *c, struct str name, struct audit_query *q,
    struct str *outcome)
{
	const struct json *saved;

	if (name.p == NULL)
		return OK;
	TRY(audit_saved_members(c, name, &saved));
	return set_members(c, saved, q, outcome);
}

err
audit_query_object(struct call *c, const struct json *filter,
    struct audit_query *ret)
{
	struct str outcome = STR_NONE;

	TRY(set_members(c, filter, ret, &outcome));
	return check(c, ret, outcome);
}

err
audit_query_body(struct call *c, struct audit_query *ret)
{
	struct str outcome = STR_NONE;

	*ret = (struct audit_query){0};
	TRY(set_saved(c, json_str_at(c->body, STR("saved")), ret, &outcome));
	TRY(set_members(c, json_get(c->body, STR("filter")), ret, &outcome));
	(void)time_parse(json_str_at(c->body, STR("from")), &ret->from);
	(void)time_parse(json_str_at(c->body, STR("to")), &ret->to);
	return check(c, ret, outcome);
}

err
audit_query_params(struct call *c, struct audit_query *ret)
{
	struct str order = c->query.raw[PARAM_ORDER], outcome = STR_NONE;

	*ret = (struct audit_query){.down = true};
	if (order.p != NULL) {
		ret->down = str_is(order, "desc");
		if (!ret->down && !str_is(order, "asc"))
			return call_bad(c, E_INVALID, "order: asc or desc");
	}
	TRY(set_saved(c, c->query.raw[PARAM_FILTER], ret, &outcome));
	TRY(days_param(c, ret));
	if (c->query.from != 0)
		ret->from = c->query.from;
	if (c->query.to != 0)
		ret->to = c->query.to;
	for (size_t i = 0; i < MEMBERS; i++) {
		struct str s = c->query.raw[members[i].param];

		if (s.p != NULL)
			*text_at(ret, &members[i]) = s;
	}
	if (c->query.raw[PARAM_OUTCOME].p != NULL)
		outcome = c->query.raw[PARAM_OUTCOME];
	return check(c, ret, outcome);
}

/* ---- matching ---- */

bool
audit_query_may(const struct audit_query *q, struct str leaf)
{
	for (size_t i = 0; i < q->needs; i++)
		if (!str_find(leaf, q->need[i]))
			return false;
	return true;
}

/* want: an id, a kind, or kind:id. */
static bool
names(struct str want, struct str kind, struct str id)
{
	struct str k, i;

	if (str_eq(want, id) || str_eq(want, kind))
		return true;
	return str_cut(want, ':', &k, &i) && str_eq(k, kind) &&
	    (i.n == 0 || str_eq(i, id));
}

static bool
text_is(struct str want, struct str is)
{
	return want.p == NULL || str_eq(want, is);
}

static bool
action_is(const struct audit_query *q, const struct audit_entry *e)
{
	struct str action = str_c(audit_action_text(e->action));

	return text_is(q->action, action) ||
	    (str_ends(q->action, STR(".")) && str_starts(action, q->action));
}

bool
audit_query_match(const struct audit_query *q, const struct audit_entry *e)
{
	bool hit = q->resource.p == NULL;

	if ((q->from != 0 && e->time < q->from) ||
	    (q->to != 0 && e->time >= q->to) ||
	    (q->has_outcome && e->outcome != q->outcome))
		return false;
	if (q->principal.p != NULL &&
	    !names(q->principal, e->principal_kind, e->principal_id))
		return false;
	if (!action_is(q, e) || !text_is(q->request, e->request_id) ||
	    !text_is(q->project, e->project))
		return false;
	if (q->address.p != NULL && !str_eq(q->address, e->address) &&
	    !(cidr_valid(q->address) && cidr_match(&q->address, 1, e->address)))
		return false;
	for (size_t i = 0; !hit && i < e->resources; i++)
		hit =
		    names(q->resource, e->resource[i].type, e->resource[i].id);
	return hit;
}

/* ---- times ---- */

static err
time_of(struct lane *l, struct arena *a, uint64_t seq, int64_t *ret)
{
	struct audit_entry e;
	struct str leaf;

	TRY(store_audit_get(l->conn, seq, a, &leaf));
	TRY(audit_leaf_read(a, leaf, &e));
	*ret = e.time;
	return OK;
}

/* Times never go back, so this is a binary search. */
err
audit_seq_at(struct lane *l, struct arena *a, int64_t t, uint64_t *ret)
{
	uint64_t lo = 1, hi;
	int64_t at;

	TRY(store_audit_last(l->conn, &hi));
	hi++;
	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;

		TRY(time_of(l, a, mid, &at));
		if (at < t)
			lo = mid + 1;
		else
			hi = mid;
	}
	*ret = lo;
	return OK;
}

err
audit_query_range(struct lane *l, struct arena *a, const struct audit_query *q,
    uint64_t *ret_first, uint64_t *ret_last)
{
	uint64_t first = 1, last;

	TRY(store_audit_last(l->conn, &last));
	if (q->from != 0)
		TRY(audit_seq_at(l, a, q->from, &first));
	if (q->to != 0) {
		TRY(audit_seq_at(l, a, q->to, &last));
		last--;
	}
	*ret_first = first;
	*ret_last = last;
	return OK;
}
