/* Looking at what was destroyed, offline: retention verify. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/destroyed.h"
#include "audit/verify.h"
#include "base/text.h"
#include "cli/cli.h"

enum { REPORT_MAX = 256 * 1024 * 1024, SHOWN = 4096 };
static const size_t WORK = (size_t)1 << 30;

static err
mapped(struct cli *c, const char *path, struct str *ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;
	void *p = MAP_FAILED;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_size > 0)
		p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd,
		    0);
	if (fd >= 0)
		(void)close(fd);
	if (p == MAP_FAILED) {
		trail_set(&c->trail, "cannot read %s", path);
		return err_of(E_NOT_FOUND);
	}
	*ret = str_of(p, (size_t)st.st_size);
	return OK;
}

static err
key_of(struct cli *c, struct note_key *ret, bool *ret_known)
{
	*ret_known = args_has(&c->args, "key");
	if (*ret_known &&
	    !err_ok(note_key_parse(args_get(&c->args, "key"), ret))) {
		trail_set(&c->trail, "--key is no public key of a log");
		return err_of(E_INVALID);
	}
	return OK;
}

/* The export first: what its entries commit to counts only if they are as
 * they were signed. */
static err
both(struct cli *c, struct arena *a, struct str log,
    struct destroyed_verdict *v, bool *ret_known)
{
	struct audit_verdict whole = {.what = ""};
	struct note_key key;
	struct str report;
	err e;

	TRY(key_of(c, &key, ret_known));
	e = audit_verify_export(log, *ret_known ? &key : NULL, &whole);
	if (err_is(e, E_BAD_ANSWER) && whole.what[0] != '\0') {
		v->bad_seq = whole.bad_seq;
		(void)memcpy(v->what, whole.what, sizeof v->what);
		return e;
	}
	TRY(e);
	TRY(value_file(c, args_get(&c->args, "file"), REPORT_MAX, &report));
	e = audit_destroyed(a, report, log, v);
	if (err_ok(e) || err_is(e, E_BAD_ANSWER) || err_is(e, E_NO_MEMORY))
		return e;
	trail_set(&c->trail, "--file is no report of destructions");
	return err_of(E_INVALID);
}

static void
show(struct cli *c, struct buf *b, const struct destroyed_verdict *v, bool good,
    bool known)
{
	struct jw w;

	if (c->json) {
		jw_init(&w, b);
		jw_obj(&w);
		jw_kbool(&w, "ok", good);
		jw_ki64(&w, "rows", (int64_t)v->rows);
		jw_ki64(&w, "bound", (int64_t)v->bound);
		jw_ki64(&w, "others", (int64_t)v->others);
		jw_ki64(&w, "bad_seq", (int64_t)v->bad_seq);
		jw_kstr(&w, "what", str_c(v->what));
		jw_kbool(&w, "key_checked", known);
		jw_obj_end(&w);
		buf_char(b, '\n');
		return;
	}
	buf_c(b, good ? "good" : "BAD");
	if (!good) {
		buf_fmt(b, ": entry %llu: ", (unsigned long long)v->bad_seq);
		tty_add(b, str_c(v->what), false);
	}
	buf_fmt(b,
	    "\nrows     %llu, %llu bound to entries of the log\n"
	    "others   %llu destructions in the export only\n",
	    (unsigned long long)v->rows, (unsigned long long)v->bound,
	    (unsigned long long)v->others);
	if (!known)
		buf_c(b, "whose key it is was not checked\n");
}

int
cmd_retention_verify(struct cli *c)
{
	const char *path = arena_cstr(c->arena, args_get(&c->args, "log"));
	struct destroyed_verdict v = {.what = ""};
	struct arena a;
	struct str log;
	bool known = false;
	struct buf b;
	int rc;
	err e = path == NULL ? err_of(E_NO_MEMORY) : mapped(c, path, &log);

	if (!err_ok(e))
		return out_error(c, e);
	arena_init(&a, WORK);
	e = both(c, &a, log, &v, &known);
	arena_done(&a);
	(void)munmap((void *)(uintptr_t)log.p, log.n);
	if (!err_ok(e) && !err_is(e, E_BAD_ANSWER))
		return out_error(c, e);
	buf_init(&b, SHOWN);
	show(c, &b, &v, err_ok(e), known);
	rc = out_text(c, &b);
	buf_done(&b);
	return rc == EXIT_DONE && !err_ok(e) ? EXIT_BAD : rc;
}
