/*
 * destroyed.h: does a report of what was destroyed say what the log committed
 * to?  Offline: from the report and an export of the log, which the caller
 * has verified (verify.h).  doc/PROTOCOL.audit has both forms.
 */
#ifndef AUDIT_DESTROYED_H
#define AUDIT_DESTROYED_H

#include "base/arena.h"
#include "base/err.h"

struct destroyed_verdict {
	uint64_t rows;	  /* of the report */
	uint64_t bound;	  /* whose entry commits to exactly what they say */
	uint64_t others;  /* entries of destructions the report does not have */
	uint64_t bad_seq; /* the first row that is not bound; 0: all are */
	char what[160];
};

/*
 * report: the answer of GET /v1/retention/report, rows in order.  log: the
 * lines of an export.  E_BAD_ANSWER with the verdict filled in; E_BAD_JSON,
 * E_CORRUPT: no such report.
 */
err audit_destroyed(struct arena *a, struct str report, struct str log,
    struct destroyed_verdict *ret) MUST_USE;

#endif
