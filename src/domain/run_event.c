/* run_event.c: see run.h: what happens to a run. */
#include "domain/run_inner.h"

err
run_begin(struct run_machine *m)
{
	struct run *r = m->run;

	if (r->state != RUN_QUEUED)
		return err_of(E_CONFLICT);
	r->state = RUN_RUNNING;
	r->started = m->now;
	r->deadline = m->now + (int64_t)m->rb->timeout_s * 1000;
	return run_walk(m);
}

err
run_look(struct run_machine *m)
{
	return run_walk(m);
}

/* Is this the attempt that is waited for? */
static bool
present(const struct run_machine *m, const struct step *s, uint32_t attempt)
{
	const struct run_step *r = run_step_of(m, s);

	return r->at == AT_RUNNING && !run_compound(s) && r->attempt == attempt;
}

void
run_task_began(struct run_machine *m, const struct step *s, uint32_t attempt)
{
	if (present(m, s, attempt))
		run_step_of(m, s)->began = true;
}

err
run_result(struct run_machine *m, const struct step *s,
    const struct run_result *res)
{
	if (!present(m, s, res->attempt))
		return OK;
	if (res->how == RUN_GOOD)
		run_end_good(m, s, res->outputs);
	else
		run_end_attempt(m, s, res);
	return run_walk(m);
}

/* ---- time ---- */

static void
step_due(struct run_machine *m, const struct step *s)
{
	struct run_step *r = run_step_of(m, s);

	if (r->due == 0 || r->due > m->now || run_at_over(r->at))
		return;
	r->due = 0;
	switch (r->at) {
	case AT_WAITING:
		run_end_good(m, s, NULL);
		break;
	case AT_APPROVAL:
		run_end_bad(m, s, STR("expired"));
		break;
	case AT_MANUAL:
		run_end_bad(m, s, STR("timed_out"));
		break;
	case AT_RUNNING:
		(void)run_halt(m, s, true, STR("timed_out"));
		break;
	default: /* AT_RETRYING: the walk starts it */
		break;
	}
}

err
run_timer(struct run_machine *m)
{
	struct run *r = m->run;

	if (run_over(r) || r->state == RUN_QUEUED)
		return OK;
	if (r->deadline <= m->now && !r->stopping) {
		r->undo_bad |= r->state == RUN_UNDOING;
		r->stopping = r->stop_bad = true;
		r->code = STR("timed_out");
	}
	for (size_t i = 0; i < r->step_n; i++)
		step_due(m, m->rb->steps[i]);
	return run_walk(m);
}

int64_t
run_due(const struct run *r, bool held)
{
	int64_t due;

	if (run_over(r) || r->state == RUN_QUEUED)
		return 0;
	due = r->stopping ? 0 : r->deadline;
	for (size_t i = 0; i < r->step_n; i++) {
		const struct run_step *s = &r->step[i];

		if (s->due == 0 || run_at_over(s->at) ||
		    (held && s->at == AT_RETRYING))
			continue;
		if (due == 0 || s->due < due)
			due = s->due;
	}
	return due;
}

/* ---- people ---- */

err
run_cancel(struct run_machine *m, struct str code)
{
	struct run *r = m->run;

	if (run_over(r))
		return err_of(E_CONFLICT);
	if (r->stopping)
		return OK;
	if (r->state == RUN_QUEUED) {
		r->state = RUN_RUNNING;
		r->started = m->now;
	}
	r->undo_bad |= r->state == RUN_UNDOING;
	r->stopping = true;
	r->stop_bad = false;
	r->code = code;
	return run_walk(m);
}

err
run_may_vote(const struct run_machine *m, const struct step *s,
    const struct run_voter *who, struct trail *t)
{
	const struct run_step *r = run_step_of(m, s);

	if (s->kind != STEP_APPROVAL || r->at != AT_APPROVAL ||
	    r->due <= m->now) {
		trail_set(t, "the step does not wait for approval");
		return err_of(E_CONFLICT);
	}
	if (!who->person)
		trail_set(t, "only people can approve");
	else if (who->requester)
		trail_set(t, "four eyes: you asked for this run");
	else if (who->author)
		trail_set(t, "four eyes: this version is yours");
	else if (!who->named)
		trail_set(t, "you are not among the step's approvers");
	else
		goto one;
	return err_of(E_FORBIDDEN);
one:
	for (const struct run_vote *v = r->votes; v != NULL; v = v->next) {
		if (uuid_eq(&v->who, &who->who)) {
			trail_set(t, "you have decided already");
			return err_of(E_CONFLICT);
		}
	}
	return OK;
}

static uint32_t
votes_for(const struct run_step *r)
{
	uint32_t n = 0;

	for (const struct run_vote *v = r->votes; v != NULL; v = v->next)
		n += v->yes;
	return n;
}

err
run_vote(struct run_machine *m, const struct step *s,
    const struct run_voter *who, bool yes, uint64_t seq, struct str note)
{
	struct run_step *r = run_step_of(m, s);
	struct run_vote *v;

	TRY(run_may_vote(m, s, who, &m->trail));
	v = ARENA_NEW(m->a, struct run_vote);
	TRY(arena_check(m->a));
	*v = (struct run_vote){who->who, yes, m->now, seq, note, r->votes};
	r->votes = v;
	if (!yes)
		run_end_bad(m, s, STR("rejected"));
	else if (votes_for(r) >= s->approval.count)
		run_end_good(m, s, NULL);
	return run_walk(m);
}

err
run_complete(struct run_machine *m, const struct step *s,
    const struct uuid *who, bool good, const struct json *outputs,
    struct str note)
{
	struct run_step *r = run_step_of(m, s);

	if (s->kind != STEP_MANUAL || r->at != AT_MANUAL) {
		trail_set(&m->trail, "the step does not wait for anybody");
		return err_of(E_CONFLICT);
	}
	if (outputs != NULL)
		TRY(step_outputs_check(s, outputs, &m->trail));
	r->by = *who;
	r->note = note;
	if (good)
		run_end_good(m, s, outputs);
	else
		run_end_bad(m, s, STR("refused"));
	return run_walk(m);
}
