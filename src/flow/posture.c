/* posture.c: GET /v1/posture: good practice as checks, each with its fix. */
#include <stdio.h>

#include "base/limits.h"
#include "flow/admin_hooks.h"
#include "flow/admin_tokens.h"
#include "flow/call.h"
#include "flow/connectors.h"
#include "flow/cosigned.h"
#include "flow/factor.h"
#include "flow/glass.h"
#include "flow/handlers.h"
#include "flow/policy_tests.h"
#include "flow/posture.h"

enum {
	ADMINS_MAX = 3,
	TOKEN_DAYS = 90,
	EXPIRY_DAYS = 14,
	SECRET_DAYS = 180,
	KEY_DAYS = 365,
	DAY_MS = 86400000,
	DETAIL = POSTURE_DETAIL
};

/* One row: fills in the detail, answers whether it is well. */
struct check {
	const char *name;
	bool (*ok)(struct call *c, char detail[DETAIL]);
	const char *fix;
};

static bool
bindings(struct call *c, char detail[DETAIL])
{
	const struct object *const *o;
	size_t n, admins = 0;

	o = world_objects(call_world(c), OBJECT_BINDING, &n);
	for (size_t i = 0; i < n; i++) {
		const struct binding *b = (const struct binding *)o[i];

		admins += b->o.project == 0 && str_is(b->role, "org_admin");
	}
	(void)snprintf(detail, DETAIL,
	    "%zu of %zu bindings grant org_admin everywhere", admins, n);
	return admins <= ADMINS_MAX;
}

static bool
live(const struct token *t, int64_t now)
{
	return t->revoked == 0 && t->expires > now;
}

static bool
tokens_scoped(struct call *c, char detail[DETAIL])
{
	struct permset all;
	const struct object *const *o;
	size_t n, wide = 0;

	if (!world_role_perms(call_world(c), STR("org_admin"), &all))
		return false;
	o = world_objects(call_world(c), OBJECT_TOKEN, &n);
	for (size_t i = 0; i < n; i++) {
		const struct token *t = (const struct token *)o[i];

		wide += live(t, c->now) && t->kind != 'b' &&
		    permset_within(all, t->scopes);
	}
	(void)snprintf(detail, DETAIL,
	    "live tokens that hold every scope of an administrator: %zu", wide);
	return wide == 0;
}

static bool
tokens_used(struct call *c, char detail[DETAIL])
{
	size_t n = tokens_too_wide(c);

	(void)snprintf(detail, DETAIL,
	    "live tokens that hold scopes they did not use in 30 days: %zu", n);
	return n == 0;
}

static bool
bootstrap(struct call *c, char detail[DETAIL])
{
	const struct object *const *o;
	size_t n, left = 0;

	o = world_objects(call_world(c), OBJECT_TOKEN, &n);
	for (size_t i = 0; i < n; i++) {
		const struct token *t = (const struct token *)o[i];

		/* those of an enrolment may do nothing else */
		left += live(t, c->now) && t->kind == 'b' &&
		    !permset_empty(t->scopes);
	}
	(void)snprintf(detail, DETAIL, "live bootstrap tokens: %zu", left);
	return left == 0;
}

/* How an integration's senders prove themselves, counted. */
struct hooks {
	size_t n, weak, plain;
};

static void
count_hook(struct call *c, const struct integration *n, struct hooks *h)
{
	struct hook_auth auth;

	if (n->disabled || !err_ok(hook_stored_auth(c, n, &auth)))
		return;
	h->n++;
	h->weak += hook_weakness(&auth) != NULL;
	h->plain += hook_rule_of(&auth, HOOK_HMAC) == NULL &&
	    hook_rule_of(&auth, HOOK_MTLS) == NULL &&
	    hook_rule_of(&auth, HOOK_JWE) == NULL;
}

static struct hooks
count_hooks(struct call *c)
{
	struct hooks h = {0, 0, 0};
	const struct object *const *o;
	size_t n;

	o = world_objects(call_world(c), OBJECT_INTEGRATION, &n);
	for (size_t i = 0; i < n; i++) {
		struct scratch s;

		scratch_begin(c, &s);
		count_hook(c, (const struct integration *)o[i], &h);
		scratch_end(c, &s);
	}
	return h;
}

static bool
webhooks(struct call *c, char detail[DETAIL])
{
	struct hooks h = count_hooks(c);

	(void)snprintf(detail, DETAIL,
	    "%zu of %zu integrations take a key in the address (url_key) or "
	    "an address alone (ip_allow)",
	    h.weak, h.n);
	return h.weak == 0;
}

static bool
webhooks_signed(struct call *c, char detail[DETAIL])
{
	struct hooks h = count_hooks(c);

	(void)snprintf(detail, DETAIL,
	    "%zu of %zu integrations take deliveries that are neither signed "
	    "nor encrypted",
	    h.plain, h.n);
	return h.plain == 0;
}

static bool
tls(struct call *c, char detail[DETAIL])
{
	(void)c;
	(void)snprintf(detail, DETAIL, "TLS 1.3 only on every listener");
	return true;
}

static bool
sso(struct call *c, char detail[DETAIL])
{
	const struct policy *p = world_policy(call_world(c));
	const struct object *const *o;
	size_t n, on = 0;

	o = world_objects(call_world(c), OBJECT_IDP, &n);
	for (size_t i = 0; i < n; i++)
		on += !((const struct idp *)o[i])->disabled &&
		    !str_is(((const struct idp *)o[i])->kind, "oauth");
	(void)snprintf(detail, DETAIL,
	    "identity providers that are enabled: %zu; local logins: %s", on,
	    !p->local_login   ? "none"
		: p->sso_only ? "break-glass users only"
			      : "everybody with a password");
	return on > 0 && (p->sso_only || !p->local_login);
}

/* Who may log in without the provider: few, and there are some. */
static bool
break_glass(struct call *c, char detail[DETAIL])
{
	const struct object *const *o;
	size_t n, some = 0;

	o = world_objects(call_world(c), OBJECT_USER, &n);
	for (size_t i = 0; i < n; i++) {
		const struct user *u = (const struct user *)o[i];

		some += u->break_glass && !u->disabled;
	}
	(void)snprintf(detail, DETAIL,
	    "users who may log in locally when the policy is single sign-on "
	    "only: %zu",
	    some);
	return some > 0 && some <= ADMINS_MAX;
}

static bool
glass_reviewed(struct call *c, char detail[DETAIL])
{
	const struct object *const *o;
	size_t n, live_n = 0, waiting = 0, overdue = 0;

	o = world_objects(call_world(c), OBJECT_BREAK_GLASS, &n);
	for (size_t i = 0; i < n; i++) {
		const struct break_glass *g = (const struct break_glass *)o[i];

		live_n += glass_live(g, c->now);
		waiting += !glass_live(g, c->now) && g->reviewed == 0;
		overdue += glass_overdue(g, c->now);
	}
	(void)snprintf(detail, DETAIL,
	    "broken now: %zu; waiting for a review: %zu, for more than a week: "
	    "%zu",
	    live_n, waiting, overdue);
	return overdue == 0;
}

static bool
goes_on(struct call *c, char detail[DETAIL])
{
	const struct freeze *f = world_freeze(call_world(c), 0);
	size_t n;

	(void)world_objects(call_world(c), OBJECT_FREEZE, &n);
	if (f != NULL)
		(void)snprintf(detail, DETAIL,
		    "automation stands still everywhere: %.*s",
		    (int)(f->reason.n < 100 ? f->reason.n : 100), f->reason.p);
	else
		(void)snprintf(detail, DETAIL,
		    "projects where automation stands still: %zu", n);
	return n == 0;
}

static bool
policy_holds(struct call *c, char detail[DETAIL])
{
	size_t n, failing;

	if (!err_ok(policy_failing(c, &n, &failing)))
		return false;
	(void)snprintf(detail, DETAIL, "%zu of %zu policy tests fail", failing,
	    n);
	return failing == 0 && n > 0;
}

/* A password alone is one mistake away from somebody else. */
static bool
second_factors(struct call *c, char detail[DETAIL])
{
	const struct object *const *o;
	size_t n, all = 0, without = 0;

	o = world_objects(call_world(c), OBJECT_CREDENTIAL, &n);
	for (size_t i = 0; i < n; i++) {
		const struct credential *k = (const struct credential *)o[i];
		struct factors f;
		struct scratch s;

		if (k->kind != CREDENTIAL_PASSWORD)
			continue;
		scratch_begin(c, &s);
		all++;
		without += !err_ok(factors_of(c, &k->user, &f)) ||
		    (!f.totp && !f.webauthn);
		scratch_end(c, &s);
	}
	(void)snprintf(detail, DETAIL,
	    "%zu of %zu users with a password have no second factor", without,
	    all);
	return without == 0;
}

static bool
session_limits(struct call *c, char detail[DETAIL])
{
	const struct policy *p = world_policy(call_world(c));

	(void)snprintf(detail, DETAIL,
	    "sessions end after %u hours, or %u minutes without use; sensitive "
	    "actions need a login of the last %u minutes",
	    p->session_absolute_hours, p->session_idle_minutes,
	    p->step_up_minutes);
	return p->session_absolute_hours <= POLICY_ABSOLUTE_HOURS &&
	    p->session_idle_minutes <= POLICY_IDLE_MINUTES &&
	    p->step_up_minutes <= POLICY_STEP_UP_MINUTES;
}

static bool
token_life(struct call *c, char detail[DETAIL])
{
	uint32_t days = world_policy(call_world(c))->token_max_days;

	(void)snprintf(detail, DETAIL, "tokens may live for %u days", days);
	return days <= TOKEN_DAYS;
}

static bool
confined(struct call *c, char detail[DETAIL])
{
	const struct confinement *k = &c->lane->state->confined;

	(void)snprintf(detail, DETAIL,
	    "seccomp: %s; no network to call out to: %s; Landlock: %d; own "
	    "user: %s; capabilities: %s",
	    k->seccomp ? "yes" : "no", k->netns ? "yes" : "no", k->landlock,
	    k->own_user ? "yes" : "no", k->no_caps ? "none" : "some");
	return k->seccomp && k->netns && k->landlock > 0 && k->no_caps &&
	    k->own_user;
}

/* A rotation replaces all of them, so the oldest is as old as the last one. */
static bool
keys_replaced(struct call *c, char detail[DETAIL])
{
	struct project_key_row *row;
	int64_t oldest = c->now;
	size_t n;

	if (!err_ok(store_project_keys(c->lane->conn, c->a, &row, &n))) {
		(void)snprintf(detail, DETAIL, "they cannot be read");
		return false;
	}
	for (size_t i = 0; i < n; i++)
		if (row[i].created < oldest)
			oldest = row[i].created;
	(void)snprintf(detail, DETAIL,
	    "project keys: %zu; days since the oldest was made: %lld, %d are "
	    "fine",
	    n, (long long)((c->now - oldest) / DAY_MS), KEY_DAYS);
	return c->now - oldest <= (int64_t)KEY_DAYS * DAY_MS;
}

/* That nobody may connect is good; that somebody should and cannot is not. */
static bool
identity(struct call *c, char detail[DETAIL])
{
	struct idp_health h = {0};

	if (c->lane->state->idp != NULL)
		h = idp_client_health(c->lane->state->idp);
	(void)snprintf(detail, DETAIL,
	    "documents of identity providers are read: %s; providers that may "
	    "be called: %zu, by a process that runs: %s",
	    h.saml ? "yes" : "no", h.providers,
	    h.egress	       ? "yes"
		: h.configured ? "no"
			       : "none is meant to");
	return h.saml && (h.egress || !h.configured);
}

/* Approved ways out: those that cannot be used, or soon will not. */
static bool
connectors_usable(struct call *c, char detail[DETAIL])
{
	const int64_t soon = (int64_t)EXPIRY_DAYS * 86400000;
	size_t n, approved = 0, broken = 0, ending = 0;
	const struct object *const *o;

	o = world_objects(call_world(c), OBJECT_CONNECTOR, &n);
	for (size_t i = 0; i < n; i++) {
		const struct connector_object *k =
		    (const struct connector_object *)o[i];
		struct connector_use use;

		if (k->state != CONNECTOR_APPROVED)
			continue;
		approved++;
		broken += !err_ok(connector_usable(call_world(c), o[i]->project,
		    k->slug, c->now, NULL, &use));
		ending += k->expires - c->now < soon;
	}
	(void)snprintf(detail, DETAIL,
	    "approved connectors: %zu; that cannot be used: %zu; that expire "
	    "within %d days: %zu",
	    approved, broken, EXPIRY_DAYS, ending);
	return broken == 0 && ending == 0;
}

static bool
messaging(struct call *c, char detail[DETAIL])
{
	bool on = world_policy(call_world(c))->messaging;

	(void)snprintf(detail, DETAIL, "connectors that reach people %s",
	    on ? "may be approved" : "cannot be approved");
	return !on;
}

/* A secret nobody has changed for long, or that goes to all. */
static bool
secrets_kept(struct call *c, char detail[DETAIL])
{
	const int64_t old = (int64_t)SECRET_DAYS * 86400000;
	size_t n, stale = 0, open = 0;
	const struct object *const *o;

	o = world_objects(call_world(c), OBJECT_SECRET, &n);
	for (size_t i = 0; i < n; i++) {
		const struct secret_object *s =
		    (const struct secret_object *)o[i];

		stale += s->external.n == 0 && c->now - o[i]->updated > old;
		open += s->runbooks_n == 0 && s->connectors_n == 0;
	}
	(void)snprintf(detail, DETAIL,
	    "secrets: %zu; not touched for %d days: %zu; that name neither "
	    "runbooks nor connectors: %zu",
	    n, SECRET_DAYS, stale, open);
	return stale == 0 && open == 0;
}

/* A history shown to one and not to others is found by who watches. */
static bool
witnessed(struct call *c, char detail[DETAIL])
{
	const struct policy *p = world_policy(call_world(c));
	struct cosigned_state s;

	if (!err_ok(cosigned_state(c, &s)))
		return false;
	(void)snprintf(detail, DETAIL,
	    "%zu of %zu witnesses cosigned the audit log in the last %u "
	    "minutes, %u are wanted; together they did up to entry %llu",
	    s.fresh, s.witnesses, p->witness_minutes, p->witness_quorum,
	    (unsigned long long)s.size);
	return s.fresh >= p->witness_quorum;
}

static const struct check checks[] = {
    {"rbac", bindings,
	"bind roles in projects; keep org_admin for a few people"},
    {"tokens_least_privilege", tokens_scoped,
	"make tokens with the scopes they use, and revoke the wide ones"},
    {"tokens_used", tokens_used,
	"see redoubt token unused, then narrow them: redoubt token narrow"},
    {"tokens_unexpired", posture_tokens_unexpired,
	"revoke them: redoubt token list, redoubt token revoke"},
    {"bootstrap_token", bootstrap,
	"make a personal token, then revoke the bootstrap token"},
    {"webhooks_authenticated", webhooks,
	"let senders sign (hmac), or give them a token (bearer, basic)"},
    {"webhooks_signed", webhooks_signed,
	"where a sender can sign, use hmac; else mtls, or jwe beside a token"},
    {"tls", tls, ""},
    {"sso", sso,
	"configure an identity provider, then let the policy say single "
	"sign-on only (sso_only)"},
    {"break_glass_users", break_glass,
	"make one to three people break-glass users with strong credentials"},
    {"break_glass_reviewed", glass_reviewed,
	"have somebody else review them: redoubt break-glass review"},
    {"automation_goes_on", goes_on,
	"redoubt automation status; redoubt automation thaw lets it go on"},
    {"audit_reviewed", posture_audit_reviewed,
	"look through redoubt audit list, then: redoubt audit review add"},
    {"policy_tests", policy_holds,
	"write down who must and must not: redoubt access set-tests"},
    {"second_factors", second_factors,
	"let them add an authenticator app or a security key"},
    {"session_limits", session_limits, "set shorter limits in the policy"},
    {"token_life", token_life,
	"let tokens live at most 90 days (token_max_days in the policy)"},
    {"connectors_usable", connectors_usable,
	"see why_not in redoubt connector list --json, or revoke them"},
    {"messaging_off", messaging,
	"forbid it in the policy (messaging) unless runbooks are to reach "
	"people"},
    {"secrets_kept", secrets_kept,
	"rotate them, and name who may use them: redoubt secret rotate, "
	"redoubt secret update"},
    {"audit_witnessed", witnessed,
	"let an auditor run redoubt audit witness elsewhere, or a delegate"},
    {"keys_replaced", keys_replaced,
	"replace the root key and the project keys with redoubt key rotate"},
    {"root_key_apart", posture_root_apart,
	"set keys.root to another disk or a systemd credential, or seal it: "
	"redoubt key source"},
    {"retention_set", posture_retention_set,
	"say how long incidents and alerts are kept: redoubt retention set"},
    {"backups_recent", posture_backups_recent,
	"redoubt backup, once a day: packaging/redoubt-backup.timer"},
    {"delegates_sandboxed", posture_delegates_sandboxed,
	"see redoubt delegate doctor on their hosts, then let them join anew"},
    {"identity_process", identity,
	"look for idp.failed and child.exit in the log; redoubt check says "
	"what is wrong with idp.conf"},
    {"confinement", confined,
	"start as root with users redoubt and redoubt-keeper, on a kernel "
	"with Landlock and network namespaces"},
};

err
route_posture(struct call *c)
{
	struct jw *w = list_begin(c);

	for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
		char detail[DETAIL];
		bool ok = checks[i].ok(c, detail);

		jw_obj(w);
		jw_kstr(w, "check", str_c(checks[i].name));
		jw_kbool(w, "ok", ok);
		jw_kstr(w, "detail", str_c(detail));
		jw_kstr(w, "fix", str_c(ok ? "" : checks[i].fix));
		jw_obj_end(w);
	}
	return list_end(c, STR_NONE);
}
