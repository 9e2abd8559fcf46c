/*
 * idp.h: the server's side of talking to the idp role (doc: ARCHITECTURE.md,
 * "Processes").  Everything is asked by operation: which address belongs to
 * a provider stands in DIR/idp.conf, which the server can neither read nor
 * write, and no message has room for a URL, a host, a header or a method.
 *
 * A call blocks: for a reader thread, never for a reactor or the writer.  At
 * most IDP_LINKS calls of a kind run at once; others wait for a link, at most
 * IDP_WAIT_MS, then end with IDP_BUSY.  A SAML call ends within IDP_SAML_MS,
 * another within IDP_CALL_MS.  Thread-safe.
 *
 * The error a call returns is that of *ret_why's row in idp.def;
 * E_NO_MEMORY and E_TOO_LARGE (an argument or ret over its maximum) are the
 * caller's.  ret_why is always written, the results on success only.
 */
#ifndef IPC_IDP_H
#define IPC_IDP_H

#include "ipc/ipc.h"

enum {
	IDP_LINKS = 4,	    /* calls at once, of each kind */
	IDP_NAME = 32,	    /* bytes of a provider's name: [a-z0-9-] */
	IDP_PROVIDERS = 16, /* sections of idp.conf */
	IDP_CODE = 2048,
	IDP_VERIFIER = 128,
	IDP_SETTINGS = 65536,  /* encoded settings of a SAML provider */
	IDP_DOCUMENT = 262144, /* a SAML response */
	IDP_ANSWER = 61440,    /* any answer */
	IDP_WAIT_MS = 2000,
	IDP_SAML_MS = 5000,
	IDP_CALL_MS = 9000,
};

enum idp_status {
#define IDP(name, reason, error, meaning) name,
#include "ipc/idp.def"
#undef IDP
	IDP_STATUS_MAX_
};

/* "idp.tls", for the audit entry; "?" for none. */
const char *idp_reason(enum idp_status s);
/* The error of its row. */
err idp_err(enum idp_status s) MUST_USE;

struct idp_client;

err idp_client_new(struct idp_client **ret) MUST_USE;
/* NULL in, NULL out; nobody may be calling. */
struct idp_client *idp_client_free(struct idp_client *c);

/*
 * What the supervisor hands over; the descriptors become the client's.  The
 * links for documents come once.  Links to the process that may connect are
 * replaced each time it is started anew or idp.conf has changed, while calls
 * in flight keep theirs; none: nobody may connect.  E_PEER: not what the
 * supervisor says.
 */
err idp_client_saml(struct idp_client *c, const int *fds, size_t n) MUST_USE;
err idp_client_egress(struct idp_client *c, struct str names, const int *fds,
    size_t n) MUST_USE;
/* The body of IPC_EGRESS_LINK: u8 n, then n names of u8 length. */
void idp_names_encode(struct buf *b, const struct str *names, size_t n);

/* Is there a section of that name in idp.conf? Until the process that may
 * connect has started there is none. */
bool idp_provider_known(struct idp_client *c, struct str name);
struct idp_health {
	bool saml;	  /* documents can be verified */
	bool egress;	  /* idp.conf exists and its process runs */
	bool configured;  /* idp.conf exists, whether or not it runs */
	size_t providers; /* sections of idp.conf */
};
struct idp_health idp_client_health(struct idp_client *c);

/* Which function of auth/saml.h or auth/saml_meta.h reads it. */
enum idp_document_kind {
	IDP_RESPONSE,	  /* saml_verify */
	IDP_LOGOUT_QUERY, /* saml_logout_query */
	IDP_LOGOUT,	  /* saml_logout_document */
	IDP_METADATA,	  /* saml_meta_read; no settings */
	IDP_KIND_MAX_
};

/*
 * Have foreign XML read in a process that is thrown away: settings is what
 * auth/saml.h (saml_meta.h for logouts) encodes, document the XML after
 * base64 or the query string, now the clock.  *ret_verdict gets the encoded
 * answer, accepted or refused: what was refused is IDP_OK here.
 * IDP_SAML_CHILD: the child crashed, was too slow or answered nonsense: the
 * document is refused.
 */
err idp_saml_read(struct idp_client *c, enum idp_document_kind kind,
    struct str settings, struct str document, int64_t now,
    struct buf *ret_verdict, enum idp_status *ret_why) MUST_USE;
/* IDP_RESPONSE. */
err idp_saml_verify(struct idp_client *c, struct str settings,
    struct str document, int64_t now, struct buf *ret_verdict,
    enum idp_status *ret_why) MUST_USE;

/* Redeem an authorization code (RFC 6749 4.1.3, with RFC 7636's verifier):
 * the id_token and nothing else; it is not verified. */
err idp_oidc_token(struct idp_client *c, struct str provider, struct str code,
    struct str verifier, struct buf *ret_id_token,
    enum idp_status *ret_why) MUST_USE;
/* {"keys":[...]}: at most 32 keys, of each the public members and kty, use,
 * key_ops, alg, kid; shared secrets are left out; not verified. */
err idp_oidc_jwks(struct idp_client *c, struct str provider,
    struct buf *ret_jwks, enum idp_status *ret_why) MUST_USE;
/*
 * The provider's metadata (OpenID Connect Discovery 3), for an administrator
 * to compare; nothing takes it over.  One JSON object with these members
 * only, those that are there: issuer, authorization_endpoint,
 * token_endpoint, jwks_uri, end_session_endpoint (text), the lists
 * response_types_supported, response_modes_supported,
 * id_token_signing_alg_values_supported, code_challenge_methods_supported,
 * token_endpoint_auth_methods_supported, scopes_supported, acr_values_supported
 * and the flag authorization_response_iss_parameter_supported.  Its issuer
 * is the one of idp.conf, byte for byte.
 */
err idp_oidc_meta(struct idp_client *c, struct str provider,
    struct buf *ret_meta, enum idp_status *ret_why) MUST_USE;

#endif
