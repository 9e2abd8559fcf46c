/* admin_policy.h: what the organization's policy does not let happen. */
#ifndef FLOW_ADMIN_POLICY_H
#define FLOW_ADMIN_POLICY_H

#include "flow/call.h"

/* E_CONFLICT when nobody could log in without that provider: it is to be
 * removed or disabled. */
err policy_spares(struct call *c, const struct uuid *idp) MUST_USE;

#endif
