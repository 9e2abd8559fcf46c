/*
 * issuers.h: the authorization servers whose access tokens count (identity
 * providers of kind oauth that are enabled), with their keys parsed, and the
 * tokens that were believed lately.  One per thread: parsed once for each
 * version of the world, and a signature is verified once per token, thread
 * and version.  A token's subject, its owner and the time are looked at with
 * every request all the same.
 *
 * Bounds: LIM_IDPS servers, LIM_BELIEVED tokens; a newer one takes the place
 * of an older one with the same first byte of its hash.  Refused tokens are
 * not kept: who sends them pays for each with a request.
 */
#ifndef AUTH_ISSUERS_H
#define AUTH_ISSUERS_H

#include "access/world.h"
#include "auth/oidc.h"

struct issuer {
	struct uuid idp;
	struct str url, audience;
	uint32_t algs;
	struct jwks *keys; /* owned */
};

struct believed;

struct issuers {
	struct arena a;
	struct issuer *list;
	size_t n;
	struct believed *kept; /* LIM_BELIEVED of them, or NULL */
	uint64_t version;      /* of the world they are from */
	bool known;
};

void issuers_init(struct issuers *s);
void issuers_done(struct issuers *s);
/* Those of the world, which is of that version.  E_CORRUPT when a provider's
 * config is none of ours. */
err issuers_refresh(struct issuers *s, const struct world *w,
    uint64_t version) MUST_USE;
/* NULL when there is none of that URL, to the byte. */
const struct issuer *issuers_find(const struct issuers *s, struct str url);

/* What a token of that hash said and from whom it was, when it was believed
 * and is not over; views into what may be overwritten by issuers_keep. */
bool issuers_recall(const struct issuers *s, const uint8_t sum[32], int64_t now,
    const struct issuer **ret_from, struct oidc_access *ret);
/* Keep a copy.  Never needed, so it cannot fail. */
void issuers_keep(struct issuers *s, const uint8_t sum[32],
    const struct issuer *from, const struct oidc_access *said);

#endif
