/* idp.conf, and what crosses: what is right encodes and decodes the same. */
#include "egress/provider.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
crosses(struct arena *a, const struct provider *p)
{
	struct provider q;
	struct buf b, c;

	buf_init(&b, 65536);
	buf_init(&c, 65536);
	provider_encode(&b, p);
	BUG_ON(!err_ok(provider_decode(a, buf_view(&b), &q)));
	provider_encode(&c, &q);
	BUG_ON(!str_eq(buf_view(&b), buf_view(&c)));
	buf_done(&b);
	buf_done(&c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct provider_conf conf;
	struct str in = str_of((const char *)data, n);
	struct trail t = {{0}};
	struct provider p;
	struct arena a;

	arena_init(&a, 1 << 20);
	if (err_ok(provider_conf_parse(&a, in, &t, &conf)))
		for (size_t i = 0; i < conf.n; i++)
			crosses(&a, &conf.provider[i]);
	if (err_ok(provider_decode(&a, in, &p)))
		crosses(&a, &p);
	arena_done(&a);
	return 0;
}
