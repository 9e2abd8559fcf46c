/* faults.c: see faults.h. */
#include "flow/faults.h"

#include <stdio.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "flow/shape.h"

/* ---- pointers ---- */

/* Another segment; one that finds no room leaves the pointer at its parent,
 * which is where a form shows it then. */
static void
pointer_add(struct fault *f, struct str segment)
{
	struct buf b = {.p = f->pointer,
	    .n = strlen(f->pointer),
	    .cap = sizeof f->pointer - 1,
	    .max = sizeof f->pointer - 1};
	size_t before = b.n;

	buf_char(&b, '/');
	for (size_t i = 0; i < segment.n; i++) {
		if (segment.p[i] == '~')
			buf_c(&b, "~0");
		else if (segment.p[i] == '/')
			buf_c(&b, "~1");
		else
			buf_char(&b, segment.p[i]);
	}
	/* a NUL would cut it: no form has such a member */
	f->pointer[b.failed || memchr(segment.p, '\0', segment.n) != NULL
		? before
		: b.n] = '\0';
}

static void
pointer_item(struct fault *f, size_t i)
{
	char text[24];
	int n = snprintf(text, sizeof text, "%zu", i);

	pointer_add(f, str_of(text, (size_t)n));
}

/* ---- bodies ---- */

static void
fault_set(struct fault *f, enum err_code e, const char *code, struct str name,
    const char *what)
{
	struct trail t = {""};

	f->err = e;
	f->code = code;
	trail_set(&t, "%.*s: %s", STR_ARG(name), what);
	memcpy(f->detail, t.detail, sizeof f->detail);
}

/* What a type is called, and what its JSON is; no rule: see words. */
static const struct type {
	enum field_type type;
	const char *wanted, *rule, *code;
} types[] = {
    {FT_NAME, "a text", "one line without control characters", "invalid"},
    {FT_TEXT, "a text", "a text without control characters", "invalid"},
    {FT_STRING, "a text", "not an acceptable text", "invalid"},
    {FT_BOOL, "true or false", "true or false", "wrong_type"},
    {FT_NUM, "a number", "a number", "wrong_type"},
    {FT_TIME, "a time", "a time as RFC 3339 has it", "invalid"},
    {FT_ID, "an id", "an id (UUID)", "invalid"},
    {FT_SLUG, "a text", "1 to 63 of a-z, 0-9 and inner hyphens", "invalid"},
    {FT_EMAIL, "a text", "an e-mail address", "invalid"},
    {FT_LINK, "a text", "an address that begins with https:// or http://",
	"invalid"},
    {FT_SEVERITY, "a text", NULL, "not_allowed"},
    {FT_STATUS, "a text", NULL, "not_allowed"},
    {FT_ASEVERITY, "a text", NULL, "not_allowed"},
    {FT_NAMES, "a list of texts", "a list of texts", "invalid"},
    {FT_OBJECT, "an object", "an object", "invalid"},
    {FT_RULES, "an object or a list", "an object or a list", "invalid"},
    {FT_LABELS, "an object of texts", "an object of texts", "invalid"},
    {FT_SUBJECT, "an object {kind, id}",
	"{kind, id}: user, service_account or group, and its id", "invalid"},
    {FT_SUBJECTS, "a list of {kind, id}", "a list of {kind, id}", "invalid"},
    {FT_PERMS, "a list of permissions", "permissions there are, at least one",
	"not_allowed"},
    {FT_CIDRS, "a list of address blocks", "address blocks, like 10.0.0.0/8",
	"invalid"},
    {FT_SLUGS, "a list of texts", "a list of texts of a-z, 0-9 and hyphens",
	"invalid"},
    {FT_OBJECTS, "a list of objects", "a list of objects", "invalid"},
};

/* The words of types that have no rule: those one may say.  Nobody moves an
 * incident to the status without a rank. */
static const struct word {
	enum field_type type;
	unsigned rank;
	const char *text;
} words[] = {
#define SEVERITY(name, text) {FT_SEVERITY, 1, text},
#define ASEVERITY(name, text) {FT_ASEVERITY, 1, text},
#define STATUS(name, text, rank, open) {FT_STATUS, rank, text},
#include "domain/words.def"
#undef SEVERITY
#undef ASEVERITY
#undef STATUS
};

/* "a, b or c" */
static void
words_of(enum field_type t, struct buf *b)
{
	const char *last = NULL, *join = "";

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (words[i].type != t || words[i].rank == 0)
			continue;
		if (last != NULL) {
			buf_fmt(b, "%s%s", join, last);
			join = ", ";
		}
		last = words[i].text;
	}
	buf_fmt(b, " or %s", last);
}

static const struct type *
type_of(enum field_type t)
{
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (types[i].type == t)
			return &types[i];
	BUG_ON(true);
}

static bool
is_list(enum field_type t)
{
	return t == FT_NAMES || t == FT_SUBJECTS || t == FT_PERMS ||
	    t == FT_CIDRS || t == FT_SLUGS || t == FT_OBJECTS;
}

/* Its max counts items or members. */
static bool
counted(enum field_type t)
{
	return is_list(t) || t == FT_LABELS;
}

static bool
kind_fits(enum field_type t, enum json_kind k)
{
	if (t == FT_BOOL)
		return k == JSON_TRUE || k == JSON_FALSE;
	if (t == FT_NUM)
		return k == JSON_NUMBER;
	if (t == FT_OBJECT || t == FT_LABELS || t == FT_SUBJECT)
		return k == JSON_OBJECT;
	if (t == FT_RULES)
		return k == JSON_OBJECT || k == JSON_ARRAY;
	return k == (is_list(t) ? JSON_ARRAY : JSON_STRING);
}

/* The one item of a list that is wrong, or NULL: then it is the list. */
static const struct json *
bad_item(const struct field *f, const struct json *list, size_t *ret_i)
{
	struct json one = *list;
	size_t i = 0;

	for (const struct json *j = json_first(list); j != NULL; j = j->next) {
		struct json alone = *j;

		alone.next = NULL;
		one.child = &alone;
		one.count = 1;
		if (!shape_value(f->type, f->max, &one)) {
			*ret_i = i;
			return j;
		}
		i++;
	}
	return NULL;
}

static bool
too_much(const struct field *f, const struct json *j, char *what, size_t n)
{
	size_t have = counted(f->type) ? j->count
	    : f->type == FT_NAME       ? utf8_count(j->text)
	    : j->kind == JSON_STRING   ? j->text.n
				       : j->raw.n;

	if (f->max == 0 || have <= f->max)
		return false;
	(void)snprintf(what, n, "at most %zu %s", f->max,
	    counted(f->type)	     ? "items"
		: f->type == FT_NAME ? "characters"
				     : "bytes");
	return true;
}

/* A member whose value is not as its field has it: in what way? */
static void
explain(const struct field *f, const struct json *j, struct fault *ret)
{
	const struct type *t = type_of(f->type);
	char what[192];
	size_t i = 0;

	*ret = (struct fault){.detail = ""};
	pointer_add(ret, f->name);
	if (!kind_fits(f->type, j->kind)) {
		(void)snprintf(what, sizeof what, "%s is expected", t->wanted);
		fault_set(ret, E_INVALID, "wrong_type", f->name, what);
		return;
	}
	if (too_much(f, j, what, sizeof what)) {
		fault_set(ret, E_INVALID,
		    counted(f->type) ? "too_many" : "too_long", f->name, what);
		return;
	}
	if (j->kind == JSON_STRING && str_trim(j->text).n == 0) {
		fault_set(ret, E_INVALID, "empty", f->name,
		    "it must not be empty");
		return;
	}
	if (counted(f->type)) {
		const struct json *bad = bad_item(f, j, &i);

		if (bad != NULL && f->type == FT_LABELS)
			pointer_add(ret, bad->name);
		else if (bad != NULL)
			pointer_item(ret, i);
	}
	if (t->rule == NULL) {
		struct buf b = {.p = what,
		    .cap = sizeof what - 1,
		    .max = sizeof what - 1};

		words_of(f->type, &b);
		what[b.n] = '\0';
	}
	fault_set(ret, E_INVALID, t->code, f->name,
	    t->rule == NULL ? what : t->rule);
}

static void
unknown(struct str name, bool is_field, struct fault *ret)
{
	struct trail t = {""};

	*ret = (struct fault){.detail = ""};
	pointer_add(ret, name);
	ret->err = E_UNKNOWN_MEMBER;
	ret->code = err_name(err_of(E_UNKNOWN_MEMBER));
	trail_set(&t, "member \"%.*s\" %s", (int)(name.n < 80 ? name.n : 80),
	    name.p, is_field ? "cannot be set here" : "is unknown");
	memcpy(ret->detail, t.detail, sizeof ret->detail);
}

static size_t
missing(enum schema s, const struct json *body, struct fault *ret, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < fields_n && n < max; i++) {
		const struct field *f = &fields[i];

		if (f->schema != s || (f->set & FIELD_R) == 0 ||
		    json_get(body, f->name) != NULL)
			continue;
		ret[n] = (struct fault){.err = E_MISSING,
		    .code = err_name(err_of(E_MISSING))};
		pointer_add(&ret[n], f->name);
		(void)snprintf(ret[n].detail, sizeof ret[n].detail,
		    "%.*s is required", STR_ARG(f->name));
		n++;
	}
	return n;
}

size_t
faults_of_body(enum schema s, unsigned set, const struct json *body,
    struct fault *ret, size_t max)
{
	size_t n = 0;

	if (body->kind != JSON_OBJECT) {
		ret[0] = (struct fault){.err = E_INVALID,
		    .code = "wrong_type",
		    .detail = "the body must be a JSON object"};
		return 1;
	}
	for (const struct json *j = json_first(body); j != NULL && n < max;
	     j = j->next) {
		const struct field *f = field_find(s, j->name);

		if (f == NULL || (f->set & set) == 0) {
			unknown(j->name, f != NULL, &ret[n++]);
			continue;
		}
		if (j->kind == JSON_NULL && (f->set & FIELD_N) != 0)
			continue;
		if (!shape_value(f->type, f->max, j))
			explain(f, j, &ret[n++]);
	}
	if (set == FIELD_C)
		n += missing(s, body, ret + n, max - n);
	return n;
}

/* ---- sentences ---- */

static bool
word_char(char ch)
{
	return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
	    (ch >= '0' && ch <= '9') || ch == '_';
}

static struct str
take_word(struct str *s)
{
	size_t n = 0;
	struct str w;

	while (n < s->n && word_char(s->p[n]))
		n++;
	w = str_of(s->p, n);
	*s = str_skip(*s, n);
	return w;
}

static bool
take_text(struct str *s, struct str text)
{
	if (!str_starts(*s, text))
		return false;
	*s = str_skip(*s, text.n);
	return true;
}

/* "item 3" or "[2]": an index; false and nothing taken: something else. */
static bool
take_index(struct str *s, size_t *ret)
{
	struct str in = *s, digits;
	bool from_one = take_text(&in, STR(": item "));
	uint64_t n;

	if (!from_one && !take_text(&in, STR("[")))
		return false;
	digits = take_word(&in);
	if (!str_u64(digits, from_one, UINT32_MAX, &n) ||
	    (!from_one && !take_text(&in, STR("]"))))
		return false;
	*ret = (size_t)n - from_one;
	*s = in;
	return true;
}

/* ".member", ": member: " or ": member \"x\"". */
static bool
take_member(struct str *s, struct str *ret)
{
	struct str in = *s;

	if (take_text(&in, STR("."))) {
		*ret = take_word(&in);
	} else if (take_text(&in, STR(": member \""))) {
		(void)str_cut(in, '"', ret, &in);
	} else if (take_text(&in, STR(": "))) {
		*ret = take_word(&in);
		if (!str_starts(in, STR(": ")))
			return false;
	} else {
		return false;
	}
	if (ret->n == 0)
		return false;
	*s = in;
	return true;
}

/* On from a member, as far as the sentence says where. */
static void
walk(struct str s, struct fault *ret)
{
	struct str name;
	size_t i;

	for (;;) {
		if (take_index(&s, &i))
			pointer_item(ret, i);
		else if (take_member(&s, &name))
			pointer_add(ret, name);
		else
			return;
	}
}

static bool
param_named(const struct route *r, struct str name)
{
	for (unsigned p = 0; p < PARAM_MAX_; p++)
		if ((r->params >> p & 1) != 0 &&
		    str_is(name, param_text((enum param)p)))
			return true;
	return false;
}

/* How a sentence goes on behind what it is about. */
static bool
ends_well(struct str rest, err e)
{
	if (rest.n == 0 || str_starts(rest, STR(":")) ||
	    str_starts(rest, STR(".")) || str_starts(rest, STR("[")))
		return true;
	/* a conflict is about the state, unless it says otherwise */
	return err_status(e) != 409 &&
	    (str_starts(rest, STR(" ")) || str_starts(rest, STR(",")));
}

bool
fault_of_sentence(const struct route *r, const struct json *body, err e,
    const char *sentence, struct fault *ret)
{
	int status = err_status(e);
	struct str rest = str_c(sentence), name;
	const struct field *f, *document;

	*ret =
	    (struct fault){.code = err_name(e), .err = (enum err_code)e.code};
	if ((status != 400 && status != 409 && status != 422) ||
	    sentence[0] == '\0')
		return false;
	(void)snprintf(ret->detail, sizeof ret->detail, "%s", sentence);
	if (take_text(&rest, STR("parameter ")))
		(void)take_text(&rest, STR("\""));
	name = take_word(&rest);
	f = body == NULL ? NULL : field_find(r->schema, name);
	document = body == NULL ? NULL : field_find(r->schema, STR("document"));
	if (err_is(e, E_UNKNOWN_PARAMETER) || param_named(r, name)) {
		(void)snprintf(ret->pointer, sizeof ret->pointer, "?%.*s",
		    (int)(name.n < 80 ? name.n : 80), name.p);
		return name.n > 0;
	}
	if (f != NULL && (f->set & r->set) != 0 && ends_well(rest, e)) {
		pointer_add(ret, name);
		walk(rest, ret);
		return true;
	}
	if (document == NULL || status != 400)
		return false;
	/* a place in the one document the body carries */
	pointer_add(ret, document->name);
	if (name.n > 0 && ends_well(rest, err_of(E_CONFLICT))) {
		pointer_add(ret, name);
		walk(rest, ret);
	}
	return true;
}

/* ---- the problem ---- */

void
faults_json(struct jw *w, const struct fault *f, size_t n)
{
	if (n == 0)
		return;
	jw_karr(w, "errors");
	for (size_t i = 0; i < n; i++) {
		jw_obj(w);
		jw_kstr(w, "pointer", str_c(f[i].pointer));
		jw_kstr(w, "code", str_c(f[i].code));
		jw_kstr(w, "detail", str_c(f[i].detail));
		jw_obj_end(w);
	}
	jw_arr_end(w);
}
