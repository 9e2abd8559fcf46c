/* How sessions end: by themselves, by hand, with what they rest on. */
#include "tests/unit/flow/door.h"

/* ---- ending ---- */

TEST(logging_out)
{
	struct hall h;
	struct visit *v;
	struct door d, e = {0};

	hall_open(&h);
	EQ_STATUS(visit(&h, "POST", "/v1/logout", NULL), 400); /* a token */
	d = admin_door(&h);
	MUST(enter(&h, &e, &h.o.admin_id));
	with(&h, &d); /* not without what a page shows */
	EQ_STATUS(visit(&h, "POST", "/v1/logout", NULL), 403);
	with_page(&h, &d);
	v = visit(&h, "POST", "/v1/logout", NULL);
	EQ_STATUS(v, 204);
	T_OK(str_ifind(reply_header(v, "set-cookie"), STR("max-age=0")));
	with(&h, &d);
	EQ_STATUS(visit(&h, "GET", "/v1/whoami", NULL), 401);
	with(&h, &e);
	EQ_STATUS(visit(&h, "GET", "/v1/whoami", NULL), 200);
	T_EQ_INT(logged(&h, "session.logout", "ok"), 1);
	hall_close(&h);
}

/* Asked for at once: the second finds the session gone. */
TEST(logging_out_twice_in_one_batch)
{
	struct visit *a, *b, *c;
	struct hall h;
	struct door d;

	hall_open(&h);
	d = admin_door(&h);
	hold(&h);
	with_page(&h, &d);
	a = knock(&h, "POST", "/v1/logout", NULL);
	with_page(&h, &d);
	b = knock(&h, "POST", "/v1/logout", NULL);
	with_page(&h, &d);
	c = knock(&h, "POST", GROUPS, "{\"name\":\"late\"}");
	let_go(&h);
	EQ_STATUS(a, 204);
	EQ_STATUS(b, 401);
	EQ_STATUS(c, 401);
	hall_close(&h);
}

TEST(one_ends_another)
{
	struct door d, e = {0}, f = {0};
	char path[64], id[UUID_TEXT + 1];
	struct hall h;
	struct visit *v;

	hall_open(&h);
	d = admin_door(&h);
	MUST(enter(&h, &e, &h.o.admin_id));
	MUST(enter(&h, &f, &h.o.admin_id));
	with(&h, &d);
	v = visit(&h, "GET", "/v1/sessions", NULL);
	T_EQ_INT(listed(v), 3);
	uuid_text(&e.id, id);
	snprintf(path, sizeof path, "/v1/sessions/%s", id);
	with_page(&h, &d);
	EQ_STATUS(visit(&h, "DELETE", path, NULL), 204);
	with(&h, &e);
	EQ_STATUS(visit(&h, "GET", "/v1/whoami", NULL), 401);
	with_page(&h, &d);
	EQ_STATUS(visit(&h, "DELETE", path, NULL), 404);
	with_page(&h, &d); /* all but the one that asks */
	EQ_STATUS(visit(&h, "DELETE", "/v1/sessions", NULL), 204);
	with(&h, &f);
	EQ_STATUS(visit(&h, "GET", "/v1/whoami", NULL), 401);
	uuid_text(&d.id, id);
	snprintf(path, sizeof path, "/v1/sessions/%s", id);
	with_page(&h, &d); /* oneself */
	v = visit(&h, "DELETE", path, NULL);
	EQ_STATUS(v, 204);
	T_OK(reply_header(v, "set-cookie").n > 0);
	with(&h, &d);
	EQ_STATUS(visit(&h, "GET", "/v1/whoami", NULL), 401);
	hall_close(&h);
}

/* A user with a role, or none; the token asks. */
static struct uuid
user_with(struct hall *h, const char *email, const char *role)
{
	char body[256], id[UUID_TEXT + 1];
	struct uuid u;

	snprintf(body, sizeof body, "{\"email\":\"%s\"}", email);
	u = id_told(h, visit(h, "POST", "/v1/users", body));
	uuid_text(&u, id);
	if (role != NULL) {
		snprintf(body, sizeof body,
		    "{\"subject\":{\"kind\":\"user\",\"id\":\"%s\"},"
		    "\"role\":\"%s\"}",
		    id, role);
		EQ_STATUS(visit(h, "POST", "/v1/bindings", body), 201);
	}
	return u;
}

TEST(of_others_only_who_may)
{
	struct door ann = {0}, bob = {0}, sue = {0};
	char path[96], list[96], id[UUID_TEXT + 1];
	struct uuid a, b, s;
	struct hall h;

	hall_open(&h);
	a = user_with(&h, "ann@x", "viewer");
	b = user_with(&h, "bob@x", "auditor"); /* sees users */
	s = user_with(&h, "sue@x", "org_admin");
	h.token = NULL;
	MUST(enter(&h, &ann, &a));
	MUST(enter(&h, &bob, &b));
	MUST(enter(&h, &sue, &s));
	uuid_text(&sue.id, id);
	snprintf(path, sizeof path, "/v1/sessions/%s", id);
	with_page(&h, &ann); /* to who may not see it, it is not there */
	EQ_STATUS(visit(&h, "DELETE", path, NULL), 404);
	T_EQ_INT(logged(&h, "session.end", "denied"), 1);
	with_page(&h, &bob);
	EQ_STATUS(visit(&h, "DELETE", path, NULL), 403);
	uuid_text(&s, id);
	snprintf(list, sizeof list, "/v1/sessions?user=%s", id);
	with(&h, &ann);
	EQ_STATUS(visit(&h, "GET", list, NULL), 403);
	with(&h, &ann);
	EQ_STATUS(visit(&h, "GET", "/v1/sessions?user=*", NULL), 403);
	with(&h, &ann);
	EQ_STATUS(visit(&h, "GET", "/v1/sessions?user=x", NULL), 400);
	with(&h, &bob);
	T_EQ_INT(listed(visit(&h, "GET", list, NULL)), 1);
	with(&h, &bob);
	T_EQ_INT(listed(visit(&h, "GET", "/v1/sessions?user=*", NULL)), 3);
	with_page(&h, &bob);
	EQ_STATUS(visit(&h, "DELETE", list, NULL), 403);
	uuid_text(&a, id);
	snprintf(list, sizeof list, "/v1/sessions?user=%s", id);
	with_page(&h, &sue);
	EQ_STATUS(visit(&h, "DELETE", list, NULL), 204);
	with(&h, &ann);
	EQ_STATUS(visit(&h, "GET", "/v1/whoami", NULL), 401);
	hall_close(&h);
}

TEST(sessions_end_with_what_they_rest_on)
{
	struct door ann = {0}, bob = {0};
	char path[96], body[256], id[UUID_TEXT + 1], gid[UUID_TEXT + 1];
	struct uuid a, b, g;
	struct hall h;

	hall_open(&h);
	a = user_with(&h, "ann@x", "viewer");
	b = user_with(&h, "bob@x", "viewer");
	MUST(enter(&h, &ann, &a));
	MUST(enter(&h, &bob, &b));
	uuid_text(&a, id);
	snprintf(path, sizeof path, "/v1/users/%s", id);
	EQ_STATUS(visit(&h, "PATCH", path, "{\"disabled\":true}"), 200);
	h.token = NULL;
	with(&h, &ann);
	EQ_STATUS(visit(&h, "GET", "/v1/whoami", NULL), 401);
	with(&h, &bob);
	EQ_STATUS(visit(&h, "GET", "/v1/whoami", NULL), 200);
	T_ERR(enter(&h, &ann, &a), E_UNAUTHENTICATED); /* disabled */
	h.token = h.o.admin;
	EQ_STATUS(visit(&h, "PATCH", path, "{\"disabled\":false}"), 200);
	MUST(enter(&h, &ann, &a));
	EQ_STATUS(visit(&h, "DELETE", path, NULL), 204);
	h.token = NULL;
	with(&h, &ann);
	EQ_STATUS(visit(&h, "GET", "/v1/whoami", NULL), 401);
	h.token = h.o.admin; /* a group that lets somebody go */
	uuid_text(&b, id);
	snprintf(body, sizeof body,
	    "{\"name\":\"g\",\"members\":[{\"kind\":\"user\",\"id\":\"%s\"}]}",
	    id);
	g = id_told(&h, visit(&h, "POST", GROUPS, body));
	uuid_text(&g, gid);
	snprintf(path, sizeof path, GROUPS "/%s", gid);
	h.token = NULL;
	with(&h, &bob);
	EQ_STATUS(visit(&h, "GET", "/v1/whoami", NULL), 200);
	h.token = h.o.admin;
	EQ_STATUS(visit(&h, "PATCH", path, "{\"members\":[]}"), 200);
	h.token = NULL;
	with(&h, &bob);
	EQ_STATUS(visit(&h, "GET", "/v1/whoami", NULL), 401);
	hall_close(&h);
}

/* ---- limits ---- */

TEST(the_oldest_makes_room)
{
	struct door d[LIM_USER_SESSIONS + 1] = {{0}};
	struct hall h;

	hall_open(&h);
	for (int i = 0; i < LIM_USER_SESSIONS; i++) {
		MUST(enter(&h, &d[i], &h.o.admin_id));
		tick(1);
	}
	h.token = NULL;
	with(&h, &d[0]);
	T_EQ_INT(listed(visit(&h, "GET", "/v1/sessions", NULL)),
	    LIM_USER_SESSIONS);
	MUST(enter(&h, &d[LIM_USER_SESSIONS], &h.o.admin_id));
	with(&h, &d[0]);
	EQ_STATUS(visit(&h, "GET", "/v1/whoami", NULL), 401);
	with(&h, &d[1]);
	T_EQ_INT(listed(visit(&h, "GET", "/v1/sessions", NULL)),
	    LIM_USER_SESSIONS);
	/* who brings one along gets another for it: nobody else's goes */
	d[0].cookie = d[5].secret;
	MUST(enter(&h, &d[0], &h.o.admin_id));
	with(&h, &d[5]);
	EQ_STATUS(visit(&h, "GET", "/v1/whoami", NULL), 401);
	with(&h, &d[1]);
	EQ_STATUS(visit(&h, "GET", "/v1/whoami", NULL), 200);
	with(&h, &d[0]);
	T_EQ_INT(listed(visit(&h, "GET", "/v1/sessions", NULL)),
	    LIM_USER_SESSIONS);
	hall_close(&h);
}

TEST(a_planted_cookie_is_not_adopted)
{
	struct door d = {0};
	struct hall h;

	hall_open(&h);
	d.cookie = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	MUST(enter(&h, &d, &h.o.admin_id));
	T_OK(strcmp(d.secret, d.cookie) != 0);
	h.token = NULL;
	memcpy(d.secret, d.cookie, SESSION_TEXT);
	with(&h, &d);
	EQ_STATUS(visit(&h, "GET", "/v1/whoami", NULL), 401);
	hall_close(&h);
}

enum { MINUTE = 60000 };

TEST(not_used_and_too_old)
{
	struct hall h;
	struct door d, e = {0};

	hall_open(&h);
	d = admin_door(&h);
	for (int i = 0; i < 2; i++) { /* use keeps it */
		tick(POLICY_IDLE_MINUTES * MINUTE - 1000);
		with(&h, &d);
		EQ_STATUS(visit(&h, "GET", "/v1/whoami", NULL), 200);
	}
	MUST(enter(&h, &e, &h.o.admin_id));
	tick(POLICY_IDLE_MINUTES * MINUTE - 1);
	with(&h, &e);
	EQ_STATUS(visit(&h, "GET", "/v1/whoami", NULL), 200);
	with(&h, &d); /* 24 hours since its login, however it was used */
	EQ_STATUS(visit(&h, "GET", "/v1/whoami", NULL), 200);
	tick(3000);
	with(&h, &d);
	EQ_STATUS(visit(&h, "GET", "/v1/whoami", NULL), 401);
	T_EQ_INT(log_of(&h, "auth.failed", "denied", "expired").entries, 1);
	tick(POLICY_IDLE_MINUTES * MINUTE);
	with(&h, &e);
	EQ_STATUS(visit(&h, "GET", "/v1/whoami", NULL), 401);
	T_EQ_INT(log_of(&h, "auth.failed", "denied", "idle").entries, 1);
	h.token = h.o.admin; /* what is over is not shown either */
	T_EQ_INT(listed(visit(&h, "GET", "/v1/sessions?user=*", NULL)), 0);
	hall_close(&h);
}

static err
tend(struct lane *l, void *arg)
{
	int64_t now = time_now_ms();
	size_t n;

	TRY(sessions_tend(l, &now));
	world_objects(l->snap->world, OBJECT_SESSION, &n);
	*(size_t *)arg = n;
	return OK;
}

TEST(what_is_over_leaves)
{
	struct door d = {0}, e = {0};
	struct hall h;
	size_t n = 9;

	hall_open(&h);
	MUST(enter(&h, &d, &h.o.admin_id));
	tick(POLICY_IDLE_MINUTES * MINUTE);
	MUST(enter(&h, &e, &h.o.admin_id));
	MUST(writer_do(h.o.w, tend, &n));
	T_EQ_INT(n, 1);
	h.token = NULL;
	with(&h, &e);
	EQ_STATUS(visit(&h, "GET", "/v1/whoami", NULL), 200);
	hall_close(&h);
}

TEST(the_providers_end_counts)
{
	struct door d = {0};
	struct hall h;

	hall_open(&h);
	d.l.expires = h.o.now + 5000;
	MUST(enter(&h, &d, &h.o.admin_id));
	h.token = NULL;
	tick(4999);
	with(&h, &d);
	EQ_STATUS(visit(&h, "GET", "/v1/whoami", NULL), 200);
	tick(1);
	with(&h, &d);
	EQ_STATUS(visit(&h, "GET", "/v1/whoami", NULL), 401);
	hall_close(&h);
}

/* A stream ends with its session, within a second. */
TEST(streams_end)
{
	struct visit *v;
	struct hall h;
	struct door d;
	struct buf b;

	hall_open(&h);
	d = admin_door(&h);
	with(&h, &d);
	v = knock(&h, "GET", "/v1/events", NULL);
	T_OK(streams(v));
	with_page(&h, &d);
	EQ_STATUS(visit(&h, "DELETE", "/v1/sessions", NULL), 204);
	with_page(&h, &d);
	EQ_STATUS(visit(&h, "POST", "/v1/logout", NULL), 204);
	buf_init(&b, 1 << 20);
	T_OK(stream_until(v, &b, NULL));
	buf_done(&b);
	hall_close(&h);
}

T_MAIN
