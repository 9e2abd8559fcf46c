/*
 * office.h: a store, a keeper and a writer, small enough for a unit test:
 * handlers run on the writer's thread, each in a transaction of its own, as
 * if the request had come over the wire.  The keeper is a thread that wraps
 * keys and signs what extends what it signed last.
 */
#ifndef TESTS_FLOW_OFFICE_H
#define TESTS_FLOW_OFFICE_H

#include <pthread.h>
#include <stdarg.h>
#include <unistd.h>

#include "audit/manifest.h"
#include "audit/note.h"
#include "auth/actor.h"
#include "auth/token.h"
#include "base/rand.h"
#include "flow/call.h"
#include "flow/keys.h"
#include "flow/load.h"
#include "flow/objects.h"
#include "flow/shape.h"
#include "flow/writer.h"
#include "ipc/keeper.h"
#include "seal/ed25519.h"
#include "seal/root.h"
#include "store/key_use.h"
#include "tests/t.h"

#define UNUSED __attribute__((unused))

enum { OFFICE_NOW = 1800000000, OFFICE_DAY = 86400000 };

struct office {
	char dir[64];
	struct arena a;
	struct root_keys *root;
	struct ipc_end server, keeper;
	pthread_t keeper_thread;
	_Atomic int keeper_says; /* E_OK, or it refuses to make keys with */
	uint8_t seed[SECRET_SIZE];
	struct note_key note_key;
	struct checkpoint last; /* the keeper's */
	struct state st;
	struct writer *w;
	int64_t now;

	const char *token; /* who asks */
	const char *address;
	uint32_t match; /* If-Match, 0 = none */
	const char *query;

	err error; /* of the last request */
	int status;
	const struct json *json;
	struct str etag, location;
	struct record rec;
	char admin[TOKEN_TEXT + 1]; /* an org_admin's token */
	struct uuid admin_id;
};

static inline void
office_must(err e, const char *what)
{
	if (err_ok(e))
		return;
	printf("# office: %s: %s\n", what, err_name(e));
	abort();
}
#define MUST(x) office_must((x), #x)

/* ---- the keeper ---- */

static inline void
office_new_key(struct office *o, struct cur *c)
{
	uint32_t project = cur_be32(c), version = cur_be32(c);
	int no = atomic_load(&o->keeper_says);
	const char refusal[2] = {(char)(no >> 8), (char)no};
	uint8_t key[SECRET_SIZE];
	struct sealed wrapped;
	struct arena a;
	struct buf b;

	if (no != E_OK) {
		MUST(ipc_send(&o->keeper, IPC_KEY_MADE, str_of(refusal, 2),
		    NULL, 0));
		return;
	}
	arena_init(&a, 65536);
	buf_init_on(&b, &a, 4096);
	rand_bytes(key, sizeof key);
	MUST(root_wrap(o->root, project, version, key, &a, &wrapped));
	buf_be16(&b, E_OK);
	buf_add(&b, key, sizeof key);
	buf_str(&b, wrapped.bytes);
	MUST(ipc_send(&o->keeper, IPC_KEY_MADE, buf_view(&b), NULL, 0));
	arena_done(&a);
}

static inline void
office_unwrap(struct office *o, struct cur *c)
{
	uint32_t project = cur_be32(c), version = cur_be32(c);
	struct stored s = {cur_view(c, c->n)};
	uint8_t out[2 + SECRET_SIZE] = {0};

	MUST(root_unwrap(o->root, project, version, s, out + 2));
	MUST(ipc_send(&o->keeper, IPC_KEY_UNWRAPPED,
	    str_of((const char *)out, sizeof out), NULL, 0));
}

static inline void
office_last(struct office *o)
{
	struct arena a;
	struct buf b, vkey;

	arena_init(&a, 65536);
	buf_init_on(&vkey, &a, 512);
	buf_init_on(&b, &a, 4096);
	note_key_text(&o->note_key, &vkey);
	buf_be16(&b, E_OK);
	buf_be64(&b, o->last.size);
	buf_add(&b, o->last.root.b, HASH_SIZE);
	buf_char(&b, (char)strlen(o->note_key.name));
	buf_c(&b, o->note_key.name);
	buf_char(&b, (char)vkey.n);
	buf_str(&b, buf_view(&vkey));
	buf_char(&b, 1);
	buf_c(&b, "0123456789abcdef");
	MUST(ipc_send(&o->keeper, IPC_LAST, buf_view(&b), NULL, 0));
	arena_done(&a);
}

static inline void
office_sign(struct office *o, struct cur *c)
{
	struct checkpoint next = {.size = cur_be64(c)};
	struct hash proof[64];
	struct arena a;
	struct buf b;
	size_t n;
	err e;

	arena_init(&a, 65536);
	buf_init_on(&b, &a, 4096);
	memcpy(next.origin, o->last.origin, sizeof next.origin);
	cur_bytes(c, next.root.b, HASH_SIZE);
	n = cur_u8(c);
	for (size_t i = 0; i < n && i < 64; i++)
		cur_bytes(c, proof[i].b, HASH_SIZE);
	e = checkpoint_may_follow(&o->last, &next, proof, n);
	buf_be16(&b, (uint16_t)e.code);
	if (err_ok(e)) {
		MUST(checkpoint_sign(&next, &o->note_key, o->seed, &b));
		o->last = next;
	}
	MUST(ipc_send(&o->keeper, IPC_SIGNED, buf_view(&b), NULL, 0));
	arena_done(&a);
}

/* Bytes where a signature or a certificate would be. */
static inline void
office_stamp(struct office *o, enum ipc_type type, size_t n)
{
	static const char nothing[512];

	MUST(ipc_send(&o->keeper, type, str_of(nothing, 2 + n), NULL, 0));
}

static inline void
office_export(struct office *o, struct cur *c)
{
	uint8_t statement[MANIFEST_STATEMENT], answer[2 + ED25519_SIG] = {0};
	struct hash digest;

	cur_bytes(c, digest.b, HASH_SIZE);
	manifest_statement(&digest, statement);
	MUST(ed25519_sign(o->seed,
	    str_of((const char *)statement, sizeof statement), answer + 2));
	MUST(ipc_send(&o->keeper, IPC_EXPORT_SIGNED,
	    str_of((const char *)answer, sizeof answer), NULL, 0));
}

static inline void *
office_keeper(void *arg)
{
	static char buf[LIM_IPC];
	struct office *o = arg;
	struct ipc_msg m;

	while (err_ok(ipc_recv(&o->keeper, -1, buf, sizeof buf, &m))) {
		struct cur c = cur_of(m.body);

		if (m.type == IPC_KEY_NEW)
			office_new_key(o, &c);
		else if (m.type == IPC_KEY_UNWRAP)
			office_unwrap(o, &c);
		else if (m.type == IPC_LAST_SIGNED)
			office_last(o);
		else if (m.type == IPC_TASK_SIGN)
			office_stamp(o, IPC_TASK_SIGNED, 64);
		else if (m.type == IPC_CERT_SIGN)
			office_stamp(o, IPC_CERT_SIGNED, 300);
		else if (m.type == IPC_EXPORT_SIGN)
			office_export(o, &c);
		else
			office_sign(o, &c);
	}
	return NULL;
}

/* ---- the first objects ---- */

static inline err
office_no_key(void *ctx, uint32_t id, struct arena *a, struct wrapped_key *ret)
{
	(void)ctx, (void)id, (void)a, (void)ret;
	return err_of(E_NOT_FOUND);
}

struct office_first {
	struct store_conn *conn;
	struct project_keys *pk;
	struct keyring *ring;
	struct class_key ck[KEYS_CLASSES];
	uint32_t id;
};

static inline void
office_project(struct office *o, struct office_first *f, uint32_t project)
{
	uint8_t key[SECRET_SIZE];
	struct buf wrapped;
	size_t n;

	buf_init_on(&wrapped, &o->a, LIM_IPC);
	MUST(keeper_key_new(&o->server, project, 1, key, &wrapped));
	MUST(project_keys_add(f->pk, project, 1, key));
	MUST(keys_store_project(f->conn, project, 1, o->now,
	    buf_view(&wrapped)));
	if (project == 0)
		MUST(keyring_new(f->pk, office_no_key, NULL, &f->ring));
	MUST(keys_make_classes(f->conn, f->ring, project, 1, &f->id, &o->a,
	    f->ck, &n));
	/* by the office's clock, or they would be old on their first day */
	for (size_t i = 0; i < n; i++) {
		struct key_use_row use;

		MUST(store_key_use_get(f->conn, f->ck[i].id, &use));
		use.since = o->now;
		MUST(store_key_use_put(f->conn, &use));
	}
}

static inline struct object
office_head(struct office *o, enum object_kind kind, uint32_t project)
{
	return (struct object){.kind = kind,
	    .id = rand_uuid(o->now),
	    .project = project,
	    .version = 1,
	    .created = o->now,
	    .updated = o->now};
}

static inline void
office_admin(struct office *o, struct office_first *f, uint32_t object_key,
    uint32_t token_key)
{
	struct user u = {.o = office_head(o, OBJECT_USER, 0),
	    .email = STR("admin@example.org")};
	struct binding b = {.o = office_head(o, OBJECT_BINDING, 0),
	    .subject_kind = PRINCIPAL_USER,
	    .subject = u.o.id,
	    .role = STR("org_admin")};
	struct token t = {.o = office_head(o, OBJECT_TOKEN, 0),
	    .kind = 'b',
	    .owner_kind = PRINCIPAL_USER,
	    .owner = {u.o.id},
	    .name = STR("bootstrap"),
	    .scopes = permset_all(),
	    .expires = o->now + INT64_C(400) * OFFICE_DAY,
	    .verifier_key = token_key};
	const struct data_key *mac;

	o->admin_id = u.o.id;
	token_make('b', o->admin, t.key_id);
	MUST(keyring_get(f->ring, token_key, &mac));
	MUST(token_verifier(mac, str_c(o->admin), t.verifier));
	MUST(objects_put(f->conn, f->ring, object_key, &o->a, &u.o));
	MUST(objects_put(f->conn, f->ring, object_key, &o->a, &b.o));
	MUST(objects_put(f->conn, f->ring, object_key, &o->a, &t.o));
}

/* The key that signs the log. */
static inline void
office_note_key(struct office *o)
{
	struct buf vkey;

	rand_bytes(o->seed, sizeof o->seed);
	MUST(note_key_of(STR("office"), o->seed, &o->note_key));
	memcpy(o->last.origin, "office", 7);
	buf_init_on(&vkey, &o->a, 512);
	note_key_text(&o->note_key, &vkey);
	MUST(store_meta_set(store_writer(o->st.store), "audit.vkey",
	    buf_view(&vkey)));
}

static inline void
office_first(struct office *o)
{
	struct project p = {.o = office_head(o, OBJECT_PROJECT, 1),
	    .slug = STR("alpha"),
	    .name = STR("Alpha")};
	struct office_first f = {.conn = store_writer(o->st.store),
	    .pk = project_keys_new()};
	uint32_t object_key = 0, token_key = 0;

	MUST(store_begin(f.conn));
	office_note_key(o);
	office_project(o, &f, 0);
	for (size_t i = 0; i < KEYS_CLASSES; i++) {
		if (f.ck[i].class == SEAL_CLASS_OBJECT)
			object_key = f.ck[i].id;
		if (f.ck[i].class == SEAL_CLASS_TOKEN)
			token_key = f.ck[i].id;
	}
	office_project(o, &f, 1);
	MUST(objects_put(f.conn, f.ring, object_key, &o->a, &p.o));
	office_admin(o, &f, object_key, token_key);
	MUST(store_commit(f.conn));
	keyring_free(f.ring);
	project_keys_unref(f.pk);
}

static inline void
office_open(struct office *o)
{
	struct trail t = {{0}};
	struct buf line;

	memset(o, 0, sizeof *o);
	o->now = OFFICE_NOW * INT64_C(1000);
	o->address = "192.0.2.1";
	arena_init(&o->a, 64 << 20);
	snprintf(o->dir, sizeof o->dir, "/tmp/office.XXXXXX");
	if (mkdtemp(o->dir) == NULL)
		abort();
	buf_init_on(&line, &o->a, 256);
	MUST(root_generate(&line));
	MUST(root_parse(buf_view(&line), &t, &o->root));
	MUST(ipc_pair(SERVER, KEEPER, &o->server, &o->keeper));
	if (pthread_create(&o->keeper_thread, NULL, office_keeper, o) != 0)
		abort();
	pthread_mutex_init(&o->st.lock, NULL);
	snprintf(o->st.public_url, sizeof o->st.public_url,
	    "https://127.0.0.1:8443");
	snprintf(o->st.origin_url, sizeof o->st.origin_url,
	    "https://127.0.0.1:8443");
	MUST(store_open(o->dir, STORE_CREATE, &t, &o->st.store));
	office_first(o);
	MUST(state_load(&o->st, &o->server, &t));
	MUST(writer_start(&o->st, &o->server, &o->w));
	o->st.writer = o->w;
	o->token = o->admin;
}

static inline void
office_close(struct office *o)
{
	char cmd[128];

	writer_stop(o->w);
	state_done(&o->st);
	store_close(o->st.store);
	close(o->server.fd);
	pthread_join(o->keeper_thread, NULL);
	close(o->keeper.fd);
	root_free(o->root);
	arena_done(&o->a);
	snprintf(cmd, sizeof cmd, "rm -rf %s", o->dir);
	if (system(cmd) != 0)
		abort();
}

/* ---- asking ---- */

struct office_ask {
	struct office *o;
	const struct route *route;
	struct str var[ROUTE_VARS];
	const char *body;
	struct http_request req;
	struct header headers[3];
};

static inline void
office_request(struct office_ask *q)
{
	char *text = arena_get(&q->o->a, 256);
	struct http_request *r = &q->req;
	size_t n = 0;

	snprintf(text, 128, "Bearer %s", q->o->token);
	q->headers[n++] = (struct header){STR("authorization"), str_c(text)};
	if (q->o->match != 0) {
		snprintf(text + 128, 128, "\"%u\"", q->o->match);
		q->headers[n++] =
		    (struct header){STR("if-match"), str_c(text + 128)};
	}
	r->method = q->route->method;
	r->headers = q->headers;
	r->headers_n = n;
	r->body = q->body == NULL ? STR_NONE : str_c(q->body);
	snprintf(r->address, sizeof r->address, "%s", q->o->address);
}

/* The steps of line.c that a handler relies on. */
static inline err
office_steps(struct office_ask *q, struct call *c)
{
	static const struct json_limits lim = {LIM_JSON_DEPTH, LIM_JSON_MEMBERS,
	    LIM_JSON_VALUES};
	struct auth_input in = {.world = c->lane->snap->world,
	    .now = c->now,
	    .authorization = q->headers[0].value,
	    .address = str_c(q->req.address)};
	uint32_t id, project = 0;

	TRY(call_token_key(c, &in.token_mac, &id));
	TRY(auth_api(c->a, &in, &c->why, &c->actor));
	TRY(shape_query(c->a,
	    q->o->query == NULL ? STR_NONE : str_c(q->o->query),
	    c->route->params, &c->trail, &c->query));
	if (c->route->schema != SCHEMA_NONE &&
	    (c->route->schema != SCHEMA_ROTATE || q->req.body.n > 0)) {
		TRY(json_parse(c->a, q->req.body, &lim, &c->trail, &c->body));
		TRY(shape_body(c->route->schema, c->route->set, c->body,
		    &c->trail));
	}
	if (route_in_project(c->route)) {
		c->project = world_project_slug(call_world(c), c->var[0]);
		if (c->project == NULL)
			return err_of(E_NOT_FOUND);
		project = c->project->o.project;
	}
	c->rec.project = project;
	if (c->route->perm != PERM_NONE && c->route->perm != PERM_OBJECT)
		TRY(call_ask(c, c->route->perm, project, &c->grant));
	return c->route->handle(c);
}

static inline err
office_run(struct lane *l, void *arg)
{
	static const struct json_limits lim = {16, 1000, 100000};
	struct office_ask *q = arg;
	struct office *o = q->o;
	struct call *c = ARENA_NEW(&o->a, struct call);
	err e;

	c->lane = l;
	c->req = &q->req;
	c->address = str_c(q->req.address);
	c->a = &o->a;
	c->now = o->now;
	c->route = q->route;
	c->rec.action = q->route->audit;
	memcpy(c->var, q->var, sizeof c->var);
	e = office_steps(q, c);
	o->rec = c->rec;
	o->status = c->status;
	o->etag = c->etag;
	o->location = c->location;
	o->json = NULL;
	if (err_ok(e) && c->out.n > 0)
		MUST(
		    json_parse(&o->a, buf_view(&c->out), &lim, NULL, &o->json));
	if (!err_ok(e) && c->trail.detail[0] != '\0')
		o->json = NULL;
	return e;
}

static inline const struct route *
office_route(const char *id)
{
	for (size_t i = 0; i < routes_n; i++)
		if (strcmp(routes[i].id, id) == 0)
			return &routes[i];
	printf("# no route %s\n", id);
	abort();
}

/* Path variables up to a NULL, then the body (or NULL) is the first one. */
static inline err
ask(struct office *o, const char *route, const char *body, const char *v0,
    const char *v1)
{
	struct office_ask q = {.o = o,
	    .route = office_route(route),
	    .body = body};

	if (v0 != NULL)
		q.var[0] = arena_dup(&o->a, str_c(v0));
	if (v1 != NULL)
		q.var[1] = arena_dup(&o->a, str_c(v1));
	o->now++;
	office_request(&q);
	o->error = writer_do(o->w, office_run, &q);
	return o->error;
}

UNUSED static inline struct str
word(const struct office *o, const char *name)
{
	return json_str_at(o->json, str_c(name));
}

/* A string member of the last answer, as a C string that lasts. */
UNUSED static inline const char *
keep(struct office *o, const char *name)
{
	const char *c = arena_cstr(&o->a, word(o, name));

	return c == NULL ? "" : c;
}

UNUSED static inline const char *fmt(struct office *o, const char *f, ...)
    PRINTF(2, 3);
UNUSED static inline const char *
fmt(struct office *o, const char *f, ...)
{
	enum { MAX = 4096 };
	char *p = arena_get(&o->a, MAX);
	va_list ap;

	va_start(ap, f);
	if (p == NULL || vsnprintf(p, MAX, f, ap) >= MAX)
		abort();
	va_end(ap);
	return p;
}

UNUSED static inline size_t
items(const struct office *o)
{
	const struct json *j = json_get(o->json, STR("items"));

	return j == NULL ? 9999 : j->count;
}

/* ---- people ---- */

/* A user with a role (or NULL), by an administrator; its id. */
UNUSED static inline const char *
hire(struct office *o, const char *email, const char *role, const char *project)
{
	const char *was = o->token, *id;

	o->token = o->admin;
	MUST(ask(o, "user_create", fmt(o, "{\"email\":\"%s\"}", email), NULL,
	    NULL));
	id = keep(o, "id");
	if (role != NULL)
		MUST(ask(o, "binding_create",
		    fmt(o,
			"{\"subject\":{\"kind\":"
			"\"user\",\"id\":\"%s\"},\"role\":\"%s\"%s%s%s}",
			id, role, project == NULL ? "" : ",\"project\":\"",
			project == NULL ? "" : project,
			project == NULL ? "" : "\""),
		    NULL, NULL));
	o->token = was;
	return id;
}

struct badge_in {
	struct office *o;
	const char *user;
	char text[TOKEN_TEXT + 1];
};

static inline err
office_badge(struct lane *l, void *arg)
{
	struct badge_in *in = arg;
	struct token t = {.kind = 'p',
	    .owner_kind = PRINCIPAL_USER,
	    .name = STR("badge"),
	    .scopes = permset_all(),
	    .expires = in->o->now + INT64_C(300) * OFFICE_DAY};
	struct call c = {.lane = l, .a = &in->o->a, .now = in->o->now};
	const struct data_key *mac;

	if (!uuid_parse(str_c(in->user), &t.owner.u))
		return err_of(E_INVALID);
	admin_new(&c, OBJECT_TOKEN, 0, &t.o);
	token_make('p', in->text, t.key_id);
	TRY(call_token_key(&c, &mac, &t.verifier_key));
	TRY(token_verifier(mac, str_c(in->text), t.verifier));
	return admin_put(&c, &t.o);
}

/* A token with all scopes for a user: what a session will be. */
UNUSED static inline const char *
badge(struct office *o, const char *user)
{
	struct badge_in *in = ARENA_NEW(&o->a, struct badge_in);

	in->o = o;
	in->user = user;
	MUST(writer_do(o->w, office_badge, in));
	return in->text;
}

#endif
