/* Answers of servers, good and hostile, whole and in every pair of pieces. */
#include "base/limits.h"
#include "client/response.h"
#include "tests/t.h"

static struct arena arena;
static struct trail trail;

struct read_back {
	struct response r;
	char body[4096];
	size_t body_n;
	size_t rest; /* bytes behind the answer */
	bool ended;
};

static err
feed(struct read_back *x, struct str in)
{
	enum response_step step = RESPONSE_MORE;
	struct str piece;

	do {
		TRY(response_step(&x->r, &in, &piece, &step, &trail));
		if (step == RESPONSE_PIECE &&
		    piece.n <= sizeof x->body - x->body_n) {
			memcpy(x->body + x->body_n, piece.p, piece.n);
			x->body_n += piece.n;
		}
	} while (step != RESPONSE_MORE && step != RESPONSE_END);
	x->ended = step == RESPONSE_END;
	x->rest = in.n;
	return OK;
}

static void
begin(struct read_back *x)
{
	arena_done(&arena);
	arena_init(&arena, (size_t)1024 * 1024);
	memset(x, 0, sizeof *x);
	trail = (struct trail){0};
	response_init(&x->r, &arena);
}

/* Whole, then cut at each place, then byte by byte: always the same. */
static err
read_all(const char *text, struct read_back *x)
{
	struct str s = str_c(text);
	struct read_back other;
	err whole, e = OK;

	for (size_t cut = 0; cut <= s.n; cut++) {
		begin(&other);
		e = feed(&other, str_head(s, cut));
		if (err_ok(e) && !other.ended)
			e = feed(&other, str_skip(s, cut));
		if (cut == 0)
			whole = e;
		T_EQ_INT(e.code, whole.code);
	}
	begin(&other);
	for (size_t i = 0; i < s.n && err_ok(e) && !other.ended; i++)
		e = feed(&other, str_of(s.p + i, 1));
	T_EQ_INT(e.code, whole.code);
	begin(x);
	e = feed(x, s);
	if (err_ok(e)) {
		T_EQ_INT(other.body_n, x->body_n);
		T_EQ_MEM(other.body, x->body, x->body_n);
		T_EQ_INT(other.ended, x->ended);
	}
	return e;
}

#define HEAD "HTTP/1.1 200 OK\r\n"

TEST(sized)
{
	struct read_back x;

	T_GOOD(read_all(HEAD "Content-Type: Application/JSON; charset=utf-8\r\n"
			     "ETag: \"3\"\r\nX-Request-Id: abc\r\n"
			     "Content-Length: 5\r\n\r\nhello",
	    &x));
	T_OK(x.ended && x.r.keep);
	T_EQ_INT(x.r.status, 200);
	T_EQ_STR(str_of(x.body, x.body_n), STR("hello"));
	T_EQ_STR(x.r.type, STR("application/json"));
	T_EQ_STR(x.r.etag, STR("\"3\""));
	T_EQ_STR(x.r.request_id, STR("abc"));
}

TEST(chunked)
{
	struct read_back x;

	T_GOOD(read_all(HEAD "Transfer-Encoding: chunked\r\n\r\n"
			     "5\r\nhello\r\n1;x=y\r\n,\r\nA\r\n0123456789\r\n"
			     "0\r\nTrailer: x\r\n\r\n",
	    &x));
	T_OK(x.ended && x.r.keep);
	T_EQ_STR(str_of(x.body, x.body_n), STR("hello,0123456789"));
}

TEST(no_body)
{
	struct read_back x;

	T_GOOD(read_all("HTTP/1.1 204 \r\n\r\n", &x));
	T_OK(x.ended && x.r.keep);
	T_GOOD(read_all("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
	    &x));
	T_OK(x.ended);
	T_ERR(read_all("HTTP/1.1 204 \r\nContent-Length: 3\r\n\r\n", &x),
	    E_PEER);
	T_ERR(read_all("HTTP/1.1 304 \r\nTransfer-Encoding: chunked\r\n\r\n",
		  &x),
	    E_PEER);
}

TEST(until_close)
{
	struct read_back x;

	T_GOOD(read_all(HEAD "\r\nabc", &x));
	T_OK(!x.ended && !x.r.keep);
	T_ERR(response_close(&x.r, false, &trail), E_UNAVAILABLE);
	T_GOOD(response_close(&x.r, true, &trail));
	T_EQ_STR(str_of(x.body, x.body_n), STR("abc"));
}

TEST(truncated)
{
	static const char *const texts[] = {"", "HTTP/1.1 200 OK\r\n",
	    HEAD "Content-Length: 5\r\n\r\nhell",
	    HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
	    HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"};
	struct read_back x;

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		T_GOOD(read_all(texts[i], &x));
		T_OK(!x.ended);
		T_ERR(response_close(&x.r, true, &trail), E_UNAVAILABLE);
	}
	T_OK(strstr(trail.detail, "in the middle of") != NULL);
}

TEST(interim_answers_are_skipped)
{
	struct read_back x;

	T_GOOD(read_all("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\r\n"
			"Link: a\r\n\r\n" HEAD "Content-Length: 1\r\n\r\nz",
	    &x));
	T_EQ_INT(x.r.status, 200);
	T_EQ_STR(str_of(x.body, x.body_n), STR("z"));
	T_ERR(read_all("HTTP/1.1 101 Switching\r\n\r\n", &x), E_PEER);
}

TEST(endless_interim_answers)
{
	char text[4096] = "";
	struct read_back x;

	for (int i = 0; i < 20; i++)
		strcat(text, "HTTP/1.1 100 \r\n\r\n");
	T_ERR(read_all(text, &x), E_PEER);
}

TEST(bytes_behind_an_answer_are_left)
{
	struct read_back x;

	T_GOOD(read_all(HEAD "Content-Length: 2\r\n\r\nabHTTP/1.1", &x));
	T_OK(x.ended);
	T_EQ_INT(x.rest, 8);
}

TEST(malformed_heads)
{
	static const char *const texts[] = {
	    "HTTP/1.0 200 OK\r\n\r\n",
	    "HTTP/2 200\r\n\r\n",
	    "HTTP/1.1 20 OK\r\n\r\n",
	    "HTTP/1.1 2000\r\n\r\n",
	    "HTTP/1.1 099 \r\n\r\n",
	    "HTTP/1.1 600 \r\n\r\n",
	    "HTTP/1.1 200 \x1b[31m\r\n\r\n",
	    "SSH-2.0-OpenSSH_9.2\r\n\r\n",
	    "<html>\n\n\r\n\r\n",
	    HEAD "No colon\r\n\r\n",
	    HEAD ": empty\r\n\r\n",
	    HEAD "Spa ce: x\r\n\r\n",
	    HEAD " folded: x\r\n\r\n",
	    HEAD "A: x\r\n folded\r\n\r\n",
	    HEAD "A: x\nB: y\r\n\r\n",
	    HEAD "A: \x07\r\n\r\n",
	    HEAD "A: x\ry\r\n\r\n",
	    "\r\n\r\n",
	};
	struct read_back x;

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		T_ERR(read_all(texts[i], &x), E_PEER);
}

TEST(malformed_framing)
{
	static const char *const texts[] = {
	    HEAD "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
	    HEAD "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
	    HEAD "Content-Length: -1\r\n\r\n",
	    HEAD "Content-Length: +5\r\n\r\n",
	    HEAD "Content-Length: 0x5\r\n\r\n",
	    HEAD "Content-Length: 5, 5\r\n\r\n",
	    HEAD "Content-Length:\r\n\r\n",
	    HEAD "Content-Length: 9223372036854775808\r\n\r\n",
	    HEAD "Content-Length: 99999999999999999999999\r\n\r\n",
	    HEAD "Transfer-Encoding: gzip, chunked\r\n\r\n",
	    HEAD "Transfer-Encoding: identity\r\n\r\n",
	    HEAD "Content-Encoding: gzip\r\nContent-Length: 0\r\n\r\n",
	};
	struct read_back x;

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		T_ERR(read_all(texts[i], &x), E_PEER);
}

TEST(malformed_chunks)
{
	static const char *const chunks[] = {
	    "x\r\n",
	    "-1\r\n",
	    " \r\n",
	    "\r\n",
	    "5\nhello\r\n",
	    "5\r\nhelloo\r\n",
	    "5\r\nhello\n",
	    "5\r\nhello\rx",
	    "0x5\r\nhello\r\n",
	    "ffffffffffffffff\r\n",
	    "10000000000000000\r\n",
	    "5;\x01\r\nhello\r\n",
	    "0\r\nTrailer\n\r\n",
	};
	char text[512];
	struct read_back x;

	for (size_t i = 0; i < sizeof chunks / sizeof chunks[0]; i++) {
		snprintf(text, sizeof text,
		    HEAD "Transfer-Encoding: chunked\r\n\r\n%s", chunks[i]);
		T_ERR(read_all(text, &x), E_PEER);
	}
}

/* A field that makes the head n bytes long. */
static err
head_of(size_t n)
{
	char text[LIM_HEAD + 64];
	struct read_back x;
	size_t at = (size_t)snprintf(text, sizeof text,
	    HEAD "Content-Length: 0\r\nA: ");

	memset(text + at, 'x', n - at - 4);
	memcpy(text + n - 4, "\r\n\r\n", 4);
	begin(&x);
	return feed(&x, str_of(text, n));
}

TEST(head_limit)
{
	T_GOOD(head_of(LIM_HEAD));
	T_ERR(head_of(LIM_HEAD + 1), E_PEER);
}

static err
fields_of(int n)
{
	char text[8192] = HEAD "Content-Length: 0\r\n";
	struct read_back x;

	for (int i = 1; i < n; i++)
		strcat(text, "A: b\r\n");
	strcat(text, "\r\n");
	begin(&x);
	return feed(&x, str_c(text));
}

TEST(field_limit)
{
	T_GOOD(fields_of(LIM_HEADERS));
	T_ERR(fields_of(LIM_HEADERS + 1), E_PEER);
}

TEST(endless_size_line_and_trailer)
{
	static char text[3 * LIM_HEAD];
	struct read_back x;
	size_t at;

	at = (size_t)snprintf(text, sizeof text,
	    HEAD "Transfer-Encoding: chunked\r\n\r\n1;");
	memset(text + at, 'x', sizeof text - at);
	begin(&x);
	T_ERR(feed(&x, str_of(text, sizeof text)), E_PEER);
	at = (size_t)snprintf(text, sizeof text,
	    HEAD "Transfer-Encoding: chunked\r\n\r\n0\r\n");
	for (; sizeof text - at > 8; at += 6)
		memcpy(text + at, "A: b\r\n", 6);
	begin(&x);
	T_ERR(feed(&x, str_of(text, at)), E_PEER);
}

TEST(a_head_that_never_ends)
{
	struct read_back x;
	err e = OK;

	begin(&x);
	for (size_t i = 0; i < (size_t)2 * LIM_HEAD && err_ok(e); i++)
		e = feed(&x, STR("x"));
	T_ERR(e, E_PEER);
}

T_MAIN
