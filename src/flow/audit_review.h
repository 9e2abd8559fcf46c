/*
 * audit_review.h: that somebody has looked through the audit log is an act
 * of its own: who, through which entry, what they found.  Reviews follow each
 * other without a gap, so what is behind the last one is unreviewed, and it is
 * known since when.  The policy (audit_review_days) says how soon the next
 * one is due; GET /v1/audit/reviews, the posture and the server's log remind.
 */
#ifndef FLOW_AUDIT_REVIEW_H
#define FLOW_AUDIT_REVIEW_H

#include "flow/call.h"

struct audit_unreviewed {
	uint64_t first, entries; /* entries 0: everything was looked at */
	int64_t since;		 /* of the first entry */
	int64_t reviewed;	 /* the last review, 0: there was none */
	int64_t due;		 /* 0: nothing is */
};

err audit_unreviewed(struct lane *l, struct arena *a, const struct world *w,
    struct audit_unreviewed *ret) MUST_USE;
/* In the log, once when it is due and then once a day. (chores) */
void audit_review_remind(struct lane *l, int64_t now, int64_t *next);

#endif
