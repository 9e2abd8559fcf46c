/* admin_tokens.h: issuing and revoking, for integrations too. */
#ifndef FLOW_ADMIN_TOKENS_H
#define FLOW_ADMIN_TOKENS_H

#include "flow/call.h"

/* Give t an id, a key id and a verifier, and store it; text gets what is
 * shown once. kind, owner, scopes and expiry are the caller's. */
err token_issue(struct call *c, struct token *t,
    char text[TOKEN_TEXT + 1]) MUST_USE;
/* A copy that outlives the world old was found in. */
err token_copy(struct call *c, const struct token *old,
    struct token *ret) MUST_USE;
err token_revoke(struct call *c, const struct token *t) MUST_USE;

#endif
