/* A provider's answer: the whole agrees with every way to cut it. */
#include "egress/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str in = str_of((const char *)data, n);
	enum idp_status whole, part;
	struct buf body;
	bool done, early;
	int status = 0;

	buf_init(&body, LIM_IDP_BODY);
	whole = answer_read(in, &body, &done, &status);
	BUG_ON(done && (whole != IDP_OK || status != 200));
	BUG_ON(body.n > LIM_IDP_BODY);
	/* What is refused or finished at a prefix stays so. */
	for (size_t k = 1; k <= 4 && n > 4; k++) {
		part = answer_read(str_head(in, n - k), &body, &early, &status);
		BUG_ON(part != IDP_OK && whole == IDP_OK);
		BUG_ON(early && whole == IDP_OK);
	}
	buf_done(&body);
	return 0;
}
