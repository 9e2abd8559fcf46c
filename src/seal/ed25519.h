/*
 * ed25519.h: signatures of RFC 8032, on raw keys: a private key is its seed
 * of 32 bytes.
 */
#ifndef SEAL_ED25519_H
#define SEAL_ED25519_H

#include "base/err.h"
#include "base/str.h"

enum { ED25519_KEY = 32, ED25519_SIG = 64 };

err ed25519_public(const uint8_t seed[ED25519_KEY],
    uint8_t ret_pk[ED25519_KEY]) MUST_USE;
err ed25519_sign(const uint8_t seed[ED25519_KEY], struct str text,
    uint8_t ret_sig[ED25519_SIG]) MUST_USE;
/* False for anything that is not pk's signature of exactly this text. */
bool ed25519_verify(const uint8_t pk[ED25519_KEY], struct str text,
    struct str sig);

#endif
