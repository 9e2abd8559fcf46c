/*
 * ledger.h: writing the audit log, inside the writer's transaction.
 *
 * Every change has a leaf of its own.  Reads and denials of one batch that
 * say the same (who, with what, what, about what, outcome) share a leaf with
 * a count: floods are counted, never dropped, and every one is durable before
 * its answer leaves.
 */
#ifndef FLOW_LEDGER_H
#define FLOW_LEDGER_H

#include "audit/note.h"
#include "audit/tree.h"
#include "flow/call.h"
#include "ipc/keeper.h"

struct ledger;

/* Rebuilds the right edge of the tree from the store. */
err ledger_open(struct lane *l, struct ledger **ret) MUST_USE;
struct ledger *ledger_close(struct ledger *g);

/* A transaction begins; undo takes the tree back to this point. */
void ledger_begin(struct ledger *g);
void ledger_undo(struct ledger *g);

/* The number the next entry will get: what a receipt says. */
uint64_t ledger_next(const struct ledger *g);

/* Write c's entry, or count it into one of this batch that says the same. */
err ledger_add(struct ledger *g, struct lane *l, struct arena *batch,
    const struct call *c) MUST_USE;
/* Something the server itself did; detail: a static or arena text or empty. */
err ledger_system(struct ledger *g, struct lane *l, struct arena *batch,
    enum audit_action action, struct str detail, int64_t now) MUST_USE;
/* The same with resources and all else that *e says; body: what people wrote,
 * kept sealed and committed to, or empty. */
err ledger_entry(struct ledger *g, struct lane *l, struct arena *batch,
    struct audit_entry *e, struct str body, int64_t now) MUST_USE;
/* Something that follows from what the principal asked for, beside that
 * request's own entry: its action, project and resources, what it commits to
 * (no body).  principal all zero: nobody in particular of that kind. */
err ledger_event(struct ledger *g, struct lane *l, struct arena *batch,
    const struct record *r, enum principal_kind kind,
    const struct uuid *principal, int64_t now) MUST_USE;
/* What stands in the log for a private incident: "priv:" and a blind
 * reference, the same each time. */
err ledger_blind(struct lane *l, struct arena *a, const struct uuid *incident,
    struct str *ret) MUST_USE;
/* The shared entries; before commit. */
err ledger_flush(struct ledger *g, struct lane *l,
    struct arena *batch) MUST_USE;

/*
 * Have the keeper sign the present tree when it has grown, and store the
 * note (a transaction of its own is the caller's).  E_BAD_ANSWER: the keeper
 * refuses: this log is not an extension of what it signed.
 */
err ledger_sign(struct ledger *g, struct lane *l, const struct ipc_end *keeper,
    struct arena *a, int64_t now) MUST_USE;
/* That transaction was committed. */
void ledger_signed(struct ledger *g);
bool ledger_unsigned(const struct ledger *g); /* has it grown since? */

/* The tree of the first `size` entries of a store, and the last one's time. */
err ledger_load(struct store_conn *conn, uint64_t size, struct audit_tree *tree,
    int64_t *ret_time) MUST_USE;
/* For proofs: the tree and how to read its tiles. */
const struct audit_tree *ledger_tree(const struct ledger *g);
err ledger_tile(void *conn, unsigned level, uint64_t index,
    struct audit_tile *ret) MUST_USE;

#endif
