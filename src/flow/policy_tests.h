/*
 * policy_tests.h: sentences about who may do what, kept by the organization,
 * that no change of roles, bindings, groups or resource groups may break:
 *
 *	{"as": "group:sre", "do": "incident.edit", "on": "project:pay",
 *	 "expect": "allow"}
 *
 * as      user:EMAIL, service_account:NAME, group:NAME, or an id for the name
 * token   the id of a token it asks with; "none" or absent: without
 * do      a permission
 * on      "organization", "project:SLUG", or "some:SLUG": some resource of it
 * expect  "allow" or "deny"
 */
#ifndef FLOW_POLICY_TESTS_H
#define FLOW_POLICY_TESTS_H

#include "flow/call.h"

/*
 * In the writer, after a change and before it is committed: E_POLICY_TEST,
 * naming the first test that the change breaks, now or when a binding it
 * makes begins, unless the caller
 * forces it (?force=true, rbac.escalate; on record).  Changes that administer
 * are looked at; breaking glass and logins are not.
 */
err policy_check(struct call *c, const struct world *before) MUST_USE;
/* How many there are, and how many fail now. */
err policy_failing(struct call *c, size_t *ret_n, size_t *ret_failing) MUST_USE;
/* Member "tests" of an open object: those whose answer the change turns. */
err policy_turned(struct call *c, struct jw *w, const struct world *before,
    const struct world *after) MUST_USE;

#endif
