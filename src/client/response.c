#include "client/response.h"

#include "base/limits.h"

enum {
	INTERIM_MAX = 8,    /* 1xx answers before the real one */
	SIZE_LINE = 256,    /* a chunk's size and its extensions */
	SIZE_DIGITS = 15,   /* hex digits of a chunk's size: below 2^60 */
	HEAD_MIN_LINE = 12, /* "HTTP/1.1 200" */
};

/* What the framing fields of a head said. */
struct framing {
	bool sized, chunked, close;
	uint64_t size;
};

void
response_init(struct response *w, struct arena *a)
{
	memset(w, 0, sizeof *w);
	w->arena = a;
	buf_init_on(&w->line, a, LIM_HEAD);
}

static err
broken(struct trail *t, const char *what)
{
	trail_set(t, "the server's answer is malformed: %s", what);
	return err_of(E_PEER);
}

static bool
is_token(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z') ||
	    (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool
is_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_token((unsigned char)s.p[i]))
			return false;
	return s.n > 0;
}

/* Controls (tab excepted) must not reach whoever prints the value. */
static bool
is_value(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

/* "HTTP/1.1 200 OK"; the reason may be empty or missing. */
static err
status_line(struct response *w, struct str line, struct trail *t)
{
	uint64_t status;

	if (line.n < HEAD_MIN_LINE || !str_starts(line, STR("HTTP/1.1 ")))
		return broken(t, "no HTTP/1.1 status line");
	if (!str_u64(str_of(line.p + 9, 3), 100, 599, &status))
		return broken(t, "bad status");
	if (line.n > HEAD_MIN_LINE && line.p[HEAD_MIN_LINE] != ' ')
		return broken(t, "bad status line");
	if (!is_value(line))
		return broken(t, "a control character in the status line");
	w->status = (int)status;
	return OK;
}

static struct str
media_type(struct arena *a, struct str value)
{
	struct str type, rest;
	char *p;

	(void)str_cut(value, ';', &type, &rest);
	type = arena_dup(a, str_trim(type));
	p = (char *)(uintptr_t)type.p; /* our own copy */
	for (size_t i = 0; i < type.n; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] = (char)(p[i] | 0x20);
	return type;
}

static err
framing_field(struct framing *f, struct str name, struct str value,
    struct trail *t)
{
	if (str_ieq(name, STR("content-length"))) {
		if (f->sized)
			return broken(t, "two lengths");
		if (!str_u64(value, 0, INT64_MAX, &f->size))
			return broken(t, "bad length");
		f->sized = true;
	} else if (str_ieq(name, STR("transfer-encoding"))) {
		if (f->chunked || !str_ieq(value, STR("chunked")))
			return broken(t, "unknown transfer coding");
		f->chunked = true;
	} else if (str_ieq(name, STR("content-encoding"))) {
		if (!str_ieq(value, STR("identity")))
			return broken(t, "a content coding nobody asked for");
	} else if (str_ieq(name, STR("connection"))) {
		f->close = f->close || str_ifind(value, STR("close"));
	}
	return OK;
}

static err
field(struct response *w, struct framing *f, struct str line, struct trail *t)
{
	struct str name, value;

	if (!str_cut(line, ':', &name, &value) || !is_name(name))
		return broken(t, "bad header field");
	value = str_trim(value);
	if (!is_value(value))
		return broken(t, "a control character in a header field");
	if (str_ieq(name, STR("content-type")))
		w->type = media_type(w->arena, value);
	else if (str_ieq(name, STR("etag")))
		w->etag = arena_dup(w->arena, value);
	else if (str_ieq(name, STR("x-request-id")))
		w->request_id = arena_dup(w->arena, value);
	else if (str_ieq(name, STR("retry-after")))
		w->retry_after = arena_dup(w->arena, value);
	return framing_field(f, name, value, t);
}

static err
frame(struct response *w, const struct framing *f, struct trail *t)
{
	bool bodiless = w->status == 204 || w->status == 304;

	if (f->sized && f->chunked)
		return broken(t, "a length and chunks");
	w->keep = !f->close;
	w->left = f->size;
	if (bodiless) {
		if (f->chunked || (f->sized && f->size != 0))
			return broken(t, "a body where none can be");
		w->state = RESPONSE_IN_END;
	} else if (f->chunked) {
		w->state = RESPONSE_IN_SIZE;
	} else if (f->sized) {
		w->state = f->size == 0 ? RESPONSE_IN_END : RESPONSE_IN_BODY;
	} else {
		w->state = RESPONSE_IN_CLOSE;
		w->keep = false;
	}
	return OK;
}

/* The head is complete, without its last empty line. */
static err
head(struct response *w, struct trail *t)
{
	struct str rest = buf_view(&w->line), line;
	struct framing f = {0};
	unsigned fields = 0;

	rest.n -= 2; /* the empty line; each line now ends in \r\n */
	for (bool first = true; rest.n > 0; first = false) {
		if (!str_cut(rest, '\n', &line, &rest) ||
		    !str_ends(line, STR("\r")))
			return broken(t, "a line without CRLF");
		line.n--;
		if (first) {
			TRY(status_line(w, line, t));
			continue;
		}
		if (++fields > LIM_HEADERS)
			return broken(t, "too many header fields");
		TRY(field(w, &f, line, t));
	}
	TRY(arena_check(w->arena));
	buf_clear(&w->line);
	if (w->status >= 200)
		return frame(w, &f, t);
	if (w->status == 101 || f.sized || f.chunked ||
	    ++w->interim > INTERIM_MAX)
		return broken(t, "an unexpected interim answer");
	w->status = 0;
	return OK;
}

/* Copy from *in up to and with a line feed; true when one was there. */
static err
take_line(struct response *w, struct str *in, size_t max, bool *ret_whole,
    struct trail *t)
{
	const char *at = in->n == 0 ? NULL : memchr(in->p, '\n', in->n);
	size_t n = at == NULL ? in->n : (size_t)(at - in->p) + 1;

	*ret_whole = false;
	if (n > max - w->line.n)
		return broken(t, "a line or head that is too long");
	buf_str(&w->line, str_head(*in, n));
	TRY(buf_check(&w->line));
	*in = str_skip(*in, n);
	*ret_whole = at != NULL;
	return OK;
}

static err
step_head(struct response *w, struct str *in, enum response_step *ret,
    struct trail *t)
{
	bool whole;

	while (in->n > 0) {
		TRY(take_line(w, in, LIM_HEAD, &whole, t));
		if (!whole || !str_ends(buf_view(&w->line), STR("\n\r\n")))
			continue;
		TRY(head(w, t));
		if (w->status != 0) {
			*ret = RESPONSE_HEAD;
			return OK;
		}
	}
	*ret = RESPONSE_MORE;
	return OK;
}

static bool
chunk_size(struct str line, uint64_t *ret)
{
	struct str digits, rest;
	uint64_t v = 0;

	(void)str_cut(line, ';', &digits, &rest);
	digits = str_trim(digits);
	if (digits.n == 0 || digits.n > SIZE_DIGITS)
		return false;
	for (size_t i = 0; i < digits.n; i++) {
		char c = digits.p[i];
		unsigned d;

		if (c >= '0' && c <= '9')
			d = (unsigned)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			d = (unsigned)((c | 0x20) - 'a') + 10;
		else
			return false;
		v = v << 4 | d;
	}
	*ret = v;
	return true;
}

/* A whole line of the chunked framing, without its CRLF. */
static err
chunk_line(struct response *w, struct str line, struct trail *t)
{
	switch (w->state) {
	case RESPONSE_IN_SIZE:
		if (!is_value(line) || !chunk_size(line, &w->left))
			return broken(t, "bad chunk size");
		w->state =
		    w->left == 0 ? RESPONSE_IN_TRAILER : RESPONSE_IN_CHUNK;
		return OK;
	case RESPONSE_IN_CRLF:
		if (line.n != 0)
			return broken(t, "a chunk longer than its size");
		w->state = RESPONSE_IN_SIZE;
		return OK;
	default:
		if (line.n > LIM_HEAD - w->trailer)
			return broken(t, "a trailer that is too long");
		w->trailer += line.n;
		if (line.n == 0)
			w->state = RESPONSE_IN_END;
		return OK;
	}
}

static err
step_line(struct response *w, struct str *in, struct trail *t)
{
	size_t max = w->state == RESPONSE_IN_TRAILER ? LIM_HEAD : SIZE_LINE;
	struct str line;
	bool whole;

	TRY(take_line(w, in, max, &whole, t));
	line = buf_view(&w->line);
	if (w->state == RESPONSE_IN_CRLF && !str_starts(STR("\r\n"), line))
		return broken(t, "a chunk longer than its size");
	if (!whole)
		return OK;
	if (!str_ends(line, STR("\r\n")))
		return broken(t, "a line without CRLF");
	line.n -= 2;
	TRY(chunk_line(w, line, t));
	buf_clear(&w->line);
	return OK;
}

static void
step_bytes(struct response *w, struct str *in, struct str *ret_piece)
{
	size_t n = in->n;

	if (w->state != RESPONSE_IN_CLOSE && n > w->left)
		n = (size_t)w->left;
	*ret_piece = str_head(*in, n);
	*in = str_skip(*in, n);
	if (w->state == RESPONSE_IN_CLOSE)
		return;
	w->left -= n;
	if (w->left == 0)
		w->state = w->state == RESPONSE_IN_CHUNK ? RESPONSE_IN_CRLF
							 : RESPONSE_IN_END;
}

err
response_step(struct response *w, struct str *in, struct str *ret_piece,
    enum response_step *ret, struct trail *t)
{
	*ret_piece = STR_NONE;
	if (w->state == RESPONSE_IN_HEAD)
		return step_head(w, in, ret, t);
	while (w->state != RESPONSE_IN_END && in->n > 0) {
		if (w->state == RESPONSE_IN_BODY ||
		    w->state == RESPONSE_IN_CHUNK ||
		    w->state == RESPONSE_IN_CLOSE) {
			step_bytes(w, in, ret_piece);
			*ret = RESPONSE_PIECE;
			return OK;
		}
		TRY(step_line(w, in, t));
	}
	*ret = w->state == RESPONSE_IN_END ? RESPONSE_END : RESPONSE_MORE;
	return OK;
}

err
response_close(struct response *w, bool proper, struct trail *t)
{
	if (w->state == RESPONSE_IN_CLOSE && proper)
		w->state = RESPONSE_IN_END;
	if (w->state == RESPONSE_IN_END)
		return OK;
	trail_set(t, "the server closed the connection %s its answer",
	    w->status == 0 ? "before" : "in the middle of");
	return err_of(E_UNAVAILABLE);
}
