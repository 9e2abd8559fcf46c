/* admin.c: changing administrative objects, in the writer.  See call.h. */
#include "access/object.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/rand.h"
#include "flow/keys.h"
#include "flow/objects.h"
#include "flow/person.h"
#include "flow/writer.h"

void
admin_new(struct call *c, enum object_kind kind, uint32_t project,
    struct object *ret)
{
	*ret = (struct object){
	    .kind = kind,
	    .id = rand_uuid(c->now),
	    .project = project,
	    .version = 1,
	    .created = c->now,
	    .updated = c->now,
	};
}

void
admin_touch(struct call *c, struct object *o)
{
	o->version++;
	o->updated = c->now;
}

err
admin_copy(struct call *c, const struct object *o, const struct object **ret)
{
	struct buf b;

	buf_init_on(&b, c->a, LIM_REPLY);
	object_encode(&b, o);
	TRY(buf_check(&b));
	return object_decode(c->a, o, buf_view(&b), ret);
}

/* The world after one put or remove. */
static err
changed(const struct world *from, const struct object *put,
    enum object_kind kind, const struct uuid *remove, struct world **ret)
{
	struct world_builder *b;
	err e;

	TRY(world_builder_from(from, &b));
	if (put != NULL) {
		e = world_builder_put(b, put);
		if (!err_ok(e)) {
			(void)world_builder_free(b);
			return e;
		}
	}
	if (remove != NULL)
		world_builder_remove(b, kind, remove);
	return world_builder_done(b, ret);
}

err
admin_preview(struct call *c, const struct object *put,
    enum object_kind remove_kind, const struct uuid *remove, struct world **ret)
{
	return changed(call_world(c), put, remove_kind, remove, ret);
}

/* Let this batch see the world; consumes the reference. */
static err
see(struct lane *l, struct world *w)
{
	struct snap *old = l->snap, *s;
	err e = snap_new(old->version + 1, w, old->keys, old->class_keys,
	    old->class_keys_n, &s);

	(void)world_unref(w);
	TRY(e);
	writer_snap(l->writer, s);
	return OK;
}

err
admin_put(struct call *c, const struct object *o)
{
	c->dirty = true;
	return lane_put(c->lane, c->a, o);
}

err
lane_put(struct lane *l, struct arena *a, const struct object *o)
{
	uint32_t key;
	struct world *w;
	err e;

	TRY(person_object_key(l, a, o, &key));
	TRY(changed(l->snap->world, o, o->kind, NULL, &w));
	/* o may point into the world that see() lets go of */
	e = objects_put(l->conn, l->ring, key, a, o);
	if (!err_ok(e)) {
		(void)world_unref(w);
		return e;
	}
	return see(l, w);
}

/* The row, and what is kept of its use. */
static err
delete_row(struct lane *l, enum object_kind kind, const struct uuid *id)
{
	struct token_id used = {*id};

	if (kind == OBJECT_TOKEN || kind == OBJECT_SESSION ||
	    kind == OBJECT_DELEGATE) {
		TRY(store_token_used_delete(l->conn, &used));
		writer_forget(l->writer, id);
	}
	return store_object_delete(l->conn, (uint8_t)kind, id);
}

err
admin_remove(struct call *c, enum object_kind kind, const struct uuid *id)
{
	struct uuid copy = *id; /* it may lie in the world that goes */

	return admin_remove_all(c, kind, &copy, 1);
}

err
admin_remove_all(struct call *c, enum object_kind kind, const struct uuid *id,
    size_t n)
{
	if (n == 0)
		return OK;
	c->dirty = true;
	return lane_remove_all(c->lane, kind, id, n);
}

err
lane_remove_all(struct lane *l, enum object_kind kind, const struct uuid *id,
    size_t n)
{
	struct world_builder *b;
	struct world *w;

	TRY(world_builder_from(l->snap->world, &b));
	for (size_t i = 0; i < n; i++)
		world_builder_remove(b, kind, &id[i]);
	TRY(world_builder_done(b, &w));
	TRY(see(l, w));
	for (size_t i = 0; i < n; i++)
		TRY(delete_row(l, kind, &id[i]));
	return OK;
}

err
admin_project_number(struct call *c, uint32_t *ret)
{
	const struct object *const *o;
	struct project_key_row *row;
	uint64_t last = 0;
	struct str high;
	uint32_t max = 0;
	size_t n;
	err e;

	/* the number of a deleted project is never used again */
	e = store_meta_get(c->lane->conn, "projects.high", c->a, &high);
	if (err_ok(e) && str_u64(high, 0, UINT32_MAX, &last))
		max = (uint32_t)last;
	else if (!err_is(e, E_NOT_FOUND))
		return err_ok(e) ? err_of(E_CORRUPT) : e;
	TRY(store_project_keys(c->lane->conn, c->a, &row, &n));
	for (size_t i = 0; i < n; i++)
		max = row[i].project > max ? row[i].project : max;
	o = world_objects(call_world(c), OBJECT_PROJECT, &n);
	for (size_t i = 0; i < n; i++)
		max = o[i]->project > max ? o[i]->project : max;
	*ret = max + 1;
	return OK;
}

/* A snapshot with one more project key. */
static err
with_key(struct call *c, uint32_t project, const uint8_t key[SECRET_SIZE],
    struct snap **ret)
{
	struct snap *old = c->lane->snap;
	struct project_keys *keys = project_keys_clone(old->keys);
	err e;

	if (keys == NULL)
		return err_of(E_NO_MEMORY);
	e = project_keys_add(keys, project, 1, key);
	if (err_ok(e))
		e = snap_new(old->version + 1, old->world, keys,
		    old->class_keys, old->class_keys_n, ret);
	(void)project_keys_unref(keys);
	return e;
}

/* A snapshot with more class keys. */
static err
with_classes(struct call *c, const struct class_key *more, size_t n,
    struct snap **ret)
{
	struct snap *old = c->lane->snap;
	size_t all = old->class_keys_n + n;
	struct class_key *ck = arena_array(c->a, all, sizeof *ck);

	if (ck == NULL)
		return err_of(E_NO_MEMORY);
	memcpy(ck, old->class_keys, old->class_keys_n * sizeof *ck);
	memcpy(ck + old->class_keys_n, more, n * sizeof *ck);
	return snap_new(old->version + 1, old->world, old->keys, ck, all, ret);
}

err
admin_project_keys(struct call *c, uint32_t project)
{
	struct desk *d = writer_desk(c->lane->writer);
	struct class_key made[KEYS_CLASSES];
	uint8_t key[SECRET_SIZE];
	struct buf wrapped;
	struct snap *s;
	uint32_t id;
	size_t n;
	err e;

	c->dirty = true;
	buf_init_on(&wrapped, c->a, LIM_IPC);
	TRY(keeper_key_new(writer_keeper(c->lane->writer), project, 1, key,
	    &wrapped));
	e = with_key(c, project, key, &s);
	mem_wipe(key, sizeof key);
	TRY(e);
	writer_snap(c->lane->writer, s);
	TRY(keys_store_project(c->lane->conn, project, 1, c->now,
	    buf_view(&wrapped)));
	id = desk_key_id(d) - 1;
	TRY(keys_make_classes(c->lane->conn, c->lane->ring, project, 1, &id,
	    c->a, made, &n));
	while (desk_key_id(d) < id)
		continue; /* those numbers are taken now */
	TRY(with_classes(c, made, n, &s));
	writer_snap(c->lane->writer, s);
	return OK;
}
