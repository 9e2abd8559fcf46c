/*
 * proxy.h: who asks, when it is a proxy of ours that connects.
 *
 * X-Forwarded-For and Forwarded (RFC 7239) are what the peer says.  They count
 * only when the peer is in server.trusted_proxies; then it is the rightmost
 * address that is no proxy of ours: what stands left of it, a client wrote.
 * No other header says anything about who or where (Host, X-Real-IP,
 * X-Forwarded-Host and -Proto, ...).
 *
 * A trusted proxy that says nothing is taken for the client itself.  What it
 * says must be readable as far as it is looked at, and only one of the two
 * headers may be there: with both, one is the client's own.  Else
 * E_BAD_REQUEST, since a guess would be about an address list.
 */
#ifndef FLOW_PROXY_H
#define FLOW_PROXY_H

#include "wire/wire.h"

/* trusted: CIDR blocks.  *ret: the address as inet_ntop writes it, IPv4-mapped
 * ones as IPv4; in the arena, or the request's. */
err proxy_client(struct arena *a, const struct str *trusted, size_t n,
    const struct http_request *r, struct str *ret) MUST_USE;

#endif
