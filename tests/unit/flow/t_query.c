/* t_query.c: what is asked after the question mark; cursors; odd times. */
#include "tests/unit/flow/hall.h"

#include "base/utf8.h"

#define ALPHA "/v1/projects/alpha"
#define INCIDENTS ALPHA "/incidents"

static void
incidents(struct hall *h, int n)
{
	for (int i = 0; i < n; i++) {
		tick(1000);
		EQ_STATUS(visit(h, "POST", INCIDENTS,
			      fmt(&h->o,
				  "{\"title\":\"i %d\",\"severity\":"
				  "\"sev%d\"}",
				  i, i % 5)),
		    201);
	}
}

/* ---- cursors ---- */

/* All numbers of a list, page by page, as text "3 2 1 ". */
static const char *
walk(struct hall *h, const char *query, const char *member)
{
	const char *cursor = "";
	struct buf b;

	buf_init_on(&b, &h->o.a, 65536);
	do {
		struct visit *v = visit(h, "GET",
		    fmt(&h->o, "%s%s%s", query,
			cursor[0] == '\0' ? "" : "&cursor=", cursor),
		    NULL);
		const struct json *j;

		EQ_STATUS(v, 200);
		j = json_first(json_get(v->json, STR("items")));
		for (; j != NULL; j = j->next) {
			buf_str(&b, json_get(j, str_c(member))->text);
			buf_char(&b, ' ');
		}
		cursor = told(h, v, "next");
	} while (cursor[0] != '\0');
	buf_char(&b, '\0');
	return b.p;
}

TEST(pages_of_every_size)
{
	struct hall h;

	hall_open(&h);
	incidents(&h, 7);
	for (int limit = 1; limit <= 8; limit++) {
		EQ_TEXT(walk(&h, fmt(&h.o, INCIDENTS "?limit=%d", limit),
			    "number"),
		    "7 6 5 4 3 2 1 ");
		EQ_TEXT(walk(&h,
			    fmt(&h.o, INCIDENTS "?limit=%d&sort=oldest", limit),
			    "number"),
		    "1 2 3 4 5 6 7 ");
		EQ_TEXT(walk(&h,
			    fmt(&h.o, INCIDENTS "?limit=%d&sort=severity",
				limit),
			    "number"),
		    "6 1 7 2 3 4 5 ");
		EQ_TEXT(walk(&h,
			    fmt(&h.o, INCIDENTS "?limit=%d&q=I%%20", limit),
			    "number"),
		    "7 6 5 4 3 2 1 ");
		EQ_TEXT(walk(&h, fmt(&h.o, INCIDENTS "?limit=%d&q=3", limit),
			    "number"),
		    "4 ");
	}
	hall_close(&h);
}

TEST(the_end_is_told)
{
	struct hall h;

	hall_open(&h);
	incidents(&h, 2);
	/* a full last page has no next */
	EQ_TEXT(told(&h, visit(&h, "GET", INCIDENTS "?limit=2", NULL), "next"),
	    "");
	T_OK(told(&h, visit(&h, "GET", INCIDENTS "?limit=1", NULL), "next")[0]);
	hall_close(&h);
}

/* Only the list it was made for, for whom it was made, with these filters. */
TEST(a_cursor_elsewhere)
{
	const char *cursor, *other;
	struct hall h;

	hall_open(&h);
	incidents(&h, 3);
	EQ_STATUS(visit(&h, "POST", "/v1/projects", "{\"slug\":\"b\"}"), 201);
	other = badge(&h.o, hire(&h.o, "o@example.org", "org_admin", NULL));
	cursor =
	    told(&h, visit(&h, "GET", INCIDENTS "?limit=1&q=i", NULL), "next");
	T_OK(cursor[0] != '\0');
	EQ_STATUS(visit(&h, "GET",
		      fmt(&h.o, INCIDENTS "?limit=2&q=i&cursor=%s", cursor),
		      NULL),
	    200);
	EQ_STATUS(visit(&h, "GET",
		      fmt(&h.o, INCIDENTS "?q=j&cursor=%s", cursor), NULL),
	    400);
	EQ_STATUS(visit(&h, "GET", fmt(&h.o, INCIDENTS "?cursor=%s", cursor),
		      NULL),
	    400);
	EQ_STATUS(visit(&h, "GET",
		      fmt(&h.o, "/v1/projects/b/incidents?q=i&cursor=%s",
			  cursor),
		      NULL),
	    400);
	EQ_STATUS(visit(&h, "GET",
		      fmt(&h.o, ALPHA "/alerts?q=i&cursor=%s", cursor), NULL),
	    400);
	h.token = other;
	EQ_STATUS(visit(&h, "GET",
		      fmt(&h.o, INCIDENTS "?q=i&cursor=%s", cursor), NULL),
	    400);
	hall_close(&h);
}

/* Every bit of it counts. */
TEST(a_cursor_changed)
{
	char bad[256];
	const char *cursor;
	size_t n;
	struct hall h;

	hall_open(&h);
	incidents(&h, 2);
	cursor = told(&h, visit(&h, "GET", INCIDENTS "?limit=1", NULL), "next");
	n = strlen(cursor);
	T_REQUIRE(n > 0 && n < sizeof bad - 2);
	for (size_t i = 0; i < n; i++) {
		memcpy(bad, cursor, n + 1);
		bad[i] = bad[i] == 'A' ? 'B' : 'A';
		EQ_STATUS(visit(&h, "GET",
			      fmt(&h.o, INCIDENTS "?limit=1&cursor=%s", bad),
			      NULL),
		    400);
		memcpy(bad, cursor, n + 1);
		bad[i] = '\0';
		EQ_STATUS(visit(&h, "GET",
			      fmt(&h.o, INCIDENTS "?limit=1&cursor=%s", bad),
			      NULL),
		    400);
	}
	EQ_STATUS(visit(&h, "GET",
		      fmt(&h.o, INCIDENTS "?limit=1&cursor=%sA", cursor), NULL),
	    400);
	EQ_STATUS(visit(&h, "GET",
		      fmt(&h.o, INCIDENTS "?limit=1&cursor=%s%%3D", cursor),
		      NULL),
	    400);
	hall_close(&h);
}

/* ---- parameters ---- */

TEST(parameters)
{
	static const struct {
		const char *query;
		int status;
	} all[] = {
	    {"?limit=1", 200},
	    {"?limit=200", 200},
	    {"?limit=0", 400},
	    {"?limit=201", 400},
	    {"?limit=-1", 400},
	    {"?limit=+1", 400},
	    {"?limit=1.0", 400},
	    {"?limit=", 400},
	    {"?limit", 400},
	    {"?limit=1&limit=1", 400},
	    {"?limit=18446744073709551617", 400},
	    {"?", 200},
	    {"?&&", 400},
	    {"?nope=1", 400},
	    {"?Limit=1", 400},
	    {"?l%69mit=1", 200},
	    {"?seq=1", 400},
	    {"?severity=sev0,sev4", 200},
	    {"?severity=sev5", 400},
	    {"?severity=,", 400},
	    {"?severity=", 200},
	    {"?status=new", 200},
	    {"?status=New", 400},
	    {"?from=2027-01-15T00:00:00Z", 200},
	    {"?from=2027-01-15", 400},
	    {"?from=", 400},
	    {"?from=1900-01-01T00:00:00Z&to=9999-12-31T23:59:59Z", 200},
	    {"?to=0000-01-01T00:00:00Z", 200},
	    {"?from=2040-01-01T00:00:00Z&to=1999-01-01T00:00:00Z", 200},
	    {"?sort=newest", 200},
	    {"?sort=-created_at", 200},
	    {"?sort=title", 400},
	    {"?q=%00", 400},
	    {"?q=%ff", 400},
	    {"?q=%", 400},
	    {"?q=%4", 400},
	    {"?q=%zz", 400},
	    {"?q=", 200},
	    {"?service=x&type=y", 200},
	    {"?cursor=", 400},
	    {"?cursor=!", 400},
	};
	struct hall h;

	hall_open(&h);
	incidents(&h, 1);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		struct visit *v = visit(&h, "GET",
		    fmt(&h.o, INCIDENTS "%s", all[i].query), NULL);

		if (answered(v) != all[i].status)
			T_FAIL("%s: %d, want %d", all[i].query, v->status,
			    all[i].status);
	}
	hall_close(&h);
}

/* What was asked comes back in the answer as valid JSON, whatever it was. */
TEST(odd_names_in_problems)
{
	char path[2048], *p = path;
	struct visit *v;
	struct hall h;

	hall_open(&h);
	p += snprintf(p, 64, INCIDENTS "?");
	for (int i = 0; i < 79; i++)
		*p++ = 'x';
	memcpy(p, "%E2%82%AC=1", 12); /* cut inside the last character */
	v = visit(&h, "GET", path, NULL);
	EQ_STATUS(v, 400);
	T_OK(v->json != NULL && utf8_valid(v->body));
	v = visit(&h, "GET", INCIDENTS "?%22%0a%1b=1", NULL);
	EQ_STATUS(v, 400);
	T_OK(v->json != NULL);
	hall_close(&h);
}

TEST(paths)
{
	static const struct {
		const char *method, *path;
		int status;
	} all[] = {
	    {"GET", INCIDENTS "/1", 200},
	    {"GET", INCIDENTS "/INC-1", 200},
	    {"GET", INCIDENTS "/inc-1", 200},
	    {"GET", INCIDENTS "/%31", 200},
	    {"GET", INCIDENTS "/0", 404},
	    {"GET", INCIDENTS "/01", 404},
	    {"GET", INCIDENTS "/-1", 404},
	    {"GET", INCIDENTS "/INC-", 404},
	    {"GET", INCIDENTS "/9223372036854775807", 404},
	    {"GET", INCIDENTS "/9223372036854775808", 404},
	    {"GET", INCIDENTS "/18446744073709551617", 404},
	    {"GET", INCIDENTS "/%2e%2e", 404},
	    {"GET", INCIDENTS "/%ff", 400},
	    {"GET", INCIDENTS "/%00", 400},
	    {"GET", INCIDENTS "/", 404},
	    {"GET", INCIDENTS "//1", 404},
	    {"GET", INCIDENTS "/1/", 404},
	    {"GET", "/v1/projects//incidents", 404},
	    {"GET", "/v1/projects/Alpha/incidents", 404},
	    {"GET", "/V1/whoami", 404},
	    {"PUT", INCIDENTS "/1", 405},
	    {"DELETE", "/v1/whoami", 405},
	    {"HEAD", INCIDENTS "/1", 200},
	    {"OPTIONS", INCIDENTS "/1", 405},
	};
	struct hall h;

	hall_open(&h);
	incidents(&h, 1);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		struct visit *v = visit(&h, all[i].method, all[i].path, NULL);

		if (answered(v) != all[i].status)
			T_FAIL("%s %s: %d, want %d", all[i].method, all[i].path,
			    v->status, all[i].status);
		if (v->status == 405)
			T_OK(reply_header(v, "allow").n > 0);
	}
	/* without a credential nothing of that is told */
	h.token = NULL;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (all[i].status != 400)
			EQ_STATUS(visit(&h, all[i].method, all[i].path, NULL),
			    401);
	hall_close(&h);
}

/* ---- times ---- */

TEST(odd_times)
{
	static const char *const when[] = {"1969-12-31T23:59:59.999Z",
	    "1900-01-01T00:00:00Z", "0001-01-01T00:00:00Z",
	    "1970-01-01T00:00:00.001Z", "2027-01-15T08:04:59Z"};
	struct visit *v;
	struct hall h;

	hall_open(&h);
	incidents(&h, 1);
	for (size_t i = 0; i < sizeof when / sizeof *when; i++) {
		v = visit(&h, "POST", INCIDENTS "/1/timeline",
		    fmt(&h.o, "{\"text\":\"t\",\"occurred_at\":\"%s\"}",
			when[i]));
		EQ_STATUS(v, 201);
		T_OK(str_starts(str_c(told(&h, v, "occurred_at")),
		    str_head(str_c(when[i]), 19)));
	}
	EQ_STATUS(visit(&h, "POST", INCIDENTS "/1/timeline",
		      "{\"text\":\"t\",\"occurred_at\":"
		      "\"2027-01-15T08:05:05Z\"}"),
	    400);
	v = visit(&h, "GET", INCIDENTS "/1/timeline", NULL);
	T_EQ_INT(listed(v), 6);
	hall_close(&h);
}

/* ---- the log, filtered ---- */

TEST(log_filters)
{
	struct hall h;
	const char *me;

	hall_open(&h);
	me = told(&h, visit(&h, "GET", "/v1/whoami", NULL), "id");
	incidents(&h, 3);
	EQ_STATUS(visit(&h, "PATCH", INCIDENTS "/9", "{\"title\":\"x\"}"), 404);
	EQ_TEXT(walk(&h, "/v1/audit?action=incident.create&order=asc", "seq"),
	    "2 3 4 ");
	EQ_TEXT(walk(&h, "/v1/audit?action=incident.*&order=asc&limit=1",
		    "seq"),
	    "2 3 4 5 ");
	EQ_TEXT(walk(&h, "/v1/audit?action=incident.&limit=2", "seq"),
	    "5 4 3 2 ");
	EQ_TEXT(walk(&h, "/v1/audit?outcome=error", "seq"), "5 ");
	EQ_TEXT(walk(&h,
		    fmt(&h.o,
			"/v1/audit?principal=%s&order=asc&outcome=ok"
			"&action=incident.*",
			me),
		    "seq"),
	    "2 3 4 ");
	EQ_TEXT(walk(&h, "/v1/audit?principal=nobody", "seq"), "");
	EQ_TEXT(walk(&h,
		    "/v1/audit?from=2027-01-15T08:00:02Z"
		    "&to=2027-01-15T08:00:03Z",
		    "seq"),
	    "3 ");
	EQ_TEXT(walk(&h, "/v1/audit?to=1990-01-01T00:00:00Z", "seq"), "");
	EQ_TEXT(walk(&h, "/v1/audit?from=2990-01-01T00:00:00Z", "seq"), "");
	EQ_TEXT(walk(&h, "/v1/audit?from=2990-01-01T00:00:00Z&order=asc",
		    "seq"),
	    "");
	EQ_STATUS(visit(&h, "GET", "/v1/audit?action=", NULL), 400);
	EQ_STATUS(visit(&h, "GET", "/v1/audit?outcome=", NULL), 400);
	EQ_STATUS(visit(&h, "GET", "/v1/audit?order=", NULL), 400);
	EQ_STATUS(visit(&h, "GET", "/v1/audit/0", NULL), 404);
	EQ_STATUS(visit(&h, "GET", "/v1/audit/2", NULL), 200);
	EQ_STATUS(visit(&h, "GET", "/v1/audit/999999", NULL), 404);
	hall_close(&h);
}

/* ---- doing it twice ---- */

TEST(deleting_twice)
{
	static const struct {
		const char *path, *body;
		int again;
	} all[] = {
	    {"/v1/users", "{\"email\":\"x@example.org\"}", 404},
	    {"/v1/service-accounts", "{\"name\":\"x\"}", 404},
	    {"/v1/groups", "{\"name\":\"x\"}", 404},
	    {"/v1/roles", "{\"name\":\"x\",\"permissions\":[\"user.view\"]}",
		404},
	    {"/v1/tokens",
		"{\"name\":\"x\",\"scopes\":[\"*\"],"
		"\"expires_at\":\"2027-02-01T00:00:00Z\"}",
		204},
	    {ALPHA "/integrations",
		"{\"name\":\"x\",\"template\":\"generic\","
		"\"auth\":{\"kind\":\"bearer\"}}",
		404},
	};
	struct hall h;

	hall_open(&h);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		struct visit *v = visit(&h, "POST", all[i].path, all[i].body);
		struct visit *a, *b;
		const char *one;

		EQ_STATUS(v, 201);
		one = fmt(&h.o, "%s/%s", all[i].path, told(&h, v, "id"));
		hold(&h);
		a = knock(&h, "DELETE", one, NULL);
		b = knock(&h, "DELETE", one, NULL);
		let_go(&h);
		EQ_STATUS(a, 204);
		T_EQ_INT(a->body.n, 0);
		EQ_STATUS(b, all[i].again);
		EQ_STATUS(visit(&h, "DELETE", one, NULL), all[i].again);
		EQ_STATUS(visit(&h, "GET", one, NULL),
		    all[i].again == 204 ? 200 : 404);
	}
	hall_close(&h);
}

/* Stale before it is written: nothing is. */
TEST(two_who_change_the_same)
{
	struct visit *a, *b, *c;
	struct hall h;

	hall_open(&h);
	incidents(&h, 1);
	hold(&h);
	h.headers[0] = "if-match";
	h.headers[1] = "\"1\"";
	a = knock(&h, "PATCH", INCIDENTS "/1", "{\"title\":\"a\"}");
	h.headers[0] = "if-match";
	h.headers[1] = "\"1\"";
	b = knock(&h, "PATCH", INCIDENTS "/1", "{\"title\":\"b\"}");
	h.headers[0] = "if-match";
	h.headers[1] = "\"7\", \"2\"";
	c = knock(&h, "PATCH", INCIDENTS "/1", "{\"title\":\"c\"}");
	let_go(&h);
	EQ_STATUS(a, 200);
	EQ_STATUS(b, 412);
	EQ_STATUS(c, 200);
	T_OK(str_is(reply_header(c, "etag"), "\"3\""));
	EQ_TEXT(told(&h, visit(&h, "GET", INCIDENTS "/1", NULL), "title"), "c");
	T_EQ_INT(log_of(&h, "incident.update", "error", "stale").entries, 1);
	hall_close(&h);
}

T_MAIN
