#include "base/mem.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "base/limits.h"

void *
mem_new(size_t count, size_t size)
{
	return calloc(count == 0 ? 1 : count, size == 0 ? 1 : size);
}

void *
mem_grow(void *p, size_t count, size_t size)
{
	return reallocarray(p, count == 0 ? 1 : count, size == 0 ? 1 : size);
}

void
mem_free(void *p)
{
	free(p);
}

/* Keys are locked too, and must never find the allowance used up. */
static bool
may_lock(void)
{
	struct rlimit r;

	return getrlimit(RLIMIT_MEMLOCK, &r) == 0 && r.rlim_cur >= LIM_LOCKED;
}

void *
mem_pages_new(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	if (madvise(p, n, MADV_DONTDUMP) != 0 ||
	    madvise(p, n, MADV_DONTFORK) != 0) {
		(void)munmap(p, n);
		return NULL;
	}
	if (may_lock())
		(void)mlock(p, n); /* refused: as without the allowance */
	return p;
}

void
mem_pages_free(void *p, size_t n)
{
	if (p != NULL)
		(void)munmap(p, n);
}

void
mem_wipe(void *p, size_t n)
{
	explicit_bzero(p, n);
}

void
mem_keep(void)
{
	enum { KEEP = 16 * 1024 * 1024 };

	(void)mallopt(M_MMAP_THRESHOLD, KEEP);
	(void)mallopt(M_TRIM_THRESHOLD, KEEP);
	(void)mallopt(M_TOP_PAD, KEEP / 64);
}
