/* What decodes encodes back to the same bytes. */
#include "ipc/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str in = str_of((const char *)data, n);
	struct server_settings s;
	struct keeper_settings k;
	struct idp_settings i;
	struct trail t;
	struct arena a;
	struct buf b;
	err e;

	arena_init(&a, 65536);
	buf_init(&b, SETTINGS_MAX);
	if (err_ok(server_settings_decode(&a, in, &s))) {
		server_settings_encode(&b, &s);
		BUG_ON(!str_eq(buf_view(&b), in));
	}
	buf_clear(&b);
	if (err_ok(keeper_settings_decode(in, &k))) {
		keeper_settings_encode(&b, &k);
		BUG_ON(!str_eq(buf_view(&b), in));
	}
	buf_clear(&b);
	if (err_ok(idp_settings_decode(in, &i))) {
		idp_settings_encode(&b, &i);
		BUG_ON(!str_eq(buf_view(&b), in));
	}
	err_ignore(report_decode(in, &t, &e), "fuzzed");
	buf_done(&b);
	arena_done(&a);
	return 0;
}
