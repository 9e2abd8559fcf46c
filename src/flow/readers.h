/*
 * readers.h: threads for what may take milliseconds: lists, audit reading.
 * A bounded queue; when it is full the answer is 503.
 */
#ifndef FLOW_READERS_H
#define FLOW_READERS_H

#include "flow/call.h"

struct readers;

err readers_start(struct state *st, unsigned threads,
    struct readers **ret) MUST_USE;
/* Takes c; false: the queue is full and c is still the caller's. */
bool readers_submit(struct readers *r, struct call *c);
/* Finish what is queued, stop the threads. */
struct readers *readers_stop(struct readers *r);

#endif
