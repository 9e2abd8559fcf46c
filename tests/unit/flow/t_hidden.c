/* t_hidden.c: who may see, who may hand out, and what is on record of it. */
#include "tests/unit/flow/hall.h"

#define ALPHA "/v1/projects/alpha"
#define INCIDENTS ALPHA "/incidents"
#define ALERTS ALPHA "/alerts"

struct person {
	const char *id, *token;
};

/* A user with a role in the organization and a token for everything. */
static struct person
person(struct hall *h, const char *name, const char *role)
{
	struct person p;

	p.id = hire(&h->o, fmt(&h->o, "%s@example.org", name), role, NULL);
	p.token = badge(&h->o, p.id);
	return p;
}

static struct visit *
as(struct hall *h, const char *token, const char *method, const char *path,
    const char *body)
{
	struct visit *v;

	h->token = token;
	v = knock(h, method, path, body);
	h->token = h->o.admin;
	return v;
}

static struct visit *
secret_incident(struct hall *h, const char *token)
{
	struct visit *v = as(h, token, "POST", INCIDENTS,
	    "{\"title\":\"secret\",\"private\":true}");

	EQ_STATUS(v, 201);
	return v;
}

/* ---- one batch ---- */

/* Private from the first moment, for who asks in the same batch, too. */
TEST(private_in_one_batch)
{
	struct visit *made, *note, *peek, *add, *move, *late, *let, *in;
	struct person eve, mate;
	struct hall h;

	hall_open(&h);
	eve = person(&h, "eve", "commander");
	mate = person(&h, "mate", "responder");
	hold(&h);
	made = as(&h, h.o.admin, "POST", INCIDENTS,
	    "{\"title\":\"s\",\"private\":true}");
	note = as(&h, h.o.admin, "POST", INCIDENTS "/1/timeline",
	    "{\"text\":\"mine\"}");
	peek = as(&h, eve.token, "PATCH", INCIDENTS "/1", "{\"title\":\"x\"}");
	add = as(&h, eve.token, "POST", INCIDENTS "/1/timeline",
	    "{\"text\":\"x\"}");
	move = as(&h, eve.token, "POST", INCIDENTS "/1/transitions",
	    "{\"to\":\"acknowledged\"}");
	late = as(&h, mate.token, "POST", INCIDENTS "/1/timeline",
	    "{\"text\":\"too early\"}");
	let = as(&h, h.o.admin, "PUT", INCIDENTS "/1/members",
	    fmt(&h.o, "{\"members\":[{\"kind\":\"user\",\"id\":\"%s\"}]}",
		mate.id));
	in = as(&h, mate.token, "POST", INCIDENTS "/1/timeline",
	    "{\"text\":\"in\"}");
	let_go(&h);
	EQ_STATUS(made, 201);
	EQ_STATUS(note, 201);
	EQ_STATUS(peek, 404);
	EQ_STATUS(add, 404);
	EQ_STATUS(move, 404);
	EQ_STATUS(late, 404);
	EQ_STATUS(let, 200);
	EQ_STATUS(in, 201);
	T_EQ_INT(log_of(&h, NULL, "denied", "restricted").count, 4);
	/* who let them in is not among them any more */
	EQ_STATUS(visit(&h, "GET", INCIDENTS "/1", NULL), 404);
	EQ_STATUS(as(&h, mate.token, "GET", INCIDENTS "/1", NULL), 200);
	T_EQ_INT(listed(as(&h, eve.token, "GET", INCIDENTS, NULL)), 0);
	T_EQ_INT(listed(as(&h, mate.token, "GET", INCIDENTS, NULL)), 1);
	hall_close(&h);
}

TEST(a_member_twice)
{
	struct visit *put, *get;
	const char *me;
	struct hall h;

	hall_open(&h);
	me = told(&h, visit(&h, "GET", "/v1/whoami", NULL), "id");
	secret_incident(&h, h.o.admin);
	put = visit(&h, "PUT", INCIDENTS "/1/members",
	    fmt(&h.o,
		"{\"members\":[{\"kind\":\"user\",\"id\":\"%s\"},"
		"{\"kind\":\"user\",\"id\":\"%s\"}]}",
		me, me));
	EQ_STATUS(put, 200);
	get = visit(&h, "GET", INCIDENTS "/1/members", NULL);
	T_OK(str_eq(put->body, get->body));
	T_EQ_INT(json_get(get->json, STR("members"))->count, 1);
	EQ_STATUS(visit(&h, "PUT", INCIDENTS "/1/members", "{\"members\":[]}"),
	    400);
	EQ_STATUS(visit(&h, "PUT", INCIDENTS "/1/members",
		      fmt(&h.o,
			  "{\"members\":[{\"kind\":\"group\","
			  "\"id\":\"%s\"}]}",
			  me)),
	    400);
	hall_close(&h);
}

/* The same requests with an error among them. */
TEST(private_in_a_spoiled_batch)
{
	struct visit *made, *bad, *peek, *note;
	struct person eve;
	struct hall h;

	hall_open(&h);
	eve = person(&h, "eve", "commander");
	atomic_store(&h.o.keeper_says, E_RATE);
	hold(&h);
	made = as(&h, h.o.admin, "POST", INCIDENTS,
	    "{\"title\":\"s\",\"private\":true}");
	bad = as(&h, h.o.admin, "POST", "/v1/projects", "{\"slug\":\"x\"}");
	peek = as(&h, eve.token, "PATCH", INCIDENTS "/1", "{\"title\":\"x\"}");
	note = as(&h, h.o.admin, "POST", INCIDENTS "/1/timeline",
	    "{\"text\":\"mine\"}");
	let_go(&h);
	EQ_STATUS(made, 201);
	EQ_STATUS(bad, 429);
	EQ_STATUS(peek, 404);
	EQ_STATUS(note, 201);
	T_EQ_INT(log_of(&h, NULL, "denied", "restricted").count, 1);
	hall_close(&h);
}

/* ---- alerts of what is hidden ---- */

static const char *const shout =
    "{\"title\":\"loud\",\"dedup_key\":\"k\",\"severity\":\"info\"}";

/* An alert that falls into a hidden incident looks like any new one. */
TEST(alert_into_a_hidden_incident)
{
	struct visit *i, *a, *v, *again;
	struct person eve;
	struct hall h;

	hall_open(&h);
	eve = person(&h, "eve", "commander");
	i = secret_incident(&h, h.o.admin);
	a = visit(&h, "POST", ALERTS, shout);
	EQ_STATUS(a, 201);
	v = visit(&h, "POST",
	    fmt(&h.o, ALERTS "/%s/promote", told(&h, a, "id")),
	    fmt(&h.o, "{\"incident\":\"%s\"}", told(&h, i, "id")));
	EQ_STATUS(v, 200);
	EQ_TEXT(told(&h, v, "incident"), told(&h, i, "id"));
	v = as(&h, eve.token, "POST", ALERTS, shout);
	EQ_STATUS(v, 201);
	EQ_TEXT(told(&h, v, "incident"), "");
	T_EQ_INT(number(v, "count"), 1);
	EQ_TEXT(told(&h, v, "first_seen"), told(&h, v, "last_seen"));
	T_OK(reply_header(v, "location").n > 0);
	T_OK(str_ifind(v->body, str_c(eve.id)));
	T_OK(!str_ifind(v->body, str_c(told(&h, i, "id"))));
	EQ_STATUS(as(&h, eve.token, "GET",
		      fmt(&h.o, ALERTS "/%s", told(&h, v, "id")), NULL),
	    404);
	T_EQ_INT(listed(as(&h, eve.token, "GET", ALERTS, NULL)), 0);
	again = visit(&h, "POST", ALERTS, shout);
	EQ_STATUS(again, 200);
	T_EQ_INT(number(again, "count"), 3);
	EQ_TEXT(told(&h, again, "id"), told(&h, a, "id"));
	/* and what it cannot see it cannot touch */
	EQ_STATUS(as(&h, eve.token, "POST",
		      fmt(&h.o, ALERTS "/%s/acknowledge", told(&h, a, "id")),
		      NULL),
	    404);
	hall_close(&h);
}

static bool
names(struct hall_sum s, const char *id)
{
	return str_ifind(s.leaf, str_c(id));
}

/* The log names what is hidden by a blind reference only. */
TEST(hidden_in_the_log)
{
	struct visit *i, *a, *open;
	struct hall h;

	hall_open(&h);
	i = secret_incident(&h, h.o.admin);
	a = visit(&h, "POST", ALERTS, shout);
	EQ_STATUS(visit(&h, "POST",
		      fmt(&h.o, ALERTS "/%s/promote", told(&h, a, "id")),
		      fmt(&h.o, "{\"incident\":\"%s\"}", told(&h, i, "id"))),
	    200);
	T_OK(!names(log_of(&h, "incident.create", "ok", NULL),
	    told(&h, i, "id")));
	T_OK(
	    !names(log_of(&h, "alert.promote", "ok", NULL), told(&h, a, "id")));
	T_OK(
	    !names(log_of(&h, "alert.promote", "ok", NULL), told(&h, i, "id")));
	EQ_STATUS(visit(&h, "POST",
		      fmt(&h.o, ALERTS "/%s/resolve", told(&h, a, "id")), NULL),
	    200);
	T_OK(
	    !names(log_of(&h, "alert.resolve", "ok", NULL), told(&h, a, "id")));
	open = visit(&h, "POST", INCIDENTS, "{\"title\":\"open\"}");
	T_OK(names(log_of(&h, "incident.create", "ok", NULL),
	    told(&h, open, "id")));
	EQ_STATUS(visit(&h, "PATCH", INCIDENTS "/2", "{\"private\":true}"),
	    200);
	T_OK(!names(log_of(&h, "incident.update", "ok", NULL),
	    told(&h, open, "id")));
	hall_close(&h);
}

/* ---- handing out ---- */

/* Administrators cannot let themselves, or others, into what is hidden. */
TEST(no_way_in_through_a_group)
{
	struct person boss, member;
	struct visit *g, *v;
	struct hall h;
	const char *path, *me;

	hall_open(&h);
	me = told(&h, visit(&h, "GET", "/v1/whoami", NULL), "id");
	boss = person(&h, "boss", "org_admin");
	member = person(&h, "member", "org_admin");
	g = visit(&h, "POST", "/v1/groups",
	    fmt(&h.o,
		"{\"name\":\"g\",\"members\":[{\"kind\":\"user\","
		"\"id\":\"%s\"}]}",
		member.id));
	EQ_STATUS(g, 201);
	path = fmt(&h.o, "/v1/groups/%s", told(&h, g, "id"));
	secret_incident(&h, h.o.admin);
	EQ_STATUS(visit(&h, "PUT", INCIDENTS "/1/members",
		      fmt(&h.o,
			  "{\"members\":[{\"kind\":\"group\",\"id\":\"%s\"},"
			  "{\"kind\":\"user\",\"id\":\"%s\"}]}",
			  told(&h, g, "id"), me)),
	    200);
	v = as(&h, boss.token, "PATCH", path,
	    fmt(&h.o,
		"{\"members\":[{\"kind\":\"user\",\"id\":\"%s\"},"
		"{\"kind\":\"user\",\"id\":\"%s\"}]}",
		member.id, boss.id));
	EQ_STATUS(v, 403);
	T_EQ_INT(log_of(&h, "group.update", "denied", NULL).entries, 1);
	EQ_STATUS(as(&h, boss.token, "GET", INCIDENTS "/1", NULL), 404);
	/* to rename it or to let somebody go is not to let anybody in */
	EQ_STATUS(as(&h, boss.token, "PATCH", path, "{\"name\":\"h\"}"), 200);
	/* who is in may let others in */
	v = as(&h, member.token, "PATCH", path,
	    fmt(&h.o,
		"{\"members\":[{\"kind\":\"user\",\"id\":\"%s\"},"
		"{\"kind\":\"user\",\"id\":\"%s\"}]}",
		member.id, boss.id));
	EQ_STATUS(v, 200);
	EQ_STATUS(as(&h, boss.token, "GET", INCIDENTS "/1", NULL), 200);
	hall_close(&h);
}

TEST(no_way_in_through_an_account)
{
	const char *me, *id, *all, *narrow;
	struct person boss;
	struct visit *sa;
	struct hall h;

	hall_open(&h);
	boss = person(&h, "boss", "org_admin");
	me = told(&h, visit(&h, "GET", "/v1/whoami", NULL), "id");
	sa = visit(&h, "POST", "/v1/service-accounts", "{\"name\":\"bot\"}");
	id = told(&h, sa, "id");
	secret_incident(&h, h.o.admin);
	EQ_STATUS(visit(&h, "PUT", INCIDENTS "/1/members",
		      fmt(&h.o,
			  "{\"members\":[{\"kind\":\"service_account\","
			  "\"id\":\"%s\"},{\"kind\":\"user\",\"id\":\"%s\"}]}",
			  id, me)),
	    200);
	all = fmt(&h.o,
	    "{\"name\":\"t\",\"owner\":\"%s\",\"scopes\":[\"*\"],"
	    "\"expires_at\":\"2027-02-01T00:00:00Z\"}",
	    id);
	narrow = fmt(&h.o,
	    "{\"name\":\"t\",\"owner\":\"%s\",\"scopes\":[\"metrics.view\"],"
	    "\"expires_at\":\"2027-02-01T00:00:00Z\"}",
	    id);
	EQ_STATUS(as(&h, boss.token, "POST", "/v1/tokens", all), 403);
	T_EQ_INT(log_of(&h, "token.create", "denied", NULL).entries, 1);
	EQ_STATUS(as(&h, boss.token, "POST", "/v1/tokens", narrow), 201);
	EQ_STATUS(visit(&h, "POST", "/v1/tokens", all), 201);
	hall_close(&h);
}

/* ---- what is on record ---- */

/* A guard that refuses is a denial like any other. */
TEST(climbing_is_on_record)
{
	struct person p;
	struct visit *v;
	struct hall h;

	hall_open(&h);
	p = person(&h, "climber", "project_admin");
	v = as(&h, p.token, "POST", "/v1/bindings",
	    fmt(&h.o,
		"{\"subject\":{\"kind\":\"user\",\"id\":\"%s\"},"
		"\"role\":\"org_admin\",\"project\":\"alpha\"}",
		p.id));
	EQ_STATUS(v, 403);
	T_EQ_INT(log_of(&h, "binding.create", "denied", "forbidden").entries,
	    1);
	v = as(&h, p.token, "POST", "/v1/tokens",
	    "{\"name\":\"t\",\"scopes\":[\"audit.view\"],"
	    "\"expires_at\":\"2027-02-01T00:00:00Z\"}");
	EQ_STATUS(v, 403);
	T_EQ_INT(log_of(&h, "token.create", "denied", "forbidden").entries, 1);
	hall_close(&h);
}

/* To ask for somebody else's token or binding by its id is, too; the answer
 * is the same as for one that does not exist. */
TEST(prying_is_on_record)
{
	struct person p, other;
	struct visit *t, *none;
	struct hall h;

	hall_open(&h);
	p = person(&h, "prying", "responder");
	other = person(&h, "other", "responder");
	t = as(&h, other.token, "POST", "/v1/tokens",
	    "{\"name\":\"t\",\"scopes\":[\"incident.view\"],"
	    "\"expires_at\":\"2027-02-01T00:00:00Z\"}");
	EQ_STATUS(t, 201);
	none = as(&h, p.token, "GET",
	    "/v1/tokens/01a3185c-5000-7112-a5c7-417debdccb64", NULL);
	EQ_STATUS(none, 404);
	T_EQ_INT(logged(&h, "token.read", "denied"), 0);
	t = as(&h, p.token, "GET",
	    fmt(&h.o, "/v1/tokens/%s", told(&h, t, "id")), NULL);
	EQ_STATUS(t, 404);
	T_EQ_INT(logged(&h, "token.read", "denied"), 1);
	EQ_TEXT(told(&h, t, "detail"), told(&h, none, "detail"));
	EQ_STATUS(as(&h, p.token, "DELETE",
		      fmt(&h.o, "/v1/tokens/%s",
			  "01a3185c-5000-7112-a5c7-417debdccb64"),
		      NULL),
	    404);
	hall_close(&h);
}

/* Nobody learns from the answer whether a project is there. */
TEST(unknown_and_hidden_projects)
{
	struct person p;
	struct visit *a, *b;
	struct hall h;

	hall_open(&h);
	p.id = hire(&h.o, "p@example.org", NULL, NULL);
	p.token = badge(&h.o, p.id);
	a = as(&h, p.token, "GET", INCIDENTS, NULL);
	b = as(&h, p.token, "GET", "/v1/projects/none/incidents", NULL);
	EQ_STATUS(a, 404);
	EQ_STATUS(b, 404);
	EQ_TEXT(told(&h, a, "detail"), told(&h, b, "detail"));
	T_EQ_INT(log_of(&h, "incident.list", "denied", NULL).entries, 1);
	hall_close(&h);
}

/* ---- the ledger ---- */

/* Reads and denials of one batch that say the same share an entry. */
TEST(floods_share_an_entry)
{
	struct visit *v[30];
	const char *second;
	struct hall_sum s;
	struct person p;
	struct hall h;

	hall_open(&h);
	p = person(&h, "p", "viewer");
	EQ_STATUS(visit(&h, "POST", INCIDENTS, "{\"title\":\"one\"}"), 201);
	EQ_STATUS(visit(&h, "POST", INCIDENTS, "{\"title\":\"two\"}"), 201);
	hold(&h);
	tick(5000);
	for (size_t i = 0; i < 30; i++)
		v[i] = i % 3 == 0 ? as(&h, p.token, "GET", INCIDENTS "/1", NULL)
		    : i % 3 == 1
		    ? as(&h, p.token, "PATCH", INCIDENTS "/1",
			  "{\"title\":\"x\"}")
		    : as(&h, "rdp_nobody", "GET", INCIDENTS "/1", NULL);
	let_go(&h);
	for (size_t i = 0; i < 30; i++)
		EQ_STATUS(v[i], i % 3 == 0 ? 200 : i % 3 == 1 ? 403 : 401);
	s = log_of(&h, "incident.read", "ok", NULL);
	T_EQ_INT(s.entries, 1);
	T_EQ_INT(s.count, 10);
	T_EQ_INT(s.time, OFFICE_NOW * INT64_C(1000) + 5000);
	s = log_of(&h, "incident.update", "denied", NULL);
	T_EQ_INT(s.entries, 1);
	T_EQ_INT(s.count, 10);
	s = log_of(&h, "auth.failed", "denied", NULL);
	T_EQ_INT(s.entries, 1);
	T_EQ_INT(s.count, 10);
	/* another object, another credential: an entry of its own */
	second = badge(&h.o, p.id);
	hold(&h);
	v[0] = as(&h, p.token, "GET", INCIDENTS "/1", NULL);
	v[1] = as(&h, p.token, "GET", INCIDENTS "/2", NULL);
	v[2] = as(&h, second, "GET", INCIDENTS "/2", NULL);
	let_go(&h);
	for (size_t i = 0; i < 3; i++)
		EQ_STATUS(v[i], 200);
	T_EQ_INT(logged(&h, "incident.read", "ok"), 4);
	hall_close(&h);
}

/* Nobody's refusals wait for each other, also when the writer is idle. */
TEST(nobody_costs_little)
{
	struct visit *v[200];
	struct hall_sum s;
	struct hall h;

	hall_open(&h);
	for (size_t i = 0; i < 200; i++)
		v[i] = as(&h, i % 2 == 0 ? "rdp_nobody" : NULL, "GET",
		    i % 3 == 0 ? INCIDENTS : "/v1/whoami", NULL);
	for (size_t i = 0; i < 200; i++)
		EQ_STATUS(v[i], 401);
	s = log_of(&h, "auth.failed", "denied", NULL);
	T_EQ_INT(s.count, 200);
	T_OK(s.entries <= 20); /* two reasons, a moment each */
	/* more of them than wait at one time */
	for (size_t i = 0; i < LIM_WRITER_QUEUE + 10; i++)
		v[i % 200] = as(&h, NULL, "GET", "/v1/whoami", NULL);
	for (size_t i = 0; i < 200; i++)
		T_OK(answered(v[i]) == 401 || v[i]->status == 503);
	hall_close(&h);
}

/* Changes never share. */
TEST(changes_have_their_own)
{
	struct visit *v[10];
	struct hall h;

	hall_open(&h);
	EQ_STATUS(visit(&h, "POST", INCIDENTS, "{\"title\":\"one\"}"), 201);
	hold(&h);
	for (size_t i = 0; i < 10; i++)
		v[i] = knock(&h, "POST", INCIDENTS "/1/timeline",
		    "{\"text\":\"same\"}");
	let_go(&h);
	for (size_t i = 0; i < 10; i++)
		EQ_STATUS(v[i], 201);
	T_EQ_INT(logged(&h, "timeline.add", "ok"), 10);
	hall_close(&h);
}

T_MAIN
