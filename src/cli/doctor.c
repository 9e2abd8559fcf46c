/* delegate doctor: what this host has of a sandbox; see delegate/doctor.h. */
#include "delegate/doctor.h"

#include "cli/cli.h"

enum { SHOWN_MAX = 65536 };

int
cmd_delegate_doctor(struct cli *c)
{
	static struct doctor d;
	struct buf b;
	struct jw w;
	int rc;

	doctor_run(&d);
	buf_init(&b, SHOWN_MAX);
	if (c->json) {
		jw_init(&w, &b);
		doctor_json(&d, &w);
		buf_char(&b, '\n');
	} else {
		doctor_text(&d, &b);
	}
	rc = out_text(c, &b);
	buf_done(&b);
	if (rc != 0 || d.level != DOCTOR_NONE)
		return rc;
	return err_exit(err_of(E_BAD_ANSWER));
}
