/*
 * opened.h: incidents a reactor has read and opened lately.
 *
 * In an incident everybody reads the same one.  A row is right for as long as
 * the store's stamp is the one it had before the row was read; an opened
 * document is the text of exactly those sealed bytes at that place.  So what
 * is kept cannot be stale, and it decides nothing: whether this caller may
 * see the incident is asked each time, with the row of this moment.
 *
 * It is plaintext, kept as pages.h keeps its pages: in this thread's memory
 * only, at most LIM_OPENED bytes, wiped when it goes, gone after
 * OPENED_AGE_MS or as soon as keys or the world change.
 */
#ifndef FLOW_OPENED_H
#define FLOW_OPENED_H

#include "store/store.h"

enum { OPENED = 16, OPENED_AGE_MS = 30000 };

struct opened_one {
	struct incident_row row; /* row.stored: in `text`, after the document */
	uint64_t stamp;
	int64_t made;
	struct str text; /* all that is kept; p NULL: the slot is free */
	struct str doc;
};

struct opened {
	struct opened_one slot[OPENED];
	size_t bytes;
	uint64_t version; /* of the snapshot they were opened under */
};

/* As the row still is; NULL when that is not known. */
const struct opened_one *opened_row(struct opened *o,
    const struct incident_id *id, uint64_t stamp, uint64_t version,
    int64_t now);
/* The document of this row, whether or not it is the newest. */
const struct opened_one *opened_doc(struct opened *o,
    const struct incident_row *r, uint64_t version, int64_t now);
/* Keep copies; makes room.  Keeping is never needed, so it cannot fail.
 * stamp: what the store's was before the row was read. */
void opened_keep(struct opened *o, const struct incident_row *r, struct str doc,
    uint64_t stamp, uint64_t version, int64_t now);
/* Drop what is too old, and all when the snapshot is another. */
void opened_tend(struct opened *o, uint64_t version, int64_t now);
void opened_clear(struct opened *o);

#endif
