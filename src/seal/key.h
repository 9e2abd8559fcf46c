/*
 * key.h: what the files of seal share: keys, and blobs written to memory the
 * caller owns.  Nobody outside this folder includes it, tests excepted.
 */
#ifndef SEAL_KEY_H
#define SEAL_KEY_H

#include "seal/keyring.h"
#include "seal/meter.h"

/*
 * A key is its secret and nothing else: no cipher state, so it never changes
 * once made, and only the key that a thread used last is expanded outside
 * secret memory (engine.h).
 */
struct data_key {
	struct secret *secret;
	uint64_t serial; /* key_serial(), or 0: never leave it expanded */
	uint32_t id;
	uint8_t class; /* enum seal_class, or KEY_CLASS_WRAP */
	bool metered;  /* seals only what `meter` lets it */
	struct meter *meter;
};

/* Root and project keys: they seal other keys and are no data keys. */
enum { KEY_CLASS_WRAP = 0 };

/* Unique in this process; how engines recognise a key without comparing. */
uint64_t key_serial(void);

enum blob_form {
	BLOB_WHOLE = 0,
	BLOB_CHUNK = 1, /* more follow */
	BLOB_LAST_CHUNK = 2,
};

/* All that the associated data says besides the blob's own header. */
struct blob_where {
	const struct seal_where *row;
	enum blob_form form;
	uint32_t number; /* of the chunk */
};

enum { BLOB_MAX = 1 << 30 }; /* bytes of plaintext; libcrypto counts in int */

/* Writes plain.n + SEAL_OVERHEAD bytes. */
err blob_close(const struct data_key *k, const struct blob_where *w,
    struct str plain, uint8_t *ret) MUST_USE;
/* Writes s.bytes.n - SEAL_OVERHEAD bytes; nothing of the plaintext stays
 * there when the answer is an error. */
err blob_open(const struct data_key *k, const struct blob_where *w,
    struct stored s, uint8_t *ret) MUST_USE;
/* Is this blob under k?  Looks at the key id and the commitment only. */
err blob_is_under(const struct data_key *k, struct stored s) MUST_USE;

/* A blob that holds exactly one key. */
enum { BLOB_KEY = SECRET_SIZE + SEAL_OVERHEAD };
err blob_close_key(const struct data_key *k, const struct seal_where *row,
    const uint8_t key[SECRET_SIZE], struct arena *a,
    struct sealed *ret) MUST_USE;
err blob_open_key(const struct data_key *k, const struct seal_where *row,
    struct stored s, uint8_t ret_key[SECRET_SIZE]) MUST_USE;

/* The bytes of one version of one project's key; NULL when not known. */
struct secret *project_keys_find(const struct project_keys *pk,
    uint32_t project, uint32_t version);

#endif
