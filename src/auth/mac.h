/*
 * mac.h: HMAC and hashes with keys and lengths that are somebody else's, as
 * webhook senders have them (RFC 2104, RFC 4231; Ed25519: RFC 8032).  Keys of
 * our own are seal.h's.
 */
#ifndef AUTH_MAC_H
#define AUTH_MAC_H

#include "base/err.h"
#include "base/str.h"

enum mac_digest { MAC_SHA256, MAC_SHA384, MAC_SHA512, MAC_DIGESTS };
enum { MAC_MAX = 64 };

/* 32, 48 or 64. */
size_t mac_size(enum mac_digest d);
/* Over the pieces in order, as if they were one text.  An empty key is
 * E_CRYPTO: it would be anybody's. */
err mac_hmac(enum mac_digest d, struct str key, const struct str *piece,
    size_t n, uint8_t ret[MAC_MAX]) MUST_USE;
err mac_sha256(const struct str *piece, size_t n, uint8_t ret[32]) MUST_USE;
/* false for every fault. */
bool mac_ed25519(struct str public_key, struct str message, struct str sig);

#endif
