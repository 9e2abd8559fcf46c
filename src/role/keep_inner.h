/* keep_inner.h: inside the keeper: answers being made, and buckets. */
#ifndef ROLE_KEEP_INNER_H
#define ROLE_KEEP_INNER_H

#include "base/mem.h"
#include "role/keep.h"
#include "role/keep_cert.h"

enum { KEEP_ANSWER = 1024 };

/* An answer holds a key at times; it is wiped. */
struct answer {
	char b[KEEP_ANSWER];
	size_t n;
	struct arena arena;
};

void answer_add(struct answer *a, const void *p, size_t n);
/* The error code, then what there is when there was none. */
err keep_reply(const struct ipc_end *to, enum ipc_type type, err e,
    struct answer *a) MUST_USE;
/* One token of a bucket that holds `burst` and gets `second` a second. */
err keep_take(struct bucket *b, double burst, double second) MUST_USE;

/* keep_tasks.c */
err keep_tasks_open(struct keep *k) MUST_USE;
/* The three questions about tasks and delegates. */
err keep_answer_task(struct keep *k, const struct ipc_end *to,
    const struct ipc_msg *m, struct answer *a) MUST_USE;

#endif
