/* CBOR: what is taken is bounded, inside the input, and found again. */
#include "auth/cbor.h"
#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
inside(struct str all, const struct cbor *c)
{
	BUG_ON(c->bytes.n > 0 &&
	    (c->bytes.p < all.p || c->bytes.p + c->bytes.n > all.p + all.n));
	BUG_ON((c->kind == CBOR_MAP || c->kind == CBOR_ARRAY) &&
	    c->n > c->bytes.n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str all = str_of((const char *)data, n);
	struct cur in = cur_of(all), again;
	struct cbor c, d;
	int64_t v;

	if (!err_ok(cbor_take(&in, LIM_ATTESTATION, &c))) {
		BUG_ON(!in.failed);
		return 0;
	}
	BUG_ON(in.failed || in.n >= n || n - in.n > LIM_ATTESTATION);
	inside(all, &c);
	again = cur_of(str_head(all, n - in.n));
	BUG_ON(!err_ok(cbor_take(&again, LIM_ATTESTATION, &d)));
	BUG_ON(!cur_end(&again) || d.kind != c.kind || d.n != c.n);
	for (int64_t key = -3; key <= 3; key++)
		if (cbor_at_int(&c, key, &d)) {
			BUG_ON(c.kind != CBOR_MAP);
			inside(c.bytes, &d);
			(void)cbor_i64(&d, &v);
		}
	if (cbor_at_text(&c, STR("authData"), &d))
		inside(c.bytes, &d);
	return 0;
}
