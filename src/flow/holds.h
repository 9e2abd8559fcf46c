/*
 * holds.h: legal holds.  What a live one covers is not destroyed, whoever
 * asks: not by retention, not with its project, not by hand.  Whoever
 * destroys anything asks here first, on the writer's lane, in the transaction
 * that destroys.
 */
#ifndef FLOW_HOLDS_H
#define FLOW_HOLDS_H

#include "flow/call.h"

bool hold_live(const struct hold *h, int64_t now);
/*
 * The live hold that covers an incident of the project, or, with incident
 * NULL, what is no incident's own there; project 0: what is the
 * organization's own.  NULL: none does.
 */
const struct hold *hold_covers(const struct world *w, uint32_t project,
    const struct uuid *incident, int64_t now);
/* One that covers the project, all or any part of it. */
const struct hold *hold_within(const struct world *w, uint32_t project,
    int64_t now);
/* Any live one, of whatever. */
const struct hold *hold_any(const struct world *w, int64_t now);
/* E_HELD, and which one, unless h is NULL. */
err hold_refuse(struct call *c, const struct hold *h) MUST_USE;

#endif
