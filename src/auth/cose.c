#include "auth/cose.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "auth/cbor.h"
#include "base/limits.h"

/* Labels and values of RFC 9053. */
enum { KTY = 1, ALG = 3, CRV = -1, X = -2, Y = -3, RSA_N = -1, RSA_E = -2 };
enum { KTY_OKP = 1, KTY_EC2 = 2, KTY_RSA = 3, CRV_P256 = 1, CRV_ED25519 = 6 };
enum { COORDINATE = 32, ED25519 = 32, RSA_MIN = 256, RSA_MAX = 512 };

static bool
number_at(const struct cbor *map, int64_t label, int64_t want)
{
	struct cbor c;
	int64_t v;

	return cbor_at_int(map, label, &c) && cbor_i64(&c, &v) && v == want;
}

static bool
bytes_at(const struct cbor *map, int64_t label, struct str *ret)
{
	struct cbor c;

	if (!cbor_at_int(map, label, &c) || c.kind != CBOR_BYTES)
		return false;
	*ret = c.bytes;
	return true;
}

/* Parameters of a public key to an EVP_PKEY that was checked. */
static EVP_PKEY *
from_params(const char *type, OSSL_PARAM *params)
{
	EVP_PKEY_CTX *make = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY_CTX *look = NULL;
	EVP_PKEY *pkey = NULL;

	if (make == NULL || params == NULL ||
	    EVP_PKEY_fromdata_init(make) != 1 ||
	    EVP_PKEY_fromdata(make, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		pkey = NULL;
	if (pkey != NULL)
		look = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	if (look == NULL || EVP_PKEY_public_check(look) != 1) {
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
	EVP_PKEY_CTX_free(look);
	EVP_PKEY_CTX_free(make);
	OSSL_PARAM_free(params);
	return pkey;
}

static EVP_PKEY *
p256(const struct cbor *map)
{
	uint8_t point[1 + 2 * COORDINATE] = {4}; /* uncompressed */
	OSSL_PARAM_BLD *b;
	OSSL_PARAM *params = NULL;
	struct str x, y;

	if (map->n != 5 || !number_at(map, KTY, KTY_EC2) ||
	    !number_at(map, CRV, CRV_P256) || !bytes_at(map, X, &x) ||
	    !bytes_at(map, Y, &y) || x.n != COORDINATE || y.n != COORDINATE)
		return NULL;
	memcpy(point + 1, x.p, COORDINATE);
	memcpy(point + 1 + COORDINATE, y.p, COORDINATE);
	b = OSSL_PARAM_BLD_new();
	if (b != NULL &&
	    OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME,
		"P-256", 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point,
		sizeof point) == 1)
		params = OSSL_PARAM_BLD_to_param(b);
	OSSL_PARAM_BLD_free(b);
	return from_params("EC", params);
}

static EVP_PKEY *
ed25519(const struct cbor *map)
{
	struct str x;

	if (map->n != 4 || !number_at(map, KTY, KTY_OKP) ||
	    !number_at(map, CRV, CRV_ED25519) || !bytes_at(map, X, &x) ||
	    x.n != ED25519)
		return NULL;
	return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL,
	    (const uint8_t *)x.p, x.n);
}

/* 2048 to 4096 bits, the exponent 65537 and no other. */
static EVP_PKEY *
rsa(const struct cbor *map)
{
	OSSL_PARAM *params = NULL;
	OSSL_PARAM_BLD *b;
	struct str n, e;
	BIGNUM *mod;

	if (map->n != 4 || !number_at(map, KTY, KTY_RSA) ||
	    !bytes_at(map, RSA_N, &n) || !bytes_at(map, RSA_E, &e) ||
	    n.n < RSA_MIN || n.n > RSA_MAX || (n.p[0] & 0x80) == 0 ||
	    (n.p[n.n - 1] & 1) == 0 || e.n != 3 ||
	    memcmp(e.p, "\x01\x00\x01", 3) != 0)
		return NULL;
	b = OSSL_PARAM_BLD_new();
	mod = BN_bin2bn((const uint8_t *)n.p, (int)n.n, NULL);
	if (b != NULL && mod != NULL &&
	    OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, mod) == 1 &&
	    OSSL_PARAM_BLD_push_uint(b, OSSL_PKEY_PARAM_RSA_E, 65537) == 1)
		params = OSSL_PARAM_BLD_to_param(b);
	OSSL_PARAM_BLD_free(b);
	BN_free(mod);
	return from_params("RSA", params);
}

err
cose_key_open(struct str text, enum webauthn_reason *ret_why,
    struct cose_key *ret)
{
	struct cur in = cur_of(text);
	struct cbor map, alg;
	struct cose_key k;
	int64_t number;

	*ret_why = WEBAUTHN_KEY;
	if (!err_ok(cbor_take(&in, LIM_CBOR, &map)) || !cur_end(&in) ||
	    !cbor_at_int(&map, ALG, &alg) || !cbor_i64(&alg, &number))
		return err_of(E_UNAUTHENTICATED);
	switch (number) {
	case WEBAUTHN_ES256:
		k.pkey = p256(&map);
		break;
	case WEBAUTHN_EDDSA:
		k.pkey = ed25519(&map);
		break;
	case WEBAUTHN_RS256:
		k.pkey = rsa(&map);
		break;
	default:
		*ret_why = WEBAUTHN_ALGORITHM;
		return err_of(E_UNAUTHENTICATED);
	}
	ERR_clear_error();
	if (k.pkey == NULL)
		return err_of(E_UNAUTHENTICATED);
	k.alg = (enum webauthn_alg)number;
	*ret_why = WEBAUTHN_OK;
	*ret = k;
	return OK;
}

void
cose_key_close(struct cose_key *k)
{
	EVP_PKEY_free(k->pkey);
	k->pkey = NULL;
}

err
cose_verify(const struct cose_key *k, struct str message, struct str signature)
{
	const char *digest = k->alg == WEBAUTHN_EDDSA ? NULL : "SHA256";
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool good = c != NULL &&
	    EVP_DigestVerifyInit_ex(c, NULL, digest, NULL, NULL, k->pkey,
		NULL) == 1 &&
	    EVP_DigestVerify(c, (const uint8_t *)signature.p, signature.n,
		(const uint8_t *)message.p, message.n) == 1;

	EVP_MD_CTX_free(c);
	ERR_clear_error();
	return err_of(good ? E_OK : E_UNAUTHENTICATED);
}
