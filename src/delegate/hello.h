/*
 * hello.h: the beginning of TLS as a relay sees it (RFC 8446 4.1): whom the
 * client wants to talk to, and which version the server takes.  Pure; by
 * subtraction; what is not understood is refused.
 */
#ifndef DELEGATE_HELLO_H
#define DELEGATE_HELLO_H

#include "delegate/broker.h"

enum { HELLO_NAME = 255 };

struct hello {
	char name[HELLO_NAME]; /* server_name */
	size_t name_n;
	bool tls13; /* offered */
	size_t n;   /* bytes of its records */
};

/*
 * A ClientHello, over as many records as it may take, and nothing behind it.
 * again: it follows a HelloRetryRequest, so a change_cipher_spec may come
 * first.  BROKER_OK with *ret_done false: more is needed.  BROKER_NOT_TLS,
 * BROKER_NO_SNI, BROKER_SNI (two names), BROKER_ECH.
 */
enum broker_end hello_take(struct str in, bool again, bool *ret_done,
    struct hello *ret);

enum server_says {
	SERVER_MORE,
	SERVER_BAD,
	SERVER_ALERT,
	SERVER_OLD,
	SERVER_TLS13,
	SERVER_RETRY
};

/* The first bytes of a server: SERVER_OLD is TLS 1.2. */
enum server_says server_take(struct str in);

#endif
