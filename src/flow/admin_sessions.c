/*
 * admin_sessions.c: /v1/sessions and /v1/logout.  Everybody sees and ends
 * their own sessions; who sees users sees theirs, who changes users ends them.
 */
#include "auth/session.h"
#include "flow/admin_body.h"
#include "flow/handlers.h"
#include "flow/sessions.h"
#include "flow/writer.h"

/* ---- answers ---- */

void
session_json(struct call *c, struct jw *w, const struct session *s)
{
	const struct policy *p = world_policy(call_world(c));
	struct writer *writer = c->lane->state->writer;
	int64_t used = writer == NULL ? 0 : writer_used(writer, &s->o.id);
	const struct session *own = c->actor->session;

	jw_obj(w);
	jw_uuid(w, "id", &s->o.id);
	jw_uuid(w, "user", &s->user);
	jw_name(w, STR("identity_provider"));
	if (uuid_is_zero(&s->idp)) {
		jw_null(w);
	} else {
		char text[UUID_TEXT + 1];

		uuid_text(&s->idp, text);
		jw_str(w, str_of(text, UUID_TEXT));
	}
	jw_kstr(w, "method", s->method);
	jw_kstr(w, "address", s->address);
	jw_kstr(w, "agent", s->agent);
	jw_time(w, "auth_time", s->auth_time);
	/* until then FRESH routes do not ask for another login */
	jw_time(w, "fresh_until",
	    s->auth_time + (int64_t)p->step_up_minutes * 60000);
	jw_time(w, "last_used", used);
	jw_time(w, "idle_at", session_idle_end(s, p, used));
	jw_time(w, "expires_at", session_absolute_end(s, p));
	jw_kbool(w, "current", own != NULL && uuid_eq(&own->o.id, &s->o.id));
	jw_time(w, "created_at", s->o.created);
	jw_obj_end(w);
}

static void
render(struct call *c, struct jw *w, const struct object *o)
{
	session_json(c, w, (const struct session *)o);
}

/* ---- seeing ---- */

/* Whose sessions are asked for: c->prepared; all of them: NULL. */
static bool
wanted(struct call *c, const struct object *o)
{
	const struct session *s = (const struct session *)o;
	const struct uuid *user = c->prepared;

	return (user == NULL || uuid_eq(&s->user, user)) &&
	    !session_over(c->lane, s, c->now);
}

/* ?user=: an id, "*" for everybody; oneself when absent.  *ret_all: "*". */
static err
whose(struct call *c, enum permission perm, struct uuid *ret, bool *ret_all)
{
	struct str s = c->query.raw[PARAM_USER];

	*ret = c->actor->id;
	*ret_all = s.p != NULL && str_is(s, "*");
	if (s.p == NULL)
		return OK;
	if (!*ret_all && !uuid_parse(s, ret))
		return call_bad(c, E_INVALID, "user: an id, or *");
	if (!*ret_all && uuid_eq(ret, &c->actor->id))
		return OK;
	TRY(call_ask(c, perm, 0, &c->grant));
	if (!*ret_all)
		call_touch(c, "user", ret);
	return OK;
}

err
route_session_list(struct call *c)
{
	struct uuid user;
	bool all;
	err e;

	TRY(whose(c, PERM_USER_VIEW, &user, &all));
	c->prepared = all ? NULL : &user;
	e = list_objects(c, OBJECT_SESSION, wanted, render);
	c->prepared = NULL;
	return e;
}

/* ---- ending ---- */

err
route_logout(struct call *c)
{
	if (c->actor->session == NULL)
		return call_bad(c, E_INVALID,
		    "a token is not logged in: it is revoked");
	TRY(session_end(c));
	answer_empty(c, 204);
	return OK;
}

err
route_session_delete(struct call *c)
{
	const struct session *s;
	struct uuid id;

	TRY(call_uuid(c, 0, &id));
	s = world_session(call_world(c), &id);
	if (s == NULL)
		return err_of(E_NOT_FOUND);
	call_touch(c, "session", &id);
	if (!uuid_eq(&s->user, &c->actor->id)) {
		/* who may not even see users learns nothing of the id */
		if (!call_can(c, PERM_USER_VIEW, 0)) {
			err_ignore(call_ask(c, PERM_USER_VIEW, 0, &c->grant),
			    "it says no");
			return err_of(E_NOT_FOUND);
		}
		TRY(call_ask(c, PERM_USER_EDIT, 0, &c->grant));
	}
	TRY(call_match(c, s->o.version));
	answer_empty(c, 204);
	if (c->actor->session != NULL && uuid_eq(&c->actor->session->o.id, &id))
		return session_end(c);
	return admin_remove(c, OBJECT_SESSION, &id);
}

/* All of one's own but the one that asks; all of another's. */
err
route_session_delete_all(struct call *c)
{
	const struct session *own = c->actor->session;
	struct uuid user, keep = {{0}};
	bool all;

	TRY(whose(c, PERM_USER_EDIT, &user, &all));
	if (all)
		return call_bad(c, E_INVALID, "user: an id");
	if (own != NULL)
		keep = own->o.id;
	answer_empty(c, 204);
	return drop_sessions(c, &user, &keep);
}
