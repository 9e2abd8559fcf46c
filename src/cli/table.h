/*
 * table.h: commands.def, exits.def and the routes commands use, as tables.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include "base/err.h"
#include "base/str.h"

struct cli;

enum exit_code {
#define EXIT(name, code, meaning) name = (code),
#include "cli/exits.def"
#undef EXIT
};

enum view {
	VIEW_NONE,
#define VIEW(name) VIEW_##name,
#define COLUMN(member, heading, form)
#include "cli/views.def"
#undef VIEW
#undef COLUMN
};

/* Rows of flow/routes.def; 0 is the command that asks no server. */
enum cli_route {
	CLI_ROUTE_none,
#define ROUTE(id, ...) CLI_ROUTE_##id,
#include "flow/routes.def"
#undef ROUTE
	CLI_ROUTE_MAX_
};
const char *route_method(enum cli_route r);
const char *route_path(enum cli_route r);
const char *route_name(enum cli_route r);
bool route_in_project(enum cli_route r); /* has {p} */
bool route_has_body(enum cli_route r);

enum row_kind {
	ROW_SECTION,
	ROW_GROUP,
	ROW_COMMAND,
	ROW_TEXT,
	ROW_ARG,
	ROW_FLAG,
	ROW_EXAMPLE,
	ROW_GLOBAL,
	ROW_ENVIRONMENT,
	ROW_END,
};

enum place { IN_NOWHERE, IN_PATH, IN_QUERY, IN_BODY, IN_HEADER };

enum value_type {
	TYPE_SWITCH,
	TYPE_YESNO,
	TYPE_NUMBER,
	TYPE_WORD,
	TYPE_PROSE,
	TYPE_LIST,
	TYPE_INCIDENT,
	TYPE_PAIR,
	TYPE_AGO,
	TYPE_UNTIL,
	TYPE_JSON,
	TYPE_SUBJECT,
	TYPE_SUBJECTS,
	TYPE_SENDER,
	TYPE_PATHNAME,
	TYPE_REPEAT,
};

struct row {
	enum row_kind kind;
	const char *name; /* command words, flag name, argument's meta */
	const char *help;
	/* ROW_COMMAND */
	int (*run)(struct cli *c);
	enum cli_route route;
	enum view view;
	/* ROW_ARG, ROW_FLAG, ROW_GLOBAL */
	enum value_type type;
	enum place place;
	const char *member;
	const char *meta;
	const char *values;
	bool needed; /* an argument or flag that must be there */
	bool many;   /* takes all that follow, or may be repeated */
};

/* All rows in the order of the table, ended by one of kind ROW_END. */
extern const struct row cli_rows[];

/* The rows that belong to a command: for (r = cmd + 1; row_of_command(r)) */
bool row_of_command(const struct row *r);
/* The command of exactly these words; NULL when there is none. */
const struct row *command_named(struct str words);
/*
 * The command the first of `n` words name, the longest that fits; *ret_used
 * words of them.  NULL: none.
 */
const struct row *command_find(const struct str *words, size_t n,
    size_t *ret_used);
/* Is it the first word (or words) of some command, without being one? */
bool is_group(struct str words);
/* Flag `name` of the command or, failing that, of every command. */
const struct row *flag_find(const struct row *command, struct str name);
/* Does a flag of the command hide the global one of that name? */
bool flag_hidden(const struct row *command, const struct row *global);

/* Exit code of an HTTP status. */
int exit_of_status(int status);
/* Rows of exits.def: false past the end. */
bool exit_row(size_t i, enum exit_code *ret, const char **ret_meaning);

/* Every function of commands.def. */
#define SECTION(title)
#define GROUP(name, help)
#define COMMAND(name, function, route, view, help)                             \
	int cmd_##function(struct cli *c);
#define TEXT(paragraph)
#define ARG(meta, presence, place, member, type, values, help)
#define FLAG(name, place, member, type, meta, values, help)
#define NEED(name, place, member, type, meta, values, help)
#define EXAMPLE(arguments, meaning)
#define GLOBAL(name, type, meta, help)
#define ENVIRONMENT(name, help)
#include "cli/commands.def"
#undef SECTION
#undef GROUP
#undef COMMAND
#undef TEXT
#undef ARG
#undef FLAG
#undef NEED
#undef EXAMPLE
#undef GLOBAL
#undef ENVIRONMENT

#endif
