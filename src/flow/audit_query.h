/* audit_query.h: which audit entries somebody wants. */
#ifndef FLOW_AUDIT_QUERY_H
#define FLOW_AUDIT_QUERY_H

#include "audit/leaf.h"
#include "flow/call.h"

struct audit_query {
	int64_t from, to;     /* [from, to); 0 = open */
	struct str principal; /* id */
	struct str action;    /* exact, or a prefix ending in '.' or ".*" */
	struct str resource;  /* id, or type:id */
	bool has_outcome;
	enum audit_outcome outcome;
	bool down; /* newest first */
};

/* From the query string; from the body of an export. */
err audit_query_params(struct call *c, struct audit_query *ret) MUST_USE;
err audit_query_body(struct call *c, struct audit_query *ret) MUST_USE;
bool audit_query_match(const struct audit_query *q,
    const struct audit_entry *e);
/* In walking order: can nothing after this match any more? */
bool audit_query_past(const struct audit_query *q, const struct audit_entry *e);
/* The first seq to look at, 0 when there is none. */
err audit_query_start(struct call *c, const struct audit_query *q,
    uint64_t *ret) MUST_USE;
/* The first seq whose time is at least t; one past the end when none is. */
err audit_seq_at(struct lane *l, struct arena *a, int64_t t,
    uint64_t *ret) MUST_USE;

#endif
