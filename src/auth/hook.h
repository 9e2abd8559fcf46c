/*
 * hook.h: how senders prove themselves to an integration.  Pure: the raw body
 * and its headers in, a proof or a reason out, before anything of the body is
 * parsed (contract.md 5, auth.md 11).
 *
 * An integration asks for one scheme or for several, and all of them must
 * hold: {"kind":"bearer"}, [{...},{...}] or {"kind":"all","of":[...]}.  Every
 * scheme and every live secret is evaluated, also after one has failed, and
 * secrets are compared in constant time.
 *
 * A scheme with a signed time takes it LIM_HOOK_SKEW_S early or late and the
 * same signed bytes once.  Of the others, those whose bodies are unique take a
 * body once and answer it again: `once` and `exact` say so to whoever keeps
 * what was seen.  Bearer, basic, mtls, ip_allow and url_key keep nothing: who
 * could repeat such a request has the credential or the channel.
 */
#ifndef AUTH_HOOK_H
#define AUTH_HOOK_H

#include "auth/mac.h"
#include "base/id.h"
#include "base/json.h"

enum hook_kind {
	HOOK_BEARER,
	HOOK_BASIC,
	HOOK_HMAC,
	HOOK_MTLS,
	HOOK_IP_ALLOW,
	HOOK_URL_KEY,
	HOOK_JWE, /* encryption; proves nothing */
	HOOK_KINDS
};
const char *hook_kind_text(enum hook_kind k);

enum hook_scheme {
#define HOOK_SCHEME(name, text, h, p, e, d, s, t, tmpl, u) HOOK_##name,
#include "auth/hook_schemes.def"
#undef HOOK_SCHEME
	HOOK_SCHEMES
};
const char *hook_scheme_text(enum hook_scheme s);

enum hook_encoding { HOOK_HEX, HOOK_BASE64, HOOK_BASE64URL };
const char *hook_encoding_text(enum hook_encoding e);
const char *hook_digest_text(enum mac_digest d);

enum hook_reason {
#define HOOK_REASON(name, text, meaning) HOOK_WHY_##name,
#include "auth/hook_reasons.def"
#undef HOOK_REASON
	HOOK_REASONS
};
const char *hook_reason_text(enum hook_reason r);

/* ---- what an integration asks for ---- */

enum {
	HOOK_RULES = 4,	  /* schemes together */
	HOOK_PINS = 4,	  /* certificates, keys or public keys of one scheme */
	HOOK_CIDRS = 100, /* address blocks */
	HOOK_SIGS = 8,	  /* signatures in one header that are looked at */
};

struct hook_hmac {
	enum hook_scheme scheme;
	enum hook_encoding encoding;
	enum mac_digest digest;
	char separator;
	bool unique;
	struct str header, prefix, ts_header, template;
	struct str
	    public_key[HOOK_PINS]; /* Ed25519, raw; instead of a secret */
	size_t public_keys;
};

struct hook_mtls {
	uint8_t sha256[HOOK_PINS][32]; /* of certificates */
	uint8_t spki[HOOK_PINS][32];   /* of their public keys */
	size_t sha256_n, spki_n;
	struct str ca;	/* PEM, or empty */
	struct str san; /* "uri:..." or "dns:...", or empty: any of the CA */
};

struct hook_rule {
	enum hook_kind kind;
	struct str user; /* basic */
	bool rsa;	 /* jwe: the key is RSA and not P-256 */
	struct hook_hmac hmac;
	struct hook_mtls mtls;
	const struct str *cidr;
	size_t cidrs;
};

struct hook_auth {
	struct hook_rule *rule; /* n of them, in the arena */
	size_t n;
	struct str given; /* a secret the sender made, to be kept; or empty */
};

/*
 * Strict: unknown members are E_UNKNOWN_MEMBER, all else E_INVALID, with a
 * trail.  What cannot work together is refused: two of a kind, bearer beside
 * basic, jwe without a scheme that authenticates.  Views into j.
 */
err hook_auth_parse(struct arena *a, const struct json *j, struct trail *t,
    struct hook_auth *ret) MUST_USE;
/* As one JSON value, with every default spelled out and no secret. */
void hook_auth_write(struct jw *w, const struct hook_auth *h);
const struct hook_rule *hook_rule_of(const struct hook_auth *h,
    enum hook_kind k);
/* Does it ask for a token of ours (bearer, basic)? */
bool hook_wants_token(const struct hook_auth *h);
/* The kind that needs a secret kept in clear, if there is one. */
bool hook_wants_secret(const struct hook_auth *h, enum hook_kind *ret);
/* Why it is weak, for /v1/posture; NULL when it is not. */
const char *hook_weakness(const struct hook_auth *h);

/* ---- secrets ---- */

/*
 * Kept in clear inside the sealed object, since an HMAC needs them so; at
 * most two live of a kind.  A jwe key's text is base64url of its PKCS #8.
 */
enum { HOOK_SECRETS = 8 };
struct hook_secret {
	struct uuid id;
	enum hook_kind kind;
	struct str text;
	int64_t created;
	int64_t expires; /* 0: until it is replaced */
};
struct hook_secrets {
	struct hook_secret s[HOOK_SECRETS];
	size_t n;
};
/* An empty text has none. E_CORRUPT. */
err hook_secrets_parse(struct arena *a, struct str text,
    struct hook_secrets *ret) MUST_USE;
void hook_secrets_write(struct jw *w, const struct hook_secrets *s);
bool hook_secret_live(const struct hook_secret *s, int64_t now);
/* A new one, from random bytes: whsec_ and base64 for standard-webhooks, else
 * base64url of 32. */
struct str hook_secret_make(struct arena *a, const struct hook_rule *r,
    const uint8_t bytes[32]);
/* May a sender's own be taken? 16 to 512 bytes of printable ASCII; whsec_
 * must be base64 of 24 to 64. */
bool hook_secret_valid(struct arena *a, const struct hook_rule *r,
    struct str text);

/* ---- checking ---- */

struct hook_cert {
	uint8_t sha256[32], spki[32];
	struct str der;
	int64_t not_before, not_after; /* ms */
};

struct hook_input {
	/* How many headers of that lower-case name; *ret: the first. */
	size_t (*header)(const void *ctx, struct str name, struct str *ret);
	const void *ctx;
	struct str body;
	struct str url_key; /* p NULL: none */
	struct str address;
	const struct hook_cert *cert; /* NULL: none */
	enum hook_reason token;	      /* bearer or basic: actor.c has looked */
	int64_t now;
};

struct hook_proof {
	enum hook_reason why; /* of the first rule that does not hold */
	struct uuid secret;   /* the one that matched; zero: none has an id */
	bool once;	      /* `key` may have one effect only */
	bool timed;	      /* the same `exact` again is a replay */
	bool sealed;	      /* the body is a JWE */
	bool keyed;	      /* it has a key in the address */
	uint8_t key[32];      /* names the delivery */
	uint8_t exact[32];    /* names the signed bytes */
};

void hook_check(struct arena *a, const struct hook_auth *h,
    const struct hook_secrets *s, const struct hook_input *in,
    struct hook_proof *ret);

/* RFC 7617: user and password of an Authorization header. */
bool hook_basic(struct arena *a, struct str header, struct str *ret_user,
    struct str *ret_password);
/* Was the certificate issued under one of these, for `san`?  RFC 5280 path
 * validation at that time, purpose client. */
bool hook_cert_issued(struct str ca_pem, struct str san,
    const struct hook_cert *c, int64_t now);
/* Does the text hold certificates, and nothing that is none? */
bool hook_ca_valid(struct str pem);

#endif
