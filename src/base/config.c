/*
 * inih splits lines into sections, names and values.  What it forgives is
 * refused here before it sees the line: long lines it would cut, indented
 * lines it would join, empty or unknown sections, what follows a ']'.
 */
#include "base/config.h"

#include <ini.h>

#include "base/limits.h"
#include "base/utf8.h"

enum { LINE_MAX_ = 190 }; /* ini_max_line is 200 in Debian's library */

enum type { STR_, NUM_, BOOL_, LIST_ };

static const struct setting {
	const char *section;
	const char *name;
	enum type type;
	size_t at; /* in struct config */
	const char *def;
	const char *meaning;
} settings[] = {
#define CONFIG(section, name, type, def, meaning)                              \
	{#section, #name, type##_, offsetof(struct config, section##_##name),  \
	    def, meaning},
#include "base/config.def"
#undef CONFIG
};

enum { SETTINGS = sizeof settings / sizeof settings[0] };

struct reader {
	struct arena *arena;
	struct str left; /* lines not yet given to inih */
	unsigned line;	 /* number of the one it has */
	struct trail *trail;
	bool failed;
	bool given[SETTINGS];
	struct config *out;
};

static bool
refuse(struct reader *r, const char *section, const char *name,
    const char *what)
{
	if (section[0] == '\0' && name[0] == '\0')
		trail_set(r->trail, "line %u: %s", r->line, what);
	else
		trail_set(r->trail, "line %u: %s.%s: %s", r->line, section,
		    name, what);
	r->failed = true;
	return false;
}

static bool
set_bool(struct str value, bool *ret)
{
	bool yes = str_is(value, "yes") || str_is(value, "true");

	*ret = yes;
	return yes || str_is(value, "no") || str_is(value, "false");
}

static const char *
list_add(struct config_list *list, struct str item)
{
	if (item.n == 0)
		return "an empty item";
	if (list->n == CONFIG_LIST)
		return "given too often";
	list->item[list->n++] = item;
	return NULL;
}

/* NULL, or what is wrong with the value. */
static const char *
value_set(struct config *c, const struct setting *s, struct str value)
{
	void *at = (char *)c + s->at;

	switch (s->type) {
	case STR_:
		*(struct str *)at = value;
		return NULL;
	case NUM_:
		return str_i64(value, INT64_MIN, INT64_MAX, at)
		    ? NULL
		    : "a number was expected";
	case BOOL_:
		return set_bool(value, at) ? NULL : "yes or no was expected";
	default:
		return list_add(at, value);
	}
}

static bool
section_known(struct str name)
{
	for (size_t i = 0; i < SETTINGS; i++)
		if (str_is(name, settings[i].section))
			return true;
	return false;
}

static const struct setting *
setting_find(const char *section, const char *name)
{
	for (size_t i = 0; i < SETTINGS; i++)
		if (strcmp(settings[i].section, section) == 0 &&
		    strcmp(settings[i].name, name) == 0)
			return &settings[i];
	return NULL;
}

static int
on_value(void *user, const char *section, const char *name, const char *value)
{
	struct reader *r = user;
	const struct setting *s = setting_find(section, name);
	const char *wrong;
	struct str copy;
	bool *given;

	if (r->failed)
		return 0;
	if (s == NULL)
		return refuse(r, section, name, "no such setting");
	given = &r->given[s - settings];
	if (*given && s->type != LIST_)
		return refuse(r, section, name, "given twice");
	if (!*given && s->type == LIST_)
		((struct config_list *)(void *)((char *)r->out + s->at))->n = 0;
	*given = true;
	copy = arena_dup(r->arena, str_c(value));
	if (copy.p == NULL)
		return refuse(r, section, name, "out of memory");
	wrong = value_set(r->out, s, copy);
	return wrong == NULL || refuse(r, section, name, wrong);
}

static bool
printable(struct str line)
{
	while (line.n > 0) {
		uint32_t c = utf8_next(&line);

		if (c == UTF8_BAD || (c < 0x20 && c != '\t') ||
		    (c >= 0x7f && c <= 0x9f) || c == 0xfeff)
			return false;
	}
	return true;
}

/* "[section]", maybe with a comment behind it. */
static bool
section_check(struct reader *r, struct str line)
{
	struct str name, after;

	if (!str_cut(str_skip(line, 1), ']', &name, &after))
		return refuse(r, "", "", "']' was expected");
	after = str_trim(after);
	if (after.n > 0 && after.p[0] != ';' && after.p[0] != '#')
		return refuse(r, "", "", "text behind a section name");
	return section_known(name) || refuse(r, "", "", "no such section");
}

static bool
line_check(struct reader *r, struct str line)
{
	if (!printable(line))
		return refuse(r, "", "", "not printable UTF-8");
	if (line.n > LINE_MAX_)
		return refuse(r, "", "", "the line is too long");
	if (str_trim(line).n == 0)
		return true;
	if (line.p[0] == ' ' || line.p[0] == '\t')
		return refuse(r, "", "", "the line is indented");
	if (line.p[0] == '[')
		return section_check(r, line);
	return true;
}

/* An ini_reader: like fgets. */
static char *
next_line(char *to, int size, void *user)
{
	struct reader *r = user;
	struct str line;

	if (r->failed || r->left.n == 0)
		return NULL;
	str_cut(r->left, '\n', &line, &r->left);
	r->line++;
	if (!line_check(r, line))
		return NULL;
	if (size < 2 || line.n > (size_t)size - 2) {
		refuse(r, "", "", "the line is too long");
		return NULL;
	}
	if (line.n > 0)
		memcpy(to, line.p, line.n);
	to[line.n] = '\n';
	to[line.n + 1] = '\0';
	return to;
}

void
config_defaults(struct arena *a, struct config *ret)
{
	(void)a;
	*ret = (struct config){0};
	for (size_t i = 0; i < SETTINGS; i++) {
		struct str def = str_c(settings[i].def);

		if (settings[i].type != LIST_ || def.n > 0)
			BUG_ON(value_set(ret, &settings[i], def) != NULL);
	}
}

err
config_parse(struct arena *a, struct str text, struct trail *t,
    struct config *ret)
{
	struct config c;
	struct reader r = {.arena = a, .left = text, .trail = t, .out = &c};
	int bad;

	if (text.n > LIM_CONFIG) {
		trail_set(t, "the file is larger than %d bytes", LIM_CONFIG);
		return err_of(E_CONFIG);
	}
	config_defaults(a, &c);
	bad = ini_parse_stream(next_line, &r, on_value, &r);
	TRY(arena_check(a));
	if (bad != 0)
		trail_set(t, "line %d: name = value was expected", bad);
	if (bad != 0 || r.failed)
		return err_of(E_CONFIG);
	*ret = c;
	return OK;
}

void
config_template(struct buf *b)
{
	static const char *const kind[] = {"text", "number", "yes or no",
	    "list: one line for each"};

	buf_c(b,
	    "# redoubt.conf: every setting with its default.\n"
	    "# Take the # off a line to change what it sets.\n");
	for (size_t i = 0; i < SETTINGS; i++) {
		const struct setting *s = &settings[i];

		if (i == 0 || strcmp(s->section, s[-1].section) != 0)
			buf_fmt(b, "\n[%s]\n", s->section);
		buf_fmt(b, "# %s (%s)\n", s->meaning, kind[s->type]);
		buf_fmt(b, "#%s = %s\n", s->name, s->def);
	}
}
