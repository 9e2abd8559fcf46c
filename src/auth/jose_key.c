/* jose_key.c: keys as JSON (RFC 7517, 7518 6, 8037), checked as they come. */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

#include "auth/jose_inner.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"

enum { RSA_MIN = 2048, RSA_MAX = 8192, E_BITS = 64 };

/* ---- tables ---- */

const struct jose_row *
jose_row(enum jose_alg a)
{
	static const struct jose_row rows[] = {
#define JOSE_ALG(id, name, use, kty, curve, bits) {name, use, kty, curve, bits},
#include "auth/jose_algs.def"
#undef JOSE_ALG
	};

	return &rows[a];
}

const char *
jose_alg_name(enum jose_alg a)
{
	return (unsigned)a < JOSE_ALG_MAX_ ? jose_row(a)->name : "?";
}

bool
jose_alg_of(struct str name, enum jose_alg *ret)
{
	for (unsigned i = 0; i < JOSE_ALG_MAX_; i++) {
		if (str_is(name, jose_row((enum jose_alg)i)->name)) {
			*ret = (enum jose_alg)i;
			return true;
		}
	}
	return false;
}

static const struct {
	const char *text, *what;
} whys[] = {
#define WHY(id, text, what) {text, what},
#include "auth/oidc_reasons.def"
#undef WHY
};

const char *
jose_why_text(enum jose_why w)
{
	return (unsigned)w < WHY_MAX_ ? whys[w].text : "?";
}

const char *
jose_why_what(enum jose_why w)
{
	return (unsigned)w < WHY_MAX_ ? whys[w].what : "?";
}

enum jose_why
jose_why_of(struct str text)
{
	unsigned i = 0;

	while (i < WHY_MAX_ && !str_is(text, whys[i].text))
		i++;
	return (enum jose_why)i;
}

static const struct {
	const char *jose, *group;
	size_t size;
} curves[] = {
    [CURVE_P256] = {"P-256", "P-256", 32},
    [CURVE_P384] = {"P-384", "P-384", 48},
    [CURVE_P521] = {"P-521", "P-521", 66},
    [CURVE_ED25519] = {"Ed25519", "ED25519", 32},
    [CURVE_X25519] = {"X25519", "X25519", 32},
};

size_t
jose_curve_size(enum jose_curve c)
{
	return curves[c].size;
}

const char *
jose_curve_name(enum jose_curve c)
{
	return curves[c].jose;
}

enum jose_curve
jose_curve_of(struct str crv)
{
	for (unsigned c = CURVE_P256; c <= CURVE_X25519; c++)
		if (str_is(crv, curves[c].jose))
			return (enum jose_curve)c;
	return CURVE_NONE;
}

/* ---- members ---- */

err
jose_bad(enum jose_why why, enum jose_why *ret_why)
{
	*ret_why = why;
	return err_of(E_INVALID);
}

/* A base64url member; n 0: any length. */
static bool
bytes_at(struct arena *a, const struct json *o, const char *name, size_t n,
    struct str *ret)
{
	struct str s = json_str_at(o, str_c(name));

	return s.n > 0 && b64url_decode(a, s, ret) && ret->n > 0 &&
	    (n == 0 || ret->n == n);
}

/* A number: no leading zero (RFC 7518 2, Base64urlUInt). */
static BIGNUM *
number_at(struct arena *a, const struct json *o, const char *name)
{
	struct str s;

	if (!bytes_at(a, o, name, 0, &s) || s.n > RSA_MAX / 8 + 1 ||
	    (s.p[0] == 0 && s.n > 1))
		return NULL;
	return BN_bin2bn((const unsigned char *)s.p, (int)s.n, NULL);
}

static EVP_PKEY *
from_params(const char *type, OSSL_PARAM_BLD *b, int what)
{
	OSSL_PARAM *p = OSSL_PARAM_BLD_to_param(b);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *k = NULL;

	if (p == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &k, what, p) != 1)
		k = NULL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(p);
	ERR_clear_error();
	return k;
}

/* Do the two halves belong together? */
static bool
paired(EVP_PKEY *k)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, k, NULL);
	bool ok = ctx != NULL && EVP_PKEY_pairwise_check(ctx) == 1;

	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

/* ---- RSA ---- */

/*
 * ROCA (CVE-2017-15361, M. Nemec and others, CCS 2017): such a modulus is a
 * power of 65537 modulo every small prime.
 */
static bool
roca(const BIGNUM *n)
{
	static const unsigned char primes[] = {3, 5, 7, 11, 13, 17, 19, 23, 29,
	    31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101,
	    103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167};

	for (size_t i = 0; i < sizeof primes; i++) {
		unsigned p = primes[i], want = (unsigned)BN_mod_word(n, p);
		unsigned at = 1;
		bool in = false;

		for (unsigned k = 0; k < p && !in; k++) {
			in = at == want;
			at = at * (65537 % p) % p;
		}
		if (!in)
			return false;
	}
	return true;
}

static enum jose_why
rsa_numbers(const BIGNUM *n, const BIGNUM *e)
{
	if (n == NULL || e == NULL)
		return WHY_JWK_MEMBER;
	if (BN_num_bits(n) < RSA_MIN || BN_num_bits(n) > RSA_MAX ||
	    !BN_is_odd(n))
		return WHY_JWK_SIZE;
	if (!BN_is_odd(e) || BN_num_bits(e) < 17 || BN_num_bits(e) > E_BITS)
		return WHY_JWK_EXPONENT;
	return roca(n) ? WHY_JWK_ROCA : WHY_OK;
}

static const struct {
	const char *jose, *param;
	bool must;
} rsa_private[] = {
    {"d", OSSL_PKEY_PARAM_RSA_D, true},
    {"p", OSSL_PKEY_PARAM_RSA_FACTOR1, true},
    {"q", OSSL_PKEY_PARAM_RSA_FACTOR2, true},
    {"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1, true},
    {"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2, true},
    {"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1, true},
};
enum { RSA_PARTS = sizeof rsa_private / sizeof *rsa_private };

static err
rsa_parse(struct arena *a, const struct json *o, bool private,
    enum jose_why *ret_why, struct jwk *k)
{
	BIGNUM *n = number_at(a, o, "n"), *e = number_at(a, o, "e");
	BIGNUM *part[RSA_PARTS] = {0};
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	enum jose_why why = rsa_numbers(n, e);
	bool ok = b != NULL && why == WHY_OK &&
	    OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, e) == 1;

	for (size_t i = 0; ok && private && i < RSA_PARTS; i++) {
		part[i] = number_at(a, o, rsa_private[i].jose);
		ok = part[i] != NULL &&
		    OSSL_PARAM_BLD_push_BN(b, rsa_private[i].param, part[i]) ==
			1;
	}
	if (ok)
		k->pkey = from_params("RSA", b,
		    private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY);
	OSSL_PARAM_BLD_free(b);
	for (size_t i = 0; i < RSA_PARTS; i++)
		BN_clear_free(part[i]);
	BN_free(n);
	BN_free(e);
	if (why != WHY_OK)
		return jose_bad(why, ret_why);
	if (k->pkey == NULL)
		return jose_bad(WHY_JWK_MEMBER, ret_why);
	if (private && !paired(k->pkey))
		return jose_bad(WHY_JWK_PAIR, ret_why);
	return OK;
}

/* ---- points ---- */

static EVP_PKEY *
point_make(enum jose_curve c, struct str x, struct str y, struct str d)
{
	unsigned char point[1 + 2 * 66];
	OSSL_PARAM_BLD *b;
	BIGNUM *secret = NULL;
	EVP_PKEY *k = NULL;
	EVP_PKEY_CTX *ctx;
	bool ok;

	if (c == CURVE_ED25519 || c == CURVE_X25519)
		return d.n > 0
		    ? EVP_PKEY_new_raw_private_key_ex(NULL, curves[c].group,
			  NULL, (const unsigned char *)d.p, d.n)
		    : EVP_PKEY_new_raw_public_key_ex(NULL, curves[c].group,
			  NULL, (const unsigned char *)x.p, x.n);
	b = OSSL_PARAM_BLD_new();
	point[0] = 4;
	memcpy(point + 1, x.p, x.n);
	memcpy(point + 1 + x.n, y.p, y.n);
	ok = b != NULL &&
	    OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME,
		curves[c].group, 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point,
		1 + 2 * x.n) == 1;
	if (ok && d.n > 0) {
		secret = BN_secure_new();
		ok = secret != NULL &&
		    BN_bin2bn((const unsigned char *)d.p, (int)d.n, secret) !=
			NULL &&
		    OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_PRIV_KEY,
			secret) == 1;
	}
	if (ok)
		k = from_params("EC", b,
		    d.n > 0 ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY);
	OSSL_PARAM_BLD_free(b);
	BN_clear_free(secret);
	/* a point of another curve is how private keys are stolen */
	ctx = k == NULL ? NULL : EVP_PKEY_CTX_new_from_pkey(NULL, k, NULL);
	if (ctx == NULL || EVP_PKEY_public_check(ctx) != 1) {
		EVP_PKEY_free(k);
		k = NULL;
	}
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return k;
}

EVP_PKEY *
jose_point(struct arena *a, const struct json *o, enum jose_curve *ret_curve)
{
	enum jose_curve c = jose_curve_of(json_str_at(o, STR("crv")));
	struct str kty = json_str_at(o, STR("kty")), x, y = STR("");
	bool okp = c == CURVE_ED25519 || c == CURVE_X25519;

	if (c == CURVE_NONE || !str_is(kty, okp ? "OKP" : "EC") ||
	    json_get(o, STR("d")) != NULL ||
	    !bytes_at(a, o, "x", curves[c].size, &x) ||
	    (!okp && !bytes_at(a, o, "y", curves[c].size, &y)))
		return NULL;
	*ret_curve = c;
	return point_make(c, x, y, STR(""));
}

/* Is the public half that of the private one? */
static bool
okp_paired(const EVP_PKEY *k, struct str x)
{
	unsigned char pub[32];
	size_t n = sizeof pub;

	return EVP_PKEY_get_raw_public_key(k, pub, &n) == 1 && n == x.n &&
	    memcmp(pub, x.p, n) == 0;
}

static err
point_parse(struct arena *a, const struct json *o, bool private,
    enum jose_why *ret_why, struct jwk *k)
{
	enum jose_curve c = jose_curve_of(json_str_at(o, STR("crv")));
	bool okp = c == CURVE_ED25519 || c == CURVE_X25519;
	struct str x, y = STR(""), d = STR("");

	if (c == CURVE_NONE || okp != (k->type == JWK_OKP))
		return jose_bad(WHY_JWK_CURVE, ret_why);
	if (!bytes_at(a, o, "x", curves[c].size, &x) ||
	    (!okp && !bytes_at(a, o, "y", curves[c].size, &y)) ||
	    (private && !bytes_at(a, o, "d", curves[c].size, &d)))
		return jose_bad(WHY_JWK_MEMBER, ret_why);
	k->curve = c;
	k->pkey = point_make(c, x, y, d);
	if (k->pkey == NULL)
		return jose_bad(WHY_JWK_POINT, ret_why);
	if (private && !(okp ? okp_paired(k->pkey, x) : paired(k->pkey)))
		return jose_bad(WHY_JWK_PAIR, ret_why);
	return OK;
}

/* ---- what it is for ---- */

static unsigned
may_of(struct str op)
{
	static const struct {
		const char *op;
		unsigned may;
	} ops[] = {{"sign", MAY_SIGN}, {"verify", MAY_VERIFY},
	    {"encrypt", MAY_ENCRYPT}, {"decrypt", MAY_DECRYPT},
	    {"wrapKey", MAY_WRAP}, {"unwrapKey", MAY_UNWRAP},
	    {"deriveKey", MAY_DERIVE}, {"deriveBits", MAY_DERIVE}};

	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
		if (str_is(op, ops[i].op))
			return ops[i].may;
	return 0;
}

static err
read_use(const struct json *o, enum jose_why *ret_why, struct jwk *k)
{
	const struct json *use = json_get(o, STR("use"));
	const struct json *ops = json_get(o, STR("key_ops"));
	unsigned by_use = MAY_ALL, by_ops = 0;

	if (use != NULL) {
		if (str_is(use->text, "sig") && use->kind == JSON_STRING)
			by_use = MAY_SIGN | MAY_VERIFY;
		else if (str_is(use->text, "enc") && use->kind == JSON_STRING)
			by_use = MAY_ALL & ~(MAY_SIGN | MAY_VERIFY);
		else
			return jose_bad(WHY_JWK_USE, ret_why);
	}
	k->may = by_use;
	if (ops == NULL)
		return OK;
	if (ops->kind != JSON_ARRAY || ops->count == 0)
		return jose_bad(WHY_JWK_USE, ret_why);
	for (const struct json *j = json_first(ops); j != NULL; j = j->next) {
		unsigned may = j->kind == JSON_STRING ? may_of(j->text) : 0;

		if (may == 0 || (by_ops & may & ~(unsigned)MAY_DERIVE) != 0)
			return jose_bad(WHY_JWK_USE, ret_why);
		by_ops |= may;
	}
	k->may = by_use & by_ops;
	/* they disagree, and so does everybody who reads them */
	return (by_ops & ~by_use) != 0 ? jose_bad(WHY_JWK_USE, ret_why) : OK;
}

bool
jose_alg_fits(enum jose_alg alg, const struct jwk *k)
{
	const struct jose_row *r = jose_row(alg);

	if (r->curve == CURVE_ANY)
		return (k->type == JWK_EC) || k->curve == CURVE_X25519;
	return r->type == k->type &&
	    (r->curve == CURVE_NONE || r->curve == k->curve);
}

static err
read_names(const struct json *o, enum jose_why *ret_why, struct jwk *k)
{
	const struct json *alg = json_get(o, STR("alg"));
	const struct json *kid = json_get(o, STR("kid"));

	if (alg != NULL &&
	    (alg->kind != JSON_STRING || !jose_alg_of(alg->text, &k->alg) ||
		!jose_alg_fits(k->alg, k)))
		return jose_bad(WHY_JWK_ALG, ret_why);
	if (kid == NULL)
		return OK;
	if (kid->kind != JSON_STRING || kid->text.n > KID_MAX)
		return jose_bad(WHY_JWK_KID, ret_why);
	memcpy(k->kid, kid->text.p, kid->text.n);
	k->kid_n = kid->text.n;
	return OK;
}

/* ---- one key ---- */

static bool
type_of(struct str kty, enum jwk_type *ret)
{
	static const char *const name[] = {[JWK_RSA] = "RSA",
	    [JWK_EC] = "EC",
	    [JWK_OKP] = "OKP",
	    [JWK_OCT] = "oct"};

	for (unsigned i = 0; i < sizeof name / sizeof *name; i++) {
		if (str_is(kty, name[i])) {
			*ret = (enum jwk_type)i;
			return true;
		}
	}
	return false;
}

/* Does it hold a private half, or a secret? */
static bool
holds_private(const struct json *o)
{
	static const char *const names[] = {"d", "p", "q", "dp", "dq", "qi",
	    "oth", "k"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (json_get(o, str_c(names[i])) != NULL)
			return true;
	return false;
}

static err
oct_parse(struct arena *a, const struct json *o, enum jose_why *ret_why,
    struct jwk *k)
{
	struct str s;

	if (!bytes_at(a, o, "k", 0, &s))
		return jose_bad(WHY_JWK_MEMBER, ret_why);
	if (s.n < OCT_MIN || s.n > OCT_MAX)
		return jose_bad(WHY_JWK_SIZE, ret_why);
	memcpy(k->oct, s.p, s.n);
	k->oct_n = s.n;
	return OK;
}

static err
fill(struct arena *a, const struct json *o, enum jwk_want want,
    enum jose_why *ret_why, struct jwk *k)
{
	bool private = holds_private(o);

	if (o->kind != JSON_OBJECT)
		return jose_bad(WHY_JWK_JSON, ret_why);
	if (!type_of(json_str_at(o, STR("kty")), &k->type))
		return jose_bad(WHY_JWK_KTY, ret_why);
	if (want == JWK_PUBLIC && private)
		return jose_bad(WHY_JWK_PRIVATE, ret_why);
	if (want == JWK_SECRET && k->type != JWK_OCT)
		return jose_bad(WHY_JWK_MIXED, ret_why);
	if (want != JWK_SECRET && k->type == JWK_OCT)
		return jose_bad(want == JWK_PUBLIC ? WHY_JWK_PRIVATE
						   : WHY_JWK_MIXED,
		    ret_why);
	if (want == JWK_PRIVATE && !private)
		return jose_bad(WHY_JWK_PUBLIC, ret_why);
	k->private = private;
	k->alg = JOSE_ALG_MAX_;
	if (json_get(o, STR("oth")) != NULL)
		return jose_bad(WHY_JWK_MEMBER,
		    ret_why); /* more than two primes */
	TRY(read_use(o, ret_why, k));
	if (k->type == JWK_RSA)
		TRY(rsa_parse(a, o, private, ret_why, k));
	else if (k->type == JWK_OCT)
		TRY(oct_parse(a, o, ret_why, k));
	else
		TRY(point_parse(a, o, private, ret_why, k));
	return read_names(o, ret_why, k);
}

err
jose_key_of(struct arena *a, const struct json *o, enum jwk_want want,
    enum jose_why *ret_why, struct jwk **ret)
{
	struct jwk *k = mem_new(1, sizeof *k);
	err e;

	if (k == NULL)
		return err_of(E_NO_MEMORY);
	e = fill(a, o, want, ret_why, k);
	if (err_ok(e))
		*ret = k;
	else
		(void)jwk_free(k);
	return e;
}

const struct json_limits jose_key_limits = {.depth = 8,
    .members = 64,
    .values = 4096};

err
jwk_parse(struct arena *scratch, struct str json, enum jwk_want want,
    enum jose_why *ret_why, struct jwk **ret)
{
	struct trail t = {{0}};
	const struct json *o;

	*ret_why = WHY_OK;
	if (json.n > LIM_JWKS ||
	    !err_ok(json_parse(scratch, json, &jose_key_limits, &t, &o)))
		return jose_bad(WHY_JWK_JSON, ret_why);
	return jose_key_of(scratch, o, want, ret_why, ret);
}

struct jwk *
jwk_free(struct jwk *k)
{
	if (k == NULL)
		return NULL;
	EVP_PKEY_free(k->pkey);
	mem_wipe(k, sizeof *k);
	mem_free(k);
	return NULL;
}

enum jwk_type
jwk_type(const struct jwk *k)
{
	return k->type;
}

struct str
jwk_kid(const struct jwk *k)
{
	return str_of(k->kid, k->kid_n);
}
