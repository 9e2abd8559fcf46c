#include "egress/url.h"

#include "auth/token.h"

bool
url_printable(struct str s, size_t max)
{
	if (s.n == 0 || s.n > max)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x21 || s.p[i] > 0x7e || s.p[i] == '"' ||
		    s.p[i] == '<' || s.p[i] == '>' || s.p[i] == '\\')
			return false;
	return true;
}

bool
url_literal(struct str host)
{
	return cidr_valid(host) && memchr(host.p, '/', host.n) == NULL;
}

static bool
is_name(struct str host)
{
	size_t label = 0;

	if (host.n == 0 || host.n > 253)
		return false;
	for (size_t i = 0; i < host.n; i++) {
		char c = host.p[i];
		bool edge = i + 1 == host.n || host.p[i + 1] == '.';

		if (c == '.' || (c == '-' && (label == 0 || edge))) {
			if (c == '-' || label == 0)
				return false;
			label = 0;
			continue;
		}
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') || c == '-') ||
		    ++label > 63)
			return false;
	}
	return label > 0;
}

/* "host", "host:port", "[v6]", "[v6]:port". */
static bool
host_port(struct str s, uint16_t port, struct endpoint *ret)
{
	struct str host = s, rest;
	uint64_t n = port;

	if (s.n > 0 && s.p[0] == '[') {
		if (!str_cut(str_skip(s, 1), ']', &host, &rest) ||
		    memchr(host.p, ':', host.n) == NULL)
			return false;
		if (rest.n > 0 && rest.p[0] != ':')
			return false;
		if (rest.n > 0 && !str_u64(str_skip(rest, 1), 1, 65535, &n))
			return false;
	} else if (str_cut(s, ':', &host, &rest)) {
		if (!str_u64(rest, 1, 65535, &n))
			return false;
	}
	if (n == 0 || host.n == 0)
		return false;
	*ret = (struct endpoint){host, (uint16_t)n};
	return true;
}

bool
endpoint_parse(struct str s, uint16_t default_port, struct endpoint *ret)
{
	struct endpoint e;

	if (!host_port(s, default_port, &e) || !url_literal(e.host))
		return false;
	*ret = e;
	return true;
}

bool
egress_url_parse(struct str s, struct url *ret)
{
	struct str rest = str_skip(s, 8);
	struct endpoint e;
	size_t n = 0;

	if (!url_printable(s, URL_MAX) || !str_starts(s, STR("https://")) ||
	    memchr(s.p, '#', s.n) != NULL)
		return false;
	while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?')
		n++;
	if (!host_port(str_head(rest, n), 443, &e))
		return false;
	*ret = (struct url){.host = e.host,
	    .port = e.port,
	    .literal = url_literal(e.host),
	    .path = str_skip(rest, n)};
	if (ret->path.n == 0)
		ret->path = STR("/");
	return ret->path.p[0] == '/' && (ret->literal || is_name(e.host));
}
