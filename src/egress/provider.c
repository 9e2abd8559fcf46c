#include "egress/provider.h"

#include "auth/jose.h"
#include "auth/token.h"
#include "base/text.h"
#include "ipc/idpwire.h"

enum { URL_MAX = 512, ID_MAX = 256 };

/* ---- values ---- */

static bool
printable(struct str s, size_t max)
{
	if (s.n == 0 || s.n > max)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x21 || s.p[i] > 0x7e || s.p[i] == '"' ||
		    s.p[i] == '<' || s.p[i] == '>' || s.p[i] == '\\')
			return false;
	return true;
}

static bool
is_literal(struct str host)
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

	if (!host_port(s, default_port, &e) || !is_literal(e.host))
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

	if (!printable(s, URL_MAX) || !str_starts(s, STR("https://")) ||
	    memchr(s.p, '#', s.n) != NULL)
		return false;
	while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?')
		n++;
	if (!host_port(str_head(rest, n), 443, &e))
		return false;
	*ret = (struct url){.host = e.host,
	    .port = e.port,
	    .literal = is_literal(e.host),
	    .path = str_skip(rest, n)};
	if (ret->path.n == 0)
		ret->path = STR("/");
	return ret->path.p[0] == '/' && (ret->literal || is_name(e.host));
}

static bool
text_ok(struct str s, size_t max)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return false;
	return s.n <= max;
}

static const char *
reach_wrong(const struct provider *p)
{
	if (p->connect_n > PROVIDER_ADDRESSES ||
	    p->allow_n > PROVIDER_ADDRESSES)
		return "too many addresses";
	for (size_t i = 0; i < p->connect_n; i++)
		if (!is_literal(p->connect[i].host) || p->connect[i].port == 0)
			return "connect wants addresses, HOST:PORT";
	for (size_t i = 0; i < p->allow_n; i++)
		if (!cidr_valid(p->allow[i]))
			return "allow_cidr wants address blocks";
	if (p->resolver.host.n > 0 &&
	    (!is_literal(p->resolver.host) || p->resolver.port == 0))
		return "resolver wants an address";
	if ((p->connect_n > 0) == (p->resolver.host.n > 0) ||
	    (p->resolver.host.n > 0) != (p->allow_n > 0))
		return "either connect, or resolver and allow_cidr";
	return NULL;
}

/* Empty, or one that others can verify. */
static bool
alg_ok(struct str name)
{
	enum jose_alg alg;

	return name.n == 0 ||
	    (jose_alg_of(name, &alg) &&
		(JOSE_PUBLIC_ALGS & JOSE_BIT(alg)) != 0);
}

const char *
provider_wrong(const struct provider *p)
{
	struct url u;
	bool any = false;

	if (!idp_name_ok(p->name))
		return "a name has lower-case letters, digits and hyphens";
	if (!printable(p->issuer, URL_MAX))
		return "issuer is missing or no URL";
	for (size_t i = 0; i < URL_MAX_; i++) {
		if (p->url[i].n == 0)
			continue;
		any = true;
		if (!egress_url_parse(p->url[i], &u))
			return "an address is no https URL";
	}
	if (!any)
		return "no address to ask";
	if (p->auth >= CLIENT_MAX_ || !text_ok(p->client_id, ID_MAX) ||
	    !text_ok(p->key_id, ID_MAX) || !alg_ok(p->key_alg))
		return "client_id, key_id or key_alg is not acceptable";
	if (p->url[URL_TOKEN].n > 0 &&
	    (p->client_id.n == 0 || !printable(p->redirect_uri, URL_MAX)))
		return "token_endpoint needs client_id and redirect_uri";
	return reach_wrong(p);
}

/* ---- the message ---- */

static void
text_add(struct buf *b, struct str s)
{
	if (s.n > UINT16_MAX) {
		b->failed = true;
		return;
	}
	buf_be16(b, (uint16_t)s.n);
	buf_str(b, s);
}

static struct str
text_take(struct arena *a, struct cur *c)
{
	struct str s = cur_view(c, cur_be16(c));

	return s.n == 0 ? STR("") : arena_dup(a, s);
}

void
provider_encode(struct buf *b, const struct provider *p)
{
	text_add(b, p->name);
	text_add(b, p->issuer);
	for (size_t i = 0; i < URL_MAX_; i++)
		text_add(b, p->url[i]);
	text_add(b, p->client_id);
	text_add(b, p->redirect_uri);
	text_add(b, p->key_id);
	text_add(b, p->key_alg);
	buf_char(b, (char)p->auth);
	buf_char(b, p->tls12 ? 1 : 0);
	buf_char(b, p->pinned ? 1 : 0);
	buf_add(b, p->pin, PIN_SIZE);
	buf_char(b, (char)p->connect_n);
	for (size_t i = 0; i < p->connect_n; i++) {
		text_add(b, p->connect[i].host);
		buf_be16(b, p->connect[i].port);
	}
	text_add(b, p->resolver.host);
	buf_be16(b, p->resolver.port);
	buf_char(b, (char)p->allow_n);
	for (size_t i = 0; i < p->allow_n; i++)
		text_add(b, p->allow[i]);
}

static bool
flag(struct cur *c)
{
	uint8_t v = cur_u8(c);

	if (v > 1)
		c->failed = true;
	return v == 1;
}

static size_t
count(struct cur *c)
{
	uint8_t n = cur_u8(c);

	if (n > PROVIDER_ADDRESSES)
		c->failed = true;
	return c->failed ? 0 : n;
}

static void
parsed(struct arena *a, struct cur *c, struct provider *p)
{
	p->name = text_take(a, c);
	p->issuer = text_take(a, c);
	for (size_t i = 0; i < URL_MAX_; i++)
		p->url[i] = text_take(a, c);
	p->client_id = text_take(a, c);
	p->redirect_uri = text_take(a, c);
	p->key_id = text_take(a, c);
	p->key_alg = text_take(a, c);
	p->auth = (enum client_auth)cur_u8(c);
	p->tls12 = flag(c);
	p->pinned = flag(c);
	cur_bytes(c, p->pin, PIN_SIZE);
	p->connect_n = count(c);
	for (size_t i = 0; i < p->connect_n; i++) {
		p->connect[i].host = text_take(a, c);
		p->connect[i].port = cur_be16(c);
	}
	p->resolver.host = text_take(a, c);
	p->resolver.port = cur_be16(c);
	p->allow_n = count(c);
	for (size_t i = 0; i < p->allow_n; i++)
		p->allow[i] = text_take(a, c);
}

err
provider_decode(struct arena *a, struct str in, struct provider *ret)
{
	struct cur c = cur_of(in);
	struct provider p = {.auth = CLIENT_NONE};

	parsed(a, &c, &p);
	TRY(arena_check(a));
	if (!cur_end(&c) || provider_wrong(&p) != NULL)
		return err_of(E_PEER);
	*ret = p;
	return OK;
}
