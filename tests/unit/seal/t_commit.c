/*
 * The attack that the key commitment is for.  GCM's tag is linear in the
 * ciphertext, so whoever knows two keys can choose one ciphertext block such
 * that the same nonce, ciphertext and tag are valid under both, and say two
 * different things.  Done here for two real derived keys; GCM accepts it
 * twice, the sealed format once at most.
 */
#include <openssl/evp.h>

#include "tests/t.h"
#include "tests/unit/seal/help.h"

/* ---- GF(2^128) as in SP 800-38D, 6.3 ---- */

struct gf {
	uint64_t hi, lo;
};

static struct gf
gf_load(const uint8_t *p)
{
	struct cur c = cur_of(str_of((const char *)p, 16));
	struct gf g;

	g.hi = cur_be64(&c);
	g.lo = cur_be64(&c);
	return g;
}

static void
gf_store(struct gf g, uint8_t *p)
{
	for (int i = 0; i < 8; i++) {
		p[i] = (uint8_t)(g.hi >> (56 - 8 * i));
		p[8 + i] = (uint8_t)(g.lo >> (56 - 8 * i));
	}
}

static struct gf
gf_add(struct gf a, struct gf b)
{
	return (struct gf){a.hi ^ b.hi, a.lo ^ b.lo};
}

static struct gf
gf_mul(struct gf x, struct gf y)
{
	struct gf z = {0, 0};

	for (int i = 0; i < 128; i++) {
		bool low = x.lo & 1;

		if ((i < 64 ? y.hi >> (63 - i) : y.lo >> (127 - i)) & 1)
			z = gf_add(z, x);
		x.lo = x.lo >> 1 | x.hi << 63;
		x.hi = x.hi >> 1 ^ (low ? UINT64_C(0xe1) << 56 : 0);
	}
	return z;
}

/* a^(2^128 - 2) */
static struct gf
gf_inverse(struct gf a)
{
	struct gf r = {UINT64_C(1) << 63, 0}, s = a;

	for (int i = 1; i < 128; i++) {
		s = gf_mul(s, s);
		r = gf_mul(r, s);
	}
	return r;
}

/* ---- what GCM computes ---- */

struct side {
	struct gcm_key key;
	struct gf h;	/* the hash key */
	struct gf mask; /* what the hash is hidden with */
};

static void
block(const uint8_t *key, const uint8_t in[16], uint8_t out[16])
{
	EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();
	int n;

	T_OK(EVP_EncryptInit_ex2(x, EVP_aes_256_ecb(), key, NULL, NULL) == 1);
	T_OK(EVP_EncryptUpdate(x, out, &n, in, 16) == 1);
	EVP_CIPHER_CTX_free(x);
}

static void
cmac(const uint8_t *key, const uint8_t *msg, size_t n, uint8_t out[16])
{
	T_OK(EVP_Q_mac(NULL, "CMAC", NULL, "AES-256-CBC", NULL, key, 32, msg, n,
		 out, 16, NULL) != NULL);
}

static struct side
side_of(const uint8_t key[32], const uint8_t nonce[24])
{
	uint8_t m[16] = {0, 1, 'X', 0}, zero[16] = {0}, b[16];
	struct side s;

	memcpy(m + 4, nonce, 12);
	cmac(key, m, 16, s.key.key);
	m[1] = 2;
	cmac(key, m, 16, s.key.key + 16);
	memcpy(s.key.nonce, nonce + 12, 12);
	block(s.key.key, zero, b);
	s.h = gf_load(b);
	memcpy(b, s.key.nonce, 12);
	memcpy(b + 12, "\0\0\0\1", 4);
	block(s.key.key, b, b);
	s.mask = gf_load(b);
	return s;
}

/* Tag of a ciphertext of n blocks without associated data. */
static struct gf
tag_of(const struct side *s, const uint8_t *ct, size_t n)
{
	struct gf y = {0, 0}, bits = {0, n * 128};

	for (size_t i = 0; i < n; i++)
		y = gf_mul(gf_add(y, gf_load(ct + 16 * i)), s->h);
	return gf_add(gf_mul(gf_add(y, bits), s->h), s->mask);
}

enum { BLOCKS = 4, N = BLOCKS * 16 };

/*
 * With block 0 zero, the tags differ by d; block 0 enters each tag as
 * c * h^(BLOCKS + 1).  So c = d / (h1^(BLOCKS + 1) + h2^(BLOCKS + 1)).
 */
static void
forge(const struct side *a, const struct side *b, uint8_t ct[N])
{
	struct gf d, pa = a->h, pb = b->h;

	for (size_t i = 0; i < N; i++)
		ct[i] = i < 16 ? 0 : (uint8_t)(i * 37);
	d = gf_add(tag_of(a, ct, BLOCKS), tag_of(b, ct, BLOCKS));
	for (int i = 0; i < BLOCKS; i++) {
		pa = gf_mul(pa, a->h);
		pb = gf_mul(pb, b->h);
	}
	gf_store(gf_mul(d, gf_inverse(gf_add(pa, pb))), ct);
}

TEST(one_ciphertext_two_keys)
{
	uint8_t k1[32] = {1}, k2[32] = {2};
	uint8_t nonce[24] = "a nonce of 24 bytes....";
	struct data_key d1 = help_key(k1, 9, 1), d2 = help_key(k2, 9, 1);
	struct side a = side_of(k1, nonce), b = side_of(k2, nonce);
	uint8_t ct[N], tag[16], p1[N], p2[N], c1[32], c2[32], none[16];
	struct str forged = str_of((char *)ct, N);

	forge(&a, &b, ct);
	gf_store(tag_of(&a, ct, BLOCKS), tag);
	/* The attack works on GCM and on XAES without commitment ... */
	T_GOOD(gcm_open(&a.key, STR_NONE, forged, tag, p1));
	T_GOOD(gcm_open(&b.key, STR_NONE, forged, tag, p2));
	T_OK(memcmp(p1, p2, N) != 0);

	/* ... and whichever commitment is sent, only its own key opens. */
	T_GOOD(xaes_close(&d1, nonce, STR_NONE, STR_NONE, c1, NULL, none));
	T_GOOD(xaes_close(&d2, nonce, STR_NONE, STR_NONE, c2, NULL, none));
	T_GOOD(xaes_open(&d1, nonce, c1, STR_NONE, forged, tag, p1));
	T_GOOD(xaes_open(&d2, nonce, c2, STR_NONE, forged, tag, p1));
	memset(p1, 0xee, N);
	T_ERR(xaes_open(&d2, nonce, c1, STR_NONE, forged, tag, p1),
	    E_WRONG_KEY);
	T_ERR(xaes_open(&d1, nonce, c2, STR_NONE, forged, tag, p1),
	    E_WRONG_KEY);
	for (size_t i = 0; i < N; i++)
		T_EQ_INT(p1[i], 0xee); /* nothing was decrypted */
	T_ERR(xaes_check(&d1, nonce, c2), E_WRONG_KEY);
	T_GOOD(xaes_check(&d1, nonce, c1));
	help_done(&d1);
	help_done(&d2);
}

TEST(commitment_depends_on_the_nonce)
{
	uint8_t n1[24] = {1}, n2[24] = {1}, c1[32], c2[32], tag[16];
	struct data_key k = help_key_of(4, 1, 1);

	for (size_t i = 0; i < 24; i++) {
		memcpy(n2, n1, 24);
		n2[i] ^= 0x80;
		T_GOOD(xaes_close(&k, n1, STR_NONE, STR_NONE, c1, NULL, tag));
		T_GOOD(xaes_close(&k, n2, STR_NONE, STR_NONE, c2, NULL, tag));
		T_OK(memcmp(c1, c2, 16) != 0);
		T_OK(memcmp(c1 + 16, c2 + 16, 16) != 0);
	}
	help_done(&k);
}

T_MAIN
