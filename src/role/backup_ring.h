/*
 * backup_ring.h: the keys of backups, opened with the root key: what a
 * server has in its store, from a file.
 */
#ifndef ROLE_BACKUP_RING_H
#define ROLE_BACKUP_RING_H

#include "flow/backup_form.h"
#include "seal/root.h"
#include "store/store.h"

struct backup_ring {
	const char *path;
	struct buf file;
	struct backup_head head; /* schema: the highest number of a data key */
	struct arena a;
	struct project_key_row *project;
	size_t projects;
	struct data_key_row sealed_by;
	struct str chunks; /* of the data keys, sealed */
	size_t chunks_n;
	struct buf plain; /* the data keys, one behind the other */
	uint32_t *at;	  /* where each begins, by its number */
	size_t keys;
	struct backup_keeper keeper;
	struct project_keys *pk;
	struct keyring *ring;
	uint32_t index; /* number of the organization's index key */
};

/* The bytes are whole, and what they should be; nothing is opened yet.
 * E_NOT_FOUND, E_CORRUPT with a trail. */
err backup_ring_read(const char *path, struct trail *t,
    struct backup_ring *ret) MUST_USE;
/* E_WRONG_KEY: another root key has sealed it. E_CORRUPT with a trail. */
err backup_ring_unlock(struct backup_ring *r, const struct root_keys *roots,
    struct trail *t) MUST_USE;
void backup_ring_close(struct backup_ring *r);

/* Key i of r->keys; false: no such key. */
bool backup_ring_key(const struct backup_ring *r, size_t i,
    struct data_key_row *ret);
bool backup_ring_has(void *ring, uint32_t id); /* a load_has of dump.h */

#endif
