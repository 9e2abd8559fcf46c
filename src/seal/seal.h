/*
 * seal.h: encryption before storage.  The only maker of `struct sealed`,
 * and store.h accepts nothing else, so plaintext cannot reach the disk.
 *
 * Format and key hierarchy: doc/PROTOCOL.seal.  KC-XAES-256-GCM, that is
 * XAES-256-GCM (C2SP) with a key commitment (ePrint 2025/758); associated
 * data names the row, so a ciphertext moved to another row, column, project
 * or schema version does not open.
 *
 * Keys: root key (keeper only) > project keys > data keys, all random, all
 * wrapped, none derived: deleting a wrapped key destroys what it sealed.
 */
#ifndef SEAL_SEAL_H
#define SEAL_SEAL_H

#include "base/arena.h"
#include "base/id.h"
#include "base/secret.h"

/* Bytes that are safe to store.  Only seal.c sets `bytes`. */
struct sealed {
	struct str bytes;
};

/* Bytes that came back from the store; nothing is known about them. */
struct stored {
	struct str bytes;
};

/* What a data key is for.  Numbers are part of the format. */
enum seal_class {
	SEAL_CLASS_OBJECT = 1,	 /* projects, users, roles, tokens, ... */
	SEAL_CLASS_ALERT = 2,	 /* alerts and runs of one project */
	SEAL_CLASS_PAYLOAD = 3,	 /* raw deliveries of one project */
	SEAL_CLASS_INCIDENT = 4, /* one key per incident: its subject */
	SEAL_CLASS_PERSON = 5,	 /* one key per user: its subject */
	SEAL_CLASS_AUDIT = 6,	 /* bodies beside audit leaves */
	SEAL_CLASS_REPLY = 7,	 /* answers kept for idempotency */
	SEAL_CLASS_INDEX = 8,	 /* HMAC key of blind indexes */
	SEAL_CLASS_TOKEN = 9,	 /* HMAC key of token verifiers */
	SEAL_CLASS_CURSOR = 10,	 /* HMAC key of list cursors */
	SEAL_CLASS_BACKUP = 11,	 /* one key per backup: its subject */
	SEAL_CLASS_SECRET = 20,	 /* one key per version of a secret */
};

/* Where a sealed blob lives; becomes the associated data.  Numbers are part
 * of the format: only append. */
enum seal_table {
	SEAL_TABLE_OBJECT = 1,
	SEAL_TABLE_INCIDENT = 2,
	SEAL_TABLE_TIMELINE = 3,
	SEAL_TABLE_ALERT = 4,
	SEAL_TABLE_DELIVERY = 5,
	SEAL_TABLE_AUDIT = 6,
	SEAL_TABLE_REPLY = 7,
	SEAL_TABLE_DATA_KEY = 8,
	SEAL_TABLE_PROJECT_KEY = 9,
	SEAL_TABLE_AUDIT_SEED = 10, /* a file of the keeper, no table */
	SEAL_TABLE_LOGIN = 11,	    /* a cookie of a browser, no table */
	SEAL_TABLE_RUNBOOK = 12,
	SEAL_TABLE_RUN = 13,
	SEAL_TABLE_HAPPENING = 14,
	SEAL_TABLE_TASK = 16,
	SEAL_TABLE_RUN_LOG = 17,
	SEAL_TABLE_SECRET = 20,	   /* versions of secrets */
	SEAL_TABLE_ROOT_FILE = 21, /* a sealed root key file, no table */
	SEAL_TABLE_BACKUP = 22,	   /* PROTOCOL.backup: a file, no table */
	SEAL_TABLE_BACKUP_KEYS = 23,
	SEAL_TABLE_DESTRUCTION = 24, /* what was destroyed, and by what */
};

/* A row's identity.  pk is at most 32 bytes: an id, an id and a number. */
struct seal_where {
	enum seal_table table;
	uint8_t column;	  /* 0 unless a table has two sealed columns */
	uint16_t schema;  /* row schema version, 1 today */
	uint32_t project; /* store's project number; 0 = organization */
	uint8_t pk[32];
	uint8_t pk_n;
};

/* Build the pk from an id, or from a number, or both: each call appends to
 * pk (16 bytes, or 8 big-endian). Overrunning it is a bug. */
void seal_where_id(struct seal_where *w, const struct uuid *u);
void seal_where_num(struct seal_where *w, uint64_t v);

/* ---- keys ---- */

/*
 * A data key ready for use: its number (stored in every blob) and its bytes
 * in secret memory.  Made by keyring.c; never changes, and holds no cipher
 * state (that is per thread, see engine.h).
 */
struct data_key;
uint32_t data_key_id(const struct data_key *k);

/* ---- the two verbs ---- */

/*
 * Seal `plain` under k for the row `w`.  The result is in the arena and
 * SEAL_OVERHEAD bytes longer than plain.  E_TOO_LARGE over 1 GiB; E_CRYPTO
 * for a key of a MAC class (INDEX, TOKEN, CURSOR), which seals nothing;
 * E_KEY_USED_UP for a class key that has had its share (meter.h).
 */
enum { SEAL_OVERHEAD = 80 };
err seal_close(const struct data_key *k, const struct seal_where *w,
    struct str plain, struct arena *a, struct sealed *ret) MUST_USE;

/* Which key a stored blob names; E_CORRUPT when it is no blob of ours. */
err seal_key_id(struct stored s, uint32_t *ret) MUST_USE;

/*
 * Open; the plaintext is in the arena.  E_WRONG_KEY when the blob names
 * another key or its commitment is not that of k and the nonce (checked
 * before decryption), E_CORRUPT for every other fault.
 */
err seal_open(const struct data_key *k, const struct seal_where *w,
    struct stored s, struct arena *a, struct str *ret) MUST_USE;

/* HMAC-SHA256 under a MAC-class key (INDEX, TOKEN, CURSOR; E_CRYPTO for any
 * other), domain-separated by `label` (at most 255 bytes); ret gets n <= 32
 * bytes.  For blind indexes, token verifiers and cursors.  Compare results
 * that stand for a secret with ct_eq. */
err seal_mac(const struct data_key *k, const char *label, struct str data,
    uint8_t *ret, size_t n) MUST_USE;

/*
 * Large bodies: chunks of 64 KiB, each its own blob, bound to its number and
 * with a final flag, so none can be dropped, reordered or added.  Every chunk
 * but the last is full; the last is empty only when it is number 0 (else
 * E_INVALID when sealing, E_CORRUPT when opening).  The reader must take the
 * numbers 0, 1, ... in order, and pass `last` for the last one it has.
 */
enum { SEAL_CHUNK = 65536 };
err seal_close_chunk(const struct data_key *k, const struct seal_where *w,
    uint32_t number, bool last, struct str plain, struct arena *a,
    struct sealed *ret) MUST_USE;
err seal_open_chunk(const struct data_key *k, const struct seal_where *w,
    uint32_t number, bool last, struct stored s, struct arena *a,
    struct str *ret) MUST_USE;

#endif
