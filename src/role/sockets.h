/* sockets.h: what the supervisor opens before its children start. */
#ifndef ROLE_SOCKETS_H
#define ROLE_SOCKETS_H

#include "role/datadir.h"

enum { BOUND_MAX = 64 };

/*
 * Listen on HOST:PORT: an IPv4 address, an IPv6 address in brackets, or
 * localhost (127.0.0.1).  Names are not looked up: that would be an outgoing
 * connection.  [::] takes IPv4 too.  ret_bound: the address with the real
 * port.  E_CONFIG, or E_UNAVAILABLE when the address is taken.
 */
err listen_tcp(struct str host_port, struct trail *t, int *ret,
    char ret_bound[BOUND_MAX]) MUST_USE;
/* DIR/control.sock, mode 0600; an old one is replaced, so hold the lock. */
err listen_control(const struct datadir *d, struct trail *t, int *ret) MUST_USE;

/* The service manager's socket, connected, or -1 when there is none. */
int notify_open(void);
void notify_say(int fd, const char *text);

#endif
