/*
 * device.h: keys that a PKCS#11 token or a TPM 2.0 gives back.  Their
 * libraries are loaded (dlopen) in a child that does this one thing, has a
 * few seconds, may write nothing but what the library keeps, start nothing
 * and reach no network, and holds no other key: see confine_device().
 */
#ifndef ROLE_DEVICE_H
#define ROLE_DEVICE_H

#include "role/unlock.h"

/* The key of an unlocker of kind PKCS11 or TPM2; said: the PIN, if it asks
 * for one.  E_UNAVAILABLE: no such library, token or TPM; E_DENIED: the PIN
 * is wrong; E_WRONG_KEY: it will not, a PCR is not as it was. */
err device_open(const struct unlocking *k, const struct unlocker *u,
    struct str said, struct secret *ret) MUST_USE;
/* A new one: makes or uses the key of the token, or a sealed object. */
err device_make(const struct unlocking *k, const struct person *p,
    const struct unlock_spec *s, struct unlocker *u,
    struct secret *ret_key) MUST_USE;

#endif
