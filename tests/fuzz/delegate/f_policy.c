/* A policy file of any bytes: read, or refused with a reason; and what was
 * read allows only what is in its text. */
#include "delegate/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
is_in(struct str text, struct str s)
{
	for (; text.n >= s.n; text = str_skip(text, 1)) {
		if (str_starts(text, s))
			return true;
		if (text.n == 0)
			break;
	}
	return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = str_of((const char *)data, size);
	struct trail t = {0};
	struct policy p;
	struct arena a;

	arena_init(&a, 4 << 20);
	if (!err_ok(policy_parse(&a, text, &t, &p))) {
		BUG_ON(t.detail[0] == '\0');
	} else {
		BUG_ON(p.why != REASON_NONE);
		BUG_ON(p.delegate_tasks < 1 || p.delegate_tasks > 256);
		for (size_t i = 0; i < p.delegate_runbooks.n; i++)
			BUG_ON(!is_in(text, p.delegate_runbooks.word[i]));
		BUG_ON(
		    policy_runs(&p, "script") && !is_in(text, STR("script")));
		for (size_t i = 0; i < p.interpreters; i++)
			BUG_ON(p.interpreter[i].path.p[0] != '/');
	}
	arena_done(&a);
	return 0;
}
