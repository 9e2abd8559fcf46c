#include "egress/answer.h"

enum { FIELDS = 100, CHUNK_DIGITS = 8 };

struct head {
	bool length_given, chunked, json;
	uint64_t length;
	unsigned types; /* how often Content-Type stood there */
};

/* A line up to CR LF; false: it has not come whole. */
static bool
line_take(struct str *in, struct str *ret)
{
	const char *lf = in->n == 0 ? NULL : memchr(in->p, '\n', in->n);
	size_t n;

	if (lf == NULL)
		return false;
	n = (size_t)(lf - in->p);
	*ret = str_head(*in, n);
	*in = str_skip(*in, n + 1);
	return true;
}

/* Its text; false: the line feed came alone, or something in it may not. */
static bool
line_text(struct str line, struct str *ret)
{
	if (line.n == 0 || line.p[line.n - 1] != '\r')
		return false;
	*ret = str_head(line, line.n - 1);
	for (size_t i = 0; i < ret->n; i++) {
		unsigned char c = (unsigned char)ret->p[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static bool
status_line(struct str s, int *ret)
{
	static const struct str version = {"HTTP/1.1 ", 9};
	uint64_t v;

	if (!str_starts(s, version) || s.n < version.n + 3 ||
	    !str_u64(str_of(s.p + version.n, 3), 100, 599, &v))
		return false;
	*ret = (int)v;
	return s.n == version.n + 3 || s.p[version.n + 3] == ' ';
}

static bool
is_token(struct str s)
{
	static const char extra[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') ||
			memchr(extra, c, sizeof extra - 1) != NULL))
			return false;
	}
	return s.n > 0;
}

static bool
is_json(struct str value)
{
	struct str type, rest;

	str_cut(value, ';', &type, &rest);
	type = str_trim(type);
	if (str_ieq(type, STR("application/json")))
		return true;
	return type.n > 17 &&
	    str_ieq(str_head(type, 12), STR("application/")) &&
	    str_ieq(str_skip(type, type.n - 5), STR("+json"));
}

static enum idp_status
field(struct str name, struct str value, struct head *h)
{
	if (str_ieq(name, STR("Content-Length"))) {
		if (h->length_given ||
		    !str_u64(value, 0, UINT32_MAX, &h->length))
			return IDP_HTTP;
		h->length_given = true;
		return h->length > LIM_IDP_BODY ? IDP_TOO_BIG : IDP_OK;
	}
	if (str_ieq(name, STR("Transfer-Encoding"))) {
		if (h->chunked || !str_ieq(value, STR("chunked")))
			return IDP_HTTP;
		h->chunked = true;
	} else if (str_ieq(name, STR("Content-Encoding"))) {
		if (!str_ieq(value, STR("identity")))
			return IDP_HTTP;
	} else if (str_ieq(name, STR("Content-Type"))) {
		h->types++;
		h->json = is_json(value);
	}
	return IDP_OK;
}

static enum idp_status
fields(struct str *in, struct head *h, bool *ret_done)
{
	for (unsigned n = 0; n <= FIELDS; n++) {
		struct str line, name, value;
		enum idp_status s;

		if (!line_take(in, &line))
			return IDP_OK;
		if (!line_text(line, &line))
			return IDP_HTTP;
		if (line.n == 0) {
			*ret_done = true;
			return h->types == 1 && h->json &&
				h->chunked != h->length_given
			    ? IDP_OK
			    : IDP_HTTP;
		}
		if (!str_cut(line, ':', &name, &value) || !is_token(name))
			return IDP_HTTP;
		s = field(name, str_trim(value), h);
		if (s != IDP_OK)
			return s;
	}
	return IDP_HTTP;
}

static bool
chunk_size(struct str s, uint64_t *ret)
{
	uint64_t v = 0;

	if (s.n == 0 || s.n > CHUNK_DIGITS)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		unsigned d = c >= '0' && c <= '9' ? (unsigned)(c - '0')
		    : c >= 'a' && c <= 'f'	  ? (unsigned)(c - 'a') + 10
		    : c >= 'A' && c <= 'F'	  ? (unsigned)(c - 'A') + 10
						  : 16;

		if (d == 16)
			return false;
		v = v << 4 | d;
	}
	*ret = v;
	return true;
}

static enum idp_status
chunks(struct str in, struct buf *body, bool *ret_done)
{
	for (;;) {
		struct str line;
		uint64_t n;

		/* A size, its line end, and one more digit than allowed. */
		if (!line_take(&in, &line))
			return in.n > CHUNK_DIGITS + 1 ? IDP_HTTP : IDP_OK;
		if (!line_text(line, &line) || !chunk_size(line, &n))
			return IDP_HTTP;
		if (n > LIM_IDP_BODY - body->n)
			return IDP_TOO_BIG;
		if (n == 0) {
			if (in.n < 2)
				return in.n == 1 && in.p[0] != '\r' ? IDP_HTTP
								    : IDP_OK;
			*ret_done = str_is(in, "\r\n");
			return *ret_done ? IDP_OK : IDP_HTTP;
		}
		if (in.n < n + 2)
			return IDP_OK;
		buf_add(body, in.p, n);
		in = str_skip(in, n);
		if (!str_starts(in, STR("\r\n")))
			return IDP_HTTP;
		in = str_skip(in, 2);
	}
}

static enum idp_status
plain(struct str in, uint64_t length, struct buf *body, bool *ret_done)
{
	if (in.n > length)
		return IDP_HTTP;
	if (in.n < length)
		return IDP_OK;
	buf_str(body, in);
	*ret_done = true;
	return IDP_OK;
}

enum idp_status
answer_read(struct str in, struct buf *body, bool *ret_done, int *ret_status)
{
	struct str whole = in, line;
	struct head h = {0};
	bool head = false;
	enum idp_status s;

	*ret_done = false;
	buf_clear(body);
	if (in.n > ANSWER_RAW)
		return IDP_TOO_BIG;
	if (!line_take(&in, &line))
		return in.n > LIM_IDP_HEAD ? IDP_TOO_BIG : IDP_OK;
	if (!line_text(line, &line) || !status_line(line, ret_status) ||
	    *ret_status != 200)
		return IDP_HTTP;
	s = fields(&in, &h, &head);
	if (s != IDP_OK)
		return s;
	if ((head ? whole.n - in.n : whole.n) > LIM_IDP_HEAD)
		return IDP_TOO_BIG;
	if (!head)
		return IDP_OK;
	s = h.chunked ? chunks(in, body, ret_done)
		      : plain(in, h.length, body, ret_done);
	if (s == IDP_OK && *ret_done && body->failed)
		return IDP_TOO_BIG;
	return s;
}
