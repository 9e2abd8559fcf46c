#include "cli/view.h"

#include "base/text.h"

enum form { FORM_PLAIN, FORM_NUMBERED, FORM_TIME, FORM_FLEX };
enum { CELL_MAX = 4096, GAP = 2, FLEX_MIN = 10 };

static const struct column {
	enum view view; /* VIEW_NONE: next column of the same view */
	const char *member, *heading;
	enum form form;
} columns[] = {
#define VIEW(name) {VIEW_##name, NULL, NULL, FORM_PLAIN},
#define COLUMN(member, heading, form) {VIEW_NONE, member, heading, FORM_##form},
#include "cli/views.def"
#undef VIEW
#undef COLUMN
    {VIEW_NONE, NULL, NULL, FORM_PLAIN},
};

/* First column of a view; its last is followed by a row without member. */
static const struct column *
view_columns(enum view v)
{
	const struct column *c = columns;

	while (c->view != v)
		c++;
	return c + 1;
}

/* ---- one value ---- */

static void
object_line(struct buf *b, const struct json *j)
{
	const struct json *name = json_get(j, STR("name"));
	const struct json *kind = json_get(j, STR("kind"));
	const struct json *id = json_get(j, STR("id"));
	const char *gap = "";

	if (kind == NULL)
		kind = json_get(j, STR("type"));
	if (name != NULL && name->kind == JSON_STRING && name->text.n > 0) {
		value_line(b, name);
		return;
	}
	if (kind != NULL && id != NULL) {
		value_line(b, kind);
		buf_char(b, ':');
		value_line(b, id);
		return;
	}
	for (j = json_first(j); j != NULL; j = j->next) {
		buf_c(b, gap);
		tty_add(b, j->name, false);
		buf_char(b, '=');
		value_line(b, j);
		gap = " ";
	}
}

void
value_line(struct buf *b, const struct json *j)
{
	const char *gap = "";

	switch (j == NULL ? JSON_NULL : j->kind) {
	case JSON_NULL:
		buf_char(b, '-');
		break;
	case JSON_FALSE:
		buf_c(b, "no");
		break;
	case JSON_TRUE:
		buf_c(b, "yes");
		break;
	case JSON_NUMBER:
	case JSON_STRING:
		tty_add(b, j->text, false);
		break;
	case JSON_ARRAY:
		if (j->count == 0)
			buf_char(b, '-');
		for (j = json_first(j); j != NULL; j = j->next) {
			buf_c(b, gap);
			value_line(b, j);
			gap = ", ";
		}
		break;
	case JSON_OBJECT:
		object_line(b, j);
		break;
	}
}

/* ---- tables ---- */

static void
cell(struct buf *b, const struct column *c, const struct json *item)
{
	const struct json *j = json_get(item, str_c(c->member));

	if (c->form == FORM_NUMBERED && j != NULL && j->kind == JSON_NUMBER)
		buf_c(b, "INC-");
	if (c->form == FORM_TIME && j != NULL && j->kind == JSON_STRING &&
	    j->text.n == 24 && j->text.p[19] == '.') {
		tty_add(b, str_head(j->text, 19), false);
		buf_char(b, 'Z');
		return;
	}
	value_line(b, j);
}

/* Render one cell into a small buffer of its own. */
static struct str
cell_text(struct buf *b, const struct column *c, const struct json *item)
{
	buf_clear(b);
	cell(b, c, item);
	return buf_view(b); /* what fitted, when it is longer */
}

/* The widest cells of the first page; the flexible one gets what is left. */
static void
measure(struct table *t, const struct json *items)
{
	const struct column *c = view_columns(t->view);
	size_t used = 0, i, flex = VIEW_COLUMNS;
	struct buf b;

	buf_init(&b, CELL_MAX);
	for (i = 0; c[i].member != NULL; i++) {
		size_t most = strlen(c[i].heading);

		if (c[i].form == FORM_FLEX)
			flex = i;
		for (const struct json *j = json_first(items); j != NULL;
		     j = j->next) {
			size_t n = cells(cell_text(&b, c + i, j));

			most = n > most ? n : most;
		}
		t->columns[i] = most;
		used += most + (i == 0 ? 0 : GAP);
	}
	buf_done(&b);
	if (t->width == 0 || used <= t->width || flex == VIEW_COLUMNS)
		return;
	used -= t->columns[flex];
	t->columns[flex] =
	    t->width < used + FLEX_MIN ? FLEX_MIN : t->width - used;
}

static void
pad(struct buf *b, size_t n)
{
	while (n-- > 0)
		buf_char(b, ' ');
}

static void
place(struct buf *b, const struct table *t, const struct column *c, size_t i,
    struct str text)
{
	size_t n = cells(text), room = t->columns[i];
	bool last = c[i + 1].member == NULL;

	if (i > 0)
		pad(b, GAP);
	if (n > room && c[i].form == FORM_FLEX && t->width > 0) {
		struct str cut = cells_head(text, room - 1);

		buf_str(b, cut);
		buf_c(b, "\xe2\x80\xa6"); /* an ellipsis */
		n = cells(cut) + 1;
	} else {
		buf_str(b, text);
	}
	if (last)
		buf_char(b, '\n');
	else if (n < room)
		pad(b, room - n);
}

void
table_add(struct buf *b, struct table *t, const struct json *items)
{
	const struct column *c = view_columns(t->view);
	struct buf text;

	if (!t->begun) {
		measure(t, items);
		for (size_t i = 0; c[i].member != NULL; i++)
			place(b, t, c, i, str_c(c[i].heading));
		t->begun = true;
	}
	buf_init(&text, CELL_MAX);
	for (const struct json *j = json_first(items); j != NULL; j = j->next)
		for (size_t i = 0; c[i].member != NULL; i++)
			place(b, t, c, i, cell_text(&text, c + i, j));
	buf_done(&text);
}

/* ---- details ---- */

static bool
is_plain(const struct json *j)
{
	if (j->kind == JSON_OBJECT)
		return j->count == 0;
	if (j->kind != JSON_ARRAY)
		return true;
	for (j = json_first(j); j != NULL; j = j->next)
		if (j->kind == JSON_ARRAY || j->kind == JSON_OBJECT)
			return false;
	return true;
}

/* Text of several lines, each indented. */
static void
lines(struct buf *b, struct str text, size_t indent)
{
	bool more = true;

	while (more) {
		struct str line;

		more = str_cut(text, '\n', &line, &text);
		buf_char(b, '\n');
		pad(b, indent);
		tty_add(b, line, false);
	}
}

static void detail(struct buf *b, const struct json *j, size_t level);

static void
member(struct buf *b, const struct json *j, size_t level, size_t width)
{
	size_t n = cells(j->name) + 1;

	tty_add(b, j->name, false);
	buf_char(b, ':');
	if (!is_plain(j)) {
		buf_char(b, '\n');
		detail(b, j, level + 1);
		return;
	}
	pad(b, n < width ? width - n : 1);
	if (j->kind == JSON_STRING && memchr(j->text.p, '\n', j->text.n))
		lines(b, j->text, (level + 1) * GAP);
	else if (j->kind == JSON_OBJECT)
		buf_char(b, '-'); /* an empty one: it is plain */
	else
		value_line(b, j);
	buf_char(b, '\n');
}

/* Items that say it all in one line: scalars, {kind,id,name}. */
static bool
is_short(const struct json *j)
{
	return is_plain(j) ||
	    (j->kind == JSON_OBJECT && j->count <= 3 &&
		json_get(j, STR("id")) != NULL);
}

static void
members(struct buf *b, const struct json *j, size_t level, bool inside)
{
	size_t width = 0;

	for (const struct json *m = json_first(j); m != NULL; m = m->next)
		if (is_plain(m) && cells(m->name) + GAP > width)
			width = cells(m->name) + GAP;
	for (const struct json *m = json_first(j); m != NULL; m = m->next) {
		pad(b, inside ? 0 : level * GAP);
		member(b, m, level, width);
		inside = false;
	}
}

/* How deep this goes is bounded by the parser's limit. */
static void
detail(struct buf *b, const struct json *j, size_t level)
{
	if (j->kind != JSON_ARRAY) {
		members(b, j, level, false);
		return;
	}
	for (const struct json *m = json_first(j); m != NULL; m = m->next) {
		pad(b, level * GAP);
		buf_c(b, "- ");
		if (m->kind == JSON_OBJECT && !is_short(m)) {
			members(b, m, level + 1, true);
			continue;
		}
		value_line(b, m);
		buf_char(b, '\n');
	}
}

void
detail_show(struct buf *b, const struct json *j)
{
	if (j->kind == JSON_OBJECT || j->kind == JSON_ARRAY) {
		detail(b, j, 0);
		return;
	}
	value_line(b, j);
	buf_char(b, '\n');
}

/* ---- JSON ---- */

static void
json_escape(struct buf *b, uint32_t c)
{
	if (c > 0xffff) {
		c -= 0x10000;
		buf_fmt(b, "\\u%04x", 0xd800 + (c >> 10));
		c = 0xdc00 + (c & 0x3ff);
	}
	buf_fmt(b, "\\u%04x", c);
}

/* Would tty_add show it as something else? */
static bool
is_unsafe(struct str one)
{
	char room[32];
	struct buf b = {.p = room, .cap = sizeof room, .max = sizeof room};

	tty_add(&b, one, false);
	return !str_eq(buf_view(&b), one);
}

static void
json_string(struct buf *b, struct str s)
{
	buf_char(b, '"');
	while (s.n > 0) {
		const char *at = s.p;
		size_t plain = utf8_plain(s);
		uint32_t c;

		if (plain > 0 && memchr(s.p, 0x7f, plain) == NULL) {
			buf_add(b, s.p, plain);
			s = str_skip(s, plain);
			continue;
		}
		c = utf8_next(&s);
		if (c == '"' || c == '\\') {
			buf_char(b, '\\');
			buf_char(b, (char)c);
		} else if (c == '\n' || c == '\t') {
			buf_c(b, c == '\n' ? "\\n" : "\\t");
		} else if (c == UTF8_BAD) {
			buf_c(b, UTF8_REPLACEMENT);
		} else if (is_unsafe(str_of(at, (size_t)(s.p - at)))) {
			json_escape(b, c);
		} else {
			buf_add(b, at, (size_t)(s.p - at));
		}
	}
	buf_char(b, '"');
}

static void
json_container(struct buf *b, const struct json *j, unsigned level)
{
	bool object = j->kind == JSON_OBJECT;

	buf_char(b, object ? '{' : '[');
	for (const struct json *m = json_first(j); m != NULL; m = m->next) {
		buf_c(b, m == j->child ? "\n" : ",\n");
		pad(b, ((size_t)level + 1) * GAP);
		if (object) {
			json_string(b, m->name);
			buf_c(b, ": ");
		}
		json_show(b, m, level + 1);
	}
	if (j->child != NULL) {
		buf_char(b, '\n');
		pad(b, (size_t)level * GAP);
	}
	buf_char(b, object ? '}' : ']');
}

void
json_show(struct buf *b, const struct json *j, unsigned level)
{
	switch (j->kind) {
	case JSON_NULL:
		buf_c(b, "null");
		break;
	case JSON_FALSE:
		buf_c(b, "false");
		break;
	case JSON_TRUE:
		buf_c(b, "true");
		break;
	case JSON_NUMBER:
		buf_str(b, j->text);
		break;
	case JSON_STRING:
		json_string(b, j->text);
		break;
	case JSON_ARRAY:
	case JSON_OBJECT:
		json_container(b, j, level);
		break;
	}
}
