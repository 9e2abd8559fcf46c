/* A provider's metadata. */
#include <stddef.h>
#include <stdint.h>

#include "auth/saml_meta.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct trail t = {{0}};
	struct saml_meta m;
	struct arena a;

	arena_init(&a, (size_t)16 * 1024 * 1024);
	if (err_ok(saml_meta_read(&a, str_of((const char *)p, n), 0, &t, &m))) {
		BUG_ON(m.entity.n == 0 || m.entity.n > 1024);
		BUG_ON(m.certs_n == 0 || m.certs_n > SAML_KEYS);
		BUG_ON(m.sso_url.n == 0 || m.sso_url.n > SAML_URL_MAX);
	} else {
		BUG_ON(t.detail[0] == '\0');
	}
	arena_done(&a);
	return 0;
}
