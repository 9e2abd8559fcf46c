/* Commands that work on a data directory of this machine. */
#include "cli/cli.h"

static int
absent(struct cli *c)
{
	return out_error(c, err_of(E_NOT_IMPLEMENTED));
}

int
cmd_init(struct cli *c)
{
	return absent(c);
}

int
cmd_serve(struct cli *c)
{
	return absent(c);
}

int
cmd_check(struct cli *c)
{
	return absent(c);
}

int
cmd_key_status(struct cli *c)
{
	return absent(c);
}

int
cmd_key_rotate(struct cli *c)
{
	return absent(c);
}

int
cmd_key_rewrap(struct cli *c)
{
	return absent(c);
}

int
cmd_audit_verify(struct cli *c)
{
	return absent(c);
}
