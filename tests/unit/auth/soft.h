/* soft.h: an authenticator and a browser, in software, that can be told to
 * do each step wrongly. */
#ifndef TESTS_AUTH_SOFT_H
#define TESTS_AUTH_SOFT_H

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "auth/webauthn.h"
#include "base/text.h"
#include "tests/t.h"

enum { SOFT_UP = 1, SOFT_UV = 4, SOFT_BE = 8, SOFT_BS = 16 };

/* All that goes into an answer; a test changes one of it. */
struct soft {
	struct arena a;
	EVP_PKEY *pkey;
	int alg;
	struct webauthn_ask ask;
	/* the browser */
	struct str type, challenge, origin, extra, client_data;
	/* the authenticator */
	struct str rp, id, cose, tail, auth_data, fmt, statement, attestation;
	uint8_t flags;
	bool at;
	uint32_t count;
	int64_t id_n; /* the length given for id; -1: that of id */
	struct str signature;
};

static inline struct str
soft_copy(struct soft *s, const struct buf *b)
{
	if (b->failed)
		abort();
	return arena_dup(&s->a, buf_view(b));
}

/* A CBOR head. */
static inline void
cb_head(struct buf *b, unsigned major, size_t n)
{
	if (n < 24) {
		buf_char(b, (char)(major << 5 | n));
	} else if (n < 256) {
		buf_char(b, (char)(major << 5 | 24));
		buf_char(b, (char)n);
	} else {
		buf_char(b, (char)(major << 5 | 25));
		buf_be16(b, (uint16_t)n);
	}
}

static inline void
cb_int(struct buf *b, int64_t v)
{
	if (v < 0)
		cb_head(b, 1, (size_t)(-1 - v));
	else
		cb_head(b, 0, (size_t)v);
}

static inline void
cb_bytes(struct buf *b, struct str s)
{
	cb_head(b, 2, s.n);
	buf_str(b, s);
}

static inline void
cb_text(struct buf *b, struct str s)
{
	cb_head(b, 3, s.n);
	buf_str(b, s);
}

/* The coordinates of an EC key, x then y. */
static inline void
soft_point(EVP_PKEY *k, uint8_t ret[64])
{
	uint8_t all[65];
	size_t n;

	if (EVP_PKEY_get_octet_string_param(k, OSSL_PKEY_PARAM_PUB_KEY, all,
		sizeof all, &n) != 1 ||
	    n != sizeof all)
		abort();
	memcpy(ret, all + 1, 64);
}

static inline void
soft_modulus(EVP_PKEY *k, uint8_t *ret, size_t n)
{
	BIGNUM *mod = NULL;

	if (EVP_PKEY_get_bn_param(k, OSSL_PKEY_PARAM_RSA_N, &mod) != 1 ||
	    BN_bn2binpad(mod, ret, (int)n) != (int)n)
		abort();
	BN_free(mod);
}

static inline void
soft_cose(struct soft *s)
{
	uint8_t raw[512];
	struct buf b;
	size_t n = 32;

	buf_init_on(&b, &s->a, 4096);
	if (s->alg == WEBAUTHN_ES256) {
		soft_point(s->pkey, raw);
		buf_add(&b, "\xa5\x01\x02\x03\x26\x20\x01\x21", 8);
		cb_bytes(&b, str_of((char *)raw, 32));
		buf_char(&b, 0x22);
		cb_bytes(&b, str_of((char *)raw + 32, 32));
	} else if (s->alg == WEBAUTHN_EDDSA) {
		if (EVP_PKEY_get_raw_public_key(s->pkey, raw, &n) != 1)
			abort();
		buf_add(&b, "\xa4\x01\x01\x03\x27\x20\x06\x21", 8);
		cb_bytes(&b, str_of((char *)raw, n));
	} else {
		n = (size_t)EVP_PKEY_get_bits(s->pkey) / 8;
		soft_modulus(s->pkey, raw, n);
		buf_add(&b, "\xa4\x01\x03\x03\x39\x01\x00\x20", 8);
		cb_bytes(&b, str_of((char *)raw, n));
		buf_add(&b, "\x21\x43\x01\x00\x01", 5);
	}
	s->cose = soft_copy(s, &b);
}

static inline void
soft_open(struct soft *s, int alg)
{
	static const uint8_t challenge[WEBAUTHN_CHALLENGE_SIZE] = {9, 8, 7};
	struct buf b;

	memset(s, 0, sizeof *s);
	arena_init(&s->a, 1 << 20);
	s->alg = alg;
	s->pkey = alg == WEBAUTHN_ES256 ? EVP_EC_gen("P-256")
	    : alg == WEBAUTHN_EDDSA ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
				    : EVP_RSA_gen(2048);
	s->ask.rp_id = s->rp = STR("redoubt.example.org");
	s->ask.origin = s->origin = STR("https://redoubt.example.org:8443");
	memcpy(s->ask.challenge, challenge, sizeof challenge);
	buf_init_on(&b, &s->a, 64);
	b64url_add(&b, str_of((const char *)challenge, sizeof challenge));
	s->challenge = soft_copy(s, &b);
	s->id = STR("an id of a credential");
	s->id_n = -1;
	s->fmt = STR("none");
	s->statement = STR("\xa0");
	s->flags = SOFT_UP | SOFT_UV;
	soft_cose(s);
}

static inline void
soft_close(struct soft *s)
{
	EVP_PKEY_free(s->pkey);
	arena_done(&s->a);
}

static inline void
soft_sha256(struct str s, uint8_t ret[32])
{
	if (EVP_Q_digest(NULL, "SHA256", NULL, s.p, s.n, ret, NULL) != 1)
		abort();
}

static inline void
soft_client_data(struct soft *s)
{
	struct buf b;

	if (s->client_data.p != NULL)
		return;
	buf_init_on(&b, &s->a, 8192);
	buf_fmt(&b, "{\"type\":\"%.*s\",\"challenge\":\"%.*s\",",
	    STR_ARG(s->type), STR_ARG(s->challenge));
	buf_fmt(&b, "\"origin\":\"%.*s\"", STR_ARG(s->origin));
	buf_str(&b, s->extra);
	buf_c(&b, "}");
	s->client_data = soft_copy(s, &b);
}

static inline void
soft_auth_data(struct soft *s)
{
	uint8_t hash[32];
	struct buf b;

	if (s->auth_data.p != NULL)
		return;
	buf_init_on(&b, &s->a, 65536);
	soft_sha256(s->rp, hash);
	buf_add(&b, hash, sizeof hash);
	buf_char(&b, (char)(s->flags | (s->at ? 0x40 : 0)));
	buf_be32(&b, s->count);
	if (s->at) {
		buf_add(&b, "0123456789abcdef", 16);
		buf_be16(&b,
		    (uint16_t)(s->id_n < 0 ? (int64_t)s->id.n : s->id_n));
		buf_str(&b, s->id);
		buf_str(&b, s->cose);
	}
	buf_str(&b, s->tail);
	s->auth_data = soft_copy(s, &b);
}

static inline void
soft_attestation(struct soft *s)
{
	struct buf b;

	soft_auth_data(s);
	if (s->attestation.p != NULL)
		return;
	buf_init_on(&b, &s->a, 65536);
	buf_char(&b, (char)0xa3);
	cb_text(&b, STR("fmt"));
	cb_text(&b, s->fmt);
	cb_text(&b, STR("attStmt"));
	buf_str(&b, s->statement);
	cb_text(&b, STR("authData"));
	cb_bytes(&b, s->auth_data);
	s->attestation = soft_copy(s, &b);
}

static inline void
soft_sign(struct soft *s)
{
	const char *digest = s->alg == WEBAUTHN_EDDSA ? NULL : "SHA256";
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	uint8_t hash[32], sig[512];
	size_t n = sizeof sig;
	struct buf b;

	soft_client_data(s);
	soft_auth_data(s);
	if (s->signature.p == NULL) {
		buf_init_on(&b, &s->a, 65536);
		buf_str(&b, s->auth_data);
		soft_sha256(s->client_data, hash);
		buf_add(&b, hash, sizeof hash);
		if (EVP_DigestSignInit_ex(c, NULL, digest, NULL, NULL, s->pkey,
			NULL) != 1 ||
		    EVP_DigestSign(c, sig, &n, (uint8_t *)b.p, b.n) != 1)
			abort();
		s->signature = arena_dup(&s->a, str_of((char *)sig, n));
	}
	EVP_MD_CTX_free(c);
}

#endif
