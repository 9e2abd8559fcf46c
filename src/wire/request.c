/* What both protocols do with a request that is arriving. */
#include "wire/conn.h"

static const char *const method_text[] = {
    [HTTP_GET] = "GET",
    [HTTP_HEAD] = "HEAD",
    [HTTP_POST] = "POST",
    [HTTP_PUT] = "PUT",
    [HTTP_PATCH] = "PATCH",
    [HTTP_DELETE] = "DELETE",
    [HTTP_OPTIONS] = "OPTIONS",
};

const char *
http_method_text(enum http_method m)
{
	return m < HTTP_OTHER ? method_text[m] : "OTHER";
}

enum http_method
http_method_of(struct str s)
{
	unsigned m = HTTP_GET;

	while (m < HTTP_OTHER && !str_is(s, method_text[m]))
		m++;
	return (enum http_method)m;
}

/* absolute-form (RFC 9112 3.2.2): its authority must be the Host field's. */
static bool
absolute(struct http_request *q, struct str *ret_path)
{
	struct str rest = q->target, host;
	size_t n = 0;

	if (str_ieq(str_head(rest, 8), STR("https://")))
		rest = str_skip(rest, 8);
	else
		return false;
	while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?')
		n++;
	host = str_head(rest, n);
	*ret_path = str_skip(rest, n);
	if (ret_path->n == 0)
		*ret_path = STR("/");
	if (q->host.p == NULL)
		q->host = host;
	return ret_path->p[0] == '/' && http_host(host) &&
	    str_ieq(host, q->host);
}

static bool
target(struct http_request *q)
{
	struct str path = q->target;

	if (!http_target(q->target))
		return false;
	if (path.p[0] != '/' && !absolute(q, &path) &&
	    !(q->method == HTTP_OPTIONS && str_is(q->target, "*")))
		return false;
	if (!str_cut(path, '?', &q->path, &q->query))
		q->query = STR_NONE;
	else if (q->query.p == NULL)
		q->query = STR("");
	return true;
}

/* A coded body would have to be unpacked before its size is known. */
static bool
coded(const struct http_request *q)
{
	for (size_t i = 0; i < q->headers_n; i++) {
		if (str_is(q->headers[i].name, "content-encoding") &&
		    !str_ieq(q->headers[i].value, STR("identity")))
			return true;
	}
	return false;
}

bool
request_check(struct exchange *x, enum err_code *ret_e, const char **ret_why)
{
	*ret_e = E_BAD_REQUEST;
	if (!target(&x->req)) {
		*ret_why = "the request target is not one this server has";
		return false;
	}
	if (coded(&x->req)) {
		*ret_e = E_MEDIA_TYPE;
		*ret_why = "a Content-Encoding is not accepted";
		return false;
	}
	return true;
}

bool
request_body_begin(struct exchange *x, int64_t length)
{
	const struct wire_hooks *h = &x->r->w->hooks;

	x->body_cap = h->body_cap(h->ctx, &x->req);
	if (length > 0 && (uint64_t)length > x->body_cap) {
		exchange_refuse(x, E_TOO_LARGE, "");
		return false;
	}
	if (length >= 0 && length <= BODY_INLINE) {
		buf_init_on(&x->body, &x->arena, (size_t)length);
		buf_room(&x->body, (size_t)length);
	} else {
		buf_init(&x->body, x->body_cap);
	}
	return true;
}

static bool
charge(struct exchange *x, size_t n)
{
	_Atomic size_t *all = &x->r->w->bodies;

	if (atomic_fetch_add(all, n) > LIM_BODIES_IN_FLIGHT - n) {
		atomic_fetch_sub(all, n);
		return false;
	}
	x->charged += n;
	return true;
}

bool
request_body_add(struct exchange *x, struct str piece)
{
	if (piece.n == 0)
		return true;
	if (piece.n > x->body_cap - x->body.n) {
		exchange_refuse(x, E_TOO_LARGE, "");
		return false;
	}
	if (!charge(x, piece.n)) {
		exchange_refuse(x, E_UNAVAILABLE, "");
		return false;
	}
	buf_str(&x->body, piece);
	if (x->body.failed) {
		exchange_refuse(x, E_NO_MEMORY, "");
		return false;
	}
	/* the body counts as memory of the request */
	if (x->body.arena == NULL)
		x->arena.max = LIM_ARENA - x->body.n;
	return true;
}
