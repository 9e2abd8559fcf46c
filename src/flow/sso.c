/* sso.c: see sso.h. */
#include "flow/sso.h"

#include "auth/throttle.h"
#include "base/limits.h"
#include "base/text.h"
#include "flow/browser.h"
#include "flow/sessions.h"
#include "flow/shape.h"
#include "flow/sso_account.h"
#include "ipc/idp.h"

/* ---- providers ---- */

bool
sso_name_in_url(struct str name)
{
	return name.n <= IDP_NAME && slug_valid(name);
}

static struct str
url_of(struct call *c, const char *before, const struct uuid *id,
    struct str name, enum idp_kind kind, const char *under)
{
	char text[UUID_TEXT + 1];
	struct buf b;

	buf_init_on(&b, c->a, 512);
	buf_c(&b, before);
	buf_c(&b, kind == IDP_SAML ? "/auth/saml/" : "/auth/oidc/");
	uuid_text(id, text);
	buf_str(&b, sso_name_in_url(name) ? name : str_of(text, UUID_TEXT));
	buf_c(&b, under);
	return buf_view(&b);
}

struct str
sso_url(struct call *c, const struct idp *i, const char *under)
{
	enum idp_kind kind;

	if (!idp_kind_parse(i->kind, &kind))
		return STR("");
	return url_of(c, c->lane->state->public_url, &i->o.id, i->name, kind,
	    under);
}

struct str
sso_login_path(struct call *c, const struct idp *i)
{
	enum idp_kind kind;

	if (!idp_kind_parse(i->kind, &kind) || kind == IDP_OAUTH)
		return STR_NONE;
	return url_of(c, "", &i->o.id, i->name, kind, "/login");
}

struct str
sso_own_url(struct call *c, const struct sso *s, const char *under)
{
	return url_of(c, c->lane->state->public_url, &s->id, s->name,
	    s->config.kind, under);
}

err
sso_open(struct call *c, const struct idp *i, struct sso *ret)
{
	struct str text = arena_dup(c->a, i->config);

	*ret = (struct sso){
	    .id = i->o.id,
	    .version = i->o.version,
	    .name = arena_dup(c->a, i->name),
	};
	TRY(arena_check(c->a));
	TRY(idp_config_open(c->a, i->kind, text, &ret->config));
	ret->issuer = idp_config_text(&ret->config,
	    ret->config.kind == IDP_SAML ? IDP_C_ENTITY : IDP_C_ISSUER);
	return OK;
}

/* Where answers come from that were refused, the next has to wait: reading one
 * costs a process, or a request to the provider. */
static err
refused_often(struct call *c)
{
	int64_t wait = 0;
	err e = throttle_look(c->lane->state->throttle, THROTTLED_LOGINS,
	    c->address, STR(""), c->now, &wait);

	if (err_ok(e))
		return OK;
	c->retry_after = (unsigned)((wait + 999) / 1000);
	if (c->route->audit == AUDIT_NONE)
		return e; /* only asked where to go */
	return sso_refuse(c, E_RATE, "throttled");
}

err
sso_find(struct call *c, bool saml, struct sso **ret)
{
	const struct idp *i = NULL;
	struct sso *s = ARENA_NEW(c->a, struct sso);
	struct uuid id;

	TRY(arena_check(c->a));
	TRY(refused_often(c));
	if (uuid_parse(c->var[0], &id))
		i = world_idp(call_world(c), &id);
	if (i == NULL)
		i = world_idp_name(call_world(c), c->var[0]);
	if (i == NULL || i->disabled || str_is(i->kind, "oauth") ||
	    str_is(i->kind, "saml") != saml)
		return err_of(E_NOT_FOUND);
	TRY(sso_open(c, i, s));
	call_touch(c, "identity_provider", &s->id);
	*ret = s;
	return OK;
}

/* ---- refusing ---- */

err
sso_refuse(struct call *c, enum err_code code, const char *why)
{
	int64_t wait;

	c->rec.action = c->route->audit;
	c->rec.outcome = AUDIT_DENIED;
	c->rec.reason = str_c(why);
	c->rec.skip = false;
	if (code == E_AUTH_FAILED)
		err_ignore(throttle_bad(c->lane->state->throttle,
			       THROTTLED_LOGINS, c->address, STR(""), c->now,
			       &wait),
		    "counted, as the answer is no either way");
	return err_of(code);
}

/* ---- beginning ---- */

err
sso_begin(struct call *c, const struct sso *s, struct txn *ret)
{
	struct str next = c->query.raw[PARAM_NEXT];
	struct str again = c->query.raw[PARAM_REAUTH];

	if (again.p != NULL && !str_is(again, "1"))
		return call_bad(c, E_INVALID, "reauth: 1");
	return txn_begin(c, &s->id, next_or_root(next), again.p != NULL, ret);
}

/* ---- entering ---- */

/* Once: the answer, and the request it answers. */
static err
only_once(struct call *c, const struct sso_who *who)
{
	uint8_t hash[SEEN_SIZE];
	err e;

	e = store_seen_add(c->lane->conn, who->once, who->once_hash,
	    who->once_until);
	if (err_is(e, E_EXISTS))
		return sso_refuse(c, E_AUTH_FAILED, "answer.replay");
	TRY(e);
	c->dirty = true;
	if (!who->asked)
		return OK;
	TRY(txn_hash(&who->txn, hash));
	e = store_seen_add(c->lane->conn, SEEN_LOGIN, hash, who->txn.expires);
	if (err_is(e, E_EXISTS))
		return sso_refuse(c, E_AUTH_FAILED, "txn.used");
	return e;
}

/* What was checked was checked by the provider as it was then. */
static err
still_so(struct call *c, const struct sso *s)
{
	const struct idp *i = world_idp(call_world(c), &s->id);

	if (i == NULL || i->disabled || i->o.version != s->version)
		return sso_refuse(c, E_AUTH_FAILED, "provider.changed");
	return OK;
}

/* The login that this one confirms is over with it. */
static err
end_old(struct call *c, const struct sso_who *who, const struct uuid *user)
{
	const struct session *old =
	    world_session(call_world(c), &who->txn.session);
	struct uuid id = who->txn.session;

	if (!who->asked || old == NULL || !uuid_eq(&old->user, user))
		return OK;
	call_touch(c, "ended_session", &id);
	return admin_remove(c, OBJECT_SESSION, &id);
}

static err
begin_session(struct call *c, const struct sso_who *who,
    const struct uuid *user)
{
	struct login l = {
	    .user = *user,
	    .idp = who->sso->id,
	    .method = str_c(who->method),
	    .auth_time = who->auth_time,
	    .expires = who->expires,
	    .idp_session = who->idp_session,
	    .name_id = who->subject,
	};
	err e;

	TRY(end_old(c, who, user));
	e = session_begin(c, &l);
	if (err_is(e, E_UNAUTHENTICATED)) /* its reason is on record */
		return err_of(E_AUTH_FAILED);
	return e;
}

err
sso_enter(struct call *c)
{
	const struct sso_who *who = c->prepared;
	struct uuid user;
	struct buf body;
	struct jw w;

	call_touch(c, "identity_provider", &who->sso->id);
	TRY(still_so(c, who->sso));
	TRY(only_once(c, who));
	buf_init_on(&body, c->a, 65536);
	jw_init(&w, &body);
	jw_obj(&w);
	jw_kstr(&w, "identity_provider", who->sso->name);
	jw_kstr(&w, "issuer", who->sso->issuer);
	jw_kstr(&w, "subject", who->subject);
	TRY(account_of(c, who, &w, &user));
	jw_obj_end(&w);
	TRY(buf_check(&body));
	TRY(begin_session(c, who, &user));
	c->rec.body = buf_view(&body);
	answer_redirect(c, who->asked ? who->txn.next : STR("/"));
	if (who->asked)
		txn_forget(c, &who->txn);
	return OK;
}
