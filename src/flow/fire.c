/* fire.c: see fire.h: out of the outbox. */
#include "flow/fire.h"

#include <stdio.h>

#include "base/limits.h"
#include "base/log.h"
#include "flow/engine.h"
#include "flow/writer.h"

enum { PIECE_HAPPENINGS = 64, HOUR_MS = 3600000 };

static const char *const words[FIRE_REFUSALS] = {
    [FIRE_NONE] = "",
    [FIRE_CONDITION] = "condition",
    [FIRE_INPUTS] = "inputs",
    [FIRE_FROZEN] = "frozen",
    [FIRE_RATE] = "rate",
    [FIRE_DEPTH] = "depth",
    [FIRE_RIGHTS] = "rights",
    [FIRE_BUSY] = "busy",
    [FIRE_RUNBOOK] = "runbook",
    [FIRE_OTHER] = "error",
};

static const struct json_limits fire_limits = {
    .depth = LIM_JSON_DEPTH,
    .members = LIM_JSON_MEMBERS,
    .values = LIM_JSON_VALUES,
};

/* One trigger and what may fire it. */
struct firing {
	struct call c; /* in the name of its account */
	struct run_origin origin;
	const struct trigger_object *t;
	struct trigger g;
	const struct json *h; /* the happening */
	uint64_t incident;
	struct uuid alert;
	uint32_t depth;
	bool late; /* after its delay */
	struct scope scope;
};

/* ---- in whose name ---- */

static void
firing_as(struct firing *f, struct lane *l, const struct trigger_object *t,
    int64_t now)
{
	static const struct http_request nothing = {.method = HTTP_POST};
	struct arena *a = desk_arena(writer_desk(l->writer));
	const struct world *w = l->snap->world;

	f->t = t;
	f->origin = (struct run_origin){.run = t->o.id, .depth = f->depth};
	f->c = (struct call){
	    .lane = l,
	    .req = &nothing,
	    .a = a,
	    .now = now,
	    .address = STR(""),
	    .request_id = t->o.id,
	    .snap = l->snap,
	    .route = &route_none,
	    .project = world_project(w, t->o.project),
	    .actor = auth_run(a, w, PRINCIPAL_SERVICE_ACCOUNT, &t->account,
		permset_all()),
	    .also = auth_supposed(a, w, t->owner_kind, &t->owner),
	    .run = &f->origin,
	};
	f->c.rec.project = t->o.project;
	uuid_text(&t->o.id, f->c.request_id_text);
}

static bool
may(const struct firing *f, enum permission p)
{
	struct target t = {.perm = p, .project = f->t->o.project};

	return f->c.actor != NULL && f->c.also != NULL &&
	    access_decide(f->c.actor, &t, f->c.now).allowed &&
	    access_decide(f->c.also, &t, f->c.now).allowed;
}

/* ---- what it has done ---- */

static err
remember(struct firing *f, enum fire_refusal why)
{
	struct lane *l = f->c.lane;
	struct trigger_row row = {.trigger = f->t->o.id};
	err e = store_trigger_get(l->conn, &f->t->o.id, &row);

	if (!err_is(e, E_NOT_FOUND))
		TRY(e);
	if (f->c.now - row.window >= HOUR_MS) {
		row.window = f->c.now;
		row.fired = 0;
	}
	if (why == FIRE_NONE) {
		row.fired++;
		row.last_fired = f->c.now;
	} else {
		row.refused++;
		row.last_refused = f->c.now;
		row.reason = (uint8_t)why;
	}
	return store_trigger_put(l->conn, &row);
}

static err
refuse(struct firing *f, enum fire_refusal why)
{
	struct call *c = &f->c;

	c->rec = (struct record){.action = AUDIT_TRIGGER_FIRE,
	    .project = f->t->o.project,
	    .outcome = AUDIT_ERROR,
	    .reason = str_c(words[why])};
	if (why == FIRE_RIGHTS || why == FIRE_FROZEN)
		c->rec.outcome = AUDIT_DENIED;
	call_touch(c, "trigger", &f->t->o.id);
	call_touch(c, "runbook", &f->t->runbook);
	TRY(remember(f, why));
	return ledger_add(writer_ledger(c->lane->writer), c->lane, c->a, c);
}

static err
often_enough(struct firing *f, bool *ret)
{
	struct trigger_row row = {0};
	err e = store_trigger_get(f->c.lane->conn, &f->t->o.id, &row);

	if (!err_is(e, E_NOT_FOUND))
		TRY(e);
	*ret = f->c.now - row.window < HOUR_MS && row.fired >= f->g.per_hour;
	return OK;
}

/* ---- what its condition sees ---- */

/* *ret false: there is nothing it may see, so it did not happen to it. */
static err
look(struct firing *f, bool *ret)
{
	struct engine_run *r = ARENA_NEW(f->c.a, struct engine_run);
	err e = OK;

	*ret = true;
	TRY(arena_check(f->c.a));
	r->lane = f->c.lane;
	r->a = f->c.a;
	r->row = (struct run_row){.project = f->t->o.project,
	    .id = f->t->o.id,
	    .runbook = f->t->runbook,
	    .incident = f->incident,
	    .alert = f->alert,
	    .requester_kind = PRINCIPAL_SERVICE_ACCOUNT,
	    .requester = f->t->account};
	r->facts = (struct run_facts){.ceiling = permset_all(),
	    .owner_kind = f->t->owner_kind,
	    .owner = f->t->owner};
	r->m.a = r->a;
	r->m.now = f->c.now;
	TRY(run_new(&(struct runbook){.steps_n = 0}, r->a, &r->m.run));
	if (f->incident != 0)
		e = desk_incident_seq(r->lane, f->incident, &r->incident);
	if (err_is(e, E_NOT_FOUND)) {
		*ret = false;
		return OK;
	}
	TRY(e);
	engine_as(r);
	TRY(engine_scope(r));
	f->scope = (struct scope){.incident = r->m.incident,
	    .alert = r->m.alert,
	    .old = json_get(f->h, STR("old")),
	    .entry = json_get(f->h, STR("entry"))};
	*ret = (f->incident == 0 || r->m.incident != NULL) &&
	    (uuid_is_zero(&f->alert) || r->m.alert != NULL);
	return OK;
}

static err
holds(struct firing *f, bool *ret, enum fire_refusal *why)
{
	const struct cond *cond = f->g.when;
	err e;

	if (f->late && f->g.recheck != NULL)
		cond = f->g.recheck;
	*ret = true;
	if (cond == NULL)
		return OK;
	e = cond_eval(cond, &f->scope, f->c.a, &f->c.trail, ret);
	TRY(arena_check(f->c.a));
	if (!err_ok(e))
		*why = FIRE_CONDITION;
	return OK;
}

/* ---- firing ---- */

/* Again, for this trigger alone, when its delay is over. */
static err
wait(struct firing *f)
{
	struct incident_card *i = NULL;
	struct buf b;
	struct jw w;

	if (f->incident != 0)
		TRY(desk_incident_seq(f->c.lane, f->incident, &i));
	buf_init_on(&b, f->c.a, LIM_RUN_VALUES * 2);
	jw_init(&w, &b);
	jw_obj(&w);
	for (const struct json *j = json_first(f->h); j != NULL; j = j->next) {
		jw_name(&w, j->name);
		jw_value(&w, j);
	}
	jw_uuid(&w, "trigger", &f->t->o.id);
	jw_obj_end(&w);
	TRY(buf_check(&b));
	return fire_put(&f->c, i, buf_view(&b),
	    f->c.now + (int64_t)f->g.delay_s * 1000);
}

static err
order_of(struct firing *f, struct run_order *o, enum fire_refusal *why)
{
	const struct json *inputs;
	char key[2 * UUID_TEXT + 8];
	struct buf b;
	err e;

	buf_init_on(&b, f->c.a, LIM_RUN_VALUES);
	e = trigger_inputs(&f->g, &f->scope, f->c.a, &f->c.trail, &b);
	TRY(arena_check(f->c.a));
	if (err_ok(e))
		e = json_parse(f->c.a, buf_view(&b), &fire_limits, &f->c.trail,
		    &inputs);
	if (!err_ok(e)) {
		*why = FIRE_INPUTS;
		return OK;
	}
	*o = (struct run_order){.project = f->t->o.project,
	    .runbook = f->t->runbook,
	    .inputs = inputs,
	    .incident = f->incident,
	    .alert = f->alert,
	    .trigger = f->t->o.id,
	    .happening = f->h->raw,
	    .depth = f->depth + 1,
	    .kind = PRINCIPAL_SERVICE_ACCOUNT,
	    .who = f->t->account,
	    .ceiling = permset_all(),
	    .owner_kind = f->t->owner_kind,
	    .owner = f->t->owner};
	if (f->g.once) {
		(void)snprintf(key, sizeof key, "once %llu ",
		    (unsigned long long)f->incident);
		uuid_text(&f->alert, key + strlen(key));
		o->key = arena_dup(f->c.a, str_c(key));
	}
	return arena_check(f->c.a);
}

/* Of the account and of the owner, for all that the version mentions. */
static err
may_run(struct firing *f, const struct run_order *o, enum fire_refusal *why)
{
	struct engine_run *r;
	err e;

	if (!may(f, PERM_RUNBOOK_RUN)) {
		*why = FIRE_RIGHTS;
		return OK;
	}
	e = run_plan(&f->c, o, &r);
	TRY(arena_check(f->c.a));
	if (err_status(e) >= 500)
		return e;
	if (!err_ok(e)) {
		*why = err_is(e, E_NOT_FOUND) || err_is(e, E_CONFLICT)
		    ? FIRE_RUNBOOK
		    : FIRE_INPUTS;
		return OK;
	}
	for (size_t i = 0; i < r->v.rb->steps_n; i++) {
		const struct step *s = r->v.rb->steps[i];
		bool script = s->kind == STEP_SCRIPT;

		if (((s->kind == STEP_HTTP ||
			 (script && s->script.connectors_n > 0)) &&
			!may(f, PERM_CONNECTOR_USE)) ||
		    (script && s->script.secrets_n > 0 &&
			!may(f, PERM_SECRET_USE)))
			*why = FIRE_RIGHTS;
	}
	return OK;
}

static err
start(struct firing *f, const struct run_order *o, enum fire_refusal *why)
{
	struct call *c = &f->c;
	struct engine_run *r;
	struct uuid id;
	bool again;
	err e = run_start(c, o, &id, &again);

	if (!err_ok(e)) {
		if (c->dirty || err_status(e) >= 500)
			return e;
		*why = err_is(e, E_LIMIT) ? FIRE_BUSY : FIRE_OTHER;
		return OK;
	}
	if (again)
		return OK; /* once is enough */
	TRY(engine_open(c->lane, &id, c->now, &r));
	c->rec = (struct record){.action = AUDIT_TRIGGER_FIRE,
	    .project = f->t->o.project};
	call_touch(c, "trigger", &f->t->o.id);
	engine_touch(r, c);
	TRY(remember(f, FIRE_NONE));
	return ledger_add(writer_ledger(c->lane->writer), c->lane, c->a, c);
}

static err
fire(struct firing *f)
{
	enum fire_refusal why = FIRE_NONE;
	struct run_order o = {0};
	bool yes;

	TRY(look(f, &yes));
	/* who may not run anything any more is told so; what they may not
	 * see has not happened to them */
	if (!yes)
		return may(f, PERM_RUNBOOK_RUN) ? OK : refuse(f, FIRE_RIGHTS);
	TRY(holds(f, &yes, &why));
	if (why == FIRE_NONE && !yes)
		return OK;
	if (why == FIRE_NONE && f->g.delay_s > 0 && !f->late)
		return wait(f);
	if (why == FIRE_NONE &&
	    (f->depth >= f->g.depth || f->depth + 1 >= LIM_RUN_DEPTH))
		why = FIRE_DEPTH;
	if (why == FIRE_NONE &&
	    world_frozen(f->c.lane->snap->world, f->t->o.project))
		why = FIRE_FROZEN;
	if (why == FIRE_NONE) {
		TRY(often_enough(f, &yes));
		why = yes ? FIRE_RATE : FIRE_NONE;
	}
	if (why == FIRE_NONE)
		TRY(order_of(f, &o, &why));
	if (why == FIRE_NONE)
		TRY(may_run(f, &o, &why));
	if (why == FIRE_NONE)
		TRY(start(f, &o, &why));
	return why == FIRE_NONE ? OK : refuse(f, why);
}

static err
try_one(struct lane *l, const struct trigger_object *t, const struct json *h,
    int64_t now)
{
	struct firing *f =
	    ARENA_NEW(desk_arena(writer_desk(l->writer)), struct firing);
	int64_t incident = 0, depth = 0;
	const struct json *j;

	TRY(arena_check(desk_arena(writer_desk(l->writer))));
	(void)json_i64(json_get(h, STR("incident")), 0, INT64_MAX, &incident);
	(void)json_i64(json_get(h, STR("depth")), 0, UINT32_MAX, &depth);
	(void)uuid_parse(json_str_at(h, STR("alert")), &f->alert);
	f->incident = (uint64_t)incident;
	f->depth = (uint32_t)depth;
	f->late = json_get(h, STR("trigger")) != NULL;
	f->h = h;
	firing_as(f, l, t, now);
	if (f->c.project == NULL)
		return OK;
	TRY(json_parse(f->c.a, arena_dup(f->c.a, t->config), &fire_limits,
	    &f->c.trail, &j));
	TRY(trigger_parse(j, NULL, f->c.a, &f->c.trail, &f->g));
	if (!str_eq(trigger_on_text(f->g.on), json_str_at(h, STR("on"))))
		return OK;
	/* its account or its owner is gone: nothing may be looked at */
	if (f->c.actor == NULL || f->c.also == NULL)
		return refuse(f, FIRE_RIGHTS);
	return fire(f);
}

/* ---- the outbox ---- */

struct taking {
	int64_t now;
	bool only_drop, none;
	uint64_t seq;
};

static err
try_all(struct lane *l, uint32_t project, const struct json *h, int64_t now)
{
	struct arena *a = desk_arena(writer_desk(l->writer));
	const struct object *const *o;
	struct uuid only = {{0}};
	struct uuid *id;
	size_t n, some = 0;

	(void)uuid_parse(json_str_at(h, STR("trigger")), &only);
	/* ids first: what they start may change the world */
	o = world_objects(l->snap->world, OBJECT_TRIGGER, &n);
	id = arena_array(a, n + 1, sizeof *id);
	TRY(arena_check(a));
	for (size_t i = 0; i < n; i++)
		if (o[i]->project == project &&
		    (uuid_is_zero(&only) || uuid_eq(&only, &o[i]->id)))
			id[some++] = o[i]->id;
	for (size_t i = 0; i < some; i++) {
		const struct trigger_object *t =
		    world_trigger(l->snap->world, &id[i]);

		if (t != NULL && !t->disabled)
			TRY(try_one(l, t, h, now));
	}
	return OK;
}

static err
take_first(struct lane *l, void *arg)
{
	struct arena *a = desk_arena(writer_desk(l->writer));
	struct taking *t = arg;
	struct happening_row row;
	const struct json *h;
	struct seal_where w;
	struct str doc;
	err e = store_happening_due(l->conn, t->now, a, &row);

	t->none = err_is(e, E_NOT_FOUND);
	if (t->none)
		return OK;
	TRY(e);
	t->seq = row.seq;
	desk_engine(l)->known = false;
	TRY(store_happening_delete(l->conn, row.seq));
	if (t->only_drop)
		return OK;
	w = happening_where(row.project, row.seq);
	TRY(lane_open_sealed(l, &w, row.stored, a, &doc));
	TRY(json_parse(a, doc, &fire_limits, NULL, &h));
	return try_all(l, row.project, h, t->now);
}

bool
fire_happenings(struct lane *l, int64_t now)
{
	struct taking t = {.now = now};

	for (unsigned i = 0; i < PIECE_HAPPENINGS && !t.none; i++) {
		err e = writer_run(l->writer, take_first, &t);

		if (err_ok(e))
			continue;
		log_event(LOG_RUN, KVE("error", e), KVC("at", "trigger"));
		if (err_is(e, E_IO) || err_is(e, E_NO_SPACE) ||
		    err_is(e, E_LOCKED))
			return false; /* the store's trouble; it stays there */
		t.only_drop = true;   /* one that breaks stops no other */
		if (!err_ok(writer_run(l->writer, take_first, &t)))
			return false;
		t.only_drop = false;
	}
	return true;
}

/* ---- schedules ---- */

err
fire_schedule(struct lane *l, const struct uuid *trigger, int64_t now)
{
	struct arena *a = desk_arena(writer_desk(l->writer));
	const struct trigger_object *t = world_trigger(l->snap->world, trigger);
	struct trigger_row row;
	const struct json *j, *h;
	struct trail trail = {""};
	struct trigger g;
	struct buf b;

	TRY(store_trigger_get(l->conn, trigger, &row));
	desk_engine(l)->known = false;
	row.due = 0;
	if (t == NULL || t->disabled)
		return store_trigger_put(l->conn, &row);
	TRY(json_parse(a, arena_dup(a, t->config), &fire_limits, &trail, &j));
	TRY(trigger_parse(j, NULL, a, &trail, &g));
	if (g.on == TRIGGER_SCHEDULE)
		/* what was missed is made up for once */
		row.due = cron_next(&g.cron, g.zone, now);
	TRY(store_trigger_put(l->conn, &row));
	if (g.on != TRIGGER_SCHEDULE)
		return OK;
	buf_init_on(&b, a, 64);
	buf_fmt(&b, "{\"on\":\"schedule\",\"at\":%lld}", (long long)now);
	TRY(json_parse(a, buf_view(&b), &fire_limits, &trail, &h));
	return try_one(l, t, h, now);
}

/* ---- showing ---- */

err
fire_state_json(struct call *c, struct jw *w, const struct uuid *trigger)
{
	struct trigger_row row = {0};
	err e = store_trigger_get(c->lane->conn, trigger, &row);

	if (!err_is(e, E_NOT_FOUND))
		TRY(e);
	jw_time(w, "next_at", row.due);
	jw_time(w, "last_fired_at", row.last_fired);
	jw_ki64(w, "fired_in_hour", row.fired);
	jw_time(w, "last_refused_at", row.last_refused);
	jw_ki64(w, "refused", row.refused);
	jw_kstr(w, "last_refusal",
	    row.reason != FIRE_NONE && row.reason < FIRE_REFUSALS
		? str_c(words[row.reason])
		: STR_NONE);
	return OK;
}
