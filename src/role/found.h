/*
 * found.h: what a new store holds before its first server starts: keys, the
 * first project, the first administrator with a bootstrap token, and the
 * audit entry that says so, signed.
 */
#ifndef ROLE_FOUND_H
#define ROLE_FOUND_H

#include "role/keep.h"
#include "role/role.h"

enum { BOOTSTRAP_DAYS = 30 };
#define FIRST_PROJECT "default"

/* db: the store's directory, empty. ret gets token, project, expires. */
err found_store(struct arena *a, const char *db, struct keep *k,
    const struct uuid *org, const struct init_options *o, struct trail *t,
    struct init_result *ret) MUST_USE;

#endif
