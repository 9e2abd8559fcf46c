/*
 * admin_witnesses.c: /v1/audit/witnesses: whose cosignatures of the audit log
 * are taken and shown.  A witness is its key: it is registered or removed,
 * never changed.
 */
#include "base/limits.h"
#include "flow/admin_body.h"
#include "flow/cosigned.h"
#include "flow/handlers.h"
#include "store/cosignature.h"

/* ---- answers ---- */

static void
last_json(struct call *c, struct jw *w, const struct uuid *id)
{
	struct cosignature_row r;
	struct scratch s;

	jw_name(w, STR("last"));
	scratch_begin(c, &s);
	if (err_ok(store_cosignature_last(c->lane->conn, id, c->a, &r))) {
		jw_obj(w);
		jw_ki64(w, "size", (int64_t)r.size);
		jw_time(w, "time", r.time);
		jw_obj_end(w);
	} else {
		jw_null(w);
	}
	scratch_end(c, &s);
}

static void
render(struct call *c, struct jw *w, const struct object *o)
{
	const struct witness_object *x = (const struct witness_object *)o;

	jw_obj(w);
	jw_uuid(w, "id", &x->o.id);
	jw_kstr(w, "name", x->name);
	jw_kstr(w, "key", x->key);
	jw_uuid(w, "created_by", &x->created_by.u);
	last_json(c, w, &x->o.id);
	times_json(w, &x->o);
	jw_obj_end(w);
}

static bool
wanted(struct call *c, const struct object *o)
{
	(void)c;
	(void)o;
	return true;
}

err
route_witness_list(struct call *c)
{
	return list_objects(c, OBJECT_WITNESS, wanted, render);
}

static err
find(struct call *c, const struct witness_object **ret)
{
	struct uuid id;

	TRY(call_uuid(c, 0, &id));
	*ret = world_witness(call_world(c), &id);
	if (*ret == NULL)
		return err_of(E_NOT_FOUND);
	call_touch(c, "witness", &id);
	return OK;
}

err
route_witness_get(struct call *c)
{
	const struct witness_object *x;

	TRY(find(c, &x));
	return answer_object(c, 200, &x->o, render);
}

/* ---- changing ---- */

/* A name stands for one key: the log's, a delegate's or one witness's. */
static err
name_free(struct call *c, struct str name)
{
	const struct object *const *o;
	size_t n;

	if (str_starts(name, STR("redoubt-delegate/")))
		return call_bad(c, E_INVALID,
		    "key: delegates are witnesses by themselves");
	o = world_objects(call_world(c), OBJECT_WITNESS, &n);
	for (size_t i = 0; i < n; i++)
		if (str_eq(((const struct witness_object *)o[i])->name, name))
			return err_of(E_EXISTS);
	return OK;
}

err
route_witness_create(struct call *c)
{
	struct witness_object x = {.created_by = {c->actor->id}};
	struct note_key key;

	x.key = body_text(c, "key", STR(""));
	if (!err_ok(note_witness_parse(x.key, &key)))
		return call_bad(c, E_INVALID,
		    "key: the verifier key of a witness (cosignature/v1), as "
		    "redoubt audit witness --init prints it");
	x.name = arena_dup(c->a, str_c(key.name));
	TRY(name_free(c, x.name));
	TRY(room_for(c, OBJECT_WITNESS, LIM_WITNESSES));
	admin_new(c, OBJECT_WITNESS, 0, &x.o);
	c->rec.body = c->req->body;
	call_touch(c, "witness", &x.o.id);
	TRY(admin_put(c, &x.o));
	return answer_created(c, "/v1/audit/witnesses", &x.o, render);
}

err
route_witness_delete(struct call *c)
{
	const struct witness_object *x;
	struct uuid id;

	TRY(find(c, &x));
	TRY(call_match(c, x->o.version));
	id = x->o.id;
	TRY(store_cosignature_forget(c->lane->conn, &id));
	TRY(admin_remove(c, OBJECT_WITNESS, &id));
	answer_empty(c, 204);
	return OK;
}
