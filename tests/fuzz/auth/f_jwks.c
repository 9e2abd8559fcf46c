/* Keys as JSON: a set that is taken is written and read back the same. */
#include <stddef.h>
#include <stdint.h>

#include "auth/jose.h"
#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
again(struct arena *a, const struct jwks *s)
{
	enum jose_why why;
	struct jwks *t;
	struct buf b;
	struct jw w;

	buf_init_on(&b, a, (size_t)4 * LIM_JWKS);
	jw_init(&w, &b);
	BUG_ON(!err_ok(jwks_write(s, &w)));
	BUG_ON(!err_ok(buf_check(&b)));
	BUG_ON(!err_ok(jwks_parse(a, buf_view(&b), JWK_PUBLIC, &why, &t)));
	BUG_ON(t->n != s->n);
	(void)jwks_free(t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const enum jwk_want want[] = {JWK_PUBLIC, JWK_PRIVATE,
	    JWK_SECRET};
	struct str in = str_of((const char *)p, n);
	struct arena a;

	arena_init(&a, (size_t)16 * 1024 * 1024);
	for (size_t i = 0; i < 3; i++) {
		enum jose_why why = WHY_OK;
		struct jwks *s;
		struct jwk *k;

		if (err_ok(jwks_parse(&a, in, want[i], &why, &s))) {
			BUG_ON(s->n == 0 || s->n > LIM_JWKS_KEYS);
			if (want[i] == JWK_PUBLIC)
				again(&a, s);
			(void)jwks_free(s);
		}
		if (err_ok(jwk_parse(&a, in, want[i], &why, &k)))
			(void)jwk_free(k);
		else
			BUG_ON(why == WHY_OK);
	}
	arena_done(&a);
	return 0;
}
