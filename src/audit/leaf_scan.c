#include "audit/scan.h"

#include "base/limits.h"
#include "base/time.h"
#include "base/utf8.h"

static bool
is_base64(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	    (c >= '0' && c <= '9') || c == '+' || c == '/';
}

static size_t
plain_run(struct str s)
{
	return utf8_plain(s);
}

/* The one character JSON writes as it is and a leaf has not. */
static bool
has_del(struct str s)
{
	return s.n > 0 && memchr(s.p, 0x7f, s.n) != NULL;
}

bool
leaf_text_ok(struct str s)
{
	return plain_run(s) == s.n && !has_del(s);
}

bool
leaf_name_ok(struct str s)
{
	if (s.n == 0 || s.n > 64 || s.p[0] < 'a' || s.p[0] > 'z')
		return false;
	for (size_t i = 1; i < s.n; i++) {
		char c = s.p[i];

		if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' &&
		    c != '.')
			return false;
	}
	return true;
}

static bool
take(struct str *s, struct str word)
{
	if (!str_starts(*s, word))
		return false;
	*s = str_skip(*s, word.n);
	return true;
}

/* A string of at least one character and its closing quote. */
static bool
take_text(struct str *s, struct str *ret)
{
	size_t n = plain_run(*s);

	if (n == 0 || n == s->n || s->p[n] != '"')
		return false;
	*ret = str_head(*s, n);
	*s = str_skip(*s, n + 1);
	return true;
}

/* ,"name":"text" when it is there; an empty one is left out, never empty. */
static bool
take_option(struct str *s, struct str start, struct str *ret)
{
	return !take(s, start) || take_text(s, ret);
}

static bool
take_int(struct str *s, uint64_t min, uint64_t *ret)
{
	uint64_t v = 0;
	size_t n = 0;

	while (n < s->n && n < 17 && s->p[n] >= '0' && s->p[n] <= '9')
		v = v * 10 + (uint64_t)(s->p[n++] - '0');
	if (n == 0 || v < min || v > LEAF_INT_MAX || s->p[0] == '0')
		return false;
	*ret = v;
	*s = str_skip(*s, n);
	return true;
}

/* 32 bytes: 43 digits, of which the last holds four bits, and one '='. */
static bool
take_commitment(struct str *s, struct str *ret)
{
	struct str t;

	if (!take(s, STR(",\"cm\":\"")))
		return true;
	if (!take_text(s, &t) || t.n != 44 || t.p[43] != '=' ||
	    strchr("AEIMQUYcgkosw048", t.p[42]) == NULL)
		return false;
	for (size_t i = 0; i < 43; i++)
		if (!is_base64(t.p[i]))
			return false;
	*ret = t;
	return true;
}

static bool
take_principal(struct str *s, struct audit_entry *e)
{
	if (!take(s, STR(",\"principal\":{")))
		return false;
	if (take(s, STR("\"id\":\"")) &&
	    (!take_text(s, &e->principal_id) || !take(s, STR(","))))
		return false;
	return take(s, STR("\"kind\":\"")) &&
	    take_text(s, &e->principal_kind) &&
	    leaf_name_ok(e->principal_kind) && take(s, STR("}"));
}

static bool
take_resource(struct str *s, struct audit_resource *r)
{
	r->id = STR_NONE;
	if (!take(s, STR("{")))
		return false;
	if (take(s, STR("\"id\":\"")) &&
	    (!take_text(s, &r->id) || !take(s, STR(","))))
		return false;
	return take(s, STR("\"type\":\"")) && take_text(s, &r->type) &&
	    leaf_name_ok(r->type) && take(s, STR("}"));
}

static bool
take_resources(struct str *s, struct audit_entry *e)
{
	if (!take(s, STR(",\"resource\":[")))
		return true;
	do {
		if (e->resources == AUDIT_RESOURCES ||
		    !take_resource(s, &e->resource[e->resources]))
			return false;
		e->resources++;
	} while (take(s, STR(",")));
	return take(s, STR("]"));
}

/* The form time_text writes, of a time that exists. */
static bool
take_time(struct str *s, int64_t *ret)
{
	struct str t = str_head(*s, TIME_TEXT);

	if (t.n != TIME_TEXT || t.p[10] != 'T' || t.p[19] != '.' ||
	    t.p[23] != 'Z' || t.p[17] > '5' || !time_parse(t, ret))
		return false;
	*s = str_skip(*s, TIME_TEXT);
	return take(s, STR("\""));
}

static bool
take_outcome(struct str *s, enum audit_outcome *ret)
{
	struct str t;

	return take(s, STR(",\"outcome\":\"")) && take_text(s, &t) &&
	    audit_outcome_parse(t, ret);
}

static bool
take_head(struct str *s, struct leaf_parts *p)
{
	return take(s, STR("{\"action\":\"")) && take_text(s, &p->action) &&
	    leaf_name_ok(p->action) &&
	    take_option(s, STR(",\"address\":\""), &p->e.address) &&
	    take_commitment(s, &p->commitment) &&
	    (!take(s, STR(",\"count\":")) || take_int(s, 2, &p->e.count)) &&
	    take_option(s, STR(",\"credential\":\""), &p->e.credential) &&
	    take_outcome(s, &p->e.outcome);
}

static bool
take_tail(struct str *s, struct audit_entry *e)
{
	return take_principal(s, e) &&
	    take_option(s, STR(",\"project\":\""), &e->project) &&
	    take_option(s, STR(",\"reason\":\""), &e->reason) &&
	    take_option(s, STR(",\"request_id\":\""), &e->request_id) &&
	    take_resources(s, e) && take(s, STR(",\"seq\":")) &&
	    take_int(s, 1, &e->seq) && take(s, STR(",\"time\":\"")) &&
	    take_time(s, &e->time) && take(s, STR(",\"v\":1}"));
}

bool
leaf_scan(struct str leaf, struct leaf_parts *ret)
{
	struct audit_entry *e = &ret->e;

	if (leaf.n > LIM_LEAF || has_del(leaf))
		return false;
	ret->commitment = STR_NONE;
	e->principal_id = e->credential = e->address = STR_NONE;
	e->request_id = e->project = e->reason = STR_NONE;
	e->resources = 0;
	e->count = 0;
	e->commitment = NULL;
	return take_head(&leaf, ret) && take_tail(&leaf, e) && leaf.n == 0;
}
