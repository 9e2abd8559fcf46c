/*
 * backup_form.h: the files of backups as bytes, doc/PROTOCOL.backup.
 *
 *	FILE	head, blocks, list, tail.  A block has rows of one table; the
 *		list names all blocks of the backup, also those that lie in
 *		the backups it builds on.  Both are sealed under the data key
 *		of the backup, which is its subject.
 *	keys	the wrapped keys: root > project keys > data keys, and what
 *		the keeper knows of the log.
 *
 * Readers take whole files of others: nothing is believed before it is
 * compared with what is left.
 */
#ifndef FLOW_BACKUP_FORM_H
#define FLOW_BACKUP_FORM_H

#include "base/buf.h"
#include "base/limits.h"
#include "seal/keyring.h"

enum {
	BACKUP_HEAD = 80,
	BACKUP_TAIL = 45,
	BACKUP_MAC = 32,
	BACKUP_SHA = 32,
	BACKUP_RECORD = 5, /* kind and length of a record */
	BACKUP_BLOCK = 65536,
	/* A row of 16 MiB, in a block of its own. */
	BACKUP_RECORD_MAX = 17 * 1024 * 1024 + 4096,
};

enum backup_record {
	RECORD_BLOCK = 1,
	RECORD_LIST = 2,
	RECORD_TAIL = 3,
	RECORD_PROJECT_KEY = 4,
	RECORD_SEALED_BY = 5,
	RECORD_DATA_KEYS = 6,
	RECORD_KEEPER = 7,
};

struct backup_head {
	struct uuid org, id, base; /* base zero: it builds on none */
	uint32_t key;		   /* number of its data key */
	uint32_t schema;
	int64_t time;
};

void backup_head_put(struct buf *b, const struct backup_head *h);
/* E_CORRUPT: no head of ours. */
err backup_head_read(struct str s, struct backup_head *ret) MUST_USE;

struct backup_tail {
	uint64_t list_at; /* offset of the first record of the list */
	uint32_t lists;	  /* records of it */
	uint8_t sha[BACKUP_SHA];
};
void backup_tail_put(struct buf *b, const struct backup_tail *t);
err backup_tail_read(struct str s, struct backup_tail *ret) MUST_USE;

void backup_record_put(struct buf *b, enum backup_record kind, size_t n);
/* kind and length of the record at s. E_CORRUPT. */
err backup_record_read(struct str s, uint8_t *ret_kind,
    uint32_t *ret_n) MUST_USE;

/* Where a block or the list is, for seal_*. */
struct seal_where backup_where_block(const struct uuid *id, uint32_t number);
struct seal_where backup_where_list(const struct uuid *id);
struct seal_where backup_where_keys(const struct uuid *id);

/* ---- the list ---- */

struct backup_block {
	uint8_t file;	 /* which of `files` it lies in */
	uint32_t number; /* there, from 0 */
	uint64_t at;	 /* of its record there */
	uint32_t n;	 /* bytes of the sealed block */
	uint8_t mac[BACKUP_MAC];
};

struct backup_list {
	struct backup_head head; /* the same again */
	uint64_t entries;	 /* of the audit log */
	struct str vkey;	 /* its verifier key */
	struct uuid files[LIM_BACKUP_CHAIN];
	size_t files_n; /* files[0] is this one */
	uint64_t rows;
	struct backup_block *blocks;
	size_t blocks_n;
};

/* All but the blocks; then each block. */
void backup_list_put(struct buf *b, const struct backup_list *l);
void backup_block_put(struct buf *b, const struct backup_block *k);
enum { BACKUP_BLOCK_ENTRY = 1 + 4 + 8 + 4 + BACKUP_MAC };
/* Opens the records of the list of backup id; a is for each of them. */
err backup_list_open(struct str records, const struct uuid *id,
    const struct data_key *k, struct arena *a, struct buf *plain) MUST_USE;
/* Blocks are in a.  E_CORRUPT. */
err backup_list_read(struct str s, struct arena *a,
    struct backup_list *ret) MUST_USE;

/* ---- blocks ---- */

/* u8 n, table, u16 n, columns; then rows: u32 n, row. */
struct backup_rows {
	struct str table, columns;
	struct cur rest;
};
err backup_rows_read(struct str plain, struct backup_rows *ret) MUST_USE;
/* false at the end, which rest.failed tells from damage. */
bool backup_rows_next(struct backup_rows *r, struct str *ret);

/* ---- keys ---- */

void backup_keys_head(struct buf *b, const struct backup_head *h);
err backup_keys_head_read(struct str s, struct backup_head *ret) MUST_USE;
struct data_key_row;
struct project_key_row;
void backup_project_key_put(struct buf *b, const struct project_key_row *k,
    struct str wrapped);
err backup_project_key_read(struct str s, struct project_key_row *ret) MUST_USE;
void backup_data_key_put(struct buf *b, const struct data_key_row *k,
    struct str wrapped);
/* The next of several; E_NOT_FOUND at the end. */
err backup_data_key_read(struct cur *c, struct data_key_row *ret) MUST_USE;

/* What the keeper's files say: the sealed seed, and its state; where the root
 * key lay, for who does not say where it lies; and the sealed copy of it, if
 * there was one. */
struct backup_keeper {
	struct str seed, state, root, escrow;
};
void backup_keeper_put(struct buf *b, const struct backup_keeper *k);
err backup_keeper_read(struct str s, struct backup_keeper *ret) MUST_USE;

#endif
