/*
 * connectors.h: connectors of a project, for what plans and runs steps.
 *
 * A connector is draft, pending, approved, suspended or revoked.  Any change
 * of its document is another version, which is pending; only an approved
 * version that has not expired is used, and only as long as its secret is
 * there and the policy lets its kind be.
 */
#ifndef FLOW_CONNECTORS_H
#define FLOW_CONNECTORS_H

#include "access/world.h"
#include "domain/connector.h"

/* What a task carries of a connector. */
struct connector_use {
	const struct connector_object *object; /* as long as the world */
	struct str document;		       /* exact canonical text */
	char digest[65];		       /* of it, hex */
	uint64_t approval; /* number of its approval in the audit log */
};

/*
 * E_NOT_FOUND: no such connector in the project.  E_CONNECTOR: it is there
 * and may not be used, and the trail says why.
 */
err connector_usable(const struct world *w, uint32_t project, struct str slug,
    int64_t now, struct trail *t, struct connector_use *ret) MUST_USE;
/* The same at save time of what refers to it: existing is enough, and the
 * action (unless empty) must be one of its document's. */
err connector_refers(struct arena *a, const struct world *w, uint32_t project,
    struct str slug, struct str action, const struct json *params,
    struct trail *t) MUST_USE;

#endif
