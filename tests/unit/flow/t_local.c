/*
 * Local logins over the whole line, where the clock and the order of things
 * matter: between the two halves of a login, at the edges of times.
 */
#include "auth/totp.h"
#include "base/rand.h"
#include "tests/unit/flow/door.h"

#define PASSWORD "correct horse battery staple"
#define ME "/v1/me/password"
enum { MINUTE = 60000, STEP = 30000 };

static const char set_password[] = "{\"new\":\"" PASSWORD "\"}";

/* Who comes has an address of their own: the throttle is not what is tested. */
static struct visit *
come(struct hall *h, const char *body)
{
	static char address[64];
	static unsigned n;

	snprintf(address, sizeof address, "10.%u.%u.%u", n >> 16 & 255,
	    n >> 8 & 255, n & 255);
	n++;
	h->o.address = address;
	h->token = NULL;
	return knock(h, "POST", "/v1/login", body);
}

static const char *
login_body(const char *email, const char *more)
{
	static char text[4][512];
	static unsigned turn;
	char *t = text[turn++ % 4];

	snprintf(t, sizeof text[0],
	    "{\"email\":\"%s\",\"password\":\"" PASSWORD "\"%s}", email, more);
	return t;
}

static const char *
admin_email(struct hall *h)
{
	const struct user *u = world_user(h->o.st.snap->world, &h->o.admin_id);

	return arena_cstr(&h->o.a, u->email);
}

static void
open_with_password(struct hall *h)
{
	hall_open(h);
	EQ_STATUS(visit(h, "POST", ME, set_password), 200);
}

/* The browser that has logged in. */
static struct door
door_of(struct hall *h, struct visit *v)
{
	struct door d = {.h = h};
	struct str cookie, value = {"", 0};
	size_t n;

	EQ_STATUS(v, 200);
	cookie = reply_header(v, "set-cookie");
	T_OK(cookie_find(cookie, STR(SESSION_COOKIE), &value, &n));
	memcpy(d.secret, value.p,
	    value.n < SESSION_TEXT ? value.n : SESSION_TEXT);
	snprintf(d.csrf, sizeof d.csrf, "%s", told(h, v, "csrf"));
	return d;
}

/* All first halves that were begun are done after this. */
static void
hashed(struct hall *h)
{
	h->o.st.hashes = readers_stop(h->o.st.hashes);
	MUST(readers_start(&h->o.st, LIM_HASHES, LIM_HASH_QUEUE,
	    &h->o.st.hashes));
}

TEST(a_login_is_a_session)
{
	struct hall h;
	struct door d;

	open_with_password(&h);
	d = door_of(&h, come(&h, login_body(admin_email(&h), "")));
	with(&h, &d);
	EQ_STATUS(visit(&h, "GET", "/v1/whoami", NULL), 200);
	T_EQ_INT(logged(&h, "session.login", "ok"), 1);
	hall_close(&h);
}

/* The password was right when it was looked at, and is not any more. */
TEST(changed_between_the_halves)
{
	struct visit *change, *in;
	struct hall h;

	open_with_password(&h);
	hold(&h);
	h.token = h.o.admin;
	change = knock(&h, "POST", ME, "{\"new\":\"four wet words in a row\"}");
	in = come(&h, login_body(admin_email(&h), ""));
	hashed(&h);
	let_go(&h);
	EQ_STATUS(change, 200);
	EQ_STATUS(in, 401);
	T_EQ_INT(log_of(&h, "session.login", "denied", "changed").entries, 1);
	hall_close(&h);
}

TEST(disabled_between_the_halves)
{
	char path[64], id[UUID_TEXT + 1];
	struct visit *v, *in;
	struct door d;
	struct hall h;
	struct uuid u;

	open_with_password(&h);
	v = visit(&h, "POST", "/v1/users", "{\"email\":\"u@example.org\"}");
	EQ_STATUS(v, 201);
	u = id_told(&h, v);
	uuid_text(&u, id);
	snprintf(path, sizeof path, "/v1/users/%s/enrolment", id);
	v = visit(&h, "POST", path, NULL);
	EQ_STATUS(v, 201);
	h.token = told(&h, v, "token");
	EQ_STATUS(visit(&h, "POST", ME, set_password), 200);
	d = door_of(&h, come(&h, login_body("u@example.org", "")));
	hold(&h);
	h.token = h.o.admin;
	snprintf(path, sizeof path, "/v1/users/%s", id);
	v = knock(&h, "PATCH", path, "{\"disabled\":true}");
	in = come(&h, login_body("u@example.org", ""));
	hashed(&h);
	let_go(&h);
	EQ_STATUS(v, 200);
	EQ_STATUS(in, 401);
	T_EQ_INT(log_of(&h, "session.login", "denied", "owner").entries, 1);
	with(&h, &d);
	EQ_STATUS(visit(&h, "GET", "/v1/whoami", NULL), 401);
	hall_close(&h);
}

/* ---- codes ---- */

/* The code of that step of the app just enrolled. */
static const char *
code_of(const char *seed_text, int64_t step)
{
	static char text[4][TOTP_DIGITS + 1];
	static unsigned turn;
	uint8_t seed[TOTP_SEED];
	char *t = text[turn++ % 4];

	T_OK(base32_decode(str_c(seed_text), seed, sizeof seed));
	MUST(totp_code(seed, (uint64_t)step, t));
	return t;
}

static int64_t
step_now(void)
{
	return time_now_ms() / STEP;
}

static const char *
enrol_app(struct hall *h)
{
	char body[64];
	const char *seed;
	struct visit *v;

	h->token = h->o.admin;
	v = visit(h, "POST", "/v1/me/totp", "{}");
	EQ_STATUS(v, 201);
	seed = told(h, v, "secret");
	snprintf(body, sizeof body, "{\"code\":\"%s\"}",
	    code_of(seed, step_now()));
	EQ_STATUS(visit(h, "POST", "/v1/me/totp/confirm", body), 200);
	EQ_STATUS(visit(h, "POST", "/v1/me/totp/confirm", body), 409);
	tick(10 * STEP);
	return seed;
}

static struct visit *
come_with_code(struct hall *h, const char *seed, int64_t step)
{
	char more[64];

	snprintf(more, sizeof more, ",\"totp\":\"%s\"", code_of(seed, step));
	return come(h, login_body(admin_email(h), more));
}

TEST(edges_of_a_code)
{
	const char *seed;
	struct hall h;
	int64_t step;

	open_with_password(&h);
	seed = enrol_app(&h);
	step = step_now();
	tick(step * STEP - time_now_ms()); /* its first millisecond */
	EQ_STATUS(come_with_code(&h, seed, step - 2), 401);
	EQ_STATUS(come_with_code(&h, seed, step + 2), 401);
	EQ_STATUS(come_with_code(&h, seed, step - 1), 200);
	EQ_STATUS(come_with_code(&h, seed, step - 1), 401);
	tick(STEP - 1); /* its last */
	EQ_STATUS(come_with_code(&h, seed, step + 1), 200);
	EQ_STATUS(come_with_code(&h, seed, step), 401); /* an earlier one */
	hall_close(&h);
}

/* Two with one code in one transaction. */
TEST(one_code_one_batch)
{
	struct visit *a, *b;
	const char *seed;
	struct hall h;

	open_with_password(&h);
	seed = enrol_app(&h);
	hold(&h);
	a = come_with_code(&h, seed, step_now());
	b = come_with_code(&h, seed, step_now());
	hashed(&h);
	let_go(&h);
	T_EQ_INT(answered(a) + answered(b), 200 + 401);
	T_EQ_INT(logged(&h, "session.login", "ok"), 1);
	T_EQ_INT(log_of(&h, "session.login", "denied", "totp").entries, 1);
	hall_close(&h);
}

/* ---- a forgotten browser ---- */

TEST(a_login_of_long_ago)
{
	static const char change[] =
	    "{\"new\":\"four wet words in a row\",\"current\":\"" PASSWORD
	    "\"}";
	static const char *const paths[] = {"/v1/me/totp",
	    "/v1/me/recovery-codes", "/v1/me/webauthn/challenge"};
	struct hall h;
	struct visit *v;
	struct door d;

	open_with_password(&h);
	d = door_of(&h, come(&h, login_body(admin_email(&h), "")));
	tick((int64_t)POLICY_STEP_UP_MINUTES * MINUTE);
	with_page(&h, &d);
	EQ_STATUS(visit(&h, "POST", "/v1/me/totp", "{}"), 201);
	tick(1);
	with_page(&h, &d);
	v = visit(&h, "POST", ME, change);
	EQ_STATUS(v, 401);
	EQ_TEXT(told(&h, v, "code"), "step_up_required");
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		with_page(&h, &d);
		EQ_STATUS(visit(&h, "POST", paths[i], "{}"), 401);
	}
	with_page(&h, &d);
	EQ_STATUS(visit(&h, "GET", "/v1/me/credentials", NULL), 200);
	/* logging in again ends it, and the new one is fresh */
	with(&h, &d);
	v = come(&h, login_body(admin_email(&h), ""));
	EQ_STATUS(v, 200);
	with(&h, &d);
	EQ_STATUS(visit(&h, "GET", "/v1/whoami", NULL), 401);
	d = door_of(&h, v);
	with_page(&h, &d);
	EQ_STATUS(visit(&h, "POST", ME, change), 200);
	hall_close(&h);
}

/* ---- the policy ---- */

struct rule {
	struct hall *h;
	bool local, sso, glass; /* glass: the administrator breaks it */
};

static err
rule_put(struct lane *l, void *arg)
{
	static const struct http_request none;
	struct rule *r = arg;
	struct call *c = ARENA_NEW(&r->h->o.a, struct call);
	struct policy p = *world_policy(l->snap->world);
	struct user u = *world_user(l->snap->world, &r->h->o.admin_id);

	c->lane = l;
	c->req = &none;
	c->a = &r->h->o.a;
	c->now = time_now_ms();
	c->route = &route_none;
	if (p.o.version == 0)
		admin_new(c, OBJECT_POLICY, 0, &p.o);
	p.local_login = r->local;
	p.sso_only = r->sso;
	u.break_glass = r->glass;
	u.email = arena_dup(c->a, u.email);
	u.name = arena_dup(c->a, u.name);
	TRY(admin_put(c, &p.o));
	return admin_put(c, &u.o);
}

TEST(kept_out_by_policy)
{
	static const struct {
		bool local, sso, glass;
		int status;
	} t[] = {
	    {true, false, false, 200},
	    {true, true, false, 401},
	    {true, true, true, 200},
	    {false, false, false, 401},
	    {false, false, true, 401},
	    {false, true, true, 401},
	};
	struct hall h;

	open_with_password(&h);
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct rule r = {&h, t[i].local, t[i].sso, t[i].glass};
		struct visit *v;

		MUST(writer_do(h.o.w, rule_put, &r));
		v = come(&h, login_body(admin_email(&h), ""));
		EQ_STATUS(v, t[i].status);
	}
	T_EQ_INT(log_of(&h, "session.login", "denied", "local_login").entries,
	    4);
	hall_close(&h);
}

/* ---- a busy house ---- */

/* Of more than the threads and their queue take, the rest hears 503, and it
 * is all over when it is over. */
TEST(the_queue_is_full)
{
	struct visit *v[LIM_HASHES + LIM_HASH_QUEUE + 8];
	size_t n = sizeof v / sizeof *v, refused = 0, wrong = 0;
	struct hall h;
	char body[128];

	hall_open(&h);
	for (size_t i = 0; i < n; i++) {
		snprintf(body, sizeof body,
		    "{\"email\":\"u%zu@example.org\",\"password\":\"x\"}", i);
		v[i] = come(&h, body);
	}
	for (size_t i = 0; i < n; i++) {
		refused += answered(v[i]) == 503;
		wrong += answered(v[i]) == 401;
	}
	T_EQ_INT(refused + wrong, n);
	T_OK(refused >= 8 && wrong >= LIM_HASH_QUEUE);
	hall_close(&h);
}

TEST(an_account_waits)
{
	struct hall h;
	struct visit *v;

	open_with_password(&h);
	for (int i = 0; i < 5; i++)
		EQ_STATUS(come(&h,
			      "{\"email\":\"u@example.org\","
			      "\"password\":\"x\"}"),
		    401);
	v = come(&h, "{\"email\":\"u@example.org\",\"password\":\"x\"}");
	EQ_STATUS(v, 429);
	T_EQ_STR(reply_header(v, "retry-after"), STR("1"));
	tick(1000);
	EQ_STATUS(come(&h, "{\"email\":\"u@example.org\",\"password\":\"x\"}"),
	    401);
	v = come(&h, "{\"email\":\"u@example.org\",\"password\":\"x\"}");
	EQ_STATUS(v, 429);
	T_EQ_STR(reply_header(v, "retry-after"), STR("2"));
	EQ_STATUS(come(&h, login_body(admin_email(&h), "")), 200);
	hall_close(&h);
}

T_MAIN
