/*
 * pages.h: timeline pages a reactor has rendered lately.
 *
 * In an incident everybody reads the same timeline.  A timeline only grows,
 * so a rendered page is right for as long as the incident has that many
 * entries; the row that says how many is read for every request, after the
 * decision whether this caller may see it, so a page decides nothing and
 * cannot be stale.
 *
 * What is kept is plaintext: in this thread's memory only, at most
 * LIM_PAGES bytes, wiped when it goes, gone after PAGES_AGE_MS or as soon as
 * keys or the world change, also when nobody asks any more (line_tick).
 */
#ifndef FLOW_PAGES_H
#define FLOW_PAGES_H

#include "base/buf.h"

enum { PAGES = 64, PAGES_AGE_MS = 30000 };

/* Everything the bytes of a page depend on. */
struct page_key {
	uint64_t incident;
	uint32_t entries; /* of the incident, now */
	uint32_t after, max;
	bool newest_first;
	bool redacted; /* for who may not read what is guarded */
};

struct page_kept {
	struct page_key key;
	int64_t made;
	struct str items; /* JSON items with commas, no brackets */
	uint32_t last;
	bool more;
};

struct pages {
	struct page_kept slot[PAGES];
	size_t bytes;
	uint64_t version; /* of the snapshot they were rendered under */
};

/* NULL when there is none. */
const struct page_kept *pages_find(struct pages *p, const struct page_key *k,
    uint64_t version, int64_t now);
/* Keep a copy; makes room. Keeping is never needed, so it cannot fail. */
void pages_keep(struct pages *p, const struct page_key *k, uint64_t version,
    int64_t now, struct str items, uint32_t last, bool more);
/* Drop what is too old, and all when the snapshot is another. */
void pages_tend(struct pages *p, uint64_t version, int64_t now);
void pages_clear(struct pages *p);

#endif
