#include "cli/runbook_check.h"

#include "domain/runbook.h"

err
runbook_check(const struct json *doc, struct arena *a, struct trail *t,
    struct runbook_facts *ret)
{
	const struct runbook *rb;

	TRY(runbook_parse(doc, a, t, &rb));
	*ret = (struct runbook_facts){rb->slug, rb->steps_n};
	return OK;
}
