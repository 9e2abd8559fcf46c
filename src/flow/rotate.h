/*
 * rotate.h: new keys for a store that is in use, or that lies still.
 *
 * The work is done in pieces: each is a transaction of its own on the
 * writer's thread, with requests served between them.  Whatever a crash or a
 * stop leaves behind opens with the root key file there is, and doing the
 * same again finishes it.
 *
 * What rotates: all project keys, and the data keys of the classes OBJECT,
 * ALERT, PAYLOAD, AUDIT, REPLY and CURSOR.  What does not: INDEX and TOKEN,
 * whose MACs are in rows and tokens that would all have to be made anew from
 * what nobody has any more; and keys of subjects (incidents, versions of
 * secrets).  These are only wrapped anew, until rotate_reencrypt gives each
 * subject a key that follows.
 */
#ifndef FLOW_ROTATE_H
#define FLOW_ROTATE_H

#include "base/json.h"
#include "flow/state.h"
#include "ipc/keeper.h"

enum { ROOT_TEXT = 16 };

/* What the caller lends; one rotation at a time. */
struct rotation {
	struct state *st; /* its writer runs */
	/* Have the keeper read the root key file anew. */
	err (*reload)(void *ctx, struct trail *t);
	/* Called between pieces where nobody else folds the store's log; may
	 * be NULL. */
	void (*tend)(void *ctx);
	void *ctx;
	const atomic_bool *stop; /* end soon; may be NULL */
	const char *by;		 /* "uid 0": for the audit log */
};

struct rotated {
	uint64_t project_keys; /* wrapped anew under the root key */
	uint64_t projects;     /* got a new version of their key */
	uint64_t data_keys;    /* wrapped anew under it */
	uint64_t class_keys;   /* new: seal from now on */
	uint64_t deleted;      /* versions no data key is wrapped under */
	uint64_t damaged;      /* data keys that do not open; left alone */
};

/*
 * root: the id, ROOT_TEXT long, of the primary root key the file has now.
 * E_CONFLICT when the keeper, after it has read the file, has another one.
 * When it is OK no key is wrapped under any other root key.  E_UNAVAILABLE:
 * stopped between two pieces.
 */
err rotate_keys(const struct rotation *r, const char *root, struct trail *t,
    struct rotated *ret) MUST_USE;
/* The file has only that key now: reload it and put that on record. */
err rotate_dropped(const struct rotation *r, const char *root,
    struct trail *t) MUST_USE;

struct rewrapped {
	uint64_t rows;	  /* sealed anew */
	uint64_t damaged; /* rows that do not open; they keep their key */
	uint64_t deleted; /* data keys no row names any more */
	uint64_t kept;	  /* old data keys that rows still name */
	bool clean;	  /* no deleted key is left in the store's log */
};

/* Seal anew what old keys sealed, and delete those keys. */
err rotate_rewrap(const struct rotation *r, struct trail *t,
    struct rewrapped *ret) MUST_USE;

/*
 * New keys for everything that is sealed: class keys get a new term, subjects
 * a key that follows theirs, all rows are sealed anew, all older keys are
 * deleted.  Cut short, it goes on where it was.
 */
err rotate_reencrypt(const struct rotation *r, struct trail *t,
    struct rewrapped *ret) MUST_USE;
/* One that has begun and not ended; below 0: none. */
struct reencryption {
	uint32_t below;	      /* keys with a smaller number are old */
	int64_t started;      /* ms */
	uint64_t done, total; /* rows */
	size_t table;	      /* where it is; for itself */
	char cursor[64];
	size_t cursor_n;
};
err reencrypt_at(struct store_conn *c, struct reencryption *ret) MUST_USE;

/*
 * What keys there are, as members of the open object: root, projects,
 * data_keys, waiting.  Counting ends after two seconds and says so.  l: a lane
 * of the caller's own.
 */
/* Parts of it: the root keys, what is being encrypted anew (null: nothing),
 * as members; and how many keys of each class there are. */
enum { KEY_COUNTS = 32 };
struct key_counts {
	uint64_t keys[KEY_COUNTS], old[KEY_COUNTS]; /* by class */
	bool exact;
};
void rotate_roots(const struct keeper_last *last, struct jw *w);
err rotate_work(struct lane *l, struct jw *w) MUST_USE;
err rotate_count(struct lane *l, struct key_counts *ret) MUST_USE;
err rotate_status(struct lane *l, const struct keeper_last *last,
    struct jw *w) MUST_USE;

/* May the keys of this class be replaced? And is what they sealed sealed
 * anew, so that old ones end? */
bool rotate_class(enum seal_class class);
/* "alert", ...; "unknown" for a number that is none. */
const char *rotate_class_name(unsigned class);

#endif
