/*
 * hpke.h: sealing to a public key: HPKE (RFC 9180), base mode, one message
 * to a key: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM.
 *
 * Anybody can seal to a public key; HPKE hides the text and binds info and
 * aad, it does not say who sealed.  Whoever needs to know that signs inside.
 * A sealed text is enc[32] || ciphertext || tag[16].
 *
 * Refused: public keys of small order (RFC 9180 7.1.4), with which anybody
 * could open.
 */
#ifndef SEAL_HPKE_H
#define SEAL_HPKE_H

#include "base/buf.h"
#include "base/secret.h"

enum {
	HPKE_KEY = 32, /* bytes of a key, public or private */
	HPKE_ENC = 32,
	HPKE_TAG = 16,
	HPKE_OVERHEAD = HPKE_ENC + HPKE_TAG,
	HPKE_MAX = 16 * 1024 * 1024, /* bytes of a text, of info and of aad */
};

/* A fresh pair. */
err hpke_key_new(struct secret **ret_sk, uint8_t ret_pk[HPKE_KEY]) MUST_USE;
/* The public key of sk. */
err hpke_key_public(const uint8_t sk[HPKE_KEY],
    uint8_t ret_pk[HPKE_KEY]) MUST_USE;

/* Appends plain.n + HPKE_OVERHEAD bytes to b.  E_INVALID: pk is no key to
 * seal to; E_TOO_LARGE. */
err hpke_seal(const uint8_t pk[HPKE_KEY], struct str info, struct str aad,
    struct str plain, struct buf *b) MUST_USE;
/*
 * ret gets sealed.n - HPKE_OVERHEAD bytes.  E_CORRUPT: not sealed to this
 * key with this info and aad, whatever the reason; nothing is left in ret.
 */
err hpke_open(const uint8_t sk[HPKE_KEY], struct str info, struct str aad,
    struct str sealed, uint8_t *ret) MUST_USE;

/*
 * The same with the ephemeral key given and the cipher chosen, for the
 * vectors of RFC 9180.  An ephemeral key is used once.
 */
enum hpke_aead { HPKE_AES_128_GCM = 1, HPKE_AES_256_GCM = 2 };
err hpke_seal_with(enum hpke_aead aead, const uint8_t ephemeral[HPKE_KEY],
    const uint8_t pk[HPKE_KEY], struct str info, struct str aad,
    struct str plain, struct buf *b) MUST_USE;
err hpke_open_with(enum hpke_aead aead, const uint8_t sk[HPKE_KEY],
    struct str info, struct str aad, struct str sealed, uint8_t *ret) MUST_USE;

#endif
