#include "auth/token.h"
#include "base/text.h"
#include "tests/unit/auth/key.h"

static const char base62[] =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static bool
parses(const char *p, size_t n)
{
	struct str key_id, secret;
	char kind;

	return token_parse(str_of(p, n), &kind, &key_id, &secret);
}

TEST(made_tokens_parse)
{
	static const char kinds[] = "psdwb";
	char t[TOKEN_TEXT + 1], id[TOKEN_KEY_ID + 1], kind;
	struct str key_id, secret;

	for (size_t i = 0; i < 500; i++) {
		token_make(kinds[i % 5], t, id);
		T_EQ_INT(strlen(t), TOKEN_TEXT);
		T_EQ_INT(strlen(id), TOKEN_KEY_ID);
		T_REQUIRE(token_parse(str_c(t), &kind, &key_id, &secret));
		T_EQ_INT(kind, kinds[i % 5]);
		T_EQ_STR(key_id, str_c(id));
		T_OK(key_id.p == t + 4);
		T_OK(secret.p == t + 14 && secret.n == TOKEN_SECRET);
		T_EQ_INT(strspn(t + 4, base62), 48);
	}
}

TEST(no_two_are_alike)
{
	enum { N = 300 };
	static char t[N][TOKEN_TEXT + 1];
	char id[TOKEN_KEY_ID + 1];

	for (size_t i = 0; i < N; i++) {
		token_make('p', t[i], id);
		for (size_t j = 0; j < i; j++)
			T_OK(memcmp(t[i] + 14, t[j] + 14, 8) != 0);
	}
}

/* The checksum is known outside (secret scanners compute it): a fixed one. */
TEST(known_token)
{
	static const char body[] =
	    "rdp_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef";
	char t[TOKEN_TEXT + 1];
	struct buf b = {.p = t, .cap = TOKEN_TEXT, .max = TOKEN_TEXT};

	buf_c(&b, body);
	/* python3: zlib.crc32(body) = 0x98d127bc */
	buf_c(&b, "2nVcx2");
	T_EQ_INT(b.n, TOKEN_TEXT);
	T_OK(parses(b.p, b.n));
}

TEST(every_change_of_one_character_is_refused)
{
	char t[TOKEN_TEXT + 1], id[TOKEN_KEY_ID + 1];

	for (unsigned round = 0; round < 20; round++) {
		token_make("psdwb"[round % 5], t, id);
		for (size_t at = 0; at < TOKEN_TEXT; at++) {
			char was = t[at];

			for (int c = 0; c < 256; c++) {
				t[at] = (char)c;
				T_OK(parses(t, TOKEN_TEXT) == (t[at] == was));
			}
			t[at] = was;
		}
	}
}

TEST(other_lengths_and_swaps_are_refused)
{
	char t[TOKEN_TEXT + 2] = {0}, id[TOKEN_KEY_ID + 1];

	token_make('p', t, id);
	t[TOKEN_TEXT] = 'x';
	for (size_t n = 0; n <= TOKEN_TEXT + 1; n++)
		T_EQ_INT(parses(t, n), n == TOKEN_TEXT);
	T_OK(!parses(NULL, 0));
	for (size_t i = 4; i + 1 < TOKEN_TEXT; i++) {
		char a = t[i], b = t[i + 1];

		t[i] = b;
		t[i + 1] = a;
		T_EQ_INT(parses(t, TOKEN_TEXT), a == b);
		t[i] = a;
		t[i + 1] = b;
	}
}

TEST(a_checksum_past_32_bits_is_refused)
{
	char t[TOKEN_TEXT + 1], id[TOKEN_KEY_ID + 1];
	struct buf b;
	uint64_t crc;

	for (unsigned i = 0; i < 100; i++) {
		token_make('p', t, id);
		T_REQUIRE(base62_decode(str_of(t + 46, 6), &crc));
		b = (struct buf){.p = t + 46, .cap = 6, .max = 6};
		base62_add(&b, crc + (UINT64_C(1) << 32), 6);
		T_OK(!b.failed && !parses(t, TOKEN_TEXT));
	}
}

TEST(verifier)
{
	char t[TOKEN_TEXT + 1], u[TOKEN_TEXT + 1], id[TOKEN_KEY_ID + 1];
	uint8_t a[32], b[32], zero[32] = {0};
	struct ring r;

	ring_open(&r);
	token_make('p', t, id);
	token_make('p', u, id);
	T_GOOD(token_verifier(r.key, str_c(t), a));
	T_GOOD(token_verifier(r.key, str_c(t), b));
	T_EQ_MEM(a, b, 32);
	T_OK(memcmp(a, zero, 32) != 0);
	T_GOOD(token_verifier(r.key, str_c(u), b));
	T_OK(memcmp(a, b, 32) != 0);
	/* kind and key id count, too: no verifier serves another token */
	for (size_t at = 2; at < 46; at += at == 2 ? 2 : 1) {
		char was = t[at];

		t[at] = was == 'x' ? 'y' : 'x';
		T_GOOD(token_verifier(r.key, str_c(t), b));
		T_OK(memcmp(a, b, 32) != 0);
		t[at] = was;
	}
	T_GOOD(token_verifier(r.other, str_c(t), b));
	T_OK(memcmp(a, b, 32) != 0);
	T_ERR(token_verifier(r.key, str_of(t, 51), b), E_INVALID);
	ring_close(&r);
}

/* ---- tokens in addresses ---- */

static void
find(const char *before, const char *after, bool want)
{
	char t[TOKEN_TEXT + 1], id[TOKEN_KEY_ID + 1], line[512];
	struct str found = STR_NONE;

	token_make('s', t, id);
	snprintf(line, sizeof line, "%s%s%s", before, t, after);
	T_EQ_INT(token_find(str_c(line), &found), want);
	if (want)
		T_EQ_STR(found, str_c(t));
}

TEST(found_wherever_it_stands)
{
	find("", "", true);
	find("/v1/projects?token=", "", true);
	find("/v1/projects?token=", "&x=1", true);
	find("/v1/rdp_", "/incidents", true);
	find("rrdrdprdp_", "rdp_", true);
	find("rdp_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghij0123", "",
	    true);
	find("x", "x", true);
}

TEST(not_found_where_there_is_none)
{
	static const char *const none[] = {"", "r", "rd", "rdp_",
	    "/v1/projects?q=redoubt",
	    "rdp_000000000000000000000000000000000000000000000000",
	    "rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr"};
	char t[TOKEN_TEXT + 1], id[TOKEN_KEY_ID + 1];
	struct str found;

	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		T_OK(!token_find(str_c(none[i]), &found));
	T_OK(!token_find(STR_NONE, &found));
	token_make('p', t, id);
	T_OK(!token_find(str_of(t, TOKEN_TEXT - 1), &found));
	T_OK(!token_find(str_of(t + 1, TOKEN_TEXT - 1), &found));
}

TEST(the_first_of_several)
{
	char t[TOKEN_TEXT + 1], u[TOKEN_TEXT + 1], id[TOKEN_KEY_ID + 1];
	char line[256];
	struct str found = STR_NONE;

	token_make('p', t, id);
	token_make('w', u, id);
	snprintf(line, sizeof line, "%s%s", t, u);
	T_OK(token_find(str_c(line), &found));
	T_EQ_STR(found, str_c(t));
	line[20] = line[20] == 'a' ? 'b' : 'a'; /* the first is no token */
	T_OK(token_find(str_c(line), &found));
	T_EQ_STR(found, str_c(u));
}

T_MAIN
