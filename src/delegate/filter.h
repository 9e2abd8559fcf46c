/*
 * filter.h: the seccomp program of a step, made of calls.def.
 *
 * Default deny: what calls.def does not name is answered ENOSYS; another
 * architecture's calls (int 0x80, x32) kill.  It is made once, by the
 * zygote, and installed by each step: after that it cannot be taken off.
 */
#ifndef DELEGATE_FILTER_H
#define DELEGATE_FILTER_H

#include <linux/filter.h>

#include "delegate/sandbox.h"

enum { FILTER_INSNS = 1024 };

struct filter {
	struct sock_filter insn[FILTER_INSNS];
	unsigned short n;
};

/* E_TOO_MANY: calls.def has outgrown FILTER_INSNS. */
err filter_make(enum sandbox_profile p, bool egress,
    struct filter *ret) MUST_USE;
/* For good; needs no_new_privs. False: errno. */
bool filter_install(const struct filter *f);

#endif
