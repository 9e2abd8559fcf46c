/*
 * cli.h: one run of the command line: what was asked, where the server is,
 * and how answers and errors are told.  What comes from the server is
 * hostile until shown otherwise: every byte that reaches a terminal goes
 * through tty_add (text) or json_show (JSON).
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/json.h"
#include "cli/args.h"
#include "client/http.h"

/* Where to ask and as whom; from the environment and the login file. */
struct login {
	struct str url, ca, token, project;
};

struct cli {
	struct arena *arena; /* of the whole run */
	struct args args;
	struct trail trail;
	bool json, verbose;
	int timeout_ms;
	bool stdin_used; /* it can be read once */
	struct login login;
	struct client *client; /* made at the first request */
};

/* The whole command line but the roles; argv without the program. Returns
 * the exit code. */
int cli_run(const char *const *argv, size_t n);

/* What was given for a flag, for who wants a C string; NULL: it was not. */
const char *cli_flag(struct cli *c, const char *name);

/* ---- telling (out.c) ---- */
/* All bytes to a descriptor; E_IO with a trail. */
err out_bytes(int fd, struct str s, struct trail *t) MUST_USE;
/* A finished text to standard output; the exit code. */
int out_text(struct cli *c, const struct buf *b);
/* What a role has answered, at most `most` bytes of it: with --json as it is,
 * else its members; *ret: what it says. The exit code; e's, when it failed. */
int out_answer(struct cli *c, err e, struct str text, size_t most,
    const struct json **ret);
/* With --json {"<name>":"<text>"}, else the text as it is. */
int out_named(struct cli *c, const char *name, struct str text);
/* "redoubt: title: detail (code)" for an error of ours; the exit code. */
int out_error(struct cli *c, err e);
/* A sentence on standard error. */
void out_note(struct cli *c, const char *fmt, ...) PRINTF(2, 3);

/* ---- where to ask (login.c) ---- */
err login_load(struct arena *a, struct trail *t, struct login *ret) MUST_USE;
/* Path of the login file; E_CONFIG when there is no home. */
err login_path(struct arena *a, struct trail *t, const char **ret) MUST_USE;
/* A file there, whole or not at all, for the user alone. */
err login_write(struct cli *c, const char *path, struct str text) MUST_USE;

/* A line from the terminal without echo, after a prompt, or from standard
 * input: its bytes without the end of the line. */
err ask_secret(struct cli *c, const char *prompt, struct str *ret) MUST_USE;

/* What role's commands ask, whoever runs this one is asked, as long as p
 * lives (key.c). */
struct person;
void person_at_hand(struct cli *c, struct person *p);

/* ---- values (value.c) ---- */
/* A flag's or argument's value as JSON. */
err value_json(struct cli *c, const struct row *r, struct str v,
    struct jw *w) MUST_USE;
/* The same as plain text, for paths and queries. */
err value_text(struct cli *c, const struct row *r, struct str v,
    struct str *ret) MUST_USE;
/* All of a file or (path "-") of standard input, at most max bytes. */
err value_file(struct cli *c, struct str path, size_t max,
    struct str *ret) MUST_USE;

/* ---- asking (request.c, call.c) ---- */
/* The request commands.def and the arguments describe. */
err request_make(struct cli *c, enum cli_route route,
    struct request *ret) MUST_USE;
/* One answer, whole. */
struct api {
	const struct response *head;
	struct str body;
	const struct json *json; /* NULL: no body */
};
/* Send r and read the answer into the arena.  E_PEER when a good answer is
 * not JSON.  Not E_OK: tell it with out_error. */
err api_ask(struct cli *c, const struct request *r, struct arena *a,
    struct api *ret) MUST_USE;
/* The same without reading the body. */
err api_open(struct cli *c, const struct request *r, struct arena *a,
    const struct response **ret) MUST_USE;
/* Tell a problem (status 300 and up); the exit code. */
int api_problem(struct cli *c, const struct api *answer);
/* Read the rest of an opened answer and tell the problem it is. */
int api_refused(struct cli *c, const struct response *head);
/* Show a good answer: JSON or, for people, its members. */
int api_show(struct cli *c, const struct api *answer);

/* A document from a server, parsed within our limits. */
err answer_parse(struct arena *a, struct str text, struct trail *t,
    const struct json **ret) MUST_USE;

#endif
