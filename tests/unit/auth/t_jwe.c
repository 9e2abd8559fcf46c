/* t_jwe.c: encrypted tokens: made by hand here, taken and refused there. */
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "tests/unit/auth/jose_kit.h"

struct made {
	const char *header;
	const unsigned char *cek;
	size_t cek_n, iv_n, tag_n;
	struct str key; /* encrypted key, raw */
};

static struct jwk *ec, *other;
static struct jwks *set;
static EVP_PKEY *rsa;
static unsigned char cek[32];
static int cases;
static struct jwe_rules rules = {JOSE_WRAP_ALGS | JOSE_BIT(JOSE_DIR),
    JOSE_SEAL_ALGS, LIM_JWT, false};

#define PLAIN STR("{\"alert\":\"x\"}")

/* header.key.iv.ciphertext.tag under that content key. */
static struct str
seal(const struct made *m)
{
	struct str aad = kit_b64(str_c(m->header)), plain = PLAIN, out;
	unsigned char iv[32] = {7}, ct[256], tag[32];
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	EVP_CIPHER *c = EVP_CIPHER_fetch(NULL,
	    m->cek_n == 32 ? "AES-256-GCM" : "AES-128-GCM", NULL);
	int n = 0;

	if (EVP_EncryptInit_ex2(ctx, c, NULL, NULL, NULL) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, (int)m->iv_n,
		NULL) != 1 ||
	    EVP_EncryptInit_ex2(ctx, NULL, m->cek, iv, NULL) != 1 ||
	    EVP_EncryptUpdate(ctx, NULL, &n, (const unsigned char *)aad.p,
		(int)aad.n) != 1 ||
	    EVP_EncryptUpdate(ctx, ct, &n, (const unsigned char *)plain.p,
		(int)plain.n) != 1 ||
	    EVP_EncryptFinal_ex(ctx, ct + n, &n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, tag) != 1)
		exit(1);
	EVP_CIPHER_CTX_free(ctx);
	EVP_CIPHER_free(c);
	out = kit_cat(aad, ".", kit_b64(m->key));
	out = kit_cat(out, ".", kit_b64(str_of((const char *)iv, m->iv_n)));
	out = kit_cat(out, ".", kit_b64(str_of((const char *)ct, plain.n)));
	return kit_cat(out, ".", kit_b64(str_of((const char *)tag, m->tag_n)));
}

static struct str
oaep(EVP_PKEY *key, const char *md, size_t n)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	unsigned char *out = arena_get(&kit, 1024);
	size_t out_n = 1024;

	if (EVP_PKEY_encrypt_init(c) != 1 ||
	    EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_OAEP_PADDING) != 1 ||
	    EVP_PKEY_CTX_set_rsa_oaep_md_name(c, md, NULL) != 1 ||
	    EVP_PKEY_CTX_set_rsa_mgf1_md_name(c, md, NULL) != 1 ||
	    EVP_PKEY_encrypt(c, out, &out_n, cek, n) != 1)
		exit(1);
	EVP_PKEY_CTX_free(c);
	return str_of((const char *)out, out_n);
}

static struct str
pkcs1(void)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(NULL, rsa, NULL);
	unsigned char *out = arena_get(&kit, 1024);
	size_t n = 1024;

	if (EVP_PKEY_encrypt_init(c) != 1 ||
	    EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING) != 1 ||
	    EVP_PKEY_encrypt(c, out, &n, cek, 32) != 1)
		exit(1);
	EVP_PKEY_CTX_free(c);
	return str_of((const char *)out, n);
}

static void
expect(const char *name, struct str token, enum jose_why want)
{
	enum jose_why why = WHY_OK;
	struct jwe e = {0};
	bool ok = err_ok(jwe_decrypt(&kit, token, &rules, set, &why, &e));

	cases++;
	if (ok != (want == WHY_OK) || why != want)
		T_FAIL("%s: %s, not %s", name, jose_why_text(why),
		    jose_why_text(want));
	if (ok && !str_eq(e.plain, PLAIN))
		T_FAIL("%s: another text", name);
}

static void
begin(void)
{
	unsigned char *der = NULL;
	enum jose_why why;
	struct jwk *k;
	int n;

	arena_init(&kit, (size_t)32 * 1024 * 1024);
	rsa = EVP_RSA_gen(2048);
	n = i2d_PrivateKey(rsa, &der);
	T_REQUIRE(err_ok(jwk_from_private(str_of((const char *)der, (size_t)n),
	    STR("rsa"), JOSE_ALG_MAX_, &why, &k)));
	OPENSSL_free(der);
	ec = kit_key(JWK_NEW_P256, "ec");
	other = kit_key(JWK_NEW_P256, "other");
	set = jwks_new();
	T_REQUIRE(err_ok(jwks_add(set, k)));
	T_REQUIRE(err_ok(jwks_add(set, ec)));
	T_REQUIRE(RAND_bytes(cek, sizeof cek) == 1);
}

#define RSA_HEAD "{\"alg\":\"RSA-OAEP-256\",\"enc\":\"A256GCM\",\"kid\":\"rsa\""

static struct str
good_rsa(const char *header)
{
	struct made m = {header, cek, 32, 12, 16, oaep(rsa, "SHA256", 32)};

	return seal(&m);
}

TEST(rsa_oaep)
{
	struct made m = {RSA_HEAD "}", cek, 32, 12, 16, STR("")};
	struct str t;

	begin();
	m.key = oaep(rsa, "SHA256", 32);
	expect("good", seal(&m), WHY_OK);
	expect("no kid",
	    good_rsa("{\"alg\":\"RSA-OAEP-256\",\"enc\":"
		     "\"A256GCM\"}"),
	    WHY_OK);
	m.key = oaep(rsa, "SHA1", 32);
	expect("SHA-1 inside", seal(&m), WHY_DECRYPT);
	m.key = pkcs1();
	expect("PKCS #1 inside", seal(&m), WHY_DECRYPT);
	m.key = oaep(rsa, "SHA256", 16);
	expect("a shorter key", seal(&m), WHY_DECRYPT);
	m.key = STR("");
	expect("no key", seal(&m), WHY_CEK);
	m.key = STR("abc");
	expect("a key of 3 bytes", seal(&m), WHY_DECRYPT);
	m.key = oaep(rsa, "SHA256", 32);
	for (size_t n = 0; n <= 17; n++) {
		m.tag_n = n;
		expect("tag", seal(&m), n == 16 ? WHY_OK : WHY_TAG);
	}
	m.tag_n = 16;
	for (size_t n = 8; n <= 16; n += 4) {
		m.iv_n = n;
		expect("iv", seal(&m), n == 12 ? WHY_OK : WHY_IV);
	}
	m.iv_n = 12;
	m.cek = (const unsigned char *)"0123456789abcdef0123456789abcdef";
	expect("another content key", seal(&m), WHY_DECRYPT);
	t = good_rsa(RSA_HEAD "}");
	expect("five parts and one", kit_cat(t, ".", STR("")), WHY_FORM);
	expect("four parts", str_of(t.p, t.n - 23), WHY_FORM);
}

TEST(headers)
{
	expect("zip", good_rsa(RSA_HEAD ",\"zip\":\"DEF\"}"), WHY_ZIP);
	expect("crit", good_rsa(RSA_HEAD ",\"crit\":[\"x\"]}"), WHY_CRIT);
	expect("p2c", good_rsa(RSA_HEAD ",\"p2c\":1000000000}"), WHY_PBES);
	expect("p2s", good_rsa(RSA_HEAD ",\"p2s\":\"AA\"}"), WHY_PBES);
	expect("jku", good_rsa(RSA_HEAD ",\"jku\":\"http://x\"}"),
	    WHY_HEADER_KEY);
	expect("jwk", good_rsa(RSA_HEAD ",\"jwk\":{}}"), WHY_HEADER_KEY);
	expect("kid",
	    good_rsa("{\"alg\":\"RSA-OAEP-256\",\"enc\":\"A256GCM\","
		     "\"kid\":\"x\"}"),
	    WHY_KID);
	expect("kid of another type",
	    good_rsa("{\"alg\":\"RSA-OAEP-256\","
		     "\"enc\":\"A256GCM\",\"kid\":"
		     "\"ec\"}"),
	    WHY_KID);
	expect("RSA1_5", good_rsa("{\"alg\":\"RSA1_5\",\"enc\":\"A256GCM\"}"),
	    WHY_ALG);
	expect("RSA-OAEP",
	    good_rsa("{\"alg\":\"RSA-OAEP\",\"enc\":"
		     "\"A256GCM\"}"),
	    WHY_ALG);
	expect("PBES2",
	    good_rsa("{\"alg\":\"PBES2-HS256+A128KW\",\"enc\":"
		     "\"A256GCM\"}"),
	    WHY_ALG);
	expect("none", good_rsa("{\"alg\":\"none\",\"enc\":\"A256GCM\"}"),
	    WHY_ALG);
	expect("RS256", good_rsa("{\"alg\":\"RS256\",\"enc\":\"A256GCM\"}"),
	    WHY_ALG);
	expect("CBC",
	    good_rsa("{\"alg\":\"RSA-OAEP-256\",\"enc\":"
		     "\"A256CBC-HS512\"}"),
	    WHY_ENC);
	expect("A192GCM",
	    good_rsa("{\"alg\":\"RSA-OAEP-256\",\"enc\":"
		     "\"A192GCM\"}"),
	    WHY_ENC);
	expect("no enc", good_rsa("{\"alg\":\"RSA-OAEP-256\"}"), WHY_ENC);
	expect("enc as alg",
	    good_rsa("{\"alg\":\"A256GCM\",\"enc\":"
		     "\"A256GCM\"}"),
	    WHY_ALG);
	expect("A128GCM with 32 bytes",
	    good_rsa("{\"alg\":\"RSA-OAEP-256\","
		     "\"enc\":\"A128GCM\"}"),
	    WHY_DECRYPT);
	expect("twice",
	    good_rsa("{\"alg\":\"RSA-OAEP-256\",\"enc\":"
		     "\"A128GCM\",\"enc\":\"A256GCM\"}"),
	    WHY_JSON_DUP);
	rules.need_kid = true;
	expect("a kid is wanted",
	    good_rsa("{\"alg\":\"RSA-OAEP-256\",\"enc\":"
		     "\"A256GCM\"}"),
	    WHY_KID);
	rules.need_kid = false;
	rules.max = 100;
	expect("too long", good_rsa(RSA_HEAD "}"), WHY_SIZE);
	rules.max = LIM_JWT;
}

/* One bit of each part. */
TEST(changed)
{
	struct str t = good_rsa(RSA_HEAD "}");
	char *p = arena_get(&kit, t.n);
	size_t dots = 0;

	for (size_t i = 0; i < t.n; i++) {
		enum jose_why why = WHY_OK;
		struct jwe e;

		dots += t.p[i] == '.';
		if (t.p[i] == '.' || i % 7 != 0 || dots == 0)
			continue;
		memcpy(p, t.p, t.n);
		p[i] = p[i] == 'A' ? 'B' : 'A';
		if (p[i] == t.p[i])
			continue;
		if (err_ok(jwe_decrypt(&kit, str_of(p, t.n), &rules, set, &why,
			&e)))
			T_FAIL("byte %zu changed and taken", i);
	}
}

/* ---- agreed keys ---- */

#define EPK(crv, x, y)                                                         \
	",\"epk\":{\"kty\":\"EC\",\"crv\":\"" crv "\",\"x\":\"" x              \
	"\",\"y\":\"" y "\"}"
#define X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define ZERO "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define ES "{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"kid\":\"ec\""

static void
agreed(const char *name, const char *header, const char *key,
    enum jose_why want)
{
	struct made m = {header, cek, 32, 12, 16, str_c(key)};

	expect(name, seal(&m), want);
}

TEST(ecdh)
{
	agreed("a key of theirs", ES EPK("P-256", X, Y) "}", "", WHY_DECRYPT);
	agreed("no epk", ES "}", "", WHY_EPK);
	agreed("epk no object", ES ",\"epk\":\"x\"}", "", WHY_EPK);
	agreed("not on the curve", ES EPK("P-256", X, X) "}", "", WHY_EPK);
	agreed("swapped", ES EPK("P-256", Y, X) "}", "", WHY_EPK);
	agreed("origin", ES EPK("P-256", ZERO, ZERO) "}", "", WHY_EPK);
	agreed("short", ES EPK("P-256", "AA", "AA") "}", "", WHY_EPK);
	agreed("other curve", ES EPK("P-384", X, Y) "}", "", WHY_EPK);
	agreed("unknown curve", ES EPK("secp256k1", X, Y) "}", "", WHY_EPK);
	agreed("with a private half",
	    ES ",\"epk\":{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X
	       "\",\"y\":\"" Y "\",\"d\":\"" X "\"}}",
	    "", WHY_EPK);
	agreed("X25519 for P-256",
	    ES ",\"epk\":{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" X "\"}}",
	    "", WHY_KID);
	agreed("Ed25519",
	    ES ",\"epk\":{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" X
	       "\"}}",
	    "", WHY_EPK);
	agreed("a key sent along", ES EPK("P-256", X, Y) "}", "abcdefgh",
	    WHY_CEK);
	agreed("apu", ES EPK("P-256", X, Y) ",\"apu\":\"!\"}", "", WHY_PARTY);
	agreed("apv", ES EPK("P-256", X, Y) ",\"apv\":7}", "", WHY_PARTY);
	agreed("wrapped by nobody",
	    "{\"alg\":\"ECDH-ES+A256KW\",\"enc\":\"A256GCM\",\"kid\":"
	    "\"ec\"" EPK("P-256", X, Y) "}",
	    "0123456789012345678901234567890123456789", WHY_DECRYPT);
	agreed("nothing wrapped",
	    "{\"alg\":\"ECDH-ES+A256KW\",\"enc\":\"A256GCM\",\"kid\":"
	    "\"ec\"" EPK("P-256", X, Y) "}",
	    "", WHY_CEK);
	agreed("an algorithm we do not speak",
	    "{\"alg\":\"ECDH-ES+A128KW\",\"enc\":\"A256GCM\",\"kid\":"
	    "\"ec\"" EPK("P-256", X, Y) "}",
	    "x", WHY_ALG);
}

/* ---- what the caller allows, and holds ---- */

TEST(allowed)
{
	const struct jwe_rules all = rules;
	struct jwks *mine = set;
	struct str t = good_rsa(RSA_HEAD "}");

	rules.algs = all.algs & ~JOSE_BIT(JOSE_RSA_OAEP_256);
	expect("another algorithm is allowed", t, WHY_ALG);
	rules = all;
	rules.encs = JOSE_BIT(JOSE_A128GCM);
	expect("another content encryption is allowed", t, WHY_ENC);
	rules = all;
	rules.max = t.n;
	expect("as long as allowed", t, WHY_OK);
	rules.max = t.n - 1;
	expect("longer than allowed", t, WHY_SIZE);
	rules = all;
	set = kit_set(kit_public(mine->keys[0], ""), STR(""), STR(""));
	T_REQUIRE(set != NULL);
	expect("the public half only", t, WHY_KID);
	(void)jwks_free(set);
	set = mine;
}

/* ---- shared keys ---- */

TEST(dir)
{
	static const unsigned char zero[32];
	struct made m = {"{\"alg\":\"dir\",\"enc\":\"A256GCM\"}", cek, 32, 12,
	    16, STR("")};
	struct jwks *mine = set;
	enum jose_why why;
	struct jwk *k;

	set = jwks_new();
	T_REQUIRE(err_ok(jwk_from_secret(str_of((const char *)cek, 32), STR(""),
	    JOSE_ALG_MAX_, &why, &k)));
	T_REQUIRE(err_ok(jwks_add(set, k)));
	expect("good", seal(&m), WHY_OK);
	m.key = STR("x");
	expect("a key sent along", seal(&m), WHY_CEK);
	m.key = STR("");
	m.header = "{\"alg\":\"dir\",\"enc\":\"A128GCM\"}";
	m.cek_n = 16;
	expect("the first half of the key", seal(&m), WHY_DECRYPT);
	m.header = "{\"alg\":\"dir\",\"enc\":\"A256GCM\"}";
	m.cek = zero;
	m.cek_n = 32;
	expect("a key of zeros", seal(&m), WHY_DECRYPT);
	(void)jwks_free(set);
	set = mine;
	m.cek = cek;
	expect("dir without a shared key", seal(&m), WHY_KID);
	printf("# %d cases\n", cases);
	T_OK(cases >= 30);
	(void)jwks_free(set);
	(void)jwk_free(other);
	EVP_PKEY_free(rsa);
	arena_done(&kit);
}

T_MAIN
