/*
 * The sandbox as the delegate uses it: real steps, real kills.  Root starts
 * it with a uid of the pool for each step, anybody else with its own uid;
 * tests/attack/t_escape* does both.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/time.h"
#include "delegate/sandbox.h"
#include "tests/t.h"

static struct zygote *zygote;

static const struct str sh[] = {{"/bin/sh", 7}, {SANDBOX_SCRIPT, 12}};

struct ran {
	struct sandbox_event end;
	char out[65536], err[4096], outputs[4096];
	size_t out_n, err_n, outputs_n;
	bool started;
};

static size_t
drain(int fd, char *p, size_t max)
{
	size_t n = 0;
	ssize_t got;

	while (n < max && (got = read(fd, p + n, max - n)) > 0)
		n += (size_t)got;
	return n;
}

/* Run to the end; what it wrote must fit the pipes. */
static void
run(const struct sandbox_spec *s, struct ran *r)
{
	struct sandbox_event ev = {.what = SANDBOX_STARTED};
	struct trail t = {{0}};
	struct sandbox b;
	err e = zygote_run(zygote, s, &t, &b);

	memset(r, 0, sizeof *r);
	r->end.end = SANDBOX_ENDS;
	if (!err_ok(e)) {
		T_FAIL("zygote_run: %s: %s", err_name(e), t.detail);
		return;
	}
	while (ev.what != SANDBOX_ENDED) {
		e = sandbox_next(&b, 30000, &ev);
		if (!err_ok(e)) {
			T_FAIL("sandbox_next: %s", err_name(e));
			break;
		}
		r->started |= ev.what == SANDBOX_STARTED;
		if (ev.egress >= 0)
			(void)close(ev.egress);
	}
	r->end = ev;
	r->out_n = drain(b.out, r->out, sizeof r->out);
	r->err_n = drain(b.err, r->err, sizeof r->err);
	if (ev.outputs >= 0) {
		r->outputs_n = drain(ev.outputs, r->outputs, sizeof r->outputs);
		(void)close(ev.outputs);
	}
	sandbox_done(&b);
}

static struct sandbox_spec
script(const char *text)
{
	return (struct sandbox_spec){.id = STR("t-1"),
	    .profile = SANDBOX_INTERP,
	    .argv = sh,
	    .argv_n = 2,
	    .script = str_c(text)};
}

static struct str
out_of(const struct ran *r)
{
	return str_of(r->out, r->out_n);
}

TEST(start)
{
	struct zygote_conf c = {0};
	struct trail t = {{0}};
	err e = zygote_start(&c, &t, &zygote);

	if (!err_ok(e)) {
		T_FAIL("zygote_start: %s: %s", err_name(e), t.detail);
		exit(1);
	}
	printf("# level %s, uid %u\n", zygote_level(zygote), geteuid());
}

TEST(a_script_runs_and_tells)
{
	struct sandbox_spec s = script("echo hello; echo bad >&2; id; exit 7");
	struct ran r;

	run(&s, &r);
	T_OK(r.started);
	T_EQ_INT(r.end.end, SANDBOX_EXITED);
	T_EQ_INT(r.end.status, 7);
	T_EQ_STR(out_of(&r),
	    STR("hello\nuid=1000(step) gid=1000(step) groups=1000(step)\n"));
	printf("# %s %s wall %lld\n", r.end.detail.detail, r.err,
	    (long long)r.end.wall_ms);
}

TEST(stop)
{
	zygote = zygote_stop(zygote);
}

T_MAIN
