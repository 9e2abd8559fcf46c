#include "domain/selector.h"

#include "base/limits.h"

enum { LABEL = 63 };

static bool
label_char(char c, bool upper)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
	    c == '.' || c == '-' || (upper && c >= 'A' && c <= 'Z');
}

static bool
label_chars(struct str s, bool upper)
{
	for (size_t i = 0; i < s.n; i++)
		if (!label_char(s.p[i], upper))
			return false;
	return s.n > 0 && s.n <= LABEL;
}

bool
label_name_valid(struct str s)
{
	return label_chars(s, false) && s.p[0] >= 'a' && s.p[0] <= 'z';
}

bool
label_value_valid(struct str s)
{
	return label_chars(s, true);
}

static err
bad(struct trail *t, const char *path, const char *what)
{
	trail_set(t, "%s: %s", path, what);
	return err_of(E_INVALID);
}

err
selector_parse(struct arena *a, const struct json *j, const char *path,
    struct trail *t, struct selector *ret)
{
	const struct json *labels = json_get(j, STR("labels"));
	struct label *l;
	size_t n = 0;

	if (j == NULL || j->kind != JSON_OBJECT || j->count != 1 ||
	    labels == NULL || labels->kind != JSON_OBJECT)
		return bad(t, path, "{\"labels\": {..}}");
	if (labels->count == 0)
		return bad(t, path, "an empty selector matches nothing");
	if (labels->count > LIM_SELECTOR)
		return bad(t, path, "too many labels");
	l = arena_array(a, labels->count, sizeof *l);
	if (l == NULL)
		return err_of(E_NO_MEMORY);
	for (const struct json *c = json_first(labels); c != NULL;
	     c = c->next, n++) {
		l[n].name = c->name;
		if (!label_name_valid(c->name))
			return bad(t, path,
			    "a label's name: a-z, then a-z "
			    "0-9 _ . -");
		if (!json_str(c, &l[n].value) || !label_value_valid(l[n].value))
			return bad(t, path,
			    "a label's value: 1 to 63 of A-Z a-z 0-9 _ . -");
	}
	*ret = (struct selector){l, n};
	return OK;
}

bool
selector_matches(const struct selector *s, const struct json *labels)
{
	if (s->labels_n == 0)
		return false;
	for (size_t i = 0; i < s->labels_n; i++) {
		struct str v = json_str_at(labels, s->labels[i].name);

		if (v.p == NULL || !str_eq(v, s->labels[i].value))
			return false;
	}
	return true;
}

void
selector_json(struct jw *w, const struct selector *s)
{
	jw_obj(w);
	jw_kobj(w, "labels");
	for (size_t i = 0; i < s->labels_n; i++) {
		jw_name(w, s->labels[i].name);
		jw_str(w, s->labels[i].value);
	}
	jw_obj_end(w);
	jw_obj_end(w);
}
