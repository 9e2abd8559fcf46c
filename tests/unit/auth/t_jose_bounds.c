/*
 * t_jose_bounds.c: keys and sets at their bounds and one beyond, halves of
 * keys that do not belong together, detached signatures.
 */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include "tests/unit/auth/jose_kit.h"

/* What becomes of it, as a key of that kind. */
static enum jose_why
key(struct str json, enum jwk_want want)
{
	enum jose_why why = WHY_MAX_;
	struct jwk *k = NULL;
	err e = jwk_parse(&kit, json, want, &why, &k);

	T_OK(err_ok(e) == (why == WHY_OK) && err_ok(e) == (k != NULL));
	(void)jwk_free(k);
	return why;
}

static enum jose_why
set(struct str json)
{
	enum jose_why why = WHY_MAX_;
	struct jwks *s = NULL;

	if (err_ok(jwks_parse(&kit, json, JWK_PUBLIC, &why, &s)))
		(void)jwks_free(s);
	return why;
}

static struct str
fmt(const char *text, struct str middle, const char *end)
{
	return kit_cat(kit_cat(str_c(text), "", middle), end, STR(""));
}

/* ---- sizes ---- */

/* An odd number of that many bits, of no special form. */
static enum jose_why
modulus(size_t bits)
{
	size_t n = (bits + 7) / 8;
	unsigned char *p = arena_get(&kit, n);

	T_OK(p != NULL);
	for (size_t i = 0; p != NULL && i < n; i++)
		p[i] = (unsigned char)(i * 37 + 11) | 1;
	p[0] = (unsigned char)(1u << ((bits - 1) % 8));
	return key(fmt("{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"",
		       kit_b64(str_of((const char *)p, n)), "\"}"),
	    JWK_PUBLIC);
}

TEST(moduli)
{
	arena_init(&kit, (size_t)64 << 20);
	T_EQ_INT(modulus(2047), WHY_JWK_SIZE);
	T_EQ_INT(modulus(2048), WHY_OK);
	T_EQ_INT(modulus(8192), WHY_OK);
	T_EQ_INT(modulus(8193), WHY_JWK_SIZE);
	T_EQ_INT(modulus(9000), WHY_JWK_MEMBER);
}

TEST(secrets)
{
	static const struct {
		size_t n;
		enum jose_why why;
	} sizes[] = {{15, WHY_JWK_SIZE}, {16, WHY_OK}, {128, WHY_OK},
	    {129, WHY_JWK_SIZE}};
	char bytes[129] = "0123456789";
	enum jose_why why;
	struct jwk *k;

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct str s = str_of(bytes, sizes[i].n);

		k = NULL;
		T_EQ_INT(key(fmt("{\"kty\":\"oct\",\"k\":\"", kit_b64(s),
				 "\"}"),
			     JWK_SECRET),
		    sizes[i].why);
		err_ignore(jwk_from_secret(s, STR("k"), JOSE_ALG_MAX_, &why,
			       &k),
		    "the reason tells");
		T_EQ_INT(why, sizes[i].why);
		(void)jwk_free(k);
	}
}

#define X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define EC "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" Y "\""

TEST(names)
{
	char kid[256];

	memset(kid, 'k', sizeof kid);
	T_EQ_INT(key(fmt(EC ",\"kid\":\"", str_of(kid, 255), "\"}"),
		     JWK_PUBLIC),
	    WHY_OK);
	T_EQ_INT(key(fmt(EC ",\"kid\":\"", str_of(kid, 256), "\"}"),
		     JWK_PUBLIC),
	    WHY_JWK_KID);
}

/* White space around a document, to n bytes. */
static struct str
padded(struct str s, size_t n)
{
	char *p = arena_get(&kit, n);

	if (p == NULL || s.n > n)
		exit(1);
	memset(p, ' ', n);
	memcpy(p, s.p, s.n);
	return str_of(p, n);
}

TEST(documents)
{
	struct str one = STR(EC "}"), many = one;

	T_EQ_INT(key(padded(one, LIM_JWKS), JWK_PUBLIC), WHY_OK);
	T_EQ_INT(key(padded(one, LIM_JWKS + 1), JWK_PUBLIC), WHY_JWK_JSON);
	for (size_t i = 1; i < LIM_JWKS_KEYS; i++)
		many = kit_cat(many, ",", one);
	T_EQ_INT(set(fmt("{\"keys\":[", many, "]}")), WHY_OK);
	T_EQ_INT(set(padded(fmt("{\"keys\":[", many, "]}"), LIM_JWKS)), WHY_OK);
	T_EQ_INT(set(padded(fmt("{\"keys\":[", many, "]}"), LIM_JWKS + 1)),
	    WHY_JWK_JSON);
	many = kit_cat(many, ",", one);
	T_EQ_INT(set(fmt("{\"keys\":[", many, "]}")), WHY_JWK_COUNT);
	T_EQ_INT(set(STR("{\"keys\":[]}")), WHY_JWK_EMPTY);
}

/* ---- halves ---- */

/* RFC 7515 A.3, and other private halves beside it. */
TEST(points)
{
	T_EQ_INT(key(STR(EC ",\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-"
			    "0iY7X1fCE9-E9LI\"}"),
		     JWK_PRIVATE),
	    WHY_OK);
	T_EQ_INT(key(STR(EC ",\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-"
			    "0iY7X1fCE9-E9LJ\"}"),
		     JWK_PRIVATE),
	    WHY_JWK_MEMBER); /* bits behind the last byte */
	T_EQ_INT(key(STR(EC ",\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-"
			    "0iY7X1fCE9-E9LA\"}"),
		     JWK_PRIVATE),
	    WHY_JWK_PAIR);
}

/* An Ed25519 public key, with that private half. */
static struct str
edwards(const struct jwk *public, const char *half)
{
	struct str open = kit_public(public, "");

	open.n--; /* the brace */
	return fmt("", open, half);
}

TEST(edwards_halves)
{
	struct jwk *k = kit_key(JWK_NEW_ED25519, "one");

	T_EQ_INT(key(edwards(k, ",\"d\":\"" X "\"}"), JWK_PRIVATE),
	    WHY_JWK_PAIR);
	T_EQ_INT(key(edwards(k, "}"), JWK_PUBLIC), WHY_OK);
	T_EQ_INT(key(edwards(k, "}"), JWK_PRIVATE), WHY_JWK_PUBLIC);
	(void)jwk_free(k);
}

static void
number(struct buf *b, EVP_PKEY *k, const char *name, const char *param,
    BN_ULONG more)
{
	unsigned char raw[512];
	BIGNUM *n = NULL;

	if (EVP_PKEY_get_bn_param(k, param, &n) != 1 ||
	    BN_add_word(n, more) != 1)
		exit(1);
	buf_fmt(b, ",\"%s\":\"", name);
	b64url_add(b, str_of((const char *)raw, (size_t)BN_bn2bin(n, raw)));
	buf_c(b, "\"");
	BN_free(n);
}

/* A private RSA key; `more` is added to its private exponent. */
static struct str
rsa(EVP_PKEY *k, BN_ULONG more)
{
	struct buf b;

	buf_init_on(&b, &kit, 8192);
	buf_c(&b, "{\"kty\":\"RSA\"");
	number(&b, k, "n", OSSL_PKEY_PARAM_RSA_N, 0);
	number(&b, k, "e", OSSL_PKEY_PARAM_RSA_E, 0);
	number(&b, k, "d", OSSL_PKEY_PARAM_RSA_D, more);
	number(&b, k, "p", OSSL_PKEY_PARAM_RSA_FACTOR1, 0);
	number(&b, k, "q", OSSL_PKEY_PARAM_RSA_FACTOR2, 0);
	number(&b, k, "dp", OSSL_PKEY_PARAM_RSA_EXPONENT1, 0);
	number(&b, k, "dq", OSSL_PKEY_PARAM_RSA_EXPONENT2, 0);
	number(&b, k, "qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1, 0);
	buf_c(&b, "}");
	return buf_view(&b);
}

TEST(factors)
{
	EVP_PKEY *k = EVP_RSA_gen(2048);

	T_EQ_INT(key(rsa(k, 0), JWK_PRIVATE), WHY_OK);
	T_EQ_INT(key(rsa(k, 2), JWK_PRIVATE), WHY_JWK_PAIR);
	T_EQ_INT(key(rsa(k, 0), JWK_PUBLIC), WHY_JWK_PRIVATE);
	EVP_PKEY_free(k);
}

/* ---- payloads beside the token ---- */

static const struct jws_rules rules = {JOSE_BIT(JOSE_ES256), LIM_JWT};

static enum jose_why
detached(struct str token, struct str payload, const struct jwks *keys)
{
	enum jose_why why = WHY_MAX_;
	struct jws s = {0};

	if (err_ok(jws_verify_detached(&kit, token, payload, &rules, keys, &why,
		&s)))
		T_EQ_STR(s.payload, payload);
	return why;
}

TEST(detached_payloads)
{
	struct jwk *k = kit_key(JWK_NEW_P256, "one");
	struct jwks *keys = kit_set(kit_public(k, ""), STR(""), STR(""));
	struct str t, part[3], rest, bare, body = STR("{\"a\":1}");

	T_REQUIRE(keys != NULL);
	T_GOOD(jws_sign(&kit, k, JOSE_ES256, STR(""), body, &t));
	(void)str_cut(t, '.', &part[0], &rest);
	(void)str_cut(rest, '.', &part[1], &part[2]);
	bare = kit_cat(part[0], "..", part[2]);
	T_EQ_INT(detached(bare, body, keys), WHY_OK);
	T_EQ_INT(detached(bare, STR("{\"a\":2}"), keys), WHY_SIG);
	T_EQ_INT(detached(bare, STR(""), keys), WHY_SIG);
	T_EQ_INT(detached(t, body, keys), WHY_FORM); /* which one counts? */
	T_EQ_INT(detached(bare, padded(STR(""), LIM_JWT + 1), keys), WHY_SIZE);
	(void)jwks_free(keys);
	(void)jwk_free(k);
	arena_done(&kit);
}

T_MAIN
