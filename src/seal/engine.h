/*
 * engine.h: the algorithms, on raw bytes: KC-XAES-256-GCM and HMAC-SHA256.
 *
 * XAES-256-GCM: https://c2sp.org/XAES-256-GCM.  The key commitment is that
 * of KC-XAES: Kampanakis, Halevi, Ebeid, Campagna: Blockcipher-Based Key
 * Commitment for Nonce-Derived Schemes, https://eprint.iacr.org/2025/758.
 *
 * Each thread has one engine: one block cipher, one GCM and one HMAC context
 * which are made once and only get new keys, so a message allocates nothing
 * and takes no lock.  An engine remembers whose key is expanded in it; that
 * one key (and the key of the last message) is what exists outside of
 * struct secret.
 */
#ifndef SEAL_ENGINE_H
#define SEAL_ENGINE_H

#include "seal/key.h"

enum { XAES_NONCE = 24, XAES_COMMIT = 32, XAES_TAG = 16, XAES_GCM_NONCE = 12 };

/* ret_ct gets plain.n bytes. */
err xaes_close(const struct data_key *k, const uint8_t nonce[XAES_NONCE],
    struct str aad, struct str plain, uint8_t ret_commit[XAES_COMMIT],
    uint8_t *ret_ct, uint8_t ret_tag[XAES_TAG]) MUST_USE;
/*
 * E_WRONG_KEY: the commitment is not that of k and nonce; nothing was
 * decrypted.  E_CORRUPT: the tag is wrong; ret_plain was wiped.
 */
err xaes_open(const struct data_key *k, const uint8_t nonce[XAES_NONCE],
    const uint8_t commit[XAES_COMMIT], struct str aad, struct str ct,
    const uint8_t tag[XAES_TAG], uint8_t *ret_plain) MUST_USE;
/* The commitment alone: E_OK or E_WRONG_KEY. */
err xaes_check(const struct data_key *k, const uint8_t nonce[XAES_NONCE],
    const uint8_t commit[XAES_COMMIT]) MUST_USE;

/* The AES-256-GCM inside, where public test vectors apply. */
struct gcm_key {
	uint8_t key[SECRET_SIZE];
	uint8_t nonce[XAES_GCM_NONCE];
};
err gcm_close(const struct gcm_key *k, struct str aad, struct str plain,
    uint8_t *ret_ct, uint8_t ret_tag[XAES_TAG]) MUST_USE;
err gcm_open(const struct gcm_key *k, struct str aad, struct str ct,
    const uint8_t tag[XAES_TAG], uint8_t *ret_plain) MUST_USE;

/* HMAC-SHA256 of a then b. */
err hmac_sha256(const struct data_key *k, struct str a, struct str b,
    uint8_t ret[32]) MUST_USE;

/* Wipe what this thread's engine holds of the key. */
void engine_forget(const struct data_key *k);

#endif
