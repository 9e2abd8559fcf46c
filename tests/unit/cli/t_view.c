/* Answers for people: inert, in columns; and as JSON: the same document. */
#include "cli/view.h"
#include "tests/t.h"

static struct arena arena;

/* Documents live until the test ends. */
static const struct json *
doc(struct str text)
{
	static const struct json_limits lim = {64, 1000, 10000};
	const struct json *j = NULL;
	struct trail t = {0};

	if (arena.max == 0)
		arena_init(&arena, (size_t)4 * 1024 * 1024);
	T_GOOD(json_parse(&arena, text, &lim, &t, &j));
	return j;
}

/* Bytes a terminal acts on: controls, C1, bidi, DEL. */
static bool
is_inert(struct str s)
{
	while (s.n > 0) {
		uint32_t c = utf8_next(&s);

		if (c == UTF8_BAD || (c < 0x20 && c != '\n') ||
		    (c >= 0x7f && c <= 0x9f) || (c >= 0x202a && c <= 0x202e) ||
		    (c >= 0x2066 && c <= 0x2069))
			return false;
	}
	return true;
}

/* In the value, in the name, nested, in lists, in numbers' place. */
static const char hostile[] =
    "{\"items\":[{\"number\":1,\"title\":\"\\u001b[2J\\u001b]0;x\\u0007\","
    "\"severity\":\"\\u009b31m\",\"status\":\"a\\u202eb\\u2066c\\u007f\","
    "\"\\u001b[31m\":{\"\\r\\u001b\":[\"\\b\\u0000\",{\"k\":\"\\u001b\"}]},"
    "\"created_at\":\"\\u001bAAAAAAAAAAAAAAAAAA.bcdZ\","
    "\"text\":\"line\\n\\u001b[1A\\nline\"}]}";

TEST(L08_escape_sequences_are_inert_in_tables)
{
	const struct json *j = doc(str_c(hostile));
	struct table t = {.view = VIEW_INCIDENTS, .width = 0};
	struct buf b;

	buf_init(&b, 65536);
	table_add(&b, &t, json_get(j, STR("items")));
	T_GOOD(buf_check(&b));
	T_OK(b.n > 0 && is_inert(buf_view(&b)));
	T_OK(memmem(b.p, b.n, "\\u{001B}[2J", 11) != NULL);
	buf_done(&b);
	arena_done(&arena);
	arena.max = 0;
}

TEST(L08_escape_sequences_are_inert_in_details)
{
	const struct json *j = doc(str_c(hostile));
	struct buf b;

	buf_init(&b, 65536);
	detail_show(&b, j);
	T_GOOD(buf_check(&b));
	T_OK(b.n > 0 && is_inert(buf_view(&b)));
	buf_done(&b);
	arena_done(&arena);
	arena.max = 0;
}

TEST(L08_escape_sequences_are_inert_in_json)
{
	const struct json *j = doc(str_c(hostile)), *again;
	struct buf b, one, two;
	struct jw w;

	buf_init(&b, 65536);
	json_show(&b, j, 0);
	T_GOOD(buf_check(&b));
	T_OK(b.n > 0 && is_inert(buf_view(&b)));
	/* and it is the same document */
	buf_init(&one, 65536);
	buf_init(&two, 65536);
	jw_init(&w, &one);
	jw_value(&w, j);
	again = doc(buf_view(&b));
	jw_init(&w, &two);
	jw_value(&w, again);
	T_EQ_STR(buf_view(&two), buf_view(&one));
	buf_done(&b);
	buf_done(&one);
	buf_done(&two);
	arena_done(&arena);
	arena.max = 0;
}

TEST(json_keeps_numbers_and_order)
{
	struct buf b;

	buf_init(&b, 65536);
	json_show(&b,
	    doc(STR("{\"b\":1.50,\"a\":[],\"c\":{},\"d\":[true,false,null,"
		    "12345678901234567890]}")),
	    0);
	T_EQ_STR(buf_view(&b),
	    STR("{\n  \"b\": 1.50,\n  \"a\": [],\n  \"c\": {},\n  \"d\": [\n"
		"    true,\n    false,\n    null,\n    12345678901234567890\n"
		"  ]\n}"));
	buf_done(&b);
	arena_done(&arena);
	arena.max = 0;
}

static void
table(struct buf *b, size_t width, struct str items)
{
	struct table t = {.view = VIEW_INCIDENTS, .width = width};

	buf_init(b, 65536);
	table_add(b, &t, doc(items));
}

#define ROW(n, title)                                                          \
	"{\"number\":" #n ",\"severity\":\"sev1\",\"status\":\"new\","         \
	"\"created_at\":\"2026-11-25T03:21:34.123Z\",\"title\":\"" title "\"}"

TEST(table_columns)
{
	struct buf b;

	table(&b, 0, STR("[" ROW(7, "short") "," ROW(1234, "longer") "]"));
	T_EQ_STR(buf_view(&b),
	    STR("INCIDENT  SEVERITY  STATUS  CREATED               TITLE\n"
		"INC-7     sev1      new     2026-11-25T03:21:34Z  short\n"
		"INC-1234  sev1      new     2026-11-25T03:21:34Z  longer\n"));
	buf_done(&b);
	arena_done(&arena);
	arena.max = 0;
}

#define LONG "0123456789012345678901234567890123456789"

TEST(table_fits_the_terminal)
{
	struct str line, rest;
	struct buf b;

	table(&b, 80,
	    STR("[" ROW(1, LONG LONG LONG) "," ROW(2,
		"\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5"
		"\xe6\x9c\xac" LONG LONG) "]"));
	for (rest = buf_view(&b); rest.n > 0;) {
		(void)str_cut(rest, '\n', &line, &rest);
		T_OK(cells(line) <= 80);
	}
	T_OK(memmem(b.p, b.n, "\xe2\x80\xa6", 3) != NULL);
	buf_done(&b);
	/* Nothing is cut when nobody looks at a terminal. */
	table(&b, 0, STR("[" ROW(1, LONG LONG LONG) "]"));
	T_OK(memmem(b.p, b.n, LONG LONG LONG, 120) != NULL);
	buf_done(&b);
	arena_done(&arena);
	arena.max = 0;
}

TEST(empty_table_has_headings)
{
	struct buf b;

	table(&b, 80, STR("[]"));
	T_OK(b.n > 0);
	buf_done(&b);
	arena_done(&arena);
	arena.max = 0;
}

/* Rows that are no objects, members of other kinds. */
TEST(table_of_nonsense)
{
	struct buf b;

	table(&b, 20,
	    STR("[1,\"x\",null,[],{\"number\":{},\"title\":[[[]]],"
		"\"severity\":{\"a\":1}}]"));
	T_GOOD(buf_check(&b));
	buf_done(&b);
	arena_done(&arena);
	arena.max = 0;
}

TEST(details)
{
	struct buf b;

	buf_init(&b, 65536);
	detail_show(&b,
	    doc(STR("{\"id\":\"x\",\"services\":[\"a\",\"b\"],"
		    "\"text\":\"one\\ntwo\",\"private\":false,\"none\":null,"
		    "\"source\":{\"kind\":\"api\",\"deep\":{\"n\":1}},"
		    "\"members\":[{\"kind\":\"user\",\"id\":\"7\"}],"
		    "\"because\":[{\"step\":1,\"rule\":\"r\"}],\"e\":[]}")));
	T_EQ_STR(buf_view(&b),
	    STR("id:       x\n"
		"services: a, b\n"
		"text:     \n  one\n  two\n"
		"private:  no\n"
		"none:     -\n"
		"source:\n"
		"  kind: api\n"
		"  deep:\n"
		"    n: 1\n"
		"members:\n"
		"  - user:7\n"
		"because:\n"
		"  - step: 1\n"
		"    rule: r\n"
		"e:        -\n"));
	buf_done(&b);
	arena_done(&arena);
	arena.max = 0;
}

TEST(widths)
{
	T_EQ_INT(cells(STR("abc")), 3);
	T_EQ_INT(cells(STR("\xe6\x97\xa5\xe6\x9c\xac")), 4);
	T_EQ_INT(cells(STR("e\xcc\x81")), 1);
	T_EQ_INT(cells_head(STR("\xe6\x97\xa5\xe6\x9c\xac"), 3).n, 3);
	T_EQ_INT(cells_head(STR("abc"), 2).n, 2);
	T_EQ_INT(cells_head(STR("abc"), 9).n, 3);
}

T_MAIN
