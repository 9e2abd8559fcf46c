/*
 * args.h: the arguments of one call, checked against commands.def.
 *
 *	redoubt [FLAG...] COMMAND [ARGUMENT | FLAG]...
 *
 * A flag is --name, --name VALUE or --name=VALUE; -- ends flags.  Refused:
 * what the table does not know, a flag given twice, a missing or surplus
 * argument, bytes that are no UTF-8, and anything that looks like a token,
 * because other users of the machine can read arguments.
 */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include "base/arena.h"
#include "cli/table.h"

struct arg_value {
	const struct row *row;
	struct str value;
};

struct args {
	const struct row *command;
	const char *group;   /* words of a group when that is all there was */
	struct arg_value *v; /* in the order given */
	size_t n;
};

/*
 * argv without the program's name.  E_USAGE with a trail.  With --help only
 * the command must be right.  No command at all: command NULL and OK.
 */
err args_parse(struct arena *a, const char *const *argv, size_t n,
    struct trail *t, struct args *ret) MUST_USE;

/* The value of a row; p NULL when it was not given. */
struct str args_row(const struct args *s, const struct row *r);
/* The value of the flag or argument of that name. */
struct str args_get(const struct args *s, const char *name);
/* Was it given? */
bool args_has(const struct args *s, const char *name);

/* Does s contain what looks like a token of ours (contract 4)? */
bool looks_like_token(struct str s);

#endif
