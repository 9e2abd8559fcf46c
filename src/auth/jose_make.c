/* jose_make.c: keys of our own: made, read, shown. */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "auth/jose_inner.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"

enum { NUMBER_MAX = 1024 };

/* ---- reading ---- */

static int
no_password(char *buf, int size, int rw, void *arg)
{
	(void)buf;
	(void)size;
	(void)rw;
	(void)arg;
	return 0;
}

static EVP_PKEY *
private_open(struct str text)
{
	const unsigned char *p = (const unsigned char *)text.p;
	EVP_PKEY *k = NULL;
	BIO *bio;

	if (text.n > INT32_MAX)
		return NULL;
	if (str_starts(str_trim(text), STR("-----BEGIN"))) {
		bio = BIO_new_mem_buf(text.p, (int)text.n);
		if (bio != NULL)
			k = PEM_read_bio_PrivateKey(bio, NULL, no_password,
			    NULL);
		BIO_free(bio);
	} else {
		k = d2i_AutoPrivateKey(NULL, &p, (long)text.n);
	}
	ERR_clear_error();
	return k;
}

static bool
classify(struct jwk *k)
{
	char group[32] = "";
	size_t n = 0;

	if (EVP_PKEY_is_a(k->pkey, "RSA")) {
		k->type = JWK_RSA;
		return EVP_PKEY_get_bits(k->pkey) >= 2048 &&
		    EVP_PKEY_get_bits(k->pkey) <= 8192;
	}
	k->type = JWK_OKP;
	k->curve = CURVE_NONE;
	if (EVP_PKEY_is_a(k->pkey, "ED25519"))
		k->curve = CURVE_ED25519;
	if (EVP_PKEY_is_a(k->pkey, "X25519"))
		k->curve = CURVE_X25519;
	if (!EVP_PKEY_is_a(k->pkey, "EC"))
		return k->curve != CURVE_NONE;
	k->type = JWK_EC;
	if (EVP_PKEY_get_group_name(k->pkey, group, sizeof group, &n) != 1)
		return false;
	if (strcmp(group, "prime256v1") == 0)
		k->curve = CURVE_P256;
	else if (strcmp(group, "secp384r1") == 0)
		k->curve = CURVE_P384;
	else if (strcmp(group, "secp521r1") == 0)
		k->curve = CURVE_P521;
	return k->curve != CURVE_NONE;
}

/* The kid that was given, or the thumbprint. */
static err
name(struct jwk *k, struct str kid)
{
	char text[64];
	struct buf b = {.p = text, .cap = sizeof text, .max = sizeof text};
	uint8_t print[32];

	if (kid.n == 0) {
		TRY(jwk_thumbprint(k, print));
		b64url_add(&b, str_of((const char *)print, sizeof print));
		kid = buf_view(&b);
	}
	if (kid.n > KID_MAX)
		return err_of(E_INVALID);
	memcpy(k->kid, kid.p, kid.n);
	k->kid_n = kid.n;
	return OK;
}

static err
bind(struct jwk *k, enum jose_alg alg, struct str kid, enum jose_why *ret_why)
{
	const struct jose_row *r = alg == JOSE_ALG_MAX_ ? NULL : jose_row(alg);

	k->may = MAY_ALL;
	k->alg = alg;
	if (r != NULL && r->curve != CURVE_ANY &&
	    (r->type != k->type ||
		(r->curve != CURVE_NONE && r->curve != k->curve))) {
		*ret_why = WHY_JWK_ALG;
		return err_of(E_INVALID);
	}
	return name(k, kid);
}

err
jwk_from_private(struct str key, struct str kid, enum jose_alg alg,
    enum jose_why *ret_why, struct jwk **ret)
{
	struct jwk *k = mem_new(1, sizeof *k);
	err e = OK;

	*ret_why = WHY_OK;
	if (k == NULL)
		return err_of(E_NO_MEMORY);
	k->private = true;
	k->pkey = private_open(key);
	if (k->pkey == NULL || !classify(k)) {
		*ret_why = k->pkey == NULL ? WHY_JWK_PUBLIC : WHY_JWK_SIZE;
		e = err_of(E_INVALID);
	}
	if (err_ok(e))
		e = bind(k, alg, kid, ret_why);
	if (!err_ok(e)) {
		(void)jwk_free(k);
		return e;
	}
	*ret = k;
	return OK;
}

err
jwk_from_secret(struct str bytes, struct str kid, enum jose_alg alg,
    enum jose_why *ret_why, struct jwk **ret)
{
	struct jwk *k;
	err e;

	*ret_why = WHY_OK;
	if (bytes.n < OCT_MIN || bytes.n > OCT_MAX) {
		*ret_why = WHY_JWK_SIZE;
		return err_of(E_INVALID);
	}
	k = mem_new(1, sizeof *k);
	if (k == NULL)
		return err_of(E_NO_MEMORY);
	k->type = JWK_OCT;
	memcpy(k->oct, bytes.p, bytes.n);
	k->oct_n = bytes.n;
	e = bind(k, alg, kid, ret_why);
	if (!err_ok(e)) {
		(void)jwk_free(k);
		return e;
	}
	*ret = k;
	return OK;
}

/* ---- showing ---- */

/* A member with the base64url of bytes. */
static void
member(struct jw *w, const char *what, const unsigned char *p, size_t n)
{
	char text[NUMBER_MAX / 3 * 4 + 8];
	struct buf b = {.p = text, .cap = sizeof text, .max = sizeof text};

	b64url_add(&b, str_of((const char *)p, n));
	jw_name(w, str_c(what));
	jw_str(w, buf_view(&b));
}

/* A number of the key; width 0: as long as it is. */
static bool
number(struct jw *w, const struct jwk *k, const char *what, const char *param,
    size_t width)
{
	unsigned char out[NUMBER_MAX];
	BIGNUM *n = NULL;
	int size = -1;

	if (EVP_PKEY_get_bn_param(k->pkey, param, &n) == 1) {
		if (width == 0)
			width = (size_t)BN_num_bytes(n);
		if (width <= sizeof out)
			size = BN_bn2binpad(n, out, (int)width);
	}
	BN_free(n);
	if (size > 0)
		member(w, what, out, (size_t)size);
	ERR_clear_error();
	return size > 0;
}

/* Members that make the key, in the order of RFC 7638. */
static bool
public_members(struct jw *w, const struct jwk *k)
{
	size_t width = k->type == JWK_RSA ? 0 : jose_curve_size(k->curve);
	unsigned char raw[64];
	size_t n = sizeof raw;

	switch (k->type) {
	case JWK_RSA:
		if (!number(w, k, "e", OSSL_PKEY_PARAM_RSA_E, 0))
			return false;
		jw_kstr(w, "kty", STR("RSA"));
		return number(w, k, "n", OSSL_PKEY_PARAM_RSA_N, 0);
	case JWK_EC:
		jw_kstr(w, "crv", str_c(jose_curve_name(k->curve)));
		jw_kstr(w, "kty", STR("EC"));
		return number(w, k, "x", OSSL_PKEY_PARAM_EC_PUB_X, width) &&
		    number(w, k, "y", OSSL_PKEY_PARAM_EC_PUB_Y, width);
	case JWK_OKP:
		if (EVP_PKEY_get_raw_public_key(k->pkey, raw, &n) != 1)
			return false;
		jw_kstr(w, "crv", str_c(jose_curve_name(k->curve)));
		jw_kstr(w, "kty", STR("OKP"));
		member(w, "x", raw, n);
		return true;
	case JWK_OCT:
		member(w, "k", k->oct, k->oct_n);
		jw_kstr(w, "kty", STR("oct"));
		return true;
	}
	return false;
}

err
jwk_thumbprint(const struct jwk *k, uint8_t ret[32])
{
	char text[4096];
	struct buf b = {.p = text, .cap = sizeof text, .max = sizeof text};
	size_t n = 32;
	struct jw w;
	bool ok;

	jw_init(&w, &b);
	jw_obj(&w);
	ok = public_members(&w, k);
	jw_obj_end(&w);
	ok = ok && err_ok(buf_check(&b)) &&
	    EVP_Q_digest(NULL, "SHA256", NULL, b.p, b.n, ret, &n) == 1;
	mem_wipe(text, sizeof text);
	return err_of(ok ? E_OK : E_CRYPTO);
}

err
jwk_write(const struct jwk *k, struct jw *w)
{
	bool ok;

	if (k->type == JWK_OCT)
		return err_of(E_INVALID);
	jw_obj(w);
	ok = public_members(w, k);
	if (k->kid_n > 0)
		jw_kstr(w, "kid", jwk_kid(k));
	if (k->alg != JOSE_ALG_MAX_) {
		jw_kstr(w, "alg", str_c(jose_alg_name(k->alg)));
		jw_kstr(w, "use",
		    jose_row(k->alg)->use == JOSE_SIGNS ? STR("sig")
							: STR("enc"));
	}
	jw_obj_end(w);
	return err_of(ok ? E_OK : E_CRYPTO);
}

err
jwks_write(const struct jwks *s, struct jw *w)
{
	jw_obj(w);
	jw_karr(w, "keys");
	for (size_t i = 0; i < s->n; i++)
		TRY(jwk_write(s->keys[i], w));
	jw_arr_end(w);
	jw_obj_end(w);
	return OK;
}

/* ---- making ---- */

err
jwk_make(struct arena *a, enum jwk_new kind, struct str *ret_der)
{
	PKCS8_PRIV_KEY_INFO *info = NULL;
	unsigned char *der = NULL;
	EVP_PKEY *k = NULL;
	int n = 0;

	if (kind == JWK_NEW_P256)
		k = EVP_EC_gen("P-256");
	else if (kind == JWK_NEW_RSA3072)
		k = EVP_RSA_gen(3072);
	else
		k = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	if (k != NULL)
		info = EVP_PKEY2PKCS8(k);
	if (info != NULL)
		n = i2d_PKCS8_PRIV_KEY_INFO(info, &der);
	if (n > 0)
		*ret_der = arena_dup(a, str_of((const char *)der, (size_t)n));
	if (der != NULL)
		OPENSSL_clear_free(der, (size_t)n);
	PKCS8_PRIV_KEY_INFO_free(info);
	EVP_PKEY_free(k);
	ERR_clear_error();
	TRY(arena_check(a));
	return err_of(n > 0 ? E_OK : E_CRYPTO);
}
