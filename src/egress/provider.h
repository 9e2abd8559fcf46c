/*
 * provider.h: one identity provider as DIR/idp.conf describes it: where its
 * three addresses are, how they are reached and who we are to it.  The
 * supervisor reads the file and opens what it names; the process that may
 * connect gets the rest in IPC_EGRESS_PROVIDER.  Nobody else knows either.
 *
 *	[idp corp]		 name: lower-case letters, digits, hyphens
 *	issuer			 exact, compared byte for byte
 *	token_endpoint, jwks_uri, metadata_uri
 *				 https only; what is missing is not asked for
 *	client_id, redirect_uri
 *	client_auth		 private_key_jwt, client_secret_basic,
 *				 client_secret_post or none (default)
 *	key_file, key_id, key_alg	 for private_key_jwt: unencrypted PEM
 *	secret_file		 for the two with a secret
 *	ca_file			 PEM; else the system's authorities
 *	spki_pin		 sha256/BASE64 of a public key of the chain
 *	min_tls			 1.3 (default) or 1.2
 *	connect			 addresses, HOST:PORT, separated by commas; or
 *	resolver, allow_cidr	 a DNS server, and the only addresses its
 *				 answers may lead to
 */
#ifndef EGRESS_PROVIDER_H
#define EGRESS_PROVIDER_H

#include "base/buf.h"
#include "egress/url.h"
#include "ipc/idp.h"

enum egress_url { URL_TOKEN, URL_JWKS, URL_META, URL_MAX_ };
enum client_auth {
	CLIENT_NONE,
	CLIENT_BASIC,
	CLIENT_POST,
	CLIENT_JWT,
	CLIENT_MAX_
};

enum {
	PROVIDER_ADDRESSES = 8, /* of connect, and of allow_cidr */
	PROVIDER_SECRET = 256,	/* bytes of a client secret */
	PIN_SIZE = 32,
};

struct provider {
	struct str name, issuer;
	struct str url[URL_MAX_]; /* empty: not configured */
	struct str client_id, redirect_uri;
	enum client_auth auth;
	struct str key_id, key_alg; /* may be empty */
	bool tls12;
	bool pinned;
	uint8_t pin[PIN_SIZE];
	size_t connect_n;
	struct endpoint connect[PROVIDER_ADDRESSES];
	struct endpoint resolver; /* host empty: none */
	size_t allow_n;
	struct str allow[PROVIDER_ADDRESSES]; /* CIDR */
};

/* Is it a provider at all: each value allowed, none missing?  NULL, or what
 * is wrong. */
const char *provider_wrong(const struct provider *p);

/* IPC_EGRESS_PROVIDER: texts of u16 length, numbers of one or two bytes. */
void provider_encode(struct buf *b, const struct provider *p);
/* E_PEER unless it is what encode writes of a provider that is right.
 * Copies into a. */
err provider_decode(struct arena *a, struct str in,
    struct provider *ret) MUST_USE;

/* ---- idp.conf ---- */

struct provider_files {
	struct str ca, credential; /* paths; empty: none */
};

struct provider_conf {
	size_t n;
	struct provider provider[IDP_PROVIDERS];
	struct provider_files files[IDP_PROVIDERS];
};

/* E_CONFIG, and the trail says where.  Copies into a. */
err provider_conf_parse(struct arena *a, struct str text, struct trail *t,
    struct provider_conf *ret) MUST_USE;

#endif
