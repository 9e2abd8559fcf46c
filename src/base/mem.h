/*
 * mem.h: the only place that calls malloc.  Long-lived objects come from
 * here and every caller names its bound in limits.def; what belongs to one
 * request comes from its arena.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

/* Zeroed memory for `count` objects of `size` bytes; NULL when refused. */
void *mem_new(size_t count, size_t size);
/* Grow or shrink to `count` objects; new bytes are not zeroed.  On NULL the
 * old block stays valid. */
void *mem_grow(void *p, size_t count, size_t size);
void mem_free(void *p); /* accepts NULL */
/* For a process that serves: keep freed memory (up to 16 MiB a thread's heap)
 * instead of giving it back and faulting it in again for each request. */
void mem_keep(void);
/*
 * Whole pages for large working memory that secrets pass through: zeroed,
 * never in a core dump or a forked child, locked when the process may lock
 * LIM_LOCKED bytes.  Freeing gives them back to the system, which clears
 * them before anybody gets them.  NULL when refused.
 */
void *mem_pages_new(size_t n);
void mem_pages_free(void *p, size_t n); /* accepts NULL */
/* Overwrite in a way the compiler keeps. */
void mem_wipe(void *p, size_t n);

#endif
