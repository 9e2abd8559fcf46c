/*
 * hpke.c: RFC 9180 on EVP of OpenSSL 3.0, which has no HPKE of its own.
 * Names are those of the RFC.
 */
#include "seal/hpke.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/mem.h"
#include "base/rand.h"

enum { NH = 32, NN = 12, KEM_X25519 = 0x20, KDF_SHA256 = 1, MODE_BASE = 0 };
/* mode || psk_id_hash || info_hash */
enum { CONTEXT = 1 + 2 * NH, SUITE_MAX = 10 };

struct suite {
	uint8_t b[SUITE_MAX];
	size_t n;
};

struct keys {
	uint8_t key[32];
	uint8_t nonce[NN];
};

static void
pkey_free(EVP_PKEY **p)
{
	EVP_PKEY_free(*p);
}

static void
pkey_ctx_free(EVP_PKEY_CTX **c)
{
	EVP_PKEY_CTX_free(*c);
}

static void
mac_ctx_free(EVP_MAC_CTX **c)
{
	EVP_MAC_CTX_free(*c);
}

static void
cipher_ctx_free(EVP_CIPHER_CTX **c)
{
	EVP_CIPHER_CTX_free(*c);
}

static struct str
bytes(const uint8_t *p, size_t n)
{
	return str_of((const char *)p, n);
}

/* ---- HKDF with labels (RFC 9180, 4) ---- */

static struct suite
suite_kem(void)
{
	return (struct suite){{'K', 'E', 'M', 0, KEM_X25519}, 5};
}

static struct suite
suite_hpke(enum hpke_aead aead)
{
	return (struct suite){{'H', 'P', 'K', 'E', 0, KEM_X25519, 0, KDF_SHA256,
				  0, (uint8_t)aead},
	    10};
}

/* HMAC-SHA256 of all parts, one behind the other. */
static err
hmac_parts(const uint8_t key[NH], const struct str *part, size_t n,
    uint8_t ret[NH])
{
	char digest[] = "SHA256";
	OSSL_PARAM p[] =
	    {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end()};
	EVP_MAC *m = EVP_MAC_fetch(NULL, "HMAC", NULL);
	CLEANUP(mac_ctx_free)
	EVP_MAC_CTX *x = m == NULL ? NULL : EVP_MAC_CTX_new(m);
	bool ok = x != NULL && EVP_MAC_init(x, key, NH, p) == 1;
	size_t out = 0;

	EVP_MAC_free(m);
	for (size_t i = 0; i < n && ok; i++)
		ok = part[i].n == 0 ||
		    EVP_MAC_update(x, (const uint8_t *)part[i].p, part[i].n) ==
			1;
	if (ok && EVP_MAC_final(x, ret, &out, NH) == 1 && out == NH)
		return OK;
	ERR_clear_error();
	return err_of(E_CRYPTO);
}

/* An empty salt is NH zeroes: HMAC pads its key so. */
static err
labeled_extract(const struct suite *s, const uint8_t salt[NH],
    const char *label, struct str ikm, uint8_t ret[NH])
{
	const struct str part[] = {STR("HPKE-v1"), bytes(s->b, s->n),
	    str_c(label), ikm};

	return hmac_parts(salt, part, 4, ret);
}

/* At most NH bytes, so one block of HKDF-Expand. */
static err
labeled_expand(const struct suite *s, const uint8_t prk[NH], const char *label,
    struct str info, uint8_t *ret, size_t n)
{
	const uint8_t length[2] = {0, (uint8_t)n}, one = 1;
	const struct str part[] = {bytes(length, 2), STR("HPKE-v1"),
	    bytes(s->b, s->n), str_c(label), info, bytes(&one, 1)};
	uint8_t t[NH];
	err e;

	BUG_ON(n > NH);
	e = hmac_parts(prk, part, 6, t);
	if (err_ok(e))
		memcpy(ret, t, n);
	mem_wipe(t, sizeof t);
	return e;
}

/* ---- the KEM (RFC 9180, 4.1) ---- */

/* E_CRYPTO for a peer of small order: libcrypto refuses a result of zeroes,
 * and so do we. */
static err
x25519(const uint8_t sk[HPKE_KEY], const uint8_t pk[HPKE_KEY],
    uint8_t ret[HPKE_KEY])
{
	static const uint8_t zero[HPKE_KEY];
	CLEANUP(pkey_free)
	EVP_PKEY *own =
	    EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, sk, HPKE_KEY);
	CLEANUP(pkey_free)
	EVP_PKEY *peer =
	    EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, pk, HPKE_KEY);
	CLEANUP(pkey_ctx_free)
	EVP_PKEY_CTX *x =
	    own == NULL ? NULL : EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL);
	size_t n = HPKE_KEY;

	if (x != NULL && peer != NULL && EVP_PKEY_derive_init(x) == 1 &&
	    EVP_PKEY_derive_set_peer(x, peer) == 1 &&
	    EVP_PKEY_derive(x, ret, &n) == 1 && n == HPKE_KEY &&
	    !ct_eq(ret, zero, HPKE_KEY))
		return OK;
	ERR_clear_error();
	return err_of(E_CRYPTO);
}

/* dh becomes the shared secret. */
static err
extract_and_expand(const uint8_t enc[HPKE_KEY], const uint8_t pk[HPKE_KEY],
    uint8_t dh[NH])
{
	static const uint8_t empty[NH];
	const struct suite s = suite_kem();
	uint8_t context[2 * HPKE_KEY], prk[NH];
	err e;

	memcpy(context, enc, HPKE_KEY);
	memcpy(context + HPKE_KEY, pk, HPKE_KEY);
	e = labeled_extract(&s, empty, "eae_prk", bytes(dh, NH), prk);
	if (err_ok(e))
		e = labeled_expand(&s, prk, "shared_secret",
		    bytes(context, sizeof context), dh, NH);
	mem_wipe(prk, sizeof prk);
	return e;
}

/* ---- the key schedule (RFC 9180, 5.1); psk and psk_id are empty ---- */

static err
context_make(const struct suite *s, struct str info, uint8_t ret[CONTEXT])
{
	static const uint8_t empty[NH];

	ret[0] = MODE_BASE;
	TRY(labeled_extract(s, empty, "psk_id_hash", STR_NONE, ret + 1));
	return labeled_extract(s, empty, "info_hash", info, ret + 1 + NH);
}

static err
key_schedule(enum hpke_aead aead, const uint8_t shared[NH], struct str info,
    struct keys *ret)
{
	const struct suite s = suite_hpke(aead);
	uint8_t context[CONTEXT], secret[NH];
	struct str c = bytes(context, sizeof context);
	err e;

	TRY(context_make(&s, info, context));
	e = labeled_extract(&s, shared, "secret", STR_NONE, secret);
	if (err_ok(e))
		e = labeled_expand(&s, secret, "key", c, ret->key,
		    aead == HPKE_AES_128_GCM ? 16 : 32);
	if (err_ok(e))
		e = labeled_expand(&s, secret, "base_nonce", c, ret->nonce, NN);
	mem_wipe(secret, sizeof secret);
	return e;
}

/* own: the ephemeral key when sealing, the recipient's when opening. */
static err
keys_make(enum hpke_aead aead, const uint8_t own[HPKE_KEY],
    const uint8_t peer[HPKE_KEY], const uint8_t enc[HPKE_KEY],
    const uint8_t pk[HPKE_KEY], struct str info, struct keys *ret)
{
	uint8_t shared[NH];
	err e = x25519(own, peer, shared);

	if (err_ok(e))
		e = extract_and_expand(enc, pk, shared);
	if (err_ok(e))
		e = key_schedule(aead, shared, info, ret);
	mem_wipe(shared, sizeof shared);
	return e;
}

/* ---- the cipher; sequence number 0, so the nonce is the base nonce ---- */

static EVP_CIPHER_CTX *
cipher_of(enum hpke_aead aead, const struct keys *k, int encrypt)
{
	EVP_CIPHER *c = EVP_CIPHER_fetch(NULL,
	    aead == HPKE_AES_128_GCM ? "AES-128-GCM" : "AES-256-GCM", NULL);
	EVP_CIPHER_CTX *x = c == NULL ? NULL : EVP_CIPHER_CTX_new();

	if (x != NULL &&
	    EVP_CipherInit_ex2(x, c, k->key, k->nonce, encrypt, NULL) != 1) {
		EVP_CIPHER_CTX_free(x);
		x = NULL;
	}
	EVP_CIPHER_free(c);
	return x;
}

static bool
cipher_feed(EVP_CIPHER_CTX *x, struct str in, uint8_t *out)
{
	int done;

	return in.n == 0 ||
	    EVP_CipherUpdate(x, out, &done, (const uint8_t *)in.p, (int)in.n) ==
	    1;
}

static err
aead_seal(enum hpke_aead aead, const struct keys *k, struct str aad,
    struct str plain, uint8_t *ret)
{
	CLEANUP(cipher_ctx_free) EVP_CIPHER_CTX *x = cipher_of(aead, k, 1);
	OSSL_PARAM p[] =
	    {OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG,
		 ret + plain.n, HPKE_TAG),
		OSSL_PARAM_construct_end()};
	uint8_t none[1];
	int done;

	if (x != NULL && cipher_feed(x, aad, NULL) &&
	    cipher_feed(x, plain, ret) &&
	    EVP_CipherFinal_ex(x, none, &done) == 1 &&
	    EVP_CIPHER_CTX_get_params(x, p) == 1)
		return OK;
	ERR_clear_error();
	return err_of(E_CRYPTO);
}

static err
aead_open(enum hpke_aead aead, const struct keys *k, struct str aad,
    struct str ct, const uint8_t *tag, uint8_t *ret)
{
	CLEANUP(cipher_ctx_free) EVP_CIPHER_CTX *x = cipher_of(aead, k, 0);
	uint8_t want[HPKE_TAG], none[1];
	OSSL_PARAM p[] =
	    {OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, want,
		 sizeof want),
		OSSL_PARAM_construct_end()};
	int done;

	memcpy(want, tag, sizeof want);
	if (x != NULL && EVP_CIPHER_CTX_set_params(x, p) == 1 &&
	    cipher_feed(x, aad, NULL) && cipher_feed(x, ct, ret) &&
	    EVP_CipherFinal_ex(x, none, &done) == 1)
		return OK;
	mem_wipe(ret, ct.n);
	ERR_clear_error();
	return err_of(E_CORRUPT);
}

/* ---- the verbs ---- */

err
hpke_key_public(const uint8_t sk[HPKE_KEY], uint8_t ret_pk[HPKE_KEY])
{
	CLEANUP(pkey_free)
	EVP_PKEY *k =
	    EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, sk, HPKE_KEY);
	size_t n = HPKE_KEY;

	if (k != NULL && EVP_PKEY_get_raw_public_key(k, ret_pk, &n) == 1 &&
	    n == HPKE_KEY)
		return OK;
	ERR_clear_error();
	return err_of(E_CRYPTO);
}

err
hpke_key_new(struct secret **ret_sk, uint8_t ret_pk[HPKE_KEY])
{
	struct secret *s;
	err e;

	TRY(secret_new(&s));
	rand_bytes(secret_bytes(s), HPKE_KEY);
	e = hpke_key_public(secret_view(s), ret_pk);
	if (err_ok(e))
		*ret_sk = s;
	else
		secret_free(s);
	return e;
}

err
hpke_seal_with(enum hpke_aead aead, const uint8_t ephemeral[HPKE_KEY],
    const uint8_t pk[HPKE_KEY], struct str info, struct str aad,
    struct str plain, struct buf *b)
{
	uint8_t enc[HPKE_ENC], *at;
	struct keys k;
	err e;

	if (plain.n > HPKE_MAX || info.n > HPKE_MAX || aad.n > HPKE_MAX)
		return err_of(E_TOO_LARGE);
	TRY(hpke_key_public(ephemeral, enc));
	if (!buf_room(b, plain.n + HPKE_OVERHEAD))
		return err_of(E_NO_MEMORY);
	e = keys_make(aead, ephemeral, pk, enc, pk, info, &k);
	if (!err_ok(e)) {
		mem_wipe(&k, sizeof k);
		return err_of(E_INVALID);
	}
	at = (uint8_t *)b->p + b->n;
	memcpy(at, enc, sizeof enc);
	e = aead_seal(aead, &k, aad, plain, at + HPKE_ENC);
	if (err_ok(e))
		b->n += plain.n + HPKE_OVERHEAD;
	mem_wipe(&k, sizeof k);
	return e;
}

err
hpke_seal(const uint8_t pk[HPKE_KEY], struct str info, struct str aad,
    struct str plain, struct buf *b)
{
	uint8_t ephemeral[HPKE_KEY];
	err e;

	rand_bytes(ephemeral, sizeof ephemeral);
	e = hpke_seal_with(HPKE_AES_256_GCM, ephemeral, pk, info, aad, plain,
	    b);
	mem_wipe(ephemeral, sizeof ephemeral);
	return e;
}

err
hpke_open_with(enum hpke_aead aead, const uint8_t sk[HPKE_KEY], struct str info,
    struct str aad, struct str sealed, uint8_t *ret)
{
	const uint8_t *p = (const uint8_t *)sealed.p;
	uint8_t pk[HPKE_KEY];
	struct keys k;
	struct str ct;
	err e;

	if (sealed.n < HPKE_OVERHEAD || sealed.n - HPKE_OVERHEAD > HPKE_MAX ||
	    info.n > HPKE_MAX || aad.n > HPKE_MAX)
		return err_of(E_CORRUPT);
	TRY(hpke_key_public(sk, pk));
	e = keys_make(aead, sk, p, p, pk, info, &k);
	ct = str_of(sealed.p + HPKE_ENC, sealed.n - HPKE_OVERHEAD);
	if (err_ok(e))
		e = aead_open(aead, &k, aad, ct, p + HPKE_ENC + ct.n, ret);
	mem_wipe(&k, sizeof k);
	return err_ok(e) ? OK : err_of(E_CORRUPT);
}

err
hpke_open(const uint8_t sk[HPKE_KEY], struct str info, struct str aad,
    struct str sealed, uint8_t *ret)
{
	return hpke_open_with(HPKE_AES_256_GCM, sk, info, aad, sealed, ret);
}
