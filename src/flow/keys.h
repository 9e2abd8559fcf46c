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
/* One of them, with its first grant (seal/meter.h). */
err keys_make_class(struct store_conn *conn, struct keyring *ring,
    uint32_t project, enum seal_class class, uint64_t term, uint32_t id,
    struct arena *a) MUST_USE;

/* Do keys of this class seal, and so wear out? The others make MACs. */
bool keys_seal(enum seal_class class);

/* ---- on the writer's lane, in a transaction ---- */

/*
 * A new term for each (project, class) of io: from when this commits it
 * seals.  id and term are filled in.  What older terms sealed still opens.
 * E_NOT_FOUND: there is no key of that class to follow.
 */
err keys_new_terms(struct lane *l, struct class_key *io, size_t n,
    struct arena *a) MUST_USE;
/*
 * The key and, while all is encrypted anew, the one before or after it of
 * the same subject: destroying the subject is destroying all of them.
 */
enum { KEYS_KIN = 3 };
err keys_kin(struct store_conn *conn, uint32_t id, uint32_t ret[KEYS_KIN],
    size_t *ret_n) MUST_USE;
/*
 * Delete keys, class keys or those of subjects; the writer forgets them.
 * One that is gone already is fine; E_CONFLICT for a class key that seals
 * (give the class a new term first).  Other lanes may have them in their
 * caches still, and the store's log the pages they stood on.
 */
err keys_destroy(struct lane *l, const uint32_t *id, size_t n,
    struct arena *a) MUST_USE;

/* A data key as a backup has kept it. */
err keys_store_data(struct store_conn *conn,
    const struct data_key_row *was) MUST_USE;

#endif
