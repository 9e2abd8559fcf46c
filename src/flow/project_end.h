/* project_end.h: all that is left of a project goes with it: its runs, what
 * starts them, what senders sent, and every key.  (writer) */
#ifndef FLOW_PROJECT_END_H
#define FLOW_PROJECT_END_H

#include "flow/call.h"

/* E_CONFLICT when something of it is not over, or there is too much to go at
 * once.  The project itself stays, for its caller to remove. */
/* The first object of a kind there, its id copied; false: none is left. */
bool project_first(const struct call *c, enum object_kind kind,
    uint32_t project, struct uuid *ret);
err project_end(struct call *c, uint32_t project) MUST_USE;

#endif
