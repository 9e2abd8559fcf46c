#include "base/text.h"
#include "tests/t.h"

static char space[1000];
static struct buf out;

static void
start(void)
{
	out =
	    (struct buf){.p = space, .cap = sizeof space, .max = sizeof space};
}

static struct str
csv(struct str s)
{
	start();
	csv_add(&out, s);
	return buf_view(&out);
}

TEST(csv_quotes_when_needed)
{
	T_EQ_STR(csv(STR("")), STR(""));
	T_EQ_STR(csv(STR("plain text")), STR("plain text"));
	T_EQ_STR(csv(STR("a,b")), STR("\"a,b\""));
	T_EQ_STR(csv(STR("a\"b")), STR("\"a\"\"b\""));
	T_EQ_STR(csv(STR("a\nb")), STR("\"a\nb\""));
	T_EQ_STR(csv(STR("a\rb")), STR("\"a\rb\""));
	T_EQ_STR(csv(STR("\0,")), STR("\"\0,\""));
}

TEST(csv_defuses_formulas)
{
	T_EQ_STR(csv(STR("=1+1")), STR("'=1+1"));
	T_EQ_STR(csv(STR("+1")), STR("'+1"));
	T_EQ_STR(csv(STR("-1")), STR("'-1"));
	T_EQ_STR(csv(STR("@SUM(A1)")), STR("'@SUM(A1)"));
	T_EQ_STR(csv(STR("\t=1")), STR("'\t=1"));
	T_EQ_STR(csv(STR("\r=1")), STR("\"'\r=1\""));
	T_EQ_STR(csv(STR("=HYPERLINK(\"x\",\"y\")")),
	    STR("\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\""));
	T_EQ_STR(csv(STR("a=1")), STR("a=1"));
	T_EQ_STR(csv(STR("\0=1")), STR("\0=1"));
}

static struct str
logged(struct str s)
{
	start();
	logval_add(&out, s);
	return buf_view(&out);
}

TEST(log_values)
{
	T_EQ_STR(logged(STR("a-b/c:8443,[x]")), STR("a-b/c:8443,[x]"));
	T_EQ_STR(logged(STR("")), STR("\"\""));
	T_EQ_STR(logged(STR("a b")), STR("\"a b\""));
	T_EQ_STR(logged(STR("a=b")), STR("\"a=b\""));
	T_EQ_STR(logged(STR("a\"b\\")), STR("\"a\\\"b\\\\\""));
	T_EQ_STR(logged(STR("a\n\tb\r")), STR("\"a\\n\\tb\\x0d\""));
	T_EQ_STR(logged(STR("\x1b[0m\x7f")), STR("\"\\x1b[0m\\x7f\""));
	T_EQ_STR(logged(STR("\0")), STR("\"\\x00\""));
	T_EQ_STR(logged(STR("\xc3\xa4")), STR("\"\\xc3\\xa4\""));
}

static struct str
shown(struct str s, bool multiline)
{
	start();
	tty_add(&out, s, multiline);
	return buf_view(&out);
}

TEST(L08_terminal_text_is_inert)
{
	T_EQ_STR(shown(STR("plain ä 😀"), false), STR("plain ä 😀"));
	T_EQ_STR(shown(STR("\x1b]0;x\a"), false),
	    STR("\\u{001B}]0;x\\u{0007}"));
	T_EQ_STR(shown(STR("a\rb\x7f"), true), STR("a\\u{000D}b\\u{007F}"));
	T_EQ_STR(shown(STR("\xc2\x9b"
			   "31m"),
		     true),
	    STR("\\u{009B}31m"));
	T_EQ_STR(shown(STR("\xe2\x80\xae"
			   "gpj.exe"),
		     true),
	    STR("\\u{202E}gpj.exe"));
	T_EQ_STR(shown(STR("\xe2\x81\xa6x\xe2\x81\xa9"), true),
	    STR("\\u{2066}x\\u{2069}"));
	T_EQ_STR(shown(STR("\xe2\x80\xa8"), true), STR("\\u{2028}"));
	T_EQ_STR(shown(STR("\xe2\x80\xa7\xe2\x80\xaf"), true),
	    STR("\xe2\x80\xa7\xe2\x80\xaf"));
}

TEST(terminal_lines)
{
	T_EQ_STR(shown(STR("a\n\tb"), true), STR("a\n\tb"));
	T_EQ_STR(shown(STR("a\n\tb"), false), STR("a\\u{000A}\\u{0009}b"));
	T_EQ_STR(shown(STR("\0"), true), STR("\\u{0000}"));
}

TEST(terminal_gets_valid_utf8_only)
{
	T_EQ_STR(shown(STR("a\xff\x9b\xe2\x82"), false),
	    STR("a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"));
	T_EQ_STR(shown(STR("\xc3\xc3\xa4"), false),
	    STR("\xef\xbf\xbd\xc3\xa4"));
}

T_MAIN
