/*
 * url.h: the address of a server: https only, no credentials in it.
 */
#ifndef CLIENT_URL_H
#define CLIENT_URL_H

#include "base/arena.h"
#include "base/buf.h"

struct url {
	struct str text;  /* as it is remembered: without a trailing slash */
	const char *host; /* name or address, without brackets */
	const char *port; /* decimal, "443" when not named */
	struct str authority; /* for the Host field */
	struct str prefix;    /* path put before every request's, "" or "/x" */
	bool is_ip;
};

/* https://HOST[:PORT][/PREFIX]; E_USAGE with a trail otherwise. */
err url_parse(struct arena *a, struct str text, struct trail *t,
    struct url *ret) MUST_USE;

#endif
