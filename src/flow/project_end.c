/* project_end.c: see project_end.h. */
#include "flow/project_end.h"

#include <stdio.h>

#include "base/limits.h"
#include "flow/pieces.h"
#include "flow/shredder.h"
#include "flow/task_job.h"
#include "flow/writer.h"
#include "seal/meter.h"
#include "store/cosignature.h"
#include "store/retention.h"
#include "store/run.h"
#include "store/runbook.h"

enum { PIECE_RUNS = 64, ROWS_MAX = 20000 };

/* ---- what is of it ---- */

static err
end_runs(struct call *c, uint32_t project)
{
	struct run_filter f = {.project = project};
	struct run_row *row;
	uint64_t rows = 0;
	size_t n;

	do {
		TRY(store_run_list(c->lane->conn, &f, PIECE_RUNS, c->a, &row,
		    &n));
		for (size_t i = 0; i < n; i++) {
			if (row[i].ended == 0)
				return call_bad(c, E_CONFLICT,
				    "a run of it has not ended");
			TRY(store_run_delete(c->lane->conn, &row[i].id, &rows));
		}
		if (rows > ROWS_MAX)
			return call_bad(c, E_CONFLICT,
			    "it has too many runs: let retention destroy them "
			    "first");
	} while (n == PIECE_RUNS);
	return OK;
}

/* The first object of a kind in the project, copied; false: none left. */
bool
project_first(const struct call *c, enum object_kind kind, uint32_t project,
    struct uuid *ret)
{
	const struct object *const *o;
	size_t n;

	o = world_objects(call_world(c), kind, &n);
	for (size_t i = 0; i < n; i++)
		if (o[i]->project == project) {
			*ret = o[i]->id;
			return true;
		}
	return false;
}

static err
end_automation(struct call *c, uint32_t project)
{
	struct uuid id;
	err e;

	while (project_first(c, OBJECT_DELEGATE, project, &id)) {
		TRY(tasks_drop(c->lane, &id, c->now, c->a));
		TRY(store_cosignature_forget(c->lane->conn, &id));
		TRY(admin_remove(c, OBJECT_DELEGATE, &id));
	}
	while (project_first(c, OBJECT_TRIGGER, project, &id)) {
		TRY(admin_remove(c, OBJECT_TRIGGER, &id));
		e = store_trigger_delete(c->lane->conn, &id);
		if (!err_ok(e) && !err_is(e, E_NOT_FOUND))
			return e;
	}
	while (project_first(c, OBJECT_RUNBOOK, project, &id)) {
		e = store_version_delete(c->lane->conn, &id);
		if (!err_ok(e) && !err_is(e, E_NOT_FOUND))
			return e;
		TRY(admin_remove(c, OBJECT_RUNBOOK, &id));
	}
	while (project_first(c, OBJECT_FREEZE, project, &id))
		TRY(admin_remove(c, OBJECT_FREEZE, &id));
	while (project_first(c, OBJECT_HOLD, project, &id)) /* released ones */
		TRY(admin_remove(c, OBJECT_HOLD, &id));
	return OK;
}

/* ---- keys, and what they seal ---- */

static err
end_rows(struct call *c, uint32_t key)
{
	static const enum seal_table table[] = {SEAL_TABLE_DELIVERY,
	    SEAL_TABLE_HAPPENING, SEAL_TABLE_TASK, SEAL_TABLE_RUN_LOG};
	uint64_t n;

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		TRY(store_keyed_delete(c->lane->conn, table[i], key, ROWS_MAX,
		    &n));
		if (n == ROWS_MAX)
			return call_bad(c, E_CONFLICT,
			    "it has too many deliveries: let retention destroy "
			    "them first");
	}
	return OK;
}

static err
end_classes(struct call *c, uint32_t project, struct class_key *ret,
    size_t *ret_n)
{
	const struct snap *s = c->lane->snap;
	size_t n = 0;

	for (size_t i = 0; i < s->class_keys_n; i++) {
		const struct class_key *k = &s->class_keys[i];

		if (k->project != project) {
			ret[n++] = *k;
			continue;
		}
		TRY(store_data_key_delete(c->lane->conn, k->id));
		keyring_forget(c->lane->ring, k->id);
		meters_forget(c->lane->state->meters, k->id);
		TRY(end_rows(c, k->id));
	}
	*ret_n = n;
	return OK;
}

/* The number is remembered: it is part of what blobs are bound to, and is
 * never given again. */
static err
end_versions(struct call *c, uint32_t project, struct project_keys *keys)
{
	struct project_key_row *row;
	uint32_t next;
	char text[16];
	size_t n;

	TRY(admin_project_number(c, &next));
	(void)snprintf(text, sizeof text, "%u", next - 1);
	TRY(store_meta_set(c->lane->conn, "projects.high", str_c(text)));
	TRY(store_project_keys(c->lane->conn, c->a, &row, &n));
	for (size_t i = 0; i < n; i++) {
		if (row[i].project != project)
			continue;
		TRY(store_project_key_delete(c->lane->conn, project,
		    row[i].version));
		project_keys_remove(keys, project, row[i].version);
	}
	return OK;
}

static err
end_keys(struct call *c, uint32_t project)
{
	struct project_keys *keys = project_keys_clone(c->lane->snap->keys);
	struct class_key *ck =
	    arena_array(c->a, c->lane->snap->class_keys_n + 1, sizeof *ck);
	size_t n = 0;
	err e = arena_check(c->a);

	if (keys == NULL)
		return err_of(E_NO_MEMORY);
	if (err_ok(e))
		e = end_classes(c, project, ck, &n);
	if (err_ok(e))
		e = end_versions(c, project, keys);
	if (err_ok(e))
		e = pieces_see(c->lane, keys, ck, n);
	(void)project_keys_unref(keys);
	return e;
}

err
project_end(struct call *c, uint32_t project)
{
	c->dirty = true;
	TRY(end_runs(c, project));
	TRY(end_automation(c, project));
	TRY(end_keys(c, project));
	/* the store's log is cut, and that is put on record, soon */
	TRY(store_meta_set(c->lane->conn, "retention.unfolded", STR("1")));
	shredder_wake(c->lane->state->shredder);
	return OK;
}
