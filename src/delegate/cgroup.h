/*
 * cgroup.h: memory, processes and time of a step held together, where the
 * host lets us: version 2 with its controllers delegated to us, or version 1
 * with pids and memory.  Each zygote has a directory under the group it was
 * started in, so that its own limits hold for all steps too; each step has
 * one in there.
 *
 * Without any, limits of the process (RLIMIT_NPROC counts per user
 * namespace) and pid 1 of the sandbox, who adds memory up, take their place.
 */
#ifndef DELEGATE_CGROUP_H
#define DELEGATE_CGROUP_H

#include "delegate/sandbox.h"

enum cgroup_level { CGROUP_NONE, CGROUP_V1, CGROUP_V2 };
enum { CGROUP_PATH = 384, CGROUP_TREES = 3 };

struct cgroups {
	enum cgroup_level level;
	unsigned trees; /* v2: 1; v1: memory, pids, and cpu if it is there */
	char dir[CGROUP_TREES][CGROUP_PATH]; /* the zygote's */
};

/* One step's. */
struct cgroup {
	const struct cgroups *of;
	unsigned slot;
};

struct cgroup_usage {
	int64_t memory; /* at the highest; 0: not known */
	bool oom;	/* something was killed for want of memory */
};

/*
 * The directory of `controller` ("" is version 2) for a process whose
 * /proc/self/cgroup and /proc/self/mountinfo these are; false: none.
 */
bool cgroup_find(struct str cgroup, struct str mountinfo,
    const char *controller, char ret[CGROUP_PATH]);

/* Make the zygote's directories and remove those of zygotes that are gone.
 * Never fails: level tells what was to be had. */
void cgroups_open(struct cgroups *ret);
void cgroups_close(struct cgroups *c);
/* "cgroup2", "cgroup1", "rlimit" */
const char *cgroup_level_name(enum cgroup_level l);

/* False: errno. */
bool cgroup_make(const struct cgroups *c, unsigned slot, struct cgroup *ret);
bool cgroup_limit(const struct cgroup *g, const struct sandbox_limits *l);
/* Version 2: puts pid there; else nothing. */
bool cgroup_enter(const struct cgroup *g, int pid);
/* Version 1: what pid 1 goes in by itself with (-1: nothing). A thread that
 * moves itself stops nobody; moving a process stops every fork, exec and exit
 * of the host. */
bool cgroup_doors(const struct cgroup *g, int ret[CGROUP_TREES]);
/* Closes them. */
bool cgroup_go_in(int doors[CGROUP_TREES]);
void cgroup_doors_close(int doors[CGROUP_TREES]);
void cgroup_usage(const struct cgroup *g, struct cgroup_usage *ret);
/* Waits a little for what has just died. */
void cgroup_remove(const struct cgroup *g);

#endif
