/* scim_users.c: /scim/v2/{provider}/Users. */
#include "auth/identity.h"
#include "base/limits.h"
#include "flow/admin_body.h"
#include "flow/handlers.h"
#include "flow/person.h"
#include "flow/scim.h"
#include "flow/sessions.h"
#include "flow/shape.h"

#define SCHEMA "urn:ietf:params:scim:schemas:core:2.0:User"

/* ---- answers ---- */

/* An address that reaches nobody stands for none (sso_account.c). */
static bool
has_email(const struct user *u)
{
	size_t n = sizeof ACCOUNT_NO_EMAIL - 1;

	return u->email.n < n ||
	    !str_is(str_skip(u->email, u->email.n - n), ACCOUNT_NO_EMAIL);
}

/* Who came by a login has no userName: the subject is as good. */
static struct str
name_of(const struct identity *i)
{
	return i->user_name.n > 0 ? i->user_name : i->subject;
}

static void
render(struct call *c, struct jw *w, const struct sso *s,
    const struct identity *i, const struct user *u)
{
	char text[UUID_TEXT + 1];

	uuid_text(&u->o.id, text);
	jw_obj(w);
	jw_karr(w, "schemas");
	jw_str(w, STR(SCHEMA));
	jw_arr_end(w);
	jw_kstr(w, "id", str_of(text, UUID_TEXT));
	if (i->external.n > 0)
		jw_kstr(w, "externalId", i->external);
	jw_kstr(w, "userName", name_of(i));
	if (u->name.n > 0) {
		jw_kstr(w, "displayName", u->name);
		jw_name(w, STR("name"));
		jw_obj(w);
		jw_kstr(w, "formatted", u->name);
		jw_obj_end(w);
	}
	if (has_email(u)) {
		jw_karr(w, "emails");
		jw_obj(w);
		jw_kstr(w, "value", u->email);
		jw_kbool(w, "primary", true);
		jw_obj_end(w);
		jw_arr_end(w);
	}
	jw_kbool(w, "active", !u->disabled);
	scim_meta(c, w, "User", s, &u->o.id, &u->o);
	jw_obj_end(w);
}

/* The user as it is now: the world may have changed under us. */
static err
show(struct call *c, int status, const struct sso *s, const struct uuid *user)
{
	const struct identity *i = scim_identity(c, s, user);
	const struct user *u = world_user(call_world(c), user);

	if (i == NULL || u == NULL)
		return err_of(E_NOT_FOUND);
	render(c, scim_answer(c, status), s, i, u);
	answer_etag(c, u->o.version);
	return buf_check(&c->out);
}

/* ---- finding ---- */

static bool
matches(const struct scim_query *q, const struct identity *i,
    const struct user *u)
{
	char id[UUID_TEXT + 1];

	switch (q->by) {
	case SCIM_ALL:
		return true;
	case SCIM_ID:
		uuid_text(&u->o.id, id);
		return str_is(q->value, id);
	case SCIM_USER_NAME: /* case-insensitive (RFC 7643 4.1.1) */
		return str_ieq(q->value, name_of(i));
	case SCIM_EXTERNAL_ID:
		return i->external.n > 0 && str_eq(q->value, i->external);
	case SCIM_EMAIL:
		return has_email(u) && str_ieq(q->value, u->email);
	case SCIM_DISPLAY_NAME:
		return str_eq(q->value, u->name);
	case SCIM_NEVER:
		break;
	}
	return false;
}

/* Those of the provider that the filter wants, in order of creation. */
static err
find(struct call *c, const struct sso *s, const struct scim_query *q,
    const struct identity ***ret, size_t *ret_n)
{
	const struct object *const *o;
	const struct identity **hit;
	size_t n, out = 0;

	o = world_objects(call_world(c), OBJECT_IDENTITY, &n);
	hit = arena_array(c->a, n + 1, sizeof *hit);
	TRY(arena_check(c->a));
	for (size_t k = 0; k < n; k++) {
		const struct identity *i = (const struct identity *)o[k];
		const struct user *u;

		if (!uuid_eq(&i->idp, &s->id))
			continue;
		u = world_user(call_world(c), &i->user);
		if (u != NULL && matches(q, i, u))
			hit[out++] = i;
	}
	*ret = hit;
	*ret_n = out;
	return OK;
}

err
route_scim_user_list(struct call *c)
{
	const struct identity **hit;
	struct scim_query q;
	size_t n, from, shown;
	struct sso s;
	struct jw *w;

	TRY(scim_provider(c, &s));
	TRY(scim_query_read(c->a, c->req->query, &c->trail, &q));
	TRY(find(c, &s, &q, &hit, &n));
	from = q.start - 1 < n ? q.start - 1 : n;
	shown = n - from < q.count ? n - from : q.count;
	w = scim_list(c, &q, n, shown);
	for (size_t k = from; k < from + shown; k++)
		render(c, w, &s, hit[k],
		    world_user(call_world(c), &hit[k]->user));
	scim_list_end(w);
	return buf_check(&c->out);
}

err
route_scim_user_get(struct call *c)
{
	const struct identity *i;
	struct uuid user;
	struct sso s;

	TRY(scim_provider(c, &s));
	TRY(scim_account(c, &s, &i));
	user = i->user;
	return show(c, 200, &s, &user);
}

/* ---- changing ---- */

/* What logins will call this person: the subject of the identity. */
static struct str
subject_of_user(const struct sso *s, const struct scim_user *u)
{
	struct str how = idp_config_text(&s->config, IDP_C_SCIM_SUBJECT);

	return str_is(how, "externalId") ? u->external_id : u->user_name;
}

static err
checked(struct call *c, const struct sso *s, const struct scim_user *u)
{
	struct str subject = subject_of_user(s, u);

	if (!name_valid(u->user_name, LIM_NAME))
		return call_bad(c, E_INVALID, "userName: 1 to %d characters",
		    LIM_NAME);
	if (u->external_id.n > 0 && !name_valid(u->external_id, LIM_NAME))
		return call_bad(c, E_INVALID, "externalId: up to %d characters",
		    LIM_NAME);
	if (u->name.n > 0 && !name_valid(u->name, LIM_NAME))
		return call_bad(c, E_INVALID,
		    "displayName: up to %d characters", LIM_NAME);
	if (subject.n == 0)
		return call_bad(c, E_MISSING,
		    "externalId: it is the subject of logins here");
	return OK;
}

/* Their address; where none is said, userName is often one. */
static struct str
email_for(struct call *c, const struct scim_user *u, const struct uuid *id)
{
	return account_email(c, u->email.n > 0 ? u->email : u->user_name, id);
}

/* Is userName another account's already? */
static err
name_free(struct call *c, const struct sso *s, struct str name,
    const struct uuid *but)
{
	struct scim_query q = {.by = SCIM_USER_NAME, .value = name};
	const struct identity **hit;
	size_t n;

	TRY(find(c, s, &q, &hit, &n));
	for (size_t k = 0; k < n; k++)
		if (!uuid_eq(&hit[k]->user, but))
			return call_bad(c, E_EXISTS,
			    "userName: an account has it already");
	return OK;
}

err
route_scim_user_create(struct call *c)
{
	struct identity i;
	struct user u = {0};
	struct scim_user in;
	struct sso s;
	char id[UUID_TEXT + 1];

	TRY(scim_provider(c, &s));
	TRY(scim_user_read(c->a, c->body, &c->trail, &in));
	TRY(checked(c, &s, &in));
	TRY(name_free(c, &s, in.user_name, &u.o.id));
	TRY(room_for_principal(c));
	admin_new(c, OBJECT_USER, 0, &u.o);
	u.name = in.name.p == NULL ? STR("") : in.name;
	u.email = email_for(c, &in, &u.o.id);
	u.disabled = !in.active;
	TRY(arena_check(c->a));
	TRY(admin_put(c, &u.o));
	TRY(account_link(c, &s.id, s.issuer, subject_of_user(&s, &in), &u.o.id,
	    in.user_name, &i));
	i.user_name = in.user_name;
	i.external = in.external_id.p == NULL ? STR("") : in.external_id;
	admin_touch(c, &i.o);
	TRY(admin_put(c, &i.o));
	TRY(person_body(c, &u.o.id));
	call_touch(c, "user", &u.o.id);
	uuid_text(&u.o.id, id);
	answer_location(c, "/scim/v2/%.*s/Users/%s", STR_ARG(c->var[0]), id);
	return show(c, 201, &s, &u.o.id);
}

/* The account as a client would say it. */
static struct scim_user
said(const struct identity *i, const struct user *u)
{
	return (struct scim_user){
	    .user_name = name_of(i),
	    .external_id = i->external,
	    .name = u->name,
	    .email = has_email(u) ? u->email : STR(""),
	    .active = !u->disabled,
	};
}

static err
change_identity(struct call *c, const struct sso *s, const struct identity *old,
    const struct scim_user *in)
{
	struct identity i;
	uint8_t key[DIGEST_SIZE];
	const struct identity *has;

	TRY(account_copy(c, old, &i));
	i.user_name = arena_dup(c->a, in->user_name);
	i.external = in->external_id.p == NULL
	    ? STR("")
	    : arena_dup(c->a, in->external_id);
	i.subject = arena_dup(c->a, subject_of_user(s, in));
	TRY(arena_check(c->a));
	TRY(identity_key(&s->id, s->issuer, i.subject, key));
	has = world_identity_key(call_world(c), key);
	if (has != NULL && !uuid_eq(&has->o.id, &i.o.id))
		return call_bad(c, E_EXISTS,
		    "that subject is another account's");
	memcpy(i.key, key, sizeof key);
	admin_touch(c, &i.o);
	return admin_put(c, &i.o);
}

/* What was said is what is: the identity, the user, and the end of a user's
 * sessions when `active` ends.  Tokens of a disabled owner are dead. */
static err
change(struct call *c, const struct sso *s, const struct identity *i,
    const struct scim_user *in)
{
	const struct user *old = world_user(call_world(c), &i->user);
	struct uuid id = i->user;
	struct user u;

	if (old == NULL)
		return err_of(E_NOT_FOUND);
	TRY(call_match(c, old->o.version));
	TRY(checked(c, s, in));
	TRY(name_free(c, s, in->user_name, &id));
	u = *old;
	u.name = in->name.p == NULL ? STR("") : arena_dup(c->a, in->name);
	u.email = email_for(c, in, &id);
	u.disabled = !in->active;
	TRY(arena_check(c->a));
	if (u.disabled)
		TRY(keeps_admin(c, &u.o, OBJECT_USER, NULL));
	TRY(change_identity(c, s, i, in));
	admin_touch(c, &u.o);
	TRY(admin_put(c, &u.o));
	if (u.disabled)
		TRY(drop_sessions(c, &id, NULL));
	TRY(person_body(c, &id));
	return show(c, 200, s, &id);
}

err
route_scim_user_put(struct call *c)
{
	const struct identity *i;
	struct scim_user in;
	struct sso s;

	TRY(scim_provider(c, &s));
	TRY(scim_account(c, &s, &i));
	TRY(scim_user_read(c->a, c->body, &c->trail, &in));
	return change(c, &s, i, &in);
}

err
route_scim_user_patch(struct call *c)
{
	const struct identity *i;
	const struct user *u;
	struct scim_user in;
	struct sso s;

	TRY(scim_provider(c, &s));
	TRY(scim_account(c, &s, &i));
	u = world_user(call_world(c), &i->user);
	if (u == NULL)
		return err_of(E_NOT_FOUND);
	in = said(i, u);
	TRY(scim_user_patch(c->a, c->body, &c->trail, &in));
	return change(c, &s, i, &in);
}

/* Has the user another way in? */
static bool
other_logins(struct call *c, const struct sso *s, const struct uuid *user)
{
	const struct identity *const *i;
	size_t n, credentials;

	(void)world_credentials_of(call_world(c), user, &credentials);
	i = world_identities_of(call_world(c), user, &n);
	for (size_t k = 0; k < n; k++)
		if (!uuid_eq(&i[k]->idp, &s->id))
			return true;
	return credentials > 0;
}

/* Who came by this provider only is gone; others lose this way in. */
err
route_scim_user_delete(struct call *c)
{
	const struct identity *i;
	struct uuid user;
	struct sso s;
	bool stays;

	TRY(scim_provider(c, &s));
	TRY(scim_account(c, &s, &i));
	user = i->user;
	stays = other_logins(c, &s, &user);
	TRY(account_unlink(c, i));
	if (stays) {
		TRY(drop_sessions(c, &user, NULL));
		answer_empty(c, 204);
		return OK;
	}
	return principal_remove(c, &world_user(call_world(c), &user)->o);
}
