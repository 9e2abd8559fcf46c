/*
 * Completion scripts.  Each has a function that finds the command in the
 * words typed so far, and one case for each command and group.  They ask
 * nobody: no server is reached by pressing a key.
 */
#include "cli/help.h"

static const char bash_head[] =
    "# bash completion for redoubt; redoubt completion bash\n"
    "_redoubt()\n"
    "{\n"
    "\tlocal cur prev path word i subs flags values\n"
    "\tcur=${COMP_WORDS[COMP_CWORD]}\n"
    "\tprev=${COMP_WORDS[COMP_CWORD-1]}\n"
    "\tpath=\n"
    "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
    "\t\tword=${COMP_WORDS[i]}\n"
    "\t\t[[ $word == -* ]] && continue\n"
    "\t\t_redoubt_known \"${path:+$path }$word\" &&\n"
    "\t\t\tpath=\"${path:+$path }$word\"\n"
    "\tdone\n";
static const char bash_tail[] =
    "\tesac\n"
    "\tif [[ -n $values ]]; then\n"
    "\t\tif [[ $values == @file ]]; then\n"
    "\t\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
    "\t\telse\n"
    "\t\t\tmapfile -t COMPREPLY < <(compgen -W \"$values\" -- \"$cur\")\n"
    "\t\tfi\n"
    "\telif [[ $cur == -* ]]; then\n"
    "\t\tmapfile -t COMPREPLY < <(compgen -W \"$flags\" -- \"$cur\")\n"
    "\telse\n"
    "\t\tmapfile -t COMPREPLY < <(compgen -W \"$subs\" -- \"$cur\")\n"
    "\tfi\n"
    "}\n"
    "complete -F _redoubt redoubt\n";

/* The line a zsh script of functions must begin with. */
static const char zsh_first[] = "#compdef redoubt\n";

static const char zsh_head[] =
    "# zsh completion for redoubt; redoubt completion zsh\n"
    "_redoubt()\n"
    "{\n"
    "\tlocal cur prev path_ word i subs flags values\n"
    "\tcur=${words[CURRENT]}\n"
    "\tprev=${words[CURRENT-1]}\n"
    "\tpath_=\n"
    "\tfor ((i = 2; i < CURRENT; i++)); do\n"
    "\t\tword=${words[i]}\n"
    "\t\t[[ $word == -* ]] && continue\n"
    "\t\t_redoubt_known \"${path_:+$path_ }$word\" &&\n"
    "\t\t\tpath_=\"${path_:+$path_ }$word\"\n"
    "\tdone\n";
static const char zsh_tail[] = "\tesac\n"
			       "\tif [[ $values == @file ]]; then\n"
			       "\t\t_files\n"
			       "\telif [[ -n $values ]]; then\n"
			       "\t\tcompadd -- ${=values}\n"
			       "\telif [[ $cur == -* ]]; then\n"
			       "\t\tcompadd -- ${=flags}\n"
			       "\telse\n"
			       "\t\tcompadd -- ${=subs}\n"
			       "\tfi\n"
			       "}\n"
			       "if [[ ${funcstack[1]} == _redoubt ]]; then\n"
			       "\t_redoubt \"$@\"\n"
			       "else\n"
			       "\tcompdef _redoubt redoubt\n"
			       "fi\n";

static const char fish_head[] =
    "# fish completion for redoubt; redoubt completion fish\n"
    "function __redoubt_path\n"
    "\tset -l path\n"
    "\tfor word in (commandline -opc)[2..]\n"
    "\t\tstring match -q -- '-*' $word; and continue\n"
    "\t\tset -l next (string join ' ' $path $word)\n"
    "\t\tcontains -- $next $__redoubt_known; and set path $next\n"
    "\tend\n"
    "\techo $path\n"
    "end\n"
    "function __redoubt_at\n"
    "\tset -l path (__redoubt_path)\n"
    "\ttest \"$path\" = \"$argv\"\n"
    "end\n"
    "complete -c redoubt -f\n";

/* ---- what bash and zsh share ---- */

static void
known(struct buf *b)
{
	buf_c(b, "_redoubt_known()\n{\n\tcase $1 in\n\t");
	for (const struct row *r = cli_rows; r->kind != ROW_END; r++) {
		if (r->kind != ROW_COMMAND && r->kind != ROW_GROUP)
			continue;
		buf_fmt(b, "'%s'|", r->name);
	}
	buf_c(b, "'-') return 0 ;;\n\tesac\n\treturn 1\n}\n");
}

static void
flags(struct buf *b, const struct row *command)
{
	const char *gap = "";

	if (command != NULL)
		for (const struct row *r = command + 1; row_of_command(r); r++)
			if (r->kind == ROW_FLAG) {
				buf_fmt(b, "%s--%s", gap, r->name);
				gap = " ";
			}
	for (const struct row *r = cli_rows; r->kind != ROW_END; r++)
		if (r->kind == ROW_GLOBAL && !flag_hidden(command, r)) {
			buf_fmt(b, "%s--%s", gap, r->name);
			gap = " ";
		}
}

/* Commands and groups at the top, or commands of a group. */
static void
subcommands(struct buf *b, const char *group)
{
	const char *gap = "";

	for (const struct row *r = cli_rows; r->kind != ROW_END; r++) {
		const char *name = r->name;

		if (r->kind == ROW_GROUP
			? group != NULL
			: r->kind != ROW_COMMAND || !in_group(r, group))
			continue;
		if (group != NULL)
			name += strlen(group) + 1;
		buf_fmt(b, "%s%s", gap, name);
		gap = " ";
	}
}

/* What can follow a flag, by its name. */
static void
flag_values(struct buf *b, const struct row *command)
{
	buf_c(b, "\t\tcase $prev in\n");
	for (const struct row *r = command + 1; row_of_command(r); r++) {
		if (r->kind != ROW_FLAG || r->type == TYPE_SWITCH)
			continue;
		buf_fmt(b, "\t\t--%s) values='", r->name);
		if (r->type == TYPE_PATHNAME)
			buf_c(b, "@file");
		else
			buf_c(b, r->values[0] == '\0' ? " " : r->values);
		buf_c(b, "' ;;\n");
	}
	buf_c(b, "\t\tesac ;;\n");
}

/* Words an argument can be; all arguments of the command together. */
static void
argument_values(struct buf *b, const struct row *command)
{
	for (const struct row *r = command + 1; row_of_command(r); r++)
		if (r->kind == ROW_ARG && r->values[0] != '\0')
			buf_c(b, r->values);
}

static void
cases(struct buf *b, const char *variable)
{
	buf_fmt(b, "\tcase $%s in\n\t'') subs='", variable);
	subcommands(b, NULL);
	buf_c(b, "' flags='");
	flags(b, NULL);
	buf_c(b, "' ;;\n");
	for (const struct row *r = cli_rows; r->kind != ROW_END; r++) {
		if (r->kind == ROW_GROUP) {
			buf_fmt(b, "\t'%s') subs='", r->name);
			subcommands(b, r->name);
			buf_c(b, "' flags='--help' ;;\n");
		}
		if (r->kind != ROW_COMMAND)
			continue;
		buf_fmt(b, "\t'%s') subs='", r->name);
		argument_values(b, r);
		buf_c(b, "' flags='");
		flags(b, r);
		buf_c(b, "'\n");
		flag_values(b, r);
	}
}

/* ---- fish ---- */

/* A string in single quotes. */
static void
fish_quoted(struct buf *b, const char *s)
{
	buf_char(b, '\'');
	for (; *s != '\0'; s++) {
		if (*s == '\'' || *s == '\\')
			buf_char(b, '\\');
		buf_char(b, *s);
	}
	buf_char(b, '\'');
}

static void
fish_flag(struct buf *b, const char *path, const struct row *r)
{
	buf_c(b, "complete -c redoubt");
	if (path != NULL)
		buf_fmt(b, " -n '__redoubt_at %s'", path);
	buf_fmt(b, " -l %s", r->name);
	if (r->type != TYPE_SWITCH)
		buf_c(b, r->type == TYPE_PATHNAME ? " -r -F" : " -x");
	if (r->type != TYPE_SWITCH && r->values[0] != '\0') {
		buf_c(b, " -a ");
		fish_quoted(b, r->values);
	}
	buf_c(b, " -d ");
	fish_quoted(b, r->help);
	buf_char(b, '\n');
}

static void
fish_word(struct buf *b, const char *path, const char *word, const char *help)
{
	buf_fmt(b, "complete -c redoubt -n '__redoubt_at %s' -a ", path);
	fish_quoted(b, word);
	if (help != NULL) {
		buf_c(b, " -d ");
		fish_quoted(b, help);
	}
	buf_char(b, '\n');
}

static void
fish_row(struct buf *b, const struct row *r)
{
	struct str group, word;
	char name[64];

	if (r->kind == ROW_GLOBAL)
		fish_flag(b, NULL, r);
	if (r->kind == ROW_GROUP)
		fish_word(b, "", r->name, r->help);
	if (r->kind != ROW_COMMAND)
		return;
	if (!str_cut(str_c(r->name), ' ', &group, &word)) {
		fish_word(b, "", r->name, r->help);
	} else if (group.n < sizeof name) {
		memcpy(name, group.p, group.n);
		name[group.n] = '\0';
		fish_word(b, name, r->name + group.n + 1, r->help);
	}
	for (const struct row *s = r + 1; row_of_command(s); s++) {
		if (s->kind == ROW_FLAG)
			fish_flag(b, r->name, s);
		if (s->kind == ROW_ARG && s->values[0] != '\0')
			fish_word(b, r->name, s->values, NULL);
	}
}

static void
fish(struct buf *b)
{
	const struct row *r;

	buf_c(b, "set -g __redoubt_known");
	for (r = cli_rows; r->kind != ROW_END; r++)
		if (r->kind == ROW_COMMAND || r->kind == ROW_GROUP) {
			buf_char(b, ' ');
			fish_quoted(b, r->name);
		}
	buf_char(b, '\n');
	buf_c(b, fish_head);
	for (r = cli_rows; r->kind != ROW_END; r++)
		fish_row(b, r);
}

bool
completion_script(struct buf *b, struct str shell)
{
	if (str_is(shell, "fish")) {
		fish(b);
		return true;
	}
	if (!str_is(shell, "bash") && !str_is(shell, "zsh"))
		return false;
	if (str_is(shell, "bash")) {
		known(b);
		buf_c(b, bash_head);
		cases(b, "path");
		buf_c(b, bash_tail);
	} else {
		buf_c(b, zsh_first);
		known(b);
		buf_c(b, zsh_head);
		cases(b, "path_");
		buf_c(b, zsh_tail);
	}
	return true;
}
