/*
 * audit_query.h: which audit entries somebody wants: the one filter of the
 * list, of exports, of the stream and of saved filters.  Its members are
 * names and texts; they come from a query string, from a body or from a
 * saved filter (?filter=NAME, "saved"), and what is given beside a saved one
 * replaces its member.
 *
 *   principal  an id, a kind, or kind:id      action    a name, or a prefix
 *   outcome    ok, denied, error, intent                ending in . or .*
 *   resource   an id, a type, or type:id      request   a request's id
 *   address    an address or a block          project   an id or a slug
 *   from, to   [from, to)                     days      of the last n days
 */
#ifndef FLOW_AUDIT_QUERY_H
#define FLOW_AUDIT_QUERY_H

#include "audit/leaf.h"
#include "flow/call.h"

enum { AUDIT_NEEDS = 8 };
struct audit_query {
	int64_t from, to; /* [from, to); 0 = open */
	struct str principal, action, resource, request, address, project;
	bool has_outcome;
	enum audit_outcome outcome;
	bool down; /* newest first */
	/* What the bytes of a leaf it matches must hold. */
	struct str need[AUDIT_NEEDS];
	size_t needs;
};

/* From the query string (and ?filter=NAME, ?order=); from the members from,
 * to and filter of a body. What it holds lives in c->a or the request. */
err audit_query_params(struct call *c, struct audit_query *ret) MUST_USE;
err audit_query_body(struct call *c, struct audit_query *ret) MUST_USE;
/* From an object of members, as saved filters are. */
err audit_query_object(struct call *c, const struct json *filter,
    struct audit_query *ret) MUST_USE;

/* Could the leaf match?  Looks at its bytes only: a tenth of the cost of
 * reading it, and right about most that do not. */
bool audit_query_may(const struct audit_query *q, struct str leaf);
bool audit_query_match(const struct audit_query *q,
    const struct audit_entry *e);
/* The seqs its times allow: none when *ret_first > *ret_last. */
err audit_query_range(struct lane *l, struct arena *a,
    const struct audit_query *q, uint64_t *ret_first,
    uint64_t *ret_last) MUST_USE;
/* The first seq whose time is at least t; one past the end when none is. */
err audit_seq_at(struct lane *l, struct arena *a, int64_t t,
    uint64_t *ret) MUST_USE;

#endif
