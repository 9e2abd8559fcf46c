#include "base/rand.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/mem.h"

/* More than this is not worth buffering. */
enum { POOL = 1024, POOL_TAKE_MAX = 256 };

/*
 * How a forked child is kept from repeating its parent: `mark` is alone on a
 * page which the kernel zeroes in every child (MADV_WIPEONFORK, so raw
 * clone(2) is covered, too), and a pool is good only while its generation is
 * the one in `mark`.  A zero mark is replaced by the next number of
 * `generations`, which is inherited and therefore larger than that of any
 * inherited pool.
 */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_uint_fast64_t *mark; /* NULL: pools are not safe here */
static atomic_uint_fast64_t generations;

static __thread struct {
	uint64_t generation;
	size_t left; /* unused bytes, at the end of p */
	uint8_t p[POOL];
} pool;

static void
draw(uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t got = getrandom(p, n, 0);

		BUG_ON(got < 0 && errno != EINTR);
		if (got > 0) {
			p += got;
			n -= (size_t)got;
		}
	}
}

static void
mark_map(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *p = mmap(NULL, page, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return;
	if (madvise(p, page, MADV_WIPEONFORK) != 0) {
		munmap(p, page);
		return;
	}
	mark = p;
}

/* The number pools of this process must carry; never 0. */
static uint64_t
generation_now(void)
{
	uint64_t next;
	uint_fast64_t seen = atomic_load(mark);

	if (seen != 0)
		return seen;
	next = atomic_fetch_add(&generations, 1) + 1;
	if (atomic_compare_exchange_strong(mark, &seen, next))
		return next;
	return seen;
}

void
rand_bytes(void *p, size_t n)
{
	uint64_t generation;

	pthread_once(&once, mark_map);
	if (n > POOL_TAKE_MAX || mark == NULL) {
		draw(p, n);
		return;
	}
	generation = generation_now();
	if (pool.generation != generation || pool.left < n) {
		draw(pool.p, POOL);
		pool.left = POOL;
		pool.generation = generation;
	}
	memcpy(p, pool.p + (POOL - pool.left), n);
	mem_wipe(pool.p + (POOL - pool.left), n);
	pool.left -= n;
}

void
rand_base62(char *p, size_t n)
{
	static const char digit[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz";
	uint8_t rnd[64];
	size_t at = sizeof rnd;

	while (n > 0) {
		if (at == sizeof rnd) {
			rand_bytes(rnd, sizeof rnd);
			at = 0;
		}
		/* 248 = 4 * 62: what is above would favour low digits. */
		if (rnd[at] < 248) {
			*p++ = digit[rnd[at] % 62];
			n--;
		}
		at++;
	}
	mem_wipe(rnd, sizeof rnd);
}

struct uuid
rand_uuid(int64_t now_ms)
{
	uint8_t rnd[10];

	rand_bytes(rnd, sizeof rnd);
	return uuid_v7(now_ms, rnd);
}
