/*
 * readers.h: threads for what may take milliseconds: lists, audit reading;
 * and others, for what may take seconds: the first half of SLOW routes.  A
 * bounded queue; when it is full the answer is 503 (429 for the SLOW).
 */
#ifndef FLOW_READERS_H
#define FLOW_READERS_H

#include "flow/call.h"

struct readers;

err readers_start(struct state *st, unsigned threads, unsigned queue,
    struct readers **ret) MUST_USE;
/* Takes c; false: the queue is full and c is still the caller's. */
bool readers_submit(struct readers *r, struct call *c);
/* Those that have nothing to do look at their lanes: lane_refresh. */
void readers_poke(struct readers *r);
/* Finish what is queued, stop the threads. */
struct readers *readers_stop(struct readers *r);

#endif
