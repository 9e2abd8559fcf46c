/* runlog.c: what the steps of a run have written. */
#include "base/text.h"
#include "cli/cli.h"

enum { PIECE = 65536 };

/* A piece for people: nothing of it reaches the terminal as a command. */
static err
show_piece(struct cli *c, struct str piece)
{
	struct buf b;
	err e;

	buf_init(&b, piece.n * 8 + 64);
	tty_add(&b, piece, true);
	e = buf_check(&b);
	if (err_ok(e))
		e = out_bytes(1, buf_view(&b), &c->trail);
	buf_done(&b);
	return e;
}

static err
show_all(struct cli *c)
{
	struct str piece;

	for (;;) {
		TRY(client_read(c->client, &c->trail, &piece));
		if (piece.n == 0)
			return OK;
		for (; piece.n > 0; piece = str_skip(piece, PIECE))
			TRY(show_piece(c, str_head(piece, PIECE)));
	}
}

int
cmd_run_log(struct cli *c)
{
	const struct response *head;
	struct request r = {0};
	err e = request_make(c, c->args.command->route, &r);

	if (err_ok(e) && c->json) {
		trail_set(&c->trail, "a log is text: without --json");
		e = err_of(E_USAGE);
	}
	if (err_ok(e))
		e = api_open(c, &r, c->arena, &head);
	if (err_ok(e) && head->status >= 300)
		return api_refused(c, head);
	if (err_ok(e))
		e = show_all(c);
	return err_ok(e) ? EXIT_DONE : out_error(c, e);
}
