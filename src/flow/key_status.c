/* key_status.c: what keys a store has.  See rotate.h. */
#include <stdio.h>
#include <stdlib.h>

#include "base/time.h"
#include "flow/call.h"
#include "flow/pieces.h"
#include "flow/rewrap.h"

enum {
	BUDGET_US = 2000000,
	MEMORY = 64 * 1024 * 1024,
	SCAN_KEYS = 1024,
	SCAN_ROWS = 32, /* of at most a payload each */
	CLASSES = KEY_COUNTS,
	CURSOR_ROOM = 64,
};

struct looking {
	struct lane *l;
	const struct keeper_last *last;
	struct arena a, lists;
	int64_t until;
	bool exact;
	struct old_keys old;
	uint64_t keys[CLASSES], olds[CLASSES], rows;
};

static const char *const class_name[CLASSES] = {
    [SEAL_CLASS_OBJECT] = "object",
    [SEAL_CLASS_ALERT] = "alert",
    [SEAL_CLASS_PAYLOAD] = "payload",
    [SEAL_CLASS_INCIDENT] = "incident",
    [SEAL_CLASS_PERSON] = "person",
    [SEAL_CLASS_AUDIT] = "audit",
    [SEAL_CLASS_REPLY] = "reply",
    [SEAL_CLASS_INDEX] = "index",
    [SEAL_CLASS_TOKEN] = "token",
    [SEAL_CLASS_CURSOR] = "cursor",
    [SEAL_CLASS_BACKUP] = "backup",
    [SEAL_CLASS_SECRET] = "secret",
};

const char *
rotate_class_name(unsigned class)
{
	return class < CLASSES && class_name[class] != NULL ? class_name[class]
							    : "unknown";
}

static bool
time_left(struct looking *k)
{
	if (time_mono_us() < k->until)
		return true;
	k->exact = false;
	return false;
}

/* ---- project keys ---- */

void
rotate_roots(const struct keeper_last *last, struct jw *w)
{
	jw_kobj(w, "root");
	jw_karr(w, "keys");
	for (size_t i = 0; i < last->roots; i++) {
		jw_obj(w);
		jw_kstr(w, "id", str_c(last->root_ids[i]));
		jw_kbool(w, "primary", i == 0);
		jw_obj_end(w);
	}
	jw_arr_end(w);
	jw_obj_end(w);
}

/* The whole id of the root key a blob names by its first 4 bytes. */
static void
root_of(const struct looking *k, struct stored s, struct jw *w)
{
	char head[9] = "";
	uint32_t id = 0;

	if (err_ok(seal_key_id(s, &id)))
		(void)snprintf(head, sizeof head, "%08x", id);
	jw_name(w, STR("root"));
	for (size_t i = 0; i < k->last->roots; i++)
		if (strncmp(k->last->root_ids[i], head, 8) == 0) {
			jw_str(w, str_c(k->last->root_ids[i]));
			return;
		}
	jw_str(w, str_c(head));
}

static void
version_json(const struct looking *k, const struct project_key_row *row,
    struct jw *w)
{
	jw_obj(w);
	jw_ki64(w, "version", row->version);
	jw_time(w, "created_at", row->created);
	root_of(k, row->wrapped, w);
	jw_obj_end(w);
}

static err
projects_json(struct looking *k, struct jw *w)
{
	struct project_key_row *row;
	size_t n;

	TRY(store_project_keys(k->l->conn, &k->a, &row, &n));
	jw_karr(w, "projects");
	for (size_t i = 0; i < n; i++) {
		uint32_t number = row[i].project;
		const struct project *p =
		    world_project(k->l->snap->world, number);

		if (i == 0 || row[i - 1].project != number) {
			jw_obj(w);
			jw_ki64(w, "number", number);
			jw_kstr(w, "project", p == NULL ? STR_NONE : p->slug);
			jw_karr(w, "keys");
		}
		version_json(k, &row[i], w);
		if (i + 1 == n || row[i + 1].project != number) {
			jw_arr_end(w);
			jw_obj_end(w);
		}
	}
	jw_arr_end(w);
	return OK;
}

/* ---- data keys ---- */

static err
count_keys(struct looking *k)
{
	struct data_key_row *row;
	uint32_t after = 0;
	size_t n;

	do {
		arena_reset(&k->a);
		TRY(store_data_keys_after(k->l->conn, after, SCAN_KEYS, &k->a,
		    &row, &n));
		for (size_t i = 0; i < n; i++) {
			after = row[i].id;
			if (row[i].class >= CLASSES)
				continue;
			k->keys[row[i].class]++;
			if (old_keys_find(&k->old, row[i].id) != NULL)
				k->olds[row[i].class]++;
		}
	} while (n == SCAN_KEYS && time_left(k));
	return OK;
}

static void
keys_json(const struct looking *k, struct jw *w)
{
	jw_karr(w, "data_keys");
	for (size_t i = 0; i < CLASSES; i++) {
		if (k->keys[i] == 0)
			continue;
		jw_obj(w);
		jw_kstr(w, "class", str_c(rotate_class_name((unsigned)i)));
		jw_ki64(w, "keys", (int64_t)k->keys[i]);
		jw_ki64(w, "old", (int64_t)k->olds[i]);
		jw_obj_end(w);
	}
	jw_arr_end(w);
}

/* ---- rows that old keys seal ---- */

static err
count_rows(struct looking *k, enum seal_table table)
{
	char room[CURSOR_ROOM];
	struct str at = STR(""), next;
	struct sealed_row *row;
	uint32_t id;
	size_t n;

	do {
		arena_reset(&k->a);
		TRY(store_sealed_rows(k->l->conn, table, at, SCAN_ROWS, &k->a,
		    &row, &n, &next));
		for (size_t i = 0; i < n; i++)
			k->rows += err_ok(seal_key_id(row[i].stored, &id)) &&
			    old_keys_find(&k->old, id) != NULL;
		BUG_ON(next.n > sizeof room);
		memcpy(room, next.p, next.n);
		at = str_of(room, next.n);
	} while (n == SCAN_ROWS && time_left(k));
	return OK;
}

static err
waiting_json(struct looking *k, struct jw *w)
{
	enum seal_table table;

	for (size_t i = 0; k->old.n > 0 && store_sealed_table(i, &table); i++)
		if (!rewrap_subjects_only(table))
			TRY(count_rows(k, table));
	jw_kobj(w, "waiting");
	jw_ki64(w, "keys", (int64_t)k->old.n);
	jw_ki64(w, "rows", (int64_t)k->rows);
	jw_kbool(w, "exact", k->exact);
	jw_obj_end(w);
	return OK;
}

err
rotate_work(struct lane *l, struct jw *w)
{
	struct key_work *work = &l->state->key_work;
	struct reencryption at;
	bool running = atomic_load(&work->started) != 0;

	TRY(reencrypt_at(l->conn, &at));
	jw_name(w, STR("reencrypt"));
	if (at.below == 0) {
		jw_null(w);
		return OK;
	}
	jw_obj(w);
	jw_kbool(w, "running", running);
	jw_time(w, "started_at", at.started);
	jw_ki64(w, "rows_done",
	    (int64_t)(running ? atomic_load(&work->done) : at.done));
	jw_ki64(w, "rows_total", (int64_t)at.total);
	jw_obj_end(w);
	return OK;
}

static err
all(struct looking *k, struct jw *w)
{
	TRY(old_keys_list(k->l->snap, &k->lists, &k->old));
	rotate_roots(k->last, w);
	TRY(projects_json(k, w));
	TRY(count_keys(k));
	keys_json(k, w);
	TRY(waiting_json(k, w));
	return rotate_work(k->l, w);
}

err
rotate_count(struct lane *l, struct key_counts *ret)
{
	struct looking k = {.l = l,
	    .exact = true,
	    .until = time_mono_us() + BUDGET_US};
	err e;

	arena_init(&k.a, MEMORY);
	arena_init(&k.lists, MEMORY);
	e = old_keys_list(l->snap, &k.lists, &k.old);
	if (err_ok(e))
		e = count_keys(&k);
	memcpy(ret->keys, k.keys, sizeof ret->keys);
	memcpy(ret->old, k.olds, sizeof ret->old);
	ret->exact = k.exact;
	arena_done(&k.a);
	arena_done(&k.lists);
	return e;
}

err
rotate_status(struct lane *l, const struct keeper_last *last, struct jw *w)
{
	struct looking k = {.l = l,
	    .last = last,
	    .exact = true,
	    .until = time_mono_us() + BUDGET_US};
	err e;

	arena_init(&k.a, MEMORY);
	arena_init(&k.lists, MEMORY);
	e = all(&k, w);
	arena_done(&k.a);
	arena_done(&k.lists);
	return e;
}
