/*
 * serve.h: `redoubt serve` from outside.  The first process opens everything,
 * then starts one supervisor after the other: while the server is sealed one
 * with a server that has neither store nor keys, and with the process that
 * waits for somebody to unseal; then the one with all roles.  When it is to be
 * sealed every process that had a key ends: that is what wipes their memory.
 *
 * The first process reads nothing but signals and how its child ended.
 */
#ifndef ROLE_SERVE_H
#define ROLE_SERVE_H

#include "role/plan.h"

/* How a supervisor ends that wants another one after it. */
enum { SERVE_SEAL = 64, SERVE_UNSEALED = 65 };

struct phase {
	struct plan *plan; /* plan_files done */
	bool sealed;
	/* open: a pipe with the unlock key of a sealed root key file; sealed:
	 * where to write one.  -1: the file is plain. */
	int unlock;
};

/* A supervisor's life; the exit code, or one of the above. */
int supervise(const struct phase *p);

/* In DIR/db: it was sealed, and only somebody can end that. */
#define SEALED_MARK "sealed"
/* Durable on OK; dir: of DIR/db. */
err sealed_mark(int dir) MUST_USE;

/*
 * The process that unseals: answers on DIR/control.sock until somebody has
 * said what opens the root key file; writes its unlock key to `out`; 0.
 */
int unseal_serve(const struct phase *p);
/* What can be done without anybody, in a child of its own: *ret is a pipe
 * that has the unlock key.  E_SEALED and others: it does not open so. */
err unseal_alone(const struct plan *p, struct trail *t, int *ret) MUST_USE;

#endif
