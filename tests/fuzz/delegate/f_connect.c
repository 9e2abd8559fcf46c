/* A CONNECT: what is taken is one spelling, and no prefix says otherwise. */
#include "base/limits.h"
#include "delegate/connect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str in = str_of((const char *)data, n);
	struct connect_head h, part;
	enum broker_end e;
	bool done, early;

	e = connect_take(in, &done, &h);
	BUG_ON(e == BROKER_OK && done && (h.n > n || h.n > LIM_RELAY_HEAD));
	BUG_ON(h.host.n > n);
	if (e != BROKER_OK || !done)
		return 0;
	BUG_ON(h.port == 0 || h.host.n == 0 || h.host.n > 253);
	for (size_t i = 0; i < h.host.n; i++)
		BUG_ON(!((h.host.p[i] >= 'a' && h.host.p[i] <= 'z') ||
		    (h.host.p[i] >= '0' && h.host.p[i] <= '9') ||
		    h.host.p[i] == '-' || h.host.p[i] == '.'));
	for (size_t k = 0; k < h.n; k++) {
		e = connect_take(str_head(in, k), &early, &part);
		BUG_ON(e != BROKER_OK || early);
	}
	return 0;
}
