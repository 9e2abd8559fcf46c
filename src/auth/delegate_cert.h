/*
 * delegate_cert.h: certificates of delegates, as the keeper makes them
 * (role/keep_cert.h), read back by who believes only its key.
 */
#ifndef AUTH_DELEGATE_CERT_H
#define AUTH_DELEGATE_CERT_H

#include "base/buf.h"
#include "base/id.h"

struct delegate_cert {
	struct uuid delegate;
	uint32_t epoch;
	uint8_t key[32]; /* Ed25519 */
	int64_t not_before, not_after;
};

/* E_UNAUTHENTICATED: not signed with that key, or not of the template. */
err delegate_cert_read(struct str der, const uint8_t ca[32],
    struct delegate_cert *ret) MUST_USE;
/* The key of the authority's own certificate. */
err delegate_ca_key(struct str der, uint8_t ret[32]) MUST_USE;
/* "urn:redoubt:delegate:UUID:EPOCH" */
bool delegate_urn_parse(struct str s, struct uuid *ret, uint32_t *ret_epoch);
/* As text: RFC 7468. */
void delegate_cert_pem(struct buf *b, struct str der);

#endif
