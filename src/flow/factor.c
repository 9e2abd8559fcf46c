/* factor.c: see factor.h. */
#include "flow/factor.h"

#include "auth/mac.h"
#include "base/limits.h"
#include "base/text.h"
#include "flow/credentials.h"

err
factor_key(struct call *c, uint32_t id, const struct data_key **ret)
{
	return keyring_get(c->lane->ring, id, ret);
}

err
factors_of(struct call *c, const struct uuid *user, struct factors *ret)
{
	const struct credential *const *k;
	struct factors f = {0};
	size_t n;

	k = world_credentials_of(call_world(c), user, &n);
	for (size_t i = 0; i < n; i++) {
		struct cred_recovery r;
		struct cred_totp t;

		if (k[i]->kind == CREDENTIAL_TOTP) {
			TRY(cred_totp_of(c->a, k[i], &t));
			f.totp |= t.confirmed;
		} else if (k[i]->kind == CREDENTIAL_RECOVERY) {
			TRY(cred_recovery_of(c->a, k[i], &r));
			f.codes += r.n;
		}
		f.webauthn |= k[i]->kind == CREDENTIAL_WEBAUTHN;
	}
	*ret = f;
	return OK;
}

static err
refuse(const char **ret_why, const char *why)
{
	*ret_why = why;
	return err_of(E_UNAUTHENTICATED);
}

/* ---- codes ---- */

static err
totp_used(struct call *c, const struct credential *old, struct cred_totp *t)
{
	struct credential k = *old;

	k.data = cred_totp_data(c->a, t);
	return credential_put(c, &k);
}

static err
check_totp(struct call *c, const struct uuid *user, struct str code,
    const char **ret_why)
{
	const struct credential *const *k;
	size_t n;

	k = world_credentials_of(call_world(c), user, &n);
	for (size_t i = 0; i < n; i++) {
		struct cred_totp t;
		err e;

		if (k[i]->kind != CREDENTIAL_TOTP)
			continue;
		TRY(cred_totp_of(c->a, k[i], &t));
		e = totp_check(t.seed, t.last, c->now, code, &t.last);
		if (err_ok(e) && t.confirmed)
			return totp_used(c, k[i], &t);
		if (!err_ok(e) && !err_is(e, E_UNAUTHENTICATED))
			return e;
	}
	return refuse(ret_why, "totp");
}

static err
check_recovery(struct call *c, const struct uuid *user,
    const uint8_t code[RECOVERY_BYTES], const char **ret_why)
{
	const struct credential *const *k;
	size_t n;

	k = world_credentials_of(call_world(c), user, &n);
	for (size_t i = 0; i < n; i++) {
		uint8_t hash[RECOVERY_HASH];
		const struct data_key *mac;
		struct credential changed;
		struct cred_recovery r;
		size_t at;

		if (k[i]->kind != CREDENTIAL_RECOVERY)
			continue;
		TRY(cred_recovery_of(c->a, k[i], &r));
		TRY(factor_key(c, r.key, &mac));
		TRY(recovery_hash(mac, user, code, hash));
		at = recovery_find(r.hash[0], r.n, hash);
		if (at == r.n)
			continue;
		r.n--;
		memcpy(r.hash[at], r.hash[r.n], RECOVERY_HASH);
		changed = *k[i];
		changed.data = cred_recovery_data(c->a, &r);
		return credential_put(c, &changed);
	}
	return refuse(ret_why, "recovery_code");
}

/* ---- WebAuthn ---- */

void
factor_ask(struct call *c, struct webauthn_ask *ret)
{
	struct str origin = str_c(c->lane->state->origin_url), host, port;

	/* https://host[:port]; an IPv6 host is in brackets */
	host = str_skip(origin, sizeof "https://" - 1);
	if (host.n > 0 && host.p[0] == '[') {
		(void)str_cut(host, ']', &host, &port);
		host = str_of(host.p, host.n + 1);
	} else {
		(void)str_cut(host, ':', &host, &port);
	}
	*ret = (struct webauthn_ask){.rp_id = host, .origin = origin};
}

bool
factor_bytes(struct call *c, const struct json *j, const char *name,
    struct str *ret)
{
	struct str text;

	return json_str(json_get(j, str_c(name)), &text) &&
	    b64url_decode(c->a, text, ret);
}

err
factor_challenge(struct call *c, enum challenge_for what,
    const struct uuid *user, struct str client_data,
    uint8_t ret[WEBAUTHN_CHALLENGE_SIZE])
{
	static const struct json_limits lim = {4, 32, 64};
	const struct data_key *mac;
	const struct json *j;
	struct trail t = {""};
	uint8_t hash[SEEN_SIZE];
	struct str got;
	uint32_t id;
	err e;

	if (client_data.n > LIM_CLIENT_DATA ||
	    !err_ok(json_parse(c->a, client_data, &lim, &t, &j)) ||
	    !factor_bytes(c, j, "challenge", &got) ||
	    got.n != WEBAUTHN_CHALLENGE_SIZE)
		return err_of(E_UNAUTHENTICATED);
	TRY(call_token_key(c, &mac, &id));
	TRY(challenge_check(mac, what, user, c->now, (const uint8_t *)got.p));
	TRY(mac_sha256(&got, 1, hash));
	e = store_seen_add(c->lane->conn, SEEN_WEBAUTHN, hash,
	    c->now + CHALLENGE_MS);
	if (err_is(e, E_EXISTS))
		return err_of(E_UNAUTHENTICATED);
	TRY(e);
	memcpy(ret, got.p, got.n);
	return OK;
}

static bool
proof_of(struct call *c, const struct json *j, struct webauthn_proof *ret)
{
	const struct json *r = json_get(j, STR("response"));

	*ret = (struct webauthn_proof){.user = STR("")};
	(void)factor_bytes(c, r, "userHandle", &ret->user);
	return factor_bytes(c, j, "id", &ret->id) &&
	    factor_bytes(c, r, "clientDataJSON", &ret->client_data) &&
	    factor_bytes(c, r, "authenticatorData", &ret->auth_data) &&
	    factor_bytes(c, r, "signature", &ret->signature);
}

/* The user's credential of that id; NULL when there is none. */
static err
key_find(struct call *c, const struct uuid *user, struct str id,
    const struct credential **ret, struct webauthn_key *ret_key)
{
	const struct credential *const *k;
	size_t n;

	*ret = NULL;
	k = world_credentials_of(call_world(c), user, &n);
	for (size_t i = 0; i < n && *ret == NULL; i++) {
		if (k[i]->kind != CREDENTIAL_WEBAUTHN)
			continue;
		TRY(cred_webauthn_of(c->a, k[i], ret_key));
		if (str_eq(ret_key->id, id))
			*ret = k[i];
	}
	return OK;
}

static err
check_webauthn(struct call *c, const struct uuid *user, const struct json *j,
    const char **ret_why)
{
	const struct credential *old;
	struct webauthn_ask ask;
	struct webauthn_proof p;
	struct webauthn_key key;
	enum webauthn_reason why;
	struct credential k;
	err e;

	if (!proof_of(c, j, &p))
		return refuse(ret_why, "webauthn_malformed");
	TRY(key_find(c, user, p.id, &old, &key));
	if (old == NULL)
		return refuse(ret_why, "webauthn_credential");
	factor_ask(c, &ask);
	e = factor_challenge(c, CHALLENGE_LOGIN, user, p.client_data,
	    ask.challenge);
	if (err_is(e, E_UNAUTHENTICATED))
		return refuse(ret_why, "webauthn_challenge");
	TRY(e);
	e = webauthn_assert(c->a, &ask, &key,
	    str_of((const char *)user->b, sizeof user->b), &p, &why, &key);
	if (err_is(e, E_UNAUTHENTICATED))
		return refuse(ret_why, webauthn_reason_text(why));
	TRY(e);
	k = *old;
	k.data = cred_webauthn_data(c->a, &key);
	return credential_put(c, &k);
}

/* ---- which ---- */

static bool
is_digits(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n == TOTP_DIGITS;
}

err
factor_check(struct call *c, const struct uuid *user, struct str *ret_method,
    const char **ret_why)
{
	const struct json *w = json_get(c->body, STR("webauthn"));
	struct str code = json_str_at(c->body, STR("totp"));
	uint8_t recovery[RECOVERY_BYTES];
	struct factors f;

	TRY(factors_of(c, user, &f));
	if (w != NULL && code.p != NULL)
		return refuse(ret_why, "two_second_factors");
	if (w != NULL) {
		*ret_method = STR("password+webauthn");
		return check_webauthn(c, user, w, ret_why);
	}
	if (code.p != NULL && is_digits(code)) {
		*ret_method = STR("password+totp");
		return check_totp(c, user, code, ret_why);
	}
	if (code.p != NULL) {
		*ret_method = STR("password+recovery");
		if (!recovery_parse(code, recovery))
			return refuse(ret_why, "totp");
		return check_recovery(c, user, recovery, ret_why);
	}
	if (f.totp || f.webauthn)
		return refuse(ret_why, "second_factor_missing");
	*ret_method = STR("password");
	return OK;
}
