/* admin_users.c: /v1/users and /v1/service-accounts. */
#include "base/limits.h"
#include "flow/admin_body.h"
#include "flow/handlers.h"
#include "flow/person.h"
#include "flow/sessions.h"
#include "flow/writer.h"

enum { DAY_MS = 86400000 };

err
room_for_principal(struct call *c)
{
	size_t users, accounts;

	(void)world_objects(call_world(c), OBJECT_USER, &users);
	(void)world_objects(call_world(c), OBJECT_SERVICE_ACCOUNT, &accounts);
	if (users + accounts < LIM_PRINCIPALS)
		return OK;
	return call_bad(c, E_LIMIT, "there are %d users and service accounts",
	    LIM_PRINCIPALS);
}

/* Nothing hangs on it any more, and nobody gets in as it. */
static err
cut_off(struct call *c, enum object_kind kind, const struct uuid *id)
{
	TRY(keeps_admin(c, NULL, kind, id));
	TRY(drop_bindings(c, id));
	TRY(drop_tokens(c, id));
	TRY(leave_groups(c, id));
	TRY(drop_sessions(c, id, NULL));
	return drop_logins(c, id);
}

err
principal_remove(struct call *c, const struct object *o)
{
	enum object_kind kind = o->kind;
	struct uuid id = o->id;

	TRY(call_match(c, o->version));
	if (kind == OBJECT_USER)
		TRY(person_free(c));
	TRY(cut_off(c, kind, &id));
	if (kind == OBJECT_USER)
		TRY(person_forget(c, &id));
	TRY(admin_remove(c, kind, &id));
	answer_empty(c, 204);
	return OK;
}

/* ---- users ---- */

static void
user_render(struct call *c, struct jw *w, const struct object *o)
{
	const struct user *u = (const struct user *)o;

	(void)c;
	jw_obj(w);
	jw_uuid(w, "id", &o->id);
	jw_kstr(w, "email", u->email);
	jw_kstr(w, "name", u->name);
	jw_kbool(w, "disabled", u->disabled);
	jw_kbool(w, "break_glass", u->break_glass);
	jw_time(w, "anonymized_at", u->anonymized);
	times_json(w, o);
	jw_obj_end(w);
}

static err
user_find(struct call *c, const struct user **ret)
{
	struct uuid id;

	TRY(call_uuid(c, 0, &id));
	*ret = world_user(call_world(c), &id);
	if (*ret == NULL)
		return err_of(E_NOT_FOUND);
	call_touch(c, "user", &id);
	return OK;
}

err
route_user_list(struct call *c)
{
	return list_objects(c, OBJECT_USER, NULL, user_render);
}

err
route_user_get(struct call *c)
{
	const struct user *u;

	TRY(user_find(c, &u));
	return answer_object(c, 200, &u->o, user_render);
}

err
route_user_create(struct call *c)
{
	struct user u = {0};

	u.email = body_text(c, "email", STR(""));
	u.name = body_text(c, "name", STR(""));
	u.break_glass = body_flag(c, "break_glass", false);
	if (world_user_email(call_world(c), u.email) != NULL)
		return call_bad(c, E_EXISTS, "email: a user has it already");
	TRY(room_for_principal(c));
	admin_new(c, OBJECT_USER, 0, &u.o);
	TRY(admin_put(c, &u.o));
	TRY(person_body(c, &u.o.id));
	call_touch(c, "user", &u.o.id);
	return answer_created(c, "/v1/users", &u.o, user_render);
}

err
route_user_patch(struct call *c)
{
	const struct user *old;
	struct user u;

	TRY(user_find(c, &old));
	TRY(call_match(c, old->o.version));
	if (old->anonymized != 0)
		return call_bad(c, E_CONFLICT, "it was anonymized");
	u = *old;
	u.email = arena_dup(c->a, u.email);
	u.name = arena_dup(c->a, body_text(c, "name", u.name));
	u.disabled = body_flag(c, "disabled", u.disabled);
	u.break_glass = body_flag(c, "break_glass", u.break_glass);
	TRY(arena_check(c->a));
	if (u.disabled)
		TRY(keeps_admin(c, &u.o, u.o.kind, NULL));
	admin_touch(c, &u.o);
	TRY(admin_put(c, &u.o));
	if (u.disabled)
		TRY(drop_sessions(c, &u.o.id, NULL));
	TRY(person_body(c, &u.o.id));
	return answer_object(c, 200, &u.o, user_render);
}

err
route_user_delete(struct call *c)
{
	const struct user *u;

	TRY(user_find(c, &u));
	return principal_remove(c, &u->o);
}

/* The same for the same user, and about nobody: the id's random end. */
static err
pseudonym(struct call *c, struct user *u)
{
	char id[UUID_TEXT + 1];
	struct buf name, email;

	uuid_text(&u->o.id, id);
	buf_init_on(&name, c->a, 64);
	buf_fmt(&name, "person %.8s", id + UUID_TEXT - 8);
	buf_init_on(&email, c->a, 64);
	buf_fmt(&email, "%.12s@anonymized.invalid", id + UUID_TEXT - 12);
	u->name = buf_view(&name);
	u->email = buf_view(&email);
	TRY(buf_check(&name));
	return buf_check(&email);
}

static err
make_nobody(struct call *c, const struct user *old, struct user *ret)
{
	ret->o = old->o;
	TRY(cut_off(c, OBJECT_USER, &ret->o.id));
	TRY(person_forget(c, &ret->o.id));
	ret->disabled = true;
	ret->anonymized = c->now;
	TRY(pseudonym(c, ret));
	admin_touch(c, &ret->o);
	return admin_put(c, &ret->o);
}

/* By the policy: so many days after nothing about them was changed. */
const struct user *
person_due(const struct world *w, int64_t now)
{
	int64_t days = retention_days(w, 0, RETAIN_PERSON);
	const struct object *const *o;
	size_t n;

	if (days == RETAIN_FOR_EVER)
		return NULL;
	o = world_objects(w, OBJECT_USER, &n);
	for (size_t i = 0; i < n; i++) {
		const struct user *u = (const struct user *)o[i];

		if (u->disabled && u->anonymized == 0 &&
		    u->o.updated + days * DAY_MS <= now)
			return u;
	}
	return NULL;
}

err
person_expire(struct lane *l, void *arg)
{
	static const struct uuid nobody;
	struct call c = {.lane = l, .now = *(const int64_t *)arg};
	const struct user *old = person_due(l->snap->world, c.now);
	struct user u = {0};
	struct arena a;
	err e = OK;

	if (old == NULL)
		return OK;
	arena_init(&a, (size_t)16 * 1024 * 1024);
	c.a = &a;
	c.rec.action = AUDIT_PERSON_ANONYMIZE;
	c.rec.reason = STR("retention");
	call_touch(&c, "user", &old->o.id);
	e = person_free(&c);
	if (err_ok(e))
		e = make_nobody(&c, old, &u);
	if (err_ok(e))
		e = ledger_event(writer_ledger(l->writer), l,
		    desk_arena(writer_desk(l->writer)), &c.rec,
		    PRINCIPAL_SYSTEM, &nobody, c.now);
	arena_done(&a);
	return e;
}

err
route_user_anonymize(struct call *c)
{
	const struct user *old;
	struct user u = {0};

	TRY(user_find(c, &old));
	TRY(call_match(c, old->o.version));
	if (old->anonymized != 0)
		return call_bad(c, E_CONFLICT, "it was anonymized");
	if (uuid_eq(&old->o.id, &c->actor->id))
		return call_bad(c, E_CONFLICT,
		    "somebody else must do this to you");
	if (str_trim(json_str_at(c->body, STR("reason"))).n == 0)
		return call_bad(c, E_INVALID, "reason: why, without the name");
	TRY(person_free(c));
	TRY(make_nobody(c, old, &u));
	c->rec.body = c->req->body;
	return answer_object(c, 200, &u.o, user_render);
}

/* ---- service accounts ---- */

static void
sa_render(struct call *c, struct jw *w, const struct object *o)
{
	const struct service_account *s = (const struct service_account *)o;

	(void)c;
	jw_obj(w);
	jw_uuid(w, "id", &o->id);
	jw_kstr(w, "name", s->name);
	jw_kbool(w, "disabled", s->disabled);
	times_json(w, o);
	jw_obj_end(w);
}

static err
sa_find(struct call *c, const struct service_account **ret)
{
	struct uuid id;

	TRY(call_uuid(c, 0, &id));
	*ret = world_service_account(call_world(c), &id);
	if (*ret == NULL)
		return err_of(E_NOT_FOUND);
	call_touch(c, "service_account", &id);
	return OK;
}

err
route_sa_list(struct call *c)
{
	return list_objects(c, OBJECT_SERVICE_ACCOUNT, NULL, sa_render);
}

err
route_sa_get(struct call *c)
{
	const struct service_account *s;

	TRY(sa_find(c, &s));
	return answer_object(c, 200, &s->o, sa_render);
}

err
route_sa_create(struct call *c)
{
	struct service_account s = {0};

	s.name = body_text(c, "name", STR(""));
	TRY(room_for_principal(c));
	admin_new(c, OBJECT_SERVICE_ACCOUNT, 0, &s.o);
	TRY(admin_put(c, &s.o));
	c->rec.body = c->req->body;
	call_touch(c, "service_account", &s.o.id);
	return answer_created(c, "/v1/service-accounts", &s.o, sa_render);
}

err
route_sa_patch(struct call *c)
{
	const struct service_account *old;
	struct service_account s;

	TRY(sa_find(c, &old));
	TRY(call_match(c, old->o.version));
	s = *old;
	s.name = arena_dup(c->a, body_text(c, "name", s.name));
	s.disabled = body_flag(c, "disabled", s.disabled);
	TRY(arena_check(c->a));
	if (s.disabled)
		TRY(keeps_admin(c, &s.o, s.o.kind, NULL));
	admin_touch(c, &s.o);
	TRY(admin_put(c, &s.o));
	c->rec.body = c->req->body;
	return answer_object(c, 200, &s.o, sa_render);
}

err
route_sa_delete(struct call *c)
{
	const struct service_account *s;

	TRY(sa_find(c, &s));
	return principal_remove(c, &s->o);
}
