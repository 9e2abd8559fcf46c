/* shape.c: see shape.h. */
#include "flow/shape.h"

#include "auth/token.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/time.h"
#include "domain/words.h"
#include "flow/call.h"
#include "flow/faults.h"

/* ---- values ---- */

bool
slug_valid(struct str s)
{
	if (s.n == 0 || s.n > 63 || s.p[0] == '-' || s.p[s.n - 1] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char ch = s.p[i];

		if (!(ch >= 'a' && ch <= 'z') && !(ch >= '0' && ch <= '9') &&
		    ch != '-')
			return false;
	}
	return true;
}

/* One @, something on both sides, printable ASCII without space. */
bool
email_valid(struct str s)
{
	struct str local, domain;

	if (s.n > 254 || !str_cut(s, '@', &local, &domain) || local.n == 0 ||
	    domain.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f ||
		    strchr("<>()[]\\,;:\"", s.p[i]) != NULL)
			return false;
	return memchr(domain.p, '@', domain.n) == NULL;
}

bool
name_valid(struct str s, size_t max)
{
	size_t chars = 0;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char ch = (unsigned char)s.p[i];

		if (ch < 0x20 || ch == 0x7f)
			return false;
		chars += (ch & 0xc0) != 0x80;
	}
	return chars > 0 && chars <= max && str_trim(s).n > 0;
}

static bool
text_valid(struct str s, size_t max)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char ch = (unsigned char)s.p[i];

		if ((ch < 0x20 && ch != '\n' && ch != '\t' && ch != '\r') ||
		    ch == 0x7f)
			return false;
	}
	return s.n <= max;
}

static bool
link_valid(struct str s, size_t max)
{
	if (s.n > max || !name_valid(s, max))
		return false;
	return str_starts(s, STR("https://")) || str_starts(s, STR("http://"));
}

static bool
each(const struct json *j, size_t max, enum field_type type, size_t item_max)
{
	if (j->kind != JSON_ARRAY || j->count > max)
		return false;
	for (const struct json *i = j->child; i != NULL; i = i->next)
		if (!shape_value(type, item_max, i))
			return false;
	return true;
}

static bool
labels_valid(const struct json *j, size_t max)
{
	if (j->kind != JSON_OBJECT || j->count > max)
		return false;
	for (const struct json *i = j->child; i != NULL; i = i->next)
		if (i->kind != JSON_STRING || i->text.n > 4096 ||
		    !name_valid(i->name, LIM_NAME))
			return false;
	return true;
}

static bool
subject_valid(const struct json *j)
{
	struct str kind = json_str_at(j, STR("kind"));
	struct str id = json_str_at(j, STR("id"));
	struct uuid u;

	return j->kind == JSON_OBJECT && j->count == 2 && uuid_parse(id, &u) &&
	    (str_is(kind, "user") || str_is(kind, "service_account") ||
		str_is(kind, "group") || str_is(kind, "integration"));
}

static bool
perms_valid(const struct json *j, size_t max)
{
	enum permission p;

	if (j->kind != JSON_ARRAY || j->count > max || j->count == 0)
		return false;
	for (const struct json *i = j->child; i != NULL; i = i->next)
		if (i->kind != JSON_STRING ||
		    (!str_is(i->text, "*") && !perm_parse(i->text, &p)))
			return false;
	return true;
}

static bool
cidrs_valid(const struct json *j, size_t max)
{
	if (j->kind != JSON_ARRAY || j->count > max)
		return false;
	for (const struct json *i = j->child; i != NULL; i = i->next)
		if (i->kind != JSON_STRING || !cidr_valid(i->text))
			return false;
	return true;
}

static bool
text_value(enum field_type type, size_t max, struct str s)
{
	enum alert_severity as;
	enum incident_status st;
	enum severity sev;
	struct uuid u;
	int64_t ms;

	switch (type) {
	case FT_NAME:
		return name_valid(s, max);
	case FT_TEXT:
		return text_valid(s, max);
	case FT_STRING:
		return s.n > 0 && s.n <= max;
	case FT_TIME:
		return time_parse(s, &ms);
	case FT_ID:
		return uuid_parse(s, &u);
	case FT_SLUG:
		return slug_valid(s);
	case FT_EMAIL:
		return email_valid(s);
	case FT_LINK:
		return link_valid(s, max);
	case FT_SEVERITY:
		return severity_parse(s, &sev);
	case FT_STATUS:
		return incident_status_parse(s, &st);
	case FT_ASEVERITY:
		return alert_severity_parse(s, &as);
	default:
		return false;
	}
}

bool
shape_value(enum field_type type, size_t max, const struct json *j)
{
	switch (type) {
	case FT_BOOL:
		return j->kind == JSON_TRUE || j->kind == JSON_FALSE;
	case FT_NUM:
		return j->kind == JSON_NUMBER;
	case FT_NAMES:
		return each(j, max, FT_NAME, LIM_NAME);
	case FT_SLUGS:
		return each(j, max, FT_SLUG, 63);
	case FT_SUBJECTS:
		return each(j, max, FT_SUBJECT, 0);
	case FT_SUBJECT:
		return subject_valid(j);
	case FT_OBJECT:
		return j->kind == JSON_OBJECT && j->raw.n <= max;
	case FT_RULES:
		return (j->kind == JSON_OBJECT || j->kind == JSON_ARRAY) &&
		    j->raw.n <= max;
	case FT_OBJECTS:
		return each(j, max, FT_OBJECT, LIM_BODY);
	case FT_LABELS:
		return labels_valid(j, max);
	case FT_PERMS:
		return perms_valid(j, max);
	case FT_CIDRS:
		return cidrs_valid(j, max);
	default:
		return j->kind == JSON_STRING && text_value(type, max, j->text);
	}
}

/* ---- bodies ---- */

const struct field *
field_find(enum schema s, struct str name)
{
	for (size_t i = 0; i < fields_n; i++)
		if (fields[i].schema == s && str_eq(fields[i].name, name))
			return &fields[i];
	return NULL;
}

err
shape_body(enum schema s, unsigned set, const struct json *body,
    struct trail *t)
{
	struct fault first;

	if (faults_of_body(s, set, body, &first, 1) == 0)
		return OK;
	trail_set(t, "%s", first.detail);
	return err_of(first.err);
}

/* ---- queries ---- */

static bool
param_find(struct str name, uint64_t allowed, enum param *ret)
{
	for (unsigned i = 0; i < PARAM_MAX_; i++) {
		if ((allowed >> i & 1) != 0 &&
		    str_is(name, param_text((enum param)i))) {
			*ret = (enum param)i;
			return true;
		}
	}
	return false;
}

static err
query_one(struct arena *a, struct str pair, uint64_t allowed, struct trail *t,
    struct query *ret)
{
	struct str name, value;
	enum param p;

	(void)str_cut(pair, '=', &name, &value);
	TRY(url_decode(a, name, &name));
	TRY(url_decode(a, value, &value));
	if (!param_find(name, allowed, &p)) {
		trail_set(t, "parameter \"%.*s\" is unknown",
		    (int)(name.n < 80 ? name.n : 80), name.p);
		return err_of(E_UNKNOWN_PARAMETER);
	}
	if (ret->raw[p].p != NULL) {
		trail_set(t, "parameter %s is given twice", param_text(p));
		return err_of(E_INVALID);
	}
	ret->raw[p] = value.p == NULL ? STR("") : value;
	return OK;
}

static err
query_time(const struct query *q, enum param p, struct trail *t, int64_t *ret)
{
	if (q->raw[p].p == NULL)
		return OK;
	if (!time_parse(q->raw[p], ret)) {
		trail_set(t, "%s must be an RFC 3339 time", param_text(p));
		return err_of(E_INVALID);
	}
	return OK;
}

err
shape_query(struct arena *a, struct str query, uint64_t allowed,
    struct trail *t, struct query *ret)
{
	uint64_t limit = LIM_PAGE_DEFAULT;
	struct str pair;

	*ret = (struct query){.limit = LIM_PAGE_DEFAULT};
	while (query.n > 0) {
		(void)str_cut(query, '&', &pair, &query);
		TRY(query_one(a, pair, allowed, t, ret));
	}
	if (ret->raw[PARAM_LIMIT].p != NULL &&
	    !str_u64(ret->raw[PARAM_LIMIT], 1, LIM_PAGE, &limit)) {
		trail_set(t, "limit must be 1 to %d", LIM_PAGE);
		return err_of(E_INVALID);
	}
	ret->limit = (uint32_t)limit;
	TRY(query_time(ret, PARAM_FROM, t, &ret->from));
	return query_time(ret, PARAM_TO, t, &ret->to);
}

/* ---- OpenAPI ---- */

void
shape_openapi(struct jw *w, const struct field *f)
{
	static const char *const type[] = {
	    [FT_BOOL] = "boolean",
	    [FT_NUM] = "integer",
	    [FT_NAMES] = "array",
	    [FT_SLUGS] = "array",
	    [FT_SUBJECTS] = "array",
	    [FT_PERMS] = "array",
	    [FT_CIDRS] = "array",
	    [FT_OBJECTS] = "array",
	    [FT_OBJECT] = "object",
	    [FT_LABELS] = "object",
	    [FT_SUBJECT] = "object",
	};
	size_t n = sizeof type / sizeof *type;
	const char *t = f->type < n ? type[f->type] : NULL;

	t = t == NULL ? "string" : t;
	if (f->type == FT_RULES) {
		jw_karr(w, "type");
		jw_str(w, STR("object"));
		jw_str(w, STR("array"));
		jw_arr_end(w);
	} else if ((f->set & FIELD_N) != 0) {
		jw_karr(w, "type");
		jw_str(w, str_c(t));
		jw_str(w, STR("null"));
		jw_arr_end(w);
	} else {
		jw_kstr(w, "type", str_c(t));
	}
	if (f->type == FT_NAME)
		jw_ki64(w, "maxLength", (int64_t)f->max);
	if (f->type == FT_ID)
		jw_kstr(w, "format", STR("uuid"));
	if (f->type == FT_TIME)
		jw_kstr(w, "format", STR("date-time"));
	if (f->meaning[0] != '\0')
		jw_kstr(w, "description", str_c(f->meaning));
	if (f->set == FIELD_S)
		jw_kbool(w, "readOnly", true);
	jw_kstr(w, "x-class",
	    f->class == FC_PUBLIC	? STR("public")
		: f->class == FC_INDEX	? STR("sealed, indexed")
		: f->class == FC_SEALED ? STR("sealed")
					: STR("not stored"));
	jw_kbool(w, "x-sensitive", f->sensitive != FIELD_OPEN);
	if (f->sensitive == FIELD_GUARDED)
		jw_kstr(w, "x-permission",
		    str_c(perm_text(PERM_INCIDENT_SENSITIVE)));
}
