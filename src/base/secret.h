/*
 * secret.h: memory for keys.  Locked, left out of core dumps, wiped in a
 * forked child and on free, compared in constant time, with no conversion to
 * text.  On kernels that have it the pages come from memfd_secret(2), so
 * that not even root reads them through ptrace or /proc.
 *
 * A secret is 32 bytes: everything Redoubt keeps secret for long is a
 * 256-bit key or seed.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include "base/err.h"
#include "base/str.h"

enum { SECRET_SIZE = 32 };

struct secret; /* opaque: nothing can print or copy it by accident */

/* Slots are carved from pages of a process-wide pool (bounded by
 * SECRETS_MAX in limits.def); thread-safe.  E_NO_MEMORY when exhausted. */
err secret_new(struct secret **ret) MUST_USE;
struct secret *secret_free(struct secret *s); /* wipes; NULL in, NULL out */
/* The raw bytes, for handing to a cipher or a MAC; SECRET_SIZE of them. */
uint8_t *secret_bytes(struct secret *s);
const uint8_t *secret_view(const struct secret *s);
/* Which kind of memory holds secrets: "memfd_secret" or "mlock". */
const char *secret_memory(void);

/* Constant time in n; n itself is not secret. */
bool ct_eq(const void *a, const void *b, size_t n);

#endif
