/* delegate: enroll, run and status; see delegate/delegate.h. */
#include "delegate/delegate.h"

#include "base/text.h"
#include "cli/cli.h"

#include <unistd.h>

enum { SHOWN_MAX = 65536, WAIT_S = 3600 };

/* The members of an object, one on a line. */
static void
members_show(struct buf *b, const struct json *j, const char *indent)
{
	for (j = json_first(j); j != NULL; j = j->next) {
		if (j->kind == JSON_OBJECT) {
			buf_str(b, j->name);
			buf_char(b, '\n');
			members_show(b, j, "  ");
			continue;
		}
		buf_c(b, indent);
		buf_fmt(b, "%-18.*s ", STR_ARG(j->name));
		tty_add(b, j->kind == JSON_STRING ? j->text : j->raw, false);
		buf_char(b, '\n');
	}
}

static int
show(struct cli *c, struct str text)
{
	const struct json *j;
	struct buf b;
	int rc;
	err e = answer_parse(c->arena, text, &c->trail, &j);

	if (!err_ok(e))
		return out_error(c, e);
	buf_init(&b, SHOWN_MAX);
	if (c->json) {
		buf_str(&b, text);
		buf_char(&b, '\n');
	} else {
		members_show(&b, j, "");
	}
	rc = out_text(c, &b);
	buf_done(&b);
	return rc;
}

static err
token_get(struct cli *c, struct str *ret)
{
	struct str v = args_get(&c->args, "join-token");

	if (v.p == NULL || str_is(v, "-"))
		return ask_secret(c, "Join token", ret);
	*ret = v;
	return OK;
}

int
cmd_delegate_enroll(struct cli *c)
{
	struct enrol_options o = {.dir = cli_flag(c, "dir"),
	    .url = args_get(&c->args, "url"),
	    .name = args_get(&c->args, "name"),
	    .ca = cli_flag(c, "ca"),
	    .wait_s = args_has(&c->args, "wait") ? WAIT_S : 0};
	struct str text;
	err e = token_get(c, &o.token);

	if (o.name.p == NULL)
		o.name = STR("");
	if (err_ok(e))
		e = delegate_enroll(c->arena, &o, &c->trail, &text);
	return err_ok(e) ? show(c, text) : out_error(c, e);
}

int
cmd_delegate_run(struct cli *c)
{
	return delegate_run(cli_flag(c, "dir"));
}

int
cmd_delegate_epoch(struct cli *c)
{
	struct str text;
	err e = delegate_epoch(c->arena, cli_flag(c, "dir"),
	    args_get(&c->args, "key"), &c->trail, &text);

	return err_ok(e) ? show(c, text) : out_error(c, e);
}

int
cmd_delegate_status(struct cli *c)
{
	struct str text;
	err e = delegate_status(c->arena, cli_flag(c, "dir"), &c->trail, &text);

	return err_ok(e) ? show(c, text) : out_error(c, e);
}
