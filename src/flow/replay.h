/*
 * replay.h: Idempotency-Key.  The same key with the same request gives the
 * same answer for LIM_IDEMPOTENCY_MS, without doing it again; with another
 * request E_IDEMPOTENCY.  Scope: one principal, one method and path.  The
 * answer is kept sealed; secrets in it are not (call.h, answer_secret).
 *
 * And deliveries that may have one effect (hook.h, `once`): a retry gets the
 * receipt of the first one with "duplicate":true, a replay of signed bytes
 * E_UNAUTHENTICATED.  Same table, same life, same transaction.
 */
#ifndef FLOW_REPLAY_H
#define FLOW_REPLAY_H

#include "flow/call.h"

/* *ret: the kept answer is in c now. */
err replay_find(struct call *c, bool *ret) MUST_USE;
err replay_keep(struct call *c) MUST_USE;

#endif
