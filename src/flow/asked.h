/*
 * asked.h: whom and what questions about access name: explain, who-can,
 * what-can.  What the caller may not see is not there, in these answers too.
 */
#ifndef FLOW_ASKED_H
#define FLOW_ASKED_H

#include "flow/call.h"

/* The caller itself, with its credential; somebody else, without one, for who
 * may explain. A group: what its members have by it. */
err asked_principal(struct call *c, enum principal_kind kind,
    const struct uuid *id, const struct actor **ret) MUST_USE;
/* The number of a project the caller knows of; E_NOT_FOUND. */
err asked_project(struct call *c, struct str slug, uint32_t *ret) MUST_USE;
/*
 * The resource of t->project as a part of the target: an incident by number
 * or id, an alert or integration by id.  E_NOT_FOUND when the caller does not
 * see it.  *ret_seq: the incident it is or hangs off, 0 none, for
 * asked_member.
 */
err asked_resource(struct call *c, struct str type, struct str id,
    struct target *t, uint64_t *ret_seq) MUST_USE;
/* Is who a member of that incident? */
err asked_member(struct call *c, const struct actor *who, uint64_t seq,
    bool *ret) MUST_USE;

#endif
