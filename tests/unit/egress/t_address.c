/* Where an answer of a resolver may lead. */
#include "egress/address.h"

#include "tests/t.h"

static bool
may(const char *host, const char *allow)
{
	struct endpoint e = {str_c(host), 443};
	struct str a = str_c(allow);
	struct address at;

	return address_of(&e, &at) && address_allowed(&at, &a, 1);
}

TEST(inside_or_not)
{
	T_OK(may("10.1.2.3", "10.1.0.0/16"));
	T_OK(!may("10.2.0.0", "10.1.0.0/16"));
	T_OK(may("2001:db8::1", "2001:db8::/32"));
	T_OK(!may("2001:db8::1", "0.0.0.0/0"));
	T_OK(!may("10.1.2.3", "::/0"));
	T_OK(may("::ffff:10.1.2.3", "10.1.0.0/16"));
	T_OK(!address_allowed(&(struct address){.at.any.sa_family = AF_INET},
	    NULL, 0));
}

TEST(special_ones_by_their_own_name_only)
{
	static const char *const four[] = {"0.0.0.0", "0.1.2.3", "127.0.0.1",
	    "127.255.255.255", "169.254.0.0", "169.254.169.254",
	    "100.100.100.200", "192.0.0.192", "224.0.0.1", "239.9.9.9",
	    "240.0.0.1", "255.255.255.255"};
	static const char *const six[] = {"::", "::1", "fe80::1", "febf::1",
	    "fec0::1", "ff02::1", "fd00:ec2::254", "64:ff9b::a9fe:a9fe",
	    "64:ff9b:1::1", "2002:a9fe:a9fe::"};
	char exact[64];

	for (size_t i = 0; i < sizeof four / sizeof *four; i++) {
		T_OK(!may(four[i], "0.0.0.0/0"));
		(void)snprintf(exact, sizeof exact, "%s/32", four[i]);
		T_OK(may(four[i], exact));
		T_OK(may(four[i], four[i]));
	}
	for (size_t i = 0; i < sizeof six / sizeof *six; i++) {
		T_OK(!may(six[i], "::/0"));
		(void)snprintf(exact, sizeof exact, "%s/128", six[i]);
		T_OK(may(six[i], exact));
	}
	T_OK(!may("::ffff:169.254.169.254", "0.0.0.0/0"));
	T_OK(!may("127.0.0.1", "127.0.0.0/8"));
	T_OK(!may("127.0.0.1", "127.0.0.0/31"));
	/* Their neighbours are ordinary. */
	T_OK(may("1.0.0.0", "0.0.0.0/0"));
	T_OK(may("126.255.255.255", "0.0.0.0/0"));
	T_OK(may("169.253.255.255", "0.0.0.0/0"));
	T_OK(may("223.255.255.255", "0.0.0.0/0"));
	T_OK(may("::2", "::/0"));
	T_OK(may("fe7f::1", "::/0"));
}

TEST(bytes)
{
	struct address a;

	T_OK(address_raw(STR("\1\2\3\4"), 443, &a));
	T_EQ_INT(a.at.any.sa_family, AF_INET);
	T_EQ_INT(ntohs(a.at.v4.sin_port), 443);
	T_OK(!address_raw(STR("\1\2\3"), 443, &a));
	T_OK(!address_raw(STR("\1\2\3\4\5"), 443, &a));
	T_OK(address_raw(str_of("\0\0\0\0\0\0\0\0\0\0\xff\xff\1\2\3\4", 16), 1,
	    &a));
	T_EQ_INT(a.at.any.sa_family, AF_INET);
}

T_MAIN
