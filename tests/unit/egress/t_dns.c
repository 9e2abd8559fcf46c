/* Questions to a resolver, and what is believed of its answers. */
#include "egress/dns.h"

#include "tests/t.h"

static uint8_t query[DNS_QUERY];
static char packet[DNS_ANSWER];
static size_t query_n, packet_n;
static struct dns_addresses got;

static void
put(const void *p, size_t n)
{
	memcpy(packet + packet_n, p, n);
	packet_n += n;
}

#define PUT(lit) put("" lit, sizeof(lit) - 1)

/* The head and question of an answer with n records. */
static void
begin(const char *name, enum dns_type type, unsigned flags, unsigned n)
{
	char head[12] = {(char)0x12, (char)0x34, (char)(flags >> 8),
	    (char)flags, 0, 1, (char)(n >> 8), (char)n};

	query_n = dns_query(query, 0x1234, str_c(name), type);
	packet_n = 0;
	put(head, sizeof head);
	put(query + 12, query_n - 12);
}

static err
answer(void)
{
	memset(&got, 0, sizeof got);
	return dns_answer(str_of(packet, packet_n),
	    str_of((char *)query, query_n), &got);
}

TEST(a_question)
{
	static const char want[] = "\x12\x34\1\0\0\1\0\0\0\0\0\0"
				   "\3idp\4test\0\0\x1c\0\1";

	T_EQ_INT(dns_query(query, 0x1234, STR("idp.test"), DNS_AAAA),
	    sizeof want - 1);
	T_EQ_MEM(query, want, sizeof want - 1);
}

TEST(names_that_are_none)
{
	char label[65], name[260];

	memset(label, 'a', sizeof label);
	T_OK(dns_query(query, 1, str_of(label, 63), DNS_A) > 0);
	T_EQ_INT(dns_query(query, 1, str_of(label, 64), DNS_A), 0);
	T_EQ_INT(dns_query(query, 1, STR(""), DNS_A), 0);
	T_EQ_INT(dns_query(query, 1, STR("a..b"), DNS_A), 0);
	T_EQ_INT(dns_query(query, 1, STR(".a"), DNS_A), 0);
	for (size_t i = 0; i < sizeof name; i++)
		name[i] = i % 2 == 0 ? 'a' : '.';
	T_EQ_INT(dns_query(query, 1, str_of(name, 253), DNS_A), 12 + 255 + 4);
	T_EQ_INT(dns_query(query, 1, str_of(name, 255), DNS_A), 0);
}

TEST(addresses)
{
	begin("idp.test", DNS_A, 0x8180, 3);
	PUT("\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\1\2\3\4");
	PUT("\xc0\x0c\0\x10\0\1\0\0\0\x3c\0\5hello"); /* TXT */
	PUT("\3IDP\4tEST\0\0\1\0\1\0\0\0\x3c\0\4\5\6\7\10");
	T_GOOD(answer());
	T_EQ_INT(got.n, 2);
	T_EQ_STR(got.at[0], STR("\1\2\3\4"));
	T_EQ_STR(got.at[1], STR("\5\6\7\10"));
	/* Every prefix of it is no answer, and is not read beyond its end. */
	for (size_t n = packet_n; n > 0; n--) {
		packet_n = n - 1;
		T_OK(!err_ok(answer()));
	}
}

TEST(at_most_eight)
{
	begin("idp.test", DNS_A, 0x8180, 20);
	for (unsigned i = 0; i < 20; i++)
		PUT("\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\1\2\3\4");
	T_GOOD(answer());
	T_EQ_INT(got.n, DNS_ADDRESSES);
}

TEST(the_other_class_and_type_do_not_count)
{
	begin("idp.test", DNS_A, 0x8180, 2);
	PUT("\xc0\x0c\0\1\0\3\0\0\0\x3c\0\4\1\2\3\4");
	PUT("\xc0\x0c\0\x1c\0\1\0\0\0\x3c\0\x10"
	    "0123456789abcdef");
	T_ERR(answer(), E_NOT_FOUND);
}

static void
aliases(unsigned n)
{
	char name[4] = "\1a";

	begin("a", DNS_A, 0x8180, n + 1);
	for (unsigned i = 0; i < n; i++) {
		name[1] = (char)('a' + i);
		put(name, 3);
		PUT("\0\5\0\1\0\0\0\x3c\0\3");
		name[1]++;
		put(name, 3);
	}
	put(name, 3);
	PUT("\0\1\0\1\0\0\0\x3c\0\4\1\2\3\4");
}

TEST(aliases_at_n_and_n_plus_1)
{
	aliases(1);
	T_GOOD(answer());
	aliases(DNS_ALIASES);
	T_GOOD(answer());
	T_EQ_INT(got.n, 1);
	aliases(DNS_ALIASES + 1);
	T_ERR(answer(), E_NOT_FOUND);
}

TEST(pointers_go_backwards_only)
{
	static const char *const owners[] = {"\xc0\x1a", "\xc0\x20", "\xff\xff",
	    "\1a\xc0\x1a", "\x40", "\x80"};

	for (size_t i = 0; i < sizeof owners / sizeof *owners; i++) {
		begin("idp.test", DNS_A, 0x8180, 1);
		put(owners[i], strlen(owners[i]));
		PUT("\0\1\0\1\0\0\0\x3c\0\4\1\2\3\4");
		T_ERR(answer(), E_NOT_FOUND);
	}
}

TEST(what_is_no_answer)
{
	static const unsigned flags[] = {0x0180, 0x0000, 0x8980, 0xf980};

	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
		begin("idp.test", DNS_A, flags[i], 0);
		T_ERR(answer(), E_BAD_ANSWER);
	}
	begin("idp.test", DNS_A, 0x8180, 0);
	packet[1] ^= 1;
	T_ERR(answer(), E_BAD_ANSWER);
	begin("idp.test", DNS_A, 0x8180, 0);
	packet[5] = 2;
	T_ERR(answer(), E_BAD_ANSWER);
	for (size_t at = 12; at < query_n; at++) {
		begin("idp.test", DNS_A, 0x8180, 0);
		packet[at] ^= 1;
		T_ERR(answer(), E_BAD_ANSWER);
	}
	/* It is one, and says no. */
	begin("idp.test", DNS_A, 0x8183, 0);
	T_ERR(answer(), E_NOT_FOUND);
	begin("idp.test", DNS_A, 0x8380, 0);
	T_ERR(answer(), E_NOT_FOUND);
	begin("idp.test", DNS_A, 0x8180, DNS_RECORDS + 1);
	T_ERR(answer(), E_NOT_FOUND);
}

T_MAIN
