/*
 * admin_identities.c: /v1/users/{n}/identities: which accounts at providers
 * are this user.  Nothing links by e-mail: an administrator does, here, or
 * the first login makes a user of its own.
 */
#include "base/limits.h"
#include "flow/admin_body.h"
#include "flow/handlers.h"
#include "flow/sso_account.h"

static void
render(struct call *c, struct jw *w, const struct object *o)
{
	const struct identity *i = (const struct identity *)o;

	(void)c;
	jw_obj(w);
	jw_uuid(w, "id", &o->id);
	jw_uuid(w, "identity_provider", &i->idp);
	jw_kstr(w, "issuer", i->issuer);
	jw_kstr(w, "subject", i->subject);
	jw_kstr(w, "label", i->label);
	jw_karr(w, "groups");
	for (size_t k = 0; k < i->groups_n; k++) {
		char text[UUID_TEXT + 1];

		uuid_text(&i->groups[k], text);
		jw_str(w, str_of(text, UUID_TEXT));
	}
	jw_arr_end(w);
	times_json(w, o);
	jw_obj_end(w);
}

static err
find_user(struct call *c, struct uuid *ret)
{
	TRY(call_uuid(c, 0, ret));
	if (world_user(call_world(c), ret) == NULL)
		return err_of(E_NOT_FOUND);
	call_touch(c, "user", ret);
	return OK;
}

static bool
of_user(struct call *c, const struct object *o)
{
	const struct uuid *user = c->prepared;

	return uuid_eq(&((const struct identity *)o)->user, user);
}

err
route_identity_list(struct call *c)
{
	struct uuid user;
	err e;

	TRY(find_user(c, &user));
	c->prepared = &user;
	e = list_objects(c, OBJECT_IDENTITY, of_user, render);
	c->prepared = NULL;
	return e;
}

err
route_identity_create(struct call *c)
{
	char text[UUID_TEXT + 1], text2[UUID_TEXT + 1];
	struct uuid user, idp;
	const struct idp *p;
	struct identity i;
	struct sso s;

	TRY(find_user(c, &user));
	if (!uuid_parse(body_text(c, "identity_provider", STR("")), &idp))
		return err_of(E_INVALID);
	p = world_idp(call_world(c), &idp);
	if (p == NULL)
		return call_bad(c, E_INVALID,
		    "identity_provider: there is no such provider");
	TRY(sso_open(c, p, &s));
	TRY(may_become(c, &user));
	TRY(account_link(c, &idp, s.issuer, body_text(c, "subject", STR("")),
	    &user, body_text(c, "label", STR("")), &i));
	c->rec.body = c->req->body;
	call_touch(c, "identity_provider", &idp);
	call_touch(c, "identity", &i.o.id);
	uuid_text(&user, text);
	uuid_text(&i.o.id, text2);
	answer_location(c, "/v1/users/%s/identities/%s", text, text2);
	return answer_object(c, 201, &i.o, render);
}

err
route_identity_delete(struct call *c)
{
	const struct identity *i;
	struct uuid user, id;

	TRY(find_user(c, &user));
	TRY(call_uuid(c, 1, &id));
	i = world_identity(call_world(c), &id);
	if (i == NULL || !uuid_eq(&i->user, &user))
		return err_of(E_NOT_FOUND);
	call_touch(c, "identity", &id);
	TRY(call_match(c, i->o.version));
	TRY(account_unlink(c, i));
	answer_empty(c, 204);
	return OK;
}
