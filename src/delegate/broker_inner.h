/* broker_inner.h: between the files of the broker. */
#ifndef DELEGATE_BROKER_INNER_H
#define DELEGATE_BROKER_INNER_H

#include <openssl/ssl.h>

#include "delegate/action.h"
#include "delegate/broker.h"
#include "domain/connector.h"
#include "egress/web.h"

/* ---- broker_wire.c: what agent and broker say to each other ---- */

enum broker_op { OP_HTTP = 1, OP_SECRET, OP_RELAY, OP_CANCEL };

struct message {
	enum broker_op op;
	uint64_t id;
	struct broker_ask ask; /* of OP_HTTP and OP_SECRET */
	struct str documents[BROKER_CONNECTORS];
	struct str secrets[BROKER_CONNECTORS]; /* of those that inject */
	size_t documents_n;
};

void message_write(struct buf *b, const struct message *m);
/* Views into in; false: it is none. */
bool message_read(struct str in, struct message *ret);
void event_write(struct buf *b, const struct broker_event *e);
bool event_read(struct str in, struct broker_event *ret);

/* One frame; pass: a descriptor to go with it, or -1.  E_UNAVAILABLE. */
err frame_send(int fd, struct str payload, int pass) MUST_USE;
/* Into b (emptied first); *ret_fd -1 when none came with it. */
err frame_recv(int fd, struct buf *b, int *ret_fd) MUST_USE;

/* ---- what all of the broker shares, from before it is confined ---- */

struct broker_world {
	SSL_CTX *system; /* with the system's authorities */
	struct endpoint resolver[BROKER_RESOLVERS];
	size_t resolver_n;
	int64_t idle_ms;
	uint64_t bytes;
	int control;
};

/* The process: never returns.  ready: gets one byte when it is confined, or
 * the trail's text. */
_Noreturn void broker_process(struct broker_world *w,
    const struct broker_conf *c, int ready);

/* broker_main.c: from any thread. */
void broker_say(const struct broker_event *e);

/* ---- broker_call.c: one connector in use ---- */

enum { CALL_ARENA = 16 * 1024 * 1024 };

struct call {
	const struct broker_world *world;
	const struct broker_ask *ask;
	const bool *stop;
	struct arena *a;
	struct broker_event *ev;
	int64_t until_us;
	struct connector c;
	SSL_CTX *tls;
};

/* Parse, check that it has not expired, make TLS ready. */
enum broker_end call_open(struct call *k);
void call_close(struct call *k);
/* The document alone. */
enum broker_end document_open(struct arena *a, struct str text,
    struct connector *ret);

struct sending {
	const struct connector_host *host;
	struct request r;
	struct str credential; /* more lines for the header */
};

/* One request; the status is the caller's to judge.  body: at most
 * LIM_BROKER_ANSWER, wiped by the caller. */
enum broker_end call_send(struct call *k, const struct sending *s,
    struct buf *body, struct answer *ret);
/* By its status alone: BROKER_OK for 2xx. */
enum broker_end call_status(int status);
/* A header line with a secret in it, which must be printable. */
bool secret_line(struct buf *b, const char *name, struct str prefix,
    struct str secret);
void buf_forget(struct buf *b); /* wipe and done */

/* broker_http.c and vault.c: fill k->ev.  found gets the value. */
void call_http(struct call *k, struct buf *outputs);
void call_secret(struct call *k, struct buf *value);

/* oauth.c: a token for these scopes, added to ret. */
enum broker_end oauth_token(struct call *k, const struct str *scopes,
    size_t scopes_n, struct buf *ret);
/* The service did not take it: it is not used again. */
void oauth_forget(struct str token);

/* ---- relay.c: one connection of a script ---- */

struct relay {
	uint64_t id;
	int listener;
	bool stop;
	unsigned refs;	      /* connections, and the listener */
	unsigned connections; /* guarded by the lock of broker_main.c */
	uint64_t up, down;    /* atomic */
	struct arena a;
	struct connector c[BROKER_CONNECTORS];
	struct str document[BROKER_CONNECTORS], secret[BROKER_CONNECTORS];
	struct buf secrets; /* what secret points into */
	size_t c_n;
	const struct broker_world *world;
	struct relay *next;
};

/* Until it ends; closes fd. */
void relay_serve(struct relay *r, int fd);
/* relay_call.c: does it have a connector whose credential is added here? */
bool relay_injects(const struct relay *r);
struct invoke;
/* One action, its answer to fd and its event. */
void relay_call(struct relay *r, int fd, const struct invoke *v);
/* Say no to one that is not served. */
void relay_refuse(struct relay *r, int fd, enum broker_end why);

#endif
