/* Heads of answers: the same fields for both protocols. */
#include "wire/conn.h"

#define TEXT(lit)                                                              \
	{                                                                      \
		"" lit "", sizeof(lit) - 1                                     \
	}

static const struct field standard[] = {
    {TEXT("strict-transport-security"), TEXT("max-age=63072000"), true},
    {TEXT("x-content-type-options"), TEXT("nosniff"), true},
    {TEXT("referrer-policy"), TEXT("no-referrer"), true},
    {TEXT("cross-origin-opener-policy"), TEXT("same-origin"), true},
    {TEXT("cross-origin-resource-policy"), TEXT("same-origin"), true},
};

/* Given unless the caller gives its own. */
static const struct field defaults[] = {
    {TEXT("cache-control"), TEXT("no-store"), true},
    {TEXT("content-security-policy"),
	TEXT("default-src 'none'; frame-ancestors 'none'"), true},
};

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static bool
gives(const struct reply *r, struct str name)
{
	for (size_t i = 0; i < r->headers_n; i++) {
		if (str_eq(r->headers[i].name, name))
			return true;
	}
	return false;
}

/* A field that would break the message is left out rather than sent. */
static bool
sound(const struct header *h)
{
	for (size_t i = 0; i < h->value.n; i++) {
		unsigned char c = (unsigned char)h->value.p[i];

		if (c < ' ' || c == 0x7f)
			return false;
	}
	return http_token(h->name);
}

static struct str
decimal(uint64_t v, char digits[24])
{
	size_t at = 24;

	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v != 0);
	return str_of(digits + at, 24 - at);
}

bool
respond_bodied(const struct exchange *x)
{
	return x->reply.status >= 200 && x->reply.status != 204 &&
	    x->reply.status != 304;
}

size_t
respond_fields(const struct exchange *x, bool stream, struct field *f,
    char digits[24])
{
	const struct reply *r = &x->reply;
	size_t n = 0;

	f[n++] = (struct field){STR("date"), str_c(x->r->date), false};
	if (r->content_type.n > 0 && respond_bodied(x))
		f[n++] =
		    (struct field){STR("content-type"), r->content_type, false};
	if (!stream && respond_bodied(x))
		f[n++] = (struct field){STR("content-length"),
		    decimal(r->content_type.n > 0 ? r->body.n : 0, digits),
		    false};
	for (size_t i = 0; i < COUNT_OF(standard); i++)
		f[n++] = standard[i];
	for (size_t i = 0; i < COUNT_OF(defaults); i++) {
		if (!gives(r, defaults[i].name))
			f[n++] = defaults[i];
	}
	for (size_t i = 0; i < r->headers_n; i++) {
		if (sound(&r->headers[i]))
			f[n++] = (struct field){r->headers[i].name,
			    r->headers[i].value, false};
	}
	return n;
}

static const char *
reason(int status)
{
	static const struct {
		int status;
		const char *text;
	} known[] = {
	    {200, "OK"},
	    {201, "Created"},
	    {202, "Accepted"},
	    {204, "No Content"},
	    {301, "Moved Permanently"},
	    {302, "Found"},
	    {303, "See Other"},
	    {304, "Not Modified"},
	    {307, "Temporary Redirect"},
	    {308, "Permanent Redirect"},
	    {400, "Bad Request"},
	    {401, "Unauthorized"},
	    {403, "Forbidden"},
	    {404, "Not Found"},
	    {405, "Method Not Allowed"},
	    {406, "Not Acceptable"},
	    {408, "Request Timeout"},
	    {409, "Conflict"},
	    {410, "Gone"},
	    {412, "Precondition Failed"},
	    {413, "Content Too Large"},
	    {415, "Unsupported Media Type"},
	    {422, "Unprocessable Content"},
	    {428, "Precondition Required"},
	    {429, "Too Many Requests"},
	    {431, "Request Header Fields Too Large"},
	    {500, "Internal Server Error"},
	    {501, "Not Implemented"},
	    {503, "Service Unavailable"},
	};

	for (size_t i = 0; i < COUNT_OF(known); i++) {
		if (known[i].status == status)
			return known[i].text;
	}
	return "Status";
}

static char *
put(char *at, struct str s)
{
	memcpy(at, s.p, s.n);
	return at + s.n;
}

/* The fields into b, after one look for room. */
static void
put_fields(struct buf *b, const struct field *f, size_t n)
{
	size_t need = 0;
	char *at;

	for (size_t i = 0; i < n; i++)
		need += f[i].name.n + f[i].value.n + 4;
	if (!buf_room(b, need))
		return;
	at = b->p + b->n;
	for (size_t i = 0; i < n; i++) {
		at = put(at, f[i].name);
		at = put(at, STR(": "));
		if (f[i].value.n > 0)
			at = put(at, f[i].value);
		at = put(at, STR("\r\n"));
	}
	b->n += need;
}

void
respond_h1(struct buf *b, const struct exchange *x, bool stream)
{
	const struct reply *r = &x->reply;
	struct field f[FIELDS_MAX];
	char digits[24];
	size_t n = respond_fields(x, stream, f, digits);
	bool body = !stream && !x->head_only && respond_bodied(x) &&
	    r->content_type.n > 0;

	/* most heads have less than 700 bytes: one allocation */
	buf_room(b, 740 + (body ? r->body.n : 0));
	buf_c(b, "HTTP/1.1 ");
	buf_u64(b, (uint64_t)r->status);
	buf_char(b, ' ');
	buf_c(b, reason(r->status));
	buf_c(b, "\r\n");
	put_fields(b, f, n);
	if (stream && !x->h1.v10 && respond_bodied(x))
		buf_c(b, "transfer-encoding: chunked\r\n");
	if (x->close)
		buf_c(b, "connection: close\r\n");
	buf_c(b, "\r\n");
	if (body)
		buf_str(b, r->body);
}
