/*
 * The command table against itself and against the tables of the server:
 * routes.def, params.def, fields.def.  What the API takes the command line
 * can say, and the other way round.
 */
#include "base/buf.h"
#include "cli/help.h"
#include "tests/t.h"

static const struct route_row {
	const char *id, *method, *path, *auth, *lane, *schema, *set, *params;
} routes[] = {
    {"none", "", "", "", "", "NONE", "", ""},
#define ROUTE(id, method, path, auth, perm, lane, audit, schema, set, params,  \
    tier)                                                                      \
	{#id, #method, path, #auth, #lane, #schema, #set, #params},
#include "flow/routes.def"
#undef ROUTE
};

static const struct {
	const char *id, *text;
} params[] = {
#define PARAM(name, text, type) {#name, text},
#include "flow/params.def"
#undef PARAM
};

static const struct {
	const char *schema, *name, *set;
} fields[] = {
#define FIELD(schema, name, type, max, set, class, sensitive, meaning)         \
	{#schema, name, #set},
#include "flow/fields.def"
#undef FIELD
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define EACH_COMMAND(c)                                                        \
	for (const struct row *c = cli_rows; c->kind != ROW_END; c++)          \
		if (c->kind == ROW_COMMAND)

#define EACH_ROW(r, c)                                                         \
	for (const struct row *r = (c) + 1; row_of_command(r); r++)

/* Is `word` one of the words of a | b|c? */
static bool
has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = list; (at = strstr(at, word)) != NULL; at++) {
		bool begins = at == list || strchr(" |_", at[-1]) != NULL;

		if (begins && (at[n] == '\0' || strchr(" |", at[n]) != NULL))
			return true;
	}
	return false;
}

static bool
route_takes(const struct route_row *route, const char *param)
{
	for (size_t i = 0; i < COUNT(params); i++)
		if (strcmp(params[i].text, param) == 0) {
			char name[64];

			snprintf(name, sizeof name, "P_%s", params[i].id);
			return strstr(route->params, name) != NULL &&
			    has_word(route->params, params[i].id);
		}
	return false;
}

static const char *
field_set(const char *schema, const char *member)
{
	for (size_t i = 0; i < COUNT(fields); i++)
		if (strcmp(fields[i].schema, schema) == 0 &&
		    strcmp(fields[i].name, member) == 0)
			return fields[i].set;
	return NULL;
}

TEST(everything_is_explained)
{
	for (const struct row *r = cli_rows; r->kind != ROW_END; r++) {
		if (r->kind != ROW_SECTION && r->help[0] == '\0')
			T_FAIL("no help: %s", r->name);
		if ((r->kind == ROW_FLAG || r->kind == ROW_GLOBAL) &&
		    r->type != TYPE_SWITCH && r->meta[0] == '\0')
			T_FAIL("a flag without a name for its value: %s",
			    r->name);
	}
}

TEST(commands_and_flags_are_unique)
{
	EACH_COMMAND(c)
	{
		if (command_named(str_c(c->name)) != c)
			T_FAIL("two commands: %s", c->name);
		EACH_ROW(r, c)
		if (r->kind == ROW_FLAG && flag_find(c, str_c(r->name)) != r)
			T_FAIL("two flags: %s --%s", c->name, r->name);
	}
}

/* `backup` is one, and `backup verify`. */
static bool
is_command(struct str name)
{
	EACH_COMMAND(c)
	if (str_is(name, c->name))
		return true;
	return false;
}

TEST(groups_have_commands_and_commands_groups)
{
	for (const struct row *g = cli_rows; g->kind != ROW_END; g++) {
		size_t n = 0;

		if (g->kind != ROW_GROUP)
			continue;
		EACH_COMMAND(c)
		n += in_group(c, g->name);
		if (n == 0)
			T_FAIL("an empty group: %s", g->name);
	}
	EACH_COMMAND(c)
	{
		struct str group, rest;

		if (str_cut(str_c(c->name), ' ', &group, &rest) &&
		    !is_group(group) && !is_command(group))
			T_FAIL("a command without its group: %s", c->name);
	}
}

TEST(query_flags_are_parameters_of_the_route)
{
	EACH_COMMAND(c)
	EACH_ROW(r, c)
	if (r->place == IN_QUERY &&
	    (r->kind == ROW_FLAG || r->kind == ROW_ARG) &&
	    !route_takes(&routes[c->route], r->member))
		T_FAIL("%s --%s: the route takes no %s", c->name, r->name,
		    r->member);
}

/* Those that ask again and again say themselves what they want next. */
static bool
asks_itself(const struct row *c)
{
	static const char *const names[] = {"audit witness", "audit compare",
	    "audit tail"};

	for (size_t i = 0; i < COUNT(names); i++)
		if (strcmp(c->name, names[i]) == 0)
			return true;
	return false;
}

TEST(parameters_of_the_route_are_flags)
{
	EACH_COMMAND(c)
	for (size_t i = 0; i < COUNT(params); i++) {
		bool found = asks_itself(c);

		if (!route_takes(&routes[c->route], params[i].text))
			continue;
		EACH_ROW(r, c)
		found = found ||
		    (r->place == IN_QUERY &&
			strcmp(r->member, params[i].text) == 0);
		if (!found)
			T_FAIL("%s cannot say %s", c->name, params[i].text);
	}
}

/* The route a body goes to: `incident members` reads one, writes another. */
static const struct route_row *
body_route(const struct row *c)
{
	return c->route == CLI_ROUTE_members_get
	    ? &routes[CLI_ROUTE_members_put]
	    : &routes[c->route];
}

TEST(body_flags_are_members_one_may_set)
{
	EACH_COMMAND(c)
	EACH_ROW(r, c)
	{
		const struct route_row *route = body_route(c);
		struct str object, rest;
		const char *set;
		char name[64];

		if (r->place != IN_BODY)
			continue;
		(void)str_cut(str_c(r->member), '.', &object, &rest);
		snprintf(name, sizeof name, "%.*s", STR_ARG(object));
		set = field_set(route->schema, name);
		if (set == NULL || !has_word(set, route->set))
			T_FAIL("%s --%s: nobody may set %s.%s", c->name,
			    r->name, route->schema, name);
		else if (has_word(set, "R") && strcmp(route->set, "C") == 0 &&
		    !r->needed && strcmp(name, "members") != 0)
			T_FAIL("%s --%s: it must be given", c->name, r->name);
	}
}

/* What a command makes itself, of what it asked for. */
static bool
is_made(const char *schema, const char *name)
{
	return strcmp(schema, "PASSWORD") == 0 ||
	    (strncmp(schema, "SECRET", 6) == 0 &&
		(strcmp(name, "data") == 0 || strcmp(name, "boxes") == 0));
}

TEST(members_one_may_set_are_flags)
{
	EACH_COMMAND(c)
	for (size_t i = 0; i < COUNT(fields); i++) {
		const struct route_row *route = body_route(c);
		size_t n = strlen(fields[i].name);
		bool found = false;

		if (strcmp(fields[i].schema, route->schema) != 0 ||
		    !has_word(fields[i].set, route->set) ||
		    is_made(route->schema, fields[i].name))
			continue;
		EACH_ROW(r, c)
		found = found ||
		    (r->place == IN_BODY &&
			strncmp(r->member, fields[i].name, n) == 0 &&
			(r->member[n] == '\0' || r->member[n] == '.'));
		if (!found)
			T_FAIL("%s cannot set %s", c->name, fields[i].name);
	}
}

TEST(path_variables_are_arguments)
{
	EACH_COMMAND(c)
	{
		struct str form = str_c(route_path(c->route)), part, name;

		if (c->route == CLI_ROUTE_events)
			continue;
		while (str_cut(form, '{', &part, &form) &&
		    str_cut(form, '}', &name, &form)) {
			bool found = str_is(name, "p");

			EACH_ROW(r, c)
			found = found ||
			    (r->place == IN_PATH && str_is(name, r->member));
			if (!found)
				T_FAIL("%s: no argument for {%.*s}", c->name,
				    STR_ARG(name));
		}
	}
}

/* What people need no command for. */
static bool
is_silent(const struct route_row *r)
{
	static const char *const ids[] = {"none", "members_put", "audit_stream",
	    "metrics", "run_log_stream", "logout", "webauthn_challenge",
	    "webauthn_add", "secret_recipients", "audit_log_checkpoint",
	    "audit_log_tile", "audit_log_entries", "audit_cosign",
	    "preferences_get", "preferences_put", "people"};

	for (size_t i = 0; i < COUNT(ids); i++)
		if (strcmp(r->id, ids[i]) == 0)
			return true;
	/* SCIM is what provisioning programs speak. */
	if (strncmp(r->id, "scim_", 5) == 0)
		return true;
	return strcmp(r->auth, "API") != 0 && strcmp(r->auth, "FRESH") != 0;
}

TEST(every_route_has_a_command)
{
	for (size_t i = 0; i < COUNT(routes); i++) {
		bool found = false;

		EACH_COMMAND(c)
		found = found || (size_t)c->route == i;
		if (!found && !is_silent(&routes[i]))
			T_FAIL("no command for %s", routes[i].id);
	}
}

TEST(lists_have_views_and_pages)
{
	EACH_COMMAND(c)
	{
		bool pages = !asks_itself(c) &&
		    strstr(routes[c->route].params, "P_LIMIT") != NULL;

		if (pages && c->view == VIEW_NONE)
			T_FAIL("%s: a list without columns", c->name);
		if (pages && flag_find(c, STR("all")) == NULL)
			T_FAIL("%s: a list without --all", c->name);
	}
}

TEST(changes_take_etags_and_creations_keys)
{
	EACH_COMMAND(c)
	{
		const char *m = routes[c->route].method;

		if ((strcmp(m, "PATCH") == 0 || strcmp(m, "DELETE") == 0) &&
		    strchr(routes[c->route].path, '{') != NULL &&
		    flag_find(c, STR("etag")) == NULL)
			T_FAIL("%s: no --etag", c->name);
		if (strstr(c->name, " create") != NULL &&
		    flag_find(c, STR("idempotency-key")) == NULL)
			T_FAIL("%s: no --idempotency-key", c->name);
	}
}

/* ---- what is rendered from it ---- */

static bool
contains(const struct buf *b, const char *what)
{
	return memmem(b->p, b->n, what, strlen(what)) != NULL;
}

TEST(help_names_every_flag)
{
	struct buf b;

	buf_init(&b, (size_t)1024 * 1024);
	EACH_COMMAND(c)
	{
		buf_clear(&b);
		help_command(&b, c);
		T_OK(contains(&b, c->help) || strlen(c->help) > 70);
		EACH_ROW(r, c)
		{
			char name[80];

			snprintf(name, sizeof name, "%s%s",
			    r->kind == ROW_FLAG ? "--" : "", r->name);
			if ((r->kind == ROW_FLAG || r->kind == ROW_ARG) &&
			    !contains(&b, name))
				T_FAIL("%s --help hides %s", c->name, name);
		}
	}
	T_GOOD(buf_check(&b));
	buf_done(&b);
}

TEST(help_fits_the_line)
{
	struct buf b;
	struct str line, rest;

	buf_init(&b, (size_t)4 * 1024 * 1024);
	help_all(&b);
	EACH_COMMAND(c)
	{
		/* examples are copied whole */
		bool example = false;

		EACH_ROW(r, c)
		example = example || r->kind == ROW_EXAMPLE;
		if (!example)
			help_command(&b, c);
	}
	for (rest = buf_view(&b); rest.n > 0;) {
		(void)str_cut(rest, '\n', &line, &rest);
		if (line.n > 79)
			T_FAIL("too long: %.*s", STR_ARG(line));
	}
	buf_done(&b);
}

TEST(overview_man_page_and_completions_name_every_command)
{
	struct buf all, man, bash, zsh, fish;
	const size_t max = (size_t)1024 * 1024;

	buf_init(&all, max);
	buf_init(&man, max);
	buf_init(&bash, max);
	buf_init(&zsh, max);
	buf_init(&fish, max);
	help_all(&all);
	help_man(&man);
	T_OK(completion_script(&bash, STR("bash")));
	T_OK(completion_script(&zsh, STR("zsh")));
	T_OK(completion_script(&fish, STR("fish")));
	T_OK(!completion_script(&fish, STR("tcsh")));
	EACH_COMMAND(c)
	{
		char name[128];

		snprintf(name, sizeof name, "Cm \"%s\"", c->name);
		if (!contains(&man, name))
			T_FAIL("the man page hides %s", c->name);
		snprintf(name, sizeof name, "'%s')", c->name);
		if (!contains(&bash, name) || !contains(&zsh, name))
			T_FAIL("a completion hides %s", c->name);
		snprintf(name, sizeof name, "'%s'", c->name);
		if (!contains(&fish, name))
			T_FAIL("fish's completion hides %s", c->name);
		if (in_group(c, NULL) && !contains(&all, c->name))
			T_FAIL("the overview hides %s", c->name);
	}
	T_GOOD(buf_check(&man));
	T_GOOD(buf_check(&bash));
	buf_done(&all);
	buf_done(&man);
	buf_done(&bash);
	buf_done(&zsh);
	buf_done(&fish);
}

/* man/redoubt.1 is committed so that packages need not run the program. */
TEST(man_page_is_fresh)
{
	struct buf b;
	char *kept = malloc(1 << 20);
	FILE *f = fopen("man/redoubt.1", "r");
	size_t n;

	T_REQUIRE(f != NULL && kept != NULL);
	n = fread(kept, 1, 1 << 20, f);
	fclose(f);
	buf_init(&b, (size_t)1024 * 1024);
	help_man(&b);
	if (!str_eq(buf_view(&b), str_of(kept, n)))
		T_FAIL("stale: redoubt help --man >man/redoubt.1");
	buf_done(&b);
	free(kept);
}

TEST(exit_codes)
{
	static const struct {
		int status, code;
	} want[] = {{200, 0}, {201, 0}, {204, 0}, {401, 4}, {403, 4}, {404, 3},
	    {409, 5}, {412, 5}, {400, 6}, {405, 6}, {413, 6}, {415, 6},
	    {422, 6}, {431, 6}, {429, 7}, {503, 7}, {408, 7}, {502, 7},
	    {504, 7}, {500, 1}, {501, 1}, {302, 1}, {304, 1}, {600, 1}};

	for (size_t i = 0; i < COUNT(want); i++)
		T_EQ_INT(exit_of_status(want[i].status), want[i].code);
}

/* A problem's status and its exit agree with errors.def, but for what
 * errors.def says of errors of this machine. */
TEST(exit_codes_agree_with_errors_def)
{
	static const struct {
		const char *name;
		int status, code;
	} rows[] = {
#define ERR(name, code, status, exit_code, text) {#name, status, exit_code},
#include "base/errors.def"
#undef ERR
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		if (rows[i].status == 500 ||
		    strcmp(rows[i].name, "E_USAGE") == 0)
			continue;
		if (exit_of_status(rows[i].status) != rows[i].code)
			T_FAIL("%s: %d", rows[i].name, rows[i].code);
	}
}

TEST(exit_rows_are_documented)
{
	enum exit_code code;
	const char *meaning;
	size_t i = 0;

	for (; exit_row(i, &code, &meaning); i++) {
		T_EQ_INT(code, i);
		T_OK(meaning[0] != '\0');
	}
	T_EQ_INT(i, 9);
}

T_MAIN
