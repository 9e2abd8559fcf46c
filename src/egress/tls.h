/*
 * tls.h: the TLS of what connects: 1.3, or 1.2 where that is asked for, with
 * a certificate of a known authority, and no session kept.
 */
#ifndef EGRESS_TLS_H
#define EGRESS_TLS_H

#include <openssl/ssl.h>

#include "base/err.h"
#include "base/str.h"

struct tls_plan {
	bool tls12;
	struct str authorities; /* PEM */
	SSL_CTX *like;		/* may be NULL: share its authorities */
	struct str client;	/* PEM: certificates and key; empty: none */
};

/* E_CONFIG when no certificate of an authority can be read; E_INVALID when
 * the client's certificate and key cannot, or do not fit. */
err tls_new(const struct tls_plan *p, SSL_CTX **ret) MUST_USE;

#endif
