#include "base/rand.h"
#include "tests/t.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static int
ones(const uint8_t *p, size_t n)
{
	int sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += __builtin_popcount(p[i]);
	return sum;
}

/* 8 * 65536 fair bits: one in 10^15 is further than 8 sigma away. */
TEST(half_of_the_bits_are_set)
{
	static uint8_t p[65536];

	for (size_t n = 1; n <= 128; n *= 2) {
		memset(p, 0, sizeof p);
		for (size_t i = 0; i < sizeof p; i += n)
			rand_bytes(p + i, n);
		T_OK(abs(ones(p, sizeof p) - 262144) < 8 * 362);
	}
	memset(p, 0, sizeof p);
	rand_bytes(p, sizeof p);
	T_OK(abs(ones(p, sizeof p) - 262144) < 8 * 362);
}

TEST(writes_exactly_n_bytes)
{
	for (size_t n = 0; n < 600; n++) {
		uint8_t p[602] = {0};

		rand_bytes(p + 1, n);
		T_OK(p[0] == 0 && p[n + 1] == 0);
	}
}

TEST(draws_do_not_repeat)
{
	static uint64_t seen[10000];

	for (size_t i = 0; i < 10000; i++) {
		rand_bytes(&seen[i], sizeof seen[i]);
		for (size_t k = i > 300 ? i - 300 : 0; k < i; k++)
			T_OK(seen[i] != seen[k]);
	}
}

TEST(a_child_does_not_repeat_its_parent)
{
	uint8_t here[32], there[32];
	int fd[2], status;
	pid_t pid;

	rand_bytes(here, 1); /* the buffer is full */
	T_REQUIRE(pipe(fd) == 0);
	pid = fork();
	T_REQUIRE(pid >= 0);
	if (pid == 0) {
		rand_bytes(there, sizeof there);
		_exit(write(fd[1], there, sizeof there) != sizeof there);
	}
	rand_bytes(here, sizeof here);
	T_EQ_INT(read(fd[0], there, sizeof there), sizeof there);
	T_OK(memcmp(here, there, sizeof here) != 0);
	T_EQ_INT(waitpid(pid, &status, 0), pid);
	T_EQ_INT(status, 0);
	close(fd[0]);
	close(fd[1]);
}

static void *
draw_some(void *p)
{
	rand_bytes(p, 32);
	return NULL;
}

/* The child's second thread must not revive the buffer of its first. */
static int
child_with_a_thread(int fd)
{
	uint8_t out[64];
	pthread_t t;

	if (pthread_create(&t, NULL, draw_some, out) != 0)
		return 1;
	pthread_join(t, NULL);
	rand_bytes(out + 32, 32);
	return write(fd, out, sizeof out) != sizeof out;
}

TEST(a_child_with_threads_does_not_repeat_its_parent)
{
	uint8_t here[32], there[64];
	int fd[2], status;
	pid_t pid;

	rand_bytes(here, 1);
	T_REQUIRE(pipe(fd) == 0);
	pid = fork();
	T_REQUIRE(pid >= 0);
	if (pid == 0)
		_exit(child_with_a_thread(fd[1]));
	rand_bytes(here, sizeof here);
	T_EQ_INT(read(fd[0], there, sizeof there), sizeof there);
	T_OK(memcmp(here, there, 32) != 0);
	T_OK(memcmp(here, there + 32, 32) != 0);
	T_OK(memcmp(there, there + 32, 32) != 0);
	T_EQ_INT(waitpid(pid, &status, 0), pid);
	T_EQ_INT(status, 0);
	close(fd[0]);
	close(fd[1]);
}

/* 62,000 draws: each digit is expected 1,000 times, sigma is 31. */
TEST(base62_is_uniform)
{
	static char p[62000];
	int seen[256] = {0}, kinds = 0;

	rand_base62(p, sizeof p);
	for (size_t i = 0; i < sizeof p; i++)
		seen[(unsigned char)p[i]]++;
	for (int c = 0; c < 256; c++) {
		if (seen[c] == 0)
			continue;
		kinds++;
		T_OK((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
		    (c >= 'a' && c <= 'z'));
		T_OK(abs(seen[c] - 1000) < 8 * 31);
	}
	T_EQ_INT(kinds, 62);
}

TEST(uuids_carry_the_time)
{
	struct uuid a = rand_uuid(0x010203040506),
		    b = rand_uuid(0x010203040506);

	T_EQ_MEM(a.b, "\1\2\3\4\5\6", 6);
	T_EQ_INT(a.b[6] >> 4, 7);
	T_EQ_INT(a.b[8] >> 6, 2);
	T_OK(!uuid_eq(&a, &b));
}

T_MAIN
