/*
 * writer.h: the one thread that changes anything.  It takes whatever has
 * queued (at most LIM_BATCH requests), runs their handlers in one
 * transaction, writes their audit entries into it, commits once, and only
 * then lets the answers go.
 *
 * A handler that fails after it has written undoes the transaction; the
 * others are then run again, each in a transaction of its own, so that one
 * bad request never takes its neighbours with it.
 */
#ifndef FLOW_WRITER_H
#define FLOW_WRITER_H

#include "flow/desk.h"
#include "flow/ledger.h"

struct writer;

err writer_start(struct state *st, const struct ipc_end *keeper,
    struct writer **ret) MUST_USE;
/* Takes c, from any thread; false: the queue is full, c stays the caller's.
 * It may sleep on until it is nudged (writer_queue.h). */
bool writer_submit(struct writer *w, struct call *c);
void writer_nudge(struct writer *w);
/* Finish what is queued, sign the log, stop. */
struct writer *writer_stop(struct writer *w);

/*
 * Run fn on the writer thread between batches, in a transaction of its own
 * that commits when fn returns OK; waits for it.  For key rotation and other
 * work of the server itself.  Not from the writer thread.
 */
err writer_do(struct writer *w, err (*fn)(struct lane *l, void *arg),
    void *arg) MUST_USE;

/* The same on the writer's own thread, between batches, at once. */
err writer_run(struct writer *w, err (*fn)(struct lane *l, void *arg),
    void *arg) MUST_USE;

/* Requests that wait (park.h) look again, once what is under way is durable;
 * those of one delegate have waited enough; a checkpoint is wanted before its
 * time, and those who wait look again then.  Writer only. */
void writer_wake_parked(struct writer *w);
void writer_unpark(struct writer *w, const struct uuid *delegate);
void writer_sign_soon(struct writer *w);

/* For handlers on the writer's lane. */
struct desk *writer_desk(struct writer *w);
struct ledger *writer_ledger(struct writer *w);
const struct ipc_end *writer_keeper(struct writer *w);
/* Replace the snapshot this batch sees; published when it commits. Takes the
 * reference. */
void writer_snap(struct writer *w, struct snap *s);
/* When a token or session was last used, ms; 0 = never. Any thread. */
int64_t writer_used(struct writer *w, const struct uuid *credential);
void writer_token_rights(struct writer *w, const struct uuid *token,
    int64_t ret[PERM_MAX_]);
/* One that was made anew from another counts as used. Writer only. */
void writer_note(struct writer *w, const struct uuid *credential, int64_t now);
/* It is gone (in the batch's transaction): its place in memory is free once
 * the batch is durable. */
void writer_forget(struct writer *w, const struct uuid *credential);

#endif
