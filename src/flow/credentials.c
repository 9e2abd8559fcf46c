/*
 * credentials.c: seeing and removing local credentials: /v1/me/credentials
 * and /v1/users/{n}/credentials; letting a user in who has none.  enrol.c
 * makes them, login.c uses them.
 */
#include "flow/credentials.h"

#include "base/limits.h"
#include "base/mem.h"
#include "flow/admin_tokens.h"
#include "flow/handlers.h"
#include "flow/sessions.h"

/* ---- who may ---- */

/* Does the token let its owner do all that the owner may do? */
static bool
whole(struct call *c, const struct token *t)
{
	const struct actor *owner =
	    auth_supposed(c->a, call_world(c), t->owner_kind, &t->owner.u);

	if (owner == NULL || t->projects_n > 0 || t->cidrs_n > 0)
		return false;
	for (unsigned p = 0; p < PERM_MAX_; p++)
		if (!permset_has(&t->scopes, (enum permission)p) &&
		    access_anywhere(owner, (enum permission)p, c->now))
			return false;
	return true;
}

err
may_enrol(struct call *c)
{
	const struct token *t = c->actor->token;

	if (c->actor->kind != PRINCIPAL_USER)
		return call_bad(c, E_FORBIDDEN, "only users log in");
	if (t == NULL || t->kind == 'b' || whole(c, t))
		return OK;
	return call_bad(c, E_FORBIDDEN,
	    "this needs a login, or a token that may all that you may");
}

/* ---- objects ---- */

const struct credential *
credential_of(const struct world *w, const struct uuid *user,
    enum credential_kind kind)
{
	const struct credential *const *k;
	size_t n;

	k = world_credentials_of(w, user, &n);
	for (size_t i = 0; i < n; i++)
		if (k[i]->kind == kind)
			return k[i];
	return NULL;
}

err
credential_new(struct call *c, enum credential_kind kind, struct str name,
    struct credential *ret)
{
	size_t n;

	(void)world_credentials_of(call_world(c), &c->actor->id, &n);
	if (n >= LIM_USER_CREDENTIALS)
		return call_bad(c, E_LIMIT, "you have %zu credentials", n);
	TRY(room_for(c, OBJECT_CREDENTIAL, LIM_CREDENTIALS));
	*ret = (struct credential){.user = c->actor->id, .kind = kind};
	ret->name = arena_dup(c->a, name);
	admin_new(c, OBJECT_CREDENTIAL, 0, &ret->o);
	return arena_check(c->a);
}

err
credential_put(struct call *c, struct credential *k)
{
	k->name = arena_dup(c->a, k->name);
	k->data = arena_dup(c->a, k->data);
	TRY(arena_check(c->a));
	admin_touch(c, &k->o);
	return admin_put(c, &k->o);
}

err
credential_changed(struct call *c, const struct credential *k)
{
	const struct session *own = c->actor->session;
	struct uuid keep = {{0}};

	if (own != NULL)
		keep = own->o.id;
	call_touch(c, "credential", &k->o.id);
	return drop_sessions(c, &c->actor->id, &keep);
}

/* ---- answers ---- */

/* What may be known of its data. */
static void
facts(struct call *c, struct jw *w, const struct credential *k)
{
	struct cred_recovery r;
	struct webauthn_key key;
	struct cred_totp t;

	if (k->kind == CREDENTIAL_TOTP && err_ok(cred_totp_of(c->a, k, &t)))
		jw_kbool(w, "confirmed", t.confirmed);
	if (k->kind == CREDENTIAL_RECOVERY &&
	    err_ok(cred_recovery_of(c->a, k, &r)))
		jw_ki64(w, "left", (int64_t)r.n);
	if (k->kind == CREDENTIAL_WEBAUTHN &&
	    err_ok(cred_webauthn_of(c->a, k, &key)))
		jw_kbool(w, "backed_up", key.backed_up);
}

void
credential_json(struct call *c, struct jw *w, const struct object *o)
{
	const struct credential *k = (const struct credential *)o;

	jw_uuid(w, "id", &o->id);
	jw_kstr(w, "kind", str_c(credential_kind_text(k->kind)));
	jw_kstr(w, "name", k->name);
	facts(c, w, k);
	times_json(w, o);
}

static err
list(struct call *c, const struct uuid *user)
{
	const struct credential *const *k;
	struct jw *w;
	size_t n;

	k = world_credentials_of(call_world(c), user, &n);
	w = list_begin(c);
	for (size_t i = 0; i < n; i++) {
		jw_obj(w);
		credential_json(c, w, &k[i]->o);
		jw_obj_end(w);
	}
	return list_end(c, STR_NONE);
}

err
route_credential_list(struct call *c)
{
	return list(c, &c->actor->id);
}

err
route_user_credentials(struct call *c)
{
	struct uuid user;

	TRY(call_uuid(c, 0, &user));
	if (world_user(call_world(c), &user) == NULL)
		return err_of(E_NOT_FOUND);
	call_touch(c, "user", &user);
	return list(c, &user);
}

/* ---- removing ---- */

static err
remove_one(struct call *c, const struct uuid *user, const struct uuid *id,
    const struct session *but)
{
	const struct credential *k = world_credential(call_world(c), id);
	struct uuid keep = {{0}};

	if (k == NULL || !uuid_eq(&k->user, user))
		return err_of(E_NOT_FOUND);
	if (but != NULL)
		keep = but->o.id;
	call_touch(c, "credential", id);
	TRY(call_match(c, k->o.version));
	TRY(admin_remove(c, OBJECT_CREDENTIAL, id));
	TRY(drop_sessions(c, user, &keep));
	answer_empty(c, 204);
	return OK;
}

err
route_credential_delete(struct call *c)
{
	struct uuid id;

	TRY(may_enrol(c));
	TRY(call_uuid(c, 0, &id));
	return remove_one(c, &c->actor->id, &id, c->actor->session);
}

/* A reset: the user's sessions all end. */
err
route_user_credential_delete(struct call *c)
{
	struct uuid user, id;

	TRY(call_uuid(c, 0, &user));
	TRY(call_uuid(c, 1, &id));
	call_touch(c, "user", &user);
	return remove_one(c, &user, &id, NULL);
}

/* ---- letting a user begin ---- */

enum { ENROL_MS = 3600000 };

/*
 * Who makes a token for a user can be that user, so they must be able to hand
 * out all that an administrator may, and see all private incidents the user
 * sees.
 */
static err
may_become(struct call *c, const struct uuid *user)
{
	const struct actor *who =
	    auth_supposed(c->a, call_world(c), PRINCIPAL_USER, user);
	struct access_subject as[SUBJECTS_MAX];
	struct subject s[SUBJECTS_MAX];
	struct permset all;
	size_t n;

	if (who == NULL)
		return err_of(E_NO_MEMORY);
	if (!world_role_perms(call_world(c), STR("org_admin"), &all))
		return err_of(E_INTERNAL);
	TRY(access_may_grant(c->actor, all, 0, c->now, &c->trail));
	n = access_subjects(who, c->now, as, SUBJECTS_MAX);
	for (size_t i = 0; i < n; i++)
		s[i] = (struct subject){as[i].kind, as[i].id};
	return may_show(c, s, n);
}

/* A token that may do nothing but set up how to log in, for an hour. */
err
route_user_enrol(struct call *c)
{
	char text[TOKEN_TEXT + 1];
	struct token t = {.kind = 'b', .owner_kind = PRINCIPAL_USER};
	const struct user *u;
	struct jw *w;

	TRY(call_uuid(c, 0, &t.owner.u));
	u = world_user(call_world(c), &t.owner.u);
	if (u == NULL)
		return err_of(E_NOT_FOUND);
	call_touch(c, "user", &t.owner.u);
	if (u->disabled)
		return call_bad(c, E_CONFLICT, "the user is disabled");
	TRY(may_become(c, &t.owner.u));
	TRY(token_room(c, &t.owner.u));
	t.name = STR("enrolment");
	t.expires = c->now + ENROL_MS;
	TRY(token_issue(c, &t, text));
	call_touch(c, "token", &t.o.id);
	w = answer(c, 201);
	jw_obj(w);
	jw_uuid(w, "id", &t.o.id);
	jw_time(w, "expires_at", t.expires);
	answer_secret(c, "token", str_of(text, TOKEN_TEXT));
	jw_obj_end(w);
	mem_wipe(text, sizeof text);
	return buf_check(&c->out);
}
