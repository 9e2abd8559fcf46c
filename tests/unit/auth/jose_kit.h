/* jose_kit.h: for tests: tokens with any header, signed or encrypted well. */
#ifndef TESTS_UNIT_AUTH_JOSE_KIT_H
#define TESTS_UNIT_AUTH_JOSE_KIT_H

#include <openssl/evp.h>

#include "auth/jose.h"
#include "base/limits.h"
#include "base/text.h"
#include "tests/t.h"

static struct arena kit;

static inline struct str
kit_b64(struct str s)
{
	struct buf b;

	buf_init_on(&b, &kit, s.n * 2 + 16);
	b64url_add(&b, s);
	return buf_view(&b);
}

static inline struct str
kit_cat(struct str x, const char *mid, struct str y)
{
	struct buf b;

	buf_init_on(&b, &kit, x.n + y.n + strlen(mid) + 1);
	buf_str(&b, x);
	buf_c(&b, mid);
	buf_str(&b, y);
	return buf_view(&b);
}

static inline struct jwk *
kit_key(enum jwk_new kind, const char *kid)
{
	enum jose_why why;
	struct jwk *k = NULL;
	struct str der;

	if (!err_ok(jwk_make(&kit, kind, &der)) ||
	    !err_ok(jwk_from_private(der, str_c(kid), JOSE_ALG_MAX_, &why, &k)))
		exit(1);
	return k;
}

/* The public half, as JSON, with more members behind. */
static inline struct str
kit_public(const struct jwk *k, const char *more)
{
	struct buf b;
	struct jw w;

	buf_init_on(&b, &kit, 8192);
	jw_init(&w, &b);
	if (!err_ok(jwk_write(k, &w)))
		exit(1);
	b.n--; /* the brace */
	buf_c(&b, more);
	buf_c(&b, "}");
	return buf_view(&b);
}

static inline struct jwks *
kit_set(struct str a, struct str b, struct str c)
{
	struct str s = kit_cat(STR("{\"keys\":["), "", a);
	struct jwks *ret = NULL;
	enum jose_why why;

	if (b.n > 0)
		s = kit_cat(s, ",", b);
	if (c.n > 0)
		s = kit_cat(s, ",", c);
	s = kit_cat(s, "]", STR("}"));
	if (!err_ok(jwks_parse(&kit, s, JWK_PUBLIC, &why, &ret)))
		return NULL;
	return ret;
}

/* header.payload.signature: RSA with that hash, whatever the header says. */
static inline struct str
kit_sign(EVP_PKEY *key, const char *md, struct str header, struct str payload)
{
	struct str text = kit_cat(kit_b64(header), ".", kit_b64(payload));
	unsigned char sig[2048];
	size_t n = sizeof sig;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (EVP_DigestSignInit_ex(ctx, NULL, md, NULL, NULL, key, NULL) != 1 ||
	    EVP_DigestSign(ctx, sig, &n, (const unsigned char *)text.p,
		text.n) != 1)
		exit(1);
	EVP_MD_CTX_free(ctx);
	return kit_cat(text, ".", kit_b64(str_of((const char *)sig, n)));
}

#endif
