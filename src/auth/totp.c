#include "auth/totp.h"

#include <openssl/evp.h>

#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"

static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

err
totp_code(const uint8_t seed[TOTP_SEED], uint64_t step, char ret[TOTP_DIGITS])
{
	uint8_t counter[8], sum[20];
	size_t n = 0;
	uint32_t v, at;

	for (size_t i = 0; i < sizeof counter; i++)
		counter[i] = (uint8_t)(step >> (56 - 8 * i));
	if (EVP_Q_mac(NULL, "HMAC", NULL, "SHA1", NULL, seed, TOTP_SEED,
		counter, sizeof counter, sum, sizeof sum, &n) == NULL ||
	    n != sizeof sum)
		return err_of(E_CRYPTO);
	at = sum[19] & 15;
	v = (uint32_t)(sum[at] & 0x7f) << 24 | (uint32_t)sum[at + 1] << 16 |
	    (uint32_t)sum[at + 2] << 8 | sum[at + 3];
	for (size_t i = TOTP_DIGITS; i > 0; i--) {
		ret[i - 1] = (char)('0' + v % 10);
		v /= 10;
	}
	mem_wipe(sum, sizeof sum);
	return OK;
}

err
totp_check(const uint8_t seed[TOTP_SEED], uint64_t last, int64_t now_ms,
    struct str code, uint64_t *ret_step)
{
	uint64_t now = (uint64_t)now_ms / 1000 / TOTP_SECONDS, found = 0;
	char want[TOTP_DIGITS];

	if (now_ms < TOTP_SECONDS * 1000 || code.n != TOTP_DIGITS)
		return err_of(E_UNAUTHENTICATED);
	for (uint64_t step = now - 1; step <= now + 1; step++) {
		TRY(totp_code(seed, step, want));
		if (ct_eq(want, code.p, sizeof want) && step > last)
			found = step;
	}
	if (found == 0)
		return err_of(E_UNAUTHENTICATED);
	*ret_step = found;
	return OK;
}

void
base32_add(struct buf *b, struct str bytes)
{
	uint32_t bits = 0, have = 0;

	for (size_t i = 0; i < bytes.n; i++) {
		bits = bits << 8 | (uint8_t)bytes.p[i];
		for (have += 8; have >= 5; have -= 5)
			buf_char(b, base32[bits >> (have - 5) & 31]);
	}
	if (have > 0)
		buf_char(b, base32[bits << (5 - have) & 31]);
}

bool
base32_decode(struct str in, void *ret, size_t ret_n)
{
	uint8_t *out = ret;
	uint64_t bits = 0;

	if (ret_n % 5 != 0 || in.n != ret_n / 5 * 8)
		return false;
	for (size_t i = 0; i < in.n; i++) {
		const char *at =
		    in.p[i] == '\0' ? NULL : strchr(base32, in.p[i]);

		if (at == NULL)
			return false;
		bits = bits << 5 | (uint64_t)(at - base32);
		if (i % 8 == 7)
			for (size_t k = 0; k < 5; k++)
				*out++ = (uint8_t)(bits >> (32 - 8 * k));
	}
	return true;
}

void
totp_uri(struct buf *b, struct str issuer, struct str account,
    const uint8_t seed[TOTP_SEED])
{
	buf_c(b, "otpauth://totp/");
	url_encode(b, issuer);
	buf_c(b, ":");
	url_encode(b, account);
	buf_c(b, "?secret=");
	base32_add(b, str_of((const char *)seed, TOTP_SEED));
	buf_c(b, "&issuer=");
	url_encode(b, issuer);
}
