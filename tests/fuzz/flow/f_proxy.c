/*
 * What a proxy says of who asks.  The first byte: which header; lines are
 * several of it.  What is found is an address in its one form, and none of
 * the trusted ones unless all are.
 */
#include "auth/token.h"
#include "base/limits.h"
#include "flow/proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct str ours[] = {{"10.0.0.0/8", 10}};
	struct header h[4];
	struct http_request r = {.headers = h, .address = "10.0.0.1"};
	char form[ADDRESS_TEXT];
	struct str text, line, who;
	struct arena a;

	if (size == 0 || size > LIM_HEAD)
		return 0;
	text = str_of((const char *)data + 1, size - 1);
	while (text.n > 0 && r.headers_n < 4) {
		(void)str_cut(text, '\n', &line, &text);
		h[r.headers_n++] =
		    (struct header){(data[0] & 1) != 0 ? STR("x-forwarded-for")
						       : STR("forwarded"),
			line};
	}
	arena_init(&a, LIM_ARENA);
	if (err_ok(proxy_client(&a, ours, 1, &r, &who))) {
		BUG_ON(!address_text(who, form) || !str_is(who, form));
		/* without proxies of ours nothing of it counts */
		BUG_ON(!err_ok(proxy_client(&a, ours, 0, &r, &who)));
		BUG_ON(!str_is(who, "10.0.0.1"));
	}
	arena_done(&a);
	return 0;
}
