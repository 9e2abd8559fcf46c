/* keyjson.h: what was done with keys, as JSON: online and offline the same. */
#ifndef ROLE_KEYJSON_H
#define ROLE_KEYJSON_H

#include "flow/rotate.h"

void key_rotated_json(struct buf *b, const struct rotated *r);
void key_rewrapped_json(struct buf *b, const struct rewrapped *r);
/* busy: what is being done just now, or NULL. Asks the writer. */
err key_status_json(struct state *st, const char *busy, struct buf *b) MUST_USE;

#endif
