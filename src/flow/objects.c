/* objects.c: see objects.h. */
#include "flow/objects.h"

#include "base/limits.h"

struct seal_where
object_where(const struct object *o)
{
	/* an object's project is part of the sealed row's identity */
	struct seal_where w = {.table = SEAL_TABLE_OBJECT,
	    .schema = 1,
	    .project = o->project};

	seal_where_id(&w, &o->id);
	seal_where_num(&w, (uint64_t)o->kind);
	return w;
}

err
objects_put(struct store_conn *conn, struct keyring *ring, uint32_t key,
    struct arena *a, const struct object *o)
{
	struct seal_where where = object_where(o);
	struct object_row row = {
	    .kind = (uint8_t)o->kind,
	    .id = o->id,
	    .project = o->project,
	    .version = o->version,
	    .created = o->created,
	    .updated = o->updated,
	};
	const struct data_key *k;
	struct buf b;

	buf_init_on(&b, a, LIM_REPLY);
	object_encode(&b, o);
	TRY(buf_check(&b));
	TRY(keyring_get(ring, key, &k));
	TRY(seal_close(k, &where, buf_view(&b), a, &row.sealed));
	return store_object_put(conn, &row);
}

static err
load_one(struct keyring *ring, struct arena *a, const struct object_row *row,
    struct world_builder *b)
{
	struct object head = {
	    .kind = (enum object_kind)row->kind,
	    .id = row->id,
	    .project = row->project,
	    .version = row->version,
	    .created = row->created,
	    .updated = row->updated,
	};
	struct seal_where where = object_where(&head);
	const struct object *o;
	struct str text;

	TRY(keyring_open(ring, &where, row->stored, a, &text));
	TRY(object_decode(a, &head, text, &o));
	return world_builder_put(b, o);
}

err
objects_load(struct store_conn *conn, struct keyring *ring,
    struct world_builder *b)
{
	struct arena rows, one;
	struct object_row *row;
	size_t n;
	err e;

	arena_init(&rows, (size_t)1024 * 1024 * 1024);
	arena_init(&one, (size_t)16 * 1024 * 1024);
	e = store_objects(conn, &rows, &row, &n);
	for (size_t i = 0; err_ok(e) && i < n; i++) {
		e = load_one(ring, &one, &row[i], b);
		arena_reset(&one);
	}
	arena_done(&one);
	arena_done(&rows);
	return e;
}
