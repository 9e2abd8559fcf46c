/*
 * things.h: resources as access sees them (struct resource in access.h),
 * made of rows, documents and objects.  Only who holds something for some
 * resources only has them made: see call_ask_about in call.h.
 */
#ifndef FLOW_THINGS_H
#define FLOW_THINGS_H

#include "flow/desk.h"

/* doc: its document, opened; *ret points into it and into c->a. */
err thing_incident(struct call *c, const struct incident_row *row,
    uint8_t severity, struct str doc, struct resource *ret) MUST_USE;
/* The one a body of schema INCIDENT would make. */
err thing_new_incident(struct call *c, struct resource *ret) MUST_USE;
/* incident: the one it is attached to, or NULL. */
err thing_alert(struct call *c, const struct alert_row *row,
    const struct uuid *incident, struct str doc, struct resource *ret) MUST_USE;
void thing_integration(const struct integration *n, struct resource *ret);

#endif
