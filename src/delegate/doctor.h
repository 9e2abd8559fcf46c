/*
 * doctor.h: what this host has of what a sandbox is made of: the table of
 * doctor.def, each row tried in a child that is thrown away.
 *
 * A row is `required` (no sandbox without it, so no script runs: L10),
 * `optional` (another layer holds where it is missing) or `told` (nothing of
 * ours depends on it; somebody may want to know).
 */
#ifndef DELEGATE_DOCTOR_H
#define DELEGATE_DOCTOR_H

#include "base/json.h"

enum doctor_need { DOCTOR_REQUIRED, DOCTOR_OPTIONAL, DOCTOR_TOLD };

enum doctor_probe {
#define PROBE(name, need, what) PROBE_##name,
#include "delegate/doctor.def"
#undef PROBE
	DOCTOR_PROBES
};

enum { DOCTOR_DETAIL = 96 };

/* `degraded`: scripts run, with a layer less. */
enum doctor_level { DOCTOR_NONE, DOCTOR_DEGRADED, DOCTOR_FULL };

struct doctor_row {
	const char *name, *what;
	enum doctor_need need;
	bool ok;
	char detail[DOCTOR_DETAIL]; /* a number, a word, or why not */
};

struct doctor {
	enum doctor_level level;
	size_t required_missing, optional_missing;
	struct doctor_row rows[DOCTOR_PROBES];
};

/* Takes a second; the caller has one thread. */
void doctor_run(struct doctor *ret);
const char *doctor_level_name(enum doctor_level l); /* "full" */
const char *doctor_need_name(enum doctor_need n);   /* "required" */
/* {"v":1,"level":..,"missing":[..],"probes":[{name,need,ok,detail}..]} */
void doctor_json(const struct doctor *d, struct jw *w);
/* For people: a line a row, with what each is for. */
void doctor_text(const struct doctor *d, struct buf *out);

#endif
