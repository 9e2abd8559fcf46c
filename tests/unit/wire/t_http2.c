/* HTTP/2 over real TLS: good peers, and frames no good peer would send. */
#include "tests/t.h"
#include "base/limits.h"
#include "tests/unit/wire/fixture.h"

static struct buf b;
static struct client *cl;

static void
begin(void)
{
	up();
	buf_init(&b, 8 * 1024 * 1024);
	cl = h2_open(s.port);
}

static void
end(void)
{
	client_close(cl);
	buf_done(&b);
	down();
}

static bool
send_all(void)
{
	bool ok = client_send_for(cl, buf_view(&b), 2000);

	buf_clear(&b);
	return ok;
}

/* Send what is in b, wait for the end of stream 1, say its status. */
static int
status_of_1(void)
{
	send_all();
	h2_until(cl, h2_first_ended, 4000);
	return cl->status[1];
}

static bool
calmed(void)
{
	send_all();
	h2_until(cl, h2_gone_away, 4000);
	return cl->goaway == NGHTTP2_ENHANCE_YOUR_CALM;
}

/* The server as a whole still answers. */
static void
alive(void)
{
	struct client *other = h2_open(s.port);
	struct buf q;

	buf_init(&q, 4096);
	h2_request(&q, 1, "GET", STR("/204"), true);
	client_send(other, buf_view(&q));
	T_OK(h2_until(other, h2_first_ended, 4000));
	T_EQ_INT(other->status[1], 204);
	buf_done(&q);
	client_close(other);
}

/* ---- good ---- */

TEST(get_and_post)
{
	begin();
	h2_request(&b, 1, "POST", STR("/echo?a=b"), false);
	frame(&b, 0, 0, 1, STR("hel"));
	frame(&b, 0, 1, 1, STR("lo"));
	T_EQ_INT(status_of_1(), 200);
	T_OK(
	    strstr(cl->text,
		"method=POST\npath=/echo\nquery=a=b\n"
		"host=localhost\naddress=127.0.0.1\nh2=1\nbody_n=5\n") != NULL);
	T_OK(strstr(cl->text, "body=hello") != NULL);
	T_EQ_INT(cl->settings, 1);
	end();
}

TEST(head_has_no_body)
{
	begin();
	h2_request(&b, 1, "HEAD", STR("/echo"), true);
	T_EQ_INT(status_of_1(), 200);
	T_EQ_INT(cl->data[1], 0);
	end();
}

TEST(cookies_are_joined)
{
	struct buf h;

	begin();
	buf_init(&h, 4096);
	hpack_request(&h, "GET", STR("/echo"));
	hpack(&h, "cookie", STR("a=1"));
	hpack(&h, "x", STR("y"));
	hpack(&h, "cookie", STR("b=2"));
	frame(&b, 1, 5, 1, buf_view(&h));
	T_EQ_INT(status_of_1(), 200);
	T_OK(strstr(cl->text, "header cookie=a=1; b=2\nheader x=y\n") != NULL);
	buf_done(&h);
	end();
}

static bool
three_ended(struct client *x)
{
	return x->ended[1] && x->ended[3] && x->ended[5];
}

TEST(answers_from_other_threads)
{
	begin();
	h2_request(&b, 1, "GET", STR("/mail"), true);
	h2_request(&b, 3, "GET", STR("/mail"), true);
	h2_request(&b, 5, "GET", STR("/204"), true);
	send_all();
	T_OK(h2_until(cl, three_ended, 4000));
	T_EQ_INT(cl->status[1], 204);
	T_EQ_INT(cl->status[3], 204);
	T_EQ_INT(cl->status[5], 204);
	end();
}

/* The answer waits for the peer's window, and comes whole. */
static bool
got_65535(struct client *x)
{
	return x->data[1] >= 65535;
}

TEST(flow_control_out)
{
	struct buf w;

	begin();
	h2_request(&b, 1, "GET", STR("/big?200000"), true);
	send_all();
	T_OK(h2_until(cl, got_65535, 4000));
	h2_until(cl, h2_never, 200);
	T_EQ_INT(cl->data[1], 65535);
	buf_init(&w, 16);
	buf_be32(&w, 1000000);
	frame(&b, 8, 0, 0, buf_view(&w));
	frame(&b, 8, 0, 1, buf_view(&w));
	T_EQ_INT(status_of_1(), 200);
	T_EQ_INT(cl->data[1], 200000);
	buf_done(&w);
	end();
}

/* The server gives the window back as it takes the body. */
TEST(flow_control_in)
{
	static char chunk[16384];

	begin();
	h2_request(&b, 1, "POST", STR("/echo"), false);
	for (int i = 0; i < 3; i++)
		frame(&b, 0, 0, 1, str_of(chunk, sizeof chunk));
	send_all();
	/* a client that keeps to the window needs updates to go on */
	for (int i = 0; i < 13; i++) {
		h2_until(cl, h2_never, 20);
		frame(&b, 0, i == 12, 1, str_of(chunk, sizeof chunk));
		send_all();
	}
	T_EQ_INT(status_of_1(), 200);
	T_OK(strstr(cl->text, "body_n=262144\n") != NULL);
	end();
}

/* ---- refused requests ---- */

static void
refuse_field(const char *name, struct str value, int status)
{
	struct buf h;

	begin();
	buf_init(&h, 4096);
	hpack_request(&h, "GET", STR("/echo"));
	hpack(&h, name, value);
	frame(&b, 1, 5, 1, buf_view(&h));
	T_EQ_INT(status_of_1(), status);
	if (status == 0)
		T_EQ_INT(cl->reset[1], NGHTTP2_PROTOCOL_ERROR + 1);
	buf_done(&h);
	end();
}

TEST(hostile_fields)
{
	refuse_field("host", STR("other"), 400);
	refuse_field("content-encoding", STR("gzip"), 415);
	refuse_field("connection", STR("close"), 0);
	refuse_field("transfer-encoding", STR("chunked"), 0);
	refuse_field("Upper", STR("case"), 0);
	refuse_field("x", STR("a\r\nb: c"), 0);
	refuse_field("x", str_of("a\0b", 3), 0);
	refuse_field("x y", STR("a"), 0);
	refuse_field(":path", STR("/twice"), 0);
	refuse_field(":unknown", STR("a"), 0);
}

TEST(hostile_targets)
{
	begin();
	h2_request(&b, 1, "GET", STR("/a b"), true);
	status_of_1();
	T_OK(cl->status[1] == 400 || cl->reset[1] != 0);
	end();
	begin();
	h2_request(&b, 1, "GET", STR("/a#b"), true);
	T_EQ_INT(status_of_1(), 400);
	end();
	begin();
	h2_request(&b, 1, "GET", STR("relative"), true);
	status_of_1();
	T_OK(cl->status[1] == 400 || cl->reset[1] != 0);
	end();
}

TEST(wrong_scheme)
{
	struct buf h;

	begin();
	buf_init(&h, 4096);
	hpack(&h, ":method", STR("GET"));
	hpack(&h, ":scheme", STR("http"));
	hpack(&h, ":path", STR("/"));
	hpack(&h, ":authority", STR("localhost"));
	frame(&b, 1, 5, 1, buf_view(&h));
	T_EQ_INT(status_of_1(), 400);
	buf_done(&h);
	end();
}

/* n fields of name 1 and value v bytes beside the four of the request. */
static void
big_head(size_t n, size_t v)
{
	static char value[20000];
	struct buf h;
	struct str left;
	bool first = true;

	memset(value, 'x', sizeof value);
	buf_init(&h, 1024 * 1024);
	hpack_request(&h, "GET", STR("/204"));
	for (size_t i = 0; i < n; i++)
		hpack(&h, "x", str_of(value, v));
	left = buf_view(&h);
	do {
		struct str part = str_head(left, 16000);

		left = str_skip(left, part.n);
		frame(&b, first ? 1 : 9,
		    (first ? 1U : 0U) | (left.n == 0 ? 4U : 0U), 1, part);
		first = false;
	} while (left.n > 0);
	buf_done(&h);
}

TEST(head_limits)
{
	/* what the four pseudo fields take of 16 KiB is 66 bytes */
	begin();
	big_head(1, LIM_HEAD - 66 - 5);
	T_EQ_INT(status_of_1(), 204);
	end();
	begin();
	big_head(1, LIM_HEAD - 66 - 4);
	T_EQ_INT(status_of_1(), 431);
	end();
	begin();
	big_head(LIM_HEADERS, 1);
	T_EQ_INT(status_of_1(), 204);
	end();
	begin();
	big_head(LIM_HEADERS + 1, 1);
	T_EQ_INT(status_of_1(), 431);
	end();
}

TEST(body_too_large)
{
	struct buf h;

	begin();
	buf_init(&h, 4096);
	hpack_request(&h, "POST", STR("/204"));
	hpack(&h, "content-length", STR("2000000"));
	frame(&b, 1, 4, 1, buf_view(&h));
	T_EQ_INT(status_of_1(), 413);
	h2_until(cl, h2_never, 100);
	T_EQ_INT(cl->reset[1], NGHTTP2_NO_ERROR + 1);
	buf_done(&h);
	end();
	/* not announced: found out */
	begin();
	s.body_cap = 4;
	h2_request(&b, 1, "POST", STR("/204"), false);
	frame(&b, 0, 0, 1, STR("123"));
	frame(&b, 0, 0, 1, STR("45"));
	T_EQ_INT(status_of_1(), 413);
	end();
}

TEST(content_length_lies)
{
	struct buf h;

	begin();
	buf_init(&h, 4096);
	hpack_request(&h, "POST", STR("/204"));
	hpack(&h, "content-length", STR("3"));
	frame(&b, 1, 4, 1, buf_view(&h));
	frame(&b, 0, 1, 1, STR("12345"));
	status_of_1();
	T_EQ_INT(cl->reset[1], NGHTTP2_PROTOCOL_ERROR + 1);
	buf_done(&h);
	end();
}

TEST(slow_body)
{
	begin();
	h2_request(&b, 1, "POST", STR("/204"), false);
	T_EQ_INT(status_of_1(), 408);
	end();
}

TEST(slow_continuation)
{
	struct buf h;

	begin();
	buf_init(&h, 4096);
	hpack_request(&h, "GET", STR("/204"));
	frame(&b, 1, 1, 1, buf_view(&h)); /* no END_HEADERS */
	send_all();
	T_OK(client_closed(cl, 4000));
	buf_done(&h);
	end();
}

TEST(peer_gives_no_window)
{
	begin();
	h2_request(&b, 1, "GET", STR("/big?200000"), true);
	send_all();
	h2_until(cl, h2_first_ended, 4000);
	T_EQ_INT(cl->reset[1], NGHTTP2_CANCEL + 1);
	end();
}

TEST(silent_peer)
{
	begin();
	T_OK(client_closed(cl, 4000));
	end();
}

TEST(idle_peer_is_told)
{
	begin();
	h2_request(&b, 1, "GET", STR("/204"), true);
	T_EQ_INT(status_of_1(), 204);
	T_OK(h2_until(cl, h2_gone_away, 4000));
	T_EQ_INT(cl->goaway, NGHTTP2_NO_ERROR);
	T_EQ_INT(cl->goaway_last, 1);
	T_OK(client_closed(cl, 3000));
	end();
}

/* ---- floods ---- */

TEST(no_preface)
{
	up();
	buf_init(&b, 1024);
	cl = client_open_with(s.port, (struct open_options){.alpn = "\x02h2"});
	client_send(cl, STR("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
	T_OK(client_closed(cl, 3000));
	end();
}

TEST(ping_flood)
{
	begin();
	for (int i = 0; i < 20000; i++)
		frame(&b, 6, 0, 0, STR("12345678"));
	T_OK(calmed() || cl->eof);
	alive();
	end();
}

TEST(settings_flood)
{
	begin();
	for (int i = 0; i < 20000; i++)
		frame(&b, 4, 0, 0, STR_NONE);
	send_all();
	T_OK(client_closed(cl, 3000));
	alive();
	end();
}

TEST(priority_flood)
{
	begin();
	for (int i = 0; i < 20000; i++)
		frame(&b, 2, 0, 1, STR("\0\0\0\0\1"));
	T_OK(calmed());
	alive();
	end();
}

/* Skipped as RFC 9113 5.5 asks; they cost as much as their bytes. */
TEST(unknown_frames)
{
	begin();
	for (int i = 0; i < 20000; i++)
		frame(&b, 0xaa, 0, 0, STR_NONE);
	h2_request(&b, 1, "GET", STR("/204"), true);
	T_EQ_INT(status_of_1(), 204);
	end();
}

TEST(empty_data_flood)
{
	begin();
	h2_request(&b, 1, "POST", STR("/204"), false);
	for (int i = 0; i < 20000; i++)
		frame(&b, 0, 0, 1, STR_NONE);
	T_OK(calmed());
	alive();
	end();
}

TEST(continuation_flood)
{
	begin();
	frame(&b, 1, 1, 1, STR_NONE);
	for (int i = 0; i < 1000; i++)
		frame(&b, 9, 0, 1, STR_NONE);
	send_all();
	T_OK(client_closed(cl, 3000));
	alive();
	end();
}

/* CVE-2023-44487: requests opened and reset at once. */
TEST(rapid_reset)
{
	struct buf e;

	begin();
	buf_init(&e, 16);
	buf_be32(&e, NGHTTP2_CANCEL);
	for (uint32_t i = 0; i < 500; i++) {
		h2_request(&b, 1 + 2 * i, "GET", STR("/hold"), true);
		frame(&b, 3, 0, 1 + 2 * i, buf_view(&e));
	}
	send_all();
	h2_until(cl, h2_gone_away, 3000);
	T_OK(cl->goaway >= 0);
	/* and whatever was opened, no more than this is worked on */
	T_EQ_INT(s.held_n, LIM_H2_JOBS);
	for (size_t i = 0; i < s.held_n; i++) {
		T_OK(exchange_gone(s.held[i]));
		answer_text(s.held[i], 204, STR_NONE);
	}
	buf_done(&e);
	alive();
	end();
}

/* CVE-2025-8671: make the server itself reset the streams. */
TEST(made_you_reset)
{
	struct buf e;

	begin();
	buf_init(&e, 16);
	buf_be32(&e, 0x7fffffff); /* a window that overflows */
	for (uint32_t i = 0; i < 200; i++) {
		h2_request(&b, 1 + 2 * i, "GET", STR("/hold"), true);
		frame(&b, 8, 0, 1 + 2 * i, buf_view(&e));
	}
	T_OK(calmed());
	T_OK(s.held_n <= LIM_H2_JOBS);
	for (size_t i = 0; i < s.held_n; i++)
		answer_text(s.held[i], 204, STR_NONE);
	buf_done(&e);
	alive();
	end();
}

static bool
all_100(struct client *x)
{
	for (uint32_t i = 0; i < 100; i++) {
		if (!x->ended[1 + 2 * i])
			return false;
	}
	return true;
}

/* A hundred at once is fine; 32 of them are worked on, the rest wait. */
TEST(jobs_are_bounded)
{
	size_t answered = 0;

	begin();
	for (uint32_t i = 0; i < 100; i++)
		h2_request(&b, 1 + 2 * i, "GET", STR("/hold"), true);
	send_all();
	T_OK(held(LIM_H2_JOBS, 3000));
	sleep_ms(100);
	T_EQ_INT(s.held_n, LIM_H2_JOBS);
	while (answered < 100 && held(answered + 1, 3000))
		answer_text(s.held[answered++], 204, STR_NONE);
	T_EQ_INT(answered, 100);
	T_OK(h2_until(cl, all_100, 3000));
	end();
}

TEST(streams_are_bounded)
{
	unsigned refused = 0;

	begin();
	h2_until(cl, h2_never, 50);
	frame(&b, 4, 1, 0, STR_NONE); /* we know the settings */
	for (uint32_t i = 0; i <= LIM_H2_STREAMS; i++)
		h2_request(&b, 1 + 2 * i, "POST", STR("/204"), false);
	send_all();
	h2_until(cl, h2_never, 200);
	for (uint32_t i = 0; i <= LIM_H2_STREAMS; i++)
		refused += cl->reset[1 + 2 * i] != 0;
	T_OK(refused == 1 || cl->goaway > 0);
	end();
}

TEST(hpack_bomb)
{
	struct buf h;
	static char value[4000];

	begin();
	buf_init(&h, 65536);
	memset(value, 'x', sizeof value);
	hpack_request(&h, "GET", STR("/204"));
	buf_char(&h, 0x40); /* into the dynamic table */
	hpack_text(&h, STR("x"));
	hpack_text(&h, str_of(value, sizeof value));
	for (int i = 0; i < 15000; i++)
		buf_char(&h, (char)0xbe); /* that entry again */
	frame(&b, 1, 5, 1, buf_view(&h));
	send_all();
	h2_until(cl, h2_first_ended, 3000);
	T_OK(cl->status[1] == 431 || cl->reset[1] != 0 || cl->goaway > 0);
	buf_done(&h);
	alive();
	end();
}

TEST(frames_in_the_wrong_place)
{
	static const struct {
		unsigned type, flags;
		uint32_t stream;
		const char *bytes;
		size_t n;
	} bad[] = {
	    {0, 1, 0, "x", 1},			      /* DATA on 0 */
	    {0, 1, 1, "x", 1},			      /* DATA on idle */
	    {1, 5, 2, "\x82", 1},		      /* even stream */
	    {3, 0, 0, "\0\0\0\0", 4},		      /* RST on 0 */
	    {4, 0, 1, "", 0},			      /* SETTINGS on 1 */
	    {4, 0, 0, "\0", 1},			      /* SETTINGS size */
	    {4, 0, 0, "\0\4\xff\xff\xff\xff", 6},     /* window too large */
	    {5, 4, 1, "\0\0\0\2", 4},		      /* PUSH_PROMISE */
	    {6, 0, 0, "1234567", 7},		      /* PING size */
	    {8, 0, 0, "\0\0\0\0", 4},		      /* update of 0 */
	    {8, 0, 0, "\x7f\xff\xff\xff", 4},	      /* window overflow */
	    {9, 4, 1, "\x82", 1},		      /* CONTINUATION */
	    {1, 5, 1, "\xff\xff\xff\xff\xff\xff", 6}, /* HPACK rubbish */
	    {1, 0xd, 1, "\xff\x82", 2},		      /* padding too long */
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		begin();
		frame(&b, bad[i].type, bad[i].flags, bad[i].stream,
		    str_of(bad[i].bytes, bad[i].n));
		send_all();
		h2_until(cl, h2_gone_away, 3000);
		if (cl->goaway <= 0 && !cl->eof)
			T_FAIL("row %zu: no GOAWAY", i);
		end();
	}
}

TEST(frame_too_large)
{
	static char payload[16385];

	begin();
	h2_request(&b, 1, "POST", STR("/204"), false);
	frame(&b, 0, 1, 1, str_of(payload, sizeof payload));
	send_all();
	T_OK(h2_until(cl, h2_gone_away, 3000));
	T_EQ_INT(cl->goaway, NGHTTP2_FRAME_SIZE_ERROR);
	end();
}

T_MAIN
