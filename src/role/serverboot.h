/*
 * serverboot.h: from nothing to a confined server process with everything
 * it was given.
 */
#ifndef ROLE_SERVERBOOT_H
#define ROLE_SERVERBOOT_H

#include "ipc/idp.h"
#include "ipc/keeper.h"
#include "role/role.h"

struct server_boot {
	struct server_settings settings; /* in `arena` */
	int listen[SETTINGS_LISTEN];
	size_t listen_n;
	int tls_cert, tls_key; /* files to read whole and close */
	int control;	       /* listening unix stream socket */
	int lock;	       /* only to be kept open */
	int idp[IDP_LINKS];    /* links for documents */
	struct ipc_end supervisor, keeper;
	struct confinement confined;
	struct arena arena;
};

/*
 * Receives the settings, gives up everything else (confine), logs what was
 * achieved.  After it only settings.store_dir can be opened.  Threads may be
 * started.
 */
err server_boot(struct server_boot *ret, struct trail *t) MUST_USE;

/* What the supervisor has said: IPC_TLS_RELOAD, IPC_DRAIN, IPC_EGRESS_LINK
 * or IPC_ROOT_RELOAD_DONE, to be called when supervisor.fd is readable.
 * E_UNAVAILABLE: it is gone, end at once.  ret->body is in a static buffer:
 * for one thread. */
err server_told(const struct server_boot *b, struct ipc_msg *ret) MUST_USE;
err server_ready(const struct server_boot *b) MUST_USE;

#endif
