/*
 * shred.h: what is due is destroyed: its keys, its rows, and a leaf of the
 * log says what and by which policy, all in one transaction, piece by piece,
 * with requests served between them.  Then the store's log is folded back, so
 * that no page of it has a destroyed key, and a last leaf says so.
 *
 * After a crash between two pieces the next run goes on; after one before the
 * fold it begins with that.  A legal hold is asked about inside of each
 * transaction.
 */
#ifndef FLOW_SHRED_H
#define FLOW_SHRED_H

#include "access/retention.h"
#include "flow/rotate.h"

struct shredded {
	uint64_t units[RETENTION_CLASSES];
	uint64_t keys, leaves;
	bool clean; /* no destroyed key is left in the store's log */
};

/* Not on the writer's thread; rotate.h has what the caller lends. */
err shred_run(const struct rotation *by, int64_t now, struct trail *t,
    struct shredded *ret) MUST_USE;

/* What a run would destroy now, of one class in one place. */
enum { SHRED_IDS = 10 };
struct shred_item {
	uint32_t project;
	enum retention_class class;
	int64_t days;
	uint64_t units;
	struct uuid id[SHRED_IDS]; /* the first ones, where they have any */
	size_t ids;
};
/* On any lane that reads; those of no units are not named. */
err shred_preview(struct lane *l, int64_t now, struct arena *a,
    struct shred_item **ret, size_t *ret_n) MUST_USE;

/* ---- inside: shred.c, shred_terms.c, shred_note.c ---- */

struct pieces;

/* One place and class. */
struct shred_target {
	uint32_t project;
	enum retention_class class;
	int64_t days;
	const char *by;
};

/* What one leaf says, as it is found out. */
struct shred_note {
	const struct shred_target *of;
	int64_t now;
	uint64_t units, rows;
	struct buf ids, keys; /* parts of the report's text */
	size_t keys_n;
};
err shred_note_begin(struct shred_note *n, const struct shred_target *of,
    int64_t now, struct arena *a) MUST_USE;
void shred_note_id(struct shred_note *n, const struct uuid *id);
/* What stands for one that was private: ledger_blind(). */
void shred_note_text(struct shred_note *n, struct str id);
/* Destroy keys, and note them. */
err shred_keys(struct lane *l, struct shred_note *n, const uint32_t *id,
    size_t keys, struct arena *a) MUST_USE;
/* The leaf and the report's row; nothing when nothing went. */
err shred_note_end(struct lane *l, struct shred_note *n, struct arena *a,
    struct shredded *io) MUST_USE;

/* Classes of keys whose terms are over. */
err shred_terms(struct pieces *p, struct lane *reader,
    const struct shred_target *t, int64_t now, struct shredded *io) MUST_USE;
err shred_terms_count(struct lane *l, const struct shred_target *t, int64_t now,
    struct shred_item *io) MUST_USE;
bool shred_class_of(enum retention_class k, enum seal_class *ret);

#endif
