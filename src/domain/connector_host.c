/*
 * connector_host.c: hosts and paths of a connector's document.  One spelling
 * each: what is compared byte by byte must not have two.
 */
#include "base/cidr.h"
#include "domain/connector_inner.h"

enum { HOST_MAX = 253, LABEL_MAX = 63, URL_MAX = 2048 };

static bool
letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool
label_valid(struct str s)
{
	if (s.n == 0 || s.n > LABEL_MAX || !letter_or_digit(s.p[0]) ||
	    !letter_or_digit(s.p[s.n - 1]))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!letter_or_digit(s.p[i]) && s.p[i] != '-')
			return false;
	return true;
}

/* 127.1, 0x7f.1 and 2130706433 are addresses to some resolvers: a name whose
 * last label could be a number is no name. */
static bool
ends_in_number(struct str label)
{
	bool digits = true;

	for (size_t i = 0; i < label.n; i++)
		digits = digits && label.p[i] >= '0' && label.p[i] <= '9';
	return digits || str_starts(label, STR("0x"));
}

bool
host_name_valid(struct str s)
{
	struct str label, rest = s;
	bool more;

	if (s.n == 0 || s.n > HOST_MAX)
		return false;
	do {
		more = str_cut(rest, '.', &label, &rest);
		if (!label_valid(label))
			return false;
	} while (more);
	return !ends_in_number(label);
}

/* In the one form that inet_ntop writes; no IPv4 in IPv6. */
static bool
address_exact(struct str s)
{
	char text[ADDRESS_TEXT];

	return address_text(s, text) && str_eq(s, str_c(text));
}

bool
connector_host_numeric(const struct connector_host *h)
{
	return address_exact(h->host);
}

static bool
host_valid(struct str s, bool bracketed)
{
	bool colon = s.n > 0 && memchr(s.p, ':', s.n) != NULL;

	if (bracketed)
		return colon && address_exact(s);
	return !colon && (host_name_valid(s) || address_exact(s));
}

bool
connector_host_parse(struct str s, struct connector_host *ret)
{
	bool bracketed = str_starts(s, STR("["));
	struct str host, port;
	uint64_t number;

	if (bracketed) {
		if (!str_cut(str_skip(s, 1), ']', &host, &port) ||
		    !str_starts(port, STR(":")))
			return false;
		port = str_skip(port, 1);
	} else if (!str_cut(s, ':', &host, &port)) {
		return false;
	}
	if (!host_valid(host, bracketed) || !str_u64(port, 1, 65535, &number))
		return false;
	*ret = (struct connector_host){s, host, (uint16_t)number};
	return true;
}

/* The authority of a URL as host:port. */
static bool
authority(struct arena *a, struct str s, struct connector_host *ret)
{
	bool bare = str_starts(s, STR("["))
	    ? str_ends(s, STR("]"))
	    : s.n > 0 && memchr(s.p, ':', s.n) == NULL;
	struct buf b;

	if (!bare)
		return connector_host_parse(s, ret);
	buf_init_on(&b, a, HOST_MAX + 16);
	buf_str(&b, s);
	buf_c(&b, ":443");
	return !b.failed && connector_host_parse(buf_view(&b), ret);
}

bool
connector_url_parse(struct arena *a, struct str url, struct connector_host *ret,
    struct str *ret_path)
{
	struct str s = str_skip(url, 8), head, rest;

	if (url.n > URL_MAX || !str_starts(url, STR("https://")))
		return false;
	(void)str_cut(s, '/', &head, &rest);
	if (!authority(a, head, ret))
		return false;
	*ret_path = str_skip(s, head.n);
	return ret_path->n == 0 || connector_path_valid(*ret_path, false);
}

bool
connector_host_people(const struct connector_host *h)
{
	static const struct str people[] = {
#define PEOPLE(host) {host, sizeof host - 1},
#include "domain/connector_people.def"
#undef PEOPLE
	};

	for (size_t i = 0; i < sizeof people / sizeof *people; i++)
		if (str_ends(h->host, people[i]) &&
		    (h->host.n == people[i].n ||
			h->host.p[h->host.n - people[i].n - 1] == '.'))
			return true;
	return false;
}

/* ---- paths ---- */

static bool
path_char(char c, bool braces)
{
	if ((c >= 'A' && c <= 'Z') || letter_or_digit(c))
		return true;
	if (braces && (c == '{' || c == '}'))
		return true;
	return c != '\0' && strchr("-._~!$&'()*+,;=:@", c) != NULL;
}

bool
connector_path_valid(struct str path, bool braces)
{
	struct str segment, rest = path;

	if (path.n == 0 || path.n > URL_MAX || path.p[0] != '/')
		return false;
	rest = str_skip(path, 1);
	while (rest.n > 0) {
		(void)str_cut(rest, '/', &segment, &rest);
		if (segment.n == 0 || str_is(segment, ".") ||
		    str_is(segment, ".."))
			return false;
		for (size_t i = 0; i < segment.n; i++)
			if (!path_char(segment.p[i], braces))
				return false;
	}
	return true;
}
