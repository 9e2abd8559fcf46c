/* route.c: see route.h. */
#include "flow/route.h"

#include <pthread.h>

#include "base/limits.h"
#include "flow/call.h"
#include "flow/handlers.h"

/* P_LIMIT, P_CURSOR, ...: the bits of the params column, more than fit an
 * int. */
__extension__ enum {
#define PARAM(name, text, type) P_##name = INT64_C(1) << PARAM_##name,
#include "flow/params.def"
#undef PARAM
};
#define C FIELD_C
#define P FIELD_P
#define R FIELD_R
#define N FIELD_N
#define S FIELD_S

/* The auth column: who is asked, and whether the login must be fresh. */
#define ASKS_OPEN ROUTE_OPEN, false
#define ASKS_API ROUTE_API, false
#define ASKS_FRESH ROUTE_API, true
#define ASKS_INGEST ROUTE_INGEST, false
#define ASKS_LOGIN ROUTE_LOGIN, false
#define ASKS_DELEGATE ROUTE_DELEGATE, false
#define ASKS_JOIN ROUTE_JOIN, false

const struct route routes[] = {
#define ROUTE(id, m, path, auth, perm, lane, audit, schema, set, params, tier) \
	{#id, HTTP_##m, {path, sizeof(path) - 1}, ASKS_##auth, perm,           \
	    ROUTE_##lane, audit, SCHEMA_##schema, set, params, TIER_##tier,    \
	    route_##id},
#include "flow/routes.def"
#undef ROUTE
};
const size_t routes_n = sizeof routes / sizeof *routes;

const struct route route_none = {.id = "none",
    .auth = ROUTE_API,
    .perm = PERM_NONE,
    .lane = ROUTE_REACTOR,
    .audit = AUDIT_NONE,
    .tier = TIER_NEVER,
    .handle = route_nothing};
const struct route route_leak = {.id = "token_in_url",
    .auth = ROUTE_OPEN,
    .perm = PERM_NONE,
    .lane = ROUTE_WRITER,
    .audit = AUDIT_TOKEN_IN_URL,
    .tier = TIER_NEVER,
    .handle = route_revoke_leaked};

#define no FIELD_OPEN
#define yes FIELD_RECORDED
#define guarded FIELD_GUARDED
const struct field fields[] = {
#define FIELD(schema, name, type, max, set, class, sensitive, meaning)         \
	{SCHEMA_##schema, {name, sizeof(name) - 1}, FT_##type, max, set,       \
	    FC_##class, sensitive, meaning},
#include "flow/fields.def"
#undef FIELD
};
const size_t fields_n = sizeof fields / sizeof *fields;

const char *
param_text(enum param p)
{
	static const char *const text[] = {
#define PARAM(name, text, type) text,
#include "flow/params.def"
#undef PARAM
	};

	return text[p];
}

const char *
schema_name(enum schema s)
{
	static const char *const name[SCHEMA_MAX_] = {
	    [SCHEMA_NONE] = "none",
	    [SCHEMA_PROJECT] = "project",
	    [SCHEMA_INCIDENT] = "incident",
	    [SCHEMA_TRANSITION] = "transition",
	    [SCHEMA_MEMBERS] = "members",
	    [SCHEMA_ENTRY] = "timeline_entry",
	    [SCHEMA_ALERT] = "alert",
	    [SCHEMA_ALERT_ACT] = "alert_action",
	    [SCHEMA_PROMOTE] = "promotion",
	    [SCHEMA_INTEGRATION] = "integration",
	    [SCHEMA_ROTATE] = "integration_rotate",
	    [SCHEMA_TEST] = "integration_test",
	    [SCHEMA_CONNECTOR] = "connector",
	    [SCHEMA_APPROVAL] = "approval",
	    [SCHEMA_WITHDRAWAL] = "withdrawal",
	    [SCHEMA_SECRET] = "secret",
	    [SCHEMA_SECRET_VERSION] = "secret_version",
	    [SCHEMA_USER] = "user",
	    [SCHEMA_SA] = "service_account",
	    [SCHEMA_GROUP] = "group",
	    [SCHEMA_ROLE] = "role",
	    [SCHEMA_BINDING] = "binding",
	    [SCHEMA_RGROUP] = "resource_group",
	    [SCHEMA_TOKEN] = "token",
	    [SCHEMA_TOKEN_ROTATE] = "token_rotation",
	    [SCHEMA_TOKEN_NARROW] = "token_narrowing",
	    [SCHEMA_PREVIEW] = "change_preview",
	    [SCHEMA_POLICY_TESTS] = "policy_tests",
	    [SCHEMA_GLASS] = "break_glass",
	    [SCHEMA_ANONYMIZE] = "anonymize",
	    [SCHEMA_AUDIT_FILTER] = "audit_filter",
	    [SCHEMA_PREFERENCES] = "preferences",
	    [SCHEMA_AUDIT_REVIEW] = "audit_review",
	    [SCHEMA_GLASS_REVIEW] = "break_glass_review",
	    [SCHEMA_SCIM] = "scim",
	    [SCHEMA_EXPLAIN] = "explain",
	    [SCHEMA_EXPORT] = "export",
	    [SCHEMA_LOGIN] = "login",
	    [SCHEMA_PASSWORD] = "password",
	    [SCHEMA_TOTP] = "totp",
	    [SCHEMA_TOTP_CODE] = "totp_code",
	    [SCHEMA_WEBAUTHN] = "webauthn",
	    [SCHEMA_POLICY] = "policy",
	    [SCHEMA_IDP] = "identity_provider",
	    [SCHEMA_IDENTITY] = "identity",
	    [SCHEMA_RUN] = "run",
	    [SCHEMA_RUN_APPROVE] = "run_approve",
	    [SCHEMA_RUN_COMPLETE] = "run_complete",
	    [SCHEMA_RUN_CANCEL] = "run_cancel",
	    [SCHEMA_FREEZE] = "freeze",
	    [SCHEMA_HOLD] = "hold",
	    [SCHEMA_RETENTION] = "retention",
	    [SCHEMA_HOLD_END] = "hold_release",
	    [SCHEMA_KEY_SEAL] = "key_seal",
	    [SCHEMA_RUNBOOK] = "runbook",
	    [SCHEMA_RUNBOOK_VERSION] = "runbook_version",
	    [SCHEMA_VERSION_APPROVAL] = "runbook_approval",
	    [SCHEMA_RUNBOOK_PLAN] = "runbook_plan",
	    [SCHEMA_TRIGGER] = "trigger",
	    [SCHEMA_DELEGATE] = "delegate",
	    [SCHEMA_DELEGATE_APPROVAL] = "delegate_approval",
	    [SCHEMA_JOIN] = "delegate_join",
	    [SCHEMA_RENEWAL] = "delegate_renewal",
	    [SCHEMA_LEASE] = "task_lease",
	    [SCHEMA_TASK_START] = "task_start",
	    [SCHEMA_TASK_LOG] = "task_log",
	    [SCHEMA_TASK_RESULT] = "task_result",
	    [SCHEMA_WITNESS] = "witness",
	    [SCHEMA_WITNESS_KEY] = "audit_witness",
	    [SCHEMA_FORM] = "form",
	};

	return name[s];
}

/*
 * ---- finding ----
 *
 * A tree of path segments, made once: what a request costs does not rise
 * with the number of routes.  A literal segment is preferred to a variable
 * one, wherever they stand in the table.
 */

enum { NODES = 2048, SEGMENT_DEPTH = 16 };

struct node {
	struct str text; /* of the segment; variables: "{"; tails: "{*" */
	uint16_t child, next;
	const struct route *by[HTTP_OTHER]; /* what ends here, by method */
};

static struct node nodes[NODES]; /* [0] is the root, and no child */
static size_t nodes_n = 1;

/* Cuts "/segment" off the front; false: there is none. */
static bool
segment(struct str *path, struct str *ret)
{
	const char *end;

	if (path->n == 0 || path->p[0] != '/')
		return false;
	*path = str_skip(*path, 1);
	*ret = *path;
	end = path->n == 0 ? NULL : memchr(path->p, '/', path->n);
	if (end != NULL)
		ret->n = (size_t)(end - path->p);
	*path = str_skip(*path, ret->n);
	return true;
}

static uint16_t
child_put(uint16_t parent, struct str text)
{
	uint16_t *at = &nodes[parent].child;

	while (*at != 0 && !str_eq(nodes[*at].text, text))
		at = &nodes[*at].next;
	if (*at == 0) {
		BUG_ON(nodes_n == NODES);
		nodes[nodes_n].text = text;
		*at = (uint16_t)nodes_n++;
	}
	return *at;
}

static void
tree_make(void)
{
	for (size_t i = 0; i < routes_n; i++) {
		struct str path = routes[i].path, text;
		uint16_t at = 0;

		while (segment(&path, &text)) {
			if (route_tail(text))
				text = STR("{*");
			else if (text.n > 0 && text.p[0] == '{')
				text.n = 1; /* its name does not matter */
			at = child_put(at, text);
		}
		BUG_ON(nodes[at].by[routes[i].method] != NULL);
		nodes[at].by[routes[i].method] = &routes[i];
	}
}

/* Bit per method that ends here. */
static unsigned
methods(const struct node *n)
{
	unsigned all = 0;

	for (unsigned m = 0; m < HTTP_OTHER; m++)
		if (n->by[m] != NULL)
			all |= 1U << m;
	return all;
}

/* All that is left of the path, as one variable: no empty segment, and
 * nothing written in another way than it is. */
static bool
tail_take(const struct str *seg, size_t n, struct route_match *ret)
{
	const struct str *last = &seg[n - 1];
	struct str rest = {seg->p, (size_t)(last->p - seg->p) + last->n};

	for (size_t i = 0; i < n; i++)
		if (seg[i].n == 0 || memchr(seg[i].p, '%', seg[i].n) != NULL)
			return false;
	if (ret->vars == ROUTE_VARS)
		return false;
	ret->var[ret->vars++] = rest;
	return true;
}

/* The node of a route that the segments lead to; 0: none. */
static uint16_t
descend(uint16_t at, const struct str *seg, size_t n, struct route_match *ret)
{
	size_t vars = ret->vars;
	uint16_t var = 0, tail = 0, end;

	if (n == 0)
		return methods(&nodes[at]) != 0 ? at : 0;
	for (uint16_t i = nodes[at].child; i != 0; i = nodes[i].next) {
		if (nodes[i].text.n == 1 && nodes[i].text.p[0] == '{') {
			var = i;
		} else if (str_is(nodes[i].text, "{*")) {
			tail = i;
		} else if (str_eq(nodes[i].text, *seg)) {
			end = descend(i, seg + 1, n - 1, ret);
			if (end != 0)
				return end;
			ret->vars = vars;
		}
	}
	if (tail != 0 && tail_take(seg, n, ret))
		return tail;
	if (var == 0 || seg->n == 0 || vars == ROUTE_VARS)
		return 0;
	ret->var[ret->vars++] = *seg;
	return descend(var, seg + 1, n - 1, ret);
}

err
route_find(enum http_method m, struct str path, struct route_match *ret)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct str seg[SEGMENT_DEPTH];
	size_t n = 0;
	uint16_t at;

	(void)pthread_once(&once, tree_make);
	ret->route = NULL;
	ret->allow = 0;
	ret->vars = 0;
	while (n < SEGMENT_DEPTH && segment(&path, &seg[n]))
		n++;
	if (path.n > 0 || n == 0)
		return err_of(E_NOT_FOUND);
	at = descend(0, seg, n, ret);
	if (at == 0)
		return err_of(E_NOT_FOUND);
	ret->allow = methods(&nodes[at]);
	if (m == HTTP_HEAD)
		m = HTTP_GET;
	ret->route = m < HTTP_OTHER ? nodes[at].by[m] : NULL;
	return err_of(ret->route != NULL ? E_OK : E_METHOD);
}
