/* admin_tokens.h: issuing and revoking, for integrations too, and what
 * rotation shares with making one. */
#ifndef FLOW_ADMIN_TOKENS_H
#define FLOW_ADMIN_TOKENS_H

#include "flow/call.h"

/* The token of path variable 0, when the caller may know of it; touches it.
 * E_NOT_FOUND for others, which is on record. */
err token_seen(struct call *c, const struct token **ret) MUST_USE;
/* Members of the answer, but for the secret. */
void token_json(struct call *c, struct jw *w, const struct token *t);
bool token_live(const struct token *t, int64_t now);
/* E_FORBIDDEN: it would be wider than who asks; self: it is for oneself. */
err token_allowed(struct call *c, const struct token *t, bool self) MUST_USE;
/* E_LIMIT: the owner has LIM_TOKENS live ones. */
err token_room(struct call *c, const struct uuid *owner) MUST_USE;

/* Live tokens of users and accounts with scopes that they did not use in the
 * last 30 days. */
size_t tokens_too_wide(struct call *c);

/* Give t an id, a key id and a verifier, and store it; text gets what is
 * shown once. kind, owner, scopes and expiry are the caller's. */
err token_issue(struct call *c, struct token *t,
    char text[TOKEN_TEXT + 1]) MUST_USE;
/* A copy that outlives the world old was found in. */
err token_copy(struct call *c, const struct token *old,
    struct token *ret) MUST_USE;
err token_revoke(struct call *c, const struct token *t) MUST_USE;

#endif
