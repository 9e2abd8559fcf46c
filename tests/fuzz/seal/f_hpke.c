/* A sealed text from anywhere: it opens only when it was sealed to us. */
#include "seal/hpke.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t sk[HPKE_KEY] = {1, 2, 3};
	uint8_t plain[4096], pk[HPKE_KEY];
	struct str in = str_of((const char *)data, size);
	struct buf b;

	if (size > sizeof plain)
		return 0;
	BUG_ON(err_ok(hpke_open(sk, STR("i"), STR("a"), in, plain)));
	BUG_ON(!err_ok(hpke_key_public(sk, pk)));
	buf_init(&b, sizeof plain + HPKE_OVERHEAD);
	if (size < HPKE_KEY ||
	    !err_ok(hpke_seal_with(HPKE_AES_256_GCM, data, pk, STR("i"),
		STR("a"), in, &b))) {
		buf_done(&b);
		return 0;
	}
	BUG_ON(!err_ok(hpke_open(sk, STR("i"), STR("a"), buf_view(&b), plain)));
	BUG_ON(size > 0 && memcmp(plain, data, size) != 0);
	buf_done(&b);
	return 0;
}
