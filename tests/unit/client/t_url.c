/* Server addresses. */
#include "client/url.h"
#include "tests/t.h"

static struct arena arena;

static err
parse(const char *text, struct url *ret)
{
	struct trail t = {0};

	arena_done(&arena);
	arena_init(&arena, 65536);
	return url_parse(&arena, str_c(text), &t, ret);
}

static void
expect(const char *text, const char *host, const char *port, const char *prefix,
    bool ip)
{
	struct url u = {0};

	T_GOOD(parse(text, &u));
	T_EQ_STR(str_c(u.host), str_c(host));
	T_EQ_STR(str_c(u.port), str_c(port));
	T_EQ_STR(u.prefix, str_c(prefix));
	T_EQ_INT(u.is_ip, ip);
}

TEST(good)
{
	struct url u;

	expect("https://a.example", "a.example", "443", "", false);
	expect("https://a.example/", "a.example", "443", "", false);
	expect("https://127.0.0.1:8443", "127.0.0.1", "8443", "", true);
	expect("https://[::1]:8443/x/y/", "::1", "8443", "/x/y", true);
	expect("https://[::1]", "::1", "443", "", true);
	T_GOOD(parse("https://[::1]:8443/x", &u));
	T_EQ_STR(u.authority, STR("[::1]:8443"));
}

TEST(bad)
{
	static const char *const texts[] = {"", "https://", "http://a",
	    "HTTPS://a", "a.example", "https://a:", "https://a:0",
	    "https://a:65536", "https://a:08", "https://a:b", "https://user@a",
	    "https://a?x", "https://a#x", "https://a b", "https://[a.example]",
	    "https://[::1", "https://[::1]x", "https://a/\r\nHost: b",
	    "https:///x", "https://\xc3\xa4", "https://:8443", "https:/"};
	struct url u;

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		err e = parse(texts[i], &u);

		if (!err_is(e, E_USAGE))
			T_FAIL("%s: %s", texts[i], err_name(e));
	}
}

T_MAIN
