/*
 * sender.h: who delivers: the steps of the line that are about a webhook's
 * sender.  What it has to prove is hook.h's; here is where its headers,
 * address and query come from.
 */
#ifndef FLOW_SENDER_H
#define FLOW_SENDER_H

#include "flow/call.h"

/* The auth step of an ingest route: c->actor, c->why and c->hook. */
err sender_auth(struct call *c, const struct auth_input *in) MUST_USE;
/*
 * The shape step of one: c->body and c->payload.  The routing key of a
 * PagerDuty event is a credential: it is in neither what is kept nor what is
 * mapped.
 */
err sender_shape(struct call *c) MUST_USE;

#endif
