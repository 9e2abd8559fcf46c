/*
 * view.h: answers for people and as JSON.  Rendered into buffers; nothing
 * here knows where they go.  Server text is inert afterwards.
 */
#ifndef CLI_VIEW_H
#define CLI_VIEW_H

#include "base/json.h"
#include "cli/table.h"

enum { VIEW_COLUMNS = 8 };

/* A table that may come in several pages: widths are set by the first. */
struct table {
	enum view view;
	size_t width; /* of the terminal; 0: no limit */
	bool begun;
	size_t columns[VIEW_COLUMNS];
};

/* Rows of an array, with headings before the first. */
void table_add(struct buf *b, struct table *t, const struct json *items);
/* All members of an object, one below the other, nested ones indented. */
void detail_show(struct buf *b, const struct json *j);
/* The document again, two spaces a level; control, bidirectional and other
 * unsafe characters as \u escapes, so that it is the same document but
 * inert on a terminal. No line feed at its end. */
void json_show(struct buf *b, const struct json *j, unsigned level);
/* One value as one line of text: for cells, and for events. */
void value_line(struct buf *b, const struct json *j);

/* Columns of a terminal that text takes. */
size_t cells(struct str s);
/* The longest head of s that takes at most n. */
struct str cells_head(struct str s, size_t n);

#endif
