/* t_writer.c: batches, and what one request may do to its neighbours. */
#include "tests/unit/flow/hall.h"

#define ALPHA "/v1/projects/alpha"
#define INCIDENTS ALPHA "/incidents"

static unsigned long long
batches(struct hall *h)
{
	return atomic_load(&h->o.st.n.batches);
}

/* How many resources the last entry of an action names. */
static size_t
resources(struct hall *h, const char *action)
{
	struct audit_entry e;

	MUST(audit_leaf_read(&h->o.a, log_of(h, action, "ok", NULL).leaf, &e));
	return e.resources;
}

/* Of the newest incident: the store's own count. */
static uint64_t
last_seq(struct hall *h)
{
	uint64_t seq, number;

	MUST(store_incident_last(h->look, 1, &seq, &number));
	return seq;
}

/* ---- several in one ---- */

TEST(one_batch)
{
	unsigned long long before;
	struct visit *v[20];
	struct hall h;

	hall_open(&h);
	before = batches(&h);
	hold(&h);
	for (int i = 0; i < 20; i++)
		v[i] = knock(&h, "POST", INCIDENTS, "{\"title\":\"one\"}");
	let_go(&h);
	for (int i = 0; i < 20; i++) {
		EQ_STATUS(v[i], 201);
		T_EQ_INT(number(v[i], "number"), i + 1);
	}
	/* the held one, this, and what a server does at its start by itself */
	T_OK(batches(&h) - before >= 2);
	T_OK(batches(&h) - before <= 6);
	T_EQ_INT(logged(&h, "incident.create", "ok"), 20);
	T_EQ_INT(listed(visit(&h, "GET", INCIDENTS, NULL)), 20);
	hall_close(&h);
}

/* Each sees what those before it in the batch have made. */
TEST(create_and_use)
{
	struct visit *p, *twice, *i, *late, *gone, *after;
	struct hall h;

	hall_open(&h);
	hold(&h);
	p = knock(&h, "POST", "/v1/projects", "{\"slug\":\"beta\"}");
	twice = knock(&h, "POST", "/v1/projects", "{\"slug\":\"beta\"}");
	let_go(&h);
	EQ_STATUS(p, 201);
	EQ_STATUS(twice, 409);
	/* a route with a slow half comes when that is done */
	i = visit(&h, "POST", "/v1/projects/beta/integrations",
	    "{\"name\":\"x\",\"template\":\"generic\","
	    "\"auth\":{\"kind\":\"bearer\"}}");
	hold(&h);
	late = knock(&h, "PATCH", "/v1/projects/beta", "{\"name\":\"B\"}");
	gone = knock(&h, "DELETE", "/v1/projects/beta", NULL);
	after = knock(&h, "POST", "/v1/projects/beta/incidents",
	    "{\"title\":\"too late\"}");
	let_go(&h);
	EQ_STATUS(i, 201);
	EQ_STATUS(late, 200);
	EQ_STATUS(gone, 204);
	EQ_STATUS(after, 404);
	EQ_STATUS(visit(&h, "GET", "/v1/projects/beta", NULL), 404);
	hall_close(&h);
}

/* A role, a binding and a token, each used by the next request. */
TEST(rights_in_one_batch)
{
	struct visit *sa, *bind, *token, *v;
	const char *id, *text;
	struct hall h;

	hall_open(&h);
	sa = visit(&h, "POST", "/v1/service-accounts", "{\"name\":\"bot\"}");
	id = told(&h, sa, "id");
	hold(&h);
	v = knock(&h, "POST", "/v1/roles",
	    "{\"name\":\"opener\",\"permissions\":[\"incident.create\","
	    "\"incident.view\",\"project.view\"]}");
	bind = knock(&h, "POST", "/v1/bindings",
	    fmt(&h.o,
		"{\"subject\":{\"kind\":\"service_account\",\"id\":\"%s\"},"
		"\"role\":\"opener\"}",
		id));
	token = knock(&h, "POST", "/v1/tokens",
	    fmt(&h.o,
		"{\"name\":\"t\",\"owner\":\"%s\",\"scopes\":[\"*\"],"
		"\"expires_at\":\"2027-02-01T00:00:00Z\"}",
		id));
	let_go(&h);
	EQ_STATUS(v, 201);
	EQ_STATUS(bind, 201);
	EQ_STATUS(token, 201);
	text = told(&h, token, "token");
	h.token = text;
	EQ_STATUS(visit(&h, "POST", INCIDENTS, "{\"title\":\"x\"}"), 201);
	EQ_STATUS(visit(&h, "GET", "/v1/users", NULL), 403);
	hall_close(&h);
}

/* What was asked with a token that is revoked before its turn is not done. */
TEST(revoked_in_the_queue)
{
	struct visit *made, *gone, *late;
	const char *text, *path;
	struct hall h;

	hall_open(&h);
	made = visit(&h, "POST", "/v1/tokens",
	    "{\"name\":\"t\",\"scopes\":[\"*\"],"
	    "\"expires_at\":\"2027-02-01T00:00:00Z\"}");
	EQ_STATUS(made, 201);
	text = told(&h, made, "token");
	path = fmt(&h.o, "/v1/tokens/%s", told(&h, made, "id"));
	hold(&h);
	gone = knock(&h, "DELETE", path, NULL);
	h.token = text;
	late = knock(&h, "POST", INCIDENTS, "{\"title\":\"too late\"}");
	let_go(&h);
	EQ_STATUS(gone, 204);
	EQ_STATUS(late, 401);
	T_EQ_INT(logged(&h, "incident.create", NULL), 0);
	T_EQ_INT(logged(&h, "auth.failed", "denied"), 1);
	h.token = h.o.admin;
	T_EQ_INT(listed(visit(&h, "GET", INCIDENTS, NULL)), 0);
	hall_close(&h);
}

/* ---- poison ---- */

/* Fails after it has written: its neighbours are run again without it. */
TEST(poison)
{
	struct visit *a, *bad, *b, *c;
	struct hall_sum s;
	struct hall h;

	hall_open(&h);
	hold(&h);
	a = knock(&h, "POST", INCIDENTS, "{\"title\":\"a\"}");
	bad = knock(&h, "POST", "/v1/projects", "{\"slug\":\"bad\"}");
	b = knock(&h, "POST", "/v1/users", "{\"email\":\"b@example.org\"}");
	c = knock(&h, "POST", INCIDENTS, "{\"title\":\"c\"}");
	atomic_store(&h.o.keeper_says, E_RATE);
	let_go(&h);
	EQ_STATUS(a, 201);
	EQ_STATUS(bad, 429);
	EQ_STATUS(b, 201);
	EQ_STATUS(c, 201);
	T_EQ_INT(number(a, "number"), 1);
	T_EQ_INT(number(c, "number"), 2);
	T_EQ_INT(logged(&h, "incident.create", "ok"), 2);
	/* nothing of the first try is left, in the log or in the store */
	T_EQ_INT(resources(&h, "incident.create"), 1);
	T_EQ_INT(last_seq(&h), 2);
	T_EQ_INT(logged(&h, "user.create", "ok"), 1);
	T_EQ_INT(logged(&h, "project.create", "ok"), 0);
	s = log_of(&h, "project.create", "error", "rate_limited");
	T_EQ_INT(s.entries, 1);
	EQ_STATUS(visit(&h, "GET", "/v1/projects/bad", NULL), 404);
	atomic_store(&h.o.keeper_says, 0);
	EQ_STATUS(visit(&h, "POST", "/v1/projects", "{\"slug\":\"bad\"}"), 201);
	EQ_STATUS(visit(&h, "POST", "/v1/projects/bad/incidents",
		      "{\"title\":\"in it\"}"),
	    201);
	hall_close(&h);
}

/* The server's own failure is on record, too. */
TEST(poison_within)
{
	struct visit *a, *bad, *b;
	struct hall h;

	hall_open(&h);
	hold(&h);
	a = knock(&h, "POST", INCIDENTS, "{\"title\":\"a\"}");
	bad = knock(&h, "POST", "/v1/projects", "{\"slug\":\"bad\"}");
	b = knock(&h, "POST", INCIDENTS, "{\"title\":\"b\"}");
	atomic_store(&h.o.keeper_says, E_CRYPTO);
	let_go(&h);
	EQ_STATUS(a, 201);
	EQ_STATUS(bad, 500);
	T_OK(str_is(json_str_at(bad->json, STR("code")), "internal"));
	EQ_STATUS(b, 201);
	T_EQ_INT(logged(&h, "project.create", NULL), 1);
	T_EQ_INT(log_of(&h, "project.create", "error", "crypto").entries, 1);
	T_EQ_INT(listed(visit(&h, "GET", INCIDENTS, NULL)), 2);
	hall_close(&h);
}

/* ---- the disk ---- */

TEST(disk_full_at_commit)
{
	struct visit *a, *b, *c, *r;
	uint64_t entries;
	struct hall h;

	hall_open(&h);
	EQ_STATUS(visit(&h, "POST", INCIDENTS, "{\"title\":\"before\"}"), 201);
	entries = log_of(&h, NULL, NULL, NULL).last;
	hold(&h);
	a = knock(&h, "POST", INCIDENTS, "{\"title\":\"a\"}");
	b = knock(&h, "POST", "/v1/users", "{\"email\":\"b@example.org\"}");
	c = knock(&h, "POST", "/v1/projects", "{\"slug\":\"beta\"}");
	r = knock(&h, "GET", INCIDENTS "/1", NULL); /* its record fails */
	disk_full(true);
	let_go(&h);
	EQ_STATUS(a, 503);
	EQ_STATUS(b, 503);
	EQ_STATUS(c, 503);
	EQ_STATUS(r, 503);
	T_OK(str_is(reply_header(a, "retry-after"), "1"));
	EQ_STATUS(visit(&h, "GET", INCIDENTS "/1", NULL), 503);
	disk_full(false);
	T_EQ_INT(log_of(&h, NULL, NULL, NULL).last, entries);
	/* world, keys and numbers are where they were */
	EQ_STATUS(visit(&h, "GET", "/v1/projects/beta", NULL), 404);
	T_EQ_INT(listed(visit(&h, "GET", "/v1/users", NULL)), 1);
	a = visit(&h, "POST", INCIDENTS, "{\"title\":\"after\"}");
	EQ_STATUS(a, 201);
	T_EQ_INT(number(a, "number"), 2);
	EQ_STATUS(visit(&h, "POST", "/v1/projects", "{\"slug\":\"beta\"}"),
	    201);
	EQ_STATUS(visit(&h, "POST", "/v1/projects/beta/incidents",
		      "{\"title\":\"in it\"}"),
	    201);
	EQ_STATUS(visit(&h, "GET", INCIDENTS "/2", NULL), 200);
	hall_close(&h);
}

/* A checkpoint that could not be stored is signed again. */
TEST(disk_full_while_signing)
{
	struct hall h;

	hall_open(&h);
	EQ_STATUS(visit(&h, "POST", INCIDENTS, "{\"title\":\"a\"}"), 201);
	usleep(100000);
	EQ_STATUS(visit(&h, "POST", INCIDENTS, "{\"title\":\"b\"}"), 201);
	disk_full(true);
	usleep(1500000);
	disk_full(false);
	hall_close(&h); /* finds all of it signed */
}

/* Reopened, everything answered is there and opens. */
TEST(after_a_restart)
{
	struct trail t = {{0}};
	struct visit *v;
	struct hall h;

	hall_open(&h);
	disk_full(true);
	EQ_STATUS(visit(&h, "POST", "/v1/projects", "{\"slug\":\"x\"}"), 503);
	EQ_STATUS(visit(&h, "POST", INCIDENTS, "{\"title\":\"x\"}"), 503);
	disk_full(false);
	EQ_STATUS(visit(&h, "POST", INCIDENTS, "{\"title\":\"one\"}"), 201);
	EQ_STATUS(visit(&h, "POST", "/v1/projects", "{\"slug\":\"y\"}"), 201);
	EQ_STATUS(visit(&h, "POST", "/v1/projects/y/incidents",
		      "{\"title\":\"two\"}"),
	    201);
	h.o.w = writer_stop(h.o.w);
	lane_close(&h.lane);
	h.o.st.hashes = readers_stop(h.o.st.hashes);
	h.o.st.logins = readers_stop(h.o.st.logins);
	h.o.st.readers = readers_stop(h.o.st.readers);
	state_done(&h.o.st);
	MUST(state_load(&h.o.st, &h.o.server, &t));
	MUST(writer_start(&h.o.st, &h.o.server, &h.o.w));
	h.o.st.writer = h.o.w;
	MUST(readers_start(&h.o.st, 1, LIM_READER_QUEUE, &h.o.st.readers));
	MUST(lane_open(&h.o.st, LANE_REACTOR, 0, &h.lane));
	v = visit(&h, "GET", "/v1/projects/y/incidents/1", NULL);
	EQ_STATUS(v, 200);
	T_OK(str_is(json_str_at(v->json, STR("title")), "two"));
	EQ_STATUS(visit(&h, "GET", INCIDENTS "/1", NULL), 200);
	EQ_STATUS(visit(&h, "GET", INCIDENTS "/2", NULL), 404);
	hall_close(&h);
}

/* ---- the clock ---- */

/* A clock that is set back does not take the log with it. */
TEST(time_goes_back)
{
	int64_t then = OFFICE_NOW * INT64_C(1000), was;
	struct hall_sum s;
	struct hall h;

	hall_open(&h);
	tick(60000);
	EQ_STATUS(visit(&h, "POST", INCIDENTS, "{\"title\":\"a\"}"), 201);
	was = log_of(&h, "incident.create", "ok", NULL).time;
	T_EQ_INT(was, then + 60000);
	tick(-40000);
	EQ_STATUS(visit(&h, "POST", INCIDENTS, "{\"title\":\"b\"}"), 201);
	EQ_STATUS(visit(&h, "GET", INCIDENTS "/1", NULL), 200);
	EQ_STATUS(visit(&h, "PATCH", INCIDENTS "/1", "{\"title\":\"c\"}"), 200);
	s = log_of(&h, NULL, NULL, NULL);
	T_OK(!s.falls);
	T_EQ_INT(log_of(&h, "incident.create", "ok", NULL).time, was);
	T_EQ_INT(listed(visit(&h, "GET", INCIDENTS, NULL)), 2);
	tick(100000);
	EQ_STATUS(visit(&h, "GET", INCIDENTS "/1", NULL), 200);
	T_EQ_INT(log_of(&h, "incident.read", "ok", NULL).time, then + 120000);
	hall_close(&h);
}

T_MAIN
