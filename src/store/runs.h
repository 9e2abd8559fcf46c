/*
 * runs.h: inside the store: merging and intersecting runs of an index.
 *
 * A run is a sorted sequence of keys that one index range holds: the
 * incidents of one (status, severity), those with one tag, those one subject
 * is a member of.  A list is a union of runs, intersected with others by
 * leaping: each side in turn is asked for its first key at or beyond the
 * other's (T. Veldhuizen, "Leapfrog Triejoin", ICDT 2014).  So a list never
 * costs more than the rarer side, and never sorts.
 */
#ifndef STORE_RUNS_H
#define STORE_RUNS_H

#include "store/conn.h"

enum { RUN_AHEAD = 16, RUN_NUMBERS = 3 };

struct run {
	enum query query; /* ?1 the bound, ?2.. numbers, ?5 the blob */
	bool down;	  /* keys fall; else they rise */
	int64_t num[RUN_NUMBERS];
	unsigned num_n;
	const uint8_t *blob; /* 16 bytes or NULL */
	/* What was read ahead. */
	uint64_t key[RUN_AHEAD];
	unsigned at, n, want;
	bool end; /* nothing behind it */
};

struct runs {
	struct run *v;
	size_t n, cap;
};

/* A cleared run at the end of the list; NULL when the arena is full. */
struct run *runs_add(struct runs *r, struct arena *a, enum query query,
    bool down);
/* The first key at or beyond bound; false when there is none. */
err run_seek(struct store_conn *c, struct run *r, uint64_t bound, uint64_t *ret,
    bool *ret_got) MUST_USE;
/* The same of the union of all. */
err runs_seek(struct store_conn *c, struct runs *r, uint64_t bound,
    uint64_t *ret, bool *ret_got) MUST_USE;
/* Is the key in the run?  Keys must be asked for in the run's order. */
err run_has(struct store_conn *c, struct run *r, uint64_t key,
    bool *ret) MUST_USE;

/* A walk over the keys in [lo, hi] that are in `any` and in each of `all`. */
struct walk {
	struct runs any, all;
	bool down;
	uint64_t lo, hi;
};
/* The next key, and step beyond it. */
err walk_next(struct store_conn *c, struct walk *w, uint64_t *ret,
    bool *ret_got) MUST_USE;

/* The (status, severity) pairs an index has, those in both sets. */
struct pair {
	uint8_t status, severity;
};
err pairs_find(struct store_conn *c, enum query query, uint32_t project,
    uint32_t statuses, uint32_t severities, struct arena *a, struct pair **ret,
    size_t *ret_n) MUST_USE;

static inline bool
in_set(uint32_t bits, uint8_t v)
{
	return bits == 0 || (v < 32 && (bits >> v & 1) != 0);
}

static inline bool
in_times(int64_t t, int64_t from, int64_t to)
{
	return (from == 0 || t >= from) && (to == 0 || t < to);
}

/*
 * Narrow *lo and *hi (keys) to where times in [from, to) can be, given that
 * no time runs back by more than the stored slack.
 */
struct span {
	enum query time_from; /* ?1 project, ?2 key: next key and its time */
	uint32_t project;
	const char *order; /* meta name of the slack */
};
err span_narrow(struct store_conn *c, const struct span *s, int64_t from,
    int64_t to, uint64_t *lo, uint64_t *hi) MUST_USE;

#endif
