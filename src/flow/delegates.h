/*
 * delegates.h: what people and delegates do with a delegate itself: places
 * for them, joining, approving, certificates.  What they work on is tasks.h.
 */
#ifndef FLOW_DELEGATES_H
#define FLOW_DELEGATES_H

#include "flow/call.h"

/* hex(SHA-256(identity || sealing key)): what people compare. */
enum { FINGERPRINT = 64 };
void delegate_fingerprint(const struct delegate *d, char ret[FINGERPRINT + 1]);
/* One of its public keys, base64. */
void delegate_key_json(struct jw *w, const char *name,
    const uint8_t key[DELEGATE_KEY]);
/* Has it keys? */
bool delegate_joined(const struct delegate *d);
/* A copy whose texts outlive the world it was found in. */
err delegate_copy(struct call *c, const struct delegate *old,
    struct delegate *ret) MUST_USE;
/* The delegate that is asking; E_UNAUTHENTICATED when it is gone. */
err delegate_self(struct call *c, const struct delegate **ret) MUST_USE;
/* "consistency": the proof from size old to size, base64. (writer) */
err delegate_consistency_json(struct call *c, struct jw *w, uint64_t old,
    uint64_t size) MUST_USE;
/* A public key or signature of a body: base64 of exactly n bytes. */
bool body_bytes(struct call *c, const char *name, uint8_t *ret, size_t n);

#endif
