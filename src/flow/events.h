/*
 * events.h: an audit leaf as an event for one caller: shown when they may see
 * what it is about, now.
 */
#ifndef FLOW_EVENTS_H
#define FLOW_EVENTS_H

#include "flow/call.h"

/* Appends "id: ...\nevent: ...\ndata: {...}\n\n", or nothing when it is not
 * for them. */
void event_text(struct call *c, struct arena *a, uint64_t seq, struct str leaf,
    struct buf *b);

#endif
