/* writer_queue.c: see writer_queue.h. */
#include "flow/writer_queue.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

bool
writer_queue_open(struct writer_queue *q)
{
	q->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return q->wake >= 0;
}

void
writer_queue_close(struct writer_queue *q)
{
	if (q->wake >= 0)
		(void)close(q->wake);
	q->wake = -1;
}

bool
writer_queue_add(struct writer_queue *q, struct call *c)
{
	struct call *old;

	if (atomic_fetch_add_explicit(&q->queued, 1, memory_order_acq_rel) >=
	    LIM_WRITER_QUEUE) {
		atomic_fetch_sub(&q->queued, 1);
		return false;
	}
	old = atomic_load_explicit(&q->incoming, memory_order_relaxed);
	do {
		c->next = old;
	} while (!atomic_compare_exchange_weak(&q->incoming, &old, c));
	return true;
}

void
writer_queue_wake(struct writer_queue *q)
{
	uint64_t one = 1;
	ssize_t n = write(q->wake, &one, sizeof one);

	(void)n; /* full means: it is awake */
}

void
writer_queue_nudge(struct writer_queue *q)
{
	if (atomic_load(&q->incoming) != NULL && atomic_load(&q->sleeping) &&
	    atomic_exchange(&q->sleeping, false))
		writer_queue_wake(q);
}

size_t
writer_queue_take(struct writer_queue *q, struct call *c[LIM_WRITER_QUEUE])
{
	struct call *list = atomic_exchange(&q->incoming, NULL), *next;
	struct call *in_order = NULL;
	size_t n = 0;

	for (; list != NULL; list = next) {
		next = list->next;
		list->next = in_order;
		in_order = list;
	}
	for (; in_order != NULL && n < LIM_WRITER_QUEUE;
	     in_order = in_order->next)
		c[n++] = in_order;
	atomic_fetch_sub(&q->queued, (unsigned)n);
	return n;
}

/* The flag is set before the queue is looked at for the last time: either
 * what was added is seen here, or who added it sees the flag. */
void
writer_queue_rest(struct writer_queue *q, int ms)
{
	struct pollfd p = {.fd = q->wake, .events = POLLIN};
	uint64_t n;

	atomic_store(&q->sleeping, true);
	if (atomic_load(&q->incoming) != NULL)
		ms = 0;
	/* non-blocking; only says that there is work */
	if (poll(&p, 1, ms) > 0 && read(q->wake, &n, sizeof n) < 0)
		n = 0;
	atomic_store(&q->sleeping, false);
}
