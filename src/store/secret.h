/*
 * secret.h: versions of secrets in the store: ciphertext of clients, sealed
 * once more under a data key of its own, the first of which gave the row its
 * number.  Deleting the one its blob names (keys_destroy) destroys the
 * version.
 */
#ifndef STORE_SECRET_H
#define STORE_SECRET_H

#include "store/store.h"

struct secret_row {
	uint32_t key; /* number of its first data key; the row's own */
	uint32_t project;
	struct uuid secret;
	struct sealed sealed; /* to put */
	struct stored stored; /* read back */
};

err store_secret_put(struct store_conn *c,
    const struct secret_row *row) MUST_USE;
err store_secret_get(struct store_conn *c, uint32_t key, struct arena *a,
    struct secret_row *ret) MUST_USE;
err store_secret_delete(struct store_conn *c, uint32_t key) MUST_USE;

#endif
