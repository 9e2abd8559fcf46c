/* Any bytes as an HTTP answer, cut in two at a place the input chooses: both
 * ways must agree, and no more bytes come out than went in. */
#include "client/response.h"

#include <stdlib.h>

struct result {
	err e;
	uint64_t hash, bytes;
	int status;
	bool ended;
};

static void
feed(struct response *r, struct str in, struct result *x)
{
	enum response_step step = RESPONSE_MORE;
	struct trail t = {0};
	struct str piece;

	while (err_ok(x->e) && !x->ended) {
		x->e = response_step(r, &in, &piece, &step, &t);
		if (!err_ok(x->e) || step == RESPONSE_MORE)
			return;
		x->ended = step == RESPONSE_END;
		for (size_t i = 0; i < piece.n; i++)
			x->hash = x->hash * 31 + (unsigned char)piece.p[i];
		x->bytes += piece.n;
	}
}

static struct result
run(struct str in, size_t cut)
{
	struct result x = {.e = OK};
	struct arena a;
	struct response r;

	arena_init(&a, 1 << 20);
	response_init(&r, &a);
	feed(&r, str_head(in, cut), &x);
	feed(&r, str_skip(in, cut), &x);
	x.status = r.status;
	arena_done(&a);
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
	if (one.e.code != two.e.code || one.bytes > n)
		abort();
	if (err_ok(one.e) &&
	    (one.hash != two.hash || one.ended != two.ended ||
		one.status != two.status))
		abort();
	return 0;
}
