/*
 * escape: the escape corpus.
 *
 *	escape root    in sandboxes of a zygote started by root
 *	escape user    in sandboxes of a zygote of an ordinary user
 *	escape weak    in sandboxes of a host that has neither Landlock nor
 *		       cgroups, whoever starts it
 *	escape bare    without any, as an ordinary user: shows that an attempt
 *		       that is contained elsewhere is not contained by chance
 *	escape ... TEXT  only attempts with that in their name
 *
 * Each attempt is one test.  It is contained when its effect is not seen
 * from outside, whatever it says itself; see enum judge.
 */
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "base/time.h"
#include "delegate/sandbox.h"
#include "harness.h"

enum {
	ORDINARY = 64123,
	POOL = 0x70000000, /* as in zygote.c */
	TEXT = 1 << 18,
	TIMEOUT_MS = 30000,
	GRACE_SLACK_MS = 1000, /* of a machine that is busy */
	RSS_SLACK_KB = 8192,
};

static const struct attempt attempts[] = {
#define ATTEMPT(fn, name, judge, setup, bare, inside)                          \
	{name, fn, judge, setup, bare, inside},
#include "escape.def"
#undef ATTEMPT
};

enum { ATTEMPTS = sizeof attempts / sizeof *attempts };

/* What became of one. */
struct outcome {
	char out[TEXT], outputs[TEXT];
	size_t out_n, outputs_n;
	long claim;
	int error;  /* errno of it */
	int signal; /* that ended it; 0 */
	bool taken; /* outputs were */
	bool neighbour_hurt;
	const char *ended; /* code of the sandbox, "" */
	int64_t wall_ms;
};

static struct outcome o;

/* ---- inside ---- */

static void
victim_read(struct victim *v, char **argv)
{
	v->pid = atoi(argv[0]);
	v->addr = strtoull(argv[1], NULL, 10);
	v->parent = atoi(argv[2]);
	(void)snprintf(v->dir, sizeof v->dir, "%s", argv[3]);
	v->tcp = atoi(argv[4]);
	v->udp = atoi(argv[5]);
	(void)snprintf(v->abs, sizeof v->abs, "%s", argv[6]);
	v->shm = atoi(argv[7]);
}

static int
attempt_main(int argc, char **argv)
{
	struct victim v;

	if (argc == 3 && strcmp(argv[2], "true") == 0)
		return 0;
	if (argc != 11)
		return 97;
	victim_read(&v, argv + 3);
	for (size_t i = 0; i < ATTEMPTS; i++)
		if (strcmp(attempts[i].name, argv[2]) == 0) {
			long n;

			errno = 0;
			n = attempts[i].run(&v);
			printf("\nresult %ld %d\n", n, n < 0 ? errno : 0);
			return 0;
		}
	return 96;
}

/* A step with something to take, and a socket nobody may use. */
static int
neighbour_main(void)
{
	int fd = open("/job/secret", O_WRONLY | O_CREAT, 0666);

	if (fd < 0 || write(fd, CANARY_TEXT, sizeof CANARY_TEXT) < 0)
		return 1;
	(void)!write(1, "r", 1);
	(void)sleep(30);
	return 0;
}

/* ---- running ---- */

static void
arguments(const struct scene *s, const struct attempt *a, char store[11][256],
    char *argv[12])
{
	const struct victim *v = &s->v;

	(void)snprintf(store[0], 256, "%s", s->self);
	(void)snprintf(store[1], 256, "attempt");
	(void)snprintf(store[2], 256, "%s", a->name);
	(void)snprintf(store[3], 256, "%d", v->pid);
	(void)snprintf(store[4], 256, "%llu", (unsigned long long)v->addr);
	(void)snprintf(store[5], 256, "%d", v->parent);
	(void)snprintf(store[6], 256, "%s", v->dir);
	(void)snprintf(store[7], 256, "%d", v->tcp);
	(void)snprintf(store[8], 256, "%d", v->udp);
	(void)snprintf(store[9], 256, "%s", v->abs);
	(void)snprintf(store[10], 256, "%d", v->shm);
	for (int i = 0; i < 11; i++)
		argv[i] = store[i];
	argv[11] = NULL;
}

static void
take(int fd, char *p, size_t *n, size_t max)
{
	char spill[65536];
	ssize_t got = *n < max ? read(fd, p + *n, max - *n)
			       : read(fd, spill, sizeof spill);

	if (got > 0 && *n < max)
		*n += (size_t)got;
}

/* The last line it wrote; what came before may hold any byte. */
static void
read_claim(void)
{
	char tail[128] = {0};
	size_t n = o.out_n < sizeof tail - 1 ? o.out_n : sizeof tail - 1;
	const char *from = o.out + o.out_n - n;
	const char *at = memmem(from, n, "result ", 7);

	o.claim = -1;
	o.error = 0;
	if (at == NULL)
		return;
	memcpy(tail, at, n - (size_t)(at - from));
	(void)sscanf(tail, "result %ld %d", &o.claim, &o.error);
}

static bool
starts(const struct attempt *a, const char *with)
{
	return strncmp(a->name, with, strlen(with)) == 0;
}

static struct sandbox_limits
limits_of(const struct attempt *a)
{
	struct sandbox_limits l = {.wall_s = 15,
	    .cpu_s = 10,
	    .memory_mb = 256,
	    .pids = 64,
	    .work_mb = 8,
	    .outputs_kb = 64};

	if (starts(a, "flood.") || starts(a, "time.ignore") ||
	    starts(a, "time.stop") || starts(a, "time.fork"))
		l.wall_s = 1;
	if (starts(a, "time.spin"))
		l.cpu_s = 1;
	return l;
}

static err
begin(struct zygote *z, const struct scene *s, const struct attempt *a,
    struct sandbox *ret)
{
	static const struct str secret = {"a-step-secret", 13};
	char store[11][256], *argv[12];
	struct trail t = {{0}};
	struct str args[11];
	struct sandbox_spec spec = {.id = STR("escape"),
	    .profile = a->setup == COMPILER ? SANDBOX_JIT : SANDBOX_INTERP,
	    .argv = args,
	    .argv_n = 11,
	    .secrets = &secret,
	    .secrets_n = 1,
	    .limits = limits_of(a),
	    .egress = a->setup == EGRESS};
	err e;

	arguments(s, a, store, argv);
	for (int i = 0; i < 11; i++)
		args[i] = str_c(store[i]);
	e = zygote_run(z, &spec, &t, ret);
	if (!err_ok(e))
		printf("# %s: %s\n", err_name(e), t.detail);
	return e;
}

/* Read what it writes (of a flood only the beginning) until it ends. */
static bool
follow(struct sandbox *b, const struct attempt *a, struct sandbox_event *ev)
{
	bool flood = starts(a, "flood.");
	int64_t until = time_mono_us() + (int64_t)TIMEOUT_MS * 1000;
	struct pollfd p[3] = {{b->control, POLLIN, 0}, {b->out, POLLIN, 0},
	    {b->err, POLLIN, 0}};
	int egress = -1;

	ev->what = SANDBOX_STARTED;
	while (ev->what != SANDBOX_ENDED && time_mono_us() < until) {
		(void)poll(p, 3, 1000);
		for (int i = 1; i < 3; i++) {
			if ((p[i].revents & POLLIN) != 0)
				take(p[i].fd, o.out, &o.out_n, sizeof o.out);
			else if (p[i].revents != 0)
				p[i].fd = -1;
			if (flood && o.out_n > sizeof o.out / 2)
				p[i].fd = -1;
		}
		if (p[0].revents != 0 && err_ok(sandbox_next(b, 0, ev)) &&
		    ev->egress >= 0)
			egress = ev->egress;
	}
	for (size_t before = (size_t)-1; before != o.out_n && !flood;) {
		before = o.out_n;
		take(b->out, o.out, &o.out_n, sizeof o.out);
	}
	if (egress >= 0)
		(void)close(egress);
	return ev->what == SANDBOX_ENDED;
}

static bool
start_neighbour(struct zygote *z, struct scene *s, struct sandbox *b)
{
	const struct str argv[] = {str_c(s->self), STR("neighbour")};
	const struct str env[] = {STR("SECRET=" CANARY_TEXT)};
	const struct str secret = STR(CANARY_TEXT);
	const struct sandbox_spec spec = {.id = STR("neighbour"),
	    .argv = argv,
	    .argv_n = 2,
	    .env = env,
	    .env_n = 1,
	    .secrets = &secret,
	    .secrets_n = 1,
	    .egress = true};
	struct sandbox_event ev;
	struct trail t = {{0}};
	char c;

	if (!err_ok(zygote_run(z, &spec, &t, b)) ||
	    !err_ok(sandbox_next(b, TIMEOUT_MS, &ev)) ||
	    ev.what != SANDBOX_STARTED || read(b->out, &c, 1) != 1)
		return false;
	s->neighbour_egress = ev.egress;
	return true;
}

/* True: it was still there, unharmed. */
static bool
end_neighbour(struct scene *s, struct sandbox *b)
{
	struct sandbox_event ev;
	bool there = err_is(sandbox_next(b, 0, &ev), E_TIMEOUT);

	sandbox_kill(b, true);
	while (there && err_ok(sandbox_next(b, TIMEOUT_MS, &ev)) &&
	    ev.what != SANDBOX_ENDED)
		;
	sandbox_done(b);
	(void)close(s->neighbour_egress);
	s->neighbour_egress = -1;
	return there;
}

static bool
run_inside(struct zygote *z, struct scene *s, const struct attempt *a)
{
	struct sandbox b, other;
	struct sandbox_event ev;
	bool good;

	if (a->setup == NEIGHBOUR && !start_neighbour(z, s, &other))
		return false;
	good = err_ok(begin(z, s, a, &b)) && follow(&b, a, &ev);
	sandbox_done(&b);
	if (!good)
		return false;
	o.ended = sandbox_end_code(ev.end);
	o.signal = ev.signal;
	o.wall_ms = ev.wall_ms;
	o.taken = ev.outputs_kind == SANDBOX_OUTPUTS;
	if (ev.outputs >= 0) {
		take(ev.outputs, o.outputs, &o.outputs_n, sizeof o.outputs);
		(void)close(ev.outputs);
	}
	if (ev.end == SANDBOX_REFUSED || ev.end == SANDBOX_LOST) {
		printf("# %s: %s\n", o.ended, ev.detail.detail);
		return false;
	}
	o.neighbour_hurt = a->setup == NEIGHBOUR && scene_reached(s)
	    ? true
	    : a->setup == NEIGHBOUR && !end_neighbour(s, &other);
	return true;
}

static bool
run_bare(struct scene *s, const struct attempt *a)
{
	char store[11][256], *argv[12], scratch[192];
	char *env[] = {(char *)(uintptr_t) "SECRET=" CANARY_TEXT, NULL};
	int out[2], status;
	pid_t pid;

	arguments(s, a, store, argv);
	(void)snprintf(scratch, sizeof scratch, "%s/scratch", s->v.dir);
	if (pipe2(out, O_CLOEXEC) != 0)
		return false;
	pid = fork();
	if (pid == 0) {
		become(s->uid);
		(void)mkdir(scratch, 0700);
		if (chdir(scratch) != 0)
			_exit(95);
		(void)alarm(10);
		(void)dup2(out[1], 1);
		(void)dup2(open("/dev/null", O_RDWR), 2);
		(void)execve(argv[0], argv, env);
		_exit(94);
	}
	(void)close(out[1]);
	(void)waitpid(pid, &status, 0);
	(void)fcntl(out[0], F_SETFL, O_NONBLOCK);
	take(out[0], o.out, &o.out_n, sizeof o.out);
	(void)close(out[0]);
	o.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	return true;
}

/* ---- judging ---- */

static bool
has_canary(const char *p, size_t n)
{
	return memmem(p, n, CANARY_TEXT, sizeof CANARY_TEXT - 1) != NULL;
}

static bool
escaped(const struct scene *s, const struct attempt *a)
{
	switch (a->judge) {
	case CLAIM:
		return o.claim >= 0;
	case CANARY:
		return has_canary(o.out, o.out_n) ||
		    has_canary(o.outputs, o.outputs_n);
	case FILES:
		return scene_files_changed(s);
	case VICTIM:
		return scene_victim_changed(s) || o.neighbour_hurt;
	case NET:
		return scene_reached(s) || o.neighbour_hurt;
	case LEFT:
		return scene_left(s, false) > 0;
	case TAKEN:
		return o.taken || has_canary(o.outputs, o.outputs_n);
	}
	return true;
}

static const char *
how(char ret[64])
{
	const char *name = o.error != 0 ? strerrorname_np(o.error) : "";

	(void)snprintf(ret, 64, "%s%s%s%s",
	    o.signal != 0      ? sigabbrev_np(o.signal)
		: o.error != 0 ? (name != NULL ? name : "?")
			       : "",
	    o.ended[0] != 0 ? " (" : "", o.ended, o.ended[0] != 0 ? ")" : "");
	return ret;
}

static int
resident_kb(void)
{
	char text[4096] = {0}, *at;
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);

	(void)!read(fd, text, sizeof text - 1);
	(void)close(fd);
	at = strstr(text, "VmRSS:");
	return at == NULL ? 0 : atoi(at + 6);
}

/* Whatever it is, nothing of it stays, and in time. */
static const char *
wrong_after(const struct scene *s, const struct attempt *a, int before_kb)
{
	int64_t most = (int64_t)limits_of(a).wall_s * 1000 + SANDBOX_GRACE_MS +
	    GRACE_SLACK_MS;

	if (scene_left(s, true) != 0)
		return "processes are left";
	if (o.wall_ms > most)
		return "it ended too late";
	if (resident_kb() > before_kb + RSS_SLACK_KB)
		return "it cost us memory";
	return NULL;
}

static int tests, failures, seen_escapes, expected_bare;

static void
result(bool good, const char *mode, const struct attempt *a, const char *note)
{
	char text[64];

	failures += !good;
	printf("%sok %d - %s: %s # %s %s\n", good ? "" : "not ", ++tests, mode,
	    a->name, note, how(text));
}

static void
nap_ms(long ms)
{
	struct timespec t = {0, ms * 1000000};

	(void)nanosleep(&t, NULL);
}

static void
test_inside(struct zygote *z, struct scene *s, const struct attempt *a,
    const char *mode)
{
	int before = resident_kb();
	const char *wrong;
	bool out;

	memset(&o, 0, sizeof o);
	o.ended = "";
	nap_ms(2); /* the zygote reaps the last: the same uid again */
	if (!scene_reset(s) || !run_inside(z, s, a)) {
		result(false, mode, a, "could not be tried");
		return;
	}
	read_claim();
	out = escaped(s, a);
	seen_escapes += out;
	wrong = wrong_after(s, a, before);
	if (wrong != NULL)
		result(false, mode, a, wrong);
	else
		result(out == (a->inside == BY_DESIGN), mode, a,
		    out ? (a->inside == BY_DESIGN ? "by design" : "ESCAPED")
			: "contained");
}

static void
test_bare(struct scene *s, const struct attempt *a)
{
	bool out;

	if (a->bare == INA)
		return;
	memset(&o, 0, sizeof o);
	o.ended = "";
	if (!scene_reset(s) || !run_bare(s, a)) {
		result(false, "bare", a, "could not be tried");
		return;
	}
	read_claim();
	out = escaped(s, a);
	seen_escapes += out;
	(void)scene_left(s, true);
	expected_bare += a->bare == ESC;
	result(a->bare == HST || out == (a->bare == ESC), "bare", a,
	    out ? "succeeds" : "denied");
}

/* ---- modes ---- */

static bool
wanted(const struct attempt *a, const char *text)
{
	return text == NULL || strstr(a->name, text) != NULL;
}

static int
finish(struct scene *s, const char *mode)
{
	scene_close(s);
	printf("# %s: %d of %d tried had their effect\n1..%d\n", mode,
	    seen_escapes, tests, tests);
	return failures != 0;
}

static int
inside(struct scene *s, const char *mode, const char *text)
{
	char bin[192];
	const char *paths[] = {bin};
	const struct zygote_conf conf = {.paths = paths, .paths_n = 1};
	struct trail t = {{0}};
	struct zygote *z;

	(void)snprintf(bin, sizeof bin, "%s/bin", s->v.dir);
	(void)setenv("SECRET", CANARY_TEXT, 1);
	if (!err_ok(zygote_start(&conf, &t, &z))) {
		printf("not ok 1 - %s: a sandbox # %s\n1..1\n", mode, t.detail);
		scene_close(s);
		return 1;
	}
	printf("# %s: zygote of uid %u, limits by %s\n", mode, geteuid(),
	    zygote_level(z));
	if (!scene_open(s,
		geteuid() == 0
		    ? POOL + (((unsigned)zygote_pid(z) & 0x3ffffU) << 10)
		    : geteuid()))
		perror("scene");
	for (size_t i = 0; i < ATTEMPTS; i++)
		if (wanted(&attempts[i], text))
			test_inside(z, s, &attempts[i], mode);
	(void)zygote_stop(z);
	return finish(s, mode);
}

/* The kernel of Debian 12 knows little of Landlock; a container may have no
 * cgroups.  The rest has to hold. */
static bool
weaken(void)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
	bool good = f != NULL &&
	    seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS),
		seccomp_syscall_resolve_name("landlock_create_ruleset"),
		0) == 0;

	if (geteuid() == 0 &&
	    (unshare(CLONE_NEWNS) != 0 ||
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		mount("none", "/sys/fs/cgroup", "tmpfs", 0, NULL) != 0))
		return false;
	good = good && seccomp_load(f) == 0;
	seccomp_release(f);
	return good;
}

static int
bare(struct scene *s, const char *text)
{
	unsigned uid = geteuid() == 0 ? ORDINARY : geteuid();

	if (!scene_open(s, uid))
		perror("scene");
	printf("# bare: uid %u, no sandbox\n", uid);
	for (size_t i = 0; i < ATTEMPTS; i++)
		if (wanted(&attempts[i], text))
			test_bare(s, &attempts[i]);
	printf("# bare: %d have to succeed\n", expected_bare);
	return finish(s, "bare");
}

int
main(int argc, char **argv)
{
	struct scene s;
	const char *mode = argc > 1 ? argv[1] : "user";
	const char *text = argc > 2 ? argv[2] : NULL;

	/* The setuid copy can tell who it is, and nothing else. */
	if (strcmp(mode, "rooted") == 0 || geteuid() != getuid())
		return geteuid() == 0 && getuid() != 0 ? 0 : 1;
	if (strcmp(mode, "attempt") == 0)
		return attempt_main(argc, argv);
	if (strcmp(mode, "victim") == 0)
		return victim_main();
	if (strcmp(mode, "neighbour") == 0)
		return neighbour_main();
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	if (strcmp(mode, "root") == 0 && geteuid() != 0) {
		printf("ok 1 - root: NOT TESTED, this is uid %u: only root "
		       "can start as root\n1..1\n",
		    geteuid());
		return 0;
	}
	(void)umask(022);
	if (!scene_dir(&s, "/proc/self/exe")) {
		perror("scene");
		return 1;
	}
	if (strcmp(mode, "bare") == 0)
		return bare(&s, text);
	if (strcmp(mode, "user") == 0 && geteuid() == 0) {
		char bin[192];

		(void)snprintf(bin, sizeof bin, "%s/bin", s.v.dir);
		if (chown(s.v.dir, ORDINARY, ORDINARY) != 0 ||
		    chown(bin, ORDINARY, ORDINARY) != 0)
			perror("chown");
		become(ORDINARY);
		(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	}
	if (strcmp(mode, "weak") == 0 && !weaken()) {
		printf("not ok 1 - weak: the host cannot be weakened\n1..1\n");
		return 1;
	}
	return inside(&s, mode, text);
}
