/*
 * local.h: a server without a network, for `redoubt key` when no other one
 * runs: the keeper is a thread and the writer works as ever, so that what is
 * done offline is done by the code that does it online.  The caller holds
 * the directory's lock.
 */
#ifndef ROLE_LOCAL_H
#define ROLE_LOCAL_H

#include "base/config.h"
#include "flow/state.h"
#include "role/datadir.h"
#include "role/keep.h"

struct local {
	const struct datadir *dir;
	struct str root_setting;
	struct keep keep;
	pthread_mutex_t lock; /* of keep */
	pthread_t thread;
	bool serving;
	struct ipc_end server, keeper;
	int audit, keys_state;
	struct state st;
};

/* Everything is checked as at the start of a server; st.forks is the
 * caller's to set before. */
err local_open(struct local *l, const struct datadir *d, const struct config *c,
    struct arena *a, struct trail *t) MUST_USE;
/* Signs the log and closes. */
void local_close(struct local *l);
/* As `reload` and `tend` of struct rotation; ctx: the struct local. */
err local_reload(void *ctx, struct trail *t) MUST_USE;
void local_tend(void *ctx);

#endif
