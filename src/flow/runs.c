/* runs.c: /v1/projects/{p}/runs, and starting them. */
#include "flow/runs.h"

#include "base/limits.h"
#include "flow/admin_body.h"
#include "flow/handlers.h"
#include "flow/incident_view.h"
#include "flow/run_view.h"
#include "flow/writer.h"

/* ---- starting ---- */

/* What the version mentions needs rights of its own. */
static err
ask_uses(struct call *c, const struct runbook *rb)
{
	uint32_t project = c->project->o.project;
	bool connects = false, secrets = false;
	const struct grant *g;

	for (size_t i = 0; i < rb->steps_n; i++) {
		const struct step *s = rb->steps[i];

		connects |= s->kind == STEP_HTTP ||
		    (s->kind == STEP_SCRIPT && s->script.connectors_n > 0);
		secrets |= s->kind == STEP_SCRIPT && s->script.secrets_n > 0;
	}
	if (connects)
		TRY(call_ask(c, PERM_CONNECTOR_USE, project, &g));
	if (secrets)
		TRY(call_ask(c, PERM_SECRET_USE, project, &g));
	return OK;
}

/* One the caller sees; else it is as if there were none. */
static err
take_incident(struct call *c, struct run_order *o, struct uuid *ret)
{
	struct str ref = json_str_at(c->body, STR("incident"));
	struct incident_card *i;
	const struct grant *g;
	bool member = true;

	if (ref.n == 0)
		return OK;
	TRY(desk_incident(c, ref, &i));
	if (i->head.restricted)
		TRY(view_member(c, i->row.seq, &member));
	if (i->head.restricted)
		TRY(call_ask_private(c, PERM_INCIDENT_VIEW, o->project, member,
		    &g));
	else
		TRY(call_ask(c, PERM_INCIDENT_VIEW, o->project, &g));
	o->incident = i->row.seq;
	*ret = i->row.id.u;
	return OK;
}

/* An alert brings the incident it is attached to. */
static err
take_alert(struct call *c, struct run_order *o, struct uuid *ret)
{
	struct str ref = json_str_at(c->body, STR("alert"));
	struct incident_card *i;
	const struct grant *g;
	struct alert_card *a;
	struct alert_id id;
	bool member = true;

	if (ref.n == 0)
		return OK;
	if (!uuid_parse(ref, &id.u))
		return call_bad(c, E_INVALID, "alert is no id");
	TRY(desk_alert_id(c->lane, &id, &a));
	if (a->row.project != o->project)
		return err_of(E_NOT_FOUND);
	TRY(call_ask(c, PERM_ALERT_VIEW, o->project, &g));
	o->alert = id.u;
	if (a->row.incident == 0)
		return OK;
	if (o->incident != 0 && o->incident != a->row.incident)
		return call_bad(c, E_INVALID,
		    "the alert belongs to another incident");
	TRY(desk_incident_seq(c->lane, a->row.incident, &i));
	if (i->head.restricted) {
		TRY(view_member(c, i->row.seq, &member));
		TRY(call_ask_private(c, PERM_ALERT_VIEW, o->project, member,
		    &g));
	}
	o->incident = a->row.incident;
	*ret = i->row.id.u;
	return OK;
}

static err
order_of(struct call *c, struct run_order *o, struct uuid *ret_incident)
{
	const struct runbook_object *rb;

	TRY(call_runbook(c, &rb));
	*o = (struct run_order){.project = c->project->o.project,
	    .runbook = rb->o.id,
	    .inputs = json_get(c->body, STR("inputs")),
	    .key = json_str_at(c->body, STR("idempotency")),
	    .kind = c->actor->kind,
	    .who = c->actor->id,
	    .ceiling =
		access_effective(c->actor, c->project->o.project, c->now)};
	if (o->key.n > LIM_IDEMPOTENCY_KEY)
		return call_bad(c, E_INVALID, "idempotency: 1 to %d bytes",
		    LIM_IDEMPOTENCY_KEY);
	TRY(take_incident(c, o, ret_incident));
	return take_alert(c, o, ret_incident);
}

err
route_run_start(struct call *c)
{
	struct uuid incident = {{0}}, id;
	char text[UUID_TEXT + 1];
	struct engine_run *r;
	struct run_order o;
	bool again;

	TRY(order_of(c, &o, &incident));
	TRY(run_plan(c, &o, &r));
	TRY(ask_uses(c, r->v.rb));
	c->rec.body = c->req->body;
	if (r->incident != NULL)
		c->rec.body_key = r->incident->key;
	if (body_flag(c, "dry_run", false)) {
		TRY(run_imagine(c, &o, r));
		c->rec.reason = STR("dry_run");
		return answer_plan(c, r, &incident);
	}
	TRY(run_start(c, &o, &id, &again));
	TRY(engine_open(c->lane, &id, c->now, &r));
	engine_touch(r, c);
	uuid_text(&id, text);
	answer_location(c, "%s/%s", project_path(c, "/runs"), text);
	return answer_run(c, r, &incident, again ? 200 : 201);
}

/* ---- seeing ---- */

err
route_run_get(struct call *c)
{
	struct incident_row incident;
	struct engine_run r;
	struct run_row row;

	TRY(view_run(c, 1, &row, &incident));
	TRY(engine_read(c->lane, &row, c->a, c->now, &r));
	return answer_run(c, &r, &incident.id.u, 200);
}

struct run_list {
	struct run_filter f;
	uint32_t states;
	struct uuid runbook;
	bool by_runbook;
	size_t shown, seen;
	bool more;
};

static err
states_of(struct call *c, uint32_t *ret)
{
	struct str all = c->query.raw[PARAM_STATUS], one;
	enum run_state s;

	while (all.n > 0) {
		(void)str_cut(all, ',', &one, &all);
		if (!run_state_parse(one, &s))
			return call_bad(c, E_INVALID, "status: not known");
		*ret |= 1u << s;
	}
	return OK;
}

static err
filter_of(struct call *c, struct run_list *l)
{
	struct str incident = c->query.raw[PARAM_INCIDENT];
	struct str runbook = c->query.raw[PARAM_RUNBOOK];
	const struct runbook_object *rb;
	struct incident_row row;
	struct str own, position;
	struct cur cur;

	l->f.project = c->project->o.project;
	TRY(states_of(c, &l->states));
	if (incident.p != NULL) {
		own = c->var[1];
		c->var[1] = incident;
		TRY(view_incident(c, 1, &row));
		c->var[1] = own;
		l->f.incident = row.seq;
	}
	if (runbook.p != NULL) {
		rb = runbook_find(call_world(c), l->f.project, runbook);
		if (rb == NULL)
			return err_of(E_NOT_FOUND);
		l->runbook = rb->o.id;
		l->by_runbook = true;
	}
	TRY(cursor_take(c, &position));
	if (position.n == 0)
		return OK;
	cur = cur_of(position);
	l->f.before = cur_be64(&cur);
	return err_of(cur_end(&cur) ? E_OK : E_BAD_CURSOR);
}

static err
list_one(struct call *c, const struct run_row *row, struct run_list *l)
{
	struct incident_row incident;
	bool visible;

	if ((l->states != 0 && (l->states >> row->state & 1) == 0) ||
	    (l->by_runbook && !uuid_eq(&l->runbook, &row->runbook)))
		return OK;
	TRY(run_visible(c, row->incident, &incident, &visible));
	if (!visible)
		return OK;
	jw_obj(&c->w);
	run_head_json(c, &c->w, row, &incident.id.u);
	jw_obj_end(&c->w);
	l->shown++;
	return buf_check(&c->out);
}

static err
list_piece(struct call *c, struct run_list *l, bool *ret_full)
{
	struct run_row *row;
	size_t n;

	*ret_full = true;
	TRY(store_run_list(c->lane->conn, &l->f, PIECE, c->a, &row, &n));
	for (size_t i = 0; i < n; i++) {
		l->more = true;
		if (l->shown == c->query.limit || l->seen >= LIM_SCAN ||
		    c->out.n > PAGE_BYTES)
			return OK;
		TRY(list_one(c, &row[i], l));
		l->seen++;
		l->more = false;
		l->f.before = row[i].seq;
	}
	*ret_full = n < PIECE;
	return OK;
}

err
route_run_list(struct call *c)
{
	struct run_list l = {0};
	bool full = false;
	err e = OK;
	struct buf b;

	TRY(filter_of(c, &l));
	(void)list_begin(c);
	while (err_ok(e) && !full) {
		struct scratch s;

		scratch_begin(c, &s);
		e = list_piece(c, &l, &full);
		scratch_end(c, &s);
	}
	TRY(e);
	buf_init_on(&b, c->a, 16);
	buf_be64(&b, l.f.before);
	return list_end(c, l.more ? buf_view(&b) : STR_NONE);
}

/* ---- changing ---- */

static err
open_run(struct call *c, struct engine_run **ret, struct uuid *ret_incident)
{
	struct incident_row incident;
	struct run_row row;

	TRY(view_run(c, 1, &row, &incident));
	TRY(call_match(c, row.version));
	*ret_incident = incident.id.u;
	TRY(engine_open(c->lane, &row.id, c->now, ret));
	if ((*ret)->incident != NULL)
		c->rec.body_key = (*ret)->incident->key;
	return OK;
}

static err
step_of(struct call *c, struct engine_run *r, const struct step **ret)
{
	*ret = runbook_step(r->v.rb, json_str_at(c->body, STR("step")));
	if (*ret == NULL)
		return call_bad(c, E_INVALID, "step: the run has no such step");
	return OK;
}

/*
 * The entry of this very request, before those of what comes of it: it has
 * the next number of the log.
 */
static err
record_now(struct call *c, uint64_t *ret_seq)
{
	struct ledger *g = writer_ledger(c->lane->writer);

	c->rec.body = c->req->body;
	c->dirty = true;
	*ret_seq = ledger_next(g);
	TRY(ledger_add(g, c->lane, desk_arena(writer_desk(c->lane->writer)),
	    c));
	c->rec.skip = true;
	return OK;
}

/* It is put back, and what had to wait is done. */
static err
finish(struct call *c, struct engine_run *r, const struct uuid *incident)
{
	TRY(engine_settle(r));
	TRY(engine_rest(c->lane, c->now));
	TRY(engine_open(c->lane, &r->row.id, c->now, &r));
	return answer_run(c, r, incident, 200);
}

/* What the machine refuses is told as it says. */
static err
machine(struct call *c, struct engine_run *r, err e)
{
	if (!err_ok(e) && r->m.trail.detail[0] != '\0')
		trail_set(&c->trail, "%s", r->m.trail.detail);
	return e;
}

err
route_run_cancel(struct call *c)
{
	struct engine_run *r;
	struct uuid incident;
	uint64_t seq;

	TRY(open_run(c, &r, &incident));
	if (run_over(r->m.run))
		return call_bad(c, E_CONFLICT, "the run has ended");
	TRY(record_now(c, &seq));
	TRY(machine(c, r, run_cancel(&r->m, STR("cancelled"))));
	return finish(c, r, &incident);
}

static bool
is_person(struct call *c, const struct person *p)
{
	struct uuid id;

	if (!uuid_parse(p->id, &id))
		return false;
	return p->group
	    ? access_is_subject(c->actor, &id)
	    : c->actor->kind == PRINCIPAL_USER && uuid_eq(&id, &c->actor->id);
}

err
route_run_complete(struct call *c)
{
	struct str note = json_str_at(c->body, STR("note"));
	const struct step *s;
	struct engine_run *r;
	struct uuid incident;
	uint64_t seq;

	TRY(open_run(c, &r, &incident));
	TRY(step_of(c, r, &s));
	if (s->kind != STEP_MANUAL || r->m.run->step[s->index].at != AT_MANUAL)
		return call_bad(c, E_CONFLICT,
		    "the step does not wait for anybody");
	if (s->manual.assigned && !is_person(c, &s->manual.assignee))
		return call_bad(c, E_FORBIDDEN, "the step is somebody else's");
	TRY(record_now(c, &seq));
	TRY(machine(c, r,
	    run_complete(&r->m, s, &c->actor->id,
		!body_flag(c, "failed", false),
		json_get(c->body, STR("outputs")),
		note.p == NULL ? STR("") : note)));
	return finish(c, r, &incident);
}

/* ---- approving ---- */

/* Whoever made a run happen asked for it, whatever asked in their name. */
static bool
asked_for_it(struct call *c, const struct engine_run *r)
{
	const struct trigger_object *t;

	if (uuid_eq(&c->actor->id, &r->row.requester))
		return true;
	if (uuid_is_zero(&r->row.cause))
		return false;
	if (uuid_eq(&c->actor->id, &r->facts.owner))
		return true;
	t = world_trigger(call_world(c), &r->row.cause);
	return t != NULL &&
	    (uuid_eq(&c->actor->id, &t->created_by.u) ||
		uuid_eq(&c->actor->id, &t->owner));
}

static struct run_voter
voter_of(struct call *c, const struct engine_run *r, const struct step *s)
{
	struct run_voter v = {.who = c->actor->id,
	    .person = c->actor->kind == PRINCIPAL_USER,
	    .requester = asked_for_it(c, r),
	    .author = uuid_eq(&c->actor->id, &r->v.author) ||
		uuid_eq(&c->actor->id, &r->v.uploader)};

	v.named = s->kind != STEP_APPROVAL || s->approval.approvers_n == 0;
	for (size_t i = 0; !v.named && i < s->approval.approvers_n; i++)
		v.named = is_person(c, &s->approval.approvers[i]);
	return v;
}

/* "<run>/<step>/<digest>": what exactly was decided about. */
static err
touch_approval(struct call *c, struct engine_run *r, const struct step *s)
{
	struct str given = json_str_at(c->body, STR("digest"));
	size_t at = c->rec.resources;
	char digest[DIGEST_TEXT + 1], run[UUID_TEXT + 1];
	struct buf b;

	TRY(engine_digest(r, digest));
	if (given.n > 0 && !str_eq(given, str_c(digest)))
		return call_bad(c, E_STALE,
		    "that is not what the step asks approval of");
	uuid_text(&r->row.id, run);
	buf_init_on(&b, c->a, 256);
	buf_fmt(&b, "%s/%.*s/%s", run, STR_ARG(s->id), digest);
	TRY(buf_check(&b));
	BUG_ON(at >= AUDIT_RESOURCES);
	call_touch_num(c, "run_approval", 0);
	c->rec.resource[at].ref = buf_view(&b);
	return OK;
}

static err
decision_of(struct call *c, bool *ret)
{
	struct str s = json_str_at(c->body, STR("decision"));

	*ret = str_is(s, "approve");
	if (!*ret && !str_is(s, "reject"))
		return call_bad(c, E_INVALID, "decision: approve or reject");
	return OK;
}

static err
note_vote(struct call *c, struct engine_run *r, const struct step *s, bool yes)
{
	struct buf text;

	buf_init_on(&text, c->a, 512);
	buf_fmt(&text, "%.*s: step %.*s %s", STR_ARG(r->v.rb->name),
	    STR_ARG(s->id), yes ? "approved" : "rejected");
	return engine_note(r, c, ENTRY_RUN_APPROVAL, s, buf_view(&text));
}

err
route_run_approve(struct call *c)
{
	struct str note = json_str_at(c->body, STR("note"));
	struct run_voter who;
	const struct step *s;
	struct engine_run *r;
	struct uuid incident;
	uint64_t seq;
	bool yes;

	TRY(decision_of(c, &yes));
	TRY(open_run(c, &r, &incident));
	TRY(step_of(c, r, &s));
	who = voter_of(c, r, s);
	TRY(run_may_vote(&r->m, s, &who, &c->trail));
	TRY(touch_approval(c, r, s));
	if (!yes)
		c->rec.action = AUDIT_RUN_REJECT;
	TRY(record_now(c, &seq));
	TRY(note_vote(c, r, s, yes));
	TRY(machine(c, r,
	    run_vote(&r->m, s, &who, yes, seq,
		note.p == NULL ? STR("") : note)));
	return finish(c, r, &incident);
}
