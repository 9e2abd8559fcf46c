#include "auth/mac.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <pthread.h>

/*
 * Contexts of one thread, made when first used: fetching by name costs more
 * than the MAC of a small body.
 */
struct kit {
	EVP_MAC_CTX *mac[MAC_DIGESTS];
	EVP_MD_CTX *md;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static _Thread_local struct kit kit;

static void
kit_free(void *arg)
{
	struct kit *k = arg;

	for (size_t i = 0; i < MAC_DIGESTS; i++)
		EVP_MAC_CTX_free(k->mac[i]);
	EVP_MD_CTX_free(k->md);
}

static void
once_init(void)
{
	BUG_ON(pthread_key_create(&key, kit_free) != 0);
}

static bool
kit_mine(void)
{
	return pthread_once(&once, once_init) == 0 &&
	    pthread_setspecific(key, &kit) == 0;
}

size_t
mac_size(enum mac_digest d)
{
	static const size_t size[] = {
	    [MAC_SHA256] = 32,
	    [MAC_SHA384] = 48,
	    [MAC_SHA512] = 64,
	};

	return size[d];
}

static EVP_MAC_CTX *
mac_context(enum mac_digest d)
{
	static char names[][8] = {
	    [MAC_SHA256] = "SHA256",
	    [MAC_SHA384] = "SHA384",
	    [MAC_SHA512] = "SHA512",
	};
	OSSL_PARAM p[2] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, names[d],
		0),
	    OSSL_PARAM_construct_end(),
	};
	EVP_MAC_CTX *x;
	EVP_MAC *m;

	if (kit.mac[d] != NULL) /* public: a pointer */
		return kit.mac[d];
	if (!kit_mine())
		return NULL;
	m = EVP_MAC_fetch(NULL, "HMAC", NULL);
	x = m == NULL ? NULL : EVP_MAC_CTX_new(m);
	EVP_MAC_free(m);
	if (x != NULL && EVP_MAC_CTX_set_params(x, p) != 1) {
		EVP_MAC_CTX_free(x);
		x = NULL;
	}
	kit.mac[d] = x;
	return x;
}

err
mac_hmac(enum mac_digest d, struct str k, const struct str *piece, size_t n,
    uint8_t ret[MAC_MAX])
{
	EVP_MAC_CTX *x = mac_context(d);
	uint8_t out[MAC_MAX];
	size_t got = 0;
	bool ok;

	if (x == NULL)
		return err_of(E_NO_MEMORY);
	ok = k.n > 0 &&
	    EVP_MAC_init(x, (const unsigned char *)k.p, k.n, NULL) == 1;
	for (size_t i = 0; ok && i < n; i++)
		ok = piece[i].n == 0 ||
		    EVP_MAC_update(x, (const unsigned char *)piece[i].p,
			piece[i].n) == 1;
	ok = ok && EVP_MAC_final(x, out, &got, sizeof out) == 1 &&
	    got == mac_size(d);
	if (!ok) {
		ERR_clear_error();
		return err_of(E_CRYPTO);
	}
	memcpy(ret, out, got);
	return OK;
}

err
mac_sha256(const struct str *piece, size_t n, uint8_t ret[32])
{
	uint8_t out[EVP_MAX_MD_SIZE];
	unsigned got = 0;
	bool ok;

	if (kit.md == NULL && kit_mine()) {
		EVP_MD *md = EVP_MD_fetch(NULL, "SHA256", NULL);

		kit.md = EVP_MD_CTX_new();
		/* the context keeps its own reference of md */
		if (kit.md == NULL || md == NULL ||
		    EVP_DigestInit_ex2(kit.md, md, NULL) != 1) {
			EVP_MD_CTX_free(kit.md);
			kit.md = NULL;
		}
		EVP_MD_free(md);
	}
	if (kit.md == NULL)
		return err_of(E_NO_MEMORY);
	ok = EVP_DigestInit_ex2(kit.md, NULL, NULL) == 1;
	for (size_t i = 0; ok && i < n; i++)
		ok = piece[i].n == 0 ||
		    EVP_DigestUpdate(kit.md, piece[i].p, piece[i].n) == 1;
	if (!ok || EVP_DigestFinal_ex(kit.md, out, &got) != 1 || got != 32) {
		ERR_clear_error();
		return err_of(E_CRYPTO);
	}
	memcpy(ret, out, got);
	return OK;
}

bool
mac_ed25519(struct str public_key, struct str message, struct str sig)
{
	EVP_MD_CTX *x = EVP_MD_CTX_new();
	EVP_PKEY *k = NULL;
	bool ok;

	if (public_key.n == 32)
		k = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL,
		    (const unsigned char *)public_key.p, public_key.n);
	/* 1 is yes; 0 and -1 are both no */
	ok = x != NULL && k != NULL && sig.n == 64 &&
	    EVP_DigestVerifyInit(x, NULL, NULL, NULL, k) == 1 &&
	    EVP_DigestVerify(x, (const unsigned char *)sig.p, sig.n,
		(const unsigned char *)message.p, message.n) == 1;
	EVP_PKEY_free(k);
	EVP_MD_CTX_free(x);
	ERR_clear_error();
	return ok;
}
