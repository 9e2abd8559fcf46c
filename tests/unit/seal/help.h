/* What the tests of seal share: keys from given bytes, hex. */
#ifndef TESTS_UNIT_SEAL_HELP_H
#define TESTS_UNIT_SEAL_HELP_H

#include "base/text.h"
#include "seal/engine.h"

static inline struct data_key
help_key(const void *bytes, uint32_t id, uint8_t class)
{
	struct secret *s;

	if (!err_ok(secret_new(&s)))
		abort();
	memcpy(secret_bytes(s), bytes, SECRET_SIZE);
	return (struct data_key){.secret = s,
	    .serial = key_serial(),
	    .id = id,
	    .class = class};
}

/* 32 times the byte b. */
static inline struct data_key
help_key_of(int b, uint32_t id, uint8_t class)
{
	uint8_t k[SECRET_SIZE];

	memset(k, b, sizeof k);
	return help_key(k, id, class);
}

static inline void
help_done(struct data_key *k)
{
	engine_forget(k);
	k->secret = secret_free(k->secret);
}

static inline struct str
help_unhex(struct arena *a, struct str hex)
{
	char *p = arena_get(a, hex.n / 2 + 1);

	if (p == NULL || !hex_decode(hex, p, hex.n / 2))
		abort();
	return str_of(p, hex.n / 2);
}

static inline struct stored
help_stored(struct sealed s)
{
	return (struct stored){s.bytes};
}

#endif
