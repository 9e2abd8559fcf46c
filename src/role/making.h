/*
 * making.h: a data directory being made, whole or not at all, for `init` and
 * `restore`.
 */
#ifndef ROLE_MAKING_H
#define ROLE_MAKING_H

#include <sys/types.h>

#include "role/datadir.h"

/* What is being made, and how much of it exists. */
struct making {
	const char *path;
	int dir, keys, tls, db; /* directories, -1 = not made */
	bool made;		/* DIR itself */
	bool ours;		/* something in it is ours to remove */
	int root, audit, state;
};

/* errno as an error, and what it was about. */
err making_failed(struct trail *t, const char *what) MUST_USE;
/* m->path, which must not exist or be empty.  E_EXISTS. */
err making_take(struct making *m, struct trail *t) MUST_USE;
/* The same question, and nothing is made. */
err making_free(const char *path, struct trail *t) MUST_USE;
err making_dir(struct making *m, const char *name, int *ret,
    struct trail *t) MUST_USE;
/* A new file; the caller closes it. */
err making_open(int dir, const char *name, mode_t mode, struct trail *t,
    int *ret) MUST_USE;
err making_write(int fd, struct str s) MUST_USE; /* and to the disk */
err making_config(struct making *m, struct trail *t) MUST_USE;
err making_tls(struct making *m, struct arena *a, int64_t now, struct trail *t,
    struct str *ret_fingerprint) MUST_USE;
/* What root made for a server that will not be root. */
err making_give(struct making *m, struct trail *t) MUST_USE;
/* Only what we have made: another may be at work in the same place. */
void making_undo(struct making *m);
/* m->dir was made by one that is gone: its parts are ours to remove. */
void making_adopt(struct making *m);
/* What a name in it stands for is on the disk. */
err making_sync_parent(const char *path, struct trail *t) MUST_USE;
void making_close(const struct making *m);

#endif
