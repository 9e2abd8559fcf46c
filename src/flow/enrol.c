/*
 * enrol.c: how one will log in: a password, an authenticator app, security
 * keys, recovery codes.  Everything here is about the caller and needs
 * may_enrol; what is made ends the caller's other sessions.
 */
#include "auth/password.h"
#include "auth/throttle.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/text.h"
#include "flow/credentials.h"
#include "flow/factor.h"
#include "flow/handlers.h"
#include "flow/login.h"

static err
answer_credential(struct call *c, int status, const struct credential *k)
{
	struct jw *w = answer(c, status);

	jw_obj(w);
	credential_json(c, w, &k->o);
	jw_obj_end(w);
	return buf_check(&c->out);
}

/* ---- the password ---- */

enum { WORDS = 64 };

/* Names that a password must not be made of: the person's, and those of the
 * organization's projects. */
static size_t
words_of(struct call *c, struct str ret[WORDS])
{
	const struct user *u = world_user(call_world(c), &c->actor->id);
	const struct object *const *o;
	size_t n = 0, projects;
	struct str local, domain, name, rest;

	if (u == NULL)
		return 0;
	(void)str_cut(u->email, '@', &local, &domain);
	ret[n++] = local;
	while (domain.n > 0 && n < WORDS / 4)
		(void)str_cut(domain, '.', &ret[n++], &domain);
	name = u->name;
	while (name.n > 0 && n < WORDS / 2) {
		(void)str_cut(name, ' ', &rest, &name);
		ret[n++] = rest;
	}
	o = world_objects(call_world(c), OBJECT_PROJECT, &projects);
	for (size_t i = 0; i < projects && n < WORDS - 1; i++) {
		const struct project *p = (const struct project *)o[i];

		ret[n++] = p->slug;
		ret[n++] = p->name;
	}
	return n;
}

/* With a session one must know the password that is to be replaced. */
static err
knows_current(struct call *c, const struct credential *old)
{
	struct throttle *t = c->lane->state->throttle;
	struct str current = json_str_at(c->body, STR("current"));
	const struct user *u = world_user(call_world(c), &c->actor->id);
	const struct data_key *pepper;
	struct cred_password p;
	err e;

	if (old == NULL || u == NULL ||
	    (c->actor->session == NULL && current.p == NULL))
		return OK;
	if (current.p == NULL)
		return call_bad(c, E_MISSING, "current is required");
	TRY(login_throttled(c, u->email));
	TRY(cred_password_of(c->a, old, &p));
	TRY(factor_key(c, p.key, &pepper));
	e = password_check(pepper, current, p.phc);
	if (err_is(e, E_UNAUTHENTICATED)) {
		c->rec.outcome = AUDIT_DENIED;
		c->rec.reason = STR("wrong_password");
		return call_bad(c, E_FORBIDDEN, "current: not your password");
	}
	TRY(e);
	throttle_good(t, u->email);
	return OK;
}

/* The first half: what takes long.  Nothing of it is secret any more. */
static err
password_made(struct call *c)
{
	struct str words[WORDS], new = json_str_at(c->body, STR("new"));
	const struct credential *old =
	    credential_of(call_world(c), &c->actor->id, CREDENTIAL_PASSWORD);
	uint8_t salt[PASSWORD_SALT];
	const struct data_key *pepper;
	struct cred_password p;
	char phc[PASSWORD_PHC];
	struct str *data;

	TRY(may_enrol(c));
	TRY(password_fits(new, words, words_of(c, words), &c->trail));
	TRY(knows_current(c, old));
	TRY(call_token_key(c, &pepper, &p.key));
	rand_bytes(salt, sizeof salt);
	TRY(password_hash(pepper, new, salt, phc));
	p.phc = str_c(phc);
	data = ARENA_NEW(c->a, struct str);
	TRY(arena_check(c->a));
	*data = cred_password_data(c->a, &p);
	c->prepared = data;
	return arena_check(c->a);
}

err
route_password_set(struct call *c)
{
	const struct credential *old;
	struct credential k;

	if (c->slow)
		return password_made(c);
	TRY(may_enrol(c));
	old = credential_of(call_world(c), &c->actor->id, CREDENTIAL_PASSWORD);
	if (old == NULL)
		TRY(credential_new(c, CREDENTIAL_PASSWORD, STR("password"),
		    &k));
	else
		k = *old;
	k.data = *(const struct str *)c->prepared;
	TRY(credential_put(c, &k));
	TRY(credential_changed(c, &k));
	return answer_credential(c, 200, &k);
}

/* ---- an authenticator app ---- */

/* The caller's that waits for its first code, or that has had it. */
static err
totp_find(struct call *c, bool confirmed, const struct credential **ret,
    struct cred_totp *ret_totp)
{
	const struct credential *const *k;
	size_t n;

	*ret = NULL;
	k = world_credentials_of(call_world(c), &c->actor->id, &n);
	for (size_t i = 0; i < n && *ret == NULL; i++) {
		if (k[i]->kind != CREDENTIAL_TOTP)
			continue;
		TRY(cred_totp_of(c->a, k[i], ret_totp));
		if (ret_totp->confirmed == confirmed)
			*ret = k[i];
	}
	return OK;
}

/* Shown this once; a repeated request gets null in their place. */
static err
answer_seed(struct call *c, const struct credential *k,
    const struct cred_totp *t)
{
	const struct user *u = world_user(call_world(c), &c->actor->id);
	struct jw *w = answer(c, 201);
	struct buf b, uri;

	buf_init_on(&b, c->a, TOTP_SEED_TEXT);
	base32_add(&b, str_of((const char *)t->seed, TOTP_SEED));
	buf_init_on(&uri, c->a, 2048);
	totp_uri(&uri, STR("Redoubt"), u->email, t->seed);
	TRY(buf_check(&uri));
	jw_obj(w);
	credential_json(c, w, &k->o);
	jw_name(w, STR("secret"));
	c->secret_from = c->out.n;
	jw_str(w, buf_view(&b));
	jw_kstr(w, "otpauth", buf_view(&uri));
	c->secret_to = c->out.n;
	jw_obj_end(w);
	return buf_check(&c->out);
}

err
route_totp_start(struct call *c)
{
	const struct credential *old;
	struct cred_totp t = {.last = 0}, was;
	struct credential k;

	TRY(may_enrol(c));
	if (world_user(call_world(c), &c->actor->id) == NULL)
		return err_of(E_NOT_FOUND);
	TRY(totp_find(c, false, &old, &was));
	if (old == NULL)
		TRY(credential_new(c, CREDENTIAL_TOTP,
		    body_text(c, "name", STR("authenticator app")), &k));
	else
		k = *old;
	k.name = body_text(c, "name", k.name);
	rand_bytes(t.seed, sizeof t.seed);
	k.data = cred_totp_data(c->a, &t);
	TRY(credential_put(c, &k));
	call_touch(c, "credential", &k.o.id);
	return answer_seed(c, &k, &t);
}

/* Its first code: from here on it is asked for, and the one before is not. */
err
route_totp_confirm(struct call *c)
{
	const struct credential *old, *before;
	struct cred_totp t, was;
	struct credential k;
	struct uuid gone = {{0}};
	err e;

	TRY(may_enrol(c));
	TRY(totp_find(c, false, &old, &t));
	if (old == NULL)
		return call_bad(c, E_CONFLICT,
		    "no authenticator app waits for its first code");
	TRY(totp_find(c, true, &before, &was));
	if (before != NULL)
		gone = before->o.id;
	e = totp_check(t.seed, t.last, c->now, body_text(c, "code", STR("")),
	    &t.last);
	if (err_is(e, E_UNAUTHENTICATED))
		return call_bad(c, E_INVALID,
		    "code: not the one of now; is the clock right?");
	TRY(e);
	t.confirmed = true;
	k = *old;
	k.data = cred_totp_data(c->a, &t);
	TRY(credential_put(c, &k));
	if (before != NULL)
		TRY(admin_remove(c, OBJECT_CREDENTIAL, &gone));
	TRY(credential_changed(c, &k));
	return answer_credential(c, 200, &k);
}

/* ---- recovery codes ---- */

static err
codes_make(struct call *c, struct cred_recovery *r,
    char text[RECOVERY_CODES][RECOVERY_TEXT + 1])
{
	uint8_t code[RECOVERY_BYTES];
	const struct data_key *mac;

	TRY(call_token_key(c, &mac, &r->key));
	for (r->n = 0; r->n < RECOVERY_CODES; r->n++) {
		rand_bytes(code, sizeof code);
		recovery_text(code, text[r->n]);
		TRY(recovery_hash(mac, &c->actor->id, code, r->hash[r->n]));
	}
	mem_wipe(code, sizeof code);
	return OK;
}

static err
answer_codes(struct call *c, const struct credential *k,
    char text[RECOVERY_CODES][RECOVERY_TEXT + 1])
{
	struct jw *w = answer(c, 201);

	jw_obj(w);
	credential_json(c, w, &k->o);
	jw_name(w, STR("codes"));
	c->secret_from = c->out.n;
	jw_arr(w);
	for (size_t i = 0; i < RECOVERY_CODES; i++)
		jw_str(w, str_of(text[i], RECOVERY_TEXT));
	jw_arr_end(w);
	c->secret_to = c->out.n;
	jw_obj_end(w);
	return buf_check(&c->out);
}

/* New ones replace those that were left. */
err
route_recovery_codes(struct call *c)
{
	char text[RECOVERY_CODES][RECOVERY_TEXT + 1];
	const struct credential *old;
	struct cred_recovery r;
	struct credential k;
	err e;

	TRY(may_enrol(c));
	old = credential_of(call_world(c), &c->actor->id, CREDENTIAL_RECOVERY);
	if (old == NULL)
		TRY(credential_new(c, CREDENTIAL_RECOVERY,
		    STR("recovery codes"), &k));
	else
		k = *old;
	TRY(codes_make(c, &r, text));
	k.data = cred_recovery_data(c->a, &r);
	TRY(credential_put(c, &k));
	TRY(credential_changed(c, &k));
	e = answer_codes(c, &k, text);
	mem_wipe(text, sizeof text);
	return e;
}

/* ---- security keys ---- */

static void
b64_member(struct call *c, struct jw *w, const char *name, struct str s)
{
	struct buf b;

	buf_init_on(&b, c->a, 2048);
	b64url_add(&b, s);
	jw_name(w, str_c(name));
	jw_str(w, buf_view(&b));
}

err
webauthn_known(struct call *c, struct jw *w, const char *name,
    const struct uuid *user)
{
	const struct credential *const *k;
	struct webauthn_key key;
	size_t n;

	k = world_credentials_of(call_world(c), user, &n);
	jw_name(w, str_c(name));
	jw_arr(w);
	for (size_t i = 0; i < n; i++) {
		if (k[i]->kind != CREDENTIAL_WEBAUTHN)
			continue;
		TRY(cred_webauthn_of(c->a, k[i], &key));
		jw_obj(w);
		jw_kstr(w, "type", STR("public-key"));
		b64_member(c, w, "id", key.id);
		jw_obj_end(w);
	}
	jw_arr_end(w);
	return OK;
}

err
webauthn_challenge(struct call *c, struct jw *w, enum challenge_for what,
    const struct uuid *user)
{
	uint8_t challenge[WEBAUTHN_CHALLENGE_SIZE];
	const struct data_key *mac;
	uint32_t id;

	TRY(call_token_key(c, &mac, &id));
	TRY(challenge_make(mac, what, user, c->now, challenge));
	b64_member(c, w, "challenge",
	    str_of((const char *)challenge, sizeof challenge));
	jw_ki64(w, "timeout", CHALLENGE_MS);
	return OK;
}

static void
algorithms(struct jw *w)
{
	static const int alg[] = {WEBAUTHN_ES256, WEBAUTHN_EDDSA,
	    WEBAUTHN_RS256};

	jw_karr(w, "pubKeyCredParams");
	for (size_t i = 0; i < sizeof alg / sizeof *alg; i++) {
		jw_obj(w);
		jw_kstr(w, "type", STR("public-key"));
		jw_ki64(w, "alg", alg[i]);
		jw_obj_end(w);
	}
	jw_arr_end(w);
}

/* PublicKeyCredentialCreationOptionsJSON (WebAuthn 5.1.9): what a browser's
 * parseCreationOptionsFromJSON() takes. */
err
route_webauthn_challenge(struct call *c)
{
	const struct user *u = world_user(call_world(c), &c->actor->id);
	struct webauthn_ask ask;
	struct jw *w;

	TRY(may_enrol(c));
	if (u == NULL)
		return err_of(E_NOT_FOUND);
	factor_ask(c, &ask);
	w = answer(c, 200);
	jw_obj(w);
	jw_kobj(w, "rp");
	jw_kstr(w, "id", ask.rp_id);
	jw_kstr(w, "name", STR("Redoubt"));
	jw_obj_end(w);
	jw_kobj(w, "user");
	b64_member(c, w, "id",
	    str_of((const char *)u->o.id.b, sizeof u->o.id.b));
	jw_kstr(w, "name", u->email);
	jw_kstr(w, "displayName", u->name.n > 0 ? u->name : u->email);
	jw_obj_end(w);
	TRY(webauthn_challenge(c, w, CHALLENGE_REGISTER, &u->o.id));
	algorithms(w);
	TRY(webauthn_known(c, w, "excludeCredentials", &u->o.id));
	jw_kstr(w, "attestation", STR("none"));
	jw_obj_end(w);
	return buf_check(&c->out);
}

/* A refusal: one error outside, what was wrong on record. */
static err
webauthn_refused(struct call *c, const char *why)
{
	c->rec.outcome = AUDIT_DENIED;
	c->rec.reason = str_c(why);
	return call_bad(c, E_INVALID,
	    "credential: not an answer to a challenge of this server");
}

static err
key_made(struct call *c, struct webauthn_key *ret)
{
	const struct json *j = json_get(c->body, STR("credential"));
	const struct json *r = json_get(j, STR("response"));
	struct webauthn_made m;
	struct webauthn_ask ask;
	enum webauthn_reason why;
	struct str id;
	err e;

	if (!factor_bytes(c, j, "id", &id) ||
	    !factor_bytes(c, r, "clientDataJSON", &m.client_data) ||
	    !factor_bytes(c, r, "attestationObject", &m.attestation))
		return webauthn_refused(c, "webauthn_malformed");
	factor_ask(c, &ask);
	e = factor_challenge(c, CHALLENGE_REGISTER, &c->actor->id,
	    m.client_data, ask.challenge);
	if (err_is(e, E_UNAUTHENTICATED))
		return webauthn_refused(c, "webauthn_challenge");
	TRY(e);
	e = webauthn_register(c->a, &ask, &m, &why, ret);
	if (err_is(e, E_UNAUTHENTICATED))
		return webauthn_refused(c, webauthn_reason_text(why));
	TRY(e);
	if (!str_eq(id, ret->id))
		return webauthn_refused(c, "webauthn_credential");
	return OK;
}

/* Is it there already?  Of the same user only: a key is looked for among
 * those of the user whose password was right. */
static err
not_known(struct call *c, const struct webauthn_key *key)
{
	const struct credential *const *k;
	struct webauthn_key other;
	size_t n;

	k = world_credentials_of(call_world(c), &c->actor->id, &n);
	for (size_t i = 0; i < n; i++) {
		if (k[i]->kind != CREDENTIAL_WEBAUTHN)
			continue;
		TRY(cred_webauthn_of(c->a, k[i], &other));
		if (str_eq(other.id, key->id))
			return call_bad(c, E_EXISTS, "you have that key");
	}
	return OK;
}

err
route_webauthn_add(struct call *c)
{
	struct webauthn_key key;
	struct credential k;

	TRY(may_enrol(c));
	TRY(key_made(c, &key));
	TRY(not_known(c, &key));
	TRY(credential_new(c, CREDENTIAL_WEBAUTHN,
	    body_text(c, "name", STR("security key")), &k));
	k.data = cred_webauthn_data(c->a, &key);
	TRY(credential_put(c, &k));
	TRY(credential_changed(c, &k));
	return answer_credential(c, 201, &k);
}
