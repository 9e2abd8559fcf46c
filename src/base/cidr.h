/*
 * cidr.h: addresses and blocks of them, RFC 4632 and RFC 4291.  IPv4
 * addresses and IPv4-mapped IPv6 ones are the same address; ::/0 is about
 * IPv6 only.  A block with bits set behind its prefix is none.
 */
#ifndef BASE_CIDR_H
#define BASE_CIDR_H

#include "base/str.h"

/* The one form of an address: as inet_ntop writes it, IPv4-mapped IPv6 as
 * IPv4.  false when it is none. */
enum { ADDRESS_TEXT = 46 };
bool address_text(struct str s, char ret[ADDRESS_TEXT]);
bool cidr_valid(struct str cidr);
/* Of a block: 32 or 128, and how many bits its addresses share. */
bool cidr_width(struct str cidr, unsigned *ret_bits, unsigned *ret_prefix);
/* IPv4/IPv6 address in one of these CIDR blocks? */
bool cidr_match(const struct str *cidrs, size_t n, struct str address);
/* Is all of the block `inner` inside one of these blocks? */
bool cidr_within(const struct str *cidrs, size_t n, struct str inner);

#endif
