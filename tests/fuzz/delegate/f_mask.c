/*
 * A secret and a stream: first byte: how long the secret is; then the
 * secret; then the stream, cut where its own bytes say.  The secret is never
 * in what comes out, and everything but secrets does come out.
 */
#include "delegate/mask.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
one(const struct mask_set *set, struct str secret, struct str in, bool cut)
{
	struct masker *m;
	struct str rest = in;
	struct buf out;

	BUG_ON(!err_ok(masker_new(set, &m)));
	buf_init(&out, in.n * 3 + 16);
	while (rest.n > 0) {
		size_t k = cut ? 1 + ((size_t)(uint8_t)rest.p[0] & 15) : rest.n;

		mask_add(m, str_head(rest, k), &out);
		rest = str_skip(rest, k);
	}
	mask_end(m, &out);
	BUG_ON(out.failed);
	BUG_ON(out.n > 0 && memmem(out.p, out.n, secret.p, secret.n) != NULL &&
	    memmem("***", 3, secret.p, 1) == NULL);
	BUG_ON(out.n == 0 && in.n > 0);
	m = masker_free(m);
	buf_done(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str in = str_of((const char *)data, n), secret;
	struct trail t = {{0}};
	struct mask_set *set;

	if (n < 1)
		return 0;
	secret = str_head(str_skip(in, 1), (size_t)data[0] & 63);
	if (!err_ok(mask_set_new(&secret, 1, &t, &set)))
		return 0;
	BUG_ON(secret.n < MASK_MIN);
	in = str_skip(in, 1 + secret.n);
	one(set, secret, in, false);
	one(set, secret, in, true);
	set = mask_set_free(set);
	return 0;
}
