/* key: what role_key_* answers, told; see role/role.h for its members. */
#include "cli/cli.h"
#include "cli/view.h"
#include "role/role.h"

enum { SHOWN_MAX = 4 * 1024 * 1024 };

typedef err (*key_verb)(struct arena *a, const char *dir, struct trail *t,
    struct str *ret);

/* What stands in `list`, separated by spaces. */
static struct str
words(struct cli *c, const struct json *list)
{
	struct buf b;

	buf_init_on(&b, c->arena, 4096);
	for (const struct json *j = json_first(list); j != NULL; j = j->next) {
		if (b.n > 0)
			buf_char(&b, ' ');
		buf_str(&b, j->text);
	}
	return buf_view(&b);
}

static bool
bad(struct cli *c, const struct json *j)
{
	const struct json *left = json_get(j, STR("left"));
	int64_t damaged = 0;

	if (left != NULL && left->count > 0)
		out_note(c,
		    "no key is sealed with %.*s any more: remove their lines "
		    "from the root key file and restart the server",
		    STR_ARG(words(c, left)));
	if (!json_i64(json_get(j, STR("damaged")), 1, INT64_MAX, &damaged))
		return false;
	out_note(c, "%lld do not open and were left as they are",
	    (long long)damaged);
	return true;
}

static int
run(struct cli *c, key_verb verb)
{
	const char *dir = arena_cstr(c->arena, args_get(&c->args, "data"));
	const struct json *j;
	struct str text;
	struct buf b;
	int rc;
	err e = dir == NULL ? err_of(E_NO_MEMORY)
			    : verb(c->arena, dir, &c->trail, &text);

	if (err_ok(e))
		e = answer_parse(c->arena, text, &c->trail, &j);
	if (!err_ok(e))
		return out_error(c, e);
	buf_init(&b, SHOWN_MAX);
	if (c->json) {
		json_show(&b, j, 0);
		buf_char(&b, '\n');
	} else {
		detail_show(&b, j);
	}
	rc = out_text(c, &b);
	buf_done(&b);
	return bad(c, j) && rc == EXIT_DONE ? EXIT_BAD : rc;
}

int
cmd_key_status(struct cli *c)
{
	return run(c, role_key_status);
}

int
cmd_key_rotate(struct cli *c)
{
	int rc = run(c, role_key_rotate);

	if (rc == EXIT_DONE && !c->json)
		out_note(c,
		    "keep a copy of the new root key elsewhere; backups made "
		    "before still need the old one");
	return rc;
}

int
cmd_key_rewrap(struct cli *c)
{
	return run(c, role_key_rewrap);
}
