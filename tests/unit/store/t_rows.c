/* t_rows.c: each kind of row goes in and comes out the same. */
#include "tests/unit/store/fake.h"

static struct arena a;
static struct store *s;
static struct store_conn *w, *r;

static bool
begin(void)
{
	arena_init(&a, 16 * 1024 * 1024);
	s = fake_open(fake_dir(), STORE_CREATE);
	if (s == NULL)
		return false;
	w = store_writer(s);
	T_GOOD(store_reader(s, &r));
	T_GOOD(store_begin(w));
	return true;
}

static void
end(void)
{
	r = store_conn_close(r);
	s = store_close(s);
	arena_done(&a);
}

#define BLOB(x, text) T_EQ_STR((x).bytes, str_c(text))

TEST(meta)
{
	struct str v;

	T_REQUIRE(begin());
	T_ERR(store_meta_get(w, "x", &a, &v), E_NOT_FOUND);
	T_GOOD(store_meta_set(w, "x", STR("one")));
	T_GOOD(store_meta_set(w, "x", STR("two")));
	T_GOOD(store_meta_set(w, "empty", STR("")));
	T_GOOD(store_meta_get(w, "x", &a, &v));
	T_EQ_STR(v, STR("two"));
	T_ERR(store_meta_get(r, "x", &a, &v), E_NOT_FOUND);
	T_GOOD(store_commit(w));
	T_GOOD(store_meta_get(r, "x", &a, &v));
	T_EQ_STR(v, STR("two"));
	T_GOOD(store_meta_get(r, "empty", &a, &v));
	T_EQ_INT(v.n, 0);
	end();
}

TEST(project_keys)
{
	struct project_key_row *k;
	size_t n;

	T_REQUIRE(begin());
	T_GOOD(store_project_key_put(w, 2, 1, 50, fake_sealed("c")));
	T_GOOD(store_project_key_put(w, 0, 2, 40, fake_sealed("b")));
	T_GOOD(store_project_key_put(w, 0, 1, 30, fake_sealed("x")));
	T_GOOD(store_project_key_put(w, 0, 1, 31, fake_sealed("a")));
	T_GOOD(store_project_keys(w, &a, &k, &n));
	T_REQUIRE(n == 3);
	T_EQ_INT(k[0].project, 0);
	T_EQ_INT(k[0].version, 1);
	T_EQ_INT(k[0].created, 31);
	BLOB(k[0].wrapped, "a");
	BLOB(k[1].wrapped, "b");
	T_EQ_INT(k[2].project, 2);
	T_GOOD(store_project_key_delete(w, 0, 2));
	T_ERR(store_project_key_delete(w, 0, 2), E_NOT_FOUND);
	T_GOOD(store_project_keys(w, &a, &k, &n));
	T_EQ_INT(n, 2);
	T_GOOD(store_commit(w));
	end();
}

TEST(data_keys)
{
	struct data_key_row k = {.id = 7,
	    .project = 3,
	    .version = 2,
	    .class = 4,
	    .has_subject = true,
	    .subject = fake_uuid(1, 2),
	    .term = 9,
	    .wrapped = fake_sealed("seven")};
	struct data_key_row g, *list;
	uint32_t last;
	size_t n;

	T_REQUIRE(begin());
	T_GOOD(store_data_key_last(w, &last));
	T_EQ_INT(last, 0);
	T_GOOD(store_data_key_put(w, &k));
	T_GOOD(store_data_key_get(w, 7, &a, &g));
	T_EQ_INT(g.project, 3);
	T_EQ_INT(g.version, 2);
	T_EQ_INT(g.class, 4);
	T_EQ_INT(g.term, 9);
	T_OK(g.has_subject && uuid_eq(&g.subject, &k.subject));
	BLOB(g.was_wrapped, "seven");
	k.wrapped = fake_sealed("other");
	k.version = 3;
	T_GOOD(store_data_key_put(w, &k));
	T_GOOD(store_data_key_get(w, 7, &a, &g));
	T_EQ_INT(g.version, 3);
	BLOB(g.was_wrapped, "other");
	k.has_subject = false;
	for (uint32_t i = 8; i < 12; i++) {
		k.id = i;
		k.project = i % 2;
		k.term = 20 - i;
		T_GOOD(store_data_key_put(w, &k));
	}
	T_GOOD(store_class_keys(w, &a, &list, &n));
	T_REQUIRE(n == 4);
	T_EQ_INT(list[0].id, 10);
	T_EQ_INT(list[1].id, 8);
	T_EQ_INT(list[2].id, 11);
	T_OK(!list[0].has_subject);
	T_GOOD(store_data_keys_after(w, 8, 2, &a, &list, &n));
	T_REQUIRE(n == 2);
	T_EQ_INT(list[0].id, 9);
	T_GOOD(store_data_key_last(w, &last));
	T_EQ_INT(last, 11);
	T_GOOD(store_data_key_delete(w, 11));
	T_ERR(store_data_key_get(w, 11, &a, &g), E_NOT_FOUND);
	T_GOOD(store_data_key_last(w, &last));
	T_EQ_INT(last, 11); /* its number is not given again */
	T_GOOD(store_commit(w));
	end();
}

TEST(objects)
{
	struct object_row o = {.kind = 2,
	    .id = fake_uuid(5, 6),
	    .project = 1,
	    .version = 1,
	    .created = 10,
	    .updated = 11,
	    .sealed = fake_sealed("one")};
	struct object_row *l;
	size_t n;

	T_REQUIRE(begin());
	T_GOOD(store_object_put(w, &o));
	o.kind = 1;
	T_GOOD(store_object_put(w, &o));
	o.sealed = fake_sealed("two");
	o.version = 2;
	o.updated = 12;
	T_GOOD(store_object_put(w, &o));
	T_GOOD(store_objects(w, &a, &l, &n));
	T_REQUIRE(n == 2);
	T_EQ_INT(l[0].kind, 1);
	T_EQ_INT(l[0].version, 2);
	T_EQ_INT(l[0].updated, 12);
	T_EQ_INT(l[0].created, 10);
	BLOB(l[0].stored, "two");
	BLOB(l[1].stored, "one");
	T_OK(uuid_eq(&l[0].id, &o.id));
	T_GOOD(store_object_delete(w, 1, &o.id));
	T_ERR(store_object_delete(w, 1, &o.id), E_NOT_FOUND);
	T_GOOD(store_commit(w));
	end();
}

static struct incident_row
incident(uint64_t seq, uint32_t project, uint64_t number)
{
	return (struct incident_row){.seq = seq,
	    .id = {fake_uuid(1, seq)},
	    .project = project,
	    .number = number,
	    .severity = 2,
	    .status = 1,
	    .version = 1,
	    .created = (int64_t)seq * 1000,
	    .updated = (int64_t)seq * 1000,
	    .sealed = fake_sealed("incident")};
}

static void
same_incident(const struct incident_row *g, const struct incident_row *x)
{
	T_EQ_INT(g->seq, x->seq);
	T_OK(uuid_eq(&g->id.u, &x->id.u));
	T_EQ_INT(g->project, x->project);
	T_EQ_INT(g->number, x->number);
	T_EQ_INT(g->severity, x->severity);
	T_EQ_INT(g->status, x->status);
	T_EQ_INT(g->private, x->private);
	T_EQ_INT(g->version, x->version);
	T_EQ_INT(g->alerts, x->alerts);
	T_EQ_INT(g->entries, x->entries);
	T_EQ_INT(g->created, x->created);
	T_EQ_INT(g->updated, x->updated);
	T_EQ_INT(g->acknowledged, x->acknowledged);
	T_EQ_INT(g->mitigated, x->mitigated);
	T_EQ_INT(g->resolved, x->resolved);
	T_EQ_INT(g->closed, x->closed);
}

TEST(incidents)
{
	struct incident_row x = incident(1, 4, 1), y = incident(2, 5, 1), g;
	uint64_t seq, number;

	T_REQUIRE(begin());
	T_GOOD(store_incident_last(w, 4, &seq, &number));
	T_EQ_INT(seq, 0);
	T_EQ_INT(number, 0);
	T_GOOD(store_incident_insert(w, &x));
	T_GOOD(store_incident_insert(w, &y));
	T_GOOD(store_incident_last(w, 4, &seq, &number));
	T_EQ_INT(seq, 2);
	T_EQ_INT(number, 1);
	T_GOOD(store_incident_by_id(w, &x.id, &a, &g));
	same_incident(&g, &x);
	BLOB(g.stored, "incident");
	/* counters only: the statement that touches no index */
	x.alerts = 7;
	x.entries = 8;
	x.version = 2;
	x.updated = 99;
	x.sealed = (struct sealed){STR_NONE};
	T_GOOD(store_incident_update(w, &x));
	T_GOOD(store_incident_by_number(w, 4, 1, &a, &g));
	same_incident(&g, &x);
	BLOB(g.stored, "incident");
	/* the state, without and with a blob */
	x.status = 3;
	x.acknowledged = 1;
	x.mitigated = 2;
	x.resolved = 3;
	x.closed = 4;
	T_GOOD(store_incident_update(w, &x));
	T_GOOD(store_incident_by_seq(w, 1, &a, &g));
	same_incident(&g, &x);
	BLOB(g.stored, "incident");
	x.private = 1;
	x.sealed = fake_sealed("new");
	T_GOOD(store_incident_update(w, &x));
	x.version = 9;
	x.sealed = fake_sealed("newer");
	T_GOOD(store_incident_update(w, &x));
	T_GOOD(store_incident_by_seq(w, 1, &a, &g));
	same_incident(&g, &x);
	BLOB(g.stored, "newer");
	x.seq = 77;
	T_ERR(store_incident_update(w, &x), E_NOT_FOUND);
	T_ERR(store_incident_by_number(w, 4, 2, &a, &g), E_NOT_FOUND);
	T_ERR(store_incident_by_number(w, 4, UINT64_MAX, &a, &g), E_NOT_FOUND);
	T_ERR(store_incident_by_seq(w, 3, &a, &g), E_NOT_FOUND);
	T_GOOD(store_commit(w));
	T_GOOD(store_incident_by_seq(r, 2, &a, &g));
	same_incident(&g, &y);
	end();
}

TEST(unique)
{
	struct incident_row x = incident(1, 4, 1), y = incident(2, 4, 1);

	T_REQUIRE(begin());
	T_GOOD(store_incident_insert(w, &x));
	T_ERR(store_incident_insert(w, &y), E_EXISTS);
	/* it sticks: nothing of this can be committed */
	y.number = 2;
	T_ERR(store_incident_insert(w, &y), E_EXISTS);
	T_ERR(store_commit(w), E_EXISTS);
	T_GOOD(store_begin(w));
	T_ERR(store_incident_by_seq(w, 1, &a, &x), E_NOT_FOUND);
	store_rollback(w);
	end();
}

TEST(no_blob_no_row)
{
	struct incident_row x = incident(1, 4, 1);

	T_REQUIRE(begin());
	x.sealed = (struct sealed){STR_NONE};
	T_ERR(store_incident_insert(w, &x), E_INTERNAL);
	store_rollback(w);
	end();
}

TEST(tags)
{
	uint8_t v[BLIND_SIZE] = {1}, u[BLIND_SIZE] = {2};
	uint64_t n;

	T_REQUIRE(begin());
	T_ERR(store_tag_newest(w, 1, TAG_GROUP, v, &n), E_NOT_FOUND);
	T_GOOD(store_tag_add(w, 1, TAG_GROUP, v, 5));
	T_GOOD(store_tag_add(w, 1, TAG_GROUP, v, 9));
	T_GOOD(store_tag_add(w, 1, TAG_GROUP, v, 9));
	T_GOOD(store_tag_add(w, 1, TAG_GROUP, u, 11));
	T_GOOD(store_tag_add(w, 2, TAG_GROUP, v, 12));
	T_GOOD(store_tag_add(w, 1, TAG_TYPE, v, 13));
	T_GOOD(store_tag_newest(w, 1, TAG_GROUP, v, &n));
	T_EQ_INT(n, 9);
	T_GOOD(store_tag_delete(w, 1, TAG_GROUP, v, 9));
	T_GOOD(store_tag_newest(w, 1, TAG_GROUP, v, &n));
	T_EQ_INT(n, 5);
	T_GOOD(store_commit(w));
	end();
}

TEST(members)
{
	struct subject m[3] = {{2, fake_uuid(9, 1)}, {1, fake_uuid(9, 2)},
	    {1, fake_uuid(9, 1)}};
	struct subject other = {2, fake_uuid(9, 2)}, *l;
	struct incident_row x = incident(1, 1, 1);
	struct incident_id *ids;
	bool any;
	size_t n;

	T_REQUIRE(begin());
	T_GOOD(store_members_set(w, 1, m, 3));
	T_GOOD(store_members(w, 1, &a, &l, &n));
	T_REQUIRE(n == 3);
	T_EQ_INT(l[0].kind, 1);
	T_OK(uuid_eq(&l[2].id, &m[0].id) && l[2].kind == 2);
	T_GOOD(store_member_any(w, 1, &other, 1, &any));
	T_OK(!any); /* same id, other kind */
	T_GOOD(store_member_any(w, 1, NULL, 0, &any));
	T_OK(!any);
	T_GOOD(store_member_any(w, 2, m, 3, &any));
	T_OK(!any);
	T_GOOD(store_member_any(w, 1, &m[1], 1, &any));
	T_OK(any);
	x.private = 1;
	for (uint64_t i = 1; i <= 4; i++) {
		x.seq = x.number = i;
		x.id.u = fake_uuid(1, i);
		x.private = i != 3;
		T_GOOD(store_incident_insert(w, &x));
		T_GOOD(store_members_set(w, i, m, i == 2 ? 0 : 2));
	}
	T_GOOD(store_member_of(w, m, 2, 10, &a, &ids, &n));
	T_REQUIRE(n == 2); /* 4 and 1: 3 is not private, 2 has none */
	T_OK(ids[0].u.b[7] == 4 && ids[1].u.b[7] == 1);
	T_GOOD(store_member_of(w, m, 2, 1, &a, &ids, &n));
	T_EQ_INT(n, 1);
	T_GOOD(store_member_of(w, &other, 1, 9, &a, &ids, &n));
	T_EQ_INT(n, 0);
	T_GOOD(store_commit(w));
	end();
}

TEST(timeline)
{
	struct entry_row e = {.incident = 3,
	    .kind = 2,
	    .key_event = 1,
	    .occurred = 5,
	    .recorded = 6,
	    .sealed = fake_sealed("text")};
	struct entry_row *l;
	size_t n;

	T_REQUIRE(begin());
	for (uint32_t i = 1; i <= 9; i++) {
		e.n = i;
		e.incident = 2 + i % 3; /* 3 4 2 3 4 2 ... */
		T_GOOD(store_entry_insert(w, &e));
	}
	T_GOOD(store_entry_list(w, 3, 0, false, 10, &a, &l, &n));
	T_REQUIRE(n == 3);
	T_EQ_INT(l[0].n, 1);
	T_EQ_INT(l[1].n, 4);
	T_EQ_INT(l[2].n, 7);
	T_EQ_INT(l[0].incident, 3);
	T_EQ_INT(l[0].kind, 2);
	T_EQ_INT(l[0].key_event, 1);
	T_EQ_INT(l[0].occurred, 5);
	T_EQ_INT(l[0].recorded, 6);
	BLOB(l[0].stored, "text");
	T_GOOD(store_entry_list(w, 3, 1, false, 1, &a, &l, &n));
	T_REQUIRE(n == 1);
	T_EQ_INT(l[0].n, 4);
	T_GOOD(store_entry_list(w, 3, 7, true, 10, &a, &l, &n));
	T_REQUIRE(n == 2);
	T_EQ_INT(l[0].n, 4);
	T_GOOD(store_entry_list(w, 3, 0, true, 10, &a, &l, &n));
	T_REQUIRE(n == 3);
	T_EQ_INT(l[0].n, 7);
	T_GOOD(store_entry_list(w, 5, 0, true, 10, &a, &l, &n));
	T_EQ_INT(n, 0);
	T_ERR(store_entry_insert(w, &e), E_EXISTS);
	store_rollback(w);
	T_GOOD(store_begin(w));
	e.n = 1u << 24;
	T_ERR(store_entry_insert(w, &e), E_INVALID);
	store_rollback(w);
	end();
}

TEST(alerts)
{
	struct alert_row x = {.seq = 1,
	    .id = {fake_uuid(3, 1)},
	    .project = 4,
	    .dedup = {7},
	    .incident = 5,
	    .status = 1,
	    .severity = 2,
	    .version = 1,
	    .count = 1,
	    .first_seen = 10,
	    .last_seen = 10,
	    .sealed = fake_sealed("alert")};
	struct alert_row g;
	uint64_t last, open;

	T_REQUIRE(begin());
	T_GOOD(store_alert_insert(w, &x));
	T_GOOD(store_alert_open(w, 5, &open));
	T_EQ_INT(open, 1);
	x.count = 2;
	x.last_seen = 20;
	x.sealed = (struct sealed){STR_NONE};
	T_GOOD(store_alert_update(w, &x));
	T_GOOD(store_alert_by_id(w, &x.id, &a, &g));
	T_EQ_INT(g.seq, 1);
	T_EQ_INT(g.project, 4);
	T_EQ_INT(g.incident, 5);
	T_EQ_INT(g.status, 1);
	T_EQ_INT(g.severity, 2);
	T_EQ_INT(g.count, 2);
	T_EQ_INT(g.first_seen, 10);
	T_EQ_INT(g.last_seen, 20);
	T_EQ_INT(g.resolved, 0);
	T_EQ_MEM(g.dedup, x.dedup, BLIND_SIZE);
	BLOB(g.stored, "alert");
	x.status = 3;
	x.resolved = 30;
	x.sealed = fake_sealed("done");
	T_GOOD(store_alert_update(w, &x));
	T_GOOD(store_alert_by_id(w, &x.id, &a, &g));
	T_EQ_INT(g.resolved, 30);
	BLOB(g.stored, "done");
	T_GOOD(store_alert_open(w, 5, &open));
	T_EQ_INT(open, 0);
	x.seq = 2;
	x.id.u = fake_uuid(3, 2);
	x.sealed = fake_sealed("again");
	T_GOOD(store_alert_insert(w, &x));
	T_GOOD(store_alert_by_dedup(w, x.dedup, &a, &g));
	T_EQ_INT(g.seq, 2);
	x.dedup[0]++;
	T_ERR(store_alert_by_dedup(w, x.dedup, &a, &g), E_NOT_FOUND);
	T_GOOD(store_alert_last(w, &last));
	T_EQ_INT(last, 2);
	x.seq = 3;
	T_ERR(store_alert_update(w, &x), E_NOT_FOUND);
	T_GOOD(store_commit(w));
	end();
}

TEST(deliveries)
{
	struct delivery_row d = {.id = {fake_uuid(4, 1)},
	    .project = 1,
	    .integration = {fake_uuid(5, 5)},
	    .received = 44,
	    .status = DELIVERY_ACCEPTED,
	    .alerts = 2,
	    .bytes = 1500,
	    .sealed = fake_sealed("raw")};
	struct principal_id other = {fake_uuid(5, 6)};
	struct delivery_row *l;
	uint64_t last;
	size_t n;

	T_REQUIRE(begin());
	for (d.seq = 1; d.seq <= 5; d.seq++)
		T_GOOD(store_delivery_insert(w, &d));
	T_GOOD(store_delivery_last(w, &last));
	T_EQ_INT(last, 5);
	T_GOOD(store_delivery_list(w, &d.integration, 0, 3, &a, &l, &n));
	T_REQUIRE(n == 3);
	T_EQ_INT(l[0].seq, 5);
	T_EQ_INT(l[0].received, 44);
	T_EQ_INT(l[0].status, DELIVERY_ACCEPTED);
	T_EQ_INT(l[0].alerts, 2);
	T_EQ_INT(l[0].bytes, 1500);
	T_OK(uuid_eq(&l[0].integration.u, &d.integration.u));
	BLOB(l[0].stored, "raw");
	T_GOOD(store_delivery_list(w, &d.integration, 3, 3, &a, &l, &n));
	T_REQUIRE(n == 2);
	T_EQ_INT(l[0].seq, 2);
	T_GOOD(store_delivery_list(w, &other, 0, 3, &a, &l, &n));
	T_EQ_INT(n, 0);
	T_GOOD(store_commit(w));
	end();
}

TEST(replies)
{
	struct reply_row x = {.key = {1},
	    .body_hash = {2},
	    .created = 100,
	    .status = 201,
	    .sealed = fake_sealed("answer")};
	struct reply_row g;

	T_REQUIRE(begin());
	T_GOOD(store_reply_put(w, &x));
	T_GOOD(store_reply_get(w, x.key, &a, &g));
	T_EQ_INT(g.status, 201);
	T_EQ_INT(g.created, 100);
	T_EQ_MEM(g.body_hash, x.body_hash, BLIND_SIZE);
	BLOB(g.stored, "answer");
	x.created = 200;
	T_GOOD(store_reply_put(w, &x));
	x.key[1] = 1;
	x.created = 201;
	T_GOOD(store_reply_put(w, &x));
	T_GOOD(store_reply_purge(w, 201));
	T_GOOD(store_reply_get(w, x.key, &a, &g));
	x.key[1] = 0;
	T_ERR(store_reply_get(w, x.key, &a, &g), E_NOT_FOUND);
	T_GOOD(store_commit(w));
	end();
}

TEST(purge_is_bounded)
{
	struct reply_row x = {.created = 1, .sealed = fake_sealed("x")};
	struct reply_row g;

	T_REQUIRE(begin());
	for (unsigned i = 0; i < STORE_PURGE + 1; i++) {
		memcpy(x.key, &i, sizeof i);
		T_GOOD(store_reply_put(w, &x));
	}
	T_GOOD(store_reply_purge(w, 2));
	T_GOOD(store_reply_get(w, x.key, &a, &g));
	T_GOOD(store_reply_purge(w, 2));
	T_ERR(store_reply_get(w, x.key, &a, &g), E_NOT_FOUND);
	T_GOOD(store_commit(w));
	end();
}

TEST(token_use)
{
	struct token_id t = {fake_uuid(8, 8)};
	struct token_used_row *l;
	size_t n;

	T_REQUIRE(begin());
	T_GOOD(store_token_used_put(w, &t, 5));
	T_GOOD(store_token_used_put(w, &t, 6));
	T_GOOD(store_token_used(w, &a, &l, &n));
	T_REQUIRE(n == 1);
	T_EQ_INT(l[0].used, 6);
	T_OK(uuid_eq(&l[0].token.u, &t.u));
	T_GOOD(store_token_used_delete(w, &t));
	T_GOOD(store_token_used_delete(w, &t));
	T_GOOD(store_token_used(w, &a, &l, &n));
	T_EQ_INT(n, 0);
	T_GOOD(store_commit(w));
	end();
}

struct walked {
	uint64_t seq[8];
	size_t n, stop;
};

static bool
walked(void *ctx, uint64_t seq, struct str leaf)
{
	struct walked *v = ctx;

	T_EQ_INT(leaf.n, 5);
	T_EQ_INT(leaf.p[4] - '0', seq);
	v->seq[v->n++] = seq;
	return v->n < v->stop;
}

TEST(audit)
{
	char leaf[] = "leaf0";
	struct walked v;
	struct stored b;
	uint64_t last;
	struct str l;

	T_REQUIRE(begin());
	T_GOOD(store_audit_last(w, &last));
	T_EQ_INT(last, 0);
	for (uint64_t i = 1; i <= 5; i++) {
		leaf[4] = (char)('0' + i);
		T_GOOD(store_audit_append(w, i, str_c(leaf)));
	}
	T_GOOD(store_audit_last(w, &last));
	T_EQ_INT(last, 5);
	T_GOOD(store_audit_get(w, 2, &a, &l));
	T_EQ_STR(l, STR("leaf2"));
	T_ERR(store_audit_get(w, 6, &a, &l), E_NOT_FOUND);
	v = (struct walked){.stop = 9};
	T_GOOD(store_audit_walk(w, 2, false, walked, &v));
	T_EQ_INT(v.n, 4);
	T_EQ_INT(v.seq[0], 2);
	T_EQ_INT(v.seq[3], 5);
	v = (struct walked){.stop = 2};
	T_GOOD(store_audit_walk(w, UINT64_MAX, true, walked, &v));
	T_EQ_INT(v.n, 2);
	T_EQ_INT(v.seq[0], 5);
	T_EQ_INT(v.seq[1], 4);
	T_GOOD(store_audit_body_put(w, 3, fake_sealed("body")));
	T_GOOD(store_audit_body_get(w, 3, &a, &b));
	BLOB(b, "body");
	T_ERR(store_audit_body_get(w, 4, &a, &b), E_NOT_FOUND);
	T_ERR(store_audit_append(w, 5, STR("again")), E_EXISTS);
	store_rollback(w);
	end();
}

TEST(tiles)
{
	static uint8_t t[STORE_TILE], g[STORE_TILE];

	T_REQUIRE(begin());
	memset(t, 7, sizeof t);
	T_ERR(store_tile_get(w, 0, 0, g), E_NOT_FOUND);
	T_GOOD(store_tile_put(w, 0, 0, t));
	t[0] = 1;
	T_GOOD(store_tile_put(w, 0, 0, t));
	t[0] = 2;
	T_GOOD(store_tile_put(w, 1, 0, t));
	t[0] = 3;
	T_GOOD(store_tile_put(w, 0, (1ull << 56) - 1, t));
	T_EQ_MEM(t, t, 1);
	T_GOOD(store_tile_get(w, 0, 0, g));
	T_EQ_INT(g[0], 1);
	T_EQ_INT(g[STORE_TILE - 1], 7);
	T_GOOD(store_tile_get(w, 1, 0, g));
	T_EQ_INT(g[0], 2);
	T_GOOD(store_tile_get(w, 0, (1ull << 56) - 1, g));
	T_EQ_INT(g[0], 3);
	T_ERR(store_tile_get(w, 1, 1, g), E_NOT_FOUND);
	T_GOOD(store_commit(w));
	T_ERR(store_tile_get(r, 64, 0, g), E_INVALID);
	T_ERR(store_tile_get(r, 0, 1ull << 56, g), E_INVALID);
	end();
}

TEST(checkpoints)
{
	uint64_t size;
	struct str n;

	T_REQUIRE(begin());
	T_ERR(store_checkpoint_get(w, 0, &a, &size, &n), E_NOT_FOUND);
	T_GOOD(store_checkpoint_put(w, 10, 1, STR("ten")));
	T_GOOD(store_checkpoint_put(w, 20, 2, STR("twenty")));
	T_GOOD(store_checkpoint_put(w, 20, 3, STR("twenty!")));
	T_GOOD(store_checkpoint_get(w, 0, &a, &size, &n));
	T_EQ_INT(size, 20);
	T_EQ_STR(n, STR("twenty!"));
	T_GOOD(store_checkpoint_get(w, 10, &a, &size, &n));
	T_EQ_INT(size, 10);
	T_GOOD(store_checkpoint_get(w, 11, &a, &size, &n));
	T_EQ_INT(size, 20);
	T_ERR(store_checkpoint_get(w, 21, &a, &size, &n), E_NOT_FOUND);
	T_GOOD(store_commit(w));
	end();
}

TEST(full_arena_is_not_the_transactions_fault)
{
	static char big[5000];
	struct arena small;
	struct str v;

	T_REQUIRE(begin());
	memset(big, 'x', sizeof big);
	T_GOOD(store_meta_set(w, "big", str_of(big, sizeof big)));
	arena_init(&small, 4096);
	T_ERR(store_meta_get(w, "big", &small, &v), E_NO_MEMORY);
	arena_done(&small);
	T_GOOD(store_commit(w));
	end();
}

T_MAIN
