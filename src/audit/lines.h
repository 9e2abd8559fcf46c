/*
 * lines.h: an audit entry as a line of an export or of a stream, in each
 * format of formats.def.  doc/PROTOCOL.audit 5 has them to the byte.
 *
 * A line is made of the leaf and of its hash alone, in one way, and has all
 * of the leaf: who has a line makes the leaf again, hashes it, and renders
 * the line again to see that nothing in it was changed.
 */
#ifndef AUDIT_LINES_H
#define AUDIT_LINES_H

#include "audit/tree.h"
#include "base/buf.h"

enum export_format {
#define FORMAT(id, name, type, file, text) EXPORT_##id,
#include "audit/formats.def"
#undef FORMAT
	EXPORT_FORMATS
};

#define OCSF_VERSION "1.6.0"

const char *export_format_name(enum export_format f);
const char *export_format_type(enum export_format f); /* of HTTP */
const char *export_format_file(enum export_format f);
bool export_format_parse(struct str name, enum export_format *ret);

/* What is before the first line: the names of the columns, for CSV. */
void export_head(enum export_format f, struct buf *b);
/* The line of an entry and its end; a holds what one line needs.  E_CORRUPT:
 * no leaf. */
err export_line(struct arena *a, enum export_format f, struct str leaf,
    const struct hash *h, struct buf *b) MUST_USE;
/* A text of graphic ASCII in a line of the same format: for the manifest. */
void export_text(enum export_format f, int64_t time, struct str json,
    struct buf *b);

/*
 * Back: the leaf whose line this is (without its end), and the hash that
 * stands in it.  False: it is none; *ret_seq is what it says its number is,
 * or 0.
 */
bool export_line_read(struct arena *a, enum export_format f, struct str line,
    struct str *ret_leaf, struct hash *ret_hash, uint64_t *ret_seq);
/* Is it the line of a manifest?  Its text. */
bool export_text_read(struct arena *a, enum export_format f, struct str line,
    struct str *ret_json);
/* Which format begins like this? */
enum export_format export_format_guess(struct str file);
/* "\r\n" or "\n" */
struct str export_line_end(enum export_format f);

#endif
