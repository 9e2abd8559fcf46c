/* TLS 1.3 only: contexts, session tickets, and the transport over them. */
#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/time.h"
#include "wire/conn.h"
#include "wire/suites.h"

/*
 * Ticket keys are made here, never stored, and changed every hour; a ticket
 * of the two keys before is still taken, so it lives at most three hours.
 * Every context of this wire shares them: resumption survives a reload.
 */
enum { TICKET_KEYS = 3, TICKET_LIFE_S = 3600 };

struct ticket_key {
	unsigned char name[16], aes[32], mac[32];
};

struct tls_tickets {
	pthread_mutex_t mu;
	int64_t born_us;
	size_t n;
	struct ticket_key key[TICKET_KEYS]; /* newest first */
};

static bool
ticket_rotate(struct tls_tickets *k, int64_t now_us)
{
	struct ticket_key fresh;

	if (k->n > 0 && now_us - k->born_us < TICKET_LIFE_S * 1000000LL)
		return true;
	if (RAND_bytes((unsigned char *)&fresh, sizeof fresh) != 1)
		return false;
	memmove(k->key + 1, k->key, (TICKET_KEYS - 1) * sizeof k->key[0]);
	k->key[0] = fresh;
	mem_wipe(&fresh, sizeof fresh);
	k->born_us = now_us;
	if (k->n < TICKET_KEYS)
		k->n++;
	return true;
}

err
tls_tickets_new(struct tls_tickets **ret)
{
	struct tls_tickets *k = mem_new(1, sizeof *k);

	if (k == NULL)
		return err_of(E_NO_MEMORY);
	pthread_mutex_init(&k->mu, NULL);
	if (!ticket_rotate(k, time_mono_us())) {
		tls_tickets_free(k);
		return err_of(E_CRYPTO);
	}
	*ret = k;
	return OK;
}

void
tls_tickets_free(struct tls_tickets *k)
{
	if (k == NULL)
		return;
	pthread_mutex_destroy(&k->mu);
	mem_wipe(k, sizeof *k);
	mem_free(k);
}

static int
ticket_use(struct ticket_key *key, unsigned char *iv, EVP_CIPHER_CTX *cipher,
    EVP_MAC_CTX *mac, int encrypt)
{
	char sha256[] = "SHA256";
	OSSL_PARAM p[3] = {
	    OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac,
		sizeof key->mac),
	    OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256, 0),
	    OSSL_PARAM_construct_end(),
	};

	if (EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->aes, iv,
		encrypt) != 1 ||
	    EVP_MAC_CTX_set_params(mac, p) != 1)
		return -1;
	return 1;
}

/* SSL_CTX_set_tlsext_ticket_key_evp_cb(3): 1 use, 2 use and renew, 0 no. */
static int
ticket_cb(SSL *ssl, unsigned char *name, unsigned char *iv,
    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int encrypt)
{
	struct tls_tickets *k = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	int rc = 0;

	pthread_mutex_lock(&k->mu);
	if (encrypt) {
		rc = -1;
		if (ticket_rotate(k, time_mono_us()) &&
		    RAND_bytes(iv, EVP_MAX_IV_LENGTH) == 1) {
			memcpy(name, k->key[0].name, sizeof k->key[0].name);
			rc = ticket_use(&k->key[0], iv, cipher, mac, 1);
		}
	}
	for (size_t i = 0; !encrypt && i < k->n; i++) {
		if (memcmp(name, k->key[i].name, sizeof k->key[i].name) != 0)
			continue;
		rc = ticket_use(&k->key[i], iv, cipher, mac, 0);
		if (rc == 1 && i > 0)
			rc = 2;
		break;
	}
	pthread_mutex_unlock(&k->mu);
	return rc;
}

static bool
offers(const unsigned char *in, unsigned n, const char *want, unsigned want_n)
{
	for (unsigned at = 0; at < n && in[at] <= n - at - 1;
	     at += 1U + in[at]) {
		if (in[at] == want_n && memcmp(in + at + 1, want, want_n) == 0)
			return true;
	}
	return false;
}

static int
alpn_cb(SSL *ssl, const unsigned char **out, unsigned char *out_n,
    const unsigned char *in, unsigned in_n, void *arg)
{
	static const unsigned char h2[] = "h2", h1[] = "http/1.1";

	(void)ssl;
	(void)arg;
	if (offers(in, in_n, "h2", 2)) {
		*out = h2;
		*out_n = 2;
		return SSL_TLSEXT_ERR_OK;
	}
	if (offers(in, in_n, "http/1.1", 8)) {
		*out = h1;
		*out_n = 8;
		return SSL_TLSEXT_ERR_OK;
	}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int
no_password(char *buf, int size, int rw, void *arg)
{
	(void)buf;
	(void)size;
	(void)rw;
	(void)arg;
	return 0;
}

static BIO *
bio_of(struct str s)
{
	return s.n > INT32_MAX ? NULL : BIO_new_mem_buf(s.p, (int)s.n);
}

static err
load_chain(SSL_CTX *ctx, struct str pem, struct trail *t)
{
	BIO *bio = bio_of(pem);
	X509 *cert;
	size_t n = 0;
	bool ok = bio != NULL;

	while (ok &&
	    (cert = PEM_read_bio_X509(bio, NULL, no_password, NULL)) != NULL) {
		if (n++ == 0) {
			ok = SSL_CTX_use_certificate(ctx, cert) == 1;
			X509_free(cert);
		} else if (SSL_CTX_add0_chain_cert(ctx, cert) != 1) {
			X509_free(cert);
			ok = false;
		}
	}
	/* anything but "no more PEM here" means the file is broken */
	if (n > 0 &&
	    ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		ok = false;
	ERR_clear_error();
	BIO_free(bio);
	if (ok && n > 0)
		return OK;
	trail_set(t, "the certificate chain is not valid PEM");
	return err_of(E_CONFIG);
}

static err
load_key(SSL_CTX *ctx, struct str pem, struct trail *t)
{
	BIO *bio = bio_of(pem);
	EVP_PKEY *key = NULL;
	bool ok;

	if (bio != NULL)
		key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	BIO_free(bio);
	if (key == NULL) {
		ERR_clear_error();
		trail_set(t, "the private key is not valid PEM, or encrypted");
		return err_of(E_CONFIG);
	}
	ok = SSL_CTX_use_PrivateKey(ctx, key) == 1 &&
	    SSL_CTX_check_private_key(ctx) == 1;
	EVP_PKEY_free(key);
	ERR_clear_error();
	if (ok)
		return OK;
	trail_set(t, "the private key does not belong to the certificate");
	return err_of(E_CONFIG);
}

static bool
context_settings(SSL_CTX *x)
{
	static const char suites[] = WIRE_TLS_SUITES;
	static const unsigned char id[] = "redoubt";
	char groups[] = WIRE_TLS_GROUPS; /* a macro casts its const away */

	if (SSL_CTX_set_min_proto_version(x, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set_max_proto_version(x, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set_ciphersuites(x, suites) != 1 ||
	    SSL_CTX_set1_groups_list(x, groups) != 1 ||
	    SSL_CTX_set_max_early_data(x, 0) != 1 ||
	    SSL_CTX_set_recv_max_early_data(x, 0) != 1 ||
	    SSL_CTX_set_num_tickets(x, 1) != 1 ||
	    SSL_CTX_set_session_id_context(x, id, sizeof id - 1) != 1)
		return false;
	SSL_CTX_set_options(x,
	    SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
		SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(x,
	    SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* one read for a burst; needs the loop over `pending` in conn_read */
	SSL_CTX_set_read_ahead(x, 1);
	SSL_CTX_set_session_cache_mode(x, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_timeout(x, TICKET_LIFE_S);
	SSL_CTX_set_alpn_select_cb(x, alpn_cb, NULL);
	return SSL_CTX_set_tlsext_ticket_key_evp_cb(x, ticket_cb) == 1;
}

/* Whoever issued it: what counts is that the client has its key, which the
 * handshake shows, and whether somebody knows it, which is asked later. */
static int
any_cert(X509_STORE_CTX *x, void *arg)
{
	(void)x;
	(void)arg;
	return 1;
}

/*
 * No resumption where certificates are demanded: a ticket would stand for a
 * proof that is not made anew (auth.md 10, nginx CVE-2025-23419).
 */
static bool
demand_certs(SSL_CTX *x)
{
	SSL_CTX_set_verify(x, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
	    NULL);
	SSL_CTX_set_cert_verify_callback(x, any_cert, NULL);
	SSL_CTX_set_max_cert_list(x, 4L * LIM_CLIENT_CERT);
	SSL_CTX_set_options(x, SSL_OP_NO_TICKET);
	return SSL_CTX_set_num_tickets(x, 0) == 1;
}

err
tls_context(struct str chain, struct str key, struct tls_tickets *k, bool certs,
    struct trail *t, SSL_CTX **ret)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	err e = OK;

	if (ctx == NULL)
		return err_of(E_NO_MEMORY);
	SSL_CTX_set_app_data(ctx, k);
	if (!context_settings(ctx) || (certs && !demand_certs(ctx))) {
		trail_set(t, "the TLS library refused its settings");
		e = err_of(E_CRYPTO);
	}
	if (err_ok(e))
		e = load_chain(ctx, chain, t);
	if (err_ok(e))
		e = load_key(ctx, key, t);
	if (!err_ok(e)) {
		SSL_CTX_free(ctx);
		return e;
	}
	*ret = ctx;
	return OK;
}

SSL_CTX *
tls_context_swap(struct wire *w, bool certs, SSL_CTX *ctx)
{
	SSL_CTX *old;

	pthread_mutex_lock(&w->tls_mu);
	old = w->tls[certs];
	w->tls[certs] = ctx;
	pthread_mutex_unlock(&w->tls_mu);
	return old;
}

void
tls_context_free(SSL_CTX *ctx)
{
	SSL_CTX_free(ctx);
}

/*
 * ---- the socket below ----
 *
 * The library's own would do, but for MSG_MORE: an answer of several records
 * leaves, and wakes its reader, once, not record by record.
 */

static int
sock_write(BIO *b, const char *p, int n)
{
	struct conn *c = BIO_get_data(b);
	int flags = MSG_NOSIGNAL | (c->more_follows ? MSG_MORE : 0);
	ssize_t put = send(c->source.fd, p, (size_t)n, flags);

	BIO_clear_retry_flags(b);
	if (put < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_write(b);
	return (int)put;
}

static int
sock_read(BIO *b, char *p, int n)
{
	struct conn *c = BIO_get_data(b);
	ssize_t got = recv(c->source.fd, p, (size_t)n, 0);

	BIO_clear_retry_flags(b);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_read(b);
	if (got == 0)
		BIO_set_flags(b, BIO_FLAGS_IN_EOF);
	return (int)got;
}

static long
sock_ctrl(BIO *b, int what, long n, void *p)
{
	(void)n;
	(void)p;
	if (what == BIO_CTRL_EOF)
		return BIO_test_flags(b, BIO_FLAGS_IN_EOF) != 0;
	return what == BIO_CTRL_FLUSH; /* nothing is held here */
}

static BIO_METHOD *sock_method; /* of the process, as the library's are */

static void
sock_method_make(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "wire");

	if (m != NULL && BIO_meth_set_write(m, sock_write) == 1 &&
	    BIO_meth_set_read(m, sock_read) == 1 &&
	    BIO_meth_set_ctrl(m, sock_ctrl) == 1)
		sock_method = m;
	else
		BIO_meth_free(m);
}

static BIO *
sock_new(struct conn *c)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	BIO *b;

	pthread_once(&once, sock_method_make);
	b = sock_method == NULL ? NULL : BIO_new(sock_method);
	if (b == NULL)
		return NULL;
	BIO_set_data(b, c);
	BIO_set_init(b, 1);
	return b;
}

/* ---- the transport ---- */

bool
tls_accept(struct conn *c)
{
	struct wire *w = c->r->w;
	SSL_CTX *ctx;
	BIO *b;

	pthread_mutex_lock(&w->tls_mu);
	ctx = w->tls[w->config.certs[c->source.index]];
	c->ssl = ctx == NULL ? NULL : SSL_new(ctx);
	pthread_mutex_unlock(&w->tls_mu);
	b = c->ssl == NULL ? NULL : sock_new(c);
	if (b == NULL)
		return false;
	SSL_set_bio(c->ssl, b, b); /* the connection's, for both ways */
	SSL_set_accept_state(c->ssl);
	return true;
}

static int
io_result(struct conn *c, int rc)
{
	switch (SSL_get_error(c->ssl, rc)) {
	case SSL_ERROR_WANT_WRITE:
		c->want_write = true;
		return IO_AGAIN;
	case SSL_ERROR_WANT_READ:
		return IO_AGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return IO_CLOSED;
	default:
		ERR_clear_error();
		c->lost = true;
		return IO_LOST;
	}
}

bool
tls_handshake(struct conn *c, int *ret_io, bool *ret_h2)
{
	const unsigned char *p = NULL;
	unsigned n = 0;
	int rc;

	ERR_clear_error();
	c->want_write = false;
	rc = SSL_do_handshake(c->ssl);
	if (rc != 1) {
		*ret_io = io_result(c, rc);
		return false;
	}
	if (c->r->w->config.certs[c->source.index] && !tls_peer_take(c)) {
		*ret_io = IO_LOST;
		return false;
	}
	SSL_get0_alpn_selected(c->ssl, &p, &n);
	*ret_h2 = n == 2 && memcmp(p, "h2", 2) == 0;
	return true;
}

static ptrdiff_t
tls_read(struct conn *c, void *p, size_t n)
{
	size_t got = 0;
	int rc;

	ERR_clear_error();
	rc = SSL_read_ex(c->ssl, p, n, &got);
	return rc == 1 ? (ptrdiff_t)got : io_result(c, rc);
}

static ptrdiff_t
tls_write(struct conn *c, const void *p, size_t n)
{
	size_t put = 0;
	int rc;

	ERR_clear_error();
	c->more_follows = n > SSL3_RT_MAX_PLAIN_LENGTH;
	rc = SSL_write_ex(c->ssl, p, n, &put);
	c->more_follows = false;
	return rc == 1 ? (ptrdiff_t)put : io_result(c, rc);
}

static bool
tls_pending(struct conn *c)
{
	return SSL_has_pending(c->ssl) == 1;
}

static void
tls_end(struct conn *c)
{
	if (c->ssl == NULL)
		return;
	ERR_clear_error();
	/* only says goodbye; whether the peer hears it does not matter */
	if (!c->lost && SSL_is_init_finished(c->ssl))
		(void)SSL_shutdown(c->ssl);
	SSL_free(c->ssl);
	c->ssl = NULL;
	ERR_clear_error();
}

const struct transport transport_tls = {
    .read = tls_read,
    .write = tls_write,
    .pending = tls_pending,
    .end = tls_end,
};

const char *
tls_library(void)
{
	return OpenSSL_version(OPENSSL_VERSION);
}
