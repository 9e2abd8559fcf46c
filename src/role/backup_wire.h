/*
 * backup_wire.h: a backup over DIR/control.sock.
 *
 *	asks	backup N		N bytes of head and list of a base
 *	server	{"go":true}
 *	asks	those N bytes
 *	server	frames: u32 n, n bytes; n = 0 ends the file, and again the keys;
 *		n = 2^32 - 1: it went wrong, the error follows as a line
 *	asks	verified
 *	server	{...}			what was made
 */
#ifndef ROLE_BACKUP_WIRE_H
#define ROLE_BACKUP_WIRE_H

#include "flow/backup.h"

enum { FRAME_MAX = 256 * 1024 };
#define FRAME_ERROR UINT32_MAX

/*
 * The server's side, on a thread of its own; ask is the first line.  An
 * answer for the last line is in b; after an error it is the caller's to
 * tell.
 */
err backup_serve(struct state *st, int fd, struct str ask, const char *by,
    const atomic_bool *stop, struct trail *t, struct buf *b) MUST_USE;

#endif
