/*
 * webauthn.h: WebAuthn (W3C Web Authentication Level 3, 7.1 and 7.2):
 * a registration makes a key, an assertion proves to have it.  Pure: what
 * was asked is an argument, and nothing is remembered here.
 *
 * Accepted: ES256 (P-256), EdDSA (Ed25519), RS256 (2048 to 4096 bits).
 * Attestation is not asked for: statements are read as well-formed CBOR and
 * not believed, so a key says nothing about who made its authenticator.
 */
#ifndef AUTH_WEBAUTHN_H
#define AUTH_WEBAUTHN_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/* Why not: for the audit log, never for the one who asks. */
enum webauthn_reason {
	WEBAUTHN_OK,
	WEBAUTHN_CLIENT_DATA,  /* no JSON of this form, or too large */
	WEBAUTHN_TYPE,	       /* made for the other ceremony */
	WEBAUTHN_CHALLENGE,    /* not the one given */
	WEBAUTHN_ORIGIN,       /* made on another site */
	WEBAUTHN_CROSS_ORIGIN, /* made in a frame of another site */
	WEBAUTHN_AUTH_DATA,    /* authenticator data of another form */
	WEBAUTHN_RP,	       /* made for another party */
	WEBAUTHN_PRESENCE,     /* nobody was there */
	WEBAUTHN_VERIFICATION, /* somebody was, but who? */
	WEBAUTHN_BACKUP,       /* backup flags that cannot be, or changed */
	WEBAUTHN_ATTESTATION,  /* an attestation object of another form */
	WEBAUTHN_ALGORITHM,    /* a key of another algorithm */
	WEBAUTHN_KEY,	       /* no good key of this algorithm */
	WEBAUTHN_CREDENTIAL,   /* another credential, or another user's */
	WEBAUTHN_SIGNATURE,
	WEBAUTHN_COUNTER, /* went back: there may be a copy of the key */
};
const char *webauthn_reason_text(enum webauthn_reason r); /* "origin", ... */

enum { WEBAUTHN_CHALLENGE_SIZE = 32 };

/* What was asked for. */
struct webauthn_ask {
	struct str rp_id;  /* "redoubt.example.org" */
	struct str origin; /* "https://redoubt.example.org:8443" */
	uint8_t challenge[WEBAUTHN_CHALLENGE_SIZE];
	bool verify; /* demand that the authenticator knows its person */
};

enum webauthn_alg {
	WEBAUTHN_ES256 = -7,
	WEBAUTHN_EDDSA = -8,
	WEBAUTHN_RS256 = -257,
};

/* A credential, as it is kept. */
struct webauthn_key {
	struct str id;	 /* 1..LIM_CREDENTIAL_ID bytes */
	struct str cose; /* COSE_Key (RFC 9052 7), at most LIM_CBOR bytes */
	uint32_t count;	 /* signature counter; 0: the key has none */
	bool backup_eligible, backed_up;
};

/* What a browser sends back, already decoded from base64url. */
struct webauthn_made {
	struct str client_data, attestation;
};
struct webauthn_proof {
	struct str id, client_data, auth_data, signature;
	struct str user; /* user handle; empty when not sent */
};

/* *ret's texts are views into m. E_UNAUTHENTICATED and the reason. */
err webauthn_register(struct arena *a, const struct webauthn_ask *ask,
    const struct webauthn_made *m, enum webauthn_reason *ret_why,
    struct webauthn_key *ret) MUST_USE;
/*
 * ret_key: the same key with what the assertion changed: counter and backup
 * state.  user: the handle given at registration.
 */
err webauthn_assert(struct arena *a, const struct webauthn_ask *ask,
    const struct webauthn_key *key, struct str user,
    const struct webauthn_proof *p, enum webauthn_reason *ret_why,
    struct webauthn_key *ret_key) MUST_USE;

#endif
