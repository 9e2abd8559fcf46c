/*
 * export_read.h: what reading an export takes in every format, for the files
 * of audit only: its last line.
 */
#ifndef AUDIT_EXPORT_READ_H
#define AUDIT_EXPORT_READ_H

#include "audit/feed.h"
#include "audit/manifest.h"

struct export_end {
	bool there; /* a last line that says it is a manifest */
	bool line;  /* in the form its format has */
	err open;   /* what manifest_open said */
	struct manifest m;
	const char *key_name; /* whose signature was looked for */
};

/* Takes the last line, with its end, off *file; false: there is none. */
bool export_last_line(struct str *file, struct str *ret_line);
/* The manifest's, if it is one. */
err export_end_cut(struct arena *a, enum export_format f, struct str *file,
    const struct note_key *key, struct export_end *ret) MUST_USE;
static inline bool
export_end_good(const struct export_end *e)
{
	return e->there && e->line && err_ok(e->open);
}
/* Whole and signed?  Says so in the verdict. */
err export_end_check(const struct export_end *e, struct audit_verdict *v,
    uint64_t seq) MUST_USE;
/* Ends m; do the blocks, and the number of entries shown, agree? */
err export_blocks_check(struct marks *marks, const struct manifest *m,
    struct audit_verdict *v, const char *what) MUST_USE;

/* lines_verify.c: the formats that are not NDJSON. */
err lines_verify(enum export_format f, struct str file,
    const struct note_key *key, struct audit_verdict *v) MUST_USE;

#endif
