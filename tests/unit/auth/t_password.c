#include "auth/password.h"

#include <argon2.h>
#include <time.h>

#include "base/limits.h"
#include "base/text.h"
#include "tests/unit/auth/key.h"

static const uint8_t salt[PASSWORD_SALT] = "0123456789abcdef";

TEST(what_was_hashed_checks)
{
	char phc[PASSWORD_PHC];
	struct ring r;

	ring_open(&r);
	T_GOOD(password_hash(r.key, STR("a good password, it is"), salt, phc));
	T_OK(str_starts(str_c(phc),
	    STR("$argon2id$v=19$m=65536,t=3,p=1$MDEyMzQ1Njc4OWFiY2RlZg$")));
	T_OK(!password_outdated(str_c(phc)));
	T_GOOD(
	    password_check(r.key, STR("a good password, it is"), str_c(phc)));
	T_ERR(password_check(r.key, STR("a good password, it Is"), str_c(phc)),
	    E_UNAUTHENTICATED);
	T_ERR(password_check(r.key, STR("a good password, it is "), str_c(phc)),
	    E_UNAUTHENTICATED);
	T_ERR(password_check(r.key, STR(""), str_c(phc)), E_UNAUTHENTICATED);
	/* the pepper of another store */
	T_ERR(password_check(r.other, STR("a good password, it is"),
		  str_c(phc)),
	    E_UNAUTHENTICATED);
	ring_close(&r);
}

/* NUL and what follows it count, and so do the last of 128 characters. */
TEST(every_byte_counts)
{
	char phc[PASSWORD_PHC], long_one[LIM_PASSWORD];
	struct ring r;

	ring_open(&r);
	T_GOOD(password_hash(r.key, STR("twelve\0bytes"), salt, phc));
	T_GOOD(password_check(r.key, STR("twelve\0bytes"), str_c(phc)));
	T_ERR(password_check(r.key, STR("twelve"), str_c(phc)),
	    E_UNAUTHENTICATED);
	memset(long_one, 'x', sizeof long_one);
	T_GOOD(
	    password_hash(r.key, str_of(long_one, sizeof long_one), salt, phc));
	long_one[LIM_PASSWORD - 1] = 'y';
	T_ERR(password_check(r.key, str_of(long_one, sizeof long_one),
		  str_c(phc)),
	    E_UNAUTHENTICATED);
	ring_close(&r);
}

/* libargon2's own string functions agree, given what the pepper makes. */
TEST(the_string_is_a_phc_string)
{
	char phc[PASSWORD_PHC];
	uint8_t secret[32];
	struct ring r;

	ring_open(&r);
	T_GOOD(password_hash(r.key, STR("correct horse"), salt, phc));
	T_GOOD(seal_mac(r.key, "password", STR("correct horse"), secret, 32));
	T_EQ_INT(argon2id_verify(phc, secret, sizeof secret), ARGON2_OK);
	ring_close(&r);
}

/* One of theirs, with less than is asked for today. */
TEST(parameters_come_from_the_string)
{
	char phc[PASSWORD_PHC];
	uint8_t secret[32];
	struct ring r;

	ring_open(&r);
	T_GOOD(seal_mac(r.key, "password", STR("correct horse"), secret, 32));
	T_EQ_INT(argon2id_hash_encoded(1, 19456, 1, secret, sizeof secret, salt,
		     sizeof salt, PASSWORD_TAG, phc, sizeof phc),
	    ARGON2_OK);
	T_GOOD(password_check(r.key, STR("correct horse"), str_c(phc)));
	T_ERR(password_check(r.key, STR("correct house"), str_c(phc)),
	    E_UNAUTHENTICATED);
	T_OK(password_outdated(str_c(phc)));
	ring_close(&r);
}

#define SALT "MDEyMzQ1Njc4OWFiY2RlZg"
#define TAG "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

TEST(other_strings_are_corrupt)
{
	static const char *const bad[] = {
	    "$",
	    "x",
	    "$argon2id$",
	    "$argon2i$v=19$m=65536,t=3,p=1$" SALT "$" TAG,
	    "$argon2id$v=16$m=65536,t=3,p=1$" SALT "$" TAG,
	    "$argon2id$m=65536,t=3,p=1$" SALT "$" TAG,
	    "$argon2id$v=19$m=65537,t=3,p=1$" SALT "$" TAG,
	    "$argon2id$v=19$m=8191,t=3,p=1$" SALT "$" TAG,
	    "$argon2id$v=19$m=4294967296,t=3,p=1$" SALT "$" TAG,
	    "$argon2id$v=19$m=065536,t=3,p=1$" SALT "$" TAG,
	    "$argon2id$v=19$m=65536,t=0,p=1$" SALT "$" TAG,
	    "$argon2id$v=19$m=65536,t=17,p=1$" SALT "$" TAG,
	    "$argon2id$v=19$m=65536,t=3,p=2$" SALT "$" TAG,
	    "$argon2id$v=19$m=65536,p=1,t=3$" SALT "$" TAG,
	    "$argon2id$v=19$m=65536,t=3,p=1,x=1$" SALT "$" TAG,
	    "$argon2id$v=19$m=65536,t=3,p=1$" SALT "==$" TAG,
	    "$argon2id$v=19$m=65536,t=3,p=1$" SALT "$" TAG "=",
	    "$argon2id$v=19$m=65536,t=3,p=1$" SALT "$",
	    "$argon2id$v=19$m=65536,t=3,p=1$" SALT,
	    "$argon2id$v=19$m=65536,t=3,p=1$MDEyMzQ1Njc4OWFiY2RlZh$" TAG,
	    "$argon2id$v=19$m=65536,t=3,p=1$" SALT "$" TAG "\n",
	    "$argon2id$v=19$m=65536,t=3,p=1$" SALT "$" TAG "$" TAG,
	};
	struct ring r;

	ring_open(&r);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		T_ERR(password_check(r.key, STR("x"), str_c(bad[i])),
		    E_CORRUPT);
		T_OK(!password_outdated(str_c(bad[i])));
	}
	T_ERR(password_check(r.key, STR("x"),
		  STR("$argon2id$v=19$m=65536,t=3,p=1$" SALT "$" TAG)),
	    E_UNAUTHENTICATED);
	ring_close(&r);
}

static int64_t
cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Who does not exist costs what who does costs. */
TEST(nobody_takes_as_long)
{
	char phc[PASSWORD_PHC];
	int64_t some = INT64_MAX, none = INT64_MAX, at;
	struct ring r;

	ring_open(&r);
	T_GOOD(password_hash(r.key, STR("correct horse"), salt, phc));
	for (int i = 0; i < 4; i++) {
		at = cpu_us();
		T_ERR(password_check(r.key, STR("wrong"), str_c(phc)),
		    E_UNAUTHENTICATED);
		at = cpu_us() - at;
		some = at < some ? at : some;
		at = cpu_us();
		T_ERR(password_check(r.key, STR("wrong"), STR("")),
		    E_UNAUTHENTICATED);
		at = cpu_us() - at;
		none = at < none ? at : none;
	}
	printf("# %lld us, nobody %lld us\n", (long long)some, (long long)none);
	T_OK(none > some - some / 5 && none < some + some / 5);
	/* all zero is nobody's tag */
	T_ERR(password_check(r.key, STR(""), STR("")), E_UNAUTHENTICATED);
	ring_close(&r);
}

static bool
fits(const char *s)
{
	static const struct str words[] = {{"Example", 7}, {"alice", 5},
	    {"", 0}, {"org", 3}};
	struct trail t = {""};
	err e = password_fits(str_c(s), words, 4, &t);

	T_OK(err_ok(e) == (t.detail[0] == '\0'));
	T_OK(err_ok(e) || err_is(e, E_INVALID));
	/* never say the password itself */
	T_OK(*s == '\0' || strlen(s) < 6 || strstr(t.detail, s) == NULL);
	return err_ok(e);
}

TEST(length_in_characters)
{
	char s[4 * LIM_PASSWORD + 5] = "";
	size_t n = 0;

	T_OK(!fits(""));
	T_OK(!fits("k8#vQz!m2Lx")); /* 11 */
	T_OK(fits("k8#vQz!m2LxR")); /* 12 */
	T_OK(!fits("kähvüzömßLx")); /* 11 characters, more bytes */
	T_OK(fits("kähvüzömßLxR"));
	for (size_t i = 0; i < LIM_PASSWORD; i++) {
		memcpy(s + n, "\xf0\x9f\x98\x80", 4);
		s[n + 3] = (char)(0x80 + i % 64);
		n += 4;
	}
	T_OK(fits(s)); /* 128 of four bytes */
	s[n] = 'x';
	T_OK(!fits(s)); /* 129 */
	memset(s, 0, sizeof s);
	for (size_t i = 0; i <= LIM_PASSWORD; i++)
		s[i] = (char)('a' + i * 7 % 26);
	T_OK(!fits(s));
	s[LIM_PASSWORD] = '\0';
	T_OK(fits(s));
	T_OK(!fits("k8#vQz!m2LxR\xff"));
}

TEST(no_rules_of_composition)
{
	T_OK(fits("correct horse battery staple"));
	T_OK(fits("zgkwpvhqtmcx"));
	T_OK(fits("ZGKWPVHQTMCX"));
	T_OK(fits("831947205638"));
	T_OK(fits("?#%&/()=*+-.:;"));
	T_OK(fits("            x1y2"));
	T_OK(fits("пароль-надёжный"));
}

TEST(common_ones_and_patterns)
{
	static const char *const bad[] = {"password1234", "PASSWORD12345",
	    "P@ssw0rd2026", "Passw0rd!!!!", "passwordpassword", "123456789012",
	    "qwertyuiop12", "123qwertyuiop", "abcdefghijkl", "abcabcabcabc",
	    "aaaaaaaaaaaa", "111111111111", "letmein2026!", "Dragon!!!!!!",
	    "dragondragon", "iloveyou1234", "0987654321098", "121212121212",
	    "qwertyqwerty", "1q2w3e4r5t6y", "football2026!!!"};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (fits(bad[i]))
			T_FAIL("taken: %s", bad[i]);
}

TEST(names)
{
	T_OK(!fits("redoubt-2026"));
	T_OK(!fits("MyRedoubt123!"));
	T_OK(fits("redoubt and six more words"));
	T_OK(!fits("Example4k#Zq"));
	T_OK(!fits("ExAmPlE-2026!!"));
	T_OK(!fits("xy-Alice-77!"));
	T_OK(fits("xy-org-77!kQ")); /* too short a name to matter */
	T_OK(fits("alice 83#kQz!wv"));
}

/* The list is in the order that looking up in it needs, and is all found. */
TEST(the_list)
{
	FILE *f = fopen("src/auth/common.txt", "r");
	char line[256];
	size_t n = 0;

	T_REQUIRE(f != NULL);
	while (fgets(line, sizeof line, f) != NULL) {
		struct str s = str_c(line);

		T_REQUIRE(s.n > 1 && s.p[s.n - 1] == '\n');
		s.n--;
		if (!password_common(s))
			T_FAIL("not found: %s", line);
		n++;
	}
	(void)fclose(f);
	T_OK(n >= 10000);
	T_OK(!password_common(STR("")));
	T_OK(!password_common(STR("\n")));
	T_OK(!password_common(STR("zzzzzzzzzzzzzzz")));
	T_OK(!password_common(STR("123456\n")));
	T_OK(!password_common(STR("correct horse battery staple")));
}

T_MAIN
