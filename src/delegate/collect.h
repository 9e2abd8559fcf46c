/*
 * collect.h: the outputs a step left in /job, taken after its end, from a
 * directory nobody writes to any more.  Only a regular file of one name that
 * lies in that directory itself: no link of either kind, no FIFO, no mount,
 * no device is followed, opened or waited for.
 */
#ifndef DELEGATE_COLLECT_H
#define DELEGATE_COLLECT_H

#include "delegate/sandbox.h"

#define COLLECT_NAME "outputs.json"

/* A descriptor of at most max bytes to read, or why not in t. */
enum sandbox_outputs collect(int job, size_t max, struct trail *t, int *ret_fd,
    size_t *ret_n);

#endif
