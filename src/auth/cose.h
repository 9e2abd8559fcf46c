/*
 * cose.h: public keys as authenticators give them: COSE_Key (RFC 9052 7,
 * RFC 9053, RFC 8812) of ES256, EdDSA or RS256, and signatures under them.
 * The algorithm of a key is the only one it is ever used with; members that
 * belong to no such key, and points that are not on the curve, are refused.
 */
#ifndef AUTH_COSE_H
#define AUTH_COSE_H

#include <openssl/types.h>

#include "auth/webauthn.h"

struct cose_key {
	enum webauthn_alg alg;
	EVP_PKEY *pkey;
};

/* All of text is the key. The reason is ALGORITHM or KEY. */
err cose_key_open(struct str text, enum webauthn_reason *ret_why,
    struct cose_key *ret) MUST_USE;
void cose_key_close(struct cose_key *k);
/* E_UNAUTHENTICATED for every fault. */
err cose_verify(const struct cose_key *k, struct str message,
    struct str signature) MUST_USE;

#endif
