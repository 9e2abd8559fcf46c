/* fetch.c: one request over one connection, within one time. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/time.h"
#include "egress/answer.h"
#include "egress/dial.h"
#include "egress/inner.h"

enum { REQUEST = 16384, PIECE = 16384 };

struct fetch {
	SSL *ssl;
	int fd;
	int64_t until_us;
	struct egress_report *report;
};

/* ---- TLS ---- */

/* After a call that wants more: wait for it; false: it failed. */
static bool
again(struct fetch *f, int rc, enum idp_status *ret)
{
	int what = SSL_get_error(f->ssl, rc);

	if (what != SSL_ERROR_WANT_READ && what != SSL_ERROR_WANT_WRITE)
		return false;
	if (dial_wait(f->fd, what == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT,
		f->until_us))
		return true;
	*ret = IDP_TIMEOUT;
	return false;
}

static void
tls_trouble(struct fetch *f)
{
	long v = SSL_get_verify_result(f->ssl);
	const char *why = v != X509_V_OK
	    ? X509_verify_cert_error_string(v)
	    : ERR_reason_error_string(ERR_peek_last_error());

	(void)snprintf(f->report->detail, sizeof f->report->detail, "%s",
	    why == NULL ? "the connection was closed" : why);
	ERR_clear_error();
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

static enum idp_status
handshake(struct fetch *f, const struct live *l, const struct url *u)
{
	enum idp_status s = IDP_TLS;
	int rc;

	if (!named(f->ssl, u) || SSL_set_fd(f->ssl, f->fd) != 1)
		return IDP_TLS;
	while ((rc = SSL_connect(f->ssl)) != 1)
		if (!again(f, rc, &s)) {
			if (s == IDP_TLS)
				tls_trouble(f);
			return s;
		}
	if (l->conf.pinned && !pin_found(f->ssl, l->conf.pin)) {
		(void)snprintf(f->report->detail, sizeof f->report->detail,
		    "no key of the chain is the pinned one");
		return IDP_TLS;
	}
	return IDP_OK;
}

/* ---- the request ---- */

static void
request(struct buf *b, const struct url *u, struct str body, struct str basic)
{
	bool v6 = memchr(u->host.p, ':', u->host.n) != NULL;

	buf_c(b, body.p == NULL ? "GET " : "POST ");
	buf_str(b, u->path);
	buf_c(b, v6 ? " HTTP/1.1\r\nHost: [" : " HTTP/1.1\r\nHost: ");
	buf_str(b, u->host);
	if (v6)
		buf_char(b, ']');
	if (u->port != 443)
		buf_fmt(b, ":%u", u->port);
	buf_c(b,
	    "\r\nAccept: application/json\r\nAccept-Encoding: identity\r\n"
	    "Connection: close\r\nUser-Agent: redoubt\r\n");
	if (basic.p != NULL) {
		buf_c(b, "Authorization: Basic ");
		buf_str(b, basic);
		buf_c(b, "\r\n");
	}
	if (body.p != NULL)
		buf_fmt(b,
		    "Content-Type: application/x-www-form-urlencoded\r\n"
		    "Content-Length: %zu\r\n",
		    body.n);
	buf_c(b, "\r\n");
	buf_str(b, body);
}

static enum idp_status
say(struct fetch *f, struct str s)
{
	enum idp_status bad = IDP_CONNECT;

	while (s.n > 0) {
		size_t n = 0;
		int rc = SSL_write_ex(f->ssl, s.p, s.n, &n);

		if (rc == 1)
			s = str_skip(s, n);
		else if (!again(f, rc, &bad))
			return bad;
	}
	return IDP_OK;
}

/* ---- the answer ---- */

static enum idp_status
hear(struct fetch *f, struct buf *raw, struct buf *out)
{
	for (;;) {
		enum idp_status s = IDP_HTTP;
		bool done;
		size_t n = 0;
		int rc;

		if (!buf_room(raw, PIECE))
			return IDP_TOO_BIG;
		rc = SSL_read_ex(f->ssl, raw->p + raw->n, PIECE, &n);
		if (rc != 1) {
			if (!again(f, rc, &s))
				return s;
			continue;
		}
		raw->n += n;
		s = answer_read(buf_view(raw), out, &done,
		    &f->report->http_status);
		if (s != IDP_OK || done)
			return s;
	}
}

static enum idp_status
talk(struct fetch *f, const struct live *l, enum egress_url url,
    struct str body, struct str basic, struct buf *out)
{
	struct buf ask, raw;
	enum idp_status s = handshake(f, l, &l->url[url]);

	if (s != IDP_OK)
		return s;
	buf_init(&ask, REQUEST);
	buf_init(&raw, ANSWER_RAW + PIECE);
	(void)buf_room(&ask, REQUEST);
	request(&ask, &l->url[url], body, basic);
	s = ask.failed ? IDP_TOO_BIG : say(f, buf_view(&ask));
	if (s == IDP_OK)
		s = hear(f, &raw, out);
	if (ask.p != NULL)
		mem_wipe(ask.p, ask.cap);
	if (raw.p != NULL)
		mem_wipe(raw.p, raw.cap);
	buf_done(&ask);
	buf_done(&raw);
	return s;
}

enum idp_status
egress_fetch(const struct live *l, enum egress_url url, struct str body,
    struct str basic, struct buf *out, struct egress_report *report)
{
	struct fetch f = {.fd = -1,
	    .report = report,
	    .until_us = time_mono_us() + (int64_t)LIM_IDP_CALL_MS * 1000};
	enum idp_status s = dial(&l->conf, &l->url[url], &f.fd);

	if (s != IDP_OK)
		return s;
	f.ssl = SSL_new(l->tls);
	s = f.ssl == NULL ? IDP_TLS : talk(&f, l, url, body, basic, out);
	SSL_free(f.ssl);
	(void)close(f.fd);
	ERR_clear_error();
	return s;
}
