/*
 * Sessions over the whole line: what they may, what a write must show, what
 * a forgotten browser may not do.
 */
#include "tests/unit/flow/door.h"

/* ---- using ---- */

TEST(a_session_may_what_its_user_may)
{
	struct hall h;
	struct visit *v;
	struct door d;

	hall_open(&h);
	d = admin_door(&h);
	with(&h, &d);
	v = visit(&h, "GET", "/v1/whoami", NULL);
	EQ_STATUS(v, 200);
	EQ_TEXT(told(&h, v, "kind"), "user");
	EQ_TEXT(told(&h, v, "csrf"), d.csrf);
	T_OK(json_get(v->json, STR("token")) == NULL);
	T_EQ_STR(json_str_at(json_get(v->json, STR("session")), STR("agent")),
	    STR("t??"));
	with(&h, &d);
	EQ_STATUS(visit(&h, "GET", "/v1/audit", NULL), 200);
	with_page(&h, &d);
	EQ_STATUS(visit(&h, "POST", GROUPS, "{\"name\":\"g\"}"), 201);
	with_page(&h, &d); /* the source of what is made */
	v = visit(&h, "POST", "/v1/projects/alpha/incidents",
	    "{\"title\":\"x\"}");
	EQ_STATUS(v, 201);
	T_EQ_STR(json_str_at(json_get(v->json, STR("source")), STR("kind")),
	    STR("ui"));
	/* on record with the session's id as the credential */
	{
		struct hall_sum s = log_of(&h, "group.create", "ok", NULL);
		char id[UUID_TEXT + 1];

		uuid_text(&d.id, id);
		T_EQ_INT(s.entries, 1);
		T_OK(str_ifind(s.leaf, str_c(id)));
	}
	hall_close(&h);
}

TEST(what_is_no_session_is_refused)
{
	static const char *const bad[] = {"", "x",
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB"};
	struct door no = {0}, d;
	char two[256], bearer[80];
	struct hall h;

	hall_open(&h);
	d = admin_door(&h);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(no.secret, sizeof no.secret, "%s", bad[i]);
		with(&h, &no);
		EQ_STATUS(visit(&h, "GET", "/v1/whoami", NULL), 401);
	}
	T_EQ_INT(log_of(&h, "auth.failed", "denied", "unknown").entries, 1);
	with(&h, &d); /* two cookies of the name */
	snprintf(two, sizeof two, "%s; %s=x", h.headers[1], SESSION_COOKIE);
	h.headers[1] = two;
	EQ_STATUS(visit(&h, "GET", "/v1/whoami", NULL), 401);
	with(&h, &d); /* two headers */
	h.headers[2] = "cookie";
	h.headers[3] = "a=b";
	EQ_STATUS(visit(&h, "GET", "/v1/whoami", NULL), 401);
	snprintf(bearer, sizeof bearer, "Bearer %s", h.o.admin);
	with(&h, &d); /* both, each good alone */
	h.headers[2] = "authorization";
	h.headers[3] = bearer;
	EQ_STATUS(visit(&h, "GET", "/v1/whoami", NULL), 400);
	with(&h, &d); /* a session is no bearer token */
	h.headers[0] = "authorization";
	snprintf(bearer, sizeof bearer, "Bearer %s", d.secret);
	h.headers[1] = bearer;
	EQ_STATUS(visit(&h, "GET", "/v1/whoami", NULL), 401);
	with(&h, &d);
	EQ_STATUS(visit(&h, "GET", "/v1/whoami", NULL), 200);
	hall_close(&h);
}

/* ---- cross-site requests ---- */

static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH",
    "DELETE"};
static const char *const origins[] = {NULL, ORIGIN, "null",
    "https://evil.example", "http://127.0.0.1:8443", "https://127.0.0.1",
    ORIGIN ".evil.example", ORIGIN "/"};
static const char *const sites[] = {NULL, "same-origin", "none", "same-site",
    "cross-site", "x"};

/* 0: right; 1: none; 2: another's; 3: cut; 4: longer */
enum { TOKENS = 5, TYPES = 3 };
static const char *const types[TYPES] = {"application/json", "text/plain",
    "application/x-www-form-urlencoded"};

struct combo {
	unsigned method, origin, site, token, type;
	bool cookie;
};

static void
dress(struct hall *h, const struct door *d, const struct door *other,
    const struct combo *k)
{
	static char text[SESSION_TEXT + 2];
	size_t n = 0;

	with(h, d);
	n = k->cookie ? 2 : 0;
	h->headers[n++] = "content-type";
	h->headers[n++] = types[k->type];
	if (origins[k->origin] != NULL) {
		h->headers[n++] = "origin";
		h->headers[n++] = origins[k->origin];
	}
	if (sites[k->site] != NULL) {
		h->headers[n++] = "sec-fetch-site";
		h->headers[n++] = sites[k->site];
	}
	snprintf(text, sizeof text, "%sA",
	    k->token == 2 ? other->csrf : d->csrf);
	text[k->token == 4	? SESSION_TEXT + 1
		: k->token == 3 ? SESSION_TEXT - 1
				: SESSION_TEXT] = '\0';
	if (k->token != 1) {
		h->headers[n++] = "x-redoubt-csrf";
		h->headers[n++] = text;
	}
	h->headers[n] = NULL;
}

static int
wanted(const struct combo *k)
{
	bool safe = k->method < 2;

	if (!k->cookie)
		return 401;
	if (safe)
		return 200;
	if (k->origin != 1 || k->site > 2 || k->token != 0)
		return 403;
	if (k->method == 5)
		return 404;
	return k->type == 0 ? (k->method == 2 ? 201 : 404) : 415;
}

/* What is asked for, so that only the credential decides. */
static struct visit *
try(struct hall *h, const struct combo *k, unsigned n)
{
	char body[64];

	snprintf(body, sizeof body, "{\"name\":\"g%u\"}", n);
	switch (k->method) {
	case 0:
	case 1:
		return visit(h, methods[k->method], GROUPS, NULL);
	case 2:
		return visit(h, "POST", GROUPS, body);
	case 3:
		return visit(h, "PUT", "/v1/projects/alpha/incidents/9/members",
		    "{\"members\":[]}");
	case 4:
		return visit(h, "PATCH",
		    GROUPS "/0190a000-0000-7000-8000-000000000000", body);
	default:
		return visit(h, "DELETE",
		    GROUPS "/0190a000-0000-7000-8000-000000000000", NULL);
	}
}

static unsigned
groups(struct hall *h, const struct door *d)
{
	with(h, d);
	return (unsigned)listed(visit(h, "GET", GROUPS "?limit=200", NULL));
}

/* One request; does it get what it should? */
static bool
combo(struct hall *h, const struct door *d, const struct door *other,
    const struct combo *k, unsigned n)
{
	struct visit *v;

	dress(h, d, other, k);
	v = try(h, k, n);
	if (answered(v) == wanted(k))
		return true;
	printf("# %s origin %u site %u token %u type %u: %d\n",
	    methods[k->method], k->origin, k->site, k->token, k->type,
	    v->status);
	return false;
}

enum { METHODS = 6, ORIGINS = 8, SITES = 6 };

/* The n-th combination; what the body is does not matter without a token. */
static struct combo
nth(unsigned n)
{
	struct combo k = {.cookie = true};

	k.method = n % METHODS;
	k.origin = n / METHODS % ORIGINS;
	k.site = n / METHODS / ORIGINS % SITES;
	n = n / METHODS / ORIGINS / SITES;
	k.type = n < TYPES ? n : 0;
	k.token = n < TYPES ? 0 : n - TYPES + 1;
	return k;
}

TEST(csrf_matrix)
{
	unsigned all = METHODS * ORIGINS * SITES * (TYPES + TOKENS - 1);
	unsigned wrong = 0, made = 0;
	struct door d, other = {0};
	struct combo k;
	struct hall h;

	hall_open(&h);
	d = admin_door(&h);
	MUST(enter(&h, &other, &h.o.admin_id));
	for (unsigned n = 0; n < all; n++) {
		k = nth(n);
		wrong += !combo(&h, &d, &other, &k, n);
		made += wanted(&k) == 201;
	}
	T_OK(all >= 400);
	T_EQ_INT(wrong, 0);
	T_EQ_INT(groups(&h, &d), made); /* refused is not done */
	printf("# %u combinations, %u may write\n", all, made);
	memset(&k, 0, sizeof k); /* without the cookie nothing helps */
	k.method = 2;
	k.origin = 1;
	dress(&h, &d, &other, &k);
	EQ_STATUS(try(&h, &k, all), 401);
	T_OK(log_of(&h, "group.create", "denied", "csrf_origin").count > 0);
	T_OK(log_of(&h, "group.create", "denied", "csrf_site").count > 0);
	T_OK(log_of(&h, "group.create", "denied", "csrf_token").count > 0);
	hall_close(&h);
}

TEST(headers_that_come_twice)
{
	static const char *const names[] = {"origin", "x-redoubt-csrf",
	    "sec-fetch-site"};
	struct hall h;
	struct door d;

	hall_open(&h);
	d = admin_door(&h);
	for (size_t i = 0; i < 3; i++) {
		with_page(&h, &d);
		h.headers[6] = "sec-fetch-site";
		h.headers[7] = "same-origin";
		h.headers[8] = names[i];
		h.headers[9] = i == 0 ? ORIGIN
		    : i == 1	      ? d.csrf
				      : "same-origin";
		EQ_STATUS(visit(&h, "POST", GROUPS, "{\"name\":\"g\"}"), 403);
	}
	with_page(&h,
	    &d); /* there is no such path: that, too, is told only then */
	h.headers[3] = "https://evil.example";
	EQ_STATUS(visit(&h, "POST", "/v1/nothing", NULL), 403);
	T_EQ_INT(log_of(&h, "auth.failed", "denied", "csrf_origin").entries, 1);
	with_page(&h, &d);
	EQ_STATUS(visit(&h, "POST", "/v1/nothing", NULL), 404);
	hall_close(&h);
}

TEST(origins)
{
	static const char *const rows[][2] = {
	    {"https://a.example", "https://a.example"},
	    {"https://A.Example:443/x/y", "https://a.example"},
	    {"HTTPS://a:8443/", "https://a:8443"},
	    {"https://[::1]:8443", "https://[::1]:8443"},
	};
	char t[64], tiny[12];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		T_OK(guard_origin(str_c(rows[i][0]), t, sizeof t));
		T_EQ_STR(str_c(t), str_c(rows[i][1]));
	}
	T_OK(!guard_origin(STR("http://a"), t, sizeof t));
	T_OK(!guard_origin(STR("https://"), t, sizeof t));
	T_OK(!guard_origin(STR(""), t, sizeof t));
	T_OK(guard_origin(STR("https://abc"), tiny, sizeof tiny));
	T_OK(!guard_origin(STR("https://abcd"), tiny, sizeof tiny));
}

/* ---- a forgotten browser ---- */

enum { MINUTE = 60000 };

TEST(sensitive_actions_need_a_recent_login)
{
	static const char token[] = "{\"name\":\"t\",\"scopes\":[\"*\"],"
				    "\"expires_at\":\"2027-02-01T00:00:00Z\"}";
	struct renewal r;
	struct visit *v;
	struct hall h;
	struct door d, old;

	hall_open(&h);
	d = admin_door(&h);
	tick(POLICY_STEP_UP_MINUTES * MINUTE);
	with_page(&h, &d);
	EQ_STATUS(visit(&h, "POST", "/v1/tokens", token), 201);
	tick(1);
	with_page(&h, &d);
	v = visit(&h, "POST", "/v1/tokens", token);
	EQ_STATUS(v, 401);
	EQ_TEXT(told(&h, v, "code"), "step_up_required");
	T_OK(str_ifind(reply_header(v, "www-authenticate"),
	    STR("max_age=\"900\"")));
	T_EQ_INT(log_of(&h, "token.create", "denied", "step_up").entries, 1);
	with_page(&h, &d); /* the cookie, the token of the page: as before */
	h.headers[5] = "x";
	EQ_STATUS(visit(&h, "POST", "/v1/tokens", token), 403);
	with(&h, &d); /* what is not sensitive goes on */
	EQ_STATUS(visit(&h, "GET", "/v1/tokens", NULL), 200);
	with_page(&h, &d);
	EQ_STATUS(visit(&h, "POST", "/v1/projects", "{\"slug\":\"b\"}"), 201);
	old = d;
	r = (struct renewal){&h, &d};
	MUST(writer_do(h.o.w, renew, &r));
	with_page(&h, &d);
	EQ_STATUS(visit(&h, "POST", "/v1/tokens", token), 201);
	with(&h, &old); /* another id: the old one is dead */
	EQ_STATUS(visit(&h, "GET", "/v1/whoami", NULL), 401);
	with(&h, &d);
	v = visit(&h, "GET", "/v1/whoami", NULL);
	T_EQ_STR(json_str_at(json_get(v->json, STR("session")), STR("method")),
	    STR("totp"));
	tick((POLICY_ABSOLUTE_HOURS * 60 - POLICY_STEP_UP_MINUTES) * MINUTE);
	with(&h, &d); /* the absolute limit counts from the login */
	EQ_STATUS(visit(&h, "GET", "/v1/whoami", NULL), 401);
	hall_close(&h);
}

/* Each sensitive route, and a token, which has no login to be old. */
TEST(sensitive_routes)
{
	struct hall h;
	struct door d;
	unsigned n = 0;

	hall_open(&h);
	d = admin_door(&h);
	tick(POLICY_STEP_UP_MINUTES * MINUTE + 1);
	for (size_t i = 0; i < routes_n; i++) {
		char path[256];
		size_t at = 0;

		if (!routes[i].fresh)
			continue;
		n++;
		for (size_t k = 0; k < routes[i].path.n; k++) {
			char ch = routes[i].path.p[k];

			if (ch == '{')
				k += 2;
			path[at++] = ch == '{' ? 'x' : ch;
		}
		path[at] = '\0';
		with_page(&h, &d);
		EQ_STATUS(visit(&h, http_method_text(routes[i].method), path,
			      "{}"),
		    401);
	}
	T_OK(n >= 20);
	h.token = h.o.admin;
	EQ_STATUS(visit(&h, "POST", "/v1/users", "{\"email\":\"a@b\"}"), 201);
	hall_close(&h);
}

T_MAIN
