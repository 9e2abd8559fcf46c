/* A real server, real TLS, HTTP/1.1: good, hostile, slow and gone peers. */
#include "tests/t.h"
#include "tests/unit/wire/fixture.h"

/* ---- TLS ---- */

TEST(tls_1_2_refused)
{
	up();
	T_OK(client_open_with(s.port,
		 (struct open_options){.version = TLS1_2_VERSION}) == NULL);
	T_EQ_INT(ask(s.port, STR(GET("/204")), &a), 204);
	down();
}

TEST(alpn)
{
	struct client *c;

	up();
	c = client_open_with(s.port, (struct open_options){.alpn = NULL});
	T_REQUIRE(c != NULL);
	client_send(c, STR(GET("/204")));
	T_OK(client_answer(c, &a, false));
	T_EQ_INT(a.status, 204);
	client_close(c);
	T_OK(client_open_with(s.port,
		 (struct open_options){.alpn = "\x06spdy/1"}) == NULL);
	down();
}

TEST(plaintext_refused)
{
	char b[64];
	int fd;

	up();
	fd = tcp_open(s.port);
	T_OK(write(fd, GET("/204"), sizeof GET("/204") - 1) > 0);
	/* an alert or nothing, never HTTP */
	ssize_t n = read(fd, b, sizeof b);
	T_OK(n <= 0 || memcmp(b, "HTTP", n < 4 ? (size_t)n : 4) != 0);
	close(fd);
	down();
}

static int
cn_is(struct client *c, const char *want)
{
	X509 *x = SSL_get1_peer_certificate(c->ssl);
	char cn[64] = "";

	X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, cn,
	    sizeof cn);
	X509_free(x);
	return strcmp(cn, want) == 0;
}

TEST(reload)
{
	struct client *old, *fresh, *again;
	struct pems other;
	struct trail t = {""};
	SSL_SESSION *ticket;

	up();
	old = client_open(s.port);
	client_send(old, STR(GET("/204")));
	T_OK(client_answer(old, &a, false));
	ticket = SSL_get1_session(old->ssl);
	T_EQ_INT(SSL_SESSION_get_max_early_data(ticket), 0); /* no 0-RTT */

	pems_make(&other, "second");
	T_ERR(wire_tls(s.w, str_of(other.chain, other.chain_n),
		  str_of(s.pems.key, s.pems.key_n), &t),
	    E_CONFIG);
	T_ERR(wire_tls(s.w, STR("rubbish"), STR("rubbish"), &t), E_CONFIG);
	T_ERR(wire_tls(s.w, str_of(other.chain, other.chain_n), STR(""), &t),
	    E_CONFIG);
	fresh = client_open(s.port);
	T_OK(cn_is(fresh, "localhost"));
	client_close(fresh);
	T_GOOD(wire_tls(s.w, str_of(other.chain, other.chain_n),
	    str_of(other.key, other.key_n), &t));
	fresh = client_open(s.port);
	T_OK(cn_is(fresh, "second"));
	client_send(old, STR(GET("/204")));
	T_OK(client_answer(old, &a, false));
	T_OK(cn_is(old, "localhost"));
	again =
	    client_open_with(s.port, (struct open_options){.session = ticket});
	T_REQUIRE(again != NULL);
	T_OK(SSL_session_reused(again->ssl));
	SSL_SESSION_free(ticket);
	client_close(again);
	client_close(fresh);
	client_close(old);
	pems_done(&other);
	down();
}

/* ---- what a good peer gets ---- */

TEST(standard_headers)
{
	up();
	T_EQ_INT(ask(s.port,
		     STR("POST /echo?q HTTP/1.1\r\n" H
			 "X-Mixed:  Va\tlue \r\nContent-Length: 3\r\n\r\nabc"),
		     &a),
	    200);
	T_OK(has(&a, "\r\ndate: "));
	T_OK(has(&a, "GMT\r\n"));
	T_OK(has(&a, "\r\ncontent-type: text/plain\r\n"));
	T_OK(has(&a, "\r\nstrict-transport-security: max-age="));
	T_OK(has(&a, "\r\nx-content-type-options: nosniff\r\n"));
	T_OK(has(&a, "\r\nreferrer-policy: no-referrer\r\n"));
	T_OK(has(&a, "\r\ncache-control: no-store\r\n"));
	T_OK(has(&a, "\r\ncross-origin-opener-policy: same-origin\r\n"));
	T_OK(has(&a, "\r\ncross-origin-resource-policy: same-origin\r\n"));
	T_OK(has(&a, "\r\ncontent-security-policy: default-src 'none'"));
	T_OK(!has(&a, "connection: close"));
	T_OK(body_has(&a, "method=POST\npath=/echo\nquery=q\n"));
	T_OK(body_has(&a, "address=127.0.0.1\n"));
	T_OK(body_has(&a, "header x-mixed=Va lue\n"));
	T_OK(body_has(&a, "body=abc"));
	for (int i = 0; i < 200 && s.threads < 2; i++)
		sleep_ms(10); /* one may not have begun */
	T_EQ_INT(s.threads, 2);
	down();
}

TEST(head_and_204_have_no_body)
{
	struct client *c;

	up();
	c = client_open(s.port);
	client_send(c,
	    STR("HEAD /echo HTTP/1.1\r\n" H "\r\n" GET("/204") GET("/echo")));
	T_OK(client_answer(c, &a, true));
	T_EQ_INT(a.status, 200);
	T_OK(has(&a, "content-length: "));
	T_OK(!has(&a, "content-length: 0"));
	T_OK(client_answer(c, &a, false));
	T_EQ_INT(a.status, 204);
	T_OK(!has(&a, "content-length"));
	T_OK(client_answer(c, &a, false));
	T_EQ_INT(a.status, 200);
	client_close(c);
	down();
}

TEST(absolute_form)
{
	up();
	T_EQ_INT(ask(s.port, STR(GET("https://localhost/echo?x")), &a), 200);
	T_OK(body_has(&a, "path=/echo\nquery=x\n"));
	T_EQ_INT(ask(s.port, STR(GET("https://other/echo")), &a), 400);
	T_EQ_INT(ask(s.port, STR(GET("http://localhost/echo")), &a), 400);
	T_EQ_INT(ask(s.port, STR("OPTIONS * HTTP/1.1\r\n" H "\r\n"), &a), 200);
	T_EQ_INT(ask(s.port, STR(GET("*")), &a), 400);
	T_EQ_INT(ask(s.port, STR("CONNECT a:1 HTTP/1.1\r\n" H "\r\n"), &a),
	    400);
	down();
}

TEST(connection_close_and_1_0)
{
	struct client *c;

	up();
	c = client_open(s.port);
	client_send(c,
	    STR("GET /204 HTTP/1.1\r\n" H
		"Connection: close\r\n\r\n" GET("/204")));
	T_OK(client_answer(c, &a, false));
	T_OK(has(&a, "connection: close"));
	T_OK(client_closed(c, 3000));
	client_close(c);
	c = client_open(s.port);
	client_send(c, STR("GET /204 HTTP/1.0\r\n\r\n"));
	T_OK(client_answer(c, &a, false));
	T_OK(has(&a, "connection: close"));
	T_OK(client_closed(c, 3000));
	client_close(c);
	down();
}

TEST(expect_100_continue)
{
	struct client *c;

	up();
	c = client_open(s.port);
	client_send(c,
	    STR("POST /echo HTTP/1.1\r\n" H
		"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n"));
	T_OK(client_head(c, &a, 3000));
	T_EQ_INT(a.status, 100);
	client_send(c, STR("abc"));
	T_OK(client_answer(c, &a, false));
	T_EQ_INT(a.status, 200);
	T_OK(body_has(&a, "body=abc"));
	/* not asked for when the answer is no */
	client_send(c,
	    STR("POST /echo HTTP/1.1\r\n" H
		"Expect: 100-continue\r\nContent-Length: 9999999\r\n\r\n"));
	T_OK(client_answer(c, &a, false));
	T_EQ_INT(a.status, 413);
	client_close(c);
	down();
}

TEST(pipelining_in_order)
{
	struct client *c;
	struct buf b;

	up();
	buf_init(&b, 1024 * 1024);
	for (int i = 0; i < 400; i++)
		buf_fmt(&b,
		    "POST %s?%d HTTP/1.1\r\n" H "X: %d\r\n"
		    "Content-Length: 1\r\n\r\nx",
		    i % 7 == 3 ? "/mail" : "/echo", i, i);
	c = client_open(s.port);
	T_OK(client_send(c, buf_view(&b)));
	for (int i = 0; i < 400; i++) {
		char want[32];

		snprintf(want, sizeof want, "query=%d\n", i);
		if (!client_answer(c, &a, false)) {
			T_FAIL("answer %d did not come", i);
			break;
		}
		T_EQ_INT(a.status, i % 7 == 3 ? 204 : 200);
		if (i % 7 != 3)
			T_OK(body_has(&a, want));
	}
	client_close(c);
	buf_done(&b);
	down();
}

/* While one request is worked on only so much of the next is taken. */
TEST(pipelining_is_bounded)
{
	static char more[8 * 1024 * 1024];
	struct client *c;

	up();
	c = client_open(s.port);
	client_send(c, STR(GET("/hold")));
	T_OK(held(1, 3000));
	for (size_t i = 0; i + 64 <= sizeof more; i += 64)
		memcpy(more + i,
		    "GET /204 HTTP/1.1\r\nHost: a\r\n"
		    "X: 34567890123456789012345678\r\n\r\n\r\n",
		    64);
	/* what fits the kernel's buffers goes, the rest does not */
	T_OK(!client_send_for(c, str_of(more, sizeof more), 300));
	client_close(c);
	answer_text(s.held[0], 204, STR_NONE);
	down();
}

TEST(chunked_request)
{
	up();
	T_EQ_INT(ask(s.port,
		     STR("POST /echo HTTP/1.1\r\n" H
			 "Transfer-Encoding: chunked\r\n\r\n"
			 "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: v\r\n\r\n"),
		     &a),
	    200);
	T_OK(body_has(&a, "body_n=5\n"));
	T_OK(body_has(&a, "body=abcde"));
	down();
}

TEST(large_bodies_both_ways)
{
	static char body[1024 * 1024];
	struct client *c;
	struct buf b;

	up();
	memset(body, 'b', sizeof body);
	buf_init(&b, 2 * 1024 * 1024);
	buf_fmt(&b, "POST /204 HTTP/1.1\r\n" H "Content-Length: %zu\r\n\r\n",
	    sizeof body);
	buf_add(&b, body, sizeof body);
	c = client_open(s.port);
	T_OK(client_send(c, buf_view(&b)));
	T_OK(client_answer(c, &a, false));
	T_EQ_INT(a.status, 204);
	client_send(c, STR(GET("/big?3000000")));
	T_OK(client_answer(c, &a, false));
	T_EQ_INT(a.body_n, 3000000);
	client_close(c);
	buf_done(&b);
	down();
}

/* Answers that leave at once share their memory, one after the other. */
TEST(large_ones_take_turns)
{
	struct client *c[2];

	up();
	c[0] = client_open(s.port);
	c[1] = client_open(s.port);
	for (int i = 0; i < 40; i++) {
		client_send(c[0], STR(GET("/big?20000") GET("/204")));
		client_send(c[1], STR(GET("/204") GET("/big?300000")));
		T_OK(client_answer(c[0], &a, false) && a.body_n == 20000);
		T_OK(client_answer(c[0], &a, false) && a.status == 204);
		T_OK(client_answer(c[1], &a, false) && a.status == 204);
		T_OK(client_answer(c[1], &a, false) && a.body_n == 300000);
	}
	client_close(c[0]);
	client_close(c[1]);
	down();
}

/* ---- hostile ---- */

/* Refused with a problem, and the connection ends. */
static void
refused(const char *name, struct str bytes, int status, const char *code)
{
	struct client *c = client_open(s.port);
	char want[64];

	T_REQUIRE(c != NULL);
	client_send(c, bytes);
	if (!client_answer(c, &a, false))
		T_FAIL("%s: no answer", name);
	snprintf(want, sizeof want, "\"code\":\"%s\"", code);
	if (a.status != status || !body_has(&a, want) ||
	    !has(&a, "application/problem+json") ||
	    !has(&a, "connection: close"))
		T_FAIL("%s: %d %s %s", name, a.status, a.head, a.body);
	if (!client_closed(c, 3000))
		T_FAIL("%s: not closed", name);
	client_close(c);
}

TEST(hostile_h1_rows)
{
	static char big[48 * 1024];
	static const char first[] = "GET / HTTP/1.1\r\n" H "X: ";

	up();
	refused("HTTP/0.9 line", STR("GET /\r\n"), 400, "bad_request");
	refused("bare LF", STR("GET / HTTP/1.1\nHost: a\n\n"), 400,
	    "bad_request");
	refused("CL + TE",
	    STR("POST / HTTP/1.1\r\n" H "Content-Length: 4\r\n"
		"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	    400, "bad_request");
	refused("TE: gzip, chunked",
	    STR("POST / HTTP/1.1\r\n" H
		"Transfer-Encoding: gzip, chunked\r\n\r\n"),
	    501, "not_implemented");
	refused("no Host", STR("GET / HTTP/1.1\r\n\r\n"), 400, "bad_request");
	refused("broken chunk",
	    STR("POST / HTTP/1.1\r\n" H
		"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
	    400, "bad_request");
	refused("2 MB body declared",
	    STR("POST / HTTP/1.1\r\n" H "Content-Length: 2000000\r\n\r\n"), 413,
	    "too_large");
	refused("compressed bomb",
	    STR("POST / HTTP/1.1\r\n" H
		"Content-Encoding: gzip\r\nContent-Length: 10\r\n\r\n"),
	    415, "media_type");
	memset(big, 'x', sizeof big);
	memcpy(big, first, sizeof first - 1);
	refused("40 KB header", str_of(big, 40000), 431, "headers_too_large");
	memset(big, 'x', sizeof big);
	memcpy(big, "GET /", 5);
	refused("long target", str_of(big, 10000), 431, "headers_too_large");
	T_EQ_INT(s.problems, 10);
	down();
}

/* The answer arrives although the peer goes on sending. */
TEST(refusal_survives_more_input)
{
	static char junk[256 * 1024];
	struct client *c;

	up();
	c = client_open(s.port);
	client_send(c,
	    STR("POST / HTTP/1.1\r\n" H "Content-Length: 2000000\r\n\r\n"));
	client_send_for(c, str_of(junk, sizeof junk), 200);
	T_OK(client_answer(c, &a, false));
	T_EQ_INT(a.status, 413);
	client_close(c);
	down();
}

TEST(chunked_body_too_large)
{
	struct client *c;
	struct buf b;

	up();
	s.body_cap = 1000;
	c = client_open(s.port);
	buf_init(&b, 8192);
	buf_c(&b,
	    "POST / HTTP/1.1\r\n" H
	    "Transfer-Encoding: chunked\r\n\r\n3e8\r\n");
	for (int i = 0; i < 1000; i++)
		buf_char(&b, 'x');
	buf_c(&b, "\r\n1\r\ny\r\n0\r\n\r\n");
	client_send(c, buf_view(&b));
	T_OK(client_answer(c, &a, false));
	T_EQ_INT(a.status, 413);
	client_close(c);
	buf_done(&b);
	down();
}

TEST(body_cap_exact)
{
	up();
	s.body_cap = 5;
	T_EQ_INT(ask(s.port,
		     STR("POST /204 HTTP/1.1\r\n" H
			 "Content-Length: 5\r\n\r\n12345"),
		     &a),
	    204);
	T_EQ_INT(ask(s.port,
		     STR("POST /204 HTTP/1.1\r\n" H
			 "Content-Length: 6\r\n\r\n123456"),
		     &a),
	    413);
	down();
}

static void
on_request_injecting(void *ctx, struct exchange *x)
{
	struct reply r = {.status = 302,
	    .headers_n = 3,
	    .headers = {
		{STR("location"), STR("/a\r\nset-cookie: evil=1")},
		{STR("bad name"), STR("x")},
		{STR("x-good"), STR("yes")},
	    }};

	(void)ctx;
	exchange_reply(x, &r);
}

TEST(reply_headers_cannot_inject)
{
	struct wire_hooks hooks = {&s, NULL, on_body_cap, on_request_injecting,
	    NULL, NULL, on_problem, NULL};
	struct wire_config c = {.reactors = 1, .hooks = &hooks, .listen_n = 1};
	struct trail t = {""};
	int port = 0;

	c.listen[0] = listen_on(&port);
	pems_make(&s.pems, "localhost");
	T_GOOD(wire_new(&c, &s.w));
	T_GOOD(wire_tls(s.w, str_of(s.pems.chain, s.pems.chain_n),
	    str_of(s.pems.key, s.pems.key_n), &t));
	T_GOOD(wire_start(s.w));
	T_EQ_INT(ask(port, STR(GET("/")), &a), 302);
	T_OK(!has(&a, "evil"));
	T_OK(!has(&a, "bad name"));
	T_OK(has(&a, "x-good: yes"));
	s.w = wire_free(s.w);
	pems_done(&s.pems);
}

/* How many of them have been sent something. */
static int
heard(struct client **c, int n)
{
	int have = 0;

	for (int i = 0; i < n; i++) {
		client_fill(c[i], 0);
		have += c[i]->in_n > 0;
	}
	return have;
}

/* 64 MiB hold 67 bodies of a million bytes; of 80 at least 13 are refused. */
TEST(bodies_in_flight)
{
	static char body[1000000];
	struct wire_times patient = quick;
	struct client *c[80];
	int done = 0, refusals = 0;
	int64_t until;

	patient.body_ms = 60000;
	server_start(&s, 2, patient, 0);
	s.body_cap = sizeof body + 1;
	for (int i = 0; i < 80; i++) {
		c[i] = client_open(s.port);
		client_send(c[i],
		    STR("POST /204 HTTP/1.1\r\n" H
			"Content-Length: 1000001\r\n\r\n"));
		/* all but the last byte */
		client_send_for(c[i], str_of(body, sizeof body), 2000);
	}
	until = now_ms() + 10000;
	while (heard(c, 80) < 13 && now_ms() < until)
		sleep_ms(10);
	for (int i = 0; i < 80; i++) {
		client_send_for(c[i], STR("x"), 100);
		client_answer(c[i], &a, false);
		done += a.status == 204;
		refusals += a.status == 503;
		client_close(c[i]);
	}
	T_OK(refusals >= 13);
	T_OK(done >= 40);
	T_EQ_INT(done + refusals, 80);
	T_EQ_INT(ask(s.port, STR(GET("/204")), &a), 204);
	down();
}

/* ---- slow ---- */

static bool
drip(struct client *c, const char *text, int64_t *ret_ms)
{
	int64_t begin = now_ms();
	bool answered = false;

	for (size_t i = 0; text[i] != '\0' && !answered; i++) {
		client_send_for(c, str_of(text + i, 1), 100);
		answered = client_fill(c, 100) || c->eof;
	}
	*ret_ms = now_ms() - begin;
	return answered;
}

TEST(slow_head)
{
	struct client *c;
	int64_t ms;

	up();
	c = client_open(s.port);
	T_OK(drip(c, "GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", &ms));
	T_OK(ms < 2500);
	T_OK(client_answer(c, &a, false));
	T_EQ_INT(a.status, 408);
	T_OK(client_closed(c, 3000));
	client_close(c);
	down();
}

TEST(slow_body)
{
	struct client *c;
	int64_t ms;

	up();
	c = client_open(s.port);
	client_send(c,
	    STR("POST / HTTP/1.1\r\n" H "Content-Length: 100\r\n\r\n"));
	T_OK(drip(c, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", &ms));
	T_OK(ms >= 400 && ms < 2500);
	T_OK(client_answer(c, &a, false));
	T_EQ_INT(a.status, 408);
	client_close(c);
	down();
}

TEST(silent_peers)
{
	struct client *c, *idle;
	int64_t begin;
	char b;
	int fd;

	up();
	begin = now_ms();
	fd = tcp_open(s.port);	 /* no handshake */
	c = client_open(s.port); /* no request */
	idle = client_open(s.port);
	client_send(idle, STR(GET("/204")));
	T_OK(client_answer(idle, &a, false));
	T_EQ_INT(read(fd, &b, 1), 0);
	T_OK(now_ms() - begin < 2500);
	T_OK(client_closed(c, 2500));
	T_EQ_INT(c->in_n, 0);
	T_OK(client_closed(idle, 3500));
	T_OK(now_ms() - begin >= 600);
	close(fd);
	client_close(c);
	client_close(idle);
	T_EQ_INT(still_open(3000), 0);
	down();
}

TEST(peer_does_not_read)
{
	struct client *c;
	int small = 4096;

	up();
	c = client_open(s.port);
	setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	for (int i = 0; i < 6; i++)
		client_send_for(c, STR(GET("/big?4000000")), 200);
	T_EQ_INT(still_open(6000), 0);
	client_close(c);
	down();
}

/* ---- gone ---- */

TEST(peer_gone_while_worked_on)
{
	struct client *c;
	int64_t until;

	up();
	c = client_open(s.port);
	client_send(c, STR(GET("/hold")));
	T_OK(held(1, 3000));
	T_OK(!exchange_gone(s.held[0]));
	client_close(c);
	until = now_ms() + 3000;
	while (!exchange_gone(s.held[0]) && now_ms() < until)
		sleep_ms(5);
	T_OK(exchange_gone(s.held[0]));
	T_EQ_INT(still_open(1000), 0);
	answer_text(s.held[0], 200, STR("too late"));
	T_EQ_INT(ask(s.port, STR(GET("/204")), &a), 204);
	down();
}

TEST(half_closed_peer_is_answered)
{
	struct client *c;

	up();
	c = client_open(s.port);
	client_send(c, STR(GET("/hold")));
	T_OK(held(1, 3000));
	SSL_shutdown(c->ssl);
	shutdown(c->fd, SHUT_WR);
	sleep_ms(50);
	answer_text(s.held[0], 200, STR("in time"));
	T_OK(client_answer(c, &a, false));
	T_EQ_INT(a.status, 200);
	T_OK(client_closed(c, 3000));
	client_close(c);
	down();
}

TEST(gone_mid_body)
{
	struct client *c;

	up();
	c = client_open(s.port);
	client_send(c,
	    STR("POST / HTTP/1.1\r\n" H "Content-Length: 500000\r\n\r\nabc"));
	client_close(c);
	T_EQ_INT(still_open(3000), 0);
	down();
}

/* ---- shares ---- */

TEST(reactors_share_evenly)
{
	struct client *c[64];

	up();
	/* one asks before the next comes: who asks nothing is closed soon */
	for (int i = 0; i < 64; i++) {
		c[i] = client_open(s.port);
		client_send(c[i], STR(GET("/204")));
		T_OK(client_answer(c[i], &a, false));
	}
	T_OK(s.per_reactor[0] >= 28 && s.per_reactor[0] <= 36);
	T_EQ_INT(s.per_reactor[0] + s.per_reactor[1], 64);
	for (int i = 0; i < 64; i++)
		client_close(c[i]);
	down();
}

T_MAIN
