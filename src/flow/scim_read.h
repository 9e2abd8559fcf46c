/*
 * scim_read.h: what a SCIM client says (RFC 7643, 7644), read into little.
 *
 * Clients send whole directories of attributes; what Redoubt does not keep is
 * read over, what it keeps is checked.  Filters are the equalities that
 * clients use to find one resource; PATCH takes operations with and without a
 * path, and booleans written as text, because large providers send those.
 * Pure: no world, no store.
 */
#ifndef FLOW_SCIM_READ_H
#define FLOW_SCIM_READ_H

#include "base/arena.h"
#include "base/json.h"

enum scim_by {
	SCIM_ALL,
	SCIM_ID,
	SCIM_USER_NAME,
	SCIM_EXTERNAL_ID,
	SCIM_EMAIL,
	SCIM_DISPLAY_NAME,
	SCIM_NEVER, /* a filter that nothing here can match */
};

struct scim_query {
	enum scim_by by;
	struct str value;
	uint32_t start; /* 1-based */
	uint32_t count; /* 0 .. LIM_PAGE; LIM_PAGE when not said */
	bool no_members;
};

/*
 * The query string: filter, startIndex, count, attributes and
 * excludedAttributes (RFC 7644, 3.4.2), each once, `+` a space.  Others are
 * read over.  E_INVALID: a filter that is no single equality.
 */
err scim_query_read(struct arena *a, struct str query, struct trail *t,
    struct scim_query *ret) MUST_USE;
/* `attribute eq "value"`; attribute names are case-insensitive. */
err scim_filter_read(struct arena *a, struct str text, struct trail *t,
    enum scim_by *ret_by, struct str *ret_value) MUST_USE;

/* What is kept of a user.  p NULL: not said. */
struct scim_user {
	struct str user_name, external_id;
	struct str name;  /* displayName, else name.formatted, else its parts */
	struct str email; /* the primary one, else the first */
	bool active;
};

/* A whole resource: POST, PUT.  E_MISSING without userName, E_INVALID. */
err scim_user_read(struct arena *a, const struct json *body, struct trail *t,
    struct scim_user *ret) MUST_USE;
/* Operations over what io says now. */
err scim_user_patch(struct arena *a, const struct json *body, struct trail *t,
    struct scim_user *io) MUST_USE;

/* A group, or a change of one. */
struct scim_group {
	struct str name;       /* p NULL: as it is */
	bool replace;	       /* the members are these, no others */
	const struct str *add; /* ids as text */
	const struct str *remove;
	size_t add_n, remove_n;
	bool remove_all;
};

err scim_group_read(struct arena *a, const struct json *body, struct trail *t,
    struct scim_group *ret) MUST_USE;
err scim_group_patch(struct arena *a, const struct json *body, struct trail *t,
    struct scim_group *ret) MUST_USE;

#endif
