/*
 * datadir.h: the data directory.
 *
 *	DIR/		   0700  redoubt.conf, lock, control.sock
 *	DIR/db/		   0700  store.db and what the engine puts beside it:
 *				 all the server may touch
 *	DIR/keys/	   0700  root.key 0400, audit.key, keeper.state
 *	DIR/tls/	   0700  ca.pem, cert.pem, key.pem 0600
 *
 * Files that hold keys are opened here and nowhere else, and are refused
 * when anybody but their owner could have read them.
 */
#ifndef ROLE_DATADIR_H
#define ROLE_DATADIR_H

#include <limits.h>

#include "base/buf.h"

struct datadir {
	int fd;
	char path[PATH_MAX - 64]; /* absolute, links resolved */
};

enum { SECRET_FILE_MAX = 65536 };

/* E_NOT_FOUND; E_CONFIG when others may write in it; E_DENIED. */
err datadir_open(const char *dir, struct trail *t,
    struct datadir *ret) MUST_USE;
void datadir_close(struct datadir *d);

/* Keeps every other server away while the descriptor is open; waits ms for
 * one that is ending.  E_LOCKED. */
err datadir_lock(const struct datadir *d, int ms, struct trail *t,
    int *ret) MUST_USE;

/* "DIR/name" in a; name as it is when absolute. */
const char *datadir_path(const struct datadir *d, struct arena *a,
    struct str name);

/*
 * A file with a secret: regular, ours or root's, mode 0600 or less.  path is
 * absolute, or relative to DIR.  E_NOT_FOUND, E_CONFIG (whom it is readable
 * for), E_IO.
 */
err secret_open(const struct datadir *d, const char *path, bool write,
    struct trail *t, int *ret) MUST_USE;
/* The root key: empty = keys/root.key; without a slash a credential of
 * systemd, which only systemd decides who reads. */
err root_key_open(const struct datadir *d, struct str setting, struct trail *t,
    int *ret) MUST_USE;
/* A file that is not secret, for reading. */
err plain_open(const struct datadir *d, const char *path, struct trail *t,
    int *ret) MUST_USE;

/* All of an open file from its start, or of a pipe, at most max bytes; the
 * caller wipes b, which never grows and so leaves no copies. E_TOO_LARGE,
 * E_IO. */
err fd_read_all(int fd, size_t max, struct buf *b) MUST_USE;
void buf_wipe(struct buf *b); /* wipe, then done */

#endif
