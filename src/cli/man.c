/* The manual page, in mdoc(7); `mandoc -T lint` has nothing to say. */
#include "cli/help.h"

enum { WIDTH = 76 };

/* Text for mdoc: a backslash would begin an escape, a dot or quote at the
 * start of a line a request. */
static void
text(struct buf *b, const char *s)
{
	for (const char *c = s; *c != '\0'; c++) {
		if (*c == '\\')
			buf_c(b, "\\e");
		else if (*c == '-' && (c == s || c[-1] == ' ' || c[-1] == '-'))
			buf_c(b, "\\-");
		else if (c == s && (*c == '.' || *c == '\''))
			buf_fmt(b, "\\&%c", *c);
		else
			buf_char(b, *c);
	}
}

/* One quoted argument of a macro: words stay together. */
static void
quoted(struct buf *b, const char *s)
{
	buf_c(b, " \"");
	for (; *s != '\0'; s++) {
		if (*s == '"')
			buf_c(b, "\\(dq");
		else if (*s == '\\')
			buf_c(b, "\\e");
		else
			buf_char(b, *s);
	}
	buf_char(b, '"');
}

/* Words, wrapped; each line is one of text, whatever it begins with. */
static void
words(struct buf *b, struct str s)
{
	size_t column = 0;
	bool more = true;

	while (more) {
		struct str word;
		char room[128];

		more = str_cut(s, ' ', &word, &s);
		if (word.n >= sizeof room) {
			b->failed = true;
			return;
		}
		memcpy(room, word.p, word.n);
		room[word.n] = '\0';
		if (column > 0) {
			bool fits = column + word.n < WIDTH;

			buf_char(b, fits ? ' ' : '\n');
			column = fits ? column + 1 : 0;
		}
		text(b, room);
		column += word.n;
	}
}

/* Each sentence ends its line, as mdoc wants it. */
static void
sentences(struct buf *b, struct str s)
{
	while (s.n > 0) {
		size_t n = 0;

		while (n < s.n &&
		    (s.p[n] != '.' || (n + 1 < s.n && s.p[n + 1] != ' ')))
			n++;
		words(b, str_head(s, n));
		buf_c(b, ".\n");
		s = str_trim(str_skip(s, n + 1));
	}
}

static void
capital(struct buf *b, const char *s)
{
	char line[1024];
	size_t n = strlen(s);

	if (n >= sizeof line) {
		b->failed = true;
		return;
	}
	memcpy(line, s, n + 1);
	if (line[0] >= 'a' && line[0] <= 'z')
		line[0] = (char)(line[0] - 'a' + 'A');
	sentences(b, str_of(line, n));
}

static void
flag(struct buf *b, const struct row *r)
{
	buf_c(b, ".It Fl -");
	buf_c(b, r->name);
	if (r->type != TYPE_SWITCH) {
		buf_c(b, " Ar");
		quoted(b, r->meta);
	}
	buf_char(b, '\n');
	capital(b, r->help);
}

static void
synopsis(struct buf *b, const struct row *r)
{
	if (r->kind == ROW_ARG) {
		buf_c(b, r->needed ? ".Ar" : ".Op Ar");
		quoted(b, r->name);
		buf_c(b, r->many ? " ...\n" : "\n");
		return;
	}
	buf_c(b, r->needed ? ".Fl -" : ".Op Fl -");
	buf_c(b, r->name);
	if (r->type != TYPE_SWITCH) {
		buf_c(b, " Ar");
		quoted(b, r->meta);
	}
	buf_c(b, "\n");
}

static void
command(struct buf *b, const struct row *cmd)
{
	const struct row *r;
	bool list = false;

	buf_c(b, ".It Xo\n.Nm redoubt Cm");
	quoted(b, cmd->name);
	buf_char(b, '\n');
	for (r = cmd + 1; row_of_command(r); r++)
		if (r->kind == ROW_ARG || r->kind == ROW_FLAG)
			synopsis(b, r);
	buf_c(b, ".Xc\n");
	capital(b, cmd->help);
	for (r = cmd + 1; row_of_command(r); r++)
		if (r->kind == ROW_TEXT)
			sentences(b, str_c(r->help));
	for (r = cmd + 1; row_of_command(r); r++) {
		if (r->kind != ROW_ARG && r->kind != ROW_FLAG)
			continue;
		if (!list)
			buf_c(b, ".Bl -tag -width Ds -compact\n");
		list = true;
		if (r->kind == ROW_FLAG) {
			flag(b, r);
			continue;
		}
		buf_c(b, ".It Ar");
		quoted(b, r->name);
		buf_char(b, '\n');
		capital(b, r->help);
	}
	if (list)
		buf_c(b, ".El\n");
}

static void
commands(struct buf *b)
{
	bool open = false;

	buf_c(b, ".Sh COMMANDS\n");
	for (const struct row *r = cli_rows; r->kind != ROW_END; r++) {
		if (r->kind == ROW_SECTION) {
			if (open)
				buf_c(b, ".El\n");
			open = false;
			buf_c(b, ".Ss ");
			text(b, r->name);
			buf_char(b, '\n');
		}
		if (r->kind != ROW_COMMAND)
			continue;
		if (!open)
			buf_c(b, ".Bl -tag -width Ds\n");
		open = true;
		command(b, r);
	}
	if (open)
		buf_c(b, ".El\n");
}

static void
environment(struct buf *b)
{
	buf_c(b, ".Sh ENVIRONMENT\n.Bl -tag -width REDOUBT_PROJECT\n");
	for (const struct row *r = cli_rows; r->kind != ROW_END; r++) {
		if (r->kind != ROW_ENVIRONMENT)
			continue;
		buf_fmt(b, ".It Ev %s\n", r->name);
		capital(b, r->help);
	}
	buf_c(b,
	    ".El\n.Sh FILES\n.Bl -tag -width Ds\n"
	    ".It Pa ~/.config/redoubt/login.json\n"
	    "What\n.Cm login\nremembers: "
	    "readable by its owner only, or not used.\n.El\n");
}

static void
exits(struct buf *b)
{
	enum exit_code code;
	const char *meaning;

	buf_c(b, ".Sh EXIT STATUS\n.Bl -tag -width Ds\n");
	for (size_t i = 0; exit_row(i, &code, &meaning); i++) {
		buf_fmt(b, ".It %d\n", (int)code);
		capital(b, meaning);
	}
	buf_c(b, ".El\n");
}

static void
examples(struct buf *b)
{
	buf_c(b, ".Sh EXAMPLES\n");
	for (const struct row *r = cli_rows; r->kind != ROW_END; r++) {
		if (r->kind != ROW_EXAMPLE)
			continue;
		capital(b, r->help);
		buf_c(b, ".Dl redoubt ");
		text(b, r->name);
		buf_c(b, "\n");
	}
}

void
help_man(struct buf *b)
{
	buf_c(b,
	    ".\\\" Made from src/cli/commands.def by "
	    "redoubt help --man.\n"
	    ".Dd November 25, 2026\n.Dt REDOUBT 1\n.Os\n"
	    ".Sh NAME\n.Nm redoubt\n"
	    ".Nd incident response, self-hosted\n"
	    ".Sh SYNOPSIS\n.Nm\n.Op Ar flags\n.Ar command\n"
	    ".Op Ar arguments | flags\n"
	    ".Sh DESCRIPTION\n.Nm\n"
	    "is a server for incidents and alerts, and the command that "
	    "talks to it.\nFlags may stand anywhere; a value follows "
	    "its flag, or an equals sign;\ntwo dashes end them.\n"
	    ".Pp\nThese go with every command:\n"
	    ".Bl -tag -width Ds\n");
	for (const struct row *r = cli_rows; r->kind != ROW_END; r++)
		if (r->kind == ROW_GLOBAL)
			flag(b, r);
	buf_c(b, ".El\n");
	commands(b);
	environment(b);
	exits(b);
	examples(b);
}
