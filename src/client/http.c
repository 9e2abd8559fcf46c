#include "client/http.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIECE = 16384, CONNECT_MS = 10000, SEED = 32 };

struct client {
	struct client_config conf;
	SSL_CTX *ctx;
	SSL *ssl;
	int fd;	   /* -1: not connected */
	bool used; /* this connection answered before */
	bool stream;
	int64_t deadline; /* monotonic us */
	struct response answer;
	char piece[PIECE];
	struct str in; /* received, not yet looked at; within piece */
};

static void
deadline_set(struct client *c, int ms)
{
	c->deadline = time_mono_us() + (int64_t)ms * 1000;
}

/* Wait until the socket is ready; E_TIMEOUT at the deadline. */
static err
wait_for(struct client *c, short events, struct trail *t)
{
	for (;;) {
		int64_t left = (c->deadline - time_mono_us()) / 1000;
		struct pollfd p = {.fd = c->fd, .events = events};
		int n;

		if (left <= 0)
			break;
		n = poll(&p, 1, left > 60000 ? 60000 : (int)left);
		if (n > 0)
			return OK;
		if (n < 0 && errno != EINTR)
			break;
	}
	trail_set(t, "no answer from %s port %s in time", c->conf.url.host,
	    c->conf.url.port);
	return err_of(E_TIMEOUT);
}

/* ---- the TLS library ---- */

static err
tls_trouble(struct client *c, struct trail *t)
{
	long v = c->ssl == NULL ? X509_V_OK : SSL_get_verify_result(c->ssl);
	const char *why = ERR_reason_error_string(ERR_peek_last_error());

	if (v != X509_V_OK)
		trail_set(t, "the certificate of %s is not accepted: %s",
		    c->conf.url.host, X509_verify_cert_error_string(v));
	else
		trail_set(t, "TLS with %s port %s failed: %s", c->conf.url.host,
		    c->conf.url.port,
		    why != NULL ? why : "the connection was closed");
	ERR_clear_error();
	return err_of(E_UNAVAILABLE);
}

static err
trust(struct client *c, struct arena *a, struct trail *t)
{
	const char *file;

	if (c->conf.ca_file.n == 0) {
		if (SSL_CTX_set_default_verify_paths(c->ctx) == 1)
			return OK;
		return tls_trouble(c, t);
	}
	file = arena_cstr(a, c->conf.ca_file);
	if (file == NULL)
		return err_of(E_NO_MEMORY);
	if (SSL_CTX_load_verify_file(c->ctx, file) == 1)
		return OK;
	ERR_clear_error();
	trail_set(t, "cannot read certificates from %s", file);
	return err_of(E_CONFIG);
}

/* The rest of the PEM text: certificates the server may lack. */
static bool
chain(struct client *c, BIO *pem)
{
	X509 *x;
	bool ok = true;

	while (ok && (x = PEM_read_bio_X509(pem, NULL, NULL, NULL)) != NULL) {
		ok = SSL_CTX_add1_chain_cert(c->ctx, x) == 1;
		X509_free(x);
	}
	ERR_clear_error(); /* the end of the text is an error to it */
	return ok;
}

static err
identity(struct client *c, struct trail *t)
{
	struct str pem = c->conf.certificate;
	EVP_PKEY *key;
	X509 *x = NULL;
	BIO *b;
	bool ok;

	if (pem.n == 0)
		return OK;
	b = BIO_new_mem_buf(pem.p, (int)pem.n);
	key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, c->conf.seed,
	    SEED);
	if (b != NULL)
		x = PEM_read_bio_X509(b, NULL, NULL, NULL);
	ok = x != NULL && key != NULL &&
	    SSL_CTX_use_certificate(c->ctx, x) == 1 &&
	    SSL_CTX_use_PrivateKey(c->ctx, key) == 1 && chain(c, b);
	X509_free(x);
	EVP_PKEY_free(key);
	BIO_free(b);
	if (ok)
		return OK;
	ERR_clear_error();
	trail_set(t, "our own certificate and key do not fit");
	return err_of(E_CONFIG);
}

static err
context(struct client *c, struct arena *a, struct trail *t)
{
	static const unsigned char http1[] = "\x08http/1.1";

	ERR_clear_error();
	c->ctx = SSL_CTX_new(TLS_client_method());
	if (c->ctx == NULL)
		return tls_trouble(c, t);
	SSL_CTX_set_verify(c->ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(c->ctx,
	    SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_AUTO_RETRY);
	if (SSL_CTX_set_min_proto_version(c->ctx, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set_alpn_protos(c->ctx, http1, sizeof http1 - 1) != 0)
		return tls_trouble(c, t);
	TRY(identity(c, t));
	return trust(c, a, t);
}

err
client_new(struct arena *a, const struct client_config *conf, struct trail *t,
    struct client **ret)
{
	struct client *c = ARENA_NEW(a, struct client);
	err e;

	if (c == NULL)
		return err_of(E_NO_MEMORY);
	c->conf = *conf;
	c->fd = -1;
	e = context(c, a, t);
	if (!err_ok(e)) {
		client_done(c);
		return e;
	}
	*ret = c;
	return OK;
}

void
client_close(struct client *c)
{
	if (c->ssl != NULL) {
		if (c->used)
			(void)SSL_shutdown(c->ssl);
		SSL_free(c->ssl);
	}
	if (c->fd >= 0)
		close(c->fd);
	c->ssl = NULL;
	c->fd = -1;
	c->used = false;
	c->in = STR_NONE;
}

void
client_done(struct client *c)
{
	if (c == NULL)
		return;
	client_close(c);
	SSL_CTX_free(c->ctx);
	c->ctx = NULL;
}

/* ---- connecting ---- */

static err
connect_one(struct client *c, const struct addrinfo *ai, struct trail *t)
{
	int on = 1, why = 0;
	socklen_t n = sizeof why;

	c->fd = socket(ai->ai_family,
	    ai->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, ai->ai_protocol);
	if (c->fd < 0)
		return err_of(E_UNAVAILABLE);
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (connect(c->fd, ai->ai_addr, ai->ai_addrlen) == 0)
		return OK;
	if (errno != EINPROGRESS) {
		why = errno;
	} else {
		TRY(wait_for(c, POLLOUT, t));
		if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &why, &n) != 0)
			why = errno;
	}
	if (why == 0)
		return OK;
	trail_set(t, "cannot connect to %s port %s: %s", c->conf.url.host,
	    c->conf.url.port, strerrordesc_np(why));
	return err_of(E_UNAVAILABLE);
}

/* Of what is left of the time, half for each address but the last: one that
 * swallows packets must not use up its successors' share. */
static err
connect_each(struct client *c, const struct addrinfo *ai, struct trail *t)
{
	int64_t end = c->deadline;
	err e = err_of(E_UNAVAILABLE);

	for (; ai != NULL; ai = ai->ai_next) {
		int64_t now = time_mono_us();

		c->deadline = ai->ai_next == NULL ? end : now + (end - now) / 2;
		e = connect_one(c, ai, t);
		if (err_ok(e))
			break;
		if (c->fd >= 0)
			close(c->fd);
		c->fd = -1;
	}
	c->deadline = end;
	return e;
}

static err
connect_any(struct client *c, struct trail *t)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *all;
	struct trail why = {0};
	int rc;
	err e;

	if (c->conf.url.is_ip)
		hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
	rc = getaddrinfo(c->conf.url.host, c->conf.url.port, &hints, &all);
	if (rc != 0) {
		trail_set(t, "cannot resolve %s: %s", c->conf.url.host,
		    gai_strerror(rc));
		return err_of(E_UNAVAILABLE);
	}
	e = connect_each(c, all, &why);
	freeaddrinfo(all);
	if (!err_ok(e))
		trail_set(t, "%s", why.detail); /* of the first address */
	return e;
}

/* After an SSL call: OK means call it again, the socket is ready. */
static err
again(struct client *c, int rc, struct trail *t)
{
	switch (SSL_get_error(c->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
		return wait_for(c, POLLIN, t);
	case SSL_ERROR_WANT_WRITE:
		return wait_for(c, POLLOUT, t);
	default:
		return tls_trouble(c, t);
	}
}

static err
handshake(struct client *c, struct trail *t)
{
	const struct url *u = &c->conf.url;
	bool named;
	int rc;

	ERR_clear_error();
	c->ssl = SSL_new(c->ctx);
	if (c->ssl == NULL || SSL_set_fd(c->ssl, c->fd) != 1)
		return tls_trouble(c, t);
	SSL_set_hostflags(c->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (u->is_ip)
		named = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(c->ssl),
			    u->host) == 1;
	else
		named = SSL_set1_host(c->ssl, u->host) == 1 &&
		    SSL_set_tlsext_host_name(c->ssl,
			(char *)(uintptr_t)u->host) == 1;
	if (!named)
		return tls_trouble(c, t);
	while ((rc = SSL_connect(c->ssl)) != 1)
		TRY(again(c, rc, t));
	return OK;
}

static err
client_open(struct client *c, struct trail *t)
{
	err e;

	client_close(c);
	deadline_set(c,
	    c->conf.timeout_ms < CONNECT_MS ? c->conf.timeout_ms : CONNECT_MS);
	e = connect_any(c, t);
	if (err_ok(e))
		e = handshake(c, t);
	if (!err_ok(e))
		client_close(c);
	return e;
}

/* ---- requests ---- */

static void
field(struct buf *b, const char *name, struct str value)
{
	if (value.n == 0)
		return;
	buf_c(b, name);
	buf_c(b, ": ");
	buf_str(b, value);
	buf_c(b, "\r\n");
}

/* A field's value comes from flags and files: no byte of it may end the
 * line. */
static bool
is_field_value(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x20 || s.p[i] > 0x7e)
			return false;
	return true;
}

static err
compose(struct client *c, const struct request *r, struct buf *b,
    struct trail *t)
{
	if (!is_field_value(r->etag) || !is_field_value(r->idempotency_key) ||
	    !is_field_value(r->last_event_id) ||
	    !is_field_value(c->conf.token)) {
		trail_set(t,
		    "a token, etag or key with characters that a "
		    "header cannot hold");
		return err_of(E_USAGE);
	}
	buf_c(b, r->method);
	buf_c(b, " ");
	buf_str(b, c->conf.url.prefix);
	buf_str(b, r->target);
	buf_c(b, " HTTP/1.1\r\n");
	field(b, "host", c->conf.url.authority);
	buf_c(b, "user-agent: ");
	buf_c(b, c->conf.agent);
	buf_c(b, "/" REDOUBT_VERSION "\r\n");
	field(b, "accept", r->accept);
	if (c->conf.token.n > 0) {
		buf_c(b, "authorization: Bearer ");
		buf_str(b, c->conf.token);
		buf_c(b, "\r\n");
	}
	field(b, "if-match", r->etag);
	field(b, "idempotency-key", r->idempotency_key);
	field(b, "last-event-id", r->last_event_id);
	if (r->body.p != NULL) {
		field(b, "content-type", STR("application/json"));
		buf_c(b, "content-length: ");
		buf_u64(b, r->body.n);
		buf_c(b, "\r\n");
	}
	buf_c(b, "\r\n");
	buf_str(b, r->body);
	return buf_check(b);
}

static err
write_all(struct client *c, struct str s, struct trail *t)
{
	while (s.n > 0) {
		size_t n = 0;
		int rc;

		ERR_clear_error();
		rc = SSL_write_ex(c->ssl, s.p, s.n, &n);
		if (rc == 1)
			s = str_skip(s, n);
		else
			TRY(again(c, rc, t));
	}
	return OK;
}

/* More bytes into c->in; *ret_open false when the peer closed. */
static err
fill(struct client *c, bool *ret_open, bool *ret_proper, struct trail *t)
{
	size_t n = 0;
	int rc, why;

	if (c->stream)
		deadline_set(c, c->conf.timeout_ms);
	for (;;) {
		ERR_clear_error();
		rc = SSL_read_ex(c->ssl, c->piece, sizeof c->piece, &n);
		if (rc == 1)
			break;
		why = SSL_get_error(c->ssl, rc);
		if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
			TRY(again(c, rc, t));
			continue;
		}
		*ret_proper = why == SSL_ERROR_ZERO_RETURN;
		*ret_open = false;
		ERR_clear_error();
		return OK;
	}
	c->in = str_of(c->piece, n);
	*ret_open = true;
	return OK;
}

/* Advance the answer until something other than RESPONSE_MORE. */
static err
advance(struct client *c, enum response_step *ret, struct str *ret_piece,
    struct trail *t)
{
	bool open, proper;

	for (;;) {
		TRY(response_step(&c->answer, &c->in, ret_piece, ret, t));
		if (*ret != RESPONSE_MORE)
			return OK;
		TRY(fill(c, &open, &proper, t));
		if (open)
			continue;
		TRY(response_close(&c->answer, proper, t));
		*ret = RESPONSE_END;
		return OK;
	}
}

static err
attempt(struct client *c, const struct request *r, struct str bytes,
    struct arena *a, struct trail *t)
{
	enum response_step step;
	struct str piece;

	if (c->fd < 0)
		TRY(client_open(c, t));
	c->stream = r->stream;
	deadline_set(c, c->conf.timeout_ms);
	response_init(&c->answer, a);
	TRY(write_all(c, bytes, t));
	TRY(advance(c, &step, &piece, t));
	return OK;
}

err
client_send(struct client *c, const struct request *r, struct arena *a,
    struct trail *t, const struct response **ret)
{
	bool repeatable =
	    r->idempotency_key.n > 0 || strcmp(r->method, "GET") == 0;
	bool kept = c->fd >= 0;
	struct trail first = {0};
	struct buf b;
	err e;

	buf_init(&b, LIM_HEAD + LIM_INGEST_BODY);
	e = compose(c, r, &b, t);
	if (err_ok(e))
		e = attempt(c, r, buf_view(&b), a, kept ? &first : t);
	if (kept && err_is(e, E_UNAVAILABLE) && repeatable &&
	    c->answer.status == 0) {
		client_close(c);
		e = attempt(c, r, buf_view(&b), a, t);
	} else if (kept && !err_ok(e)) {
		trail_set(t, "%s", first.detail);
	}
	if (b.p != NULL)
		mem_wipe(b.p, b.n); /* it held the token */
	buf_done(&b);
	if (!err_ok(e)) {
		client_close(c);
		return e;
	}
	c->used = true;
	*ret = &c->answer;
	return OK;
}

err
client_read(struct client *c, struct trail *t, struct str *ret)
{
	enum response_step step;
	err e;

	do {
		e = advance(c, &step, ret, t);
	} while (err_ok(e) && step == RESPONSE_HEAD);
	if (!err_ok(e)) {
		client_close(c);
		return e;
	}
	if (step == RESPONSE_END) {
		*ret = STR_NONE;
		/* Bytes behind an answer nobody asked for are no good sign. */
		if (!c->answer.keep || c->in.n > 0)
			client_close(c);
	}
	return OK;
}

err
client_body(struct client *c, struct trail *t, struct buf *b)
{
	struct str piece;

	for (;;) {
		TRY(client_read(c, t, &piece));
		if (piece.n == 0)
			return OK;
		buf_str(b, piece);
		if (b->failed)
			break;
	}
	client_close(c);
	trail_set(t, "the server's answer is larger than %zu bytes", b->max);
	return err_of(E_PEER);
}
