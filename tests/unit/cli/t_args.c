/* Arguments against the command table. */
#include "cli/args.h"
#include "tests/t.h"

static struct arena arena;
static struct trail trail;
static struct args args;

#define PARSE(...)                                                             \
	parse((const char *const[]){__VA_ARGS__},                              \
	    sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static err
parse(const char *const *argv, size_t n)
{
	arena_done(&arena);
	arena_init(&arena, (size_t)4 * 1024 * 1024);
	trail = (struct trail){0};
	return args_parse(&arena, argv, n, &trail, &args);
}

static bool
says(const char *what)
{
	return strstr(trail.detail, what) != NULL;
}

TEST(command_flags_and_arguments)
{
	T_GOOD(PARSE("incident", "move", "INC-7", "resolved", "--note", "ok"));
	T_REQUIRE(args.command != NULL);
	T_OK(strcmp(args.command->name, "incident move") == 0);
	T_EQ_STR(args_get(&args, "ID"), STR("INC-7"));
	T_EQ_STR(args_get(&args, "STATUS"), STR("resolved"));
	T_EQ_STR(args_get(&args, "note"), STR("ok"));
	T_OK(!args_has(&args, "project"));
}

TEST(equals_form_and_empty_value)
{
	T_GOOD(PARSE("incident", "update", "1", "--commander=", "--title=a=b"));
	T_OK(args_has(&args, "commander"));
	T_EQ_INT(args_get(&args, "commander").n, 0);
	T_EQ_STR(args_get(&args, "title"), STR("a=b"));
}

TEST(global_flags_stand_anywhere)
{
	T_GOOD(PARSE("--json", "--project", "shop", "incident", "list"));
	T_OK(args_has(&args, "json"));
	T_EQ_STR(args_get(&args, "project"), STR("shop"));
	T_GOOD(PARSE("incident", "--json", "list", "--project=x"));
	T_OK(strcmp(args.command->name, "incident list") == 0);
	T_GOOD(PARSE("incident", "list", "--json"));
	T_OK(args_has(&args, "json"));
}

/* A value that looks like a command word is still a value. */
TEST(value_of_a_global_flag_is_no_command)
{
	T_GOOD(PARSE("--project", "incident", "alert", "list"));
	T_OK(strcmp(args.command->name, "alert list") == 0);
}

TEST(two_dashes_end_flags)
{
	T_GOOD(PARSE("incident", "note", "1", "--", "--not-a-flag"));
	T_EQ_STR(args_get(&args, "TEXT"), STR("--not-a-flag"));
}

TEST(a_dash_is_a_value)
{
	T_GOOD(PARSE("incident", "note", "1", "-"));
	T_EQ_STR(args_get(&args, "TEXT"), STR("-"));
}

TEST(wrong_usage)
{
	T_ERR(PARSE("incident"), E_USAGE);
	T_OK(says("missing behind: incident"));
	T_ERR(PARSE("incident", "lst"), E_USAGE);
	T_OK(says("did you mean incident list?"));
	T_ERR(PARSE("incidnt"), E_USAGE);
	T_OK(says("did you mean incident?"));
	T_ERR(PARSE("incident", "list", "--statos", "new"), E_USAGE);
	T_OK(says("did you mean --status?"));
	T_ERR(PARSE("incident", "list", "--xyzzy"), E_USAGE);
	T_OK(says("unknown flag --"));
	T_ERR(PARSE("incident", "list", "-x"), E_USAGE);
	T_ERR(PARSE("incident", "show"), E_USAGE);
	T_OK(says("needs ID"));
	T_ERR(PARSE("incident", "show", "1", "2"), E_USAGE);
	T_OK(says("an argument too many: 2"));
	T_ERR(PARSE("incident", "list", "--status"), E_USAGE);
	T_OK(says("--status needs a value"));
	T_ERR(PARSE("incident", "list", "--json=yes"), E_USAGE);
	T_OK(says("takes no value"));
	T_ERR(PARSE("incident", "list", "--q", "a", "--q", "b"), E_USAGE);
	T_OK(says("given twice"));
	T_ERR(PARSE("init"), E_USAGE);
	T_OK(says("needs --data"));
	/* A flag of another command is not one of this command. */
	T_ERR(PARSE("incident", "show", "1", "--scopes", "a"), E_USAGE);
}

TEST(repeated_flags)
{
	size_t n = 0;

	T_GOOD(PARSE("serve", "--data", "d", "--listen", "a:1", "--listen",
	    "b:2"));
	for (size_t i = 0; i < args.n; i++)
		n += strcmp(args.v[i].row->name, "listen") == 0;
	T_EQ_INT(n, 2);
}

TEST(nothing_at_all)
{
	T_GOOD(PARSE("--json"));
	T_OK(args.command == NULL);
}

TEST(help_needs_no_arguments)
{
	T_GOOD(PARSE("incident", "move", "--help"));
	T_OK(args_has(&args, "help"));
	T_GOOD(PARSE("incident", "move", "-h"));
	T_OK(args_has(&args, "help"));
	T_GOOD(PARSE("incident", "--help"));
	T_OK(args.group != NULL && strcmp(args.group, "incident") == 0);
	T_GOOD(PARSE("help", "incident", "move"));
	T_OK(strcmp(args.command->name, "help") == 0);
}

/* --project of `binding create` is a member of its body. */
TEST(a_flag_of_the_command_hides_the_global_one)
{
	const struct row *own;

	T_GOOD(PARSE("binding", "create", "user:1", "viewer", "--project",
	    "shop"));
	own = flag_find(args.command, STR("project"));
	T_EQ_INT(own->kind, ROW_FLAG);
	T_EQ_STR(args_row(&args, own), STR("shop"));
	T_EQ_INT(args_row(&args, flag_find(NULL, STR("project"))).n, 0);
}

#define SECRET "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijkl"

TEST(tokens_in_arguments_are_refused)
{
	T_ERR(PARSE("incident", "note", "1", "rdp_" SECRET), E_USAGE);
	T_OK(says("can be read by every user"));
	T_OK(!says("0123456789"));
	T_ERR(PARSE("--project=xrds_" SECRET, "whoami"), E_USAGE);
	T_ERR(PARSE("whoami", "--", "rdb_" SECRET "more"), E_USAGE);
	/* but for a join token in its place, as the contract has it */
	T_GOOD(PARSE("delegate", "enroll", "--dir", "d", "--url", "u",
	    "--join-token", "rdd_" SECRET));
	T_GOOD(PARSE("delegate", "enroll", "--dir", "d", "--url", "u",
	    "--join-token=rdd_" SECRET));
	T_ERR(PARSE("delegate", "enroll", "--dir", "d", "--url", "u",
		  "--join-token", "rdp_" SECRET),
	    E_USAGE);
	T_ERR(PARSE("delegate", "enroll", "--dir", "rdd_" SECRET, "--url", "u"),
	    E_USAGE);
	T_OK(!looks_like_token(STR("rdp_short")));
	T_OK(!looks_like_token(STR("rdp-" SECRET)));
	T_OK(looks_like_token(STR("rdw_" SECRET)));
}

TEST(arguments_are_utf8)
{
	T_ERR(PARSE("incident", "create", "\xff"), E_USAGE);
	T_GOOD(PARSE("incident", "create", "\xc3\xa4"));
}

T_MAIN
