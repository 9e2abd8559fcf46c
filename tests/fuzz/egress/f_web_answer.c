/* A service's answer: the whole agrees with every way to cut it. */
#include "egress/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
one(struct str in, const struct answer_rules *rules)
{
	struct answer a = {0}, b = {0};
	enum web_end whole, part;
	struct buf body;
	bool done, early;

	buf_init(&body, rules->body);
	whole = answer_take(in, rules, &body, &done, &a);
	BUG_ON(done && (whole != WEB_OK || a.status < 200 || a.status > 599));
	BUG_ON(body.n > rules->body || a.retry_ms < 0);
	BUG_ON(done && rules->no_body && body.n > 0);
	/* What is refused or finished at a prefix stays so. */
	for (size_t k = 1; k <= 4 && in.n > 4; k++) {
		part = answer_take(str_head(in, in.n - k), rules, &body, &early,
		    &b);
		BUG_ON(part != WEB_OK && whole == WEB_OK);
		BUG_ON(early && whole == WEB_OK);
	}
	buf_done(&body);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct answer_rules get = {16384, 65536, false, false};
	static const struct answer_rules head = {16384, 65536, false, true};
	struct str in = str_of((const char *)data, n);

	one(in, &get);
	one(in, &head);
	return 0;
}
