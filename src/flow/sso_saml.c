/* sso_saml.c: see sso_saml.h; /auth/saml: logins at SAML providers. */
#include "flow/sso_saml.h"

#include "auth/mac.h"
#include "auth/sp_key.h"
#include "base/text.h"
#include "flow/browser.h"
#include "flow/form.h"
#include "flow/handlers.h"
#include "ipc/idp.h"

err
saml_read(struct call *c, enum idp_document_kind kind, struct str settings,
    struct str document, struct str *ret)
{
	enum idp_status why;
	struct buf out;
	err e;

	buf_init_on(&out, c->a, IDP_ANSWER);
	e = idp_saml_read(c->lane->state->idp, kind, settings, document, c->now,
	    &out, &why);
	*ret = buf_view(&out);
	if (err_ok(e) || err_is(e, E_NO_MEMORY))
		return e;
	if (kind == IDP_METADATA)
		return err_is(e, E_UNAUTHENTICATED) || err_is(e, E_TOO_LARGE)
		    ? call_bad(c, E_INVALID,
			  "config.metadata: it cannot be read")
		    : e;
	if (err_is(e, E_UNAUTHENTICATED) || err_is(e, E_TOO_LARGE))
		e = err_of(E_AUTH_FAILED);
	return sso_refuse(c, (enum err_code)e.code, idp_reason(why));
}

/* ---- documents of administrators ---- */

static struct str
base64(struct arena *a, struct str bytes)
{
	struct buf b;

	buf_init_on(&b, a, bytes.n * 2 + 8);
	b64_add(&b, bytes);
	return buf_view(&b);
}

err
saml_take_metadata(struct call *c, struct str doc, struct idp_config *cfg)
{
	struct str certs[SAML_KEYS], answer;
	struct saml_meta m;

	TRY(saml_read(c, IDP_METADATA, STR(""), doc, &answer));
	TRY(saml_meta_decode(answer, &c->trail, &m));
	for (size_t i = 0; i < m.certs_n; i++)
		certs[i] = base64(c->a, m.cert[i]);
	idp_config_set(c->a, cfg, IDP_C_ENTITY, m.entity);
	idp_config_set(c->a, cfg, IDP_C_SSO, m.sso_url);
	idp_config_set(c->a, cfg, IDP_C_SLO, m.slo_url);
	idp_config_set_list(c->a, cfg, IDP_C_CERTS, certs, m.certs_n);
	return arena_check(c->a);
}

err
saml_make_key(struct call *c, struct idp_config *cfg)
{
	struct str key, cert;

	TRY(sp_key_make(c->a, "Redoubt", c->now, &key, &cert));
	idp_config_set(c->a, cfg, IDP_C_SP_KEY, base64(c->a, key));
	idp_config_set(c->a, cfg, IDP_C_SP_CERT, base64(c->a, cert));
	return arena_check(c->a);
}

/* ---- who we are, who they are ---- */

static err
bytes_of(struct call *c, const struct idp_config *cfg, enum idp_member m,
    struct str *ret)
{
	return err_of(
	    b64_decode(c->a, idp_config_text(cfg, m), ret) ? E_OK : E_CORRUPT);
}

err
saml_self_of(struct call *c, const struct sso *s, struct saml_self *ret)
{
	*ret = (struct saml_self){
	    .entity = sso_own_url(c, s, "/metadata"),
	    .acs = sso_own_url(c, s, "/acs"),
	    .slo = sso_own_url(c, s, "/logout"),
	};
	TRY(bytes_of(c, &s->config, IDP_C_SP_CERT, &ret->cert));
	return bytes_of(c, &s->config, IDP_C_SP_KEY, &ret->key);
}

err
saml_provider_of(struct call *c, const struct sso *s,
    const struct saml_self *self, struct saml_provider *ret)
{
	const struct json *j = json_first(s->config.v[IDP_C_CERTS]);

	*ret = (struct saml_provider){
	    .entity = s->issuer,
	    .sp_entity = self->entity,
	    .acs = self->acs,
	    .decrypt = {self->key},
	    .decrypt_n = 1,
	    .cbc = idp_config_flag(&s->config, IDP_C_CBC),
	    .sha1_until = idp_config_time(&s->config, IDP_C_SHA1_UNTIL),
	};
	for (; j != NULL && ret->keys_n < SAML_KEYS; j = j->next)
		if (!b64_decode(c->a, j->text, &ret->keys[ret->keys_n++]))
			return err_of(E_CORRUPT);
	return arena_check(c->a);
}

/* The request's id is made of the transaction's nonce: an NCName. */
static struct str
request_id(struct call *c, const struct txn *t)
{
	struct buf b;

	buf_init_on(&b, c->a, TXN_RANDOM + 1);
	buf_char(&b, '_');
	buf_add(&b, t->nonce, TXN_RANDOM);
	return buf_view(&b);
}

/* ---- off to the provider ---- */

err
route_saml_metadata(struct call *c)
{
	struct saml_self self;
	struct sso *s;

	TRY(sso_find(c, true, &s));
	TRY(saml_self_of(c, s, &self));
	answer_empty(c, 200);
	c->content_type = STR("application/samlmetadata+xml");
	saml_self_write(&c->out, &self);
	return buf_check(&c->out);
}

err
route_saml_login(struct call *c)
{
	struct saml_self self;
	struct str url;
	struct sso *s;
	struct txn t;

	TRY(sso_find(c, true, &s));
	TRY(saml_self_of(c, s, &self));
	TRY(sso_begin(c, s, &t));
	TRY(saml_login_url(c->a, &self, idp_config_text(&s->config, IDP_C_SSO),
	    request_id(c, &t), str_of(t.state, TXN_STATE), t.fresh, c->now,
	    &url));
	answer_redirect(c, url);
	return OK;
}

/* ---- back from it ---- */

/* The request that a response answers; without one only where that is
 * allowed, and then whatever RelayState says leads nowhere. */
static err
asked(struct call *c, struct sso_who *who)
{
	struct str relay = form_get(c->form, "RelayState");
	const char *why;
	err e;

	who->asked = txn_is_state(relay) ||
	    !idp_config_flag(&who->sso->config, IDP_C_UNSOLICITED);
	if (!who->asked)
		return OK;
	if (!txn_is_state(relay))
		return sso_refuse(c, E_AUTH_FAILED, "saml.unsolicited");
	e = txn_take(c, &who->sso->id, relay, &why, &who->txn);
	if (!err_ok(e) && why != NULL)
		return sso_refuse(c, (enum err_code)e.code, why);
	return e;
}

static err
verdict(struct call *c, const struct sso_who *who, struct str xml,
    struct saml_identity *ret)
{
	struct saml_provider p;
	struct saml_self self;
	enum saml_reason reason;
	struct buf settings;
	struct str answer;

	TRY(saml_self_of(c, who->sso, &self));
	TRY(saml_provider_of(c, who->sso, &self, &p));
	p.unsolicited = !who->asked;
	if (who->asked)
		p.request = request_id(c, &who->txn);
	buf_init_on(&settings, c->a, IDP_SETTINGS);
	saml_provider_encode(&settings, &p);
	TRY(buf_check(&settings));
	TRY(saml_read(c, IDP_RESPONSE, buf_view(&settings), xml, &answer));
	if (!saml_verdict_decode(c->a, answer, &reason, ret))
		return sso_refuse(c, E_AUTH_FAILED,
		    saml_reason_text(SAML_CHILD));
	if (reason != SAML_OK)
		return sso_refuse(c, E_AUTH_FAILED, saml_reason_text(reason));
	return OK;
}

/* ---- what it says ---- */

static const struct saml_attribute *
attribute(const struct saml_identity *i, struct str name)
{
	for (size_t k = 0; k < i->attributes_n; k++)
		if (name.n > 0 && str_eq(i->attributes[k].name, name))
			return &i->attributes[k];
	return NULL;
}

/* The one of that name, or the first of the usual ones. */
static struct str
value(const struct saml_identity *i, struct str name, const char *const *usual)
{
	const struct saml_attribute *a = attribute(i, name);

	for (; name.n == 0 && a == NULL && *usual != NULL; usual++)
		a = attribute(i, str_c(*usual));
	return a == NULL || a->n == 0 ? STR("") : a->value[0];
}

/* By their names in use: short ones, X.500's, those of Microsoft. */
static const char *const email_names[] = {
    "mail",
    "email",
    "urn:oid:0.9.2342.19200300.100.1.3",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
    NULL,
};
static const char *const name_names[] = {
    "displayName",
    "urn:oid:2.16.840.1.113730.3.1.241",
    "cn",
    "urn:oid:2.5.4.3",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
    NULL,
};

static void
read_attributes(const struct saml_identity *i, struct sso_who *who)
{
	const struct idp_config *cfg = &who->sso->config;
	const struct saml_attribute *g;

	who->email =
	    value(i, idp_config_text(cfg, IDP_C_EMAIL_ATTR), email_names);
	who->name = value(i, idp_config_text(cfg, IDP_C_NAME_ATTR), name_names);
	g = attribute(i, idp_config_text(cfg, IDP_C_GROUPS_ATTR));
	if (g != NULL) {
		who->groups = g->value;
		who->groups_n = g->n;
	}
}

static err
acs(struct call *c)
{
	struct sso_who *who = ARENA_NEW(c->a, struct sso_who);
	struct saml_identity *i = ARENA_NEW(c->a, struct saml_identity);
	struct str xml, acr, piece[2];

	TRY(arena_check(c->a));
	TRY(sso_find(c, true, &who->sso));
	TRY(asked(c, who));
	if (!saml_form_decode(c->a, form_get(c->form, "SAMLResponse"), &xml))
		return sso_refuse(c, E_AUTH_FAILED,
		    saml_reason_text(SAML_ENCODING));
	TRY(verdict(c, who, xml, i));
	if (who->asked && who->txn.fresh &&
	    i->authn_instant < who->txn.begun - SAML_SKEW_MS)
		return sso_refuse(c, E_AUTH_FAILED, "saml.stale");
	acr = idp_config_text(&who->sso->config, IDP_C_ACR);
	if (acr.n > 0 && !str_eq(i->acr, acr))
		return sso_refuse(c, E_AUTH_FAILED, "saml.acr");
	who->subject = i->name_id;
	who->method = "saml";
	who->auth_time = i->authn_instant;
	who->expires = i->session_not_on_or_after;
	who->idp_session = i->session_index;
	read_attributes(i, who);
	who->once = SEEN_SAML;
	who->once_until = i->not_on_or_after;
	piece[0] = str_of((const char *)who->sso->id.b, sizeof(struct uuid));
	piece[1] = i->assertion_id;
	c->prepared = who;
	return mac_sha256(piece, 2, who->once_hash);
}

err
route_saml_acs(struct call *c)
{
	return c->slow ? acs(c) : sso_enter(c);
}
