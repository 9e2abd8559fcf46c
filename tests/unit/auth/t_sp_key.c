#include <openssl/x509.h>

#include "auth/sp_key.h"
#include "base/mem.h"
#include "tests/t.h"

static X509 *
cert_of(struct str der)
{
	const unsigned char *p = (const unsigned char *)der.p;

	return d2i_X509(NULL, &p, (long)der.n);
}

TEST(a_key_and_its_certificate)
{
	const int64_t now = 1795842000000; /* 2026-11-28T05:00:00Z */
	struct str key, cert, key2, cert2;
	const unsigned char *p;
	struct arena a;
	EVP_PKEY *k;
	int day, sec;
	X509 *x;

	arena_init(&a, 1 << 20);
	T_GOOD(sp_key_make(&a, "corp", now, &key, &cert));
	T_GOOD(sp_key_make(&a, "corp", now, &key2, &cert2));
	T_OK(!str_eq(key, key2) && !str_eq(cert, cert2));
	p = (const unsigned char *)key.p;
	k = d2i_AutoPrivateKey(NULL, &p, (long)key.n);
	x = cert_of(cert);
	T_REQUIRE(k != NULL && x != NULL);
	T_OK(EVP_PKEY_get_bits(k) == 2048);
	T_OK(X509_check_private_key(x, k) == 1);
	T_OK(X509_verify(x, k) == 1);
	T_OK(X509_get_version(x) == X509_VERSION_3);
	T_REQUIRE(ASN1_TIME_diff(&day, &sec, X509_get0_notBefore(x),
		      X509_get0_notAfter(x)) == 1);
	T_EQ_INT(day, 365 * 20);
	X509_free(x);
	EVP_PKEY_free(k);
	arena_done(&a);
}

T_MAIN
