#include "cli/yaml.h"

#include <yaml.h>

#include "base/limits.h"

enum { DEPTH = LIM_JSON_DEPTH };

struct reading {
	yaml_parser_t parser;
	struct trail *t;
	struct jw w;
	unsigned depth;
	bool mapping[DEPTH + 1]; /* the containers we are in */
	bool key[DEPTH + 1];	 /* and a key comes next */
};

static err
bad(struct reading *r, const yaml_event_t *e, const char *what)
{
	trail_set(r->t, "line %zu: %s", e->start_mark.line + 1, what);
	return err_of(E_INVALID);
}

static struct str
text_of(const yaml_event_t *e)
{
	return str_of((const char *)e->data.scalar.value,
	    e->data.scalar.length);
}

/* Digits with a point or an exponent: what others would read as a number. */
static bool
looks_real(struct str s)
{
	bool digit = false, mark = false;

	for (size_t i = 0; i < s.n; i++) {
		char ch = s.p[i];

		if (ch >= '0' && ch <= '9')
			digit = true;
		else if (ch == '.')
			mark = true;
		else if (i > 0 || (ch != '-' && ch != '+'))
			return false;
	}
	return digit && mark;
}

static err
plain(struct reading *r, const yaml_event_t *e, struct str s)
{
	int64_t i;

	if (s.n == 0 || str_is(s, "~") || str_is(s, "null"))
		jw_null(&r->w);
	else if (str_is(s, "true") || str_is(s, "false"))
		jw_bool(&r->w, s.n == 4);
	else if (str_i64(s, INT64_MIN, INT64_MAX, &i))
		jw_i64(&r->w, i);
	else if (looks_real(s))
		return bad(r, e, "a number that is no integer: quote it");
	else
		jw_str(&r->w, s);
	return OK;
}

static err
scalar(struct reading *r, const yaml_event_t *e)
{
	struct str s = text_of(e);

	if (e->data.scalar.anchor != NULL)
		return bad(r, e, "an anchor");
	if (e->data.scalar.tag != NULL)
		return bad(r, e, "a tag");
	if (r->mapping[r->depth] && r->key[r->depth]) {
		r->key[r->depth] = false;
		if (str_is(s, "<<"))
			return bad(r, e, "a merge key");
		jw_name(&r->w, s);
		return OK;
	}
	r->key[r->depth] = true;
	if (e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
		return plain(r, e, s);
	jw_str(&r->w, s.n == 0 ? STR("") : s);
	return OK;
}

static err
begin(struct reading *r, const yaml_event_t *e, bool mapping)
{
	if (mapping ? e->data.mapping_start.anchor != NULL
		    : e->data.sequence_start.anchor != NULL)
		return bad(r, e, "an anchor");
	if (mapping ? e->data.mapping_start.tag != NULL
		    : e->data.sequence_start.tag != NULL)
		return bad(r, e, "a tag");
	if (r->mapping[r->depth] && r->key[r->depth])
		return bad(r, e, "a key that is no text");
	if (r->depth == DEPTH)
		return bad(r, e, "nests too deeply");
	r->key[r->depth] = true;
	r->depth++;
	r->mapping[r->depth] = mapping;
	r->key[r->depth] = true;
	mapping ? jw_obj(&r->w) : jw_arr(&r->w);
	return OK;
}

static void
end(struct reading *r)
{
	r->mapping[r->depth] ? jw_obj_end(&r->w) : jw_arr_end(&r->w);
	r->depth--;
}

static err
event(struct reading *r, const yaml_event_t *e, unsigned *documents)
{
	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (++*documents > 1)
			return bad(r, e, "a second document");
		if (e->data.document_start.version_directive != NULL ||
		    e->data.document_start.tag_directives.start !=
			e->data.document_start.tag_directives.end)
			return bad(r, e, "a directive");
		return OK;
	case YAML_ALIAS_EVENT:
		return bad(r, e, "an alias");
	case YAML_SCALAR_EVENT:
		return scalar(r, e);
	case YAML_SEQUENCE_START_EVENT:
		return begin(r, e, false);
	case YAML_MAPPING_START_EVENT:
		return begin(r, e, true);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		end(r);
		return OK;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		break;
	}
	return OK;
}

static err
read_all(struct reading *r)
{
	unsigned documents = 0;
	bool over = false;

	while (!over) {
		yaml_event_t e;
		err x;

		if (yaml_parser_parse(&r->parser, &e) == 0) {
			trail_set(r->t, "line %zu: %s",
			    r->parser.problem_mark.line + 1,
			    r->parser.problem == NULL ? "no YAML"
						      : r->parser.problem);
			return err_of(E_INVALID);
		}
		over = e.type == YAML_STREAM_END_EVENT;
		x = event(r, &e, &documents);
		yaml_event_delete(&e);
		TRY(x);
	}
	if (documents == 1)
		return buf_check(r->w.out);
	trail_set(r->t, "there is no document");
	return err_of(E_INVALID);
}

err
yaml_json(struct str yaml, struct arena *a, struct trail *t, struct str *ret)
{
	struct reading r = {.t = t};
	struct buf b;
	err e;

	buf_init_on(&b, a, LIM_ARENA);
	jw_init(&r.w, &b);
	if (yaml_parser_initialize(&r.parser) == 0)
		return err_of(E_NO_MEMORY);
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)yaml.p,
	    yaml.n);
	e = read_all(&r);
	yaml_parser_delete(&r.parser);
	TRY(e);
	*ret = buf_view(&b);
	return OK;
}
