/* pins.c: see pins.h. */
#include "cli/pins.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/limits.h"
#include "cli/sealing.h"

enum { FILE_MAX = 1 << 20 };

static err
pins_path(struct cli *c, const char **ret)
{
	const char *login;
	struct str dir;
	struct buf b;

	TRY(login_path(c->arena, &c->trail, &login));
	dir = str_c(login);
	while (dir.n > 0 && dir.p[dir.n - 1] != '/')
		dir.n--;
	buf_init_on(&b, c->arena, 4096);
	buf_str(&b, dir);
	buf_c(&b, "delegates.txt");
	buf_char(&b, '\0');
	*ret = b.p;
	return buf_check(&b);
}

/* A missing file is an empty one. */
static err
read_pins(struct cli *c, const char *path, struct str *ret)
{
	*ret = STR("");
	if (access(path, F_OK) != 0)
		return OK;
	return value_file(c, str_c(path), FILE_MAX, ret);
}

/* Is the line about that delegate of that server?  Then what it says. */
static bool
line_about(struct str line, struct str server, struct str delegate,
    struct str *ret)
{
	struct str word;

	return str_cut(line, ' ', &word, &line) && str_eq(word, server) &&
	    str_cut(line, ' ', &word, ret) && str_eq(word, delegate);
}

static struct str
pinned(struct str pins, struct str server, struct str delegate)
{
	struct str line, rest = pins, print;

	while (rest.n > 0) {
		(void)str_cut(rest, '\n', &line, &rest);
		if (line_about(line, server, delegate, &print))
			return print;
	}
	return STR("");
}

static err
check_one(struct cli *c, struct str pins, const struct json *r, bool accept,
    bool *ret_new)
{
	struct str print = json_str_at(r, STR("fingerprint"));
	struct str name = json_str_at(r, STR("name"));
	struct str was =
	    pinned(pins, c->login.url, json_str_at(r, STR("delegate")));

	if (!sealing_print_right(c->arena, r)) {
		trail_set(&c->trail,
		    "delegate %.*s: the fingerprint is not that of its keys",
		    STR_ARG(name));
		return err_of(E_BAD_ANSWER);
	}
	if (str_eq(was, print))
		return OK;
	*ret_new = true;
	if (was.n > 0 && !accept) {
		trail_set(&c->trail,
		    "delegate %.*s has other keys than before, or the server "
		    "lies; compare `redoubt delegate status` there with "
		    "%.16s..., then --accept-keys",
		    STR_ARG(name), print.p);
		return err_of(E_DENIED);
	}
	out_note(c, "delegate %.*s: %s fingerprint %.*s", STR_ARG(name),
	    was.n > 0 ? "changed" : "first use,", STR_ARG(print));
	return OK;
}

/* The lines about others, then these. */
static err
remember(struct cli *c, const char *path, struct str pins,
    const struct json *list)
{
	struct str line, rest = pins, print;
	struct buf b;

	buf_init_on(&b, c->arena, FILE_MAX);
	while (rest.n > 0) {
		bool ours = false;

		(void)str_cut(rest, '\n', &line, &rest);
		for (const struct json *r = json_first(list); r != NULL;
		     r = r->next)
			ours = ours ||
			    line_about(line, c->login.url,
				json_str_at(r, STR("delegate")), &print);
		if (ours || line.n == 0)
			continue;
		buf_str(&b, line);
		buf_char(&b, '\n');
	}
	for (const struct json *r = json_first(list); r != NULL; r = r->next) {
		buf_str(&b, c->login.url);
		buf_char(&b, ' ');
		buf_str(&b, json_str_at(r, STR("delegate")));
		buf_char(&b, ' ');
		buf_str(&b, json_str_at(r, STR("fingerprint")));
		buf_char(&b, '\n');
	}
	TRY(buf_check(&b));
	return login_write(c, path, buf_view(&b));
}

err
pins_check(struct cli *c, const struct json *recipients, bool accept)
{
	const struct json *r;
	bool changed = false;
	const char *path;
	struct str pins;

	TRY(pins_path(c, &path));
	TRY(read_pins(c, path, &pins));
	for (r = json_first(recipients); r != NULL; r = r->next)
		TRY(check_one(c, pins, r, accept, &changed));
	return changed ? remember(c, path, pins, recipients) : OK;
}
