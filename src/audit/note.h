/*
 * note.h: checkpoints (C2SP tlog-checkpoint) as signed notes (C2SP
 * signed-note, Ed25519, signature type 0x01), their verifier keys
 * ("name+hash+base64"), and the keeper's rule for signing.
 */
#ifndef AUDIT_NOTE_H
#define AUDIT_NOTE_H

#include "audit/tree.h"
#include "base/buf.h"
#include "base/secret.h"

enum { NOTE_NAME_MAX = 120, NOTE_MAX = 65536, NOTE_SIGNATURES = 16 };

/* A public key with its name: of a log, or of a witness. */
struct note_key {
	char name[NOTE_NAME_MAX + 1];
	uint8_t type; /* 0x01, or 0x04: signs cosignatures only */
	uint32_t hash;
	uint8_t pub[32];
};

/* Derive from the Ed25519 seed. name: no spaces, no '+', not empty, at most
 * NOTE_NAME_MAX bytes of UTF-8; E_INVALID otherwise, as for a bad vkey. */
err note_key_of(struct str name, const uint8_t seed[SECRET_SIZE],
    struct note_key *ret) MUST_USE;
err note_key_parse(struct str vkey, struct note_key *ret) MUST_USE;
/* That public key under a name. */
err note_key_named(struct str name, const uint8_t pub[32],
    struct note_key *ret) MUST_USE;
/* The same of a witness. */
err note_witness_of(struct str name, const uint8_t pub[32],
    struct note_key *ret) MUST_USE;
err note_witness_parse(struct str vkey, struct note_key *ret) MUST_USE;
void note_key_text(const struct note_key *k, struct buf *b);

/*
 * A signed note of any text: `text` ends in a newline.  E_INVALID for text
 * no note may hold, E_WRONG_KEY when the seed is not k's.
 */
err note_sign(struct str text, const struct note_key *k,
    const uint8_t seed[SECRET_SIZE], struct buf *b) MUST_USE;
/* The same refusals as checkpoint_open; the text is a view into the note. */
err note_open(struct str note, const struct note_key *k,
    struct str *ret_text) MUST_USE;

/*
 * C2SP tlog-cosignature (Ed25519, type 0x04): note with one more line, by
 * which a witness says that it saw it at that time and that it extends what
 * it saw before.  E_CORRUPT: no note; E_LIMIT: it has all the lines it may.
 */
err note_cosign(struct str note, struct str name,
    const uint8_t seed[SECRET_SIZE], uint64_t seconds, struct buf *b) MUST_USE;
/*
 * The witness's cosignature of the note.  A wrong one spoils it even beside a
 * right one.  *ret_line is its line, a view into the note, newline included.
 */
bool note_cosigned(struct str note, const struct note_key *witness,
    uint64_t *ret_seconds, struct str *ret_line);

/* A signature of k on bytes that are no note (manifest.h). */
bool note_key_verify(const struct note_key *k, struct str bytes,
    struct str sig);

struct checkpoint {
	char origin[NOTE_NAME_MAX + 1];
	uint64_t size;
	struct hash root;
};

/*
 * The note with one signature.  b gets text, blank line, signature line.  The
 * origin is the name of the key: E_INVALID otherwise.
 */
err checkpoint_sign(const struct checkpoint *c, const struct note_key *k,
    const uint8_t seed[SECRET_SIZE], struct buf *b) MUST_USE;

/*
 * Parse strictly and verify k's signature; unknown signatures are allowed
 * and ignored.  E_CORRUPT when malformed (an extension line counts as that),
 * E_BAD_ANSWER when k's signature is missing or wrong or the origin is not
 * k's name.
 */
err checkpoint_open(struct str note, const struct note_key *k,
    struct checkpoint *ret) MUST_USE;

/*
 * The keeper's rule.  `last` is what it signed last (size 0 at first);
 * `next` is wanted; `proof` shows next extends last.  OK means: may be
 * signed.  E_BAD_ANSWER means: history was rewritten or rolled back.
 */
err checkpoint_may_follow(const struct checkpoint *last,
    const struct checkpoint *next, const struct hash *proof, size_t n) MUST_USE;

#endif
