/* Setting one's password: it comes from no argument and goes to no file. */
#include "cli/cli.h"

#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"

/* Twice where nobody sees what they type. */
static err
ask(struct cli *c, struct str *ret)
{
	struct str again;

	TRY(ask_secret(c, "New password", ret));
	if (isatty(STDIN_FILENO) != 1)
		return OK;
	TRY(ask_secret(c, "Again", &again));
	if (str_eq(*ret, again))
		return OK;
	trail_set(&c->trail, "these are two passwords");
	return err_of(E_INVALID);
}

static err
make(struct cli *c, struct buf *text, struct request *r)
{
	struct str password;
	struct jw w;

	TRY(request_make(c, CLI_ROUTE_password_set, r));
	TRY(ask(c, &password));
	jw_init(&w, text);
	jw_obj(&w);
	jw_kstr(&w, "new", password);
	jw_obj_end(&w);
	r->body = buf_view(text);
	return buf_check(text);
}

int
cmd_password(struct cli *c)
{
	struct request r;
	struct buf text;
	struct api x;
	int rc;
	err e;

	buf_init(&text, (size_t)8 * LIM_PASSWORD_BYTES);
	e = make(c, &text, &r);
	if (err_ok(e))
		e = api_ask(c, &r, c->arena, &x);
	if (!err_ok(e))
		rc = out_error(c, e);
	else
		rc =
		    x.head->status < 300 ? api_show(c, &x) : api_problem(c, &x);
	if (text.p != NULL)
		mem_wipe(text.p, text.cap);
	buf_done(&text);
	return rc;
}
