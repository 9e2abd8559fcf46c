/*
 * jose_crypt.c: encrypted tokens (RFC 7516; 7518 4 and 5): ECDH-ES, alone or
 * wrapping, RSA-OAEP-256, or a shared key; AES-GCM for the content.
 *
 * Whatever depends on a private key fails in one way.  A key that does not
 * unwrap is replaced by a random one, and the content then fails to open: an
 * RSA padding fault does not show, not even in time (RFC 7516 11.5).
 */
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "auth/jose_inner.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"

enum { CEK_MAX = 32, KEK = 32, IV = 12, TAG = 16, SHARED_MAX = 66 };

struct token {
	struct str part[5]; /* as sent */
	struct str key, iv, text, tag;
	struct jose_header h;
	enum jose_alg alg, enc;
	size_t cek_n;
};

/* ---- the content key ---- */

static bool
agree(const struct jwk *k, EVP_PKEY *peer, unsigned char ret[SHARED_MAX],
    size_t *ret_n)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
	bool ok;

	*ret_n = SHARED_MAX;
	/* OpenSSL refuses an X25519 secret of zeros itself */
	ok = c != NULL && EVP_PKEY_derive_init(c) == 1 &&
	    EVP_PKEY_derive_set_peer_ex(c, peer, 1) == 1 &&
	    EVP_PKEY_derive(c, ret, ret_n) == 1;
	EVP_PKEY_CTX_free(c);
	ERR_clear_error();
	return ok;
}

/* One round of Concat KDF with SHA-256 (RFC 7518 4.6.2). */
static bool
concat_kdf(struct arena *a, const unsigned char *z, size_t z_n,
    const char *algorithm, const struct jose_header *h, size_t n,
    unsigned char ret[CEK_MAX])
{
	unsigned char md[EVP_MAX_MD_SIZE];
	struct str name = str_c(algorithm);
	struct buf b;
	size_t md_n = 0;
	bool ok;

	buf_init_on(&b, a, 1024 + h->apu.n + h->apv.n);
	buf_be32(&b, 1);
	buf_add(&b, z, z_n);
	buf_be32(&b, (uint32_t)name.n);
	buf_str(&b, name);
	buf_be32(&b, (uint32_t)h->apu.n);
	buf_str(&b, h->apu);
	buf_be32(&b, (uint32_t)h->apv.n);
	buf_str(&b, h->apv);
	buf_be32(&b, (uint32_t)n * 8);
	ok = err_ok(buf_check(&b)) &&
	    EVP_Q_digest(NULL, "SHA256", NULL, b.p, b.n, md, &md_n) == 1 &&
	    n <= md_n;
	if (ok)
		memcpy(ret, md, n);
	if (b.p != NULL)
		mem_wipe(b.p, b.n);
	mem_wipe(md, sizeof md);
	return ok;
}

/* AES key wrap (RFC 3394). */
static bool
unwrap(const unsigned char kek[KEK], struct str in, size_t n,
    unsigned char ret[CEK_MAX])
{
	unsigned char out[CEK_MAX + 16];
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	EVP_CIPHER *c = EVP_CIPHER_fetch(NULL, "AES-256-WRAP", NULL);
	int got = 0;
	bool ok;

	if (ctx != NULL)
		EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	ok = ctx != NULL && c != NULL && in.n == n + 8 &&
	    EVP_DecryptInit_ex2(ctx, c, kek, NULL, NULL) == 1 &&
	    EVP_DecryptUpdate(ctx, out, &got, (const unsigned char *)in.p,
		(int)in.n) == 1 &&
	    (size_t)got == n;
	if (ok)
		memcpy(ret, out, n);
	mem_wipe(out, sizeof out);
	EVP_CIPHER_free(c);
	EVP_CIPHER_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

static bool
key_agreed(struct arena *a, const struct jwk *k, EVP_PKEY *peer,
    const struct token *t, unsigned char ret[CEK_MAX])
{
	unsigned char z[SHARED_MAX], kek[KEK];
	bool direct = t->alg == JOSE_ECDH_ES;
	size_t n;
	bool ok;

	ok = agree(k, peer, z, &n);
	if (ok && direct)
		ok = concat_kdf(a, z, n, jose_alg_name(t->enc), &t->h, t->cek_n,
		    ret);
	else if (ok)
		ok = concat_kdf(a, z, n, jose_alg_name(t->alg), &t->h, KEK,
			 kek) &&
		    unwrap(kek, t->key, t->cek_n, ret);
	mem_wipe(z, sizeof z);
	mem_wipe(kek, sizeof kek);
	return ok;
}

static bool
key_oaep(const struct jwk *k, const struct token *t, unsigned char ret[CEK_MAX])
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
	unsigned char out[1024];
	size_t n = sizeof out;
	bool ok;

	ok = c != NULL && EVP_PKEY_get_size(k->pkey) <= (int)sizeof out &&
	    EVP_PKEY_decrypt_init(c) == 1 &&
	    EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_OAEP_PADDING) == 1 &&
	    EVP_PKEY_CTX_set_rsa_oaep_md_name(c, "SHA256", NULL) == 1 &&
	    EVP_PKEY_CTX_set_rsa_mgf1_md_name(c, "SHA256", NULL) == 1 &&
	    EVP_PKEY_decrypt(c, out, &n, (const unsigned char *)t->key.p,
		t->key.n) == 1 &&
	    n == t->cek_n;
	if (ok)
		memcpy(ret, out, n);
	mem_wipe(out, sizeof out);
	EVP_PKEY_CTX_free(c);
	ERR_clear_error();
	return ok;
}

/* ---- the content ---- */

static bool
gcm_open(struct arena *a, const struct token *t,
    const unsigned char key[CEK_MAX], struct str *ret)
{
	unsigned char *out = arena_raw(a, t->text.n + 1), tag[TAG];
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	EVP_CIPHER *c = EVP_CIPHER_fetch(NULL,
	    t->cek_n == 32 ? "AES-256-GCM" : "AES-128-GCM", NULL);
	struct str aad = t->part[0];
	int n = 0, last = 0;
	bool ok;

	memcpy(tag, t->tag.p, TAG);
	ok = out != NULL && ctx != NULL && c != NULL &&
	    EVP_DecryptInit_ex2(ctx, c, key, (const unsigned char *)t->iv.p,
		NULL) == 1 &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG, tag) == 1 &&
	    EVP_DecryptUpdate(ctx, NULL, &n, (const unsigned char *)aad.p,
		(int)aad.n) == 1;
	n = 0;
	if (ok && t->text.n > 0)
		ok = EVP_DecryptUpdate(ctx, out, &n,
			 (const unsigned char *)t->text.p, (int)t->text.n) == 1;
	ok = ok && EVP_DecryptFinal_ex(ctx, out + n, &last) == 1;
	EVP_CIPHER_free(c);
	EVP_CIPHER_CTX_free(ctx);
	ERR_clear_error();
	if (ok)
		*ret = str_of((const char *)out, t->text.n);
	return ok;
}

/* ---- the token ---- */

/* Empty parts decode to nothing. */
static bool
part(struct arena *a, struct str in, struct str *ret)
{
	*ret = STR("");
	return in.n == 0 || b64url_decode(a, in, ret);
}

static err
read_token(struct arena *a, struct str text, const struct jwe_rules *r,
    enum jose_why *ret_why, struct token *t)
{
	if (text.n > r->max)
		return jose_fail(WHY_SIZE, ret_why);
	if (!jose_split(text, t->part, 5))
		return jose_fail(WHY_FORM, ret_why);
	TRY(jose_header_read(a, t->part[0], true, ret_why, &t->h));
	if (!jose_alg_of(t->h.alg, &t->alg) ||
	    (r->algs & JOSE_BIT(t->alg)) == 0 ||
	    jose_row(t->alg)->use != JOSE_WRAPS)
		return jose_fail(WHY_ALG, ret_why);
	if (!jose_alg_of(t->h.enc, &t->enc) ||
	    (r->encs & JOSE_BIT(t->enc)) == 0 ||
	    jose_row(t->enc)->use != JOSE_SEALS)
		return jose_fail(WHY_ENC, ret_why);
	t->cek_n = jose_row(t->enc)->bits / 8;
	if (!part(a, t->part[1], &t->key) || !part(a, t->part[2], &t->iv) ||
	    !part(a, t->part[3], &t->text) || !part(a, t->part[4], &t->tag))
		return jose_fail(WHY_B64, ret_why);
	TRY(arena_check(a));
	if (t->iv.n != IV)
		return jose_fail(WHY_IV, ret_why);
	if (t->tag.n != TAG)
		return jose_fail(WHY_TAG, ret_why);
	/* agreed or shared keys are not sent along */
	if ((t->alg == JOSE_DIR || t->alg == JOSE_ECDH_ES) != (t->key.n == 0))
		return jose_fail(WHY_CEK, ret_why);
	if (r->need_kid && t->h.kid.n == 0)
		return jose_fail(WHY_KID, ret_why);
	return OK;
}

static bool
agrees(enum jose_alg alg)
{
	return alg == JOSE_ECDH_ES || alg == JOSE_ECDH_ES_A256KW;
}

static unsigned
may_for(enum jose_alg alg)
{
	if (agrees(alg))
		return MAY_DERIVE;
	return alg == JOSE_DIR ? MAY_DECRYPT : MAY_UNWRAP | MAY_DECRYPT;
}

static bool
content_key(struct arena *a, const struct jwk *k, EVP_PKEY *peer,
    const struct token *t, unsigned char ret[CEK_MAX])
{
	if (t->alg != JOSE_DIR)
		return agrees(t->alg) ? key_agreed(a, k, peer, t, ret)
				      : key_oaep(k, t, ret);
	if (k->oct_n != t->cek_n)
		return false;
	memcpy(ret, k->oct, k->oct_n);
	return true;
}

err
jwe_decrypt(struct arena *a, struct str token, const struct jwe_rules *r,
    const struct jwks *keys, enum jose_why *ret_why, struct jwe *ret)
{
	enum jose_curve curve = CURVE_NONE;
	unsigned char cek[CEK_MAX];
	struct token t = {0};
	EVP_PKEY *peer = NULL;
	const struct jwk *k;
	struct str plain = STR("");
	bool ok;
	err e;

	*ret_why = WHY_OK;
	TRY(read_token(a, token, r, ret_why, &t));
	if (agrees(t.alg)) {
		peer = t.h.epk == NULL ? NULL : jose_point(a, t.h.epk, &curve);
		if (peer == NULL || curve == CURVE_ED25519) {
			EVP_PKEY_free(peer);
			return jose_fail(WHY_EPK, ret_why);
		}
	}
	e = jose_select(keys, t.alg, t.alg == JOSE_DIR ? t.enc : t.alg, t.h.kid,
	    may_for(t.alg), curve, ret_why, &k);
	if (err_ok(e) && (k->private || k->type == JWK_OCT) &&
	    RAND_bytes(cek, sizeof cek) == 1) {
		ok = content_key(a, k, peer, &t, cek);
		ok = gcm_open(a, &t, cek, &plain) && ok;
		e = ok ? OK : jose_fail(WHY_DECRYPT, ret_why);
	} else if (err_ok(e)) {
		e = jose_fail(WHY_KID, ret_why);
	}
	mem_wipe(cek, sizeof cek);
	EVP_PKEY_free(peer);
	TRY(e);
	*ret = (struct jwe){.alg = t.alg,
	    .enc = t.enc,
	    .key = k,
	    .typ = t.h.typ,
	    .cty = t.h.cty,
	    .plain = plain};
	return OK;
}
