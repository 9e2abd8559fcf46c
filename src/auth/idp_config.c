/* idp_config.c: see idp_config.h. */
#include "auth/idp_config.h"

#include "auth/jose.h"
#include "base/limits.h"
#include "base/time.h"

#define DAY_MS INT64_C(86400000)

enum type { NAME, URL, PAGE, BOOL, UNTIL, NAMES, ALGS, JWKS, META, LIST, MAP };
enum { S = 1 << IDP_SAML, D = 1 << IDP_OIDC_DIRECT };
enum { C = 1 << IDP_OIDC_CODE, O = 1 << IDP_OAUTH };
enum { R = 1, H = 2, V = 4, K = 8, T = 16 };

static const struct row {
	unsigned kinds;
	struct str member;
	enum type type;
	size_t max;
	unsigned flags;
	const char *meaning;
} rows[] = {
#define CONFIG(id, kinds, member, type, max, flags, meaning)                   \
	[IDP_C_##id] = {kinds, {member, sizeof(member) - 1}, type, max, flags, \
	    meaning},
#include "auth/idp_config.def"
#undef CONFIG
};

static const char *const kinds[] = {
    [IDP_SAML] = "saml",
    [IDP_OIDC_DIRECT] = "oidc-direct",
    [IDP_OIDC_CODE] = "oidc-code",
    [IDP_OAUTH] = "oauth",
};

const char *
idp_kind_text(enum idp_kind k)
{
	return kinds[k];
}

bool
idp_kind_parse(struct str s, enum idp_kind *ret)
{
	for (unsigned k = 0; k < sizeof kinds / sizeof *kinds; k++) {
		if (!str_is(s, kinds[k]))
			continue;
		*ret = (enum idp_kind)k;
		return true;
	}
	return false;
}

/* ---- values ---- */

static bool
text_good(struct str s, size_t max)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return false;
	return s.n > 0 && s.n <= max;
}

/* Printable ASCII without spaces, quotes or a fragment: it goes into a
 * header, and issuers are compared byte for byte. */
static bool
url_good(struct str s, size_t max, bool page)
{
	struct str rest = STR("");

	if (str_starts(s, STR("https://")))
		rest = str_skip(s, 8);
	else if (page && str_starts(s, STR("http://")))
		rest = str_skip(s, 7);
	if (s.n > max || rest.n == 0 || rest.p[0] == '/')
		return false;
	for (size_t i = 0; i < rest.n; i++)
		if (rest.p[i] <= ' ' || rest.p[i] >= 0x7f ||
		    strchr("\"<>\\^`{|}#@", rest.p[i]) != NULL)
			return false;
	return true;
}

static bool
list_good(const struct json *j, size_t max, size_t item_max, bool algs)
{
	enum jose_alg alg;

	if (j->kind != JSON_ARRAY || j->count == 0 || j->count > max)
		return false;
	for (j = j->child; j != NULL; j = j->next) {
		if (j->kind != JSON_STRING || !text_good(j->text, item_max))
			return false;
		if (algs &&
		    (!jose_alg_of(j->text, &alg) ||
			(JOSE_BIT(alg) & JOSE_PUBLIC_ALGS) == 0))
			return false;
	}
	return true;
}

static bool
map_good(const struct json *j, size_t max)
{
	struct uuid u;

	if (j->kind != JSON_ARRAY || j->count > max)
		return false;
	for (j = j->child; j != NULL; j = j->next)
		if (j->kind != JSON_OBJECT || j->count != 2 ||
		    !text_good(idp_map_value(j), 1024) ||
		    !uuid_parse(json_str_at(j, STR("group")), &u))
			return false;
	return true;
}

static bool
jwks_good(struct arena *a, const struct json *j, size_t max, struct trail *t)
{
	enum jose_why why;
	struct jwks *set;

	if (j->kind != JSON_OBJECT || j->raw.n > max)
		return false;
	if (err_ok(jwks_parse(a, j->raw, JWK_PUBLIC, &why, &set))) {
		(void)jwks_free(set);
		return true;
	}
	trail_set(t, "config.jwks: %s", jose_why_what(why));
	return false;
}

static bool
until_good(const struct json *j, size_t days, int64_t now)
{
	int64_t ms;

	return j->kind == JSON_STRING && time_parse(j->text, &ms) &&
	    ms - now <= (int64_t)days * DAY_MS;
}

static bool
good(struct arena *a, const struct row *r, const struct json *j, int64_t now,
    struct trail *t)
{
	switch (r->type) {
	case BOOL:
		return j->kind == JSON_TRUE || j->kind == JSON_FALSE;
	case NAMES:
		return list_good(j, r->max, 256, false);
	case ALGS:
		return list_good(j, r->max, 16, true);
	case LIST:
		return list_good(j, r->max, 8192, false);
	case MAP:
		return map_good(j, r->max);
	case JWKS:
		return jwks_good(a, j, r->max, t);
	case UNTIL:
		return until_good(j, r->max, now);
	case NAME:
		return j->kind == JSON_STRING && text_good(j->text, r->max);
	case URL:
	case PAGE:
		return j->kind == JSON_STRING &&
		    url_good(j->text, r->max, r->type == PAGE);
	case META:
		return j->kind == JSON_STRING && j->text.n > 0 &&
		    j->text.n <= r->max;
	}
	return false;
}

/* ---- making ---- */

static const struct row *
find(enum idp_kind kind, struct str member)
{
	for (size_t i = 0; i < IDP_C_MAX_; i++)
		if (str_eq(rows[i].member, member) &&
		    (rows[i].kinds >> kind & 1) != 0)
			return &rows[i];
	return NULL;
}

static err
take_one(struct arena *a, const struct json *j, int64_t now, struct trail *t,
    struct idp_config *ret)
{
	const struct row *r = find(ret->kind, j->name);

	if (r == NULL || (r->flags & V) != 0) {
		trail_set(t, "config: member \"%.*s\" %s",
		    (int)(j->name.n < 80 ? j->name.n : 80), j->name.p,
		    r == NULL ? "is unknown" : "cannot be set");
		return err_of(E_UNKNOWN_MEMBER);
	}
	if (j->kind == JSON_NULL)
		return OK;
	if (!good(a, r, j, now, t)) {
		trail_set(t, "config.%.*s: %s", STR_ARG(r->member), r->meaning);
		return err_of(E_INVALID);
	}
	ret->v[r - rows] = j;
	return OK;
}

err
idp_config_take(struct arena *a, enum idp_kind kind, const struct json *body,
    const struct idp_config *old, int64_t now, struct trail *t,
    struct idp_config *ret)
{
	struct idp_config c = {.kind = kind};

	for (const struct json *j = json_first(body); j != NULL; j = j->next)
		TRY(take_one(a, j, now, t, &c));
	for (size_t i = 0; i < IDP_C_MAX_; i++) {
		const struct row *r = &rows[i];

		if ((r->kinds >> kind & 1) == 0 || c.v[i] != NULL)
			continue;
		if (old != NULL && (r->flags & K) != 0)
			c.v[i] = old->v[i];
		else if ((r->flags & R) != 0 &&
		    (old == NULL || i != IDP_C_METADATA)) {
			trail_set(t, "config.%.*s is required",
			    STR_ARG(r->member));
			return err_of(E_MISSING);
		}
	}
	*ret = c;
	return OK;
}

static struct json *
text_node(struct arena *a, struct str text)
{
	struct json *j = ARENA_NEW(a, struct json);

	if (j != NULL)
		*j = (struct json){.kind = JSON_STRING, .text = text};
	return j;
}

void
idp_config_set(struct arena *a, struct idp_config *c, enum idp_member m,
    struct str text)
{
	c->v[m] = text.n == 0 ? NULL : text_node(a, text);
}

void
idp_config_set_list(struct arena *a, struct idp_config *c, enum idp_member m,
    const struct str *list, size_t n)
{
	struct json *j = n == 0 ? NULL : ARENA_NEW(a, struct json);
	struct json **last;

	c->v[m] = j;
	if (j == NULL)
		return;
	*j = (struct json){.kind = JSON_ARRAY, .count = (uint32_t)n};
	last = &j->child;
	for (size_t i = 0; i < n && last != NULL; i++) {
		*last = text_node(a, list[i]);
		last = *last == NULL ? NULL : &(*last)->next;
	}
}

/* ---- keeping ---- */

err
idp_config_open(struct arena *a, struct str kind, struct str text,
    struct idp_config *ret)
{
	static const struct json_limits limits = {
	    .depth = LIM_JSON_DEPTH,
	    .members = LIM_JSON_MEMBERS,
	    .values = LIM_JSON_VALUES,
	};
	struct idp_config c = {0};
	const struct json *j;
	err e;

	if (!idp_kind_parse(kind, &c.kind))
		return err_of(E_CORRUPT);
	e = json_parse(a, text, &limits, NULL, &j);
	if (err_is(e, E_NO_MEMORY))
		return e;
	if (!err_ok(e) || j->kind != JSON_OBJECT)
		return err_of(E_CORRUPT);
	for (j = j->child; j != NULL; j = j->next) {
		const struct row *r = find(c.kind, j->name);

		if (r != NULL) /* a newer server may have kept more */
			c.v[r - rows] = j;
	}
	*ret = c;
	return OK;
}

static void
put(struct jw *w, const struct idp_config *c, unsigned without)
{
	jw_obj(w);
	for (size_t i = 0; i < IDP_C_MAX_; i++) {
		if (c->v[i] == NULL || (rows[i].flags & without) != 0)
			continue;
		jw_name(w, rows[i].member);
		jw_value(w, c->v[i]);
	}
	jw_obj_end(w);
}

void
idp_config_write(struct jw *w, const struct idp_config *c)
{
	put(w, c, 0);
}

void
idp_config_show(struct jw *w, const struct idp_config *c)
{
	put(w, c, H);
}

static bool
same(const struct json *a, const struct json *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	if (a->kind != b->kind || a->count != b->count ||
	    !str_eq(a->text, b->text) || !str_eq(a->name, b->name))
		return false;
	a = a->child;
	for (b = b->child; a != NULL && b != NULL; a = a->next, b = b->next)
		if (!same(a, b))
			return false;
	return a == b;
}

bool
idp_config_trust_differs(const struct idp_config *a, const struct idp_config *b)
{
	for (size_t i = 0; i < IDP_C_MAX_; i++) {
		struct json x = {0}, y = {0};

		if ((rows[i].flags & T) == 0)
			continue;
		if (a->v[i] == NULL || b->v[i] == NULL) {
			if (a->v[i] != b->v[i])
				return true;
			continue;
		}
		x = *a->v[i];
		y = *b->v[i];
		x.name = y.name = STR("");
		if (!same(&x, &y))
			return true;
	}
	return false;
}

/* ---- reading ---- */

struct str
idp_config_text(const struct idp_config *c, enum idp_member m)
{
	struct str s = STR("");

	(void)json_str(c->v[m], &s);
	return s;
}

bool
idp_config_flag(const struct idp_config *c, enum idp_member m)
{
	bool v = false;

	(void)json_bool(c->v[m], &v);
	return v;
}

int64_t
idp_config_time(const struct idp_config *c, enum idp_member m)
{
	int64_t ms = 0;

	if (!time_parse(idp_config_text(c, m), &ms))
		return 0;
	return ms;
}

uint32_t
idp_config_algs(const struct idp_config *c)
{
	const struct json *j = json_first(c->v[IDP_C_ALGS]);
	enum jose_alg alg;
	uint32_t set = 0;

	if (j == NULL)
		return JOSE_BIT(JOSE_RS256) | JOSE_BIT(JOSE_PS256) |
		    JOSE_BIT(JOSE_ES256) | JOSE_BIT(JOSE_EDDSA);
	for (; j != NULL; j = j->next)
		if (jose_alg_of(j->text, &alg))
			set |= JOSE_BIT(alg);
	return set;
}

struct str
idp_map_value(const struct json *item)
{
	return json_str_at(item, STR("value"));
}

struct uuid
idp_map_group(const struct json *item)
{
	struct uuid u = {{0}};

	(void)uuid_parse(json_str_at(item, STR("group")), &u);
	return u;
}
