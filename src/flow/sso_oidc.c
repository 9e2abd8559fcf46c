/* sso_oidc.c: /auth/oidc: logins at OpenID providers, by code (with PKCE) or
 * by form_post, and their back-channel logout. */
#include "auth/jose.h"
#include "auth/mac.h"
#include "auth/oidc.h"
#include "base/limits.h"
#include "base/text.h"
#include "flow/browser.h"
#include "flow/form.h"
#include "flow/handlers.h"
#include "flow/sessions.h"
#include "flow/sso_keys.h"
#include "ipc/idp.h"

/* ---- off to the provider ---- */

static void
param(struct buf *b, const char *name, struct str value)
{
	buf_char(b, '&');
	buf_c(b, name);
	buf_char(b, '=');
	url_encode(b, value);
}

static void
scopes(struct buf *b, const struct sso *s)
{
	const struct json *j = json_first(s->config.v[IDP_C_SCOPES]);

	buf_c(b, "&scope=");
	if (j == NULL)
		buf_c(b, "openid%20profile%20email");
	for (bool first = true; j != NULL; j = j->next, first = false) {
		if (!first)
			buf_c(b, "%20");
		url_encode(b, j->text);
	}
}

/* RFC 7636 4.2 */
static err
challenge(struct buf *b, const struct txn *t)
{
	struct str verifier = str_of(t->verifier, TXN_RANDOM);
	uint8_t sum[32];

	TRY(mac_sha256(&verifier, 1, sum));
	buf_c(b, "&code_challenge_method=S256&code_challenge=");
	b64url_add(b, str_of((const char *)sum, sizeof sum));
	return OK;
}

static err
request_url(struct call *c, const struct sso *s, const struct txn *t,
    struct str *ret)
{
	struct str at = idp_config_text(&s->config, IDP_C_AUTHORIZATION);
	struct str acr = idp_config_text(&s->config, IDP_C_ACR);
	bool code = s->config.kind == IDP_OIDC_CODE;
	struct buf b;

	buf_init_on(&b, c->a, 16384);
	buf_str(&b, at);
	buf_char(&b, memchr(at.p, '?', at.n) == NULL ? '?' : '&');
	buf_c(&b,
	    code ? "response_type=code"
		 : "response_type=id_token&response_mode=form_post");
	scopes(&b, s);
	param(&b, "client_id", idp_config_text(&s->config, IDP_C_CLIENT));
	param(&b, "redirect_uri", sso_own_url(c, s, "/callback"));
	param(&b, "state", str_of(t->state, TXN_STATE));
	param(&b, "nonce", str_of(t->nonce, TXN_RANDOM));
	if (acr.n > 0)
		param(&b, "acr_values", acr);
	if (t->fresh)
		buf_c(&b, "&prompt=login&max_age=0");
	if (code)
		TRY(challenge(&b, t));
	*ret = buf_view(&b);
	return buf_check(&b);
}

err
route_oidc_login(struct call *c)
{
	struct str url;
	struct sso *s;
	struct txn t;

	TRY(sso_find(c, false, &s));
	TRY(sso_begin(c, s, &t));
	TRY(request_url(c, s, &t, &url));
	answer_redirect(c, url);
	return OK;
}

/* ---- back from it ---- */

/* What came back, after the checks that answers and errors share. */
struct came {
	struct sso *s;
	struct txn txn;
	const struct form *form;
};

/* RFC 9207 2.4: who names an issuer names ours. */
static bool
issuer_fits(const struct came *b)
{
	struct str iss = form_get(b->form, "iss");

	if (iss.p == NULL)
		return !idp_config_flag(&b->s->config, IDP_C_ISS_REQUIRED);
	return str_eq(iss, b->s->issuer);
}

static err
come_back(struct call *c, struct came *ret)
{
	struct str state = form_get(c->form, "state");
	const char *why;
	err e;

	ret->form = c->form;
	TRY(sso_find(c, false, &ret->s));
	e = txn_take(c, &ret->s->id, state, &why, &ret->txn);
	if (!err_ok(e))
		return why == NULL ? e
				   : sso_refuse(c, (enum err_code)e.code, why);
	if (!issuer_fits(ret))
		return sso_refuse(c, E_AUTH_FAILED,
		    jose_why_text(WHY_ISS_PARAM));
	if (form_get(c->form, "error").p != NULL)
		return sso_refuse(c, E_AUTH_FAILED,
		    jose_why_text(WHY_PROVIDER));
	return OK;
}

/* The id_token: in the form, or for the code that is there. */
static err
token_of(struct call *c, const struct came *b, struct str *ret)
{
	struct str code = form_get(b->form, "code");
	struct str token = form_get(b->form, "id_token");
	bool direct = b->s->config.kind == IDP_OIDC_DIRECT;
	bool post = c->req->method == HTTP_POST;
	enum idp_status why;
	struct buf out;
	err e;

	if (direct != post || (direct ? token : code).n == 0 ||
	    (direct ? code : token).p != NULL)
		return sso_refuse(c, E_AUTH_FAILED, jose_why_text(WHY_ANSWER));
	if (direct) {
		*ret = token;
		return OK;
	}
	if (code.n > IDP_CODE)
		return sso_refuse(c, E_AUTH_FAILED, jose_why_text(WHY_ANSWER));
	buf_init_on(&out, c->a, IDP_ANSWER);
	e = idp_oidc_token(c->lane->state->idp, b->s->name, code,
	    str_of(b->txn.verifier, TXN_RANDOM), &out, &why);
	*ret = buf_view(&out);
	if (err_ok(e) || err_is(e, E_NO_MEMORY))
		return e;
	if (err_is(e, E_UNAUTHENTICATED))
		e = err_of(E_AUTH_FAILED);
	return sso_refuse(c, (enum err_code)e.code, idp_reason(why));
}

/* ---- what it says ---- */

static err
check(struct call *c, const struct came *b, struct str token, bool again,
    enum jose_why *ret_why, struct oidc_person *ret)
{
	struct oidc_rules r = {
	    .issuer = b->s->issuer,
	    .client_id = idp_config_text(&b->s->config, IDP_C_CLIENT),
	    .nonce = str_of(b->txn.nonce, TXN_RANDOM),
	    .acr = idp_config_text(&b->s->config, IDP_C_ACR),
	    .amr = b->s->config.v[IDP_C_AMR],
	    .groups_claim = idp_config_text(&b->s->config, IDP_C_GROUPS_CLAIM),
	    .code = form_get(b->form, "code"),
	    .algs = idp_config_algs(&b->s->config),
	    .after = b->txn.fresh ? b->txn.begun : 0,
	    .now = c->now,
	};
	struct jwks *keys;
	err e;

	TRY(keys_of(c, b->s, again, &keys));
	e = oidc_id_token(c->a, token, &r, keys, ret_why, ret);
	(void)jwks_free(keys);
	return e;
}

/* With the keys we have; when none of them fits, with newer ones. */
static err
check_token(struct call *c, const struct came *b, struct str token,
    struct oidc_person *ret)
{
	enum jose_why why;
	err e = check(c, b, token, false, &why, ret);

	if (err_is(e, E_UNAUTHENTICATED) && why == WHY_KID) {
		enum jose_why newer;
		err e2 = check(c, b, token, true, &newer, ret);

		if (!err_is(e2, E_NOT_FOUND)) {
			e = e2;
			why = newer;
		}
	}
	if (err_is(e, E_UNAUTHENTICATED))
		return sso_refuse(c, E_AUTH_FAILED, jose_why_text(why));
	return e;
}

/* An id_token is used once: its nonce is of one request, and so is it. */
static err
once(struct call *c, const struct came *b, struct sso_who *who)
{
	struct str piece[] = {
	    {(const char *)b->s->id.b, sizeof b->s->id.b},
	    {b->txn.nonce, TXN_RANDOM},
	};

	who->once = SEEN_JWT;
	who->once_until = c->now + LIM_TOKEN_SEEN_MS;
	return mac_sha256(piece, 2, who->once_hash);
}

static err
callback(struct call *c)
{
	struct sso_who *who = ARENA_NEW(c->a, struct sso_who);
	struct oidc_person o;
	struct str token;
	struct came b;

	TRY(arena_check(c->a));
	TRY(come_back(c, &b));
	TRY(token_of(c, &b, &token));
	TRY(check_token(c, &b, token, &o));
	*who = (struct sso_who){
	    .sso = b.s,
	    .subject = o.sub,
	    .email = o.email,
	    .name = o.name,
	    .groups = o.groups,
	    .groups_n = o.groups_n,
	    .method = "oidc",
	    .auth_time = o.auth_time,
	    .idp_session = o.sid,
	    .asked = true,
	    .txn = b.txn,
	};
	who->txn.next = arena_dup(c->a, b.txn.next);
	c->prepared = who;
	return once(c, &b, who);
}

err
route_oidc_callback(struct call *c)
{
	return c->slow ? callback(c) : sso_enter(c);
}

err
route_oidc_callback_post(struct call *c)
{
	return c->slow ? callback(c) : sso_enter(c);
}
