/*
 * The HTTP/1.1 parser alone.  Every row is read whole, byte by byte and cut
 * in two at every place; all readings must agree with the row.
 */
#include "tests/t.h"
#include "wire/http1.h"

enum { MAX = 40000 };

struct reading {
	enum http1_result result;
	unsigned error;
	size_t used;   /* bytes of head and body */
	size_t body_n; /* content bytes */
	char body[MAX];
	size_t fields;
	bool close;
};

/* Read in pieces: first `cut` bytes, then steps of `step`. */
static void
read_all(struct str in, size_t cut, size_t step, struct reading *r)
{
	static struct http1 p;
	size_t have = cut < in.n ? cut : in.n, body_at = 0;
	bool head = true;

	memset(r, 0, sizeof *r);
	http1_init(&p);
	for (;;) {
		if (head) {
			r->result = http1_head(&p, str_head(in, have));
			if (r->result == HTTP1_DONE) {
				head = false;
				body_at = p.at;
				r->result = HTTP1_MORE;
			}
		}
		if (!head) {
			struct str rest = str_skip(str_head(in, have), body_at);

			do {
				struct str piece;

				r->result = http1_body(&p, &rest, &piece);
				memcpy(r->body + r->body_n, piece.p, piece.n);
				r->body_n += piece.n;
			} while (r->result == HTTP1_MORE && rest.n > 0);
			body_at = have - rest.n;
		}
		if (r->result != HTTP1_MORE || have == in.n)
			break;
		have = in.n - have < step ? in.n : have + step;
	}
	r->used = head ? p.at : body_at;
	r->error = r->result == HTTP1_BAD ? p.error : E_OK;
	r->fields = p.fields_n;
	r->close = p.close;
}

struct row {
	const char *name;
	const char *bytes;
	size_t n;
	enum http1_result want;
	enum err_code error;
	const char *body;
};

#define H "Host: a\r\n"
#define BAD(name, bytes)                                                       \
	{                                                                      \
		name, bytes, sizeof(bytes) - 1, HTTP1_BAD, E_BAD_REQUEST, NULL \
	}
#define FAIL(name, bytes, error)                                               \
	{                                                                      \
		name, bytes, sizeof(bytes) - 1, HTTP1_BAD, error, NULL         \
	}
#define GOOD(name, bytes, body)                                                \
	{                                                                      \
		name, bytes, sizeof(bytes) - 1, HTTP1_DONE, E_OK, body         \
	}
#define MORE(name, bytes)                                                      \
	{                                                                      \
		name, bytes, sizeof(bytes) - 1, HTTP1_MORE, E_OK, NULL         \
	}
#define POST "POST / HTTP/1.1\r\n" H
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"

static const struct row rows[] = {
    /* the table of reference/http.md, section 4, by its names */
    GOOD("valid POST", POST "Content-Length: 7\r\n\r\n{\"a\":1}", "{\"a\":1}"),
    GOOD("valid chunked", CHUNKED "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n",
	"abcdefg"),
    BAD("HTTP/0.9 line", "GET /\r\n"),
    BAD("0.9 + bare LF + hdrs (llhttp#877)", "GET /\nHost: a\n\n"),
    BAD("bare LF in header", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"),
    BAD("CL + TE",
	POST "Content-Length: 7\r\n"
	     "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    BAD("TE + CL",
	POST "Transfer-Encoding: chunked\r\n"
	     "Content-Length: 7\r\n\r\n0\r\n\r\n"),
    BAD("dup CL differing",
	POST "Content-Length: 7\r\n"
	     "Content-Length: 8\r\n\r\n"),
    BAD("dup CL same",
	POST "Content-Length: 7\r\n"
	     "Content-Length: 7\r\n\r\n"),
    BAD("CL: +7", POST "Content-Length: +7\r\n\r\n"),
    BAD("TE: xchunked", POST "Transfer-Encoding: xchunked\r\n\r\n"),
    BAD("TE: chunked, identity",
	POST "Transfer-Encoding: chunked, identity\r\n\r\n"),
    BAD("obs-fold header", "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n"),
    BAD("space before colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
    BAD("NUL in value", "GET / HTTP/1.1\r\nHost: a\r\nX: b\0c\r\n\r\n"),
    BAD("LF in chunk-ext", CHUNKED "3;a\nb\r\nabc\r\n0\r\n\r\n"),
    BAD("chunk size 0x prefix", CHUNKED "0x3\r\nabc\r\n0\r\n\r\n"),
    BAD("chunk size overflow", CHUNKED "FFFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n"),
    BAD("no Host", "GET / HTTP/1.1\r\n\r\n"),
    BAD("two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
    BAD("HTTP/1.2", "GET / HTTP/1.2\r\n" H "\r\n"),
    GOOD("GET with body then smuggled",
	"GET / HTTP/1.1\r\n" H
	"Content-Length: 3\r\n\r\nabcGET /x HTTP/1.1\r\n\r\n",
	"abc"),

    /* more of the same kinds */
    BAD("TE in 1.0",
	"POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n"),
    FAIL("TE: gzip, chunked", POST "Transfer-Encoding: gzip, chunked\r\n\r\n",
	E_NOT_IMPLEMENTED),
    BAD("TE twice",
	POST "Transfer-Encoding: chunked\r\n"
	     "Transfer-Encoding: chunked\r\n\r\n"),
    BAD("TE empty", POST "Transfer-Encoding: \r\n\r\n"),
    GOOD("TE case", POST "transfer-ENCODING: CHUNKED\r\n\r\n0\r\n\r\n", ""),
    BAD("TE with vertical tab",
	POST "Transfer-Encoding:\vchunked\r\n\r\n0\r\n\r\n"),
    BAD("CL: -1", POST "Content-Length: -1\r\n\r\n"),
    BAD("CL: empty", POST "Content-Length:\r\n\r\n"),
    BAD("CL: 7, 7", POST "Content-Length: 7, 7\r\n\r\n"),
    BAD("CL: 0x7", POST "Content-Length: 0x7\r\n\r\n"),
    BAD("CL: 7 8", POST "Content-Length: 7 8\r\n\r\n"),
    BAD("CL: 07", POST "Content-Length: 07\r\n\r\n"),
    BAD("CL overflow", POST "Content-Length: 18446744073709551617\r\n\r\n"),
    BAD("CL over 63 bits", POST "Content-Length: 9223372036854775808\r\n\r\n"),
    BAD("lower-case version", "GET / http/1.1\r\n" H "\r\n"),
    BAD("version 2.0", "GET / HTTP/2.0\r\n" H "\r\n"),
    BAD("version 1.10", "GET / HTTP/1.10\r\n" H "\r\n"),
    BAD("preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    BAD("two spaces", "GET  / HTTP/1.1\r\n" H "\r\n"),
    BAD("tab for space", "GET\t/ HTTP/1.1\r\n" H "\r\n"),
    BAD("space after version", "GET / HTTP/1.1 \r\n" H "\r\n"),
    BAD("space before method", " GET / HTTP/1.1\r\n" H "\r\n"),
    BAD("no target", "GET HTTP/1.1\r\n" H "\r\n"),
    BAD("control in target", "GET /\x01 HTTP/1.1\r\n" H "\r\n"),
    BAD("NUL in target", "GET /\0 HTTP/1.1\r\n" H "\r\n"),
    BAD("8 bits in target", "GET /\xc3\xa4 HTTP/1.1\r\n" H "\r\n"),
    BAD("fragment in target", "GET /a#b HTTP/1.1\r\n" H "\r\n"),
    BAD("backslash in target", "GET /a\\b HTTP/1.1\r\n" H "\r\n"),
    BAD("quote in target", "GET /\"a HTTP/1.1\r\n" H "\r\n"),
    GOOD("brackets in target", "GET /?a[]=1 HTTP/1.1\r\n" H "\r\n", ""),
    BAD("method of 21 bytes", "AAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\n"),
    GOOD("method of 20 bytes", "AAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\n" H "\r\n",
	""),
    BAD("method with a colon", "GE:T / HTTP/1.1\r\n" H "\r\n"),
    BAD("TLS hello", "\x16\x03\x01\x02\x00\x01"),
    BAD("bare CR in line", "GET / HTTP/1.1\rX\n" H "\r\n"),
    BAD("bare CR in value", "GET / HTTP/1.1\r\n" H "X: a\rb\r\n\r\n"),
    BAD("CR CR LF", "GET / HTTP/1.1\r\n" H "X: a\r\r\n\r\n"),
    BAD("LF LF ends head", "GET / HTTP/1.1\r\nHost: a\n\n"),
    BAD("CR LF LF ends head", "GET / HTTP/1.1\r\n" H "\n"),
    BAD("no colon", "GET / HTTP/1.1\r\n" H "X\r\n\r\n"),
    BAD("no name", "GET / HTTP/1.1\r\n" H ": a\r\n\r\n"),
    BAD("first line folds", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
    BAD("8 bits in name", "GET / HTTP/1.1\r\n" H "X\xe9: a\r\n\r\n"),
    BAD("parenthesis in name", "GET / HTTP/1.1\r\n" H "X(: a\r\n\r\n"),
    BAD("DEL in value", "GET / HTTP/1.1\r\n" H "X: \x7f\r\n\r\n"),
    BAD("ESC in value", "GET / HTTP/1.1\r\n" H "X: \x1b[2J\r\n\r\n"),
    GOOD("8 bits in value", "GET / HTTP/1.1\r\n" H "X: \xc3\xa4\r\n\r\n", ""),
    GOOD("tab in value", "GET / HTTP/1.1\r\n" H "X:\ta\tb\t\r\n\r\n", ""),
    GOOD("empty value", "GET / HTTP/1.1\r\n" H "X:\r\n\r\n", ""),
    BAD("Host empty", "GET / HTTP/1.1\r\nHost:\r\n\r\n"),
    BAD("Host with a space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
    BAD("Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    BAD("Host with an at", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"),
    GOOD("Host IPv6", "GET / HTTP/1.1\r\nHost: [::1]:8443\r\n\r\n", ""),
    GOOD("1.0 without Host", "GET / HTTP/1.0\r\n\r\n", ""),
    BAD("Expect: 200-ok", POST "Expect: 200-ok\r\n\r\n"),
    GOOD("one empty line first", "\r\nGET / HTTP/1.1\r\n" H "\r\n", ""),
    BAD("two empty lines first", "\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n"),
    BAD("bare LF first", "\nGET / HTTP/1.1\r\n" H "\r\n"),

    /* chunks */
    GOOD("chunk-ext", CHUNKED "3;a=b;c=\"d\"\r\nabc\r\n0;e\r\n\r\n", "abc"),
    GOOD("trailer", CHUNKED "1\r\na\r\n0\r\nX-A: b\r\nC:\r\n\r\n", "a"),
    GOOD("upper-case size", CHUNKED "A\r\n0123456789\r\n0\r\n\r\n",
	"0123456789"),
    GOOD("size of 8 digits", CHUNKED "00000001\r\na\r\n0\r\n\r\n", "a"),
    BAD("size of 9 digits", CHUNKED "000000001\r\na\r\n0\r\n\r\n"),
    BAD("empty size", CHUNKED "\r\nabc\r\n0\r\n\r\n"),
    BAD("size -1", CHUNKED "-1\r\nabc\r\n0\r\n\r\n"),
    BAD("size with a space", CHUNKED "3 \r\nabc\r\n0\r\n\r\n"),
    BAD("size after a space", CHUNKED " 3\r\nabc\r\n0\r\n\r\n"),
    BAD("size then bare LF", CHUNKED "3\nabc\r\n0\r\n\r\n"),
    BAD("size then bare CR", CHUNKED "3\rXabc\r\n0\r\n\r\n"),
    BAD("chunk longer than said", CHUNKED "3\r\nabcd\r\n0\r\n\r\n"),
    BAD("chunk then LF", CHUNKED "3\r\nabc\n0\r\n\r\n"),
    BAD("NUL in chunk-ext", CHUNKED "3;\0\r\nabc\r\n0\r\n\r\n"),
    BAD("trailer folds", CHUNKED "0\r\nX: a\r\n b\r\n\r\n"),
    BAD("trailer without colon", CHUNKED "0\r\nX\r\n\r\n"),
    BAD("trailer without name", CHUNKED "0\r\n: a\r\n\r\n"),
    BAD("trailer with space before colon", CHUNKED "0\r\nX : a\r\n\r\n"),
    BAD("trailer with NUL", CHUNKED "0\r\nX: \0\r\n\r\n"),
    BAD("last chunk then LF", CHUNKED "0\r\n\n"),
    MORE("last chunk without end", CHUNKED "0\r\n"),
    MORE("half a head", "GET / HTTP/1.1\r\nHost: a\r\n"),
    MORE("half a body", POST "Content-Length: 7\r\n\r\nabc"),
};

static void
agree(const char *name, const struct reading *a, const struct reading *b,
    size_t cut)
{
	if (a->result != b->result || a->error != b->error ||
	    a->used != b->used || a->body_n != b->body_n ||
	    memcmp(a->body, b->body, a->body_n) != 0)
		T_FAIL("%s: cut at %zu it reads otherwise", name, cut);
}

static void
check_row(const struct row *r)
{
	static struct reading whole, other;
	struct str in = str_of(r->bytes, r->n);

	read_all(in, in.n, 1, &whole);
	if (whole.result != r->want || whole.error != r->error)
		T_FAIL("%s: result %d error %u, want %d error %u", r->name,
		    (int)whole.result, whole.error, (int)r->want,
		    (unsigned)r->error);
	if (r->body != NULL &&
	    (whole.body_n != strlen(r->body) ||
		memcmp(whole.body, r->body, whole.body_n) != 0))
		T_FAIL("%s: body \"%.*s\"", r->name, (int)whole.body_n,
		    whole.body);
	read_all(in, 1, 1, &other);
	agree(r->name, &whole, &other, 1);
	for (size_t cut = 1; cut < in.n; cut++) {
		read_all(in, cut, in.n, &other);
		agree(r->name, &whole, &other, cut);
	}
}

TEST(hostile_rows)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		check_row(&rows[i]);
}

/* ---- the parts of a good request ---- */

TEST(spans)
{
	static struct http1 p;
	struct str in = STR("POST /a?b=c HTTP/1.1\r\nHost: x:1\r\n"
			    "Accept:  text/html \t\r\nContent-Length: 0\r\n"
			    "Connection: keep-alive, Close\r\n\r\n");

	http1_init(&p);
	T_EQ_INT(http1_head(&p, in), HTTP1_DONE);
	T_EQ_INT(p.at, in.n);
	T_EQ_STR(str_of(in.p + p.method.at, p.method.n), STR("POST"));
	T_EQ_STR(str_of(in.p + p.target.at, p.target.n), STR("/a?b=c"));
	T_EQ_STR(str_of(in.p + p.host.at, p.host.n), STR("x:1"));
	T_EQ_INT(p.fields_n, 4);
	T_EQ_STR(str_of(in.p + p.fields[1].name.at, p.fields[1].name.n),
	    STR("Accept"));
	T_EQ_STR(str_of(in.p + p.fields[1].value.at, p.fields[1].value.n),
	    STR("text/html"));
	T_OK(p.close);
	T_OK(!http1_has_body(&p));
	T_OK(!p.v10);
}

TEST(version_1_0_closes)
{
	static struct reading r;

	read_all(STR("GET / HTTP/1.0\r\n\r\n"), 100, 1, &r);
	T_EQ_INT(r.result, HTTP1_DONE);
	T_OK(r.close);
}

/* ---- limits at n and n + 1 ---- */

static char big[MAX];

static size_t
head_of(size_t n)
{
	static const char first[] = "GET / HTTP/1.1\r\nHost: a\r\nX: ";

	memset(big, 'x', n);
	memcpy(big, first, sizeof first - 1);
	memcpy(big + n - 4, "\r\n\r\n", 4);
	return n;
}

static void
limit(size_t n, enum err_code want)
{
	static struct reading r, one;

	read_all(str_of(big, n), n, 1, &r);
	T_EQ_INT(r.error, want);
	T_EQ_INT(r.result, want == E_OK ? HTTP1_DONE : HTTP1_BAD);
	read_all(str_of(big, n), 1, 1, &one);
	agree("limit", &r, &one, 1);
}

TEST(head_of_16_KiB_and_one_more)
{
	limit(head_of(LIM_HEAD), E_OK);
	limit(head_of(LIM_HEAD + 1), E_HEADERS);
}

TEST(header_of_40_KB)
{
	limit(head_of(MAX), E_HEADERS);
}

static size_t
target_of(size_t n)
{
	static const char rest[] = " HTTP/1.1\r\nHost: a\r\n\r\n";

	memcpy(big, "GET /", 5);
	memset(big + 5, 'x', n - 1);
	memcpy(big + 4 + n, rest, sizeof rest - 1);
	return 4 + n + sizeof rest - 1;
}

TEST(target_of_8_KiB_and_one_more)
{
	limit(target_of(LIM_TARGET), E_OK);
	limit(target_of(LIM_TARGET + 1), E_HEADERS);
}

static size_t
fields_of(size_t n)
{
	static const char first[] = "GET / HTTP/1.1\r\nHost: a\r\n";
	size_t at = sizeof first - 1;

	memcpy(big, first, at);
	for (size_t i = 1; i < n; i++) {
		memcpy(big + at, "x: y\r\n", 6);
		at += 6;
	}
	memcpy(big + at, "\r\n", 2);
	return at + 2;
}

TEST(fields_100_and_one_more)
{
	limit(fields_of(LIM_HEADERS), E_OK);
	limit(fields_of(LIM_HEADERS + 1), E_HEADERS);
}

static size_t
ext_of(size_t n)
{
	static const char first[] = CHUNKED "1;";
	static const char rest[] = "\r\na\r\n0\r\n\r\n";
	size_t at = sizeof first - 1;

	memcpy(big, first, at);
	memset(big + at, 'e', n);
	memcpy(big + at + n, rest, sizeof rest - 1);
	return at + n + sizeof rest - 1;
}

TEST(chunk_extensions_4096_bytes_and_one_more)
{
	limit(ext_of(4096), E_OK);
	limit(ext_of(4097), E_HEADERS);
}

T_MAIN
