/* runbook_refs.h: connectors and secrets that a runbook's steps name. */
#ifndef FLOW_RUNBOOK_REFS_H
#define FLOW_RUNBOOK_REFS_H

#include "domain/runbook.h"
#include "flow/call.h"

/*
 * Before it is published: each of them is there, not revoked, for this
 * runbook, and has the action with parameters of those names.  E_CONFLICT,
 * and the trail names the step.
 */
err runbook_refs_check(struct call *c, uint32_t project,
    const struct runbook *rb) MUST_USE;
#endif
