/*
 * egress.h: the providers of idp.conf made ready to be asked, and asking
 * them.  What goes out is one of three requests, each fixed but for a code
 * and a verifier; what comes back is cut down to what the question is about.
 * Every request is its own connection, TLS 1.3 (1.2 where idp.conf says so),
 * with the certificate's name checked; no redirect is followed, nothing is
 * kept.  At most LIM_IDP_PER_MINUTE of a kind to a provider in a minute.
 *
 * For the process of the idp role that may connect.  egress_ask may be
 * called by several threads.
 */
#ifndef EGRESS_EGRESS_H
#define EGRESS_EGRESS_H

#include "egress/provider.h"
#include "ipc/idpwire.h"

struct egress;

err egress_new(struct egress **ret) MUST_USE;
struct egress *egress_free(struct egress *e); /* wipes; NULL in, NULL out */
/*
 * One more provider, whose texts live as long as e.  authorities: PEM.
 * credential: the client secret (one line) or the private key in PEM.
 * E_CONFIG, and the trail says what is wrong with either.
 */
err egress_add(struct egress *e, const struct provider *p,
    struct str authorities, struct str credential, struct trail *t) MUST_USE;

bool egress_has_resolver(const struct egress *e);
/* The ports idp.conf leads to, each once; how many, at most max. */
size_t egress_ports(const struct egress *e, uint16_t *ret, size_t max);

/* What a call came to, for the log: never what a person or provider wrote. */
struct egress_report {
	int http_status; /* 0: it did not come so far */
	char detail[96]; /* OpenSSL's word for what is wrong with TLS */
};

/*
 * One question of the server (op: IPC_OIDC_TOKEN, _JWKS, _META).  now_ms: the
 * wall clock, for assertions.  ret (at most IDP_ANSWER bytes) gets what idp.h
 * promises about the answer.
 */
enum idp_status egress_ask(struct egress *e, enum ipc_type op,
    const struct idp_ask *a, int64_t now_ms, struct buf *ret,
    struct egress_report *report);

#endif
