/*
 * keep_cert.h: the two certificates there are: that of the authority for
 * delegates, and that of a delegate.  Made from a fixed template: nothing of
 * them is anybody's choice but a number, a key and a time, so who may ask for
 * one can get nothing else signed.
 */
#ifndef ROLE_KEEP_CERT_H
#define ROLE_KEEP_CERT_H

#include "base/buf.h"
#include "base/id.h"
#include "base/secret.h"

enum { CERT_KEY = 32, CERT_DER_MAX = 768 };

struct cert_ask {
	struct uuid delegate;
	uint32_t epoch;
	uint8_t key[CERT_KEY]; /* Ed25519 */
	int64_t not_before, not_after;
};

/* Self-signed, the same each time. */
err keep_cert_ca(const uint8_t seed[SECRET_SIZE], struct buf *ret) MUST_USE;
/* CN=redoubt delegates signs: client, SAN urn:redoubt:delegate:UUID:EPOCH. */
err keep_cert_delegate(const uint8_t seed[SECRET_SIZE],
    const struct cert_ask *q, struct buf *ret) MUST_USE;

/* Ed25519 with a seed. */
err keep_ed25519(const uint8_t seed[SECRET_SIZE], const void *p, size_t n,
    uint8_t ret[64]) MUST_USE;
err keep_ed25519_public(const uint8_t seed[SECRET_SIZE],
    uint8_t ret[CERT_KEY]) MUST_USE;

#endif
