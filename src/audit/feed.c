#include "audit/feed.h"

#include "audit/epoch.h"
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

/* ---- epochs ---- */

/* The log goes on under another name: doc/PROTOCOL.audit 8. */
static err
feed_fork(struct feed *f, struct str leaf, uint64_t seq,
    struct audit_verdict *v)
{
	struct fork k;

	if (!err_ok(fork_read(leaf, &k)) || k.log.n >= sizeof f->epoch ||
	    (f->epoch[0] != '\0' && v->hidden == 0 &&
		!str_is(k.before, f->epoch)))
		return finding(v, seq,
		    "entry %" PRIu64
		    " is a fork that does not begin where the log was",
		    seq);
	f->left = f->left || str_eq(k.before, f->known);
	memcpy(f->epoch, k.log.p, k.log.n);
	f->epoch[k.log.n] = '\0';
	v->forks++;
	if (k.size > seq - 1)
		v->lost += k.size - (seq - 1);
	return OK;
}

err
feed_origin(const struct feed *f, struct str origin, struct audit_verdict *v)
{
	bool known = f->known.n == 0 || str_eq(f->known, origin) || f->left;
	/* a fork that is hidden may lead on from the last one shown */
	bool leads = f->epoch[0] == '\0' || v->hidden > 0;

	if (known && (leads || str_is(origin, f->epoch)))
		return OK;
	return finding(v, f->next,
	    "the log is called %.*s, and no entry says why",
	    STR_ARG(str_head(origin, 100)));
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
	if (fork_is(leaf))
		TRY(feed_fork(f, leaf, p.e.seq, v));
	audit_leaf_hash(leaf, ret);
	v->entries++;
	return OK;
}
