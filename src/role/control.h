/*
 * control.h: DIR/control.sock, where `redoubt key` talks to a running
 * server: one line in, one JSON line out.  Only root and the server's own
 * user may; the kernel says who it is.
 */
#ifndef ROLE_CONTROL_H
#define ROLE_CONTROL_H

#include "flow/state.h"
#include "role/serverboot.h"

struct control;

err control_start(struct state *st, const struct server_boot *b,
    struct control **ret) MUST_USE;
struct control *control_stop(struct control *c);
/* The supervisor's answer to IPC_ROOT_RELOAD_ASK has come (any thread). */
void control_root_reloaded(struct control *c, struct str report);

#endif
