/*
 * wire.h: bytes to requests and replies to bytes.  TLS 1.3 only, HTTP/1.1
 * and HTTP/2, N reactor threads each owning its connections, nothing shared
 * between them.  Knows no routes, no credentials, no store: a complete
 * request is handed to the hooks, a reply comes back, from any thread.
 *
 * Timeouts, sizes and counts are those of limits.def.
 */
#ifndef WIRE_WIRE_H
#define WIRE_WIRE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/id.h"
#include "base/str.h"

enum http_method {
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
	HTTP_PUT,
	HTTP_PATCH,
	HTTP_DELETE,
	HTTP_OPTIONS,
	HTTP_OTHER, /* a valid token we have no use for */
};
const char *http_method_text(enum http_method m);

struct header {
	struct str name;  /* lower case */
	struct str value; /* trimmed, no controls, an inner tab is a space */
};

/*
 * The certificate of the client, on a listener that demands one.  That the
 * client has its key is proved (RFC 8446 4.4.3); who issued it, and whether
 * it is known, is for others to judge.
 */
struct client_cert {
	uint8_t sha256[32];	       /* of the certificate */
	uint8_t spki[32];	       /* SHA-256 of its SubjectPublicKeyInfo */
	int64_t not_before, not_after; /* ms */
	struct str der;
};

/* One request; immutable once handed over; lives in the exchange's arena. */
struct http_request {
	enum http_method method;
	struct str target; /* as sent: path and query */
	struct str path;   /* up to '?', still percent-encoded */
	struct str query;  /* after '?', without it; p NULL when none */
	struct str host;
	const struct header *headers;
	size_t headers_n;
	struct str body;
	bool h2;
	unsigned listener; /* index into wire_config.listen */
	char address[48];  /* peer, IPv4-mapped addresses as IPv4 */
	const struct client_cert *cert; /* NULL: this listener asks for none */
	int64_t started_us;		/* monotonic, first byte of the head */
};

/* First header of that (lower-case) name; p NULL when absent. */
struct str http_header(const struct http_request *r, struct str name);
/* How many headers of that name. */
size_t http_header_count(const struct http_request *r, struct str name);

/*
 * An exchange: one request and its answer.  It stays valid until it was
 * answered (exchange_reply) or, for a stream, released, even when the peer
 * has gone in the meantime; the answer is then dropped.
 */
struct exchange;

const struct http_request *exchange_request(const struct exchange *x);
/* Memory of this exchange, capped at LIM_ARENA; used by one thread at a
 * time: whoever works on the request now. */
struct arena *exchange_arena(struct exchange *x);
unsigned exchange_reactor(const struct exchange *x); /* 0 .. N-1 */
/* Has the peer gone, or a stream ended?  A hint, to save work.  Any thread. */
bool exchange_gone(const struct exchange *x);
/* A slot for the caller's own per-request object. */
void exchange_set_user(struct exchange *x, void *user);
void *exchange_user(const struct exchange *x);

enum { REPLY_HEADERS = 10 };
/* All text in the exchange's arena or static: it is read when it is sent. */
struct reply {
	int status;
	struct str content_type; /* empty: no body, no content-type */
	struct str body;
	struct header headers[REPLY_HEADERS]; /* beyond the standard set */
	size_t headers_n;
};
/*
 * wire adds to every reply: date, content-length, x-request-id is the
 * caller's business, strict-transport-security, x-content-type-options,
 * referrer-policy, cross-origin-opener-policy and -resource-policy:
 * same-origin, cache-control: no-store (unless given), a
 * content-security-policy (unless given).  HEAD bodies are dropped.  A
 * header whose name is no token or whose value holds a control character is
 * left out.
 */

/* Answer, from any thread; on the exchange's own reactor thread it is
 * written at once, elsewhere it goes through the reactor's mailbox (one
 * wake-up for many). Ends the caller's use of x. */
void exchange_reply(struct exchange *x, const struct reply *r);

/*
 * Begin a streamed answer (events, exports): the head goes out now, without
 * length. Then push from any thread; each push is copied. Ended by finish
 * (cleanly) or by the peer. The caller holds x until exchange_release.
 */
void exchange_stream(struct exchange *x, const struct reply *head);
/* false: the peer is gone or more than `max_queue` bytes wait unsent; in
 * the latter case nothing was queued. */
bool exchange_push(struct exchange *x, struct str bytes, size_t max_queue);
/* Like push, but waits for room, at most ms; not on a reactor thread. */
bool exchange_push_wait(struct exchange *x, struct str bytes, size_t max_queue,
    int ms);
void exchange_finish(struct exchange *x);
void exchange_release(struct exchange *x);

struct wire_hooks {
	void *ctx;
	/* Once in each reactor thread before it accepts. */
	void (*thread)(void *ctx, unsigned reactor);
	/* Head complete, reactor thread: how many body bytes this request
	 * may have. Past it wire answers 413 without reading. */
	size_t (*body_cap)(void *ctx, const struct http_request *head);
	/* Request complete, reactor thread. Must not block. */
	void (*request)(void *ctx, struct exchange *x);
	/* A streamed exchange's peer has gone (or it was finished, or the
	 * server ends and it was an event stream); reactor thread; the
	 * caller must release it soon.  Not called after exchange_release,
	 * but another thread's release may cross a call under way: x is
	 * valid in it, what exchange_user points at is the caller's care. */
	void (*stream_closed)(void *ctx, struct exchange *x);
	/* About ten times a second on each reactor thread. */
	void (*tick)(void *ctx, unsigned reactor);
	/*
	 * Wire itself refuses a request (E_BAD_REQUEST, E_TOO_LARGE,
	 * E_TIMEOUT, E_HEADERS, E_MEDIA_TYPE for a Content-Encoding,
	 * E_NOT_IMPLEMENTED for a transfer coding, E_UNAVAILABLE past
	 * LIM_BODIES_IN_FLIGHT): render the problem document into b.
	 */
	void (*problem)(void *ctx, err e, const struct trail *t, struct buf *b);
	/* On each reactor thread after all requests that were there, if there
	 * were any, and before it looks for more. */
	void (*turned)(void *ctx, unsigned reactor);
};

struct wire;

/* Tests shorten them; 0 means the value of limits.def. */
struct wire_times {
	int head_ms, body_ms, idle_ms, stall_ms, drain_ms;
};

struct wire_config {
	int listen[8]; /* bound, listening TCP sockets; wire takes them */
	size_t listen_n;
	bool certs[8]; /* that one demands a certificate of its clients */
	unsigned reactors;
	const struct wire_hooks *hooks;
	struct wire_times times;
};

/* Makes every descriptor it will need; afterwards only accept4 makes more,
 * and wire_start only threads.  On error the listeners stay the caller's. */
err wire_new(const struct wire_config *c, struct wire **ret) MUST_USE;
/* Load or replace certificate chain and key (PEM). On error the old ones
 * stay. Before wire_start once; later from any thread: hot reload. */
err wire_tls(struct wire *w, struct str chain_pem, struct str key_pem,
    struct trail *t) MUST_USE;
err wire_start(struct wire *w) MUST_USE;
/* Stop accepting, finish what was accepted, at most LIM_DRAIN_MS; then stop
 * the threads.  Event streams (text/event-stream) are ended at once. */
void wire_drain(struct wire *w);
/* Nobody may hold an exchange any more; NULL is accepted. */
struct wire *wire_free(struct wire *w);

struct wire_stats {
	uint64_t accepted, open, requests, replies_2xx, replies_4xx,
	    replies_5xx, refused, h2_connections, tls_failures, streams;
};
void wire_stats(const struct wire *w, struct wire_stats *ret);

#endif
