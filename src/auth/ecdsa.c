/* ecdsa.c: see ecdsa.h. */
#include "auth/ecdsa.h"

#include <openssl/bn.h>
#include <openssl/ecdsa.h>

size_t
ecdsa_to_der(struct str raw, size_t half, unsigned char ret[ECDSA_DER])
{
	const unsigned char *p = (const unsigned char *)raw.p;
	unsigned char *to = ret;
	ECDSA_SIG *sig;
	BIGNUM *r, *s;
	int n = 0;

	if (half > ECDSA_HALF || raw.n != 2 * half)
		return 0;
	sig = ECDSA_SIG_new();
	r = BN_bin2bn(p, (int)half, NULL);
	s = BN_bin2bn(p + half, (int)half, NULL);
	if (sig == NULL || r == NULL || s == NULL ||
	    ECDSA_SIG_set0(sig, r, s) != 1) {
		BN_free(r);
		BN_free(s);
		ECDSA_SIG_free(sig);
		return 0;
	}
	if (i2d_ECDSA_SIG(sig, NULL) <= ECDSA_DER)
		n = i2d_ECDSA_SIG(sig, &to);
	ECDSA_SIG_free(sig);
	return n > 0 ? (size_t)n : 0;
}

bool
ecdsa_from_der(struct str der, size_t half, unsigned char *ret)
{
	const unsigned char *p = (const unsigned char *)der.p;
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)der.n);
	int n = (int)half;
	bool ok = sig != NULL &&
	    BN_bn2binpad(ECDSA_SIG_get0_r(sig), ret, n) == n &&
	    BN_bn2binpad(ECDSA_SIG_get0_s(sig), ret + half, n) == n;

	ECDSA_SIG_free(sig);
	return ok;
}
