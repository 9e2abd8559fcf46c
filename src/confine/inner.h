/* inner.h: the steps of confine(), each with its own proof. */
#ifndef CONFINE_INNER_H
#define CONFINE_INNER_H

#include "confine/confine.h"

/*
 * Sanitizers and coverage open files, fork and trace at exit: their builds
 * keep the refusals that no sanitizer needs, and report the rest as missing.
 */
#ifdef REDOUBT_SANITIZED
enum { confine_relaxed = 1 };
#else
enum { confine_relaxed = 0 };
#endif

/* user.c: an empty network namespace; false when it cannot be had (yet). */
bool netns_enter(void);
/* Become uid and gid for good when root; fails when root can be had back. */
err user_drop(const struct confine_plan *p, struct trail *t,
    struct confinement *ret) MUST_USE;
/* No capability in any set, but for the two that a supervisor that was
 * started by root cannot work without. */
err caps_drop(const struct confine_plan *p, struct trail *t,
    struct confinement *ret) MUST_USE;
/* landlock.c */
err landlock_enter(const struct confine_plan *p, struct trail *t,
    struct confinement *ret) MUST_USE;
/* seccomp.c */
err seccomp_enter(const struct confine_plan *p, struct trail *t,
    struct confinement *ret) MUST_USE;
/* prove.c: try everything that was given up. */
err prove(const struct confine_plan *p, const struct confinement *c,
    struct trail *t) MUST_USE;

#endif
