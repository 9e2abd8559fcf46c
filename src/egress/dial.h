/*
 * dial.h: a TCP connection to a provider, to an address that address.h
 * allows, found in idp.conf or by one resolver (dns.h).
 */
#ifndef EGRESS_DIAL_H
#define EGRESS_DIAL_H

#include "egress/provider.h"

/* Until fd is ready or the monotonic clock says until (us); false: it is
 * not, in time. */
bool dial_wait(int fd, short what, int64_t until_us);
/* A connected, non-blocking socket.  IDP_DNS, IDP_ADDRESS, IDP_CONNECT; all
 * of it within LIM_IDP_CONNECT_MS. */
enum idp_status dial(const struct provider *p, const struct url *u,
    int *ret_fd);

#endif
