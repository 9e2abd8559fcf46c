/* runbook_step.c: what all steps have, and steps with steps inside. */
#include "domain/runbook_read.h"

#include "domain/words.h"

static const char *const kinds[] = {"script", "http", "manual", "approval",
    "incident", "wait", "condition", "parallel"};

struct str
step_kind_text(enum step_kind k)
{
	return str_c(kinds[k]);
}

static bool
kind_parse(struct str s, enum step_kind *ret)
{
	for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (str_is(s, kinds[i])) {
			*ret = (enum step_kind)i;
			return true;
		}
	}
	return false;
}

static enum owner
owner_of(enum step_kind k)
{
	static const enum owner owners[] = {OWN_SCRIPT, OWN_HTTP, OWN_MANUAL,
	    OWN_APPROVAL, OWN_INCIDENT, OWN_WAIT, OWN_CONDITION, OWN_PARALLEL};

	return owners[k];
}

/* Does it do something that can be done again? */
static bool
works(enum step_kind k)
{
	return k == STEP_SCRIPT || k == STEP_HTTP || k == STEP_INCIDENT;
}

/* ---- inner blocks ---- */

/*
 * What ran inside one of several alternatives is not there for the others;
 * behind all of them it may be, and then it is null when it did not run.
 */
static err
inner_block(struct runbook_reader *r, const struct at *at,
    const struct json *list, const struct step *s, bool behind[],
    struct block *ret)
{
	bool saved[LIM_RUNBOOK_STEPS];
	uint16_t parent = r->parent;
	size_t from = r->n;

	memcpy(saved, r->before, sizeof saved);
	r->parent = s->index;
	TRY(block_parse(r, at, list, ret));
	r->parent = parent;
	for (size_t i = from; i < r->n; i++)
		behind[i] = r->before[i];
	memcpy(r->before, saved, sizeof saved);
	return OK;
}

static void
come_behind(struct runbook_reader *r, const bool behind[])
{
	for (size_t i = 0; i < r->n; i++)
		r->before[i] = r->before[i] || behind[i];
}

static err
condition_parse(struct runbook_reader *r, const struct at *at,
    const struct json *j, struct step *s)
{
	struct cond *when = ARENA_NEW(r->d.a, struct cond);
	bool behind[LIM_RUNBOOK_STEPS] = {false};
	struct at here = at_member(at, STR("when"));

	if (when == NULL)
		return err_of(E_NO_MEMORY);
	TRY(cond_parse(&r->d, &here, json_get(j, STR("when")), when));
	s->condition.when = when;
	here = at_member(at, STR("then"));
	TRY(inner_block(r, &here, json_get(j, STR("then")), s, behind,
	    &s->condition.then));
	here = at_member(at, STR("else"));
	TRY(inner_block(r, &here, json_get(j, STR("else")), s, behind,
	    &s->condition.otherwise));
	come_behind(r, behind);
	return OK;
}

static err
fail_parse(struct runbook_reader *r, const struct at *at, const struct json *j,
    struct step *s)
{
	struct at here = at_member(at, STR("fail"));
	struct str word = member_str(j, "fail");

	s->parallel.fail_first = word.n == 0 || str_is(word, "first");
	if (s->parallel.fail_first || str_is(word, "all"))
		return OK;
	return refuse(&r->d, &here, E_INVALID, "first or all");
}

static err
parallel_parse(struct runbook_reader *r, const struct at *at,
    const struct json *j, struct step *s)
{
	const struct json *list = json_get(j, STR("branches"));
	struct at here = at_member(at, STR("branches"));
	bool behind[LIM_RUNBOOK_STEPS] = {false};
	struct block *b = arena_array(r->d.a, list->count, sizeof *b);
	size_t n = 0;

	if (b == NULL)
		return err_of(E_NO_MEMORY);
	for (const struct json *c = json_first(list); c != NULL; c = c->next) {
		struct at item = at_item(&here, n);

		if (c->kind != JSON_ARRAY || c->count == 0)
			return refuse(&r->d, &item, E_INVALID,
			    "an array of steps");
		TRY(inner_block(r, &item, c, s, behind, &b[n++]));
	}
	come_behind(r, behind);
	s->parallel.branches = b;
	s->parallel.branches_n = n;
	return fail_parse(r, at, j, s);
}

static err
undo_parse(struct runbook_reader *r, const struct at *at, const struct json *j,
    struct step *s)
{
	const struct json *list = json_get(j, STR("undo"));
	bool unused[LIM_RUNBOOK_STEPS] = {false};
	struct at here = at_member(at, STR("undo"));
	err e;

	if (list == NULL)
		return OK;
	if (r->in_undo)
		return refuse(&r->d, &here, E_INVALID,
		    "what undoes cannot be undone");
	r->in_undo = true;
	e = inner_block(r, &here, list, s, unused, &s->undo);
	r->in_undo = false;
	return e;
}

/* ---- what all have ---- */

static err
failure_parse(struct runbook_reader *r, const struct at *at,
    const struct json *j, struct step *s)
{
	struct at here = at_member(at, STR("on_failure"));
	struct str word = member_str(j, "on_failure");

	s->on_failure = FAILURE_STOP;
	if (word.n == 0 || str_is(word, "stop"))
		return OK;
	if (str_is(word, "continue")) {
		s->on_failure = FAILURE_CONTINUE;
		return OK;
	}
	if (!str_is(word, "undo"))
		return refuse(&r->d, &here, E_INVALID,
		    "stop, continue or undo");
	if (r->in_undo)
		return refuse(&r->d, &here, E_INVALID,
		    "what undoes cannot be undone");
	s->on_failure = FAILURE_UNDO;
	return OK;
}

static err
retry_parse(struct runbook_reader *r, const struct at *at, const struct json *j,
    struct step *s)
{
	struct at here = at_member(at, STR("retry"));
	const struct json *o = json_get(j, STR("retry"));

	if (o == NULL)
		return OK;
	if (!works(s->kind))
		return refuse(&r->d, &here, E_INVALID,
		    "only for script, http and incident");
	TRY(members_check(&r->d, &here, o, OWN_RETRY, OWN_NOTHING));
	s->retry = (struct retry){
	    .times = member_u32(o, "times", 0),
	    .backoff_s = member_u32(o, "backoff_s", 0),
	    .factor = member_u32(o, "factor", 1),
	    .max_s = member_u32(o, "max_s", 3600),
	};
	return OK;
}

static err
again_parse(struct runbook_reader *r, const struct at *at, const struct json *j,
    struct step *s)
{
	struct at here = at_member(at, STR("idempotent"));

	s->idempotent = member_bool(j, "idempotent", false);
	if (json_get(j, STR("idempotent")) != NULL && !works(s->kind))
		return refuse(&r->d, &here, E_INVALID,
		    "only for script, http and incident");
	here = at_member(at, STR("timeout_s"));
	if (s->kind == STEP_WAIT && json_get(j, STR("timeout_s")) != NULL)
		return refuse(&r->d, &here, E_INVALID, "seconds says it");
	return retry_parse(r, at, j, s);
}

static uint32_t
default_timeout(const struct runbook_reader *r, enum step_kind k)
{
	if (k == STEP_SCRIPT)
		return 600;
	if (k == STEP_HTTP || k == STEP_INCIDENT)
		return 60;
	return r->rb->timeout_s;
}

static err
id_parse(struct runbook_reader *r, const struct at *at, const struct json *j,
    struct step *s)
{
	struct at here = at_member(at, STR("id"));

	s->id = member_str(j, "id");
	if (!ident_valid(s->id))
		return refuse(&r->d, &here, E_INVALID,
		    "a-z, then a-z 0-9 _, at most 63");
	for (size_t i = 0; i + 1 < r->n; i++)
		if (str_eq(r->steps[i]->id, s->id))
			return refuse(&r->d, &here, E_INVALID,
			    "is there twice");
	return OK;
}

static err
if_parse(struct runbook_reader *r, const struct at *at, const struct json *j,
    struct step *s)
{
	struct at here = at_member(at, STR("if"));
	const struct json *o = json_get(j, STR("if"));
	struct cond *c;

	if (o == NULL)
		return OK;
	c = ARENA_NEW(r->d.a, struct cond);
	if (c == NULL)
		return err_of(E_NO_MEMORY);
	s->only_if = c;
	return cond_parse(&r->d, &here, o, c);
}

/* ---- a step ---- */

static err
step_head(struct runbook_reader *r, const struct at *at, const struct json *j,
    struct step *s)
{
	struct at here = at_member(at, STR("kind"));
	struct str word = json_str_at(j, STR("kind"));

	if (j->kind != JSON_OBJECT)
		return refuse(&r->d, at, E_INVALID, "an object");
	if (json_get(j, STR("kind")) == NULL)
		return refuse(&r->d, &here, E_MISSING, "is missing");
	if (!kind_parse(word, &s->kind))
		return refuse(&r->d, &here, E_INVALID,
		    "script, http, manual, "
		    "approval, incident, wait, condition or parallel");
	TRY(members_check(&r->d, at, j, OWN_STEP, owner_of(s->kind)));
	s->name = member_str(j, "name");
	s->timeout_s = member_u32(j, "timeout_s", default_timeout(r, s->kind));
	TRY(id_parse(r, at, j, s));
	TRY(failure_parse(r, at, j, s));
	TRY(again_parse(r, at, j, s));
	return if_parse(r, at, j, s);
}

static err
step_parse(struct runbook_reader *r, const struct at *at, const struct json *j,
    struct step **ret)
{
	struct step *s = ARENA_NEW(r->d.a, struct step);

	if (s == NULL)
		return err_of(E_NO_MEMORY);
	if (r->n == LIM_RUNBOOK_STEPS)
		return refuse(&r->d, at, E_TOO_MANY, "at most %d steps in all",
		    LIM_RUNBOOK_STEPS);
	s->index = (uint16_t)r->n;
	s->parent = r->parent;
	s->in_undo = r->in_undo;
	s->path = at_text(r->d.a, at);
	r->steps[r->n++] = s;
	TRY(step_head(r, at, j, s));
	if (s->kind == STEP_CONDITION)
		TRY(condition_parse(r, at, j, s));
	else if (s->kind == STEP_PARALLEL)
		TRY(parallel_parse(r, at, j, s));
	else
		TRY(step_parse_leaf(r, at, j, s));
	r->before[s->index] = true;
	TRY(undo_parse(r, at, j, s));
	*ret = s;
	return OK;
}

err
block_parse(struct runbook_reader *r, const struct at *at,
    const struct json *list, struct block *ret)
{
	struct step **steps;
	size_t n = 0;

	if (list == NULL)
		return OK;
	if (r->depth == LIM_RUNBOOK_DEPTH)
		return refuse(&r->d, at, E_TOO_DEEP,
		    "at most %d steps inside of each other", LIM_RUNBOOK_DEPTH);
	steps = arena_array(r->d.a, list->count, sizeof *steps);
	if (steps == NULL)
		return err_of(E_NO_MEMORY);
	r->depth++;
	for (const struct json *c = json_first(list); c != NULL; c = c->next) {
		struct at item = at_item(at, n);

		TRY(step_parse(r, &item, c, &steps[n++]));
	}
	r->depth--;
	*ret = (struct block){(const struct step *const *)steps, n};
	return OK;
}
