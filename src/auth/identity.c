/* identity.c: see identity.h. */
#include "auth/identity.h"

#include "auth/mac.h"
#include "base/buf.h"

err
identity_key(const struct uuid *idp, struct str issuer, struct str subject,
    uint8_t ret[DIGEST_SIZE])
{
	char length[4];
	struct buf b = {.p = length,
	    .cap = sizeof length,
	    .max = sizeof length};
	struct str piece[] = {
	    {(const char *)idp->b, sizeof idp->b},
	    {length, sizeof length},
	    issuer,
	    subject,
	};

	buf_be32(&b, (uint32_t)issuer.n);
	return mac_sha256(piece, sizeof piece / sizeof *piece, ret);
}
