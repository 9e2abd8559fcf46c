/* sp_key.c: see sp_key.h. */
#include "auth/sp_key.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/rand.h"

enum { BITS = 2048, YEARS = 20 };

/* A random serial number of 127 bits (RFC 5280 4.1.2.2). */
static bool
number(X509 *x)
{
	uint8_t bytes[16];
	BIGNUM *n;
	bool good;

	rand_bytes(bytes, sizeof bytes);
	bytes[0] &= 0x7f;
	n = BN_bin2bn(bytes, sizeof bytes, NULL);
	good = n != NULL &&
	    BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)) != NULL;
	BN_free(n);
	return good;
}

static bool
fill_in(X509 *x, EVP_PKEY *k, const char *name, int64_t now)
{
	X509_NAME *subject = X509_get_subject_name(x);
	time_t t = (time_t)(now / 1000);

	return X509_set_version(x, X509_VERSION_3) == 1 && number(x) &&
	    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
		(const unsigned char *)name, -1, -1, 0) == 1 &&
	    X509_set_issuer_name(x, subject) == 1 &&
	    X509_time_adj_ex(X509_getm_notBefore(x), 0, 0, &t) != NULL &&
	    X509_time_adj_ex(X509_getm_notAfter(x), 365 * YEARS, 0, &t) !=
	    NULL &&
	    X509_set_pubkey(x, k) == 1 && X509_sign(x, k, EVP_sha256()) > 0;
}

static err
take(struct arena *a, unsigned char *der, int n, struct str *ret)
{
	if (n <= 0)
		return err_of(E_CRYPTO);
	*ret = arena_dup(a, str_of((const char *)der, (size_t)n));
	OPENSSL_clear_free(der, (size_t)n);
	return arena_check(a);
}

static err
key_der(struct arena *a, EVP_PKEY *k, struct str *ret)
{
	PKCS8_PRIV_KEY_INFO *p8 = EVP_PKEY2PKCS8(k);
	unsigned char *der = NULL;
	int n = p8 == NULL ? -1 : i2d_PKCS8_PRIV_KEY_INFO(p8, &der);

	PKCS8_PRIV_KEY_INFO_free(p8);
	return take(a, der, n, ret);
}

static err
cert_der(struct arena *a, EVP_PKEY *k, const char *name, int64_t now,
    struct str *ret)
{
	X509 *x = X509_new();
	unsigned char *der = NULL;
	int n = -1;

	if (x != NULL && fill_in(x, k, name, now))
		n = i2d_X509(x, &der);
	X509_free(x);
	return take(a, der, n, ret);
}

err
sp_key_make(struct arena *a, const char *name, int64_t now, struct str *ret_key,
    struct str *ret_cert)
{
	EVP_PKEY *k = EVP_RSA_gen(BITS);
	err e;

	if (k == NULL)
		return err_of(E_CRYPTO);
	e = key_der(a, k, ret_key);
	if (err_ok(e))
		e = cert_der(a, k, name, now, ret_cert);
	EVP_PKEY_free(k);
	return e;
}
