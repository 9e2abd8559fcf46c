/* t_replay.c: Idempotency-Key. */
#include "tests/unit/flow/hall.h"

#define ALPHA "/v1/projects/alpha"
#define INCIDENTS ALPHA "/incidents"

static const char *const one = "{\"title\":\"one\"}";

static struct visit *
keyed(struct hall *h, const char *key, const char *path, const char *body)
{
	h->headers[0] = "idempotency-key";
	h->headers[1] = key;
	return knock(h, "POST", path, body);
}

static bool
same_answer(struct visit *a, struct visit *b)
{
	(void)answered(a);
	(void)answered(b);
	return a->status == b->status && str_eq(a->body, b->body) &&
	    str_eq(a->x->reply.content_type, b->x->reply.content_type) &&
	    str_eq(reply_header(a, "etag"), reply_header(b, "etag")) &&
	    str_eq(reply_header(a, "location"), reply_header(b, "location"));
}

TEST(same_key_same_body)
{
	struct visit *a, *b;
	struct hall_sum s;
	struct hall h;

	hall_open(&h);
	a = keyed(&h, "k", INCIDENTS, one);
	EQ_STATUS(a, 201);
	T_OK(reply_header(a, "location").n > 0);
	T_OK(reply_header(a, "etag").n > 0);
	b = keyed(&h, "k", INCIDENTS, one);
	T_OK(same_answer(a, b));
	/* each has its own request id */
	T_OK(!str_eq(reply_header(a, "x-request-id"),
	    reply_header(b, "x-request-id")));
	T_EQ_INT(listed(visit(&h, "GET", INCIDENTS, NULL)), 1);
	T_EQ_INT(logged(&h, "incident.create", "ok"), 2);
	s = log_of(&h, "incident.create", "ok", "replayed");
	T_EQ_INT(s.entries, 1);
	/* without a key it is done again */
	EQ_STATUS(visit(&h, "POST", INCIDENTS, one), 201);
	T_EQ_INT(listed(visit(&h, "GET", INCIDENTS, NULL)), 2);
	hall_close(&h);
}

TEST(twice_in_one_batch)
{
	struct visit *a, *b, *c;
	struct hall h;

	hall_open(&h);
	hold(&h);
	a = keyed(&h, "k", INCIDENTS, one);
	b = keyed(&h, "k", INCIDENTS, one);
	c = keyed(&h, "k", INCIDENTS, "{\"title\":\"two\"}");
	let_go(&h);
	EQ_STATUS(a, 201);
	T_OK(same_answer(a, b));
	EQ_STATUS(c, 409);
	T_OK(str_is(json_str_at(c->json, STR("code")), "idempotency_reuse"));
	T_EQ_INT(listed(visit(&h, "GET", INCIDENTS, NULL)), 1);
	hall_close(&h);
}

/* Undone with its batch and run again: done once, kept once. */
TEST(in_a_spoiled_batch)
{
	struct visit *a, *b, *bad;
	struct hall h;

	hall_open(&h);
	atomic_store(&h.o.keeper_says, E_RATE);
	hold(&h);
	a = keyed(&h, "k", INCIDENTS, one);
	bad = keyed(&h, "p", "/v1/projects", "{\"slug\":\"beta\"}");
	b = keyed(&h, "k", INCIDENTS, one);
	let_go(&h);
	EQ_STATUS(a, 201);
	T_OK(same_answer(a, b));
	EQ_STATUS(bad, 429);
	T_EQ_INT(listed(visit(&h, "GET", INCIDENTS, NULL)), 1);
	/* what failed was not kept: the key is as good as new */
	atomic_store(&h.o.keeper_says, E_OK);
	EQ_STATUS(keyed(&h, "p", "/v1/projects", "{\"slug\":\"beta\"}"), 201);
	hall_close(&h);
}

/* A refusal is not kept either. */
TEST(after_a_refusal)
{
	struct hall h;

	hall_open(&h);
	EQ_STATUS(keyed(&h, "k", INCIDENTS, "{\"titel\":\"x\"}"), 400);
	EQ_STATUS(keyed(&h, "k", INCIDENTS "/9/transitions",
		      "{\"to\":\"closed\"}"),
	    404);
	EQ_STATUS(keyed(&h, "k", INCIDENTS, one), 201);
	hall_close(&h);
}

/* One principal, one path: elsewhere the key is another. */
TEST(whose_and_where)
{
	const char *other;
	struct visit *a, *b;
	struct hall h;

	hall_open(&h);
	other = badge(&h.o, hire(&h.o, "o@example.org", "responder", NULL));
	a = keyed(&h, "k", INCIDENTS, one);
	EQ_STATUS(a, 201);
	b = keyed(&h, "k", ALPHA "/alerts", one);
	EQ_STATUS(b, 201);
	T_EQ_INT(number(b, "count"), 1); /* it is an alert */
	EQ_STATUS(keyed(&h, "K", INCIDENTS, one), 201);
	h.token = other;
	b = keyed(&h, "k", INCIDENTS, one);
	EQ_STATUS(b, 201);
	T_OK(!same_answer(a, b));
	T_EQ_INT(number(b, "number"), 3);
	hall_close(&h);
}

/* Another credential of the same principal is still the same principal. */
TEST(another_token)
{
	struct visit *a, *b;
	const char *id;
	struct hall h;

	hall_open(&h);
	id = hire(&h.o, "o@example.org", "responder", NULL);
	h.token = badge(&h.o, id);
	a = keyed(&h, "k", INCIDENTS, one);
	EQ_STATUS(a, 201);
	h.token = badge(&h.o, id);
	b = keyed(&h, "k", INCIDENTS, one);
	T_OK(same_answer(a, b));
	hall_close(&h);
}

/* Who may not do it any more does not get the old answer either. */
TEST(after_the_right_is_gone)
{
	struct visit *binding;
	const char *id;
	struct hall h;

	hall_open(&h);
	id = hire(&h.o, "o@example.org", NULL, NULL);
	binding = visit(&h, "POST", "/v1/bindings",
	    fmt(&h.o,
		"{\"subject\":{\"kind\":\"user\",\"id\":\"%s\"},"
		"\"role\":\"responder\",\"project\":\"alpha\"}",
		id));
	EQ_STATUS(binding, 201);
	h.token = badge(&h.o, id);
	EQ_STATUS(keyed(&h, "k", INCIDENTS, one), 201);
	h.token = h.o.admin;
	EQ_STATUS(visit(&h, "DELETE",
		      fmt(&h.o, "/v1/bindings/%s", told(&h, binding, "id")),
		      NULL),
	    204);
	h.token = badge(&h.o, id);
	EQ_STATUS(keyed(&h, "k", INCIDENTS, one), 404);
	hall_close(&h);
}

/* What is shown once is null in the answer that is kept. */
TEST(secrets_are_not_kept)
{
	static const char *const body =
	    "{\"name\":\"t\",\"scopes\":[\"*\"],"
	    "\"expires_at\":\"2027-02-01T00:00:00Z\"}";
	const char *secret, *path;
	struct visit *a, *b;
	struct hall h;

	hall_open(&h);
	a = keyed(&h, "k", "/v1/tokens", body);
	EQ_STATUS(a, 201);
	secret = told(&h, a, "token");
	T_EQ_INT(strlen(secret), TOKEN_TEXT);
	b = keyed(&h, "k", "/v1/tokens", body);
	EQ_STATUS(b, 201);
	T_OK(json_get(b->json, STR("token")) != NULL &&
	    json_get(b->json, STR("token"))->kind == JSON_NULL);
	EQ_TEXT(told(&h, a, "id"), told(&h, b, "id"));
	T_OK(!str_ifind(b->body, str_c(secret + 4)));
	a = keyed(&h, "i", ALPHA "/integrations",
	    "{\"name\":\"x\",\"template\":\"generic\","
	    "\"auth\":{\"kind\":\"bearer\"}}");
	EQ_STATUS(a, 201);
	b = keyed(&h, "i", ALPHA "/integrations",
	    "{\"name\":\"x\",\"template\":\"generic\","
	    "\"auth\":{\"kind\":\"bearer\"}}");
	EQ_STATUS(b, 201);
	T_OK(json_get(b->json, STR("secret")) != NULL &&
	    json_get(b->json, STR("secret"))->kind == JSON_NULL);
	path = fmt(&h.o, ALPHA "/integrations/%s/rotate", told(&h, a, "id"));
	EQ_STATUS(keyed(&h, "r", path, NULL), 200);
	b = keyed(&h, "r", path, NULL);
	EQ_STATUS(b, 200);
	T_OK(json_get(b->json, STR("secret")) != NULL &&
	    json_get(b->json, STR("secret"))->kind == JSON_NULL);
	hall_close(&h);
}

/* A day later the key is free, and means what it says then. */
TEST(a_day_later)
{
	struct visit *a, *b, *c;
	struct hall h;

	hall_open(&h);
	a = keyed(&h, "k", INCIDENTS, one);
	EQ_STATUS(a, 201);
	tick(LIM_IDEMPOTENCY_MS);
	b = keyed(&h, "k", INCIDENTS, one);
	T_OK(same_answer(a, b));
	tick(1);
	b = keyed(&h, "k", INCIDENTS, "{\"title\":\"two\"}");
	EQ_STATUS(b, 201);
	T_EQ_INT(number(b, "number"), 2);
	c = keyed(&h, "k", INCIDENTS, "{\"title\":\"two\"}");
	T_OK(same_answer(b, c));
	EQ_STATUS(keyed(&h, "k", INCIDENTS, one), 409);
	hall_close(&h);
}

TEST(bad_keys)
{
	char key[LIM_IDEMPOTENCY_KEY + 2];
	struct hall h;

	hall_open(&h);
	EQ_STATUS(keyed(&h, "", INCIDENTS, one), 400);
	memset(key, 'k', sizeof key);
	key[LIM_IDEMPOTENCY_KEY + 1] = '\0';
	EQ_STATUS(keyed(&h, key, INCIDENTS, one), 400);
	key[LIM_IDEMPOTENCY_KEY] = '\0';
	EQ_STATUS(keyed(&h, key, INCIDENTS, one), 201);
	hall_close(&h);
}

/* A body without one: the rotation of a credential happens once. */
TEST(nothing_but_a_key)
{
	struct visit *a, *b;
	const char *path;
	struct hall h;

	hall_open(&h);
	a = visit(&h, "POST", ALPHA "/alerts", one);
	path = fmt(&h.o, ALPHA "/alerts/%s/resolve", told(&h, a, "id"));
	a = keyed(&h, "k", path, NULL);
	EQ_STATUS(a, 200);
	b = keyed(&h, "k", path, NULL);
	T_OK(same_answer(a, b));
	EQ_STATUS(visit(&h, "POST", path, NULL), 409);
	EQ_STATUS(keyed(&h, "k", path, "{\"note\":\"x\"}"), 409);
	hall_close(&h);
}

T_MAIN
