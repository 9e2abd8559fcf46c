/*
 * retention.h: policies of retention as bodies and answers, and when a record
 * goes.  What they say is access/retention.h.
 */
#ifndef FLOW_RETENTION_H
#define FLOW_RETENTION_H

#include "flow/call.h"

/*
 * Change the rules as an object of classes says; null: as if never set.
 * project: only fewer days than the organization's, and nothing else.  A
 * refusal names the member.
 */
err retention_read(struct call *c, const struct json *classes, bool project,
    struct retention_rule rule[RETENTION_CLASSES]) MUST_USE;
/* Every class: days, min_days, locked and who says so. */
void retention_json(struct call *c, struct jw *w, uint32_t project);

/*
 * Keys of classes seal for so long before the next one does, when what they
 * seal goes some day; 0: that does not matter.  With their key goes what they
 * sealed, all at once: so long after its time at most.
 */
int64_t retention_term_ms(const struct world *w, uint32_t project,
    enum seal_class class);
/* What a class key seals is kept as the policy says of these. */
bool retention_of_keys(enum seal_class class, enum retention_class *ret);

/*
 * "expires_on": the day it is destroyed at the latest, of something that
 * ended at `at` (0: it has not); null: never, or it is under a legal hold.
 */
void retention_expires(struct call *c, struct jw *w, uint32_t project,
    enum retention_class k, const struct uuid *incident, int64_t at);

#endif
