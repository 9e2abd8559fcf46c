/* audit export, keygen and open, and the answers that are text in C2SP form. */
#include "base/limits.h"
#include "base/rand.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/sealing.h"
#include "seal/parcel.h"

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

/* ---- exports sealed to somebody ---- */

/* The public key is shown, the other one is written, for its owner only. */
static err
keygen(struct cli *c, struct str to, struct buf *shown)
{
	struct sink s = {.fd = -1};
	struct secret *sk = NULL;
	uint8_t pk[HPKE_KEY];
	struct buf text;
	struct jw w;
	err e;

	TRY(hpke_key_new(&sk, pk));
	buf_init_on(&text, c->arena, 256);
	parcel_secret_text(secret_view(sk), &text);
	sk = secret_free(sk);
	buf_char(&text, '\n');
	e = buf_check(&text);
	if (err_ok(e))
		e = sink_open(c, to, &s);
	if (err_ok(e))
		e = sink_done(c, &s,
		    out_bytes(s.fd, buf_view(&text), &c->trail));
	sealing_wipe(buf_view(&text));
	TRY(e);
	if (!c->json) {
		parcel_public_text(pk, shown);
		buf_char(shown, '\n');
		return OK;
	}
	buf_init_on(&text, c->arena, 256);
	parcel_public_text(pk, &text);
	jw_init(&w, shown);
	jw_obj(&w);
	jw_kstr(&w, "recipient", buf_view(&text));
	jw_obj_end(&w);
	buf_char(shown, '\n');
	return OK;
}

int
cmd_audit_keygen(struct cli *c)
{
	struct buf b;
	int rc;
	err e;

	buf_init(&b, 4096);
	e = keygen(c, args_get(&c->args, "to"), &b);
	rc = err_ok(e) ? out_text(c, &b) : out_error(c, e);
	buf_done(&b);
	return rc;
}

/* The two pieces: what is behind one says whether it was the last. */
struct opening {
	struct parcel *p;
	int fd;
	const char *path;
	size_t at, n[2]; /* which is the older one */
	char piece[2][PARCEL_PIECE];
	uint8_t plain[PARCEL_CHUNK];
};

static err
fill(struct cli *c, struct opening *o, char *p, size_t max, size_t *ret_n)
{
	size_t n = 0;

	while (n < max) {
		ssize_t got = read(o->fd, p + n, max - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			trail_set(&c->trail, "cannot read %s: %s", o->path,
			    strerrordesc_np(errno));
			return err_of(E_IO);
		}
		if (got == 0)
			break;
		n += (size_t)got;
	}
	*ret_n = n;
	return OK;
}

static err
pieces(struct cli *c, struct opening *o, struct sink *s)
{
	TRY(fill(c, o, o->piece[0], PARCEL_PIECE, &o->n[0]));
	for (;;) {
		size_t at = o->at, other = at ^ 1, n = o->n[at];
		struct str piece = str_of(o->piece[at], n);

		TRY(fill(c, o, o->piece[other], PARCEL_PIECE, &o->n[other]));
		TRY(parcel_next(o->p, piece, o->n[other] == 0, o->plain));
		piece = str_of((char *)o->plain, n - HPKE_TAG);
		TRY(out_bytes(s->fd, piece, &c->trail));
		s->bytes += piece.n;
		for (size_t i = 0; i < piece.n; i++)
			s->lines += piece.p[i] == '\n';
		if (o->n[other] == 0)
			return OK;
		o->at = other;
	}
}

static err
open_head(struct cli *c, struct opening *o)
{
	char head[PARCEL_HEAD];
	uint8_t sk[HPKE_KEY];
	struct str key, line, rest;
	size_t n;
	bool good;
	err e;

	TRY(value_file(c, args_get(&c->args, "key"), 256, &key));
	(void)str_cut(key, '\n', &line, &rest);
	good = parcel_secret_parse(line, sk);
	sealing_wipe(key);
	if (!good) {
		trail_set(&c->trail,
		    "--key: no secret key of redoubt audit keygen");
		return err_of(E_INVALID);
	}
	e = fill(c, o, head, sizeof head, &n);
	if (err_ok(e))
		e = parcel_open(sk, str_of(head, n), &o->p);
	sealing_wipe(str_of((char *)sk, sizeof sk));
	if (err_is(e, E_INVALID))
		trail_set(&c->trail, "%s is no sealed export", o->path);
	else if (err_is(e, E_CORRUPT))
		trail_set(&c->trail, "%s is not sealed to this key", o->path);
	return e;
}

static err
open_to(struct cli *c, struct opening *o, struct sink *s)
{
	err e;

	o->path = arena_cstr(c->arena, args_get(&c->args, "FILE"));
	TRY(arena_check(c->arena));
	o->fd = open(o->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (o->fd < 0) {
		trail_set(&c->trail, "cannot read %s: %s", o->path,
		    strerrordesc_np(errno));
		return err_of(errno == ENOENT ? E_NOT_FOUND : E_IO);
	}
	TRY(open_head(c, o));
	TRY(sink_open(c, args_get(&c->args, "to"), s));
	e = pieces(c, o, s);
	if (err_is(e, E_CORRUPT))
		trail_set(&c->trail,
		    "%s was changed or cut off behind %llu bytes", o->path,
		    (unsigned long long)s->bytes);
	return sink_done(c, s, e);
}

int
cmd_audit_open(struct cli *c)
{
	struct opening *o = ARENA_NEW(c->arena, struct opening);
	struct sink s = {.fd = -1};
	err e;

	if (o == NULL)
		return out_error(c, err_of(E_NO_MEMORY));
	o->fd = -1;
	e = open_to(c, o, &s);
	o->p = parcel_free(o->p);
	if (o->fd >= 0)
		close(o->fd);
	if (!err_ok(e))
		return out_error(c, e);
	return s.path == NULL ? EXIT_DONE : summary(c, &s);
}

/* ---- texts ---- */

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
