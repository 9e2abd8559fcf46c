#include "cli/cli.h"

#include "cli/help.h"

#include <openssl/crypto.h>

enum {
	RUN_ARENA = 512 * 1024 * 1024, /* taken as it is used */
	HELP_MAX = 1024 * 1024,
	TIMEOUT_S = 60,
	TIMEOUT_MAX_S = 24 * 3600,
};

/* ---- help, version, completion ---- */

static int
usage_missing(void)
{
	struct trail ignored = {0};
	struct buf b;

	buf_init(&b, HELP_MAX);
	help_all(&b);
	err_ignore(out_bytes(2, buf_view(&b), &ignored), "nowhere to tell it");
	buf_done(&b);
	return EXIT_USAGE;
}

static int
explain(struct cli *c, const struct row *command, const char *group)
{
	struct buf b;
	int rc;

	buf_init(&b, HELP_MAX);
	if (command != NULL)
		help_command(&b, command);
	else if (group != NULL)
		help_group(&b, group);
	else
		help_all(&b);
	rc = out_named(c, "text", buf_view(&b));
	buf_done(&b);
	return rc;
}

/* The words behind `help` as one command or group. */
static err
help_subject(struct cli *c, struct buf *words, const struct row **ret_command,
    const char **ret_group)
{
	struct str s;

	for (size_t i = 0; i < c->args.n; i++) {
		if (c->args.v[i].row->kind != ROW_ARG)
			continue;
		if (words->n > 0)
			buf_char(words, ' ');
		buf_str(words, c->args.v[i].value);
	}
	s = buf_view(words);
	*ret_command = command_named(s);
	*ret_group = NULL;
	if (*ret_command != NULL || s.n == 0)
		return OK;
	if (is_group(s)) {
		*ret_group = arena_cstr(c->arena, s);
		return arena_check(c->arena);
	}
	trail_set(&c->trail, "unknown command: %.*s",
	    STR_ARG(str_head(s, 100)));
	return err_of(E_USAGE);
}

int
cmd_help(struct cli *c)
{
	const struct row *command = NULL;
	const char *group = NULL;
	struct buf b;
	err e;

	buf_init_on(&b, c->arena, HELP_MAX);
	if (args_has(&c->args, "man")) {
		help_man(&b);
		return out_named(c, "man", buf_view(&b));
	}
	e = help_subject(c, &b, &command, &group);
	if (!err_ok(e))
		return out_error(c, e);
	if (!c->json || command != NULL || group != NULL)
		return explain(c, command, group);
	buf_clear(&b);
	help_json(&b);
	return out_text(c, &b);
}

int
cmd_completion(struct cli *c)
{
	struct buf b;

	buf_init_on(&b, c->arena, HELP_MAX);
	if (!completion_script(&b, args_get(&c->args, "SHELL"))) {
		trail_set(&c->trail, "SHELL is bash, zsh or fish");
		return out_error(c, err_of(E_USAGE));
	}
	return out_named(c, "script", buf_view(&b));
}

int
cmd_version(struct cli *c)
{
	struct buf b;

	if (c->json)
		return out_named(c, "version", STR(REDOUBT_VERSION));
	buf_init_on(&b, c->arena, 1024);
	buf_c(&b, "redoubt " REDOUBT_VERSION "\n");
	buf_c(&b, OpenSSL_version(OPENSSL_VERSION));
	buf_char(&b, '\n');
	return out_text(c, &b);
}

/* ---- running ---- */

static err
settings(struct cli *c)
{
	struct str timeout = args_get(&c->args, "timeout");
	uint64_t seconds = TIMEOUT_S;

	c->verbose = args_has(&c->args, "verbose");
	if (timeout.p != NULL &&
	    !str_u64(timeout, 1, TIMEOUT_MAX_S, &seconds)) {
		trail_set(&c->trail, "--timeout must be 1 to %d",
		    TIMEOUT_MAX_S);
		return err_of(E_INVALID);
	}
	c->timeout_ms = (int)seconds * 1000;
	return OK;
}

/* Only commands that ask a server read the login: `redoubt init` works
 * whatever lies there. */
static err
find_server(struct cli *c)
{
	const struct row *r = c->args.command;
	const struct row *global = flag_find(NULL, STR("project"));
	struct str project = args_row(&c->args, global);

	if (r->route == CLI_ROUTE_none && r->run != cmd_login &&
	    r->run != cmd_runbook_apply && r->run != cmd_runbook_diff)
		return OK;
	if (r->run != cmd_login)
		TRY(login_load(c->arena, &c->trail, &c->login));
	if (project.p != NULL)
		c->login.project = project;
	return OK;
}

static int
run(struct cli *c, const char *const *argv, size_t n)
{
	static const char *const version[] = {"version"};
	err e;

	if (n == 1 && strcmp(argv[0], "--version") == 0)
		argv = version;
	e = args_parse(c->arena, argv, n, &c->trail, &c->args);
	if (err_ok(e))
		e = settings(c);
	if (!err_ok(e))
		return out_error(c, e);
	c->json = args_has(&c->args, "json");
	if (args_has(&c->args, "help") || c->args.group != NULL)
		return explain(c, c->args.command, c->args.group);
	if (c->args.command == NULL)
		return usage_missing();
	e = find_server(c);
	if (!err_ok(e))
		return out_error(c, e);
	return c->args.command->run(c);
}

const char *
cli_flag(struct cli *c, const char *name)
{
	struct str v = args_get(&c->args, name);

	return v.p == NULL ? NULL : arena_cstr(c->arena, v);
}

int
cli_run(const char *const *argv, size_t n)
{
	struct arena a;
	struct cli c = {.arena = &a};
	int rc;

	arena_init(&a, RUN_ARENA);
	rc = run(&c, argv, n);
	client_done(c.client);
	arena_done(&a);
	return rc;
}
