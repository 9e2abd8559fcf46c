/*
 * Outputs are taken from a directory somebody hostile has left, and here even
 * from one where he is still at work: never what lies elsewhere, never
 * waiting, never more than is allowed.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/time.h"
#include "delegate/collect.h"
#include "tests/t.h"

enum { MAX = 64, ROUNDS = 100000, PATIENCE_US = 20000000 };

static char dir[64], secret[96];
static int job = -1;
static atomic_bool stop;

TEST(begin)
{
	int fd;

	(void)snprintf(dir, sizeof dir, "/tmp/t_collect.XXXXXX");
	T_REQUIRE(mkdtemp(dir) != NULL);
	(void)snprintf(secret, sizeof secret, "%s.secret", dir);
	fd = open(secret, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	T_EQ_INT(write(fd, "SECRET", 6), 6);
	(void)close(fd);
	job = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	T_REQUIRE(job >= 0);
}

static void
write_at(const char *name, const char *text)
{
	int fd =
	    openat(job, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	(void)!write(fd, text, strlen(text));
	(void)close(fd);
}

/* One after the other, under the name that is looked for.  No hard links: in
 * a file system of its own, as /job is, there is nothing of others to link. */
static void *
swap(void *arg)
{
	for (unsigned i = 0; !atomic_load(&stop); i++) {
		(void)unlinkat(job, "n", 0);
		(void)unlinkat(job, "n", AT_REMOVEDIR);
		(void)unlinkat(job, COLLECT_NAME, AT_REMOVEDIR);
		switch (i % 5) {
		case 0:
			write_at("n", "good");
			break;
		case 1:
			(void)!symlinkat(secret, job, "n");
			break;
		case 2:
			(void)mkfifoat(job, "n", 0600);
			break;
		case 3:
			(void)mkdirat(job, "n", 0700);
			break;
		default:
			(void)!symlinkat("/proc/self/environ", job, "n");
		}
		(void)renameat(job, "n", job, COLLECT_NAME);
	}
	return arg;
}

TEST(a_hundred_thousand_times_against_who_swaps)
{
	int64_t begun = time_mono_us();
	int taken = 0, wrong = 0;
	pthread_t t;

	T_REQUIRE(pthread_create(&t, NULL, swap, NULL) == 0);
	/* On a busy machine he may begin late. */
	for (int i = 0;
	     i < ROUNDS || (taken < 10 && time_mono_us() - begun < PATIENCE_US);
	     i++) {
		struct trail why = {{0}};
		char b[MAX + 1] = {0};
		size_t n = 0;
		int fd = -1;

		if (collect(job, MAX, &why, &fd, &n) != SANDBOX_OUTPUTS)
			continue;
		taken++;
		(void)!read(fd, b, MAX);
		/* A file of his own may still be empty. */
		wrong += b[0] != 0 && strcmp(b, "good") != 0;
		(void)close(fd);
	}
	atomic_store(&stop, true);
	(void)pthread_join(t, NULL);
	T_EQ_INT(wrong, 0);
	T_OK(taken > 0);
	printf("# %d of %d taken, %lld ms\n", taken, ROUNDS,
	    (long long)(time_mono_us() - begun) / 1000);
}

static enum sandbox_outputs
what(char ret[192])
{
	struct trail t = {{0}};
	enum sandbox_outputs k;
	size_t n = 0;
	int fd = -1;

	k = collect(job, MAX, &t, &fd, &n);
	if (fd >= 0)
		(void)close(fd);
	memcpy(ret, t.detail, 192);
	return k;
}

TEST(one_by_one)
{
	static char big[MAX + 2];
	char why[192];

	(void)unlinkat(job, COLLECT_NAME, 0);
	(void)unlinkat(job, COLLECT_NAME, AT_REMOVEDIR);
	T_EQ_INT(what(why), SANDBOX_NO_OUTPUTS);
	memset(big, 'x', MAX);
	write_at(COLLECT_NAME, big);
	T_EQ_INT(what(why), SANDBOX_OUTPUTS);
	big[MAX] = 'x';
	write_at(COLLECT_NAME, big);
	T_EQ_INT(what(why), SANDBOX_BAD_OUTPUTS);
	T_EQ_STR(str_c(why), STR("outputs.json is too large"));
	(void)unlinkat(job, COLLECT_NAME, 0);
	T_EQ_INT(symlinkat("x", job, COLLECT_NAME), 0);
	T_EQ_INT(what(why), SANDBOX_BAD_OUTPUTS);
	(void)unlinkat(job, COLLECT_NAME, 0);
	T_EQ_INT(mkfifoat(job, COLLECT_NAME, 0600), 0);
	T_EQ_INT(what(why), SANDBOX_BAD_OUTPUTS);
	T_EQ_STR(str_c(why), STR("outputs.json is no regular file"));
	(void)unlinkat(job, COLLECT_NAME, 0);
	T_EQ_INT(linkat(AT_FDCWD, secret, job, COLLECT_NAME, 0), 0);
	T_EQ_INT(what(why), SANDBOX_BAD_OUTPUTS);
	T_EQ_STR(str_c(why), STR("outputs.json has other names"));
}

TEST(end)
{
	(void)unlinkat(job, COLLECT_NAME, 0);
	(void)unlinkat(job, "n", 0);
	(void)unlinkat(job, "n", AT_REMOVEDIR);
	(void)close(job);
	(void)rmdir(dir);
	(void)unlink(secret);
}

T_MAIN
