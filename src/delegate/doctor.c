#include "delegate/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "delegate/probe.h"

enum { PATIENCE_S = 20 };

static const struct {
	const char *name, *what;
	enum doctor_need need;
	probe_fn *run;
} probes[DOCTOR_PROBES] = {
#define REQUIRED DOCTOR_REQUIRED
#define OPTIONAL DOCTOR_OPTIONAL
#define TOLD DOCTOR_TOLD
#define PROBE(name, need, what) {#name, what, need, probe_##name},
#include "delegate/doctor.def"
#undef PROBE
#undef REQUIRED
#undef OPTIONAL
#undef TOLD
};

const char *
doctor_level_name(enum doctor_level l)
{
	static const char *const names[] = {"none", "degraded", "full"};

	return names[l];
}

const char *
doctor_need_name(enum doctor_need n)
{
	static const char *const names[] = {"required", "optional", "told"};

	return names[n];
}

struct answer {
	bool ok;
	char detail[DOCTOR_DETAIL];
};

static _Noreturn void
answer(size_t i, int to)
{
	struct answer a = {false, ""};

	(void)alarm(PATIENCE_S);
	errno = 0;
	a.ok = probes[i].run(a.detail, sizeof a.detail);
	if (!a.ok && a.detail[0] == 0)
		(void)snprintf(a.detail, sizeof a.detail, "%s",
		    errno != 0 ? strerror(errno) : "no");
	(void)!write(to, &a, sizeof a);
	_exit(0);
}

/* In a child: what it gives up, and what kills it, stays there. */
static void
ask(size_t i, struct answer *ret)
{
	int pair[2];
	pid_t pid;

	*ret = (struct answer){false, "could not be tried"};
	if (pipe2(pair, O_CLOEXEC) != 0)
		return;
	pid = fork();
	if (pid == 0) {
		(void)close(pair[0]);
		answer(i, pair[1]);
	}
	(void)close(pair[1]);
	if (pid > 0) {
		struct answer a;

		if (read(pair[0], &a, sizeof a) == (ssize_t)sizeof a)
			*ret = a;
		else
			*ret = (struct answer){false, "it was killed"};
		(void)waitpid(pid, NULL, 0);
	}
	(void)close(pair[0]);
}

void
doctor_run(struct doctor *ret)
{
	memset(ret, 0, sizeof *ret);
	for (size_t i = 0; i < DOCTOR_PROBES; i++) {
		struct doctor_row *r = &ret->rows[i];
		struct answer a;

		ask(i, &a);
		r->name = probes[i].name;
		r->what = probes[i].what;
		r->need = probes[i].need;
		r->ok = a.ok;
		memcpy(r->detail, a.detail, sizeof r->detail);
		r->detail[sizeof r->detail - 1] = 0;
		ret->required_missing += r->need == DOCTOR_REQUIRED && !r->ok;
		ret->optional_missing += r->need == DOCTOR_OPTIONAL && !r->ok;
	}
	ret->level = ret->required_missing > 0 ? DOCTOR_NONE
	    : ret->optional_missing > 0	       ? DOCTOR_DEGRADED
					       : DOCTOR_FULL;
}

void
doctor_json(const struct doctor *d, struct jw *w)
{
	jw_obj(w);
	jw_ki64(w, "v", 1);
	jw_kstr(w, "level", str_c(doctor_level_name(d->level)));
	jw_karr(w, "missing");
	for (size_t i = 0; i < DOCTOR_PROBES; i++)
		if (!d->rows[i].ok && d->rows[i].need != DOCTOR_TOLD)
			jw_str(w, str_c(d->rows[i].name));
	jw_arr_end(w);
	jw_karr(w, "probes");
	for (size_t i = 0; i < DOCTOR_PROBES; i++) {
		const struct doctor_row *r = &d->rows[i];

		jw_obj(w);
		jw_kstr(w, "name", str_c(r->name));
		jw_kstr(w, "need", str_c(doctor_need_name(r->need)));
		jw_kbool(w, "ok", r->ok);
		jw_kstr(w, "detail", str_c(r->detail));
		jw_obj_end(w);
	}
	jw_arr_end(w);
	jw_obj_end(w);
}

static const char *
verdict(const struct doctor_row *r)
{
	if (r->ok)
		return r->need == DOCTOR_TOLD ? "yes" : "ok";
	return r->need == DOCTOR_REQUIRED ? "MISSING"
	    : r->need == DOCTOR_OPTIONAL  ? "missing"
					  : "no";
}

void
doctor_text(const struct doctor *d, struct buf *out)
{
	for (size_t i = 0; i < DOCTOR_PROBES; i++) {
		const struct doctor_row *r = &d->rows[i];

		buf_fmt(out, "%-8s %-9s %-18s %s", verdict(r),
		    doctor_need_name(r->need), r->name, r->what);
		if (r->detail[0] != 0)
			buf_fmt(out, ": %s", r->detail);
		buf_char(out, '\n');
	}
	buf_fmt(out, "\nlevel %s", doctor_level_name(d->level));
	if (d->level == DOCTOR_NONE)
		buf_c(out,
		    ": no script can run here; steps through a connector can");
	else if (d->level == DOCTOR_DEGRADED)
		buf_c(out, ": scripts run, with a layer less");
	buf_char(out, '\n');
}
