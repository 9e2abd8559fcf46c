/*
 * dial.h: a TCP connection to a host, to an address that address.h allows,
 * given or found by a resolver (dns.h).
 */
#ifndef EGRESS_DIAL_H
#define EGRESS_DIAL_H

#include "egress/address.h"
#include "egress/dns.h"
#include "egress/reach.h"

enum { DIAL_ADDRESSES = 2 * DNS_ADDRESSES };

/* WEB_OK when fd is ready; WEB_TIMEOUT when the monotonic clock says until
 * (us) before that; WEB_STOPPED when *stop (may be NULL) is true. */
enum web_end dial_wait(int fd, short what, int64_t until_us, const bool *stop);
/* A connected, non-blocking socket, and to where (written from WEB_CONNECT
 * on).  WEB_DNS, WEB_ADDRESS, WEB_CONNECT; all of it within connect_ms. */
enum web_end dial(const struct reach *r, const struct url *u, int *ret_fd,
    struct address *ret_at);

#endif
