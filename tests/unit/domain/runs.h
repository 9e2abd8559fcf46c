/* runs.h: a machine over a runbook written as JSON, for the tests of runs. */
#ifndef UNIT_DOMAIN_RUNS_H
#define UNIT_DOMAIN_RUNS_H

#include "domain/run.h"
#include "tests/t.h"

static const struct json_limits runs_lim = {40, 5000, 100000};

static inline const struct json *
runs_json(struct arena *a, struct str text)
{
	const struct json *j = NULL;
	struct trail t = {0};
	err e = json_parse(a, text, &runs_lim, &t, &j);

	if (!err_ok(e))
		(void)fprintf(stderr, "# %s: %.*s\n", t.detail, STR_ARG(text));
	T_GOOD(e);
	return j;
}

/* steps: the array's text. */
static inline void
runs_start(struct run_machine *m, struct arena *a, const char *more,
    struct str steps)
{
	struct trail t = {0};
	struct buf b;
	err e;

	buf_init_on(&b, a, 1 << 20);
	buf_c(&b, "{\"slug\":\"test\",\"name\":\"Test\",\"context\":\"any\",");
	buf_c(&b, more);
	buf_c(&b, "\"steps\":");
	buf_str(&b, steps);
	buf_char(&b, '}');
	*m = (struct run_machine){.a = a, .now = 1000};
	e = runbook_parse(runs_json(a, buf_view(&b)), a, &t, &m->rb);
	if (!err_ok(e))
		(void)fprintf(stderr, "# %s in %.*s\n", t.detail,
		    STR_ARG(buf_view(&b)));
	T_GOOD(e);
	T_REQUIRE(m->rb != NULL);
	T_GOOD(run_new(m->rb, a, &m->run));
	run_machine_init(m);
}

/* Put away and read again. */
static inline void
runs_again(struct run_machine *m)
{
	struct buf b, c;
	struct jw w;

	buf_init_on(&b, m->a, 1 << 20);
	jw_init(&w, &b);
	run_write(&w, m->rb, m->run);
	T_GOOD(run_read(m->rb, runs_json(m->a, buf_view(&b)), m->a, &m->run));
	buf_init_on(&c, m->a, 1 << 20);
	jw_init(&w, &c);
	run_write(&w, m->rb, m->run);
	T_EQ_STR(buf_view(&c), buf_view(&b));
}

static inline const struct step *
runs_step(const struct run_machine *m, const char *id)
{
	const struct step *s = runbook_step(m->rb, str_c(id));

	BUG_ON(s == NULL);
	return s;
}

static inline struct run_step *
runs_at(const struct run_machine *m, const char *id)
{
	return &m->run->step[runs_step(m, id)->index];
}

#endif
