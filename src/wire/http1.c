#include "wire/http1.h"

/*
 * Classes of a byte.  TOKEN: RFC 9110 tchar.  URI: what RFC 3986 allows in a
 * path or query, and the square brackets everybody sends.  HOST: what a host
 * and port may be made of.  VALUE: a field value's visible bytes and blanks.
 */
enum { TOKEN = 1, URI = 2, HOST = 4, VALUE = 8, HEX = 16 };

/* Which class each printable byte has; the table below is made of it. */
#define EVERY (TOKEN | URI | HOST | VALUE)
#define HOSTLY (URI | HOST | VALUE)
#define N1(c, v) [(c)] = (v)
#define N2(c, v) N1(c, v), N1((c) + 1, v)
#define N4(c, v) N2(c, v), N2((c) + 2, v)
#define N6(c, v) N4(c, v), N2((c) + 4, v)
#define N10(c, v) N6(c, v), N4((c) + 6, v)
#define N20(c, v) N10(c, v), N10((c) + 10, v)
#define N64(c, v) N20(c, v), N20((c) + 20, v), N20((c) + 40, v), N4((c) + 60, v)

static const uint8_t class_of[256] = {
    N1('\t', VALUE),
    N1(' ', VALUE),
    N1('!', EVERY),
    N1('"', VALUE),
    N1('#', TOKEN | VALUE),
    N4('$', EVERY),
    N2('(', HOSTLY),
    N2('*', EVERY),
    N1(',', HOSTLY),
    N2('-', EVERY),
    N1('/', URI | VALUE),
    N10('0', EVERY | HEX),
    N2(':', HOSTLY),
    N1('<', VALUE),
    N1('=', HOSTLY),
    N1('>', VALUE),
    N2('?', URI | VALUE),
    N6('A', EVERY | HEX),
    N20('G', EVERY),
    N1('[', HOSTLY),
    N1('\\', VALUE),
    N1(']', HOSTLY),
    N1('^', TOKEN | VALUE),
    N1('_', EVERY),
    N1('`', TOKEN | VALUE),
    N6('a', EVERY | HEX),
    N20('g', EVERY),
    N1('{', VALUE),
    N1('|', TOKEN | VALUE),
    N1('}', VALUE),
    N1('~', EVERY),
    N64(0x80, VALUE),
    N64(0xc0, VALUE),
};

static bool
is(char c, int class)
{
	return (class_of[(unsigned char)c] & class) != 0;
}

static bool
all(struct str s, int class)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!is(s.p[i], class))
			return false;
	}
	return s.n > 0;
}

bool
http_token(struct str s)
{
	return all(s, TOKEN);
}

bool
http_host(struct str s)
{
	return all(s, HOST);
}

bool
http_target(struct str s)
{
	return all(s, URI);
}

enum state {
	S_START,
	S_START_LF, /* the one empty line a client may send first */
	S_FIRST,
	S_METHOD,
	S_TARGET,
	S_VERSION,
	S_VERSION_DIGIT,
	S_VERSION_CR,
	S_LINE_LF,
	S_FIELD,
	S_NAME,
	S_BLANK,
	S_VALUE,
	S_VALUE_LF,
	S_END_LF,
	S_HEAD_DONE,
	/* the body */
	S_LENGTH,
	S_SIZE_FIRST,
	S_SIZE,
	S_EXT,
	S_SIZE_LF,
	S_DATA,
	S_DATA_CR,
	S_DATA_LF,
	S_TRAILER,
	S_TRAILER_NAME,
	S_TRAILER_VALUE,
	S_TRAILER_LF,
	S_LAST_LF,
	S_BODY_DONE,
	S_BAD,
};

enum { METHOD_MAX = 20, SIZE_DIGITS = 8, EXTRA_MAX = 4096 };

void
http1_init(struct http1 *p)
{
	memset(p, 0, offsetof(struct http1, fields));
}

static void
bad(struct http1 *p, enum err_code e, const char *why)
{
	if (p->state == S_BAD)
		return;
	p->state = S_BAD;
	p->error = (uint16_t)e;
	p->why = why;
}

static void
malformed(struct http1 *p, const char *why)
{
	bad(p, E_BAD_REQUEST, why);
}

static struct http1_span
span(const struct http1 *p)
{
	return (struct http1_span){p->mark, (uint16_t)(p->at - p->mark)};
}

static struct str
text(const char *b, struct http1_span s)
{
	return str_of(b + s.at, s.n);
}

/* Move over bytes of a class, to `end` at most. */
static void
pass(struct http1 *p, const char *b, size_t end, int class)
{
	size_t at = p->at;

	while (at < end && is(b[at], class))
		at++;
	p->at = (uint16_t)at;
}

/* ---- what the fields mean for framing ---- */

static void
field_host(struct http1 *p, const char *b, struct http1_span s)
{
	if (p->has_host)
		malformed(p, "more than one Host field");
	else if (!http_host(text(b, s)))
		malformed(p, "the Host field is not a host");
	p->has_host = true;
	p->host = s;
}

static void
field_length(struct http1 *p, struct str v)
{
	if (p->has_length)
		malformed(p, "more than one Content-Length field");
	else if (!str_u64(v, 0, INT64_MAX, &p->left))
		malformed(p, "the Content-Length field is not a number");
	else if (p->chunked)
		malformed(p, "both Content-Length and Transfer-Encoding");
	p->has_length = true;
}

/* RFC 9112 6.1: chunked must stand last, or the length is a guess. */
static void
field_coding(struct http1 *p, struct str v)
{
	struct str last = v;

	if (p->chunked)
		malformed(p, "more than one Transfer-Encoding field");
	else if (p->has_length)
		malformed(p, "both Content-Length and Transfer-Encoding");
	else if (p->v10)
		malformed(p, "Transfer-Encoding in HTTP/1.0");
	p->chunked = true;
	if (str_ieq(v, STR("chunked")))
		return;
	while (str_cut(last, ',', &v, &last))
		;
	if (str_ieq(str_trim(v), STR("chunked")))
		bad(p, E_NOT_IMPLEMENTED, "only the chunked coding is known");
	else
		malformed(p, "chunked is not the last transfer coding");
}

static void
field_connection(struct http1 *p, struct str v)
{
	struct str item, rest = v;
	bool more;

	do {
		more = str_cut(rest, ',', &item, &rest);
		if (str_ieq(str_trim(item), STR("close")))
			p->close = true;
	} while (more);
}

static void
field_expect(struct http1 *p, struct str v)
{
	if (!str_ieq(v, STR("100-continue")))
		malformed(p, "the Expect field asks for the unknown");
	p->expect = !p->v10;
}

static void
field_done(struct http1 *p, const char *b, struct http1_span value)
{
	struct http1_field *f;
	struct str name, v = text(b, value);

	while (v.n > 0 && (v.p[v.n - 1] == ' ' || v.p[v.n - 1] == '\t'))
		v.n--;
	value.n = (uint16_t)v.n;
	f = &p->fields[p->fields_n++];
	f->value = value;
	if (memchr(v.p, '\t', v.n) != NULL)
		p->tabs = true;
	name = text(b, f->name);
	if (name.n == 4 && str_ieq(name, STR("host")))
		field_host(p, b, value);
	else if (name.n == 6 && str_ieq(name, STR("expect")))
		field_expect(p, v);
	else if (name.n == 10 && str_ieq(name, STR("connection")))
		field_connection(p, v);
	else if (name.n == 14 && str_ieq(name, STR("content-length")))
		field_length(p, v);
	else if (name.n == 17 && str_ieq(name, STR("transfer-encoding")))
		field_coding(p, v);
}

static void
head_done(struct http1 *p)
{
	p->state = S_HEAD_DONE;
	if (!p->has_host && !p->v10)
		malformed(p, "no Host field");
}

/* ---- the head, byte by byte; each step takes at least one byte ---- */

static void
expect_byte(struct http1 *p, char got, char want, enum state next)
{
	if (got != want) {
		malformed(p,
		    want == '\n' ? "a line does not end with CRLF"
				 : "unexpected byte in a line");
		return;
	}
	p->at++;
	p->state = (uint8_t)next;
}

static void
step_start(struct http1 *p, char c)
{
	if (p->state == S_START && c == '\r') {
		p->at++;
		p->state = S_START_LF;
	} else if (is(c, TOKEN)) {
		p->mark = p->at;
		p->state = S_METHOD;
	} else {
		malformed(p, "the request line has no method");
	}
}

static void
step_method(struct http1 *p, const char *b, size_t end)
{
	size_t most = (size_t)p->mark + METHOD_MAX + 1;

	pass(p, b, end < most ? end : most, TOKEN);
	if (p->at == most) {
		malformed(p, "the method is too long");
		return;
	}
	if (p->at == end)
		return;
	if (b[p->at] != ' ') {
		malformed(p, "the method is not a token");
		return;
	}
	p->method = span(p);
	p->mark = ++p->at;
	p->state = S_TARGET;
}

static void
step_target(struct http1 *p, const char *b, size_t end)
{
	size_t most = (size_t)p->mark + LIM_TARGET + 1;

	pass(p, b, end < most ? end : most, URI);
	if (p->at == most) {
		bad(p, E_HEADERS, "the request target is too long");
		return;
	}
	if (p->at == end)
		return;
	if (b[p->at] != ' ' || p->at == p->mark) {
		malformed(p,
		    b[p->at] == '\r' ? "the request line has no version"
				     : "the request target holds a "
				       "byte it must not");
		return;
	}
	p->target = span(p);
	p->at++;
	p->matched = 0;
	p->state = S_VERSION;
}

static void
step_version(struct http1 *p, char c)
{
	static const char want[] = "HTTP/1.";

	if (c != want[p->matched]) {
		malformed(p, "the version is not HTTP/1.1 or HTTP/1.0");
		return;
	}
	p->at++;
	if (want[++p->matched] == '\0')
		p->state = S_VERSION_DIGIT;
}

static void
step_digit(struct http1 *p, char c)
{
	if (c != '0' && c != '1') {
		malformed(p, "the version is not HTTP/1.1 or HTTP/1.0");
		return;
	}
	p->v10 = p->close = c == '0';
	p->at++;
	p->state = S_VERSION_CR;
}

static void
step_field(struct http1 *p, char c)
{
	if (c == '\r') {
		p->at++;
		p->state = S_END_LF;
	} else if (c == ' ' || c == '\t') {
		malformed(p, "a folded header line");
	} else if (!is(c, TOKEN)) {
		malformed(p, "a header line has no name");
	} else if (p->fields_n == LIM_HEADERS) {
		bad(p, E_HEADERS, "too many header fields");
	} else {
		p->mark = p->at;
		p->state = S_NAME;
	}
}

static void
step_name(struct http1 *p, const char *b, size_t end)
{
	pass(p, b, end, TOKEN);
	if (p->at == end)
		return;
	if (b[p->at] != ':') {
		malformed(p, "a header name holds a byte it must not");
		return;
	}
	p->fields[p->fields_n].name = span(p);
	p->at++;
	p->state = S_BLANK;
}

static void
step_blank(struct http1 *p, const char *b, size_t end)
{
	size_t at = p->at;

	while (at < end && (b[at] == ' ' || b[at] == '\t'))
		at++;
	p->at = (uint16_t)at;
	if (at == end)
		return;
	p->mark = p->at;
	p->state = S_VALUE;
}

static void
step_value(struct http1 *p, const char *b, size_t end)
{
	pass(p, b, end, VALUE);
	if (p->at == end)
		return;
	if (b[p->at] != '\r') {
		malformed(p, "a header value holds a byte it must not");
		return;
	}
	/* its meaning is looked at when the line is known to end here */
	p->at++;
	p->state = S_VALUE_LF;
}

static void
step_value_lf(struct http1 *p, const char *b)
{
	struct http1_span value = {p->mark, (uint16_t)(p->at - 1 - p->mark)};

	expect_byte(p, b[p->at], '\n', S_FIELD);
	if (p->state == S_FIELD)
		field_done(p, b, value);
}

static void
step(struct http1 *p, const char *b, size_t end)
{
	char c = b[p->at];

	switch ((enum state)p->state) {
	case S_START:
	case S_FIRST:
		step_start(p, c);
		break;
	case S_START_LF:
		expect_byte(p, c, '\n', S_FIRST);
		break;
	case S_METHOD:
		step_method(p, b, end);
		break;
	case S_TARGET:
		step_target(p, b, end);
		break;
	case S_VERSION:
		step_version(p, c);
		break;
	case S_VERSION_DIGIT:
		step_digit(p, c);
		break;
	case S_VERSION_CR:
		expect_byte(p, c, '\r', S_LINE_LF);
		break;
	case S_LINE_LF:
		expect_byte(p, c, '\n', S_FIELD);
		break;
	case S_FIELD:
		step_field(p, c);
		break;
	case S_NAME:
		step_name(p, b, end);
		break;
	case S_BLANK:
		step_blank(p, b, end);
		break;
	case S_VALUE:
		step_value(p, b, end);
		break;
	case S_VALUE_LF:
		step_value_lf(p, b);
		break;
	case S_END_LF:
		expect_byte(p, c, '\n', S_HEAD_DONE);
		if (p->state == S_HEAD_DONE)
			head_done(p);
		break;
	default:
		bad(p, E_INTERNAL, "the head is over");
		break;
	}
}

enum http1_result
http1_head(struct http1 *p, struct str in)
{
	size_t end = in.n < LIM_HEAD ? in.n : LIM_HEAD;

	while (p->at < end && p->state < S_HEAD_DONE)
		step(p, in.p, end);
	if (p->state < S_HEAD_DONE && p->at == LIM_HEAD)
		bad(p, E_HEADERS, "the request head is too large");
	if (p->state == S_BAD)
		return HTTP1_BAD;
	if (p->state < S_HEAD_DONE)
		return HTTP1_MORE;
	return HTTP1_DONE;
}

/* ---- the body ---- */

static enum state
after_byte(struct http1 *p, char got, char want, enum state next)
{
	if (got != want) {
		malformed(p, "the chunked body is malformed");
		return S_BAD;
	}
	return next;
}

static unsigned
hex_value(char c)
{
	return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 32) - 'a' + 10);
}

static void
chunk_size(struct http1 *p, char c)
{
	if (is(c, HEX)) {
		if (p->matched == SIZE_DIGITS) {
			malformed(p, "a chunk size is too large");
			return;
		}
		p->matched++;
		p->left = p->left << 4 | hex_value(c);
		p->state = S_SIZE;
	} else if (p->state == S_SIZE && c == '\r') {
		p->state = S_SIZE_LF;
	} else if (p->state == S_SIZE && c == ';') {
		p->state = S_EXT;
	} else {
		malformed(p, "a chunk size is not a number");
	}
}

/* Extensions and trailers are allowed, ignored and bounded. */
static void
extra(struct http1 *p, char c, enum state next)
{
	if (c == '\r')
		p->state = (uint8_t)next;
	else if (!is(c, VALUE))
		malformed(p, "the chunked body is malformed");
	else if (p->extra++ == EXTRA_MAX)
		bad(p, E_HEADERS, "too many chunk extensions or trailers");
}

static void
trailer_name(struct http1 *p, char c)
{
	if (p->state == S_TRAILER && c == '\r')
		p->state = S_LAST_LF;
	else if (p->state == S_TRAILER_NAME && c == ':')
		p->state = S_TRAILER_VALUE;
	else if (!is(c, TOKEN))
		malformed(p, "a trailer is malformed");
	else if (p->extra++ == EXTRA_MAX)
		bad(p, E_HEADERS, "too many chunk extensions or trailers");
	else
		p->state = S_TRAILER_NAME;
}

static void
chunk_begin(struct http1 *p)
{
	p->left = 0;
	p->matched = 0;
	p->state = S_SIZE_FIRST;
}

static void
chunk_step(struct http1 *p, char c)
{
	switch ((enum state)p->state) {
	case S_SIZE_FIRST:
	case S_SIZE:
		chunk_size(p, c);
		break;
	case S_EXT:
		extra(p, c, S_SIZE_LF);
		break;
	case S_SIZE_LF:
		p->state = (uint8_t)after_byte(p, c, '\n',
		    p->left == 0 ? S_TRAILER : S_DATA);
		break;
	case S_DATA_CR:
		p->state = (uint8_t)after_byte(p, c, '\r', S_DATA_LF);
		break;
	case S_DATA_LF:
		if (after_byte(p, c, '\n', S_SIZE_FIRST) != S_BAD)
			chunk_begin(p);
		break;
	case S_TRAILER:
	case S_TRAILER_NAME:
		trailer_name(p, c);
		break;
	case S_TRAILER_VALUE:
		extra(p, c, S_TRAILER_LF);
		break;
	case S_TRAILER_LF:
		p->state = (uint8_t)after_byte(p, c, '\n', S_TRAILER);
		break;
	case S_LAST_LF:
		p->state = (uint8_t)after_byte(p, c, '\n', S_BODY_DONE);
		break;
	default:
		bad(p, E_INTERNAL, "the body is over");
		break;
	}
}

/* A run of content: up to what is left of the body or the chunk. */
static struct str
content(struct http1 *p, struct str *in)
{
	struct str piece =
	    str_head(*in, p->left < in->n ? (size_t)p->left : in->n);

	p->left -= piece.n;
	*in = str_skip(*in, piece.n);
	if (p->left == 0)
		p->state = p->state == S_LENGTH ? S_BODY_DONE : S_DATA_CR;
	return piece;
}

enum http1_result
http1_body(struct http1 *p, struct str *in, struct str *ret_piece)
{
	*ret_piece = str_of(in->p, 0);
	if (p->state == S_HEAD_DONE && p->chunked)
		chunk_begin(p);
	else if (p->state == S_HEAD_DONE)
		p->state = p->left == 0 ? S_BODY_DONE : S_LENGTH;
	while (in->n > 0 && p->state < S_BODY_DONE) {
		if (p->state == S_LENGTH || p->state == S_DATA) {
			*ret_piece = content(p, in);
			break;
		}
		chunk_step(p, in->p[0]);
		if (p->state == S_BAD)
			break;
		*in = str_skip(*in, 1);
	}
	if (p->state == S_BAD)
		return HTTP1_BAD;
	return p->state == S_BODY_DONE ? HTTP1_DONE : HTTP1_MORE;
}
