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
#include <sys/socket.h>
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
	T_EQ_INT(r.end.signal, 0);
	T_OK(r.end.memory > 0);
	T_EQ_STR(str_head(out_of(&r), 26), STR("hello\nuid=1000(step) gid=1"));
	T_EQ_STR(str_of(r.err, r.err_n), STR("bad\n"));
}

TEST(what_it_sees)
{
	struct sandbox_spec s =
	    script("pwd; ls -a / | grep -v lib; ls /dev /job /step; "
		   "hostname; test -d /proc/1 || echo alone; "
		   "echo x > /usr/x; echo x > /x; cat");
	struct ran r;

	s.limits.work_mb = 1;
	run(&s, &r);
	T_EQ_STR(out_of(&r),
	    STR("/job\n.\n..\nbin\ndev\netc\njob\nproc\n"
		"sbin\nstep\ntmp\nusr\n"
		"/dev:\nfd\nnull\nstderr\nstdin\nstdout\nurandom\nzero\n\n"
		"/job:\n\n/step:\nscript\nstep\nalone\n"));
}

/* Its memory is the first to go, and is in no dump, not even in one that a
 * program of the host takes. */
TEST(what_the_kernel_does_with_it)
{
	struct sandbox_spec s = script("cat /proc/self/oom_score_adj "
				       "/proc/self/coredump_filter; ulimit -c;"
				       "ulimit -n; kill -SEGV $$");
	struct ran r;

	run(&s, &r);
	T_OK(str_starts(out_of(&r), STR("500\n00000000\n0\n256\n")));
	T_EQ_INT(r.end.end, SANDBOX_SIGNALLED);
	T_EQ_INT(r.end.signal, SIGSEGV);
}

TEST(arguments_are_never_shell_text)
{
	const struct str argv[] = {STR("/bin/sh"), STR(SANDBOX_SCRIPT),
	    STR("$(touch /job/p)"), STR("`id`;id"), STR("${HOME} *"),
	    STR("a\nb"), STR("-x"), STR("")};
	struct sandbox_spec s = script("for a; do echo \"<$a>\"; done; ls");
	struct ran r;

	s.argv = argv;
	s.argv_n = sizeof argv / sizeof *argv;
	run(&s, &r);
	T_EQ_STR(out_of(&r),
	    STR("<$(touch /job/p)>\n<`id`;id>\n<${HOME} *>\n<a\nb>\n<-x>\n"
		"<>\n"));
}

TEST(the_environment_is_what_it_was_given)
{
	const struct str env[] = {STR("TARGET=db-1"), STR("EMPTY=")};
	const struct str argv[] = {STR("/usr/bin/env")};
	struct sandbox_spec s = script("");
	struct ran r;

	(void)setenv("LEAKED", "yes", 1);
	s.argv = argv;
	s.argv_n = 1;
	s.env = env;
	s.env_n = 2;
	run(&s, &r);
	T_EQ_STR(out_of(&r),
	    STR("TARGET=db-1\nEMPTY=\nREDOUBT_STEP=t-1\n"
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:"
		"/bin\nLANG=C.UTF-8\nHOME=/job\nTMPDIR=/job\n"));
}

TEST(variables_that_run_programs_are_refused)
{
	static const char *const bad[] = {"LD_PRELOAD=/job/x.so",
	    "BASH_ENV=/job/x", "ENV=/job/x", "PYTHONSTARTUP=/job/x.py",
	    "GIT_SSH_COMMAND=id", "PATH=/job", "HTTPS_PROXY=x", "1A=b", "A",
	    "A B=c", "=x", "REDOUBT_STEP=other", "BASH_FUNC_ls%%=() { id; }"};
	struct sandbox_spec s = script("true");
	struct trail t = {{0}};
	struct sandbox b;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct str v = str_c(bad[i]);

		s.env = &v;
		s.env_n = 1;
		T_ERR(zygote_run(zygote, &s, &t, &b), E_INVALID);
		T_EQ_INT(b.control, -1);
	}
}

TEST(secrets_are_read_once_from_their_descriptors)
{
	const struct str secrets[] = {STR("first-value"), STR(""),
	    STR("third\nvalue")};
	struct sandbox_spec s =
	    script("cat <&3; echo .; cat <&4; echo .; cat <&5; echo .;"
		   "cat <&3; echo .; env | grep -c value;"
		   "tr '\\0' '\\n' </proc/self/cmdline | grep -c first;"
		   "ls /proc/self/fd | tr '\\n' ' '");
	struct ran r;

	s.secrets = secrets;
	s.secrets_n = 3;
	run(&s, &r);
	T_EQ_STR(out_of(&r),
	    STR("first-value.\n.\nthird\nvalue.\n.\n0\n0\n0 1 2 3 4 5 6 "));
}

TEST(a_large_secret_arrives_whole)
{
	static char big[SANDBOX_SECRET + 1];
	struct str secret = {big, SANDBOX_SECRET};
	struct sandbox_spec s = script("wc -c <&3");
	struct trail t = {{0}};
	struct sandbox b;
	struct ran r;

	memset(big, 's', sizeof big);
	s.secrets = &secret;
	s.secrets_n = 1;
	run(&s, &r);
	T_EQ_STR(out_of(&r), STR("61440\n"));
	secret.n++;
	T_ERR(zygote_run(zygote, &s, &t, &b), E_INVALID);
}

TEST(outputs_are_taken)
{
	struct sandbox_spec s = script("echo '{\"a\":1}' > outputs.json");
	struct ran r;

	run(&s, &r);
	T_EQ_INT(r.end.outputs_kind, SANDBOX_OUTPUTS);
	T_EQ_STR(str_of(r.outputs, r.outputs_n), STR("{\"a\":1}\n"));
	T_EQ_INT(r.end.outputs_n, 8);
	s = script("true");
	run(&s, &r);
	T_EQ_INT(r.end.outputs_kind, SANDBOX_NO_OUTPUTS);
}

TEST(outputs_that_are_no_file_of_their_own_are_not)
{
	static const struct {
		const char *text, *detail;
	} bad[] = {
	    {"ln -s /proc/self/status outputs.json",
		"outputs.json cannot be read: a symbolic link"},
	    {"echo x > x; ln x outputs.json", "outputs.json has other names"},
	    {"mkfifo outputs.json", "outputs.json is no regular file"},
	    {"mkdir outputs.json", "outputs.json is no regular file"},
	    {"head -c 2000 /dev/zero > outputs.json",
		"outputs.json is too large"},
	};
	struct ran r;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct sandbox_spec s = script(bad[i].text);

		s.limits.outputs_kb = 1;
		run(&s, &r);
		T_EQ_INT(r.end.outputs_kind, SANDBOX_BAD_OUTPUTS);
		T_EQ_STR(str_c(r.end.detail.detail), str_c(bad[i].detail));
		T_EQ_INT(r.end.outputs, -1);
	}
}

TEST(time_is_kept)
{
	struct sandbox_spec s =
	    script("trap '' TERM; (setsid sh -c 'trap \"\" TERM; sleep 60' &);"
		   "while :; do sleep 1; done");
	struct ran r;

	s.limits.wall_s = 1;
	run(&s, &r);
	T_EQ_INT(r.end.end, SANDBOX_TIMED_OUT);
	T_OK(r.end.wall_ms >= 3000);
	T_OK(r.end.wall_ms <= 3100);
	printf("# 1 s and 2 s of grace: %lld ms\n", (long long)r.end.wall_ms);
}

TEST(who_listens_to_SIGTERM_ends_at_once)
{
	struct sandbox_spec s = script("trap 'echo bye; exit 3' TERM;"
				       "while :; do sleep 0.05; done");
	struct ran r;

	s.limits.wall_s = 1;
	run(&s, &r);
	T_EQ_INT(r.end.end, SANDBOX_TIMED_OUT);
	T_EQ_INT(r.end.status, 3);
	T_EQ_STR(out_of(&r), STR("bye\n"));
	T_OK(r.end.wall_ms < 2000);
}

static struct sandbox_event
killed(bool now, bool close_it)
{
	struct sandbox_spec s = script("trap '' TERM; echo r; sleep 60");
	struct sandbox_event ev = {.what = SANDBOX_STARTED};
	struct trail t = {{0}};
	struct sandbox b;
	char c;

	T_GOOD(zygote_run(zygote, &s, &t, &b));
	T_GOOD(sandbox_next(&b, 10000, &ev));
	T_EQ_INT(ev.what, SANDBOX_STARTED);
	T_EQ_INT(read(b.out, &c, 1), 1);
	T_ERR(sandbox_next(&b, 0, &ev), E_TIMEOUT);
	if (close_it) {
		sandbox_done(&b);
		return ev;
	}
	sandbox_kill(&b, now);
	T_GOOD(sandbox_next(&b, 10000, &ev));
	sandbox_done(&b);
	return ev;
}

TEST(a_step_is_cancelled)
{
	struct sandbox_event ev = killed(true, false);

	T_EQ_INT(ev.end, SANDBOX_CANCELLED);
	T_OK(ev.wall_ms < 1000);
	ev = killed(false, false);
	T_EQ_INT(ev.end, SANDBOX_CANCELLED);
	T_OK(ev.wall_ms >= 2000);
}

TEST(memory_is_held_together)
{
	struct sandbox_spec s =
	    script("for i in 1 2 3 4; do head -c 40000000 /dev/zero | "
		   "tail -c 40000000 | (sleep 2; cat >/dev/null) & done; wait");
	struct ran r;

	s.limits.memory_mb = 64;
	run(&s, &r);
	T_OK(r.end.memory <= 80 * 1024 * 1024);
	printf("# %s, at most %lld KiB\n", sandbox_end_code(r.end.end),
	    (long long)r.end.memory / 1024);
}

TEST(what_is_forbidden_says_so)
{
	struct sandbox_spec s = script("");
	const struct str argv[] = {STR("/usr/bin/strace"), STR("/bin/true")};
	struct ran r;

	if (access("/usr/bin/strace", X_OK) != 0) {
		printf("# no strace here: not tried\n");
		return;
	}
	s.argv = argv;
	s.argv_n = 2;
	run(&s, &r);
	T_OK(r.end.end == SANDBOX_FORBIDDEN || r.end.status != 0);
}

TEST(a_program_that_is_not_there_is_refused)
{
	struct sandbox_spec s = script("");
	const struct str argv[] = {STR("/usr/bin/no-such-program")};
	struct ran r;

	s.argv = argv;
	s.argv_n = 1;
	run(&s, &r);
	T_EQ_INT(r.end.end, SANDBOX_REFUSED);
	T_OK(!r.started);
	T_EQ_STR(str_c(r.end.detail.detail),
	    STR("/usr/bin/no-such-program: No such file or directory"));
}

/* What came through the listener of its own, and nothing else, reaches it. */
TEST(the_way_out_is_a_socket_of_ours)
{
	const struct str argv[] = {STR("/bin/bash"), STR("-c"),
	    STR("exec 9<>/dev/tcp/127.0.0.1/3128; echo ping >&9; read x <&9;"
		"echo $x $HTTPS_PROXY")};
	struct sandbox_spec s = script("");
	struct sandbox_event ev = {.what = SANDBOX_STARTED};
	struct trail t = {{0}};
	char in[16] = {0}, out[64] = {0};
	struct sandbox b;
	int fd = -1;

	s.argv = argv;
	s.argv_n = 3;
	s.egress = true;
	T_GOOD(zygote_run(zygote, &s, &t, &b));
	T_GOOD(sandbox_next(&b, 10000, &ev));
	T_REQUIRE(ev.what == SANDBOX_STARTED && ev.egress >= 0);
	for (int i = 0; i < 1000 && fd < 0; i++) {
		struct pollfd p = {ev.egress, POLLIN, 0};

		(void)poll(&p, 1, 100);
		fd = accept(ev.egress, NULL, NULL);
	}
	T_REQUIRE(fd >= 0);
	T_EQ_INT(read(fd, in, sizeof in), 5);
	T_EQ_INT(write(fd, "pong\n", 5), 5);
	(void)close(ev.egress);
	T_GOOD(sandbox_next(&b, 10000, &ev));
	T_EQ_INT(ev.end, SANDBOX_EXITED);
	T_OK(drain(b.out, out, sizeof out) > 0);
	T_EQ_STR(str_c(out), STR("pong http://127.0.0.1:3128\n"));
	(void)close(fd);
	sandbox_done(&b);
}

/* ---- what scripts are written in ---- */

static const struct {
	const char *program;
	enum sandbox_profile profile;
	const char *text;
} languages[] = {
    {"/bin/sh", SANDBOX_BASE,
	"t=$(mktemp); echo a | tr a b | sed s/b/c/ | sort >$t; "
	"awk '{print \"ok\"}' $t; grep -q c $t; ls -l >/dev/null"},
    {"/bin/bash", SANDBOX_INTERP,
	"set -euo pipefail; x=$(printf '%s' o k | tr -d ' '); "
	"while read -r l; do echo \"$l\"; done < <(echo \"$x\"); "
	"(sleep 0.01 & wait); kill -0 $$; date >/dev/null; "
	"find / -xdev -maxdepth 1 >/dev/null; tar cf - -C / step | tar tf - "
	">/dev/null; gzip -c /step/script | gunzip >/dev/null"},
    {"/usr/bin/python3", SANDBOX_INTERP,
	"import json, os, re, subprocess, tempfile, threading, time\n"
	"import asyncio, hashlib, pathlib, queue, socket, ssl, uuid\n"
	"q = queue.Queue()\n"
	"t = [threading.Thread(target=q.put, args=(i,)) for i in range(9)]\n"
	"[x.start() for x in t]; [x.join() for x in t]\n"
	"assert q.qsize() == 9\n"
	"async def f(): await asyncio.sleep(0.01); return 7\n"
	"assert asyncio.run(f()) == 7\n"
	"with tempfile.NamedTemporaryFile() as f: f.write(b'x'); f.flush()\n"
	"out = subprocess.run(['/bin/echo', 'ok'], capture_output=True)\n"
	"ssl.create_default_context(); uuid.uuid4()\n"
	"pathlib.Path('outputs.json').write_text(json.dumps({'a': 1}))\n"
	"print(out.stdout.decode(), end='')\n"},
    {"/usr/bin/perl", SANDBOX_INTERP,
	"use strict; open(my $f, '-|', 'echo', 'ok') or die; print <$f>;"},
    {"/usr/bin/node", SANDBOX_JIT,
	"const cp = require('child_process'), fs = require('fs');\n"
	"fs.writeFileSync('x', 'y');\n"
	"let s = 0; for (let i = 0; i < 1e6; i++) s += i % 7;\n"
	"setTimeout(() => console.log(cp.execFileSync('/bin/echo', "
	"['ok']).toString().trim()), 5);\n"},
};

TEST(languages_work)
{
	for (size_t i = 0; i < sizeof languages / sizeof *languages; i++) {
		const struct str argv[] = {str_c(languages[i].program),
		    STR(SANDBOX_SCRIPT)};
		struct sandbox_spec s = script(languages[i].text);
		struct ran r;

		if (access(languages[i].program, X_OK) != 0) {
			printf("# no %s here: not tried\n",
			    languages[i].program);
			continue;
		}
		s.argv = argv;
		s.profile = languages[i].profile;
		s.limits.memory_mb = 1024;
		run(&s, &r);
		if (!str_eq(out_of(&r), STR("ok\n")) || r.end.status != 0 ||
		    r.err_n != 0)
			T_FAIL("%s: %s %d %d: %.*s%.*s", languages[i].program,
			    sandbox_end_code(r.end.end), r.end.status,
			    r.end.signal, (int)r.out_n, r.out, (int)r.err_n,
			    r.err);
	}
}

/* ---- nothing stays ---- */

static int
count(const char *dir)
{
	DIR *d = opendir(dir);
	int n = 0;

	while (d != NULL && readdir(d) != NULL)
		n++;
	if (d != NULL)
		(void)closedir(d);
	return n;
}

struct held {
	int files, zygote_files, children, mounts;
};

/* How often `what` is in there. */
static int
times_in(const char *path, char what)
{
	char b[65536];
	int fd = open(path, O_RDONLY | O_CLOEXEC), n = 0;
	ssize_t got;

	while ((got = read(fd, b, sizeof b)) > 0)
		for (ssize_t i = 0; i < got; i++)
			n += b[i] == what;
	(void)close(fd);
	return n;
}

static struct held
held_now(void)
{
	struct held h;
	char path[64];

	(void)snprintf(path, sizeof path, "/proc/%d/fd", zygote_pid(zygote));
	h.files = count("/proc/self/fd");
	h.zygote_files = count(path);
	(void)snprintf(path, sizeof path, "/proc/%d/task/%d/children",
	    zygote_pid(zygote), zygote_pid(zygote));
	h.children = times_in(path, ' ');
	h.mounts = times_in("/proc/self/mountinfo", '\n');
	return h;
}

/* When the last is reaped and all spares are ready. */
static struct held
held(void)
{
	struct held h = held_now(), before;

	for (int same = 0; same < 3;) {
		before = h;
		(void)usleep(100000);
		h = held_now();
		same = memcmp(&h, &before, sizeof h) == 0 ? same + 1 : 0;
	}
	return h;
}

TEST(five_hundred_steps_leave_nothing)
{
	const struct str argv[] = {STR("/bin/true")};
	struct sandbox_spec s = script("x");
	struct held before, after;
	int bad = 0, groups;
	struct ran r;

	s.argv = argv;
	s.argv_n = 1;
	s.secrets = &STR("a secret value");
	s.secrets_n = 1;
	s.egress = true;
	run(&s, &r);
	before = held();
	groups = times_in("/proc/cgroups", '\n');
	for (int i = 0; i < 500 && bad == 0; i++) {
		run(&s, &r);
		bad += r.end.end != SANDBOX_EXITED || r.end.status != 0;
	}
	T_EQ_INT(bad, 0);
	after = held();
	T_EQ_INT(after.files, before.files);
	T_EQ_INT(after.zygote_files, before.zygote_files);
	T_EQ_INT(after.children, before.children);
	T_EQ_INT(after.mounts, before.mounts);
	T_EQ_INT(times_in("/proc/cgroups", '\n'), groups);
}

TEST(many_at_a_time)
{
	enum { MANY = 40 };
	struct sandbox_spec s = script("sleep 0.2; echo done");
	struct sandbox b[MANY];
	struct trail t = {{0}};
	int good = 0;

	for (int i = 0; i < MANY; i++)
		T_GOOD(zygote_run(zygote, &s, &t, &b[i]));
	for (int i = 0; i < MANY; i++) {
		struct sandbox_event ev = {.what = SANDBOX_STARTED};

		while (ev.what != SANDBOX_ENDED &&
		    err_ok(sandbox_next(&b[i], 60000, &ev)))
			;
		good += ev.what == SANDBOX_ENDED && ev.end == SANDBOX_EXITED &&
		    ev.status == 0;
		sandbox_done(&b[i]);
	}
	T_EQ_INT(good, MANY);
}

TEST(closing_its_socket_kills_a_step)
{
	int before = held().children;

	(void)killed(true, true);
	for (int i = 0; i < 100 && held().children != before; i++)
		(void)usleep(10000);
	T_EQ_INT(held().children, before);
}

TEST(the_zygote_is_small)
{
	char path[64], text[4096] = {0}, *at;
	int fd;

	(void)snprintf(path, sizeof path, "/proc/%d/status",
	    zygote_pid(zygote));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	T_OK(read(fd, text, sizeof text - 1) > 0);
	(void)close(fd);
	at = strstr(text, "RssAnon:");
	T_REQUIRE(at != NULL);
	printf("# zygote: RssAnon %d kB, VmRSS %d kB\n", atoi(at + 8),
	    atoi(strstr(text, "VmRSS:") + 6));
#ifndef REDOUBT_SANITIZED /* shadow memory */
	T_OK(atoi(at + 8) < 4096);
#endif
}

/* The zygote dies in the middle: so does every step, and the next zygote
 * takes its cgroups away. */
TEST(a_killed_zygote_takes_its_steps_along)
{
	struct sandbox_spec s = script("trap '' TERM; sleep 60");
	struct sandbox_event ev = {.what = SANDBOX_STARTED};
	struct trail t = {{0}};
	struct zygote_conf c = {0};
	struct sandbox b;

	T_GOOD(zygote_run(zygote, &s, &t, &b));
	T_GOOD(sandbox_next(&b, 10000, &ev));
	(void)kill(zygote_pid(zygote), SIGKILL);
	T_GOOD(sandbox_next(&b, 10000, &ev));
	T_EQ_INT(ev.what, SANDBOX_ENDED);
	T_OK(ev.end == SANDBOX_CANCELLED || ev.end == SANDBOX_LOST);
	sandbox_done(&b);
	T_ERR(zygote_run(zygote, &s, &t, &b), E_UNAVAILABLE);
	zygote = zygote_stop(zygote);
	T_GOOD(zygote_start(&c, &t, &zygote));
}

TEST(stop)
{
	zygote = zygote_stop(zygote);
}

T_MAIN
