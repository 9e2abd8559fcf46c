/*
 * incident.h: what happens to incidents.  Pure: the present state and what
 * is asked go in, the next state comes out; no I/O, no clock.  Every function
 * that changes something demands the grant that allows it.
 *
 * An incident is a head (numbers, times, enumerations: plain columns) and a
 * document: one JSON object {title, summary, type, services, environments,
 * fields, security_details, commander, source} that is sealed as it is and
 * spliced into answers as it is, or without what is guarded.
 */
#ifndef DOMAIN_INCIDENT_H
#define DOMAIN_INCIDENT_H

#include "access/access.h"
#include "base/json.h"
#include "domain/words.h"

struct incident_head {
	uint8_t severity, status;
	bool restricted; /* `private` in the contract */
	uint32_t version;
	uint32_t alerts, entries;
	int64_t created, updated, acknowledged, mitigated, resolved, closed;
};

/*
 * A new incident from a checked body of schema INCIDENT.  source: JSON object
 * text.  Writes the document to doc.
 */
err incident_create(const struct grant *g, const struct json *body,
    struct str source, int64_t now, struct incident_head *ret,
    struct buf *doc) MUST_USE;

/*
 * Apply a patch: the new document goes to doc, {"member":{"from":…,"to":…}}
 * of what really changed to changes.  *ret_changed false: nothing did, and
 * the version stays.
 */
err incident_patch(const struct grant *g, struct incident_head *h,
    const struct json *old_doc, const struct json *body, int64_t now,
    struct buf *doc, struct buf *changes, bool *ret_changed) MUST_USE;

/* E_TRANSITION when `to` cannot follow. */
err incident_move(const struct grant *g, struct incident_head *h,
    enum incident_status to, int64_t now, struct trail *t) MUST_USE;

/* An alert was attached. */
void incident_attach(struct incident_head *h, int64_t now);
/* Number of the next timeline entry. */
uint32_t incident_next_entry(struct incident_head *h, int64_t now);

/* Does the document contain q, without case, in any text of it but of these
 * members? */
bool incident_matches(const struct json *doc, struct str q,
    const struct str *but, size_t but_n);

/* "INC-42", "inc-42" or "42": a number, not a UUID. */
bool incident_number_parse(struct str s, uint64_t *ret);

#endif
