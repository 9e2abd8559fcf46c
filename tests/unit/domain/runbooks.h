/* runbooks.h: documents for the tests of runbooks. */
#ifndef TESTS_RUNBOOKS_H
#define TESTS_RUNBOOKS_H

#include "base/limits.h"
#include "domain/runbook.h"
#include "tests/t.h"

static const struct json_limits doc_limits = {LIM_JSON_DEPTH, LIM_JSON_MEMBERS,
    LIM_JSON_VALUES};

static inline const struct json *
json_of(struct arena *a, struct str text)
{
	const struct json *j = NULL;
	struct trail t = {0};

	if (!err_ok(json_parse(a, text, &doc_limits, &t, &j)))
		T_FAIL("no JSON: %s: %.*s", t.detail, STR_ARG(text));
	return j;
}

static inline struct str
file_of(struct arena *a, const char *path)
{
	FILE *f = fopen(path, "rb");
	struct buf b;
	char part[4096];
	size_t n;

	buf_init_on(&b, a, 4 << 20);
	if (f == NULL) {
		T_FAIL("%s", path);
		return STR("");
	}
	while ((n = fread(part, 1, sizeof part, f)) > 0)
		buf_add(&b, part, n);
	(void)fclose(f);
	return buf_view(&b);
}

static inline const struct runbook *
runbook_of(struct arena *a, struct str text)
{
	const struct runbook *rb = NULL;
	struct trail t = {0};

	if (!err_ok(runbook_parse(json_of(a, text), a, &t, &rb)))
		T_FAIL("%s", t.detail);
	return rb;
}

static inline const struct runbook *
sample(struct arena *a)
{
	return runbook_of(a, file_of(a, "tests/vectors/runbook/valid.json"));
}

#endif
