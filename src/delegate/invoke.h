/*
 * invoke.h: how a script asks for an action of a connector whose credential
 * it must not have (script_egress: inject), through the same proxy:
 *
 *	POST http://SLUG.connector/ACTION HTTP/1.1
 *	Host: SLUG.connector
 *	Content-Length: N
 *
 *	{parameters}
 *
 * Pure.  As strict as connect.h; a body has a Content-Length of at most
 * LIM_RELAY_INVOKE, and nothing follows it.
 */
#ifndef DELEGATE_INVOKE_H
#define DELEGATE_INVOKE_H

#include "delegate/broker.h"

struct invoke {
	struct str slug, action, params;
};

/* Could it become one?  Then it is read by invoke_take. */
bool invoke_begins(struct str in);
/* BROKER_OK with *ret_done false: more is needed.  BROKER_NOT_HTTP,
 * BROKER_METHOD, BROKER_TARGET, BROKER_EARLY. */
enum broker_end invoke_take(struct str in, bool *ret_done, struct invoke *ret);

#endif
