/*
 * form.h: application/x-www-form-urlencoded (WHATWG URL 5.1), read strictly:
 * what login endpoints get from browsers and identity providers.  Refused
 * with E_BAD_REQUEST: a name twice, an empty name, a broken escape, %00,
 * invalid UTF-8, controls other than line ends and tabs, bytes a serializer
 * would have escaped; with E_TOO_MANY: more than LIM_FORM_FIELDS.
 */
#ifndef FLOW_FORM_H
#define FLOW_FORM_H

#include "base/arena.h"
#include "base/limits.h"

struct form {
	struct form_field {
		struct str name, value; /* decoded, in the arena */
	} field[LIM_FORM_FIELDS];
	size_t n;
};

err form_parse(struct arena *a, struct str body, struct form *ret) MUST_USE;
/* p NULL when there is none of that name. */
struct str form_get(const struct form *f, const char *name);

#endif
