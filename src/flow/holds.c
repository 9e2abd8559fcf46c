/*
 * holds.c: see holds.h; /v1/holds.  Releasing one is an act of its own, with
 * a reason; a released hold stays to be seen until its place is needed.
 */
#include "flow/holds.h"

#include "base/limits.h"
#include "flow/admin_body.h"
#include "flow/handlers.h"

/* ---- asking ---- */

bool
hold_live(const struct hold *h, int64_t now)
{
	return h->released == 0 && (h->until == 0 || h->until > now);
}

const struct hold *
hold_covers(const struct world *w, uint32_t project,
    const struct uuid *incident, int64_t now)
{
	const struct object *const *o;
	size_t n;

	o = world_objects(w, OBJECT_HOLD, &n);
	for (size_t i = 0; i < n; i++) {
		const struct hold *h = (const struct hold *)o[i];

		if (!hold_live(h, now) ||
		    (h->o.project != 0 && h->o.project != project))
			continue;
		if (uuid_is_zero(&h->incident) ||
		    (incident != NULL && uuid_eq(&h->incident, incident)))
			return h;
	}
	return NULL;
}

const struct hold *
hold_within(const struct world *w, uint32_t project, int64_t now)
{
	const struct object *const *o;
	size_t n;

	o = world_objects(w, OBJECT_HOLD, &n);
	for (size_t i = 0; i < n; i++) {
		const struct hold *h = (const struct hold *)o[i];

		if (hold_live(h, now) &&
		    (h->o.project == 0 || h->o.project == project))
			return h;
	}
	return NULL;
}

const struct hold *
hold_any(const struct world *w, int64_t now)
{
	const struct object *const *o;
	size_t n;

	o = world_objects(w, OBJECT_HOLD, &n);
	for (size_t i = 0; i < n; i++)
		if (hold_live((const struct hold *)o[i], now))
			return (const struct hold *)o[i];
	return NULL;
}

err
hold_refuse(struct call *c, const struct hold *h)
{
	char id[UUID_TEXT + 1];

	if (h == NULL)
		return OK;
	uuid_text(&h->o.id, id);
	return call_bad(c, E_HELD, "the legal hold %s covers it", id);
}

/* ---- answers ---- */

static void
by_json(struct call *c, struct jw *w, const struct hold *h)
{
	jw_kobj(w, "by");
	jw_kstr(w, "kind", str_c(principal_kind_text(h->by_kind)));
	jw_uuid(w, "id", &h->by.u);
	jw_kstr(w, "name",
	    world_principal_name(call_world(c), h->by_kind, &h->by.u));
	jw_obj_end(w);
}

static void
render(struct call *c, struct jw *w, const struct object *o)
{
	const struct hold *h = (const struct hold *)o;
	const struct project *p = world_project(call_world(c), o->project);

	jw_obj(w);
	jw_uuid(w, "id", &o->id);
	jw_kstr(w, "name", h->name);
	jw_kstr(w, "reason", h->reason);
	jw_kstr(w, "project", p == NULL ? STR_NONE : p->slug);
	id_or_null(w, "incident", &h->incident);
	jw_time(w, "until", h->until);
	jw_kbool(w, "live", hold_live(h, c->now));
	by_json(c, w, h);
	jw_time(w, "released_at", h->released);
	jw_kstr(w, "release_reason",
	    h->released == 0 ? STR_NONE : h->release_reason);
	times_json(w, o);
	jw_obj_end(w);
}

/* ---- seeing ---- */

/* A hold says that its incident exists: who may not know that of a private
 * one sees no hold of it. */
static bool
hidden(struct call *c, const struct hold *h)
{
	struct incident_id id = {h->incident};
	struct incident_row row;
	bool member = false;
	err e;

	if (uuid_is_zero(&h->incident))
		return false;
	e = store_incident_by_id(c->lane->conn, &id, c->a, &row);
	if (err_is(e, E_NOT_FOUND))
		return false;
	if (err_ok(e) && row.private != 0)
		e = view_member(c, row.seq, &member);
	return !err_ok(e) || (row.private != 0 && !member);
}

static bool
visible(struct call *c, const struct object *o)
{
	return call_can(c, PERM_HOLD_VIEW, o->project) &&
	    !hidden(c, (const struct hold *)o);
}

err
route_hold_list(struct call *c)
{
	return list_objects(c, OBJECT_HOLD, visible, render);
}

static err
find(struct call *c, const struct hold **ret)
{
	struct uuid id;

	TRY(call_uuid(c, 0, &id));
	*ret = world_hold(call_world(c), &id);
	if (*ret == NULL || !visible(c, &(*ret)->o))
		return err_of(E_NOT_FOUND);
	call_touch(c, "hold", &id);
	c->rec.project = (*ret)->o.project;
	return OK;
}

err
route_hold_get(struct call *c)
{
	const struct hold *h;

	TRY(find(c, &h));
	TRY(call_ask(c, PERM_HOLD_VIEW, h->o.project, &c->grant));
	return answer_object(c, 200, &h->o, render);
}

/* ---- making ---- */

static err
read_reason(struct call *c, struct str *ret)
{
	struct str s = body_text(c, "reason", STR(""));
	size_t i = 0;

	while (i < s.n && (uint8_t)s.p[i] <= ' ')
		i++;
	*ret = s;
	if (i == s.n)
		return call_bad(c, E_INVALID,
		    "reason: say why, it is on record for ever");
	return OK;
}

/* One that the caller sees: who cannot see a private one can hold all of its
 * project. */
static err
read_incident(struct call *c, struct hold *h)
{
	struct str ref = json_str_at(c->body, STR("incident"));
	struct incident_card *i;
	bool member;
	err e;

	if (ref.n == 0)
		return OK;
	if (c->project == NULL)
		return call_bad(c, E_MISSING,
		    "project: which one is the incident of?");
	e = desk_incident(c, ref, &i);
	if (err_ok(e) && !call_can(c, PERM_INCIDENT_VIEW, i->row.project))
		e = err_of(E_NOT_FOUND);
	if (err_ok(e) && i->head.restricted) {
		TRY(view_member(c, i->row.seq, &member));
		if (!member)
			e = err_of(E_NOT_FOUND);
	}
	if (err_is(e, E_NOT_FOUND))
		return call_bad(c, E_NOT_FOUND, "incident: no such incident");
	TRY(e);
	h->incident = i->row.id.u;
	return OK;
}

static err
read_place(struct call *c)
{
	struct str slug = json_str_at(c->body, STR("project"));

	if (slug.n > 0) {
		c->project = world_project_slug(call_world(c), slug);
		if (c->project == NULL ||
		    !call_can(c, PERM_PROJECT_VIEW, c->project->o.project)) {
			c->project = NULL;
			return call_bad(c, E_NOT_FOUND,
			    "project: no such project");
		}
		c->rec.project = c->project->o.project;
	}
	return call_ask(c, PERM_HOLD_EDIT, c->rec.project, &c->grant);
}

/* The oldest that was released makes room; it stays in the log. */
static err
make_room(struct call *c)
{
	const struct object *const *o;
	struct uuid id;
	size_t n;

	o = world_objects(call_world(c), OBJECT_HOLD, &n);
	for (size_t i = 0; n >= LIM_HOLDS && i < n; i++)
		if (((const struct hold *)o[i])->released != 0) {
			id = o[i]->id;
			return admin_remove(c, OBJECT_HOLD, &id);
		}
	return room_for(c, OBJECT_HOLD, LIM_HOLDS);
}

err
route_hold_create(struct call *c)
{
	struct hold h = {.by_kind = c->actor->kind, .by = {c->actor->id}};

	TRY(read_place(c));
	h.name = body_text(c, "name", STR(""));
	TRY(read_reason(c, &h.reason));
	h.until = body_time(c, "until");
	if (h.until != 0 && h.until <= c->now)
		return call_bad(c, E_INVALID, "until: it is over already");
	TRY(read_incident(c, &h));
	TRY(make_room(c));
	admin_new(c, OBJECT_HOLD, c->rec.project, &h.o);
	TRY(admin_put(c, &h.o));
	c->rec.body = c->req->body;
	call_touch(c, "hold", &h.o.id);
	return answer_created(c, "/v1/holds", &h.o, render);
}

/* ---- releasing ---- */

err
route_hold_release(struct call *c)
{
	const struct object *copy;
	const struct hold *old;
	struct hold h;

	TRY(find(c, &old));
	TRY(call_ask(c, PERM_HOLD_EDIT, old->o.project, &c->grant));
	TRY(call_match(c, old->o.version));
	if (old->released != 0)
		return call_bad(c, E_CONFLICT, "hold: it was released already");
	TRY(admin_copy(c, &old->o, &copy));
	h = *(const struct hold *)copy;
	TRY(read_reason(c, &h.release_reason));
	h.released = c->now;
	admin_touch(c, &h.o);
	TRY(admin_put(c, &h.o));
	c->rec.body = c->req->body;
	return answer_object(c, 200, &h.o, render);
}
