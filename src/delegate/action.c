#include "delegate/action.h"

#include "base/limits.h"
#include "base/text.h"

#define REFUSE(t, ...) (trail_set((t), __VA_ARGS__), err_of(E_INVALID))

struct filling {
	struct arena *a;
	const struct json *params;
	struct trail *t;
};

/* ---- one parameter ---- */

/* As it stands in a text; false: it cannot. */
static bool
scalar(const struct json *j, struct str *ret)
{
	switch (j->kind) {
	case JSON_STRING:
	case JSON_NUMBER:
		*ret = j->text;
		return true;
	case JSON_TRUE:
		*ret = STR("true");
		return true;
	case JSON_FALSE:
		*ret = STR("false");
		return true;
	default:
		return false;
	}
}

static err
param_text(struct filling *f, struct str name, struct str *ret)
{
	const struct json *j = json_get(f->params, name);

	if (j == NULL || !scalar(j, ret))
		return REFUSE(f->t, "{%.*s} is missing or no text",
		    STR_ARG(name));
	return OK;
}

enum { FILL_MAX = 1 << 20 };

/* Each {name} of a text, put through `put`; the rest through `rest`. */
static err
fill(struct filling *f, struct str tpl, struct buf *out,
    err (*put)(struct filling *, struct buf *, struct str))
{
	while (tpl.n > 0) {
		struct str before, name, value;
		bool open = str_cut(tpl, '{', &before, &tpl);

		buf_str(out, before);
		if (!open)
			break;
		if (!str_cut(tpl, '}', &name, &tpl))
			return REFUSE(f->t, "an unmatched brace");
		TRY(param_text(f, name, &value));
		TRY(put(f, out, value));
	}
	return buf_check(out);
}

static err
put_plain(struct filling *f, struct buf *out, struct str value)
{
	(void)f;
	buf_str(out, value);
	return OK;
}

static err
filled(struct filling *f, struct str tpl, struct str *ret)
{
	struct buf b;

	if (memchr(tpl.p, '{', tpl.n) == NULL) {
		*ret = tpl;
		return OK;
	}
	buf_init_on(&b, f->a, FILL_MAX);
	TRY(fill(f, tpl, &b, put_plain));
	*ret = buf_view(&b);
	return OK;
}

/* ---- the path ---- */

/* No piece between slashes, of either kind, that a server could take for a
 * step up or for nothing. */
static bool
moves(struct str s)
{
	size_t from = 0;

	for (size_t i = 0; i <= s.n; i++) {
		struct str piece;

		if (i < s.n && s.p[i] != '/' && s.p[i] != '\\')
			continue;
		piece = str_head(str_skip(s, from), i - from);
		if (piece.n == 0 || str_is(piece, ".") || str_is(piece, ".."))
			return true;
		from = i + 1;
	}
	return false;
}

static err
put_segment(struct filling *f, struct buf *out, struct str value)
{
	for (size_t i = 0; i < value.n; i++)
		if ((unsigned char)value.p[i] < 0x20 || value.p[i] == 0x7f)
			return REFUSE(f->t, "a control character for the path");
	if (moves(value))
		return REFUSE(f->t,
		    "a value that would leave its place in the path");
	url_encode(out, value);
	return OK;
}

/* ---- the query ---- */

static void
pair(struct buf *out, struct str name, struct str value)
{
	bool first = memchr(out->p, '?', out->n) == NULL;

	buf_char(out, first ? '?' : '&');
	url_encode(out, name);
	buf_char(out, '=');
	url_encode(out, value);
}

static err
query_value(struct filling *f, struct buf *out, const struct json *tpl,
    const struct json *v)
{
	struct str s;

	if (scalar(v, &s)) {
		pair(out, tpl->name, s);
		return OK;
	}
	if (v->kind != JSON_ARRAY)
		return REFUSE(f->t, "query: %.*s is no text or list of texts",
		    STR_ARG(tpl->name));
	for (v = json_first(v); v != NULL; v = v->next) {
		if (!scalar(v, &s))
			return REFUSE(f->t, "query: %.*s is no list of texts",
			    STR_ARG(tpl->name));
		pair(out, tpl->name, s);
	}
	return OK;
}

static err
query(struct filling *f, const struct json *tpl, struct buf *out)
{
	for (const struct json *j = json_first(tpl); j != NULL; j = j->next) {
		const struct json *v;
		struct str s;

		if (connector_reference(j, &s)) {
			v = json_get(f->params, s);
			if (v != NULL)
				TRY(query_value(f, out, j, v));
			continue;
		}
		TRY(filled(f, j->text, &s));
		pair(out, j->name, s);
	}
	return buf_check(out);
}

static err
path(struct filling *f, const struct connector *c,
    const struct connector_action *act, struct str *ret)
{
	struct buf b;

	buf_init_on(&b, f->a, ACTION_PATH);
	buf_str(&b, c->prefix);
	TRY(fill(f, act->path, &b, put_segment));
	TRY(query(f, act->query, &b));
	*ret = buf_view(&b);
	return OK;
}

/* ---- the header ---- */

static err
header(struct filling *f, const struct json *j, struct buf *out)
{
	struct str s;

	if (connector_reference(j, &s)) {
		const struct json *v = json_get(f->params, s);

		if (v == NULL)
			return OK;
		if (!scalar(v, &s))
			return REFUSE(f->t, "header %.*s: no text",
			    STR_ARG(j->name));
	} else {
		TRY(filled(f, j->text, &s));
	}
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x20 || s.p[i] > 0x7e)
			return REFUSE(f->t, "header %.*s: no printable ASCII",
			    STR_ARG(j->name));
	buf_str(out, j->name);
	buf_c(out, ": ");
	buf_str(out, s);
	buf_c(out, "\r\n");
	return OK;
}

static err
headers(struct filling *f, const struct connector_action *act, bool body,
    struct str *ret)
{
	bool accept = false, type = false, agent = false;
	struct buf b;

	buf_init_on(&b, f->a, ACTION_FIELDS);
	for (const struct json *j = json_first(act->headers); j != NULL;
	     j = j->next) {
		accept |= str_is(j->name, "accept");
		type |= str_is(j->name, "content-type");
		agent |= str_is(j->name, "user-agent");
		TRY(header(f, j, &b));
	}
	if (!agent)
		buf_c(&b, "User-Agent: redoubt\r\n");
	if (!accept)
		buf_c(&b, "Accept: application/json\r\n");
	if (body && !type)
		buf_c(&b, "Content-Type: application/json\r\n");
	*ret = buf_view(&b);
	return buf_check(&b);
}

/* ---- the body ---- */

static err body_value(struct filling *f, const struct json *tpl, struct jw *w);

/* An optional parameter that was not given leaves nothing behind. */
static bool
left_out(struct filling *f, const struct json *tpl)
{
	struct str name;

	return connector_reference(tpl, &name) &&
	    json_get(f->params, name) == NULL;
}

static err
body_children(struct filling *f, const struct json *tpl, struct jw *w)
{
	for (const struct json *j = json_first(tpl); j != NULL; j = j->next) {
		if (left_out(f, j))
			continue;
		if (tpl->kind == JSON_OBJECT)
			jw_name(w, j->name);
		TRY(body_value(f, j, w));
	}
	return OK;
}

static err
body_value(struct filling *f, const struct json *tpl, struct jw *w)
{
	struct str s;

	if (connector_reference(tpl, &s)) {
		const struct json *v = json_get(f->params, s);

		if (v == NULL)
			return REFUSE(f->t, "body: %.*s is missing",
			    STR_ARG(s));
		jw_value(w, v);
		return OK;
	}
	switch (tpl->kind) {
	case JSON_STRING:
		TRY(filled(f, tpl->text, &s));
		jw_str(w, s);
		return OK;
	case JSON_OBJECT:
		jw_obj(w);
		TRY(body_children(f, tpl, w));
		jw_obj_end(w);
		return OK;
	case JSON_ARRAY:
		jw_arr(w);
		TRY(body_children(f, tpl, w));
		jw_arr_end(w);
		return OK;
	default:
		jw_value(w, tpl);
		return OK;
	}
}

static err
body(struct filling *f, const struct json *tpl, struct str *ret)
{
	struct buf b;
	struct jw w;

	*ret = STR_NONE;
	if (tpl == NULL)
		return OK;
	buf_init_on(&b, f->a, ACTION_BODY);
	jw_init(&w, &b);
	TRY(body_value(f, tpl, &w));
	*ret = buf_view(&b);
	return buf_check(&b);
}

err
action_request(struct arena *a, const struct connector *c,
    const struct connector_action *act, const struct json *params,
    struct trail *t, struct request *ret)
{
	struct filling f = {a, params, t};
	struct request r = {.method = act->method};

	TRY(path(&f, c, act, &r.path));
	TRY(body(&f, act->body, &r.body));
	TRY(headers(&f, act, r.body.p != NULL, &r.fields));
	*ret = r;
	return arena_check(a);
}

/* ---- outputs ---- */

static const char *const types[] = {[CONNECTOR_STRING] = "string",
    [CONNECTOR_INTEGER] = "integer",
    [CONNECTOR_NUMBER] = "number",
    [CONNECTOR_BOOLEAN] = "boolean",
    [CONNECTOR_ARRAY] = "array",
    [CONNECTOR_OBJECT] = "object"};

static bool
type_of(struct str s, enum connector_type *ret)
{
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (str_is(s, types[i])) {
			*ret = (enum connector_type)i;
			return true;
		}
	return false;
}

static bool
output_of(const struct json *j, struct connector_output *ret)
{
	const struct json *pointer = json_get(j, STR("pointer"));

	ret->name = json_str_at(j, STR("name"));
	return j->kind == JSON_OBJECT && ret->name.n > 0 &&
	    type_of(json_str_at(j, STR("type")), &ret->type) &&
	    json_str(pointer, &ret->pointer);
}

err
action_outputs_parse(struct arena *a, struct str text,
    const struct connector_output **ret, size_t *ret_n)
{
	static const struct json_limits bounds = {4, 16, 1000};
	struct connector_output *o;
	const struct json *list;
	struct trail t = {{0}};
	size_t n = 0;

	TRY(json_parse(a, text, &bounds, &t, &list));
	if (list->kind != JSON_ARRAY || list->count > ACTION_OUTPUT_LIST)
		return err_of(E_INVALID);
	o = arena_array(a, list->count + 1, sizeof *o);
	if (o == NULL)
		return err_of(E_NO_MEMORY);
	for (list = json_first(list); list != NULL; list = list->next)
		if (!output_of(list, &o[n++]))
			return err_of(E_INVALID);
	*ret = o;
	*ret_n = n;
	return OK;
}

static bool
is_integer(struct str number)
{
	int64_t v;

	return str_i64(number, INT64_MIN, INT64_MAX, &v);
}

bool
action_type_fits(enum connector_type type, const struct json *j)
{
	switch (type) {
	case CONNECTOR_STRING:
		return j->kind == JSON_STRING;
	case CONNECTOR_INTEGER:
		return j->kind == JSON_NUMBER && is_integer(j->text);
	case CONNECTOR_NUMBER:
		return j->kind == JSON_NUMBER;
	case CONNECTOR_BOOLEAN:
		return j->kind == JSON_TRUE || j->kind == JSON_FALSE;
	case CONNECTOR_ARRAY:
		return j->kind == JSON_ARRAY;
	default:
		return j->kind == JSON_OBJECT;
	}
}

/* Is it this part of a pointer, in which ~1 is / and ~0 is ~? */
static bool
part_is(struct str part, struct str name)
{
	size_t k = 0;

	for (size_t i = 0; i < part.n; i++, k++) {
		char c = part.p[i];

		if (c == '~' && i + 1 < part.n)
			c = part.p[++i] == '1' ? '/' : '~';
		if (k >= name.n || name.p[k] != c)
			return false;
	}
	return k == name.n;
}

static const struct json *
child(const struct json *j, struct str part)
{
	uint64_t at;

	if (j->kind == JSON_ARRAY) {
		if (!str_u64(part, 0, UINT32_MAX, &at))
			return NULL;
		for (j = json_first(j); j != NULL && at > 0; at--)
			j = j->next;
		return j;
	}
	if (j->kind != JSON_OBJECT)
		return NULL;
	for (j = json_first(j); j != NULL; j = j->next)
		if (part_is(part, j->name))
			return j;
	return NULL;
}

const struct json *
json_pointer(const struct json *doc, struct str pointer)
{
	struct str part;

	if (pointer.n == 0)
		return doc;
	if (pointer.p[0] != '/')
		return NULL;
	pointer = str_skip(pointer, 1);
	for (bool more = true; more && doc != NULL;) {
		more = str_cut(pointer, '/', &part, &pointer);
		doc = child(doc, part);
	}
	return doc;
}
