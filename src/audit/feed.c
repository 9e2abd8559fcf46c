#include "audit/feed.h"

#include "audit/scan.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

err
finding(struct audit_verdict *v, uint64_t seq, const char *fmt, ...)
{
	va_list ap;

	v->bad_seq = seq;
	va_start(ap, fmt);
	if (vsnprintf(v->what, sizeof v->what, fmt, ap) < 0)
		v->what[0] = '\0';
	va_end(ap);
	return err_of(E_BAD_ANSWER);
}

err
finding_range(struct audit_verdict *v, uint64_t first, uint64_t last,
    const char *rest)
{
	if (first == last)
		return finding(v, first, "entry %" PRIu64 " %s", first, rest);
	return finding(v, first,
	    "one of the entries %" PRIu64 " to %" PRIu64 " %s", first, last,
	    rest);
}

void
feed_init(struct feed *f, uint64_t next)
{
	f->next = next;
	f->time = INT64_MIN;
}

err
feed_seq(struct feed *f, uint64_t seq, struct audit_verdict *v)
{
	if (f->next == 0) {
		f->next = seq;
		v->first = seq;
	}
	if (seq > f->next)
		return finding(v, f->next,
		    "entry %" PRIu64 " is missing: entry %" PRIu64
		    " stands in its place",
		    f->next, seq);
	if (seq < f->next)
		return finding(v, f->next,
		    "entry %" PRIu64
		    " stands again in the place of entry %" PRIu64,
		    seq, f->next);
	v->last = seq;
	f->next++;
	return OK;
}

err
feed_leaf(struct feed *f, struct str leaf, struct hash *ret,
    struct audit_verdict *v)
{
	struct leaf_parts p;

	if (!leaf_scan(leaf, &p))
		return finding(v, f->next == 0 ? 1 : f->next,
		    "entry %" PRIu64 " is not a leaf in its one form",
		    f->next == 0 ? 1 : f->next);
	TRY(feed_seq(f, p.e.seq, v));
	if (p.e.time < f->time)
		return finding(v, p.e.seq,
		    "entry %" PRIu64 " is dated before entry %" PRIu64, p.e.seq,
		    p.e.seq - 1);
	f->time = p.e.time;
	audit_leaf_hash(leaf, ret);
	v->entries++;
	return OK;
}
