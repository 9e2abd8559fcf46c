/*
 * audit_feed.h: GET /v1/audit/stream: the log as it grows, for who collects
 * it.  Server-sent events, or with ?wait= one answer with the lines there
 * are, once there are some (long poll).  Both begin behind ?after= or
 * Last-Event-ID, the number of the last entry that was taken in, so every
 * entry comes at least once; ?format= and the filter are those of exports
 * and lists.
 *
 * What is shown is decided entry by entry by the rights of the moment: who
 * may read the log sees all of it, who may only in some projects (a token
 * limited to them) sees the entries of those.
 */
#ifndef FLOW_AUDIT_FEED_H
#define FLOW_AUDIT_FEED_H

#include "audit/lines.h"
#include "flow/audit_query.h"

struct audit_feed {
	struct audit_query q;
	enum export_format format;
	bool poll;
	int64_t until;	/* ms: a poll is answered by then at the latest */
	uint64_t after; /* as asked for; UINT64_MAX: from now on */
	uint32_t lines; /* of the poll's answer so far */
	bool news;	/* other than that somebody polls */
};

/* May the caller read anything of the log now?  E_FORBIDDEN. */
err audit_feed_may(struct call *c) MUST_USE;
/* The entry, if it is wanted and may be seen: an event, or a line of the
 * poll's answer in c->out.  a holds what one entry needs. */
void audit_feed_add(struct call *c, struct arena *a, struct str leaf,
    struct buf *event);
/* Is the poll's answer full, or is there something to answer? */
bool audit_feed_full(const struct call *c);
bool audit_feed_due(const struct call *c);
/* Make the answer: the lines, and behind which entry to go on. */
void audit_feed_answer(struct call *c, uint64_t after);

static inline struct audit_feed *
audit_feed(const struct call *c)
{
	return c->prepared;
}

#endif
