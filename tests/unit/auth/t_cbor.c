#include "auth/cbor.h"

#include "base/limits.h"
#include "base/text.h"
#include "tests/t.h"

/* The item that this hex is; *ret_left bytes stand behind it. */
static bool
takes(const char *hex, size_t max, struct cbor *ret, size_t *ret_left)
{
	static uint8_t bytes[4096];
	size_t n = strlen(hex) / 2;
	struct cur in;

	if (n > sizeof bytes || !hex_decode(str_c(hex), bytes, n)) {
		T_FAIL("hex: %s", hex);
		return false;
	}
	in = cur_of(str_of((const char *)bytes, n));
	if (!err_ok(cbor_take(&in, max, ret))) {
		T_OK(in.failed);
		return false;
	}
	*ret_left = in.n;
	return true;
}

static bool
good(const char *hex)
{
	struct cbor c;
	size_t left;

	return takes(hex, LIM_CBOR, &c, &left) && left == 0;
}

/* RFC 8949 appendix A, what is taken of it. */
TEST(numbers)
{
	static const struct {
		const char *hex;
		int64_t v;
	} t[] = {
	    {"00", 0},
	    {"01", 1},
	    {"0a", 10},
	    {"17", 23},
	    {"1818", 24},
	    {"1864", 100},
	    {"1903e8", 1000},
	    {"1a000f4240", 1000000},
	    {"1b000000e8d4a51000", 1000000000000},
	    {"20", -1},
	    {"29", -10},
	    {"3863", -100},
	    {"3903e7", -1000},
	    {"1b7fffffffffffffff", INT64_MAX},
	    {"3b7fffffffffffffff", INT64_MIN},
	};
	struct cbor c;
	size_t left;
	int64_t v;

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		T_REQUIRE(takes(t[i].hex, LIM_CBOR, &c, &left) && left == 0);
		T_REQUIRE(cbor_i64(&c, &v));
		T_EQ_INT(v, t[i].v);
	}
	T_REQUIRE(takes("1bffffffffffffffff", LIM_CBOR, &c, &left));
	T_OK(!cbor_i64(&c, &v));
	T_REQUIRE(takes("3bffffffffffffffff", LIM_CBOR, &c, &left));
	T_OK(!cbor_i64(&c, &v));
	T_REQUIRE(takes("f5", LIM_CBOR, &c, &left));
	T_OK(c.kind == CBOR_SIMPLE && !cbor_i64(&c, &v));
}

TEST(texts_and_containers)
{
	T_OK(good("40"));
	T_OK(good("4401020304"));
	T_OK(good("60"));
	T_OK(good("6449455446"));
	T_OK(good("62c3bc"));
	T_OK(good("80"));
	T_OK(good("83010203"));
	T_OK(good("8301820203820405"));
	T_OK(good("a0"));
	T_OK(good("a201020304"));
	T_OK(good("a26161016162820203"));
	T_OK(good("f4") && good("f5") && good("f6"));
}

TEST(what_is_refused)
{
	static const char *const bad[] = {
	    "",
	    "18",
	    "19",
	    "1a00",
	    "1b00000000000000", /* cut off */
	    "1800",
	    "1817",
	    "190000",
	    "1900ff",
	    "1a0000ffff",
	    "1b00000000ffffffff", /* not the shortest */
	    "1c",
	    "1d",
	    "1e",
	    "1f",
	    "5f42010243030405ff",
	    "7f657374726561ff",
	    "9fff",
	    "bf6161019fff",
	    "ff", /* indefinite */
	    "41",
	    "420a",
	    "61",
	    "5b7fffffffffffffff00", /* longer than all */
	    "5bffffffffffffffff",
	    "7bffffffffffffffff41",
	    "81",
	    "8201",
	    "a1",
	    "a101",
	    "9a00010000", /* too few items */
	    "9bffffffffffffffff",
	    "bbffffffffffffffff",
	    "61ff",
	    "62c328",
	    "63eda080", /* no UTF-8 */
	    "c11a514b67b0",
	    "c001",
	    "d81801", /* tags */
	    "f7",
	    "f0",
	    "f820",
	    "f97e00",
	    "fa47c35000",
	    "fb3ff199999999999a", /* others, floats */
	    "a201020103",
	    "a2616101616102",
	    "a3010203040105",
	    "a220012002", /* a key twice */
	    "a1410101",
	    "a1f501",
	    "a1800",
	    "a1a001", /* keys of a kind */
	    "a182010201",
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct cbor c;
		size_t left;

		if (strlen(bad[i]) % 2 == 0 &&
		    takes(bad[i], LIM_CBOR, &c, &left))
			T_FAIL("taken: %s", bad[i]);
	}
}

TEST(a_key_of_another_kind_is_another_key)
{
	T_OK(good("a3000120026130"
		  "03"));
}

TEST(depth)
{
	/* LIM_CBOR_DEPTH containers in each other, and one more */
	T_EQ_INT(LIM_CBOR_DEPTH, 4);
	T_OK(good("81818180"));
	T_OK(!good("8181818180"));
	T_OK(good("a100a100a100a0"));
	T_OK(!good("a100a100a100a100a0"));
	T_OK(good("8181818101"));
}

TEST(members)
{
	char hex[2 + 2 + 2 * 4 * (LIM_CBOR_MEMBERS + 1) + 1];

	for (unsigned n = LIM_CBOR_MEMBERS; n <= LIM_CBOR_MEMBERS + 1; n++) {
		char *p = hex + snprintf(hex, sizeof hex, "b8%02x", n);

		for (unsigned i = 0; i < n; i++)
			p += snprintf(p, 9, i < 24 ? "%02x00" : "18%02x00", i);
		T_OK(good(hex) == (n == LIM_CBOR_MEMBERS));
	}
}

TEST(size)
{
	struct cbor c;
	size_t left;

	T_OK(takes("43010203", 4, &c, &left) && left == 0);
	T_OK(!takes("43010203", 3, &c, &left));
	T_OK(takes("4301020300", 4, &c, &left) && left == 1);
	T_OK(takes("0102", 1, &c, &left) && left == 1);
}

TEST(lookup)
{
	struct cbor map, c, d;
	size_t left;
	int64_t v;

	/* {1: 2, -1: h'0102', "a": {"b": 7}, "c": [1, 2], 1000: true} */
	T_REQUIRE(takes("a501022042010261"
			"61a16162076163820102"
			"1903e8f5",
	    LIM_CBOR, &map, &left));
	T_OK(cbor_at_int(&map, 1, &c) && cbor_i64(&c, &v) && v == 2);
	T_OK(cbor_at_int(&map, -1, &c) && c.kind == CBOR_BYTES);
	T_EQ_STR(c.bytes, STR("\x01\x02"));
	T_OK(cbor_at_text(&map, STR("a"), &c) && c.kind == CBOR_MAP);
	T_OK(cbor_at_text(&c, STR("b"), &d) && cbor_i64(&d, &v) && v == 7);
	T_OK(cbor_at_text(&map, STR("c"), &c) && c.kind == CBOR_ARRAY);
	T_EQ_INT(c.n, 2);
	T_OK(!cbor_at_int(&c, 1, &d));
	T_OK(cbor_at_int(&map, 1000, &c) && c.kind == CBOR_SIMPLE);
	T_OK(!cbor_at_int(&map, 0, &c) && !cbor_at_int(&map, -2, &c));
	T_OK(!cbor_at_text(&map, STR(""), &c));
	T_OK(!cbor_at_text(&map, STR("b"), &c));
}

T_MAIN
