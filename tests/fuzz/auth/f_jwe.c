/* An encrypted token, to a key that nobody has encrypted to. */
#include <stddef.h>
#include <stdint.h>

#include "auth/jose.h"
#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static struct jwks *keys;

static struct jwks *
set(void)
{
	struct jwks *s = jwks_new();
	enum jose_why why;
	struct str der;
	struct arena a;
	struct jwk *k;

	arena_init(&a, 1 << 20);
	BUG_ON(!err_ok(jwk_make(&a, JWK_NEW_P256, &der)));
	BUG_ON(
	    !err_ok(jwk_from_private(der, STR("k"), JOSE_ALG_MAX_, &why, &k)));
	BUG_ON(s == NULL || !err_ok(jwks_add(s, k)));
	arena_done(&a);
	return s;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct jwe_rules rules = {JOSE_WRAP_ALGS |
		JOSE_BIT(JOSE_DIR),
	    JOSE_SEAL_ALGS, LIM_JWT, false};
	enum jose_why why = WHY_OK;
	struct arena a;
	struct jwe e;

	if (keys == NULL)
		keys = set();
	arena_init(&a, (size_t)16 * 1024 * 1024);
	BUG_ON(err_ok(jwe_decrypt(&a, str_of((const char *)p, n), &rules, keys,
	    &why, &e)));
	BUG_ON(why == WHY_OK || why >= WHY_MAX_);
	arena_done(&a);
	return 0;
}
