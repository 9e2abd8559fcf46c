#include "role/found.h"

#include "auth/token.h"
#include "audit/leaf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/rand.h"
#include "flow/keys.h"
#include "flow/objects.h"

#define DAY_MS INT64_C(86400000)

/* One foundation; everything lives as long as the call. */
struct site {
	struct arena *a;
	struct store_conn *conn;
	struct project_keys *keys;
	struct keyring *ring;
	struct class_key class[2 * KEYS_CLASSES];
	size_t classes;
	uint32_t last_id;
	int64_t now;
	struct uuid project, admin, binding, token;
};

static uint32_t
class_id(const struct site *s, enum seal_class class)
{
	for (size_t i = 0; i < s->classes; i++)
		if (s->class[i].project == 0 && s->class[i].class == class)
			return s->class[i].id;
	return 0;
}

/* Every key is made here and cached: none is ever looked for. */
static err
no_load(void *ctx, uint32_t id, struct arena *a, struct wrapped_key *ret)
{
	(void)ctx;
	(void)id;
	(void)a;
	(void)ret;
	return err_of(E_NOT_FOUND);
}

/* ---- keys ---- */

static err
project_key(struct site *s, const struct root_keys *roots, uint32_t project)
{
	struct secret *key = NULL;
	struct sealed wrapped;
	err e;

	TRY(secret_new(&key));
	rand_bytes(secret_bytes(key), SECRET_SIZE);
	e = root_wrap(roots, project, 1, secret_view(key), s->a, &wrapped);
	if (err_ok(e))
		e = store_project_key_put(s->conn, project, 1, s->now, wrapped);
	if (err_ok(e))
		e = project_keys_add(s->keys, project, 1, secret_view(key));
	(void)secret_free(key);
	return e;
}

static err
keys(struct site *s, const struct root_keys *roots)
{
	for (uint32_t project = 0; project <= 1; project++)
		TRY(project_key(s, roots, project));
	TRY(keyring_new(s->keys, no_load, NULL, &s->ring));
	for (uint32_t project = 0; project <= 1; project++) {
		size_t n;

		TRY(keys_make_classes(s->conn, s->ring, project, 1, &s->last_id,
		    s->a, s->class + s->classes, &n));
		s->classes += n;
	}
	return OK;
}

/* ---- objects ---- */

static struct object
object(struct site *s, enum object_kind kind, uint32_t project,
    struct uuid *ret_id)
{
	*ret_id = rand_uuid(s->now);
	return (struct object){.kind = kind,
	    .id = *ret_id,
	    .project = project,
	    .version = 1,
	    .created = s->now,
	    .updated = s->now};
}

static err
put(struct site *s, const struct object *o)
{
	return objects_put(s->conn, s->ring, class_id(s, SEAL_CLASS_OBJECT),
	    s->a, o);
}

static err
people(struct site *s, const struct init_options *o)
{
	const struct project p = {
	    .o = object(s, OBJECT_PROJECT, 1, &s->project),
	    .slug = STR(FIRST_PROJECT),
	    .name = o->org,
	};
	const struct user u = {
	    .o = object(s, OBJECT_USER, 0, &s->admin),
	    .email = o->admin,
	    .name = STR("Administrator"),
	};
	const struct binding b = {
	    .o = object(s, OBJECT_BINDING, 0, &s->binding),
	    .subject_kind = PRINCIPAL_USER,
	    .subject = s->admin,
	    .role = STR("org_admin"),
	    .reason = STR("redoubt init"),
	    .created_by = {s->admin},
	};

	TRY(put(s, &p.o));
	TRY(put(s, &u.o));
	return put(s, &b.o);
}

static err
bootstrap(struct site *s, struct init_result *ret)
{
	char text[TOKEN_TEXT + 1];
	const struct data_key *mac;
	struct token t = {
	    .o = object(s, OBJECT_TOKEN, 0, &s->token),
	    .kind = 'b',
	    .verifier_key = class_id(s, SEAL_CLASS_TOKEN),
	    .owner_kind = PRINCIPAL_USER,
	    .owner = {s->admin},
	    .name = STR("bootstrap"),
	    .scopes = permset_all(),
	    .expires = s->now + BOOTSTRAP_DAYS * DAY_MS,
	};
	err e;

	TRY(keyring_get(s->ring, t.verifier_key, &mac));
	token_make('b', text, t.key_id);
	ret->token = arena_dup(s->a, str_of(text, TOKEN_TEXT));
	e = token_verifier(mac, str_of(text, TOKEN_TEXT), t.verifier);
	mem_wipe(text, sizeof text);
	TRY(e);
	ret->expires = t.expires;
	return put(s, &t.o);
}

/* ---- the log ---- */

static err
first_leaf(struct site *s, struct str *ret)
{
	struct audit_entry e = {
	    .seq = 1,
	    .time = s->now,
	    .action = AUDIT_ORG_CREATE,
	    .outcome = AUDIT_OK,
	    .principal_kind = STR("system"),
	    .resource = {{STR("project"), uuid_dup(s->a, &s->project)},
		{STR("user"), uuid_dup(s->a, &s->admin)},
		{STR("binding"), uuid_dup(s->a, &s->binding)},
		{STR("token"), uuid_dup(s->a, &s->token)}},
	    .resources = 4,
	};
	struct buf b;

	TRY(arena_check(s->a));
	buf_init_on(&b, s->a, LIM_LEAF);
	TRY(audit_leaf_write(&b, &e));
	*ret = buf_view(&b);
	return OK;
}

/* The root of a tree of one leaf is the leaf's hash. */
static err
first_entry(struct site *s, struct keep *k)
{
	struct checkpoint c = k->last;
	struct str leaf;
	struct buf note;

	TRY(first_leaf(s, &leaf));
	TRY(store_audit_append(s->conn, 1, leaf));
	c.size = 1;
	audit_leaf_hash(leaf, &c.root);
	buf_init_on(&note, s->a, NOTE_MAX);
	TRY(keep_sign(k, &c, NULL, 0, &note));
	return store_checkpoint_put(s->conn, 1, s->now, buf_view(&note));
}

static err
meta(struct site *s, const struct keep *k, const struct uuid *org)
{
	struct buf vkey;

	buf_init_on(&vkey, s->a, 512);
	note_key_text(&k->key, &vkey);
	TRY(buf_check(&vkey));
	TRY(store_meta_set(s->conn, "org.id", uuid_dup(s->a, org)));
	TRY(store_meta_set(s->conn, "audit.origin", str_c(k->last.origin)));
	return store_meta_set(s->conn, "audit.vkey", buf_view(&vkey));
}

static err
found(struct site *s, struct keep *k, const struct uuid *org,
    const struct init_options *o, struct init_result *ret)
{
	TRY(store_begin(s->conn));
	TRY(keys(s, k->roots));
	TRY(people(s, o));
	TRY(bootstrap(s, ret));
	TRY(meta(s, k, org));
	TRY(first_entry(s, k));
	TRY(arena_check(s->a));
	return store_commit(s->conn);
}

err
found_store(struct arena *a, const char *db, struct keep *k,
    const struct uuid *org, const struct init_options *o, struct trail *t,
    struct init_result *ret)
{
	struct site s = {.a = a, .now = o->now};
	struct store *store = NULL;
	err e;

	TRY(store_open(db, STORE_CREATE, t, &store));
	s.conn = store_writer(store);
	s.keys = project_keys_new();
	e = s.keys == NULL ? err_of(E_NO_MEMORY) : found(&s, k, org, o, ret);
	if (!err_ok(e))
		store_rollback(s.conn);
	if (s.ring != NULL)
		(void)keyring_free(s.ring);
	if (s.keys != NULL)
		(void)project_keys_unref(s.keys);
	if (err_ok(e))
		e = store_checkpoint(store, true);
	(void)store_close(store);
	ret->project = STR(FIRST_PROJECT);
	return e;
}
