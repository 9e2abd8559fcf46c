/*
 * secret_care.h: versions of a secret, for the handlers and for what uses
 * them.  An object's `versions` is a JSON array, newest first, one element
 * each: {"n":2,"key":17,"at":ms,"by":id,"until":ms,"to":[id,...]}; until is
 * 0 for the newest, and when it is over the version is destroyed.
 */
#ifndef FLOW_SECRET_CARE_H
#define FLOW_SECRET_CARE_H

#include "flow/secrets.h"

struct secret_version {
	uint32_t number, key;
	int64_t at, until;
	struct uuid by;
	const struct uuid *to; /* delegates it is sealed to */
	size_t to_n;
};

/* All of them; E_CORRUPT when the object does not hold what it should. */
err secret_versions(struct arena *a, const struct secret_object *s,
    struct secret_version **ret, size_t *ret_n) MUST_USE;
/* Write them into the object, and when the next one ends. */
err secret_versions_put(struct arena *a, const struct secret_version *v,
    size_t n, struct secret_object *s) MUST_USE;
/* "name" or "name@7"; 0: the newest. */
bool secret_ref_parse(struct str ref, struct str *ret_name,
    uint32_t *ret_version);
/* Seal and store a version's text under a fresh key; *ret_key its number. */
err secret_seal(struct lane *l, const struct secret_object *s, struct str text,
    struct arena *a, uint32_t *ret_key) MUST_USE;
/* Destroy one version: its key, then its row. */
err secret_destroy(struct lane *l, uint32_t key) MUST_USE;
/* Destroy all of a secret's; it is about to be removed. */
err secret_destroy_all(struct lane *l, const struct secret_object *s,
    struct arena *a) MUST_USE;

/* Is a version whose overlap ended then to be destroyed by now? */
bool secret_past(const struct world *w, uint32_t project, int64_t until,
    int64_t now);
/* Of the writer: has an overlap ended?  Then destroy what it kept. */
bool secrets_due(struct lane *l, int64_t now);
err secrets_tend(struct lane *l, void *now) MUST_USE;

#endif
