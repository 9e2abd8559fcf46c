/*
 * admin_identities.c: /v1/users/{n}/identities and those of service accounts:
 * which accounts at providers are this user, whose access tokens this program
 * brings.  Nothing links by e-mail: an administrator does, here, or
 * the first login makes a user of its own.
 */
#include "base/limits.h"
#include "flow/admin_body.h"
#include "flow/handlers.h"
#include "flow/person.h"
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

/* A user, or a service account, which only access tokens speak for. */
static err
find_owner(struct call *c, bool program, struct uuid *ret)
{
	const struct world *w = call_world(c);

	TRY(call_uuid(c, 0, ret));
	if (program ? world_service_account(w, ret) == NULL
		    : world_user(w, ret) == NULL)
		return err_of(E_NOT_FOUND);
	call_touch(c, program ? "service_account" : "user", ret);
	return OK;
}

static bool
of_owner(struct call *c, const struct object *o)
{
	const struct uuid *owner = c->prepared;

	return uuid_eq(&((const struct identity *)o)->user, owner);
}

static err
list(struct call *c, bool program)
{
	struct uuid owner;
	err e;

	TRY(find_owner(c, program, &owner));
	c->prepared = &owner;
	e = list_objects(c, OBJECT_IDENTITY, of_owner, render);
	c->prepared = NULL;
	return e;
}

static err
find_provider(struct call *c, bool program, struct sso *ret)
{
	const struct idp *p = NULL;
	struct uuid idp;

	if (uuid_parse(body_text(c, "identity_provider", STR("")), &idp))
		p = world_idp(call_world(c), &idp);
	if (p == NULL)
		return call_bad(c, E_INVALID,
		    "identity_provider: there is no such provider");
	if (program && !str_is(p->kind, "oauth"))
		return call_bad(c, E_INVALID,
		    "identity_provider: programs do not log in there");
	return sso_open(c, p, ret);
}

static err
create(struct call *c, bool program)
{
	char text[UUID_TEXT + 1], text2[UUID_TEXT + 1];
	struct uuid owner;
	struct identity i;
	struct sso s;

	TRY(find_owner(c, program, &owner));
	TRY(find_provider(c, program, &s));
	TRY(may_become(c, &owner));
	TRY(account_link(c, &s.id, s.issuer, body_text(c, "subject", STR("")),
	    &owner, body_text(c, "label", STR("")), &i));
	TRY(person_body(c, &owner));
	call_touch(c, "identity_provider", &s.id);
	call_touch(c, "identity", &i.o.id);
	uuid_text(&owner, text);
	uuid_text(&i.o.id, text2);
	answer_location(c, "/v1/%s/%s/identities/%s",
	    program ? "service-accounts" : "users", text, text2);
	return answer_object(c, 201, &i.o, render);
}

static err
unlink_one(struct call *c, bool program)
{
	const struct identity *i;
	struct uuid owner, id;

	TRY(find_owner(c, program, &owner));
	TRY(call_uuid(c, 1, &id));
	i = world_identity(call_world(c), &id);
	if (i == NULL || !uuid_eq(&i->user, &owner))
		return err_of(E_NOT_FOUND);
	call_touch(c, "identity", &id);
	TRY(call_match(c, i->o.version));
	TRY(account_unlink(c, i));
	answer_empty(c, 204);
	return OK;
}

err
route_identity_list(struct call *c)
{
	return list(c, false);
}

err
route_identity_create(struct call *c)
{
	return create(c, false);
}

err
route_identity_delete(struct call *c)
{
	return unlink_one(c, false);
}

err
route_sa_identity_list(struct call *c)
{
	return list(c, true);
}

err
route_sa_identity_create(struct call *c)
{
	return create(c, true);
}

err
route_sa_identity_delete(struct call *c)
{
	return unlink_one(c, true);
}
