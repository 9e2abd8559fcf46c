/*
 * selector.h: which delegates may do something: those that have every label
 * named.  {"labels":{"site":"fra","os":"linux"}}
 *
 * A selector that names no label, or is not there, matches nothing (L13),
 * and is refused where a document is saved.
 */
#ifndef DOMAIN_SELECTOR_H
#define DOMAIN_SELECTOR_H

#include "base/arena.h"
#include "base/json.h"

struct label {
	struct str name, value;
};

struct selector {
	const struct label *labels;
	size_t labels_n;
};

/* ^[a-z][a-z0-9_.-]{0,62}$; a value: 1 to 63 of A-Z a-z 0-9 _ . - */
bool label_name_valid(struct str s);
bool label_value_valid(struct str s);

/* {"labels":{...}} with at least one label.  E_INVALID, with a trail that
 * begins with path, for anything else.  Views into j. */
err selector_parse(struct arena *a, const struct json *j, const char *path,
    struct trail *t, struct selector *ret) MUST_USE;
/* labels: {"site":"fra",...} of a delegate. */
bool selector_matches(const struct selector *s, const struct json *labels);
/* Writes {"labels":{...}}. */
void selector_json(struct jw *w, const struct selector *s);

#endif
