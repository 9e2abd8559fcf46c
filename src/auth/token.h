/*
 * token.h: API tokens: rd<kind>_ and 48 base62 characters: 10 of key id, 32
 * of secret, 6 of CRC-32 over everything before.  Stored only as
 * HMAC-SHA256 of the secret under a key of its own; shown once.
 */
#ifndef AUTH_TOKEN_H
#define AUTH_TOKEN_H

#include "access/world.h"
#include "base/cidr.h"
#include "seal/seal.h"

/* Parse and check the checksum; views into s. false: no token at all. */
bool token_parse(struct str s, char *ret_kind, struct str *ret_key_id,
    struct str *ret_secret);
/* Make a new one from the thread's random source; writes 52 bytes and NUL
 * and the key id. */
void token_make(char kind, char ret[TOKEN_TEXT + 1],
    char ret_key_id[TOKEN_KEY_ID + 1]);
err token_verifier(const struct data_key *mac, struct str token,
    uint8_t ret[32]) MUST_USE;
/* Does text s contain something that looks like a token of ours? Finds the
 * first one. For refusing tokens in addresses. */
bool token_find(struct str s, struct str *ret);

#endif
