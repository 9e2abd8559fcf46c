/* answer.c: the end of the line: what was rendered leaves. */
#include <stdio.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/time.h"
#include "flow/browser.h"
#include "flow/faults.h"
#include "flow/line.h"
#include "flow/oauth.h"
#include "flow/scim.h"

static void
problem(struct buf *b, err e, const struct trail *t, const char *request_id,
    const struct fault *f, size_t n)
{
	struct jw w;
	char type[80];

	(void)snprintf(type, sizeof type, "urn:redoubt:error:%s", err_name(e));
	jw_init(&w, b);
	jw_obj(&w);
	jw_kstr(&w, "type", str_c(type));
	jw_kstr(&w, "title", str_c(err_text(e)));
	jw_ki64(&w, "status", err_status(e));
	jw_kstr(&w, "detail",
	    str_c(t->detail[0] != '\0' ? t->detail : err_text(e)));
	jw_kstr(&w, "code", str_c(err_name(e)));
	jw_kstr(&w, "request_id", str_c(request_id));
	faults_json(&w, f, n);
	jw_obj_end(&w);
}

void
line_problem(struct buf *b, err e, const struct trail *t,
    const char *request_id)
{
	problem(b, e, t, request_id, NULL, 0);
}

/* Which members are wrong: all that fields.def can tell, else the one that
 * the handler's sentence names. */
static size_t
faults(struct call *c, err e, struct fault **ret)
{
	struct fault *f = arena_array(c->a, LIM_FAULTS, sizeof *f);
	size_t n = 0;

	*ret = f;
	if (f == NULL || err_status(e) < 400 || err_status(e) > 422)
		return 0;
	if (c->body != NULL && c->route->schema != SCHEMA_NONE)
		n = faults_of_body(c->route->schema, c->route->set, c->body, f,
		    LIM_FAULTS);
	if (n == 0 &&
	    fault_of_sentence(c->route, c->body, e, c->trail.detail, f))
		n = 1;
	return n;
}

/* What an outsider may be told: an internal code becomes "internal". */
static err
public_of(err e)
{
	switch ((enum err_code)e.code) {
	case E_CORRUPT:
	case E_CRYPTO:
	case E_WRONG_KEY:
	case E_PEER:
	case E_CONFIG:
	case E_BAD_ANSWER:
		return err_of(E_INTERNAL);
	case E_LOCKED:
		return err_of(E_IO);
	default:
		return e;
	}
}

/* What a person sees when a login did not work: the code, and what to name
 * when asking for help.  No detail: who fails learns nothing. */
static void
fail_page(struct call *c, err e)
{
	struct buf b;

	buf_init_on(&b, c->a, 512);
	buf_fmt(&b, "%s. Code: %s. Request: %s", err_text(e), err_name(e),
	    c->request_id_text);
	answer_page(c, err_status(e), STR("This did not work"), buf_view(&b),
	    STR("/"));
}

void
line_fail(struct call *c, err e)
{
	static const struct trail nothing;
	err pub = public_of(e);
	bool tell = err_status(pub) < 500 && !err_is(pub, E_UNAUTHENTICATED);
	struct fault *f = NULL;
	size_t n;

	if (err_status(e) >= 500) {
		atomic_fetch_add_explicit(&c->lane->state->n.errors, 1,
		    memory_order_relaxed);
		log_event(LOG_REQUEST_ERROR, KVC("route", c->route->id),
		    KVE("error", e), KVC("request", c->request_id_text),
		    KVC("detail", c->trail.detail));
	}
	c->status = err_status(pub);
	c->content_type = STR("application/problem+json");
	c->etag = c->location = c->content_range = STR("");
	c->secret_from = c->secret_to = 0;
	c->immutable = false;
	if (route_for_browsers(c->route)) {
		fail_page(c, pub);
		return;
	}
	buf_init_on(&c->out, c->a, LIM_PROBLEM);
	if (route_is_scim(c->route)) {
		c->content_type = STR("application/scim+json");
		scim_problem(&c->out, pub, tell ? c->trail.detail : "",
		    c->request_id_text);
		return;
	}
	n = tell ? faults(c, pub, &f) : 0;
	problem(&c->out, pub, tell ? &c->trail : &nothing, c->request_id_text,
	    f, n);
}

static void
header(struct reply *r, const char *name, struct str value)
{
	if (value.n > 0 && r->headers_n < REPLY_HEADERS)
		r->headers[r->headers_n++] =
		    (struct header){str_c(name), value};
}

static struct str
allowed(struct call *c)
{
	struct buf b;

	buf_init_on(&b, c->a, 128);
	for (unsigned m = 0; m < HTTP_OTHER; m++) {
		if ((c->allow >> m & 1) == 0)
			continue;
		if (b.n > 0)
			buf_c(&b, ", ");
		buf_c(&b, http_method_text((enum http_method)m));
		if (m == HTTP_GET)
			buf_c(&b, ", HEAD");
	}
	return buf_view(&b);
}

/* RFC 9470 3 when only a newer login is missing. */
static struct str
challenge(struct call *c, int status)
{
	struct buf b;

	if (!c->stale_login)
		return oauth_challenge(c, status);
	buf_init_on(&b, c->a, 160);
	buf_fmt(&b,
	    "Bearer error=\"insufficient_user_authentication\", "
	    "max_age=\"%u\"",
	    world_policy(c->snap->world)->step_up_minutes * 60);
	return buf_view(&b);
}

static struct str
retry_after(struct call *c)
{
	struct buf b;

	buf_init_on(&b, c->a, 24);
	buf_u64(&b, c->retry_after == 0 ? 1 : c->retry_after);
	return buf_view(&b);
}

static void
log_request(const struct call *c)
{
	log_event(LOG_REQUEST, KVC("route", c->route->id),
	    KVN("status", c->status), KVC("request", c->request_id_text),
	    KVN("us", time_mono_us() - c->req->started_us));
}

void
line_answer(struct call *c)
{
	struct exchange *x = c->x;
	struct reply r = {
	    .status = c->status == 0 ? 500 : c->status,
	    .content_type = c->content_type,
	    .body = buf_view(&c->out),
	};

	if (!err_ok(buf_check(&c->out)) || c->cookie_lost ||
	    arena_check(c->a).code != E_OK)
		r = (struct reply){.status = 503};
	header(&r, "x-request-id", str_of(c->request_id_text, UUID_TEXT));
	header(&r, "etag", c->etag);
	header(&r, "location", c->location);
	header(&r, "content-range", c->content_range);
	header(&r, "x-redoubt-after", c->after);
	if (c->immutable)
		header(&r, "cache-control",
		    STR("private, max-age=31536000, immutable"));
	for (size_t i = 0; i < c->cookies_n; i++)
		header(&r, "set-cookie", c->cookie[i]);
	if (r.status == 401 || r.status == 403)
		header(&r, "www-authenticate", challenge(c, r.status));
	if (r.status == 405)
		header(&r, "allow", allowed(c));
	if (r.status == 429 || r.status == 503)
		header(&r, "retry-after", retry_after(c));
	if (c->lane->state->log_requests)
		log_request(c);
	(void)snap_unref(c->snap);
	if (c->seals && r.status < 300)
		atomic_store(&c->lane->state->sealing, true);
	exchange_reply(x, &r); /* ends c, which lives in its arena */
}
