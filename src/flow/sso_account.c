/* sso_account.c: see sso_account.h. */
#include "flow/sso_account.h"

#include "auth/identity.h"
#include "base/limits.h"
#include "flow/admin_body.h"
#include "flow/sessions.h"
#include "flow/shape.h"

/* ---- guards ---- */

err
may_become(struct call *c, const struct uuid *user)
{
	struct subject as_user = {1, *user};
	const struct world *w = call_world(c);
	const struct binding *const *b;
	const struct group *const *g;
	size_t n;

	b = world_bindings_of(w, user, &n);
	for (size_t i = 0; i < n; i++) {
		struct permset perms;

		if (b[i]->expires != 0 && b[i]->expires <= c->now)
			continue;
		if (world_role_perms(w, b[i]->role, &perms))
			TRY(access_may_grant(c->actor, perms, b[i]->o.project,
			    c->now, &c->trail));
	}
	g = world_groups_of(w, user, &n);
	for (size_t i = 0; i < n; i++)
		TRY(may_join(c, &g[i]->o.id));
	return may_show(c, &as_user, 1);
}

err
may_become_all_of(struct call *c, const struct uuid *idp)
{
	const struct object *const *o;
	size_t n;

	o = world_objects(call_world(c), OBJECT_IDENTITY, &n);
	for (size_t i = 0; i < n; i++) {
		const struct identity *who = (const struct identity *)o[i];

		if (uuid_eq(&who->idp, idp))
			TRY(may_become(c, &who->user));
	}
	return OK;
}

/* ---- tying ---- */

err
account_link(struct call *c, const struct uuid *idp, struct str issuer,
    struct str subject, const struct uuid *user, struct str label,
    struct identity *ret)
{
	struct identity i = {
	    .idp = *idp,
	    .user = *user,
	    .issuer = arena_dup(c->a, issuer),
	    .subject = arena_dup(c->a, subject),
	    .label = arena_dup(c->a, label),
	};

	TRY(arena_check(c->a));
	TRY(identity_key(idp, issuer, subject, i.key));
	if (world_identity_key(call_world(c), i.key) != NULL)
		return call_bad(c, E_EXISTS,
		    "that identity belongs to a user already");
	TRY(room_for(c, OBJECT_IDENTITY, LIM_IDENTITIES));
	admin_new(c, OBJECT_IDENTITY, 0, &i.o);
	TRY(admin_put(c, &i.o));
	*ret = i;
	return OK;
}

/* Out of the world, to change it. */
err
account_copy(struct call *c, const struct identity *old, struct identity *ret)
{
	struct uuid *g = arena_array(c->a, old->groups_n + 1, sizeof *g);

	*ret = *old;
	ret->issuer = arena_dup(c->a, old->issuer);
	ret->subject = arena_dup(c->a, old->subject);
	ret->label = arena_dup(c->a, old->label);
	ret->user_name = arena_dup(c->a, old->user_name);
	ret->external = arena_dup(c->a, old->external);
	TRY(arena_check(c->a));
	if (old->groups_n > 0)
		memcpy(g, old->groups, old->groups_n * sizeof *g);
	ret->groups = g;
	return OK;
}

err
account_unlink(struct call *c, const struct identity *old)
{
	struct uuids none = {0};
	struct identity i;
	struct follow f;
	size_t n;

	TRY(account_copy(c, old, &i));
	TRY(groups_follow(c, &i, &none, &f));
	TRY(drop_sessions_named(c, &i.idp, i.subject, STR(""), &n));
	return admin_remove(c, OBJECT_IDENTITY, &i.o.id);
}

/* One with a group that is not in keep; NULL when there is none. */
static const struct identity *
untrimmed(struct call *c, const struct uuid *idp, const struct uuids *keep)
{
	const struct object *const *o;
	size_t n;

	o = world_objects(call_world(c), OBJECT_IDENTITY, &n);
	for (size_t i = 0; i < n; i++) {
		const struct identity *who = (const struct identity *)o[i];

		if (!uuid_eq(&who->idp, idp))
			continue;
		for (size_t k = 0; k < who->groups_n; k++)
			if (!uuids_has(keep->id, keep->n, &who->groups[k]))
				return who;
	}
	return NULL;
}

err
account_trim_all(struct call *c, const struct uuid *idp,
    const struct uuids *keep)
{
	const struct identity *old;
	struct identity i;

	TRY(groups_withdraw(c, idp, keep));
	while ((old = untrimmed(c, idp, keep)) != NULL) {
		struct uuid *g = arena_array(c->a, old->groups_n, sizeof *g);
		size_t n = 0;

		TRY(account_copy(c, old, &i));
		TRY(arena_check(c->a));
		for (size_t k = 0; k < i.groups_n; k++)
			if (uuids_has(keep->id, keep->n, &i.groups[k]))
				g[n++] = i.groups[k];
		i.groups = g;
		i.groups_n = n;
		admin_touch(c, &i.o);
		TRY(admin_put(c, &i.o));
	}
	return OK;
}

err
account_unlink_all(struct call *c, const struct uuid *idp)
{
	const struct object *const *o;
	struct uuids none = {0};
	struct uuid *id;
	size_t n, out = 0;

	TRY(groups_withdraw(c, idp, &none));
	TRY(drop_sessions_of_idp(c, idp));
	o = world_objects(call_world(c), OBJECT_IDENTITY, &n);
	id = arena_array(c->a, n + 1, sizeof *id);
	TRY(arena_check(c->a));
	for (size_t i = 0; i < n; i++)
		if (uuid_eq(&((const struct identity *)o[i])->idp, idp))
			id[out++] = o[i]->id;
	return admin_remove_all(c, OBJECT_IDENTITY, id, out);
}

/* ---- making ---- */

struct str
account_email(struct call *c, struct str want, const struct uuid *id)
{
	const struct user *has = world_user_email(call_world(c), want);
	char text[UUID_TEXT + 1];
	struct buf b;

	if (email_valid(want) && (has == NULL || uuid_eq(&has->o.id, id)))
		return arena_dup(c->a, want);
	uuid_text(id, text);
	buf_init_on(&b, c->a, 80);
	buf_c(&b, text);
	buf_c(&b, ACCOUNT_NO_EMAIL);
	return buf_view(&b);
}

static struct str
label_of(const struct sso_who *who)
{
	if (name_valid(who->name, LIM_NAME))
		return who->name;
	if (name_valid(who->email, LIM_NAME))
		return who->email;
	return name_valid(who->subject, LIM_NAME) ? who->subject : STR("");
}

static err
make_user(struct call *c, const struct sso_who *who, struct uuid *ret)
{
	struct user u = {.name = label_of(who)};

	if (!idp_config_flag(&who->sso->config, IDP_C_JIT))
		return sso_refuse(c, E_NO_ACCOUNT, "account.unknown");
	TRY(room_for_principal(c));
	admin_new(c, OBJECT_USER, 0, &u.o);
	u.email = account_email(c, who->email, &u.o.id);
	TRY(arena_check(c->a));
	TRY(admin_put(c, &u.o));
	*ret = u.o.id;
	return OK;
}

/* ---- logging in ---- */

static bool
says(const struct sso_who *who, struct str value)
{
	for (size_t i = 0; i < who->groups_n; i++)
		if (str_eq(who->groups[i], value))
			return true;
	return false;
}

/* Our groups for what the provider says; what is not mapped is nothing. */
static err
wanted(struct call *c, const struct sso_who *who, struct uuids *ret)
{
	const struct json *map = who->sso->config.v[IDP_C_MAP];
	struct uuid g;

	ret->n = 0;
	ret->id = arena_array(c->a, LIM_LIST, sizeof *ret->id);
	TRY(arena_check(c->a));
	for (const struct json *j = json_first(map); j != NULL; j = j->next) {
		g = idp_map_group(j);
		if (ret->n < LIM_LIST && says(who, idp_map_value(j)) &&
		    !uuids_has(ret->id, ret->n, &g) &&
		    world_group(call_world(c), &g) != NULL)
			ret->id[ret->n++] = g;
	}
	return OK;
}

static void
list_json(struct jw *w, const char *name, const struct uuids *ids)
{
	char text[UUID_TEXT + 1];

	jw_name(w, str_c(name));
	jw_arr(w);
	for (size_t i = 0; i < ids->n; i++) {
		uuid_text(&ids->id[i], text);
		jw_str(w, str_of(text, UUID_TEXT));
	}
	jw_arr_end(w);
}

static bool
same_list(const struct identity *i, const struct uuids *given)
{
	return i->groups_n == given->n &&
	    (given->n == 0 ||
		memcmp(i->groups, given->id, given->n * sizeof *given->id) ==
		    0);
}

/* Do its logins say groups?  If not, others may (SCIM), and stay. */
static bool
says_groups(const struct sso *s)
{
	return idp_config_text(&s->config,
		   s->config.kind == IDP_SAML ? IDP_C_GROUPS_ATTR
					      : IDP_C_GROUPS_CLAIM)
		   .n > 0;
}

/* Memberships and the identity as this login has them. */
static err
follow(struct call *c, const struct sso_who *who, struct identity *i,
    struct jw *record)
{
	struct str label = label_of(who);
	struct uuids want;
	struct follow f;

	if (says_groups(who->sso))
		TRY(wanted(c, who, &want));
	else
		want = (struct uuids){(struct uuid *)(uintptr_t)i->groups,
		    i->groups_n};
	TRY(groups_follow(c, i, &want, &f));
	list_json(record, "joined", &f.joined);
	list_json(record, "left", &f.left);
	if (same_list(i, &f.given) && str_eq(i->label, label))
		return OK;
	i->groups = f.given.id;
	i->groups_n = f.given.n;
	i->label = label;
	admin_touch(c, &i->o);
	return admin_put(c, &i->o);
}

err
account_of(struct call *c, const struct sso_who *who, struct jw *record,
    struct uuid *ret_user)
{
	const struct sso *s = who->sso;
	const struct identity *old;
	const struct user *u;
	uint8_t key[DIGEST_SIZE];
	struct identity i;

	TRY(identity_key(&s->id, s->issuer, who->subject, key));
	old = world_identity_key(call_world(c), key);
	jw_kbool(record, "created", old == NULL);
	if (old == NULL) {
		TRY(make_user(c, who, ret_user));
		TRY(account_link(c, &s->id, s->issuer, who->subject, ret_user,
		    label_of(who), &i));
	} else {
		TRY(account_copy(c, old, &i));
		*ret_user = i.user;
	}
	call_touch(c, "user", ret_user);
	u = world_user(call_world(c), ret_user);
	if (u == NULL || u->disabled)
		return sso_refuse(c, E_ACCOUNT_DISABLED, "account.disabled");
	return follow(c, who, &i, record);
}
