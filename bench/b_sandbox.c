/*
 * b_sandbox.c: how long a step's sandbox takes, beside bubblewrap's and a
 * bare program's, and how many there can be at once.
 *
 *	b_sandbox RUNS
 *
 * Each runs /usr/bin/true to its end, in turns; then ours again while this
 * process holds 512 MiB; then STEPS steps at once.  One line of JSON.
 */
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/time.h"
#include "delegate/sandbox.h"

enum { RUNS_MAX = 2000, STEPS = 200, TURN = 20 };
static const size_t held = (size_t)512 * 1024 * 1024;

static const struct str argv_true[] = {{"/usr/bin/true", 13}};
static const struct str argv_sleep[] = {{"/usr/bin/sleep", 14}, {"60", 2}};

struct times {
	double ms[RUNS_MAX];
	size_t n;
};

static struct zygote *zygote;

static void
must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "b_sandbox: %s\n", what);
	exit(1);
}

static void
step_start(const struct str *argv, size_t n, struct sandbox *ret)
{
	struct sandbox_spec s = {.id = STR("b"), .argv = argv, .argv_n = n};
	struct trail t = {{0}};
	err e = zygote_run(zygote, &s, &t, ret);

	must(err_ok(e), t.detail[0] != '\0' ? t.detail : err_name(e));
}

/* Waits for that; what else happens is let go. */
static void
step_until(struct sandbox *b, enum sandbox_what what)
{
	struct sandbox_event e = {0};

	do {
		must(err_ok(sandbox_next(b, 60000, &e)), "a step is lost");
		if (e.egress >= 0)
			(void)close(e.egress);
		if (e.what == SANDBOX_ENDED && e.outputs >= 0)
			(void)close(e.outputs);
		must(e.what == what || e.what == SANDBOX_STARTED,
		    "a step ended early");
	} while (e.what != what);
}

static void
ours(void)
{
	struct sandbox b;

	step_start(argv_true, 1, &b);
	step_until(&b, SANDBOX_ENDED);
	sandbox_done(&b);
}

static void
program(char *const *argv)
{
	int status = -1;
	pid_t pid;

	must(posix_spawn(&pid, argv[0], NULL, NULL, argv,
		 (char *const[]){NULL}) == 0 &&
		waitpid(pid, &status, 0) == pid && status == 0,
	    argv[0]);
}

/* What comes nearest: all namespaces, a private root, no more. */
static void
bwrap(void)
{
	static const char *const argv[] = {"/usr/bin/bwrap", "--unshare-all",
	    "--die-with-parent", "--new-session", "--clearenv", "--ro-bind",
	    "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink",
	    "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64", "--proc",
	    "/proc", "--dev", "/dev", "--tmpfs", "/job", "/usr/bin/true", NULL};

	program((char *const *)(uintptr_t)argv);
}

static void
bare(void)
{
	static const char *const argv[] = {"/usr/bin/true", NULL};

	program((char *const *)(uintptr_t)argv);
}

static void
measure(void (*fn)(void), struct times *t, size_t n)
{
	for (size_t i = 0; i < n && t->n < RUNS_MAX; i++) {
		int64_t from = time_mono_us();

		fn();
		t->ms[t->n++] = (double)(time_mono_us() - from) / 1e3;
	}
}

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
tell(const char *name, struct times *t)
{
	qsort(t->ms, t->n, sizeof *t->ms, by_size);
	printf("\"%s\":{\"n\":%zu,\"p50\":%.3f,\"p95\":%.3f},", name, t->n,
	    t->n == 0 ? 0 : t->ms[t->n / 2],
	    t->n == 0 ? 0 : t->ms[t->n * 95 / 100]);
}

/* All under way at once; ms until the last has begun. */
static double
flight(void)
{
	static struct sandbox b[STEPS];
	int64_t from = time_mono_us(), all;

	for (size_t i = 0; i < STEPS; i++)
		step_start(argv_sleep, 2, &b[i]);
	for (size_t i = 0; i < STEPS; i++)
		step_until(&b[i], SANDBOX_STARTED);
	all = time_mono_us() - from;
	for (size_t i = 0; i < STEPS; i++)
		sandbox_kill(&b[i], true);
	for (size_t i = 0; i < STEPS; i++) {
		step_until(&b[i], SANDBOX_ENDED);
		sandbox_done(&b[i]);
	}
	return (double)all / 1e3;
}

int
main(int argc, char **argv)
{
	static struct times sandbox, other, plain, large;
	struct zygote_conf conf = {.steps = 256};
	size_t runs = argc > 1 ? strtoul(argv[1], NULL, 10) : 200;
	bool has = access("/usr/bin/bwrap", X_OK) == 0;
	struct trail t = {{0}};
	char *heap;

	must(runs > 0 && runs <= RUNS_MAX, "RUNS: 1 to 2000");
	must(err_ok(zygote_start(&conf, &t, &zygote)), t.detail);
	for (size_t i = 0; i < 5; i++)
		ours();
	for (size_t n = 0; n < runs; n += TURN) {
		measure(ours, &sandbox, TURN);
		if (has)
			measure(bwrap, &other, TURN);
		measure(bare, &plain, TURN);
	}
	heap = mmap(NULL, held, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(heap != MAP_FAILED, "no memory");
	memset(heap, 1, held);
	measure(ours, &large, runs);
	(void)munmap(heap, held);
	printf("{\"level\":\"%s\",", zygote_level(zygote));
	tell("ours", &sandbox);
	tell("bwrap", &other);
	tell("bare", &plain);
	tell("held", &large);
	printf("\"steps\":%d,\"flight_ms\":%.1f}\n", STEPS, flight());
	zygote = zygote_stop(zygote);
	return 0;
}
