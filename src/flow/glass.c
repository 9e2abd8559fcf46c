/* glass.c: see glass.h; /v1/break-glass. */
#include "flow/glass.h"

#include "base/limits.h"
#include "flow/admin_body.h"
#include "flow/handlers.h"
#include "flow/writer.h"

bool
glass_live(const struct break_glass *g, int64_t now)
{
	return g->ended == 0 && now < g->expires;
}

static int64_t
end_of(const struct break_glass *g)
{
	return g->ended != 0 ? g->ended : g->expires;
}

bool
glass_overdue(const struct break_glass *g, int64_t now)
{
	return g->reviewed == 0 && now - end_of(g) > LIM_GLASS_REVIEW_MS;
}

static bool
own(const struct call *c, const struct break_glass *g)
{
	return uuid_eq(&g->user, &c->actor->id);
}

/* ---- answers ---- */

/* May the caller know of which incident, and why? */
static err
knows(struct call *c, const struct break_glass *g, bool *ret)
{
	struct incident_id id = {g->incident};
	struct incident_row row;
	err e;

	*ret = true;
	if (own(c, g) || uuid_is_zero(&g->incident))
		return OK;
	*ret = false;
	e = store_incident_by_id(c->lane->conn, &id, c->a, &row);
	if (err_is(e, E_NOT_FOUND))
		return OK;
	TRY(e);
	if (row.private != 0)
		return view_member(c, row.seq, ret);
	*ret = call_can(c, PERM_INCIDENT_VIEW, g->o.project);
	return OK;
}

static const char *
state_of(const struct break_glass *g, int64_t now)
{
	if (glass_live(g, now))
		return "live";
	return g->reviewed != 0 ? "reviewed" : "over";
}

static void
head_json(struct call *c, struct jw *w, const struct break_glass *g)
{
	const struct project *p = world_project(call_world(c), g->o.project);

	jw_uuid(w, "id", &g->o.id);
	subject_json(w, "principal", g->user_kind, &g->user);
	jw_kstr(w, "name",
	    world_principal_name(call_world(c), g->user_kind, &g->user));
	jw_kstr(w, "project", p == NULL ? STR_NONE : p->slug);
	jw_kstr(w, "role", g->role);
	jw_time(w, "created_at", g->o.created);
	jw_time(w, "expires_at", g->expires);
}

static err
glass_json(struct call *c, struct jw *w, const struct break_glass *g)
{
	bool all, why;

	TRY(knows(c, g, &all));
	why = all || call_can(c, PERM_BREAKGLASS_REVIEW, 0);
	jw_obj(w);
	head_json(c, w, g);
	id_or_null(w, "incident", all ? &g->incident : NULL);
	jw_kbool(w, "one_incident", !uuid_is_zero(&g->incident));
	jw_kstr(w, "reason", why ? g->reason : STR_NONE);
	jw_kstr(w, "state", str_c(state_of(g, c->now)));
	jw_time(w, "ended_at", glass_live(g, c->now) ? 0 : end_of(g));
	jw_kbool(w, "overdue", glass_overdue(g, c->now));
	jw_time(w, "reviewed_at", g->reviewed);
	id_or_null(w, "reviewer", &g->reviewer);
	jw_kstr(w, "note", why && g->reviewed != 0 ? g->note : STR_NONE);
	jw_obj_end(w);
	return buf_check(&c->out);
}

static err
answer_glass(struct call *c, int status, const struct break_glass *g)
{
	TRY(glass_json(c, answer(c, status), g));
	answer_etag(c, g->o.version);
	return OK;
}

void
glass_banner(struct call *c, struct jw *w, uint32_t project,
    const struct uuid *incident)
{
	const struct object *const *o;
	size_t n;

	o = world_objects(call_world(c), OBJECT_BREAK_GLASS, &n);
	jw_karr(w, "break_glass");
	for (size_t i = 0; i < n; i++) {
		const struct break_glass *g = (const struct break_glass *)o[i];

		if (!glass_live(g, c->now) || g->o.project != project ||
		    (!uuid_is_zero(&g->incident) &&
			!uuid_eq(&g->incident, incident)))
			continue;
		jw_obj(w);
		head_json(c, w, g);
		jw_obj_end(w);
	}
	jw_arr_end(w);
}

void
glass_own(struct call *c, struct jw *w)
{
	const struct binding *b = NULL;

	jw_karr(w, "break_glass");
	while ((b = access_glass(c->actor, b, c->now)) != NULL) {
		const struct break_glass *g =
		    world_break_glass(call_world(c), &b->glass);

		if (g == NULL)
			continue;
		jw_obj(w);
		head_json(c, w, g);
		id_or_null(w, "incident", &g->incident);
		jw_obj_end(w);
	}
	jw_arr_end(w);
}

/* ---- seeing ---- */

/* Who sees the project sees what is broken in it; who reviews, all. */
static bool
visible(struct call *c, const struct break_glass *g)
{
	return own(c, g) || call_can(c, PERM_BREAKGLASS_REVIEW, 0) ||
	    access_sees(c->actor, g->o.project, c->now);
}

static err
find(struct call *c, const struct break_glass **ret)
{
	struct uuid id;

	TRY(call_uuid(c, 0, &id));
	*ret = world_break_glass(call_world(c), &id);
	if (*ret == NULL || !visible(c, *ret))
		return err_of(E_NOT_FOUND);
	call_touch(c, "break_glass", &id);
	c->rec.project = (*ret)->o.project;
	return OK;
}

static bool
wanted(struct call *c, const struct object *o)
{
	return visible(c, (const struct break_glass *)o);
}

static void
render(struct call *c, struct jw *w, const struct object *o)
{
	/* the error is in the buffer, and told by the page's check */
	err_ignore(glass_json(c, w, (const struct break_glass *)o),
	    "asked again below");
}

err
route_glass_list(struct call *c)
{
	TRY(list_objects(c, OBJECT_BREAK_GLASS, wanted, render));
	return buf_check(&c->out);
}

err
route_glass_get(struct call *c)
{
	const struct break_glass *g;

	TRY(find(c, &g));
	return answer_glass(c, 200, g);
}

/* ---- members ---- */

size_t
glass_last(struct subject *m, size_t n)
{
	size_t people = 0;

	for (size_t i = 0; i < n; i++) {
		struct subject s = m[i];

		if (s.kind == SUBJECT_GLASS)
			continue;
		m[i] = m[people];
		m[people++] = s;
	}
	return people;
}

/* The incident's members with or without this sight. */
static err
set_sight(struct call *c, uint64_t seq, const struct uuid *glass, bool add)
{
	struct subject *m, *s;
	size_t n, out = 0;

	TRY(store_members(c->lane->conn, seq, c->a, &m, &n));
	s = arena_array(c->a, n + 1, sizeof *s);
	TRY(arena_check(c->a));
	for (size_t i = 0; i < n; i++)
		if (m[i].kind != SUBJECT_GLASS || !uuid_eq(&m[i].id, glass))
			s[out++] = m[i];
	if (add)
		s[out++] = (struct subject){SUBJECT_GLASS, *glass};
	return store_members_set(c->lane->conn, seq, s, out);
}

/* ---- ending ---- */

/* What the timeline of the incident says of it. */
static err
tell(struct call *c, struct incident_card *i, const struct break_glass *g,
    struct str text)
{
	struct buf b;
	struct jw w;

	buf_init_on(&b, c->a, 4096);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_uuid(&w, "break_glass", &g->o.id);
	jw_kstr(&w, "role", g->role);
	jw_time(&w, "expires_at", g->expires);
	jw_obj_end(&w);
	TRY(buf_check(&b));
	return desk_entry(c, i, ENTRY_BREAK_GLASS, true, 0, text, buf_view(&b),
	    NULL);
}

/* The card of the glass's incident; NULL: it has none, or none any more. */
static err
card_of(struct call *c, const struct break_glass *g, struct incident_card **ret)
{
	struct incident_id id = {g->incident};
	struct incident_row row;
	err e;

	*ret = NULL;
	if (uuid_is_zero(&g->incident))
		return OK;
	e = store_incident_by_id(c->lane->conn, &id, c->a, &row);
	if (err_is(e, E_NOT_FOUND))
		return OK;
	TRY(e);
	return desk_incident_seq(c->lane, row.seq, ret);
}

/* Its binding and its sight go; nothing when they have gone. */
static err
withdraw(struct call *c, const struct break_glass *g, struct incident_card *i)
{
	struct uuid id = g->o.id, binding = g->binding;

	if (world_binding(call_world(c), &binding) == NULL)
		return OK;
	if (i != NULL)
		TRY(set_sight(c, i->row.seq, &id, false));
	return admin_remove(c, OBJECT_BINDING, &binding);
}

/* Bindings of those that have ended by themselves: they count for nothing,
 * and go when the next one is made. */
static err
sweep(struct call *c)
{
	const struct object *const *o;
	struct incident_card *card;
	struct uuid *id;
	size_t n, ids = 0;

	o = world_objects(call_world(c), OBJECT_BREAK_GLASS, &n);
	id = arena_array(c->a, n + 1, sizeof *id);
	TRY(arena_check(c->a));
	for (size_t i = 0; i < n; i++) {
		const struct break_glass *g = (const struct break_glass *)o[i];

		if (!glass_live(g, c->now) &&
		    world_binding(call_world(c), &g->binding) != NULL)
			id[ids++] = g->o.id;
	}
	for (size_t i = 0; i < ids; i++) {
		const struct object *copy;
		const struct break_glass *g =
		    world_break_glass(call_world(c), &id[i]);

		TRY(admin_copy(c, &g->o, &copy));
		g = (const struct break_glass *)copy;
		TRY(card_of(c, g, &card));
		TRY(withdraw(c, g, card));
	}
	return OK;
}

static void
touch_incident(struct call *c, const struct incident_card *i)
{
	if (i == NULL)
		return;
	if (i->head.restricted)
		call_touch_hidden(c, "incident", &i->row.id.u);
	else
		call_touch(c, "incident", &i->row.id.u);
	c->rec.body_key = i->key;
}

err
route_glass_end(struct call *c)
{
	const struct break_glass *old;
	const struct object *copy;
	struct incident_card *i;
	struct break_glass g;

	TRY(find(c, &old));
	if (!own(c, old))
		TRY(call_ask(c, PERM_BREAKGLASS_REVIEW, 0, &c->grant));
	TRY(call_match(c, old->o.version));
	if (!glass_live(old, c->now))
		return call_bad(c, E_CONFLICT, "it is over");
	TRY(admin_copy(c, &old->o, &copy));
	g = *(const struct break_glass *)copy;
	TRY(card_of(c, &g, &i));
	touch_incident(c, i);
	TRY(withdraw(c, &g, i));
	if (i != NULL)
		TRY(tell(c, i, &g, STR("Break-glass ended")));
	g.ended = c->now;
	admin_touch(c, &g.o);
	TRY(admin_put(c, &g.o));
	answer_empty(c, 204);
	return OK;
}

/* ---- making ---- */

/* The incident of the body. Nothing is said of one in a project where the
 * caller may not do this. */
static err
incident_of(struct call *c, struct incident_card **ret)
{
	struct str ref = json_str_at(c->body, STR("incident"));
	struct incident_row row;
	struct incident_id id;

	*ret = NULL;
	if (ref.p == NULL)
		return OK;
	if (c->project == NULL) {
		if (!uuid_parse(ref, &id.u))
			return call_bad(c, E_INVALID,
			    "incident: a number needs a project");
		TRY(store_incident_by_id(c->lane->conn, &id, c->a, &row));
		c->project = world_project(call_world(c), row.project);
		if (c->project == NULL ||
		    !call_can(c, PERM_BREAKGLASS_USE, row.project))
			return err_of(E_NOT_FOUND);
	}
	return desk_incident(c, ref, ret);
}

static err
place_of(struct call *c, struct incident_card **ret)
{
	struct str slug = json_str_at(c->body, STR("project"));

	if (slug.p != NULL) {
		c->project = world_project_slug(call_world(c), slug);
		if (c->project == NULL)
			return call_bad(c, E_NOT_FOUND,
			    "project: no such project");
		TRY(call_ask(c, PERM_BREAKGLASS_USE, c->project->o.project,
		    &c->grant));
	}
	TRY(incident_of(c, ret));
	if (c->project == NULL)
		return call_bad(c, E_MISSING, "project or incident");
	c->rec.project = c->project->o.project;
	return call_ask(c, PERM_BREAKGLASS_USE, c->project->o.project,
	    &c->grant);
}

/* Overdue reviews, and another of the same kind, are in the way. */
static err
may_break(struct call *c, const struct incident_card *i)
{
	const struct object *const *o;
	struct uuid incident = {{0}};
	size_t n;

	if (i != NULL)
		incident = i->row.id.u;
	o = world_objects(call_world(c), OBJECT_BREAK_GLASS, &n);
	for (size_t k = 0; k < n; k++) {
		const struct break_glass *g = (const struct break_glass *)o[k];

		if (!own(c, g))
			continue;
		if (glass_overdue(g, c->now))
			return err_of(E_REVIEW_OVERDUE);
		if (glass_live(g, c->now) &&
		    g->o.project == c->project->o.project &&
		    uuid_eq(&g->incident, &incident))
			return call_bad(c, E_EXISTS, "it is broken already");
	}
	return OK;
}

/* The oldest that was reviewed makes room; it stays in the log. */
static err
make_room(struct call *c)
{
	const struct object *const *o;
	struct uuid id;
	size_t n;

	TRY(room_for(c, OBJECT_BINDING, LIM_BINDINGS));
	o = world_objects(call_world(c), OBJECT_BREAK_GLASS, &n);
	for (size_t i = 0; n >= LIM_BREAK_GLASS && i < n; i++)
		if (((const struct break_glass *)o[i])->reviewed != 0) {
			id = o[i]->id;
			return admin_remove(c, OBJECT_BREAK_GLASS, &id);
		}
	return room_for(c, OBJECT_BREAK_GLASS, LIM_BREAK_GLASS);
}

static err
read_body(struct call *c, const struct incident_card *i, struct break_glass *g)
{
	int64_t minutes = 0;
	struct permset perms;

	g->role = body_text(c, "role",
	    i == NULL ? STR("project_admin") : STR("responder"));
	g->reason = str_trim(body_text(c, "reason", STR("")));
	g->user_kind = c->actor->kind;
	g->user = c->actor->id;
	if (g->reason.n < LIM_GLASS_REASON)
		return call_bad(c, E_INVALID,
		    "reason: at least %d characters, for who reviews it",
		    LIM_GLASS_REASON);
	if (!json_i64(json_get(c->body, STR("minutes")), 1, LIM_GLASS_MINUTES,
		&minutes))
		return call_bad(c, E_INVALID, "minutes: 1 to %d",
		    LIM_GLASS_MINUTES);
	g->expires = c->now + minutes * 60000;
	if (!world_role_perms(call_world(c), g->role, &perms))
		return call_bad(c, E_INVALID, "role: no such role");
	return OK;
}

static err
put_binding(struct call *c, const struct break_glass *g)
{
	struct binding b = {
	    .subject_kind = g->user_kind,
	    .subject = g->user,
	    .role = g->role,
	    .expires = g->expires,
	    .reason = STR("break-glass"), /* why: see who may know there */
	    .created_by.u = g->user,
	    .incident = g->incident,
	    .glass = g->o.id,
	};

	admin_new(c, OBJECT_BINDING, g->o.project, &b.o);
	b.o.id = g->binding;
	return admin_put(c, &b.o);
}

err
route_glass_create(struct call *c)
{
	struct break_glass g = {0};
	struct object binding;
	struct incident_card *i;

	TRY(place_of(c, &i));
	TRY(read_body(c, i, &g));
	TRY(may_break(c, i));
	TRY(sweep(c));
	TRY(make_room(c));
	admin_new(c, OBJECT_BINDING, 0, &binding);
	g.binding = binding.id;
	admin_new(c, OBJECT_BREAK_GLASS, c->project->o.project, &g.o);
	call_touch(c, "break_glass", &g.o.id);
	touch_incident(c, i);
	if (i != NULL) {
		g.incident = i->row.id.u;
		g.restricted = i->head.restricted;
		TRY(set_sight(c, i->row.seq, &g.o.id, true));
		TRY(tell(c, i, &g, g.reason));
	}
	TRY(put_binding(c, &g));
	TRY(admin_put(c, &g.o));
	c->rec.body = c->req->body;
	return answer_glass(c, 201, &g);
}

/* ---- reviewing ---- */

err
route_glass_review(struct call *c)
{
	const struct break_glass *old;
	const struct object *copy;
	struct break_glass g;

	TRY(find(c, &old));
	TRY(call_match(c, old->o.version));
	if (own(c, old))
		return call_bad(c, E_FORBIDDEN,
		    "somebody else must review what you did");
	if (glass_live(old, c->now))
		return call_bad(c, E_CONFLICT, "it is not over");
	if (old->reviewed != 0)
		return call_bad(c, E_CONFLICT, "it was reviewed");
	TRY(admin_copy(c, &old->o, &copy));
	g = *(const struct break_glass *)copy;
	g.note = body_text(c, "note", STR(""));
	g.reviewed = c->now;
	g.reviewer = c->actor->id;
	admin_touch(c, &g.o);
	TRY(admin_put(c, &g.o));
	TRY(sweep(c));
	c->rec.body = c->req->body;
	return answer_glass(c, 200, &g);
}
