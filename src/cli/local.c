/* Commands that work on a data directory of this machine. */
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/cli.h"
#include "role/role.h"

/* A flag as a C string; NULL when it was not given. */
/* ---- init ---- */

static void
init_json(struct buf *b, const struct init_result *r)
{
	struct jw w;

	jw_init(&w, b);
	jw_obj(&w);
	jw_kstr(&w, "url", r->url);
	jw_kstr(&w, "token", r->token);
	jw_kstr(&w, "ca", r->ca);
	jw_kstr(&w, "fingerprint", r->fingerprint);
	jw_kstr(&w, "project", r->project);
	jw_obj_end(&w);
	buf_char(b, '\n');
}

static void
line(struct buf *b, const char *name, struct str value)
{
	buf_fmt(b, "%-13s", name);
	tty_add(b, value, false);
	buf_char(b, '\n');
}

static void
init_text(struct buf *b, const struct init_result *r, const char *data)
{
	char until[TIME_TEXT + 1];

	time_text(r->expires, until);
	line(b, "data", str_c(data));
	line(b, "url", r->url);
	line(b, "ca", r->ca);
	line(b, "fingerprint", r->fingerprint);
	line(b, "project", r->project);
	line(b, "root key", r->root_key);
	line(b, "admin", r->admin);
	line(b, "token", r->token);
	line(b, "expires", str_of(until, TIME_TEXT));
	buf_c(b,
	    "\nThe token is shown this once. Keep a copy of the root key "
	    "elsewhere:\nwithout it nothing in the store can be read. Shares "
	    "for five people, any\nthree of whom bring it back:\n"
	    "\n  redoubt key split --data ");
	tty_add(b, str_c(data), false);
	buf_c(b,
	    " --shares 5 --threshold 3\n"
	    "\nThen\n\n  redoubt serve --data ");
	tty_add(b, str_c(data), false);
	buf_c(b, "\n  redoubt login --url ");
	tty_add(b, r->url, false);
	buf_c(b, " --ca ");
	tty_add(b, r->ca, false);
	buf_char(b, '\n');
}

int
cmd_init(struct cli *c)
{
	struct init_options o = {.data = cli_flag(c, "data"),
	    .org = args_get(&c->args, "org"),
	    .admin = args_get(&c->args, "admin"),
	    .now = time_now_ms()};
	struct init_result r;
	struct buf b;
	int rc;
	err e = confine_light(&c->trail);

	if (err_ok(e))
		e = role_init(c->arena, &o, &c->trail, &r);
	if (!err_ok(e))
		return out_error(c, e);
	buf_init(&b, 65536);
	if (c->json)
		init_json(&b, &r);
	else
		init_text(&b, &r, o.data);
	rc = out_text(c, &b);
	mem_wipe(b.p, b.n);
	buf_done(&b);
	return rc;
}

/* ---- serve ---- */

int
cmd_serve(struct cli *c)
{
	struct serve_options o = {.data = cli_flag(c, "data"),
	    .config = cli_flag(c, "config"),
	    .mtls_listen = cli_flag(c, "mtls-listen")};
	const struct row *listen = flag_find(c->args.command, STR("listen"));

	for (size_t i = 0; i < c->args.n; i++) {
		if (c->args.v[i].row != listen)
			continue;
		if (o.listen_n == SETTINGS_LISTEN) {
			trail_set(&c->trail, "at most %d times --listen",
			    SETTINGS_LISTEN);
			return out_error(c, err_of(E_USAGE));
		}
		o.listen[o.listen_n++] =
		    arena_cstr(c->arena, c->args.v[i].value);
	}
	return role_supervise(&o);
}
