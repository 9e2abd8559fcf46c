/*
 * confine.h: giving up power, and proving that it is gone.
 *
 * Each function is one promise; each returns only after it has tried what it
 * just forbade and seen it refused.  Order: namespaces, user, no_new_privs
 * and limits, Landlock, descriptors, seccomp (last).
 */
#ifndef CONFINE_CONFINE_H
#define CONFINE_CONFINE_H

#include "base/err.h"
#include "base/str.h"

/* What was really achieved; for the log, `check` and posture. */
struct confinement {
	bool own_user; /* runs as a uid of its own */
	bool no_caps;  /* no capability left in any set */
	bool netns;    /* in an empty network namespace */
	int landlock;  /* ABI in force, 0 = none */
	bool seccomp;  /* filter in force */
	bool no_core;  /* RLIMIT_CORE 0 and not dumpable */
};

enum confine_role {
	CONFINE_SUPERVISOR,
	CONFINE_SERVER,
	CONFINE_KEEPER,
	CONFINE_IDP,	/* starts the two below, and nothing else */
	CONFINE_EGRESS, /* may connect to some ports */
	CONFINE_SAML,	/* reads one document, writes one answer */
	CONFINE_BROKER, /* of a delegate: connects, accepts, no files */
};

enum { CONFINE_PORTS = 64 };

struct confine_plan {
	enum confine_role role;
	/* uid/gid to become when root; 0 = stay. */
	unsigned uid, gid;
	/* Server: the only tree that may be touched (read-write). NULL: no
	 * file access at all (keeper, a sealed server). */
	const char *data_dir;
	/* Descriptors to keep open besides 0, 1, 2. */
	const int *keep;
	size_t keep_n;
	/* CONFINE_IDP: a CONFINE_EGRESS will be forked, so the network stays
	 * and sockets can be made. CONFINE_EGRESS: true. */
	bool egress;
	/* CONFINE_EGRESS: UDP too, for the resolver; the only TCP ports that
	 * can be connected to where Landlock knows ports (ABI 4). */
	bool resolver;
	const uint16_t *ports;
	size_t ports_n;
};

/* All of the above for one role. E_DENIED (with a trail) when something
 * mandatory (no_new_privs, seccomp, limits) could not be had or a proof
 * failed; optional parts that are missing are reported in *ret. */
err confine(const struct confine_plan *p, struct trail *t,
    struct confinement *ret) MUST_USE;
/*
 * For what CONFINE_IDP has forked (CONFINE_EGRESS, CONFINE_SAML): the rest
 * of it, over what the parent has given up already.  It is killed when its
 * parent ends.  CONFINE_SAML is also killed after CONFINE_CPU_S seconds of
 * work and CONFINE_WALL_S of any, and has at most CONFINE_DATA bytes.
 */
enum {
	CONFINE_CPU_S = 2,
	CONFINE_WALL_S = 3,
	CONFINE_DATA = 64 * 1024 * 1024,
	CONFINE_FILES = 64, /* descriptors of an egress */
};
err confine_child(const struct confine_plan *p,
    const struct confinement *parent, struct trail *t,
    struct confinement *ret) MUST_USE;
/* Only resource limits, dumpable, no_new_privs: for short-lived tools that
 * hold keys (init, key). */
err confine_light(struct trail *t) MUST_USE;
/*
 * For the process that starts supervisors, once everything listens and when
 * nobody may connect: an empty network namespace where there can be one, no
 * sockets but this machine's, no TCP connection (Landlock ABI 4).  Children
 * inherit all of it.
 */
err confine_first(struct trail *t) MUST_USE;
/*
 * For a forked child that loads a driver (a PKCS#11 module, a TPM's library):
 * it may read files, write to devices, daemons' sockets and the directories
 * given, and talk to this machine's daemons; no network, no program, no other
 * process.
 */
err confine_device(const char *const *writable, size_t n,
    struct trail *t) MUST_USE;

#endif
