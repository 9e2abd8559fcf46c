#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "egress/inner.h"

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
tls_rules(SSL_CTX *c, const struct provider *p)
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
		   p->tls12 ? TLS1_2_VERSION : TLS1_3_VERSION) == 1 &&
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

err
egress_tls(const struct provider *p, struct str authorities, SSL_CTX *like,
    struct trail *t, SSL_CTX **ret)
{
	SSL_CTX *c = SSL_CTX_new(TLS_client_method());

	if (c == NULL)
		return err_of(E_NO_MEMORY);
	if (tls_rules(c, p) &&
	    (authorities_share(c, like) ||
		authorities_add(SSL_CTX_get_cert_store(c), authorities) > 0)) {
		*ret = c;
		return OK;
	}
	SSL_CTX_free(c);
	ERR_clear_error();
	trail_set(t, "idp %.*s: no certificate of an authority can be read",
	    STR_ARG(p->name));
	return err_of(E_CONFIG);
}
