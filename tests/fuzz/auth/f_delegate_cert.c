/* Certificates that claim to be a delegate's: whatever comes, only what the
 * authority signed is read, and nobody has this authority's key. */
#include "auth/delegate_cert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const uint8_t ca[32] = {0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a,
	    0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1,
	    0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7,
	    0x07, 0x51, 0x1a};
	struct str in = str_of((const char *)data, n);
	struct delegate_cert c;
	struct uuid u;
	uint32_t epoch;
	uint8_t key[32];

	BUG_ON(err_ok(delegate_cert_read(in, ca, &c)));
	(void)delegate_urn_parse(in, &u, &epoch);
	(void)err_ok(delegate_ca_key(in, key));
	return 0;
}
