/*
 * What an administrator writes about a provider: the first byte says the
 * kind, the rest is the config.  What is taken is kept and read back the same,
 * and never shows what is hidden.
 */
#include <stdlib.h>

#include "auth/idp_config.h"

static struct str
text_of(struct arena *a, const struct idp_config *c)
{
	struct buf b;
	struct jw w;

	buf_init_on(&b, a, 1 << 22);
	jw_init(&w, &b);
	idp_config_write(&w, c);
	return buf_view(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct json_limits limits = {32, 1000, 50000};
	struct str in = str_of((const char *)data, n), text;
	struct idp_config c, d;
	const struct json *j;
	enum idp_kind kind;
	struct trail t = {{0}};
	struct arena a;

	if (n == 0)
		return 0;
	kind = (enum idp_kind)(data[0] % 4);
	arena_init(&a, 1 << 24);
	if (err_ok(json_parse(&a, str_skip(in, 1), &limits, NULL, &j)) &&
	    j->kind == JSON_OBJECT &&
	    err_ok(idp_config_take(&a, kind, j, NULL, 0, &t, &c))) {
		text = text_of(&a, &c);
		if (!err_ok(idp_config_open(&a, str_c(idp_kind_text(kind)),
			text, &d)) ||
		    !str_eq(text_of(&a, &d), text) ||
		    idp_config_trust_differs(&c, &d))
			abort();
		(void)idp_config_algs(&d);
	}
	arena_done(&a);
	return 0;
}
