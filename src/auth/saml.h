/*
 * saml.h: a SAML 2.0 service provider's judgement of one response (Web
 * Browser SSO profile, HTTP-POST): bytes, what we know of the provider, the
 * time in; an identity or a reason out.  No I/O, no clock.
 *
 * libxml2 parses and canonicalizes, EVP does the cryptography; everything
 * that decides is here, because what decides is the part that products got
 * wrong.  The order of the checks is that of reference/auth.md 4.1:
 *
 *	saml_xml.c    before a parser: no DTD, entity, comment, PI or CDATA;
 *		      after it: only elements and text, absolute namespaces,
 *		      unique ids
 *	saml.c	      shape of the response, its envelope
 *	saml_sig.c    signatures: one reference, to the parent, two fixed
 *		      transforms, keys of the provider only
 *	saml_crypt.c  EncryptedAssertion
 *	saml_claims.c identity, read only from the signed bytes parsed anew
 *
 * Replay is the caller's: assertion_id must not have been seen until
 * not_on_or_after.  libxml2 allocates by itself, so this runs in a process
 * that is thrown away (src/role/idp.c); after saml_warm it opens no file.
 */
#ifndef AUTH_SAML_H
#define AUTH_SAML_H

#include "base/arena.h"
#include "base/buf.h"

enum {
	SAML_XML_MAX = 262144,	/* bytes of a document */
	SAML_KEYS = 4,		/* of one provider, and of ours */
	SAML_ATTRIBUTES = 64,	/* names */
	SAML_VALUES = 256,	/* of one attribute */
	SAML_VALUE_MAX = 1024,	/* bytes of a value */
	SAML_NAME_ID_MAX = 256, /* bytes of a subject */
	SAML_FLAT_MAX = 61440,	/* bytes of an encoded verdict */
	SAML_SKEW_MS = 90 * 1000,
	SAML_ISSUE_MS = 10 * 60 * 1000,	    /* age of a response */
	SAML_LIFE_MS = 24 * 60 * 60 * 1000, /* of an assertion */
};

enum saml_reason {
#define SAML_REASON(name, text, meaning) name,
#include "auth/saml_reasons.def"
#undef SAML_REASON
	SAML_REASON_MAX_
};
const char *saml_reason_text(enum saml_reason r); /* "saml.audience" */

/* What we know of a provider, and who we are to it. */
struct saml_provider {
	struct str entity;    /* its entityID */
	struct str sp_entity; /* ours */
	struct str acs;	      /* our address for responses, to the byte */
	/* DER of certificates or SubjectPublicKeyInfo: what signs. */
	struct str keys[SAML_KEYS];
	size_t keys_n;
	/* PKCS #8 DER: our keys, for encrypted assertions. */
	struct str decrypt[SAML_KEYS];
	size_t decrypt_n;
	bool unsolicited;   /* take responses nobody asked for */
	bool cbc;	    /* take AES-CBC inside signed responses */
	int64_t sha1_until; /* ms: take SHA-1 until then; 0: never */
	/* InResponseTo that this browser's login waits for; n 0: none. */
	struct str request;
};

struct saml_attribute {
	struct str name;
	struct str value[SAML_VALUES]; /* those that are plain text */
	size_t n;
};

struct saml_identity {
	struct str issuer, name_id, format;
	struct str session_index; /* may be empty */
	struct str acr;		  /* AuthnContextClassRef, may be empty */
	struct str assertion_id;
	int64_t not_on_or_after; /* ms; with the skew, for the replay table */
	int64_t authn_instant;
	int64_t session_not_on_or_after; /* 0: not said */
	bool answers;			 /* it names the request */
	const struct saml_attribute *attributes;
	size_t attributes_n;
};

/* Whatever the libraries do at their first use, before files are out of
 * reach. */
void saml_warm(void);

/*
 * Judge an XML document (the SAMLResponse after base64).  SAML_OK with the
 * identity in the arena, or why not; memory trouble is SAML_MEMORY.
 */
enum saml_reason saml_verify(struct arena *a, const struct saml_provider *p,
    struct str xml, int64_t now, struct saml_identity *ret);

/* Base64 of a form value: white space allowed, nothing else; false also when
 * it is longer than SAML_XML_MAX bytes give. */
bool saml_form_decode(struct arena *a, struct str value, struct str *ret);

/*
 * As flat bytes between processes: u32 lengths and bytes, big-endian, read by
 * exact consumption.  A verdict that does not fit SAML_FLAT_MAX is encoded as
 * SAML_TOO_MUCH.
 */
void saml_provider_encode(struct buf *b, const struct saml_provider *p);
bool saml_provider_decode(struct str in, struct saml_provider *ret); /* views */
void saml_verdict_encode(struct buf *b, enum saml_reason why,
    const struct saml_identity *i);
bool saml_verdict_decode(struct arena *a, struct str in,
    enum saml_reason *ret_why, struct saml_identity *ret);

#endif
