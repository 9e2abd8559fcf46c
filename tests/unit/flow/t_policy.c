/* The organization's policy: its bounds, its guards, what it does. */
#include "tests/unit/flow/door.h"

#define POLICY "/v1/policy"

static struct visit *
put(struct hall *h, const char *body)
{
	return visit(h, "PUT", POLICY, body);
}

TEST(defaults_and_changes)
{
	struct hall h;
	struct visit *v;

	hall_open(&h);
	v = visit(&h, "GET", POLICY, NULL);
	EQ_STATUS(v, 200);
	T_EQ_INT(number(v, "token_max_days"), LIM_TOKEN_DAYS);
	T_EQ_INT(number(v, "session_idle_minutes"), 480);
	T_EQ_INT(number(v, "session_absolute_hours"), 24);
	T_EQ_INT(number(v, "step_up_minutes"), 15);
	T_EQ_INT(number(v, "review_days"), 90);
	T_OK(json_get(v->json, STR("ip_allow"))->kind == JSON_NULL);
	T_OK(json_get(v->json, STR("sso_only"))->kind == JSON_FALSE);
	T_OK(json_get(v->json, STR("local_login"))->kind == JSON_TRUE);
	T_EQ_STR(reply_header(v, "etag"), STR("\"0\""));
	h.headers[0] = "if-match";
	h.headers[1] = "\"1\"";
	EQ_STATUS(put(&h, "{\"review_days\":7}"), 412);
	h.headers[0] = "if-match";
	h.headers[1] = "\"0\"";
	v = put(&h, "{\"review_days\":7}");
	EQ_STATUS(v, 200);
	T_EQ_STR(reply_header(v, "etag"), STR("\"1\""));
	v = put(&h, "{\"step_up_minutes\":5}");
	EQ_STATUS(v, 200);
	T_EQ_STR(reply_header(v, "etag"), STR("\"2\""));
	T_EQ_INT(number(v, "review_days"), 7); /* not named: as it was */
	v = visit(&h, "GET", POLICY, NULL);
	T_EQ_INT(number(v, "step_up_minutes"), 5);
	T_EQ_INT(logged(&h, "policy.update", "ok"), 2);
	EQ_STATUS(put(&h, "{\"nonsense\":1}"), 400);
	hall_close(&h);
}

TEST(bounds)
{
	static const struct {
		const char *name;
		int max;
	} rows[] = {{"token_max_days", LIM_TOKEN_DAYS},
	    {"session_idle_minutes", LIM_IDLE_MINUTES},
	    {"session_absolute_hours", LIM_SESSION_HOURS},
	    {"step_up_minutes", LIM_IDLE_MINUTES},
	    {"review_days", LIM_REVIEW_DAYS}};
	char body[80];
	struct hall h;

	hall_open(&h);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const int v[] = {0, -1, 1, rows[i].max, rows[i].max + 1};
		const int want[] = {400, 400, 200, 200, 400};

		for (size_t k = 0; k < 5; k++) {
			snprintf(body, sizeof body, "{\"%s\":%d}", rows[i].name,
			    v[k]);
			EQ_STATUS(put(&h, body), want[k]);
		}
		snprintf(body, sizeof body, "{\"%s\":1.5}", rows[i].name);
		EQ_STATUS(put(&h, body), 400);
	}
	hall_close(&h);
}

TEST(nobody_locks_themselves_out)
{
	struct hall h;

	hall_open(&h); /* asks from 192.0.2.1 */
	EQ_STATUS(put(&h, "{\"ip_allow\":[\"198.51.100.0/24\"]}"), 409);
	EQ_STATUS(put(&h, "{\"ip_allow\":[]}"), 400);
	EQ_STATUS(put(&h, "{\"ip_allow\":[\"192.0.2.0\"]}"), 409);
	EQ_STATUS(put(&h, "{\"ip_allow\":[\"192.0.2.1/24\"]}"), 400);
	EQ_STATUS(put(&h, "{\"ip_allow\":[\"::/0\"]}"), 409);
	EQ_STATUS(put(&h, "{\"sso_only\":true}"), 409);
	EQ_STATUS(put(&h, "{\"local_login\":false}"), 409);
	EQ_STATUS(put(&h, "{\"ip_allow\":[\"198.51.100.0/24\",\"192.0.2.1\"]}"),
	    200);
	EQ_STATUS(put(&h, "{\"ip_allow\":null}"), 200);
	hall_close(&h);
}

struct made {
	struct hall *h;
	const char *name;
	char path[96];
};

static err
provider(struct lane *l, void *arg)
{
	struct made *m = arg;
	struct call *c = ARENA_NEW(&m->h->o.a, struct call);
	struct idp p = {.name = str_c(m->name), .kind = STR("saml")};
	char id[UUID_TEXT + 1];

	c->lane = l;
	c->a = &m->h->o.a;
	c->now = time_now_ms();
	admin_new(c, OBJECT_IDP, 0, &p.o);
	uuid_text(&p.o.id, id);
	snprintf(m->path, sizeof m->path, "/v1/identity-providers/%s", id);
	return admin_put(c, &p.o);
}

TEST(single_sign_on_needs_a_provider)
{
	struct hall h;
	struct made a = {&h, "a", ""}, b = {&h, "b", ""};
	struct visit *v;

	hall_open(&h);
	MUST(writer_do(h.o.w, provider, &a));
	v = put(&h, "{\"sso_only\":true,\"local_login\":false}");
	EQ_STATUS(v, 200);
	T_OK(json_get(v->json, STR("sso_only"))->kind == JSON_TRUE);
	EQ_STATUS(visit(&h, "DELETE", a.path, NULL), 409); /* the last */
	MUST(writer_do(h.o.w, provider, &b));
	EQ_STATUS(visit(&h, "DELETE", a.path, NULL), 204);
	EQ_STATUS(visit(&h, "DELETE", b.path, NULL), 409);
	EQ_STATUS(put(&h, "{\"sso_only\":false,\"local_login\":true}"), 200);
	EQ_STATUS(visit(&h, "DELETE", b.path, NULL), 204);
	hall_close(&h);
}

/* A delivery by a credential that is good, from anywhere. */
static int
deliver(struct hall *h, const char *url, const char *secret)
{
	const char *token = h->token;
	struct visit *v;

	h->token = secret;
	v = visit(h, "POST", url, "{\"title\":\"x\"}");
	h->token = token;
	return answered(v);
}

TEST(every_credential_is_bound_to_the_addresses)
{
	const char *url, *secret;
	struct hall h;
	struct visit *v;
	struct door d = {0};

	hall_open(&h);
	MUST(enter(&h, &d, &h.o.admin_id));
	v = visit(&h, "POST", "/v1/projects/alpha/integrations",
	    "{\"name\":\"n\",\"template\":\"generic\","
	    "\"auth\":{\"kind\":\"bearer\"}}");
	EQ_STATUS(v, 201);
	url = strstr(told(&h, v, "url"), "/ingest/");
	secret = told(&h, v, "secret");
	T_EQ_INT(deliver(&h, url, secret), 202);
	EQ_STATUS(put(&h, "{\"ip_allow\":[\"192.0.2.0/24\"]}"), 200);
	EQ_STATUS(visit(&h, "GET", "/v1/whoami", NULL), 200);
	T_EQ_INT(deliver(&h, url, secret), 202);
	h.o.address = "198.51.100.9";
	EQ_STATUS(visit(&h, "GET", "/v1/whoami", NULL), 401);
	T_EQ_INT(deliver(&h, url, secret), 401);
	h.token = NULL;
	with(&h, &d);
	EQ_STATUS(visit(&h, "GET", "/v1/whoami", NULL), 401);
	T_EQ_INT(log_of(&h, "auth.failed", "denied", "address").entries, 3);
	h.o.address = "192.0.2.77";
	with(&h, &d);
	EQ_STATUS(visit(&h, "GET", "/v1/whoami", NULL), 200);
	hall_close(&h);
}

TEST(limits_hold_at_once)
{
	struct door d = {0};
	struct hall h;

	hall_open(&h); /* it is 2027-01-15T08:00 */
	EQ_STATUS(put(&h, "{\"token_max_days\":10}"), 200);
	EQ_STATUS(visit(&h, "POST", "/v1/tokens",
		      "{\"name\":\"t\",\"scopes\":[\"*\"],"
		      "\"expires_at\":\"2027-01-25T07:59:59Z\"}"),
	    201);
	EQ_STATUS(visit(&h, "POST", "/v1/tokens",
		      "{\"name\":\"t\",\"scopes\":[\"*\"],"
		      "\"expires_at\":\"2027-01-25T08:00:01Z\"}"),
	    400);
	MUST(enter(&h, &d, &h.o.admin_id));
	tick(2 * 60000);
	EQ_STATUS(put(&h, "{\"session_idle_minutes\":2}"), 200);
	h.token = NULL;
	with(&h, &d);
	EQ_STATUS(visit(&h, "GET", "/v1/whoami", NULL), 401);
	h.token = h.o.admin;
	EQ_STATUS(put(&h,
		      "{\"session_idle_minutes\":1440,"
		      "\"session_absolute_hours\":1}"),
	    200);
	MUST(enter(&h, &d, &h.o.admin_id));
	h.token = NULL;
	tick(60 * 60000 - 1);
	with(&h, &d);
	EQ_STATUS(visit(&h, "GET", "/v1/whoami", NULL), 200);
	tick(1);
	with(&h, &d);
	EQ_STATUS(visit(&h, "GET", "/v1/whoami", NULL), 401);
	hall_close(&h);
}

T_MAIN
