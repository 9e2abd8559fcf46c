/*
 * jose.h: keys, signatures and encryption as JSON (RFC 7515 to 7518, 7638,
 * 8037), on OpenSSL's EVP.  Pure: bytes and keys in, bytes or a reason out.
 *
 * Promises.  The algorithm of a token is compared with what the caller
 * allows, and a key is looked at only if type, curve, alg, use, key_ops and
 * kid all fit and no second key does.  A key in a token is never used, an
 * address in one never fetched: tokens that carry jku, jwk, x5u or x5c are
 * refused, and so are crit, b64, zip.  Base64url and JSON are strict.  Every
 * failure is E_UNAUTHENTICATED with a reason for the audit entry (E_INVALID
 * for keys), or E_NO_MEMORY, E_CRYPTO when we fail ourselves.
 *
 * Refused: general and flattened JSON serialisation, nesting (the caller
 * decides on `cty`), every algorithm that jose_algs.def does not name.
 */
#ifndef AUTH_JOSE_H
#define AUTH_JOSE_H

#include "base/json.h"

enum jose_why {
#define WHY(id, text, what) id,
#include "auth/oidc_reasons.def"
#undef WHY
	WHY_MAX_
};
const char *jose_why_text(enum jose_why w); /* "jwt.sig"; static */
const char *jose_why_what(enum jose_why w); /* "the signature is wrong" */
/* The other way, for what crosses between processes; WHY_MAX_ if unknown. */
enum jose_why jose_why_of(struct str text);

enum jwk_type { JWK_RSA, JWK_EC, JWK_OKP, JWK_OCT };

enum jose_alg {
#define JOSE_ALG(id, name, use, kty, curve, bits) id,
#include "auth/jose_algs.def"
#undef JOSE_ALG
	JOSE_ALG_MAX_
};
/* Sets of algorithms are bits. */
#define JOSE_BIT(alg) (1u << (alg))
#define JOSE_RSA_ALGS                                                          \
	(JOSE_BIT(JOSE_RS256) | JOSE_BIT(JOSE_RS384) | JOSE_BIT(JOSE_RS512) |  \
	    JOSE_BIT(JOSE_PS256) | JOSE_BIT(JOSE_PS384) |                      \
	    JOSE_BIT(JOSE_PS512))
#define JOSE_EC_ALGS                                                           \
	(JOSE_BIT(JOSE_ES256) | JOSE_BIT(JOSE_ES384) | JOSE_BIT(JOSE_ES512))
/* What a provider may sign with; HS is for secrets two parties share. */
#define JOSE_PUBLIC_ALGS (JOSE_RSA_ALGS | JOSE_EC_ALGS | JOSE_BIT(JOSE_EDDSA))
#define JOSE_SECRET_ALGS                                                       \
	(JOSE_BIT(JOSE_HS256) | JOSE_BIT(JOSE_HS384) | JOSE_BIT(JOSE_HS512))
#define JOSE_WRAP_ALGS                                                         \
	(JOSE_BIT(JOSE_ECDH_ES) | JOSE_BIT(JOSE_ECDH_ES_A256KW) |              \
	    JOSE_BIT(JOSE_RSA_OAEP_256))
#define JOSE_SEAL_ALGS (JOSE_BIT(JOSE_A128GCM) | JOSE_BIT(JOSE_A256GCM))

const char *jose_alg_name(enum jose_alg a); /* "RS256"; static */
/* Exact, case counts; false for what we do not speak. */
bool jose_alg_of(struct str name, enum jose_alg *ret);

/* ---- keys ---- */

/*
 * One key, checked: RSA of 2048 to 8192 bits with an odd exponent of at
 * least 65537 and without the ROCA fingerprint; points on their curve
 * (P-256, P-384, P-521, Ed25519, X25519); secrets of 16 to 128 bytes, which
 * are wiped when freed.  Parsed once, used often, by many threads.
 */
struct jwk;

/* What a caller is ready to hold. */
enum jwk_want {
	JWK_PUBLIC,  /* public parts only; private members are an error */
	JWK_PRIVATE, /* private keys only */
	JWK_SECRET,  /* kty oct only */
};

/* From JSON text.  Members we do not know are ignored (RFC 7517 4). */
err jwk_parse(struct arena *scratch, struct str json, enum jwk_want want,
    enum jose_why *ret_why, struct jwk **ret) MUST_USE;
/* From an unencrypted private key: PEM, or PKCS #8 in DER.  kid may be empty:
 * then it is the thumbprint.  alg may be JOSE_ALG_MAX_: any that fits. */
err jwk_from_private(struct str key, struct str kid, enum jose_alg alg,
    enum jose_why *ret_why, struct jwk **ret) MUST_USE;
/* A shared secret, for HS256..512 or dir. */
err jwk_from_secret(struct str bytes, struct str kid, enum jose_alg alg,
    enum jose_why *ret_why, struct jwk **ret) MUST_USE;
struct jwk *jwk_free(struct jwk *k); /* wipes; NULL in, NULL out */

enum jwk_type jwk_type(const struct jwk *k);
struct str jwk_kid(const struct jwk *k); /* empty: has none */
/* RFC 7638, over the public members (over k for a secret). */
err jwk_thumbprint(const struct jwk *k, uint8_t ret[32]) MUST_USE;
/* The public JWK as a JSON object: kty, its members, kid and, when bound,
 * alg and use.  E_INVALID for a secret. */
err jwk_write(const struct jwk *k, struct jw *w) MUST_USE;

enum jwk_new { JWK_NEW_P256, JWK_NEW_RSA3072, JWK_NEW_ED25519 };
/* A fresh private key as PKCS #8 DER: seal it, wipe it. */
err jwk_make(struct arena *a, enum jwk_new kind, struct str *ret_der) MUST_USE;

/*
 * A set that owns its keys, at most LIM_JWKS_KEYS.  From a JWKS document of
 * at most 64 KiB, {"keys":[...]}: keys we cannot or will not use (unknown
 * type, weak, for another purpose) are left out and counted, as RFC 7517 5
 * has it; a private member in a JWK_PUBLIC set and a mix of secrets and
 * public keys refuse the whole.  A set where nothing is left is WHY_JWK_EMPTY.
 */
struct jwks {
	struct jwk *keys[32];
	size_t n;
	size_t skipped;		   /* keys left out */
	enum jose_why skipped_why; /* of the first one */
};
err jwks_parse(struct arena *scratch, struct str json, enum jwk_want want,
    enum jose_why *ret_why, struct jwks **ret) MUST_USE;
struct jwks *jwks_new(void); /* empty; NULL without memory */
/* Takes k, also on failure. */
err jwks_add(struct jwks *s, struct jwk *k) MUST_USE;
struct jwks *jwks_free(struct jwks *s);
/* {"keys":[...]} of the public parts. */
err jwks_write(const struct jwks *s, struct jw *w) MUST_USE;

/* ---- signatures ---- */

struct jws_rules {
	uint32_t algs; /* JOSE_BIT(...) | ... of signatures */
	size_t max;    /* bytes of the whole token; LIM_JWT for logins */
};

/* What a verified token says about itself. Views into the arena. */
struct jws {
	enum jose_alg alg;
	const struct jwk *key;
	struct str typ; /* as written; p == NULL when absent */
	struct str cty;
	struct str payload;
};

err jws_verify(struct arena *a, struct str token, const struct jws_rules *r,
    const struct jwks *keys, enum jose_why *ret_why, struct jws *ret) MUST_USE;
/* RFC 7515 appendix F: header..signature, the payload comes beside it. */
err jws_verify_detached(struct arena *a, struct str token, struct str payload,
    const struct jws_rules *r, const struct jwks *keys, enum jose_why *ret_why,
    struct jws *ret) MUST_USE;
/* Is typ this media type, with or without "application/", in any case? */
bool jose_typ_is(struct str typ, struct str want);

/* Sign as alg with typ (may be empty) and the key's kid.  E_INVALID when the
 * key does not fit the algorithm. */
err jws_sign(struct arena *a, const struct jwk *k, enum jose_alg alg,
    struct str typ, struct str payload, struct str *ret) MUST_USE;

/* ---- encryption ---- */

struct jwe_rules {
	uint32_t algs; /* of JOSE_WRAP_ALGS | JOSE_BIT(JOSE_DIR) */
	uint32_t encs; /* of JOSE_SEAL_ALGS */
	size_t max;    /* bytes of the whole token */
	bool need_kid; /* a token without kid is refused */
};

struct jwe {
	enum jose_alg alg, enc;
	const struct jwk *key;
	struct str typ, cty; /* p == NULL when absent */
	struct str plain;    /* on the arena: not a secret of ours */
};

/* Whatever depends on the private key fails with one reason, WHY_DECRYPT. */
err jwe_decrypt(struct arena *a, struct str token, const struct jwe_rules *r,
    const struct jwks *keys, enum jose_why *ret_why, struct jwe *ret) MUST_USE;

#endif
