/*
 * dump.h: all rows of a store as bytes, and a store made of such bytes, for
 * backups (doc/PROTOCOL.backup).  Left out are the wrapped keys, which a
 * backup keeps elsewhere.
 *
 * A row is its columns in the order of the schema:
 *	u8 0			NULL
 *	u8 1, i64		a number
 *	u8 2, u32 n, n bytes	text
 *	u8 3, u32 n, n bytes	bytes
 */
#ifndef STORE_DUMP_H
#define STORE_DUMP_H

#include "base/buf.h"
#include "store/store.h"

enum { DUMP_COLUMNS = 64, DUMP_NAME = 64, DUMP_NAMES = 2048 };

struct dump_row {
	struct str table;   /* its name */
	struct str columns; /* their names, separated by commas */
	struct str key;	    /* those columns of the row that are its key */
	struct str row;	    /* all of them */
};

/* Every row, table by table, each in the order of its key; the views are good
 * during the call.  In one view: the caller's. */
typedef err (*dump_fn)(void *ctx, const struct dump_row *r);
err store_dump(struct store_conn *c, dump_fn fn, void *ctx) MUST_USE;
/* The schema those rows have. */
unsigned store_schema(void);

/* ---- the way back ---- */

/* Is there a data key of that number? */
typedef bool (*load_has)(void *ctx, uint32_t key);

struct store_load; /* a store being filled, in a directory of its own */

/*
 * An empty store of an older or the present schema in `dir`.  E_CORRUPT with
 * a trail: this binary knows no such schema.
 */
err store_load_new(const char *dir, unsigned schema, struct trail *t,
    struct store_load **ret) MUST_USE;
struct store_conn *store_load_conn(struct store_load *l);
/* Rows of this table follow.  E_CORRUPT: it has none of that name, or not
 * those columns. */
err store_load_table(struct store_load *l, struct str table,
    struct str columns) MUST_USE;
/* *ret_dropped: no key opens it any more, so it is not taken.  E_CORRUPT: no
 * row of this table, or its key is there already. */
err store_load_row(struct store_load *l, struct str row, load_has has,
    void *ctx, bool *ret_dropped) MUST_USE;
/* Whatever belonged to rows that were dropped goes, too.  Then the schema is
 * the present one, all is on the disk, and l is gone, also on an error. */
err store_load_done(struct store_load *l, struct trail *t) MUST_USE;
void store_load_free(struct store_load *l); /* NULL is fine */

/* Keys of a number above this one were never given out. */
err store_data_key_high(struct store_conn *c, uint32_t id) MUST_USE;

#endif
