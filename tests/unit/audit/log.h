/*
 * log.h: an honest log in memory for the tests of audit: leaves, tiles, keys,
 * checkpoints, exports.
 */
#ifndef TESTS_UNIT_AUDIT_LOG_H
#define TESTS_UNIT_AUDIT_LOG_H

#include "audit/verify.h"
#include "base/mem.h"
#include "tests/t.h"

#include <inttypes.h>

#define UNUSED __attribute__((unused))
#define LOG_NAME "redoubt.example/audit/test/1"

struct log {
	size_t n;
	struct str *leaf;
	struct audit_tree *tree;
	struct audit_tile *tile;
	size_t tiles;
	uint8_t seed[SECRET_SIZE];
	struct note_key key;
	struct buf text; /* of all leaves */
};

static err
log_tile_put(void *ctx, const struct audit_tile *t)
{
	struct log *l = ctx;
	struct audit_tile *p = mem_grow(l->tile, l->tiles + 1, sizeof *p);

	if (p == NULL)
		return err_of(E_NO_MEMORY);
	l->tile = p;
	l->tile[l->tiles++] = *t;
	return OK;
}

static err
log_tile_get(void *ctx, unsigned level, uint64_t index, struct audit_tile *ret)
{
	struct log *l = ctx;

	for (size_t i = 0; i < l->tiles; i++)
		if (l->tile[i].level == level && l->tile[i].index == index) {
			memcpy(ret->hash, l->tile[i].hash, sizeof ret->hash);
			return OK;
		}
	return err_of(E_NOT_FOUND);
}

/* Entry seq of the log: an alert each, every seventh a denial. */
static void
log_leaf(struct buf *b, uint64_t seq, uint64_t salt)
{
	char id[48], req[48];
	uint8_t cm[COMMITMENT_SIZE] = {(uint8_t)salt, (uint8_t)seq};
	struct audit_entry e = {.seq = seq,
	    .time = 1795000000000 + (int64_t)(seq / 3),
	    .action = AUDIT_INGEST,
	    .principal_kind = STR("integration"),
	    .principal_id = STR("0198c0de-0000-7000-8000-000000000001"),
	    .credential = STR("rdb_int_4fJk2Q"),
	    .address = STR("192.0.2.7"),
	    .project = STR("0198c0de-0000-7000-8000-000000000002"),
	    .resources = 1,
	    .commitment = cm};

	snprintf(id, sizeof id, "0198c0de-0001-7000-8000-%012" PRIx64, seq);
	snprintf(req, sizeof req, "0198c0de-0002-7000-8000-%012" PRIx64, seq);
	e.request_id = str_c(req);
	e.resource[0] = (struct audit_resource){STR("alert"), str_c(id)};
	if (seq % 7 == 0) {
		e.outcome = AUDIT_DENIED;
		e.reason = STR("forbidden");
	}
	T_GOOD(audit_leaf_write(b, &e));
}

static struct log *
log_make(size_t n, void (*leaf)(struct buf *b, uint64_t seq, uint64_t salt))
{
	struct log *l = mem_new(1, sizeof *l);
	size_t at = 0, *ends = mem_new(n, sizeof *ends);

	l->n = n;
	for (unsigned i = 0; i < SECRET_SIZE; i++)
		l->seed[i] = (uint8_t)i;
	T_GOOD(note_key_of(STR(LOG_NAME), l->seed, &l->key));
	buf_init(&l->text, 1U << 30);
	for (size_t i = 0; i < n; i++) {
		leaf(&l->text, i + 1, 0);
		ends[i] = l->text.n;
	}
	l->leaf = mem_new(n, sizeof *l->leaf);
	T_GOOD(audit_tree_new(&l->tree));
	for (size_t i = 0; i < n; at = ends[i++]) {
		struct hash h;

		l->leaf[i] = str_of(l->text.p + at, ends[i] - at);
		audit_leaf_hash(l->leaf[i], &h);
		T_GOOD(audit_tree_append(l->tree, &h, log_tile_put, l));
	}
	mem_free(ends);
	return l;
}

static UNUSED struct log *
log_new(size_t n)
{
	return log_make(n, log_leaf);
}

static struct log *
log_free(struct log *l)
{
	mem_free(l->leaf);
	mem_free(l->tile);
	buf_done(&l->text);
	l->tree = audit_tree_free(l->tree);
	mem_free(l);
	return NULL;
}

static UNUSED void
log_note(struct log *l, uint64_t size, struct buf *b)
{
	struct checkpoint c = {.origin = LOG_NAME, .size = size};

	T_GOOD(audit_tree_root_at(l->tree, size, log_tile_get, l, &c.root));
	T_GOOD(checkpoint_sign(&c, &l->key, l->seed, b));
}

/*
 * An export of [first, last] under the checkpoint of `size`; with hide > 1
 * only every hide-th entry is shown.  `seen` may be other leaves than the
 * honest ones.
 */
static UNUSED void
log_export(struct log *l, const struct str *seen, uint64_t first, uint64_t last,
    uint64_t size, uint64_t hide, struct buf *b)
{
	struct arena a;
	struct buf note;

	arena_init(&a, 64 << 20);
	for (uint64_t seq = first; seq <= last; seq++) {
		struct hash h;

		if (hide > 1 && seq % hide != 0) {
			audit_leaf_hash(seen[seq - 1], &h);
			audit_export_stub(b, seq, &h);
		} else {
			buf_str(b, seen[seq - 1]);
			buf_char(b, '\n');
		}
		if (audit_export_hashes_due(seq, last))
			T_GOOD(audit_export_hashes(l->tree, first, seq,
			    log_tile_get, l, b));
	}
	buf_init_on(&note, &a, NOTE_MAX);
	log_note(l, size, &note);
	T_GOOD(audit_export_trailer(1, l->tree, first, last, buf_view(&note),
	    size, &l->key, log_tile_get, l, &a, b));
	T_GOOD(buf_check(b));
	arena_done(&a);
}

/* The leaves of the vectors. */
static UNUSED void
log_short_leaf(struct buf *b, uint64_t seq, uint64_t salt)
{
	struct audit_entry e = {.seq = seq + salt,
	    .time = 1795000000000 + (int64_t)seq,
	    .action = seq == 1 ? AUDIT_ORG_CREATE : AUDIT_WHOAMI,
	    .principal_kind = STR("system")};

	T_GOOD(audit_leaf_write(b, &e));
}

enum { LOG_FILE = 1 << 20 };

/* Are these the bytes of the file?  REDOUBT_WRITE_VECTORS=1 makes them so. */
static UNUSED void
log_file(const struct buf *out, const char *path)
{
	static char file[LOG_FILE];
	bool writes = getenv("REDOUBT_WRITE_VECTORS") != NULL;
	FILE *f = fopen(path, writes ? "wb" : "rb");
	size_t n = 0;

	T_REQUIRE(f != NULL);
	if (writes)
		T_OK(fwrite(out->p, 1, out->n, f) == out->n);
	else
		n = fread(file, 1, sizeof file, f);
	fclose(f);
	if (!writes && !str_eq(str_of(file, n), buf_view(out)))
		T_FAIL("%s differs", path);
}

#endif
