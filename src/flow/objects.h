/* objects.h: administrative objects in the store: one sealed JSON each. */
#ifndef FLOW_OBJECTS_H
#define FLOW_OBJECTS_H

#include "access/object.h"
#include "seal/keyring.h"
#include "store/store.h"

/* Where an object's blob lies: pk = id, then kind as a number. */
struct seal_where object_where(const struct object *o);
/* Encode, seal under data key `key` (class OBJECT of project 0), store. */
err objects_put(struct store_conn *conn, struct keyring *ring, uint32_t key,
    struct arena *a, const struct object *o) MUST_USE;
/* Open all and give them to the builder. */
err objects_load(struct store_conn *conn, struct keyring *ring,
    struct world_builder *b) MUST_USE;

#endif
