/* What browsers send and get: forms, where to go next, pages. */
#include "flow/browser.h"
#include "flow/form.h"
#include "tests/t.h"

static struct arena a;

static const char *const good_next[] = {
    "/",
    "/incidents",
    "/incidents/42",
    "/a/b/c/",
    "/a.b_c~d-e",
    "/incidents?status=new",
    "/incidents?status=new&q=disk%20full",
    "/incidents?q=a+b",
    "/?x",
    "/a?",
    "/authors",
    "/auth.html",
    "/.well-known/x",
    "/..a",
    "/a..",
    "/...",
    "/v1/whoami",
    "/?next=%2F%2Fevil",
};

static const char *const bad_next[] = {
    "",
    "a",
    "incidents",
    "//",
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "/\\/evil.example",
    "/ /evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r\nLocation: https://evil.example",
    "/%09/evil.example",
    "/%2F/evil.example",
    "/%2f%2fevil.example",
    "/%5Cevil.example",
    "/%2e%2e/evil",
    "%2F%2Fevil.example",
    "https://evil.example",
    "https:/evil.example",
    "https:evil.example",
    "HTTPS://evil.example",
    "http://127.0.0.1:8443@evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "ftp://evil.example/",
    "mailto:x@evil.example",
    "/a//evil.example",
    "/a/../../b",
    "/..",
    "/../",
    "/.",
    "/./",
    "/a/.",
    "/a/..",
    "/a/../b",
    "/@evil.example",
    "/:80",
    "/a:b",
    "/a;b",
    "/a#b",
    "/#/../x",
    "/?#x",
    "/a?b#c",
    "/a?b=//evil.example",
    "/a?b=https:",
    "/a?b=c?d",
    "/a?b='",
    "/a?b=\"",
    "/a?b=<script>",
    "/a?b=\\",
    "/a?b= c",
    "/a?b=\x01",
    "/<script>",
    "/a\"onload=x",
    "/caf\xc3\xa9",
    "/\xff",
    "/\xe2\x80\xae",
    "\xef\xbc\x8f/evil.example",
    "/\343\200\202evil.example",
    " /a",
    "/a ",
    "/auth",
    "/auth/",
    "/auth/saml/x/login",
    "/auth/oidc/x/login?next=/",
    "/auth?x",
    "?x",
    "?next=/",
    "#",
    ".",
    "..",
    "./a",
    "*",
    "/*",
    "/(a)",
    "/a,b",
    "/a!b",
    "/a$b",
    "/a'b",
    "/[::1]",
    "/{p}",
    "/|x",
    "/^x",
    "/`x`",
};

TEST(where_to_go_next)
{
	char longest[LIM_NEXT + 2];

	for (size_t i = 0; i < sizeof good_next / sizeof *good_next; i++)
		if (!next_valid(str_c(good_next[i])))
			T_FAIL("refused: %s", good_next[i]);
	for (size_t i = 0; i < sizeof bad_next / sizeof *bad_next; i++) {
		struct str s = str_c(bad_next[i]);

		if (next_valid(s))
			T_FAIL("taken: %s", bad_next[i]);
		T_EQ_STR(next_or_root(s), STR("/"));
	}
	T_OK(sizeof bad_next / sizeof *bad_next >= 60);
	T_OK(!next_valid(STR("/a\0b")));
	T_OK(!next_valid(STR_NONE));
	memset(longest, 'a', sizeof longest);
	longest[0] = '/';
	T_OK(next_valid(str_of(longest, LIM_NEXT)));
	T_OK(!next_valid(str_of(longest, LIM_NEXT + 1)));
	T_EQ_STR(next_or_root(STR("/a")), STR("/a"));
}

static err
form(const char *text, struct form *f)
{
	return form_parse(&a, str_c(text), f);
}

TEST(forms)
{
	struct form f;

	arena_init(&a, 1 << 20);
	T_GOOD(form("", &f));
	T_EQ_INT(f.n, 0);
	T_OK(form_get(&f, "a").p == NULL);
	T_GOOD(form("a=1&b=two+words&c=%C3%A9%2B&d&e=&f=x=y", &f));
	T_EQ_INT(f.n, 6);
	T_EQ_STR(form_get(&f, "a"), STR("1"));
	T_EQ_STR(form_get(&f, "b"), STR("two words"));
	T_EQ_STR(form_get(&f, "c"), STR("\xc3\xa9+"));
	T_OK(form_get(&f, "d").p != NULL && form_get(&f, "d").n == 0);
	T_OK(form_get(&f, "e").p != NULL && form_get(&f, "e").n == 0);
	T_EQ_STR(form_get(&f, "f"), STR("x=y"));
	T_OK(form_get(&f, "g").p == NULL);
	T_GOOD(form("%61=1&x=%0D%0A%09", &f));
	T_EQ_STR(form_get(&f, "a"), STR("1"));
	T_EQ_STR(form_get(&f, "x"), STR("\r\n\t"));
	arena_done(&a);
}

TEST(forms_refused)
{
	static const char *const bad[] = {"&", "a=1&", "&a=1", "a=1&&b=2", "=",
	    "=1", "a=1&=2", "a=1&a=2", "a=1&%61=2", "a=%", "a=%4", "a=%zz",
	    "a=%00", "%00=1", "a=%ff", "a=%C3", "a=\xc3\xa9", "a=b c", "a=\n",
	    "a=%01", "a=%7f", "a=%1b", "a=<b>", "a=\"", "a=#", "a=b\\c", "a={",
	    "a\tb=1", "a=%u0041", "a=%C0%AF", "a=%ED%A0%80"};
	struct form f;

	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (!err_is(form(bad[i], &f), E_BAD_REQUEST))
			T_FAIL("%s", bad[i]);
	T_ERR(form_parse(&a, STR("a=\0"), &f), E_BAD_REQUEST);
	arena_done(&a);
}

TEST(forms_at_n_and_n_plus_one)
{
	char text[LIM_FORM_FIELDS * 8 + 16];
	struct form f;
	size_t n = 0;

	arena_init(&a, 1 << 20);
	for (int i = 0; i < LIM_FORM_FIELDS; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "%sf%d=1",
		    i == 0 ? "" : "&", i);
	T_GOOD(form(text, &f));
	T_EQ_INT(f.n, LIM_FORM_FIELDS);
	(void)snprintf(text + n, sizeof text - n, "&g=1");
	T_ERR(form(text, &f), E_TOO_MANY);
	arena_done(&a);
}

TEST(pages_are_inert)
{
	struct call c = {.a = &a};
	struct str s;

	arena_init(&a, 1 << 20);
	answer_page(&c, 401, STR("<b>&\"'"), STR("</p><script>x</script>"),
	    STR("/\" onclick=\"x"));
	s = buf_view(&c.out);
	T_EQ_INT(c.status, 401);
	T_OK(str_ifind(s, STR("<h1>&lt;b&gt;&amp;&quot;&#39;</h1>")));
	T_OK(!str_ifind(s, STR("<script")));
	T_OK(!str_ifind(s, STR("\" onclick")));
	T_OK(str_starts(c.content_type, STR("text/html")));
	answer_page(&c, 200, STR("a"), STR("b"), STR(""));
	T_OK(!str_ifind(buf_view(&c.out), STR("<a ")));
	arena_done(&a);
}

TEST(cookies_that_are_set)
{
	static char big[LIM_COOKIE];
	struct call c = {.a = &a};

	arena_init(&a, 1 << 20);
	answer_cookie(&c, "__Host-x", STR("v"), COOKIE_LAX, 0);
	answer_cookie(&c, "__Host-x", STR("v"), COOKIE_NONE, 600);
	T_EQ_STR(c.cookie[0],
	    STR("__Host-x=v; Path=/; Secure; HttpOnly; SameSite=Lax"));
	T_EQ_STR(c.cookie[1],
	    STR("__Host-x=v; Path=/; Secure; HttpOnly; SameSite=None; "
		"Max-Age=600"));
	T_OK(!c.cookie_lost);
	memset(big, 'x', sizeof big);
	answer_cookie(&c, "__Host-x", str_of(big, sizeof big), COOKIE_LAX, -1);
	T_OK(c.cookie_lost);
	c.cookies_n = 0;
	answer_cookie(&c, "__Host-x", STR(""), COOKIE_LAX, -1);
	T_EQ_STR(c.cookie[0],
	    STR("__Host-x=; Path=/; Secure; HttpOnly; SameSite=Lax; "
		"Max-Age=0"));
	answer_redirect(&c, STR("/a"));
	T_EQ_INT(c.status, 303);
	T_EQ_STR(c.location, STR("/a"));
	arena_done(&a);
}

T_MAIN
