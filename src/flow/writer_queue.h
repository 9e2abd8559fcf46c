/*
 * writer_queue.h: requests on their way to the writer, and its sleep.
 *
 * Any thread adds; the writer takes all there are.  A writer that sleeps
 * sleeps on until it is nudged: once for all that one turn of a reactor has
 * for it, as each commit is dear.
 */
#ifndef FLOW_WRITER_QUEUE_H
#define FLOW_WRITER_QUEUE_H

#include <stdatomic.h>

#include "base/limits.h"
#include "flow/call.h"

struct writer_queue {
	_Atomic(struct call *) incoming; /* newest first */
	atomic_uint queued;
	int wake; /* eventfd */
	atomic_bool sleeping;
};

bool writer_queue_open(struct writer_queue *q);
void writer_queue_close(struct writer_queue *q);
/* False: it is full. */
bool writer_queue_add(struct writer_queue *q, struct call *c);
/* Wakes a writer that sleeps while something is there. */
void writer_queue_nudge(struct writer_queue *q);
/* Wakes it in any case. */
void writer_queue_wake(struct writer_queue *q);

/* The writer's: all, oldest first; how many. */
size_t writer_queue_take(struct writer_queue *q,
    struct call *c[LIM_WRITER_QUEUE]);
/* Until there is something, at most ms. */
void writer_queue_rest(struct writer_queue *q, int ms);

#endif
