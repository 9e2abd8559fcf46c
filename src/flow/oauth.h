/*
 * oauth.h: what a client with access tokens of an authorization server is
 * told: where to get them (RFC 9728), and what was wrong (RFC 6750 3).
 *
 * The resources are this server's own address and, for agents, /mcp there.
 * Of each those servers are told whose audience it is, to the byte; without any
 * there is no document.
 */
#ifndef FLOW_OAUTH_H
#define FLOW_OAUTH_H

#include "flow/call.h"

/* WWW-Authenticate of a 401 or 403; empty when there is nothing to say. */
struct str oauth_challenge(struct call *c, int status);

#endif
