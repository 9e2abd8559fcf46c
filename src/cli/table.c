#include "cli/table.h"

/* Words for completions; the trailing space does no harm. */
static const char permission_words[] =
#define PERM(name, text, scope, meaning) text " "
#include "access/permissions.def"
#undef PERM
    "";
static const char role_words[] =
#define ROLE(name, ...) #name " "
#include "access/roles.def"
#undef ROLE
    "";

#define PERMISSIONS permission_words
#define ROLE_NAMES role_words
#define MANY_ONE false
#define MANY_MAYBE false
#define MANY_MANY true
#define NEEDED_ONE true
#define NEEDED_MAYBE false
#define NEEDED_MANY false

#define SECTION(title) {.kind = ROW_SECTION, .name = (title), .help = ""},
#define GROUP(n, h) {.kind = ROW_GROUP, .name = (n), .help = (h)},
#define COMMAND(n, function, r, v, h)                                          \
	{.kind = ROW_COMMAND,                                                  \
	    .name = (n),                                                       \
	    .help = (h),                                                       \
	    .run = cmd_##function,                                             \
	    .route = CLI_ROUTE_##r,                                            \
	    .view = VIEW_##v},
#define TEXT(paragraph) {.kind = ROW_TEXT, .name = "", .help = (paragraph)},
#define ARG(m, presence, p, b, t, v, h)                                        \
	{.kind = ROW_ARG,                                                      \
	    .name = (m),                                                       \
	    .help = (h),                                                       \
	    .type = TYPE_##t,                                                  \
	    .place = IN_##p,                                                   \
	    .member = (b),                                                     \
	    .meta = (m),                                                       \
	    .values = (v),                                                     \
	    .needed = NEEDED_##presence,                                       \
	    .many = MANY_##presence},
#define FLAG_(n, p, b, t, m, v, h, need)                                       \
	{.kind = ROW_FLAG,                                                     \
	    .name = (n),                                                       \
	    .help = (h),                                                       \
	    .type = TYPE_##t,                                                  \
	    .place = IN_##p,                                                   \
	    .member = (b),                                                     \
	    .meta = (m),                                                       \
	    .values = (v),                                                     \
	    .needed = (need),                                                  \
	    .many = TYPE_##t == TYPE_PAIR || TYPE_##t == TYPE_REPEAT},
#define FLAG(n, p, b, t, m, v, h) FLAG_(n, p, b, t, m, v, h, false)
#define NEED(n, p, b, t, m, v, h) FLAG_(n, p, b, t, m, v, h, true)
#define EXAMPLE(a, m) {.kind = ROW_EXAMPLE, .name = (a), .help = (m)},
#define GLOBAL(n, t, m, h)                                                     \
	{.kind = ROW_GLOBAL,                                                   \
	    .name = (n),                                                       \
	    .help = (h),                                                       \
	    .type = TYPE_##t,                                                  \
	    .place = IN_NOWHERE,                                               \
	    .member = "",                                                      \
	    .meta = (m),                                                       \
	    .values = ""},
#define ENVIRONMENT(n, h) {.kind = ROW_ENVIRONMENT, .name = (n), .help = (h)},

const struct row cli_rows[] = {
#include "cli/commands.def"
    {.kind = ROW_END}};

static const struct {
	const char *name, *method, *path, *schema;
} route_rows[] = {
    {"none", "", "", "NONE"},
#define ROUTE(id, method, path, auth, perm, lane, audit, schema, ...)          \
	{#id, #method, path, #schema},
#include "flow/routes.def"
#undef ROUTE
};

const char *
route_name(enum cli_route r)
{
	return route_rows[r].name;
}

const char *
route_method(enum cli_route r)
{
	return route_rows[r].method;
}

const char *
route_path(enum cli_route r)
{
	return route_rows[r].path;
}

bool
route_in_project(enum cli_route r)
{
	return strstr(route_path(r), "{p}") != NULL;
}

bool
route_has_body(enum cli_route r)
{
	return strcmp(route_rows[r].schema, "NONE") != 0;
}

bool
row_of_command(const struct row *r)
{
	return r->kind == ROW_TEXT || r->kind == ROW_ARG ||
	    r->kind == ROW_FLAG || r->kind == ROW_EXAMPLE;
}

const struct row *
command_named(struct str words)
{
	for (const struct row *r = cli_rows; r->kind != ROW_END; r++)
		if (r->kind == ROW_COMMAND && str_is(words, r->name))
			return r;
	return NULL;
}

/* How many of the given words the name consists of; 0 when it differs. */
static size_t
words_match(struct str name, const struct str *words, size_t n)
{
	size_t i = 0;
	bool more = true;

	while (more) {
		struct str word;

		more = str_cut(name, ' ', &word, &name);
		if (i == n || !str_eq(word, words[i]))
			return 0;
		i++;
	}
	return i;
}

const struct row *
command_find(const struct str *words, size_t n, size_t *ret_used)
{
	const struct row *best = NULL;

	*ret_used = 0;
	for (const struct row *r = cli_rows; r->kind != ROW_END; r++) {
		size_t used;

		if (r->kind != ROW_COMMAND)
			continue;
		used = words_match(str_c(r->name), words, n);
		if (used > *ret_used) {
			*ret_used = used;
			best = r;
		}
	}
	return best;
}

bool
is_group(struct str words)
{
	for (const struct row *r = cli_rows; r->kind != ROW_END; r++)
		if (r->kind == ROW_GROUP && str_is(words, r->name))
			return true;
	return false;
}

const struct row *
flag_find(const struct row *command, struct str name)
{
	const struct row *r;

	if (command != NULL)
		for (r = command + 1; row_of_command(r); r++)
			if (r->kind == ROW_FLAG && str_is(name, r->name))
				return r;
	for (r = cli_rows; r->kind != ROW_END; r++)
		if (r->kind == ROW_GLOBAL && str_is(name, r->name))
			return r;
	return NULL;
}

bool
flag_hidden(const struct row *command, const struct row *global)
{
	return flag_find(command, str_c(global->name)) != global;
}

int
exit_of_status(int status)
{
	static const struct {
		int first, last;
		enum exit_code code;
	} rows[] = {
#define STATUS(first, last, name) {first, last, name},
#include "cli/exits.def"
#undef STATUS
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (status >= rows[i].first && status <= rows[i].last)
			return (int)rows[i].code;
	return EXIT_FAILED;
}

bool
exit_row(size_t i, enum exit_code *ret, const char **ret_meaning)
{
	static const struct {
		enum exit_code code;
		const char *meaning;
	} rows[] = {
#define EXIT(name, code, meaning) {name, meaning},
#include "cli/exits.def"
#undef EXIT
	};

	if (i >= sizeof rows / sizeof rows[0])
		return false;
	*ret = rows[i].code;
	*ret_meaning = rows[i].meaning;
	return true;
}
