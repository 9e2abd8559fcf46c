/*
 * reach.h: how a host is found, and what addresses it may have.
 */
#ifndef EGRESS_REACH_H
#define EGRESS_REACH_H

#include "egress/url.h"

/* How a call ended. */
enum web_end {
	WEB_OK,
	WEB_DNS,
	WEB_ADDRESS, /* address.h forbids all it has */
	WEB_CONNECT,
	WEB_TLS,
	WEB_TLS_OLD, /* TLS 1.2 was all it had, and it is not enough */
	WEB_TIMEOUT,
	WEB_STOPPED, /* by whoever asked */
	WEB_ANSWER,  /* it is not HTTP as answer.h has it */
	WEB_TOO_BIG,
};

struct reach {
	const struct endpoint *connect; /* these, whatever the name */
	size_t connect_n;
	const struct endpoint *resolver; /* one after the other */
	size_t resolver_n;
	const struct str *allow; /* CIDR */
	size_t allow_n;
	bool open;	    /* public addresses need not be in allow */
	int64_t connect_ms; /* for name and connection */
	const bool *stop;   /* give up when it becomes true; or NULL */
};

#endif
