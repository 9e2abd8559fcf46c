/*
 * rootseal.h: the root key file, sealed.  The text of root.h is encrypted
 * under an unlock key U, and U under a key of each of 1 to 8 unlockers, any
 * of which opens the file.  Format: doc/PROTOCOL.seal.
 *
 * What makes an unlocker's key (a passphrase, a token, a TPM, shares) is not
 * known here: see role/unlock.h.
 */
#ifndef SEAL_ROOTSEAL_H
#define SEAL_ROOTSEAL_H

#include "base/buf.h"
#include "seal/seal.h"

enum unlocker_kind {
#define UNLOCKER(id, name, words, person, meaning) UNLOCK_##id,
#include "seal/unlockers.def"
#undef UNLOCKER
	UNLOCK_KINDS
};

enum {
	UNLOCKERS_MAX = 8,
	UNLOCKER_WORDS = 5,
	UNLOCKER_NAME = 32,
	ROOT_SEALED_MAX = 32768,
	UNLOCK_ID = 8,
};

/* Views into an arena, or into what was parsed. */
struct unlocker {
	enum unlocker_kind kind;
	struct str name;
	struct str word[UNLOCKER_WORDS]; /* parameters, percent-encoded */
	struct str wrapped;		 /* U, base64 of a blob */
};

struct root_sealed {
	uint8_t id[UNLOCK_ID]; /* of U */
	struct unlocker unlocker[UNLOCKERS_MAX];
	size_t n;
	struct str blob; /* the text, base64 of a blob */
};

/* "passphrase"; how many parameters. */
const char *unlocker_kind_name(enum unlocker_kind k);
size_t unlocker_words(enum unlocker_kind k);
/* Nobody but a person can open it so. */
bool unlocker_asks(const struct unlocker *u);
/* 1 .. UNLOCKER_NAME of a-z 0-9 . _ - */
bool unlocker_name_valid(struct str name);
/* A parameter as it was given; false when it is not encoded as we do. */
bool unlocker_word(struct arena *a, const struct unlocker *u, size_t i,
    struct str *ret);
/* The parameter `s` as a word of the file. */
struct str unlocker_encode(struct arena *a, struct str s);

/* Is this a sealed root file (well-formed or not)? */
bool root_is_sealed(struct str file);
/* E_WRONG_KEY with a trail that says which line is no line. */
err root_sealed_parse(struct arena *a, struct str file, struct trail *t,
    struct root_sealed *ret) MUST_USE;
void root_sealed_write(const struct root_sealed *r, struct buf *b);

/* ---- U ---- */

/* A fresh one, and a file with no unlocker and no text yet. */
err root_sealed_make(struct root_sealed *ret, struct secret *ret_u) MUST_USE;
/* Encrypt the text of a root key file under U, in place of what was there. */
err root_sealed_close(struct arena *a, struct root_sealed *r,
    const struct secret *u, struct str text) MUST_USE;
/* Its text; ret has room for all of it at once and is wiped by the caller.
 * E_WRONG_KEY, E_CORRUPT. */
err root_sealed_open(struct arena *a, const struct root_sealed *r,
    const struct secret *u, struct buf *ret) MUST_USE;
/* Encrypt U for an unlocker whose other members are complete. */
err unlocker_close(struct arena *a, const struct root_sealed *r,
    struct unlocker *k, const struct secret *key,
    const struct secret *u) MUST_USE;
/* E_WRONG_KEY: not the unlocker's key, or its parameters were changed. */
err unlocker_open(struct arena *a, const struct root_sealed *r,
    const struct unlocker *k, const struct secret *key,
    struct secret *ret_u) MUST_USE;

#endif
