/*
 * keep.h: what the keeper holds and does, apart from being a process.
 *
 * It never signs a checkpoint that does not extend the last one it signed,
 * and it knows that one from its own file, which says so before the
 * signature leaves: a store that was restored or rewritten cannot get a
 * second signature for the same place.  The state is under a MAC of the
 * signing seed, so nobody without the root key can make one up; an older
 * copy of the whole file can be put back by whoever owns the disk, and the
 * signed notes that are already out then show the fork.
 */
#ifndef ROLE_KEEP_H
#define ROLE_KEEP_H

#include "audit/note.h"
#include "ipc/ipc.h"
#include "seal/root.h"

/* Tokens of a bucket: refilled each second, never above the burst. */
struct bucket {
	double left;
	int64_t at_us;
};

struct keep {
	struct root_keys *roots;
	struct secret
	    *unlock; /* of a sealed root key file; NULL: it is plain */
	struct secret *seed;
	struct note_key key;
	struct checkpoint last;
	struct checkpoint before; /* in the other slot; size 0: none */
	int audit_fd, state_fd;
	uint64_t audit_counter, state_counter;
	bool torn; /* one slot was not whole at start */
	struct secret *task_seed, *ca_seed; /* derived: keep_tasks.c */
	struct bucket keys, signs, exports, tasks, certs;
};

/* keys/audit.key and keys/keeper.state of a new store, in open empty files. */
err keep_make(const struct root_keys *roots, struct str origin, int audit_fd,
    int state_fd, struct trail *t) MUST_USE;

/* Reads all three; the descriptors of audit key and state are kept. */
err keep_open(struct keep *k, int root_fd, int audit_fd, int state_fd,
    struct trail *t) MUST_USE;
/* The same where root_fd may be a sealed file: its unlock key is what the
 * pipe unlock_fd (-1: none) has to say. */
err keep_open_sealed(struct keep *k, int root_fd, int unlock_fd, int audit_fd,
    int state_fd, struct trail *t) MUST_USE;
void keep_close(struct keep *k);

/*
 * The root key file has changed.  Refused, and everything stays, unless the
 * new file still has the key that seals the signing seed; the seed is then
 * sealed anew under the new primary.
 */
err keep_reload(struct keep *k, int root_fd, struct trail *t) MUST_USE;

/*
 * Offline, for a log that was cut: from now on it has the name and the size
 * of `next`, and `before` is what was signed last until now.  No question of
 * the server does this.
 */
err keep_fork(struct keep *k, const struct checkpoint *next) MUST_USE;

/* Answer one question of the server. E_PEER: it is none. */
err keep_answer(struct keep *k, const struct ipc_end *server,
    const struct ipc_msg *m) MUST_USE;

/* Sign, for init and for keep_answer. E_BAD_ANSWER: no extension. */
err keep_sign(struct keep *k, const struct checkpoint *next,
    const struct hash *proof, size_t n, struct buf *ret_note) MUST_USE;

#endif
