/*
 * client.c: how a token endpoint knows us: RFC 6749 2.3.1 (basic and post),
 * RFC 7523 2.2 (a signed assertion, for one minute), or not at all.
 */
#include "base/mem.h"
#include "base/rand.h"
#include "base/text.h"
#include "egress/inner.h"

enum { ASSERTION_S = 60, JTI = 22 };

/* ---- opening ---- */

static err
secret_keep(struct live *l, struct str s, struct trail *t)
{
	s = str_trim(s);
	while (s.n > 0 && (s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\r'))
		s = str_head(s, s.n - 1);
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x20 || s.p[i] > 0x7e)
			s.n = 0;
	if (s.n == 0 || s.n > PROVIDER_SECRET) {
		trail_set(t,
		    "idp %.*s: the secret file wants one line of at most %d "
		    "printable characters",
		    STR_ARG(l->conf.name), PROVIDER_SECRET);
		return err_of(E_CONFIG);
	}
	for (size_t at = 0; at < s.n; at += SECRET_SIZE) {
		struct secret **k = &l->secret[at / SECRET_SIZE];
		size_t n = s.n - at < SECRET_SIZE ? s.n - at : SECRET_SIZE;

		TRY(secret_new(k));
		memcpy(secret_bytes(*k), s.p + at, n);
	}
	l->secret_n = s.n;
	return OK;
}

static err
key_keep(struct live *l, struct str pem, struct trail *t)
{
	enum jose_alg alg = JOSE_ALG_MAX_;
	enum jose_why why;
	err e = OK;

	if (l->conf.key_alg.n > 0 && !jose_alg_of(l->conf.key_alg, &alg))
		e = err_of(E_CONFIG);
	if (err_ok(e))
		e = jwk_from_private(pem, l->conf.key_id, alg, &why, &l->key);
	if (err_ok(e) || err_is(e, E_NO_MEMORY))
		return e;
	trail_set(t, "idp %.*s: the private key cannot be used",
	    STR_ARG(l->conf.name));
	return err_of(E_CONFIG);
}

err
egress_client_open(struct live *l, struct str credential, struct trail *t)
{
	switch (l->conf.auth) {
	case CLIENT_BASIC:
	case CLIENT_POST:
		return secret_keep(l, credential, t);
	case CLIENT_JWT:
		return key_keep(l, credential, t);
	default:
		return OK;
	}
}

void
egress_client_close(struct live *l)
{
	for (size_t i = 0; i < SECRET_PARTS; i++)
		l->secret[i] = secret_free(l->secret[i]);
	l->key = jwk_free(l->key);
}

/* ---- proving ---- */

/* The caller wipes ret. */
static void
secret_copy(const struct live *l, char ret[PROVIDER_SECRET])
{
	for (size_t at = 0; at < l->secret_n; at += SECRET_SIZE) {
		size_t left = l->secret_n - at;

		memcpy(ret + at, secret_view(l->secret[at / SECRET_SIZE]),
		    left < SECRET_SIZE ? left : SECRET_SIZE);
	}
}

static err
prove_secret(const struct live *l, struct buf *form, struct buf *basic)
{
	char secret[PROVIDER_SECRET], pair[2048];
	struct buf b = {.p = pair, .cap = sizeof pair, .max = sizeof pair};

	secret_copy(l, secret);
	if (l->conf.auth == CLIENT_POST) {
		form_add(form, "client_id", l->conf.client_id);
		form_add(form, "client_secret", str_of(secret, l->secret_n));
	} else {
		url_encode(&b, l->conf.client_id);
		buf_char(&b, ':');
		url_encode(&b, str_of(secret, l->secret_n));
		b64_add(basic, buf_view(&b));
	}
	mem_wipe(secret, sizeof secret);
	mem_wipe(pair, sizeof pair);
	TRY(buf_check(&b));
	TRY(buf_check(basic));
	return buf_check(form);
}

/* The algorithm idp.conf names, or the one that fits the key. */
static err
sign(const struct live *l, struct arena *a, struct str claims, struct str *ret)
{
	static const enum jose_alg any[] = {JOSE_RS256, JOSE_ES256, JOSE_ES384,
	    JOSE_ES512, JOSE_EDDSA};
	enum jose_alg alg;
	err e = err_of(E_CONFIG);

	if (jose_alg_of(l->conf.key_alg, &alg))
		return jws_sign(a, l->key, alg, STR("JWT"), claims, ret);
	for (size_t i = 0; i < sizeof any / sizeof *any && !err_ok(e); i++)
		e = jws_sign(a, l->key, any[i], STR("JWT"), claims, ret);
	return e;
}

static err
prove_key(const struct live *l, struct arena *a, int64_t now_ms,
    struct buf *form)
{
	static const struct str type =
	    {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer", 54};
	char jti[JTI];
	struct str jwt;
	struct buf b;
	struct jw w;

	rand_base62(jti, sizeof jti);
	buf_init_on(&b, a, 4096);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_kstr(&w, "iss", l->conf.client_id);
	jw_kstr(&w, "sub", l->conf.client_id);
	jw_kstr(&w, "aud", l->conf.url[URL_TOKEN]);
	jw_kstr(&w, "jti", str_of(jti, sizeof jti));
	jw_ki64(&w, "iat", now_ms / 1000);
	jw_ki64(&w, "exp", now_ms / 1000 + ASSERTION_S);
	jw_obj_end(&w);
	TRY(buf_check(&b));
	TRY(sign(l, a, buf_view(&b), &jwt));
	form_add(form, "client_id", l->conf.client_id);
	form_add(form, "client_assertion_type", type);
	form_add(form, "client_assertion", jwt);
	return buf_check(form);
}

err
egress_client_prove(const struct live *l, struct arena *a, int64_t now_ms,
    struct buf *form, struct buf *basic)
{
	switch (l->conf.auth) {
	case CLIENT_BASIC:
	case CLIENT_POST:
		return prove_secret(l, form, basic);
	case CLIENT_JWT:
		return prove_key(l, a, now_ms, form);
	default:
		form_add(form, "client_id", l->conf.client_id);
		return buf_check(form);
	}
}
