/* Streamed answers and the end of the server, on both protocols. */
#include "tests/t.h"
#include "tests/unit/wire/fixture.h"
#include "wire/conn.h"

static struct exchange *
opened(int ms)
{
	int64_t until = now_ms() + ms;
	struct exchange *x;

	do {
		pthread_mutex_lock(&s.mu);
		x = s.stream;
		pthread_mutex_unlock(&s.mu);
		if (x != NULL)
			return x;
		sleep_ms(5);
	} while (now_ms() < until);
	return NULL;
}

static bool
closed(int n, int ms)
{
	int64_t until = now_ms() + ms;

	while (s.closed < n && now_ms() < until)
		sleep_ms(5);
	return s.closed == n;
}

static bool
comes(struct client *c, const char *text, int ms)
{
	int64_t until = now_ms() + ms;

	do {
		if (memmem(c->in, c->in_n, text, strlen(text)) != NULL)
			return true;
		client_fill(c, (int)(until - now_ms()));
	} while (now_ms() < until && !c->eof);
	return memmem(c->in, c->in_n, text, strlen(text)) != NULL;
}

static struct client *
h1_asks(const char *version)
{
	struct client *c = client_open(s.port);
	struct buf b;

	buf_init(&b, 1024);
	buf_fmt(&b, "GET /stream HTTP/%s\r\n" H "\r\n", version);
	client_send(c, buf_view(&b));
	buf_done(&b);
	return c;
}

TEST(h1_events)
{
	struct client *c;
	struct exchange *x;

	up();
	c = h1_asks("1.1");
	T_REQUIRE((x = opened(3000)) != NULL);
	T_OK(client_head(c, &a, 3000));
	T_EQ_INT(a.status, 200);
	T_OK(has(&a, "transfer-encoding: chunked"));
	T_OK(has(&a, "content-type: text/event-stream"));
	T_OK(!has(&a, "content-length"));
	T_OK(exchange_push(x, STR("data: one\n\n"), 1000));
	T_OK(comes(c, "b\r\ndata: one\n\n\r\n", 3000));
	T_OK(exchange_push(x, STR("data: two\n\n"), 1000));
	T_OK(comes(c, "b\r\ndata: two\n\n\r\n", 3000));
	exchange_finish(x);
	T_OK(!exchange_push(x, STR("late"), 1000));
	T_OK(comes(c, "0\r\n\r\n", 3000));
	T_OK(closed(1, 3000));
	exchange_release(x);
	/* and the connection goes on */
	c->in_n = 0;
	client_send(c, STR(GET("/204")));
	T_OK(client_answer(c, &a, false));
	T_EQ_INT(a.status, 204);
	client_close(c);
	down();
}

TEST(h1_0_stream_ends_with_the_connection)
{
	struct client *c;
	struct exchange *x;

	up();
	c = h1_asks("1.0");
	T_REQUIRE((x = opened(3000)) != NULL);
	T_OK(client_head(c, &a, 3000));
	T_OK(!has(&a, "transfer-encoding"));
	T_OK(exchange_push(x, STR("plain"), 1000));
	exchange_finish(x);
	exchange_release(x);
	T_OK(comes(c, "plain", 3000));
	T_EQ_INT(c->in_n, 5);
	T_OK(client_closed(c, 3000));
	client_close(c);
	down();
}

TEST(peer_leaves_a_stream)
{
	struct client *c;
	struct exchange *x;

	up();
	c = h1_asks("1.1");
	T_REQUIRE((x = opened(3000)) != NULL);
	T_OK(exchange_push(x, STR("data: one\n\n"), 1000));
	client_close(c);
	T_OK(closed(1, 3000));
	T_OK(exchange_gone(x));
	T_OK(!exchange_push(x, STR("x"), 1000));
	T_OK(!exchange_push_wait(x, STR("x"), 1000, 100));
	exchange_finish(x);
	exchange_release(x);
	T_EQ_INT(still_open(1000), 0);
	down();
}

/* A subscriber that does not read is cut off, the others do not wait. */
TEST(queue_is_bounded)
{
	static char piece[16384];
	struct client *c;
	struct exchange *x;
	int small = 4096, n = 0;

	up();
	c = client_open(s.port);
	setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	client_send(c, STR(GET("/stream")));
	T_REQUIRE((x = opened(3000)) != NULL);
	while (n < 2000 && exchange_push(x, str_of(piece, sizeof piece), 65536))
		n++, sleep_ms(1);
	T_OK(n >= 4 && n < 2000);
	T_OK(!exchange_push_wait(x, str_of(piece, sizeof piece), 65536, 50));
	T_OK(closed(1, 4000)); /* stalled */
	exchange_release(x);
	client_close(c);
	down();
}

struct pusher {
	struct exchange *x;
	size_t pushed;
};

static void *
push_much(void *arg)
{
	static char piece[30000];
	struct pusher *p = arg;

	for (int i = 0; i < 100; i++) {
		if (exchange_push_wait(p->x, str_of(piece, sizeof piece), 65536,
			5000))
			p->pushed += sizeof piece;
	}
	exchange_finish(p->x);
	exchange_release(p->x);
	return NULL;
}

static bool
much_ended(struct client *c)
{
	struct buf b;

	/* as a client does: give back what was taken */
	if (c->data[1] > c->given) {
		buf_init(&b, 64);
		frame(&b, 8, 0, 0, STR("\0\0\x80\0"));
		frame(&b, 8, 0, 1, STR("\0\0\x80\0"));
		client_send(c, buf_view(&b));
		buf_done(&b);
		c->given = c->data[1];
	}
	return c->ended[1];
}

TEST(export_waits_for_the_peer)
{
	struct client *c;
	struct pusher p = {NULL, 0};
	pthread_t t;
	size_t got = 0;

	up();
	c = h1_asks("1.1");
	T_REQUIRE((p.x = opened(3000)) != NULL);
	pthread_create(&t, NULL, push_much, &p);
	while (client_fill(c, 3000)) {
		bool last = c->in_n >= 5 &&
		    memcmp(c->in + c->in_n - 5, "0\r\n\r\n", 5) == 0;

		got += c->in_n;
		c->in_n = 0;
		if (last)
			break;
	}
	pthread_join(t, NULL);
	T_EQ_INT(p.pushed, 3000000);
	T_OK(got > 3000000);
	client_close(c);

	s.stream = NULL;
	c = h2_open(s.port);
	struct buf b;
	buf_init(&b, 1024);
	h2_request(&b, 1, "GET", STR("/stream"), true);
	client_send(c, buf_view(&b));
	T_REQUIRE((p.x = opened(3000)) != NULL);
	p.pushed = 0;
	pthread_create(&t, NULL, push_much, &p);
	T_OK(h2_until(c, much_ended, 8000));
	pthread_join(t, NULL);
	T_EQ_INT(c->data[1], 3000000);
	T_EQ_INT(p.pushed, 3000000);
	buf_done(&b);
	client_close(c);
	down();
}

/* What was pushed has filled the output of a peer that does not read yet, and
 * nothing more waits; then the stream ends: the end has to arrive, too. */
TEST(end_behind_a_full_output)
{
	static char piece[256 * 1024];
	struct exchange *x;
	struct client *c;
	bool full = false, last = false;
	size_t pushed = 0, got = 0;

	up();
	c = h1_asks("1.1");
	T_REQUIRE((x = opened(3000)) != NULL);
	/* the reactor takes a piece unless its output is full */
	while (!full && pushed < (64 << 20)) {
		T_OK(exchange_push(x, str_of(piece, sizeof piece),
		    sizeof piece));
		pushed += sizeof piece;
		usleep(20000);
		full = exchange_waiting(x, &last) > 0;
	}
	T_OK(full);
	exchange_finish(x);
	exchange_release(x);
	usleep(50000);
	while (!last && client_fill(c, 2000)) {
		last = c->in_n >= 5 &&
		    memcmp(c->in + c->in_n - 5, "0\r\n\r\n", 5) == 0;
		got += c->in_n;
		c->in_n = 0;
	}
	T_OK(last);
	T_OK(got > pushed);
	client_close(c);
	down();
}

static bool
two_events(struct client *c)
{
	return strstr(c->text, "one") != NULL && strstr(c->text, "two") != NULL;
}

TEST(h2_events)
{
	struct client *c;
	struct exchange *x;
	struct buf b;

	up();
	buf_init(&b, 4096);
	c = h2_open(s.port);
	h2_request(&b, 1, "GET", STR("/stream"), true);
	client_send(c, buf_view(&b));
	T_REQUIRE((x = opened(3000)) != NULL);
	T_OK(exchange_push(x, STR("one"), 1000));
	sleep_ms(50);
	T_OK(exchange_push(x, STR("two"), 1000));
	T_OK(h2_until(c, two_events, 3000));
	T_EQ_INT(c->status[1], 200);
	/* other streams go on meanwhile */
	buf_clear(&b);
	h2_request(&b, 3, "GET", STR("/204"), true);
	client_send(c, buf_view(&b));
	h2_until(c, h2_never, 100);
	T_EQ_INT(c->status[3], 204);
	T_OK(!c->ended[1]);
	exchange_finish(x);
	T_OK(h2_until(c, h2_first_ended, 3000));
	T_OK(closed(1, 3000));
	exchange_release(x);
	buf_done(&b);
	client_close(c);
	down();
}

TEST(h2_peer_resets_a_stream)
{
	struct client *c;
	struct exchange *x;
	struct buf b;

	up();
	buf_init(&b, 4096);
	c = h2_open(s.port);
	h2_request(&b, 1, "GET", STR("/stream"), true);
	client_send(c, buf_view(&b));
	T_REQUIRE((x = opened(3000)) != NULL);
	buf_clear(&b);
	frame(&b, 3, 0, 1, STR("\0\0\0\10"));
	client_send(c, buf_view(&b));
	T_OK(closed(1, 3000));
	T_OK(exchange_gone(x));
	T_OK(!exchange_push(x, STR("x"), 1000));
	exchange_release(x);
	buf_done(&b);
	client_close(c);
	down();
}

TEST(head_of_a_stream)
{
	struct client *c;
	struct exchange *x;

	up();
	c = client_open(s.port);
	client_send(c, STR("HEAD /stream HTTP/1.1\r\n" H "\r\n" GET("/204")));
	T_OK(client_answer(c, &a, true));
	T_EQ_INT(a.status, 200);
	T_REQUIRE((x = opened(3000)) != NULL);
	T_OK(closed(1, 3000));
	exchange_release(x);
	T_OK(client_answer(c, &a, false));
	T_EQ_INT(a.status, 204);
	client_close(c);
	down();
}

/* Release without finish, before anything else happened. */
TEST(release_at_once)
{
	struct client *c;
	struct exchange *x;

	up();
	c = h1_asks("1.1");
	T_REQUIRE((x = opened(3000)) != NULL);
	exchange_release(x);
	T_OK(comes(c, "0\r\n\r\n", 3000));
	client_close(c);
	down();
}

/* ---- the end ---- */

static void *
drain_main(void *arg)
{
	(void)arg;
	wire_drain(s.w);
	return NULL;
}

TEST(drain_h1)
{
	struct client *c, *idle;
	pthread_t t;

	up();
	c = client_open(s.port);
	idle = client_open(s.port);
	client_send(idle, STR(GET("/204")));
	T_OK(client_answer(idle, &a, false));
	client_send(c, STR(GET("/hold")));
	T_OK(held(1, 3000));
	pthread_create(&t, NULL, drain_main, NULL);
	T_OK(client_closed(idle, 3000));
	T_EQ_INT(idle->in_n, 0);
	client_close(idle);
	answer_text(s.held[0], 200, STR("done"));
	T_OK(client_answer(c, &a, false));
	T_EQ_INT(a.status, 200);
	T_OK(has(&a, "connection: close"));
	T_OK(client_closed(c, 3000));
	client_close(c);
	pthread_join(t, NULL);
	down();
}

static bool
one_goaway(struct client *c)
{
	return c->goaways >= 1;
}

static bool
two_goaways(struct client *c)
{
	return c->goaways >= 2;
}

TEST(drain_h2)
{
	struct client *c;
	struct buf b;
	pthread_t t;

	up();
	buf_init(&b, 4096);
	c = h2_open(s.port);
	h2_request(&b, 1, "GET", STR("/hold"), true);
	client_send(c, buf_view(&b));
	T_OK(held(1, 3000));
	pthread_create(&t, NULL, drain_main, NULL);
	T_OK(h2_until(c, one_goaway, 3000));
	T_EQ_INT(c->goaway, NGHTTP2_NO_ERROR);
	T_EQ_INT(c->goaway_last, 0x7fffffff);
	/* on its way before the peer knew: served */
	buf_clear(&b);
	h2_request(&b, 3, "GET", STR("/204"), true);
	client_send(c, buf_view(&b));
	T_OK(h2_until(c, two_goaways, 3000));
	T_EQ_INT(c->goaway_last, 3);
	T_EQ_INT(c->status[3], 204);
	answer_text(s.held[0], 200, STR("done"));
	T_OK(h2_until(c, h2_first_ended, 3000));
	T_EQ_INT(c->status[1], 200);
	T_OK(client_closed(c, 3000));
	client_close(c);
	pthread_join(t, NULL);
	buf_done(&b);
	down();
}

TEST(drain_ends_event_streams)
{
	struct client *c;
	struct exchange *x;
	pthread_t t;

	up();
	c = h1_asks("1.1");
	T_REQUIRE((x = opened(3000)) != NULL);
	T_OK(comes(c, "\r\n\r\n", 3000));
	pthread_create(&t, NULL, drain_main, NULL);
	T_OK(comes(c, "0\r\n\r\n", 3000));
	T_OK(closed(1, 3000));
	exchange_release(x);
	T_OK(client_closed(c, 3000));
	client_close(c);
	pthread_join(t, NULL);
	down();
}

/* What nobody answers does not hold the end for ever. */
TEST(drain_has_an_end)
{
	struct client *c;
	int64_t begin;

	up();
	c = client_open(s.port);
	client_send(c, STR(GET("/hold")));
	T_OK(held(1, 3000));
	begin = now_ms();
	wire_drain(s.w);
	T_OK(now_ms() - begin >= 2500 && now_ms() - begin < 6000);
	T_OK(exchange_gone(s.held[0]));
	answer_text(s.held[0], 200, STR("nobody")); /* harmless */
	client_close(c);
	down();
}

T_MAIN
