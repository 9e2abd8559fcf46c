/* backup, restore, backup verify, audit fork: role/role.h has what they
 * answer. */
#include "cli/cli.h"
#include "cli/view.h"
#include "role/role.h"

enum { SHOWN_MAX = 1024 * 1024 };

static const char *
flag(struct cli *c, const char *name)
{
	struct str v = args_get(&c->args, name);

	return v.p == NULL ? NULL : arena_cstr(c->arena, v);
}

static int
tell(struct cli *c, err e, struct str text)
{
	const struct json *j;
	struct buf b;
	int rc;

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
	return rc;
}

int
cmd_backup(struct cli *c)
{
	struct backup_options o = {.data = flag(c, "data"),
	    .to = flag(c, "to"),
	    .base = flag(c, "base"),
	    .keys = flag(c, "keys")};
	struct str text = STR_NONE;
	struct person p;

	person_at_hand(c, &p);
	return tell(c, role_backup(c->arena, &o, &c->trail, &text), text);
}

int
cmd_backup_verify(struct cli *c)
{
	struct restore_options o = {.from = flag(c, "from"),
	    .keys = flag(c, "keys"),
	    .root = flag(c, "root")};
	struct str text = STR_NONE;
	struct person p;

	person_at_hand(c, &p);
	return tell(c, role_backup_verify(c->arena, &o, &c->trail, &text),
	    text);
}

int
cmd_restore(struct cli *c)
{
	struct restore_options o = {.from = flag(c, "from"),
	    .data = flag(c, "data"),
	    .keys = flag(c, "keys"),
	    .root = flag(c, "root"),
	    .reason = args_get(&c->args, "reason")};
	struct str text = STR_NONE;
	struct person p;

	person_at_hand(c, &p);
	return tell(c, role_restore(c->arena, &o, &c->trail, &text), text);
}

int
cmd_audit_fork(struct cli *c)
{
	struct fork_options o = {.data = flag(c, "data"),
	    .accept = args_has(&c->args, "accept"),
	    .reason = args_get(&c->args, "reason")};
	struct str n = args_get(&c->args, "entries"), text = STR_NONE;
	struct person p;

	person_at_hand(c, &p);

	if (n.p != NULL && !str_u64(n, 0, INT64_MAX, &o.entries))
		return out_error(c, err_of(E_USAGE));
	return tell(c, role_audit_fork(c->arena, &o, &c->trail, &text), text);
}
