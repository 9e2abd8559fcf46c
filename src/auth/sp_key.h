/*
 * sp_key.h: a key of ours towards one SAML provider, with the certificate
 * that SAML metadata wants around it: RSA 2048, self-signed with SHA-256, for
 * signing and for being encrypted to.  Providers take keys from metadata and
 * trust no chain, so the certificate says a name and holds for long.
 */
#ifndef AUTH_SP_KEY_H
#define AUTH_SP_KEY_H

#include "base/arena.h"

/* PKCS #8 and X.509, both in DER; wipe the key when it is sealed. */
err sp_key_make(struct arena *a, const char *name, int64_t now,
    struct str *ret_key, struct str *ret_cert) MUST_USE;

#endif
