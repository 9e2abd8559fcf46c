/* Schedules: the next time is later, matches nothing twice, and ends. */
#include "domain/cron.h"

#define HOLDS(cond)                                                            \
	do {                                                                   \
		if (!(cond))                                                   \
			__builtin_trap();                                      \
	} while (0)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct trail t = {""};
	const struct zone *z;
	int64_t at = 1764500000000;
	struct cron c;

	if (size < 2)
		return 0;
	z = zone_named(
	    zone_name((size_t)(data[0] << 8 | data[1]) % zone_count()));
	if (!err_ok(
		cron_parse(str_of((const char *)data + 2, size - 2), &t, &c))) {
		HOLDS(t.detail[0] != '\0');
		return 0;
	}
	for (int i = 0; i < 8; i++) {
		int64_t next = cron_next(&c, z, at);

		if (next == 0)
			break;
		HOLDS(next > at && next % 1000 == 0);
		at = next;
	}
	return 0;
}
