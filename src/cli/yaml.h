/*
 * yaml.h: files people write, as JSON: one document of mappings, sequences
 * and scalars.  What YAML can do beside is refused: anchors, aliases, tags,
 * merge keys, several documents, directives, keys that are no text.
 *
 * A plain scalar is true, false, null (~ and nothing too), an integer in
 * decimal without leading zeros, or text: yes, no, on, off, 0755, 1e3 and
 * 12:30 are text.  1.5 and its like are refused: quote them.
 */
#ifndef CLI_YAML_H
#define CLI_YAML_H

#include "base/json.h"

/* The JSON text, to be read with json_parse, which refuses keys that are
 * there twice.  E_INVALID with a trail that names the line. */
err yaml_json(struct str yaml, struct arena *a, struct trail *t,
    struct str *ret) MUST_USE;

#endif
