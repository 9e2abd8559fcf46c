#include "delegate/invoke.h"

#include "base/limits.h"
#include "delegate/connect.h"

static const struct str begin = {"POST http://", 12};

bool
invoke_begins(struct str in)
{
	size_t n = in.n < begin.n ? in.n : begin.n;

	return in.n > 0 && memcmp(in.p, begin.p, n) == 0;
}

static bool
name_right(struct str s, char extra)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= 'a' && s.p[i] <= 'z') ||
			(s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == extra))
			return false;
	return s.n > 0 && s.n <= 63;
}

struct head {
	struct str host;
	bool old; /* HTTP/1.0 */
	unsigned hosts, lengths;
	uint64_t length;
};

static enum broker_end
request_line(struct str line, struct head *h, struct invoke *ret)
{
	struct str target, version, top;

	if (!str_starts(line, begin))
		return BROKER_METHOD;
	if (!str_cut(str_skip(line, begin.n), ' ', &target, &version))
		return BROKER_NOT_HTTP;
	h->old = str_is(version, "HTTP/1.0");
	if (!h->old && !str_is(version, "HTTP/1.1"))
		return BROKER_NOT_HTTP;
	if (!str_cut(target, '/', &h->host, &ret->action) ||
	    !str_cut(h->host, '.', &ret->slug, &top) ||
	    !str_is(top, "connector") || !name_right(ret->slug, '-') ||
	    !name_right(ret->action, '_'))
		return BROKER_TARGET;
	return BROKER_OK;
}

static bool
field_right(struct str line, struct head *h)
{
	struct str name, value;

	if (!str_cut(line, ':', &name, &value) || !relay_token(name))
		return false;
	value = str_trim(value);
	if (str_ieq(name, STR("Transfer-Encoding")) ||
	    str_ieq(name, STR("Upgrade")) || str_ieq(name, STR("Expect")))
		return false;
	if (str_ieq(name, STR("Host")))
		return ++h->hosts == 1 && str_eq(value, h->host);
	if (str_ieq(name, STR("Content-Length")))
		return ++h->lengths == 1 &&
		    str_u64(value, 0, LIM_RELAY_INVOKE, &h->length);
	return true;
}

/* The head is whole, in is behind it. */
static enum broker_end
body(struct str in, const struct head *h, bool *ret_done, struct invoke *ret)
{
	if (h->lengths != 1 || (!h->old && h->hosts != 1))
		return BROKER_NOT_HTTP;
	if (in.n > h->length)
		return BROKER_EARLY;
	*ret_done = in.n == h->length;
	ret->params = in;
	return BROKER_OK;
}

enum broker_end
invoke_take(struct str in, bool *ret_done, struct invoke *ret)
{
	struct str whole = in, line;
	struct head h = {.old = false};
	enum broker_end e;

	*ret_done = false;
	*ret = (struct invoke){.slug = STR_NONE};
	if (!relay_line(&in, &line))
		return in.n > LIM_RELAY_HEAD ? BROKER_NOT_HTTP : BROKER_OK;
	if (!relay_text(line, &line))
		return BROKER_NOT_HTTP;
	e = request_line(line, &h, ret);
	if (e != BROKER_OK)
		return e;
	for (unsigned n = 0; n <= CONNECT_FIELDS; n++) {
		if (!relay_line(&in, &line))
			return whole.n > LIM_RELAY_HEAD ? BROKER_NOT_HTTP
							: BROKER_OK;
		if (!relay_text(line, &line))
			return BROKER_NOT_HTTP;
		if (line.n == 0)
			return whole.n - in.n > LIM_RELAY_HEAD
			    ? BROKER_NOT_HTTP
			    : body(in, &h, ret_done, ret);
		if (!field_right(line, &h))
			return BROKER_NOT_HTTP;
	}
	return BROKER_NOT_HTTP;
}
