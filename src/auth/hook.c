/* hook.c: see hook.h: checking one delivery. */
#include "auth/hook.h"

#include "auth/token.h"
#include "base/limits.h"
#include "base/secret.h"
#include "base/text.h"

const char *
hook_reason_text(enum hook_reason r)
{
	static const char *const text[] = {
#define HOOK_REASON(name, text, meaning) text,
#include "auth/hook_reasons.def"
#undef HOOK_REASON
	};

	return r < HOOK_REASONS ? text[r] : "unknown";
}

/* One delivery being looked at. */
struct check {
	struct arena *a;
	const struct hook_secrets *secrets;
	const struct hook_input *in;
	struct hook_proof *proof;
};

/* The one header of that name. */
static enum hook_reason
one_header(const struct check *c, struct str name, struct str *ret)
{
	size_t n = c->in->header(c->in->ctx, name, ret);

	return n == 0 ? HOOK_WHY_MISSING : n > 1 ? HOOK_WHY_TWICE : HOOK_WHY_OK;
}

/* ---- what is signed ---- */

enum { PIECES = 8 };
struct signed_text {
	struct str piece[PIECES];
	size_t n;
	struct str id, ts;
};

/* The template's parts, its words replaced by what they stand for. */
static void
fill_in(struct signed_text *s, struct str template, struct str body)
{
	while (template.n > 0 && s->n < PIECES - 1) {
		struct str *p = &s->piece[s->n++];

		if (str_starts(template, STR("{body}"))) {
			*p = body;
			template = str_skip(template, 6);
		} else if (str_starts(template, STR("{ts}"))) {
			*p = s->ts;
			template = str_skip(template, 4);
		} else if (str_starts(template, STR("{id}"))) {
			*p = s->id;
			template = str_skip(template, 4);
		} else {
			size_t n = 1;

			while (n < template.n && template.p[n] != '{')
				n++;
			*p = str_head(template, n);
			template = str_skip(template, n);
		}
	}
}

/* Unix seconds, as far from now as the limit lets them be. */
static enum hook_reason
time_near(struct str ts, int64_t now)
{
	int64_t sec = now / 1000;
	uint64_t v;

	if (!str_u64(ts, 0, INT64_MAX / 1000, &v))
		return HOOK_WHY_TS;
	if ((int64_t)v > sec ? (int64_t)v - sec > LIM_HOOK_SKEW_S
			     : sec - (int64_t)v > LIM_HOOK_SKEW_S)
		return HOOK_WHY_TS;
	return HOOK_WHY_OK;
}

/* An id is part of what is signed, between dots: it has none itself. */
static bool
id_valid(struct str id)
{
	if (id.n == 0 || id.n > LIM_HOOK_ID)
		return false;
	for (size_t i = 0; i < id.n; i++)
		if (id.p[i] <= ' ' || id.p[i] == '.' || id.p[i] > '~')
			return false;
	return true;
}

static enum hook_reason
gather(const struct check *c, const struct hook_hmac *h, struct signed_text *s)
{
	enum hook_reason why;

	if (h->scheme == HOOK_STANDARD) {
		why = one_header(c, STR("webhook-id"), &s->id);
		if (why != HOOK_WHY_OK)
			return why;
		if (!id_valid(s->id))
			return HOOK_WHY_MALFORMED;
	}
	if (h->ts_header.n > 0) {
		why = one_header(c, h->ts_header, &s->ts);
		if (why != HOOK_WHY_OK)
			return why;
		why = time_near(s->ts, c->in->now);
		if (why != HOOK_WHY_OK)
			return why;
	}
	fill_in(s, h->template, c->in->body);
	return HOOK_WHY_OK;
}

/* ---- signatures ---- */

struct candidates {
	uint8_t mac[HOOK_SIGS][MAC_MAX]; /* right length, else not here */
	struct str ed[HOOK_SIGS];
	size_t n, ed_n;
};

static bool
sig_decode(struct arena *a, enum hook_encoding e, struct str text, size_t size,
    uint8_t ret[MAC_MAX])
{
	struct str raw;

	if (e == HOOK_HEX)
		return hex_decode(text, ret, size);
	if (text.n > 2 * MAC_MAX ||
	    !(e == HOOK_BASE64 ? b64_decode(a, text, &raw)
			       : b64url_decode(a, text, &raw)) ||
	    raw.n != size)
		return false;
	memcpy(ret, raw.p, size);
	return true;
}

/* One signature of the header, sorted by what it claims to be. */
static void
sig_take(struct arena *a, const struct hook_hmac *h, struct str one,
    struct candidates *ret)
{
	struct str raw;

	if (h->scheme == HOOK_STANDARD && str_starts(one, STR("v1a,"))) {
		if (ret->ed_n < HOOK_SIGS && one.n == 4 + 88 &&
		    b64_decode(a, str_skip(one, 4), &raw))
			ret->ed[ret->ed_n++] = raw;
		return;
	}
	if (!str_starts(one, h->prefix) || ret->n == HOOK_SIGS)
		return;
	if (sig_decode(a, h->encoding, str_skip(one, h->prefix.n),
		mac_size(h->digest), ret->mac[ret->n]))
		ret->n++;
}

static enum hook_reason
signatures(const struct check *c, const struct hook_hmac *h,
    struct candidates *ret)
{
	struct str all, one;
	enum hook_reason why = one_header(c, h->header, &all);

	if (why != HOOK_WHY_OK)
		return why;
	if (h->separator == 0)
		sig_take(c->a, h, all, ret);
	for (size_t i = 0; h->separator != 0 && all.n > 0; i++) {
		if (i == HOOK_SIGS)
			return HOOK_WHY_MALFORMED;
		(void)str_cut(all, h->separator, &one, &all);
		sig_take(c->a, h, str_trim(one), ret);
	}
	return ret->n + ret->ed_n > 0 ? HOOK_WHY_OK : HOOK_WHY_MALFORMED;
}

/* whsec_ is base64 of the key; others are the text itself. */
static struct str
key_of(const struct check *c, const struct hook_hmac *h, struct str text)
{
	struct str raw;

	if (h->scheme == HOOK_STANDARD && str_starts(text, STR("whsec_")) &&
	    b64_decode(c->a, str_skip(text, 6), &raw))
		return raw;
	return text;
}

/* Every live secret against every signature. */
static enum hook_reason
mac_matches(const struct check *c, const struct hook_hmac *h,
    const struct signed_text *s, const struct candidates *sig)
{
	enum hook_reason why = HOOK_WHY_SECRET;
	size_t size = mac_size(h->digest);
	uint8_t want[MAC_MAX];
	bool matched = false;

	for (size_t i = 0; i < c->secrets->n; i++) {
		const struct hook_secret *k = &c->secrets->s[i];

		if (k->kind != HOOK_HMAC || !hook_secret_live(k, c->in->now))
			continue;
		if (why == HOOK_WHY_SECRET)
			why = HOOK_WHY_SIG;
		if (!err_ok(mac_hmac(h->digest, key_of(c, h, k->text), s->piece,
			s->n, want)))
			continue;
		for (size_t n = 0; n < sig->n; n++) {
			if (!ct_eq(want, sig->mac[n], size))
				continue;
			if (!matched)
				c->proof->secret = k->id;
			matched = true;
		}
	}
	return matched ? HOOK_WHY_OK : why;
}

static enum hook_reason
ed_matches(const struct check *c, const struct hook_hmac *h,
    const struct signed_text *s, const struct candidates *sig)
{
	bool matched = false;
	struct buf b;

	if (sig->ed_n == 0)
		return HOOK_WHY_SIG;
	buf_init_on(&b, c->a, LIM_INGEST_BODY + LIM_HEAD);
	for (size_t i = 0; i < s->n; i++)
		buf_str(&b, s->piece[i]);
	if (!err_ok(buf_check(&b)))
		return HOOK_WHY_SIG;
	for (size_t i = 0; i < h->public_keys; i++)
		for (size_t n = 0; n < sig->ed_n; n++)
			matched |= mac_ed25519(h->public_key[i], buf_view(&b),
			    sig->ed[n]);
	return matched ? HOOK_WHY_OK : HOOK_WHY_SIG;
}

/* Name what was signed, so that it can be known again.  Not by the MAC: with
 * two live secrets one delivery has two. */
static enum hook_reason
name_it(const struct check *c, const struct hook_hmac *h,
    const struct signed_text *s)
{
	struct hook_proof *p = c->proof;
	struct str id[2] = {STR("id"), s->id};

	p->timed = h->ts_header.n > 0;
	p->once = p->timed || h->unique;
	if (!p->once)
		return HOOK_WHY_OK;
	if (!err_ok(mac_sha256(s->piece, s->n, p->exact)))
		return HOOK_WHY_CONFIG;
	memcpy(p->key, p->exact, sizeof p->key);
	/* a sender's retry is signed anew and keeps its id */
	if (s->id.n > 0 && !err_ok(mac_sha256(id, 2, p->key)))
		return HOOK_WHY_CONFIG;
	return HOOK_WHY_OK;
}

static enum hook_reason
check_hmac(const struct check *c, const struct hook_rule *r)
{
	const struct hook_hmac *h = &r->hmac;
	struct signed_text s = {.n = 0};
	struct candidates sig = {.n = 0};
	enum hook_reason why = signatures(c, h, &sig);

	if (why == HOOK_WHY_OK)
		why = gather(c, h, &s);
	if (why != HOOK_WHY_OK)
		return why;
	why = h->public_keys > 0 ? ed_matches(c, h, &s, &sig)
				 : mac_matches(c, h, &s, &sig);
	return why == HOOK_WHY_OK ? name_it(c, h, &s) : why;
}

/* ---- the others ---- */

static enum hook_reason
check_mtls(const struct check *c, const struct hook_rule *r)
{
	const struct hook_mtls *m = &r->mtls;
	const struct hook_cert *cert = c->in->cert;
	bool matched = false;

	if (cert == NULL)
		return HOOK_WHY_CERT;
	for (size_t i = 0; i < m->sha256_n; i++)
		matched |= ct_eq(m->sha256[i], cert->sha256, 32);
	for (size_t i = 0; i < m->spki_n; i++)
		matched |= ct_eq(m->spki[i], cert->spki, 32);
	if (m->ca.n > 0)
		matched |= hook_cert_issued(m->ca, m->san, cert, c->in->now);
	if (!matched)
		return HOOK_WHY_CERT;
	if (c->in->now < cert->not_before || c->in->now > cert->not_after)
		return HOOK_WHY_CERT_DATE;
	return HOOK_WHY_OK;
}

/* Lengths are no secret; both sides are hashed so that texts of any length
 * compare in one time. */
static enum hook_reason
check_url_key(const struct check *c)
{
	enum hook_reason why = HOOK_WHY_SECRET;
	struct str given = c->in->url_key;
	uint8_t mine[32], want[32];
	bool matched = false;

	c->proof->keyed = true;
	if (given.p == NULL)
		return HOOK_WHY_MISSING;
	if (!err_ok(mac_sha256(&given, 1, mine)))
		return HOOK_WHY_CONFIG;
	for (size_t i = 0; i < c->secrets->n; i++) {
		const struct hook_secret *k = &c->secrets->s[i];

		if (k->kind != HOOK_URL_KEY ||
		    !hook_secret_live(k, c->in->now) ||
		    !err_ok(mac_sha256(&k->text, 1, want)))
			continue;
		why = HOOK_WHY_URL_KEY;
		if (!ct_eq(mine, want, sizeof want))
			continue;
		if (!matched)
			c->proof->secret = k->id;
		matched = true;
	}
	return matched ? HOOK_WHY_OK : why;
}

static enum hook_reason
check_rule(const struct check *c, const struct hook_rule *r)
{
	switch (r->kind) {
	case HOOK_BEARER:
	case HOOK_BASIC:
		return c->in->token;
	case HOOK_HMAC:
		return check_hmac(c, r);
	case HOOK_MTLS:
		return check_mtls(c, r);
	case HOOK_IP_ALLOW:
		return cidr_match(r->cidr, r->cidrs, c->in->address)
		    ? HOOK_WHY_OK
		    : HOOK_WHY_ADDRESS;
	case HOOK_URL_KEY:
		return check_url_key(c);
	case HOOK_JWE: /* says nothing about who; opened once that is known */
		c->proof->sealed = true;
		return HOOK_WHY_OK;
	case HOOK_KINDS:
		break;
	}
	return HOOK_WHY_CONFIG;
}

void
hook_check(struct arena *a, const struct hook_auth *h,
    const struct hook_secrets *s, const struct hook_input *in,
    struct hook_proof *ret)
{
	struct check c = {a, s, in, ret};
	enum hook_reason first = HOOK_WHY_OK;

	*ret = (struct hook_proof){.why = HOOK_WHY_CONFIG};
	for (size_t i = 0; i < h->n; i++) {
		enum hook_reason why = check_rule(&c, &h->rule[i]);

		if (first == HOOK_WHY_OK)
			first = why;
	}
	/* who asks for nothing gets nobody */
	if (h->n > 0)
		ret->why = first;
}

bool
hook_basic(struct arena *a, struct str header, struct str *ret_user,
    struct str *ret_password)
{
	static const struct str scheme = {"basic", 5};
	struct str rest = str_skip(header, scheme.n), raw;

	if (!str_ieq(str_head(header, scheme.n), scheme) || rest.n == 0 ||
	    rest.p[0] != ' ')
		return false;
	while (rest.n > 0 && rest.p[0] == ' ')
		rest = str_skip(rest, 1);
	return rest.n <= 4096 && b64_decode(a, rest, &raw) &&
	    str_cut(raw, ':', ret_user, ret_password);
}
