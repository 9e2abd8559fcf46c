/*
 * dns.h: a question to one resolver and its answer (RFC 1035): A and AAAA,
 * over UDP, nothing kept.  Pure; who asks owns the socket.
 *
 * An answer counts when it has our id, repeats our question byte for byte
 * and is no error and not cut; addresses count when they belong to the name
 * or to the end of a chain of aliases that starts with it (at most
 * DNS_ALIASES).  Everything else in it is skipped, within bounds; names go
 * backwards only, so no message is read for ever.
 */
#ifndef EGRESS_DNS_H
#define EGRESS_DNS_H

#include "base/buf.h"

enum dns_type { DNS_A = 1, DNS_AAAA = 28 };
enum {
	DNS_QUERY = 12 + 255 + 4,
	DNS_ANSWER = 1232, /* bytes of a packet we take */
	DNS_ADDRESSES = 8,
	DNS_ALIASES = 8,
	DNS_RECORDS = 64,
};

struct dns_addresses {
	size_t n;
	struct str at[DNS_ADDRESSES]; /* 4 or 16 bytes, in the packet */
};

/* Bytes written; 0 when name is no host name. */
size_t dns_query(uint8_t ret[DNS_QUERY], uint16_t id, struct str name,
    enum dns_type type);
/* E_BAD_ANSWER: it is not an answer to that query (wait for another).
 * E_NOT_FOUND: it is, and it has no address. */
err dns_answer(struct str packet, struct str query,
    struct dns_addresses *ret) MUST_USE;

#endif
