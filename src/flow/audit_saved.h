/*
 * audit_saved.h: filters of the audit log that somebody has saved, for
 * themselves or for all who read the log.
 */
#ifndef FLOW_AUDIT_SAVED_H
#define FLOW_AUDIT_SAVED_H

#include "flow/call.h"

/* The members of the filter of that name or id: the caller's own before a
 * shared one.  E_INVALID when there is none they may use. */
err audit_saved_members(struct call *c, struct str name,
    const struct json **ret) MUST_USE;

#endif
