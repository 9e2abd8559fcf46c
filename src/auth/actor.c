#include "auth/actor.h"

#include "auth/access_token.h"
#include "auth/session.h"
#include "auth/token.h"

static const char *const reasons[] = {
    [AUTH_OK] = "ok",
    [AUTH_MISSING] = "missing",
    [AUTH_MALFORMED] = "malformed",
    [AUTH_UNKNOWN] = "unknown",
    [AUTH_WRONG_SECRET] = "wrong_secret",
    [AUTH_EXPIRED] = "expired",
    [AUTH_REVOKED] = "revoked",
    [AUTH_OWNER] = "owner",
    [AUTH_ADDRESS] = "address",
    [AUTH_KIND] = "kind",
    [AUTH_CERT] = "certificate",
    [AUTH_IDLE] = "idle",
    [AUTH_BOTH] = "both",
    [AUTH_JWT] = "access_token",
};

const char *
auth_reason_text(enum auth_reason r)
{
	return r <= AUTH_JWT ? reasons[r] : "unknown";
}

/* RFC 9110 11.4, RFC 6750 2.1: the scheme in any case, one space or more. */
static enum auth_reason
bearer(struct str header, struct str *ret)
{
	static const struct str scheme = {"bearer", 6};
	struct str rest;

	if (header.n == 0)
		return AUTH_MISSING;
	rest = str_skip(header, scheme.n);
	if (!str_ieq(str_head(header, scheme.n), scheme) || rest.n == 0 ||
	    rest.p[0] != ' ')
		return AUTH_MALFORMED;
	while (rest.n > 0 && rest.p[0] == ' ')
		rest = str_skip(rest, 1);
	*ret = rest;
	return AUTH_OK;
}

/*
 * Is it a token of ours?  An unknown key id costs the same MAC and the same
 * comparison as a known one, and what stands in the world about the token is
 * looked at only by who knows its secret.
 */
static enum auth_reason
verify_text(const struct auth_input *in, struct str text,
    const struct token **ret)
{
	static const struct token dummy = {.kind = 'p'};
	struct str key_id, secret;
	const struct token *t;
	uint8_t sum[32];
	bool same;
	char kind;

	if (!token_parse(text, &kind, &key_id, &secret))
		return AUTH_MALFORMED;
	t = world_token_key(in->world, key_id.p);
	if (!err_ok(token_verifier(in->token_mac, text, sum)))
		return AUTH_WRONG_SECRET;
	same = ct_eq((t != NULL ? t : &dummy)->verifier, sum, sizeof sum);
	if (t == NULL)
		return AUTH_UNKNOWN;
	if (!same)
		return AUTH_WRONG_SECRET;
	*ret = t;
	return t->kind == kind ? AUTH_OK : AUTH_KIND;
}

static enum auth_reason
verify(const struct auth_input *in, const struct token **ret)
{
	struct str text = in->bearer;
	enum auth_reason why =
	    text.n > 0 ? AUTH_OK : bearer(in->authorization, &text);

	return why == AUTH_OK ? verify_text(in, text, ret) : why;
}

/* Whom a kind of token may speak for. */
static bool
owner_fits(const struct token *t)
{
	switch (t->kind) {
	case 'p':
	case 'b':
		return t->owner_kind == PRINCIPAL_USER;
	case 's':
		return t->owner_kind == PRINCIPAL_SERVICE_ACCOUNT;
	case 'o':
		return t->owner_kind == PRINCIPAL_USER ||
		    t->owner_kind == PRINCIPAL_SERVICE_ACCOUNT;
	case 'w':
		return t->owner_kind == PRINCIPAL_INTEGRATION;
	default:
		return false;
	}
}

/* The organization's own list, for every credential. */
static bool
from_here(const struct auth_input *in)
{
	const struct policy *p = world_policy(in->world);

	return p->ip_allow_n == 0 ||
	    cidr_match(p->ip_allow, p->ip_allow_n, in->address);
}

static enum auth_reason
usable(const struct auth_input *in, const struct token *t)
{
	if (t->revoked != 0)
		return AUTH_REVOKED;
	if (in->now >= t->expires)
		return AUTH_EXPIRED;
	if (t->cidrs_n > 0 && !cidr_match(t->cidrs, t->cidrs_n, in->address))
		return AUTH_ADDRESS;
	if (!from_here(in))
		return AUTH_ADDRESS;
	if (t->bound && (in->cert == NULL || !ct_eq(in->cert, t->cert, 32)))
		return AUTH_CERT;
	if (!owner_fits(t))
		return AUTH_KIND;
	return AUTH_OK;
}

static err
actor_new(struct arena *a, const struct auth_input *in, const struct token *t,
    const struct actor **ret)
{
	struct actor *who = ARENA_NEW(a, struct actor);

	if (who == NULL)
		return err_of(E_NO_MEMORY);
	*who = (struct actor){
	    .kind = t->owner_kind,
	    .id = t->owner.u,
	    .name = world_principal_name(in->world, t->owner_kind, &t->owner.u),
	    .token = t,
	    .world = in->world,
	    .address = in->address,
	};
	*ret = who;
	return OK;
}

/* ---- sessions ---- */

static enum auth_reason
session_usable(const struct auth_input *in, const struct session *s)
{
	const struct policy *p = world_policy(in->world);
	int64_t used =
	    in->last_used == NULL ? 0 : in->last_used(in->ctx, &s->o.id);

	if (in->now >= session_absolute_end(s, p))
		return AUTH_EXPIRED;
	if (in->now >= session_idle_end(s, p, used))
		return AUTH_IDLE;
	if (!from_here(in))
		return AUTH_ADDRESS;
	if (!world_principal_live(in->world, PRINCIPAL_USER, &s->user))
		return AUTH_OWNER;
	return AUTH_OK;
}

/* The lookup is by a hash of what was sent: its time says nothing of the
 * secrets there are. */
static enum auth_reason
session_verify(const struct auth_input *in, struct str value, size_t n,
    const struct session **ret)
{
	uint8_t key[DIGEST_SIZE];

	if (n > 1 || !session_key(value, key))
		return AUTH_MALFORMED;
	*ret = world_session_key(in->world, key);
	return *ret == NULL ? AUTH_UNKNOWN : session_usable(in, *ret);
}

const struct actor *
auth_login(struct arena *a, const struct world *w, const struct session *s,
    struct str address)
{
	struct actor *who = ARENA_NEW(a, struct actor);

	if (who != NULL)
		*who = (struct actor){
		    .kind = PRINCIPAL_USER,
		    .id = s->user,
		    .name = world_principal_name(w, PRINCIPAL_USER, &s->user),
		    .session = s,
		    .world = w,
		    .address = address,
		};
	return who;
}

static err
auth_session(struct arena *a, const struct auth_input *in, struct str value,
    size_t n, enum auth_reason *ret_why, const struct actor **ret)
{
	const struct session *s = NULL;

	*ret_why = session_verify(in, value, n, &s);
	if (*ret_why != AUTH_OK)
		return err_of(E_UNAUTHENTICATED);
	*ret = auth_login(a, in->world, s, in->address);
	return err_of(*ret == NULL ? E_NO_MEMORY : E_OK);
}

/* ---- the doors ---- */

err
auth_api(struct arena *a, const struct auth_input *in,
    enum auth_reason *ret_why, const struct actor **ret)
{
	const struct token *t = NULL;
	struct str value;
	enum auth_reason why;
	size_t n;

	if (cookie_find(in->cookie, STR(SESSION_COOKIE), &value, &n)) {
		if (in->authorization.p == NULL)
			return auth_session(a, in, value, n, ret_why, ret);
		*ret_why = AUTH_BOTH;
		return err_of(E_BAD_REQUEST);
	}
	if (in->bearer.n == 0 && bearer(in->authorization, &value) == AUTH_OK &&
	    access_token_form(value))
		TRY(access_token_take(a, in, value, &why, &t));
	else
		why = verify(in, &t);
	if (why == AUTH_OK && t->kind == 'w')
		why = AUTH_KIND;
	if (why == AUTH_OK)
		why = usable(in, t);
	if (why == AUTH_OK &&
	    !world_principal_live(in->world, t->owner_kind, &t->owner.u))
		why = AUTH_OWNER;
	*ret_why = why;
	if (why != AUTH_OK)
		return err_of(E_UNAUTHENTICATED);
	return actor_new(a, in, t, ret);
}

/* ---- senders ---- */

/* Without a token of ours, so without a ceiling: access lets an integration
 * deliver to itself and nothing else. */
static err
sender_new(struct arena *a, const struct auth_input *in,
    const struct integration *i, const struct actor **ret)
{
	struct actor *who = ARENA_NEW(a, struct actor);

	if (who == NULL)
		return err_of(E_NO_MEMORY);
	*who = (struct actor){
	    .kind = PRINCIPAL_INTEGRATION,
	    .id = i->o.id,
	    .name = i->name,
	    .world = in->world,
	    .address = in->address,
	};
	*ret = who;
	return OK;
}

/* A token of this integration? */
static enum auth_reason
its_token(const struct auth_input *in, const struct uuid *integration,
    enum auth_reason why, const struct token *t)
{
	if (why == AUTH_OK && t->kind != 'w')
		why = AUTH_KIND;
	if (why == AUTH_OK)
		why = usable(in, t);
	if (why == AUTH_OK && !uuid_eq(&t->owner.u, integration))
		why = AUTH_OWNER;
	return why;
}

/* The password of Basic is a token; the name is compared like one. */
static enum hook_reason
basic(struct arena *a, const struct auth_input *in,
    const struct hook_rule *rule, enum auth_reason *why, const struct token **t)
{
	struct str user, password;

	*why = AUTH_MALFORMED;
	if (!hook_basic(a, in->authorization, &user, &password)) {
		*why = in->authorization.n == 0 ? AUTH_MISSING : AUTH_MALFORMED;
		return HOOK_WHY_TOKEN;
	}
	*why = verify_text(in, password, t);
	return user.n == rule->user.n && ct_eq(user.p, rule->user.p, user.n)
	    ? HOOK_WHY_OK
	    : HOOK_WHY_BASIC;
}

static err
rules_of(struct arena *a, const struct integration *i, struct hook_auth *h,
    struct hook_secrets *s)
{
	static const struct json_limits limits = {
	    .depth = 8,
	    .members = 64,
	    .values = 1024,
	};
	const struct json *j;
	struct trail t;

	TRY(json_parse(a, i->auth, &limits, NULL, &j));
	TRY(hook_auth_parse(a, j, &t, h));
	return hook_secrets_parse(a, i->secrets, s);
}

/* Every scheme, in the order the integration has them. */
static void
by_rules(struct arena *a, const struct auth_input *in,
    const struct integration *i, const struct hook_input *given,
    struct hook_proof *ret, enum auth_reason *why, const struct token **t)
{
	struct hook_input h = *given;
	const struct hook_rule *rule;
	struct hook_secrets secrets;
	struct hook_auth auth;

	*ret = (struct hook_proof){.why = HOOK_WHY_CONFIG};
	if (!err_ok(rules_of(a, i, &auth, &secrets)))
		return;
	h.now = in->now;
	h.address = in->address;
	h.token = HOOK_WHY_OK;
	*why = AUTH_OK;
	rule = hook_rule_of(&auth, HOOK_BASIC);
	if (rule != NULL)
		h.token = basic(a, in, rule, why, t);
	else if (hook_rule_of(&auth, HOOK_BEARER) != NULL)
		*why = verify(in, t);
	if (hook_wants_token(&auth))
		*why = its_token(in, &i->o.id, *why, *t);
	if (*why != AUTH_OK)
		h.token = HOOK_WHY_TOKEN;
	hook_check(a, &auth, &secrets, &h, ret);
}

const char *
auth_ingest_reason(enum auth_reason why, const struct hook_proof *p)
{
	return p->why == HOOK_WHY_OK || p->why == HOOK_WHY_TOKEN
	    ? auth_reason_text(why)
	    : hook_reason_text(p->why);
}

err
auth_ingest(struct arena *a, const struct auth_input *in,
    const struct uuid *integration, const struct hook_input *h,
    struct hook_proof *ret_proof, enum auth_reason *ret_why,
    const struct actor **ret)
{
	const struct integration *i = world_integration(in->world, integration);
	struct hook_proof proof = {.why = HOOK_WHY_OK};
	const struct token *t = NULL;
	enum auth_reason why = AUTH_OK;

	/* most have a bearer token and nothing else; who asks for one that
	 * does not exist takes as long */
	if (i == NULL || str_is(i->auth, "{\"kind\":\"bearer\"}")) {
		why = verify(in, &t);
		why = its_token(in, integration, why, t);
	} else {
		by_rules(a, in, i, h, &proof, &why, &t);
	}
	if (why == AUTH_OK && i == NULL)
		why = AUTH_OWNER;
	if (why == AUTH_OK && proof.why == HOOK_WHY_OK && !from_here(in))
		why = AUTH_ADDRESS;
	*ret_proof = proof;
	*ret_why = why;
	if (why != AUTH_OK || proof.why != HOOK_WHY_OK)
		return err_of(E_UNAUTHENTICATED);
	if (i->disabled) {
		*ret_why = AUTH_OWNER;
		return err_of(E_DISABLED);
	}
	if (t != NULL)
		return actor_new(a, in, t, ret);
	return sender_new(a, in, i, ret);
}

/* ---- delegates ---- */

static err
delegate_new(struct arena *a, const struct auth_input *in,
    const struct delegate *d, const struct actor **ret)
{
	struct actor *who = ARENA_NEW(a, struct actor);

	if (who == NULL)
		return err_of(E_NO_MEMORY);
	*who = (struct actor){
	    .kind = PRINCIPAL_DELEGATE,
	    .id = d->o.id,
	    .name = d->name,
	    .world = in->world,
	    .address = in->address,
	};
	*ret = who;
	return OK;
}

static enum auth_reason
delegate_usable(const struct auth_input *in, const struct delegate_cert *c,
    const struct delegate *d)
{
	if (d == NULL)
		return AUTH_UNKNOWN;
	if (in->now >= c->not_after || in->now < c->not_before)
		return AUTH_EXPIRED;
	if (d->state != DELEGATE_APPROVED || d->epoch != c->epoch)
		return AUTH_REVOKED;
	return from_here(in) ? AUTH_OK : AUTH_ADDRESS;
}

err
auth_delegate(struct arena *a, const struct auth_input *in, struct str der,
    const uint8_t ca[32], enum auth_reason *ret_why,
    struct delegate_cert *ret_cert, const struct actor **ret)
{
	const struct delegate *d;

	*ret_why = der.n == 0 ? AUTH_MISSING : AUTH_CERT;
	/* what else it would be is not to be guessed */
	if (in->authorization.p != NULL || in->cookie.p != NULL)
		*ret_why = AUTH_MALFORMED;
	if (*ret_why != AUTH_CERT)
		return err_of(E_UNAUTHENTICATED);
	TRY(delegate_cert_read(der, ca, ret_cert));
	d = world_delegate(in->world, &ret_cert->delegate);
	*ret_why = delegate_usable(in, ret_cert, d);
	if (*ret_why != AUTH_OK)
		return err_of(E_UNAUTHENTICATED);
	return delegate_new(a, in, d, ret);
}

static const struct delegate *
joins(const struct world *w, struct str key_id)
{
	size_t n;
	const struct object *const *o = world_objects(w, OBJECT_DELEGATE, &n);

	for (size_t i = 0; i < n; i++) {
		const struct delegate *d = (const struct delegate *)o[i];

		if (str_eq(str_c(d->join_id), key_id))
			return d;
	}
	return NULL;
}

static enum auth_reason
join_verify(const struct auth_input *in, const struct delegate **ret)
{
	static const struct delegate dummy;
	struct str text, key_id, secret;
	const struct delegate *d;
	enum auth_reason why = bearer(in->authorization, &text);
	uint8_t sum[32];
	bool same;
	char kind;

	if (why != AUTH_OK)
		return why;
	if (!token_parse(text, &kind, &key_id, &secret) || kind != 'd')
		return AUTH_MALFORMED;
	d = joins(in->world, key_id);
	if (!err_ok(token_verifier(in->token_mac, text, sum)))
		return AUTH_WRONG_SECRET;
	same = ct_eq((d != NULL ? d : &dummy)->join_verifier, sum, sizeof sum);
	if (d == NULL)
		return AUTH_UNKNOWN;
	if (!same)
		return AUTH_WRONG_SECRET;
	if (in->now >= d->join_expires)
		return AUTH_EXPIRED;
	*ret = d;
	return from_here(in) ? AUTH_OK : AUTH_ADDRESS;
}

err
auth_join(struct arena *a, const struct auth_input *in,
    enum auth_reason *ret_why, const struct actor **ret)
{
	const struct delegate *d = NULL;

	*ret_why = in->cookie.p != NULL ? AUTH_MALFORMED : join_verify(in, &d);
	if (*ret_why != AUTH_OK)
		return err_of(E_UNAUTHENTICATED);
	return delegate_new(a, in, d, ret);
}

const struct actor *
auth_system(struct arena *a, const struct world *w)
{
	struct actor *who = ARENA_NEW(a, struct actor);

	if (who != NULL)
		*who = (struct actor){
		    .kind = PRINCIPAL_SYSTEM,
		    .name = STR("system"),
		    .world = w,
		    .address = STR(""),
		};
	return who;
}

const struct actor *
auth_supposed(struct arena *a, const struct world *w, enum principal_kind kind,
    const struct uuid *id)
{
	struct actor *who;

	if (kind != PRINCIPAL_USER && kind != PRINCIPAL_SERVICE_ACCOUNT &&
	    kind != PRINCIPAL_INTEGRATION && kind != PRINCIPAL_GROUP)
		return NULL;
	who = ARENA_NEW(a, struct actor);
	if (who != NULL)
		*who = (struct actor){
		    .kind = kind,
		    .id = *id,
		    .name = world_principal_name(w, kind, id),
		    .world = w,
		    .address = STR(""),
		};
	return who;
}

const struct actor *
auth_supposed_token(struct arena *a, const struct world *w,
    const struct token *t)
{
	struct actor *who = ARENA_NEW(a, struct actor);

	if (who != NULL)
		*who = (struct actor){
		    .kind = t->owner_kind,
		    .id = t->owner.u,
		    .name = world_principal_name(w, t->owner_kind, &t->owner.u),
		    .token = t,
		    .world = w,
		    .address = STR(""),
		};
	return who;
}

const struct actor *
auth_run(struct arena *a, const struct world *w, enum principal_kind kind,
    const struct uuid *id, struct permset ceiling)
{
	struct token *t = ARENA_NEW(a, struct token);
	struct actor *who = ARENA_NEW(a, struct actor);

	if (t == NULL || who == NULL)
		return NULL;
	/* no credential of anybody's: nothing but a bound */
	*t = (struct token){.scopes = ceiling, .expires = INT64_MAX};
	*who = (struct actor){
	    .kind = kind,
	    .id = *id,
	    .name = world_principal_name(w, kind, id),
	    .token = t,
	    .world = w,
	    .address = STR(""),
	};
	return who;
}
