/*
 * action.h: an approved action and parameters become one request, and its
 * answer becomes outputs.  Pure.
 *
 * Each place has its context: in the path and the query a parameter is
 * percent-encoded whole, in a header it is printable ASCII, in the body it is
 * a JSON value.  What would move the path (an empty or a dot segment, encoded
 * or not) is refused, not cleaned.
 */
#ifndef DELEGATE_ACTION_H
#define DELEGATE_ACTION_H

#include "domain/connector.h"

enum {
	ACTION_PATH = 8192,
	ACTION_FIELDS = 16384,
	ACTION_BODY = 1 << 20,
	ACTION_OUTPUTS = 65536,
	ACTION_OUTPUT_LIST = 64,
};

struct request {
	struct str method;
	struct str path;   /* the base's prefix and the query included */
	struct str fields; /* "Name: value\r\n", without the credential */
	struct str body;   /* p NULL: none */
};

/* E_INVALID, with a trail; texts in the arena. */
err action_request(struct arena *a, const struct connector *c,
    const struct connector_action *act, const struct json *params,
    struct trail *t, struct request *ret) MUST_USE;

/* The step's list of outputs, [{"name","type","pointer"}]; at most
 * ACTION_OUTPUT_LIST.  E_INVALID. */
err action_outputs_parse(struct arena *a, struct str text,
    const struct connector_output **ret, size_t *ret_n) MUST_USE;

/* Is it what the output says it is? */
bool action_type_fits(enum connector_type type, const struct json *j);
/* RFC 6901; NULL when there is nothing. */
const struct json *json_pointer(const struct json *doc, struct str pointer);

#endif
