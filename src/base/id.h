/*
 * id.h: identifiers.  UUIDv7 (RFC 9562, 5.7): 48 bits of milliseconds, then
 * 74 random bits, so ids sort by time of creation.  Each kind of id is its
 * own type; mixing them does not compile.
 */
#ifndef BASE_ID_H
#define BASE_ID_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct uuid {
	uint8_t b[16];
};

enum { UUID_TEXT = 36 };

/* rnd: 10 random bytes, all used or overwritten by version and variant. */
struct uuid uuid_v7(int64_t now_ms, const uint8_t rnd[10]);
/* Lower-case 8-4-4-4-12; writes exactly 36 bytes and a NUL. */
void uuid_text(const struct uuid *u, char ret[UUID_TEXT + 1]);
/* The same in a; empty when there is no room. */
struct str uuid_dup(struct arena *a, const struct uuid *u);
/* Accepts exactly the 36-byte form, hex digits of either case. */
bool uuid_parse(struct str s, struct uuid *ret);
static inline bool
uuid_eq(const struct uuid *a, const struct uuid *b)
{
	return memcmp(a->b, b->b, sizeof a->b) == 0;
}
static inline bool
uuid_is_zero(const struct uuid *a)
{
	static const struct uuid zero;

	return uuid_eq(a, &zero);
}

#define ID_TYPE(name)                                                          \
	struct name {                                                          \
		struct uuid u;                                                 \
	}
ID_TYPE(project_id);
ID_TYPE(principal_id); /* user, service account, delegate or integration */
ID_TYPE(group_id);
ID_TYPE(role_id);
ID_TYPE(binding_id);
ID_TYPE(token_id);
ID_TYPE(incident_id);
ID_TYPE(alert_id);
ID_TYPE(delivery_id);
ID_TYPE(request_id);

#endif
