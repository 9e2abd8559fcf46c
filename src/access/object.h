/*
 * object.h: administrative objects as the JSON text that gets sealed.
 * encode writes what decode reads; the id, number, version and times are
 * columns of the row and not repeated.  Unknown members are ignored when
 * decoding (a newer server may have written them), missing ones get zero.
 */
#ifndef ACCESS_OBJECT_H
#define ACCESS_OBJECT_H

#include "access/world.h"
#include "base/json.h"

void object_encode(struct buf *b, const struct object *o);
/* head: kind, id, project, version, times, from the row. *ret points into
 * the arena; E_CORRUPT when the text is not what encode wrote. */
err object_decode(struct arena *a, const struct object *head, struct str text,
    const struct object **ret) MUST_USE;

#endif
