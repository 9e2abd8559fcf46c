/*
 * sso_logout.c: the provider says that a login there is over: SAML by redirect
 * or form, signed, OpenID by back-channel logout.  What it says ends sessions
 * here, once.
 */
#include "auth/mac.h"
#include "auth/oidc.h"
#include "base/rand.h"
#include "flow/browser.h"
#include "flow/form.h"
#include "flow/handlers.h"
#include "flow/sessions.h"
#include "flow/sso_keys.h"
#include "flow/sso_saml.h"

/* What the first half found. */
struct over {
	struct sso *s;
	struct str name_id; /* may be empty, as may session */
	struct str session[SAML_SESSIONS];
	size_t sessions_n;
	enum seen_kind once;
	uint8_t once_hash[SEEN_SIZE];
	int64_t once_until;
	struct str back; /* where the browser goes; empty: it is no browser */
};

static err
once_hash(struct over *o, enum seen_kind kind, struct str id, int64_t until)
{
	struct str piece[] = {
	    {(const char *)o->s->id.b, sizeof o->s->id.b},
	    STR("logout"),
	    id,
	};

	o->once = kind;
	o->once_until = until;
	return mac_sha256(piece, 3, o->once_hash);
}

/* The second half. */
static err
end_sessions(struct call *c)
{
	const struct over *o = c->prepared;
	const struct idp *i = world_idp(call_world(c), &o->s->id);
	size_t n, ended = 0;
	err e;

	call_touch(c, "identity_provider", &o->s->id);
	if (i == NULL || i->o.version != o->s->version)
		return sso_refuse(c, E_AUTH_FAILED, "provider.changed");
	e = store_seen_add(c->lane->conn, o->once, o->once_hash, o->once_until);
	if (err_is(e, E_EXISTS))
		return sso_refuse(c, E_AUTH_FAILED, "answer.replay");
	TRY(e);
	c->dirty = true;
	if (o->sessions_n == 0)
		TRY(drop_sessions_named(c, &o->s->id, o->name_id, STR(""),
		    &ended));
	for (size_t k = 0; k < o->sessions_n; k++) {
		TRY(drop_sessions_named(c, &o->s->id, o->name_id, o->session[k],
		    &n));
		ended += n;
	}
	call_touch_num(c, "sessions_ended", ended);
	if (o->back.n > 0)
		answer_redirect(c, o->back);
	else
		answer_empty(c, 200);
	return OK;
}

/* ---- SAML ---- */

static err
saml_back(struct call *c, const struct sso *s, const struct saml_self *self,
    struct str request, struct str relay, struct str *ret)
{
	struct str slo = idp_config_text(&s->config, IDP_C_SLO);
	char id[42] = "_";

	if (slo.n == 0) {
		*ret = STR("/");
		return OK;
	}
	rand_base62(id + 1, 40);
	return saml_logout_url(c->a, self, slo, str_of(id, 41), request, relay,
	    c->now, ret);
}

/* By redirect the query is signed, by POST the document (bindings 3.4, 3.5). */
static err
saml_judge(struct call *c, const struct sso *s, const struct saml_self *self,
    struct saml_logout *ret, struct str *ret_relay)
{
	bool post = c->req->method == HTTP_POST;
	struct str in = c->req->query, answer;
	enum saml_reason why;
	struct saml_provider p;
	struct buf rules;

	if (post &&
	    !saml_form_decode(c->a, form_get(c->form, "SAMLRequest"), &in))
		return sso_refuse(c, E_AUTH_FAILED,
		    saml_reason_text(SAML_ENCODING));
	TRY(saml_provider_of(c, s, self, &p));
	buf_init_on(&rules, c->a, IDP_SETTINGS);
	saml_logout_rules_encode(&rules, &p, self->slo);
	TRY(buf_check(&rules));
	TRY(saml_read(c, post ? IDP_LOGOUT : IDP_LOGOUT_QUERY, buf_view(&rules),
	    in, &answer));
	if (!saml_logout_decode(answer, &why, ret, ret_relay))
		why = SAML_CHILD;
	if (why != SAML_OK)
		return sso_refuse(c, E_AUTH_FAILED, saml_reason_text(why));
	if (post)
		*ret_relay = form_get(c->form, "RelayState");
	return OK;
}

static err
saml_first(struct call *c)
{
	struct over *o = ARENA_NEW(c->a, struct over);
	struct saml_logout out;
	struct saml_self self;
	struct str relay;

	TRY(arena_check(c->a));
	TRY(sso_find(c, true, &o->s));
	TRY(saml_self_of(c, o->s, &self));
	TRY(saml_judge(c, o->s, &self, &out, &relay));
	o->name_id = out.name_id;
	o->sessions_n = out.sessions_n;
	memcpy(o->session, out.session, sizeof o->session);
	TRY(once_hash(o, SEEN_SAML, out.id, out.until));
	TRY(saml_back(c, o->s, &self, out.id, relay, &o->back));
	c->prepared = o;
	return OK;
}

err
route_saml_logout(struct call *c)
{
	return c->slow ? saml_first(c) : end_sessions(c);
}

err
route_saml_logout_post(struct call *c)
{
	return c->slow ? saml_first(c) : end_sessions(c);
}

/* ---- OpenID Connect ---- */

static err
judged(struct call *c, const struct sso *s, bool again, enum jose_why *ret_why,
    struct oidc_logout *ret)
{
	struct oidc_rules r = {
	    .issuer = s->issuer,
	    .client_id = idp_config_text(&s->config, IDP_C_CLIENT),
	    .algs = idp_config_algs(&s->config),
	    .now = c->now,
	};
	struct jwks *keys;
	err e;

	TRY(keys_of(c, s, again, &keys));
	e = oidc_logout_token(c->a, form_get(c->form, "logout_token"), &r, keys,
	    ret_why, ret);
	(void)jwks_free(keys);
	return e;
}

static err
oidc_first(struct call *c)
{
	struct over *o = ARENA_NEW(c->a, struct over);
	enum jose_why why, newer;
	struct oidc_logout out;
	err e, again;

	TRY(arena_check(c->a));
	TRY(sso_find(c, false, &o->s));
	e = judged(c, o->s, false, &why, &out);
	if (err_is(e, E_UNAUTHENTICATED) && why == WHY_KID) {
		again = judged(c, o->s, true, &newer, &out);
		if (!err_is(again, E_NOT_FOUND)) {
			e = again;
			why = newer;
		}
	}
	if (err_is(e, E_UNAUTHENTICATED))
		return sso_refuse(c, E_AUTH_FAILED, jose_why_text(why));
	TRY(e);
	o->name_id = out.sub;
	o->session[0] = out.sid;
	o->sessions_n = out.sid.n > 0;
	c->prepared = o;
	return once_hash(o, SEEN_JWT, out.jti, out.until);
}

/* Back-Channel Logout 2.8: 400 for every fault of the token. */
static err
as_answer(struct call *c, err e)
{
	if (!err_is(e, E_AUTH_FAILED))
		return e;
	return sso_refuse(c, E_LOGOUT_TOKEN, c->rec.reason.p);
}

err
route_oidc_logout(struct call *c)
{
	return as_answer(c, c->slow ? oidc_first(c) : end_sessions(c));
}
