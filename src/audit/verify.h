/*
 * verify.h: offline verification, of a store's own log and of an export.
 * Streams; holds O(log n) memory.  Knows no SQL: leaves arrive through a
 * callback or from a file already mapped.
 */
#ifndef AUDIT_VERIFY_H
#define AUDIT_VERIFY_H

#include "audit/leaf.h"
#include "audit/note.h"

struct audit_verdict {
	uint64_t entries;     /* leaves read */
	uint64_t first, last; /* seq range covered */
	uint64_t signed_size; /* of the newest checkpoint that verified */
	uint64_t bad_seq;     /* first bad entry; 0 when none */
	char what[160];	      /* the finding, one sentence; empty when good */
};

/* Feeding interface: seqs must arrive as 1, 2, 3, ...; each leaf's own seq
 * must match, times may not go back. */
struct audit_check;
err audit_check_new(struct audit_check **ret) MUST_USE;
struct audit_check *audit_check_free(struct audit_check *c);
/* E_BAD_ANSWER with the verdict filled in at the first bad entry. */
err audit_check_leaf(struct audit_check *c, struct str leaf,
    struct audit_verdict *v) MUST_USE;
/* Compare with a full tile the store kept. Call for each, in index order,
 * after the leaves it covers were fed. */
err audit_check_tile(struct audit_check *c, const struct audit_tile *t,
    struct audit_verdict *v) MUST_USE;
/* A signed checkpoint whose size is not larger than what was fed so far;
 * call when size == entries fed. */
err audit_check_note(struct audit_check *c, struct str note,
    const struct note_key *k, struct audit_verdict *v) MUST_USE;
uint64_t audit_check_size(const struct audit_check *c);

/*
 * An export: NDJSON, each line a leaf or (filtered exports) a stub
 * {"h":"<base64 leaf hash>","seq":n}; last line the trailer with the signed
 * checkpoint.  doc/PROTOCOL.audit 5.  key NULL: the key in the trailer is
 * used and the verdict says that its identity was not checked.
 */
err audit_verify_export(struct str file, const struct note_key *key,
    struct audit_verdict *v) MUST_USE;

/*
 * The trailer line of an export covering seqs [first, last] of a log whose
 * signed checkpoint (note) has size >= last: the proofs that tie the range
 * to that checkpoint are computed from t.
 */
err audit_export_trailer(const struct audit_tree *t, uint64_t first,
    uint64_t last, struct str note, uint64_t note_size,
    const struct note_key *key, tile_load load, void *ctx, struct arena *a,
    struct buf *b) MUST_USE;
/* A stub line for an entry the filter left out, newline included. */
void audit_export_stub(struct buf *b, uint64_t seq, const struct hash *h);

#endif
