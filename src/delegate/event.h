/*
 * event.h: what a warden tells the delegate, as it goes over the control
 * socket of a step: fixed-size packets between two processes of one binary,
 * with descriptors.  The delegate says one byte: 't' SIGTERM, 'k' now; and
 * closing its end is 'k'.
 */
#ifndef DELEGATE_EVENT_H
#define DELEGATE_EVENT_H

#include "delegate/sandbox.h"

enum event_order { EVENT_TERM = 't', EVENT_KILL = 'k' };

struct event_wire {
	uint32_t what, end;
	int32_t status, signal;
	int64_t wall_ms, cpu_ms, memory;
	uint64_t outputs_n;
	uint32_t outputs_kind;
	uint32_t has_fd;
	struct trail detail;
};

#endif
