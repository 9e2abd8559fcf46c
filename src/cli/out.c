#include "base/text.h"
#include "cli/cli.h"
#include "cli/view.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 16384 };

err
out_bytes(int fd, struct str s, struct trail *t)
{
	while (s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			trail_set(t, "cannot write: %s",
			    strerrordesc_np(errno));
			return err_of(errno == ENOSPC ? E_NO_SPACE : E_IO);
		}
		s = str_skip(s, (size_t)n);
	}
	return OK;
}

int
out_text(struct cli *c, const struct buf *b)
{
	err e = buf_check(b);

	if (err_ok(e))
		e = out_bytes(STDOUT_FILENO, buf_view(b), &c->trail);
	if (err_ok(e))
		return EXIT_DONE;
	/* A reader that has seen enough (head, less) is no failure to tell. */
	if (err_is(e, E_IO) && errno == EPIPE)
		return EXIT_FAILED;
	(void)out_error(c, e);
	return EXIT_FAILED;
}

int
out_answer(struct cli *c, err e, struct str text, size_t most,
    const struct json **ret)
{
	struct buf b;
	int rc;

	if (err_ok(e))
		e = answer_parse(c->arena, text, &c->trail, ret);
	if (!err_ok(e))
		return out_error(c, e);
	buf_init(&b, most);
	if (c->json) {
		json_show(&b, *ret, 0);
		buf_char(&b, '\n');
	} else {
		detail_show(&b, *ret);
	}
	rc = out_text(c, &b);
	buf_done(&b);
	return rc;
}

int
out_named(struct cli *c, const char *name, struct str text)
{
	struct buf b;
	struct jw w;
	int rc;

	buf_init(&b, text.n * 6 + 256);
	if (c->json) {
		jw_init(&w, &b);
		jw_obj(&w);
		jw_name(&w, str_c(name));
		jw_str(&w, text);
		jw_obj_end(&w);
		buf_char(&b, '\n');
	} else {
		buf_str(&b, text);
	}
	rc = out_text(c, &b);
	buf_done(&b);
	return rc;
}

/* One line on standard error, whole or not at all. */
static void
out_line(struct buf *b)
{
	struct trail ignored = {0};

	buf_char(b, '\n');
	if (!b->failed)
		err_ignore(out_bytes(STDERR_FILENO, buf_view(b), &ignored),
		    "there is nowhere left to tell it");
	buf_done(b);
}

int
out_error(struct cli *c, err e)
{
	struct buf b;

	buf_init(&b, LINE_MAX_BYTES);
	buf_c(&b, "redoubt: ");
	buf_c(&b, err_text(e));
	if (c->trail.detail[0] != '\0') {
		buf_c(&b, ": ");
		tty_add(&b, str_c(c->trail.detail), false);
	}
	buf_fmt(&b, " (%s)", err_name(e));
	if (err_is(e, E_USAGE)) {
		const struct row *r = c->args.command;
		const char *of = r != NULL ? r->name : c->args.group;

		buf_fmt(&b, "\ntry: redoubt %s%s--help", of == NULL ? "" : of,
		    of == NULL ? "" : " ");
	}
	out_line(&b);
	return err_exit(e);
}

void
out_note(struct cli *c, const char *fmt, ...)
{
	char t[1024];
	struct buf b;
	va_list ap;
	int n;

	(void)c;
	va_start(ap, fmt);
	n = vsnprintf(t, sizeof t, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	buf_init(&b, LINE_MAX_BYTES);
	buf_c(&b, "redoubt: ");
	tty_add(&b, str_c(t), false);
	out_line(&b);
}
