/* The head of an HTTP/2 request: pseudo fields, fields, what they may be. */
#include "wire/http2.h"

static bool
field_room(struct exchange *x)
{
	size_t cap = x->fields_cap == 0 ? 16 : x->fields_cap * 2;
	struct header *f;

	if (x->fields_n < x->fields_cap)
		return true;
	f = arena_array(&x->arena, cap, sizeof *f);
	if (f == NULL)
		return false;
	if (x->fields_n > 0)
		memcpy(f, x->fields, x->fields_n * sizeof *f);
	x->fields = f;
	x->fields_cap = cap;
	return true;
}

void
h2_head_fail(struct exchange *x, enum err_code e, const char *why)
{
	if (x->head_why != NULL)
		return;
	x->head_error = e;
	x->head_why = why;
}

static struct str
value_take(struct exchange *x, struct str v)
{
	struct str copy = arena_dup(&x->arena, str_trim(v));
	char *p = x->arena.failed ? NULL : (char *)(uintptr_t)copy.p;

	for (size_t i = 0; p != NULL && i < copy.n; i++) {
		unsigned char c = (unsigned char)p[i];

		if (c == '\t')
			p[i] = ' ';
		else if (c < ' ' || c == 0x7f)
			h2_head_fail(x, E_BAD_REQUEST,
			    "a header value holds a byte it must not");
	}
	return copy;
}

static void
pseudo(struct exchange *x, struct str name, struct str v)
{
	struct http_request *q = &x->req;

	if (str_is(name, ":method")) {
		q->method = http_method_of(v);
		x->head_only = q->method == HTTP_HEAD;
	} else if (str_is(name, ":path")) {
		q->target = v;
		if (v.n > LIM_TARGET)
			h2_head_fail(x, E_HEADERS,
			    "the request target is too long");
	} else if (str_is(name, ":authority")) {
		q->host = v;
	} else if (!str_is(name, ":scheme") || !str_is(v, "https")) {
		h2_head_fail(x, E_BAD_REQUEST, "the scheme is not https");
	}
}

void
h2_field_add(struct exchange *x, struct str name, struct str value)
{
	if (name.n > LIM_HEAD || value.n > LIM_HEAD ||
	    name.n + value.n + 4 > LIM_HEAD - x->head_bytes) {
		h2_head_fail(x, E_HEADERS, "the request head is too large");
		return;
	}
	x->head_bytes += name.n + value.n + 4;
	if (name.n > 0 && name.p[0] == ':') {
		pseudo(x, name, value_take(x, value));
		return;
	}
	if (x->fields_n == LIM_HEADERS) {
		h2_head_fail(x, E_HEADERS, "too many header fields");
		return;
	}
	if (!http_token(name)) {
		h2_head_fail(x, E_BAD_REQUEST,
		    "a header name holds a byte it must not");
		return;
	}
	if (!field_room(x))
		return;
	x->fields[x->fields_n].name = arena_dup(&x->arena, name);
	x->fields[x->fields_n++].value = value_take(x, value);
}

/* RFC 9113 8.2.3: a cookie field may come in pieces. */
static void
cookies_join(struct exchange *x)
{
	struct buf b;
	size_t n = 0, first = 0, pieces = 0;

	for (size_t i = 0; i < x->fields_n; i++)
		pieces += str_is(x->fields[i].name, "cookie");
	if (pieces < 2)
		return;
	buf_init_on(&b, &x->arena, 2 * LIM_HEAD);
	for (size_t i = 0; i < x->fields_n; i++) {
		if (!str_is(x->fields[i].name, "cookie")) {
			x->fields[n++] = x->fields[i];
			continue;
		}
		if (b.n == 0)
			first = n++;
		else
			buf_c(&b, "; ");
		buf_str(&b, x->fields[i].value);
		x->fields[first].name = STR("cookie");
	}
	x->fields[first].value = buf_view(&b);
	x->fields_n = n;
}

static void
host_check(struct exchange *x)
{
	struct http_request *q = &x->req;
	struct str host = http_header(q, STR("host"));

	if (http_header_count(q, STR("host")) > 1 ||
	    (host.p != NULL && q->host.p != NULL && !str_ieq(host, q->host)))
		h2_head_fail(x, E_BAD_REQUEST, "more than one host");
	if (q->host.p == NULL)
		q->host = host;
	if (!http_host(q->host))
		h2_head_fail(x, E_BAD_REQUEST, "the host is not a host");
}

bool
h2_head_check(struct exchange *x)
{
	enum err_code e = E_OK;
	const char *why = "";

	cookies_join(x);
	x->req.headers = x->fields;
	x->req.headers_n = x->fields_n;
	host_check(x);
	if (x->arena.failed)
		h2_head_fail(x, E_NO_MEMORY, "");
	if (x->head_why == NULL && !request_check(x, &e, &why))
		h2_head_fail(x, e, why);
	if (x->head_why == NULL)
		return true;
	exchange_refuse(x, x->head_error, x->head_why);
	return false;
}
