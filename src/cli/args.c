#include "cli/args.h"

#include "base/json.h"

enum { ARGV_MAX = 4096, TOKEN_BODY = 48, SUGGEST_MAX = 32 };

struct parse {
	struct arena *a;
	const char *const *argv;
	size_t n, i;
	struct trail *t;
	struct args *args;
	struct str *words; /* what is no flag and no flag's value */
	size_t words_n;
	bool flags_ended;
};

static bool
is_base62(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z');
}

bool
looks_like_token(struct str s)
{
	for (; s.n >= 4 + TOKEN_BODY; s = str_skip(s, 1)) {
		size_t i = 4;

		if (s.p[0] != 'r' || s.p[1] != 'd' || s.p[3] != '_')
			continue;
		while (i < 4 + TOKEN_BODY && is_base62(s.p[i]))
			i++;
		if (i == 4 + TOKEN_BODY)
			return true;
	}
	return false;
}

static err
usage(struct parse *p, const char *what, struct str about)
{
	trail_set(p->t, "%s%s%.*s", what, about.n > 0 ? ": " : "",
	    STR_ARG(str_head(about, 100)));
	return err_of(E_USAGE);
}

/* ---- "did you mean" ---- */

static unsigned
least(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

/* Levenshtein distance of two short words. */
static unsigned
distance(struct str a, struct str b)
{
	unsigned row[SUGGEST_MAX + 1], diagonal, above;

	if (a.n > SUGGEST_MAX || b.n > SUGGEST_MAX)
		return SUGGEST_MAX;
	for (unsigned j = 0; j <= b.n; j++)
		row[j] = j;
	for (size_t i = 0; i < a.n; i++) {
		diagonal = row[0];
		row[0] = (unsigned)i + 1;
		for (size_t j = 0; j < b.n; j++) {
			above = row[j + 1];
			row[j + 1] = least(above + 1, row[j] + 1,
			    diagonal + (a.p[i] != b.p[j]));
			diagonal = above;
		}
	}
	return row[b.n];
}

static err
unknown_flag(struct parse *p, const struct row *command, struct str name)
{
	const struct row *best = NULL;
	unsigned least_d = 3;

	for (const struct row *r = cli_rows; r->kind != ROW_END; r++) {
		unsigned d;

		if (r->kind != ROW_FLAG && r->kind != ROW_GLOBAL)
			continue;
		if (flag_find(command, str_c(r->name)) != r)
			continue;
		d = distance(name, str_c(r->name));
		if (d < least_d) {
			least_d = d;
			best = r;
		}
	}
	if (best == NULL)
		return usage(p, "unknown flag --", name);
	trail_set(p->t, "unknown flag --%.*s; did you mean --%s?",
	    STR_ARG(str_head(name, 64)), best->name);
	return err_of(E_USAGE);
}

static err
unknown_command(struct parse *p)
{
	struct str word = p->words[0], words = word;
	const struct row *best = NULL;
	unsigned least_d = 3;

	if (is_group(word)) {
		p->args->group = arena_cstr(p->a, word);
		if (p->words_n == 1)
			return usage(p, "a command is missing behind", word);
		words = p->words[1];
	}
	for (const struct row *r = cli_rows; r->kind != ROW_END; r++) {
		struct str name = str_c(r->name), first;
		unsigned d;

		if (r->kind != ROW_COMMAND && r->kind != ROW_GROUP)
			continue;
		if (is_group(word) &&
		    (!str_cut(name, ' ', &first, &name) ||
			!str_eq(first, word)))
			continue;
		d = distance(words, name);
		if (d < least_d) {
			least_d = d;
			best = r;
		}
	}
	if (best == NULL)
		return usage(p, "unknown command", words);
	trail_set(p->t, "unknown command: %.*s; did you mean %s?",
	    STR_ARG(str_head(words, 64)), best->name);
	return err_of(E_USAGE);
}

/* ---- parsing ---- */

static err
keep(struct parse *p, const struct row *r, struct str value)
{
	if (!r->many && args_row(p->args, r).p != NULL) {
		trail_set(p->t, "--%s is given twice", r->name);
		return err_of(E_USAGE);
	}
	p->args->v[p->args->n++] = (struct arg_value){r, value};
	return OK;
}

/* An argument may be given by its name, too: --title X for TITLE. */
static const struct row *
arg_named(const struct row *command, struct str name)
{
	const struct row *r = command == NULL ? NULL : command + 1;

	for (; r != NULL && row_of_command(r); r++)
		if (r->kind == ROW_ARG && !r->many &&
		    (str_ieq(str_c(r->name), name) ||
			(r->member != NULL && str_is(name, r->member))))
			return r;
	return NULL;
}

static err
take_flag(struct parse *p, struct str s, const struct row *command)
{
	struct str name, value;
	bool valued = str_cut(str_skip(s, 2), '=', &name, &value);
	const struct row *r = flag_find(command, name);

	if (r == NULL)
		r = arg_named(command, name);
	if (r == NULL)
		return unknown_flag(p, command, name);
	if (r->type == TYPE_SWITCH) {
		if (valued) {
			trail_set(p->t, "--%s takes no value", r->name);
			return err_of(E_USAGE);
		}
		return keep(p, r, STR("true"));
	}
	if (!valued) {
		if (p->i == p->n) {
			trail_set(p->t, "--%s needs a value", r->name);
			return err_of(E_USAGE);
		}
		value = str_c(p->argv[p->i++]);
	}
	return keep(p, r, value);
}

static bool
is_flag(const struct parse *p, struct str s)
{
	return !p->flags_ended && str_starts(s, STR("-")) && s.n > 1;
}

/*
 * First pass: the command's words.  Flags between them can only be global
 * ones, so whether they take a value is known.
 */
static err
find_command(struct parse *p, size_t *ret_used)
{
	for (size_t i = 0; i < p->n; i++) {
		struct str s = str_c(p->argv[i]), name, value;
		const struct row *r;
		bool valued;

		if (str_is(s, "--"))
			break;
		if (!str_starts(s, STR("-")) || s.n == 1) {
			p->words[p->words_n++] = s;
			continue;
		}
		valued = str_cut(str_skip(s, 2), '=', &name, &value);
		r = flag_find(NULL, name);
		if (r == NULL && p->words_n > 0)
			break; /* the command's own: its words are over */
		if (r != NULL && r->type != TYPE_SWITCH && !valued)
			i++;
	}
	p->args->command = command_find(p->words, p->words_n, ret_used);
	if (p->args->command != NULL || p->words_n == 0)
		return OK;
	return unknown_command(p);
}

/* Second pass: everything in order. */
static err
take_all(struct parse *p)
{
	p->words_n = 0;
	while (p->i < p->n) {
		struct str s = str_c(p->argv[p->i++]);

		if (!p->flags_ended && str_is(s, "--"))
			p->flags_ended = true;
		else if (is_flag(p, s) && str_is(s, "-h"))
			TRY(take_flag(p, STR("--help"), p->args->command));
		else if (is_flag(p, s) && str_is(s, "-f"))
			TRY(take_flag(p, STR("--file"), p->args->command));
		else if (is_flag(p, s) && !str_starts(s, STR("--")))
			return usage(p, "unknown flag", s);
		else if (is_flag(p, s))
			TRY(take_flag(p, s, p->args->command));
		else
			p->words[p->words_n++] = s;
	}
	return OK;
}

/* Words behind the command's become its arguments. */
static err
assign(struct parse *p, size_t used)
{
	const struct row *r = p->args->command + 1;
	size_t i = used;

	for (; row_of_command(r); r++) {
		if (r->kind != ROW_ARG || args_row(p->args, r).p != NULL)
			continue;
		while (i < p->words_n) {
			TRY(keep(p, r, p->words[i++]));
			if (!r->many)
				break;
		}
	}
	if (i < p->words_n)
		return usage(p, "an argument too many", p->words[i]);
	return OK;
}

static err
complete(struct parse *p)
{
	const struct row *r = p->args->command + 1;

	for (; row_of_command(r); r++) {
		if (!r->needed || args_row(p->args, r).p != NULL)
			continue;
		trail_set(p->t, "%s needs %s%s", p->args->command->name,
		    r->kind == ROW_FLAG ? "--" : "", r->name);
		return err_of(E_USAGE);
	}
	return OK;
}

/*
 * A join token may be among the arguments (contract 8): it is good once, for
 * the first pair of keys that comes with it, and not without an approval.
 */
static bool
is_join_token(const struct parse *p, size_t i)
{
	static const char flag[] = "--join-token";
	struct str s = str_c(p->argv[i]);

	if (str_starts(s, STR("--join-token=")))
		s = str_skip(s, sizeof flag);
	else if (i == 0 || strcmp(p->argv[i - 1], flag) != 0)
		return false;
	return str_starts(s, STR("rdd_")) && s.n == 4 + TOKEN_BODY;
}

static err
refuse(struct parse *p)
{
	for (size_t i = 0; i < p->n; i++) {
		struct str s = str_c(p->argv[i]);

		if (looks_like_token(s) && !is_join_token(p, i))
			return usage(p,
			    "a token in the arguments can be read by every "
			    "user of this machine: use redoubt login or "
			    "REDOUBT_TOKEN, and revoke this one",
			    STR(""));
		if (!utf8_valid(s))
			return usage(p, "an argument is not UTF-8", STR(""));
	}
	return OK;
}

/* A group alone is fine when its help is wanted. */
static err
group_help(struct parse *p)
{
	bool help = false;

	for (size_t i = 0; i < p->n; i++)
		help = help || strcmp(p->argv[i], "--help") == 0 ||
		    strcmp(p->argv[i], "-h") == 0;
	if (!help || p->words_n != 1 || !is_group(p->words[0]))
		return err_of(E_USAGE);
	p->t->detail[0] = '\0';
	return arena_check(p->a);
}

err
args_parse(struct arena *a, const char *const *argv, size_t n, struct trail *t,
    struct args *ret)
{
	struct parse p = {.a = a, .argv = argv, .n = n, .t = t, .args = ret};
	size_t used = 0;

	memset(ret, 0, sizeof *ret);
	if (n > ARGV_MAX)
		return usage(&p, "too many arguments", STR(""));
	ret->v = arena_array(a, n + 1, sizeof *ret->v);
	p.words = arena_array(a, n + 1, sizeof *p.words);
	TRY(arena_check(a));
	TRY(refuse(&p));
	if (!err_ok(find_command(&p, &used)))
		return group_help(&p);
	TRY(take_all(&p));
	if (ret->command == NULL)
		return p.words_n == 0 ? OK : unknown_command(&p);
	if (args_has(ret, "help"))
		return OK;
	TRY(assign(&p, used));
	return complete(&p);
}

struct str
args_row(const struct args *s, const struct row *r)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].row == r)
			return s->v[i].value;
	return STR_NONE;
}

struct str
args_get(const struct args *s, const char *name)
{
	const struct row *r = flag_find(s->command, str_c(name));

	if (r != NULL)
		return args_row(s, r);
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->v[i].row->name, name) == 0)
			return s->v[i].value;
	return STR_NONE;
}

bool
args_has(const struct args *s, const char *name)
{
	return args_get(s, name).p != NULL;
}
