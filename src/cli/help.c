#include "cli/help.h"

#include "base/json.h"

enum { WIDTH = 79, NAMES = 24, INDENT = 2 };

bool
in_group(const struct row *command, const char *group)
{
	struct str first, rest;
	bool two = str_cut(str_c(command->name), ' ', &first, &rest);

	return group == NULL ? !two : two && str_is(first, group);
}

/* Words of text, wrapped; the line is at column `at` already. */
static void
wrap(struct buf *b, struct str text, size_t at, size_t indent)
{
	size_t column = at;
	bool more = true;

	while (more) {
		struct str word;

		more = str_cut(text, ' ', &word, &text);
		if (column > indent && column + 1 + word.n > WIDTH) {
			buf_char(b, '\n');
			for (column = 0; column < indent; column++)
				buf_char(b, ' ');
		} else if (column > indent || column > at) {
			buf_char(b, ' ');
			column++;
		}
		buf_str(b, word);
		column += word.n;
	}
	buf_char(b, '\n');
}

/* A name, and its explanation in a column of its own. */
static void
entry(struct buf *b, struct str name, const char *help)
{
	size_t column = INDENT + name.n;

	buf_c(b, "  ");
	buf_str(b, name);
	if (column + 2 > NAMES) {
		buf_char(b, '\n');
		column = 0;
	}
	for (; column < NAMES; column++)
		buf_char(b, ' ');
	wrap(b, str_c(help), NAMES, NAMES);
}

/* --name META, or what an argument is called. */
static void
row_name(struct buf *b, const struct row *r)
{
	if (r->kind == ROW_ARG) {
		buf_c(b, r->name);
		return;
	}
	buf_c(b, "--");
	buf_c(b, r->name);
	if (r->type != TYPE_SWITCH) {
		buf_char(b, ' ');
		buf_c(b, r->meta);
	}
}

void
help_piece(struct buf *b, const struct row *r)
{
	bool maybe = !r->needed;

	if (maybe)
		buf_char(b, '[');
	row_name(b, r);
	if (maybe)
		buf_char(b, ']');
	if (r->many)
		buf_c(b, "...");
}

static void
entries(struct buf *b, const struct row *command, enum row_kind kind,
    const char *title)
{
	bool begun = false;
	struct buf name;

	buf_init(&name, 256);
	for (const struct row *r = command + 1; row_of_command(r); r++) {
		if (r->kind != kind)
			continue;
		if (!begun)
			buf_c(b, title);
		begun = true;
		buf_clear(&name);
		row_name(&name, r);
		entry(b, buf_view(&name), r->help);
	}
	buf_done(&name);
}

static void
globals(struct buf *b, const struct row *command)
{
	struct buf name;

	buf_c(b, "\nEverywhere:\n");
	buf_init(&name, 256);
	for (const struct row *r = cli_rows; r->kind != ROW_END; r++) {
		if (r->kind != ROW_GLOBAL || flag_hidden(command, r))
			continue;
		buf_clear(&name);
		row_name(&name, r);
		entry(b, buf_view(&name), r->help);
	}
	buf_done(&name);
}

static void
usage(struct buf *b, const struct row *command)
{
	size_t column = b->n;

	buf_c(b, "usage: redoubt ");
	buf_c(b, command->name);
	column = b->n - column;
	for (const struct row *r = command + 1; row_of_command(r); r++) {
		char room[128];
		struct buf piece = {.p = room,
		    .cap = sizeof room,
		    .max = sizeof room};

		if (r->kind != ROW_ARG && r->kind != ROW_FLAG)
			continue;
		help_piece(&piece, r);
		if (column + 1 + piece.n > WIDTH) {
			buf_c(b, "\n      ");
			column = 6;
		}
		buf_char(b, ' ');
		buf_str(b, buf_view(&piece));
		column += 1 + piece.n;
	}
	buf_char(b, '\n');
}

void
help_command(struct buf *b, const struct row *command)
{
	usage(b, command);
	buf_char(b, '\n');
	wrap(b, str_c(command->help), 0, 0);
	for (const struct row *r = command + 1; row_of_command(r); r++)
		if (r->kind == ROW_TEXT)
			wrap(b, str_c(r->help), 0, 0);
	entries(b, command, ROW_ARG, "\nArguments:\n");
	entries(b, command, ROW_FLAG, "\nFlags:\n");
	globals(b, command);
	for (const struct row *r = command + 1; row_of_command(r); r++) {
		if (r->kind != ROW_EXAMPLE)
			continue;
		buf_c(b, "\nExample: ");
		buf_c(b, r->help);
		buf_c(b, "\n  redoubt ");
		buf_c(b, r->name);
		buf_char(b, '\n');
	}
}

void
help_group(struct buf *b, const char *group)
{
	const struct row *r = cli_rows;

	while (r->kind != ROW_GROUP || strcmp(r->name, group) != 0)
		r++;
	buf_c(b, "usage: redoubt ");
	buf_c(b, group);
	buf_c(b, " COMMAND\n\n");
	wrap(b, str_c(r->help), 0, 0);
	buf_c(b, "\nCommands:\n");
	for (; r->kind != ROW_END; r++)
		if (r->kind == ROW_COMMAND && in_group(r, group))
			entry(b, str_c(r->name), r->help);
}

void
help_all(struct buf *b)
{
	const struct row *r;
	enum exit_code code;
	const char *meaning;

	buf_c(b, "usage: redoubt [FLAG...] COMMAND [ARGUMENT | FLAG]...\n");
	for (r = cli_rows; r->kind != ROW_END; r++) {
		if (r->kind == ROW_SECTION) {
			buf_char(b, '\n');
			buf_c(b, r->name);
			buf_c(b, ":\n");
		}
		if (r->kind == ROW_GROUP ||
		    (r->kind == ROW_COMMAND && in_group(r, NULL)))
			entry(b, str_c(r->name), r->help);
	}
	globals(b, NULL);
	buf_c(b, "\nEnvironment:\n");
	for (r = cli_rows; r->kind != ROW_END; r++)
		if (r->kind == ROW_ENVIRONMENT)
			entry(b, str_c(r->name), r->help);
	buf_c(b, "\nExit status:\n");
	for (size_t i = 0; exit_row(i, &code, &meaning); i++) {
		char digit = (char)('0' + (int)code);

		entry(b, str_of(&digit, 1), meaning);
	}
	buf_c(b, "\nredoubt COMMAND --help explains a command.\n");
}

/* ---- JSON ---- */

static void
row_json(struct jw *w, const struct row *r)
{
	jw_obj(w);
	jw_kstr(w, "name", str_c(r->name));
	jw_kbool(w, "required", r->needed);
	jw_kbool(w, "repeated", r->many);
	if (r->kind == ROW_FLAG)
		jw_kbool(w, "value", r->type != TYPE_SWITCH);
	jw_kstr(w, "help", str_c(r->help));
	jw_obj_end(w);
}

static void
rows_json(struct jw *w, const struct row *command, enum row_kind kind)
{
	jw_arr(w);
	for (const struct row *r = command + 1; row_of_command(r); r++)
		if (r->kind == kind)
			row_json(w, r);
	jw_arr_end(w);
}

void
help_json(struct buf *b)
{
	struct jw w;

	jw_init(&w, b);
	jw_obj(&w);
	jw_karr(&w, "commands");
	for (const struct row *r = cli_rows; r->kind != ROW_END; r++) {
		if (r->kind != ROW_COMMAND)
			continue;
		jw_obj(&w);
		jw_kstr(&w, "name", str_c(r->name));
		jw_kstr(&w, "help", str_c(r->help));
		if (r->route != CLI_ROUTE_none) {
			jw_kstr(&w, "method", str_c(route_method(r->route)));
			jw_kstr(&w, "path", str_c(route_path(r->route)));
		}
		jw_name(&w, STR("arguments"));
		rows_json(&w, r, ROW_ARG);
		jw_name(&w, STR("flags"));
		rows_json(&w, r, ROW_FLAG);
		jw_obj_end(&w);
	}
	jw_arr_end(&w);
	jw_obj_end(&w);
	buf_char(b, '\n');
}
