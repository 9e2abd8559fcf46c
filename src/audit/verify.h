/*
 * verify.h: offline verification, of a store's own log and of an export.
 * Streams; holds O(log n) memory.  Knows no SQL: leaves arrive through a
 * callback or from a file already mapped.
 */
#ifndef AUDIT_VERIFY_H
#define AUDIT_VERIFY_H

#include "audit/leaf.h"
#include "audit/lines.h"
#include "audit/note.h"

struct audit_verdict {
	uint64_t entries;     /* leaves read */
	uint64_t hidden;      /* entries of which only the hash was there */
	uint64_t first, last; /* seq range covered */
	uint64_t signed_size; /* of the newest checkpoint that verified */
	uint64_t forks;	      /* epochs that ended among them: epoch.h */
	uint64_t lost;	      /* entries that were signed in those, and are
			       * not here */
	uint64_t bad_seq;     /* first bad entry; 0 when none */
	/* Of exports. */
	enum export_format format;
	bool manifest;	/* there is one, and it is signed */
	char by[120];	/* who asked for it, when; or empty */
	char what[160]; /* the finding, one sentence; empty when good */
};

/*
 * Feeding interface: seqs must arrive as 1, 2, 3, ...; each leaf's own seq
 * must match, times may not go back.  Feed a tile of leaves; compare the
 * tiles they filled (level 0 first: it names the entry), then the checkpoints
 * whose size lies in that tile; at the end of the log the checkpoints of the
 * last, unfinished tile, then audit_check_end.  The first finding stays:
 * every later call answers it again.
 */
struct audit_check;
err audit_check_new(struct audit_check **ret) MUST_USE;
struct audit_check *audit_check_free(struct audit_check *c);
/* E_BAD_ANSWER with the verdict filled in at the first bad entry. */
err audit_check_leaf(struct audit_check *c, struct str leaf,
    struct audit_verdict *v) MUST_USE;
/*
 * Compare with a full tile the store kept: level, index and hashes.  Call it
 * when the last leaf it covers was the last one fed, that is at
 * audit_check_size == (index + 1) << 8 (level + 1); E_INVALID otherwise.  A
 * tile of level 0 names the entry.
 */
err audit_check_tile(struct audit_check *c, const struct audit_tile *t,
    struct audit_verdict *v) MUST_USE;
/*
 * A signed checkpoint, kept under that size, which must be its own.  It lies
 * in the tile of the last leaf fed; E_INVALID for a smaller one.  A greater
 * size is the finding that the tail is missing, so feed what the keeper
 * signed last at the end, too.
 */
err audit_check_note(struct audit_check *c, uint64_t kept, struct str note,
    const struct note_key *k, struct audit_verdict *v) MUST_USE;
/*
 * What the log was called at first, before the first leaf; without it a log
 * of several epochs is a finding.  What it is called at the last leaf.
 */
void audit_check_origin(struct audit_check *c, struct str origin);
struct str audit_check_epoch(const struct audit_check *c);
/* The leaf that was just fed is a fork: what was signed last before it is
 * what was fed, as far as it is here.  load reads stored tiles. */
err audit_check_past(struct audit_check *c, struct str leaf, tile_load load,
    void *ctx, struct audit_verdict *v) MUST_USE;
/* After the last entry: is any of this signed?  Entries behind signed_size
 * are not yet, which is no finding. */
err audit_check_end(struct audit_check *c, struct audit_verdict *v) MUST_USE;
uint64_t audit_check_size(const struct audit_check *c);

/*
 * An export, in any format: doc/PROTOCOL.audit 5.  NDJSON is evidence by
 * itself: leaves or (filtered exports) stubs, the hashes that were stored,
 * the trailer with the proofs.  Of other formats each line is read back to
 * its leaf, and the manifest, which the keeper signed, has the rest.  key
 * NULL: the key in the export is used and the verdict says that its identity
 * was not checked.
 */
err audit_verify_export(struct str file, const struct note_key *key,
    struct audit_verdict *v) MUST_USE;

/*
 * The trailer line of an export covering seqs [first, last] of a log whose
 * signed checkpoint (note) has size >= last: the proofs that tie the range
 * to that checkpoint are computed from t.  Nothing covered: last is
 * first - 1.  version 2: a manifest follows.
 */
err audit_export_trailer(unsigned version, const struct audit_tree *t,
    uint64_t first, uint64_t last, struct str note, uint64_t note_size,
    const struct note_key *key, tile_load load, void *ctx, struct arena *a,
    struct buf *b) MUST_USE;
/* A stub line for an entry the filter left out, newline included. */
void audit_export_stub(struct buf *b, uint64_t seq, const struct hash *h);
/* Must a line of hashes follow the line of entry seq? */
static inline bool
audit_export_hashes_due(uint64_t seq, uint64_t last)
{
	return seq % TILE_WIDTH == 0 || seq == last;
}
/*
 * That line: the hashes stored for the entries since `first` or since the
 * tile of `seq` began.  They are read from the tiles and not made from the
 * leaves, so they name an entry that was edited in the store.
 */
err audit_export_hashes(const struct audit_tree *t, uint64_t first,
    uint64_t seq, tile_load load, void *ctx, struct buf *b) MUST_USE;

/* The roots of the fewest complete subtrees that make up leaves [from, to). */
err audit_export_cover(const struct audit_tree *t, uint64_t from, uint64_t to,
    tile_load load, void *ctx, struct arena *a, struct hash_list *ret) MUST_USE;
/* The leaf hashes stored for a tile, full or not. */
err audit_export_tile(const struct audit_tree *t, uint64_t tile, tile_load load,
    void *ctx, struct audit_tile *ret) MUST_USE;

#endif
