#include "base/id.h"
#include "tests/t.h"

/* The example of RFC 9562, appendix A.6. */
TEST(rfc_9562_example)
{
	static const uint8_t rnd[10] = {0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c,
	    0x0c, 0x07, 0x39, 0x8f};
	struct uuid u = uuid_v7(0x017F22E279B0, rnd);
	char text[UUID_TEXT + 1];

	uuid_text(&u, text);
	T_OK(strcmp(text, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f") == 0);
}

TEST(version_and_variant_whatever_the_bytes)
{
	uint8_t rnd[10];
	struct uuid u;

	memset(rnd, 0xff, sizeof rnd);
	u = uuid_v7(-1, rnd);
	T_EQ_INT(u.b[6], 0x7f);
	T_EQ_INT(u.b[8], 0xbf);
	T_EQ_INT(u.b[0], 0);
	memset(rnd, 0, sizeof rnd);
	u = uuid_v7(INT64_C(1) << 47, rnd);
	T_EQ_INT(u.b[0], 0x80);
	T_EQ_INT(u.b[6], 0x70);
	T_EQ_INT(u.b[8], 0x80);
}

TEST(text_sorts_like_time)
{
	static const uint8_t low[10],
	    high[10] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
	char a[UUID_TEXT + 1], b[UUID_TEXT + 1];
	struct uuid u = uuid_v7(1000, high), v = uuid_v7(1001, low);

	uuid_text(&u, a);
	uuid_text(&v, b);
	T_OK(strcmp(a, b) < 0);
}

TEST(parse_reads_back_either_case)
{
	struct uuid u, v;

	T_OK(uuid_parse(STR("017f22e2-79b0-7cc3-98c4-dc0c0c07398f"), &u));
	T_OK(uuid_parse(STR("017F22E2-79B0-7CC3-98C4-DC0C0C07398F"), &v));
	T_OK(uuid_eq(&u, &v));
	T_EQ_INT(u.b[15], 0x8f);
	T_OK(!uuid_is_zero(&u));
	T_OK(uuid_parse(STR("00000000-0000-0000-0000-000000000000"), &v));
	T_OK(uuid_is_zero(&v));
}

TEST(parse_refuses)
{
	static const char good[] = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
	static const char bad[] = "gG:/@`- \n";
	struct uuid u = {{1}};

	T_OK(!uuid_parse(STR(""), &u));
	T_OK(!uuid_parse(STR_NONE, &u));
	T_OK(!uuid_parse(str_of(good, 35), &u));
	T_OK(!uuid_parse(str_of(good, 37), &u));
	T_OK(!uuid_parse(STR("017f22e279b07cc398c4dc0c0c07398f"), &u));
	for (size_t i = 0; i < UUID_TEXT; i++) {
		for (size_t k = 0; k < sizeof bad - 1; k++) {
			char t[UUID_TEXT];

			memcpy(t, good, sizeof t);
			if (t[i] == bad[k])
				continue;
			t[i] = bad[k];
			T_OK(!uuid_parse(str_of(t, sizeof t), &u));
		}
	}
	T_EQ_INT(u.b[0], 1);
}

T_MAIN
