/*
 * cells.h: the members of a leaf as texts, in the order of columns.def, for
 * the files of audit only.
 */
#ifndef AUDIT_CELLS_H
#define AUDIT_CELLS_H

#include "audit/lines.h"
#include "audit/scan.h"

enum cell {
#define COLUMN(id, name, cef, label) CELL_##id,
#include "audit/columns.def"
#undef COLUMN
	CELLS
};

/* p NULL: the leaf has no such member. */
struct cells {
	struct str v[CELLS];
};

extern const char *const cell_names[CELLS];

err cells_of(struct arena *a, const struct leaf_parts *p, const struct hash *h,
    struct cells *ret) MUST_USE;
/* The leaf that has these; false: none has. */
bool cells_leaf(struct arena *a, const struct cells *c, struct str *ret_leaf,
    struct hash *ret_hash);

/* Milliseconds as the text of a time. */
bool cells_time(struct arena *a, struct str ms, struct str *ret);
/* Behind those that are there: "type:id", in the form of CELL_RESOURCES. */
void cells_resource(struct buf *b, struct str type, struct str id);

/* ocsf.c */
void ocsf_line(const struct leaf_parts *p, const struct cells *c,
    struct buf *b);
bool ocsf_read(struct arena *a, struct str line, struct cells *ret);
void ocsf_text(int64_t time, struct str json, struct buf *b);
bool ocsf_text_read(struct str line, struct str *ret_json);

#endif
