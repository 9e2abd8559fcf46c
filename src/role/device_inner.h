/* device_inner.h: inside the child that talks to a token or a TPM. */
#ifndef ROLE_DEVICE_INNER_H
#define ROLE_DEVICE_INNER_H

#include "base/buf.h"
#include "base/secret.h"

/* One thing to do; parameters as they were given, not encoded. */
struct device_job {
	struct str a, b, c; /* module, token, key; or TCTI, PCRs, nothing */
	struct str pin;	    /* empty: none */
	bool has_pin;
	struct str held[2]; /* what it gave out when it was made */
	/* make: to be kept; open: NULL.  Not a secret's own memory, which is
	 * wiped in a forked child. */
	const uint8_t *key;
};

/* make: what it gives out, two strings each with a u16 length before; open:
 * the key.  E_UNAVAILABLE, E_DENIED (the PIN), E_WRONG_KEY, E_CORRUPT. */
typedef err device_fn(const struct device_job *j, struct trail *t,
    struct buf *ret);
device_fn device_pkcs11;
device_fn device_tpm2;

#endif
