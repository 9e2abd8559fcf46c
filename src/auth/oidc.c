/* oidc.c: see oidc.h. */
#include "auth/oidc.h"

#include <openssl/evp.h>

#include "base/limits.h"
#include "base/secret.h"
#include "base/text.h"

enum { SECOND_MS = 1000 };
/* A later date is no date: 9999-12-31. */
#define LAST_SECOND INT64_C(253402300799)

/* One token being judged; the first reason stays. */
struct judge {
	struct arena *a;
	const struct oidc_rules *r;
	const struct json *claims;
	struct jws jws;
	enum jose_why why;
};

#define DEMAND(j, cond, reason)                                                \
	do {                                                                   \
		if (!(cond)) {                                                 \
			(j)->why = (reason);                                   \
			return false;                                          \
		}                                                              \
	} while (0)

static const struct json *
claim(const struct judge *j, const char *name)
{
	return json_get(j->claims, str_c(name));
}

static bool
plain(struct str s, size_t max)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return false;
	return s.n <= max;
}

/* A claim that may be missing, else is plain text: empty when missing. */
static bool
optional(struct judge *j, const char *name, size_t max, struct str *ret)
{
	const struct json *c = claim(j, name);

	*ret = STR("");
	if (c == NULL || c->kind == JSON_NULL)
		return true;
	DEMAND(j, json_str(c, ret) && plain(*ret, max), WHY_TEXT);
	return true;
}

/* ---- the envelope ---- */

static enum jose_why
claims_why(err e)
{
	return err_is(e, E_DUPLICATE_KEY) ? WHY_JSON_DUP : WHY_CLAIMS;
}

static const struct json_limits claims_limits = {
    .depth = 16,
    .members = 200,
    .values = 2000,
};

static err
open_token(struct judge *j, struct str token, const struct jwks *keys)
{
	struct jws_rules rules = {.algs = j->r->algs, .max = LIM_JWT};
	err e;

	TRY(jws_verify(j->a, token, &rules, keys, &j->why, &j->jws));
	e = json_parse(j->a, j->jws.payload, &claims_limits, NULL, &j->claims);
	if (err_is(e, E_NO_MEMORY))
		return e;
	if (!err_ok(e) || j->claims->kind != JSON_OBJECT) {
		j->why = claims_why(e);
		return err_of(E_UNAUTHENTICATED);
	}
	return OK;
}

/* ---- who, for whom ---- */

static bool
issuer(struct judge *j)
{
	struct str iss = json_str_at(j->claims, STR("iss"));

	DEMAND(j, iss.n > 0 && str_eq(iss, j->r->issuer), WHY_ISS);
	return true;
}

/* Is it for us, perhaps for others too? */
static bool
for_us(struct judge *j)
{
	const struct json *aud = claim(j, "aud"), *one = aud;
	bool ours = false;

	DEMAND(j, aud != NULL, WHY_AUD);
	if (aud->kind == JSON_ARRAY)
		one = aud->child;
	for (; one != NULL; one = aud->kind == JSON_ARRAY ? one->next : NULL) {
		DEMAND(j, one->kind == JSON_STRING, WHY_AUD);
		ours = ours || str_eq(one->text, j->r->client_id);
	}
	DEMAND(j, ours, WHY_AUD);
	return true;
}

/* A token that others take as well can be used here by any of them. */
static bool
only_us(struct judge *j)
{
	const struct json *aud = claim(j, "aud");

	if (!for_us(j))
		return false;
	DEMAND(j, aud->kind == JSON_STRING || aud->count == 1, WHY_AUD);
	return true;
}

/* One audience, or several; then azp says that it was given to us. */
static bool
audience(struct judge *j)
{
	const struct json *aud = claim(j, "aud"), *azp = claim(j, "azp");

	if (!for_us(j))
		return false;
	DEMAND(j, azp != NULL || aud->kind != JSON_ARRAY || aud->count == 1,
	    WHY_AZP);
	DEMAND(j,
	    azp == NULL ||
		(azp->kind == JSON_STRING &&
		    str_eq(azp->text, j->r->client_id)),
	    WHY_AZP);
	return true;
}

static bool
subject(struct judge *j, struct str *ret)
{
	DEMAND(j,
	    json_str(claim(j, "sub"), ret) && ret->n > 0 &&
		plain(*ret, OIDC_TEXT),
	    WHY_SUB);
	return true;
}

/* ---- when ---- */

/* Whole seconds; -1 when it is missing, -2 when it is no such number. */
static int64_t
seconds(const struct judge *j, const char *name)
{
	const struct json *c = claim(j, name);
	int64_t v;

	if (c == NULL)
		return -1;
	return json_i64(c, 0, LAST_SECOND, &v) ? v : -2;
}

static bool
times(struct judge *j, bool must_end, int64_t *ret_exp)
{
	int64_t now = j->r->now / SECOND_MS;
	int64_t exp = seconds(j, "exp"), iat = seconds(j, "iat");
	int64_t nbf = seconds(j, "nbf");

	DEMAND(j, exp >= 0 || (exp == -1 && !must_end), WHY_EXP);
	DEMAND(j, exp < 0 || exp + OIDC_SKEW > now, WHY_EXP);
	DEMAND(j, iat >= 0 && iat - OIDC_SKEW <= now, WHY_IAT);
	DEMAND(j, now - iat <= OIDC_AGE + OIDC_SKEW, WHY_IAT);
	DEMAND(j, nbf == -1 || (nbf >= 0 && nbf - OIDC_SKEW <= now), WHY_NBF);
	*ret_exp = exp;
	return true;
}

static bool
login_time(struct judge *j, int64_t *ret)
{
	int64_t at = seconds(j, "auth_time");

	DEMAND(j, at >= 0 || (at == -1 && j->r->after == 0), WHY_AUTH_TIME);
	*ret = at < 0 ? 0 : at * SECOND_MS;
	DEMAND(j, at - OIDC_SKEW <= j->r->now / SECOND_MS, WHY_AUTH_TIME);
	DEMAND(j,
	    j->r->after == 0 || *ret >= j->r->after - OIDC_SKEW * SECOND_MS,
	    WHY_AUTH_TIME);
	return true;
}

/* ---- bound to what ---- */

static bool
nonce(struct judge *j)
{
	struct str n = json_str_at(j->claims, STR("nonce"));

	DEMAND(j,
	    j->r->nonce.n > 0 && n.n == j->r->nonce.n &&
		ct_eq(n.p, j->r->nonce.p, n.n),
	    WHY_NONCE);
	return true;
}

/* The hash that goes with an algorithm (Core 3.3.2.11); Ed25519's is 512. */
static const EVP_MD *
hash_of(enum jose_alg alg)
{
	switch (alg) {
	case JOSE_RS256:
	case JOSE_PS256:
	case JOSE_ES256:
		return EVP_sha256();
	case JOSE_RS384:
	case JOSE_PS384:
	case JOSE_ES384:
		return EVP_sha384();
	default:
		return EVP_sha512();
	}
}

/* The left half of the code's hash, where the token says one. */
static bool
code_hash(struct judge *j)
{
	const struct json *c = claim(j, "c_hash");
	unsigned char sum[EVP_MAX_MD_SIZE];
	struct str said, bytes;
	unsigned n = 0;

	if (c == NULL)
		return true;
	DEMAND(j, j->r->code.n > 0 && json_str(c, &said), WHY_C_HASH);
	DEMAND(j,
	    EVP_Digest(j->r->code.p, j->r->code.n, sum, &n, hash_of(j->jws.alg),
		NULL) == 1,
	    WHY_C_HASH);
	DEMAND(j,
	    b64url_decode(j->a, said, &bytes) && bytes.n == n / 2 &&
		ct_eq(bytes.p, sum, bytes.n),
	    WHY_C_HASH);
	return true;
}

static bool
lists(const struct json *list, struct str text)
{
	for (const struct json *i = json_first(list); i != NULL; i = i->next)
		if (i->kind == JSON_STRING && str_eq(i->text, text))
			return true;
	return false;
}

static bool
context(struct judge *j)
{
	const struct json *amr = claim(j, "amr");

	DEMAND(j,
	    j->r->acr.n == 0 ||
		str_eq(json_str_at(j->claims, STR("acr")), j->r->acr),
	    WHY_ACR);
	for (const struct json *i = json_first(j->r->amr); i != NULL;
	     i = i->next)
		DEMAND(j,
		    amr != NULL && amr->kind == JSON_ARRAY &&
			lists(amr, i->text),
		    WHY_AMR);
	return true;
}

/* ---- groups ---- */

/*
 * Too many groups for a token, says Entra ID: instead of the claim there is
 * where to ask for it, or a flag.  That is not "no groups".
 */
static bool
overage(const struct judge *j)
{
	bool has = false;

	if (json_get(claim(j, "_claim_names"), j->r->groups_claim) != NULL)
		return true;
	return json_bool(claim(j, "hasgroups"), &has) && has;
}

static bool
groups(struct judge *j, struct oidc_person *who)
{
	const struct json *c = json_get(j->claims, j->r->groups_claim);
	struct str *list;

	if (j->r->groups_claim.n == 0)
		return true;
	DEMAND(j, !overage(j), WHY_OVERAGE);
	if (c == NULL)
		return true;
	DEMAND(j, c->kind == JSON_ARRAY && c->count <= OIDC_GROUPS, WHY_GROUPS);
	list = arena_array(j->a, c->count + 1, sizeof *list);
	if (list == NULL)
		return true; /* told by arena_check */
	who->groups = list;
	for (c = c->child; c != NULL; c = c->next) {
		DEMAND(j,
		    c->kind == JSON_STRING && c->text.n > 0 &&
			plain(c->text, OIDC_GROUP),
		    WHY_GROUPS);
		list[who->groups_n++] = c->text;
	}
	return true;
}

/* ---- the tokens ---- */

static err
verdict(const struct judge *j, bool good, enum jose_why *ret_why)
{
	*ret_why = good ? WHY_OK : j->why;
	TRY(arena_check(j->a));
	return err_of(good ? E_OK : E_UNAUTHENTICATED);
}

static bool
judge_id(struct judge *j, struct oidc_person *who)
{
	int64_t exp;

	DEMAND(j, j->jws.typ.p == NULL || jose_typ_is(j->jws.typ, STR("JWT")),
	    WHY_TYP);
	return issuer(j) && audience(j) && times(j, true, &exp) && nonce(j) &&
	    subject(j, &who->sub) && code_hash(j) &&
	    login_time(j, &who->auth_time) && context(j) &&
	    optional(j, "email", 1024, &who->email) &&
	    optional(j, "name", 1024, &who->name) &&
	    optional(j, "sid", OIDC_TEXT, &who->sid) && groups(j, who);
}

err
oidc_id_token(struct arena *a, struct str token, const struct oidc_rules *r,
    const struct jwks *keys, enum jose_why *ret_why, struct oidc_person *ret)
{
	struct judge j = {.a = a, .r = r};
	struct oidc_person who = {0};
	bool good;
	err e = open_token(&j, token, keys);

	*ret_why = j.why;
	TRY(e);
	good = judge_id(&j, &who);
	TRY(verdict(&j, good, ret_why));
	*ret = who;
	return OK;
}

static bool
logout_event(struct judge *j)
{
	static const struct str name =
	    {"http://schemas.openid.net/event/backchannel-logout", 50};
	const struct json *e = json_get(claim(j, "events"), name);

	DEMAND(j, e != NULL && e->kind == JSON_OBJECT, WHY_EVENTS);
	DEMAND(j, claim(j, "nonce") == NULL, WHY_LOGOUT_NONCE);
	return true;
}

static bool
judge_logout(struct judge *j, struct oidc_logout *out)
{
	int64_t exp;

	DEMAND(j,
	    j->jws.typ.p != NULL && jose_typ_is(j->jws.typ, STR("logout+jwt")),
	    WHY_TYP);
	if (!issuer(j) || !audience(j) || !times(j, false, &exp) ||
	    !logout_event(j) || !optional(j, "sid", OIDC_TEXT, &out->sid))
		return false;
	if (claim(j, "sub") != NULL && !subject(j, &out->sub))
		return false;
	DEMAND(j, out->sub.n > 0 || out->sid.n > 0, WHY_LOGOUT_WHO);
	DEMAND(j,
	    json_str(claim(j, "jti"), &out->jti) && out->jti.n > 0 &&
		plain(out->jti, OIDC_TEXT),
	    WHY_JTI);
	out->until = j->r->now + (OIDC_AGE + 2 * OIDC_SKEW) * SECOND_MS;
	return true;
}

err
oidc_logout_token(struct arena *a, struct str token, const struct oidc_rules *r,
    const struct jwks *keys, enum jose_why *ret_why, struct oidc_logout *ret)
{
	struct judge j = {.a = a, .r = r};
	struct oidc_logout out = {.sub = STR(""), .sid = STR("")};
	bool good;
	err e = open_token(&j, token, keys);

	*ret_why = j.why;
	TRY(e);
	good = judge_logout(&j, &out);
	TRY(verdict(&j, good, ret_why));
	*ret = out;
	return OK;
}

/* ---- access tokens ---- */

static bool
lifetime(struct judge *j, int64_t *ret_expires)
{
	int64_t now = j->r->now / SECOND_MS;
	int64_t exp = seconds(j, "exp"), iat = seconds(j, "iat");
	int64_t nbf = seconds(j, "nbf");

	DEMAND(j, exp >= 0 && exp + OIDC_SKEW > now, WHY_EXP);
	DEMAND(j, iat >= 0 && iat - OIDC_SKEW <= now, WHY_IAT);
	DEMAND(j, exp - iat <= OIDC_LIFE, WHY_LIFE);
	DEMAND(j, nbf == -1 || (nbf >= 0 && nbf - OIDC_SKEW <= now), WHY_NBF);
	*ret_expires = (exp + OIDC_SKEW) * SECOND_MS;
	return true;
}

/* RFC 6749 3.3 */
static bool
scope(struct judge *j, struct str *ret)
{
	const struct json *c = claim(j, "scope");

	*ret = STR("");
	if (c == NULL)
		return true;
	DEMAND(j, json_str(c, ret) && ret->n <= 4096, WHY_SCOPE);
	for (size_t i = 0; i < ret->n; i++) {
		char ch = ret->p[i];

		DEMAND(j,
		    ch >= ' ' && ch <= '~' && ch != '"' && ch != '\\' &&
			(ch != ' ' ||
			    (i > 0 && i + 1 < ret->n && ret->p[i - 1] != ' ')),
		    WHY_SCOPE);
	}
	return true;
}

static bool
judge_access(struct judge *j, struct oidc_access *out)
{
	struct str jti;

	DEMAND(j,
	    j->jws.typ.p != NULL && jose_typ_is(j->jws.typ, STR("at+jwt")),
	    WHY_TYP);
	if (!issuer(j) || !only_us(j) || !lifetime(j, &out->expires) ||
	    !subject(j, &out->sub))
		return false;
	DEMAND(j,
	    json_str(claim(j, "client_id"), &out->client_id) &&
		out->client_id.n > 0 && plain(out->client_id, OIDC_TEXT),
	    WHY_CLIENT);
	DEMAND(j,
	    json_str(claim(j, "jti"), &jti) && jti.n > 0 &&
		plain(jti, OIDC_TEXT),
	    WHY_JTI);
	return scope(j, &out->scope);
}

err
oidc_access_token(struct arena *a, struct str token, const struct oidc_rules *r,
    const struct jwks *keys, enum jose_why *ret_why, struct oidc_access *ret)
{
	struct judge j = {.a = a, .r = r};
	struct oidc_access out = {0};
	bool good;
	err e = open_token(&j, token, keys);

	*ret_why = j.why;
	TRY(e);
	good = judge_access(&j, &out);
	TRY(verdict(&j, good, ret_why));
	*ret = out;
	return OK;
}

struct str
oidc_claimed_issuer(struct arena *a, struct str token)
{
	struct str part, rest, text;
	const struct json *j;

	if (token.n > LIM_JWT || !str_cut(token, '.', &part, &rest) ||
	    !str_cut(rest, '.', &part, &rest) ||
	    !b64url_decode(a, part, &text) ||
	    !err_ok(json_parse(a, text, &claims_limits, NULL, &j)))
		return STR("");
	text = json_str_at(j, STR("iss"));
	return text.p == NULL ? STR("") : text;
}
