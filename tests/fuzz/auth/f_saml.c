/* A response, with nothing about it known but our names. */
#include <stddef.h>
#include <stdint.h>

#include "auth/saml_meta.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
flat(struct arena *a, struct str in)
{
	struct saml_provider p;
	struct saml_identity id;
	enum saml_reason why;
	struct buf b;

	if (saml_provider_decode(in, &p)) {
		buf_init_on(&b, a, in.n + 64);
		saml_provider_encode(&b, &p);
		BUG_ON(!str_eq(buf_view(&b), in));
	}
	if (saml_verdict_decode(a, in, &why, &id) && why == SAML_OK)
		BUG_ON(id.name_id.n == 0);
}

/* What decodes encodes to the same bytes. */
static void
flat_meta(struct arena *a, struct str in)
{
	struct saml_logout l = {0};
	struct saml_meta m = {0};
	struct saml_provider p;
	enum saml_reason why;
	struct trail t = {{0}};
	struct str relay, slo;
	struct buf b;

	buf_init_on(&b, a, in.n + 64);
	if (saml_logout_rules_decode(in, &p, &slo)) {
		saml_logout_rules_encode(&b, &p, slo);
		BUG_ON(!str_eq(buf_view(&b), in));
	}
	buf_clear(&b);
	if (saml_logout_decode(in, &why, &l, &relay)) {
		saml_logout_encode(&b, why, &l, relay);
		BUG_ON(!str_eq(buf_view(&b), in));
	}
	if (err_ok(saml_meta_decode(in, &t, &m)))
		BUG_ON(m.certs_n > SAML_KEYS);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct saml_provider provider =
	    {.entity = {"https://idp.example/meta", 24},
		.sp_entity = {"sp", 2},
		.acs = {"acs", 3},
		.unsolicited = true,
		.cbc = true};
	struct str in = str_of((const char *)p, n), relay;
	struct saml_identity id;
	struct saml_logout l;
	struct arena a;

	arena_init(&a, (size_t)16 * 1024 * 1024);
	/* without a key nobody gets in */
	BUG_ON(saml_verify(&a, &provider, in, 0, &id) == SAML_OK);
	BUG_ON(saml_logout_query(&a, &provider, STR("x"), in, 0, &l, &relay) ==
	    SAML_OK);
	BUG_ON(saml_logout_document(&a, &provider, STR("x"), in, 0, &l) ==
	    SAML_OK);
	flat(&a, in);
	flat_meta(&a, in);
	arena_done(&a);
	return 0;
}
