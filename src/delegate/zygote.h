/*
 * zygote.h: the zygote's own side; sandbox.h is what others use.
 */
#ifndef DELEGATE_ZYGOTE_H
#define DELEGATE_ZYGOTE_H

#include "delegate/cgroup.h"

/* The first packet, from the zygote. */
struct zygote_hello {
	bool good;
	enum cgroup_level level;
	struct trail detail; /* why not */
};

/* In the forked child; conf and what it points to stay. */
_Noreturn void zygote_main(const struct zygote_conf *conf, int sock,
    int parent);

#endif
