/*
 * manifest.h: the last line of an export: what it is, who asked for it, and
 * the keeper's signature over that.  doc/PROTOCOL.audit 5.4.
 *
 * Who exports and who verifies digest the same marks of an entry: its line,
 * or, of NDJSON, where a line has one form only, its leaf hash and whether
 * it is shown.  They go into the digests of at most 256 blocks, which name
 * the place when somebody changed a file and everything that could tell.
 */
#ifndef AUDIT_MANIFEST_H
#define AUDIT_MANIFEST_H

#include "audit/lines.h"
#include "audit/note.h"
#include "base/json.h"

enum {
	MANIFEST_BLOCKS = 256,
	MANIFEST_MAX = 64 * 1024, /* bytes of its JSON */
	MANIFEST_REASON = 500,	  /* bytes of what people wrote in it */
	MANIFEST_STATEMENT = 32 + HASH_SIZE,
	MANIFEST_SIG = 64,
};

struct manifest {
	enum export_format format;
	uint64_t first, last; /* entries covered; last = first - 1: none */
	uint64_t entries;     /* shown */
	uint64_t bytes;	      /* before the manifest's line */
	int64_t time;	      /* of the export */
	struct str request_id;
	struct str requester_kind, requester_id, credential; /* may be empty */
	struct str reason;				     /* may be empty */
	struct str filter;   /* JSON object, ASCII; "{}" */
	struct hash sha256;  /* of those bytes */
	struct hash trailer; /* of the trailer's line; only of NDJSON */
	struct hash block[MANIFEST_BLOCKS];
	size_t blocks;
	/* What ties it to the log, when it has no trailer. */
	struct str note, key; /* checkpoint, verifier key */
	uint64_t size;	      /* of the checkpoint */
	/* Covers of what is before and behind, when nothing is hidden. */
	const struct hash *left, *right;
	size_t left_n, right_n;
};

/* Entries of a block: a power of two, at least 256. */
uint64_t manifest_width(uint64_t first, uint64_t last);

/* The digests while an export is made or read. */
struct marks;
err marks_new(uint64_t first, uint64_t last, struct marks **ret) MUST_USE;
struct marks *marks_free(struct marks *m);
/* Entries come in order; an entry nobody marks is left out. */
void marks_add(struct marks *m, uint64_t seq, struct str bytes);
void marks_entry(struct marks *m, uint64_t seq, const struct hash *leaf,
    bool shown);
void marks_end(struct marks *m, struct hash ret[MANIFEST_BLOCKS],
    size_t *ret_n);

/* {"blocks":...}: what is signed. */
err manifest_write(const struct manifest *m, struct buf *b) MUST_USE;
/* What the keeper signs: a label, and the digest of that text. */
void manifest_statement(const struct hash *digest,
    uint8_t ret[MANIFEST_STATEMENT]);
/* {"manifest":...,"signature":"..."} */
void manifest_close(struct str text, const uint8_t sig[MANIFEST_SIG],
    struct buf *b);
/*
 * E_CORRUPT: not of this form; E_BAD_ANSWER: the signature is not key's (key
 * NULL: not that of the key it names).  Everything lives in a or in json.
 */
err manifest_open(struct arena *a, struct str json, const struct note_key *key,
    struct manifest *ret) MUST_USE;

#endif
