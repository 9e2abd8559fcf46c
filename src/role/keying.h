/*
 * keying.h: what `redoubt key` and `redoubt backup` share: a data directory
 * that a server works on, or that nobody does, and then local.h is the
 * server.
 */
#ifndef ROLE_KEYING_H
#define ROLE_KEYING_H

#include "base/json.h"
#include "role/local.h"
#include "role/plan.h"

struct keying {
	struct arena *a;
	struct trail *t;
	struct datadir dir;
	struct config config;
	int lock;    /* of DIR, when no server has it; else -1 */
	int only_us; /* of DIR/keys; -1 = not taken */
	bool online;
	struct local *local;
	char by[32];
	const void *arg; /* of the verb */
};

/*
 * changes: only one may change the root key file.  E_LOCKED: DIR is in use,
 * or (changes) another `key` is at work.
 */
err keying_begin(struct keying *k, const char *dir, bool changes) MUST_USE;
void keying_end(struct keying *k); /* also when begin has failed */
/* A verb between the two. */
err keying_run(struct arena *a, const char *dir, struct trail *t, bool changes,
    err (*fn)(struct keying *k, struct str *ret), const void *arg,
    struct str *ret) MUST_USE;
/* A server of our own, for a DIR that has none. */
err keying_local(struct keying *k) MUST_USE;

/* The running server's DIR/control.sock. */
err keying_connect(struct keying *k, int *ret) MUST_USE;
/* What it has answered: its own error, when it answers one. */
err keying_understand(struct keying *k, struct str text,
    const struct json **ret) MUST_USE;
/* One question, one line of JSON; ms: how long to wait, -1 for ever. */
err keying_ask(struct keying *k, const char *what, const char *arg, int ms,
    struct str *ret) MUST_USE;

#endif
