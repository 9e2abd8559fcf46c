#include "auth/webauthn.h"

/* libfido2 names these; libcrypto hides them from who does not use them. */
typedef struct ec_key_st EC_KEY;
typedef struct rsa_st RSA;
#include <fido.h>
#include <fido/eddsa.h>
#include <fido/es256.h>
#include <fido/rs256.h>

#include "auth/cose.h"
#include "base/limits.h"
#include "tests/unit/auth/soft.h"

static const int algs[] = {WEBAUTHN_ES256, WEBAUTHN_EDDSA, WEBAUTHN_RS256};
static const struct str handle = {"0123456789abcdef", 16};

static enum webauthn_reason
enrol(struct soft *s, struct webauthn_key *ret)
{
	enum webauthn_reason why = WEBAUTHN_OK;
	struct webauthn_made m;
	err e;

	if (s->type.p == NULL)
		s->type = STR("webauthn.create");
	soft_client_data(s);
	soft_attestation(s);
	m = (struct webauthn_made){s->client_data, s->attestation};
	e = webauthn_register(&s->a, &s->ask, &m, &why, ret);
	T_OK(err_ok(e) == (why == WEBAUTHN_OK));
	T_OK(err_ok(e) || err_is(e, E_UNAUTHENTICATED));
	return why;
}

static struct webauthn_key
key_of(const struct soft *s)
{
	return (struct webauthn_key){.id = s->id, .cose = s->cose};
}

static enum webauthn_reason
prove(struct soft *s, const struct webauthn_key *k, struct str user,
    struct webauthn_key *ret)
{
	enum webauthn_reason why = WEBAUTHN_OK;
	struct webauthn_proof p;
	err e;

	if (s->type.p == NULL)
		s->type = STR("webauthn.get");
	soft_sign(s);
	p = (struct webauthn_proof){.id = s->id,
	    .client_data = s->client_data,
	    .auth_data = s->auth_data,
	    .signature = s->signature,
	    .user = user};
	e = webauthn_assert(&s->a, &s->ask, k, handle, &p, &why, ret);
	T_OK(err_ok(e) == (why == WEBAUTHN_OK));
	T_OK(err_ok(e) || err_is(e, E_UNAUTHENTICATED));
	return why;
}

TEST(registration_and_assertion)
{
	for (size_t i = 0; i < 3; i++) {
		struct webauthn_key k = {.count = 0}, after = {.count = 0};
		struct soft s;

		soft_open(&s, algs[i]);
		s.at = true;
		s.flags |= SOFT_BE;
		s.count = 5;
		T_EQ_INT(enrol(&s, &k), WEBAUTHN_OK);
		T_EQ_STR(k.id, s.id);
		T_EQ_STR(k.cose, s.cose);
		T_EQ_INT(k.count, 5);
		T_OK(k.backup_eligible && !k.backed_up);
		s.at = false;
		s.flags |= SOFT_BS;
		s.count = 6;
		s.type = s.client_data = s.auth_data = STR_NONE;
		T_EQ_INT(prove(&s, &k, handle, &after), WEBAUTHN_OK);
		T_EQ_INT(after.count, 6);
		T_OK(after.backup_eligible && after.backed_up);
		T_EQ_STR(after.cose, k.cose);
		soft_close(&s);
	}
}

/* ---- what is accepted besides the plainest form ---- */

#define CHANGE(id, statement_)                                                 \
	static void id(struct soft *s)                                         \
	{                                                                      \
		statement_;                                                    \
	}

CHANGE(nothing, (void)s)
CHANGE(client_more, s->extra = STR(",\"crossOrigin\":false,\"new\":{\"x\":1}"))
CHANGE(extensions, (s->flags |= 0x80, s->tail = STR("\xa1\x61x\xf5")))
CHANGE(backed_up, s->flags |= SOFT_BE | SOFT_BS)
CHANGE(not_verified, (s->ask.verify = false, s->flags &= (uint8_t)~SOFT_UV))
CHANGE(verified, s->ask.verify = true)
CHANGE(packed,
    (s->fmt = STR("packed"),
	s->statement = STR("\xa3"
			   "calg\x26"
			   "csigB\x01\x02"
			   "cx5c\x81"
			   "C\x01\x02\x03")))
CHANGE(tpm,
    (s->fmt = STR("tpm"),
	s->statement = STR("\xa1"
			   "cverc2.0")))
CHANGE(longest_id,
    s->id = str_of(arena_get(&s->a, LIM_CREDENTIAL_ID), LIM_CREDENTIAL_ID))

struct change {
	const char *name;
	void (*change)(struct soft *s);
	enum webauthn_reason why;
};
#define C(id, reason)                                                          \
	{                                                                      \
#id, id, WEBAUTHN_##reason                                     \
	}

static const struct change good[] = {C(nothing, OK), C(client_more, OK),
    C(extensions, OK), C(backed_up, OK), C(not_verified, OK), C(verified, OK),
    C(packed, OK), C(tpm, OK), C(longest_id, OK)};

/* ---- what both ceremonies refuse ---- */

CHANGE(not_json, s->client_data = STR("type=webauthn.create"))
CHANGE(json_array, s->client_data = STR("[]"))
CHANGE(json_twice, s->extra = STR(",\"origin\":\"https://evil.example\""))
CHANGE(json_behind, s->client_data = STR("{} {}"))
CHANGE(json_long,
    s->extra = str_of(memset(arena_get(&s->a, 3000), ' ', 3000), 3000))
CHANGE(type_other, s->type = STR("payment.get"))
CHANGE(type_empty, s->type = STR(""))
CHANGE(challenge_other,
    s->challenge = STR("CQgIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"))
CHANGE(challenge_short, s->challenge.n = 42)
CHANGE(challenge_none, s->challenge = STR(""))
CHANGE(challenge_padded,
    s->challenge = STR("CQgHAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="))
CHANGE(challenge_first, s->challenge = STR("CQgH"))
CHANGE(origin_other, s->origin = STR("https://evil.example"))
CHANGE(origin_plain, s->origin = STR("http://redoubt.example.org:8443"))
CHANGE(origin_port, s->origin = STR("https://redoubt.example.org"))
CHANGE(origin_slash, s->origin = STR("https://redoubt.example.org:8443/"))
CHANGE(origin_sub, s->origin = STR("https://x.redoubt.example.org:8443"))
CHANGE(origin_longer,
    s->origin = STR("https://redoubt.example.org:8443.evil.example"))
CHANGE(origin_case, s->origin = STR("https://Redoubt.example.org:8443"))
CHANGE(origin_null, s->origin = STR("null"))
CHANGE(framed, s->extra = STR(",\"crossOrigin\":true"))
CHANGE(framed_text, s->extra = STR(",\"crossOrigin\":\"false\""))
CHANGE(framed_top, s->extra = STR(",\"topOrigin\":\"https://evil.example\""))
CHANGE(rp_other, s->rp = STR("evil.example"))
CHANGE(rp_parent, s->rp = STR("example.org"))
CHANGE(rp_empty, s->rp = STR(""))
CHANGE(absent, s->flags = SOFT_UV)
CHANGE(unverified, (s->ask.verify = true, s->flags = SOFT_UP))
CHANGE(backup_alone, s->flags |= SOFT_BS)
CHANGE(flag_reserved, s->flags |= 2)
CHANGE(flag_reserved_too, s->flags |= 32)
CHANGE(tail, s->tail = STR("x"))
CHANGE(tail_map, s->tail = STR("\xa0"))
CHANGE(no_extensions, s->flags |= 0x80)
CHANGE(bad_extensions, (s->flags |= 0x80, s->tail = STR("\xa1\x61x")))
CHANGE(no_map_extensions, (s->flags |= 0x80, s->tail = STR("\x80")))
CHANGE(short_data, s->auth_data = STR("short"))
CHANGE(no_data, s->auth_data = STR(""))

static const struct change both[] = {C(not_json, CLIENT_DATA),
    C(json_array, CLIENT_DATA), C(json_twice, CLIENT_DATA),
    C(json_behind, CLIENT_DATA), C(json_long, CLIENT_DATA), C(type_other, TYPE),
    C(type_empty, TYPE), C(challenge_other, CHALLENGE),
    C(challenge_short, CHALLENGE), C(challenge_none, CHALLENGE),
    C(challenge_padded, CHALLENGE), C(challenge_first, CHALLENGE),
    C(origin_other, ORIGIN), C(origin_plain, ORIGIN), C(origin_port, ORIGIN),
    C(origin_slash, ORIGIN), C(origin_sub, ORIGIN), C(origin_longer, ORIGIN),
    C(origin_case, ORIGIN), C(origin_null, ORIGIN), C(framed, CROSS_ORIGIN),
    C(framed_text, CROSS_ORIGIN), C(framed_top, CROSS_ORIGIN), C(rp_other, RP),
    C(rp_parent, RP), C(rp_empty, RP), C(absent, PRESENCE),
    C(unverified, VERIFICATION), C(backup_alone, BACKUP),
    C(flag_reserved, AUTH_DATA), C(flag_reserved_too, AUTH_DATA),
    C(tail, AUTH_DATA), C(tail_map, AUTH_DATA), C(no_extensions, AUTH_DATA),
    C(bad_extensions, AUTH_DATA), C(no_map_extensions, AUTH_DATA),
    C(short_data, AUTH_DATA), C(no_data, AUTH_DATA)};

/* ---- what a registration refuses ---- */

CHANGE(type_get, s->type = STR("webauthn.get"))
CHANGE(no_key, s->at = false)
CHANGE(id_none, s->id = STR(""))
CHANGE(id_long,
    s->id = str_of(arena_get(&s->a, LIM_CREDENTIAL_ID + 1),
	LIM_CREDENTIAL_ID + 1))
CHANGE(id_n_more, s->id_n = 0xffff)
CHANGE(id_n_less, s->id_n = (int64_t)s->id.n - 1)
CHANGE(att_none, s->attestation = STR(""))
CHANGE(att_array, s->attestation = STR("\x80"))
CHANGE(att_empty, s->attestation = STR("\xa0"))
CHANGE(att_statement, s->statement = STR("\xa1\x61x\x01"))
CHANGE(att_no_map, s->statement = STR("\x80"))
CHANGE(att_endless, s->statement = STR("\xbf\xff"))
CHANGE(att_deep,
    (s->fmt = STR("x"), s->statement = STR("\xa1\x61x\x81\x81\x80")))
CHANGE(att_huge,
    (s->fmt = STR("x"),
	s->statement = str_of(arena_get(&s->a, LIM_ATTESTATION),
	    LIM_ATTESTATION)))
CHANGE(cose_none, s->cose = STR("\xa0"))
CHANGE(cose_es384, s->cose = STR("\xa1\x03\x38\x22"))
CHANGE(cose_rs1, s->cose = STR("\xa1\x03\x39\xff\xfe"))
CHANGE(cose_hs256, s->cose = STR("\xa2\x01\x04\x03\x05"))
CHANGE(cose_alg_text,
    s->cose = STR("\xa1\x03\x65"
		  "ES256"))

static const struct change only_register[] = {C(type_get, TYPE),
    C(no_key, AUTH_DATA), C(id_none, AUTH_DATA), C(id_long, AUTH_DATA),
    C(id_n_more, AUTH_DATA), C(id_n_less, AUTH_DATA), C(att_none, ATTESTATION),
    C(att_array, ATTESTATION), C(att_empty, ATTESTATION),
    C(att_statement, ATTESTATION), C(att_no_map, ATTESTATION),
    C(att_endless, ATTESTATION), C(att_deep, ATTESTATION),
    C(att_huge, ATTESTATION), C(cose_none, KEY), C(cose_es384, ALGORITHM),
    C(cose_rs1, ALGORITHM), C(cose_hs256, ALGORITHM), C(cose_alg_text, KEY)};

/* ---- what an assertion refuses ---- */

CHANGE(type_create, s->type = STR("webauthn.create"))
CHANGE(with_key, s->at = true)
CHANGE(eligible_now, s->flags |= SOFT_BE)
CHANGE(sig_none, s->signature = STR(""))
CHANGE(sig_zero, s->signature = str_of(arena_get(&s->a, 72), 72))
CHANGE(sig_r_s_zero, s->signature = STR("\x30\x06\x02\x01\x00\x02\x01\x00"))
CHANGE(sig_long, s->signature = str_of(arena_get(&s->a, 513), 513))
CHANGE(sig_of_other,
    (s->type = STR("webauthn.get"), soft_sign(s), s->client_data = STR_NONE,
	s->extra = STR(",\"x\":1")))
CHANGE(sig_of_count,
    (s->type = STR("webauthn.get"), soft_sign(s), s->auth_data = STR_NONE,
	s->count = 99))
CHANGE(sig_cut, (s->type = STR("webauthn.get"), soft_sign(s), s->signature.n--))
CHANGE(sig_longer,
    (s->type = STR("webauthn.get"), soft_sign(s),
	s->signature = str_of(memcpy(arena_get(&s->a, s->signature.n + 1),
				  s->signature.p, s->signature.n),
	    s->signature.n + 1)))

static const struct change only_assert[] = {C(type_create, TYPE),
    C(with_key, AUTH_DATA), C(eligible_now, BACKUP), C(sig_none, SIGNATURE),
    C(sig_zero, SIGNATURE), C(sig_r_s_zero, SIGNATURE), C(sig_long, SIGNATURE),
    C(sig_of_other, SIGNATURE), C(sig_of_count, SIGNATURE),
    C(sig_cut, SIGNATURE), C(sig_longer, SIGNATURE)};

#define N(a) (sizeof(a) / sizeof *(a))

static void
all_of(const struct change *c, size_t n, int alg, bool registration)
{
	for (size_t i = 0; i < n; i++) {
		enum webauthn_reason why;
		struct webauthn_key k, ret;
		struct soft s;

		soft_open(&s, alg);
		k = key_of(&s);
		s.at = registration;
		c[i].change(&s);
		k.id = s.id;
		if (c == good)
			k.backup_eligible = (s.flags & SOFT_BE) != 0;
		why = registration ? enrol(&s, &ret)
				   : prove(&s, &k, STR(""), &ret);
		if (why != c[i].why)
			T_FAIL("%s of %d: %s, want %s", c[i].name, alg,
			    webauthn_reason_text(why),
			    webauthn_reason_text(c[i].why));
		soft_close(&s);
	}
}

TEST(other_good_forms)
{
	for (size_t i = 0; i < 2; i++) {
		all_of(good, N(good), algs[i], true);
		all_of(good, N(good), algs[i], false);
	}
}

TEST(refused_by_both)
{
	T_EQ_INT(N(both), 38);
	for (size_t i = 0; i < 2; i++) {
		all_of(both, N(both), algs[i], true);
		all_of(both, N(both), algs[i], false);
	}
}

TEST(refused_by_registration)
{
	T_EQ_INT(N(only_register), 19);
	all_of(only_register, N(only_register), WEBAUTHN_ES256, true);
}

TEST(refused_by_assertion)
{
	T_EQ_INT(N(only_assert), 11);
	for (size_t i = 0; i < 3; i++)
		all_of(only_assert, N(only_assert), algs[i], false);
}

TEST(another_credential)
{
	struct webauthn_key k, ret;
	struct soft s, t;

	soft_open(&s, WEBAUTHN_ES256);
	soft_open(&t, WEBAUTHN_ES256);
	k = key_of(&s);
	k.id = STR("another");
	T_EQ_INT(prove(&s, &k, STR(""), &ret), WEBAUTHN_CREDENTIAL);
	k = key_of(&s);
	T_EQ_INT(prove(&s, &k, STR("another user"), &ret), WEBAUTHN_CREDENTIAL);
	T_EQ_INT(prove(&s, &k, handle, &ret), WEBAUTHN_OK);
	k.cose = t.cose; /* the key of another */
	T_EQ_INT(prove(&s, &k, handle, &ret), WEBAUTHN_SIGNATURE);
	soft_close(&s);
	soft_close(&t);
}

TEST(counter)
{
	static const struct {
		uint32_t kept, sent;
		enum webauthn_reason why;
	} t[] = {
	    {0, 0, WEBAUTHN_OK},
	    {0, 1, WEBAUTHN_OK},
	    {5, 6, WEBAUTHN_OK},
	    {5, UINT32_MAX, WEBAUTHN_OK},
	    {5, 5, WEBAUTHN_COUNTER},
	    {5, 4, WEBAUTHN_COUNTER},
	    {5, 0, WEBAUTHN_COUNTER},
	    {UINT32_MAX, UINT32_MAX, WEBAUTHN_COUNTER},
	};

	for (size_t i = 0; i < N(t); i++) {
		struct webauthn_key k, ret;
		struct soft s;

		soft_open(&s, WEBAUTHN_EDDSA);
		k = key_of(&s);
		k.count = t[i].kept;
		s.count = t[i].sent;
		T_EQ_INT(prove(&s, &k, handle, &ret), t[i].why);
		soft_close(&s);
	}
}

/* ---- keys ---- */

static enum webauthn_reason
key_reason(struct str cose)
{
	enum webauthn_reason why = WEBAUTHN_OK;
	struct cose_key k;

	if (err_ok(cose_key_open(cose, &why, &k)))
		cose_key_close(&k);
	return why;
}

/* Each byte of a key changed: never a key of another algorithm, and a point
 * that has left the curve is none. */
TEST(changed_keys)
{
	for (size_t i = 0; i < 2; i++) {
		struct soft s;
		size_t taken = 0;
		char *p;

		soft_open(&s, algs[i]);
		p = memcpy(arena_get(&s.a, s.cose.n), s.cose.p, s.cose.n);
		for (size_t at = 0; at < s.cose.n; at++) {
			p[at] ^= 0x01;
			taken += key_reason(str_of(p, s.cose.n)) == WEBAUTHN_OK;
			p[at] ^= 0x01;
			T_OK(key_reason(str_of(p, at)) == WEBAUTHN_KEY);
		}
		/* any 32 bytes may be an Ed25519 key; its frame stays */
		T_OK(algs[i] == WEBAUTHN_ES256 ? taken == 0 : taken <= 32);
		soft_close(&s);
	}
}

/* A COSE_Key of these members, n of them, the bytes x at label -2, and y at
 * -3 unless it is empty. */
static struct str
made_key(struct soft *s, unsigned n, const char *head, size_t head_n,
    struct str x, struct str y)
{
	struct buf b;

	buf_init_on(&b, &s->a, 4096);
	cb_head(&b, 5, n);
	buf_add(&b, head, head_n);
	buf_char(&b, 0x21);
	cb_bytes(&b, x);
	if (y.n > 0) {
		buf_char(&b, 0x22);
		cb_bytes(&b, y);
	}
	return soft_copy(s, &b);
}

#define KEY(n, head, x, y)                                                     \
	key_reason(made_key(&s, n, head, sizeof(head) - 1, x, y))

TEST(made_keys)
{
	uint8_t raw[64], ed[32];
	struct str x, y, e, no = STR("");
	size_t n = sizeof ed;
	struct soft s, t;

	soft_open(&s, WEBAUTHN_ES256);
	soft_open(&t, WEBAUTHN_EDDSA);
	soft_point(s.pkey, raw);
	T_OK(EVP_PKEY_get_raw_public_key(t.pkey, ed, &n) == 1);
	x = str_of((char *)raw, 32);
	y = str_of((char *)raw + 32, 32);
	e = str_of((char *)ed, 32);
	T_EQ_INT(KEY(5, "\x01\x02\x03\x26\x20\x01", x, y), WEBAUTHN_OK);
	T_EQ_INT(KEY(4, "\x01\x01\x03\x27\x20\x06", e, no), WEBAUTHN_OK);
	/* another type, another curve, ours twice under another algorithm */
	T_EQ_INT(KEY(5, "\x01\x01\x03\x26\x20\x01", x, y), WEBAUTHN_KEY);
	T_EQ_INT(KEY(5, "\x01\x02\x03\x26\x20\x02", x, y), WEBAUTHN_KEY);
	T_EQ_INT(KEY(5, "\x01\x02\x03\x27\x20\x01", x, y), WEBAUTHN_KEY);
	T_EQ_INT(KEY(4, "\x01\x02\x03\x27\x20\x06", e, no), WEBAUTHN_KEY);
	T_EQ_INT(KEY(4, "\x01\x01\x03\x27\x20\x07", e, no), WEBAUTHN_KEY);
	T_EQ_INT(KEY(4, "\x01\x01\x03\x27\x20\x04", e, no), WEBAUTHN_KEY);
	T_EQ_INT(KEY(4, "\x01\x01\x03\x26\x20\x06", e, no), WEBAUTHN_KEY);
	/* lengths, a missing half, a member more */
	T_EQ_INT(KEY(5, "\x01\x02\x03\x26\x20\x01", str_head(x, 31), y),
	    WEBAUTHN_KEY);
	T_EQ_INT(KEY(5, "\x01\x02\x03\x26\x20\x01", x, str_head(y, 31)),
	    WEBAUTHN_KEY);
	T_EQ_INT(KEY(4, "\x01\x02\x03\x26\x20\x01", x, no), WEBAUTHN_KEY);
	T_EQ_INT(KEY(4, "\x01\x01\x03\x27\x20\x06", str_head(e, 31), no),
	    WEBAUTHN_KEY);
	T_EQ_INT(KEY(5, "\x01\x01\x03\x27\x20\x06", e, y), WEBAUTHN_KEY);
	T_EQ_INT(KEY(6, "\x01\x02\x03\x26\x20\x01\x02\x41x", x, y),
	    WEBAUTHN_KEY);
	/* not on the curve: y of nothing, x and y the wrong way round */
	memset(raw + 32, 0, 32);
	T_EQ_INT(KEY(5, "\x01\x02\x03\x26\x20\x01", x, y), WEBAUTHN_KEY);
	memset(raw, 0, 32);
	T_EQ_INT(KEY(5, "\x01\x02\x03\x26\x20\x01", x, y), WEBAUTHN_KEY);
	soft_close(&s);
	soft_close(&t);
}

static struct str
rsa_cose(struct soft *s, struct str n, struct str e)
{
	struct buf b;

	buf_init_on(&b, &s->a, 4096);
	buf_add(&b, "\xa4\x01\x03\x03\x39\x01\x00\x20", 8);
	cb_bytes(&b, n);
	buf_char(&b, 0x21);
	cb_bytes(&b, e);
	return soft_copy(s, &b);
}

/* A modulus of twice the bits, of two that are quickly made. */
static void
modulus_4096(uint8_t ret[512])
{
	BIGNUM *n = BN_new();
	BN_CTX *c = BN_CTX_new();

	do {
		EVP_PKEY *p = EVP_RSA_gen(2048), *q = EVP_RSA_gen(2048);
		BIGNUM *a = NULL, *b = NULL;

		T_OK(EVP_PKEY_get_bn_param(p, OSSL_PKEY_PARAM_RSA_N, &a) == 1);
		T_OK(EVP_PKEY_get_bn_param(q, OSSL_PKEY_PARAM_RSA_N, &b) == 1);
		T_OK(BN_mul(n, a, b, c) == 1);
		BN_free(a);
		BN_free(b);
		EVP_PKEY_free(p);
		EVP_PKEY_free(q);
	} while (BN_num_bits(n) != 4096);
	T_OK(BN_bn2binpad(n, ret, 512) == 512);
	BN_free(n);
	BN_CTX_free(c);
}

TEST(rsa_keys)
{
	static const unsigned bits[] = {1024, 2040, 2048, 4096, 4104};
	static const bool fine[] = {false, false, true, true, false};
	struct str n, e = STR("\x01\x00\x01");
	struct soft s;
	uint8_t raw[520];

	soft_open(&s, WEBAUTHN_EDDSA);
	memset(raw, 0xa7, sizeof raw);
	for (size_t i = 0; i < N(bits); i++) {
		EVP_PKEY *k = bits[i] <= 2048 ? EVP_RSA_gen(bits[i]) : NULL;

		n = str_of((char *)raw, bits[i] / 8);
		if (k != NULL)
			soft_modulus(k, raw, n.n);
		else if (bits[i] == 4096)
			modulus_4096(raw);
		T_EQ_INT(key_reason(rsa_cose(&s, n, e)),
		    fine[i] ? WEBAUTHN_OK : WEBAUTHN_KEY);
		if (bits[i] == 2048) {
			static const struct str bad[] = {{"\x03", 1},
			    {"\x01", 1}, {"", 0}, {"\x01\x00\x00", 3},
			    {"\x00\x01\x00\x01", 4}, {"\x01\x00\x01\x01", 4}};

			for (size_t j = 0; j < N(bad); j++)
				T_EQ_INT(key_reason(rsa_cose(&s, n, bad[j])),
				    WEBAUTHN_KEY);
			raw[0] &= 0x7f;
			T_EQ_INT(key_reason(rsa_cose(&s, n, e)), WEBAUTHN_KEY);
			raw[0] |= 0x80;
			raw[n.n - 1] &= 0xfe;
			T_EQ_INT(key_reason(rsa_cose(&s, n, e)), WEBAUTHN_KEY);
		}
		EVP_PKEY_free(k);
	}
	soft_close(&s);
}

/* ---- libfido2 ---- */

static bool
fido_says(const struct soft *s)
{
	uint8_t hash[32], raw[259] = {0};
	fido_assert_t *a = fido_assert_new();
	es256_pk_t *es = es256_pk_new();
	eddsa_pk_t *ed = eddsa_pk_new();
	rs256_pk_t *rs = rs256_pk_new();
	const void *pk = NULL;
	size_t n = 32;
	bool good_one;

	if (s->alg == WEBAUTHN_ES256) {
		soft_point(s->pkey, raw);
		T_EQ_INT(es256_pk_from_ptr(es, raw, 64), FIDO_OK);
		pk = es;
	} else if (s->alg == WEBAUTHN_EDDSA) {
		T_OK(EVP_PKEY_get_raw_public_key(s->pkey, raw, &n) == 1);
		T_EQ_INT(eddsa_pk_from_ptr(ed, raw, 32), FIDO_OK);
		pk = ed;
	} else {
		soft_modulus(s->pkey, raw, 256);
		memcpy(raw + 256, "\x01\x00\x01", 3);
		T_EQ_INT(rs256_pk_from_ptr(rs, raw, sizeof raw), FIDO_OK);
		pk = rs;
	}
	soft_sha256(s->client_data, hash);
	good_one = fido_assert_set_count(a, 1) == FIDO_OK &&
	    fido_assert_set_clientdata_hash(a, hash, 32) == FIDO_OK &&
	    fido_assert_set_rp(a, "redoubt.example.org") == FIDO_OK &&
	    fido_assert_set_authdata_raw(a, 0, (const uint8_t *)s->auth_data.p,
		s->auth_data.n) == FIDO_OK &&
	    fido_assert_set_up(a, FIDO_OPT_TRUE) == FIDO_OK &&
	    fido_assert_set_uv(a,
		s->ask.verify ? FIDO_OPT_TRUE : FIDO_OPT_OMIT) == FIDO_OK &&
	    fido_assert_set_sig(a, 0, (const uint8_t *)s->signature.p,
		s->signature.n) == FIDO_OK &&
	    fido_assert_verify(a, 0, s->alg, pk) == FIDO_OK;
	es256_pk_free(&es);
	eddsa_pk_free(&ed);
	rs256_pk_free(&rs);
	fido_assert_free(&a);
	return good_one;
}

static struct str
flipped(struct soft *s, struct str in, uint32_t bit)
{
	char *p = memcpy(arena_get(&s->a, in.n), in.p, in.n);

	p[bit / 8 % in.n] ^= (char)(1 << bit % 8);
	return str_of(p, in.n);
}

/*
 * One assertion, with nothing, a bit of one part, or a bit that is signed
 * changed.  Never do we take what libfido2 does not; the other way round
 * only where our rules are narrower: flags and their backup bits.
 */
static void
differ(int alg, uint32_t i, size_t *agreed, size_t *taken)
{
	struct webauthn_key k, ret;
	uint32_t bit = i * 2654435761u >> 8;
	bool ours, theirs, narrower = false;
	struct soft s;

	soft_open(&s, alg);
	k = key_of(&s);
	s.type = STR("webauthn.get");
	s.ask.verify = i % 3 == 0;
	soft_client_data(&s);
	soft_auth_data(&s);
	if (i % 5 == 1) { /* signed as it is */
		s.auth_data = flipped(&s, s.auth_data, bit);
		narrower = bit / 8 % s.auth_data.n == 32;
	}
	soft_sign(&s);
	if (i % 5 == 2)
		s.signature = flipped(&s, s.signature, bit);
	if (i % 5 == 3)
		s.auth_data = flipped(&s, s.auth_data, bit);
	if (i % 5 == 4)
		s.extra = STR(",\"x\":1"), s.client_data = STR_NONE,
		soft_client_data(&s);
	ours = prove(&s, &k, handle, &ret) == WEBAUTHN_OK;
	theirs = fido_says(&s);
	if (ours != theirs && (ours || !narrower))
		T_FAIL("%d, %u: ours %d, libfido2 %d", alg, i, ours, theirs);
	*agreed += ours == theirs;
	*taken += ours;
	soft_close(&s);
}

TEST(libfido2_agrees)
{
	size_t agreed = 0, taken = 0;

	fido_init(0);
	for (uint32_t i = 0; i < 500; i++)
		differ(algs[i % 2], i, &agreed, &taken);
	for (uint32_t i = 0; i < 25; i++)
		differ(WEBAUTHN_RS256, i, &agreed, &taken);
	printf("# %zu of 525 agreed, %zu taken by both\n", agreed, taken);
	T_OK(agreed > 500 && taken > 100 && taken < 400);
}

TEST(reasons_have_texts)
{
	for (int i = 0; i <= WEBAUTHN_COUNTER; i++)
		T_OK(webauthn_reason_text((enum webauthn_reason)i) != NULL);
	T_EQ_STR(str_c(webauthn_reason_text(99)), STR("unknown"));
}

T_MAIN
