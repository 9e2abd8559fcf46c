#include "delegate/policy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/ini.h"
#include "base/limits.h"
#include "delegate/home.h"

enum type { WORDS_, LABELS_, NUM_, STR_ };

static const struct setting {
	const char *section, *name;
	enum type type;
	size_t at; /* in struct policy */
	const char *def, *meaning;
} settings[] = {
#define POLICY(section, name, type, def, meaning)                              \
	{#section, #name, type##_, offsetof(struct policy, section##_##name),  \
	    def, meaning},
#include "delegate/policy.def"
#undef POLICY
};

enum { SETTINGS = sizeof settings / sizeof *settings };

static const struct {
	const char *name;
	enum sandbox_profile profile;
} profiles[] = {
    {"base", SANDBOX_BASE},
    {"interp", SANDBOX_INTERP},
    {"jit", SANDBOX_JIT},
};

struct reader {
	struct arena *arena;
	struct policy *p;
	bool given[SETTINGS];
	struct interpreter *in; /* of the section we are in */
};

/* ---- values ---- */

static const char *
words_add(struct arena *a, struct words *w, struct str rest)
{
	struct str word;

	while (rest.n > 0) {
		str_cut(rest, ' ', &word, &rest);
		if (word.n == 0)
			continue;
		if (w->n == POLICY_WORDS)
			return "too many words";
		if (w->word == NULL)
			w->word = arena_array(a, POLICY_WORDS, sizeof *w->word);
		if (w->word == NULL)
			return "out of memory";
		w->all = w->all || str_is(word, "*");
		w->word[w->n++] = word;
	}
	return NULL;
}

static const char *
labels_add(struct arena *a, struct policy_labels *l, struct str rest)
{
	struct str word, name, value;

	while (rest.n > 0) {
		str_cut(rest, ' ', &word, &rest);
		if (word.n == 0)
			continue;
		if (!str_cut(word, '=', &name, &value) || name.n == 0 ||
		    value.n == 0)
			return "name=value was expected";
		if (l->n == POLICY_WORDS)
			return "too many labels";
		if (l->label == NULL)
			l->label =
			    arena_array(a, POLICY_WORDS, sizeof *l->label);
		if (l->label == NULL)
			return "out of memory";
		l->label[l->n++] = (struct policy_label){name, value};
	}
	return NULL;
}

static const char *
value_set(struct arena *a, struct policy *p, const struct setting *s,
    struct str v)
{
	void *at = (char *)p + s->at;

	switch (s->type) {
	case WORDS_:
		return words_add(a, at, v);
	case LABELS_:
		return labels_add(a, at, v);
	case NUM_:
		return str_i64(v, 1, 1 << 20, at)
		    ? NULL
		    : "a number of 1 or more was expected";
	default:
		*(struct str *)at = v;
		return NULL;
	}
}

/* ---- interpreters ---- */

static const char *
interpreter_set(struct reader *r, struct str name, struct str v)
{
	struct interpreter *in = r->in;

	if (str_is(name, "path")) {
		if (v.n < 2 || v.p[0] != '/' || in->path.n > 0)
			return "one absolute path was expected";
		in->path = v;
		return NULL;
	}
	if (str_is(name, "args"))
		return words_add(r->arena, &in->args, v);
	if (!str_is(name, "profile"))
		return "no such setting";
	for (size_t i = 0; i < sizeof profiles / sizeof *profiles; i++)
		if (str_is(v, profiles[i].name)) {
			in->profile = profiles[i].profile;
			return NULL;
		}
	return "base, interp or jit was expected";
}

static bool
interpreter_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((s.p[i] < 'a' || s.p[i] > 'z') &&
		    (s.p[i] < '0' || s.p[i] > '9') && s.p[i] != '.' &&
		    s.p[i] != '-' && s.p[i] != '_')
			return false;
	return s.n > 0 && s.n <= 63;
}

static const char *
interpreter_begin(struct reader *r, struct str name)
{
	struct policy *p = r->p;

	if (!interpreter_name(name))
		return "no name of an interpreter";
	if (policy_interpreter(p, name) != NULL)
		return "given twice";
	if (p->interpreters == POLICY_INTERPRETERS)
		return "too many interpreters";
	r->in = &p->interpreter[p->interpreters++];
	*r->in = (struct interpreter){.name = arena_dup(r->arena, name),
	    .profile = SANDBOX_INTERP};
	return r->in->name.p == NULL ? "out of memory" : NULL;
}

/* ---- reading ---- */

static const char *
on_section(void *ctx, struct str name)
{
	static const struct str prefix = {"interpreter ", 12};
	struct reader *r = ctx;

	r->in = NULL;
	if (str_starts(name, prefix))
		return interpreter_begin(r, str_skip(name, prefix.n));
	for (size_t i = 0; i < SETTINGS; i++)
		if (str_is(name, settings[i].section))
			return NULL;
	return "no such section";
}

static const char *
on_value(void *ctx, const char *section, const char *name, const char *value)
{
	struct reader *r = ctx;
	struct str copy = arena_dup(r->arena, str_c(value));

	if (copy.p == NULL && value[0] != '\0')
		return "out of memory";
	if (r->in != NULL)
		return interpreter_set(r, str_c(name), copy);
	for (size_t i = 0; i < SETTINGS; i++) {
		const struct setting *s = &settings[i];

		if (strcmp(s->section, section) != 0 ||
		    strcmp(s->name, name) != 0)
			continue;
		if (r->given[i] && s->type != WORDS_ && s->type != LABELS_)
			return "given twice";
		r->given[i] = true;
		return value_set(r->arena, r->p, s, copy);
	}
	return "no such setting";
}

static void
defaults(struct arena *a, struct policy *ret)
{
	*ret = (struct policy){.why = REASON_NONE};
	for (size_t i = 0; i < SETTINGS; i++)
		BUG_ON(value_set(a, ret, &settings[i],
			   str_c(settings[i].def)) != NULL);
}

err
policy_parse(struct arena *a, struct str text, struct trail *t,
    struct policy *ret)
{
	struct policy p;
	struct reader r = {.arena = a, .p = &p};
	struct ini_hooks hooks = {&r, on_section, on_value};

	if (text.n > LIM_CONFIG) {
		trail_set(t, "the file is larger than %d bytes", LIM_CONFIG);
		return err_of(E_CONFIG);
	}
	defaults(a, &p);
	TRY(ini_read(text, &hooks, t));
	for (size_t i = 0; i < p.interpreters; i++)
		if (p.interpreter[i].path.n == 0) {
			trail_set(t, "interpreter %.*s has no path",
			    STR_ARG(p.interpreter[i].name));
			return err_of(E_CONFIG);
		}
	if (p.delegate_tasks > LIM_DELEGATE_TASKS) {
		trail_set(t, "delegate.tasks: 1 to %d", LIM_DELEGATE_TASKS);
		return err_of(E_CONFIG);
	}
	*ret = p;
	return OK;
}

/* Root's or ours, and nobody else's to write. */
static bool
is_safe(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_uid == 0 || st.st_uid == geteuid()) &&
	    (st.st_mode & 022) == 0;
}

void
policy_load(struct arena *a, int dir, struct trail *t, struct policy *ret)
{
	CLEANUP(buf_done) struct buf b;
	int fd = openat(dir, "policy.conf",
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	err e;

	buf_init(&b, LIM_CONFIG + 1);
	defaults(a, ret);
	ret->why = REASON_POLICY_ABSENT;
	if (fd < 0) {
		trail_set(t, "policy.conf: it is not there");
		return;
	}
	ret->why = REASON_POLICY_UNSAFE;
	if (!is_safe(fd)) {
		(void)close(fd);
		trail_set(t, "policy.conf: others can write it");
		return;
	}
	(void)close(fd);
	e = home_read(dir, "policy.conf", &b);
	if (err_ok(e))
		e = policy_parse(a, buf_view(&b), t, ret);
	if (!err_ok(e))
		ret->why = REASON_POLICY_BAD;
}

void
policy_template(struct buf *b)
{
	static const char *const kind[] = {"words", "name=value words",
	    "number", "text"};

	buf_c(b,
	    "# policy.conf: what this delegate may do, said by its host's "
	    "owner.\n"
	    "# What is not allowed here is refused, whoever approved it.\n"
	    "# As it is it allows nothing.\n");
	for (size_t i = 0; i < SETTINGS; i++) {
		const struct setting *s = &settings[i];

		if (i == 0 || strcmp(s->section, s[-1].section) != 0)
			buf_fmt(b, "\n[%s]\n", s->section);
		buf_fmt(b, "# %s (%s)\n", s->meaning, kind[s->type]);
		buf_fmt(b, "#%s = %s\n", s->name, s->def);
	}
	buf_c(b,
	    "\n# Programs that may run scripts, one section each; profile: "
	    "base, interp\n# or jit, the system calls they need.\n"
	    "#[interpreter sh]\n#path = /bin/sh\n#profile = interp\n"
	    "#args = -eu\n");
}

/* ---- asking ---- */

bool
words_have(const struct words *w, struct str word)
{
	if (w->all)
		return true;
	for (size_t i = 0; i < w->n; i++)
		if (str_eq(w->word[i], word))
			return true;
	return false;
}

bool
policy_has_label(const struct policy *p, struct str name, struct str value)
{
	const struct policy_labels *l = &p->delegate_labels;

	for (size_t i = 0; i < l->n; i++)
		if (str_eq(l->label[i].name, name) &&
		    str_eq(l->label[i].value, value))
			return true;
	return false;
}

const struct interpreter *
policy_interpreter(const struct policy *p, struct str name)
{
	for (size_t i = 0; i < p->interpreters; i++)
		if (str_eq(p->interpreter[i].name, name))
			return &p->interpreter[i];
	return NULL;
}

bool
policy_runs(const struct policy *p, const char *kind)
{
	const struct words *w = &p->delegate_kinds;

	return p->why == REASON_NONE && !w->all && words_have(w, str_c(kind));
}
