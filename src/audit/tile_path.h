/*
 * tile_path.h: the names of tiles and bundles of entries in C2SP tlog-tiles:
 * "<L>" and "x001/x234/067" or "x001/x234/067.p/9".  One tile has one name.
 */
#ifndef AUDIT_TILE_PATH_H
#define AUDIT_TILE_PATH_H

#include "audit/tree.h"
#include "base/buf.h"

struct tile_path {
	uint64_t index;
	unsigned width; /* TILE_WIDTH: all of it */
};

/* A level is 0 to 63, in decimal. */
bool tile_level_parse(struct str s, unsigned *ret);
/* Refuses what tile_path_text would not have written. */
bool tile_path_parse(struct str s, struct tile_path *ret);
void tile_path_text(const struct tile_path *t, struct buf *b);

#endif
