/* The certificate a client has proved to own. */
#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <time.h>

#include "base/limits.h"
#include "base/mem.h"
#include "wire/conn.h"

static bool
time_ms(const ASN1_TIME *t, int64_t *ret)
{
	struct tm tm;
	time_t s;

	if (ASN1_TIME_to_tm(t, &tm) != 1)
		return false;
	s = timegm(&tm);
	*ret = (int64_t)s * 1000;
	return true;
}

static bool
read_cert(X509 *x, struct client_cert *ret)
{
	unsigned n = 0;

	/* SHA-256 over the whole, and over the SubjectPublicKeyInfo: RFC 8705
	 * 3.1, RFC 7469 2.4 */
	if (X509_digest(x, EVP_sha256(), ret->sha256, &n) != 1 || n != 32)
		return false;
	return time_ms(X509_get0_notBefore(x), &ret->not_before) &&
	    time_ms(X509_get0_notAfter(x), &ret->not_after);
}

static bool
read_spki(X509 *x, uint8_t ret[32])
{
	unsigned char *der = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
	unsigned got = 0;
	bool ok;

	ok = n > 0 &&
	    EVP_Digest(der, (size_t)n, ret, &got, EVP_sha256(), NULL) == 1 &&
	    got == 32;
	OPENSSL_free(der);
	return ok;
}

bool
tls_peer_take(struct conn *c)
{
	X509 *x = SSL_get0_peer_certificate(c->ssl);
	int n = x == NULL ? -1 : i2d_X509(x, NULL);
	struct client_cert *cert;
	unsigned char *at;
	bool ok;

	if (n <= 0 || n > LIM_CLIENT_CERT)
		return false;
	cert = mem_new(1, sizeof *cert + (size_t)n);
	if (cert == NULL)
		return false;
	at = (unsigned char *)(cert + 1);
	cert->der = str_of((const char *)at, (size_t)n);
	ok = i2d_X509(x, &at) == n && read_cert(x, cert) &&
	    read_spki(x, cert->spki);
	ERR_clear_error();
	if (!ok) {
		mem_free(cert);
		return false;
	}
	c->cert = cert;
	return true;
}

void
tls_peer_lend(const struct conn *c, struct exchange *x)
{
	struct client_cert *cert;

	if (c->cert == NULL)
		return;
	/* a request may outlive its connection */
	cert = ARENA_NEW(&x->arena, struct client_cert);
	if (cert == NULL)
		return;
	*cert = *c->cert;
	cert->der = arena_dup(&x->arena, c->cert->der);
	x->req.cert = cert;
}
