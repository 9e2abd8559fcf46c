/*
 * door.h: logging in without an identity provider: session_begin as the
 * routes of a login call it, and requests that come from that browser.
 */
#ifndef TESTS_FLOW_DOOR_H
#define TESTS_FLOW_DOOR_H

#include "auth/session.h"
#include "flow/guard.h"
#include "flow/sessions.h"
#include "tests/unit/flow/hall.h"

#define ORIGIN "https://127.0.0.1:8443"
#define GROUPS "/v1/groups"

struct door {
	struct hall *h;
	struct login l;
	const char *cookie; /* that the browser brings, or NULL */
	struct http_request req;
	struct header header[2];
	char secret[SESSION_TEXT + 1]; /* that it gets */
	char csrf[SESSION_TEXT + 1];
	struct uuid id;
};

UNUSED static err
begin(struct lane *l, void *arg)
{
	struct door *d = arg;
	struct call *c = ARENA_NEW(&d->h->o.a, struct call);
	const struct data_key *mac;
	uint32_t id;
	size_t n;

	c->lane = l;
	c->req = &d->req;
	c->a = &d->h->o.a;
	c->now = time_now_ms();
	c->address = STR("192.0.2.1");
	c->route = &route_none;
	d->header[0] = (struct header){STR("user-agent"), STR("t\x01\xff")};
	d->req.headers = d->header;
	d->req.headers_n = 1;
	if (d->cookie != NULL) {
		char text[128];

		snprintf(text, sizeof text, "%s=%s", SESSION_COOKIE, d->cookie);
		d->header[1] = (struct header){STR("cookie"),
		    arena_dup(c->a, str_c(text))};
		d->req.headers_n = 2;
	}
	TRY(session_begin(c, &d->l));
	T_EQ_INT(c->cookies_n, 1);
	T_OK(cookie_find(c->cookie[0], STR(SESSION_COOKIE), &c->location, &n));
	memcpy(d->secret, c->location.p, SESSION_TEXT);
	T_OK(c->actor != NULL && uuid_eq(&c->actor->id, &d->l.user));
	d->id = c->actor->session->o.id;
	TRY(call_token_key(c, &mac, &id));
	return session_csrf(mac, c->actor->session, d->csrf);
}

UNUSED static err
enter(struct hall *h, struct door *d, const struct uuid *user)
{
	memset(d->secret, 0, sizeof d->secret);
	d->h = h;
	d->l.user = *user;
	if (d->l.method.n == 0)
		d->l.method = STR("test");
	return writer_do(h->o.w, begin, d);
}

UNUSED static struct door
admin_door(struct hall *h)
{
	struct door d = {0};

	MUST(enter(h, &d, &h->o.admin_id));
	h->token = NULL;
	return d;
}

/* The next request comes from that browser. */
UNUSED static void
with(struct hall *h, const struct door *d)
{
	static char text[8][128];
	static unsigned turn;
	char *t = text[turn++ % 8];

	snprintf(t, sizeof text[0], "%s=%s", SESSION_COOKIE, d->secret);
	memset(h->headers, 0, sizeof h->headers);
	h->headers[0] = "cookie";
	h->headers[1] = t;
}

UNUSED static void
with_page(struct hall *h, const struct door *d)
{
	with(h, d);
	h->headers[2] = "origin";
	h->headers[3] = ORIGIN;
	h->headers[4] = "x-redoubt-csrf";
	h->headers[5] = d->csrf;
}

UNUSED static struct uuid
id_told(struct hall *h, struct visit *v)
{
	struct uuid u = {{0}};

	T_OK(uuid_parse(str_c(told(h, v, "id")), &u));
	return u;
}

/* The session of d again, as after a step-up. */
struct renewal {
	struct hall *h;
	struct door *d;
};

UNUSED static err
renew(struct lane *l, void *arg)
{
	struct renewal *r = arg;
	struct door *d = r->d;
	struct call *c = ARENA_NEW(&r->h->o.a, struct call);
	const struct data_key *mac;
	struct session old;
	uint32_t id;
	size_t n;

	c->lane = l;
	c->req = &d->req;
	c->a = &r->h->o.a;
	c->now = time_now_ms();
	c->address = STR("192.0.2.1");
	c->route = &route_none;
	old = *world_session(l->snap->world, &d->id);
	c->actor = auth_login(c->a, l->snap->world, &old, c->address);
	TRY(session_renew(c, STR("totp")));
	T_OK(cookie_find(c->cookie[0], STR(SESSION_COOKIE), &c->location, &n));
	T_OK(memcmp(d->secret, c->location.p, SESSION_TEXT) != 0);
	memcpy(d->secret, c->location.p, SESSION_TEXT);
	d->id = c->rec.resource[c->rec.resources - 1].id;
	TRY(call_token_key(c, &mac, &id));
	return session_csrf(mac, world_session(l->snap->world, &d->id),
	    d->csrf);
}

#endif
