/* A token, signed by nobody we know: never taken. */
#include <stddef.h>
#include <stdint.h>

#include "auth/jose.h"
#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static struct jwks *keys;

static struct jwks *
set(void)
{
	static const char text[] =
	    "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":"
	    "\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"},{\"kty\":\"EC\","
	    "\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHv"
	    "RVEU\",\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}";
	struct jwks *s = NULL;
	enum jose_why why;
	struct arena a;

	arena_init(&a, 1 << 20);
	BUG_ON(!err_ok(jwks_parse(&a, str_c(text), JWK_PUBLIC, &why, &s)));
	arena_done(&a);
	return s;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct jws_rules rules = {JOSE_PUBLIC_ALGS, LIM_JWT};
	struct str in = str_of((const char *)p, n), token, payload;
	enum jose_why why = WHY_OK;
	struct arena a;
	struct jws s;

	if (keys == NULL)
		keys = set();
	arena_init(&a, (size_t)16 * 1024 * 1024);
	BUG_ON(err_ok(jws_verify(&a, in, &rules, keys, &why, &s)));
	BUG_ON(why == WHY_OK || why >= WHY_MAX_);
	(void)str_cut(in, '\0', &token, &payload);
	BUG_ON(err_ok(
	    jws_verify_detached(&a, token, payload, &rules, keys, &why, &s)));
	arena_done(&a);
	return 0;
}
