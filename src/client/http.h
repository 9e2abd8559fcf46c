/*
 * http.h: a small HTTPS client for one Redoubt server, of the command line
 * and of the delegate: TLS 1.3 only, HTTP/1.1, the server's name checked
 * against its certificate, every wait bounded.  It follows no redirect, keeps
 * no cookie and asks for no compression.
 */
#ifndef CLIENT_HTTP_H
#define CLIENT_HTTP_H

#include "client/response.h"
#include "client/url.h"

struct client; /* one server, at most one connection */

struct client_config {
	struct url url;
	struct str ca_file; /* PEM; empty: the system's authorities */
	struct str token;   /* bearer; empty: none is sent */
	int timeout_ms;	    /* for one whole request; an idle stream's gap */
	const char *agent;  /* User-Agent, before the version */
	/* Who we are: a certificate (PEM, its chain behind it) and the seed of
	 * its Ed25519 key.  Empty and NULL: no certificate. */
	struct str certificate;
	const uint8_t *seed;
};

struct request {
	const char *method;
	struct str target; /* path and query */
	struct str accept;
	struct str body; /* p NULL: none */
	struct str etag; /* If-Match */
	struct str idempotency_key;
	struct str last_event_id;
	bool stream; /* the timeout is for silence, not for the whole */
};

/* Everything the client holds lives in the arena, but for the TLS library's
 * own memory and the connection: client_done frees those. */
err client_new(struct arena *a, const struct client_config *c, struct trail *t,
    struct client **ret) MUST_USE;
void client_done(struct client *c); /* NULL is fine */
/* Close the connection; the next request opens another. */
void client_close(struct client *c);

/*
 * Send a request and read the head of its answer.  A connection kept from
 * an earlier request that turns out to be dead is replaced once when the
 * request may be repeated (GET, or an idempotency key).  E_UNAVAILABLE and
 * E_TIMEOUT: the network; E_PEER: what answered is no server of ours.
 */
err client_send(struct client *c, const struct request *r,
    struct arena *answer_arena, struct trail *t,
    const struct response **ret) MUST_USE;
/* The next bytes of the body; an empty piece at its end. */
err client_read(struct client *c, struct trail *t, struct str *ret) MUST_USE;
/* All of the rest of the body, at most b's maximum: E_PEER past it. */
err client_body(struct client *c, struct trail *t, struct buf *b) MUST_USE;

#endif
