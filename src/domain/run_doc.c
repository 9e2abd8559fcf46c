/*
 * run_doc.c: a run as a JSON object, and back.  What is read was sealed by
 * us, and is checked nevertheless: nothing the machine takes for granted is
 * taken from bytes.
 */
#include "base/limits.h"
#include "domain/run.h"

enum { RUN_DOC_VERSION = 1, WORD_MAX = 64 };

/* ---- writing ---- */

static void
opt_num(struct jw *w, const char *name, int64_t v)
{
	if (v != 0) {
		jw_name(w, str_c(name));
		jw_i64(w, v);
	}
}

static void
opt_str(struct jw *w, const char *name, struct str s)
{
	if (s.n > 0) {
		jw_name(w, str_c(name));
		jw_str(w, s);
	}
}

static void
opt_flag(struct jw *w, const char *name, bool v)
{
	if (v) {
		jw_name(w, str_c(name));
		jw_bool(w, true);
	}
}

static void
opt_id(struct jw *w, const char *name, const struct uuid *u)
{
	char text[UUID_TEXT + 1];

	if (uuid_is_zero(u))
		return;
	uuid_text(u, text);
	jw_name(w, str_c(name));
	jw_str(w, str_of(text, UUID_TEXT));
}

static void
opt_json(struct jw *w, const char *name, const struct json *j)
{
	if (j != NULL) {
		jw_name(w, str_c(name));
		jw_value(w, j);
	}
}

static void
votes_write(struct jw *w, const struct run_vote *v)
{
	jw_karr(w, "votes");
	for (; v != NULL; v = v->next) {
		jw_obj(w);
		opt_id(w, "who", &v->who);
		jw_kbool(w, "yes", v->yes);
		jw_ki64(w, "at", v->at);
		jw_ki64(w, "seq", (int64_t)v->seq);
		opt_str(w, "note", v->note);
		jw_obj_end(w);
	}
	jw_arr_end(w);
}

static void
step_write(struct jw *w, const struct step *s, const struct run_step *r)
{
	jw_obj(w);
	jw_kstr(w, "id", s->id);
	jw_kstr(w, "at", run_at_text(r->at));
	opt_flag(w, "began", r->began);
	opt_flag(w, "stopping", r->stopping);
	opt_flag(w, "stop_bad", r->stop_bad);
	opt_flag(w, "undo", r->undo);
	opt_num(w, "branch", r->branch);
	opt_num(w, "attempt", r->attempt);
	opt_num(w, "order", r->order);
	opt_num(w, "started", r->started);
	opt_num(w, "ended", r->ended);
	opt_num(w, "due", r->due);
	opt_id(w, "task", &r->task);
	opt_id(w, "by", &r->by);
	opt_str(w, "code", r->code);
	opt_str(w, "note", r->note);
	opt_json(w, "outputs", r->outputs);
	if (r->votes != NULL)
		votes_write(w, r->votes);
	jw_obj_end(w);
}

void
run_write(struct jw *w, const struct runbook *rb, const struct run *r)
{
	jw_obj(w);
	jw_ki64(w, "v", RUN_DOC_VERSION);
	jw_kstr(w, "state", run_state_text(r->state));
	opt_flag(w, "stopping", r->stopping);
	opt_flag(w, "stop_bad", r->stop_bad);
	opt_flag(w, "undo_bad", r->undo_bad);
	opt_num(w, "order", r->order);
	opt_num(w, "started", r->started);
	opt_num(w, "ended", r->ended);
	opt_num(w, "deadline", r->deadline);
	opt_str(w, "code", r->code);
	opt_json(w, "outputs", r->outputs);
	jw_karr(w, "steps");
	for (size_t i = 0; i < r->step_n; i++)
		if (r->step[i].at != AT_PENDING)
			step_write(w, rb->steps[i], &r->step[i]);
	jw_arr_end(w);
	jw_obj_end(w);
}

/* ---- reading: each returns false when what is there cannot be ---- */

static bool
get_num(const struct json *o, const char *name, int64_t max, int64_t *ret)
{
	const struct json *j = json_get(o, str_c(name));

	*ret = 0;
	return j == NULL || json_i64(j, 0, max, ret);
}

static bool
get_u32(const struct json *o, const char *name, uint32_t max, uint32_t *ret)
{
	int64_t v;
	bool good = get_num(o, name, max, &v);

	*ret = (uint32_t)v;
	return good;
}

static bool
get_flag(const struct json *o, const char *name, bool *ret)
{
	const struct json *j = json_get(o, str_c(name));

	*ret = false;
	return j == NULL || json_bool(j, ret);
}

static bool
get_str(const struct json *o, const char *name, size_t max, struct str *ret)
{
	const struct json *j = json_get(o, str_c(name));

	*ret = STR("");
	return j == NULL || (json_str(j, ret) && ret->n <= max);
}

static bool
get_id(const struct json *o, const char *name, struct uuid *ret)
{
	const struct json *j = json_get(o, str_c(name));
	struct str s;

	*ret = (struct uuid){{0}};
	return j == NULL || (json_str(j, &s) && uuid_parse(s, ret));
}

static bool
get_obj(const struct json *o, const char *name, const struct json **ret)
{
	*ret = json_get(o, str_c(name));
	return *ret == NULL || (*ret)->kind == JSON_OBJECT;
}

static err
votes_read(const struct json *o, struct arena *a, struct run_step *r)
{
	const struct json *j = json_get(o, STR("votes"));
	struct run_vote **last = &r->votes, *v;
	int64_t seq;

	if (j != NULL && j->kind != JSON_ARRAY)
		return err_of(E_CORRUPT);
	for (j = json_first(j); j != NULL; j = j->next) {
		v = ARENA_NEW(a, struct run_vote);
		TRY(arena_check(a));
		if (!get_id(j, "who", &v->who) ||
		    !get_flag(j, "yes", &v->yes) ||
		    !get_num(j, "at", INT64_MAX, &v->at) ||
		    !get_num(j, "seq", INT64_MAX, &seq) ||
		    !get_str(j, "note", LIM_TEXT, &v->note))
			return err_of(E_CORRUPT);
		v->seq = (uint64_t)seq;
		*last = v;
		last = &v->next;
	}
	return OK;
}

/* Can a step of that kind be there? */
static bool
at_fits(const struct step *s, const struct run_step *r)
{
	bool compound = s->kind == STEP_CONDITION || s->kind == STEP_PARALLEL;
	bool carried = s->kind == STEP_SCRIPT || s->kind == STEP_HTTP ||
	    s->kind == STEP_INCIDENT;

	switch (r->at) {
	case AT_PENDING:
		return false;
	case AT_RUNNING:
		return (compound || carried) && r->attempt > 0 &&
		    (s->kind != STEP_CONDITION || r->branch > 0);
	case AT_RETRYING:
		return carried && r->attempt > 0;
	case AT_WAITING:
		return s->kind == STEP_WAIT;
	case AT_MANUAL:
		return s->kind == STEP_MANUAL;
	case AT_APPROVAL:
		return s->kind == STEP_APPROVAL;
	default:
		return true;
	}
}

static err
step_read(const struct step *s, const struct json *o, struct arena *a,
    struct run_step *r)
{
	uint32_t branch;

	if (r->at != AT_PENDING ||
	    !run_at_parse(json_str_at(o, STR("at")), &r->at) ||
	    !get_flag(o, "began", &r->began) ||
	    !get_flag(o, "stopping", &r->stopping) ||
	    !get_flag(o, "stop_bad", &r->stop_bad) ||
	    !get_flag(o, "undo", &r->undo) ||
	    !get_u32(o, "branch", 2, &branch) ||
	    !get_u32(o, "attempt", UINT32_MAX, &r->attempt) ||
	    !get_u32(o, "order", UINT32_MAX, &r->order) ||
	    !get_num(o, "started", INT64_MAX, &r->started) ||
	    !get_num(o, "ended", INT64_MAX, &r->ended) ||
	    !get_num(o, "due", INT64_MAX, &r->due) ||
	    !get_id(o, "task", &r->task) || !get_id(o, "by", &r->by) ||
	    !get_str(o, "code", WORD_MAX, &r->code) ||
	    !get_str(o, "note", LIM_TEXT, &r->note) ||
	    !get_obj(o, "outputs", &r->outputs))
		return err_of(E_CORRUPT);
	r->branch = (uint8_t)branch;
	TRY(votes_read(o, a, r));
	return err_of(at_fits(s, r) ? E_OK : E_CORRUPT);
}

static err
head_read(const struct json *j, struct run *r)
{
	int64_t v;

	if (!get_num(j, "v", RUN_DOC_VERSION, &v) || v != RUN_DOC_VERSION ||
	    !run_state_parse(json_str_at(j, STR("state")), &r->state) ||
	    !get_flag(j, "stopping", &r->stopping) ||
	    !get_flag(j, "stop_bad", &r->stop_bad) ||
	    !get_flag(j, "undo_bad", &r->undo_bad) ||
	    !get_u32(j, "order", UINT32_MAX, &r->order) ||
	    !get_num(j, "started", INT64_MAX, &r->started) ||
	    !get_num(j, "ended", INT64_MAX, &r->ended) ||
	    !get_num(j, "deadline", INT64_MAX, &r->deadline) ||
	    !get_str(j, "code", WORD_MAX, &r->code) ||
	    !get_obj(j, "outputs", &r->outputs))
		return err_of(E_CORRUPT);
	return OK;
}

err
run_read(const struct runbook *rb, const struct json *j, struct arena *a,
    struct run **ret)
{
	const struct json *steps = json_get(j, STR("steps"));
	struct run *r;

	TRY(run_new(rb, a, &r));
	TRY(head_read(j, r));
	if (steps == NULL || steps->kind != JSON_ARRAY)
		return err_of(E_CORRUPT);
	for (j = json_first(steps); j != NULL; j = j->next) {
		const struct step *s =
		    runbook_step(rb, json_str_at(j, STR("id")));

		if (s == NULL)
			return err_of(E_CORRUPT);
		TRY(step_read(s, j, a, &r->step[s->index]));
	}
	*ret = r;
	return OK;
}
