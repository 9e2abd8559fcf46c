/* browser.c: see browser.h. */
#include "flow/browser.h"

#include "base/limits.h"
#include "base/text.h"

void
answer_cookie(struct call *c, const char *name, struct str value,
    enum cookie_site site, int seconds)
{
	struct buf b;

	BUG_ON(c->cookies_n == CALL_COOKIES);
	BUG_ON(!str_starts(str_c(name), STR("__Host-")));
	buf_init_on(&b, c->a, LIM_COOKIE);
	buf_c(&b, name);
	buf_char(&b, '=');
	buf_str(&b, value);
	buf_c(&b, "; Path=/; Secure; HttpOnly; SameSite=");
	buf_c(&b, site == COOKIE_LAX ? "Lax" : "None");
	if (seconds != 0) {
		buf_c(&b, "; Max-Age=");
		buf_u64(&b, seconds < 0 ? 0 : (uint64_t)seconds);
	}
	c->cookie[c->cookies_n++] = buf_view(&b);
	c->cookie_lost |= b.failed;
}

void
answer_redirect(struct call *c, struct str location)
{
	answer_empty(c, 303);
	c->location = arena_dup(c->a, location);
}

static void
page(struct buf *b, struct str title, struct str text, struct str link)
{
	buf_c(b,
	    "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width\">\n"
	    "<title>");
	html_add(b, title);
	buf_c(b, "</title>\n<h1>");
	html_add(b, title);
	buf_c(b, "</h1>\n<p>");
	html_add(b, text);
	buf_c(b, "</p>\n");
	if (link.n > 0) {
		buf_c(b, "<p><a href=\"");
		html_add(b, link);
		buf_c(b, "\">Back</a></p>\n");
	}
	buf_c(b, "</html>\n");
}

void
answer_page(struct call *c, int status, struct str title, struct str text,
    struct str link)
{
	answer_empty(c, status);
	c->content_type = STR("text/html; charset=utf-8");
	page(&c->out, title, text, link);
}

/* ---- where to go next ---- */

static bool
all_of(struct str s, const char *more)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') &&
		    !(c >= '0' && c <= '9') &&
		    (c == '\0' || strchr(more, c) == NULL))
			return false;
	}
	return true;
}

/* No empty segment but the last, none that means another. */
static bool
segments(struct str path)
{
	struct str one;

	path = str_skip(path, 1);
	while (path.n > 0) {
		bool more = str_cut(path, '/', &one, &path);

		if ((one.n == 0 && more) || str_is(one, ".") ||
		    str_is(one, ".."))
			return false;
	}
	return true;
}

bool
next_valid(struct str s)
{
	struct str path, query;

	if (s.n == 0 || s.n > LIM_NEXT || s.p[0] != '/')
		return false;
	(void)str_cut(s, '?', &path, &query);
	return all_of(path, "._~/-") && all_of(query, "._~=&%+-") &&
	    segments(path) && !str_is(path, "/auth") &&
	    !str_starts(path, STR("/auth/"));
}

struct str
next_or_root(struct str next)
{
	return next_valid(next) ? next : STR("/");
}
