/* engine.c: see engine.h: a run onto the writer's table and back. */
#include "flow/engine.h"

#include "audit/digest.h"
#include "base/json_canon.h"
#include "base/limits.h"
#include "base/rand.h"
#include "flow/asked.h"
#include "flow/incident_view.h"
#include "flow/writer.h"

static const struct json_limits run_limits = {
    .depth = LIM_JSON_DEPTH * 2,
    .members = LIM_JSON_MEMBERS,
    .values = LIM_JSON_VALUES * 4,
};

struct seal_where
run_where(const struct run_row *r)
{
	struct seal_where w = {.table = SEAL_TABLE_RUN,
	    .schema = 1,
	    .project = r->project};

	seal_where_id(&w, &r->id);
	return w;
}

struct seal_where
happening_where(uint32_t project, uint64_t seq)
{
	struct seal_where w = {.table = SEAL_TABLE_HAPPENING,
	    .schema = 1,
	    .project = project};

	seal_where_num(&w, seq);
	return w;
}

/* ---- what is sealed ---- */

static void
facts_write(struct jw *w, const struct run_facts *f)
{
	jw_karr(w, "ceiling");
	for (unsigned p = 0; p < PERM_MAX_; p++)
		if (permset_has(&f->ceiling, (enum permission)p))
			jw_str(w, str_c(perm_text((enum permission)p)));
	jw_arr_end(w);
	if (!uuid_is_zero(&f->owner)) {
		jw_kstr(w, "owner_kind",
		    str_c(principal_kind_text(f->owner_kind)));
		jw_uuid(w, "owner", &f->owner);
	}
	jw_name(w, STR("inputs"));
	jw_value(w, f->inputs);
	if (f->happening != NULL) {
		jw_name(w, STR("happening"));
		jw_value(w, f->happening);
	}
	jw_kstr(w, "digest", f->digest);
}

static err
facts_read(const struct json *j, struct run_facts *f)
{
	const struct json *p = json_get(j, STR("ceiling"));
	struct str s = json_str_at(j, STR("owner"));

	*f = (struct run_facts){.inputs = json_get(j, STR("inputs")),
	    .happening = json_get(j, STR("happening")),
	    .digest = json_str_at(j, STR("digest"))};
	for (p = json_first(p); p != NULL; p = p->next) {
		enum permission perm;

		/* one that is no more is no right any more */
		if (p->kind == JSON_STRING && perm_parse(p->text, &perm))
			permset_add(&f->ceiling, perm);
	}
	if (f->inputs == NULL || f->inputs->kind != JSON_OBJECT ||
	    !digest_valid(f->digest))
		return err_of(E_CORRUPT);
	if (s.p == NULL)
		return OK;
	return err_of(uuid_parse(s, &f->owner) &&
		    principal_kind_parse(json_str_at(j, STR("owner_kind")),
			&f->owner_kind)
		? E_OK
		: E_CORRUPT);
}

static err
doc_write(struct engine_run *r, struct buf *b)
{
	struct jw w;

	buf_init_on(b, r->a, LIM_RUN_DOC);
	jw_init(&w, b);
	jw_obj(&w);
	facts_write(&w, &r->facts);
	jw_name(&w, STR("run"));
	run_write(&w, r->v.rb, r->m.run);
	jw_obj_end(&w);
	return buf_check(b);
}

static err
seal_run(struct engine_run *r)
{
	struct seal_where w = run_where(&r->row);
	const struct data_key *k;
	struct buf b;

	TRY(doc_write(r, &b));
	if (r->incident == NULL)
		return lane_seal(r->lane, r->row.project, SEAL_CLASS_ALERT, &w,
		    buf_view(&b), r->a, &r->row.sealed);
	/* what destroys the incident destroys its runs */
	TRY(keyring_get(r->lane->ring, r->incident->key, &k));
	return seal_close(k, &w, buf_view(&b), r->a, &r->row.sealed);
}

/* ---- whose name ---- */

static const struct actor *
owner_of(struct engine_run *r)
{
	const struct run_facts *f = &r->facts;

	if (uuid_is_zero(&f->owner))
		return NULL;
	return auth_supposed(r->a, r->lane->snap->world, f->owner_kind,
	    &f->owner);
}

void
engine_as(struct engine_run *r)
{
	static const struct http_request nothing = {.method = HTTP_POST};
	struct lane *l = r->lane;

	r->origin = (struct run_origin){r->row.id, r->row.depth,
	    r->incident != NULL && r->incident->head.restricted};
	r->as = (struct call){
	    .lane = l,
	    .req = &nothing,
	    .a = r->a,
	    .now = r->m.now,
	    .address = STR(""),
	    .request_id = r->origin.hidden ? rand_uuid(r->m.now) : r->row.id,
	    .snap = l->snap,
	    .route = &route_none,
	    .project = world_project(l->snap->world, r->row.project),
	    .actor = auth_run(r->a, l->snap->world,
		(enum principal_kind)r->row.requester_kind, &r->row.requester,
		r->facts.ceiling),
	    .also = owner_of(r),
	    .run = &r->origin,
	};
	r->as.rec.project = r->row.project;
	uuid_text(&r->as.request_id, r->as.request_id_text);
}

/* ---- reading ---- */

err
engine_read(struct lane *l, const struct run_row *row, struct arena *a,
    int64_t now, struct engine_run *ret)
{
	struct seal_where w = run_where(row);
	const struct json *j;
	struct str doc;

	*ret = (struct engine_run){.lane = l, .a = a, .row = *row};
	TRY(lane_open_sealed(l, &w, row->stored, a, &doc));
	TRY(json_parse(a, doc, &run_limits, &ret->m.trail, &j));
	TRY(facts_read(j, &ret->facts));
	TRY(runbook_version_load(l, &row->runbook, row->number, a, &ret->v));
	if (!str_eq(str_c(ret->v.digest), ret->facts.digest))
		return err_of(E_CORRUPT); /* versions never change */
	ret->m.rb = ret->v.rb;
	ret->m.a = a;
	ret->m.now = now;
	ret->m.inputs = ret->facts.inputs;
	ret->m.held = world_frozen(l->snap->world, row->project);
	run_machine_init(&ret->m);
	return run_read(ret->v.rb, json_get(j, STR("run")), a, &ret->m.run);
}

err
engine_open(struct lane *l, const struct uuid *run, int64_t now,
    struct engine_run **ret)
{
	struct arena *a = desk_arena(writer_desk(l->writer));
	struct engine_run *r = ARENA_NEW(a, struct engine_run);
	struct run_row row;

	TRY(arena_check(a));
	TRY(store_run_by_id(l->conn, run, a, &row));
	TRY(engine_read(l, &row, a, now, r));
	if (row.incident != 0)
		TRY(desk_incident_seq(l, row.incident, &r->incident));
	engine_as(r);
	TRY(engine_scope(r));
	*ret = r;
	return OK;
}

/* ---- what values see ---- */

/* May it be seen by who started the run, and by who answers for that? */
static err
sees_incident(struct engine_run *r, bool *ret)
{
	struct call *c = &r->as;

	*ret = engine_may(r, PERM_INCIDENT_VIEW);
	if (!*ret || !r->incident->head.restricted)
		return OK;
	TRY(asked_member(c, c->actor, r->incident->row.seq, ret));
	if (*ret && c->also != NULL)
		TRY(asked_member(c, c->also, r->incident->row.seq, ret));
	return OK;
}

static void
incident_json(struct jw *w, const struct incident_card *i)
{
	jw_obj(w);
	jw_uuid(w, "id", &i->row.id.u);
	jw_ki64(w, "number", (int64_t)i->row.number);
	jw_kstr(w, "severity", severity_text(i->head.severity));
	jw_kstr(w, "status", incident_status_text(i->head.status));
	jw_time(w, "created_at", i->head.created);
	jw_raw_members(w, i->doc);
	jw_obj_end(w);
}

/* Values ask for members of domain/values.def: nothing guarded is there. */
static err
scope_incident(struct engine_run *r)
{
	struct buf b;
	struct jw w;
	bool sees;

	r->m.incident = NULL;
	if (r->incident == NULL)
		return OK;
	TRY(sees_incident(r, &sees));
	if (!sees)
		return OK;
	TRY(desk_incident_doc(r->lane, r->incident));
	buf_init_on(&b, r->a, LIM_REPLY);
	jw_init(&w, &b);
	incident_json(&w, r->incident);
	TRY(buf_check(&b));
	return json_parse(r->a, buf_view(&b), &run_limits, &r->m.trail,
	    &r->m.incident);
}

static err
scope_alert(struct engine_run *r)
{
	struct alert_id id = {r->row.alert};
	struct alert_card *a;
	struct buf b;
	struct jw w;
	err e;

	r->m.alert = NULL;
	if (uuid_is_zero(&r->row.alert) || !engine_may(r, PERM_ALERT_VIEW))
		return OK;
	e = desk_alert_id(r->lane, &id, &a);
	if (err_is(e, E_NOT_FOUND))
		return OK;
	TRY(e);
	TRY(desk_alert_doc(r->lane, a));
	buf_init_on(&b, r->a, LIM_REPLY);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_uuid(&w, "id", &a->row.id.u);
	jw_kstr(&w, "severity", alert_severity_text(a->head.severity));
	jw_kstr(&w, "status", alert_status_text(a->head.status));
	jw_raw_members(&w, a->doc);
	jw_obj_end(&w);
	TRY(buf_check(&b));
	return json_parse(r->a, buf_view(&b), &run_limits, &r->m.trail,
	    &r->m.alert);
}

static err
scope_about(struct engine_run *r)
{
	struct buf b;
	struct jw w;

	buf_init_on(&b, r->a, 1024);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_uuid(&w, "id", &r->row.id);
	jw_time(&w, "started_at",
	    r->m.run->started != 0 ? r->m.run->started : r->m.now);
	jw_uuid(&w, "requester", &r->row.requester);
	jw_uuid(&w, "runbook", &r->row.runbook);
	jw_ki64(&w, "version", r->row.number);
	jw_obj_end(&w);
	TRY(buf_check(&b));
	return json_parse(r->a, buf_view(&b), &run_limits, &r->m.trail,
	    &r->m.about);
}

err
engine_scope(struct engine_run *r)
{
	TRY(scope_about(r));
	TRY(scope_incident(r));
	return scope_alert(r);
}

err
engine_digest(struct engine_run *r, char ret[DIGEST_TEXT + 1])
{
	const struct json *j;
	struct buf b;
	struct jw w;

	buf_init_on(&b, r->a, LIM_RUN_VALUES * 2);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_name(&w, STR("inputs"));
	jw_value(&w, r->facts.inputs);
	jw_uuid(&w, "run", &r->row.id);
	jw_kstr(&w, "runbook", r->facts.digest);
	jw_obj_end(&w);
	TRY(buf_check(&b));
	TRY(json_parse(r->a, buf_view(&b), &run_limits, &r->m.trail, &j));
	return digest_json(r->a, j, ret);
}

err
run_inputs_text(struct lane *l, const struct uuid *run, struct arena *a,
    struct str *ret)
{
	struct run_facts f;
	struct seal_where w;
	const struct json *j;
	struct run_row row;
	struct str doc;

	TRY(store_run_by_id(l->conn, run, a, &row));
	w = run_where(&row);
	TRY(lane_open_sealed(l, &w, row.stored, a, &doc));
	TRY(json_parse(a, doc, &run_limits, NULL, &j));
	TRY(facts_read(j, &f));
	return json_canon_text(a, f.inputs, LIM_RUN_VALUES, ret);
}

/* ---- putting it back ---- */

static err
put(struct engine_run *r)
{
	const struct run *run = r->m.run;

	desk_engine(r->lane)->known = false;
	r->row.state = (uint8_t)run->state;
	r->row.version++;
	r->row.started = run->started;
	r->row.ended = run->ended;
	r->row.due = run_due(run, r->m.held);
	TRY(seal_run(r));
	if (!r->fresh)
		return store_run_update(r->lane->conn, &r->row);
	r->fresh = false;
	return store_run_insert(r->lane->conn, &r->row);
}

err
engine_settle(struct engine_run *r)
{
	struct engine *e = desk_engine(r->lane);
	const struct run_effect *f;

	if (r->fresh)
		TRY(put(r)); /* tasks belong to a run that is there */
	e->busy = true;
	while ((f = r->m.first) != NULL) {
		r->m.first = f->next;
		if (r->m.first == NULL)
			r->m.last = &r->m.first;
		TRY(engine_do(r, f));
	}
	e->busy = false;
	return put(r);
}

/* ---- what happens to it ---- */

static err
outcome_of(struct engine_run *r, const struct step *s,
    const struct task_event *ev, struct run_result *ret)
{
	const struct json *j;

	ret->attempt = ev->attempt;
	ret->code = engine_word(r->a, ev->code);
	if (ev->outcome == TASK_LOST) {
		ret->how = RUN_LOST;
		ret->code = STR("lost");
		return OK;
	}
	switch (ev->outcome) {
	case TASK_SUCCEEDED:
		ret->how = RUN_GOOD;
		if (ev->outputs.n == 0)
			break;
		if (err_ok(json_parse(r->a, ev->outputs, &run_limits,
			&r->m.trail, &j)) &&
		    err_ok(step_outputs_check(s, j, &r->m.trail))) {
			ret->outputs = j;
			break;
		}
		ret->how = RUN_BAD;
		ret->code = STR("outputs");
		break;
	case TASK_CANCELLED:
		ret->how = RUN_STOPPED;
		ret->code = STR("cancelled");
		break;
	default:
		ret->how = RUN_BAD;
		if (ret->code.n == 0)
			ret->code = str_c(task_outcome_text(ev->outcome));
	}
	return arena_check(r->a);
}

static err
take_event(struct lane *l, const struct task_event *ev)
{
	struct run_result res = {.attempt = 0};
	struct engine_run *r;
	const struct step *s;
	err e = engine_open(l, &ev->run, ev->now, &r);

	if (err_is(e, E_NOT_FOUND))
		return OK;
	TRY(e);
	s = runbook_step(r->v.rb, ev->step);
	if (s == NULL || !uuid_eq(&r->m.run->step[s->index].task, &ev->task))
		return OK;
	if (ev->started) {
		run_task_began(&r->m, s, ev->attempt);
		return engine_settle(r);
	}
	TRY(outcome_of(r, s, ev, &res));
	TRY(run_result(&r->m, s, &res));
	return engine_settle(r);
}

static err
later(struct lane *l, const struct engine_next *n)
{
	struct engine *e = desk_engine(l);
	struct arena *a = desk_arena(writer_desk(l->writer));
	struct engine_next *mine = ARENA_NEW(a, struct engine_next);

	TRY(arena_check(a));
	*mine = *n;
	mine->next = NULL;
	mine->event.step = arena_dup(a, n->event.step);
	mine->event.code = arena_dup(a, n->event.code);
	mine->event.outputs = arena_dup(a, n->event.outputs);
	if (e->first == NULL)
		e->last = &e->first;
	*e->last = mine;
	e->last = &mine->next;
	return arena_check(a);
}

err
engine_later(struct lane *l, const struct uuid *run)
{
	return later(l, &(struct engine_next){.run = *run, .begin = true});
}

/* A queued run's turn, if there is room. */
static err
take_turn(struct lane *l, const struct uuid *run, int64_t now)
{
	struct engine_run *r;
	bool room;

	TRY(engine_open(l, run, now, &r));
	if (r->m.run->state != RUN_QUEUED || r->m.held)
		return OK;
	TRY(engine_room(l, r->v.rb, &r->row.runbook, &room));
	if (!room)
		return OK;
	TRY(run_begin(&r->m));
	return engine_settle(r);
}

err
engine_rest(struct lane *l, int64_t now)
{
	struct engine *e = desk_engine(l);
	struct engine_next *n;

	while ((n = e->first) != NULL) {
		e->first = n->next;
		TRY(n->begin ? take_turn(l, &n->run, now)
			     : take_event(l, &n->event));
	}
	return OK;
}

err
run_task_event(struct lane *l, const struct task_event *ev)
{
	if (desk_engine(l)->busy)
		return later(l, &(struct engine_next){.event = *ev});
	TRY(take_event(l, ev));
	return engine_rest(l, ev->now);
}

err
engine_room(struct lane *l, const struct runbook *rb, const struct uuid *id,
    bool *ret)
{
	uint64_t running, undoing;

	*ret = true;
	if (rb->limit == 0)
		return OK;
	TRY(store_run_count(l->conn, id, RUN_RUNNING, &running));
	TRY(store_run_count(l->conn, id, RUN_UNDOING, &undoing));
	*ret = running + undoing < rb->limit;
	return OK;
}

struct str
engine_word(struct arena *a, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || s.p[i] == '_' ||
			s.p[i] == '.' || s.p[i] == '-' ||
			(s.p[i] >= '0' && s.p[i] <= '9')))
			return STR("");
	return s.n > ENGINE_WORD ? STR("") : arena_dup(a, s);
}
