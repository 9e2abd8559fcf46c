#include "egress/provider.h"

#include "auth/jose.h"
#include "auth/token.h"
#include "base/text.h"
#include "ipc/idpwire.h"

enum { ID_MAX = 256 };

/* ---- values ---- */

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
		if (!url_literal(p->connect[i].host) || p->connect[i].port == 0)
			return "connect wants addresses, HOST:PORT";
	for (size_t i = 0; i < p->allow_n; i++)
		if (!cidr_valid(p->allow[i]))
			return "allow_cidr wants address blocks";
	if (p->resolver.host.n > 0 &&
	    (!url_literal(p->resolver.host) || p->resolver.port == 0))
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
	if (!url_printable(p->issuer, URL_MAX))
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
	    (p->client_id.n == 0 || !url_printable(p->redirect_uri, URL_MAX)))
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
