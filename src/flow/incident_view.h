/*
 * incident_view.h: incidents as one caller may see them.  Every way to an
 * incident (detail, list, timeline, alerts, stream, change) goes through
 * here, so they all show the same (L07).
 */
#ifndef FLOW_INCIDENT_VIEW_H
#define FLOW_INCIDENT_VIEW_H

#include "flow/desk.h"

/* Whom the caller is for member lists: itself and its groups. */
struct subjects {
	struct subject s[SUBJECTS_MAX];
	size_t n;
};
void caller_subjects(struct call *c, struct subjects *ret);

/*
 * The incident of path variable i. A private one the caller is no member of
 * is E_NOT_FOUND, like one that does not exist; the refusal is recorded.
 * Records the incident as touched. Readers and reactors.
 */
err view_incident(struct call *c, size_t i, struct incident_row *ret) MUST_USE;
/* The same in the writer. */
err view_card(struct call *c, struct str ref,
    struct incident_card **ret) MUST_USE;
/* May the caller see the incident numbered seq (0: none, yes)? *ret_row is
 * filled in when seq > 0. */
err view_attached(struct call *c, uint64_t seq, struct incident_row *ret_row,
    bool *ret_visible) MUST_USE;

/* Is the caller a member of incident seq? */
err view_member(struct call *c, uint64_t seq, bool *ret) MUST_USE;
/* And not just for as long as the glass is broken? */
err view_own_member(struct call *c, uint64_t seq, bool *ret) MUST_USE;

/* Its document, and the whole as JSON. */
err incident_doc(struct call *c, const struct incident_row *r,
    struct str *ret) MUST_USE;
/*
 * The caller's grant to read and find what is guarded in this incident, or
 * NULL: what is rendered without it is redacted.  doc: its document, or
 * STR_NONE when it was not opened yet.
 */
err view_sight(struct call *c, const struct incident_row *row, uint8_t severity,
    struct str doc, const struct grant **ret) MUST_USE;
/* Names of the guarded members of incidents. */
enum { GUARDED_MAX = 8 };
size_t guarded_names(struct str ret[GUARDED_MAX]);
/* Members of an open object; without sight, null stands for what is guarded
 * and "redacted" names it. */
err incident_members_json(struct call *c, struct jw *w,
    const struct incident_row *row, const struct incident_head *h,
    struct str doc, const struct grant *sight) MUST_USE;
/* The answer for a card: body, ETag. */
err answer_incident(struct call *c, struct incident_card *i,
    int status) MUST_USE;
/* At most max timeline entries as JSON items of an open array; *ret_last:
 * number of the last, *ret_more: others follow it. */
err timeline_items(struct call *c, const struct incident_row *r,
    const struct grant *sight, uint32_t after, bool newest_first, uint32_t max,
    bool *ret_more, uint32_t *ret_last) MUST_USE;

#endif
