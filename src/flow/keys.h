/*
 * keys.h: which keys a project has.  Project 0, the organization: OBJECT,
 * AUDIT, REPLY, and the MAC keys INDEX, TOKEN, CURSOR.  Every other: ALERT,
 * PAYLOAD and INDEX.  Incidents have keys of their own.
 */
#ifndef FLOW_KEYS_H
#define FLOW_KEYS_H

#include "flow/state.h"

enum { KEYS_CLASSES = 8 };

/* Store a project key the keeper wrapped. */
err keys_store_project(struct store_conn *conn, uint32_t project,
    uint32_t version, int64_t now, struct str wrapped) MUST_USE;
/*
 * Make the class keys of a project whose key the ring's snapshot has: ids
 * after *io_id, which counts up.  ret holds KEYS_CLASSES; *ret_n are made.
 */
err keys_make_classes(struct store_conn *conn, struct keyring *ring,
    uint32_t project, uint64_t term, uint32_t *io_id, struct arena *a,
    struct class_key *ret, size_t *ret_n) MUST_USE;
/* One of them, for rotation. */
err keys_make_class(struct store_conn *conn, struct keyring *ring,
    uint32_t project, enum seal_class class, uint64_t term, uint32_t id,
    struct arena *a) MUST_USE;

#endif
