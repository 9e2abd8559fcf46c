/* jose_sign.c: compact tokens and their headers; signatures (RFC 7515, 7518 3,
 * 8037). */
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "auth/ecdsa.h"
#include "auth/jose_inner.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"

enum { HEADER_MAX = 4096, MEMBERS = 16, MAC_MAX = 64, SIG_MAX = 1200 };

/* ---- headers ---- */

err
jose_fail(enum jose_why why, enum jose_why *ret_why)
{
	*ret_why = why;
	return err_of(E_UNAUTHENTICATED);
}

bool
jose_split(struct str token, struct str *ret, size_t n)
{
	for (size_t i = 0; i + 1 < n; i++)
		if (!str_cut(token, '.', &ret[i], &token))
			return false;
	ret[n - 1] = token;
	return memchr(token.p, '.', token.n) == NULL;
}

/* What a token may not bring, whatever it says. */
static enum jose_why
forbidden(const struct json *o, bool encrypted)
{
	static const struct {
		const char *name;
		enum jose_why why;
	} names[] = {{"crit", WHY_CRIT}, {"b64", WHY_B64_HEADER},
	    {"zip", WHY_ZIP}, {"jku", WHY_HEADER_KEY}, {"jwk", WHY_HEADER_KEY},
	    {"x5u", WHY_HEADER_KEY}, {"x5c", WHY_HEADER_KEY}, {"p2c", WHY_PBES},
	    {"p2s", WHY_PBES}};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (json_get(o, str_c(names[i].name)) != NULL &&
		    (encrypted || names[i].why != WHY_PBES))
			return names[i].why;
	return WHY_OK;
}

/* A text member; false when it is something else. */
static bool
text_at(const struct json *o, const char *name, struct str *ret)
{
	const struct json *j = json_get(o, str_c(name));

	*ret = STR_NONE;
	return j == NULL || json_str(j, ret);
}

static bool
party_at(struct arena *a, const struct json *o, const char *name,
    struct str *ret)
{
	struct str s;

	*ret = STR("");
	if (!text_at(o, name, &s))
		return false;
	return s.n == 0 || b64url_decode(a, s, ret);
}

err
jose_header_read(struct arena *a, struct str text, bool encrypted,
    enum jose_why *ret_why, struct jose_header *ret)
{
	static const struct json_limits lim = {.depth = 4,
	    .members = MEMBERS,
	    .values = 256};
	struct jose_header h = {0};
	struct trail t = {{0}};
	const struct json *o;
	struct str plain;
	enum jose_why why;
	err e;

	if (text.n > (size_t)HEADER_MAX / 3 * 4 ||
	    !b64url_decode(a, text, &plain))
		return jose_fail(WHY_B64, ret_why);
	e = json_parse(a, plain, &lim, &t, &o);
	if (err_is(e, E_DUPLICATE_KEY))
		return jose_fail(WHY_JSON_DUP, ret_why);
	if (!err_ok(e) || o->kind != JSON_OBJECT)
		return jose_fail(WHY_HEADER, ret_why);
	why = forbidden(o, encrypted);
	if (why != WHY_OK)
		return jose_fail(why, ret_why);
	if (!text_at(o, "alg", &h.alg) || h.alg.p == NULL ||
	    !text_at(o, "enc", &h.enc) || !text_at(o, "kid", &h.kid) ||
	    !text_at(o, "typ", &h.typ) || !text_at(o, "cty", &h.cty))
		return jose_fail(WHY_HEADER, ret_why);
	if (encrypted &&
	    (!party_at(a, o, "apu", &h.apu) || !party_at(a, o, "apv", &h.apv)))
		return jose_fail(WHY_PARTY, ret_why);
	h.epk = json_get(o, STR("epk"));
	*ret = h;
	return OK;
}

bool
jose_typ_is(struct str typ, struct str want)
{
	struct str prefix = STR("application/");

	if (typ.n > prefix.n && str_ieq(str_of(typ.p, prefix.n), prefix))
		typ = str_skip(typ, prefix.n);
	return typ.n > 0 && str_ieq(typ, want);
}

const char *
jose_md(enum jose_alg a)
{
	switch (jose_row(a)->bits) {
	case 256:
		return "SHA256";
	case 384:
		return "SHA384";
	case 512:
		return "SHA512";
	default:
		return NULL;
	}
}

/* ---- verifying ---- */

static bool
is_pss(enum jose_alg alg)
{
	return alg == JOSE_PS256 || alg == JOSE_PS384 || alg == JOSE_PS512;
}

/* Salt as long as the hash, and the hash itself in MGF1 (RFC 7518 3.5). */
static bool
pss(EVP_PKEY_CTX *c, enum jose_alg alg)
{
	return !is_pss(alg) ||
	    (EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PSS_PADDING) == 1 &&
		EVP_PKEY_CTX_set_rsa_pss_saltlen(c, RSA_PSS_SALTLEN_DIGEST) ==
		    1 &&
		EVP_PKEY_CTX_set_rsa_mgf1_md_name(c, jose_md(alg), NULL) == 1);
}

static bool
public_verifies(const struct jwk *k, enum jose_alg alg, struct str text,
    struct str value)
{
	const unsigned char *sig = (const unsigned char *)value.p;
	unsigned char der[ECDSA_DER];
	EVP_PKEY_CTX *c = NULL;
	EVP_MD_CTX *ctx;
	size_t n = value.n;
	bool ok;

	if (k->type == JWK_EC) {
		n = ecdsa_to_der(value, jose_curve_size(k->curve), der);
		sig = der;
	} else if (k->type == JWK_RSA &&
	    n != (size_t)EVP_PKEY_get_size(k->pkey)) {
		n = 0;
	}
	ctx = n == 0 ? NULL : EVP_MD_CTX_new();
	ok = ctx != NULL &&
	    EVP_DigestVerifyInit_ex(ctx, &c, jose_md(alg), NULL, NULL, k->pkey,
		NULL) == 1 &&
	    pss(c, alg) &&
	    EVP_DigestVerify(ctx, sig, n, (const unsigned char *)text.p,
		text.n) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

static bool
mac(const struct jwk *k, enum jose_alg alg, struct str text,
    unsigned char ret[MAC_MAX], size_t *ret_n)
{
	return EVP_Q_mac(NULL, "HMAC", NULL, jose_md(alg), NULL, k->oct,
		   k->oct_n, (const unsigned char *)text.p, text.n, ret,
		   MAC_MAX, ret_n) != NULL;
}

static bool
verifies(const struct jwk *k, enum jose_alg alg, struct str text,
    struct str value)
{
	unsigned char want[MAC_MAX];
	size_t n = 0;
	bool ok;

	if (k->type != JWK_OCT)
		return public_verifies(k, alg, text, value);
	/* a key shorter than its hash is refused (RFC 7518 3.2) */
	ok = k->oct_n >= jose_row(alg)->bits / 8 &&
	    mac(k, alg, text, want, &n) && value.n == n &&
	    ct_eq(want, value.p, n);
	mem_wipe(want, sizeof want);
	return ok;
}

static err
verify(struct arena *a, const struct str part[3], struct str text,
    const struct jws_rules *r, const struct jwks *keys, enum jose_why *ret_why,
    struct jws *ret)
{
	struct jose_header h;
	const struct jwk *k;
	struct str value;
	enum jose_alg alg;

	TRY(jose_header_read(a, part[0], false, ret_why, &h));
	/* the algorithm is ours to choose, before any key is looked at */
	if (!jose_alg_of(h.alg, &alg) || (r->algs & JOSE_BIT(alg)) == 0 ||
	    jose_row(alg)->use != JOSE_SIGNS)
		return jose_fail(WHY_ALG, ret_why);
	if (!b64url_decode(a, part[2], &value))
		return jose_fail(WHY_B64, ret_why);
	TRY(jose_select(keys, alg, alg, h.kid, MAY_VERIFY, CURVE_NONE, ret_why,
	    &k));
	if (!verifies(k, alg, text, value))
		return jose_fail(WHY_SIG, ret_why);
	*ret = (struct jws){.alg = alg, .key = k, .typ = h.typ, .cty = h.cty};
	return OK;
}

err
jws_verify(struct arena *a, struct str token, const struct jws_rules *r,
    const struct jwks *keys, enum jose_why *ret_why, struct jws *ret)
{
	struct str part[3], payload;
	struct jws s;

	*ret_why = WHY_OK;
	if (token.n > r->max)
		return jose_fail(WHY_SIZE, ret_why);
	if (!jose_split(token, part, 3))
		return jose_fail(WHY_FORM, ret_why);
	TRY(verify(a, part, str_of(token.p, part[0].n + 1 + part[1].n), r, keys,
	    ret_why, &s));
	if (part[1].n == 0)
		payload = STR("");
	else if (!b64url_decode(a, part[1], &payload))
		return jose_fail(WHY_B64, ret_why);
	TRY(arena_check(a));
	s.payload = payload;
	*ret = s;
	return OK;
}

err
jws_verify_detached(struct arena *a, struct str token, struct str payload,
    const struct jws_rules *r, const struct jwks *keys, enum jose_why *ret_why,
    struct jws *ret)
{
	struct str part[3];
	struct buf b;
	struct jws s;

	*ret_why = WHY_OK;
	if (token.n > r->max || payload.n > r->max)
		return jose_fail(WHY_SIZE, ret_why);
	if (!jose_split(token, part, 3) || part[1].n > 0)
		return jose_fail(WHY_FORM, ret_why);
	buf_init_on(&b, a, part[0].n + payload.n / 3 * 4 + 16);
	buf_str(&b, part[0]);
	buf_c(&b, ".");
	b64url_add(&b, payload);
	TRY(buf_check(&b));
	TRY(verify(a, part, buf_view(&b), r, keys, ret_why, &s));
	s.payload = payload;
	*ret = s;
	return OK;
}

/* ---- signing ---- */

static err
sign(const struct jwk *k, enum jose_alg alg, struct str text,
    unsigned char ret[SIG_MAX], size_t *ret_n)
{
	size_t half = jose_curve_size(k->curve);
	EVP_PKEY_CTX *c = NULL;
	EVP_MD_CTX *ctx;
	bool ok;

	*ret_n = SIG_MAX;
	if (k->type == JWK_OCT)
		return err_of(mac(k, alg, text, ret, ret_n) ? E_OK : E_CRYPTO);
	ctx = EVP_MD_CTX_new();
	ok = ctx != NULL && EVP_PKEY_get_size(k->pkey) <= SIG_MAX &&
	    EVP_DigestSignInit_ex(ctx, &c, jose_md(alg), NULL, NULL, k->pkey,
		NULL) == 1 &&
	    pss(c, alg) &&
	    EVP_DigestSign(ctx, ret, ret_n, (const unsigned char *)text.p,
		text.n) == 1 &&
	    (k->type != JWK_EC ||
		ecdsa_from_der(str_of((const char *)ret, *ret_n), half, ret));
	if (k->type == JWK_EC)
		*ret_n = 2 * half;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return err_of(ok ? E_OK : E_CRYPTO);
}

err
jws_sign(struct arena *a, const struct jwk *k, enum jose_alg alg,
    struct str typ, struct str payload, struct str *ret)
{
	const struct jose_row *r = jose_row(alg);
	unsigned char sig[SIG_MAX];
	struct buf head, b;
	struct jw w;
	size_t n;

	if (r->use != JOSE_SIGNS || r->type != k->type ||
	    (r->curve != CURVE_NONE && r->curve != k->curve) ||
	    (!k->private && k->type != JWK_OCT) || (k->may & MAY_SIGN) == 0)
		return err_of(E_INVALID);
	buf_init_on(&head, a, HEADER_MAX);
	jw_init(&w, &head);
	jw_obj(&w);
	jw_kstr(&w, "alg", str_c(r->name));
	if (typ.n > 0)
		jw_kstr(&w, "typ", typ);
	if (k->kid_n > 0)
		jw_kstr(&w, "kid", jwk_kid(k));
	jw_obj_end(&w);
	TRY(buf_check(&head));
	buf_init_on(&b, a, (head.n + payload.n + SIG_MAX) / 3 * 4 + 64);
	b64url_add(&b, buf_view(&head));
	buf_c(&b, ".");
	b64url_add(&b, payload);
	TRY(buf_check(&b));
	TRY(sign(k, alg, buf_view(&b), sig, &n));
	buf_c(&b, ".");
	b64url_add(&b, str_of((const char *)sig, n));
	TRY(buf_check(&b));
	*ret = buf_view(&b);
	return OK;
}
