#include "egress/web.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/time.h"
#include "egress/dial.h"

enum { REQUEST = 16384, PIECE = 16384, PIN_SIZE = 32 };

struct fetch {
	const struct web_call *call;
	SSL *ssl;
	int fd;
	int64_t until_us;
	struct web_report *report;
};

/* ---- TLS ---- */

/* After a call that wants more: wait for it; false: it failed. */
static bool
again(struct fetch *f, int rc, enum web_end *ret)
{
	int what = SSL_get_error(f->ssl, rc);
	enum web_end e;

	if (what != SSL_ERROR_WANT_READ && what != SSL_ERROR_WANT_WRITE)
		return false;
	e = dial_wait(f->fd, what == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT,
	    f->until_us, f->call->reach->stop);
	if (e == WEB_OK)
		return true;
	*ret = e;
	return false;
}

/*
 * Has it no TLS 1.3?  It says so, answers with less, or finds nothing it
 * knows in a greeting that has only that.
 */
static bool
is_old(SSL *ssl)
{
	switch (ERR_GET_REASON(ERR_peek_last_error())) {
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
		return true;
	case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
		return SSL_get_min_proto_version(ssl) == TLS1_3_VERSION &&
		    SSL_get_state(ssl) == TLS_ST_CW_CLNT_HELLO;
	default:
		return false;
	}
}

static enum web_end
tls_trouble(struct fetch *f)
{
	long v = SSL_get_verify_result(f->ssl);
	enum web_end e =
	    v == X509_V_OK && is_old(f->ssl) ? WEB_TLS_OLD : WEB_TLS;
	const char *why = v != X509_V_OK
	    ? X509_verify_cert_error_string(v)
	    : ERR_reason_error_string(ERR_peek_last_error());

	(void)snprintf(f->report->detail, sizeof f->report->detail, "%s",
	    why == NULL ? "the connection was closed" : why);
	ERR_clear_error();
	return e;
}

static bool
spki_is(const X509 *x, const uint8_t pin[PIN_SIZE])
{
	X509_PUBKEY *k = X509_get_X509_PUBKEY(x);
	unsigned char *der = NULL;
	int n = i2d_X509_PUBKEY(k, &der);
	uint8_t hash[PIN_SIZE];
	bool same;

	if (n <= 0)
		return false;
	(void)SHA256(der, (size_t)n, hash);
	same = memcmp(hash, pin, PIN_SIZE) == 0;
	OPENSSL_free(der);
	return same;
}

/* Of the chain that was verified, not of what was sent. */
static bool
pin_found(const SSL *ssl, const uint8_t pin[PIN_SIZE])
{
	STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);

	for (int i = 0; i < sk_X509_num(chain); i++)
		if (spki_is(sk_X509_value(chain, i), pin))
			return true;
	return false;
}

static bool
named(SSL *ssl, const struct url *u)
{
	char host[256] = {0};

	if (u->host.n >= sizeof host)
		return false;
	memcpy(host, u->host.p, u->host.n);
	if (u->literal)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl),
			   host) == 1;
	return SSL_set_tlsext_host_name(ssl, host) == 1 &&
	    SSL_set1_host(ssl, host) == 1;
}

static enum web_end
handshake(struct fetch *f)
{
	enum web_end e = WEB_TLS;
	int rc;

	if (!named(f->ssl, f->call->url) || SSL_set_fd(f->ssl, f->fd) != 1)
		return WEB_TLS;
	while ((rc = SSL_connect(f->ssl)) != 1)
		if (!again(f, rc, &e))
			return e == WEB_TLS ? tls_trouble(f) : e;
	if (f->call->pin != NULL && !pin_found(f->ssl, f->call->pin)) {
		(void)snprintf(f->report->detail, sizeof f->report->detail,
		    "no key of the chain is the pinned one");
		return WEB_TLS;
	}
	return WEB_OK;
}

/* ---- the request ---- */

/* Lines that end in CR LF and have no other control character. */
static bool
lines_right(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '\r' && i + 1 < s.n && s.p[i + 1] == '\n') {
			i++;
			continue;
		}
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return s.n == 0 || str_ends(s, STR("\r\n"));
}

static bool
is_method(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 'A' || s.p[i] > 'Z')
			return false;
	return s.n > 0 && s.n <= 16;
}

static bool
request_right(const struct web_call *c)
{
	return is_method(c->method) && lines_right(c->fields) &&
	    url_printable(c->url->path, REQUEST) && c->url->path.p[0] == '/';
}

static void
request(struct buf *b, const struct web_call *c)
{
	const struct url *u = c->url;
	bool v6 = memchr(u->host.p, ':', u->host.n) != NULL;

	buf_str(b, c->method);
	buf_char(b, ' ');
	buf_str(b, u->path);
	buf_c(b, v6 ? " HTTP/1.1\r\nHost: [" : " HTTP/1.1\r\nHost: ");
	buf_str(b, u->host);
	if (v6)
		buf_char(b, ']');
	if (u->port != 443)
		buf_fmt(b, ":%u", u->port);
	buf_c(b, "\r\nAccept-Encoding: identity\r\nConnection: close\r\n");
	buf_str(b, c->fields);
	if (c->body.p != NULL)
		buf_fmt(b, "Content-Length: %zu\r\n", c->body.n);
	buf_c(b, "\r\n");
	buf_str(b, c->body);
}

static enum web_end
say(struct fetch *f, struct str s)
{
	enum web_end bad = WEB_CONNECT;

	while (s.n > 0) {
		size_t n = 0;
		int rc = SSL_write_ex(f->ssl, s.p, s.n, &n);

		f->report->sent = true;
		f->report->up += n;
		if (rc == 1)
			s = str_skip(s, n);
		else if (!again(f, rc, &bad))
			return bad;
	}
	return WEB_OK;
}

/* ---- the answer ---- */

static enum web_end
hear(struct fetch *f, struct buf *raw, struct buf *out)
{
	for (;;) {
		enum web_end e = WEB_ANSWER;
		bool done;
		size_t n = 0;
		int rc;

		if (!buf_room(raw, PIECE))
			return WEB_TOO_BIG;
		rc = SSL_read_ex(f->ssl, raw->p + raw->n, PIECE, &n);
		if (rc != 1) {
			if (!again(f, rc, &e))
				return e;
			continue;
		}
		raw->n += n;
		f->report->down += n;
		e = answer_take(buf_view(raw), f->call->rules, out, &done,
		    &f->report->answer);
		if (e != WEB_OK || done)
			return e;
	}
}

static enum web_end
talk(struct fetch *f, struct buf *out)
{
	size_t most = REQUEST + f->call->fields.n + f->call->body.n;
	struct buf ask, raw;
	enum web_end e = handshake(f);

	if (e != WEB_OK)
		return e;
	buf_init(&ask, most);
	buf_init(&raw, answer_raw(f->call->rules) + PIECE);
	(void)buf_room(&ask, most);
	request(&ask, f->call);
	e = ask.failed ? WEB_TOO_BIG : say(f, buf_view(&ask));
	if (e == WEB_OK)
		e = hear(f, &raw, out);
	if (ask.p != NULL)
		mem_wipe(ask.p, ask.cap);
	if (raw.p != NULL)
		mem_wipe(raw.p, raw.cap);
	buf_done(&ask);
	buf_done(&raw);
	return e;
}

enum web_end
web_call(const struct web_call *c, struct buf *out, struct web_report *ret)
{
	struct fetch f = {.call = c,
	    .fd = -1,
	    .report = ret,
	    .until_us = time_mono_us() + c->ms * 1000};
	struct address at = {0};
	enum web_end e;

	*ret = (struct web_report){.sent = false};
	if (!request_right(c))
		return WEB_ANSWER;
	e = dial(c->reach, c->url, &f.fd, &at);
	if (e == WEB_OK || e == WEB_CONNECT)
		ret->at = at;
	if (e != WEB_OK)
		return e;
	f.ssl = SSL_new(c->tls);
	e = f.ssl == NULL ? WEB_TLS : talk(&f, out);
	SSL_free(f.ssl);
	(void)close(f.fd);
	ERR_clear_error();
	return e;
}
