#include "base/json.h"

#include "base/text.h"

enum { DEPTH_MAX = 63 }; /* bits of `some`, the outermost unused */

void
jw_init(struct jw *w, struct buf *out)
{
	*w = (struct jw){.out = out};
}

/* Does the open container have an element?  From now on it has. */
static bool
mark(struct jw *w)
{
	uint64_t bit = UINT64_C(1) << w->depth;
	bool had = (w->some & bit) != 0;

	w->some |= bit;
	return had;
}

/* What stands before a value: nothing behind a name, else maybe a comma. */
static void
before(struct jw *w)
{
	if (w->named)
		w->named = false;
	else if (w->depth > 0 && mark(w))
		buf_char(w->out, ',');
}

static void
open(struct jw *w, char c)
{
	before(w);
	buf_char(w->out, c);
	if (w->depth == DEPTH_MAX) {
		w->out->failed = true;
		return;
	}
	w->depth++;
	w->some &= ~(UINT64_C(1) << w->depth);
}

static void
close(struct jw *w, char c)
{
	if (w->depth > 0)
		w->depth--;
	buf_char(w->out, c);
}

void
jw_obj(struct jw *w)
{
	open(w, '{');
}

void
jw_obj_end(struct jw *w)
{
	close(w, '}');
}

void
jw_arr(struct jw *w)
{
	open(w, '[');
}

void
jw_arr_end(struct jw *w)
{
	close(w, ']');
}

static void
escape(struct buf *b, unsigned char c)
{
	static const char letter[] = "\"\"\\\\\bb\ff\nn\rr\tt";
	static const char digit[] = "0123456789abcdef";
	char t[6] = {'\\', 'u', '0', '0', digit[c >> 4], digit[c & 15]};

	for (size_t i = 0; i < sizeof letter - 1; i += 2) {
		if ((unsigned char)letter[i] == c) {
			t[1] = letter[i + 1];
			buf_add(b, t, 2);
			return;
		}
	}
	buf_add(b, t, sizeof t);
}

static void
quoted(struct buf *b, struct str s)
{
	buf_char(b, '"');
	while (s.n > 0) {
		size_t n = utf8_plain(s);

		buf_str(b, str_head(s, n));
		s = str_skip(s, n);
		if (s.n == 0)
			break;
		n = utf8_char(s);
		if (n == 0)
			buf_c(b, UTF8_REPLACEMENT);
		else if (n == 1)
			escape(b, (unsigned char)s.p[0]);
		else
			buf_str(b, str_head(s, n));
		s = str_skip(s, n == 0 ? 1 : n);
	}
	buf_char(b, '"');
}

void
jw_name(struct jw *w, struct str name)
{
	if (mark(w))
		buf_char(w->out, ',');
	quoted(w->out, name);
	buf_char(w->out, ':');
	w->named = true;
}

void
jw_str(struct jw *w, struct str s)
{
	if (s.p == NULL) {
		jw_null(w);
		return;
	}
	before(w);
	quoted(w->out, s);
}

void
jw_b64(struct jw *w, struct str bytes)
{
	before(w);
	buf_char(w->out, '"');
	b64_add(w->out, bytes);
	buf_char(w->out, '"');
}

void
jw_i64(struct jw *w, int64_t v)
{
	before(w);
	buf_i64(w->out, v);
}

void
jw_bool(struct jw *w, bool v)
{
	jw_raw(w, v ? STR("true") : STR("false"));
}

void
jw_null(struct jw *w)
{
	jw_raw(w, STR("null"));
}

void
jw_raw(struct jw *w, struct str json)
{
	before(w);
	buf_str(w->out, json);
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static struct str
trimmed(struct str s)
{
	while (s.n > 0 && is_space(s.p[0]))
		s = str_skip(s, 1);
	while (s.n > 0 && is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

void
jw_raw_members(struct jw *w, struct str object)
{
	struct str s = trimmed(object);

	if (s.n < 2 || s.p[0] != '{' || s.p[s.n - 1] != '}') {
		w->out->failed = true;
		return;
	}
	s = trimmed(str_of(s.p + 1, s.n - 2));
	if (s.n == 0)
		return;
	if (mark(w))
		buf_char(w->out, ',');
	buf_str(w->out, s);
}

/* Recursion is bounded by the reader that made j. */
void
jw_value(struct jw *w, const struct json *j)
{
	bool object = j->kind == JSON_OBJECT;

	if (j->kind == JSON_STRING) {
		jw_str(w, j->text);
		return;
	}
	if (j->kind != JSON_OBJECT && j->kind != JSON_ARRAY) {
		jw_raw(w, j->raw);
		return;
	}
	open(w, object ? '{' : '[');
	for (const struct json *c = j->child; c != NULL; c = c->next) {
		if (object)
			jw_name(w, c->name);
		jw_value(w, c);
	}
	close(w, object ? '}' : ']');
}
