/*
 * http2.h: for the http2*.c files only: the connection, a request head as
 * nghttp2 delivers it, and what a peer may cost.
 */
#ifndef WIRE_HTTP2_H
#define WIRE_HTTP2_H

#include <nghttp2/nghttp2.h>

#include "wire/conn.h"

enum {
	CONTROL_BURST = 1000,
	CONTROL_A_SECOND = 500,
	GLITCH_BURST = 50,
	GLITCH_A_SECOND = 5,
};

struct bucket {
	int64_t left;
	int64_t at_us;
};

struct h2 {
	nghttp2_session *s;
	unsigned jobs;
	struct exchange *wait, **wait_last;
	struct bucket control, glitches;
	bool notice; /* the peer was told that we will end */
	bool ending; /* and now that we do */
};

void h2_spend_control(struct conn *c);
void h2_spend_glitch(struct conn *c);
/* What we do for the peer makes control frames from it reasonable. */
void h2_earn(struct conn *c, int64_t n);

/* One field or pseudo field (RFC 9113 8.3); the first fault is kept. */
void h2_field_add(struct exchange *x, struct str name, struct str value);
void h2_head_fail(struct exchange *x, enum err_code e, const char *why);
/* After the last field; false: the exchange was refused. */
bool h2_head_check(struct exchange *x);

#endif
