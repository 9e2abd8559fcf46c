/* jose_inner.h: inside JOSE only: what a key is, and a parsed header. */
#ifndef AUTH_JOSE_INNER_H
#define AUTH_JOSE_INNER_H

#include <openssl/evp.h>

#include "auth/jose.h"

enum jose_use { JOSE_SIGNS, JOSE_WRAPS, JOSE_SEALS };
enum jose_curve {
	CURVE_NONE,
	CURVE_P256,
	CURVE_P384,
	CURVE_P521,
	CURVE_ED25519,
	CURVE_X25519,
	CURVE_ANY, /* P-256, P-384, P-521 or X25519 */
};

struct jose_row {
	const char *name;
	enum jose_use use;
	enum jwk_type type;
	enum jose_curve curve;
	unsigned bits;
};
const struct jose_row *jose_row(enum jose_alg a);
const char *jose_md(enum jose_alg a); /* "SHA256" */

/* What a key may do; bits. */
enum {
	MAY_SIGN = 1,
	MAY_VERIFY = 2,
	MAY_ENCRYPT = 4,
	MAY_DECRYPT = 8,
	MAY_WRAP = 16,
	MAY_UNWRAP = 32,
	MAY_DERIVE = 64,
	MAY_ALL = 127,
};

enum { KID_MAX = 255, OCT_MIN = 16, OCT_MAX = 128 };

struct jwk {
	enum jwk_type type;
	enum jose_curve curve;
	bool private;
	unsigned may;
	enum jose_alg alg; /* JOSE_ALG_MAX_: any that fits */
	EVP_PKEY *pkey;	   /* NULL for secrets */
	unsigned char oct[OCT_MAX];
	size_t oct_n;
	char kid[KID_MAX + 1];
	size_t kid_n;
};

/* ---- jose_key.c ---- */

extern const struct json_limits jose_key_limits;
err jose_bad(enum jose_why why, enum jose_why *ret_why) MUST_USE; /* a key */
err jose_key_of(struct arena *a, const struct json *o, enum jwk_want want,
    enum jose_why *ret_why, struct jwk **ret) MUST_USE;
bool jose_alg_fits(enum jose_alg alg, const struct jwk *k);

/* ---- headers ---- */

struct jose_header {
	struct str alg, enc, kid, typ, cty; /* p NULL: absent */
	const struct json *epk;
	struct str apu, apv; /* decoded */
};
/* A token that is refused. */
err jose_fail(enum jose_why why, enum jose_why *ret_why) MUST_USE;
/* Of `text`, the first part of a compact token. */
err jose_header_read(struct arena *a, struct str text, bool encrypted,
    enum jose_why *ret_why, struct jose_header *ret) MUST_USE;
/* The one key that fits: E_UNAUTHENTICATED with WHY_KID or WHY_AMBIGUOUS.
 * also: what else the key may be bound to (the content encryption of dir). */
err jose_select(const struct jwks *keys, enum jose_alg alg, enum jose_alg also,
    struct str kid, unsigned may, enum jose_curve curve, enum jose_why *ret_why,
    const struct jwk **ret) MUST_USE;
/* Exactly n parts between dots. */
bool jose_split(struct str token, struct str *ret, size_t n);

/* The public half of a point in JSON members crv, x (and y), for `epk`. */
EVP_PKEY *jose_point(struct arena *a, const struct json *o,
    enum jose_curve *ret_curve);
size_t jose_curve_size(enum jose_curve c);     /* bytes of a coordinate */
enum jose_curve jose_curve_of(struct str crv); /* CURVE_NONE: unknown */
const char *jose_curve_name(enum jose_curve c);

#endif
