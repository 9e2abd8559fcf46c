/*
 * certs.h: the certificate a fresh store starts with: a P-256 authority made
 * for one signature, whose key never leaves this call, and a certificate for
 * localhost, 127.0.0.1 and ::1 under it.
 */
#ifndef ROLE_CERTS_H
#define ROLE_CERTS_H

#include "base/buf.h"

enum { FINGERPRINT_TEXT = 32 * 3 - 1 };

struct certs {
	struct buf ca, cert, key;		/* PEM; wipe `key` */
	char fingerprint[FINGERPRINT_TEXT + 1]; /* SHA-256 of cert, AA:BB:... */
};

err certs_make(int64_t now_ms, struct certs *ret) MUST_USE;
void certs_done(struct certs *c);

#endif
