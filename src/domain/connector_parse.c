/* connector_parse.c: a connector's document, whole.  See connector.h. */
#include "base/cidr.h"
#include "base/text.h"
#include "base/time.h"
#include "domain/connector_inner.h"
#include "domain/selector.h"

enum { NAME_MAX = 63, TEXT_MAX = 1024, WIDEST_V4 = 8, WIDEST_V6 = 7 };

/* ---- reading members ---- */

err
only_members(struct reading *r, const struct json *o, const char *what,
    const char *const *names)
{
	if (o == NULL || o->kind != JSON_OBJECT)
		return REFUSE(r->t, E_INVALID, "%s: an object is wanted", what);
	for (const struct json *j = json_first(o); j != NULL; j = j->next) {
		const char *const *n = names;

		while (*n != NULL && !str_is(j->name, *n))
			n++;
		if (*n == NULL)
			return REFUSE(r->t, E_UNKNOWN_MEMBER, "%s: %.*s", what,
			    STR_ARG(j->name));
	}
	return OK;
}

err
ascii_member(struct reading *r, const struct json *o, const char *name,
    size_t max, bool required, struct str *ret)
{
	const struct json *j = json_get(o, str_c(name));
	bool good;

	*ret = STR("");
	if (j == NULL)
		return required ? REFUSE(r->t, E_MISSING, "%s is missing", name)
				: OK;
	good = j->kind == JSON_STRING && j->text.n > 0 && j->text.n <= max;
	for (size_t i = 0; good && i < j->text.n; i++)
		good = j->text.p[i] >= 0x20 && j->text.p[i] < 0x7f;
	if (!good)
		return REFUSE(r->t, E_INVALID,
		    "%s: 1 to %zu characters of printable ASCII", name, max);
	*ret = j->text;
	return OK;
}

static bool
in_list(const struct str *s, size_t n, struct str what)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(s[i], what))
			return true;
	return false;
}

err
texts_member(struct reading *r, const struct json *o, const char *name,
    size_t max, const struct str **ret, size_t *ret_n)
{
	const struct json *j = json_get(o, str_c(name));
	struct str *s;

	*ret_n = 0;
	if (j == NULL)
		return OK;
	if (j->kind != JSON_ARRAY || j->count > max)
		return REFUSE(r->t, E_INVALID, "%s: a list of at most %zu",
		    name, max);
	s = arena_array(r->a, j->count + 1, sizeof *s);
	if (s == NULL)
		return err_of(E_NO_MEMORY);
	*ret = s;
	for (j = json_first(j); j != NULL; j = j->next) {
		bool good = j->kind == JSON_STRING && j->text.n > 0 &&
		    j->text.n <= 256 && !in_list(s, *ret_n, j->text);

		for (size_t i = 0; good && i < j->text.n; i++)
			good = j->text.p[i] > 0x20 && j->text.p[i] < 0x7f;
		if (!good)
			return REFUSE(r->t, E_INVALID,
			    "%s: texts without spaces, each once", name);
		s[(*ret_n)++] = j->text;
	}
	return OK;
}

bool
connector_name_valid(struct str s)
{
	if (s.n == 0 || s.n > NAME_MAX || s.p[0] < 'a' || s.p[0] > 'z')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= 'a' && s.p[i] <= 'z') ||
			(s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '_'))
			return false;
	return true;
}

/* ^[a-z0-9][a-z0-9-]{1,62}$ */
static bool
slug_ok(struct str s)
{
	if (s.n < 2 || s.n > NAME_MAX || s.p[0] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= 'a' && s.p[i] <= 'z') ||
			(s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '-'))
			return false;
	return true;
}

/* ---- where it leads ---- */

static err
read_cidrs(struct reading *r, const struct json *doc, struct connector *ret)
{
	unsigned bits, prefix;

	TRY(texts_member(r, doc, "allow_cidrs", LIM_CONNECTOR_HOSTS,
	    &ret->cidrs, &ret->cidrs_n));
	for (size_t i = 0; i < ret->cidrs_n; i++)
		if (!cidr_width(ret->cidrs[i], &bits, &prefix) ||
		    prefix < (bits == 32 ? WIDEST_V4 : WIDEST_V6))
			return REFUSE(r->t, E_INVALID,
			    "allow_cidrs: %.*s is no address block, or wider "
			    "than /8 (IPv6: /7)",
			    STR_ARG(ret->cidrs[i]));
	return OK;
}

/* An address in place of a name is reached because allow_cidrs has it. */
static err
check_host(struct reading *r, const struct connector *c,
    const struct connector_host *h)
{
	if (connector_host_numeric(h) &&
	    !cidr_match(c->cidrs, c->cidrs_n, h->host))
		return REFUSE(r->t, E_INVALID,
		    "hosts: the address %.*s is not in allow_cidrs",
		    STR_ARG(h->host));
	if (connector_host_people(h) && !connector_kind_messages(c->kind))
		return REFUSE(r->t, E_INVALID,
		    "hosts: %.*s reaches people: kind pagerduty, opsgenie or "
		    "chat",
		    STR_ARG(h->host));
	return OK;
}

static err
add_host(struct reading *r, struct connector *c, struct connector_host *to,
    const struct connector_host *h)
{
	if (connector_reaches(c, h->host, h->port))
		return OK;
	TRY(check_host(r, c, h));
	to[c->hosts_n++] = *h;
	return OK;
}

/* A list is the whole of it: then what the document uses must be in it. */
static err
read_hosts(struct reading *r, const struct json *doc, struct connector *c)
{
	const struct str *text = NULL;
	struct connector_host *h, one;
	size_t n;

	TRY(texts_member(r, doc, "hosts", LIM_CONNECTOR_HOSTS, &text, &n));
	h = arena_array(r->a, n + 2, sizeof *h);
	if (h == NULL)
		return err_of(E_NO_MEMORY);
	c->hosts = h;
	for (size_t i = 0; i < n; i++) {
		if (!connector_host_parse(text[i], &one))
			return REFUSE(r->t, E_INVALID,
			    "hosts: %.*s is not host:port, exact and in lower "
			    "case",
			    STR_ARG(text[i]));
		TRY(add_host(r, c, h, &one));
	}
	if (n == 0)
		TRY(add_host(r, c, h, &c->origin));
	if (n == 0 && c->auth.token_host.host.n > 0)
		TRY(add_host(r, c, h, &c->auth.token_host));
	if (!connector_reaches(c, c->origin.host, c->origin.port))
		return REFUSE(r->t, E_INVALID,
		    "hosts: %.*s, of base, is not in it",
		    STR_ARG(c->origin.text));
	if (c->auth.token_host.host.n > 0 &&
	    !connector_reaches(c, c->auth.token_host.host,
		c->auth.token_host.port))
		return REFUSE(r->t, E_INVALID,
		    "hosts: %.*s, of token_url, is not in it",
		    STR_ARG(c->auth.token_host.text));
	return OK;
}

static err
read_base(struct reading *r, const struct json *doc, struct connector *c)
{
	TRY(ascii_member(r, doc, "base", 2048, true, &c->base));
	if (!connector_url_parse(r->a, c->base, &c->origin, &c->prefix) ||
	    str_ends(c->prefix, STR("/")))
		return REFUSE(r->t, E_INVALID,
		    "base: https://host[:port][/path], exact, in lower case, "
		    "without user, query, escape or a last /");
	return OK;
}

/* ---- who may run it, how long, how ---- */

static err
read_labels(struct reading *r, const struct json *doc, struct connector *c)
{
	static const char *const names[] = {"labels", NULL};
	const struct json *o = json_get(doc, STR("delegates")), *j;
	struct connector_label *l;

	if (o == NULL)
		return REFUSE(r->t, E_MISSING, "delegates is missing");
	TRY(only_members(r, o, "delegates", names));
	j = json_get(o, STR("labels"));
	if (j == NULL || j->kind != JSON_OBJECT || j->count == 0 ||
	    j->count > LIM_CONNECTOR_HOSTS)
		return REFUSE(r->t, E_INVALID,
		    "delegates: labels: 1 to %d; an empty selector matches no "
		    "delegate",
		    LIM_CONNECTOR_HOSTS);
	l = arena_array(r->a, j->count, sizeof *l);
	if (l == NULL)
		return err_of(E_NO_MEMORY);
	c->labels = l;
	for (j = json_first(j); j != NULL; j = j->next) {
		l[c->labels_n].name = j->name;
		if (!label_name_valid(j->name) ||
		    !json_str(j, &l[c->labels_n].value) ||
		    !label_value_valid(j->text))
			return REFUSE(r->t, E_INVALID,
			    "delegates: labels: names of a-z, 0-9, _, . and -, "
			    "values of letters, digits, _, . and -");
		c->labels_n++;
	}
	return OK;
}

static err
read_expiry(struct reading *r, const struct json *doc, struct connector *c)
{
	struct str s;

	TRY(ascii_member(r, doc, "expires_at", 64, true, &s));
	if (!time_parse(s, &c->expires) || c->expires <= 0)
		return REFUSE(r->t, E_INVALID,
		    "expires_at: a time like 2027-01-31T00:00:00Z");
	return OK;
}

/* ---- PEM ---- */

/* One certificate block off the front of s. */
static bool
pem_block(struct arena *a, struct str *s)
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----\n",
			  end[] = "-----END CERTIFICATE-----";
	struct str line, text;
	struct buf b;

	if (!str_starts(*s, str_of(begin, sizeof begin - 1)))
		return false;
	*s = str_skip(*s, sizeof begin - 1);
	buf_init_on(&b, a, LIM_CONNECTOR_CA);
	while (str_cut(*s, '\n', &line, s) && !str_is(line, end))
		buf_str(&b, line);
	return str_is(line, end) && !b.failed && b.n > 0 &&
	    b64_decode(a, buf_view(&b), &text);
}

static err
read_ca(struct reading *r, const struct json *doc, struct connector *c)
{
	const struct json *j = json_get(doc, STR("ca"));
	struct str s;

	c->ca = STR("");
	if (j == NULL)
		return OK;
	if (!json_str(j, &s) || s.n == 0 || s.n > LIM_CONNECTOR_CA)
		return REFUSE(r->t, E_INVALID, "ca: PEM of at most %d bytes",
		    LIM_CONNECTOR_CA);
	c->ca = s;
	while (s.n > 0)
		if (!pem_block(r->a, &s))
			return REFUSE(r->t, E_INVALID,
			    "ca: certificates in PEM, one after the other");
	return OK;
}

static err
read_choices(struct reading *r, const struct json *doc, struct connector *c)
{
	static const char *const egress[] = {"none", "inject", "pass"};
	struct str s;
	size_t i = 0;

	TRY(ascii_member(r, doc, "min_tls", 8, false, &s));
	if (s.n > 0 && !str_is(s, "1.2") && !str_is(s, "1.3"))
		return REFUSE(r->t, E_INVALID, "min_tls: 1.3 or 1.2");
	c->tls12 = str_is(s, "1.2");
	TRY(ascii_member(r, doc, "script_egress", 16, false, &s));
	while (s.n > 0 && i < 3 && !str_is(s, egress[i]))
		i++;
	if (i == 3)
		return REFUSE(r->t, E_INVALID,
		    "script_egress: none, inject or pass");
	c->egress = (enum connector_egress)i;
	return OK;
}

/* ---- the whole ---- */

static err
read_head(struct reading *r, const struct json *doc, struct connector *c)
{
	struct str s;

	TRY(ascii_member(r, doc, "slug", NAME_MAX, true, &c->slug));
	if (!slug_ok(c->slug))
		return REFUSE(r->t, E_INVALID,
		    "slug: 2 to 63 of a-z, 0-9 and -, not beginning with -");
	TRY(ascii_member(r, doc, "kind", NAME_MAX, true, &s));
	if (!connector_kind_parse(s, &c->kind))
		return REFUSE(r->t, E_INVALID, "kind: one of connector kinds");
	return OK;
}

static err
check_scopes(struct reading *r, const struct connector *c)
{
	for (size_t i = 0; i < c->actions_n; i++) {
		struct str s = connector_missing_scope(c, &c->actions[i]);

		if (s.n > 0)
			return REFUSE(r->t, E_INVALID,
			    "action %.*s needs the scope %.*s, which "
			    "auth.scopes lacks",
			    STR_ARG(c->actions[i].name), STR_ARG(s));
	}
	return OK;
}

err
connector_parse(struct arena *a, const struct json *doc, struct trail *t,
    struct connector *ret)
{
	static const char *const names[] = {"slug", "name", "kind", "base",
	    "hosts", "actions", "auth", "ca", "allow_cidrs", "min_tls",
	    "delegates", "expires_at", "script_egress", NULL};
	struct reading r = {a, t};
	struct connector c = {.hosts_n = 0};

	TRY(only_members(&r, doc, "connector", names));
	TRY(read_head(&r, doc, &c));
	TRY(read_base(&r, doc, &c));
	TRY(read_cidrs(&r, doc, &c));
	TRY(connector_read_auth(&r, json_get(doc, STR("auth")), &c));
	TRY(read_hosts(&r, doc, &c));
	TRY(connector_read_actions(&r, json_get(doc, STR("actions")), &c));
	TRY(check_scopes(&r, &c));
	TRY(read_ca(&r, doc, &c));
	TRY(read_choices(&r, doc, &c));
	TRY(read_labels(&r, doc, &c));
	TRY(read_expiry(&r, doc, &c));
	*ret = c;
	return arena_check(a);
}
