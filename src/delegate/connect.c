#include "delegate/connect.h"

#include "base/limits.h"
#include "domain/connector.h"

bool
relay_line(struct str *in, struct str *ret)
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

bool
relay_text(struct str line, struct str *ret)
{
	if (line.n == 0 || line.p[line.n - 1] != '\r')
		return false;
	*ret = str_head(line, line.n - 1);
	for (size_t i = 0; i < ret->n; i++)
		if (ret->p[i] < 0x20 || ret->p[i] > 0x7e)
			return false;
	return true;
}

static bool
letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static enum broker_end
target(struct str s, struct connect_head *ret)
{
	struct str host, port;
	uint64_t n;
	bool cut = str_cut(s, ':', &host, &port);

	ret->host = host;
	if (!cut || !host_name_valid(host) || !str_u64(port, 1, 65535, &n))
		return BROKER_TARGET;
	ret->port = (uint16_t)n;
	return BROKER_OK;
}

static enum broker_end
request_line(struct str line, struct str *ret_target, bool *ret_old,
    struct connect_head *ret)
{
	struct str method, rest, version;

	if (!str_cut(line, ' ', &method, &rest) ||
	    !str_cut(rest, ' ', ret_target, &version))
		return BROKER_NOT_HTTP;
	*ret_old = str_is(version, "HTTP/1.0");
	if (!*ret_old && !str_is(version, "HTTP/1.1"))
		return BROKER_NOT_HTTP;
	if (!str_is(method, "CONNECT")) {
		ret->host = *ret_target;
		return BROKER_METHOD;
	}
	return target(*ret_target, ret);
}

bool
relay_token(struct str s)
{
	static const char extra[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'A' && c <= 'Z') || letter_or_digit(c) ||
			memchr(extra, c, sizeof extra - 1) != NULL))
			return false;
	}
	return s.n > 0;
}

/* hosts: how many Host there were. */
static bool
field_right(struct str line, struct str target, unsigned *hosts)
{
	struct str name, value;

	if (!str_cut(line, ':', &name, &value) || !relay_token(name))
		return false;
	if (str_ieq(name, STR("Transfer-Encoding")) ||
	    str_ieq(name, STR("Content-Length")) ||
	    str_ieq(name, STR("Upgrade")))
		return false;
	if (!str_ieq(name, STR("Host")))
		return true;
	return ++*hosts == 1 && str_eq(str_trim(value), target);
}

enum broker_end
connect_take(struct str in, bool *ret_done, struct connect_head *ret)
{
	struct str whole = in, line, target = STR_NONE;
	unsigned hosts = 0;
	bool old = false;
	enum broker_end e;

	*ret_done = false;
	*ret = (struct connect_head){.n = 0};
	if (!relay_line(&in, &line))
		return in.n > LIM_RELAY_HEAD ? BROKER_NOT_HTTP : BROKER_OK;
	if (!relay_text(line, &line))
		return BROKER_NOT_HTTP;
	e = request_line(line, &target, &old, ret);
	if (e != BROKER_OK)
		return e;
	for (unsigned n = 0; n <= CONNECT_FIELDS; n++) {
		if (!relay_line(&in, &line))
			return whole.n > LIM_RELAY_HEAD ? BROKER_NOT_HTTP
							: BROKER_OK;
		if (!relay_text(line, &line))
			return BROKER_NOT_HTTP;
		if (line.n == 0) {
			ret->n = whole.n - in.n;
			*ret_done = true;
			return (old || hosts == 1) && ret->n <= LIM_RELAY_HEAD
			    ? BROKER_OK
			    : BROKER_NOT_HTTP;
		}
		if (!field_right(line, target, &hosts))
			return BROKER_NOT_HTTP;
	}
	return BROKER_NOT_HTTP;
}
