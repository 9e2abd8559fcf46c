/*
 * run_view.h: runs as one caller may see them.  A run of a private incident
 * is there for those who see the incident, and for nobody else; every way to
 * a run (detail, list, log, stream, change) asks here.
 */
#ifndef FLOW_RUN_VIEW_H
#define FLOW_RUN_VIEW_H

#include "flow/engine.h"

/* May the caller see what hangs off that incident (seq, 0: none)? *ret_row is
 * filled in when there is one. */
err run_visible(struct call *c, uint64_t incident, struct incident_row *ret_row,
    bool *ret) MUST_USE;
/*
 * The run of path variable i: its row.  One the caller may not see is
 * E_NOT_FOUND, like one that does not exist. Records it as touched.
 */
err view_run(struct call *c, size_t i, struct run_row *ret,
    struct incident_row *ret_incident) MUST_USE;
/* Members of an open object that need no more than the row. */
void run_head_json(struct call *c, struct jw *w, const struct run_row *row,
    const struct uuid *incident);
/* The whole answer. */
err answer_run(struct call *c, struct engine_run *r,
    const struct uuid *incident, int status) MUST_USE;
/* What would run where, step by step: of a run that was only planned. */
err answer_plan(struct call *c, struct engine_run *r,
    const struct uuid *incident) MUST_USE;

#endif
