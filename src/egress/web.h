/*
 * web.h: one HTTPS request and its answer: a connection of its own, the
 * certificate's name checked, one time for all of it, no redirect, nothing
 * kept.
 */
#ifndef EGRESS_WEB_H
#define EGRESS_WEB_H

#include <openssl/ssl.h>

#include "base/buf.h"
#include "egress/address.h"
#include "egress/answer.h"
#include "egress/reach.h"

struct web_call {
	SSL_CTX *tls;
	const struct reach *reach;
	const struct url *url;
	struct str method;
	/* Whole lines, "Name: value\r\n", besides Host, Content-Length,
	 * Connection and Accept-Encoding. */
	struct str fields;
	struct str body;    /* p NULL: none */
	const uint8_t *pin; /* SHA-256 of a key of the chain; or NULL */
	int64_t ms;	    /* for all of it */
	const struct answer_rules *rules;
};

struct web_report {
	struct answer answer;
	struct address at; /* n 0: it did not come so far */
	bool sent;	   /* a byte of the request may have arrived */
	uint64_t up, down; /* bytes of HTTP */
	char detail[96];   /* OpenSSL's word for what is wrong with TLS */
};

/* out: at most rules->body bytes.  WEB_ANSWER too when the call itself is no
 * request (a control character in it); then nothing is sent. */
enum web_end web_call(const struct web_call *c, struct buf *out,
    struct web_report *ret);

#endif
