/* secret_body.h: what a client says of a secret, checked: ciphertext of the
 * right form, boxes for delegates that are there, with their present keys. */
#ifndef FLOW_SECRET_BODY_H
#define FLOW_SECRET_BODY_H

#include "flow/call.h"
#include "flow/secret_care.h"

enum { SECRET_OVERLAP_S = 3600 }; /* when not given */

/* A version as it is stored. */
struct secret_text {
	struct str json; /* {"data":base64,"boxes":[{"delegate","box"},...]} */
	const struct uuid *to;
	size_t to_n;
};

/* May the delegate open it: approved, in its project, of its selector? */
bool secret_is_for(struct arena *a, const struct secret_object *s,
    const struct delegate *d);

/* Members of the body into s; absent ones stay as they are. */
err secret_read_labels(struct call *c, struct secret_object *s) MUST_USE;
err secret_read_lists(struct call *c, struct secret_object *s) MUST_USE;
err secret_read_external(struct call *c, struct secret_object *s) MUST_USE;
/* `data` and `boxes`, against the selector in s. */
err secret_read_text(struct call *c, const struct secret_object *s,
    struct secret_text *ret) MUST_USE;
/* What the audit log keeps of it: all but data and boxes. */
err secret_record(struct call *c, const struct secret_object *s,
    const struct secret_text *t) MUST_USE;
/* The secret of path variable 1, by id or name. */
err secret_in_path(struct call *c, const struct secret_object **ret) MUST_USE;

#endif
