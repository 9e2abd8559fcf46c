/* proxy.c: see proxy.h. */
#include "flow/proxy.h"

#include "auth/token.h"
#include "base/limits.h"

/* Addresses from left to right, as they are written. */
struct hops {
	struct str hop[LIM_HOPS];
	size_t n;
};

static err
push(struct hops *h, struct str s)
{
	if (h->n == LIM_HOPS)
		return err_of(E_BAD_REQUEST);
	h->hop[h->n++] = s;
	return OK;
}

/* ---- X-Forwarded-For ---- */

static err
read_list(struct hops *h, struct str value)
{
	struct str one;
	bool more = true;

	while (more) {
		more = str_cut(value, ',', &one, &value);
		TRY(push(h, str_trim(one)));
	}
	return OK;
}

/* ---- Forwarded, RFC 7239 4 ---- */

/* A quoted string behind its first quote; s goes on behind the last one.
 * Escapes are none in an address, so none are read. */
static bool
quoted(struct str *s, struct str *ret)
{
	if (!str_cut(*s, '"', ret, s))
		return false;
	return memchr(ret->p, '\\', ret->n) == NULL;
}

static bool
ends_token(char c)
{
	return c == ';' || c == ',' || c == ' ' || c == '\t' || c == '"';
}

/* name=value; s goes on behind it. */
static bool
pair(struct str *s, struct str *ret_name, struct str *ret_value)
{
	size_t n = 0;

	while (n < s->n && s->p[n] != '=' && !ends_token(s->p[n]))
		n++;
	if (n == 0 || n == s->n || s->p[n] != '=')
		return false;
	*ret_name = str_head(*s, n);
	*s = str_skip(*s, n + 1);
	if (s->n > 0 && s->p[0] == '"') {
		*s = str_skip(*s, 1);
		return quoted(s, ret_value);
	}
	for (n = 0; n < s->n && !ends_token(s->p[n]); n++)
		continue;
	*ret_value = str_head(*s, n);
	*s = str_skip(*s, n);
	return n > 0;
}

static void
skip_space(struct str *s)
{
	while (s->n > 0 && (s->p[0] == ' ' || s->p[0] == '\t'))
		*s = str_skip(*s, 1);
}

/* One element: pairs up to a comma or the end, one of them `for`. */
static err
element(struct str *s, struct hops *h)
{
	struct str name, value, node = STR_NONE;

	for (;;) {
		skip_space(s);
		if (!pair(s, &name, &value))
			return err_of(E_BAD_REQUEST);
		if (str_ieq(name, STR("for"))) {
			if (node.p != NULL)
				return err_of(E_BAD_REQUEST);
			node = value;
		}
		skip_space(s);
		if (s->n == 0 || s->p[0] != ';')
			break;
		*s = str_skip(*s, 1);
	}
	if (node.p == NULL)
		return err_of(E_BAD_REQUEST);
	return push(h, node);
}

static err
read_forwarded(struct hops *h, struct str value)
{
	for (;;) {
		TRY(element(&value, h));
		if (value.n == 0)
			return OK;
		if (value.p[0] != ',')
			return err_of(E_BAD_REQUEST);
		value = str_skip(value, 1);
	}
}

/* ---- who it is ---- */

/* An address, also in brackets and with a port behind it. */
static bool
address_of(struct str hop, char ret[ADDRESS_TEXT])
{
	struct str host = hop, port = STR_NONE, rest;
	uint64_t v;

	if (hop.n > 0 && hop.p[0] == '[') {
		if (!str_cut(str_skip(hop, 1), ']', &host, &rest) ||
		    memchr(host.p, ':', host.n) == NULL)
			return false;
		if (rest.n > 0 && rest.p[0] != ':')
			return false;
		if (rest.n > 0)
			port = str_skip(rest, 1);
	} else if (str_cut(hop, ':', &host, &rest)) {
		if (memchr(rest.p, ':', rest.n) != NULL)
			host = hop; /* IPv6 without brackets or a port */
		else
			port = rest;
	}
	if (port.p != NULL && !str_u64(port, 0, UINT16_MAX, &v))
		return false;
	return address_text(host, ret);
}

static err
rightmost(struct arena *a, const struct str *trusted, size_t n,
    const struct hops *h, struct str *ret)
{
	char text[ADDRESS_TEXT];

	for (size_t i = h->n; i > 0; i--) {
		if (!address_of(h->hop[i - 1], text))
			return err_of(E_BAD_REQUEST);
		*ret = arena_dup(a, str_c(text));
		TRY(arena_check(a));
		if (!cidr_match(trusted, n, *ret))
			return OK;
	}
	return OK; /* all are ours: the first of them asks itself */
}

err
proxy_client(struct arena *a, const struct str *trusted, size_t n,
    const struct http_request *r, struct str *ret)
{
	static const struct str list = {"x-forwarded-for", 15},
				forwarded = {"forwarded", 9};
	struct hops h = {.n = 0};

	*ret = str_c(r->address);
	if (n == 0 || !cidr_match(trusted, n, *ret))
		return OK;
	if (http_header_count(r, list) > 0 &&
	    http_header_count(r, forwarded) > 0)
		return err_of(E_BAD_REQUEST);
	for (size_t i = 0; i < r->headers_n; i++) {
		const struct header *x = &r->headers[i];

		if (str_eq(x->name, list))
			TRY(read_list(&h, x->value));
		else if (str_eq(x->name, forwarded))
			TRY(read_forwarded(&h, x->value));
	}
	return rightmost(a, trusted, n, &h, ret);
}
