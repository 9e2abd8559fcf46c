/*
 * idp_watch.h: the supervisor's part of the idp role: it reads DIR/idp.conf,
 * has the process that may connect started, tells it whom it may call, and
 * hands its links to the server.  One that ends is started anew, at most
 * LIM_IDP_STARTS times in a minute.  When the role itself ends, one that it
 * forked before takes its place, as often; nothing that happens to the idp
 * role ends the server.
 */
#ifndef ROLE_IDP_WATCH_H
#define ROLE_IDP_WATCH_H

#include "base/limits.h"
#include "ipc/idp.h"
#include "role/child.h"
#include "role/plan.h"

struct idp_watch {
	const struct plan *plan;
	const struct ipc_end *server;
	struct child role;
	bool network;		   /* there was an idp.conf at the start */
	bool settled;		   /* the first start has come to something */
	bool stopping;		   /* nothing is started any more */
	bool forking;		   /* the role was asked for a process */
	bool again;		   /* and idp.conf has changed since */
	bool unwanted;		   /* or is gone since */
	struct ipc_end spare;	   /* one that waits; fd -1: none */
	int spare_link[IDP_LINKS]; /* of it, for the server */
	bool sparing;		   /* one was asked for */
	bool first;		   /* `role` is the child that was started */
	struct ipc_end egress, fresh; /* in use; being told; fd -1: none */
	int link[IDP_LINKS];	      /* of fresh, for the server */
	struct idp_plan told;	      /* what fresh is told */
	size_t names_n;		      /* and whom it may call */
	char names[IDP_PROVIDERS][IDP_NAME + 1];
	int64_t starts[LIM_IDP_STARTS], heirs[LIM_IDP_STARTS];
	size_t starts_n, heirs_n; /* ever */
	int64_t heir_at;	  /* when one may follow; 0 = not set */
	int64_t start_at;	  /* ms of the monotonic clock; 0 = not set */
	int64_t settle_at; /* the first start is not waited for any longer */
};

void idp_watch_init(struct idp_watch *w, const struct plan *p,
    const struct ipc_end *server);
/* The pairs for documents go to the server with its settings. */
err idp_watch_start(struct idp_watch *w, int64_t now, int ret_links[IDP_LINKS],
    struct trail *t) MUST_USE;
/* What is readable; now: ms of the monotonic clock. */
void idp_watch_role(struct idp_watch *w, int64_t now);
void idp_watch_spare(struct idp_watch *w);
/* The child that was started has been reaped. */
void idp_watch_ended(struct idp_watch *w, int64_t now);
void idp_watch_fresh(struct idp_watch *w, int64_t now);
void idp_watch_egress(struct idp_watch *w, int64_t now);
/* When there is something to do without being told, 0: never; and to do it
 * when it is time. */
int64_t idp_watch_next(const struct idp_watch *w);
void idp_watch_tick(struct idp_watch *w, int64_t now);
/* SIGHUP: as often as somebody likes. */
void idp_watch_reload(struct idp_watch *w);
/* All of it is to end. */
void idp_watch_close(struct idp_watch *w);

#endif
