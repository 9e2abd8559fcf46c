/*
 * ui.h: the files of the web UI, which are in the binary (ui/pack.mjs makes
 * the table, `.incbin` the bytes), and which addresses are pages of it.
 *
 * Nothing here is anybody's data: a stranger may have all of it.
 */
#ifndef UI_UI_H
#define UI_UI_H

#include <stdbool.h>

#include "base/str.h"

enum ui_coding { UI_IDENTITY, UI_GZIP, UI_BROTLI, UI_CODINGS };
/* As Content-Encoding names it; "" for UI_IDENTITY. */
struct str ui_coding_text(enum ui_coding k);

struct ui_asset {
	const char *path; /* "/main-1a2b3c4d.js" */
	const char *type;
	/* Of the bytes as they are, 132 bits of SHA-256; a coding's own tag is
	 * this with a letter behind it. */
	const char *tag;
	bool immutable; /* the name changes with the bytes */
	/* From its first byte to behind its last; none: not in that coding. */
	const char *body[UI_CODINGS], *end[UI_CODINGS];
};
struct str ui_body(const struct ui_asset *a, enum ui_coding k);

/* The file of that path, as it is in the request line (no decoding: no file
 * of ours needs any).  A path of a page is answered by index.html; *ret_page
 * says which of both it is.  NULL: no such file. */
const struct ui_asset *ui_find(struct str path, bool *ret_page);

/* The best coding of an Accept-Encoding (RFC 9110 12.5.3) that the file has;
 * UI_IDENTITY when there is no such field (p NULL) or nothing else will do. */
enum ui_coding ui_coding(const struct ui_asset *a, struct str accept);

/* Every path and page pattern, for tests; NULL behind the last. */
const char *ui_path(size_t i);
const char *ui_page(size_t i);

#endif
