/*
 * client.h: a small TLS client for tests: bytes as they are, HTTP/1 answers
 * read one by one, HTTP/2 frames made by hand so that they can be wrong.
 */
#ifndef TESTS_CLIENT_H
#define TESTS_CLIENT_H

#include <errno.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <signal.h>
#include <time.h>

#include "tests/unit/wire/serve.h"

struct client {
	int fd;
	SSL_CTX *ctx;
	SSL *ssl;
	unsigned char in[128 * 1024];
	size_t in_n;
	bool eof;
	/* HTTP/2 */
	nghttp2_hd_inflater *inflater;
	int status[1200];     /* by stream */
	uint32_t reset[1200]; /* error code + 1 */
	bool ended[1200];
	size_t data[1200];
	char text[4096]; /* DATA of stream 1 */
	size_t text_n;
	size_t given;	/* window given back */
	int64_t goaway; /* error code, -1 none */
	uint32_t goaway_last;
	unsigned goaways, pongs, settings;
};

static inline int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static inline void
sleep_ms(int ms)
{
	poll(NULL, 0, ms);
}

static inline int
tcp_open(int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	    .sin_port = htons((uint16_t)port)};
	struct timeval wait = {.tv_sec = 10};
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
	if (connect(fd, (void *)&a, sizeof a) != 0) {
		close(fd);
		return -1;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	return fd;
}

static inline void
client_close(struct client *c)
{
	if (c == NULL)
		return;
	if (c->inflater != NULL)
		nghttp2_hd_inflate_del(c->inflater);
	SSL_free(c->ssl);
	SSL_CTX_free(c->ctx);
	if (c->fd >= 0)
		close(c->fd);
	free(c);
}

struct open_options {
	const char *alpn; /* wire format: "\x02h2" */
	int version;	  /* 0: 1.3 */
	SSL_SESSION *session;
};

/* NULL when there is no connection to be had. */
static inline struct client *
client_open_with(int port, struct open_options o)
{
	struct client *c = calloc(1, sizeof *c);
	int version = o.version == 0 ? TLS1_3_VERSION : o.version;

	signal(SIGPIPE, SIG_IGN);
	c->goaway = -1;
	c->fd = tcp_open(port);
	c->ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_min_proto_version(c->ctx, version);
	SSL_CTX_set_max_proto_version(c->ctx, version);
	c->ssl = SSL_new(c->ctx);
	SSL_set_fd(c->ssl, c->fd);
	if (o.alpn != NULL)
		SSL_set_alpn_protos(c->ssl, (const unsigned char *)o.alpn,
		    (unsigned)strlen(o.alpn));
	if (o.session != NULL)
		SSL_set_session(c->ssl, o.session);
	if (c->fd < 0 || SSL_connect(c->ssl) != 1) {
		ERR_clear_error();
		client_close(c);
		return NULL;
	}
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
	return c;
}

static inline struct client *
client_open(int port)
{
	return client_open_with(port,
	    (struct open_options){.alpn = "\x08http/1.1"});
}

static inline bool
client_wait(struct client *c, short events, int ms)
{
	struct pollfd p = {.fd = c->fd, .events = events};

	return poll(&p, 1, ms) > 0;
}

/* false when not all could be sent within ms. */
static inline bool
client_send_for(struct client *c, struct str s, int ms)
{
	int64_t until = now_ms() + ms;
	size_t put;

	while (s.n > 0) {
		ERR_clear_error();
		if (SSL_write_ex(c->ssl, s.p, s.n > 16384 ? 16384 : s.n,
			&put) == 1) {
			s = str_skip(s, put);
			continue;
		}
		if (SSL_get_error(c->ssl, 0) != SSL_ERROR_WANT_WRITE ||
		    now_ms() >= until)
			return false;
		client_wait(c, POLLOUT, (int)(until - now_ms()));
	}
	return true;
}

static inline bool
client_send(struct client *c, struct str s)
{
	return client_send_for(c, s, 5000);
}

/* Read what comes within ms; false: nothing, or the end (c->eof). */
static inline bool
client_fill(struct client *c, int ms)
{
	int64_t until = now_ms() + ms;
	size_t got;

	while (!c->eof && c->in_n < sizeof c->in) {
		int rc;

		ERR_clear_error();
		rc = SSL_read_ex(c->ssl, c->in + c->in_n,
		    sizeof c->in - c->in_n, &got);
		if (rc == 1) {
			c->in_n += got;
			return true;
		}
		if (SSL_get_error(c->ssl, rc) != SSL_ERROR_WANT_READ) {
			c->eof = true;
			break;
		}
		if (now_ms() >= until)
			break;
		client_wait(c, POLLIN, (int)(until - now_ms()));
	}
	return false;
}

static inline void
client_drop(struct client *c, size_t n)
{
	memmove(c->in, c->in + n, c->in_n - n);
	c->in_n -= n;
}

/* Did the server close, within ms? */
static inline bool
client_closed(struct client *c, int ms)
{
	int64_t until = now_ms() + ms;

	while (!c->eof && now_ms() < until) {
		client_fill(c, (int)(until - now_ms()));
		c->in_n = 0;
	}
	return c->eof;
}

/* ---- HTTP/1 answers ---- */

struct answer {
	int status; /* 0: none came */
	char head[4096];
	char body[64 * 1024];
	size_t body_n; /* may be more than fits */
};

static inline bool
has(const struct answer *a, const char *text)
{
	return strstr(a->head, text) != NULL;
}

static inline bool
body_has(const struct answer *a, const char *text)
{
	return strstr(a->body, text) != NULL;
}

static inline bool
client_head(struct client *c, struct answer *a, int ms)
{
	int64_t until = now_ms() + ms;
	char *end;

	for (;;) {
		end = memmem(c->in, c->in_n, "\r\n\r\n", 4);
		if (end != NULL)
			break;
		if (now_ms() >= until || c->eof)
			return false;
		client_fill(c, (int)(until - now_ms()));
	}
	size_t n = (size_t)(end + 4 - (char *)c->in);
	if (n >= sizeof a->head)
		return false;
	memcpy(a->head, c->in, n);
	a->head[n] = '\0';
	client_drop(c, n);
	return sscanf(a->head, "HTTP/1.1 %d ", &a->status) == 1;
}

static inline void
client_body(struct client *c, struct answer *a, size_t n, int ms)
{
	int64_t until = now_ms() + ms;

	while (n > 0) {
		size_t k = c->in_n < n ? c->in_n : n;
		size_t room = a->body_n < sizeof a->body - 1
		    ? sizeof a->body - 1 - a->body_n
		    : 0;

		memcpy(a->body + (room > 0 ? a->body_n : 0), c->in,
		    k < room ? k : room);
		a->body_n += k;
		client_drop(c, k);
		n -= k;
		if (n > 0 && (c->eof || now_ms() >= until))
			break;
		if (n > 0)
			client_fill(c, (int)(until - now_ms()));
	}
	a->body[a->body_n < sizeof a->body ? a->body_n : sizeof a->body - 1] =
	    '\0';
}

/* One answer with a content-length, or without body. */
static inline bool
client_answer(struct client *c, struct answer *a, bool head_only)
{
	const char *p;
	size_t n = 0;

	a->status = 0;
	a->body_n = 0;
	a->body[0] = '\0';
	if (!client_head(c, a, 5000))
		return false;
	p = strstr(a->head, "content-length: ");
	if (p != NULL && !head_only)
		n = strtoul(p + 16, NULL, 10);
	client_body(c, a, n, 5000);
	return a->body_n == n;
}

/* Send and take one answer on a fresh connection. */
static inline int
ask(int port, struct str bytes, struct answer *a)
{
	struct client *c = client_open(port);

	a->status = 0;
	if (c == NULL)
		return 0;
	client_send(c, bytes);
	client_answer(c, a, false);
	client_close(c);
	return a->status;
}

/* ---- HTTP/2 by hand ---- */

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

static inline void
frame(struct buf *b, unsigned type, unsigned flags, uint32_t stream,
    struct str payload)
{
	buf_char(b, (char)(payload.n >> 16));
	buf_be16(b, (uint16_t)payload.n);
	buf_char(b, (char)type);
	buf_char(b, (char)flags);
	buf_be32(b, stream);
	buf_str(b, payload);
}

static inline void
hpack_text(struct buf *b, struct str s)
{
	size_t n = s.n;

	if (n < 127) {
		buf_char(b, (char)n);
	} else {
		buf_char(b, 127);
		for (n -= 127; n >= 128; n >>= 7)
			buf_char(b, (char)(n % 128 + 128));
		buf_char(b, (char)n);
	}
	buf_str(b, s);
}

static inline void
hpack(struct buf *b, const char *name, struct str value)
{
	buf_char(b, 0); /* literal, not indexed */
	hpack_text(b, str_c(name));
	hpack_text(b, value);
}

static inline void
hpack_request(struct buf *b, const char *method, struct str path)
{
	hpack(b, ":method", str_c(method));
	hpack(b, ":scheme", STR("https"));
	hpack(b, ":path", path);
	hpack(b, ":authority", STR("localhost"));
}

static inline struct client *
h2_open(int port)
{
	struct client *c =
	    client_open_with(port, (struct open_options){.alpn = "\x02h2"});
	struct buf b;

	if (c == NULL)
		return NULL;
	nghttp2_hd_inflate_new(&c->inflater);
	buf_init(&b, 1024);
	buf_c(&b, PREFACE);
	frame(&b, 4, 0, 0, STR_NONE);
	client_send(c, buf_view(&b));
	buf_done(&b);
	return c;
}

static inline void
h2_headers(struct client *c, const uint8_t *p, size_t n, uint32_t stream)
{
	for (;;) {
		nghttp2_nv nv;
		int flags = 0;
		ssize_t used =
		    nghttp2_hd_inflate_hd2(c->inflater, &nv, &flags, p, n, 1);

		if (used < 0)
			return;
		p += used;
		n -= (size_t)used;
		if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0 && stream < 1200 &&
		    nv.namelen == 7 && memcmp(nv.name, ":status", 7) == 0)
			c->status[stream] = atoi((char *)nv.value);
		if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) {
			nghttp2_hd_inflate_end_headers(c->inflater);
			return;
		}
	}
}

static inline uint32_t
be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

static inline void
h2_frame(struct client *c, const uint8_t *p, size_t n)
{
	unsigned type = p[3], flags = p[4];
	uint32_t stream = be32(p + 5) & 0x7fffffff;
	const uint8_t *body = p + 9;

	if (stream < 1200 && type <= 1 && (flags & 1) != 0)
		c->ended[stream] = true;
	if (type == 0 && stream < 1200) {
		c->data[stream] += n;
		if (stream == 1) {
			size_t room = sizeof c->text - 1 - c->text_n;
			size_t k = n < room ? n : room;

			memcpy(c->text + c->text_n, body, k);
			c->text_n += k;
			c->text[c->text_n] = '\0';
		}
	} else if (type == 1) {
		h2_headers(c, body, n, stream);
	} else if (type == 3 && stream < 1200) {
		c->reset[stream] = be32(body) + 1;
	} else if (type == 4 && (flags & 1) == 0) {
		c->settings++;
	} else if (type == 6 && (flags & 1) != 0) {
		c->pongs++;
	} else if (type == 7) {
		c->goaway_last = be32(body);
		c->goaway = be32(body + 4);
		c->goaways++;
	}
}

static inline void
h2_frames(struct client *c)
{
	size_t at = 0;

	while (c->in_n - at >= 9) {
		size_t n = (size_t)c->in[at] << 16 |
		    (size_t)c->in[at + 1] << 8 | c->in[at + 2];

		if (c->in_n - at - 9 < n)
			break;
		h2_frame(c, c->in + at, n);
		at += 9 + n;
	}
	client_drop(c, at);
}

/* Read frames until `until` says so, the end, or ms have passed. */
static inline bool
h2_until(struct client *c, bool (*until)(struct client *), int ms)
{
	int64_t end = now_ms() + ms;

	for (;;) {
		h2_frames(c);
		if (until(c))
			return true;
		if (c->eof || now_ms() >= end)
			return false;
		client_fill(c, (int)(end - now_ms()));
	}
}

static inline bool
h2_first_ended(struct client *c)
{
	return c->ended[1] || c->reset[1] != 0;
}

static inline bool
h2_gone_away(struct client *c)
{
	return c->goaway >= 0;
}

static inline bool
h2_never(struct client *c)
{
	(void)c;
	return false;
}

static inline void
h2_request(struct buf *b, uint32_t stream, const char *method, struct str path,
    bool end)
{
	struct buf h;

	buf_init(&h, 65536);
	hpack_request(&h, method, path);
	frame(b, 1, end ? 5 : 4, stream, buf_view(&h));
	buf_done(&h);
}

#endif
