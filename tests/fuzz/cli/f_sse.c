/* Any bytes as an event stream, whole and cut: the same events. */
#include "cli/feed.h"

#include <stdlib.h>

struct result {
	uint64_t hash, events;
	bool failed;
};

static void
mix(struct result *x, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		x->hash = x->hash * 31 + (unsigned char)s.p[i];
	x->hash = x->hash * 31 + s.n;
}

static void
feed(struct feed *f, struct str in, struct result *x)
{
	struct trail t = {0};
	struct feed_event ev;
	bool got;

	do {
		if (!err_ok(feed_next(f, &in, &ev, &got, &t))) {
			x->failed = true;
			return;
		}
		if (!got)
			continue;
		mix(x, ev.type);
		mix(x, ev.data);
		mix(x, ev.id);
		if (ev.id.n > FEED_ID || ev.data.n > FEED_EVENT)
			abort();
		x->events++;
	} while (got || in.n > 0);
}

static struct result
run(struct str in, size_t cut)
{
	struct result x = {0};
	struct feed f;

	feed_start(&f);
	feed(&f, str_head(in, cut), &x);
	feed(&f, str_skip(in, cut), &x);
	feed_done(&f);
	return x;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct result one, two;
	struct str in;

	if (n < 2)
		return 0;
	in = str_of((const char *)p + 2, n - 2);
	one = run(in, in.n);
	two = run(in, in.n == 0 ? 0 : ((size_t)p[0] << 8 | p[1]) % in.n);
	if (one.hash != two.hash || one.events != two.events ||
	    one.failed != two.failed)
		abort();
	return 0;
}
