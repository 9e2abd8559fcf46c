/*
 * Runbooks and triggers: what is accepted holds together (steps are found by
 * their id, parents come before, no selector is empty), has a canonical text
 * that is accepted too, and what a step is given is what it accepts.
 */
#include "base/json_canon.h"
#include "base/limits.h"
#include "domain/trigger.h"

#define HOLDS(cond)                                                            \
	do {                                                                   \
		if (!(cond))                                                   \
			__builtin_trap();                                      \
	} while (0)

static const struct json_limits lim = {LIM_JSON_DEPTH, LIM_JSON_MEMBERS,
    LIM_JSON_VALUES};

static void
values(const struct runbook *rb, const struct step *s, struct arena *a)
{
	struct scope scope = {0};
	const struct json *j = NULL;
	struct trail t = {0};
	struct buf b;

	buf_init_on(&b, a, LIM_BODY);
	if (err_ok(step_values(s, &scope, a, &t, &b)) &&
	    err_ok(json_parse(a, buf_view(&b), &lim, &t, &j)))
		HOLDS(step_values_match(rb, s, j));
}

static void
check(const struct runbook *rb, struct arena *a)
{
	HOLDS(rb->steps_n > 0 && rb->steps_n <= LIM_RUNBOOK_STEPS);
	for (size_t i = 0; i < rb->steps_n; i++) {
		const struct step *s = rb->steps[i];

		HOLDS(s->index == i && runbook_step(rb, s->id) == s);
		HOLDS(s->parent == STEP_NONE || s->parent < i);
		HOLDS(s->kind != STEP_SCRIPT || s->delegates.labels_n > 0);
		HOLDS(!s->selects || s->delegates.labels_n > 0);
		if (s->kind == STEP_SCRIPT || s->kind == STEP_HTTP)
			values(rb, s, a);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct json *doc = NULL, *again = NULL;
	const struct runbook *rb = NULL;
	struct trail t = {0};
	struct trigger g;
	struct str text;
	struct arena a;

	arena_init(&a, (size_t)16 << 20);
	if (!err_ok(json_parse(&a, str_of((const char *)data, size), &lim, &t,
		&doc)))
		goto out;
	if (err_ok(runbook_parse(doc, &a, &t, &rb))) {
		check(rb, &a);
		if (!err_ok(json_canon_text(&a, doc, LIM_ARENA, &text)))
			goto out;
		HOLDS(err_ok(json_parse(&a, text, &lim, &t, &again)));
		HOLDS(json_is_canon(text, again));
		HOLDS(err_ok(runbook_parse(again, &a, &t, &rb)) || a.failed);
	} else {
		HOLDS(t.detail[0] != '\0' || a.failed);
	}
	t = (struct trail){0};
	if (!err_ok(trigger_parse(doc, NULL, &a, &t, &g)))
		HOLDS(t.detail[0] != '\0' || a.failed);
out:
	arena_done(&a);
	return 0;
}
