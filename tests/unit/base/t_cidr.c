#include "base/cidr.h"
#include "tests/t.h"

static const struct {
	const char *block, *address;
	bool want;
} rows[] = {
    {"10.0.0.0/8", "10.255.0.1", true},
    {"10.0.0.0/8", "11.0.0.1", false},
    {"10.0.0.0/8", "9.255.255.255", false},
    {"0.0.0.0/0", "203.0.113.9", true},
    {"0.0.0.0/0", "::ffff:203.0.113.9", true},
    {"0.0.0.0/0", "2001:db8::1", false},
    {"192.0.2.7", "192.0.2.7", true},
    {"192.0.2.7/32", "192.0.2.7", true},
    {"192.0.2.7/32", "192.0.2.6", false},
    {"192.0.2.6/31", "192.0.2.7", true},
    {"192.0.2.128/25", "192.0.2.127", false},
    {"192.0.2.128/25", "192.0.2.128", true},
    {"::/0", "2001:db8::1", true},
    {"::/0", "192.0.2.1", false},
    {"2001:db8::/32", "2001:db8:ffff::1", true},
    {"2001:db8::/32", "2001:db9::1", false},
    {"2001:db8::/33", "2001:db8:8000::", false},
    {"2001:db8::/33", "2001:db8:7fff::", true},
    {"::1", "::1", true},
    {"::1/128", "0:0:0:0:0:0:0:1", true},
    {"::1", "127.0.0.1", false},
    {"::ffff:10.0.0.0/104", "10.1.2.3", true},
    {"::ffff:10.0.0.0/104", "::ffff:10.1.2.3", true},
    {"::ffff:10.0.0.0/104", "11.1.2.3", false},
    {"10.0.0.0/8", "::ffff:10.1.2.3", true},
    {"10.0.0.0/8", "", false},
    {"10.0.0.0/8", "10.0.0", false},
    {"10.0.0.0/8", "10.0.0.1 ", false},
    {"10.0.0.0/8", "10.0.0.1:443", false},
    {"10.0.0.0/8", "[::1]", false},
    {"10.0.0.0/8", "localhost", false},
    {"rubbish", "10.0.0.1", false},
};

TEST(table)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct str block = str_c(rows[i].block);

		if (cidr_match(&block, 1, str_c(rows[i].address)) !=
		    rows[i].want)
			T_FAIL("%s in %s", rows[i].address, rows[i].block);
	}
}

TEST(valid)
{
	static const char *const good[] = {"0.0.0.0/0", "10.0.0.0/8",
	    "10.0.0.1", "10.0.0.1/32", "::/0", "::1", "2001:db8::/32",
	    "::ffff:10.0.0.0/104", "::ffff:0.0.0.0/96", "64:ff9b::/96"};
	static const char *const bad[] = {"", "/", "/8", "10.0.0.0/",
	    "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/-1", "10.0.0.0/ 8",
	    "10.0.0.0/8/8", "10.0.0.1/8", "10.0.0/8", "010.0.0.0/8",
	    "10.0.0.256", "::/129", "2001:db8::1/32", "fe80::1%eth0",
	    "::ffff:10.0.0.0/95", "::ffff:10.0.0.1/104", "0x0a.0.0.0/8",
	    "10.0.0.0/8 ", " 10.0.0.0/8", "*",
	    "2001:0db8:0000:0000:0000:0000:0000:0000:0000:0000/32",
	    "10.0.0.0/99999999999999999999"};

	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		if (!cidr_valid(str_c(good[i])))
			T_FAIL("good: %s", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (cidr_valid(str_c(bad[i])))
			T_FAIL("bad: %s", bad[i]);
	T_OK(!cidr_valid(STR_NONE));
	T_OK(!cidr_valid(str_of("10.0.0.1\0", 9)));
	T_OK(!cidr_valid(str_of("1\0.0.0.1", 8)));
}

TEST(several_and_none)
{
	struct str blocks[] = {STR("bad"), STR("10.0.0.0/8"), STR("::1")};

	T_OK(cidr_match(blocks, 3, STR("::1")));
	T_OK(cidr_match(blocks, 3, STR("10.9.9.9")));
	T_OK(!cidr_match(blocks, 3, STR("12.9.9.9")));
	T_OK(!cidr_match(blocks, 1, STR("10.9.9.9")));
	/* an empty list matches nothing (L13); nobody asks it: no limit */
	T_OK(!cidr_match(blocks, 0, STR("10.9.9.9")));
	T_OK(!cidr_match(NULL, 0, STR("10.9.9.9")));
}

TEST(within)
{
	static const struct str office[] = {{"192.0.2.0/24", 12},
	    {"2001:db8::/32", 13}};
	static const struct {
		const char *inner;
		bool want;
	} w[] = {
	    {"192.0.2.0/24", true},
	    {"192.0.2.128/25", true},
	    {"192.0.2.7", true},
	    {"192.0.2.0/23", false},
	    {"192.0.0.0/16", false},
	    {"192.0.3.0/24", false},
	    {"0.0.0.0/0", false},
	    {"::/0", false},
	    {"2001:db8:1::/48", true},
	    {"2001:db8::/31", false},
	    {"::ffff:192.0.2.0/120", true},
	    {"bad", false},
	};

	for (size_t i = 0; i < sizeof w / sizeof *w; i++)
		if (cidr_within(office, 2, str_c(w[i].inner)) != w[i].want)
			T_FAIL("%s", w[i].inner);
	T_OK(!cidr_within(office, 0, STR("192.0.2.7")));
}

/* Each prefix length, against shifting a number. */
TEST(every_prefix)
{
	uint32_t base = 0xc0a85a5a; /* 192.168.90.90 */
	char block[32], address[32];

	for (unsigned prefix = 0; prefix <= 32; prefix++) {
		uint32_t mask = prefix == 0 ? 0 : ~0u << (32 - prefix);
		uint32_t net = base & mask;
		struct str b;

		snprintf(block, sizeof block, "%u.%u.%u.%u/%u", net >> 24,
		    net >> 16 & 255, net >> 8 & 255, net & 255, prefix);
		b = str_c(block);
		T_OK(cidr_valid(b));
		for (unsigned flip = 0; flip < 32; flip++) {
			uint32_t a = base ^ 1u << flip;

			snprintf(address, sizeof address, "%u.%u.%u.%u",
			    a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
			T_EQ_INT(cidr_match(&b, 1, str_c(address)),
			    (a & mask) == net);
		}
	}
}

T_MAIN
