/* sealed.c: a server without keys, and how it comes to that: no lane, no
 * state, no route is at work in the first half. */
#include "base/rand.h"
#include "base/time.h"
#include "flow/admin_body.h"
#include "flow/handlers.h"
#include "flow/line.h"
#include "flow/page.h"

static bool
asks(const struct http_request *r, const char *path)
{
	return str_is(r->path, path) &&
	    (r->method == HTTP_GET || r->method == HTTP_HEAD);
}

void
line_sealed(struct exchange *x)
{
	static const struct trail nothing;
	struct uuid id = rand_uuid(time_now_ms());
	struct arena *a = exchange_arena(x);
	char *text = arena_get(a, UUID_TEXT + 1);
	err e = err_of(E_SEALED);
	struct reply r = {.status = err_status(e),
	    .content_type = STR("application/problem+json")};
	struct buf b;

	/* the pages have no keys, and say what is the matter */
	if (page_answer(x))
		return;
	if (text == NULL) {
		exchange_reply(x, &(struct reply){.status = err_status(e)});
		return;
	}
	uuid_text(&id, text);
	buf_init_on(&b, a, 1024);
	if (asks(exchange_request(x), "/healthz")) {
		r.status = 200;
		r.content_type = STR("application/json");
		buf_c(&b, "{\"status\":\"ok\"}");
	} else {
		line_problem(&b, e, &nothing, text);
	}
	r.body = buf_view(&b);
	r.headers[r.headers_n++] =
	    (struct header){STR("x-request-id"), str_of(text, UUID_TEXT)};
	if (r.status != 200)
		r.headers[r.headers_n++] =
		    (struct header){STR("retry-after"), STR("60")};
	exchange_reply(x, &r);
}

/* The kill switch.  The reason is sealed beside the leaf; what was asked is
 * durable before anybody hears of it, and done right after the answer. */
err
route_keys_seal(struct call *c)
{
	struct jw *w;

	if (body_text(c, "reason", STR("")).n == 0)
		return call_bad(c, E_INVALID, "reason is empty");
	c->rec.body = c->req->body;
	c->seals = true;
	w = answer(c, 202);
	jw_obj(w);
	jw_kbool(w, "sealed", true);
	jw_obj_end(w);
	return buf_check(&c->out);
}
