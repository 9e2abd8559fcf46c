/*
 * connect.h: what a script's client says to the relay first: one CONNECT
 * (RFC 9110 9.3.6), and nothing that two readers could read two ways.  Pure.
 *
 * Taken: "CONNECT host:port HTTP/1.1" (or 1.0), at most CONNECT_FIELDS
 * fields, Host equal to the target (missing only in 1.0).  Refused: a host
 * that is not lower-case letters, digits and hyphens between dots or whose
 * last label could be a number; a port with a leading zero; a bare line feed,
 * a folded line, a control character; Host twice; any framing of a body.
 */
#ifndef DELEGATE_CONNECT_H
#define DELEGATE_CONNECT_H

#include "base/str.h"
#include "delegate/broker.h"

enum { CONNECT_FIELDS = 32 };

/* A line up to its line feed; false: it has not come whole. */
bool relay_line(struct str *in, struct str *ret);
/* Its text: printable ASCII that ends in CR; false: it is none. */
bool relay_text(struct str line, struct str *ret);
bool relay_token(struct str s);

struct connect_head {
	struct str host; /* set for a refusal too, as far as it can be told */
	uint16_t port;
	size_t n; /* bytes of the head */
};

/*
 * BROKER_OK with *ret_done false: more is needed.  BROKER_NOT_HTTP,
 * BROKER_METHOD, BROKER_TARGET.
 */
enum broker_end connect_take(struct str in, bool *ret_done,
    struct connect_head *ret);

#endif
