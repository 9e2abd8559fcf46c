/*
 * watch.h: how much memory everything in our pid namespace holds, added up
 * from /proc: what a cgroup would count.  For pid 1 of a sandbox on a host
 * that gives us none.
 */
#ifndef DELEGATE_WATCH_H
#define DELEGATE_WATCH_H

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>

struct watch {
	DIR *proc;
	long page;
};

bool watch_open(struct watch *w);
/* Bytes of anonymous and shared memory of all processes, and of files in
 * /job.  What several share counts for each. */
int64_t watch_memory(struct watch *w);

#endif
