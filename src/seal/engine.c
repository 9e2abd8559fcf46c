#include "seal/engine.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/mem.h"

enum { BLOCK = 16 };

struct engine {
	EVP_CIPHER_CTX *ecb;
	EVP_CIPHER_CTX *gcm;
	EVP_MAC_CTX *mac;
	uint64_t ecb_serial; /* whose key is in ecb and k1; 0: nobody's */
	uint64_t mac_serial; /* whose key is in mac */
	uint8_t k1[BLOCK];   /* the CMAC subkey of SP 800-38B, 6.1 */
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t at_exit;
static bool at_exit_works;
static __thread struct engine *mine;

uint64_t
key_serial(void)
{
	static atomic_uint_fast64_t last;

	return atomic_fetch_add(&last, 1) + 1;
}

/* libcrypto's contexts cleanse their keys when freed. */
static void
engine_free(void *p)
{
	struct engine *e = p;

	if (e == NULL)
		return;
	EVP_CIPHER_CTX_free(e->ecb);
	EVP_CIPHER_CTX_free(e->gcm);
	EVP_MAC_CTX_free(e->mac);
	mem_wipe(e, sizeof *e);
	mem_free(e);
	mine = NULL;
}

static void
once_init(void)
{
	at_exit_works = pthread_key_create(&at_exit, engine_free) == 0;
}

static const uint8_t no_key[SECRET_SIZE];

static EVP_CIPHER_CTX *
cipher_new(const char *name)
{
	EVP_CIPHER *c = EVP_CIPHER_fetch(NULL, name, NULL);
	EVP_CIPHER_CTX *x = c == NULL ? NULL : EVP_CIPHER_CTX_new();

	if (x != NULL &&
	    (EVP_EncryptInit_ex2(x, c, no_key, NULL, NULL) != 1 ||
		EVP_CIPHER_CTX_set_padding(x, 0) != 1)) {
		EVP_CIPHER_CTX_free(x);
		x = NULL;
	}
	EVP_CIPHER_free(c);
	return x;
}

static EVP_MAC_CTX *
mac_new(void)
{
	char digest[] = "SHA256";
	OSSL_PARAM p[] =
	    {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end()};
	EVP_MAC *m = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *x = m == NULL ? NULL : EVP_MAC_CTX_new(m);

	if (x != NULL && EVP_MAC_init(x, no_key, sizeof no_key, p) != 1) {
		EVP_MAC_CTX_free(x);
		x = NULL;
	}
	EVP_MAC_free(m);
	return x;
}

/* This thread's engine; NULL when libcrypto refuses. */
static struct engine *
engine_make(void)
{
	struct engine *e;

	pthread_once(&once, once_init);
	e = mem_new(1, sizeof *e);
	if (e == NULL)
		return NULL;
	e->ecb = cipher_new("AES-256-ECB");
	e->gcm = cipher_new("AES-256-GCM");
	e->mac = mac_new();
	if (e->ecb == NULL || e->gcm == NULL || e->mac == NULL ||
	    !at_exit_works || pthread_setspecific(at_exit, e) != 0) {
		engine_free(e);
		ERR_clear_error();
		return NULL;
	}
	mine = e;
	return e;
}

static inline struct engine *
engine_get(void)
{
	return __builtin_expect(mine != NULL, 1) ? mine : engine_make();
}

static err
crypto_failed(void)
{
	ERR_clear_error();
	return err_of(E_CRYPTO);
}

/* ---- XAES: from a key and a nonce to the key of one message ---- */

static inline void
xor_block(uint8_t *to, const uint8_t *with)
{
	for (size_t i = 0; i < BLOCK; i++)
		to[i] ^= with[i];
}

/* In place, n whole blocks. */
static bool
ecb_blocks(struct engine *e, uint8_t *p, int n)
{
	int done;

	return EVP_EncryptUpdate(e->ecb, p, &done, p, n * BLOCK) == 1;
}

static bool
ecb_set(struct engine *e, const uint8_t *key, uint64_t serial)
{
	uint8_t carry;

	e->ecb_serial = 0;
	memset(e->k1, 0, sizeof e->k1);
	if (EVP_EncryptInit_ex2(e->ecb, NULL, key, NULL, NULL) != 1 ||
	    !ecb_blocks(e, e->k1, 1))
		return false;
	/* K1 = L doubled in GF(2^128), without a branch on L. */
	carry = (uint8_t)(0 - (e->k1[0] >> 7));
	for (size_t i = 0; i < BLOCK - 1; i++)
		e->k1[i] = (uint8_t)(e->k1[i] << 1 | e->k1[i + 1] >> 7);
	e->k1[BLOCK - 1] =
	    (uint8_t)((uint8_t)(e->k1[BLOCK - 1] << 1) ^ (carry & 0x87));
	e->ecb_serial = serial;
	return true;
}

static void
ecb_wipe(struct engine *e)
{
	e->ecb_serial = 0;
	mem_wipe(e->k1, sizeof e->k1);
	if (EVP_EncryptInit_ex2(e->ecb, NULL, no_key, NULL, NULL) != 1)
		ERR_clear_error();
}

struct derived {
	struct gcm_key gcm;
	uint8_t commit[XAES_COMMIT];
};

/*
 * Five blocks: two are the message's key, the middle one is the first step
 * of both CMACs of the commitment, whose second steps depend on it.
 *	Kx = CMAC(0001 'X' 00 N[:12]) || CMAC(0002 'X' 00 N[:12])
 *	commitment = CMAC("XCMT" N 00010001) || CMAC("XCMT" N 00010002)
 */
static bool
derive_blocks(struct engine *e, const uint8_t *nonce, struct derived *d)
{
	uint8_t b[3 * BLOCK] = {0, 1, 'X', 0};
	uint8_t *k = b, *x = b + 2 * (size_t)BLOCK, *c = d->commit;
	bool ok;

	memcpy(b + 4, nonce, 12);
	memcpy(b + BLOCK, b, BLOCK);
	b[BLOCK + 1] = 2;
	xor_block(b, e->k1);
	xor_block(b + BLOCK, e->k1);
	memcpy(x, "XCMT", 4);
	memcpy(x + 4, nonce, 12);
	ok = ecb_blocks(e, b, 3);

	memcpy(d->gcm.key, k, SECRET_SIZE);
	memcpy(d->gcm.nonce, nonce + 12, XAES_GCM_NONCE);
	xor_block(x, e->k1);
	for (size_t i = 0; i < 12; i++)
		x[i] ^= nonce[12 + i];
	x[13] ^= 1;
	memcpy(c, x, BLOCK);
	memcpy(c + BLOCK, x, BLOCK);
	c[15] ^= 1;
	c[BLOCK + 15] ^= 2;
	mem_wipe(b, sizeof b);
	return ok && ecb_blocks(e, c, 2);
}

static err
derive(const struct data_key *k, const uint8_t *nonce, struct derived *ret)
{
	struct engine *e = engine_get();
	bool ok;

	if (e == NULL)
		return err_of(E_CRYPTO);
	ok = (k->serial != 0 && e->ecb_serial == k->serial) ||
	    ecb_set(e, secret_view(k->secret), k->serial);
	ok = ok && derive_blocks(e, nonce, ret);
	if (k->serial == 0 || !ok)
		ecb_wipe(e);
	return ok ? OK : crypto_failed();
}

/* ---- GCM ---- */

static bool
gcm_aad(EVP_CIPHER_CTX *x, struct str aad)
{
	int done;

	return aad.n == 0 ||
	    EVP_CipherUpdate(x, NULL, &done, (const uint8_t *)aad.p,
		(int)aad.n) == 1;
}

static bool
gcm_data(EVP_CIPHER_CTX *x, struct str in, uint8_t *out)
{
	int done;

	return in.n == 0 ||
	    EVP_CipherUpdate(x, out, &done, (const uint8_t *)in.p, (int)in.n) ==
	    1;
}

err
gcm_close(const struct gcm_key *k, struct str aad, struct str plain,
    uint8_t *ret_ct, uint8_t ret_tag[XAES_TAG])
{
	struct engine *e = engine_get();
	OSSL_PARAM p[] =
	    {OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG,
		 ret_tag, XAES_TAG),
		OSSL_PARAM_construct_end()};
	uint8_t none[1];
	int done;

	BUG_ON(plain.n > BLOB_MAX || aad.n > BLOB_MAX);
	if (e == NULL)
		return err_of(E_CRYPTO);
	if (EVP_EncryptInit_ex2(e->gcm, NULL, k->key, k->nonce, NULL) != 1 ||
	    !gcm_aad(e->gcm, aad) || !gcm_data(e->gcm, plain, ret_ct) ||
	    EVP_EncryptFinal_ex(e->gcm, none, &done) != 1 ||
	    EVP_CIPHER_CTX_get_params(e->gcm, p) != 1)
		return crypto_failed();
	return OK;
}

err
gcm_open(const struct gcm_key *k, struct str aad, struct str ct,
    const uint8_t tag[XAES_TAG], uint8_t *ret_plain)
{
	struct engine *e = engine_get();
	uint8_t want[XAES_TAG];
	OSSL_PARAM p[] =
	    {OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, want,
		 sizeof want),
		OSSL_PARAM_construct_end()};
	uint8_t none[1];
	int done;

	BUG_ON(ct.n > BLOB_MAX || aad.n > BLOB_MAX);
	memcpy(want, tag, sizeof want);
	if (e == NULL)
		return err_of(E_CRYPTO);
	if (EVP_DecryptInit_ex2(e->gcm, NULL, k->key, k->nonce, p) != 1)
		return crypto_failed();
	if (!gcm_aad(e->gcm, aad) || !gcm_data(e->gcm, ct, ret_plain) ||
	    EVP_DecryptFinal_ex(e->gcm, none, &done) != 1) {
		mem_wipe(ret_plain, ct.n);
		ERR_clear_error();
		return err_of(E_CORRUPT);
	}
	return OK;
}

/* ---- the three verbs ---- */

err
xaes_close(const struct data_key *k, const uint8_t nonce[XAES_NONCE],
    struct str aad, struct str plain, uint8_t ret_commit[XAES_COMMIT],
    uint8_t *ret_ct, uint8_t ret_tag[XAES_TAG])
{
	struct derived d;
	err e = derive(k, nonce, &d);

	if (err_ok(e)) {
		memcpy(ret_commit, d.commit, XAES_COMMIT);
		e = gcm_close(&d.gcm, aad, plain, ret_ct, ret_tag);
	}
	mem_wipe(&d, sizeof d);
	return e;
}

err
xaes_open(const struct data_key *k, const uint8_t nonce[XAES_NONCE],
    const uint8_t commit[XAES_COMMIT], struct str aad, struct str ct,
    const uint8_t tag[XAES_TAG], uint8_t *ret_plain)
{
	struct derived d;
	err e = derive(k, nonce, &d);

	if (err_ok(e) && !ct_eq(d.commit, commit, XAES_COMMIT))
		e = err_of(E_WRONG_KEY);
	if (err_ok(e))
		e = gcm_open(&d.gcm, aad, ct, tag, ret_plain);
	mem_wipe(&d, sizeof d);
	return e;
}

err
xaes_check(const struct data_key *k, const uint8_t nonce[XAES_NONCE],
    const uint8_t commit[XAES_COMMIT])
{
	struct derived d;
	err e = derive(k, nonce, &d);

	if (err_ok(e) && !ct_eq(d.commit, commit, XAES_COMMIT))
		e = err_of(E_WRONG_KEY);
	mem_wipe(&d, sizeof d);
	return e;
}

/* ---- HMAC ---- */

static bool
mac_set(struct engine *e, const struct data_key *k)
{
	if (k->serial != 0 && e->mac_serial == k->serial)
		return EVP_MAC_init(e->mac, NULL, 0, NULL) == 1;
	e->mac_serial = 0;
	if (EVP_MAC_init(e->mac, secret_view(k->secret), SECRET_SIZE, NULL) !=
	    1)
		return false;
	e->mac_serial = k->serial;
	return true;
}

err
hmac_sha256(const struct data_key *k, struct str a, struct str b,
    uint8_t ret[32])
{
	struct engine *e = engine_get();
	size_t n;

	if (e == NULL)
		return err_of(E_CRYPTO);
	if (!mac_set(e, k) ||
	    EVP_MAC_update(e->mac, (const uint8_t *)a.p, a.n) != 1 ||
	    EVP_MAC_update(e->mac, (const uint8_t *)b.p, b.n) != 1 ||
	    EVP_MAC_final(e->mac, ret, &n, 32) != 1 || n != 32)
		return crypto_failed();
	return OK;
}

void
engine_forget(const struct data_key *k)
{
	struct engine *e = mine;

	if (e == NULL || k->serial == 0)
		return;
	if (e->ecb_serial == k->serial)
		ecb_wipe(e);
	if (e->mac_serial == k->serial) {
		e->mac_serial = 0;
		if (EVP_MAC_init(e->mac, no_key, sizeof no_key, NULL) != 1)
			ERR_clear_error();
	}
}
