/*
 * ini.h: INI text read with inih and checked strictly: what inih forgives
 * (long lines it would cut, indented lines it would join, text behind a
 * section's name, bytes that are no printable UTF-8) is refused before it
 * sees the line.
 */
#ifndef BASE_INI_H
#define BASE_INI_H

#include "base/err.h"
#include "base/str.h"

struct ini_hooks {
	void *ctx;
	/* A line "[name]"; NULL, or what is wrong with it. */
	const char *(*section)(void *ctx, struct str name);
	/* NULL, or what is wrong.  Texts live until it returns. */
	const char *(*value)(void *ctx, const char *section, const char *name,
	    const char *value);
};

/* Lines of at most 190 bytes.  E_CONFIG, and the trail says the line. */
err ini_read(struct str text, const struct ini_hooks *h,
    struct trail *t) MUST_USE;

#endif
