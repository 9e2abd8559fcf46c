/* What is kept of a credential, and the challenges nothing keeps. */
#include "auth/challenge.h"
#include "auth/credential.h"
#include "base/limits.h"
#include "tests/unit/auth/key.h"

static struct credential
of(enum credential_kind kind, struct str data)
{
	return (struct credential){.kind = kind, .data = data};
}

TEST(what_is_written_is_read)
{
	struct cred_password p = {7, STR("$argon2id$x")}, p2;
	struct cred_totp t = {{1, 2, 3}, 1234567, true}, t2;
	struct webauthn_key k = {STR("id"), STR("\x01\x02"), 9, true, false},
			    k2;
	struct cred_recovery r = {8, 3, {{1}, {2}, {3}}}, r2;
	struct credential c;
	struct arena a;

	arena_init(&a, 1 << 20);
	c = of(CREDENTIAL_PASSWORD, cred_password_data(&a, &p));
	T_GOOD(cred_password_of(&a, &c, &p2));
	T_EQ_INT(p2.key, 7);
	T_EQ_STR(p2.phc, p.phc);
	T_ERR(cred_totp_of(&a, &c, &t2), E_CORRUPT);
	c = of(CREDENTIAL_TOTP, cred_totp_data(&a, &t));
	T_GOOD(cred_totp_of(&a, &c, &t2));
	T_EQ_MEM(t2.seed, t.seed, TOTP_SEED);
	T_OK(t2.last == t.last && t2.confirmed);
	T_ERR(cred_password_of(&a, &c, &p2), E_CORRUPT);
	c = of(CREDENTIAL_WEBAUTHN, cred_webauthn_data(&a, &k));
	T_GOOD(cred_webauthn_of(&a, &c, &k2));
	T_EQ_STR(k2.id, k.id);
	T_EQ_STR(k2.cose, k.cose);
	T_OK(k2.count == 9 && k2.backup_eligible && !k2.backed_up);
	T_ERR(cred_recovery_of(&a, &c, &r2), E_CORRUPT);
	for (r.n = 0; r.n <= 3; r.n++) {
		c = of(CREDENTIAL_RECOVERY, cred_recovery_data(&a, &r));
		T_GOOD(cred_recovery_of(&a, &c, &r2));
		T_OK(r2.key == 8 && r2.n == r.n);
		T_EQ_MEM(r2.hash, r.hash, r.n * RECOVERY_HASH);
	}
	T_ERR(cred_webauthn_of(&a, &c, &k2), E_CORRUPT);
	arena_done(&a);
}

/* The longest there is has room. */
TEST(the_longest)
{
	static char bytes[LIM_CBOR];
	struct webauthn_key k = {str_of(bytes, LIM_CREDENTIAL_ID),
	    str_of(bytes, LIM_CBOR), UINT32_MAX, true, true};
	struct cred_recovery r = {.key = UINT32_MAX, .n = RECOVERY_CODES};
	struct credential c;
	struct arena a;

	arena_init(&a, 1 << 20);
	c = of(CREDENTIAL_WEBAUTHN, cred_webauthn_data(&a, &k));
	T_GOOD(cred_webauthn_of(&a, &c, &k));
	c = of(CREDENTIAL_RECOVERY, cred_recovery_data(&a, &r));
	T_GOOD(cred_recovery_of(&a, &c, &r));
	T_GOOD(arena_check(&a));
	arena_done(&a);
}

TEST(others_are_corrupt)
{
	static const char *const bad[] = {"", "null", "[]", "{}", "{\"key\":1}",
	    "{\"key\":0,\"phc\":\"x\"}", "{\"key\":1,\"phc\":\"\"}",
	    "{\"key\":1,\"hashes\":\"AAAA\"}", "{\"key\":1,\"hashes\":\"+\"}",
	    "{\"seed\":\"AAAA\",\"last\":0,\"confirmed\":true}",
	    "{\"id\":\"\",\"cose\":\"\",\"count\":0}"};
	struct cred_password p;
	struct cred_totp t;
	struct webauthn_key k;
	struct cred_recovery r;
	struct credential c;
	struct arena a;

	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		c = of(CREDENTIAL_PASSWORD, str_c(bad[i]));
		T_ERR(cred_password_of(&a, &c, &p), E_CORRUPT);
		c.kind = CREDENTIAL_TOTP;
		T_ERR(cred_totp_of(&a, &c, &t), E_CORRUPT);
		c.kind = CREDENTIAL_WEBAUTHN;
		T_ERR(cred_webauthn_of(&a, &c, &k), E_CORRUPT);
		c.kind = CREDENTIAL_RECOVERY;
		T_ERR(cred_recovery_of(&a, &c, &r), E_CORRUPT);
	}
	arena_done(&a);
}

TEST(challenges)
{
	uint8_t c[WEBAUTHN_CHALLENGE_SIZE], d[WEBAUTHN_CHALLENGE_SIZE];
	struct uuid user = {{1}}, other = {{2}};
	const int64_t now = 1700000000000;
	struct ring r;

	ring_open(&r);
	T_GOOD(challenge_make(r.key, CHALLENGE_LOGIN, &user, now, c));
	T_GOOD(challenge_make(r.key, CHALLENGE_LOGIN, &user, now, d));
	T_OK(memcmp(c, d, sizeof c) != 0);
	T_GOOD(challenge_check(r.key, CHALLENGE_LOGIN, &user, now, c));
	T_GOOD(challenge_check(r.key, CHALLENGE_LOGIN, &user,
	    now + CHALLENGE_MS, c));
	T_ERR(challenge_check(r.key, CHALLENGE_LOGIN, &user,
		  now + CHALLENGE_MS + 1, c),
	    E_UNAUTHENTICATED);
	T_ERR(challenge_check(r.key, CHALLENGE_LOGIN, &user, now - 1, c),
	    E_UNAUTHENTICATED);
	T_ERR(challenge_check(r.key, CHALLENGE_REGISTER, &user, now, c),
	    E_UNAUTHENTICATED);
	T_ERR(challenge_check(r.key, CHALLENGE_LOGIN, &other, now, c),
	    E_UNAUTHENTICATED);
	T_ERR(challenge_check(r.other, CHALLENGE_LOGIN, &user, now, c),
	    E_UNAUTHENTICATED);
	for (size_t i = 0; i < sizeof c * 8; i++) {
		c[i / 8] ^= (uint8_t)(1 << i % 8);
		T_ERR(challenge_check(r.key, CHALLENGE_LOGIN, &user, now, c),
		    E_UNAUTHENTICATED);
		c[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	ring_close(&r);
}

T_MAIN
