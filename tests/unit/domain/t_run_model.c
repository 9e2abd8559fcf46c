/*
 * Random runbooks and whatever can happen to them in any order.  Beside the
 * machine stands what the world knows: which attempts were started and how
 * they ended.  run.h promises the rest.
 *
 * RUNS=n asks for more runs, SEED=n for one in particular.
 */
#include "runs.h"

enum { TASKS = 4096, STEPS = 220 };

static uint64_t rng;

static uint32_t
roll(uint32_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)((rng >> 33) % n);
}

/* ---- a runbook ---- */

static unsigned ids;
static bool careful; /* everything is undone when anything fails */

static void gen_block(struct buf *b, unsigned depth, bool undo);

static void
gen_common(struct buf *b, bool undo)
{
	static const char *const fails[] = {"stop", "continue", "undo"};

	if (careful && !undo)
		buf_c(b, ",\"on_failure\":\"undo\"");
	else if (roll(3) == 0)
		buf_fmt(b, ",\"on_failure\":\"%s\"", fails[roll(undo ? 2 : 3)]);
	if (roll(10) == 0)
		buf_fmt(b, ",\"if\":{\"eq\":[1,%u]}", roll(3) == 0 ? 2u : 1u);
}

static void
gen_task(struct buf *b, bool undo)
{
	buf_c(b,
	    "\"kind\":\"script\",\"interpreter\":\"sh\",\"script\":\"true\","
	    "\"delegates\":{\"labels\":{\"a\":\"b\"}}");
	if (roll(3) == 0)
		buf_fmt(b, ",\"retry\":{\"times\":%u,\"backoff_s\":%u}",
		    roll(3), roll(3));
	if (roll(3) == 0)
		buf_c(b, ",\"idempotent\":true");
	if (roll(3) == 0)
		buf_fmt(b, ",\"timeout_s\":%u", 1 + roll(50));
	if (!undo && (careful || roll(2) == 0)) {
		buf_c(b, ",\"undo\":");
		gen_block(b, 7, true);
	}
}

static void
gen_parallel(struct buf *b, unsigned depth, bool undo)
{
	buf_fmt(b, "\"kind\":\"parallel\",\"fail\":\"%s\",\"branches\":[",
	    roll(2) == 0 ? "first" : "all");
	gen_block(b, depth + 1, undo);
	for (unsigned i = roll(3) + 1; i > 0; i--) {
		buf_char(b, ',');
		gen_block(b, depth + 1, undo);
	}
	buf_char(b, ']');
}

static void
gen_condition(struct buf *b, unsigned depth, bool undo)
{
	buf_fmt(b, "\"kind\":\"condition\",\"when\":{\"eq\":[1,%u]},\"then\":",
	    1 + roll(2));
	gen_block(b, depth + 1, undo);
	if (roll(2) == 0) {
		buf_c(b, ",\"else\":");
		gen_block(b, depth + 1, undo);
	}
}

static void
gen_step(struct buf *b, unsigned depth, bool undo)
{
	static const uint8_t kinds[] = {0, 0, 0, 0, 0, 0, 3, 4, 5, 6, 6, 7};
	unsigned kind = kinds[roll(depth >= 3 ? 9 : 12)];

	buf_fmt(b, "{\"id\":\"s%u\",", ids++);
	if (kind < 3)
		gen_task(b, undo);
	else if (kind == 3)
		buf_fmt(b, "\"kind\":\"wait\",\"seconds\":%u", 1 + roll(20));
	else if (kind == 4)
		buf_c(b,
		    undo ? "\"kind\":\"wait\",\"seconds\":1"
			 : "\"kind\":\"manual\",\"instructions\":\"x\"");
	else if (kind == 5)
		buf_fmt(b,
		    undo ? "\"kind\":\"wait\",\"seconds\":2"
			 : "\"kind\":\"approval\",\"message\":\"x\",\"count\":"
			   "%u,\"expires_s\":60",
		    1 + roll(2));
	else if (kind == 6)
		gen_parallel(b, depth, undo);
	else
		gen_condition(b, depth, undo);
	gen_common(b, undo);
	buf_char(b, '}');
}

static void
gen_block(struct buf *b, unsigned depth, bool undo)
{
	unsigned n = 1 + roll(depth == 0 ? 8 : 3);

	buf_char(b, '[');
	for (unsigned i = 0; i < n; i++) {
		if (i > 0)
			buf_char(b, ',');
		gen_step(b, ids > 60 ? 9 : depth, undo);
	}
	buf_char(b, ']');
}

/* ---- the world beside it ---- */

struct task {
	const struct step *step;
	uint32_t attempt;
	bool began, asked_to_end, over, lost;
};

static struct {
	struct task task[TASKS];
	size_t n;
	enum run_at at[STEPS]; /* as last told */
	uint16_t done[STEPS];  /* order of completion */
	size_t done_n;
	uint16_t undone[STEPS]; /* owners in the order their undoing began */
	size_t undone_n;
	bool stopping, ended;
	size_t tasks_all;
} sim;

/* The step whose undoing s is part of. */
static uint16_t
owner_of(const struct runbook *rb, const struct step *s)
{
	while (rb->steps[s->parent]->in_undo)
		s = rb->steps[s->parent];
	return s->parent;
}

static void
offered(const struct run_machine *m, const struct run_effect *e)
{
	for (size_t i = 0; i < sim.n; i++) {
		const struct task *t = &sim.task[i];

		if (t->step != e->step)
			continue;
		if (t->attempt >= e->attempt)
			T_FAIL("%.*s: attempt %u twice", STR_ARG(t->step->id),
			    e->attempt);
		if (!t->over)
			T_FAIL("%.*s: begun again while it runs",
			    STR_ARG(t->step->id));
		if (t->lost && t->began && !t->step->idempotent)
			T_FAIL("%.*s: lost and begun again",
			    STR_ARG(t->step->id));
	}
	if (m->held)
		T_FAIL("started while held");
	T_REQUIRE(sim.n < TASKS);
	sim.task[sim.n++] =
	    (struct task){e->step, e->attempt, false, false, false, false};
}

/* All before it in its block must be over, and what it stands in running. */
static void
in_place(const struct run_machine *m, const struct step *s)
{
	const struct block *b = NULL, *all[16];
	size_t n = 0;

	if (sim.stopping)
		T_FAIL("%.*s: started while stopping", STR_ARG(s->id));
	all[n++] = &m->rb->main;
	if (s->parent != STEP_NONE) {
		const struct step *p = m->rb->steps[s->parent];
		bool undoing = s->in_undo && !p->in_undo;

		n = 0;
		if (!undoing && sim.at[p->index] != AT_RUNNING)
			T_FAIL("%.*s: started outside", STR_ARG(s->id));
		if (undoing) {
			all[n++] = &p->undo;
		} else if (p->kind == STEP_CONDITION) {
			all[n++] = &p->condition.then;
			all[n++] = &p->condition.otherwise;
		} else {
			for (size_t i = 0; i < p->parallel.branches_n; i++)
				all[n++] = &p->parallel.branches[i];
		}
	}
	for (size_t i = 0; i < n && b == NULL; i++)
		for (size_t k = 0; k < all[i]->n; k++)
			if (all[i]->steps[k] == s)
				b = all[i];
	T_REQUIRE(b != NULL);
	for (size_t k = 0; b->steps[k] != s; k++)
		if (!run_at_over(sim.at[b->steps[k]->index]))
			T_FAIL("%.*s: too early", STR_ARG(s->id));
}

static void
told(const struct run_machine *m, const struct run_effect *e)
{
	const struct step *s = e->step;
	enum run_at was = sim.at[s->index];

	if (sim.ended)
		T_FAIL("%.*s: after the end", STR_ARG(s->id));
	if (run_at_over(was))
		T_FAIL("%.*s: over, and then %d", STR_ARG(s->id), (int)e->at);
	if (was == AT_PENDING && !run_at_over(e->at))
		in_place(m, s);
	if (was == AT_PENDING && s->in_undo) {
		uint16_t o = owner_of(m->rb, s);

		if (sim.undone_n == 0 || sim.undone[sim.undone_n - 1] != o)
			sim.undone[sim.undone_n++] = o;
	}
	sim.at[s->index] = e->at;
	if (e->at == AT_SUCCEEDED && !s->in_undo)
		sim.done[sim.done_n++] = s->index;
}

static void
take_effects(struct run_machine *m)
{
	sim.stopping = false;
	for (const struct run_effect *e = m->first; e != NULL; e = e->next) {
		switch (e->kind) {
		case RUN_DO_TASK:
			offered(m, e);
			sim.tasks_all++;
			break;
		case RUN_DO_CANCEL:
			for (size_t i = 0; i < sim.n; i++)
				if (sim.task[i].step == e->step &&
				    !sim.task[i].over)
					sim.task[i].asked_to_end = true;
			break;
		case RUN_TELL_STEP:
			told(m, e);
			break;
		case RUN_TELL_END:
			sim.ended = true;
			break;
		default:
			break;
		}
	}
	run_machine_init(m);
	if (roll(2) == 0)
		runs_again(m);
	sim.stopping = m->run->stopping;
}

/* ---- events ---- */

static struct task *
some_task(bool over)
{
	for (unsigned i = 0; i < 8 && sim.n > 0; i++) {
		struct task *t = &sim.task[roll((uint32_t)sim.n)];

		if (t->over == over)
			return t;
	}
	return NULL;
}

static void
task_ends(struct run_machine *m, struct task *t, unsigned how)
{
	struct run_result r = {.attempt = t->attempt, .how = how};

	if (how == RUN_LOST && !t->began)
		r.how = RUN_STOPPED;
	t->lost = r.how == RUN_LOST;
	t->over = true;
	r.code = STR("x");
	T_GOOD(run_result(m, t->step, &r));
}

static void
somebody(struct run_machine *m)
{
	struct run_voter v = {.who = {{(uint8_t)(1 + roll(4))}},
	    .person = true,
	    .named = true};

	for (size_t i = 0; i < m->rb->steps_n; i++) {
		const struct step *s = m->rb->steps[i];

		if (m->run->step[i].at == AT_APPROVAL)
			err_ignore(run_vote(m, s, &v, roll(30) > 0, 1, STR("")),
			    "may be a second vote");
		else if (m->run->step[i].at == AT_MANUAL)
			T_GOOD(run_complete(m, s, &v.who, roll(30) > 0, NULL,
			    STR("")));
		else
			continue;
		return;
	}
}

static void
time_goes(struct run_machine *m)
{
	int64_t due = run_due(m->run, m->held);

	m->now += roll(3) == 0 ? roll(1000) : 0;
	if (due > m->now && roll(8) == 0)
		m->now = due;
	T_GOOD(run_timer(m));
}

static void
event(struct run_machine *m)
{
	struct task *t;

	switch (roll(12)) {
	case 0:
	case 1:
		time_goes(m);
		break;
	case 2:
	case 3:
		somebody(m);
		break;
	case 4: /* said a second time */
		t = some_task(true);
		if (t != NULL)
			task_ends(m, t, t->lost ? RUN_LOST : roll(3));
		break;
	case 5:
		m->held = roll(4) == 0;
		T_GOOD(run_look(m));
		break;
	case 6:
		if (roll(20) == 0)
			err_ignore(run_cancel(m, STR("cancelled")), "over");
		break;
	default:
		t = some_task(false);
		if (t == NULL)
			break;
		if (!t->began && roll(2) == 0) {
			t->began = true;
			run_task_began(m, t->step, t->attempt);
			break;
		}
		task_ends(m, t,
		    t->asked_to_end && roll(2) == 0 ? RUN_STOPPED
			: roll(20) < 19		    ? RUN_GOOD
						    : 1 + roll(3));
		break;
	}
}

/* ---- one run ---- */

static void
check_undo(const struct run_machine *m)
{
	size_t at = sim.done_n, owed = 0;

	for (size_t i = 0; i < sim.undone_n; i++) {
		while (at > 0 && sim.done[at - 1] != sim.undone[i])
			at--;
		if (at == 0) {
			T_FAIL("undone out of order or twice: %.*s",
			    STR_ARG(m->rb->steps[sim.undone[i]]->id));
			return;
		}
		at--;
	}
	if (sim.undone_n == 0 || !str_is(m->run->code, "step"))
		return; /* nothing to undo, or it was stopped */
	for (at = 0; at < sim.done_n; at++)
		owed += m->rb->steps[sim.done[at]]->undo.n > 0;
	if (owed != sim.undone_n)
		T_FAIL("%zu undone of %zu", sim.undone_n, owed);
}

/* Nobody does anything any more: time alone, and what delegates owe. */
static void
let_it_end(struct run_machine *m)
{
	m->held = false;
	for (unsigned i = 0; i < 400 && !run_over(m->run); i++) {
		int64_t due = run_due(m->run, false);

		T_GOOD(run_look(m));
		take_effects(m);
		if (due > m->now)
			m->now = due;
		T_GOOD(run_timer(m));
		take_effects(m);
		for (size_t n = 0; n < sim.n; n++)
			if (sim.task[n].asked_to_end && !sim.task[n].over) {
				task_ends(m, &sim.task[n], 1 + roll(3));
				take_effects(m);
			}
	}
	if (!run_over(m->run))
		T_FAIL("it does not end");
}

static void
one_run(uint64_t seed)
{
	struct run_machine m;
	struct arena a;
	struct buf b;
	int bad = t_bad;

	memset(&sim, 0, sizeof sim);
	rng = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	(void)roll(2);
	ids = 0;
	careful = roll(3) == 0;
	arena_init(&a, (size_t)512 << 20);
	buf_init_on(&b, &a, 1 << 20);
	gen_block(&b, 0, false);
	runs_start(&m, &a, "\"timeout_s\":600,", buf_view(&b));
	T_GOOD(run_begin(&m));
	take_effects(&m);
	for (unsigned i = 0; i < 300 && !run_over(m.run); i++) {
		event(&m);
		take_effects(&m);
	}
	let_it_end(&m);
	check_undo(&m);
	for (size_t i = 0; i < sim.n; i++)
		if (!sim.task[i].over)
			T_FAIL("%.*s runs on", STR_ARG(sim.task[i].step->id));
	if (t_bad != bad)
		printf("# SEED=%llu\n", (unsigned long long)seed);
	arena_done(&a);
}

TEST(whatever_happens)
{
	const char *runs = getenv("RUNS"), *seed = getenv("SEED");
	unsigned long n = runs == NULL ? 3000 : strtoul(runs, NULL, 10);
	size_t tasks = 0, undone = 0;

	if (seed != NULL) {
		one_run(strtoull(seed, NULL, 10));
		return;
	}
	for (unsigned long i = 1; i <= n && t_bad < 20; i++) {
		one_run(i);
		tasks += sim.tasks_all;
		undone += sim.undone_n;
	}
	printf("# %lu runs, %zu attempts, %zu steps undone\n", n, tasks,
	    undone);
	T_OK(seed != NULL || undone > n / 10);
}

T_MAIN
