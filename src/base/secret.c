/*
 * The pool: chunks of four pages between two guard pages, each page holding
 * 128 slots.  Which slots are taken is written outside the pages, so there
 * is nothing in them but keys.
 *
 * A forked child does not have the pages at all (MADV_DONTFORK): inherited
 * secrets fault when touched, instead of reading as zero keys or, with
 * memfd_secret, being wiped under the parent.  The child may make new ones.
 * Roles are started by execve, so nothing needs more.
 */
#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"

struct secret {
	uint8_t b[SECRET_SIZE];
};

enum {
	GUARD = 65536, /* no smaller than any page size */
	CHUNK = 16384,
	CHUNK_SLOTS = CHUNK / SECRET_SIZE,
	CHUNKS = LIM_SECRETS / CHUNK_SLOTS,
	WORDS = CHUNK_SLOTS / 64
};

_Static_assert(LIM_SECRETS % CHUNK_SLOTS == 0, "the pool ends with a chunk");

struct chunk {
	struct secret *slot; /* NULL: not mapped yet */
	uint64_t taken[WORDS];
	bool inherited; /* of the parent: not mapped in this process */
};

enum kind { UNKNOWN, MEMFD_SECRET, MLOCK };

static struct {
	pthread_mutex_t lock;
	enum kind kind;
	bool atfork;
	struct chunk chunk[CHUNKS];
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void
fork_before(void)
{
	pthread_mutex_lock(&pool.lock);
}

static void
fork_parent(void)
{
	pthread_mutex_unlock(&pool.lock);
}

static void
fork_child(void)
{
	for (size_t i = 0; i < CHUNKS; i++)
		pool.chunk[i].inherited = pool.chunk[i].slot != NULL;
	pthread_mutex_unlock(&pool.lock);
}

static int
memfd_secret_open(void)
{
#ifdef SYS_memfd_secret
	return (int)syscall(SYS_memfd_secret, (unsigned)O_CLOEXEC);
#else
	errno = ENOSYS;
	return -1;
#endif
}

/* Is there memfd_secret?  Asked once: it does not come or go. */
static enum kind
pool_kind(void)
{
	int fd;

	if (pool.kind != UNKNOWN)
		return pool.kind;
	fd = memfd_secret_open();
	if (fd >= 0)
		close(fd);
	pool.kind = fd >= 0 ? MEMFD_SECRET : MLOCK;
	return pool.kind;
}

static bool
map_memfd(void *at)
{
	int fd = memfd_secret_open();
	void *p = MAP_FAILED;

	if (fd < 0)
		return false;
	if (ftruncate(fd, CHUNK) == 0)
		p = mmap(at, CHUNK, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_FIXED, fd, 0);
	close(fd);
	return p != MAP_FAILED;
}

static bool
map_locked(void *at)
{
	if (mprotect(at, CHUNK, PROT_READ | PROT_WRITE) != 0)
		return false;
	return mlock(at, CHUNK) == 0 && madvise(at, CHUNK, MADV_DONTDUMP) == 0;
}

static bool
chunk_map(struct chunk *c)
{
	bool secret = pool_kind() == MEMFD_SECRET;
	size_t all = CHUNK + 2 * GUARD;
	char *p = mmap(NULL, all, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return false;
	if (!(secret ? map_memfd(p + GUARD) : map_locked(p + GUARD)) ||
	    madvise(p + GUARD, CHUNK, MADV_DONTFORK) != 0 ||
	    (!pool.atfork &&
		pthread_atfork(fork_before, fork_parent, fork_child) != 0)) {
		munmap(p, all);
		return false;
	}
	pool.atfork = true;
	/* Pages of memfd_secret are taken when touched; be refused here. */
	memset(p + GUARD, 0, CHUNK);
	*c = (struct chunk){.slot = (struct secret *)(void *)(p + GUARD)};
	return true;
}

static struct secret *
chunk_take(struct chunk *c)
{
	for (size_t w = 0; w < WORDS; w++) {
		int bit = __builtin_ffsll((long long)~c->taken[w]);

		if (bit == 0)
			continue;
		c->taken[w] |= UINT64_C(1) << (bit - 1);
		return c->slot + w * 64 + (size_t)(bit - 1);
	}
	return NULL;
}

static struct secret *
pool_take(void)
{
	for (size_t i = 0; i < CHUNKS; i++) {
		struct chunk *c = &pool.chunk[i];
		struct secret *s;

		if (c->inherited)
			continue;
		if (c->slot == NULL && !chunk_map(c))
			return NULL;
		s = chunk_take(c);
		if (s != NULL)
			return s;
	}
	return NULL;
}

err
secret_new(struct secret **ret)
{
	struct secret *s;

	pthread_mutex_lock(&pool.lock);
	s = pool_take();
	pthread_mutex_unlock(&pool.lock);
	if (s == NULL)
		return err_of(E_NO_MEMORY);
	*ret = s;
	return OK;
}

static struct chunk *
chunk_of(const struct secret *s)
{
	for (size_t i = 0; i < CHUNKS; i++) {
		struct chunk *c = &pool.chunk[i];
		uintptr_t first = (uintptr_t)c->slot;

		if (c->slot != NULL && (uintptr_t)s - first < CHUNK)
			return c;
	}
	return NULL;
}

struct secret *
secret_free(struct secret *s)
{
	struct chunk *c;
	size_t i;

	if (s == NULL)
		return NULL;
	pthread_mutex_lock(&pool.lock);
	c = chunk_of(s);
	BUG_ON(c == NULL);
	if (!c->inherited) {
		i = (size_t)(s - c->slot);
		BUG_ON((c->taken[i / 64] >> (i % 64) & 1) == 0);
		mem_wipe(s, sizeof *s);
		c->taken[i / 64] &= ~(UINT64_C(1) << (i % 64));
	}
	pthread_mutex_unlock(&pool.lock);
	return NULL;
}

uint8_t *
secret_bytes(struct secret *s)
{
	return s->b;
}

const uint8_t *
secret_view(const struct secret *s)
{
	return s->b;
}

const char *
secret_memory(void)
{
	enum kind kind;

	pthread_mutex_lock(&pool.lock);
	kind = pool_kind();
	pthread_mutex_unlock(&pool.lock);
	return kind == MEMFD_SECRET ? "memfd_secret" : "mlock";
}

bool
ct_eq(const void *a, const void *b, size_t n)
{
	const volatile uint8_t *x = a, *y = b;
	uint8_t differ = 0;

	for (size_t i = 0; i < n; i++)
		differ |= (uint8_t)(x[i] ^ y[i]);
	return differ == 0;
}
