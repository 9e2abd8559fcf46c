/* Looking at a data directory or an export: check, audit verify. */
#include "audit/verify.h"

#include "base/text.h"
#include "base/time.h"
#include "cli/cosigned.h"
#include "role/role.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SHOWN_MAX = 1024 * 1024, KEY_MAX = 512 };

/* An export that cannot be mapped (a pipe) is held in memory, up to here. */
static const size_t PIPE_MAX = (size_t)1 << 30;

/* ---- check ---- */

static void
check_json(struct buf *b, const struct check_report *r)
{
	struct jw w;

	jw_init(&w, b);
	jw_obj(&w);
	jw_kbool(&w, "ok", r->faults == 0);
	jw_ki64(&w, "findings", (int64_t)r->faults);
	jw_karr(&w, "items");
	for (size_t i = 0; i < r->n; i++) {
		jw_obj(&w);
		jw_kstr(&w, "check", str_c(r->item[i].check));
		jw_kbool(&w, "ok", r->item[i].ok);
		jw_kbool(&w, "advice", r->item[i].advice);
		jw_kstr(&w, "detail", r->item[i].detail);
		jw_kstr(&w, "fix", r->item[i].fix);
		jw_obj_end(&w);
	}
	jw_arr_end(&w);
	jw_obj_end(&w);
	buf_char(b, '\n');
}

static void
check_text(struct buf *b, const struct check_report *r)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct check_item *it = &r->item[i];
		const char *verdict = it->ok ? "ok"
		    : it->advice	     ? "advice"
					     : "FINDING";

		buf_fmt(b, "%-8s %-20s ", verdict, it->check);
		tty_add(b, it->detail, false);
		if (!it->ok && it->fix.n > 0) {
			buf_fmt(b, "\n%30s", "fix: ");
			tty_add(b, it->fix, false);
		}
		buf_char(b, '\n');
	}
	buf_fmt(b, "%zu findings\n", r->faults);
}

int
cmd_check(struct cli *c)
{
	const char *dir = arena_cstr(c->arena, args_get(&c->args, "data"));
	struct check_report r;
	struct buf b;
	int rc;
	err e = dir == NULL
	    ? err_of(E_NO_MEMORY)
	    : role_check(c->arena, dir, time_now_ms(), &c->trail, &r);

	if (!err_ok(e))
		return out_error(c, e);
	buf_init(&b, SHOWN_MAX);
	if (c->json)
		check_json(&b, &r);
	else
		check_text(&b, &r);
	rc = out_text(c, &b);
	buf_done(&b);
	return rc == EXIT_DONE && r.faults > 0 ? EXIT_BAD : rc;
}

/* ---- audit verify ---- */

static err
trouble(struct cli *c, const char *path)
{
	trail_set(&c->trail, "cannot read %s: %s", path,
	    strerrordesc_np(errno));
	return err_of(errno == ENOENT || errno == ENOTDIR ? E_NOT_FOUND
		: errno == EACCES			  ? E_DENIED
							  : E_IO);
}

static err
read_pipe(struct cli *c, int fd, const char *path, struct buf *b)
{
	char piece[65536];
	ssize_t n;

	while ((n = read(fd, piece, sizeof piece)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return trouble(c, path);
		buf_add(b, piece, (size_t)n);
		if (!b->failed)
			continue;
		trail_set(&c->trail, "%s: write it to a file first", path);
		return err_of(E_TOO_LARGE);
	}
	return OK;
}

/* The public key: itself, or a file that holds it. */
static err
public_key(struct cli *c, struct note_key *ret)
{
	struct str key = args_get(&c->args, "key"), rest;

	if (err_ok(note_key_parse(key, ret)))
		return OK;
	if (err_ok(value_file(c, key, KEY_MAX, &key))) {
		(void)str_cut(key, '\n', &key, &rest);
		if (err_ok(note_key_parse(str_trim(key), ret)))
			return OK;
	}
	c->trail.detail[0] = '\0';
	trail_set(&c->trail,
	    "--key is neither a public key nor a file with "
	    "one");
	return err_of(E_INVALID);
}

static err
verify_mapped(struct cli *c, int fd, const char *path,
    const struct note_key *key, struct audit_verdict *v)
{
	struct stat st;
	struct buf b;
	void *p;
	err e;

	if (fstat(fd, &st) != 0)
		return trouble(c, path);
	if (!S_ISREG(st.st_mode) || st.st_size <= 0) {
		buf_init(&b, PIPE_MAX);
		e = read_pipe(c, fd, path, &b);
		if (err_ok(e))
			e = audit_verify_export(buf_view(&b), key, v);
		buf_done(&b);
		return e;
	}
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return trouble(c, path);
	e = audit_verify_export(str_of(p, (size_t)st.st_size), key, v);
	(void)munmap(p, (size_t)st.st_size);
	return e;
}

/* --key, or the key of the log as a policy names it. */
static err
known_key(struct cli *c, const struct cosigned *k, struct str note,
    struct note_key *ret)
{
	if (args_has(&c->args, "key"))
		return public_key(c, ret);
	return cosigned_log(c, k, note, ret);
}

static err
verify_file(struct cli *c, struct str name, struct cosigned *k,
    struct verify_report *r)
{
	const char *path = arena_cstr(c->arena, name);
	struct str note = STR_NONE;
	struct note_key key;
	struct buf text;
	int fd;
	err e;

	TRY(arena_check(c->arena));
	if (k->asked) {
		TRY(cosigned_export(c, path, &note));
		quorum_ask(&k->q, note, k->since, &k->is);
	}
	r->key_known = args_has(&c->args, "key") || k->q.logs > 0;
	if (r->key_known) {
		TRY(known_key(c, k, note, &key));
		buf_init_on(&text, c->arena, sizeof r->vkey - 1);
		note_key_text(&key, &text);
		TRY(buf_check(&text));
		memcpy(r->vkey, text.p, text.n);
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return trouble(c, path);
	e = verify_mapped(c, fd, path, r->key_known ? &key : NULL, &r->v);
	close(fd);
	return e;
}

static void
verdict_json(struct buf *b, const struct verify_report *r,
    const struct cosigned *k, bool good, bool file)
{
	struct jw w;

	jw_init(&w, b);
	jw_obj(&w);
	jw_kbool(&w, "ok", good);
	jw_ki64(&w, "entries", (int64_t)r->v.entries);
	jw_ki64(&w, "hidden", (int64_t)r->v.hidden);
	jw_ki64(&w, "first", (int64_t)r->v.first);
	jw_ki64(&w, "last", (int64_t)r->v.last);
	jw_ki64(&w, "signed", (int64_t)r->v.signed_size);
	jw_ki64(&w, "bad_seq", (int64_t)r->v.bad_seq);
	jw_ki64(&w, "forks", (int64_t)r->v.forks);
	jw_ki64(&w, "lost", (int64_t)r->v.lost);
	jw_kstr(&w, "what", str_c(r->v.what));
	jw_kstr(&w, "key", str_c(r->vkey));
	jw_kbool(&w, "key_checked", r->key_known);
	if (file) {
		jw_kstr(&w, "format", str_c(export_format_name(r->v.format)));
		jw_kbool(&w, "manifest", r->v.manifest);
		jw_kstr(&w, "by", str_c(r->v.by));
	}
	cosigned_json(k, &w);
	jw_obj_end(&w);
	buf_char(b, '\n');
}

static void
verdict_text(struct buf *b, const struct verify_report *r,
    const struct cosigned *k, bool good)
{
	const struct audit_verdict *v = &r->v;

	buf_c(b, good ? "good" : "BAD");
	if (!good && v->bad_seq > 0)
		buf_fmt(b, ": entry %llu", (unsigned long long)v->bad_seq);
	if (v->what[0] != '\0') {
		buf_c(b, ": ");
		tty_add(b, str_c(v->what), false);
	}
	buf_fmt(b,
	    "\nentries  %llu, from %llu to %llu, %llu as hashes only\n"
	    "signed   up to entry %llu\n",
	    (unsigned long long)v->entries, (unsigned long long)v->first,
	    (unsigned long long)v->last, (unsigned long long)v->hidden,
	    (unsigned long long)v->signed_size);
	if (v->forks > 0)
		buf_fmt(b,
		    "forks    %llu: %llu entries that were signed before are "
		    "not here\n",
		    (unsigned long long)v->forks, (unsigned long long)v->lost);
	if (r->vkey[0] != '\0') {
		buf_c(b, "key      ");
		tty_add(b, str_c(r->vkey), false);
		buf_char(b, '\n');
	}
	if (v->manifest) {
		buf_fmt(b, "export   %s, by ", export_format_name(v->format));
		tty_add(b, str_c(v->by), false);
		buf_char(b, '\n');
	}
	if (!r->key_known)
		buf_c(b, "whose key it is was not checked\n");
	cosigned_text(k, b);
}

int
cmd_audit_verify(struct cli *c)
{
	struct str dir = args_get(&c->args, "data");
	struct str file = args_get(&c->args, "file");
	struct verify_report r = {.vkey = ""};
	struct cosigned *k = ARENA_NEW(c->arena, struct cosigned);
	struct buf b;
	bool good;
	int rc;
	err e = arena_check(c->arena);

	if (err_ok(e))
		e = cosigned_wanted(c, k);
	if (!err_ok(e))
		return out_error(c, e);
	if ((dir.p == NULL) == (file.p == NULL) ||
	    (dir.p != NULL && (args_has(&c->args, "key") || k->asked))) {
		trail_set(&c->trail,
		    "either --data DIR, or --file EXPORT "
		    "and perhaps --key and --witness");
		return out_error(c, err_of(E_USAGE));
	}
	if (file.p != NULL)
		e = verify_file(c, file, k, &r);
	else
		e = role_audit_verify(arena_cstr(c->arena, dir), &c->trail, &r);
	if (!err_ok(e) && (!err_is(e, E_BAD_ANSWER) || r.v.what[0] == '\0'))
		return out_error(c, e);
	good = err_ok(e) && (!k->asked || k->is.met);
	buf_init(&b, SHOWN_MAX);
	if (c->json)
		verdict_json(&b, &r, k, good, file.p != NULL);
	else
		verdict_text(&b, &r, k, good);
	rc = out_text(c, &b);
	buf_done(&b);
	return rc == EXIT_DONE && !good ? EXIT_BAD : rc;
}
