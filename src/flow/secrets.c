/* secrets.c: see secrets.h and secret_care.h. */
#include "flow/secrets.h"

#include "base/limits.h"
#include "flow/holds.h"
#include "flow/keys.h"
#include "flow/secret_care.h"
#include "flow/writer.h"
#include "store/secret.h"

enum { TEND_MAX = 64 };

static const struct json_limits versions_limits = {
    .depth = 4,
    .members = 16,
    .values = LIM_SECRET_VERSIONS * (LIM_SECRET_BOXES + 16),
};
/* Of one version: data and boxes. */
static const struct json_limits text_limits = {
    .depth = 4,
    .members = 16,
    .values = LIM_SECRET_BOXES * 8 + 16,
};

#define REFUSE(t, ...) (trail_set((t), __VA_ARGS__), err_of(E_SECRET))

/* ---- what an object says of its versions ---- */

static bool
number_of(const struct json *j, const char *name, int64_t max, int64_t *ret)
{
	return json_i64(json_get(j, str_c(name)), 0, max, ret);
}

static bool
ids_of(struct arena *a, const struct json *j, struct secret_version *v)
{
	struct uuid *id;

	if (j == NULL || j->kind != JSON_ARRAY)
		return false;
	id = arena_array(a, j->count + 1, sizeof *id);
	if (id == NULL)
		return false;
	v->to = id;
	for (j = json_first(j); j != NULL; j = j->next)
		if (!uuid_parse(j->text, &id[v->to_n++]))
			return false;
	return true;
}

static bool
version_of(struct arena *a, const struct json *j, struct secret_version *v)
{
	int64_t n, key;

	if (!number_of(j, "n", UINT32_MAX, &n) ||
	    !number_of(j, "key", UINT32_MAX, &key) ||
	    !number_of(j, "at", INT64_MAX, &v->at) ||
	    !number_of(j, "until", INT64_MAX, &v->until) ||
	    !uuid_parse(json_str_at(j, STR("by")), &v->by))
		return false;
	v->number = (uint32_t)n;
	v->key = (uint32_t)key;
	return ids_of(a, json_get(j, STR("to")), v);
}

err
secret_versions(struct arena *a, const struct secret_object *s,
    struct secret_version **ret, size_t *ret_n)
{
	struct secret_version *v;
	const struct json *j;
	size_t n = 0;

	*ret_n = 0;
	*ret = NULL;
	if (s->versions.n == 0)
		return OK;
	TRY(json_parse(a, s->versions, &versions_limits, NULL, &j));
	v = arena_array(a, j->count + 1, sizeof *v);
	TRY(arena_check(a));
	for (j = json_first(j); j != NULL; j = j->next)
		if (!version_of(a, j, &v[n++]))
			return err_of(E_CORRUPT);
	*ret = v;
	*ret_n = n;
	return arena_check(a);
}

static void
id_text(struct jw *w, const struct uuid *u)
{
	char text[UUID_TEXT + 1];

	uuid_text(u, text);
	jw_str(w, str_of(text, UUID_TEXT));
}

static void
version_json(struct jw *w, const struct secret_version *v)
{
	jw_obj(w);
	jw_ki64(w, "n", v->number);
	jw_ki64(w, "key", v->key);
	jw_ki64(w, "at", v->at);
	jw_ki64(w, "until", v->until);
	jw_name(w, STR("by"));
	id_text(w, &v->by);
	jw_karr(w, "to");
	for (size_t i = 0; i < v->to_n; i++)
		id_text(w, &v->to[i]);
	jw_arr_end(w);
	jw_obj_end(w);
}

err
secret_versions_put(struct arena *a, const struct secret_version *v, size_t n,
    struct secret_object *s)
{
	struct buf b;
	struct jw w;

	buf_init_on(&b, a, LIM_REPLY);
	jw_init(&w, &b);
	jw_arr(&w);
	s->next_end = 0;
	for (size_t i = 0; i < n; i++) {
		version_json(&w, &v[i]);
		if (v[i].until != 0 &&
		    (s->next_end == 0 || v[i].until < s->next_end))
			s->next_end = v[i].until;
	}
	jw_arr_end(&w);
	s->versions = buf_view(&b);
	return buf_check(&b);
}

bool
secret_ref_parse(struct str ref, struct str *ret_name, uint32_t *ret_version)
{
	struct str number;
	uint64_t n = 0;

	if (str_cut(ref, '@', ret_name, &number) &&
	    !str_u64(number, 1, UINT32_MAX, &n))
		return false;
	*ret_version = (uint32_t)n;
	return ret_name->n > 0;
}

/* ---- the store ---- */

static struct seal_where
where_of(uint32_t key, uint32_t project, const struct uuid *secret)
{
	struct seal_where w = {.table = SEAL_TABLE_SECRET,
	    .schema = 1,
	    .project = project};

	seal_where_id(&w, secret);
	seal_where_num(&w, key);
	return w;
}

err
secret_seal(struct lane *l, const struct secret_object *s, struct str text,
    struct arena *a, uint32_t *ret_key)
{
	struct desk *d = writer_desk(l->writer);
	struct secret_row row = {.key = desk_key_id(d),
	    .project = s->o.project,
	    .secret = s->o.id};
	struct seal_where where = where_of(row.key, row.project, &row.secret);
	struct wrapped_key wrapped;
	const struct data_key *k;
	struct data_key_row key;

	TRY(keyring_make(l->ring, row.key, row.project, SEAL_CLASS_SECRET,
	    &s->o.id, 1, a, &wrapped, &k));
	key = (struct data_key_row){
	    .id = row.key,
	    .project = row.project,
	    .version = wrapped.version,
	    .class = SEAL_CLASS_SECRET,
	    .has_subject = true,
	    .subject = s->o.id,
	    .term = 1,
	    .wrapped = wrapped.wrapped,
	};
	TRY(store_data_key_put(l->conn, &key));
	TRY(seal_close(k, &where, text, a, &row.sealed));
	TRY(store_secret_put(l->conn, &row));
	*ret_key = row.key;
	return OK;
}

err
secret_destroy(struct lane *l, uint32_t key)
{
	struct secret_row row;
	uint32_t id, kin[KEYS_KIN];
	struct arena a;
	size_t n;
	err e;

	arena_init(&a, (size_t)LIM_SECRET_DATA * 8 + LIM_ARENA);
	e = store_secret_get(l->conn, key, &a, &row);
	if (err_ok(e))
		e = seal_key_id(row.stored, &id);
	if (err_ok(e))
		e = keys_kin(l->conn, id, kin, &n);
	if (err_ok(e))
		e = keys_destroy(l, kin, n, &a);
	if (err_ok(e))
		e = store_secret_delete(l->conn, key);
	arena_done(&a);
	return e;
}

err
secret_destroy_all(struct lane *l, const struct secret_object *s,
    struct arena *a)
{
	struct secret_version *v;
	size_t n;

	TRY(secret_versions(a, s, &v, &n));
	for (size_t i = 0; i < n; i++)
		TRY(secret_destroy(l, v[i].key));
	return OK;
}

/* ---- using ---- */

static bool
in_list(const struct str *list, size_t n, struct str slug)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(list[i], slug))
			return true;
	return false;
}

/* A list that is there lets in who is on it; a secret with neither is for all
 * runbooks and connectors of the project.  One list alone is meant to be
 * all: what is not of its kind is not let in. */
static err
allowed(const struct secret_object *s, const struct secret_user *by,
    struct trail *t)
{
	if (s->runbooks_n == 0 && s->connectors_n == 0)
		return OK;
	if (by->connector.n > 0 &&
	    in_list(s->connectors, s->connectors_n, by->connector))
		return OK;
	if (by->connector.n == 0 &&
	    in_list(s->runbooks, s->runbooks_n, by->runbook))
		return OK;
	return REFUSE(t, "secret %.*s is not for %s %.*s", STR_ARG(s->name),
	    by->connector.n > 0 ? "connector" : "runbook",
	    STR_ARG(by->connector.n > 0 ? by->connector : by->runbook));
}

static err
find(const struct world *w, uint32_t project, struct str ref,
    const struct secret_user *by, struct trail *t,
    const struct secret_object **ret, uint32_t *ret_version)
{
	const struct secret_object *s = NULL;
	struct str name;

	if (secret_ref_parse(ref, &name, ret_version))
		s = world_secret_name(w, project, name);
	if (s == NULL) {
		trail_set(t, "there is no secret %.*s", STR_ARG(ref));
		return err_of(E_NOT_FOUND);
	}
	TRY(allowed(s, by, t));
	*ret = s;
	return OK;
}

err
secret_refers(const struct world *w, uint32_t project, struct str ref,
    const struct secret_user *by, struct trail *t)
{
	const struct secret_object *s;
	uint32_t version;

	TRY(find(w, project, ref, by, t, &s, &version));
	if (s->external.n == 0 && s->last == 0)
		return REFUSE(t, "secret %.*s has no value", STR_ARG(ref));
	if (version > s->last || (version > 0 && s->external.n > 0)) {
		trail_set(t, "there is no secret %.*s", STR_ARG(ref));
		return err_of(E_NOT_FOUND);
	}
	return OK;
}

/* The version wanted, or the newest, that is live now. */
static const struct secret_version *
pick(const struct secret_version *v, size_t n, uint32_t wanted, int64_t now)
{
	for (size_t i = 0; i < n; i++)
		if ((wanted == 0 || v[i].number == wanted) &&
		    (v[i].until == 0 || v[i].until > now))
			return &v[i];
	return NULL;
}

/* Its data, and the box for that delegate. */
static err
unpack(struct arena *a, struct str text, const struct uuid *delegate,
    struct secret_use *ret)
{
	const struct json *j, *box;
	struct uuid id;

	TRY(json_parse(a, text, &text_limits, NULL, &j));
	ret->data = json_str_at(j, STR("data"));
	box = json_get(j, STR("boxes"));
	for (box = json_first(box); box != NULL; box = box->next)
		if (uuid_parse(json_str_at(box, STR("delegate")), &id) &&
		    uuid_eq(&id, delegate))
			ret->box = json_str_at(box, STR("box"));
	return OK;
}

err
secret_boxes(struct lane *l, uint32_t project, struct str ref,
    const struct secret_user *by, const struct uuid *delegate, int64_t now,
    struct arena *a, struct trail *t, struct secret_use *ret)
{
	const struct secret_version *v;
	const struct secret_object *s;
	struct secret_version *all;
	struct secret_row row;
	struct seal_where where;
	struct str text;
	uint32_t wanted;
	size_t n;

	TRY(find(l->snap->world, project, ref, by, t, &s, &wanted));
	*ret = (struct secret_use){.id = s->o.id,
	    .name = arena_dup(a, s->name),
	    .external = arena_dup(a, s->external)};
	if (s->external.n > 0)
		return arena_check(a);
	TRY(secret_versions(a, s, &all, &n));
	v = pick(all, n, wanted, now);
	if (v == NULL) {
		trail_set(t, "there is no live secret %.*s", STR_ARG(ref));
		return err_of(E_NOT_FOUND);
	}
	TRY(store_secret_get(l->conn, v->key, a, &row));
	where = where_of(v->key, project, &s->o.id);
	TRY(lane_open_sealed(l, &where, row.stored, a, &text));
	ret->version = v->number;
	TRY(unpack(a, text, delegate, ret));
	if (ret->box.n == 0)
		return REFUSE(t,
		    "secret %.*s is not sealed to that delegate: set it anew",
		    STR_ARG(ref));
	return OK;
}

err
secret_used(struct lane *l, const struct secret_use *u, uint32_t project,
    const struct uuid *run, const struct uuid *delegate, int64_t now,
    struct arena *a)
{
	struct record r = {.action = AUDIT_SECRET_USE,
	    .outcome = AUDIT_OK,
	    .project = project,
	    .resource = {{.type = "secret", .id = u->id},
		{.type = "run", .id = *run},
		{.type = "delegate", .id = *delegate}},
	    .resources = 3};

	return ledger_event(writer_ledger(l->writer), l, a, &r,
	    PRINCIPAL_DELEGATE, delegate, now);
}

/* ---- ending ---- */

bool
secret_past(const struct world *w, uint32_t project, int64_t until, int64_t now)
{
	int64_t days = retention_days(w, project, RETAIN_SECRET_VERSION);

	return days != RETAIN_FOR_EVER && until + days * 86400000 <= now;
}

/* What a legal hold covers stays, though nothing uses it any more. */
static bool
ended(const struct world *w, const struct secret_object *s, int64_t now)
{
	return s->next_end != 0 &&
	    secret_past(w, s->o.project, s->next_end, now) &&
	    hold_covers(w, s->o.project, NULL, now) == NULL;
}

bool
secrets_due(struct lane *l, int64_t now)
{
	const struct object *const *o;
	size_t n;

	o = world_objects(l->snap->world, OBJECT_SECRET, &n);
	for (size_t i = 0; i < n; i++) {
		const struct secret_object *s =
		    (const struct secret_object *)o[i];

		if (ended(l->snap->world, s, now))
			return true;
	}
	return false;
}

/* One secret without the versions whose time is over. */
static err
tend_one(struct lane *l, const struct secret_object *s, int64_t now,
    struct arena *a)
{
	struct secret_object copy = *s;
	struct secret_version *v;
	size_t n, left = 0;

	TRY(secret_versions(a, s, &v, &n));
	for (size_t i = 0; i < n; i++) {
		if (v[i].until == 0 ||
		    !secret_past(l->snap->world, s->o.project, v[i].until, now))
			v[left++] = v[i];
		else
			TRY(secret_destroy(l, v[i].key));
	}
	TRY(secret_versions_put(a, v, left, &copy));
	copy.o.updated = now;
	copy.o.version++;
	return lane_put(l, a, &copy.o);
}

err
secrets_tend(struct lane *l, void *arg)
{
	int64_t now = *(const int64_t *)arg;
	struct uuid id[TEND_MAX];
	const struct object *const *o;
	size_t n, due = 0;
	struct arena a;
	err e = OK;

	o = world_objects(l->snap->world, OBJECT_SECRET, &n);
	for (size_t i = 0; i < n && due < TEND_MAX; i++) {
		const struct secret_object *s =
		    (const struct secret_object *)o[i];

		if (ended(l->snap->world, s, now))
			id[due++] = s->o.id;
	}
	arena_init(&a, LIM_ARENA);
	for (size_t i = 0; i < due && err_ok(e); i++) {
		e = tend_one(l, world_secret(l->snap->world, &id[i]), now, &a);
		arena_reset(&a);
	}
	if (err_ok(e) && due > 0)
		e = ledger_system(writer_ledger(l->writer), l, &a,
		    AUDIT_SECRET_DESTROY, STR(""), now);
	arena_done(&a);
	return e;
}
