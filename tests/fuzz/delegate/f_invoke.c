/* An action a script asks for: one spelling, and no prefix says otherwise. */
#include "base/limits.h"
#include "delegate/invoke.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str in = str_of((const char *)data, n);
	struct invoke v, part;
	enum broker_end e;
	bool done, early;

	e = invoke_take(in, &done, &v);
	if (e != BROKER_OK || !done)
		return 0;
	BUG_ON(!invoke_begins(in));
	BUG_ON(v.slug.n == 0 || v.slug.n > 63 || v.action.n == 0 ||
	    v.action.n > 63);
	BUG_ON(v.params.n > LIM_RELAY_INVOKE || v.params.n > n);
	BUG_ON(v.params.p + v.params.n != in.p + n);
	for (size_t k = 0; k < n; k++) {
		e = invoke_take(str_head(in, k), &early, &part);
		BUG_ON(e != BROKER_OK || early);
	}
	return 0;
}
