/* saml_flat.c: providers and verdicts as bytes between processes. */
#include "auth/saml.h"

/* ---- writing ---- */

static void
put(struct buf *b, struct str s)
{
	buf_be32(b, s.p == NULL ? UINT32_MAX : (uint32_t)s.n);
	buf_str(b, s);
}

static void
put_all(struct buf *b, const struct str *s, size_t n)
{
	buf_be32(b, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		put(b, s[i]);
}

void
saml_provider_encode(struct buf *b, const struct saml_provider *p)
{
	put(b, p->entity);
	put(b, p->sp_entity);
	put(b, p->acs);
	put_all(b, p->keys, p->keys_n);
	put_all(b, p->decrypt, p->decrypt_n);
	buf_be32(b, (p->unsolicited ? 1U : 0U) | (p->cbc ? 2U : 0U));
	buf_be64(b, (uint64_t)p->sha1_until);
	put(b, p->request);
}

static void
put_identity(struct buf *b, const struct saml_identity *i)
{
	put(b, i->issuer);
	put(b, i->name_id);
	put(b, i->format);
	put(b, i->session_index);
	put(b, i->acr);
	put(b, i->assertion_id);
	buf_be64(b, (uint64_t)i->not_on_or_after);
	buf_be64(b, (uint64_t)i->authn_instant);
	buf_be64(b, (uint64_t)i->session_not_on_or_after);
	buf_be32(b, i->answers);
	buf_be32(b, (uint32_t)i->attributes_n);
	for (size_t k = 0; k < i->attributes_n; k++) {
		put(b, i->attributes[k].name);
		put_all(b, i->attributes[k].value, i->attributes[k].n);
	}
}

void
saml_verdict_encode(struct buf *b, enum saml_reason why,
    const struct saml_identity *i)
{
	size_t start = b->n;

	buf_be32(b, (uint32_t)why);
	if (why != SAML_OK)
		return;
	put_identity(b, i);
	if (err_ok(buf_check(b)) && b->n - start <= SAML_FLAT_MAX)
		return;
	b->n = start;
	b->failed = false;
	buf_be32(b, SAML_TOO_MUCH);
}

/* ---- reading: what is left gets shorter, or it all fails ---- */

struct left {
	struct str s;
	bool ok;
};

static uint64_t
number(struct left *l, size_t n)
{
	uint64_t v = 0;

	if (!l->ok || l->s.n < n) {
		l->ok = false;
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		v = v << 8 | (unsigned char)l->s.p[i];
	l->s = str_skip(l->s, n);
	return v;
}

static int64_t
time_of(struct left *l)
{
	return (int64_t)number(l, 8);
}

static struct str
text(struct left *l)
{
	uint64_t n = number(l, 4);
	struct str s = STR_NONE;

	if (!l->ok || n == UINT32_MAX)
		return s;
	if (n > l->s.n) {
		l->ok = false;
		return s;
	}
	s = str_of(l->s.p, (size_t)n);
	l->s = str_skip(l->s, (size_t)n);
	return s;
}

/* A count of at most max. */
static size_t
count(struct left *l, size_t max)
{
	uint64_t n = number(l, 4);

	if (n > max)
		l->ok = false;
	return l->ok ? (size_t)n : 0;
}

static size_t
texts(struct left *l, struct str *ret, size_t max)
{
	size_t n = count(l, max);

	for (size_t i = 0; i < n; i++)
		ret[i] = text(l);
	return n;
}

bool
saml_provider_decode(struct str in, struct saml_provider *ret)
{
	struct saml_provider p = {0};
	struct left l = {in, true};
	uint64_t flags;

	p.entity = text(&l);
	p.sp_entity = text(&l);
	p.acs = text(&l);
	p.keys_n = texts(&l, p.keys, SAML_KEYS);
	p.decrypt_n = texts(&l, p.decrypt, SAML_KEYS);
	flags = number(&l, 4);
	p.unsolicited = (flags & 1) != 0;
	p.cbc = (flags & 2) != 0;
	p.sha1_until = time_of(&l);
	p.request = text(&l);
	if (!l.ok || l.s.n > 0 || flags > 3)
		return false;
	*ret = p;
	return true;
}

static bool
read_identity(struct arena *a, struct left *l, struct saml_identity *i)
{
	struct saml_attribute *to;

	i->issuer = text(l);
	i->name_id = text(l);
	i->format = text(l);
	i->session_index = text(l);
	i->acr = text(l);
	i->assertion_id = text(l);
	i->not_on_or_after = time_of(l);
	i->authn_instant = time_of(l);
	i->session_not_on_or_after = time_of(l);
	i->answers = number(l, 4) != 0;
	i->attributes_n = count(l, SAML_ATTRIBUTES);
	to = arena_array(a, i->attributes_n + 1, sizeof *to);
	if (to == NULL)
		return false;
	i->attributes = to;
	for (size_t k = 0; k < i->attributes_n; k++) {
		to[k].name = text(l);
		to[k].n = texts(l, to[k].value, SAML_VALUES);
	}
	return l->ok && i->name_id.n > 0 && i->assertion_id.n > 0;
}

bool
saml_verdict_decode(struct arena *a, struct str in, enum saml_reason *ret_why,
    struct saml_identity *ret)
{
	struct saml_identity i = {0};
	struct left l = {in, true};
	uint64_t why = number(&l, 4);

	if (!l.ok || why >= SAML_REASON_MAX_)
		return false;
	if (why == SAML_OK && !read_identity(a, &l, &i))
		return false;
	if (!l.ok || l.s.n > 0)
		return false;
	*ret_why = (enum saml_reason)why;
	*ret = i;
	return true;
}
