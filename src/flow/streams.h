/*
 * streams.h: answers that stay open: /v1/events, /v1/audit/stream, and
 * exports.  Events are read from the audit log itself, so a client that comes
 * back with Last-Event-ID (an audit seq) misses nothing, and what a stream
 * shows is decided when it is shown, by the rights of that moment.
 */
#ifndef FLOW_STREAMS_H
#define FLOW_STREAMS_H

#include "flow/call.h"

struct streams;

err streams_start(struct state *st, struct streams **ret) MUST_USE;
/* Takes a recorded call of a STREAM route. */
void streams_open(struct streams *s, struct call *c);
/* A batch was committed: there may be something to tell. */
void streams_wake(struct streams *s);
/* The peer of x has gone. Reactor thread. */
void streams_closed(struct streams *s, struct exchange *x);
/* End all streams and admit no more (503); then nothing keeps the wire from
 * draining. */
void streams_end(struct streams *s);
struct streams *streams_free(struct streams *s);
/* On a reader lane: run the export of c to its end. */
void streams_export(struct lane *l, struct call *c);

#endif
