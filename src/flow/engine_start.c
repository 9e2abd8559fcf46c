/* engine_start.c: a run begins. */
#include "audit/digest.h"
#include "base/json_canon.h"
#include "base/limits.h"
#include "base/rand.h"
#include "flow/engine.h"
#include "flow/writer.h"

static const struct json_limits start_limits = {
    .depth = LIM_JSON_DEPTH,
    .members = LIM_JSON_MEMBERS,
    .values = LIM_JSON_VALUES,
};

/* A run of that key, by that principal, of that runbook: one. */
static err
blind_key(struct call *c, const struct run_order *o, uint8_t ret[BLIND_SIZE])
{
	struct buf b;

	buf_init_on(&b, c->a, 64 + LIM_IDEMPOTENCY_KEY);
	buf_add(&b, o->runbook.b, sizeof o->runbook.b);
	buf_add(&b, o->who.b, sizeof o->who.b);
	buf_str(&b, o->key);
	TRY(buf_check(&b));
	return lane_blind(c->lane, o->project, "run key", buf_view(&b), ret);
}

/* *ret_again: it is there already; the same question, or E_IDEMPOTENCY. */
static err
known_key(struct call *c, const struct run_order *o, struct engine_run *r,
    struct uuid *ret, bool *ret_again)
{
	struct engine_run *old;
	struct run_row row;
	err e;

	if (o->key.n == 0)
		return OK;
	TRY(blind_key(c, o, r->row.key));
	r->row.keyed = true;
	e = store_run_by_key(c->lane->conn, r->row.key, r->a, &row);
	if (err_is(e, E_NOT_FOUND))
		return OK;
	TRY(e);
	TRY(engine_open(c->lane, &row.id, c->now, &old));
	if (!json_same(old->facts.inputs, r->facts.inputs) ||
	    row.incident != o->incident || !uuid_eq(&row.alert, &o->alert))
		return err_of(E_IDEMPOTENCY);
	*ret = row.id;
	*ret_again = true;
	return OK;
}

static err
fits_context(struct call *c, const struct run_order *o,
    const struct runbook *rb)
{
	bool incident = o->incident != 0, alert = !uuid_is_zero(&o->alert);

	if (rb->context == CONTEXT_INCIDENT && !incident)
		return call_bad(c, E_INVALID,
		    "the runbook runs for an incident: name one");
	if (rb->context == CONTEXT_ALERT && !alert)
		return call_bad(c, E_INVALID,
		    "the runbook runs for an alert: name one");
	if (rb->context == CONTEXT_NONE && (incident || alert))
		return call_bad(c, E_INVALID,
		    "the runbook runs without an incident or alert");
	return OK;
}

/* Of a type the runbook names, if it names any. */
static err
fits_type(struct call *c, struct engine_run *r)
{
	const struct runbook *rb = r->v.rb;
	const struct json *doc;
	struct str type;

	if (rb->incident_types_n == 0 || r->incident == NULL)
		return OK;
	TRY(desk_incident_doc(r->lane, r->incident));
	TRY(json_parse(r->a, r->incident->doc, &start_limits, &c->trail, &doc));
	type = json_str_at(doc, STR("type"));
	for (size_t i = 0; i < rb->incident_types_n; i++)
		if (type.p != NULL && str_eq(type, rb->incident_types[i]))
			return OK;
	return call_bad(c, E_INVALID,
	    "the runbook is not for incidents of this type");
}

static err
take_inputs(struct call *c, const struct run_order *o, struct engine_run *r)
{
	struct buf b;

	buf_init_on(&b, r->a, LIM_RUN_VALUES);
	TRY(runbook_inputs(r->v.rb, o->inputs, &c->trail, &b));
	TRY(json_parse(r->a, buf_view(&b), &start_limits, &c->trail,
	    &r->facts.inputs));
	r->facts.digest = arena_dup(r->a, str_c(r->v.digest));
	if (o->happening.n > 0)
		TRY(json_parse(r->a, arena_dup(r->a, o->happening),
		    &start_limits, &c->trail, &r->facts.happening));
	r->facts.ceiling = o->ceiling;
	r->facts.owner_kind = o->owner_kind;
	r->facts.owner = o->owner;
	return arena_check(r->a);
}

err
engine_numbers(struct lane *l)
{
	struct engine *e = desk_engine(l);

	if (e->numbers)
		return OK;
	TRY(store_run_last(l->conn, &e->run_seq));
	TRY(store_happening_last(l->conn, &e->happening_seq));
	e->numbers = true;
	return OK;
}

static err
next_seq(struct lane *l, uint64_t *ret)
{
	TRY(engine_numbers(l));
	*ret = ++desk_engine(l)->run_seq;
	return OK;
}

err
run_imagine(struct call *c, const struct run_order *o, struct engine_run *r)
{
	r->row.id = rand_uuid(c->now);
	r->row.cause = o->trigger;
	r->row.incident = o->incident;
	r->row.alert = o->alert;
	r->row.requester_kind = (uint8_t)o->kind;
	r->row.requester = o->who;
	r->row.depth = o->depth;
	r->row.created = c->now;
	r->fresh = true;
	r->m.rb = r->v.rb;
	r->m.a = r->a;
	r->m.now = c->now;
	r->m.inputs = r->facts.inputs;
	run_machine_init(&r->m);
	TRY(run_new(r->v.rb, r->a, &r->m.run));
	engine_as(r);
	return engine_scope(r);
}

static err
tell_start(struct engine_run *r)
{
	struct buf text;

	TRY(engine_record(r, AUDIT_RUN_BEGIN,
	    str_c(r->row.depth > 0		  ? "run"
		    : uuid_is_zero(&r->row.cause) ? "request"
						  : "trigger"),
	    NULL));
	buf_init_on(&text, r->a, 512);
	buf_fmt(&text, "%.*s: run started", STR_ARG(r->v.rb->name));
	return engine_note(r, &r->as, ENTRY_RUN_STARTED, NULL, buf_view(&text));
}

err
run_plan(struct call *c, const struct run_order *o, struct engine_run **ret)
{
	struct arena *a = desk_arena(writer_desk(c->lane->writer));
	const struct world *w = c->lane->snap->world;
	const struct runbook_object *obj = world_runbook(w, &o->runbook);
	struct engine_run *r = ARENA_NEW(a, struct engine_run);

	TRY(arena_check(a));
	if (obj == NULL || obj->o.project != o->project)
		return err_of(E_NOT_FOUND);
	if (obj->current == 0 || obj->archived)
		return call_bad(c, E_CONFLICT,
		    "no version of the runbook is published");
	r->lane = c->lane;
	r->a = a;
	r->row.project = o->project;
	r->row.runbook = o->runbook;
	r->row.number = obj->current;
	TRY(runbook_version_load(c->lane, &o->runbook, obj->current, a, &r->v));
	TRY(fits_context(c, o, r->v.rb));
	TRY(take_inputs(c, o, r));
	if (o->incident != 0)
		TRY(desk_incident_seq(c->lane, o->incident, &r->incident));
	TRY(fits_type(c, r));
	*ret = r;
	return OK;
}

err
run_start(struct call *c, const struct run_order *o, struct uuid *ret,
    bool *ret_again)
{
	struct engine_run *r;
	bool room;

	*ret_again = false;
	TRY(run_plan(c, o, &r));
	TRY(known_key(c, o, r, ret, ret_again));
	if (*ret_again)
		return OK;
	if (world_frozen(c->lane->snap->world, o->project))
		return call_bad(c, E_FROZEN, "automation stands still");
	TRY(engine_room(c->lane, r->v.rb, &o->runbook, &room));
	if (!room && r->v.rb->on_limit == LIMIT_REFUSE)
		return call_bad(c, E_LIMIT, "%u runs of it go on already",
		    r->v.rb->limit);
	c->dirty = true;
	TRY(next_seq(c->lane, &r->row.seq));
	TRY(run_imagine(c, o, r));
	TRY(tell_start(r));
	if (room)
		TRY(run_begin(&r->m));
	TRY(engine_settle(r));
	*ret = r->row.id;
	return engine_rest(c->lane, c->now);
}
