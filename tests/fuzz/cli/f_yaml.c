/* Files of YAML: what is accepted is one JSON document within our limits. */
#include "base/limits.h"
#include "cli/yaml.h"

#define HOLDS(cond)                                                            \
	do {                                                                   \
		if (!(cond))                                                   \
			__builtin_trap();                                      \
	} while (0)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct json_limits lim = {64, 100000, 1000000};
	const struct json *j = NULL;
	struct trail t = {""};
	struct arena a;
	struct str text;
	err e;

	arena_init(&a, 2 * (size_t)LIM_ARENA);
	if (err_ok(
		yaml_json(str_of((const char *)data, size), &a, &t, &text))) {
		e = json_parse(&a, text, &lim, &t, &j);
		HOLDS(err_ok(e) || err_is(e, E_DUPLICATE_KEY) ||
		    err_is(e, E_NO_MEMORY) || err_is(e, E_TOO_MANY));
	} else {
		HOLDS(t.detail[0] != '\0' || a.failed);
	}
	arena_done(&a);
	return 0;
}
