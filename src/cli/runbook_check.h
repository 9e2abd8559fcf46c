/*
 * runbook_check.h: the server's check of a runbook, for the command line.
 * Apart, because the table of commands has types of values too.
 */
#ifndef CLI_RUNBOOK_CHECK_H
#define CLI_RUNBOOK_CHECK_H

#include "base/json.h"

struct runbook_facts {
	struct str slug;
	size_t steps;
};

/* See runbook_parse in domain/runbook.h. */
err runbook_check(const struct json *doc, struct arena *a, struct trail *t,
    struct runbook_facts *ret) MUST_USE;

#endif
