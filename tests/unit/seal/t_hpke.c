/*
 * HPKE against RFC 9180 A.1.1 (AES-128-GCM) and the CFRG's vector of the
 * suite we use (test-vectors.json: kem 32, kdf 1, aead 2, mode 0), and what
 * must not open.
 */
#include "base/text.h"
#include "seal/hpke.h"
#include "tests/t.h"

static const char *const info = "4f6465206f6e2061204772656369616e2055726e";
static const char *const plain =
    "4265617574792069732074727574682c20747275746820626561757479";
static const char *const aad = "436f756e742d30";

struct vector {
	enum hpke_aead aead;
	const char *sk_r, *sk_e, *pk_r, *pk_e, *ct;
};

static const struct vector vectors[] = {
    {HPKE_AES_128_GCM,
	"4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8",
	"52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736",
	"3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d",
	"37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431",
	"f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a9"
	"6d8770ac83d07bea87e13c512a"},
    {HPKE_AES_256_GCM,
	"497b4502664cfea5d5af0b39934dac72242a74f8480451e1aee7d6a53320333d",
	"179d4b53b6365c45b600c4163b61d95cbc2f4d9e36f1695558dce265ab8bab11",
	"430f4b9859665145a6b1ba274024487bd66f03a2dd577d7753c68d7d7d00c00c",
	"6c93e09869df3402d7bf231bf540fadd35cd56be14f97178f0954db94b7fc256",
	"e5d84cd531cfb583096e7cfa9641bd3079cf3a91cda813c52deb5f512be99319"
	"80a41de125a925cdad859d5b7a"},
};

static size_t
unhex(const char *hex, uint8_t *ret, size_t max)
{
	size_t n = strlen(hex) / 2;

	if (n > max || !hex_decode(str_c(hex), ret, n))
		abort();
	return n;
}

static struct str
of_hex(const char *hex, char store[128])
{
	return str_of(store, unhex(hex, (uint8_t *)store, 128));
}

static void
vector_check(const struct vector *v)
{
	uint8_t sk[32], eph[32], pk[32], got[64], want[128];
	char a[128], i[128], p[128];
	size_t n;
	struct buf b;

	unhex(v->sk_r, sk, 32);
	unhex(v->sk_e, eph, 32);
	unhex(v->pk_r, pk, 32);
	n = unhex(v->pk_e, want, 32);
	n += unhex(v->ct, want + n, 96);
	T_GOOD(hpke_key_public(sk, got));
	T_EQ_MEM(got, pk, 32);
	buf_init(&b, 4096);
	T_GOOD(hpke_seal_with(v->aead, eph, pk, of_hex(info, i), of_hex(aad, a),
	    of_hex(plain, p), &b));
	T_EQ_INT(b.n, n);
	T_EQ_MEM(b.p, want, n);
	T_GOOD(hpke_open_with(v->aead, sk, of_hex(info, i), of_hex(aad, a),
	    buf_view(&b), got));
	T_EQ_MEM(got, p, n - HPKE_OVERHEAD);
	buf_done(&b);
}

TEST(vectors_of_the_rfc_and_the_cfrg)
{
	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
		vector_check(&vectors[i]);
}

/* Every public key the RFC wants refused (RFC 7748, 6.1; the list is that
 * of https://cr.yp.to/ecdh.html). */
static const char *const small_order[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    /* the same with the bit that is no part of the coordinate */
    "0000000000000000000000000000000000000000000000000000000000000080",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b880",
};

TEST(keys_of_small_order_are_refused_both_ways)
{
	uint8_t sk[32], pk[32], got[64];
	char sealed[HPKE_OVERHEAD + 4] = {0};
	struct buf b;

	unhex(vectors[1].sk_r, sk, 32);
	buf_init(&b, 4096);
	for (size_t i = 0; i < sizeof small_order / sizeof *small_order; i++) {
		unhex(small_order[i], pk, 32);
		T_ERR(hpke_seal(pk, STR("i"), STR("a"), STR("text"), &b),
		    E_INVALID);
		T_EQ_INT(b.n, 0);
		memcpy(sealed, pk, 32);
		T_ERR(hpke_open(sk, STR("i"), STR("a"),
			  str_of(sealed, sizeof sealed), got),
		    E_CORRUPT);
	}
	buf_done(&b);
}

TEST(what_was_changed_does_not_open)
{
	struct secret *sk, *other;
	uint8_t pk[32], pk2[32], got[16];
	struct buf b;

	T_GOOD(hpke_key_new(&sk, pk));
	T_GOOD(hpke_key_new(&other, pk2));
	buf_init(&b, 4096);
	T_GOOD(hpke_seal(pk, STR("info"), STR("aad"), STR("text"), &b));
	T_EQ_INT(b.n, 4 + HPKE_OVERHEAD);
	for (size_t i = 0; i < b.n; i++) {
		/* The top bit of a coordinate is no part of it (RFC 7748, 5),
		 * but it is of what the keys are made of. */
		b.p[i] ^= (char)0x80;
		T_ERR(hpke_open(secret_view(sk), STR("info"), STR("aad"),
			  buf_view(&b), got),
		    E_CORRUPT);
		b.p[i] ^= (char)0x80;
	}
	for (size_t n = 0; n < b.n; n++)
		T_ERR(hpke_open(secret_view(sk), STR("info"), STR("aad"),
			  str_of(b.p, n), got),
		    E_CORRUPT);
	T_ERR(hpke_open(secret_view(sk), STR("inf"), STR("aad"), buf_view(&b),
		  got),
	    E_CORRUPT);
	T_ERR(hpke_open(secret_view(sk), STR("info"), STR("aae"), buf_view(&b),
		  got),
	    E_CORRUPT);
	T_ERR(hpke_open(secret_view(other), STR("info"), STR("aad"),
		  buf_view(&b), got),
	    E_CORRUPT);
	T_GOOD(hpke_open(secret_view(sk), STR("info"), STR("aad"), buf_view(&b),
	    got));
	T_EQ_MEM(got, "text", 4);
	buf_done(&b);
	secret_free(sk);
	secret_free(other);
}

TEST(nothing_and_a_mebibyte)
{
	static char big[1 << 20], back[1 << 20];
	struct secret *sk;
	uint8_t pk[32], none[1];
	struct buf b;

	memset(big, 'x', sizeof big);
	T_GOOD(hpke_key_new(&sk, pk));
	buf_init(&b, 2 << 20);
	T_GOOD(hpke_seal(pk, STR_NONE, STR_NONE, STR_NONE, &b));
	T_GOOD(
	    hpke_open(secret_view(sk), STR_NONE, STR_NONE, buf_view(&b), none));
	buf_clear(&b);
	T_GOOD(hpke_seal(pk, STR_NONE, STR_NONE, str_of(big, sizeof big), &b));
	T_GOOD(hpke_open(secret_view(sk), STR_NONE, STR_NONE, buf_view(&b),
	    (uint8_t *)back));
	T_EQ_MEM(big, back, sizeof big);
	buf_done(&b);
	secret_free(sk);
}

TEST(two_seals_of_one_text_have_nothing_in_common)
{
	struct secret *sk;
	uint8_t pk[32];
	struct buf a, b;

	T_GOOD(hpke_key_new(&sk, pk));
	buf_init(&a, 4096);
	buf_init(&b, 4096);
	T_GOOD(hpke_seal(pk, STR("i"), STR("a"), STR("same"), &a));
	T_GOOD(hpke_seal(pk, STR("i"), STR("a"), STR("same"), &b));
	T_OK(memcmp(a.p, b.p, HPKE_ENC) != 0);
	T_OK(memcmp(a.p + HPKE_ENC, b.p + HPKE_ENC, 4) != 0);
	buf_done(&a);
	buf_done(&b);
	secret_free(sk);
}

/* The sealed task of PROTOCOL.delegate's vectors, made in Python. */
static struct str
delegate_vector(const char *name, char *text, size_t max)
{
	FILE *f = fopen("tests/vectors/delegate/v1.txt", "r");
	size_t n = f == NULL ? 0 : fread(text, 1, max, f);
	struct str rest = str_of(text, n), line, key;

	if (f != NULL)
		fclose(f);
	while (str_cut(rest, '\n', &line, &rest))
		if (str_cut(line, ' ', &key, &line) && str_is(key, name))
			return line;
	return STR_NONE;
}

TEST(the_sealed_task_of_the_protocol)
{
	static char text[65536], sealed[16384], opened[16384], want[16384];
	uint8_t sk[32];
	struct str hex = delegate_vector("task_sealed", text, sizeof text), t;
	size_t n = hex.n / 2;

	for (size_t i = 0; i < sizeof sk; i++)
		sk[i] = (uint8_t)(128 + i);
	T_REQUIRE(n > HPKE_OVERHEAD && n < sizeof sealed);
	T_REQUIRE(hex_decode(hex, sealed, n));
	T_GOOD(hpke_open(sk, STR("redoubt-task/1"),
	    STR("01900000-0000-7000-8000-000000000001"), str_of(sealed, n),
	    (uint8_t *)opened));
	t = delegate_vector("task_text", text, sizeof text);
	T_REQUIRE(hex_decode(t, want, t.n / 2));
	T_EQ_MEM(opened + 4, want, t.n / 2);
	T_EQ_INT(n, HPKE_OVERHEAD + 4 + t.n / 2 + 64);
}

T_MAIN
