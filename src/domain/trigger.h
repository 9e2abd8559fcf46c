/*
 * trigger.h: what starts a runbook by itself: what must happen, what must
 * hold then, what the run is given.  Pure; firing is flow/fire.h.
 *
 *	{"on": "alert_opened|alert_resolved|incident_created|
 *	        incident_updated|key_event|schedule",
 *	 "when"?: COND, "delay_s"?: n, "recheck"?: COND,
 *	 "cron"?: "m h d m w", "time_zone"?: "Europe/Berlin",
 *	 "inputs"?: {name: VALUE},
 *	 "guard"?: {"per_hour"?: 60, "depth"?: 2, "once"?: false}}
 *
 * With delay_s the run starts that much later, if recheck (without one,
 * when) holds then, of the members as they are then.
 *
 * The loop guard: it fires at most per_hour times in an hour, not for what
 * runs did that were started at `depth` removes from a person or sender, and,
 * with once, one time for each incident or alert.
 */
#ifndef DOMAIN_TRIGGER_H
#define DOMAIN_TRIGGER_H

#include "domain/cron.h"
#include "domain/runbook.h"

enum trigger_on {
	TRIGGER_ALERT_OPENED,
	TRIGGER_ALERT_RESOLVED,
	TRIGGER_INCIDENT_CREATED,
	TRIGGER_INCIDENT_UPDATED,
	TRIGGER_KEY_EVENT,
	TRIGGER_SCHEDULE,
};
struct str trigger_on_text(enum trigger_on on);

struct trigger {
	enum trigger_on on;
	const struct cond *when, *recheck; /* NULL: always */
	uint32_t delay_s;		   /* 0: at once */
	struct cron cron;		   /* SCHEDULE */
	const struct zone *zone;
	const struct named_value *inputs;
	size_t inputs_n;
	uint32_t per_hour, depth;
	bool once;
};

/*
 * Views into doc.  With rb, also: the inputs are its inputs and of their
 * types, what it requires is there, its context has what happens.  The trail
 * begins with the place, as runbook_parse's does.
 */
err trigger_parse(const struct json *doc, const struct runbook *rb,
    struct arena *a, struct trail *t, struct trigger *ret) MUST_USE;

/* The run's inputs: {name: value}, null ones left out. */
err trigger_inputs(const struct trigger *g, const struct scope *s,
    struct arena *a, struct trail *t, struct buf *out) MUST_USE;

#endif
