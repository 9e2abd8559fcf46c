/*
 * talk.h: one line each way over a local stream socket, with a time limit,
 * for both ends of DIR/control.sock.
 */
#ifndef ROLE_TALK_H
#define ROLE_TALK_H

#include <sys/types.h>

#include "base/buf.h"

enum {
	TALK_ASK_MAX = 256,	       /* bytes of a question */
	UNSEAL_ASK_MAX = 16384,	       /* and of one that brings shares */
	TALK_ANSWER_MAX = 1024 * 1024, /* bytes of an answer */
	TALK_MS = 5000,		       /* to say what one has to say */
};

/*
 * Reads up to a line feed, which is left out, into b: as much as b may hold.
 * ms: for the whole line, -1 for ever.  fd may be non-blocking.  E_TIMEOUT,
 * E_TOO_LARGE, E_PEER when anything follows the line, E_UNAVAILABLE when the
 * other went away before its end.
 */
err talk_hear(int fd, int ms, struct buf *b) MUST_USE;
/* s and a line feed. E_TIMEOUT, E_UNAVAILABLE. */
err talk_say(int fd, int ms, struct str s) MUST_USE;
/* Bytes, as many as there are; what follows stays where it is. */
err talk_put(int fd, int ms, struct str s) MUST_USE;
err talk_get(int fd, int ms, void *ret, size_t n) MUST_USE;

/* The socket's mode says the same; this is what the kernel says: root, or
 * our own user. */
bool talk_may(int fd, uid_t *ret_uid);
/* An error as the answer. */
void talk_refuse(int fd, err e, const struct trail *t);

#endif
