/* login.c: see login.h. */
#include "flow/login.h"

#include "auth/password.h"
#include "auth/session.h"
#include "auth/throttle.h"
#include "base/rand.h"
#include "flow/credentials.h"
#include "flow/factor.h"
#include "flow/handlers.h"
#include "flow/sessions.h"
#include "flow/sso.h"

/* What the first half leaves to the second. */
struct known {
	struct uuid user, credential;
	uint32_t version;  /* of the credential that was checked */
	struct str hashed; /* its data anew, when parameters have risen */
};

/* ---- refusing ---- */

static err
refuse(struct call *c, const struct user *u, const char *why)
{
	c->rec.outcome = AUDIT_DENIED;
	c->rec.reason = str_c(why);
	c->rec.skip = false;
	if (u != NULL)
		call_touch(c, "user", &u->o.id);
	return err_of(E_UNAUTHENTICATED);
}

err
login_throttled(struct call *c, struct str account)
{
	int64_t wait = 0;
	err e = throttle_begin(c->lane->state->throttle, account, c->address,
	    c->now, &wait);

	if (err_ok(e))
		return OK;
	c->rec.outcome = AUDIT_DENIED;
	c->rec.reason = STR("throttled");
	c->retry_after = (unsigned)((wait + 999) / 1000);
	return e;
}

/* Does the policy let the user log in here at all? */
static const char *
kept_out(struct call *c, const struct user *u)
{
	const struct policy *p = world_policy(call_world(c));

	if (u->disabled)
		return "owner";
	if (!p->local_login || (p->sso_only && !u->break_glass))
		return "local_login";
	return NULL;
}

/* ---- the first half ---- */

/* The new hash of a password that was right, with what is asked for today. */
static err
hash_again(struct call *c, struct str password, struct known *k)
{
	uint8_t salt[PASSWORD_SALT];
	const struct data_key *pepper;
	struct cred_password p;
	char phc[PASSWORD_PHC];

	TRY(call_token_key(c, &pepper, &p.key));
	rand_bytes(salt, sizeof salt);
	TRY(password_hash(pepper, password, salt, phc));
	p.phc = str_c(phc);
	k->hashed = cred_password_data(c->a, &p);
	return arena_check(c->a);
}

/* Nobody's password is checked, too: whether there is somebody shows in what
 * is on record only. */
static err
check_password(struct call *c, const struct user *u,
    const struct credential *old, struct known *k)
{
	struct str password = json_str_at(c->body, STR("password"));
	struct cred_password p = {.phc = STR("")};
	const struct data_key *pepper;
	const char *why;
	err e;

	TRY(call_token_key(c, &pepper, &p.key));
	if (old != NULL) {
		TRY(cred_password_of(c->a, old, &p));
		TRY(factor_key(c, p.key, &pepper));
	}
	e = password_check(pepper, password, p.phc);
	if (!err_ok(e) && !err_is(e, E_UNAUTHENTICATED))
		return e;
	if (u == NULL)
		return refuse(c, NULL, "unknown");
	if (old == NULL)
		return refuse(c, u, "no_password");
	if (!err_ok(e))
		return refuse(c, u, "wrong_password");
	why = kept_out(c, u);
	if (why != NULL)
		return refuse(c, u, why);
	return password_outdated(p.phc) ? hash_again(c, password, k) : OK;
}

static err
first_half(struct call *c)
{
	struct str email = body_text(c, "email", STR(""));
	const struct credential *old = NULL;
	struct known *k = ARENA_NEW(c->a, struct known);
	const struct user *u;

	TRY(arena_check(c->a));
	TRY(login_throttled(c, email));
	u = world_user_email(call_world(c), email);
	if (u != NULL)
		old =
		    credential_of(call_world(c), &u->o.id, CREDENTIAL_PASSWORD);
	TRY(check_password(c, u, old, k));
	k->user = u->o.id;
	k->credential = old->o.id;
	k->version = old->o.version;
	c->prepared = k;
	return OK;
}

/* ---- the second half ---- */

/* Is what the first half saw still so? */
static err
still(struct call *c, const struct known *k, const struct user **ret)
{
	const struct user *u = world_user(call_world(c), &k->user);
	const struct credential *old =
	    world_credential(call_world(c), &k->credential);
	const char *why;

	if (u == NULL || old == NULL || old->o.version != k->version)
		return refuse(c, u, "changed");
	why = kept_out(c, u);
	if (why != NULL)
		return refuse(c, u, why);
	*ret = u;
	return OK;
}

static err
keep_hash(struct call *c, const struct known *k)
{
	const struct credential *old =
	    world_credential(call_world(c), &k->credential);
	struct credential new;

	if (k->hashed.n == 0 || old == NULL)
		return OK;
	new = *old;
	new.data = k->hashed;
	return credential_put(c, &new);
}

static err
answer_login(struct call *c, const struct uuid *id)
{
	const struct user *u = world_user(call_world(c), id);
	char csrf[SESSION_TEXT + 1];
	const struct data_key *mac;
	struct jw *w = answer(c, 200);
	uint32_t key;

	TRY(call_token_key(c, &mac, &key));
	TRY(session_csrf(mac, c->actor->session, csrf));
	jw_obj(w);
	jw_kobj(w, "user");
	jw_uuid(w, "id", id);
	jw_kstr(w, "email", u->email);
	jw_kstr(w, "name", u->name);
	jw_obj_end(w);
	jw_name(w, STR("session"));
	session_json(c, w, c->actor->session);
	jw_kstr(w, "csrf", str_of(csrf, SESSION_TEXT));
	jw_obj_end(w);
	return buf_check(&c->out);
}

/*
 * The throttle forgets before the commit: should that fail, whoever knows the
 * password and the code has a few attempts more.
 */
err
route_login(struct call *c)
{
	const struct known *k = c->prepared;
	const char *why = NULL;
	struct login l = {0};
	const struct user *u;
	struct str email;
	err e;

	if (c->slow)
		return first_half(c);
	TRY(still(c, k, &u));
	l.user = k->user;
	email = arena_dup(c->a, u->email);
	e = factor_check(c, &l.user, &l.method, &why);
	if (err_is(e, E_UNAUTHENTICATED))
		return refuse(c, world_user(call_world(c), &l.user), why);
	TRY(e);
	TRY(keep_hash(c, k));
	call_touch(c, "user", &l.user);
	TRY(session_begin(c, &l));
	throttle_good(c->lane->state->throttle, email);
	return answer_login(c, &l.user);
}

/*
 * For who has a security key: what it is to sign, after the password, since
 * the list of keys says that there is somebody.  The login itself comes with
 * password and signature.
 */
err
route_login_challenge(struct call *c)
{
	const struct known *k = c->prepared;
	struct factors f;
	struct webauthn_ask ask;
	const struct user *u;
	struct jw *w;

	if (c->slow)
		return first_half(c);
	TRY(still(c, k, &u));
	TRY(factors_of(c, &k->user, &f));
	if (!f.webauthn)
		return refuse(c, u, "no_security_key");
	factor_ask(c, &ask);
	call_touch(c, "user", &k->user);
	w = answer(c, 200);
	jw_obj(w);
	jw_kstr(w, "rpId", ask.rp_id);
	TRY(webauthn_challenge(c, w, CHALLENGE_LOGIN, &k->user));
	TRY(webauthn_known(c, w, "allowCredentials", &k->user));
	jw_kstr(w, "userVerification", STR("preferred"));
	jw_obj_end(w);
	return buf_check(&c->out);
}

/* ---- what a login page offers ---- */

/* Anybody may ask, so it says what one who tried would find out: whether
 * passwords are asked for, and the names of providers. */
err
route_auth_methods(struct call *c)
{
	const struct policy *p = world_policy(call_world(c));
	const struct object *const *o;
	struct jw *w = answer(c, 200);
	size_t n;

	jw_obj(w);
	jw_kbool(w, "password", p->local_login && !p->sso_only);
	jw_kbool(w, "passkeys", p->local_login && !p->sso_only);
	jw_kbool(w, "break_glass", p->local_login && p->sso_only);
	jw_karr(w, "providers");
	o = world_objects(call_world(c), OBJECT_IDP, &n);
	for (size_t k = 0; k < n; k++) {
		const struct idp *i = (const struct idp *)o[k];
		struct str path = sso_login_path(c, i);

		if (i->disabled || path.n == 0)
			continue;
		jw_obj(w);
		jw_uuid(w, "id", &i->o.id);
		jw_kstr(w, "kind", i->kind);
		jw_kstr(w, "name", i->name);
		jw_kstr(w, "login", path);
		jw_obj_end(w);
	}
	jw_arr_end(w);
	jw_name(w, STR("notice"));
	jw_null(w);
	jw_obj_end(w);
	return buf_check(&c->out);
}
