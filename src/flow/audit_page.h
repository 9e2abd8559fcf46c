/*
 * audit_page.h: a page of audit entries.  It ends after LIM_AUDIT_SCAN
 * entries were looked at, however few of them matched: its cursor goes on
 * from there, so no answer waits for the whole log.
 */
#ifndef FLOW_AUDIT_PAGE_H
#define FLOW_AUDIT_PAGE_H

#include "flow/audit_query.h"

typedef void (
    *audit_render)(struct jw *w, const struct audit_entry *e, struct str leaf);

/* Answers the call: {"items":[...],"next":...}. */
err audit_page(struct call *c, const struct audit_query *q,
    audit_render render) MUST_USE;

#endif
