/* The algorithms against public test vectors. */
#include <jansson.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <pthread.h>

#include "tests/t.h"
#include "tests/unit/seal/help.h"

static struct str
hex_of(struct arena *a, const void *p, size_t n)
{
	struct buf b;

	buf_init_on(&b, a, 1 << 20);
	hex_add(&b, str_of(p, n));
	return buf_view(&b);
}

static void
known(int byte, const char *aad, const char *want, const char *want_commit)
{
	static const char plain[] = "XAES-256-GCM";
	const uint8_t *nonce = (const uint8_t *)"ABCDEFGHIJKLMNOPQRSTUVWX";
	struct data_key k = help_key_of(byte, 1, 1);
	uint8_t ct[12 + 16], commit[32], back[12];
	struct arena a;

	arena_init(&a, 65536);
	T_GOOD(xaes_close(&k, nonce, str_c(aad), str_c(plain), commit, ct,
	    ct + 12));
	T_EQ_STR(hex_of(&a, ct, sizeof ct), str_c(want));
	T_EQ_STR(hex_of(&a, commit, sizeof commit), str_c(want_commit));
	T_GOOD(xaes_open(&k, nonce, commit, str_c(aad), str_of((char *)ct, 12),
	    ct + 12, back));
	T_EQ_MEM(back, plain, 12);
	help_done(&k);
	arena_done(&a);
}

/*
 * Ciphertexts: C2SP.  Commitments: those on which two public implementations
 * of KC-XAES-256-GCM agree (Python and Node).
 */
TEST(c2sp_msb_0)
{
	known(1, "", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271",
	    "04076b6085eebab138855fe57811c041"
	    "12eff989d44120dfff662d5475a383c3");
}

TEST(c2sp_msb_1)
{
	known(3, "c2sp.org/XAES-256-GCM",
	    "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d",
	    "5553cd21d1592b422e3129632a3187ee"
	    "e8a658cdca5c5b32ce86308dcc18e9d1");
}

/*
 * The accumulated test: inputs come from one SHAKE-128, the ciphertexts go
 * to another.  10,000 rounds need about 5 MB of the stream.
 */
static void
accumulated(int rounds, const char *want)
{
	enum { STREAM_A_ROUND = 32 + 24 + 1 + 255 + 1 + 255 };
	size_t stream_n = (size_t)rounds * STREAM_A_ROUND;
	uint8_t *stream = malloc(stream_n), *at = stream;
	EVP_MD_CTX *x = EVP_MD_CTX_new(), *sum = EVP_MD_CTX_new();
	uint8_t out[32];
	struct arena a;

	arena_init(&a, 65536);
	EVP_DigestInit_ex2(x, EVP_shake128(), NULL);
	EVP_DigestFinalXOF(x, stream, stream_n);
	EVP_DigestInit_ex2(sum, EVP_shake128(), NULL);
	T_EQ_MEM(stream, "\x7f\x9c\x2b\xa4", 4);
	for (int i = 0; i < rounds; i++) {
		struct data_key k = help_key(at, 1, 1);
		const uint8_t *nonce = at + 32;
		struct str plain, aad;
		uint8_t ct[255 + 16], back[255], commit[32];

		at += 32 + 24;
		plain = str_of((char *)at + 1, *at);
		at += 1 + plain.n;
		aad = str_of((char *)at + 1, *at);
		at += 1 + aad.n;
		T_GOOD(xaes_close(&k, nonce, aad, plain, commit, ct,
		    ct + plain.n));
		T_GOOD(xaes_open(&k, nonce, commit, aad,
		    str_of((char *)ct, plain.n), ct + plain.n, back));
		T_EQ_MEM(back, plain.p, plain.n);
		EVP_DigestUpdate(sum, ct, plain.n + 16);
		help_done(&k);
	}
	EVP_DigestFinalXOF(sum, out, sizeof out);
	T_EQ_STR(hex_of(&a, out, sizeof out), str_c(want));
	EVP_MD_CTX_free(x);
	EVP_MD_CTX_free(sum);
	free(stream);
	arena_done(&a);
}

TEST(c2sp_accumulated_10_000)
{
	accumulated(10000,
	    "e6b9edf2df6cec60c8cbd864e2211b59"
	    "7fb69a529160cd040d56c0c210081939");
}

/* 8 seconds, 570 MB: on request only. */
TEST(c2sp_accumulated_1_000_000)
{
	if (getenv("SEAL_LONG") == NULL)
		return;
	accumulated(1000000,
	    "2163ae1445985a30b60585ee67daa556"
	    "74df06901b890593e824b8a7c885ab15");
}

/* ---- Wycheproof ---- */

static struct str
member(struct arena *a, const json_t *o, const char *name)
{
	const char *hex = json_string_value(json_object_get(o, name));

	return help_unhex(a, str_c(hex));
}

static void
gcm_case(struct arena *a, const json_t *t)
{
	bool valid = strcmp(json_string_value(json_object_get(t, "result")),
			 "valid") == 0;
	struct str key = member(a, t, "key"), iv = member(a, t, "iv");
	struct str aad = member(a, t, "aad"), msg = member(a, t, "msg");
	struct str ct = member(a, t, "ct"), tag = member(a, t, "tag");
	uint8_t *out = arena_get(a, msg.n + ct.n + 1), got_tag[16];
	struct gcm_key k;
	err e;

	memcpy(k.key, key.p, sizeof k.key);
	memcpy(k.nonce, iv.p, sizeof k.nonce);
	e = gcm_open(&k, aad, ct, (const uint8_t *)tag.p, out);
	if (!valid) {
		T_ERR(e, E_CORRUPT);
		for (size_t i = 0; i < ct.n; i++)
			T_EQ_INT(out[i], 0);
		return;
	}
	T_GOOD(e);
	T_EQ_STR(str_of((char *)out, ct.n), msg);
	T_GOOD(gcm_close(&k, aad, msg, out, got_tag));
	T_EQ_STR(str_of((char *)out, msg.n), ct);
	T_EQ_MEM(got_tag, tag.p, 16);
}

static void
mac_case(struct arena *a, const json_t *t)
{
	bool valid = strcmp(json_string_value(json_object_get(t, "result")),
			 "valid") == 0;
	struct str key = member(a, t, "key"), msg = member(a, t, "msg");
	struct str tag = member(a, t, "tag");
	struct data_key k = help_key(key.p, 1, SEAL_CLASS_INDEX);
	uint8_t got[32];

	T_GOOD(hmac_sha256(&k, str_head(msg, 5), str_skip(msg, 5), got));
	T_EQ_INT(ct_eq(got, tag.p, 32), valid);
	help_done(&k);
}

static int
wycheproof(const char *path, int key_bits, int iv_bits, int tag_bits,
    void (*run)(struct arena *, const json_t *))
{
	json_t *doc = json_load_file(path, 0, NULL);
	json_t *g, *t;
	size_t i, j;
	int n = 0;
	struct arena a;

	arena_init(&a, 1 << 20);
	json_array_foreach(json_object_get(doc, "testGroups"), i, g)
	{
		json_t *iv = json_object_get(g, "ivSize");

		if (json_integer_value(json_object_get(g, "keySize")) !=
			key_bits ||
		    json_integer_value(json_object_get(g, "tagSize")) !=
			tag_bits ||
		    (iv != NULL && json_integer_value(iv) != iv_bits))
			continue;
		json_array_foreach(json_object_get(g, "tests"), j, t)
		{
			int bad = t_bad;

			run(&a, t);
			if (t_bad != bad)
				printf("# wycheproof test %lld\n",
				    (long long)json_integer_value(
					json_object_get(t, "tcId")));
			arena_reset(&a);
			n++;
		}
	}
	arena_done(&a);
	json_decref(doc);
	return n;
}

TEST(wycheproof_aes_gcm)
{
	T_EQ_INT(wycheproof("tests/vectors/wycheproof/aes_gcm_test.json", 256,
		     96, 128, gcm_case),
	    66);
}

TEST(wycheproof_hmac)
{
	T_EQ_INT(wycheproof("tests/vectors/wycheproof/hmac_sha256_test.json",
		     256, 0, 256, mac_case),
	    81);
}

/* ---- the engine keeps to the right key ---- */

TEST(keys_in_turn)
{
	struct data_key a = help_key_of(1, 1, 1), b = help_key_of(3, 2, 1);
	struct data_key cold = help_key_of(3, 3, 0);
	uint8_t nonce[24] = {9}, ct[1], ta[16], tb[16], tc[16], t2[16], c[32];
	struct str m = STR("m");

	cold.serial = 0;
	T_GOOD(xaes_close(&a, nonce, m, m, c, ct, ta));
	T_GOOD(xaes_close(&b, nonce, m, m, c, ct, tb));
	T_OK(memcmp(ta, tb, 16) != 0);
	T_GOOD(xaes_close(&cold, nonce, m, m, c, ct, tc));
	T_EQ_MEM(tb, tc, 16);
	T_GOOD(xaes_close(&a, nonce, m, m, c, ct, t2));
	T_EQ_MEM(ta, t2, 16);
	engine_forget(&a);
	T_GOOD(xaes_close(&a, nonce, m, m, c, ct, t2));
	T_EQ_MEM(ta, t2, 16);
	help_done(&a);
	help_done(&b);
	help_done(&cold);
}

TEST(macs_in_turn)
{
	struct data_key a = help_key_of(1, 1, 8), b = help_key_of(2, 2, 8);
	uint8_t x[32], y[32], z[32];

	T_GOOD(hmac_sha256(&a, STR("m"), STR("n"), x));
	T_GOOD(hmac_sha256(&b, STR("m"), STR("n"), y));
	T_GOOD(hmac_sha256(&a, STR(""), STR("mn"), z));
	T_EQ_MEM(x, z, 32);
	T_OK(memcmp(x, y, 32) != 0);
	engine_forget(&a);
	T_GOOD(hmac_sha256(&a, STR("m"), STR("n"), z));
	T_EQ_MEM(x, z, 32);
	help_done(&a);
	help_done(&b);
}

/* One key, many threads: a key never changes and engines are per thread. */
static struct data_key shared;
static int thread_faults;

static void *
thread(void *arg)
{
	uint8_t nonce[24] = {0}, ct[64], tag[16], commit[32], back[64], mac[32];
	struct str m = str_of("0123456789abcdef0123456789abcdef"
			      "0123456789abcdef0123456789abcdef",
	    64);

	(void)arg;
	for (int i = 0; i < 2000; i++) {
		nonce[0] = (uint8_t)i;
		if (!err_ok(
			xaes_close(&shared, nonce, m, m, commit, ct, tag)) ||
		    !err_ok(xaes_open(&shared, nonce, commit, m,
			str_of((char *)ct, 64), tag, back)) ||
		    memcmp(back, m.p, 64) != 0 ||
		    !err_ok(hmac_sha256(&shared, m, m, mac)))
			__atomic_fetch_add(&thread_faults, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

TEST(threads_share_a_key)
{
	pthread_t t[4];

	shared = help_key_of(5, 1, 8);
	for (int i = 0; i < 4; i++)
		T_EQ_INT(pthread_create(&t[i], NULL, thread, NULL), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	T_EQ_INT(thread_faults, 0);
	help_done(&shared);
}

T_MAIN
