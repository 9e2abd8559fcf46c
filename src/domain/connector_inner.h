/* connector_inner.h: what the files of the connector document share. */
#ifndef DOMAIN_CONNECTOR_INNER_H
#define DOMAIN_CONNECTOR_INNER_H

#include "base/limits.h"
#include "domain/connector.h"

/* Refuse with a sentence for the author of the document. */
#define REFUSE(t, code, ...) (trail_set((t), __VA_ARGS__), err_of(code))

/* What a reader of members carries about. */
struct reading {
	struct arena *a;
	struct trail *t;
};

/* Only members of the list, which ends with NULL; `what` for the trail. */
err only_members(struct reading *r, const struct json *o, const char *what,
    const char *const *names) MUST_USE;
/* A text of 1..max printable ASCII bytes; absent: empty, or E_MISSING. */
err ascii_member(struct reading *r, const struct json *o, const char *name,
    size_t max, bool required, struct str *ret) MUST_USE;
/* A list of 0..max texts, each once; absent: none. */
err texts_member(struct reading *r, const struct json *o, const char *name,
    size_t max, const struct str **ret, size_t *ret_n) MUST_USE;
/* [a-z][a-z0-9_]{0,62} */
bool connector_name_valid(struct str s);
/* "string", "integer", ... */
bool connector_type_parse(struct str s, enum connector_type *ret);

/* "host:port", as it must be written. */
bool connector_host_parse(struct str s, struct connector_host *ret);
/* https://host[:port]/path without query; the host's text in the arena. */
bool connector_url_parse(struct arena *a, struct str url,
    struct connector_host *ret, struct str *ret_path);
/* An address, no name? */
bool connector_host_numeric(const struct connector_host *h);
/* Does it reach people? (connector_people.def) */
bool connector_host_people(const struct connector_host *h);
/* A path without query, escapes, dot or empty segments; braces: parameters
 * may stand in it. */
bool connector_path_valid(struct str path, bool braces);

/* Its `auth`. */
err connector_read_auth(struct reading *r, const struct json *o,
    struct connector *c) MUST_USE;
/* The list `actions` of a document. */
err connector_read_actions(struct reading *r, const struct json *list,
    struct connector *ret) MUST_USE;

#endif
