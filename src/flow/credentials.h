/*
 * credentials.h: what the routes of local credentials share.  A credential is
 * an object of the world; its data (auth/credential.h) is never answered.
 */
#ifndef FLOW_CREDENTIALS_H
#define FLOW_CREDENTIALS_H

#include "auth/credential.h"
#include "flow/admin_body.h"

/*
 * May the caller change how they log in themselves?  With a session (its
 * route is FRESH), a token made for that (kind b), or a personal token that
 * may all they may: one with less would give itself the rest.  E_FORBIDDEN.
 */
err may_enrol(struct call *c) MUST_USE;

/* One of the user's of that kind; NULL: none. */
const struct credential *credential_of(const struct world *w,
    const struct uuid *user, enum credential_kind kind);
/* A new one of the caller's, not stored yet. E_LIMIT. */
err credential_new(struct call *c, enum credential_kind kind, struct str name,
    struct credential *ret) MUST_USE;
/* Store a changed copy of one; its texts may lie in the world still. */
err credential_put(struct call *c, struct credential *k) MUST_USE;
/* After a change of how the caller logs in: their other sessions end. */
err credential_changed(struct call *c, const struct credential *k) MUST_USE;

/* The members of an open object, without those of its data. */
void credential_json(struct call *c, struct jw *w, const struct object *o);

#endif
