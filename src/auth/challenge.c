#include "auth/challenge.h"

#include "base/buf.h"
#include "base/rand.h"

/* 8 bytes of time, 8 random, 16 of the MAC. */
enum { TIME = 8, RANDOM = 8, HEAD = TIME + RANDOM, MAC = 16 };
_Static_assert(HEAD + MAC == WEBAUTHN_CHALLENGE_SIZE, "the parts fill it");

static err
mac_of(const struct data_key *mac, enum challenge_for what,
    const struct uuid *user, const uint8_t head[HEAD], uint8_t ret[MAC])
{
	char text[1 + sizeof user->b + HEAD];

	text[0] = (char)what;
	memcpy(text + 1, user->b, sizeof user->b);
	memcpy(text + 1 + sizeof user->b, head, HEAD);
	return seal_mac(mac, "challenge", str_of(text, sizeof text), ret, MAC);
}

err
challenge_make(const struct data_key *mac, enum challenge_for what,
    const struct uuid *user, int64_t now, uint8_t ret[WEBAUTHN_CHALLENGE_SIZE])
{
	uint8_t all[WEBAUTHN_CHALLENGE_SIZE];

	for (size_t i = 0; i < TIME; i++)
		all[i] = (uint8_t)((uint64_t)now >> (56 - 8 * i));
	rand_bytes(all + TIME, RANDOM);
	TRY(mac_of(mac, what, user, all, all + HEAD));
	memcpy(ret, all, sizeof all);
	return OK;
}

err
challenge_check(const struct data_key *mac, enum challenge_for what,
    const struct uuid *user, int64_t now,
    const uint8_t challenge[WEBAUTHN_CHALLENGE_SIZE])
{
	struct cur in = cur_of(str_of((const char *)challenge, TIME));
	int64_t made = (int64_t)cur_be64(&in);
	uint8_t want[MAC];

	TRY(mac_of(mac, what, user, challenge, want));
	if (!ct_eq(want, challenge + HEAD, MAC) || made > now ||
	    now - made > CHALLENGE_MS)
		return err_of(E_UNAUTHENTICATED);
	return OK;
}
