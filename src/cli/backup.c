/* backup, restore, backup verify, audit fork: role/role.h has what they
 * answer. */
#include "cli/cli.h"
#include "cli/view.h"
#include "role/role.h"

enum { SHOWN_MAX = 1024 * 1024 };

static int
tell(struct cli *c, err e, struct str text)
{
	const struct json *j;

	return out_answer(c, e, text, SHOWN_MAX, &j);
}

int
cmd_backup(struct cli *c)
{
	struct backup_options o = {.data = cli_flag(c, "data"),
	    .to = cli_flag(c, "to"),
	    .base = cli_flag(c, "base"),
	    .keys = cli_flag(c, "keys")};
	struct str text = STR_NONE;
	struct person p;

	person_at_hand(c, &p);
	return tell(c, role_backup(c->arena, &o, &c->trail, &text), text);
}

int
cmd_backup_verify(struct cli *c)
{
	struct restore_options o = {.from = cli_flag(c, "from"),
	    .keys = cli_flag(c, "keys"),
	    .root = cli_flag(c, "root")};
	struct str text = STR_NONE;
	struct person p;

	person_at_hand(c, &p);
	return tell(c, role_backup_verify(c->arena, &o, &c->trail, &text),
	    text);
}

int
cmd_restore(struct cli *c)
{
	struct restore_options o = {.from = cli_flag(c, "from"),
	    .data = cli_flag(c, "data"),
	    .keys = cli_flag(c, "keys"),
	    .root = cli_flag(c, "root"),
	    .reason = args_get(&c->args, "reason")};
	struct str text = STR_NONE;
	struct person p;

	person_at_hand(c, &p);
	return tell(c, role_restore(c->arena, &o, &c->trail, &text), text);
}

int
cmd_audit_fork(struct cli *c)
{
	struct fork_options o = {.data = cli_flag(c, "data"),
	    .accept = args_has(&c->args, "accept"),
	    .reason = args_get(&c->args, "reason")};
	struct str n = args_get(&c->args, "entries"), text = STR_NONE;
	struct person p;

	person_at_hand(c, &p);

	if (n.p != NULL && !str_u64(n, 0, INT64_MAX, &o.entries))
		return out_error(c, err_of(E_USAGE));
	return tell(c, role_audit_fork(c->arena, &o, &c->trail, &text), text);
}
