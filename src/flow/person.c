/* person.c: see person.h. */
#include "flow/person.h"

#include "flow/holds.h"
#include "flow/keys.h"
#include "flow/writer.h"
#include "store/retention.h"

enum { TEND_MAX = 64, TEND_LOGINS = 256, FOLDS = 2 };

/* ---- keys ---- */

/* Of the user's row; E_NOT_FOUND: it has none, or it is everybody's. */
static err
key_of(struct lane *l, struct arena *a, const struct uuid *user, uint32_t *ret)
{
	struct data_key_row k;
	struct stored row;
	uint32_t key;

	TRY(store_object_sealed(l->conn, OBJECT_USER, user, a, &row));
	TRY(seal_key_id(row, &key));
	TRY(store_data_key_get(l->conn, key, a, &k));
	if (k.class != SEAL_CLASS_PERSON)
		return err_of(E_NOT_FOUND);
	*ret = key;
	return OK;
}

static err
key_new(struct lane *l, struct arena *a, const struct uuid *user, uint32_t *ret)
{
	uint32_t id = desk_key_id(writer_desk(l->writer));
	struct wrapped_key wrapped;
	const struct data_key *k;
	struct data_key_row row;

	TRY(keyring_make(l->ring, id, 0, SEAL_CLASS_PERSON, user, 1, a,
	    &wrapped, &k));
	row = (struct data_key_row){
	    .id = id,
	    .version = wrapped.version,
	    .class = SEAL_CLASS_PERSON,
	    .has_subject = true,
	    .subject = *user,
	    .term = 1,
	    .wrapped = wrapped.wrapped,
	};
	*ret = id;
	return store_data_key_put(l->conn, &row);
}

static const struct uuid *
person_of(const struct object *o)
{
	switch (o->kind) {
	case OBJECT_USER:
		return &o->id;
	case OBJECT_PREFERENCES:
		return &o->id; /* the user's own */
	case OBJECT_IDENTITY:
		return &((const struct identity *)o)->user;
	case OBJECT_CREDENTIAL:
		return &((const struct credential *)o)->user;
	case OBJECT_SESSION:
		return &((const struct session *)o)->user;
	default:
		return NULL;
	}
}

err
person_object_key(struct lane *l, struct arena *a, const struct object *o,
    uint32_t *ret)
{
	const struct uuid *user = person_of(o);
	bool is_user = o->kind == OBJECT_USER;
	err e;

	*ret = snap_class_key(l->snap, 0, SEAL_CLASS_OBJECT);
	if (user == NULL ||
	    (is_user && ((const struct user *)o)->anonymized != 0))
		return OK;
	e = key_of(l, a, user, ret);
	if (!err_is(e, E_NOT_FOUND))
		return e;
	return is_user ? key_new(l, a, user, ret) : OK;
}

err
person_body(struct call *c, const struct uuid *user)
{
	err e = key_of(c->lane, c->a, user, &c->rec.body_key);

	c->rec.body = c->req->body;
	return err_is(e, E_NOT_FOUND) ? OK : e;
}

/* ---- forgetting ---- */

err
person_free(struct call *c)
{
	return hold_refuse(c, hold_any(call_world(c), c->now));
}

err
person_forget(struct call *c, const struct uuid *user)
{
	uint32_t key, kin[KEYS_KIN];
	uint64_t rows;
	size_t n;
	err e = key_of(c->lane, c->a, user, &key);

	if (err_is(e, E_NOT_FOUND))
		return OK;
	TRY(e);
	TRY(keys_kin(c->lane->conn, key, kin, &n));
	for (size_t i = 0; i < n; i++)
		TRY(store_keyed_delete(c->lane->conn, SEAL_TABLE_AUDIT, kin[i],
		    SIZE_MAX >> 1, &rows));
	TRY(keys_destroy(c->lane, kin, n, c->a));
	atomic_store(&c->lane->state->fold_whole, FOLDS);
	return OK;
}

/* ---- users of older stores ---- */

bool
person_tended(const struct uuid *at)
{
	static const struct uuid end = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

	return uuid_eq(at, &end);
}

/* The objects of a user once more, under the user's key. */
static err
seal_logins(struct lane *l, struct arena *a, const struct uuid *user)
{
	const struct identity *const *i;
	const struct credential *const *k;
	size_t n = 1;

	for (size_t at = 0; at < n && at < TEND_LOGINS; at++) {
		i = world_identities_of(l->snap->world, user, &n);
		if (at < n)
			TRY(lane_put(l, a, &i[at]->o));
	}
	n = 1;
	for (size_t at = 0; at < n && at < TEND_LOGINS; at++) {
		k = world_credentials_of(l->snap->world, user, &n);
		if (at < n)
			TRY(lane_put(l, a, &k[at]->o));
	}
	return OK;
}

static err
tend_one(struct lane *l, struct arena *a, const struct user *u)
{
	struct uuid id = u->o.id;
	uint32_t key;
	err e;

	if (u->anonymized != 0)
		return OK;
	e = key_of(l, a, &id, &key);
	if (!err_is(e, E_NOT_FOUND))
		return e;
	TRY(lane_put(l, a, &u->o));
	return seal_logins(l, a, &id);
}

err
person_tend(struct lane *l, void *arg)
{
	struct uuid *at = arg, id[TEND_MAX];
	const struct object *const *o;
	size_t n, some = 0;
	struct arena a;
	err e = OK;

	o = world_objects(l->snap->world, OBJECT_USER, &n);
	for (size_t i = 0; i < n && some < TEND_MAX; i++)
		if (memcmp(o[i]->id.b, at->b, sizeof at->b) > 0)
			id[some++] = o[i]->id;
	arena_init(&a, (size_t)16 * 1024 * 1024);
	for (size_t i = 0; i < some && err_ok(e); i++) {
		e = tend_one(l, &a, world_user(l->snap->world, &id[i]));
		arena_reset(&a);
	}
	arena_done(&a);
	TRY(e);
	if (some == TEND_MAX)
		*at = id[some - 1];
	else
		memset(at->b, 0xff, sizeof at->b);
	return OK;
}

/* ---- names ---- */

/* Where `what` is in s; quotes inside strings are escaped, so a name with its
 * quotes is found as a member only. */
static bool
cut_at(struct str s, struct str what, struct str *ret_head,
    struct str *ret_rest)
{
	const char *p = memmem(s.p, s.n, what.p, what.n);

	if (p == NULL)
		return false;
	*ret_head = str_head(s, (size_t)(p - s.p));
	*ret_rest = str_skip(s, (size_t)(p - s.p) + what.n);
	return true;
}

err
person_named(struct call *c, struct str item, struct str *ret)
{
	const struct str mark = STR(",\"actor\":{\"kind\":\"user\",\"id\":\"");
	struct str head, id, rest, tail;
	struct uuid user;
	struct buf b;
	struct jw w;

	*ret = item;
	if (!cut_at(item, mark, &head, &rest) ||
	    !uuid_parse(str_head(rest, UUID_TEXT), &user) ||
	    !cut_at(rest, STR("},\"source\":"), &id, &tail))
		return OK;
	buf_init_on(&b, c->a, item.n + 4096);
	buf_str(&b, head);
	buf_str(&b, mark);
	buf_str(&b, str_head(rest, UUID_TEXT));
	buf_c(&b, "\",\"name\":");
	jw_init(&w, &b);
	jw_str(&w, world_principal_name(call_world(c), PRINCIPAL_USER, &user));
	buf_c(&b, "},\"source\":");
	buf_str(&b, tail);
	*ret = buf_view(&b);
	return buf_check(&b);
}
