/* Server-sent events. */
#include "cli/feed.h"
#include "tests/t.h"

struct seen {
	char text[8192];
	size_t n, events;
};

static void
note(struct seen *s, const struct feed_event *ev)
{
	s->n += (size_t)snprintf(s->text + s->n, sizeof s->text - s->n,
	    "[%.*s|%.*s|%.*s]", STR_ARG(ev->type), STR_ARG(ev->data),
	    STR_ARG(ev->id));
	s->events++;
}

static err
take(struct feed *f, struct str in, struct seen *s)
{
	struct trail t = {0};
	struct feed_event ev;
	bool got;

	do {
		TRY(feed_next(f, &in, &ev, &got, &t));
		if (got)
			note(s, &ev);
	} while (got || in.n > 0);
	return OK;
}

/* The same events however the bytes are cut. */
static void
expect(const char *text, const char *want)
{
	struct str s = str_c(text);

	for (size_t cut = 0; cut <= s.n; cut++) {
		struct seen x = {0};
		struct feed f;

		feed_start(&f);
		T_GOOD(take(&f, str_head(s, cut), &x));
		T_GOOD(take(&f, str_skip(s, cut), &x));
		T_EQ_STR(str_of(x.text, x.n), str_c(want));
		feed_done(&f);
	}
}

TEST(plain)
{
	expect("id: 1\nevent: a\ndata: {}\n\n", "[a|{}|1]");
	expect("data: x\n\ndata: y\n\n", "[message|x|][message|y|]");
	expect("data:x\ndata: y\ndata\n\n", "[message|x\ny\n|]");
	expect("data:  two\n\n", "[message| two|]");
}

TEST(line_ends)
{
	expect("data: a\r\n\r\ndata: b\r\rdata: c\n\n",
	    "[message|a|][message|b|][message|c|]");
}

TEST(comments_unknown_fields_and_empty_events)
{
	expect(": ping\n\n: ping\n\nretry: 5\nfoo: bar\nevent: a\n\n"
	       "data: x\n\n",
	    "[message|x|]");
}

TEST(ids_stay)
{
	expect("id: 7\ndata: a\n\ndata: b\n\nid\ndata: c\n\n",
	    "[message|a|7][message|b|7][message|c|]");
}

TEST(byte_order_mark)
{
	expect("\xef\xbb\xbf"
	       "data: a\n\n",
	    "[message|a|]");
}

/* What could not be sent back in a header field is not kept. */
TEST(bad_ids_are_ignored)
{
	expect("id: 7\nid: a b\nid: \x1b\ndata: a\n\n", "[message|a|7]");
}

TEST(an_unfinished_event_is_none)
{
	expect("data: a\n", "");
}

TEST(restart_forgets_half_an_event_and_keeps_the_id)
{
	struct seen x = {0};
	struct feed f;

	feed_start(&f);
	T_GOOD(take(&f, STR("id: 3\ndata: a\n\nid: 4\ndata: hal"), &x));
	feed_restart(&f);
	T_GOOD(take(&f, STR("data: b\n\n"), &x));
	T_EQ_STR(str_of(x.text, x.n), STR("[message|a|3][message|b|3]"));
	feed_done(&f);
}

static err
event_of(size_t n)
{
	char piece[4096];
	struct seen x = {0};
	struct feed f;
	err e;

	feed_start(&f);
	memset(piece, 'x', sizeof piece);
	e = take(&f, STR("data:"), &x);
	for (; err_ok(e) && n > 0; n -= n < sizeof piece ? n : sizeof piece)
		e = take(&f, str_of(piece, n < sizeof piece ? n : sizeof piece),
		    &x);
	if (err_ok(e)) {
		struct str end = STR("\n\n");
		struct trail t = {0};
		struct feed_event ev;
		bool got;

		e = feed_next(&f, &end, &ev, &got, &t);
	}
	feed_done(&f);
	return e;
}

TEST(event_limit)
{
	/* "data:" shares the line's room; the line feed the data's. */
	T_GOOD(event_of(FEED_EVENT - 5));
	T_ERR(event_of(FEED_EVENT - 4), E_PEER);
}

T_MAIN
