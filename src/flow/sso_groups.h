/*
 * sso_groups.h: memberships that identity providers give.  An identity keeps
 * which groups its provider put its user into (struct identity), so a login
 * takes back what the last one gave and nothing that somebody gave by hand,
 * and two providers do not undo each other's.  (writer)
 */
#ifndef FLOW_SSO_GROUPS_H
#define FLOW_SSO_GROUPS_H

#include "flow/call.h"

struct uuids {
	struct uuid *id;
	size_t n;
};
bool uuids_has(const struct uuid *id, size_t n, const struct uuid *u);

struct follow {
	struct uuids given; /* what the identity keeps from now on */
	struct uuids joined, left;
};
/*
 * The provider of this identity (copied out of the world) wants its user in
 * these groups and in no other it had put them into.  A membership whose end
 * would leave nobody to administer stays.
 */
err groups_follow(struct call *c, const struct identity *what,
    const struct uuids *want, struct follow *ret) MUST_USE;
/*
 * Take back what identities of a provider gave, except groups in `keep`.
 * Identities are not changed.  E_LAST_ADMIN when nobody would administer.
 */
err groups_withdraw(struct call *c, const struct uuid *idp,
    const struct uuids *keep) MUST_USE;

#endif
