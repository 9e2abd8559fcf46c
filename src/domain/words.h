/* words.h: words.def as enumerations, their texts and parsers. */
#ifndef DOMAIN_WORDS_H
#define DOMAIN_WORDS_H

#include "base/str.h"

enum severity {
#define SEVERITY(name, text) name,
#include "domain/words.def"
#undef SEVERITY
	SEVERITY_MAX_
};
enum alert_severity {
#define ASEVERITY(name, text) name,
#include "domain/words.def"
#undef ASEVERITY
	ALERT_SEVERITY_MAX_
};
enum incident_status {
#define STATUS(name, text, rank, open) name,
#include "domain/words.def"
#undef STATUS
	INCIDENT_STATUS_MAX_
};
enum alert_status {
#define ASTATUS(name, text) name,
#include "domain/words.def"
#undef ASTATUS
	ALERT_STATUS_MAX_
};
enum entry_kind {
#define ENTRY(name, text) name,
#include "domain/words.def"
#undef ENTRY
	ENTRY_KIND_MAX_
};

enum run_state {
#define RUN_STATE(name, text, over) name,
#include "domain/words.def"
#undef RUN_STATE
	RUN_STATE_MAX_
};
enum run_at {
#define RUN_AT(name, text, over) name,
#include "domain/words.def"
#undef RUN_AT
	RUN_AT_MAX_
};

/* Texts of numbers out of range are "unknown". */
struct str severity_text(unsigned v);
struct str alert_severity_text(unsigned v);
struct str incident_status_text(unsigned v);
struct str alert_status_text(unsigned v);
struct str entry_kind_text(unsigned v);
struct str run_state_text(unsigned v);
struct str run_at_text(unsigned v);

bool severity_parse(struct str s, enum severity *ret);
bool alert_severity_parse(struct str s, enum alert_severity *ret);
bool incident_status_parse(struct str s, enum incident_status *ret);
bool alert_status_parse(struct str s, enum alert_status *ret);
bool run_state_parse(struct str s, enum run_state *ret);
bool run_at_parse(struct str s, enum run_at *ret);

bool run_state_over(unsigned v);
bool run_at_over(unsigned v);
bool incident_status_open(unsigned v);
/* Forward, or resolved|closed back to investigating (contract 1). */
bool incident_status_may_follow(unsigned from, enum incident_status to);

/*
 * The severity words senders use, in any case: crit, fatal, p1, page, major,
 * err, warn, notice, ...  false: not understood.
 */
bool alert_severity_guess(struct str s, enum alert_severity *ret);

#endif
