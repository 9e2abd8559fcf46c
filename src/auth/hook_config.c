/* hook_config.c: see hook.h: the auth object of an integration. */
#include "auth/hook.h"

#include "auth/token.h"
#include "base/limits.h"
#include "base/text.h"

static const char *const kinds[] = {
    [HOOK_BEARER] = "bearer",
    [HOOK_BASIC] = "basic",
    [HOOK_HMAC] = "hmac",
    [HOOK_MTLS] = "mtls",
    [HOOK_IP_ALLOW] = "ip_allow",
    [HOOK_URL_KEY] = "url_key",
    [HOOK_JWE] = "jwe",
};
static const char *const encodings[] = {
    [HOOK_HEX] = "hex",
    [HOOK_BASE64] = "base64",
    [HOOK_BASE64URL] = "base64url",
};
static const char *const digests[] = {
    [MAC_SHA256] = "sha256",
    [MAC_SHA384] = "sha384",
    [MAC_SHA512] = "sha512",
};
static const struct preset {
	const char *text, *header, *prefix;
	enum hook_encoding encoding;
	enum mac_digest digest;
	char separator;
	const char *ts_header, *template;
	bool unique;
} schemes[] = {
#define HOOK_SCHEME(name, text, h, p, e, d, s, t, tmpl, u)                     \
	{text, h, p, HOOK_##e, MAC_##d, s, t, tmpl, u},
#include "auth/hook_schemes.def"
#undef HOOK_SCHEME
};

const char *
hook_kind_text(enum hook_kind k)
{
	return k < HOOK_KINDS ? kinds[k] : "unknown";
}

const char *
hook_scheme_text(enum hook_scheme s)
{
	return s < HOOK_SCHEMES ? schemes[s].text : "unknown";
}

const char *
hook_encoding_text(enum hook_encoding e)
{
	return encodings[e];
}

const char *
hook_digest_text(enum mac_digest d)
{
	return digests[d];
}

/* ---- reading one rule ---- */

struct reader {
	struct arena *a;
	const struct json *j;
	struct trail *t;
	struct hook_auth *auth;
	unsigned read; /* members looked at and present */
};

static err
bad(const struct reader *r, const char *what)
{
	trail_set(r->t, "auth: %s", what);
	return err_of(E_INVALID);
}

/* A member of the rule; NULL when absent. */
static const struct json *
member(struct reader *r, const char *name)
{
	const struct json *j = json_get(r->j, str_c(name));

	r->read += j != NULL;
	return j;
}

/* An optional text of printable ASCII; *ret keeps its default otherwise. */
static err
text(struct reader *r, const char *name, size_t min, size_t max,
    struct str *ret)
{
	const struct json *j = member(r, name);

	if (j == NULL)
		return OK;
	if (j->kind != JSON_STRING || j->text.n < min || j->text.n > max) {
		trail_set(r->t, "auth: %s must be a text of %zu to %zu bytes",
		    name, min, max);
		return err_of(E_INVALID);
	}
	for (size_t i = 0; i < j->text.n; i++) {
		if (j->text.p[i] < ' ' || j->text.p[i] > '~') {
			trail_set(r->t, "auth: %s must be printable ASCII",
			    name);
			return err_of(E_INVALID);
		}
	}
	*ret = j->text;
	return OK;
}

/* One of n words. */
static err
word(struct reader *r, const char *name, const char *const *words, size_t n,
    unsigned *ret)
{
	const struct json *j = member(r, name);

	if (j == NULL)
		return OK;
	for (unsigned i = 0; i < n; i++) {
		if (j->kind == JSON_STRING && str_is(j->text, words[i])) {
			*ret = i;
			return OK;
		}
	}
	trail_set(r->t, "auth: %s is not one of those there are", name);
	return err_of(E_INVALID);
}

/* RFC 9110 5.1, in lower case as wire hands names over. */
static err
header_name(struct reader *r, const char *name, struct str *ret)
{
	struct str s = STR_NONE;
	char *low;

	TRY(text(r, name, 1, 100, &s));
	if (s.p == NULL)
		return OK;
	low = arena_raw(r->a, s.n);
	TRY(arena_check(r->a));
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
		    c != '-' && c != '_')
			return bad(r, "that is no name of a header");
		low[i] = c;
	}
	*ret = str_of(low, s.n);
	if (str_is(*ret, "authorization") || str_is(*ret, "host") ||
	    str_starts(*ret, STR("content-")))
		return bad(r, "that header has a meaning of its own");
	return OK;
}

static size_t
times_in(struct str s, struct str word)
{
	size_t n = 0;

	for (; s.n > 0; s = str_skip(s, 1))
		n += str_starts(s, word);
	return n;
}

/* {body} once, {ts} exactly when there is a time header, nothing else in
 * braces. */
static err
template_check(const struct reader *r, const struct hook_hmac *h)
{
	size_t body = times_in(h->template, STR("{body}"));
	size_t ts = times_in(h->template, STR("{ts}"));

	if (body != 1)
		return bad(r, "the template must have {body} once");
	if (ts != (h->ts_header.n > 0))
		return bad(r,
		    "{ts} belongs in the template once, and only with a "
		    "timestamp_header");
	if (times_in(h->template, STR("{")) != body + ts ||
	    times_in(h->template, STR("}")) != body + ts)
		return bad(r, "the template knows {body} and {ts} only");
	return OK;
}

static err
read_generic(struct reader *r, struct hook_hmac *h)
{
	unsigned e = h->encoding, d = h->digest;

	TRY(header_name(r, "header", &h->header));
	TRY(text(r, "prefix", 0, 32, &h->prefix));
	TRY(word(r, "encoding", encodings, 3, &e));
	TRY(word(r, "algorithm", digests, MAC_DIGESTS, &d));
	TRY(header_name(r, "timestamp_header", &h->ts_header));
	if (h->ts_header.n > 0)
		h->template = STR("{ts}.{body}");
	TRY(text(r, "template", 1, 64, &h->template));
	h->encoding = (enum hook_encoding)e;
	h->digest = (enum mac_digest)d;
	if (str_eq(h->header, h->ts_header))
		return bad(r, "header and timestamp_header are the same");
	return template_check(r, h);
}

/* One text, or a list of up to HOOK_PINS of them. */
static err
texts(struct reader *r, const char *name, struct str ret[HOOK_PINS],
    size_t *ret_n)
{
	const struct json *j = member(r, name);
	size_t n = 0;

	*ret_n = 0;
	if (j == NULL)
		return OK;
	if (j->kind == JSON_STRING) {
		ret[0] = j->text;
		*ret_n = 1;
		return OK;
	}
	if (j->kind != JSON_ARRAY || j->count == 0 || j->count > HOOK_PINS) {
		trail_set(r->t, "auth: %s must be a text, or 1 to %d of them",
		    name, HOOK_PINS);
		return err_of(E_INVALID);
	}
	for (j = json_first(j); j != NULL; j = j->next)
		if (!json_str(j, &ret[n++]))
			return bad(r, "a list of texts holds something else");
	*ret_n = n;
	return OK;
}

static err
read_public_keys(struct reader *r, struct hook_hmac *h)
{
	struct str in[HOOK_PINS];
	size_t n;

	TRY(texts(r, "public_key", in, &n));
	for (size_t i = 0; i < n; i++)
		if (!str_starts(in[i], STR("whpk_")) ||
		    !b64_decode(r->a, str_skip(in[i], 5), &h->public_key[i]) ||
		    h->public_key[i].n != 32)
			return bad(r,
			    "public_key is whpk_ and base64 of an Ed25519 key");
	h->public_keys = n;
	return OK;
}

static err
read_flag(struct reader *r, const char *name, bool *ret)
{
	const struct json *j = member(r, name);

	if (j == NULL || json_bool(j, ret))
		return OK;
	trail_set(r->t, "auth: %s must be true or false", name);
	return err_of(E_INVALID);
}

static bool
scheme_find(struct str name, enum hook_scheme *ret)
{
	for (unsigned i = 0; i < HOOK_SCHEMES; i++) {
		if (str_is(name, schemes[i].text)) {
			*ret = (enum hook_scheme)i;
			return true;
		}
	}
	return false;
}

static struct hook_hmac
preset_of(enum hook_scheme s)
{
	const struct preset *p = &schemes[s];

	return (struct hook_hmac){
	    .scheme = s,
	    .encoding = p->encoding,
	    .digest = p->digest,
	    .separator = p->separator,
	    .unique = p->unique,
	    .header = str_c(p->header),
	    .prefix = str_c(p->prefix),
	    .ts_header = str_c(p->ts_header),
	    .template = str_c(p->template),
	};
}

static err
read_hmac(struct reader *r, struct hook_rule *rule)
{
	struct hook_hmac *h = &rule->hmac;
	struct str scheme = STR_NONE;
	enum hook_scheme s;

	TRY(text(r, "scheme", 1, 32, &scheme));
	if (!scheme_find(scheme, &s))
		return bad(r,
		    "hmac needs a scheme: github, standard-webhooks, "
		    "pagerduty, slack, sentry, grafana or generic");
	*h = preset_of(s);
	if (s == HOOK_GENERIC)
		TRY(read_generic(r, h));
	if (s == HOOK_GRAFANA) {
		TRY(header_name(r, "header", &h->header));
		TRY(header_name(r, "timestamp_header", &h->ts_header));
		if (h->ts_header.n > 0)
			h->template = STR("{ts}:{body}");
	}
	if (s == HOOK_STANDARD)
		TRY(read_public_keys(r, h));
	if (h->ts_header.n == 0)
		TRY(read_flag(r, "unique_bodies", &h->unique));
	if (h->public_keys > 0)
		return OK;
	TRY(text(r, "secret", 1, 512, &r->auth->given));
	if (r->auth->given.n > 0 &&
	    !hook_secret_valid(r->a, rule, r->auth->given))
		return bad(r,
		    "secret: 16 to 512 bytes of printable ASCII; whsec_ "
		    "must be followed by base64 of 24 to 64");
	return OK;
}

/* SHA-256 as hex, with colons or without, or as base64. */
static bool
pin_parse(struct arena *a, struct str s, uint8_t ret[32])
{
	char hex[64];
	struct str raw;
	size_t n = 0;

	if (str_starts(s, STR("sha256:")) || str_starts(s, STR("sha256/")))
		s = str_skip(s, 7);
	if (s.n == 43 && b64url_decode(a, s, &raw) && raw.n == 32) {
		memcpy(ret, raw.p, 32);
		return true;
	}
	if (s.n == 44 && b64_decode(a, s, &raw) && raw.n == 32) {
		memcpy(ret, raw.p, 32);
		return true;
	}
	for (size_t i = 0; i < s.n; i++) {
		if (s.n == 95 && i % 3 == 2 && s.p[i] == ':')
			continue;
		if (n == sizeof hex)
			return false;
		hex[n] = s.p[i];
		if (hex[n] >= 'A' && hex[n] <= 'F')
			hex[n] = (char)(hex[n] - 'A' + 'a');
		n++;
	}
	return hex_decode(str_of(hex, n), ret, 32);
}

static err
read_pins(struct reader *r, const char *name, uint8_t ret[HOOK_PINS][32],
    size_t *ret_n)
{
	struct str in[HOOK_PINS];
	size_t n;

	TRY(texts(r, name, in, &n));
	for (size_t i = 0; i < n; i++) {
		if (!pin_parse(r->a, in[i], ret[i])) {
			trail_set(r->t,
			    "auth: %s must be SHA-256 in hex or base64", name);
			return err_of(E_INVALID);
		}
	}
	*ret_n = n;
	return OK;
}

static err
read_mtls(struct reader *r, struct hook_rule *rule)
{
	struct hook_mtls *m = &rule->mtls;
	const struct json *ca;

	TRY(read_pins(r, "fingerprint", m->sha256, &m->sha256_n));
	TRY(read_pins(r, "spki", m->spki, &m->spki_n));
	ca = member(r, "ca");
	if (ca != NULL &&
	    (!json_str(ca, &m->ca) || m->ca.n > LIM_HOOK_AUTH ||
		!hook_ca_valid(m->ca)))
		return bad(r, "ca must be one or more PEM certificates");
	TRY(text(r, "san", 5, 255, &m->san));
	if (m->san.n > 0 &&
	    (m->ca.n == 0 ||
		(!str_starts(m->san, STR("uri:")) &&
		    !str_starts(m->san, STR("dns:")))))
		return bad(r, "san is uri:... or dns:..., beside a ca");
	if (m->sha256_n + m->spki_n == 0 && m->ca.n == 0)
		return bad(r, "mtls needs fingerprint, spki or ca");
	return OK;
}

static err
read_cidrs(struct reader *r, struct hook_rule *rule)
{
	const struct json *j = member(r, "cidrs");
	struct str *cidr;

	if (j == NULL || j->kind != JSON_ARRAY || j->count == 0 ||
	    j->count > HOOK_CIDRS)
		return bad(r, "ip_allow needs cidrs, at least one");
	cidr = arena_array(r->a, j->count, sizeof *cidr);
	TRY(arena_check(r->a));
	rule->cidr = cidr;
	for (j = json_first(j); j != NULL; j = j->next) {
		if (j->kind != JSON_STRING || !cidr_valid(j->text))
			return bad(r,
			    "cidrs must be address blocks with no bit set "
			    "behind the prefix");
		cidr[rule->cidrs++] = j->text;
	}
	return OK;
}

static err
read_basic(struct reader *r, struct hook_rule *rule)
{
	rule->user = STR("redoubt");
	TRY(text(r, "user", 1, 100, &rule->user));
	if (json_get(r->j, STR("user")) == NULL)
		TRY(text(r, "username", 1, 100, &rule->user));
	if (memchr(rule->user.p, ':', rule->user.n) != NULL)
		return bad(r, "a user name of basic has no colon");
	return OK;
}

static err
read_jwe(struct reader *r, struct hook_rule *rule)
{
	static const char *const names[] = {"P-256", "RSA"};
	unsigned key = 0;

	TRY(word(r, "key", names, 2, &key));
	rule->rsa = key == 1;
	return OK;
}

static err
read_members(struct reader *r, struct hook_rule *rule)
{
	switch (rule->kind) {
	case HOOK_BASIC:
		return read_basic(r, rule);
	case HOOK_HMAC:
		return read_hmac(r, rule);
	case HOOK_MTLS:
		return read_mtls(r, rule);
	case HOOK_IP_ALLOW:
		return read_cidrs(r, rule);
	case HOOK_JWE:
		return read_jwe(r, rule);
	default:
		return OK;
	}
}

static err
read_rule(struct arena *a, const struct json *j, struct trail *t,
    struct hook_auth *auth, struct hook_rule *ret)
{
	struct reader r = {a, j, t, auth, 0};
	unsigned kind = HOOK_KINDS;

	if (j->kind != JSON_OBJECT)
		return bad(&r, "each scheme is an object with a kind");
	TRY(word(&r, "kind", kinds, HOOK_KINDS, &kind));
	if (kind == HOOK_KINDS)
		return bad(&r,
		    "kind is bearer, basic, hmac, mtls, ip_allow, url_key or "
		    "jwe");
	ret->kind = (enum hook_kind)kind;
	TRY(read_members(&r, ret));
	if (r.read == j->count)
		return OK;
	trail_set(t, "auth: %s has a member that is unknown here", kinds[kind]);
	return err_of(E_UNKNOWN_MEMBER);
}

/* ---- rules together ---- */

static err
together(const struct hook_auth *h, struct trail *t)
{
	unsigned seen = 0, proof = 0;

	for (size_t i = 0; i < h->n; i++) {
		enum hook_kind k = h->rule[i].kind;

		if ((seen >> k & 1) != 0) {
			trail_set(t, "auth: %s is asked for twice", kinds[k]);
			return err_of(E_INVALID);
		}
		seen |= 1u << k;
		proof += k != HOOK_JWE && k != HOOK_IP_ALLOW;
	}
	if ((seen & (1u << HOOK_BEARER)) != 0 &&
	    (seen & (1u << HOOK_BASIC)) != 0) {
		trail_set(t, "auth: bearer and basic share one header");
		return err_of(E_INVALID);
	}
	if ((seen & (1u << HOOK_HMAC)) != 0 &&
	    (seen & (1u << HOOK_URL_KEY)) != 0) {
		trail_set(t, "auth: url_key beside hmac protects nothing");
		return err_of(E_INVALID);
	}
	if ((seen & (1u << HOOK_JWE)) != 0 && proof == 0) {
		trail_set(t,
		    "auth: jwe hides a body and proves nothing: it needs "
		    "bearer, basic, hmac or mtls beside it");
		return err_of(E_INVALID);
	}
	return OK;
}

/* The list of rules, however it was written; NULL when it is one rule. */
static err
rules_of(const struct json *j, struct trail *t, const struct json **ret)
{
	*ret = NULL;
	if (j->kind == JSON_OBJECT &&
	    str_is(json_str_at(j, STR("kind")), "all")) {
		*ret = json_get(j, STR("of"));
		if (j->count != 2) {
			trail_set(t, "auth: all has kind and of, no other");
			return err_of(E_UNKNOWN_MEMBER);
		}
	} else if (j->kind == JSON_ARRAY) {
		*ret = j;
	} else {
		return OK;
	}
	if (*ret != NULL && (*ret)->kind == JSON_ARRAY && (*ret)->count > 0 &&
	    (*ret)->count <= HOOK_RULES)
		return OK;
	trail_set(t, "auth: a list of 1 to %d schemes", HOOK_RULES);
	return err_of(E_INVALID);
}

err
hook_auth_parse(struct arena *a, const struct json *j, struct trail *t,
    struct hook_auth *ret)
{
	struct hook_auth h = {.n = 0};
	const struct json *list;

	if (j == NULL)
		return err_of(E_INVALID);
	TRY(rules_of(j, t, &list));
	h.rule = arena_array(a, HOOK_RULES, sizeof *h.rule);
	TRY(arena_check(a));
	if (list == NULL) {
		TRY(read_rule(a, j, t, &h, &h.rule[h.n++]));
	} else {
		for (j = json_first(list); j != NULL; j = j->next)
			TRY(read_rule(a, j, t, &h, &h.rule[h.n++]));
	}
	TRY(together(&h, t));
	*ret = h;
	return arena_check(a);
}
