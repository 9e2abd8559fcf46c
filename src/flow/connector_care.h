/* connector_care.h: what the handlers of connectors share with what uses
 * them. */
#ifndef FLOW_CONNECTOR_CARE_H
#define FLOW_CONNECTOR_CARE_H

#include "flow/connectors.h"
#include "flow/writer.h"

/* Read a canonical document. */
err connector_open(struct arena *a, struct str document, struct trail *t,
    struct connector *ret) MUST_USE;
/*
 * Could it be used if it were approved?  It has not expired, nor lasts too
 * long; its credential is a secret that is there and allows it; the policy
 * lets its kind be.  E_CONNECTOR with a trail.
 */
err connector_ready(const struct world *w, const struct connector_object *o,
    int64_t now, struct trail *t) MUST_USE;

#endif
