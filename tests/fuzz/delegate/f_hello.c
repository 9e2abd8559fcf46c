/* TLS as the relay sees it: names are of the input, prefixes are patient. */
#include "delegate/hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct hello h, part;
	struct str in = str_of((const char *)data, n);
	enum broker_end e;
	bool done, early;

	(void)server_take(in);
	for (int again = 0; again < 2; again++) {
		e = hello_take(in, again == 1, &done, &h);
		BUG_ON(e == BROKER_OK && done && (h.n != n || h.name_n == 0));
		BUG_ON(h.name_n > HELLO_NAME);
		if (e != BROKER_OK || !done)
			continue;
		BUG_ON(memmem(in.p, n, h.name, h.name_n) == NULL && n < 80);
		for (size_t k = n > 64 ? n - 64 : 0; k < n; k++) {
			e = hello_take(str_head(in, k), again == 1, &early,
			    &part);
			BUG_ON(e != BROKER_OK || early);
		}
	}
	return 0;
}
