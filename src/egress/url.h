/*
 * url.h: where a request goes: https only, a name or an address, a port.
 */
#ifndef EGRESS_URL_H
#define EGRESS_URL_H

#include "base/str.h"

enum { URL_MAX = 512 };

/* An address written out: "10.1.2.3:443", "[2001:db8::1]:443". */
struct endpoint {
	struct str host; /* without brackets */
	uint16_t port;
};

struct url {
	struct str host; /* without brackets; empty: there is no URL */
	uint16_t port;
	bool literal;	 /* host is an address, not a name */
	struct str path; /* and query, for the request line */
};

/* "https://host[:port][/path][?query]", printable, nothing else. */
bool egress_url_parse(struct str s, struct url *ret);
bool endpoint_parse(struct str s, uint16_t default_port, struct endpoint *ret);
/* 1 to max printable characters that need no escape in a URL. */
bool url_printable(struct str s, size_t max);
/* Is it an address and nothing but? */
bool url_literal(struct str host);

#endif
