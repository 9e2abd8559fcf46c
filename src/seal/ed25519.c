#include "seal/ed25519.h"

#include <openssl/err.h>
#include <openssl/evp.h>

static void
pkey_free(EVP_PKEY **p)
{
	EVP_PKEY_free(*p);
}

static void
md_ctx_free(EVP_MD_CTX **c)
{
	EVP_MD_CTX_free(*c);
}

static EVP_PKEY *
private_key(const uint8_t seed[ED25519_KEY])
{
	return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed,
	    ED25519_KEY);
}

static err
crypto_failed(void)
{
	ERR_clear_error();
	return err_of(E_CRYPTO);
}

err
ed25519_public(const uint8_t seed[ED25519_KEY], uint8_t ret_pk[ED25519_KEY])
{
	CLEANUP(pkey_free) EVP_PKEY *k = private_key(seed);
	size_t n = ED25519_KEY;

	if (k == NULL || EVP_PKEY_get_raw_public_key(k, ret_pk, &n) != 1 ||
	    n != ED25519_KEY)
		return crypto_failed();
	return OK;
}

err
ed25519_sign(const uint8_t seed[ED25519_KEY], struct str text,
    uint8_t ret_sig[ED25519_SIG])
{
	CLEANUP(pkey_free) EVP_PKEY *k = private_key(seed);
	CLEANUP(md_ctx_free) EVP_MD_CTX *c = EVP_MD_CTX_new();
	size_t n = ED25519_SIG;

	if (k == NULL || c == NULL ||
	    EVP_DigestSignInit(c, NULL, NULL, NULL, k) != 1 ||
	    EVP_DigestSign(c, ret_sig, &n, (const uint8_t *)text.p, text.n) !=
		1 ||
	    n != ED25519_SIG)
		return crypto_failed();
	return OK;
}

bool
ed25519_verify(const uint8_t pk[ED25519_KEY], struct str text, struct str sig)
{
	CLEANUP(pkey_free)
	EVP_PKEY *k = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, pk,
	    ED25519_KEY);
	CLEANUP(md_ctx_free) EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool ok = k != NULL && c != NULL && sig.n == ED25519_SIG &&
	    EVP_DigestVerifyInit(c, NULL, NULL, NULL, k) == 1 &&
	    EVP_DigestVerify(c, (const uint8_t *)sig.p, sig.n,
		(const uint8_t *)text.p, text.n) == 1;

	if (!ok)
		ERR_clear_error();
	return ok;
}
