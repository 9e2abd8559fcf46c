/*
 * address.h: which addresses a connection may be made to.  What idp.conf
 * names in `connect` is allowed because it is written there; what a resolver
 * answers must lie in the list of allowed blocks, and is refused all the same
 * when it is loopback, link-local, multicast, reserved or a cloud's metadata
 * service, unless the list names that one address (/32, /128).  Where public
 * addresses are allowed without a list, private ones are not.  The address
 * that was checked is the one that is connected to: there is no second
 * look-up.
 */
#ifndef EGRESS_ADDRESS_H
#define EGRESS_ADDRESS_H

#include <netinet/in.h>

#include "egress/url.h"

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} at;
	socklen_t n;
};

enum { ADDRESS_SHOWN = INET6_ADDRSTRLEN };

/* An address written out; IPv4-mapped IPv6 becomes IPv4. */
bool address_of(const struct endpoint *e, struct address *ret);
/* 4 or 16 bytes from a DNS answer. */
bool address_raw(struct str bytes, uint16_t port, struct address *ret);
/* Without its port, for people. */
struct str address_show(const struct address *a, char ret[ADDRESS_SHOWN]);
/* May a resolver's answer lead there? */
bool address_allowed(const struct address *a, const struct str *allow,
    size_t allow_n);
/* Is it an address of the public Internet? */
bool address_public(const struct address *a);

#endif
