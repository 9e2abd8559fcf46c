/* t_fold.c: deliveries into alerts and incidents, in one batch and many. */
#include "tests/unit/flow/hall.h"

#define ALPHA "/v1/projects/alpha"
#define INCIDENTS ALPHA "/incidents"
#define ALERTS ALPHA "/alerts"

struct sender {
	const char *path, *secret;
};

static struct sender
sender(struct hall *h)
{
	struct visit *v = visit(h, "POST", ALPHA "/integrations",
	    "{\"name\":\"x\",\"template\":\"generic\","
	    "\"auth\":{\"kind\":\"bearer\"}}");

	EQ_STATUS(v, 201);
	return (struct sender){fmt(&h->o, "/ingest/%s", told(h, v, "id")),
	    told(h, v, "secret")};
}

static struct visit *
send(struct hall *h, struct sender s, const char *body)
{
	struct visit *v;

	h->token = s.secret;
	v = knock(h, "POST", s.path, body);
	h->token = h->o.admin;
	return v;
}

/* Alert n of a receipt. */
static const struct json *
receipt(struct visit *v, size_t n)
{
	const struct json *j;

	(void)answered(v);
	j = json_first(
	    json_get(json_get(v->json, STR("receipt")), STR("alerts")));
	while (j != NULL && n-- > 0)
		j = j->next;
	return j;
}

static const char *
receipt_id(struct hall *h, struct visit *v, size_t n)
{
	const char *c =
	    arena_cstr(&h->o.a, json_str_at(receipt(v, n), STR("id")));

	return c == NULL ? "" : c;
}

static bool
again(struct visit *v, size_t n)
{
	bool b = false;

	(void)json_bool(json_get(receipt(v, n), STR("deduplicated")), &b);
	return b;
}

static const char *
fire(struct hall *h, const char *key, const char *more)
{
	return fmt(&h->o, "{\"title\":\"t\",\"dedup_key\":\"%s\"%s}", key,
	    more);
}

static struct visit *
alert(struct hall *h, const char *id)
{
	return visit(h, "GET", fmt(&h->o, ALERTS "/%s", id), NULL);
}

/* ---- one delivery ---- */

TEST(repeated_inside_one_delivery)
{
	struct sender s;
	struct visit *v;
	struct hall h;

	hall_open(&h);
	s = sender(&h);
	v = send(&h, s,
	    "[{\"title\":\"a\",\"dedup_key\":\"a\"},"
	    "{\"title\":\"b\",\"dedup_key\":\"b\"},"
	    "{\"title\":\"a\",\"dedup_key\":\"a\"}]");
	EQ_STATUS(v, 202);
	EQ_TEXT(receipt_id(&h, v, 0), receipt_id(&h, v, 2));
	T_OK(!again(v, 0) && !again(v, 1) && again(v, 2));
	T_EQ_INT(number(alert(&h, receipt_id(&h, v, 0)), "count"), 2);
	T_EQ_INT(number(alert(&h, receipt_id(&h, v, 1)), "count"), 1);
	T_EQ_INT(listed(visit(&h, "GET", ALERTS, NULL)), 2);
	hall_close(&h);
}

/* Fires, recovers and fires again in one body: two alerts. */
TEST(reopened_inside_one_delivery)
{
	struct visit *v, *first, *second;
	struct sender s;
	struct hall h;

	hall_open(&h);
	s = sender(&h);
	v = send(&h, s,
	    "[{\"title\":\"a\",\"dedup_key\":\"a\",\"severity\":\"critical\"},"
	    "{\"title\":\"a\",\"dedup_key\":\"a\",\"status\":\"resolved\"},"
	    "{\"title\":\"a\",\"dedup_key\":\"a\",\"severity\":\"critical\"}]");
	EQ_STATUS(v, 202);
	EQ_TEXT(receipt_id(&h, v, 0), receipt_id(&h, v, 1));
	T_OK(strcmp(receipt_id(&h, v, 0), receipt_id(&h, v, 2)) != 0);
	first = alert(&h, receipt_id(&h, v, 0));
	second = alert(&h, receipt_id(&h, v, 2));
	EQ_TEXT(told(&h, first, "status"), "resolved");
	EQ_TEXT(told(&h, second, "status"), "triggered");
	/* the second joins the incident the first has opened */
	T_OK(told(&h, first, "incident")[0] != '\0');
	EQ_TEXT(told(&h, first, "incident"), told(&h, second, "incident"));
	T_EQ_INT(listed(visit(&h, "GET", INCIDENTS, NULL)), 1);
	v = visit(&h, "GET", INCIDENTS "/1", NULL);
	T_EQ_INT(number(v, "alert_count"), 2);
	v = send(&h, s, fire(&h, "a", ",\"status\":\"resolved\""));
	EQ_TEXT(receipt_id(&h, v, 0), told(&h, second, "id"));
	hall_close(&h);
}

static const char *
thousand(struct hall *h, size_t label)
{
	char *filler = arena_get(&h->o.a, label + 1);
	struct buf b;

	memset(filler, 'x', label);
	filler[label] = '\0';
	buf_init_on(&b, &h->o.a, 4 << 20);
	for (int i = 0; i < 1000; i++) {
		buf_fmt(&b,
		    "%s{\"title\":\"alert %d\",\"dedup_key\":\"k%d\","
		    "\"severity\":\"critical\",\"group\":\"g%d\","
		    "\"labels\":{\"l\":\"",
		    i == 0 ? "[" : ",", i, i % 990, i % 7);
		buf_c(&b, filler);
		buf_c(&b, "\"}}");
	}
	buf_c(&b, "]");
	buf_char(&b, '\0');
	T_OK(!b.failed && b.n < LIM_INGEST_BODY);
	return b.p;
}

/* As many alerts as there may be, with a body as large as it may be. */
TEST(a_thousand_alerts)
{
	struct visit *v, *next;
	struct sender s;
	struct hall h;
	int old = 0;

	hall_open(&h);
	s = sender(&h);
	v = send(&h, s, thousand(&h, 1230));
	EQ_STATUS(v, 202);
	T_OK(receipt(v, 999) != NULL && receipt(v, 1000) == NULL);
	for (size_t i = 0; i < 10; i++) {
		EQ_TEXT(receipt_id(&h, v, i), receipt_id(&h, v, 990 + i));
		T_OK(again(v, 990 + i));
	}
	T_EQ_INT(listed(visit(&h, "GET", INCIDENTS, NULL)), 7);
	/* the same again: nothing new */
	next = send(&h, s, thousand(&h, 1230));
	EQ_STATUS(next, 202);
	for (size_t i = 0; i < 1000; i++)
		old += again(next, i);
	T_EQ_INT(old, 1000);
	T_EQ_INT(number(alert(&h, receipt_id(&h, v, 0)), "count"), 4);
	T_EQ_INT(number(alert(&h, receipt_id(&h, v, 500)), "count"), 2);
	v = visit(&h, "GET", ALPHA "/integrations", NULL);
	EQ_STATUS(v, 200);
	hall_close(&h);
}

/* As many values as a body may have; one more is refused. */
TEST(as_many_values)
{
	struct sender s;
	struct hall h;
	struct buf b;

	hall_open(&h);
	s = sender(&h);
	for (int more = 0; more < 2; more++) {
		buf_init_on(&b, &h.o.a, 4 << 20);
		buf_c(&b, "{\"title\":\"t\",\"more\":[");
		for (int i = 0; i < LIM_JSON_VALUES - 5 + more; i++)
			buf_c(&b, "\"0123456789abcdef\",");
		buf_fmt(&b, "1],\"filler\":\"");
		while (b.n < LIM_INGEST_BODY - 3)
			buf_char(&b, 'x');
		buf_c(&b, "\"}");
		buf_char(&b, '\0');
		EQ_STATUS(send(&h, s, b.p), more == 0 ? 202 : 400);
	}
	hall_close(&h);
}

TEST(one_alert_too_many)
{
	struct sender s;
	struct visit *v;
	struct hall h;
	struct buf b;

	hall_open(&h);
	s = sender(&h);
	buf_init_on(&b, &h.o.a, 1 << 20);
	for (int i = 0; i < 1001; i++)
		buf_fmt(&b, "%s{\"title\":\"t%d\"}", i == 0 ? "[" : ",", i);
	buf_c(&b, "]");
	buf_char(&b, '\0');
	v = send(&h, s, b.p);
	EQ_STATUS(v, 422);
	T_EQ_INT(listed(visit(&h, "GET", ALERTS, NULL)), 0);
	T_EQ_INT(log_of(&h, "ingest.receive", "error", "mapping_failed")
		     .entries,
	    1);
	hall_close(&h);
}

/* ---- one batch ---- */

TEST(many_deliveries_in_a_batch)
{
	struct visit *v[100];
	struct sender s;
	struct hall h;

	hall_open(&h);
	s = sender(&h);
	hold(&h);
	for (size_t i = 0; i < 100; i++)
		v[i] = send(&h, s, fire(&h, i % 2 == 0 ? "a" : "b", ""));
	let_go(&h);
	for (size_t i = 0; i < 100; i++) {
		EQ_STATUS(v[i], 202);
		EQ_TEXT(receipt_id(&h, v[i], 0), receipt_id(&h, v[i % 2], 0));
		T_OK(again(v[i], 0) == (i > 1));
	}
	T_EQ_INT(number(alert(&h, receipt_id(&h, v[0], 0)), "count"), 50);
	hall_close(&h);
}

/*
 * An older alert with the same key that somebody has on the desk is not the
 * one a delivery is folded into.
 */
TEST(an_old_alert_on_the_desk)
{
	struct visit *old, *now, *note, *v;
	struct sender s;
	struct hall h;

	hall_open(&h);
	s = sender(&h);
	old = send(&h, s, fire(&h, "a", ""));
	EQ_STATUS(old, 202);
	EQ_STATUS(send(&h, s, fire(&h, "a", ",\"status\":\"resolved\"")), 202);
	now = send(&h, s, fire(&h, "a", ""));
	EQ_STATUS(now, 202);
	T_OK(strcmp(receipt_id(&h, old, 0), receipt_id(&h, now, 0)) != 0);
	hold(&h);
	note = knock(&h, "POST",
	    fmt(&h.o, ALERTS "/%s/acknowledge", receipt_id(&h, old, 0)), NULL);
	v = send(&h, s, fire(&h, "a", ""));
	let_go(&h);
	EQ_STATUS(note, 409);
	EQ_STATUS(v, 202);
	EQ_TEXT(receipt_id(&h, v, 0), receipt_id(&h, now, 0));
	T_EQ_INT(listed(visit(&h, "GET", ALERTS, NULL)), 2);
	hall_close(&h);
}

TEST(two_senders_with_the_same_keys)
{
	struct visit *a, *b, *c;
	struct sender s, t;
	struct hall h;

	hall_open(&h);
	s = sender(&h);
	t = sender(&h);
	a = send(&h, s, fire(&h, "k", ",\"severity\":\"critical\""));
	b = send(&h, t, fire(&h, "k", ",\"severity\":\"critical\""));
	c = visit(&h, "POST", ALERTS,
	    "{\"title\":\"t\",\"dedup_key\":\"k\",\"severity\":\"critical\"}");
	EQ_STATUS(c, 201);
	T_OK(!again(a, 0) && !again(b, 0));
	T_OK(strcmp(receipt_id(&h, a, 0), receipt_id(&h, b, 0)) != 0);
	T_OK(strcmp(receipt_id(&h, a, 0), told(&h, c, "id")) != 0);
	/* groups are the senders' own, too */
	T_EQ_INT(listed(visit(&h, "GET", INCIDENTS, NULL)), 3);
	/* one may not send with the other's credential */
	EQ_STATUS(send(&h, (struct sender){s.path, t.secret}, "{}"), 401);
	hall_close(&h);
}

/* A project with an alert that is not in the store yet is not empty. */
TEST(deleting_a_project_in_use)
{
	struct visit *a, *i, *gone;
	struct sender s;
	struct hall h;

	hall_open(&h);
	s = sender(&h);
	hold(&h);
	a = send(&h, s, fire(&h, "a", ""));
	gone = knock(&h, "DELETE", ALPHA, NULL);
	let_go(&h);
	EQ_STATUS(a, 202);
	EQ_STATUS(gone, 409);
	EQ_STATUS(visit(&h, "POST", "/v1/projects", "{\"slug\":\"beta\"}"),
	    201);
	hold(&h);
	i = knock(&h, "POST", "/v1/projects/beta/incidents",
	    "{\"title\":\"x\"}");
	gone = knock(&h, "DELETE", "/v1/projects/beta", NULL);
	let_go(&h);
	EQ_STATUS(i, 201);
	EQ_STATUS(gone, 409);
	EQ_STATUS(visit(&h, "POST", "/v1/projects", "{\"slug\":\"gamma\"}"),
	    201);
	EQ_STATUS(visit(&h, "DELETE", "/v1/projects/gamma", NULL), 204);
	EQ_STATUS(visit(&h, "DELETE", "/v1/projects/gamma", NULL), 404);
	hall_close(&h);
}

/* What a batch that was undone has opened is opened again, once. */
TEST(poison_among_alerts)
{
	struct visit *v[10], *bad;
	struct sender s;
	struct hall h;

	hall_open(&h);
	s = sender(&h);
	atomic_store(&h.o.keeper_says, E_RATE);
	hold(&h);
	for (size_t i = 0; i < 5; i++)
		v[i] = send(&h, s, fire(&h, "a", ",\"severity\":\"error\""));
	bad = knock(&h, "POST", "/v1/projects", "{\"slug\":\"bad\"}");
	for (size_t i = 5; i < 10; i++)
		v[i] = send(&h, s, fire(&h, "a", ",\"severity\":\"error\""));
	let_go(&h);
	EQ_STATUS(bad, 429);
	for (size_t i = 0; i < 10; i++) {
		EQ_STATUS(v[i], 202);
		T_OK(again(v[i], 0) == (i > 0));
	}
	T_EQ_INT(number(alert(&h, receipt_id(&h, v[0], 0)), "count"), 10);
	T_EQ_INT(listed(visit(&h, "GET", INCIDENTS, NULL)), 1);
	T_EQ_INT(number(visit(&h, "GET", INCIDENTS "/1", NULL), "alert_count"),
	    1);
	T_EQ_INT(logged(&h, "ingest.receive", "ok"), 10);
	hall_close(&h);
}

T_MAIN
