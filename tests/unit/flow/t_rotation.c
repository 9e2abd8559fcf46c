/*
 * What is under way while keys are replaced: a payload that was sealed before
 * it queued, a list that is being read.
 */
#include "flow/ingest.h"
#include "flow/load.h"
#include "flow/pieces.h"
#include "seal/meter.h"
#include "store/key_use.h"
#include "tests/unit/flow/office.h"

#define BODY                                                                   \
	"{\"title\":\"Disk full\",\"severity\":\"critical\","                  \
	"\"dedup_key\":\"d1\"}"

struct renewal {
	struct office *o;
	uint32_t project;
	enum seal_class class;
	bool delete_old;
};

/* A new term of one class; the older ones deleted, as rewrap does it. */
static err
renew(struct lane *l, void *arg)
{
	const struct renewal *r = arg;
	const struct snap *s = l->snap;
	struct class_key *ck =
	    arena_array(&r->o->a, s->class_keys_n + 1, sizeof *ck);
	uint64_t term = 0;
	size_t n = 0;

	for (size_t i = 0; i < s->class_keys_n; i++) {
		const struct class_key *k = &s->class_keys[i];
		bool same = k->project == r->project && k->class == r->class;

		if (same && k->term > term)
			term = k->term;
		if (!same || !r->delete_old) {
			ck[n++] = *k;
			continue;
		}
		TRY(store_data_key_delete(l->conn, k->id));
		keyring_forget(l->ring, k->id);
	}
	ck[n] = (struct class_key){.project = r->project,
	    .class = r->class,
	    .id = desk_key_id(writer_desk(l->writer)),
	    .term = term + 1};
	TRY(keys_make_class(l->conn, l->ring, r->project, r->class, ck[n].term,
	    ck[n].id, &r->o->a));
	return pieces_see(l, s->keys, ck, n + 1);
}

static void
new_term(struct office *o, uint32_t project, enum seal_class class,
    bool delete_old)
{
	struct renewal r = {o, project, class, delete_old};

	MUST(writer_do(o->w, renew, &r));
}

/* ---- a payload ---- */

/* The sender, known by its secret, may deliver. */
static err
knock(struct call *c, const struct uuid *id, const char *secret)
{
	struct auth_input in = {.world = call_world(c),
	    .now = c->now,
	    .address = STR("192.0.2.1")};
	struct buf b;
	uint32_t key;

	buf_init_on(&b, c->a, 256);
	buf_c(&b, "Bearer ");
	buf_c(&b, secret);
	in.authorization = buf_view(&b);
	TRY(call_token_key(c, &in.token_mac, &key));
	TRY(auth_ingest(c->a, &in, id, NULL, &c->hook, &c->why, &c->actor));
	c->project = world_project_slug(call_world(c), STR("alpha"));
	return call_ask(c, PERM_INGEST, 1, &c->grant);
}

static err
take_in(struct lane *l, void *arg)
{
	struct call *c = arg;

	c->lane = l;
	return c->route->handle(c);
}

static void
sent_across(bool renewed)
{
	static const struct json_limits lim = {16, 1000, 1000};
	struct http_request req = {.method = HTTP_POST, .body = STR(BODY)};
	struct delivery_row *row;
	struct principal_id by;
	struct seal_where w;
	const char *secret;
	struct office o;
	struct lane l;
	struct call *c;
	struct uuid who;
	struct str text;
	uint32_t was, id;
	size_t n;

	office_open(&o);
	MUST(ask(&o, "integration_create",
	    "{\"name\":\"sender\",\"template\":\"generic\","
	    "\"auth\":{\"kind\":\"bearer\"}}",
	    "alpha", NULL));
	T_OK(uuid_parse(word(&o, "id"), &who));
	secret = keep(&o, "secret");
	MUST(lane_open(&o.st, LANE_READER, 0, &l));
	was = snap_class_key(l.snap, 1, SEAL_CLASS_PAYLOAD);
	c = ARENA_NEW(&o.a, struct call);
	*c = (struct call){.lane = &l,
	    .a = &o.a,
	    .now = o.now,
	    .req = &req,
	    .route = office_route("ingest")};
	buf_init_on(&c->out, &o.a, LIM_REPLY);
	MUST(json_parse(&o.a, req.body, &lim, NULL, &c->body));
	T_GOOD(knock(c, &who, secret));
	T_GOOD(ingest_prepare(c));
	if (renewed)
		new_term(&o, 1, SEAL_CLASS_PAYLOAD, true);
	T_GOOD(writer_do(o.w, take_in, c));
	T_EQ_INT(c->status, 202);
	lane_close(&l);

	MUST(lane_open(&o.st, LANE_READER, 0, &l));
	by.u = who;
	MUST(store_delivery_list(l.conn, &by, 0, 10, &o.a, &row, &n));
	T_EQ_INT(n, 1);
	MUST(seal_key_id(row->stored, &id));
	T_EQ_INT(id, snap_class_key(l.snap, 1, SEAL_CLASS_PAYLOAD));
	T_OK((id != was) == renewed);
	w = delivery_where(1, &row->id.u);
	T_GOOD(keyring_open(l.ring, &w, row->stored, &o.a, &text));
	T_EQ_STR(str_skip(text, 32), STR(BODY));
	lane_close(&l);
	office_close(&o);
}

TEST(a_payload_in_the_queue)
{
	sent_across(false);
	sent_across(true);
}

/* ---- a list ---- */

/* Its second page, with a cursor of some time ago. */
static err
second_page(struct office *o, const char *cursor)
{
	err e;

	o->query = fmt(o, "limit=1&cursor=%s", cursor);
	e = ask(o, "user_list", NULL, NULL, NULL);
	o->query = NULL;
	return e;
}

TEST(a_list_that_is_being_read)
{
	const char *cursor;
	struct office o;

	office_open(&o);
	hire(&o, "a@example.org", NULL, NULL);
	hire(&o, "b@example.org", NULL, NULL);
	o.query = "limit=1";
	T_GOOD(ask(&o, "user_list", NULL, NULL, NULL));
	cursor = keep(&o, "next");
	T_OK(cursor[0] != '\0');
	T_GOOD(second_page(&o, cursor));
	new_term(&o, 0, SEAL_CLASS_CURSOR, false);
	T_GOOD(second_page(&o, cursor));
	T_EQ_INT(items(&o), 1);
	T_OK(strcmp(keep(&o, "next"), cursor) != 0);
	/* two rotations, or one and a rewrap, are too much */
	new_term(&o, 0, SEAL_CLASS_CURSOR, false);
	T_ERR(second_page(&o, cursor), E_BAD_CURSOR);
	o.query = "limit=1";
	T_GOOD(ask(&o, "user_list", NULL, NULL, NULL));
	cursor = keep(&o, "next");
	new_term(&o, 0, SEAL_CLASS_CURSOR, true);
	T_ERR(second_page(&o, cursor), E_BAD_CURSOR);
	office_close(&o);
}

/* ---- the functions of keys.h ---- */

static err
next_terms(struct lane *l, void *arg)
{
	struct class_key k[2] = {{.project = 0, .class = SEAL_CLASS_OBJECT},
	    {.project = 1, .class = SEAL_CLASS_ALERT}};
	struct class_key none = {.project = 9, .class = SEAL_CLASS_ALERT};
	struct office *o = arg;

	TRY(keys_new_terms(l, k, 2, &o->a));
	T_EQ_INT(k[0].term, 2);
	T_EQ_INT(k[1].term, 2);
	T_EQ_INT(k[1].id, k[0].id + 1);
	T_EQ_INT(snap_class_key(l->snap, 1, SEAL_CLASS_ALERT), k[1].id);
	T_ERR(keys_new_terms(l, &none, 1, &o->a), E_NOT_FOUND);
	return OK;
}

/* However many terms there were, two of a class may seal. */
static err
many_terms(struct lane *l, void *arg)
{
	struct class_key k = {.project = 1, .class = SEAL_CLASS_ALERT};
	const struct class_key *all;
	struct office *o = arg;
	struct amount used;
	size_t n, known = 0;

	for (int i = 0; i < 5; i++)
		TRY(keys_new_terms(l, &k, 1, &o->a));
	n = snap_class_terms(l->snap, 1, SEAL_CLASS_ALERT, &all);
	for (size_t i = 0; i < n; i++)
		known += meters_used(l->state->meters, all[i].id, &used);
	T_EQ_INT(n, 6);
	T_EQ_INT(known, 2);
	T_OK(meters_used(l->state->meters, k.id, &used));
	return OK;
}

TEST(two_terms_are_metered)
{
	struct office o;

	office_open(&o);
	MUST(writer_do(o.w, many_terms, &o));
	office_close(&o);
}

static err
destroy(struct lane *l, void *arg)
{
	struct office *o = arg;
	const struct class_key *k;
	size_t n = snap_class_terms(l->snap, 1, SEAL_CLASS_ALERT, &k);
	uint32_t old = k[0].id, now = k[n - 1].id;

	T_ERR(keys_destroy(l, &now, 1, &o->a), E_CONFLICT);
	if (n == 1)
		return OK;
	TRY(keys_destroy(l, &old, 1, &o->a));
	T_EQ_INT(snap_class_terms(l->snap, 1, SEAL_CLASS_ALERT, &k), n - 1);
	TRY(keys_destroy(l, &old, 1, &o->a)); /* once more is fine */
	return OK;
}

/* Of the key that seals alerts. */
static err
ask_use(struct lane *l, void *arg)
{
	return store_key_use_get(l->conn,
	    snap_class_key(l->snap, 1, SEAL_CLASS_ALERT), arg);
}

static err
ask_object_use(struct lane *l, void *arg)
{
	return store_key_use_get(l->conn,
	    snap_class_key(l->snap, 0, SEAL_CLASS_OBJECT), arg);
}

TEST(a_term_begins_and_one_ends)
{
	struct key_use_row use;
	struct office o;

	office_open(&o);
	MUST(writer_do(o.w, destroy, &o));
	MUST(writer_do(o.w, next_terms, &o));
	MUST(writer_do(o.w, ask_use, &use));
	T_OK(use.since > 0 && use.seals > 0);
	MUST(writer_do(o.w, destroy, &o));
	T_GOOD(ask(&o, "project_create", "{\"slug\":\"beta\"}", NULL, NULL));
	office_close(&o);
}

/* ---- what keys may seal ---- */

TEST(a_key_without_a_grant_refuses)
{
	struct amount few = {3, 1000}, each = {2, 1000}, none = {0, 0};
	struct seal_where w = {.table = SEAL_TABLE_OBJECT, .schema = 1};
	struct meters *m;
	struct sealed s;
	struct office o;
	struct lane l;
	uint32_t id;

	office_open(&o);
	MUST(meters_new(&few, &each, &m));
	MUST(lane_open(&o.st, LANE_READER, 0, &l));
	keyring_meter(l.ring, m);
	id = snap_class_key(l.snap, 0, SEAL_CLASS_OBJECT);
	T_ERR(lane_seal(&l, 0, SEAL_CLASS_OBJECT, &w, STR("x"), &o.a, &s),
	    E_KEY_USED_UP);
	MUST(meters_add(m, id, &none));
	meters_give(m, id, &each);
	keyring_forget(l.ring, id);
	for (int i = 0; i < 2; i++)
		T_GOOD(lane_seal(&l, 0, SEAL_CLASS_OBJECT, &w, STR("x"), &o.a,
		    &s));
	T_ERR(lane_seal(&l, 0, SEAL_CLASS_OBJECT, &w, STR("x"), &o.a, &s),
	    E_KEY_USED_UP);
	lane_close(&l);
	(void)meters_free(m);
	office_close(&o);
}

/* What the store says is never less than what was sealed, through a stop and
 * without one. */
TEST(the_store_knows_what_was_sealed)
{
	struct key_use_row before, after;
	struct amount used;
	struct trail t;
	struct office o;
	uint32_t id;

	office_open(&o);
	id = snap_class_key(o.st.snap, 0, SEAL_CLASS_OBJECT);
	for (int i = 0; i < 5; i++)
		hire(&o, fmt(&o, "p%d@x.org", i), NULL, NULL);
	MUST(writer_do(o.w, ask_object_use, &before));
	T_OK(meters_used(o.st.meters, id, &used));
	T_OK(used.seals >= 5 && used.seals <= before.seals);
	T_OK(used.bytes > 0 && used.bytes <= before.bytes);
	o.w = writer_stop(o.w);
	state_done(&o.st);
	MUST(store_key_use_get(store_writer(o.st.store), id, &after));
	T_EQ_INT(after.seals, used.seals);
	T_EQ_INT(after.bytes, used.bytes);
	MUST(state_load(&o.st, &o.server, &t));
	T_OK(meters_used(o.st.meters, id, &used));
	T_EQ_INT(used.seals, after.seals);
	MUST(writer_start(&o.st, &o.server, &o.w));
	MUST(writer_do(o.w, ask_object_use, &before));
	T_OK(before.seals > after.seals);
	office_close(&o);
}

TEST(terms_of_a_class)
{
	const struct class_key *k;
	struct office o;

	office_open(&o);
	T_EQ_INT(snap_class_terms(o.st.snap, 1, SEAL_CLASS_PAYLOAD, &k), 1);
	new_term(&o, 1, SEAL_CLASS_PAYLOAD, false);
	new_term(&o, 1, SEAL_CLASS_PAYLOAD, false);
	T_EQ_INT(snap_class_terms(o.st.snap, 1, SEAL_CLASS_PAYLOAD, &k), 3);
	T_EQ_INT(k[0].term, 1);
	T_EQ_INT(k[2].term, 3);
	T_EQ_INT(k[2].id, snap_class_key(o.st.snap, 1, SEAL_CLASS_PAYLOAD));
	T_EQ_INT(snap_class_terms(o.st.snap, 7, SEAL_CLASS_PAYLOAD, &k), 0);
	T_EQ_INT(snap_class_terms(o.st.snap, 1, SEAL_CLASS_CURSOR, &k), 0);
	T_EQ_INT(snap_class_key(o.st.snap, 7, SEAL_CLASS_PAYLOAD), 0);
	office_close(&o);
}

T_MAIN
