#include "base/text.h"
#include "tests/t.h"

#include "base/limits.h"

static struct arena arena;
static struct buf out;

static void
start(void)
{
	arena_done(&arena);
	arena_init(&arena, LIM_ARENA);
	buf_init_on(&out, &arena, 100000);
}

static struct str
made(void)
{
	return out.failed ? STR_NONE : buf_view(&out);
}

TEST(hex)
{
	uint8_t t[4] = {9, 9, 9, 9};

	start();
	hex_add(&out, STR("\x00\x9f\xff\x10"));
	T_EQ_STR(made(), STR("009fff10"));
	T_OK(hex_decode(STR("009fff10"), t, 4));
	T_EQ_MEM(t, "\x00\x9f\xff\x10", 4);
	memset(t, 9, sizeof t);
	T_OK(!hex_decode(STR("009fff1"), t, 4));
	T_OK(!hex_decode(STR("009fff1"), t, 3));
	T_OK(!hex_decode(STR("009fff"), t, 4));
	T_OK(!hex_decode(STR("009fff1000"), t, 4));
	T_OK(!hex_decode(STR("009fff1g"), t, 4));
	T_OK(!hex_decode(STR("009FFF10"), t, 4));
	T_OK(!hex_decode(STR("0x9fff10"), t, 4));
	T_EQ_MEM(t, "\x09\x09\x09\x09", 4);
	T_OK(hex_decode(STR(""), t, 0));
	T_OK(hex_decode(STR_NONE, t, 0));
}

static const struct {
	const char *plain, *std, *url;
} rfc4648[] = {{"", "", ""}, {"f", "Zg==", "Zg"}, {"fo", "Zm8=", "Zm8"},
    {"foo", "Zm9v", "Zm9v"}, {"foob", "Zm9vYg==", "Zm9vYg"},
    {"fooba", "Zm9vYmE=", "Zm9vYmE"}, {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
    {"\xfb\xff\xfe", "+//+", "-__-"}};

TEST(base64_rfc_4648)
{
	struct str s;

	for (size_t i = 0; i < sizeof rfc4648 / sizeof rfc4648[0]; i++) {
		struct str plain = str_c(rfc4648[i].plain);

		start();
		b64_add(&out, plain);
		T_EQ_STR(buf_view(&out), str_c(rfc4648[i].std));
		buf_clear(&out);
		b64url_add(&out, plain);
		T_EQ_STR(buf_view(&out), str_c(rfc4648[i].url));
		T_REQUIRE(b64_decode(&arena, str_c(rfc4648[i].std), &s));
		T_EQ_STR(s, plain);
		T_REQUIRE(b64url_decode(&arena, str_c(rfc4648[i].url), &s));
		T_EQ_STR(s, plain);
	}
}

TEST(base64_refuses)
{
	static const char *const bad_std[] = {"Zg", "Zg=", "Zg===", "Z",
	    "Zh==", "Zm9=", "Zm8", "=",
	    "==", "====", "Z===", "Zg==Zg==", "Zm9v\n", " Zm9v", "Zm9 ", "Zm9-",
	    "-__-", "Zm=v", "Zg=g"};
	static const char *const bad_url[] = {"Zg==", "Z", "A", "Zh", "Zm9",
	    "Zm9vY", "+//+", "Zm9v=", "Zm9v ", "Zm\n9v"};
	struct str s = STR("kept");

	start();
	for (size_t i = 0; i < sizeof bad_std / sizeof bad_std[0]; i++)
		if (b64_decode(&arena, str_c(bad_std[i]), &s))
			T_FAIL("accepted \"%s\"", bad_std[i]);
	for (size_t i = 0; i < sizeof bad_url / sizeof bad_url[0]; i++)
		if (b64url_decode(&arena, str_c(bad_url[i]), &s))
			T_FAIL("accepted \"%s\"", bad_url[i]);
	T_EQ_STR(s, STR("kept"));
}

TEST(encoders_respect_the_maximum)
{
	struct buf b;

	start();
	buf_init_on(&b, &arena, 8);
	hex_add(&b, STR("12345"));
	T_OK(b.failed);
	buf_clear(&b);
	hex_add(&b, STR("1234"));
	T_OK(!b.failed && b.n == 8);
	buf_clear(&b);
	b64_add(&b, STR("1234567"));
	T_OK(b.failed);
	buf_clear(&b);
	b64_add(&b, STR("123456"));
	T_OK(!b.failed && b.n == 8);
	buf_clear(&b);
	b64_add(&b, str_of("x", SIZE_MAX - 1));
	T_OK(b.failed);
	buf_clear(&b);
	hex_add(&b, str_of("x", SIZE_MAX / 2 + 2));
	T_OK(b.failed);
}

TEST(unpadded_text_fits_to_the_byte)
{
	struct buf b;

	start();
	buf_init_on(&b, &arena, 2);
	b64url_add(&b, STR("f"));
	T_OK(!b.failed);
	T_EQ_STR(buf_view(&b), STR("Zg"));
	buf_init_on(&b, &arena, 1);
	b64url_add(&b, STR("f"));
	T_OK(b.failed);
}

TEST(base62)
{
	uint64_t v = 7;

	start();
	base62_add(&out, 0, 1);
	base62_add(&out, 61, 3);
	base62_add(&out, 62, 0);
	base62_add(&out, UINT64_MAX, 6);
	T_EQ_STR(made(), STR("000z10LygHa16AHYF"));
	T_OK(base62_decode(STR("LygHa16AHYF"), &v) && v == UINT64_MAX);
	T_OK(base62_decode(STR("000LygHa16AHYF"), &v) && v == UINT64_MAX);
	T_OK(base62_decode(STR("00z"), &v) && v == 61);
	T_OK(!base62_decode(STR("LygHa16AHYG"), &v));
	T_OK(!base62_decode(STR("LygHa16AHZ0"), &v));
	T_OK(!base62_decode(STR("100000000000"), &v));
	T_OK(!base62_decode(STR(""), &v));
	T_OK(!base62_decode(STR("a-b"), &v));
	T_OK(!base62_decode(STR("a b"), &v));
	T_OK(!base62_decode(STR("[`{@/:"), &v));
	T_EQ_INT(v, 61);
}

TEST(crc32_check_values)
{
	T_OK(crc32_ieee(STR("123456789")) == 0xcbf43926);
	T_OK(crc32_ieee(STR("")) == 0);
	T_OK(crc32_ieee(STR("\0")) == 0xd202ef8d);
	T_OK(crc32_ieee(STR("The quick brown fox jumps over the lazy dog")) ==
	    0x414fa339);
}

static struct str
url(struct str in)
{
	struct str s = STR("refused");

	err_ignore(url_decode(&arena, in, &s), "s tells");
	return s;
}

TEST(percent_decoding)
{
	start();
	T_EQ_STR(url(STR("")), STR(""));
	T_EQ_STR(url(STR("a+b")), STR("a+b"));
	T_EQ_STR(url(STR("a%20b%2Fc%2f")), STR("a b/c/"));
	T_EQ_STR(url(STR("%C3%a4%F0%9F%98%80")), STR("ä😀"));
	T_EQ_STR(url(STR("ä")), STR("ä"));
	T_EQ_STR(url(STR("%2541")), STR("%41"));
	T_EQ_STR(url(STR("%7F%0a")), STR("\x7f\n"));
}

TEST(percent_decoding_refuses)
{
	struct str s = STR("kept");

	start();
	T_ERR(url_decode(&arena, STR("%"), &s), E_BAD_REQUEST);
	T_ERR(url_decode(&arena, STR("%2"), &s), E_BAD_REQUEST);
	T_ERR(url_decode(&arena, STR("ab%2"), &s), E_BAD_REQUEST);
	T_ERR(url_decode(&arena, str_of("%41", 2), &s), E_BAD_REQUEST);
	T_ERR(url_decode(&arena, str_of("%41", 1), &s), E_BAD_REQUEST);
	T_ERR(url_decode(&arena, STR("%2g"), &s), E_BAD_REQUEST);
	T_ERR(url_decode(&arena, STR("%g2"), &s), E_BAD_REQUEST);
	T_ERR(url_decode(&arena, STR("%u0041"), &s), E_BAD_REQUEST);
	T_ERR(url_decode(&arena, STR("%00"), &s), E_BAD_REQUEST);
	T_ERR(url_decode(&arena, STR("a\0b"), &s), E_BAD_REQUEST);
	T_ERR(url_decode(&arena, STR("%C3"), &s), E_BAD_REQUEST);
	T_ERR(url_decode(&arena, STR("%C0%AF"), &s), E_BAD_REQUEST);
	T_ERR(url_decode(&arena, STR("%ED%A0%80"), &s), E_BAD_REQUEST);
	T_ERR(url_decode(&arena, STR("\xff"), &s), E_BAD_REQUEST);
	T_EQ_STR(s, STR("kept"));
}

TEST(percent_encoding)
{
	start();
	url_encode(&out, STR("az-AZ_09.~ /?+%&=\xc3\xa4\n"));
	T_EQ_STR(made(), STR("az-AZ_09.~%20%2F%3F%2B%25%26%3D%C3%A4%0A"));
}

TEST(a_full_arena_is_told)
{
	struct arena small;
	struct str s = STR("kept");
	char t[200];

	memset(t, 'A', sizeof t);
	arena_init(&small, 64);
	T_ERR(url_decode(&small, str_of(t, sizeof t), &s), E_NO_MEMORY);
	arena_reset(&small);
	T_OK(!b64_decode(&small, str_of(t, sizeof t), &s));
	T_EQ_STR(s, STR("kept"));
	arena_done(&small);
}

T_MAIN
