/* page.c: see page.h. */
#include "flow/page.h"

#include <string.h>

#include "auth/token.h"
#include "base/text.h"
#include "ui/ui.h"

/* What a page may do: nothing from elsewhere, no script in it, no HTML made
 * of text, no frame round it (ui-and-conventions.md 3.4). */
#define PAGE_CSP                                                               \
	"default-src 'none'; script-src 'self'; style-src 'self'; "            \
	"img-src 'self'; font-src 'self'; connect-src 'self'; "                \
	"worker-src 'self'; manifest-src 'self'; base-uri 'none'; "            \
	"form-action 'self'; frame-ancestors 'none'; object-src 'none'; "      \
	"require-trusted-types-for 'script'; trusted-types redoubt-worker"

/* A year, which is "for ever" here; and "ask whether it is still this". */
#define FOR_EVER "public, max-age=31536000, immutable"
#define ASK "no-cache"

static void
header(struct reply *r, struct str name, struct str value)
{
	if (value.n > 0 && r->headers_n < REPLY_HEADERS)
		r->headers[r->headers_n++] = (struct header){name, value};
}

/* An entity tag per coding: the bytes differ (RFC 9110 8.8.3.3). */
static struct str
tag(struct arena *a, const struct ui_asset *f, enum ui_coding k)
{
	static const char letter[UI_CODINGS][2] = {"", "g", "b"};
	struct buf b;

	buf_init_on(&b, a, 64);
	buf_fmt(&b, "\"%s%s\"", f->tag, letter[k]);
	return buf_view(&b);
}

/* Does If-None-Match (RFC 9110 13.1.2) name it? */
static bool
had(const struct http_request *q, struct str etag)
{
	struct str list = http_header(q, STR("if-none-match")), one;

	while (str_cut(list, ',', &one, &list) || one.n > 0) {
		one = str_trim(one);
		if (str_starts(one, STR("W/")))
			one = str_skip(one, 2);
		if (str_eq(one, etag) || str_is(one, "*"))
			return true;
	}
	return false;
}

static bool
leaks(const struct http_request *q, struct arena *a)
{
	struct str plain, found;

	return token_find(q->target, &found) ||
	    (err_ok(url_decode(a, q->target, &plain)) &&
		token_find(plain, &found));
}

bool
page_answer(struct exchange *x)
{
	const struct http_request *q = exchange_request(x);
	struct arena *a = exchange_arena(x);
	const struct ui_asset *f;
	struct reply r = {.status = 200};
	enum ui_coding k;
	struct str etag;
	bool page;

	if (q->method != HTTP_GET && q->method != HTTP_HEAD)
		return false;
	f = ui_find(q->path, &page);
	if (f == NULL || leaks(q, a))
		return false;
	k = ui_coding(f, http_header(q, STR("accept-encoding")));
	etag = tag(a, f, k);
	header(&r, STR("etag"), etag);
	header(&r, STR("vary"), STR("accept-encoding"));
	header(&r, STR("cache-control"),
	    f->immutable ? STR(FOR_EVER) : STR(ASK));
	header(&r, STR("content-security-policy"),
	    page ? STR(PAGE_CSP)
		 : STR("default-src 'none'; connect-src 'self'"));
	header(&r, STR("cross-origin-embedder-policy"), STR("require-corp"));
	if (page)
		header(&r, STR("permissions-policy"),
		    STR("camera=(), microphone=(), geolocation=(), "
			"payment=(), usb=()"));
	if (etag.n > 0 && had(q, etag)) {
		r.status = 304;
	} else {
		header(&r, STR("content-encoding"), ui_coding_text(k));
		r.content_type = str_c(f->type);
		r.body = ui_body(f, k);
	}
	exchange_reply(x, &r);
	return true;
}
