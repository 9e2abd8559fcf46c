#include "base/config.h"

#include "base/ini.h"
#include "base/limits.h"

enum type { STR_, NUM_, BOOL_, LIST_ };

static const struct setting {
	const char *section;
	const char *name;
	enum type type;
	size_t at; /* in struct config */
	const char *def;
	const char *meaning;
} settings[] = {
#define CONFIG(section, name, type, def, meaning)                              \
	{#section, #name, type##_, offsetof(struct config, section##_##name),  \
	    def, meaning},
#include "base/config.def"
#undef CONFIG
};

enum { SETTINGS = sizeof settings / sizeof settings[0] };

struct reader {
	struct arena *arena;
	bool given[SETTINGS];
	struct config *out;
};

static bool
set_bool(struct str value, bool *ret)
{
	bool yes = str_is(value, "yes") || str_is(value, "true");

	*ret = yes;
	return yes || str_is(value, "no") || str_is(value, "false");
}

static const char *
list_add(struct config_list *list, struct str item)
{
	if (item.n == 0)
		return "an empty item";
	if (list->n == CONFIG_LIST)
		return "given too often";
	list->item[list->n++] = item;
	return NULL;
}

/* NULL, or what is wrong with the value. */
static const char *
value_set(struct config *c, const struct setting *s, struct str value)
{
	void *at = (char *)c + s->at;

	switch (s->type) {
	case STR_:
		*(struct str *)at = value;
		return NULL;
	case NUM_:
		return str_i64(value, INT64_MIN, INT64_MAX, at)
		    ? NULL
		    : "a number was expected";
	case BOOL_:
		return set_bool(value, at) ? NULL : "yes or no was expected";
	default:
		/* of a list that has none by default: still none */
		if (value.n == 0 && s->def[0] == '\0')
			return NULL;
		return list_add(at, value);
	}
}

static const char *
on_section(void *ctx, struct str name)
{
	(void)ctx;
	for (size_t i = 0; i < SETTINGS; i++)
		if (str_is(name, settings[i].section))
			return NULL;
	return "no such section";
}

static const struct setting *
setting_find(const char *section, const char *name)
{
	for (size_t i = 0; i < SETTINGS; i++)
		if (strcmp(settings[i].section, section) == 0 &&
		    strcmp(settings[i].name, name) == 0)
			return &settings[i];
	return NULL;
}

static const char *
on_value(void *ctx, const char *section, const char *name, const char *value)
{
	struct reader *r = ctx;
	const struct setting *s = setting_find(section, name);
	struct str copy;
	bool *given;

	if (s == NULL)
		return "no such setting";
	given = &r->given[s - settings];
	if (*given && s->type != LIST_)
		return "given twice";
	if (!*given && s->type == LIST_)
		((struct config_list *)(void *)((char *)r->out + s->at))->n = 0;
	*given = true;
	copy = arena_dup(r->arena, str_c(value));
	return copy.p == NULL ? "out of memory" : value_set(r->out, s, copy);
}

void
config_defaults(struct arena *a, struct config *ret)
{
	(void)a;
	*ret = (struct config){0};
	for (size_t i = 0; i < SETTINGS; i++) {
		struct str def = str_c(settings[i].def);

		if (settings[i].type != LIST_ || def.n > 0)
			BUG_ON(value_set(ret, &settings[i], def) != NULL);
	}
}

err
config_parse(struct arena *a, struct str text, struct trail *t,
    struct config *ret)
{
	struct config c;
	struct reader r = {.arena = a, .out = &c};
	struct ini_hooks hooks = {&r, on_section, on_value};
	err e;

	if (text.n > LIM_CONFIG) {
		trail_set(t, "the file is larger than %d bytes", LIM_CONFIG);
		return err_of(E_CONFIG);
	}
	config_defaults(a, &c);
	e = ini_read(text, &hooks, t);
	TRY(arena_check(a));
	TRY(e);
	*ret = c;
	return OK;
}

void
config_template(struct buf *b)
{
	static const char *const kind[] = {"text", "number", "yes or no",
	    "list: one line for each"};

	buf_c(b,
	    "# redoubt.conf: every setting with its default.\n"
	    "# Take the # off a line to change what it sets.\n");
	for (size_t i = 0; i < SETTINGS; i++) {
		const struct setting *s = &settings[i];

		if (i == 0 || strcmp(s->section, s[-1].section) != 0)
			buf_fmt(b, "\n[%s]\n", s->section);
		buf_fmt(b, "# %s (%s)\n", s->meaning, kind[s->type]);
		buf_fmt(b, "#%s = %s\n", s->name, s->def);
	}
}
