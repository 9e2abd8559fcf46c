/*
 * spool.h: what a step writes, on its way to a file of the delegate's.
 *
 * Only what has been masked goes in (mask.h).  Control characters but newline
 * and tab become \xNN, so that no terminal obeys them; a line over
 * SPOOL_LINE bytes is cut; what is over the step's limit is counted and left
 * out, and the last line says so.
 */
#ifndef DELEGATE_SPOOL_H
#define DELEGATE_SPOOL_H

#include "base/buf.h"
#include "base/id.h"

enum { SPOOL_LINE = 65536, SPOOL_NAME = 64 };

struct spool {
	int fd;
	uint64_t size, max; /* bytes in the file, and at most */
	uint64_t left_out;
	size_t line; /* bytes of the present line */
	size_t cut;  /* bytes of it that were left out */
	bool failed; /* the disk said no: the rest is left out */
	void *sha;   /* of the file so far */
};

/* spool/<task>.log of dir, empty. */
err spool_open(struct spool *s, int dir, const struct uuid *task,
    uint64_t max) MUST_USE;
void spool_add(struct spool *s, struct str masked);
/* No more: says what was left out, and waits for the disk.  ret_sha: hex. */
err spool_end(struct spool *s, char ret_sha[65]) MUST_USE;
void spool_close(struct spool *s);
/* "spool/<task>.log" */
void spool_name(const struct uuid *task, const char *ext, char ret[SPOOL_NAME]);

#endif
