#include "auth/totp.h"

#include "tests/t.h"

static uint8_t rfc_seed[TOTP_SEED + 1] = "12345678901234567890";

/* RFC 6238 appendix B, its last six digits. */
TEST(rfc_6238)
{
	static const struct {
		uint64_t time;
		const char *code;
	} t[] = {
	    {59, "287082"},
	    {1111111109, "081804"},
	    {1111111111, "050471"},
	    {1234567890, "005924"},
	    {2000000000, "279037"},
	    {20000000000, "353130"},
	};
	char got[TOTP_DIGITS];

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		T_GOOD(totp_code(rfc_seed, t[i].time / TOTP_SECONDS, got));
		T_EQ_STR(str_of(got, sizeof got), str_c(t[i].code));
	}
}

/* A thousand steps of the seed, as oathtool counts them. */
static void
compare(const uint8_t seed[TOTP_SEED], uint64_t from)
{
	char command[128], line[32], got[TOTP_DIGITS];
	size_t n = 0;
	FILE *f;
	char text[TOTP_SEED_TEXT];
	struct buf b = {.p = text, .cap = sizeof text, .max = sizeof text};

	base32_add(&b, str_of((const char *)seed, TOTP_SEED));
	snprintf(command, sizeof command,
	    "oathtool --totp -b -w 999 -N @%llu %.*s",
	    (unsigned long long)(from * TOTP_SECONDS), STR_ARG(buf_view(&b)));
	f = popen(command, "r");
	T_REQUIRE(f != NULL);
	while (fgets(line, sizeof line, f) != NULL) {
		T_GOOD(totp_code(seed, from + n, got));
		T_EQ_STR(str_of(got, sizeof got), str_of(line, TOTP_DIGITS));
		n++;
	}
	(void)pclose(f);
	T_EQ_INT(n, 1000);
}

TEST(a_thousand_codes_of_oathtool)
{
	uint8_t seed[TOTP_SEED];

	for (size_t i = 0; i < sizeof seed; i++)
		seed[i] = (uint8_t)(i * 37 + 11);
	compare(seed, 59000000);
}

static err
check(uint64_t last, int64_t now, const char *code, uint64_t *ret)
{
	return totp_check(rfc_seed, last, now, str_c(code), ret);
}

/* The code of step 37037036, that is of 1111111080 to 1111111109. */
TEST(window)
{
	static const int64_t step = 37037036, ms = 30000;
	uint64_t got = 0;
	char other[TOTP_DIGITS + 1] = "";

	T_GOOD(check(0, step * ms, "081804", &got));
	T_EQ_INT(got, step);
	T_GOOD(check(0, (step - 1) * ms, "081804", &got));
	T_EQ_INT(got, step);
	T_GOOD(check(0, (step + 2) * ms - 1, "081804", &got));
	T_EQ_INT(got, step);
	T_ERR(check(0, (step - 1) * ms - 1, "081804", &got), E_UNAUTHENTICATED);
	T_ERR(check(0, (step + 2) * ms, "081804", &got), E_UNAUTHENTICATED);
	T_GOOD(totp_code(rfc_seed, (uint64_t)step + 2, other));
	T_ERR(check(0, step * ms, other, &got), E_UNAUTHENTICATED);
}

TEST(each_step_once)
{
	static const int64_t step = 37037036, ms = 30000;
	char before[TOTP_DIGITS + 1] = "", after[TOTP_DIGITS + 1] = "";
	uint64_t last = 0;

	T_GOOD(totp_code(rfc_seed, (uint64_t)step - 1, before));
	T_GOOD(totp_code(rfc_seed, (uint64_t)step + 1, after));
	T_GOOD(check(last, step * ms, "081804", &last));
	T_ERR(check(last, step * ms, "081804", &last), E_UNAUTHENTICATED);
	T_EQ_INT(last, step);
	T_ERR(check(last, step * ms, before, &last), E_UNAUTHENTICATED);
	T_GOOD(check(last, step * ms, after, &last));
	T_EQ_INT(last, step + 1);
}

TEST(other_forms_are_refused)
{
	static const char *const bad[] = {"", "0", "08180", "0818040", "81804",
	    "081 804", "08180a", " 81804", "081805", "-81804"};
	uint64_t got = 7;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		T_ERR(check(0, 1111111109000, bad[i], &got), E_UNAUTHENTICATED);
	T_ERR(check(0, 0, "755224", &got), E_UNAUTHENTICATED);
	T_ERR(check(0, -1, "755224", &got), E_UNAUTHENTICATED);
	T_EQ_INT(got, 7);
}

/* RFC 4648 10. */
TEST(base32)
{
	static const char *const t[][2] = {{"", ""}, {"f", "MY"},
	    {"fo", "MZXQ"}, {"foo", "MZXW6"}, {"foob", "MZXW6YQ"},
	    {"fooba", "MZXW6YTB"}, {"foobar", "MZXW6YTBOI"}};
	char text[64], back[64];

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct buf b = {.p = text, .cap = 64, .max = 64};
		size_t n = strlen(t[i][0]);

		base32_add(&b, str_c(t[i][0]));
		T_EQ_STR(buf_view(&b), str_c(t[i][1]));
		T_EQ_INT(base32_decode(buf_view(&b), back, n), n % 5 == 0);
		if (n % 5 == 0)
			T_EQ_MEM(back, t[i][0], n);
	}
	T_OK(!base32_decode(STR("MZXW6YT1"), back, 5));
	T_OK(!base32_decode(STR("mzxw6ytb"), back, 5));
	T_OK(!base32_decode(STR("MZXW6YT="), back, 5));
	T_OK(!base32_decode(str_of("MZXW6YT\0", 8), back, 5));
	T_OK(!base32_decode(STR("MZXW6YTB"), back, 10));
	T_OK(!base32_decode(STR("MZXW6YTBM"), back, 5));
}

TEST(uri)
{
	char text[256];
	struct buf b = {.p = text, .cap = sizeof text, .max = sizeof text};

	totp_uri(&b, STR("Redoubt x&y"), STR("a b@example.org"), rfc_seed);
	T_EQ_STR(buf_view(&b),
	    STR("otpauth://totp/Redoubt%20x%26y:a%20b%40example.org"
		"?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
		"&issuer=Redoubt%20x%26y"));
}

T_MAIN
