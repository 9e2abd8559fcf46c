/*
 * admin_policy.c: /v1/policy, what holds for everybody in the organization.
 * PUT changes the members it names.  What would lock the caller out is
 * refused: an address list without theirs, single sign-on with nobody to
 * sign on at.
 */
#include "auth/token.h"
#include "base/limits.h"
#include "flow/admin_body.h"
#include "flow/admin_policy.h"
#include "flow/handlers.h"
#include "flow/retention.h"

/* ---- answers ---- */

static void
cidrs_json(struct jw *w, const struct policy *p)
{
	jw_name(w, STR("ip_allow"));
	if (p->ip_allow_n == 0) {
		jw_null(w);
		return;
	}
	jw_arr(w);
	for (size_t i = 0; i < p->ip_allow_n; i++)
		jw_str(w, p->ip_allow[i]);
	jw_arr_end(w);
}

static void
render(struct call *c, struct jw *w, const struct object *o)
{
	const struct policy *p = (const struct policy *)o;

	jw_obj(w);
	jw_kbool(w, "sso_only", p->sso_only);
	jw_kbool(w, "local_login", p->local_login);
	jw_ki64(w, "token_max_days", p->token_max_days);
	cidrs_json(w, p);
	jw_ki64(w, "session_idle_minutes", p->session_idle_minutes);
	jw_ki64(w, "session_absolute_hours", p->session_absolute_hours);
	jw_ki64(w, "step_up_minutes", p->step_up_minutes);
	jw_ki64(w, "review_days", p->review_days);
	jw_ki64(w, "audit_review_days", p->audit_review_days);
	jw_ki64(w, "key_days", p->key_days);
	jw_ki64(w, "key_seals", p->key_seals);
	jw_kbool(w, "messaging", p->messaging);
	jw_kobj(w, "retention");
	retention_json(c, w, 0);
	jw_obj_end(w);
	jw_ki64(w, "witness_quorum", p->witness_quorum);
	jw_ki64(w, "witness_minutes", p->witness_minutes);
	jw_time(w, "updated_at", o->updated);
	jw_obj_end(w);
}

err
route_policy_get(struct call *c)
{
	return answer_object(c, 200, &world_policy(call_world(c))->o, render);
}

/* ---- changing ---- */

/* Numbers and what they may be; 0 is never one of them. */
static const struct number {
	const char *name;
	size_t at;
	int64_t max;
} numbers[] = {
    {"token_max_days", offsetof(struct policy, token_max_days), LIM_TOKEN_DAYS},
    {"session_idle_minutes", offsetof(struct policy, session_idle_minutes),
	LIM_IDLE_MINUTES},
    {"session_absolute_hours", offsetof(struct policy, session_absolute_hours),
	LIM_SESSION_HOURS},
    {"step_up_minutes", offsetof(struct policy, step_up_minutes),
	LIM_IDLE_MINUTES},
    {"review_days", offsetof(struct policy, review_days), LIM_REVIEW_DAYS},
    {"audit_review_days", offsetof(struct policy, audit_review_days),
	LIM_REVIEW_DAYS},
    {"key_days", offsetof(struct policy, key_days), LIM_KEY_DAYS},
    {"key_seals", offsetof(struct policy, key_seals), UINT32_MAX},
    {"witness_quorum", offsetof(struct policy, witness_quorum), LIM_WITNESSES},
    {"witness_minutes", offsetof(struct policy, witness_minutes),
	LIM_WITNESS_MINUTES},
};

static err
read_numbers(struct call *c, struct policy *p)
{
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		const struct number *n = &numbers[i];
		const struct json *j = json_get(c->body, str_c(n->name));
		uint32_t v;
		int64_t wide;

		if (j == NULL)
			continue;
		if (!json_i64(j, 1, n->max, &wide))
			return call_bad(c, E_INVALID, "%s: 1 to %lld", n->name,
			    (long long)n->max);
		v = (uint32_t)wide;
		memcpy((char *)p + n->at, &v, sizeof v);
	}
	return OK;
}

/* null: from anywhere.  An empty list would be nobody or everybody; it is
 * neither. */
static err
read_cidrs(struct call *c, struct policy *p)
{
	const struct json *j = json_get(c->body, STR("ip_allow"));
	size_t n = j == NULL ? p->ip_allow_n : j->count;
	struct str *cidr = arena_array(c->a, n + 1, sizeof *cidr);

	TRY(arena_check(c->a));
	for (size_t i = 0; j == NULL && i < n; i++)
		cidr[i] = arena_dup(c->a, p->ip_allow[i]);
	p->ip_allow = cidr;
	if (j == NULL)
		return arena_check(c->a);
	p->ip_allow_n = 0;
	if (j->kind == JSON_NULL)
		return OK;
	if (j->count == 0)
		return call_bad(c, E_INVALID,
		    "ip_allow: names none; null is from anywhere");
	for (j = json_first(j); j != NULL; j = j->next)
		cidr[p->ip_allow_n++] = j->text;
	return OK;
}

/* Is there a provider people log in at, besides this one (or NULL)? */
static bool
sign_on(const struct world *w, const struct uuid *but)
{
	const struct object *const *o;
	size_t n;

	o = world_objects(w, OBJECT_IDP, &n);
	for (size_t i = 0; i < n; i++) {
		const struct idp *p = (const struct idp *)o[i];

		if (!p->disabled && !str_is(p->kind, "oauth") &&
		    (but == NULL || !uuid_eq(&p->o.id, but)))
			return true;
	}
	return false;
}

static err
lets_in(struct call *c, const struct policy *p)
{
	if (p->ip_allow_n > 0 &&
	    !cidr_match(p->ip_allow, p->ip_allow_n, c->address))
		return call_bad(c, E_CONFLICT,
		    "ip_allow: your own address, %.*s, is not in it: you would "
		    "lock yourself out",
		    STR_ARG(c->address));
	if ((p->sso_only || !p->local_login) && !sign_on(call_world(c), NULL))
		return call_bad(c, E_CONFLICT,
		    "%s: there is no enabled identity provider to log in at",
		    p->sso_only ? "sso_only" : "local_login");
	return OK;
}

err
policy_spares(struct call *c, const struct uuid *idp)
{
	const struct policy *p = world_policy(call_world(c));

	if ((!p->sso_only && p->local_login) || !sign_on(call_world(c), NULL) ||
	    sign_on(call_world(c), idp))
		return OK;
	return call_bad(c, E_CONFLICT,
	    "the policy lets people log in at a provider only, and this is the "
	    "last one");
}

err
route_policy_put(struct call *c)
{
	const struct policy *old = world_policy(call_world(c));
	struct policy p = *old;

	TRY(call_match(c, old->o.version));
	p.sso_only = body_flag(c, "sso_only", p.sso_only);
	p.local_login = body_flag(c, "local_login", p.local_login);
	p.messaging = body_flag(c, "messaging", p.messaging);
	TRY(read_numbers(c, &p));
	if (p.key_seals < LIM_KEY_SEALS_MIN)
		return call_bad(c, E_INVALID, "key_seals: %d at least",
		    LIM_KEY_SEALS_MIN);
	TRY(read_cidrs(c, &p));
	TRY(retention_read(c, json_get(c->body, STR("retention")), false,
	    p.retention));
	TRY(lets_in(c, &p));
	if (old->o.version == 0)
		admin_new(c, OBJECT_POLICY, 0, &p.o);
	else
		admin_touch(c, &p.o);
	TRY(admin_put(c, &p.o));
	c->rec.body = c->req->body;
	call_touch(c, "policy", &p.o.id);
	return answer_object(c, 200, &p.o, render);
}
