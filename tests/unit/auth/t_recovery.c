#include "auth/recovery.h"

#include "base/rand.h"
#include "tests/unit/auth/key.h"

TEST(as_shown_and_as_typed)
{
	uint8_t code[RECOVERY_BYTES], back[RECOVERY_BYTES];
	char text[RECOVERY_TEXT + 1], typed[64];

	for (size_t i = 0; i < 1000; i++) {
		rand_bytes(code, sizeof code);
		recovery_text(code, text);
		T_EQ_INT(strlen(text), RECOVERY_TEXT);
		T_OK(text[4] == '-' && text[9] == '-' && text[14] == '-');
		T_REQUIRE(recovery_parse(str_c(text), back));
		T_EQ_MEM(code, back, sizeof code);
		for (size_t k = 0; k <= RECOVERY_TEXT; k++)
			typed[k] = text[k] >= 'A' && text[k] <= 'Z'
			    ? (char)(text[k] + 32)
			    : text[k] == '-' ? ' '
					     : text[k];
		T_REQUIRE(recovery_parse(str_c(typed), back));
		T_EQ_MEM(code, back, sizeof code);
	}
}

TEST(other_forms_are_refused)
{
	static const char *const bad[] = {"", "-", "AAAA-AAAA-AAAA-AAA",
	    "AAAA-AAAA-AAAA-AAAAA", "AAAA-AAAA-AAAA-AAA1",
	    "AAAA_AAAA_AAAA_AAAA", "123456", "AAAA-AAAA-AAAA-AAA="};
	uint8_t code[RECOVERY_BYTES];

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		T_OK(!recovery_parse(str_c(bad[i]), code));
}

TEST(hashes)
{
	uint8_t code[RECOVERY_BYTES] = {1}, all[3][RECOVERY_HASH], h[32];
	struct uuid user = {{1}}, other = {{2}};
	struct ring r;

	ring_open(&r);
	for (uint8_t i = 0; i < 3; i++) {
		code[0] = i;
		T_GOOD(recovery_hash(r.key, &user, code, all[i]));
	}
	for (uint8_t i = 0; i < 3; i++) {
		code[0] = i;
		T_GOOD(recovery_hash(r.key, &user, code, h));
		T_EQ_INT(recovery_find(all[0], 3, h), i);
	}
	T_GOOD(recovery_hash(r.key, &other, code, h));
	T_EQ_INT(recovery_find(all[0], 3, h), 3); /* another's */
	T_GOOD(recovery_hash(r.other, &user, code, h));
	T_EQ_INT(recovery_find(all[0], 3, h), 3); /* under another key */
	code[9] = 1;
	T_GOOD(recovery_hash(r.key, &user, code, h));
	T_EQ_INT(recovery_find(all[0], 3, h), 3);
	T_EQ_INT(recovery_find(all[0], 0, h), 0);
	ring_close(&r);
}

T_MAIN
