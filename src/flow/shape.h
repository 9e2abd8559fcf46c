/*
 * shape.h: is the question well-formed?  Query parameters against params.def,
 * bodies against fields.def.  A member that is unknown or the server's own is
 * E_UNKNOWN_MEMBER and named; nothing is ignored.
 */
#ifndef FLOW_SHAPE_H
#define FLOW_SHAPE_H

#include "base/json.h"
#include "flow/route.h"

struct query;

/* Parse and check a query string against the parameters a route takes. */
err shape_query(struct arena *a, struct str query, uint64_t allowed,
    struct trail *t, struct query *ret) MUST_USE;

/* set: FIELD_C or FIELD_P.  The first member that is wrong; faults.h has all
 * of them. */
err shape_body(enum schema s, unsigned set, const struct json *body,
    struct trail *t) MUST_USE;

/* A member of an object; NULL: it has none of that name. */
const struct field *field_find(enum schema s, struct str name);
/* One value against a type; also for what is not a body (filters). */
bool shape_value(enum field_type type, size_t max, const struct json *j);

/* 1..63 of a-z 0-9 and inner hyphens. */
bool slug_valid(struct str s);
bool email_valid(struct str s);
/* Text without control characters, 1..max characters. */
bool name_valid(struct str s, size_t max);

/* The OpenAPI type of a field, as JSON members of an open object. */
void shape_openapi(struct jw *w, const struct field *f);

#endif
