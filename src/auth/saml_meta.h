/*
 * saml_meta.h: what is around a SAML login: the provider's metadata in, ours
 * out; requests to it and logouts from it.  Pure; see saml.h for responses.
 *
 * Metadata is judged like a response before anything is read (saml_xml.c), but
 * its signature is not: an administrator uploads it and confirms what it says.
 */
#ifndef AUTH_SAML_META_H
#define AUTH_SAML_META_H

#include "auth/saml.h"

enum {
	SAML_URL_MAX = 2048,	/* bytes of an address in metadata */
	SAML_SESSIONS = 8,	/* SessionIndex in one LogoutRequest */
	SAML_QUERY_MAX = 32768, /* bytes of a signed query */
};

struct saml_meta {
	struct str entity;
	struct str sso_url;	    /* HTTP-Redirect */
	struct str slo_url;	    /* HTTP-Redirect; may be empty */
	struct str cert[SAML_KEYS]; /* DER, to sign with */
	size_t certs_n;
};

/* Of one identity provider; E_INVALID with a sentence: also when it is past
 * its validUntil or brings a key that no signature would be believed by. */
err saml_meta_read(struct arena *a, struct str xml, int64_t now,
    struct trail *t, struct saml_meta *ret) MUST_USE;

/* Who we are to one provider. */
struct saml_self {
	struct str entity, acs, slo;
	struct str cert; /* DER; empty: none */
	struct str key;	 /* PKCS #8 DER, RSA or EC P-256 */
};
void saml_self_write(struct buf *b, const struct saml_self *self);

/*
 * The address that a login starts at: an AuthnRequest by HTTP-Redirect,
 * signed (SAML bindings 3.4.4.1).  relay: at most 80 bytes.  E_CRYPTO.
 */
err saml_login_url(struct arena *a, const struct saml_self *self,
    struct str sso_url, struct str request_id, struct str relay, bool force,
    int64_t now, struct str *ret) MUST_USE;

struct saml_logout {
	struct str id, name_id;
	struct str session[SAML_SESSIONS];
	size_t sessions_n;
	int64_t until; /* ms; of its id in the replay table */
};
/* A LogoutRequest by HTTP-Redirect: the query string, as it was sent. */
enum saml_reason saml_logout_query(struct arena *a,
    const struct saml_provider *p, struct str slo, struct str query,
    int64_t now, struct saml_logout *ret, struct str *ret_relay);
/* By HTTP-POST: the document (after base64), signed inside. */
enum saml_reason saml_logout_document(struct arena *a,
    const struct saml_provider *p, struct str slo, struct str xml, int64_t now,
    struct saml_logout *ret);

/*
 * As flat bytes between processes, as in saml.h: what a logout is judged by,
 * and what came of it and of metadata.  Decoded texts are views into `in`.
 */
void saml_logout_rules_encode(struct buf *b, const struct saml_provider *p,
    struct str slo);
bool saml_logout_rules_decode(struct str in, struct saml_provider *ret_p,
    struct str *ret_slo);
void saml_logout_encode(struct buf *b, enum saml_reason why,
    const struct saml_logout *l, struct str relay);
bool saml_logout_decode(struct str in, enum saml_reason *ret_why,
    struct saml_logout *ret, struct str *ret_relay);
void saml_meta_encode(struct buf *b, err e, const struct trail *t,
    const struct saml_meta *m);
/* What saml_meta_read said; E_PEER: these are not its bytes. */
err saml_meta_decode(struct str in, struct trail *t,
    struct saml_meta *ret) MUST_USE;

/* Where the browser goes after it: a signed LogoutResponse. */
err saml_logout_url(struct arena *a, const struct saml_self *self,
    struct str slo_url, struct str response_id, struct str in_response_to,
    struct str relay, int64_t now, struct str *ret) MUST_USE;

#endif
