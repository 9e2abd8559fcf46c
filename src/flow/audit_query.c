/* audit_query.c: see audit_query.h. */
#include "flow/audit_query.h"

#include "base/time.h"

static err
common(struct call *c, struct audit_query *q, struct str outcome)
{
	enum audit_action a;

	if (outcome.p != NULL) {
		if (!audit_outcome_parse(outcome, &q->outcome))
			return call_bad(c, E_INVALID,
			    "outcome: ok, denied, error or intent");
		q->has_outcome = true;
	}
	if (str_ends(q->action, STR(".*")))
		q->action.n--;
	if (q->action.p != NULL && !str_ends(q->action, STR(".")) &&
	    !audit_action_parse(q->action, &a))
		return call_bad(c, E_INVALID, "action: not known");
	return OK;
}

err
audit_query_params(struct call *c, struct audit_query *ret)
{
	struct str order = c->query.raw[PARAM_ORDER];

	*ret = (struct audit_query){
	    .from = c->query.from,
	    .to = c->query.to,
	    .principal = c->query.raw[PARAM_PRINCIPAL],
	    .action = c->query.raw[PARAM_ACTION],
	    .resource = c->query.raw[PARAM_RESOURCE],
	    .down = true,
	};
	if (order.p != NULL) {
		ret->down = str_is(order, "desc");
		if (!ret->down && !str_is(order, "asc"))
			return call_bad(c, E_INVALID, "order: asc or desc");
	}
	return common(c, ret, c->query.raw[PARAM_OUTCOME]);
}

err
audit_query_body(struct call *c, struct audit_query *ret)
{
	static const char *const names[] = {"principal", "action", "outcome",
	    "resource"};
	const struct json *f = json_get(c->body, STR("filter"));
	struct str format = json_str_at(c->body, STR("format"));

	*ret = (struct audit_query){0};
	if (format.p != NULL && !str_is(format, "ndjson"))
		return call_bad(c, E_INVALID, "format: ndjson");
	for (const struct json *j = json_first(f); j != NULL; j = j->next) {
		bool known = false;

		for (size_t i = 0; i < sizeof names / sizeof *names; i++)
			known |= str_is(j->name, names[i]);
		if (!known || j->kind != JSON_STRING)
			return call_bad(c, E_UNKNOWN_MEMBER,
			    "filter has "
			    "principal, action, outcome and resource, texts");
	}
	(void)time_parse(json_str_at(c->body, STR("from")), &ret->from);
	(void)time_parse(json_str_at(c->body, STR("to")), &ret->to);
	ret->principal = json_str_at(f, STR("principal"));
	ret->action = json_str_at(f, STR("action"));
	ret->resource = json_str_at(f, STR("resource"));
	return common(c, ret, json_str_at(f, STR("outcome")));
}

static bool
resource_match(struct str want, const struct audit_resource *r)
{
	struct str type, id;

	if (str_eq(want, r->id))
		return true;
	return str_cut(want, ':', &type, &id) && str_eq(type, r->type) &&
	    (id.n == 0 || str_eq(id, r->id));
}

bool
audit_query_match(const struct audit_query *q, const struct audit_entry *e)
{
	struct str action = str_c(audit_action_text(e->action));
	bool hit = q->resource.p == NULL;

	if ((q->from != 0 && e->time < q->from) ||
	    (q->to != 0 && e->time >= q->to) ||
	    (q->has_outcome && e->outcome != q->outcome) ||
	    (q->principal.p != NULL && !str_eq(q->principal, e->principal_id)))
		return false;
	if (q->action.p != NULL && !str_eq(q->action, action) &&
	    !(str_ends(q->action, STR(".")) && str_starts(action, q->action)))
		return false;
	for (size_t i = 0; !hit && i < e->resources; i++)
		hit = resource_match(q->resource, &e->resource[i]);
	return hit;
}

bool
audit_query_past(const struct audit_query *q, const struct audit_entry *e)
{
	if (q->down)
		return q->from != 0 && e->time < q->from;
	return q->to != 0 && e->time >= q->to;
}

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
audit_query_start(struct call *c, const struct audit_query *q, uint64_t *ret)
{
	uint64_t last;

	if (!q->down && q->from != 0)
		return audit_seq_at(c->lane, c->a, q->from, ret);
	if (q->down && q->to != 0) {
		TRY(audit_seq_at(c->lane, c->a, q->to, ret));
		(*ret)--;
		return OK;
	}
	TRY(store_audit_last(c->lane->conn, &last));
	*ret = q->down ? last : 1;
	return OK;
}
