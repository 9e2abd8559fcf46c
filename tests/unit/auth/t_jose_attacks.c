/*
 * t_jose_attacks.c: tokens and keys that others have fallen for, each refused
 * for its reason.  Every token is signed well by a key of the set, unless the
 * attack is the signature.
 */
#include <openssl/rsa.h>

#include "tests/unit/auth/jose_kit.h"

static EVP_PKEY *rsa, *evil;
static struct jwk *ed, *es;
static struct jwks *set;
static struct str rsa_jwk;
static int cases;

#define PAYLOAD STR("{\"sub\":\"ada\"}")
static const struct jws_rules rules = {JOSE_PUBLIC_ALGS | JOSE_SECRET_ALGS,
    LIM_JWT};

static struct jwk *
rsa_key(EVP_PKEY *k)
{
	unsigned char *der = NULL;
	int n = i2d_PrivateKey(k, &der);
	enum jose_why why;
	struct jwk *ret = NULL;

	if (!err_ok(jwk_from_private(str_of((const char *)der, (size_t)n),
		STR("rsa"), JOSE_ALG_MAX_, &why, &ret)))
		exit(1);
	OPENSSL_free(der);
	return ret;
}

static void
begin(void)
{
	struct jwk *k;

	arena_init(&kit, (size_t)64 * 1024 * 1024);
	rsa = EVP_RSA_gen(2048);
	evil = EVP_RSA_gen(2048);
	k = rsa_key(rsa);
	rsa_jwk = kit_public(k, "");
	(void)jwk_free(k);
	ed = kit_key(JWK_NEW_ED25519, "ed");
	es = kit_key(JWK_NEW_P256, "es");
	set = kit_set(rsa_jwk, kit_public(ed, ""), kit_public(es, ""));
	T_REQUIRE(set != NULL && set->n == 3);
}

static void
expect(const char *name, struct str token, const struct jwks *keys,
    enum jose_why want)
{
	enum jose_why why = WHY_OK;
	struct jws s;
	bool ok = keys != NULL &&
	    err_ok(jws_verify(&kit, token, &rules, keys, &why, &s));

	cases++;
	if (ok != (want == WHY_OK) || why != want)
		T_FAIL("%s: %s, not %s", name, jose_why_text(why),
		    jose_why_text(want));
}

static struct str
rs256(struct str header)
{
	return kit_sign(rsa, "SHA256", header, PAYLOAD);
}

static void
header(const char *text, enum jose_why want)
{
	expect(text, rs256(str_c(text)), set, want);
}

/* ---- what the header says ---- */

TEST(algorithms)
{
	begin();
	header("{\"alg\":\"RS256\"}", WHY_OK);
	header("{\"alg\":\"RS256\",\"kid\":\"rsa\",\"typ\":\"JWT\"}", WHY_OK);
	header("{\"alg\":\"none\"}", WHY_ALG);
	header("{\"alg\":\"None\"}", WHY_ALG);
	header("{\"alg\":\"NONE\"}", WHY_ALG);
	header("{\"alg\":\"nOnE\"}", WHY_ALG);
	header("{\"alg\":\"none \"}", WHY_ALG);
	header("{\"alg\":\"\"}", WHY_ALG);
	header("{\"alg\":\"rs256\"}", WHY_ALG);
	header("{\"alg\":\"RS256 \"}", WHY_ALG);
	header("{\"alg\":\" RS256\"}", WHY_ALG);
	header("{\"alg\":\"RS256\\u0000\"}", WHY_ALG);
	header("{\"alg\":\"RS224\"}", WHY_ALG);
	header("{\"alg\":\"RSA1_5\"}", WHY_ALG);
	header("{\"alg\":\"RSA-OAEP-256\"}", WHY_ALG);
	header("{\"alg\":\"dir\"}", WHY_ALG);
	header("{\"alg\":\"A256GCM\"}", WHY_ALG);
	header("{\"alg\":\"ECDH-ES\"}", WHY_ALG);
	header("{\"alg\":\"ES256K\"}", WHY_ALG);
	header("{\"alg\":\"SHA256withRSA\"}", WHY_ALG);
	header("{\"alg\":1}", WHY_HEADER);
	header("{\"alg\":null}", WHY_HEADER);
	header("{\"alg\":[\"RS256\"]}", WHY_HEADER);
	header("{\"alg\":{}}", WHY_HEADER);
	header("{\"alg\":true}", WHY_HEADER);
	header("{}", WHY_HEADER);
	header("{\"ALG\":\"RS256\"}", WHY_HEADER);
	/* another algorithm than signed, or than the key's */
	header("{\"alg\":\"RS384\"}", WHY_SIG);
	header("{\"alg\":\"RS512\"}", WHY_SIG);
	header("{\"alg\":\"PS256\"}", WHY_SIG);
	header("{\"alg\":\"PS512\"}", WHY_SIG);
	header("{\"alg\":\"ES256\"}", WHY_SIG);
	header("{\"alg\":\"EdDSA\"}", WHY_SIG);
	header("{\"alg\":\"ES384\"}", WHY_KID);
	header("{\"alg\":\"HS256\"}", WHY_KID);
	header("{\"alg\":\"HS512\"}", WHY_KID);
	header("{\"alg\":\"RS256\",\"kid\":\"es\"}", WHY_KID);
	header("{\"alg\":\"ES256\",\"kid\":\"rsa\"}", WHY_KID);
}

TEST(members)
{
	header("{\"alg\":\"RS256\",\"crit\":[]}", WHY_CRIT);
	header("{\"alg\":\"RS256\",\"crit\":[\"exp\"]}", WHY_CRIT);
	header("{\"alg\":\"RS256\",\"crit\":[\"b64\"],\"b64\":false}",
	    WHY_CRIT);
	header("{\"alg\":\"RS256\",\"crit\":\"x\"}", WHY_CRIT);
	header("{\"alg\":\"RS256\",\"crit\":null}", WHY_CRIT);
	header("{\"alg\":\"RS256\",\"b64\":false}", WHY_B64_HEADER);
	header("{\"alg\":\"RS256\",\"b64\":true}", WHY_B64_HEADER);
	header("{\"alg\":\"RS256\",\"zip\":\"DEF\"}", WHY_ZIP);
	header("{\"alg\":\"RS256\",\"jku\":\"https://evil.example/\"}",
	    WHY_HEADER_KEY);
	header("{\"alg\":\"RS256\",\"jku\":\"\"}", WHY_HEADER_KEY);
	header("{\"alg\":\"RS256\",\"x5u\":\"https://evil.example/\"}",
	    WHY_HEADER_KEY);
	header("{\"alg\":\"RS256\",\"x5c\":[\"AAAA\"]}", WHY_HEADER_KEY);
	header("{\"alg\":\"RS256\",\"jwk\":{\"kty\":\"RSA\"}}", WHY_HEADER_KEY);
	header("{\"alg\":\"RS256\",\"jwk\":null}", WHY_HEADER_KEY);
	header("{\"alg\":\"RS256\",\"kid\":\"../../../dev/null\"}", WHY_KID);
	header("{\"alg\":\"RS256\",\"kid\":\"' OR '1'='1\"}", WHY_KID);
	header("{\"alg\":\"RS256\",\"kid\":\"rsa\\u0000\"}", WHY_KID);
	header("{\"alg\":\"RS256\",\"kid\":\"RSA\"}", WHY_KID);
	header("{\"alg\":\"RS256\",\"kid\":\"rsa \"}", WHY_KID);
	header("{\"alg\":\"RS256\",\"kid\":\"\"}", WHY_KID);
	header("{\"alg\":\"RS256\",\"kid\":1}", WHY_HEADER);
	header("{\"alg\":\"RS256\",\"kid\":null}", WHY_HEADER);
	header("{\"alg\":\"RS256\",\"kid\":[\"rsa\"]}", WHY_HEADER);
	header("{\"alg\":\"RS256\",\"typ\":7}", WHY_HEADER);
	header("{\"alg\":\"RS256\",\"cty\":{}}", WHY_HEADER);
	header("{\"alg\":\"none\",\"alg\":\"RS256\"}", WHY_JSON_DUP);
	header("{\"alg\":\"RS256\",\"kid\":\"x\",\"kid\":\"rsa\"}",
	    WHY_JSON_DUP);
	header("{\"alg\":\"RS256\",\"\\u0061lg\":\"none\"}", WHY_JSON_DUP);
	/* what we do not know and may stand there */
	header("{\"alg\":\"RS256\",\"x5t\":\"a\",\"nonce\":\"b\"}", WHY_OK);
}

TEST(header_json)
{
	static const char *const bad[] = {"", " ", "[]", "\"RS256\"", "1",
	    "null", "{\"alg\":\"RS256\"", "{\"alg\":\"RS256\"}}",
	    "{\"alg\":\"RS256\"}x", "{\"alg\":\"RS256\"},{}",
	    "\xef\xbb\xbf{\"alg\":\"RS256\"}", "{'alg':'RS256'}",
	    "{alg:\"RS256\"}", "{\"alg\":\"RS256\",}",
	    "{\"alg\":\"RS256\"/**/}", "{\"alg\":\"RS256\",\"x\":\"\xff\"}",
	    "{\"alg\":\"RS256\",\"x\":\"\\ud800\"}",
	    "{\"alg\":\"RS256\",\"x\":01}", "{\"alg\":\"RS256\",\"x\":NaN}",
	    "{\"alg\":\"RS256\",\"x\":[[[[[[1]]]]]]}"};
	struct buf b;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		header(bad[i], WHY_HEADER);
	buf_init_on(&b, &kit, 65536);
	buf_c(&b, "{\"alg\":\"RS256\"");
	for (int i = 0; i < 16; i++)
		buf_fmt(&b, ",\"m%d\":1", i);
	buf_c(&b, "}");
	expect("17 members", rs256(buf_view(&b)), set, WHY_HEADER);
	buf_init_on(&b, &kit, 65536);
	buf_c(&b, "{\"alg\":\"RS256\",\"x\":\"");
	for (int i = 0; i < 5000; i++)
		buf_c(&b, "x");
	buf_c(&b, "\"}");
	expect("5 KiB", rs256(buf_view(&b)), set, WHY_B64);
}

/* ---- the form ---- */

TEST(forms)
{
	struct str t = rs256(STR("{\"alg\":\"RS256\"}")), part[3], rest = t;
	struct str first = str_of(t.p, t.n - 1);
	char last = t.p[t.n - 1], other[2] = {0};

	(void)str_cut(rest, '.', &part[0], &rest);
	(void)str_cut(rest, '.', &part[1], &part[2]);
	expect("empty", STR(""), set, WHY_FORM);
	expect("dots", STR(".."), set, WHY_HEADER);
	expect("one part", part[0], set, WHY_FORM);
	expect("two parts", kit_cat(part[0], ".", part[1]), set, WHY_FORM);
	expect("four parts", kit_cat(t, ".", STR("")), set, WHY_FORM);
	expect("five parts", kit_cat(t, ".", STR("a.b")), set, WHY_FORM);
	expect("leading dot", kit_cat(STR(""), ".", t), set, WHY_FORM);
	expect("no signature",
	    kit_cat(part[0], ".", kit_cat(part[1], ".", STR(""))), set,
	    WHY_SIG);
	expect("no header",
	    kit_cat(STR(""), ".", kit_cat(part[1], ".", part[2])), set,
	    WHY_HEADER);
	expect("space before", kit_cat(STR(" "), "", t), set, WHY_B64);
	expect("newline behind", kit_cat(t, "\n", STR("")), set, WHY_B64);
	expect("space inside",
	    kit_cat(part[0], " .", kit_cat(part[1], ".", part[2])), set,
	    WHY_B64);
	expect("padding", kit_cat(t, "==", STR("")), set, WHY_B64);
	expect("padded header",
	    kit_cat(kit_cat(part[0], "=", STR("")), ".",
		kit_cat(part[1], ".", part[2])),
	    set, WHY_B64);
	expect("NUL", kit_cat(t, "", str_of("\0", 1)), set, WHY_B64);
	expect("plus", kit_cat(first, "+", STR("")), set, WHY_B64);
	expect("slash", kit_cat(first, "/", STR("")), set, WHY_B64);
	/* 256 bytes end in 2 spare bits: any but zeros is no base64url */
	other[0] = (char)(last + 1);
	expect("spare bits", kit_cat(first, other, STR("")), set, WHY_B64);
	expect("JSON form", STR("{\"payload\":\"e30\",\"signatures\":[]}"), set,
	    WHY_FORM);
	expect("payload changed",
	    kit_cat(part[0], ".",
		kit_cat(kit_b64(STR("{\"sub\":\"bob\"}")), ".", part[2])),
	    set, WHY_SIG);
	expect("header changed",
	    kit_cat(kit_b64(STR("{\"alg\":\"RS256\","
				"\"typ\":\"x\"}")),
		".", kit_cat(part[1], ".", part[2])),
	    set, WHY_SIG);
	expect("payload no base64url",
	    kit_cat(part[0], ".", kit_cat(STR("!!"), ".", part[2])), set,
	    WHY_SIG);
}

TEST(sizes)
{
	struct str pay, t;
	struct jws_rules small = rules;
	enum jose_why why;
	struct jws s;
	char *p = arena_get(&kit, 20000);

	memset(p, 'x', 20000);
	pay = str_of(p, 12000);
	t = kit_sign(rsa, "SHA256", STR("{\"alg\":\"RS256\"}"), pay);
	T_OK(t.n < LIM_JWT);
	small.max = t.n;
	T_OK(err_ok(jws_verify(&kit, t, &small, set, &why, &s)));
	small.max = t.n - 1;
	T_OK(!err_ok(jws_verify(&kit, t, &small, set, &why, &s)));
	T_EQ_INT(why, WHY_SIZE);
	t = kit_sign(rsa, "SHA256", STR("{\"alg\":\"RS256\"}"),
	    str_of(p, 13000));
	expect("longer than a JWT", t, set, WHY_SIZE);
	cases += 2;
}

/* ---- signatures ---- */

static void
value(const char *name, struct str token, struct str sig, enum jose_why want)
{
	size_t cut = token.n;

	while (cut > 0 && token.p[cut - 1] != '.')
		cut--;
	expect(name, kit_cat(str_of(token.p, cut), "", kit_b64(sig)), set,
	    want);
}

TEST(signatures)
{
	static char zeros[512], ones[512];
	struct str t = rs256(STR("{\"alg\":\"RS256\"}")), e, d, part[3], raw;
	struct str rest;
	char swap[64], order[64];

	memset(ones, 0xff, sizeof ones);
	value("rsa zeros", t, str_of(zeros, 256), WHY_SIG);
	value("rsa ones", t, str_of(ones, 256), WHY_SIG);
	value("rsa short", t, str_of(zeros, 255), WHY_SIG);
	value("rsa long", t, str_of(zeros, 257), WHY_SIG);
	value("rsa of one byte", t, str_of(zeros, 1), WHY_SIG);
	expect("another key",
	    kit_sign(evil, "SHA256", STR("{\"alg\":\"RS256\",\"kid\":\"rsa\"}"),
		PAYLOAD),
	    set, WHY_SIG);
	T_OK(err_ok(jws_sign(&kit, es, JOSE_ES256, STR(""), PAYLOAD, &e)));
	expect("ES256", e, set, WHY_OK);
	rest = e;
	(void)str_cut(rest, '.', &part[0], &rest);
	(void)str_cut(rest, '.', &part[1], &part[2]);
	T_OK(b64url_decode(&kit, part[2], &raw) && raw.n == 64);
	memcpy(swap, raw.p + 32, 32);
	memcpy(swap + 32, raw.p, 32);
	value("r and s swapped", e, str_of(swap, 64), WHY_SIG);
	value("r and s zero", e, str_of(zeros, 64), WHY_SIG);
	memcpy(order, raw.p, 64);
	memset(order, 0, 32);
	value("r zero", e, str_of(order, 64), WHY_SIG);
	memcpy(order, raw.p, 64);
	memset(order + 32, 0, 32);
	value("s zero", e, str_of(order, 64), WHY_SIG);
	memset(order, 0xff, 64);
	value("above the order", e, str_of(order, 64), WHY_SIG);
	value("ec 63 bytes", e, str_of(raw.p, 63), WHY_SIG);
	value("ec 65 bytes", e, kit_cat(raw, "x", STR("")), WHY_SIG);
	value("ec 128 bytes", e, kit_cat(raw, "", raw), WHY_SIG);
	value("ec as DER", e, STR("\x30\x06\x02\x01\x01\x02\x01\x01"), WHY_SIG);
	T_OK(err_ok(jws_sign(&kit, ed, JOSE_EDDSA, STR(""), PAYLOAD, &d)));
	expect("EdDSA", d, set, WHY_OK);
	value("ed zeros", d, str_of(zeros, 64), WHY_SIG);
	value("ed short", d, str_of(zeros, 63), WHY_SIG);
	value("ed of another", d, raw, WHY_SIG);
}

/* HMAC with what everybody knows of a public key. */
TEST(confusion)
{
	struct jwks *secret;
	struct jwk *k = NULL;
	enum jose_why why;
	struct str t, pem = STR("-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhk");

	T_OK(err_ok(jwk_from_secret(pem, STR("rsa"), JOSE_HS256, &why, &k)));
	T_OK(err_ok(jws_sign(&kit, k, JOSE_HS256, STR(""), PAYLOAD, &t)));
	expect("HS256 over PEM", t, set, WHY_KID);
	secret = jwks_new();
	T_OK(err_ok(jwks_add(secret, k)));
	expect("HS256 itself", t, secret, WHY_OK);
	expect("RS256 to a secret", rs256(STR("{\"alg\":\"RS256\"}")), secret,
	    WHY_KID);
	T_OK(!err_ok(
	    jwk_from_secret(STR("short"), STR(""), JOSE_HS256, &why, &k)));
	T_EQ_INT(why, WHY_JWK_SIZE);
	/* 16 bytes are a key, but not for SHA-256 */
	T_OK(err_ok(jwk_from_secret(STR("0123456789abcdef"), STR(""),
	    JOSE_HS256, &why, &k)));
	T_OK(err_ok(jws_sign(&kit, k, JOSE_HS256, STR(""), PAYLOAD, &t)));
	(void)jwks_free(secret);
	secret = jwks_new();
	T_OK(err_ok(jwks_add(secret, k)));
	expect("HS256 with 16 bytes", t, secret, WHY_SIG);
	(void)jwks_free(secret);
	cases++;
}

/* ---- keys ---- */

static void
key(const char *json, enum jose_why want)
{
	enum jose_why why = WHY_OK;
	struct jwk *k = NULL;
	bool ok = err_ok(jwk_parse(&kit, str_c(json), JWK_PUBLIC, &why, &k));

	cases++;
	if (ok != (want == WHY_OK) || why != want)
		T_FAIL("%.60s: %s, not %s", json, jose_why_text(why),
		    jose_why_text(want));
	(void)jwk_free(k);
}

#define X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define EC "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" Y "\""

TEST(keys)
{
	key(EC "}", WHY_OK);
	key(EC ",\"use\":\"sig\",\"key_ops\":[\"verify\"]}", WHY_OK);
	key(EC ",\"use\":\"sig\",\"key_ops\":[\"encrypt\"]}", WHY_JWK_USE);
	key(EC ",\"use\":\"Sig\"}", WHY_JWK_USE);
	key(EC ",\"use\":1}", WHY_JWK_USE);
	key(EC ",\"key_ops\":[]}", WHY_JWK_USE);
	key(EC ",\"key_ops\":[\"verify\",\"verify\"]}", WHY_JWK_USE);
	key(EC ",\"key_ops\":\"verify\"}", WHY_JWK_USE);
	key(EC ",\"key_ops\":[\"all\"]}", WHY_JWK_USE);
	key(EC ",\"alg\":\"RS256\"}", WHY_JWK_ALG);
	key(EC ",\"alg\":\"ES384\"}", WHY_JWK_ALG);
	key(EC ",\"alg\":\"none\"}", WHY_JWK_ALG);
	key(EC ",\"alg\":1}", WHY_JWK_ALG);
	key(EC ",\"kid\":1}", WHY_JWK_KID);
	key(EC ",\"d\":\"" X "\"}", WHY_JWK_PRIVATE);
	key(EC ",\"k\":\"" X "\"}", WHY_JWK_PRIVATE);
	key("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" Y "\",\"y\":\"" X
	    "\"}",
	    WHY_JWK_POINT);
	key("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" X
	    "\"}",
	    WHY_JWK_POINT);
	key("{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" X "\",\"y\":\"" Y
	    "\"}",
	    WHY_JWK_MEMBER);
	key("{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"" X "\",\"y\":\"" Y
	    "\"}",
	    WHY_JWK_CURVE);
	key("{\"kty\":\"EC\",\"crv\":\"p-256\",\"x\":\"" X "\",\"y\":\"" Y
	    "\"}",
	    WHY_JWK_CURVE);
	key("{\"kty\":\"OKP\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" Y
	    "\"}",
	    WHY_JWK_CURVE);
	key("{\"kty\":\"EC\",\"crv\":\"Ed25519\",\"x\":\"" X "\"}",
	    WHY_JWK_CURVE);
	key("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\"}",
	    WHY_JWK_MEMBER);
	key("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "=\",\"y\":\"" Y
	    "\"}",
	    WHY_JWK_MEMBER);
	key("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}",
	    WHY_JWK_MEMBER);
	key("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" X "\"}", WHY_OK);
	key("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}",
	    WHY_JWK_MEMBER);
	key("{\"kty\":\"OKP\",\"crv\":\"Ed448\",\"x\":\"" X "\"}",
	    WHY_JWK_CURVE);
	key("{\"kty\":\"ec\"}", WHY_JWK_KTY);
	key("{\"kty\":\"\"}", WHY_JWK_KTY);
	key("{}", WHY_JWK_KTY);
	key("[]", WHY_JWK_JSON);
	key("{\"kty\":\"EC\",\"kty\":\"EC\"}", WHY_JWK_JSON);
	key("{\"kty\":\"oct\",\"k\":\"AAAAAAAAAAAAAAAAAAAAAA\"}",
	    WHY_JWK_PRIVATE);
}

/* RSA numbers: n of the good key, other exponents; other moduli. */
static void
rsa_member(const char *n, const char *e, enum jose_why want)
{
	char text[4096];

	(void)snprintf(text, sizeof text,
	    "{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"}", n, e);
	key(text, want);
}

TEST(rsa_keys)
{
	struct trail t = {{0}};
	static const struct json_limits lim = {4, 16, 64};
	const struct json *j;
	char n[1024], even[1024], padded[1040];
	struct str s;

	T_REQUIRE(err_ok(json_parse(&kit, rsa_jwk, &lim, &t, &j)));
	s = json_str_at(j, STR("n"));
	(void)snprintf(n, sizeof n, "%.*s", STR_ARG(s));
	memcpy(even, n, sizeof n);
	even[strlen(even) - 1] = 'A'; /* its last bits: an even number */
	(void)snprintf(padded, sizeof padded, "AAAA%s", n);
	rsa_member(n, "AQAB", WHY_OK);
	rsa_member(n, "AQ", WHY_JWK_EXPONENT);
	rsa_member(n, "Aw", WHY_JWK_EXPONENT);
	rsa_member(n, "EQ", WHY_JWK_EXPONENT);
	rsa_member(n, "AQAA", WHY_JWK_EXPONENT);
	rsa_member(n, "AAEAAQ", WHY_JWK_MEMBER);
	rsa_member(n, "AQAAAAAAAAAAAAAAAAAAAQ", WHY_JWK_EXPONENT);
	rsa_member(n, "", WHY_JWK_MEMBER);
	rsa_member("", "AQAB", WHY_JWK_MEMBER);
	rsa_member("AQAB", "AQAB", WHY_JWK_SIZE);
	rsa_member(even, "AQAB", WHY_JWK_SIZE);
	rsa_member(padded, "AQAB", WHY_JWK_MEMBER);
}

TEST(sets)
{
	struct str e = kit_public(es, ""),
		   named = kit_public(es, ",\"use\":\"enc\"");
	struct jwks *s;
	struct str t;

	T_OK(err_ok(jws_sign(&kit, es, JOSE_ES256, STR(""), PAYLOAD, &t)));
	s = kit_set(named, STR(""), STR(""));
	expect("a key to encrypt with", t, s, WHY_KID);
	(void)jwks_free(s);
	s = kit_set(kit_public(es, ",\"key_ops\":[\"sign\"]"), STR(""),
	    STR(""));
	expect("a key that may only sign", t, s, WHY_KID);
	(void)jwks_free(s);
	s = kit_set(e, e, STR(""));
	T_OK(s == NULL); /* one name, two keys */
	s = kit_set(STR(EC ",\"kid\":\"x\"}"), STR(EC ",\"kid\":\"y\"}"),
	    STR(""));
	T_OK(s != NULL && s->n == 2);
	expect("two that would do",
	    kit_sign(rsa, "SHA256", STR("{\"alg\":\"ES256\"}"), PAYLOAD), s,
	    WHY_AMBIGUOUS);
	(void)jwks_free(s);
	s = kit_set(STR("{\"kty\":\"EC\"}"), STR(""), STR(""));
	T_OK(s == NULL);
	s = kit_set(e,
	    STR("{\"kty\":\"oct\",\"k\":\"AAAAAAAAAAAAAAAAAAAAAA\"}"), STR(""));
	T_OK(s == NULL); /* a secret that everybody has read */
	cases += 3;
	printf("# %d attacks\n", cases);
	T_OK(cases >= 120);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(evil);
	(void)jwk_free(ed);
	(void)jwk_free(es);
	(void)jwks_free(set);
	arena_done(&kit);
}

T_MAIN
