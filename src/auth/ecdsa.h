/*
 * ecdsa.h: an ECDSA signature as JOSE (RFC 7518 3.4) and XML signatures
 * (XML-DSig 6.4.3) have it, r || s of fixed width, and as the DER that EVP
 * wants.
 */
#ifndef AUTH_ECDSA_H
#define AUTH_ECDSA_H

#include "base/str.h"

/* half: bytes of r, at most ECDSA_HALF (P-521). */
enum { ECDSA_HALF = 66, ECDSA_DER = 2 * (ECDSA_HALF + 4) + 4 };

/* How many bytes of ret; 0 when raw is not 2 * half bytes long. */
size_t ecdsa_to_der(struct str raw, size_t half, unsigned char ret[ECDSA_DER]);
/* ret gets 2 * half bytes and may be where der is; false: it is no signature
 * of that width. */
bool ecdsa_from_der(struct str der, size_t half, unsigned char *ret);

#endif
