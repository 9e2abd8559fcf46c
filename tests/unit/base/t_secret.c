#include "base/secret.h"
#include "tests/t.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"

/* Run fn in a child; its exit status, or 128 + signal. */
static int
in_child(int (*fn)(void *), void *arg)
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		struct rlimit none = {0, 0};

		setrlimit(RLIMIT_CORE, &none);
		fclose(stderr);
		_exit(fn(arg));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status)
				   : WEXITSTATUS(status);
}

/* These two come first: what a child inherits counts, too. */
static int
exhaust(void *arg)
{
	struct secret *s;
	int n = 0;

	(void)arg;
	while (err_ok(secret_new(&s)))
		n++;
	return n == LIM_SECRETS ? 0 : 1;
}

/* Root may lock what it likes, so the child must not be root. */
static int
starve(void *arg)
{
	struct rlimit lim = {40960, 40960}; /* two chunks and a half */
	struct secret *s, *last = NULL;
	int n = 0;
	err e;

	(void)arg;
	if (setrlimit(RLIMIT_MEMLOCK, &lim) != 0 || setgid(65534) != 0 ||
	    setuid(65534) != 0)
		return 1;
	for (;; n++) {
		e = secret_new(&s);
		if (!err_ok(e))
			break;
		last = s;
	}
	if (!err_is(e, E_NO_MEMORY) || n != 1024)
		return 2;
	secret_free(last);
	return err_ok(secret_new(&s)) ? 0 : 3;
}

TEST(the_pool_ends_at_its_limit)
{
	T_EQ_INT(in_child(exhaust, NULL), 0);
}

TEST(little_lockable_memory_is_an_error_not_a_crash)
{
#ifndef REDOUBT_SANITIZED
	if (geteuid() == 0)
		T_EQ_INT(in_child(starve, NULL), 0);
	else
		printf("# needs root\n");
#else
	(void)starve;
#endif
}

TEST(slots_are_zero_distinct_and_32_bytes_apart)
{
	struct secret *s[600];
	static const uint8_t zero[SECRET_SIZE];

	for (size_t i = 0; i < 600; i++) {
		T_GOOD(secret_new(&s[i]));
		T_EQ_MEM(secret_view(s[i]), zero, SECRET_SIZE);
		memset(secret_bytes(s[i]), (int)(i & 0xff), SECRET_SIZE);
	}
	for (size_t i = 0; i < 600; i++)
		for (size_t k = 0; k < SECRET_SIZE; k++)
			T_REQUIRE(secret_view(s[i])[k] == (i & 0xff));
	for (size_t i = 0; i < 600; i++)
		T_OK(secret_free(s[i]) == NULL);
	T_OK(secret_free(NULL) == NULL);
}

TEST(freed_slots_are_wiped_and_reused)
{
	static const uint8_t zero[SECRET_SIZE];
	struct secret *a, *b;
	const uint8_t *old;

	T_GOOD(secret_new(&a));
	old = secret_view(a);
	memset(secret_bytes(a), 0xaa, SECRET_SIZE);
	secret_free(a);
	T_EQ_MEM(old, zero, SECRET_SIZE);
	T_GOOD(secret_new(&b));
	T_OK(secret_view(b) == old);
	secret_free(b);
}

/* Not in /proc/self/mem with memfd_secret; locked in either case. */
static bool
smaps_has(const void *p, const char *flag)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	char line[512];
	unsigned long lo, hi;
	bool inside = false, found = false;

	while (f != NULL && fgets(line, sizeof line, f) != NULL) {
		if (sscanf(line, "%lx-%lx ", &lo, &hi) == 2)
			inside = (uintptr_t)p >= lo && (uintptr_t)p < hi;
		else if (inside && strncmp(line, "VmFlags:", 8) == 0)
			found = strstr(line, flag) != NULL;
	}
	if (f != NULL)
		fclose(f);
	return found;
}

TEST(pages_are_locked_and_not_dumped)
{
	struct secret *s;

	printf("# memory: %s\n", secret_memory());
	T_GOOD(secret_new(&s));
#ifndef REDOUBT_SANITIZED /* sanitizers do not lock memory */
	T_OK(smaps_has(secret_view(s), " lo"));
#endif
	T_OK(smaps_has(secret_view(s), " dd"));
	T_OK(smaps_has(secret_view(s), " dc"));
	secret_free(s);
}

static int
touch_inherited(void *s)
{
	return secret_view(s)[0];
}

static int
free_inherited_and_make_new(void *old)
{
	struct secret *s;

	secret_free(old);
	if (!err_ok(secret_new(&s)) || s == old)
		return 1;
	memset(secret_bytes(s), 1, SECRET_SIZE);
	secret_free(s);
	return 0;
}

TEST(a_child_has_none_and_may_make_its_own)
{
	struct secret *s;

	T_GOOD(secret_new(&s));
	memset(secret_bytes(s), 0x5a, SECRET_SIZE);
	T_OK(in_child(touch_inherited, s) != 0x5a);
	T_EQ_INT(in_child(free_inherited_and_make_new, s), 0);
	T_EQ_INT(secret_view(s)[31], 0x5a);
	secret_free(s);
}

static int
free_twice(void *arg)
{
	struct secret *s, *t;

	(void)arg;
	if (!err_ok(secret_new(&s)) || !err_ok(secret_new(&t)))
		return 1;
	secret_free(s);
	secret_free(s);
	return 0;
}

static int
free_foreign(void *arg)
{
	secret_free(arg);
	return 0;
}

TEST(wrong_frees_abort)
{
	static uint8_t foreign[64];

	T_EQ_INT(in_child(free_twice, NULL), 128 + 6);
	T_EQ_INT(in_child(free_foreign, foreign), 128 + 6);
}

static int
write_beyond(void *arg)
{
	volatile uint8_t *p;
	struct secret *s;

	(void)arg;
	if (!err_ok(secret_new(&s)))
		return 1;
	p = secret_bytes(s);
	for (size_t i = 0; i < 16384 + 1; i++)
		p[i] = 1;
	return 0;
}

TEST(a_guard_page_stops_what_runs_over)
{
	T_OK(in_child(write_beyond, NULL) != 0);
}

static void *
churn(void *arg)
{
	struct secret *s[50];
	uint8_t mine = (uint8_t)(uintptr_t)arg;

	for (int round = 0; round < 200; round++) {
		for (size_t i = 0; i < 50; i++) {
			if (!err_ok(secret_new(&s[i])))
				return arg;
			memset(secret_bytes(s[i]), mine, SECRET_SIZE);
		}
		for (size_t i = 0; i < 50; i++) {
			if (secret_view(s[i])[0] != mine ||
			    secret_view(s[i])[31] != mine)
				return arg;
			secret_free(s[i]);
		}
	}
	return NULL;
}

TEST(threads)
{
	pthread_t t[4];
	void *bad;

	for (uintptr_t i = 0; i < 4; i++)
		T_REQUIRE(
		    pthread_create(&t[i], NULL, churn, (void *)(i + 1)) == 0);
	for (size_t i = 0; i < 4; i++) {
		pthread_join(t[i], &bad);
		T_OK(bad == NULL);
	}
}

TEST(constant_time_equality)
{
	char a[33] = "abcdefghijklmnopqrstuvwxyz012345", b[33];

	memcpy(b, a, sizeof b);
	T_OK(ct_eq(a, b, 32));
	T_OK(ct_eq(a, "x", 0));
	for (size_t i = 0; i < 32; i++) {
		for (int bit = 0; bit < 8; bit++) {
			b[i] = (char)(a[i] ^ (1 << bit));
			T_OK(!ct_eq(a, b, 32));
		}
		b[i] = a[i];
	}
}

T_MAIN
