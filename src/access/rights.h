/*
 * rights.h: inside access only.  The bindings of a world made ready for
 * deciding: each with the permissions of its role and the resources it is
 * limited to, grouped by who holds it and where.  Made once for each change
 * of bindings, roles or resource groups, immutable, reference counted and
 * shared between worlds.  A decision looks at two short lists a subject, not
 * at all that it holds.
 */
#ifndef ACCESS_RIGHTS_H
#define ACCESS_RIGHTS_H

#include "access/shelf.h"

/* The place of what holds everywhere as soon as it is granted anywhere. */
#define PLACE_ANY UINT32_MAX

struct right {
	struct permset perms;
	int64_t starts, expires; /* expires INT64_MAX: never */
	const struct binding *b;
	const struct resource_group *group; /* limited to it, or NULL */
	bool narrow;			    /* holds for some resources only */
};

/* What one subject holds at one place, in the order of binding ids. */
struct holding {
	struct uuid subject;
	uint32_t place, n;
	size_t at;	    /* in rights.list */
	struct permset any; /* of all of them, expired ones included */
};

/* w's shelves are there; E_NO_MEMORY. */
err rights_new(const struct world *w, struct rights **ret) MUST_USE;
struct rights *rights_ref(struct rights *r);
struct rights *rights_unref(struct rights *r);

const struct rights *world_rights(const struct world *w);
/* NULL: it holds nothing there. */
const struct holding *rights_at(const struct rights *r,
    const struct uuid *subject, uint32_t place);
const struct right *rights_of(const struct rights *r, const struct holding *h);

#endif
