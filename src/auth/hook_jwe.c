/* hook_jwe.c: see hook_jwe.h. */
#include "auth/hook_jwe.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"

err
hook_jwe_make(struct arena *a, const struct hook_rule *r, struct str *ret)
{
	struct str der;
	struct buf b;

	TRY(jwk_make(a, r->rsa ? JWK_NEW_RSA3072 : JWK_NEW_P256, &der));
	buf_init_on(&b, a, 2 * der.n + 4);
	b64url_add(&b, der);
	*ret = buf_view(&b);
	return buf_check(&b);
}

static err
key_of(struct arena *a, const struct hook_secret *s, struct jwk **ret)
{
	enum jose_why why;
	struct str der;

	if (!b64url_decode(a, s->text, &der))
		return err_of(E_CORRUPT);
	return jwk_from_private(der, STR(""), JOSE_ALG_MAX_, &why, ret);
}

static err
add_keys(struct arena *a, const struct hook_secrets *s, int64_t now,
    struct jwks *keys)
{
	struct jwk *k;

	for (size_t i = s->n; i-- > 0;) {
		if (s->s[i].kind != HOOK_JWE ||
		    !hook_secret_live(&s->s[i], now))
			continue;
		TRY(key_of(a, &s->s[i], &k));
		TRY(jwks_add(keys, k));
	}
	return OK;
}

static err
keys_of(struct arena *a, const struct hook_secrets *s, int64_t now,
    struct jwks **ret)
{
	struct jwks *keys = jwks_new();
	err e;

	if (keys == NULL)
		return err_of(E_NO_MEMORY);
	e = add_keys(a, s, now, keys);
	if (!err_ok(e)) {
		(void)jwks_free(keys);
		return e;
	}
	*ret = keys;
	return OK;
}

err
hook_jwe_open(struct arena *a, const struct hook_secrets *s, int64_t now,
    struct str body, enum jose_why *ret_why, struct str *ret)
{
	static const struct jwe_rules rules = {
	    .algs = JOSE_WRAP_ALGS,
	    .encs = JOSE_BIT(JOSE_A256GCM),
	    .max = LIM_INGEST_BODY,
	};
	struct jwks *keys;
	struct jwe jwe;
	err e;

	TRY(keys_of(a, s, now, &keys));
	e = jwe_decrypt(a, body, &rules, keys, ret_why, &jwe);
	(void)jwks_free(keys);
	TRY(e);
	*ret = jwe.plain;
	return OK;
}

static err
public_of(const struct jwks *keys, struct jw *w)
{
	jw_name(w, STR("jwk"));
	TRY(jwk_write(keys->keys[0], w));
	jw_name(w, STR("jwks"));
	return jwks_write(keys, w);
}

err
hook_jwe_public(struct arena *a, const struct hook_secrets *s, int64_t now,
    struct jw *w)
{
	struct jwks *keys;
	err e;

	TRY(keys_of(a, s, now, &keys));
	e = keys->n == 0 ? err_of(E_CORRUPT) : public_of(keys, w);
	(void)jwks_free(keys);
	return e;
}
