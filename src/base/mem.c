#include "base/mem.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

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
