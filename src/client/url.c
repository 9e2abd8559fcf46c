#include "client/url.h"

#include <arpa/inet.h>

enum { URL_MAX = 1024, HOST_MAX = 253 };

static err
bad(struct trail *t, const char *what)
{
	trail_set(t, "bad server address: %s", what);
	return err_of(E_USAGE);
}

/* Visible ASCII without what has a meaning in an address. */
static bool
is_plain(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' ||
		    strchr("\"<>\\^`{|}?#@", s.p[i]) != NULL)
			return false;
	return true;
}

static bool
is_host(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
			(c >= 'A' && c <= 'Z') || c == '-' || c == '.' ||
			c == '_'))
			return false;
	}
	return s.n > 0 && s.n <= HOST_MAX;
}

static bool
is_address(const char *host)
{
	unsigned char b[16];

	return inet_pton(AF_INET, host, b) == 1 ||
	    inet_pton(AF_INET6, host, b) == 1;
}

/* [v6]:port, v4:port, name:port; *ret_port is empty when there is none. */
static bool
split(struct str authority, struct str *ret_host, struct str *ret_port)
{
	struct str rest;

	*ret_port = STR("");
	if (authority.n == 0 || authority.p[0] != '[') {
		bool port = str_cut(authority, ':', ret_host, ret_port);

		return is_host(*ret_host) && (!port || ret_port->n > 0);
	}
	if (!str_cut(str_skip(authority, 1), ']', ret_host, &rest) ||
	    ret_host->n > HOST_MAX)
		return false;
	if (rest.n == 0)
		return true;
	*ret_port = str_skip(rest, 1);
	return rest.p[0] == ':' && ret_port->n > 0;
}

err
url_parse(struct arena *a, struct str text, struct trail *t, struct url *ret)
{
	struct str authority, host, port, rest;
	struct url u = {0};
	uint64_t number;

	if (text.n > URL_MAX || !is_plain(text))
		return bad(t, "a character that cannot stand there");
	if (!str_starts(text, STR("https://")))
		return bad(t, "it must begin with https://");
	while (str_ends(text, STR("/")))
		text.n--;
	rest = text.n < 8 ? STR("") : str_skip(text, 8);
	(void)str_cut(rest, '/', &authority, &u.prefix);
	u.prefix = str_skip(rest, authority.n);
	if (!split(authority, &host, &port))
		return bad(t, "bad host or port");
	if (port.n > 0 && !str_u64(port, 1, 65535, &number))
		return bad(t, "bad port");
	u.text = arena_dup(a, text);
	u.authority = arena_dup(a, authority);
	u.prefix = arena_dup(a, u.prefix);
	u.host = arena_cstr(a, host);
	u.port = port.n > 0 ? arena_cstr(a, port) : "443";
	TRY(arena_check(a));
	u.is_ip = is_address(u.host);
	if (authority.p[0] == '[' && !u.is_ip)
		return bad(t, "bad IPv6 address");
	*ret = u;
	return OK;
}
