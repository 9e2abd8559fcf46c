#include "egress/answer.h"

enum { FIELDS = 100, CHUNK_DIGITS = 8, EARLY = 4, RETRY_S = 86400 };

struct head {
	bool length_given, chunked;
	uint64_t length;
	unsigned types; /* how often Content-Type stood there */
	const struct answer_rules *rules;
	struct answer *ret;
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

static enum web_end
framing(struct str name, struct str value, struct head *h)
{
	if (str_ieq(name, STR("Content-Length"))) {
		if (h->length_given ||
		    !str_u64(value, 0, UINT32_MAX, &h->length))
			return WEB_ANSWER;
		h->length_given = true;
		return h->length > h->rules->body && !h->rules->no_body
		    ? WEB_TOO_BIG
		    : WEB_OK;
	}
	if (str_ieq(name, STR("Transfer-Encoding"))) {
		if (h->chunked || !str_ieq(value, STR("chunked")))
			return WEB_ANSWER;
		h->chunked = true;
	} else if (str_ieq(name, STR("Content-Encoding"))) {
		if (!str_ieq(value, STR("identity")))
			return WEB_ANSWER;
	}
	return WEB_OK;
}

static void
meaning(struct str name, struct str value, struct head *h)
{
	uint64_t s;

	if (str_ieq(name, STR("Content-Type"))) {
		h->types++;
		h->ret->json = is_json(value);
	} else if (str_ieq(name, STR("Retry-After")) &&
	    str_u64(value, 0, RETRY_S, &s)) {
		h->ret->retry_ms = (int64_t)s * 1000;
	}
}

static bool
no_body(int status)
{
	return status < 200 || status == 204 || status == 304;
}

/* Is the head, whole now, one we take? */
static bool
head_right(struct head *h)
{
	if (h->rules->json_only && (h->types != 1 || !h->ret->json))
		return false;
	if (h->types != 1)
		h->ret->json = false;
	if (h->rules->no_body)
		return !(h->chunked && h->length_given);
	if (no_body(h->ret->status))
		return !h->chunked && h->length == 0;
	return h->chunked != h->length_given;
}

static enum web_end
fields(struct str *in, struct head *h, bool *ret_done)
{
	for (unsigned n = 0; n <= FIELDS; n++) {
		struct str line, name, value;
		enum web_end e;

		if (!line_take(in, &line))
			return WEB_OK;
		if (!line_text(line, &line))
			return WEB_ANSWER;
		if (line.n == 0) {
			*ret_done = true;
			return head_right(h) ? WEB_OK : WEB_ANSWER;
		}
		if (!str_cut(line, ':', &name, &value) || !is_token(name))
			return WEB_ANSWER;
		e = framing(name, str_trim(value), h);
		if (e != WEB_OK)
			return e;
		meaning(name, str_trim(value), h);
	}
	return WEB_ANSWER;
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

static enum web_end
chunks(struct str in, size_t max, struct buf *body, bool *ret_done)
{
	for (;;) {
		struct str line;
		uint64_t n;

		/* A size, its line end, and one more digit than allowed. */
		if (!line_take(&in, &line))
			return in.n > CHUNK_DIGITS + 1 ? WEB_ANSWER : WEB_OK;
		if (!line_text(line, &line) || !chunk_size(line, &n))
			return WEB_ANSWER;
		if (n > max - body->n)
			return WEB_TOO_BIG;
		if (n == 0) {
			if (in.n < 2)
				return in.n == 1 && in.p[0] != '\r' ? WEB_ANSWER
								    : WEB_OK;
			*ret_done = str_is(in, "\r\n");
			return *ret_done ? WEB_OK : WEB_ANSWER;
		}
		if (in.n < n + 2)
			return WEB_OK;
		buf_add(body, in.p, n);
		in = str_skip(in, n);
		if (!str_starts(in, STR("\r\n")))
			return WEB_ANSWER;
		in = str_skip(in, 2);
	}
}

static enum web_end
plain(struct str in, uint64_t length, struct buf *body, bool *ret_done)
{
	if (in.n > length)
		return WEB_ANSWER;
	if (in.n < length)
		return WEB_OK;
	buf_str(body, in);
	*ret_done = true;
	return WEB_OK;
}

/* One head; *in is left behind it. */
static enum web_end
head_take(struct str *in, struct head *h, bool *ret_done)
{
	const struct answer_rules *r = h->rules;
	struct str whole = *in, line;
	enum web_end e;

	*ret_done = false;
	if (!line_take(in, &line))
		return in->n > r->head ? WEB_TOO_BIG : WEB_OK;
	if (!line_text(line, &line) || !status_line(line, &h->ret->status) ||
	    (r->json_only && h->ret->status != 200))
		return WEB_ANSWER;
	e = fields(in, h, ret_done);
	if (e != WEB_OK)
		return e;
	return (*ret_done ? whole.n - in->n : whole.n) > r->head ? WEB_TOO_BIG
								 : WEB_OK;
}

size_t
answer_raw(const struct answer_rules *r)
{
	return r->head + 2 * r->body;
}

static bool
is_early(int status)
{
	return status == 100 || status == 103;
}

enum web_end
answer_take(struct str in, const struct answer_rules *rules, struct buf *body,
    bool *ret_done, struct answer *ret)
{
	struct head h;
	bool head;
	enum web_end e;

	*ret_done = false;
	buf_clear(body);
	if (in.n > answer_raw(rules))
		return WEB_TOO_BIG;
	for (unsigned early = 0;; early++) {
		h = (struct head){.rules = rules, .ret = ret};
		e = head_take(&in, &h, &head);
		if (e != WEB_OK || !head)
			return e;
		if (!is_early(ret->status))
			break;
		if (early == EARLY)
			return WEB_ANSWER;
	}
	if (ret->status < 200)
		return WEB_ANSWER;
	if (rules->no_body)
		return plain(in, 0, body, ret_done);
	e = h.chunked ? chunks(in, rules->body, body, ret_done)
		      : plain(in, h.length, body, ret_done);
	if (e == WEB_OK && *ret_done && body->failed)
		return WEB_TOO_BIG;
	return e;
}

/* ---- of an identity provider ---- */

const struct answer_rules answer_idp = {LIM_IDP_HEAD, LIM_IDP_BODY, true,
    false};

enum idp_status
answer_end(enum web_end e)
{
	static const enum idp_status as[] = {[WEB_OK] = IDP_OK,
	    [WEB_DNS] = IDP_DNS,
	    [WEB_ADDRESS] = IDP_ADDRESS,
	    [WEB_CONNECT] = IDP_CONNECT,
	    [WEB_TLS] = IDP_TLS,
	    [WEB_TLS_OLD] = IDP_TLS,
	    [WEB_TIMEOUT] = IDP_TIMEOUT,
	    [WEB_STOPPED] = IDP_TIMEOUT,
	    [WEB_ANSWER] = IDP_HTTP,
	    [WEB_TOO_BIG] = IDP_TOO_BIG};

	return as[e];
}

enum idp_status
answer_read(struct str in, struct buf *body, bool *ret_done, int *ret_status)
{
	struct answer a = {.status = *ret_status};
	enum web_end e = answer_take(in, &answer_idp, body, ret_done, &a);

	*ret_status = a.status;
	return answer_end(e);
}
