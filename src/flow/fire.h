/*
 * fire.h: triggers.  What happens is written into an outbox, in the
 * transaction in which it happens and only when an enabled trigger could
 * match; the writer looks at it once, after that transaction, and starts the
 * runs that come of it in the transaction that takes it out of the outbox.
 * So each happening fires each trigger once or not at all, whatever ends the
 * process in between.
 *
 * A trigger runs as its service account, and no further than its owner's
 * rights go.  What it is refused is in the log, and on the trigger.
 */
#ifndef FLOW_FIRE_H
#define FLOW_FIRE_H

#include "domain/trigger.h"
#include "flow/desk.h"

/* Numbers are stored: only append. */
enum fire_refusal {
	FIRE_NONE,
	FIRE_CONDITION, /* its condition asks for what is not there */
	FIRE_INPUTS,	/* its inputs cannot be made, or are refused */
	FIRE_FROZEN,
	FIRE_RATE,    /* often enough for this hour */
	FIRE_DEPTH,   /* a run has caused it that a run has caused */
	FIRE_RIGHTS,  /* of its account or its owner */
	FIRE_BUSY,    /* so many runs go on already */
	FIRE_RUNBOOK, /* nothing of it is published, or it is gone */
	FIRE_OTHER,
	FIRE_REFUSALS
};

/* It has happened to that incident or alert (NULL: none).  old: {"member":
 * {"from":..},..} or empty; entry: kind and text of a key event. Cheap when no
 * trigger waits for it. */
err fire_happened(struct call *c, enum trigger_on on, struct incident_card *i,
    struct alert_card *a, struct str changes, enum entry_kind kind,
    struct str text) MUST_USE;

/* Writer: due ones, at most a piece; false: something could not be done. */
bool fire_happenings(struct lane *l, int64_t now);
/* The schedule of a trigger is due. */
err fire_schedule(struct lane *l, const struct uuid *trigger,
    int64_t now) MUST_USE;

/* What a trigger has done, as members of an open object; any lane. */
err fire_state_json(struct call *c, struct jw *w,
    const struct uuid *trigger) MUST_USE;

#endif
