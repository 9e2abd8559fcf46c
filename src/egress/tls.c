#include "egress/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

static size_t
authorities_add(X509_STORE *store, struct str pem)
{
	BIO *b = BIO_new_mem_buf(pem.p, (int)pem.n);
	size_t n = 0;
	X509 *x;

	while (
	    b != NULL && (x = PEM_read_bio_X509(b, NULL, NULL, NULL)) != NULL) {
		n += X509_STORE_add_cert(store, x) == 1;
		X509_free(x);
	}
	BIO_free(b);
	ERR_clear_error();
	return n;
}

static bool
tls_rules(SSL_CTX *c, bool tls12)
{
	static const unsigned char http1[] = "\x08http/1.1";
	X509_VERIFY_PARAM *v = SSL_CTX_get0_param(c);

	SSL_CTX_set_verify(c, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(c,
	    SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
	SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
	/* Keys of at least 112 bits, no SHA-1 signatures. */
	SSL_CTX_set_security_level(c, 2);
	X509_VERIFY_PARAM_set_hostflags(v,
	    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
		X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	return SSL_CTX_set_min_proto_version(c,
		   tls12 ? TLS1_2_VERSION : TLS1_3_VERSION) == 1 &&
	    SSL_CTX_set_cipher_list(c, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
	    SSL_CTX_set_alpn_protos(c, http1, sizeof http1 - 1) == 0;
}

/* The system's authorities are 2 MB of memory: once is enough. */
static bool
authorities_share(SSL_CTX *c, SSL_CTX *like)
{
	X509_STORE *s = like == NULL ? NULL : SSL_CTX_get_cert_store(like);

	if (s == NULL || X509_STORE_up_ref(s) != 1)
		return false;
	SSL_CTX_set_cert_store(c, s);
	return true;
}

/* No question for a passphrase: there is nobody to ask. */
static int
no_passphrase(char *to, int n, int writing, void *arg)
{
	(void)to;
	(void)n;
	(void)writing;
	(void)arg;
	return -1;
}

static bool
key_add(SSL_CTX *c, struct str pem)
{
	BIO *b = BIO_new_mem_buf(pem.p, (int)pem.n);
	EVP_PKEY *k = b == NULL
	    ? NULL
	    : PEM_read_bio_PrivateKey(b, NULL, no_passphrase, NULL);
	bool good = k != NULL && SSL_CTX_use_PrivateKey(c, k) == 1;

	EVP_PKEY_free(k);
	BIO_free(b);
	return good && SSL_CTX_check_private_key(c) == 1;
}

/* The first certificate is the client's own. */
static bool
client_add(SSL_CTX *c, struct str pem)
{
	BIO *b = BIO_new_mem_buf(pem.p, (int)pem.n);
	bool good = b != NULL;
	size_t n = 0;
	X509 *x;

	while (good &&
	    (x = PEM_read_bio_X509(b, NULL, no_passphrase, NULL)) != NULL) {
		good = n++ == 0 ? SSL_CTX_use_certificate(c, x) == 1
				: SSL_CTX_add1_chain_cert(c, x) == 1;
		X509_free(x);
	}
	BIO_free(b);
	return good && n > 0 && key_add(c, pem);
}

err
tls_new(const struct tls_plan *p, SSL_CTX **ret)
{
	SSL_CTX *c = SSL_CTX_new(TLS_client_method());
	err e = OK;

	if (c == NULL)
		return err_of(E_NO_MEMORY);
	if (!tls_rules(c, p->tls12) ||
	    (!authorities_share(c, p->like) &&
		authorities_add(SSL_CTX_get_cert_store(c), p->authorities) ==
		    0))
		e = err_of(E_CONFIG);
	else if (p->client.n > 0 && !client_add(c, p->client))
		e = err_of(E_INVALID);
	ERR_clear_error();
	if (err_ok(e))
		*ret = c;
	else
		SSL_CTX_free(c);
	return e;
}
