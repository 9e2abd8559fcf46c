/* Any file is taken whole or refused with a reason. */
#include <stdlib.h>

#include "base/config.h"
#include "base/limits.h"
#include "base/utf8.h"

#define HOLDS(cond)                                                            \
	do {                                                                   \
		if (!(cond))                                                   \
			abort();                                               \
	} while (0)

static void
check_str(struct str s, struct str file)
{
	HOLDS(s.p != NULL && utf8_valid(s) && s.n <= file.n);
	for (size_t i = 0; i < s.n; i++)
		HOLDS((unsigned char)s.p[i] >= 0x20 || s.p[i] == '\t');
}

static void
check_list(const struct config_list *l, struct str file)
{
	HOLDS(l->n <= CONFIG_LIST);
	if (l->n == 1)
		return; /* may be the default */
	for (size_t i = 0; i < l->n; i++)
		check_str(l->item[i], file);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_of((const char *)data, size);
	struct trail t = {""};
	struct config c;
	struct arena a;
	err e;

	arena_init(&a, LIM_ARENA);
	e = config_parse(&a, in, &t, &c);
	HOLDS(err_ok(e) == (t.detail[0] == '\0'));
	HOLDS(err_ok(e) || err_is(e, E_CONFIG));
	if (err_ok(e)) {
#define CHECK_STR(m) check_str(c.m, in);
#define CHECK_LIST(m) check_list(&c.m, in);
#define CHECK_NUM(m)
#define CHECK_BOOL(m)
#define CONFIG(section, name, type, def, meaning) CHECK_##type(section##_##name)
#include "base/config.def"
#undef CONFIG
	}
	arena_done(&a);
	return 0;
}
