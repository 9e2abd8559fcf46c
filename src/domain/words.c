/* words.c: see words.h. */
#include "domain/words.h"

struct word {
	const char *text;
	unsigned rank;
	bool open;
};

static const struct word severities[] = {
#define SEVERITY(name, text) {text, 0, false},
#include "domain/words.def"
#undef SEVERITY
};
static const struct word alert_severities[] = {
#define ASEVERITY(name, text) {text, 0, false},
#include "domain/words.def"
#undef ASEVERITY
};
static const struct word statuses[] = {
#define STATUS(name, text, rank, open) {text, rank, open},
#include "domain/words.def"
#undef STATUS
};
static const struct word alert_statuses[] = {
#define ASTATUS(name, text) {text, 0, false},
#include "domain/words.def"
#undef ASTATUS
};
static const struct word entry_kinds[] = {
#define ENTRY(name, text) {text, 0, false},
#include "domain/words.def"
#undef ENTRY
};
static const struct word run_states[] = {
#define RUN_STATE(name, text, over) {text, 0, !(over)},
#include "domain/words.def"
#undef RUN_STATE
};
static const struct word run_ats[] = {
#define RUN_AT(name, text, over) {text, 0, !(over)},
#include "domain/words.def"
#undef RUN_AT
};

static struct str
text_of(const struct word *w, size_t n, unsigned v)
{
	return v < n ? str_c(w[v].text) : STR("unknown");
}

static bool
parse(const struct word *w, size_t n, struct str s, unsigned *ret)
{
	for (unsigned i = 0; i < n; i++) {
		if (str_is(s, w[i].text)) {
			*ret = i;
			return true;
		}
	}
	return false;
}

struct str
severity_text(unsigned v)
{
	return text_of(severities, SEVERITY_MAX_, v);
}

struct str
alert_severity_text(unsigned v)
{
	return text_of(alert_severities, ALERT_SEVERITY_MAX_, v);
}

struct str
incident_status_text(unsigned v)
{
	return text_of(statuses, INCIDENT_STATUS_MAX_, v);
}

struct str
alert_status_text(unsigned v)
{
	return text_of(alert_statuses, ALERT_STATUS_MAX_, v);
}

struct str
entry_kind_text(unsigned v)
{
	return text_of(entry_kinds, ENTRY_KIND_MAX_, v);
}

struct str
run_state_text(unsigned v)
{
	return text_of(run_states, RUN_STATE_MAX_, v);
}

struct str
run_at_text(unsigned v)
{
	return text_of(run_ats, RUN_AT_MAX_, v);
}

bool
severity_parse(struct str s, enum severity *ret)
{
	unsigned v;

	if (!parse(severities, SEVERITY_MAX_, s, &v))
		return false;
	*ret = (enum severity)v;
	return true;
}

bool
alert_severity_parse(struct str s, enum alert_severity *ret)
{
	unsigned v;

	if (!parse(alert_severities, ALERT_SEVERITY_MAX_, s, &v))
		return false;
	*ret = (enum alert_severity)v;
	return true;
}

bool
incident_status_parse(struct str s, enum incident_status *ret)
{
	unsigned v;

	if (!parse(statuses, INCIDENT_STATUS_MAX_, s, &v))
		return false;
	*ret = (enum incident_status)v;
	return true;
}

bool
alert_status_parse(struct str s, enum alert_status *ret)
{
	unsigned v;

	if (!parse(alert_statuses, ALERT_STATUS_MAX_, s, &v))
		return false;
	*ret = (enum alert_status)v;
	return true;
}

bool
run_state_parse(struct str s, enum run_state *ret)
{
	unsigned v;

	if (!parse(run_states, RUN_STATE_MAX_, s, &v))
		return false;
	*ret = (enum run_state)v;
	return true;
}

bool
run_at_parse(struct str s, enum run_at *ret)
{
	unsigned v;

	if (!parse(run_ats, RUN_AT_MAX_, s, &v))
		return false;
	*ret = (enum run_at)v;
	return true;
}

bool
run_state_over(unsigned v)
{
	return v >= RUN_STATE_MAX_ || !run_states[v].open;
}

bool
run_at_over(unsigned v)
{
	return v >= RUN_AT_MAX_ || !run_ats[v].open;
}

bool
incident_status_open(unsigned v)
{
	return v < INCIDENT_STATUS_MAX_ && statuses[v].open;
}

bool
incident_status_may_follow(unsigned from, enum incident_status to)
{
	if (from >= INCIDENT_STATUS_MAX_ || statuses[to].rank == 0)
		return false;
	if (from == INCIDENT_RESOLVED || from == INCIDENT_CLOSED) {
		if (to == INCIDENT_INVESTIGATING)
			return true;
		return from == INCIDENT_RESOLVED && to == INCIDENT_CLOSED;
	}
	return statuses[from].open && statuses[to].rank > statuses[from].rank;
}

bool
alert_severity_guess(struct str s, enum alert_severity *ret)
{
	static const struct {
		const char *text;
		enum alert_severity is;
	} known[] = {
	    {"critical", ALERT_CRITICAL},
	    {"crit", ALERT_CRITICAL},
	    {"fatal", ALERT_CRITICAL},
	    {"page", ALERT_CRITICAL},
	    {"emergency", ALERT_CRITICAL},
	    {"emerg", ALERT_CRITICAL},
	    {"alert", ALERT_CRITICAL},
	    {"disaster", ALERT_CRITICAL},
	    {"p0", ALERT_CRITICAL},
	    {"p1", ALERT_CRITICAL},
	    {"error", ALERT_ERROR},
	    {"err", ALERT_ERROR},
	    {"major", ALERT_ERROR},
	    {"high", ALERT_ERROR},
	    {"p2", ALERT_ERROR},
	    {"warning", ALERT_WARNING},
	    {"warn", ALERT_WARNING},
	    {"minor", ALERT_WARNING},
	    {"medium", ALERT_WARNING},
	    {"p3", ALERT_WARNING},
	    {"info", ALERT_INFO},
	    {"informational", ALERT_INFO},
	    {"information", ALERT_INFO},
	    {"notice", ALERT_INFO},
	    {"low", ALERT_INFO},
	    {"debug", ALERT_INFO},
	    {"none", ALERT_INFO},
	    {"p4", ALERT_INFO},
	    {"p5", ALERT_INFO},
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (str_ieq(s, str_c(known[i].text))) {
			*ret = known[i].is;
			return true;
		}
	}
	return false;
}
