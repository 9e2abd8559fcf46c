/* sessions.c: see sessions.h. */
#include "flow/sessions.h"

#include "auth/session.h"
#include "auth/token.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "flow/browser.h"
#include "flow/writer.h"

enum { HOUR_MS = 3600000, TEND_MAX = 1000 };

/* ---- lists of them ---- */

struct ids {
	struct uuid *id;
	size_t n;
};

static err
ids_new(struct call *c, size_t max, struct ids *ret)
{
	*ret = (struct ids){arena_array(c->a, max + 1, sizeof(struct uuid)), 0};
	return arena_check(c->a);
}

static err
drop(struct call *c, const struct ids *ids)
{
	for (size_t i = 0; i < ids->n; i++)
		call_touch(c, "ended_session", &ids->id[i]);
	return admin_remove_all(c, OBJECT_SESSION, ids->id, ids->n);
}

/* ---- beginning ---- */

/* What a browser says of itself, to be shown again: printable ASCII. */
static struct str
agent_of(struct call *c)
{
	struct str s =
	    str_head(http_header(c->req, STR("user-agent")), LIM_AGENT);
	char *copy = arena_raw(c->a, s.n + 1);

	if (copy == NULL)
		return STR("");
	for (size_t i = 0; i < s.n; i++)
		copy[i] = (char)(s.p[i] < ' ' || s.p[i] > '~' ? '?' : s.p[i]);
	return str_of(copy, s.n);
}

static err
no_login(struct call *c, enum auth_reason why)
{
	c->rec.outcome = AUDIT_DENIED;
	c->rec.reason = str_c(auth_reason_text(why));
	c->rec.skip = false;
	return err_of(E_UNAUTHENTICATED);
}

static err
may_begin(struct call *c, const struct login *l)
{
	const struct policy *p = world_policy(call_world(c));
	size_t n;

	if (!world_principal_live(call_world(c), PRINCIPAL_USER, &l->user))
		return no_login(c, AUTH_OWNER);
	if (p->ip_allow_n > 0 &&
	    !cidr_match(p->ip_allow, p->ip_allow_n, c->address))
		return no_login(c, AUTH_ADDRESS);
	(void)world_objects(call_world(c), OBJECT_SESSION, &n);
	if (n >= LIM_SESSIONS)
		return call_bad(c, E_LIMIT, "there are %zu sessions", n);
	if (l->idp_session.n > LIM_DEDUP || l->name_id.n > LIM_DEDUP ||
	    !utf8_valid(l->idp_session) || !utf8_valid(l->name_id))
		return err_of(E_INVALID);
	return OK;
}

/* The session whose cookie came with this request, or NULL. */
static const struct session *
brought(struct call *c)
{
	uint8_t key[DIGEST_SIZE];
	struct str value;
	size_t n;

	if (!cookie_find(http_header(c->req, STR("cookie")),
		STR(SESSION_COOKIE), &value, &n) ||
	    n > 1 || !session_key(value, key))
		return NULL;
	return world_session_key(call_world(c), key);
}

/* Those that end when one more of the user's begins. */
static err
make_room(struct call *c, const struct uuid *user)
{
	const struct session *old = brought(c);
	const struct session *const *mine;
	struct ids ids;
	size_t n, left;

	mine = world_sessions_of(call_world(c), user, &n);
	TRY(ids_new(c, n + 1, &ids));
	left = n;
	if (old != NULL) {
		ids.id[ids.n++] = old->o.id;
		left -= uuid_eq(&old->user, user);
	}
	for (size_t i = 0; i < n && left >= LIM_USER_SESSIONS; i++) {
		if (old == mine[i])
			continue;
		ids.id[ids.n++] = mine[i]->o.id;
		left--;
	}
	return drop(c, &ids);
}

/* Stored, its cookie in the answer. */
static err
put(struct call *c, struct session *s)
{
	char secret[SESSION_TEXT + 1];

	TRY(session_make(secret, s->key));
	TRY(admin_put(c, &s->o));
	answer_cookie(c, SESSION_COOKIE, str_of(secret, SESSION_TEXT),
	    COOKIE_LAX, 0);
	call_touch(c, "session", &s->o.id);
	return OK;
}

err
session_begin(struct call *c, const struct login *l)
{
	struct session *s = ARENA_NEW(c->a, struct session);
	int64_t hours;

	TRY(arena_check(c->a));
	TRY(may_begin(c, l));
	hours = world_policy(call_world(c))->session_absolute_hours;
	admin_new(c, OBJECT_SESSION, 0, &s->o);
	s->user = l->user;
	s->idp = l->idp;
	s->method = arena_dup(c->a, l->method);
	s->auth_time =
	    l->auth_time == 0 || l->auth_time > c->now ? c->now : l->auth_time;
	s->expires = c->now + hours * HOUR_MS;
	if (l->expires > c->now && l->expires < s->expires)
		s->expires = l->expires;
	s->address = c->address;
	s->agent = agent_of(c);
	s->idp_session = arena_dup(c->a, l->idp_session);
	s->name_id = arena_dup(c->a, l->name_id);
	TRY(make_room(c, &s->user));
	TRY(put(c, s));
	c->actor = auth_login(c->a, call_world(c), s, c->address);
	return arena_check(c->a);
}

err
session_renew(struct call *c, struct str method)
{
	const struct session *old = c->actor->session;
	struct session *s = ARENA_NEW(c->a, struct session);
	struct uuid was;

	if (old == NULL)
		return call_bad(c, E_INVALID, "a token does not log in");
	TRY(arena_check(c->a));
	*s = *old;
	was = old->o.id;
	admin_new(c, OBJECT_SESSION, 0, &s->o);
	s->o.created = old->o.created; /* what the limits count from */
	s->auth_time = c->now;
	s->method = arena_dup(c->a, method);
	s->address = c->address;
	s->agent = agent_of(c);
	s->idp_session = arena_dup(c->a, s->idp_session);
	s->name_id = arena_dup(c->a, s->name_id);
	TRY(drop(c, &(struct ids){&was, 1}));
	TRY(put(c, s));
	writer_note(c->lane->writer, &s->o.id, c->now);
	c->over = true;
	return arena_check(c->a);
}

err
session_end(struct call *c)
{
	struct uuid id;

	if (c->actor->session == NULL)
		return OK;
	id = c->actor->session->o.id;
	call_touch(c, "session", &id);
	answer_cookie(c, SESSION_COOKIE, STR(""), COOKIE_LAX, -1);
	c->over = true;
	if (world_session(call_world(c), &id) == NULL)
		return OK; /* by an earlier request of this batch */
	return admin_remove(c, OBJECT_SESSION, &id);
}

/* ---- ending those of others ---- */

err
drop_sessions(struct call *c, const struct uuid *user, const struct uuid *but)
{
	const struct session *const *s;
	struct ids ids;
	size_t n;

	s = world_sessions_of(call_world(c), user, &n);
	TRY(ids_new(c, n, &ids));
	for (size_t i = 0; i < n; i++)
		if (but == NULL || !uuid_eq(&s[i]->o.id, but))
			ids.id[ids.n++] = s[i]->o.id;
	return drop(c, &ids);
}

err
drop_sessions_of_all(struct call *c, const struct principal_id *who, size_t n)
{
	const struct session *const *s;
	struct ids ids;
	size_t all, of;

	(void)world_objects(call_world(c), OBJECT_SESSION, &all);
	TRY(ids_new(c, all, &ids));
	for (size_t i = 0; i < n; i++) {
		s = world_sessions_of(call_world(c), &who[i].u, &of);
		for (size_t k = 0; k < of && ids.n < all; k++)
			ids.id[ids.n++] = s[k]->o.id;
	}
	return drop(c, &ids);
}

static err
drop_if(struct call *c, const struct session *like,
    bool (*is)(const struct session *s, const struct session *like),
    size_t *ret_n)
{
	const struct object *const *o;
	struct ids ids;
	size_t n;

	o = world_objects(call_world(c), OBJECT_SESSION, &n);
	TRY(ids_new(c, n, &ids));
	for (size_t i = 0; i < n; i++)
		if (is((const struct session *)o[i], like))
			ids.id[ids.n++] = o[i]->id;
	*ret_n = ids.n;
	return drop(c, &ids);
}

static bool
of_idp(const struct session *s, const struct session *like)
{
	return uuid_eq(&s->idp, &like->idp);
}

static bool
named(const struct session *s, const struct session *like)
{
	return of_idp(s, like) &&
	    (like->name_id.n == 0 || str_eq(s->name_id, like->name_id)) &&
	    (like->idp_session.n == 0 ||
		str_eq(s->idp_session, like->idp_session));
}

err
drop_sessions_of_idp(struct call *c, const struct uuid *idp)
{
	struct session like = {.idp = *idp};
	size_t n;

	return drop_if(c, &like, of_idp, &n);
}

err
drop_sessions_named(struct call *c, const struct uuid *idp, struct str name_id,
    struct str idp_session, size_t *ret_n)
{
	struct session like = {.idp = *idp,
	    .name_id = name_id,
	    .idp_session = idp_session};

	if (name_id.n == 0 && idp_session.n == 0)
		return err_of(E_INVALID); /* nobody is not everybody */
	return drop_if(c, &like, named, ret_n);
}

err
drop_logins(struct call *c, const struct uuid *user)
{
	const struct identity *const *i;
	const struct credential *const *k;
	struct ids ids;
	size_t n;

	i = world_identities_of(call_world(c), user, &n);
	TRY(ids_new(c, n, &ids));
	while (ids.n < n) {
		ids.id[ids.n] = i[ids.n]->o.id;
		ids.n++;
	}
	TRY(admin_remove_all(c, OBJECT_IDENTITY, ids.id, ids.n));
	k = world_credentials_of(call_world(c), user, &n);
	TRY(ids_new(c, n, &ids));
	while (ids.n < n) {
		ids.id[ids.n] = k[ids.n]->o.id;
		ids.n++;
	}
	TRY(admin_remove_all(c, OBJECT_CREDENTIAL, ids.id, ids.n));
	if (world_preferences(call_world(c), user) == NULL)
		return OK;
	return admin_remove(c, OBJECT_PREFERENCES, user);
}

/* ---- those that are over by themselves ---- */

bool
session_over(struct lane *l, const struct session *s, int64_t now)
{
	const struct policy *p = world_policy(l->snap->world);
	struct writer *w = l->state->writer;
	int64_t used = w == NULL ? 0 : writer_used(w, &s->o.id);

	return now >= session_absolute_end(s, p) ||
	    now >= session_idle_end(s, p, used);
}

bool
sessions_due(struct lane *l, int64_t now)
{
	const struct object *const *o;
	size_t n;

	o = world_objects(l->snap->world, OBJECT_SESSION, &n);
	for (size_t i = 0; i < n; i++)
		if (session_over(l, (const struct session *)o[i], now))
			return true;
	return false;
}

err
sessions_tend(struct lane *l, void *arg)
{
	int64_t now = *(const int64_t *)arg;
	const struct object *const *o;
	struct uuid id[TEND_MAX];
	size_t n, over = 0;

	o = world_objects(l->snap->world, OBJECT_SESSION, &n);
	for (size_t i = 0; i < n && over < TEND_MAX; i++)
		if (session_over(l, (const struct session *)o[i], now))
			id[over++] = o[i]->id;
	return lane_remove_all(l, OBJECT_SESSION, id, over);
}
