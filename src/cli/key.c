/* key: what role_key_* answers, told; see role/role.h for its members. */
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/view.h"
#include "role/role.h"

#include <unistd.h>

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

/* ---- whom a command may ask ---- */

static err
ask(void *ctx, const char *prompt, bool twice, struct str *ret)
{
	struct cli *c = ctx;
	struct str again;

	TRY(ask_secret(c, prompt, ret));
	if (!twice || isatty(STDIN_FILENO) != 1)
		return OK;
	TRY(ask_secret(c, "Again", &again));
	if (str_eq(*ret, again)) /* public: both were typed by one person */
		return OK;
	trail_set(&c->trail, "what was typed differs");
	return err_of(E_INVALID);
}

void
person_at_hand(struct cli *c, struct person *p)
{
	*p = (struct person){ask, c};
	role_person_set(p);
}

/* DIR, and somebody to ask. */
static const char *
data_dir(struct cli *c, struct person *p)
{
	person_at_hand(c, p);
	return arena_cstr(c->arena, args_get(&c->args, "data"));
}

static int
show(struct cli *c, err e, struct str text)
{
	const struct json *j = NULL;
	int rc = out_answer(c, e, text, SHOWN_MAX, &j);

	return rc == EXIT_DONE && bad(c, j) ? EXIT_BAD : rc;
}

static int
run(struct cli *c, key_verb verb)
{
	struct person p;
	const char *dir = data_dir(c, &p);
	struct str text = STR_NONE;
	err e = dir == NULL ? err_of(E_NO_MEMORY)
			    : verb(c->arena, dir, &c->trail, &text);

	return show(c, e, text);
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

int
cmd_key_reencrypt(struct cli *c)
{
	return run(c, role_key_reencrypt);
}

/* ---- shares ---- */

static unsigned
small(struct cli *c, const char *name)
{
	uint64_t v = 0;

	return str_u64(args_get(&c->args, name), 0, 1000, &v) ? (unsigned)v : 0;
}

/* One a line, so that they can be fed to key drill. */
static int
shares_show(struct cli *c, struct str text)
{
	const struct json *j;
	struct buf b;
	int rc;
	err e = answer_parse(c->arena, text, &c->trail, &j);

	if (!err_ok(e))
		return out_error(c, e);
	buf_init(&b, SHOWN_MAX);
	j = json_get(j, STR("shares"));
	for (j = json_first(j); j != NULL; j = j->next) {
		tty_add(&b, j->text, false);
		buf_char(&b, '\n');
	}
	rc = out_text(c, &b);
	mem_wipe(b.p, b.cap);
	buf_done(&b);
	out_note(c,
	    "these are shown this once: give each to another person, and try "
	    "them with redoubt key drill");
	return rc;
}

int
cmd_key_split(struct cli *c)
{
	struct person p;
	const char *dir = data_dir(c, &p);
	struct str text = STR_NONE;
	err e = dir == NULL ? err_of(E_NO_MEMORY)
			    : role_key_split(c->arena, dir, small(c, "shares"),
				  small(c, "threshold"), &c->trail, &text);

	if (err_ok(e) && !c->json)
		return shares_show(c, text);
	return show(c, e, text);
}

int
cmd_key_drill(struct cli *c)
{
	return run(c, role_key_drill);
}

int
cmd_key_recover(struct cli *c)
{
	return run(c, role_key_recover);
}

/* ---- sealing ---- */

static int
with_flag(struct cli *c, const char *flag,
    err (*verb)(struct arena *a, const char *dir, struct str v, struct trail *t,
	struct str *ret))
{
	struct person p;
	const char *dir = data_dir(c, &p);
	struct str text = STR_NONE;
	err e = dir == NULL
	    ? err_of(E_NO_MEMORY)
	    : verb(c->arena, dir, args_get(&c->args, flag), &c->trail, &text);

	return show(c, e, text);
}

int
cmd_key_seal(struct cli *c)
{
	return with_flag(c, "reason", role_key_seal);
}

int
cmd_key_unseal(struct cli *c)
{
	return with_flag(c, "source", role_key_unseal);
}

/* ---- sources ---- */

int
cmd_key_source_list(struct cli *c)
{
	return run(c, role_source_list);
}

int
cmd_key_source_add(struct cli *c)
{
	struct person p;
	const char *dir = data_dir(c, &p);
	struct unlock_spec s = {
	    .kind = args_get(&c->args, "kind"),
	    .name = args_get(&c->args, "name"),
	    .path = args_get(&c->args, "path"),
	    .module = args_get(&c->args, "module"),
	    .token = args_get(&c->args, "token"),
	    .key = args_get(&c->args, "key"),
	    .pcrs = args_get(&c->args, "pcrs"),
	    .tcti = args_get(&c->args, "tcti"),
	    .pin = args_get(&c->args, "pin"),
	    .ask_pin = args_has(&c->args, "ask-pin"),
	};
	struct str text = STR_NONE;
	err e = dir == NULL
	    ? err_of(E_NO_MEMORY)
	    : role_source_add(c->arena, dir, &s, &c->trail, &text);
	int rc = show(c, e, text);

	if (rc == EXIT_DONE && !c->json)
		out_note(c,
		    "make sure of a second way in: redoubt key split gives "
		    "shares to people");
	return rc;
}

int
cmd_key_source_remove(struct cli *c)
{
	return with_flag(c, "NAME", role_source_remove);
}

int
cmd_key_source_test(struct cli *c)
{
	return with_flag(c, "NAME", role_source_test);
}
