/* inner.h: between the files of egress: one provider in use, one fetch. */
#ifndef EGRESS_INNER_H
#define EGRESS_INNER_H

#include <openssl/ssl.h>

#include "auth/jose.h"
#include "base/secret.h"
#include "egress/egress.h"
#include "egress/tls.h"

enum { SECRET_PARTS = PROVIDER_SECRET / SECRET_SIZE };

struct bucket {
	double left;
	int64_t at_us; /* 0: never used */
};

struct live {
	struct provider conf;
	struct url url[URL_MAX_];
	SSL_CTX *tls;
	uint8_t authorities[32];	     /* SHA-256 of the file */
	struct secret *secret[SECRET_PARTS]; /* the client secret */
	size_t secret_n;		     /* bytes of it */
	struct jwk *key;
	struct bucket bucket[URL_MAX_];
};

/*
 * fetch.c: one request and its answer.  body: of a POST, STR_NONE for a GET.
 * basic: the value of Authorization, or STR_NONE.  out: at most LIM_IDP_BODY
 * bytes.
 */
enum idp_status egress_fetch(const struct live *l, enum egress_url url,
    struct str body, struct str basic, struct buf *out,
    struct egress_report *report);

/* client.c: how we show who we are, added to the form and to *basic. */
err egress_client_open(struct live *l, struct str credential,
    struct trail *t) MUST_USE;
err egress_client_prove(const struct live *l, struct arena *a, int64_t now_ms,
    struct buf *form, struct buf *basic) MUST_USE;
void egress_client_close(struct live *l);

/* shape.c: what of an answer goes on. */
enum idp_status shape_token(struct arena *a, struct str json, struct buf *ret);
enum idp_status shape_jwks(struct arena *a, struct str json, struct buf *ret);
enum idp_status shape_meta(struct arena *a, struct str json,
    const struct provider *p, struct buf *ret);

#endif
