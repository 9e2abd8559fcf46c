/*
 * Claims of tokens whose signature is right: the first byte says the kind, the
 * rest is the payload.  Who is let in has a name that can be one, and was
 * meant for us.
 */
#include <stdlib.h>

#include "auth/oidc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct jwk *key;
static struct jwks *keys;

static void
make(void)
{
	struct jwks *set = NULL;
	enum jose_why why;
	struct str der;
	struct arena a;
	struct buf b;
	struct jw w;

	arena_init(&a, 1 << 20);
	buf_init_on(&b, &a, 65536);
	buf_c(&b, "{\"keys\":[");
	jw_init(&w, &b);
	if (!err_ok(jwk_make(&a, JWK_NEW_ED25519, &der)) ||
	    !err_ok(jwk_from_private(der, STR("k"), JOSE_EDDSA, &why, &key)) ||
	    !err_ok(jwk_write(key, &w)))
		abort();
	buf_c(&b, "]}");
	if (!err_ok(jwks_parse(&a, buf_view(&b), JWK_PUBLIC, &why, &set)))
		abort();
	keys = set;
	arena_done(&a);
}

static bool
named(struct str s)
{
	return s.n > 0 && s.n <= OIDC_TEXT && memchr(s.p, '\0', s.n) == NULL;
}

static void
judge(struct arena *a, struct str token)
{
	static const struct oidc_rules r = {
	    .issuer = {"https://op", 10},
	    .client_id = {"c", 1},
	    .nonce = {"n", 1},
	    .groups_claim = {"groups", 6},
	    .algs = JOSE_BIT(JOSE_EDDSA),
	    .now = 1795842000000,
	};
	struct oidc_person who;
	struct oidc_access access;
	struct oidc_logout over;
	enum jose_why why;

	if (err_ok(oidc_id_token(a, token, &r, keys, &why, &who)) &&
	    (!named(who.sub) || who.groups_n > OIDC_GROUPS || why != WHY_OK))
		abort();
	if (err_ok(oidc_access_token(a, token, &r, keys, &why, &access)) &&
	    (!named(access.sub) || !named(access.client_id) ||
		access.expires < r.now))
		abort();
	if (err_ok(oidc_logout_token(a, token, &r, keys, &why, &over)) &&
	    (!named(over.jti) || (over.sub.n == 0 && over.sid.n == 0)))
		abort();
	(void)oidc_claimed_issuer(a, token);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char *const typ[] = {"JWT", "at+jwt", "logout+jwt", ""};
	struct str in = str_of((const char *)data, n), token;
	struct arena a;

	if (key == NULL)
		make();
	if (n == 0 || n > 8192)
		return 0;
	arena_init(&a, 1 << 22);
	if (err_ok(jws_sign(&a, key, JOSE_EDDSA, str_c(typ[data[0] % 4]),
		str_skip(in, 1), &token)))
		judge(&a, token);
	(void)oidc_claimed_issuer(&a, in);
	arena_done(&a);
	return 0;
}
