/*
 * t_oidc_evil.c: an OpenID provider that misbehaves, one thing at a time: the
 * modules of the OpenID Foundation's suite for relying parties that are about
 * tokens (named oidf-), and what else was ever believed by somebody.  Every
 * token is signed well by the provider's key unless the signature is the
 * matter, so each is refused for its own reason.
 */
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "auth/oidc.h"
#include "tests/unit/auth/jose_kit.h"

#define NOW INT64_C(1795842000) /* seconds */
#define EVENT "http://schemas.openid.net/event/backchannel-logout"

static EVP_PKEY *op, *evil;
static struct jwk *es;
static struct str op_jwk, es_jwk;
static struct jwks *one, *both;
static unsigned count;

static const struct oidc_rules rules = {
    .issuer = {"https://op.example", 18},
    .client_id = {"redoubt", 7},
    .nonce = {"n-0S6_WzA2Mj", 12},
    .code = {"Qcb0Orv1zh30vL1MPRsbm", 21},
    .acr = {"urn:mfa", 7},
    .groups_claim = {"groups", 6},
    .algs = JOSE_BIT(JOSE_RS256) | JOSE_BIT(JOSE_PS256) | JOSE_BIT(JOSE_ES256) |
	JOSE_BIT(JOSE_EDDSA),
    .now = NOW * 1000,
};

static struct str
jwk_of(EVP_PKEY *k, const char *kid, const char *more)
{
	unsigned char *der = NULL;
	int n = i2d_PrivateKey(k, &der);
	enum jose_why why;
	struct jwk *key = NULL;
	struct str ret;

	if (!err_ok(jwk_from_private(str_of((const char *)der, (size_t)n),
		str_c(kid), JOSE_ALG_MAX_, &why, &key)))
		abort();
	OPENSSL_free(der);
	ret = kit_public(key, more);
	(void)jwk_free(key);
	return ret;
}

static void
begin(void)
{
	if (op != NULL)
		return;
	arena_init(&kit, (size_t)64 << 20);
	op = EVP_RSA_gen(2048);
	evil = EVP_RSA_gen(2048);
	op_jwk = jwk_of(op, "op", "");
	es = kit_key(JWK_NEW_P256, "es");
	es_jwk = kit_public(es, "");
	one = kit_set(op_jwk, STR(""), STR(""));
	both = kit_set(op_jwk, jwk_of(evil, "old", ""), es_jwk);
}

static const char *const id_claims[][2] = {
    {"iss", "\"https://op.example\""},
    {"sub", "\"alice\""},
    {"aud", "\"redoubt\""},
    {"exp", "1795842300"},
    {"iat", "1795842000"},
    {"nonce", "\"n-0S6_WzA2Mj\""},
    {"acr", "\"urn:mfa\""},
    {NULL, NULL},
};
static const char *const logout_claims[][2] = {
    {"iss", "\"https://op.example\""},
    {"sub", "\"alice\""},
    {"aud", "\"redoubt\""},
    {"exp", "1795842120"},
    {"iat", "1795842000"},
    {"jti", "\"j1\""},
    {"events", "{\"" EVENT "\":{}}"},
    {NULL, NULL},
};

/* The claims, one of them changed, added or (value NULL) left out. */
static struct str
claims(const char *const base[][2], const char *name, const char *value)
{
	const char *sep = "{";
	bool found = false;
	struct buf b;

	buf_init_on(&b, &kit, 65536);
	for (size_t i = 0; base[i][0] != NULL; i++) {
		bool mine = name != NULL && strcmp(base[i][0], name) == 0;
		const char *v = mine ? value : base[i][1];

		found = found || mine;
		if (v == NULL)
			continue;
		buf_fmt(&b, "%s\"%s\":", sep, base[i][0]);
		buf_c(&b, v);
		sep = ",";
	}
	if (name != NULL && !found && value != NULL) {
		buf_fmt(&b, ",\"%s\":", name);
		buf_c(&b, value);
	}
	buf_c(&b, "}");
	return buf_view(&b);
}

#define HEADER "{\"alg\":\"RS256\",\"kid\":\"op\"}"
#define LOGOUT "{\"alg\":\"RS256\",\"kid\":\"op\",\"typ\":\"logout+jwt\"}"

static struct str
good_claims(void)
{
	return claims(id_claims, NULL, NULL);
}

static void
check(const char *name, err e, enum jose_why why, enum jose_why want)
{
	if (why != want || err_ok(e) != (want == WHY_OK))
		T_FAIL("%s: %s, %s, want %s", name, err_name(e),
		    jose_why_text(why), jose_why_text(want));
	count += want != WHY_OK;
}

static void
id(const char *name, struct str token, const struct jwks *keys,
    enum jose_why want)
{
	enum jose_why why = WHY_MAX_;
	struct oidc_person who;
	err e = oidc_id_token(&kit, token, &rules, keys, &why, &who);

	check(name, e, why, want);
}

static void
logout(const char *name, struct str token, enum jose_why want)
{
	enum jose_why why = WHY_MAX_;
	struct oidc_logout out;
	err e = oidc_logout_token(&kit, token, &rules, one, &why, &out);

	check(name, e, why, want);
}

#define S64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* ---- what it claims ---- */

static const struct {
	const char *name, *claim, *value;
	enum jose_why why;
} said[] = {
    {"good", NULL, NULL, WHY_OK},
    {"oidf-invalid-iss", "iss", "\"https://other.example\"", WHY_ISS},
    {"oidf-missing-iss", "iss", NULL, WHY_ISS},
    {"oidf-missing-sub", "sub", NULL, WHY_SUB},
    {"oidf-invalid-aud", "aud", "\"other\"", WHY_AUD},
    {"oidf-missing-aud", "aud", NULL, WHY_AUD},
    {"oidf-missing-iat", "iat", NULL, WHY_IAT},
    {"oidf-missing-exp", "exp", NULL, WHY_EXP},
    {"oidf-nonce-invalid", "nonce", "\"other\"", WHY_NONCE},
    {"oidf-nonce-missing", "nonce", NULL, WHY_NONCE},
    {"oidf-bad-c_hash", "c_hash", "\"LDktKdoQak3Pk0cnXxCltA\"", WHY_C_HASH},
    {"c_hash empty", "c_hash", "\"\"", WHY_C_HASH},
    {"c_hash no text", "c_hash", "7", WHY_C_HASH},
    {"c_hash of no base64url", "c_hash", "\"+/==\"", WHY_C_HASH},
    {"at_hash of a token never used", "at_hash", "\"x\"", WHY_OK},
    {"iss of another tenant", "iss", "\"https://op.example/t2\"", WHY_ISS},
    {"iss with a port", "iss", "\"https://op.example:443\"", WHY_ISS},
    {"iss in http", "iss", "\"http://op.example\"", WHY_ISS},
    {"iss with a NUL", "iss", "\"https://op.example\\u0000\"", WHY_ISS},
    {"iss null", "iss", "null", WHY_ISS},
    {"aud with ours inside", "aud", "\"redoubt other\"", WHY_AUD},
    {"aud a prefix", "aud", "\"redoub\"", WHY_AUD},
    {"aud nested", "aud", "[[\"redoubt\"]]", WHY_AUD},
    {"aud null", "aud", "null", WHY_AUD},
    {"aud of two, no azp", "aud", "[\"redoubt\",\"x\"]", WHY_AZP},
    {"azp another", "azp", "\"x\"", WHY_AZP},
    {"azp a list", "azp", "[\"redoubt\"]", WHY_AZP},
    {"exp a minute ago", "exp", "1795841939", WHY_EXP},
    {"exp as text", "exp", "\"1795842300\"", WHY_EXP},
    {"exp a fraction", "exp", "1795842300.9", WHY_EXP},
    {"exp 1e400", "exp", "1e400", WHY_EXP},
    {"exp negative", "exp", "-1795842300", WHY_EXP},
    {"exp 2^63", "exp", "9223372036854775808", WHY_EXP},
    {"exp 2^64 + later", "exp", "18446744075505393916", WHY_EXP},
    {"exp in milliseconds", "exp", "1795842300000", WHY_EXP},
    {"exp a list", "exp", "[1795842300]", WHY_EXP},
    {"nbf ahead", "nbf", "1795842061", WHY_NBF},
    {"nbf null", "nbf", "null", WHY_NBF},
    {"iat ahead", "iat", "1795842061", WHY_IAT},
    {"iat old", "iat", "1795841339", WHY_IAT},
    {"iat as text", "iat", "\"1795842000\"", WHY_IAT},
    {"sub empty", "sub", "\"\"", WHY_SUB},
    {"sub of 256 bytes", "sub", "\"" S64 S64 S64 S64 "\"", WHY_SUB},
    {"sub with a NUL", "sub", "\"alice\\u0000\"", WHY_SUB},
    {"sub with a DEL", "sub", "\"alice\\u007f\"", WHY_SUB},
    {"sub a number", "sub", "1001", WHY_SUB},
    {"sub a list", "sub", "[\"alice\"]", WHY_SUB},
    {"nonce in other case", "nonce", "\"N-0s6_WzA2Mj\"", WHY_NONCE},
    {"nonce a prefix", "nonce", "\"n-0S6_\"", WHY_NONCE},
    {"nonce empty", "nonce", "\"\"", WHY_NONCE},
    {"nonce null", "nonce", "null", WHY_NONCE},
    {"acr weaker", "acr", "\"urn:pwd\"", WHY_ACR},
    {"acr missing", "acr", NULL, WHY_ACR},
    {"acr a list", "acr", "[\"urn:mfa\"]", WHY_ACR},
    {"auth_time ahead", "auth_time", "1795842061", WHY_AUTH_TIME},
    {"auth_time as text", "auth_time", "\"1795842000\"", WHY_AUTH_TIME},
    {"auth_time negative", "auth_time", "-1", WHY_AUTH_TIME},
    {"groups elsewhere", "_claim_names", "{\"groups\":\"s\"}", WHY_OVERAGE},
    {"groups left out", "hasgroups", "true", WHY_OVERAGE},
    {"groups as text", "groups", "\"admins,ops\"", WHY_GROUPS},
    {"groups of objects", "groups", "[{\"id\":\"a\"}]", WHY_GROUPS},
    {"groups null", "groups", "null", WHY_GROUPS},
    {"name with an escape", "name", "\"a\\u001b[2J\"", WHY_TEXT},
    {"email with a line", "email", "\"a@b\\nBcc: c@d\"", WHY_TEXT},
    {"sid an object", "sid", "{}", WHY_TEXT},
    {"iss twice", "x\":1,\"iss", "\"https://op.example\"", WHY_JSON_DUP},
    {"sub twice", "x\":1,\"sub", "\"root\"", WHY_JSON_DUP},
};

TEST(what_it_claims)
{
	begin();
	for (size_t i = 0; i < sizeof said / sizeof *said; i++)
		id(said[i].name,
		    kit_sign(op, "SHA256", STR(HEADER),
			claims(id_claims, said[i].claim, said[i].value)),
		    one, said[i].why);
}

/* ---- how it says it ---- */

#define RS(more) "{\"alg\":\"RS256\",\"kid\":\"op\"," more "}"
static const struct {
	const char *name, *header;
	enum jose_why why;
} said_how[] = {
    {"good", HEADER, WHY_OK},
    {"oidf-kid-absent-single-jwks", "{\"alg\":\"RS256\"}", WHY_OK},
    {"alg none", "{\"alg\":\"none\"}", WHY_ALG},
    {"alg nOnE", "{\"alg\":\"nOnE\"}", WHY_ALG},
    {"alg of encryption", "{\"alg\":\"RSA-OAEP-256\"}", WHY_ALG},
    {"alg not agreed", "{\"alg\":\"RS512\",\"kid\":\"op\"}", WHY_ALG},
    {"alg of another padding", "{\"alg\":\"PS256\",\"kid\":\"op\"}", WHY_SIG},
    {"alg of another key", "{\"alg\":\"ES256\",\"kid\":\"op\"}", WHY_KID},
    {"kid unknown", "{\"alg\":\"RS256\",\"kid\":\"x\"}", WHY_KID},
    {"kid a path", "{\"alg\":\"RS256\",\"kid\":\"../../dev/null\"}", WHY_KID},
    {"kid of SQL", "{\"alg\":\"RS256\",\"kid\":\"' OR 1=1 --\"}", WHY_KID},
    {"kid with a NUL", "{\"alg\":\"RS256\",\"kid\":\"op\\u0000\"}", WHY_KID},
    {"kid a number", "{\"alg\":\"RS256\",\"kid\":1}", WHY_HEADER},
    {"jku", RS("\"jku\":\"https://evil.example/jwks\""), WHY_HEADER_KEY},
    {"x5u", RS("\"x5u\":\"https://evil.example/\""), WHY_HEADER_KEY},
    {"jwk", RS("\"jwk\":{\"kty\":\"RSA\"}"), WHY_HEADER_KEY},
    {"x5c", RS("\"x5c\":[\"MIIB\"]"), WHY_HEADER_KEY},
    {"crit", RS("\"crit\":[\"exp\"]"), WHY_CRIT},
    {"b64 false", RS("\"b64\":false"), WHY_B64_HEADER},
    {"zip", RS("\"zip\":\"DEF\""), WHY_ZIP},
    {"alg twice", RS("\"alg\":\"none\""), WHY_JSON_DUP},
    {"an access token", RS("\"typ\":\"at+jwt\""), WHY_TYP},
    {"a logout token", RS("\"typ\":\"logout+jwt\""), WHY_TYP},
    {"a proof of possession", RS("\"typ\":\"dpop+jwt\""), WHY_TYP},
    {"an event", RS("\"typ\":\"secevent+jwt\""), WHY_TYP},
    {"typ empty", RS("\"typ\":\"\""), WHY_TYP},
    {"no header", "", WHY_HEADER},
    {"a BOM", "\xef\xbb\xbf" HEADER, WHY_HEADER},
    {"more behind", HEADER "x", WHY_HEADER},
};

TEST(how_it_says_it)
{
	begin();
	for (size_t i = 0; i < sizeof said_how / sizeof *said_how; i++)
		id(said_how[i].name,
		    kit_sign(op, "SHA256", str_c(said_how[i].header),
			good_claims()),
		    one, said_how[i].why);
}

/* ---- who signs ---- */

static struct str
mac(struct str secret)
{
	struct str h = STR("{\"alg\":\"HS256\",\"kid\":\"op\"}");
	struct str text = kit_cat(kit_b64(h), ".", kit_b64(good_claims()));
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	(void)HMAC(EVP_sha256(), secret.p, (int)secret.n,
	    (const unsigned char *)text.p, text.n, sum, &n);
	return kit_cat(text, ".", kit_b64(str_of((const char *)sum, n)));
}

static struct str
der_of(EVP_PKEY *k)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(k, &der);
	struct str ret;

	if (n <= 0)
		abort();
	ret = arena_dup(&kit, str_of((const char *)der, (size_t)n));
	OPENSSL_free(der);
	return ret;
}

TEST(who_signs)
{
	struct str good, head, mine;
	struct jwks *rotated, *wraps;

	begin();
	rotated = kit_set(es_jwk, STR(""), STR(""));
	wraps = kit_set(jwk_of(op, "op", ",\"use\":\"enc\""), es_jwk, STR(""));
	good = kit_sign(op, "SHA256", STR(HEADER), good_claims());
	head = kit_cat(kit_b64(STR(HEADER)), ".", kit_b64(good_claims()));
	mine = kit_sign(evil, "SHA256", STR(HEADER), good_claims());
	id("oidf-idtoken-sig-rs256", good, one, WHY_OK);
	id("oidf-kid-absent-multiple-jwks",
	    kit_sign(op, "SHA256", STR("{\"alg\":\"RS256\"}"), good_claims()),
	    both, WHY_AMBIGUOUS);
	id("oidf-invalid-sig-rs256", mine, one, WHY_SIG);
	id("oidf-rotated away", good, rotated, WHY_KID);
	id("oidf-idtoken-sig-none",
	    kit_cat(kit_b64(STR("{\"alg\":\"none\"}")), ".",
		kit_cat(kit_b64(good_claims()), ".", STR(""))),
	    one, WHY_ALG);
	id("oidf-invalid-sig-hs256", mac(STR("secret")), one, WHY_ALG);
	id("HS256 with the public key", mac(der_of(op)), one, WHY_ALG);
	id("HS256 with the JWK", mac(op_jwk), one, WHY_ALG);
	id("no signature", kit_cat(head, ".", STR("")), one, WHY_SIG);
	id("a signature of zeros",
	    kit_cat(head, ".", kit_b64(str_of((char[256]){0}, 256))), one,
	    WHY_SIG);
	id("a key for encryption",
	    kit_sign(op, "SHA256", STR(HEADER), good_claims()), wraps, WHY_KID);
	id("SHA-1 in the signature",
	    kit_sign(op, "SHA1", STR(HEADER), good_claims()), one, WHY_SIG);
	T_OK(kit_set(op_jwk, jwk_of(evil, "op", ""), STR("")) == NULL);
	(void)jwks_free(rotated);
	(void)jwks_free(wraps);
}

/* r || s of an ES256 signature. */
TEST(signatures_of_points)
{
	static const unsigned char n[32] = {0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0,
	    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
	    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63,
	    0x25, 0x51};
	struct str h = STR("{\"alg\":\"ES256\",\"kid\":\"es\"}"), head;
	char raw[65] = {0};

	begin();
	head = kit_cat(kit_b64(h), ".", kit_b64(good_claims()));
	id("oidf-invalid-sig-es256: r = s = 0",
	    kit_cat(head, ".", kit_b64(str_of(raw, 64))), both, WHY_SIG);
	memcpy(raw, n, 32);
	memcpy(raw + 32, n, 32);
	id("r = s = n", kit_cat(head, ".", kit_b64(str_of(raw, 64))), both,
	    WHY_SIG);
	id("truncated", kit_cat(head, ".", kit_b64(str_of(raw, 63))), both,
	    WHY_SIG);
	id("too long", kit_cat(head, ".", kit_b64(str_of(raw, 65))), both,
	    WHY_SIG);
	memcpy(raw, "\x30\x06\x02\x01\x01\x02\x01\x01", 8);
	id("DER", kit_cat(head, ".", kit_b64(str_of(raw, 8))), both, WHY_SIG);
}

/* ---- the form ---- */

TEST(forms)
{
	struct str good, long_one, h = kit_b64(STR(HEADER));
	struct buf b;

	begin();
	h = kit_b64(STR(HEADER));
	good = kit_sign(op, "SHA256", STR(HEADER), good_claims());
	id("two parts", kit_cat(h, ".", h), one, WHY_FORM);
	id("four parts", kit_cat(good, ".", STR("x")), one, WHY_FORM);
	id("six parts", kit_cat(good, ".a.b.", STR("c")), one, WHY_FORM);
	id("JSON serialisation", STR("{\"payload\":\"e30\"}"), one, WHY_FORM);
	id("padded", kit_cat(good, "=", STR("")), one, WHY_B64);
	id("a line at the end", kit_cat(good, "\n", STR("")), one, WHY_B64);
	id("a space before", kit_cat(STR(" "), "", good), one, WHY_B64);
	id("claims a list", kit_sign(op, "SHA256", STR(HEADER), STR("[]")), one,
	    WHY_CLAIMS);
	id("claims with more behind",
	    kit_sign(op, "SHA256", STR(HEADER),
		kit_cat(good_claims(), "", STR("{}"))),
	    one, WHY_CLAIMS);
	id("claims with a BOM",
	    kit_sign(op, "SHA256", STR(HEADER),
		kit_cat(STR("\xef\xbb\xbf"), "", good_claims())),
	    one, WHY_CLAIMS);
	id("claims not UTF-8",
	    kit_sign(op, "SHA256", STR(HEADER),
		claims(id_claims, "name", "\"\xff\"")),
	    one, WHY_CLAIMS);
	buf_init_on(&b, &kit, 65536);
	for (int i = 0; i < 1000; i++)
		buf_c(&b, "[");
	for (int i = 0; i < 1000; i++)
		buf_c(&b, "]");
	buf_char(&b, '\0');
	id("a thousand deep",
	    kit_sign(op, "SHA256", STR(HEADER), claims(id_claims, "deep", b.p)),
	    one, WHY_CLAIMS);
	buf_init_on(&b, &kit, 65536);
	buf_c(&b, "\"");
	for (int i = 0; i < 17 * 1024; i++)
		buf_c(&b, "a");
	buf_c(&b, "\"");
	buf_char(&b, '\0');
	long_one = kit_sign(op, "SHA256", STR(HEADER),
	    claims(id_claims, "picture", b.p));
	id("17 KiB", long_one, one, WHY_SIZE);
}

/* ---- logging people out ---- */

static const struct {
	const char *name, *header, *claim, *value;
	enum jose_why why;
} outs[] = {
    {"oidf-backchannel-logout", LOGOUT, NULL, NULL, WHY_OK},
    {"oidf-logout-alg-none", "{\"alg\":\"none\",\"typ\":\"logout+jwt\"}", NULL,
	NULL, WHY_ALG},
    {"oidf-logout-wrong-alg",
	"{\"alg\":\"RS384\",\"kid\":\"op\",\"typ\":\"logout+jwt\"}", NULL, NULL,
	WHY_ALG},
    {"oidf-logout-no-event", LOGOUT, "events", NULL, WHY_EVENTS},
    {"oidf-logout-wrong-event", LOGOUT, "events", "{\"urn:x\":{}}", WHY_EVENTS},
    {"oidf-logout-with-nonce", LOGOUT, "nonce", "\"n\"", WHY_LOGOUT_NONCE},
    {"oidf-logout-wrong-aud", LOGOUT, "aud", "\"x\"", WHY_AUD},
    {"oidf-logout-wrong-iss", LOGOUT, "iss", "\"https://x\"", WHY_ISS},
    {"an id_token's typ", HEADER, NULL, NULL, WHY_TYP},
    {"an access token's", RS("\"typ\":\"at+jwt\""), NULL, NULL, WHY_TYP},
    {"of nobody", LOGOUT, "sub", NULL, WHY_LOGOUT_WHO},
    {"without an id", LOGOUT, "jti", NULL, WHY_JTI},
    {"old", LOGOUT, "iat", "1795841000", WHY_IAT},
    {"over", LOGOUT, "exp", "1795841900", WHY_EXP},
    {"events a list", LOGOUT, "events", "[\"" EVENT "\"]", WHY_EVENTS},
};

TEST(logging_people_out)
{
	begin();
	for (size_t i = 0; i < sizeof outs / sizeof *outs; i++)
		logout(outs[i].name,
		    kit_sign(op, "SHA256", str_c(outs[i].header),
			claims(logout_claims, outs[i].claim, outs[i].value)),
		    outs[i].why);
}

TEST(enough)
{
	printf("# %u misbehaviours\n", count);
	T_OK(count >= 80);
}

T_MAIN
