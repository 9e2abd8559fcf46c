/*
 * secrets.h: secrets of a project, as ciphertext the server cannot open
 * (doc/PROTOCOL.secret).  A version lies sealed under a key of its own;
 * destroying that key destroys it, also in backups made without keys.
 */
#ifndef FLOW_SECRETS_H
#define FLOW_SECRETS_H

#include "flow/call.h"

/* What a task carries of one secret, for one delegate. */
struct secret_use {
	struct uuid id;
	struct str name;
	uint32_t version;     /* 0: external */
	struct str data, box; /* base64, in the arena */
	struct str external;  /* JSON {"connector","path","field"}, or empty */
};

/* Who uses it: allow lists are about these.  Empty: not by one. */
struct secret_user {
	struct str runbook, connector; /* slugs */
};

/*
 * For a task, in the writer: `ref` is "name" or "name@version".  E_NOT_FOUND:
 * no such secret or version; E_SECRET: it is there and not for this runbook,
 * connector or delegate; the trail says which.
 */
err secret_boxes(struct lane *l, uint32_t project, struct str ref,
    const struct secret_user *by, const struct uuid *delegate, int64_t now,
    struct arena *a, struct trail *t, struct secret_use *ret) MUST_USE;
/* Each time a task carries it to a delegate: an entry secret.use about the
 * secret, the run and the delegate, who is the principal. */
err secret_used(struct lane *l, const struct secret_use *u, uint32_t project,
    const struct uuid *run, const struct uuid *delegate, int64_t now,
    struct arena *a) MUST_USE;

/* At save time: does `ref` name a secret that these may use? */
err secret_refers(const struct world *w, uint32_t project, struct str ref,
    const struct secret_user *by, struct trail *t) MUST_USE;

#endif
