/*
 * broker.h: the one process of a delegate that connects to services.  It is
 * started before anything foreign is read, gives up files, programs and
 * processes, and then does three things for the agent:
 *
 *  - an http step: one HTTPS request made of a connector's approved document
 *    and the step's parameters, with the credential added; the step never
 *    sees the credential, and its answer is cut down to the outputs;
 *  - the egress of a script: a relay on a listening socket of the sandbox
 *    that knows CONNECT, to exactly the hosts of the step's connectors, and
 *    actions by their names (invoke.h), whose credential the broker adds;
 *  - a read of an external secret manager (HashiCorp Vault, OpenBao).
 *
 * A host is reached by its exact name; the broker itself asks the resolver,
 * refuses every address that is not public unless the connector lists its
 * block, and connects to the address it has checked.  No redirect is
 * followed and nothing is tried twice: retries belong to the engine.
 *
 * Asking does not wait: what comes of it is an event.  Every id that was
 * asked about ends with exactly one BROKER_ANSWER, BROKER_VALUE or
 * BROKER_RELAY_ENDED.  One thread of the agent uses a broker.
 */
#ifndef DELEGATE_BROKER_H
#define DELEGATE_BROKER_H

#include "base/buf.h"

enum {
	BROKER_RESOLVERS = 3,
	BROKER_AUTHORITIES = 1 << 20, /* bytes of PEM */
	BROKER_CONNECTORS = 16,	      /* of one step */
	BROKER_SECRET_MAX = 65536,    /* bytes of one credential */
};

enum broker_end {
#define BROKER_END(name, code, meaning) name,
#include "delegate/broker_ends.def"
#undef BROKER_END
	BROKER_ENDS
};
const char *broker_end_code(enum broker_end e);	   /* "tls.old" */
const char *broker_end_meaning(enum broker_end e); /* one sentence */

struct broker;

struct broker_conf {
	unsigned uid, gid; /* to become when root; 0: stay */
	/* "10.0.0.2", "[fd00::2]:53"; none: those of /etc/resolv.conf. */
	struct str resolver[BROKER_RESOLVERS];
	size_t resolver_n;
	/* PEM, for connectors without a ca; empty: the system's. */
	struct str authorities;
	/* Less than limits.def has; 0: as there. */
	int64_t relay_idle_ms;
	uint64_t relay_bytes;
};

/*
 * Fork it.  The caller has one thread.  E_CONFIG, E_DENIED (it could not be
 * confined), with a trail.  It ends when the agent does.
 */
err broker_start(const struct broker_conf *c, struct trail *t,
    struct broker **ret) MUST_USE;
/* Ends it and all it was doing; NULL in, NULL out. */
struct broker *broker_stop(struct broker *b);
/* Readable when broker_next has something. */
int broker_fd(const struct broker *b);
int broker_pid(const struct broker *b);

struct broker_ask {
	struct str document; /* the connector's, exactly as approved */
	struct str secret;   /* value of its auth.secret; may be empty */
	int64_t ms;	     /* the most it may take */
	/* an http step */
	struct str action;
	struct str params;  /* a JSON object; empty: none */
	struct str outputs; /* the step's, a JSON array; empty: the action's */
	/* a secret: what follows /v1/ in the API, and the member of the data */
	struct str path, field;
};

/* E_LIMIT: too much at once, or an ask is too large.  E_UNAVAILABLE: the
 * broker is gone; so is everything asked of it. */
err broker_http(struct broker *b, uint64_t id,
    const struct broker_ask *ask) MUST_USE;
err broker_secret(struct broker *b, uint64_t id,
    const struct broker_ask *ask) MUST_USE;
/*
 * listener: a listening stream socket, AF_UNIX or of the sandbox's own
 * network; the broker gets a copy and the caller closes its own.  documents:
 * of the step's connectors, `pass` (CONNECT) or `inject` (invoke.h: the broker
 * adds the credential, which is in secrets at the same place; NULL: none); one
 * that is neither is refused (BROKER_RELAY_ENDED).
 */
err broker_relay(struct broker *b, uint64_t id, int listener,
    const struct str *documents, const struct str *secrets, size_t n) MUST_USE;
/* Give up what was asked; its last event comes all the same. */
err broker_cancel(struct broker *b, uint64_t id) MUST_USE;

enum broker_what {
	BROKER_ANSWER,	    /* of broker_http */
	BROKER_VALUE,	    /* of broker_secret */
	BROKER_DECISION,    /* the relay let one through, or did not */
	BROKER_CLOSED,	    /* what it let through has ended: up, down */
	BROKER_RELAY_ENDED, /* nobody listens there any more: up, down */
};

struct broker_event {
	enum broker_what what;
	uint64_t id;
	enum broker_end end; /* BROKER_OK, or why not */
	bool sent;	     /* a byte of the request may have arrived */
	int status;	     /* of HTTP; 0: it did not come so far */
	int64_t retry_ms;    /* Retry-After of the answer; 0: none */
	uint64_t up, down;   /* bytes to the service, and from it */
	/* Where to, as far as it got.  host of a refused CONNECT is what the
	 * script wrote, cut and printable. */
	struct str host, address;
	uint16_t port;
	struct str detail;  /* for the log: never what the service wrote */
	struct str outputs; /* BROKER_ANSWER and BROKER_OK: a JSON object */
	struct str value;   /* BROKER_VALUE and BROKER_OK: wipe it */
};

/*
 * The next event, waiting at most ms.  Texts are in the arena.  E_TIMEOUT:
 * there is none; E_UNAVAILABLE: the broker is gone.
 */
err broker_next(struct broker *b, int ms, struct arena *a,
    struct broker_event *ret) MUST_USE;

#endif
