/* A sealed file and keys as texts from anywhere: opened or refused. */
#include "seal/parcel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t sk[HPKE_KEY] = {1};
	static uint8_t out[PARCEL_CHUNK];
	struct str s = str_of((const char *)data, size);
	uint8_t key[HPKE_KEY];
	struct parcel *p;
	struct buf b;

	buf_init(&b, 1024);
	if (parcel_public_parse(s, key)) {
		parcel_public_text(key, &b);
		BUG_ON(!str_eq(buf_view(&b), s));
	}
	buf_clear(&b);
	if (parcel_secret_parse(s, key)) {
		parcel_secret_text(key, &b);
		BUG_ON(!str_eq(buf_view(&b), s));
	}
	buf_done(&b);
	if (!err_ok(parcel_open(sk, str_head(s, PARCEL_HEAD), &p)))
		return 0;
	s = str_skip(s, PARCEL_HEAD);
	while (s.n > 0) {
		struct str piece = str_head(s, PARCEL_PIECE);

		s = str_skip(s, piece.n);
		if (!err_ok(parcel_next(p, piece, s.n == 0, out)))
			break;
	}
	p = parcel_free(p);
	return 0;
}
