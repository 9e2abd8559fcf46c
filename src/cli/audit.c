/* audit export, and the answers that are text in C2SP form. */
#include "base/limits.h"
#include "base/rand.h"
#include "base/text.h"
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { TEXT_MAX = 1024 * 1024, NAME_RANDOM = 12 };

/* Where the export goes, and how much went there. */
struct sink {
	int fd;
	const char *path;      /* NULL: standard output */
	const char *temporary; /* until it is whole */
	uint64_t bytes, lines;
};

static err
sink_open(struct cli *c, struct str path, struct sink *s)
{
	char random[NAME_RANDOM];
	struct buf b;

	s->fd = STDOUT_FILENO;
	if (path.p == NULL)
		return OK;
	s->path = arena_cstr(c->arena, path);
	TRY(arena_check(c->arena));
	if (access(s->path, F_OK) == 0) {
		trail_set(&c->trail, "%s", s->path);
		return err_of(E_EXISTS);
	}
	rand_base62(random, sizeof random);
	buf_init_on(&b, c->arena, 8192);
	buf_str(&b, path);
	buf_c(&b, ".part-");
	buf_add(&b, random, sizeof random);
	buf_char(&b, '\0');
	TRY(buf_check(&b));
	s->temporary = b.p;
	s->fd = open(b.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	if (s->fd >= 0)
		return OK;
	trail_set(&c->trail, "cannot write %s: %s", s->path,
	    strerrordesc_np(errno));
	return err_of(E_INVALID);
}

/* A whole file appears under its name, or none does; link(2) refuses to
 * replace one that has appeared in the meantime. */
static err
sink_done(struct cli *c, struct sink *s, err e)
{
	if (s->temporary == NULL || s->fd < 0)
		return e;
	if (err_ok(e) &&
	    (fsync(s->fd) != 0 || link(s->temporary, s->path) != 0)) {
		e = err_of(errno == EEXIST ? E_EXISTS : E_IO);
		trail_set(&c->trail, "cannot write %s: %s", s->path,
		    strerrordesc_np(errno));
	}
	close(s->fd);
	(void)unlink(s->temporary);
	return e;
}

static err
copy(struct cli *c, struct sink *s)
{
	struct str piece;

	for (;;) {
		TRY(client_read(c->client, &c->trail, &piece));
		if (piece.n == 0)
			return OK;
		TRY(out_bytes(s->fd, piece, &c->trail));
		s->bytes += piece.n;
		for (size_t i = 0; i < piece.n; i++)
			s->lines += piece.p[i] == '\n';
	}
}

static int
summary(struct cli *c, const struct sink *s)
{
	struct buf b;
	struct jw w;
	int rc;

	buf_init(&b, 16384);
	if (c->json) {
		jw_init(&w, &b);
		jw_obj(&w);
		jw_kstr(&w, "file", str_c(s->path));
		jw_ki64(&w, "bytes", (int64_t)s->bytes);
		jw_ki64(&w, "lines", (int64_t)s->lines);
		jw_obj_end(&w);
	} else {
		tty_add(&b, str_c(s->path), false);
		buf_fmt(&b, ": %llu lines, %llu bytes",
		    (unsigned long long)s->lines, (unsigned long long)s->bytes);
	}
	buf_char(&b, '\n');
	rc = out_text(c, &b);
	buf_done(&b);
	return rc;
}

static err
export_to(struct cli *c, struct sink *s, int *ret_rc)
{
	const struct response *head;
	struct request r;
	err e;

	TRY(request_make(c, CLI_ROUTE_audit_export, &r));
	r.stream = true;
	r.accept = STR("*/*");
	TRY(api_open(c, &r, c->arena, &head));
	if (head->status != 200) {
		*ret_rc = api_refused(c, head);
		return OK;
	}
	TRY(sink_open(c, args_get(&c->args, "to"), s));
	e = sink_done(c, s, copy(c, s));
	if (err_ok(e) && s->path != NULL)
		*ret_rc = summary(c, s);
	return e;
}

int
cmd_audit_export(struct cli *c)
{
	struct str to = args_get(&c->args, "to");
	struct sink s = {.fd = -1};
	int rc = EXIT_DONE;
	err e = OK;

	if (c->json && to.p == NULL) {
		trail_set(&c->trail,
		    "an export is no JSON document: use --to FILE "
		    "with --json");
		e = err_of(E_USAGE);
	} else if (to.p != NULL) {
		const char *path = arena_cstr(c->arena, to);

		if (path == NULL || access(path, F_OK) == 0) {
			trail_set(&c->trail, "%.*s", STR_ARG(to));
			e = err_of(E_EXISTS);
		}
	}
	if (err_ok(e))
		e = export_to(c, &s, &rc);
	return err_ok(e) ? rc : out_error(c, e);
}

/* Signed notes and proofs are text; every byte counts when they are kept,
 * so only what a terminal must not see is shown differently. */
int
cmd_audit_text(struct cli *c)
{
	const struct response *head;
	struct request r;
	struct buf text, safe;
	int rc = EXIT_DONE;
	err e;

	buf_init(&text, TEXT_MAX);
	buf_init(&safe, 8 * (size_t)TEXT_MAX);
	e = request_make(c, c->args.command->route, &r);
	r.accept = STR("text/plain, application/problem+json");
	if (err_ok(e))
		e = api_open(c, &r, c->arena, &head);
	if (err_ok(e) && head->status >= 300) {
		rc = api_refused(c, head);
	} else if (err_ok(e)) {
		e = client_body(c->client, &c->trail, &text);
		tty_add(&safe, buf_view(&text), true);
		if (err_ok(e))
			rc = out_named(c, "text", buf_view(&safe));
	}
	buf_done(&safe);
	buf_done(&text);
	return err_ok(e) ? rc : out_error(c, e);
}
