/*
 * load.h: from a store and a keeper to a state that can serve.
 */
#ifndef FLOW_LOAD_H
#define FLOW_LOAD_H

#include "flow/state.h"
#include "ipc/keeper.h"

/*
 * Have the keeper unwrap the project keys, open all administrative objects,
 * publish the first snapshot.  st->store is open, st->lock initialized.
 * E_WRONG_KEY: the root key is not the one of this store.
 */
err state_load(struct state *st, const struct ipc_end *keeper,
    struct trail *t) MUST_USE;
/*
 * The log must be an extension of what the keeper signed last: E_BAD_ANSWER
 * with a trail when entries that were signed are missing or differ (L19).
 */
err state_check_log(struct state *st, const struct ipc_end *keeper,
    struct trail *t) MUST_USE;
void state_done(struct state *st);

#endif
