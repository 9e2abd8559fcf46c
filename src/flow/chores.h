/* chores.h: what the writer does by itself, from time to time, each in a
 * transaction of its own: old answers go, sessions end, leases end. */
#ifndef FLOW_CHORES_H
#define FLOW_CHORES_H

#include "flow/ledger.h"

struct chores {
	int64_t purge_at, leases_at; /* ms, by the clock that is never set */
	struct uuid person_at;
	int64_t remind_at; /* ms: of an overdue audit review */
	size_t keys_at;	   /* class keys looked at so far */
};

void chores_do(struct lane *l, struct chores *k);
/* Have the log as it is signed; a failure is logged. */
bool chores_sign(struct lane *l, struct ledger *g,
    const struct ipc_end *keeper);

#endif
