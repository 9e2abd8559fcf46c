#include "base/ini.h"

#include <ini.h>

#include "base/utf8.h"

enum { LINE_MAX_ = 190 }; /* ini_max_line is 200 in Debian's library */

struct reader {
	const struct ini_hooks *hooks;
	struct str left; /* lines not yet given to inih */
	unsigned line;	 /* number of the one it has */
	struct trail *trail;
	bool failed;
};

static bool
refuse(struct reader *r, const char *what)
{
	trail_set(r->trail, "line %u: %s", r->line, what);
	r->failed = true;
	return false;
}

static int
on_value(void *user, const char *section, const char *name, const char *value)
{
	struct reader *r = user;
	const char *wrong;

	if (r->failed)
		return 0;
	wrong = r->hooks->value(r->hooks->ctx, section, name, value);
	if (wrong == NULL)
		return 1;
	trail_set(r->trail, "line %u: %s.%s: %s", r->line, section, name,
	    wrong);
	r->failed = true;
	return 0;
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
	const char *wrong;

	if (!str_cut(str_skip(line, 1), ']', &name, &after))
		return refuse(r, "']' was expected");
	after = str_trim(after);
	if (after.n > 0 && after.p[0] != ';' && after.p[0] != '#')
		return refuse(r, "text behind a section name");
	wrong = r->hooks->section(r->hooks->ctx, name);
	return wrong == NULL || refuse(r, wrong);
}

static bool
line_check(struct reader *r, struct str line)
{
	if (!printable(line))
		return refuse(r, "not printable UTF-8");
	if (line.n > LINE_MAX_)
		return refuse(r, "the line is too long");
	if (str_trim(line).n == 0)
		return true;
	if (line.p[0] == ' ' || line.p[0] == '\t')
		return refuse(r, "the line is indented");
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
		refuse(r, "the line is too long");
		return NULL;
	}
	if (line.n > 0)
		memcpy(to, line.p, line.n);
	to[line.n] = '\n';
	to[line.n + 1] = '\0';
	return to;
}

err
ini_read(struct str text, const struct ini_hooks *h, struct trail *t)
{
	struct reader r = {.hooks = h, .left = text, .trail = t};
	int bad = ini_parse_stream(next_line, &r, on_value, &r);

	if (bad != 0)
		trail_set(t, "line %d: name = value was expected", bad);
	return err_of(bad != 0 || r.failed ? E_CONFIG : E_OK);
}
