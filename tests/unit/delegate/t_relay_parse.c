/* What a script says to the relay, pure: every cut, every bound. */
#include "base/limits.h"
#include "delegate/connect.h"
#include "delegate/hello.h"
#include "delegate/invoke.h"
#include "tests/t.h"

static char text[4 * LIM_RELAY_HELLO];
static struct connect_head head;
static struct hello hello;
static bool done;

TEST(a_connect_at_every_cut)
{
	struct str in = STR("CONNECT svc.test:443 HTTP/1.1\r\n"
			    "Host: svc.test:443\r\nUser-Agent: x\r\n\r\n");

	for (size_t n = 0; n < in.n; n++) {
		T_EQ_INT(connect_take(str_head(in, n), &done, &head),
		    BROKER_OK);
		T_OK(!done);
	}
	T_EQ_INT(connect_take(in, &done, &head), BROKER_OK);
	T_OK(done && head.n == in.n && head.port == 443);
	T_EQ_STR(head.host, STR("svc.test"));
}

/* A head of LIM_RELAY_HEAD bytes goes, one more does not. */
TEST(a_long_connect)
{
	static const char begin[] = "CONNECT a.test:1 HTTP/1.1\r\n"
				    "Host: a.test:1\r\nX: ";
	size_t n = sizeof begin - 1;

	memcpy(text, begin, n);
	memset(text + n, 'a', LIM_RELAY_HEAD);
	memcpy(text + LIM_RELAY_HEAD - 4, "\r\n\r\n", 4);
	T_EQ_INT(connect_take(str_of(text, LIM_RELAY_HEAD), &done, &head),
	    BROKER_OK);
	T_OK(done);
	memcpy(text + LIM_RELAY_HEAD - 4, "a\r\n\r\n", 5);
	T_EQ_INT(connect_take(str_of(text, LIM_RELAY_HEAD + 1), &done, &head),
	    BROKER_NOT_HTTP);
	memset(text, 'A', LIM_RELAY_HEAD + 1);
	T_EQ_INT(connect_take(str_of(text, LIM_RELAY_HEAD), &done, &head),
	    BROKER_OK);
	T_EQ_INT(connect_take(str_of(text, LIM_RELAY_HEAD + 1), &done, &head),
	    BROKER_NOT_HTTP);
}

/* CONNECT_FIELDS fields go, one more does not. */
TEST(many_fields)
{
	struct buf b = {.p = text, .cap = sizeof text, .max = sizeof text};

	for (int over = 0; over < 2; over++) {
		buf_clear(&b);
		buf_c(&b, "CONNECT a.test:1 HTTP/1.1\r\nHost: a.test:1\r\n");
		for (int i = 1; i < CONNECT_FIELDS + over; i++)
			buf_c(&b, "X: y\r\n");
		buf_c(&b, "\r\n");
		T_EQ_INT(connect_take(buf_view(&b), &done, &head),
		    over == 0 ? BROKER_OK : BROKER_NOT_HTTP);
	}
}

/* Parameters of LIM_RELAY_INVOKE bytes go, one more does not. */
TEST(an_action_at_every_cut)
{
	struct buf b = {.p = text, .cap = sizeof text, .max = sizeof text};
	struct invoke v;

	for (size_t over = 0; over < 2; over++) {
		buf_clear(&b);
		buf_fmt(&b,
		    "POST http://a-1.connector/do_it HTTP/1.1\r\n"
		    "Host: a-1.connector\r\nContent-Length: %zu\r\n\r\n",
		    LIM_RELAY_INVOKE + over);
		for (size_t i = 0; i < LIM_RELAY_INVOKE + over; i++)
			buf_char(&b, 'x');
		T_EQ_INT(invoke_take(buf_view(&b), &done, &v),
		    over == 0 ? BROKER_OK : BROKER_NOT_HTTP);
		if (over > 0)
			break;
		T_OK(done && v.params.n == LIM_RELAY_INVOKE);
		T_EQ_STR(v.slug, STR("a-1"));
		T_EQ_STR(v.action, STR("do_it"));
		for (size_t k = 0; k < b.n; k += k < 200 ? 1 : 997) {
			T_EQ_INT(invoke_take(str_head(buf_view(&b), k), &done,
				     &v),
			    BROKER_OK);
			T_OK(!done);
		}
		buf_char(&b, 'x');
		T_EQ_INT(invoke_take(buf_view(&b), &done, &v), BROKER_EARLY);
	}
	T_OK(invoke_begins(STR("POST http://")) && invoke_begins(STR("PO")));
	T_OK(!invoke_begins(STR("")) && !invoke_begins(STR("CONNECT ")));
}

/* A ClientHello for svc.test with `pad` bytes of padding, over records of at
 * most `size` bytes; its bytes. */
static size_t
make(size_t pad, size_t size)
{
	static char m[2 * LIM_RELAY_HELLO];
	static const char sni[] = "\0\0\0\x0d\0\x0b\0\0\x08svc.test";
	static const char versions[] = "\0\x2b\0\3\2\3\4";
	struct buf b = {.p = m, .cap = sizeof m, .max = sizeof m};
	size_t exts = sizeof sni - 1 + sizeof versions - 1 + 4 + pad;
	size_t body = 2 + 32 + 1 + 4 + 2 + 2 + exts, n = 0;

	buf_be32(&b, (uint32_t)(1U << 24 | body));
	buf_be16(&b, 0x0303);
	for (int i = 0; i < 32; i++)
		buf_char(&b, 'r');
	buf_add(&b, "\0\0\2\x13\1\1\0", 7);
	buf_be16(&b, (uint16_t)exts);
	buf_add(&b, sni, sizeof sni - 1);
	buf_add(&b, versions, sizeof versions - 1);
	buf_be16(&b, 21);
	buf_be16(&b, (uint16_t)pad);
	for (size_t i = 0; i < pad; i++)
		buf_char(&b, '\0');
	for (size_t at = 0; at < b.n; at += size) {
		size_t k = b.n - at < size ? b.n - at : size;

		memcpy(text + n, "\x16\3\1", 3);
		text[n + 3] = (char)(k >> 8);
		text[n + 4] = (char)k;
		memcpy(text + n + 5, m + at, k);
		n += 5 + k;
	}
	return n;
}

TEST(a_hello_at_every_cut_of_both_kinds)
{
	static const size_t sizes[] = {1, 3, 40, 16384};

	for (size_t s = 0; s < 4; s++) {
		size_t n = make(20, sizes[s]);

		for (size_t k = 0; k < n; k++) {
			T_EQ_INT(hello_take(str_of(text, k), false, &done,
				     &hello),
			    BROKER_OK);
			T_OK(!done);
		}
		T_EQ_INT(hello_take(str_of(text, n), false, &done, &hello),
		    BROKER_OK);
		T_OK(done && hello.n == n && hello.tls13);
		T_EQ_STR(str_of(hello.name, hello.name_n), STR("svc.test"));
	}
}

TEST(a_long_hello)
{
	/* 4 of head, 49 of body and extensions, and the padding's 4 */
	size_t most = LIM_RELAY_HELLO - (make(0, 16384) - 5), n;

	n = make(most, 8192);
	T_EQ_INT(hello_take(str_of(text, n), false, &done, &hello), BROKER_OK);
	T_OK(done);
	n = make(most + 1, 8192);
	T_EQ_INT(hello_take(str_of(text, n), false, &done, &hello),
	    BROKER_NOT_TLS);
}

TEST(what_a_server_takes)
{
	char s[128] = {0x16, 3, 3, 0, 0x2f + 7, 2, 0, 0, 0x2b + 7, 3, 3};
	size_t ext = 5 + 4 + 2 + 32 + 1 + 2 + 1;

	/* TLS 1.3: supported_versions says so */
	memcpy(s + ext, "\0\6\0\x2b\0\2\3\4", 8);
	s[4] = (char)(ext - 5 + 8);
	s[8] = (char)(ext - 9 + 8);
	for (size_t n = 0; n < ext + 8; n++)
		T_EQ_INT(server_take(str_of(s, n)), SERVER_MORE);
	T_EQ_INT(server_take(str_of(s, ext + 8)), SERVER_TLS13);
	s[ext + 7] = 3;
	T_EQ_INT(server_take(str_of(s, ext + 8)), SERVER_OLD);
	memcpy(s + 11,
	    "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91"
	    "\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c",
	    32);
	T_EQ_INT(server_take(str_of(s, ext + 8)), SERVER_OLD);
	s[ext + 7] = 4;
	T_EQ_INT(server_take(str_of(s, ext + 8)), SERVER_RETRY);
	s[5] = 1;
	T_EQ_INT(server_take(str_of(s, ext + 8)), SERVER_BAD);
	T_EQ_INT(server_take(STR("\x15\3\3\0\2\2\x28")), SERVER_ALERT);
	T_EQ_INT(server_take(STR("HTTP/1.1 400")), SERVER_BAD);
}

T_MAIN
