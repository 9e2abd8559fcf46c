/*
 * sso_account.h: from (provider, issuer, subject) to one of our users, and
 * back: linking, making, unlinking.  (writer)
 */
#ifndef FLOW_SSO_ACCOUNT_H
#define FLOW_SSO_ACCOUNT_H

#include "flow/sso.h"
#include "flow/sso_groups.h"

/*
 * The user behind who: the one that the identity is linked to, or, where the
 * provider may make users, a new one, who may nothing but what mapped groups
 * may.  Memberships follow what the provider says.  record: members for the
 * audit entry's body.  E_NO_ACCOUNT, E_ACCOUNT_DISABLED, E_LIMIT.
 */
err account_of(struct call *c, const struct sso_who *who, struct jw *record,
    struct uuid *ret_user) MUST_USE;
/*
 * The e-mail address that a provider gives for the user `id`, when nobody else
 * has it.  It identifies nobody, but there is one of each: somebody else's is
 * not taken over, and the user gets one that reaches nobody (RFC 2606).
 */
#define ACCOUNT_NO_EMAIL "@no-address.invalid"
struct str account_email(struct call *c, struct str want,
    const struct uuid *id);
/* Tie an identity to a user.  E_EXISTS when it belongs to somebody. */
err account_link(struct call *c, const struct uuid *idp, struct str issuer,
    struct str subject, const struct uuid *user, struct str label,
    struct identity *ret) MUST_USE;
/* Out of the world, to change it. */
err account_copy(struct call *c, const struct identity *old,
    struct identity *ret) MUST_USE;
/* One identity goes, with the memberships it gave. */
err account_unlink(struct call *c, const struct identity *i) MUST_USE;
/* A provider maps to the groups in `keep` only: memberships that it gave in
 * others end. */
err account_trim_all(struct call *c, const struct uuid *idp,
    const struct uuids *keep) MUST_USE;
/* All identities of a provider go. */
err account_unlink_all(struct call *c, const struct uuid *idp) MUST_USE;

/* May the caller do all that this user can, and see all they see?  Who ties
 * an identity to a user, or changes by what a provider is believed, can
 * become that user. */
err may_become(struct call *c, const struct uuid *user) MUST_USE;
/* Every user with an identity at the provider. */
err may_become_all_of(struct call *c, const struct uuid *idp) MUST_USE;

#endif
