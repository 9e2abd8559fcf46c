/* backup_in.h: a file of a backup, read and not believed. */
#ifndef ROLE_BACKUP_IN_H
#define ROLE_BACKUP_IN_H

#include <limits.h>

#include "flow/backup_form.h"

struct backup_in {
	int fd;
	char path[PATH_MAX];
	uint64_t size;
	struct backup_head head;
	struct backup_tail tail;
};

/* Head and tail.  E_NOT_FOUND; E_CORRUPT: it is none, or was cut. */
err backup_in_open(const char *path, struct trail *t,
    struct backup_in *ret) MUST_USE;
void backup_in_close(struct backup_in *f);

/* All bytes are those that were written: SHA-256, and one record behind the
 * other.  E_CORRUPT with a trail. */
err backup_in_whole(const struct backup_in *f, struct trail *t) MUST_USE;
/* The records of the list, one behind the other, behind the head. */
err backup_in_list(const struct backup_in *f, struct buf *b,
    struct trail *t) MUST_USE;
/* The sealed bytes of a block, in a. */
err backup_in_block(const struct backup_in *f, const struct backup_block *k,
    struct arena *a, struct stored *ret) MUST_USE;

/* Exactly n bytes at an offset; E_CORRUPT when there are not so many. */
err file_get(int fd, uint64_t at, void *ret, size_t n) MUST_USE;
/* SHA-256 of the first n bytes. */
err file_sha(int fd, uint64_t n, uint8_t ret[BACKUP_SHA]) MUST_USE;

#endif
