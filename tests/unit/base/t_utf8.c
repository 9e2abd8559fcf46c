#include "base/utf8.h"
#include "tests/t.h"

#define VALID(lit) utf8_valid(STR(lit))

TEST(valid)
{
	T_OK(VALID(""));
	T_OK(utf8_valid(STR_NONE));
	T_OK(VALID("plain ascii, longer than eight bytes"));
	T_OK(VALID("\0"));
	T_OK(VALID("\xc2\x80 \xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf"));
	T_OK(VALID("\xee\x80\x80 \xef\xbf\xbf \xf0\x90\x80\x80"));
	T_OK(VALID("\xf4\x8f\xbf\xbf"));
}

TEST(invalid)
{
	T_OK(!VALID("\x80"));
	T_OK(!VALID("12345678\xbf"));
	T_OK(!VALID("1234567\xc3"));
	T_OK(!VALID("\xc0\x80"));
	T_OK(!VALID("\xc1\xbf"));
	T_OK(!VALID("\xe0\x9f\xbf"));
	T_OK(!VALID("\xed\xa0\x80"));
	T_OK(!VALID("\xed\xbf\xbf"));
	T_OK(!VALID("\xf0\x8f\xbf\xbf"));
	T_OK(!VALID("\xf4\x90\x80\x80"));
	T_OK(!VALID("\xf5\x80\x80\x80"));
	T_OK(!VALID("\xff"));
	T_OK(!VALID("\xe2\x82"));
	T_OK(!VALID("\xf0\x9f\x98"));
	T_OK(!VALID("\xf0\x9f\x98 "));
	T_OK(!VALID("\xe2 \x82"));
}

/* Every code point, encoded by the book, is read back as itself. */
TEST(every_character)
{
	for (uint32_t c = 0; c < 0x110000; c++) {
		unsigned char t[4];
		size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
		static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
		struct str s = str_of((char *)t, n);
		bool surrogate = c >= 0xd800 && c < 0xe000;

		for (size_t i = n - 1; i > 0; i--)
			t[i] = (unsigned char)(0x80 |
			    (c >> (6 * (n - 1 - i)) & 0x3f));
		t[0] = (unsigned char)(lead[n] | c >> (6 * (n - 1)));
		T_REQUIRE(utf8_char(s) == (surrogate ? 0 : n));
		T_REQUIRE(utf8_next(&s) == (surrogate ? UTF8_BAD : c));
		T_REQUIRE(s.n == (surrogate ? 2 : 0));
	}
}

/* All of 2^24 three-byte strings against a list of the valid ranges. */
TEST(every_three_bytes)
{
	for (uint32_t v = 0; v < 1u << 24; v++) {
		char t[3] = {(char)(v >> 16), (char)(v >> 8), (char)v};
		uint32_t a = v >> 16, b = v >> 8 & 255, c = v & 255;
		bool want = a >= 0xe0 && a <= 0xef && b >= 0x80 && b <= 0xbf &&
		    c >= 0x80 && c <= 0xbf && (a != 0xe0 || b >= 0xa0) &&
		    (a != 0xed || b <= 0x9f);

		T_REQUIRE((utf8_char(str_of(t, 3)) == 3) == want);
		if (a == 0x80)
			v = 0xbfffff;
	}
}

TEST(plain_finds_each_stop_at_each_place)
{
	char t[40];

	for (int c = 0; c < 256; c++) {
		bool stop = c < 0x20 || c > 0x7f || c == '"' || c == '\\';

		for (size_t at = 0; at < sizeof t; at++) {
			memset(t, 'a', sizeof t);
			t[at] = (char)c;
			T_REQUIRE(utf8_plain(str_of(t, sizeof t)) ==
			    (stop ? at : sizeof t));
			/* Behind the end nothing is seen. */
			T_REQUIRE(utf8_plain(str_of(t, at)) == at);
		}
	}
}

TEST(plain_before_and_after_a_stop)
{
	T_EQ_INT(utf8_plain(STR("ab!#[]\x7f\"zz")), 7);
	T_EQ_INT(utf8_plain(STR("!\"!\"!\"!\"")), 1);
	T_EQ_INT(utf8_plain(STR("")), 0);
}

TEST(characters_are_counted)
{
	T_EQ_INT(utf8_count(STR("")), 0);
	T_EQ_INT(utf8_count(STR("abc")), 3);
	T_EQ_INT(utf8_count(STR("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x9a\x80")), 4);
}

T_MAIN
