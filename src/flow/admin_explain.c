/* admin_explain.c: POST /v1/access/explain. */
#include "auth/actor.h"
#include "domain/incident.h"
#include "flow/admin_body.h"
#include "flow/handlers.h"
#include "flow/incident_view.h"

static bool
known_member(struct str name)
{
	return str_is(name, "project") || str_is(name, "type") ||
	    str_is(name, "id");
}

/* The one asked about: the caller with its token, or somebody without. */
static err
principal_of(struct call *c, const struct actor **ret)
{
	enum principal_kind kind;
	struct uuid id;

	if (!subject_of(json_get(c->body, STR("principal")), &kind, &id))
		return err_of(E_INVALID);
	*ret = c->actor;
	if (kind == c->actor->kind && uuid_eq(&id, &c->actor->id))
		return OK;
	TRY(call_ask(c, PERM_ACCESS_EXPLAIN, 0, &c->grant));
	if (kind == PRINCIPAL_GROUP)
		return call_bad(c, E_INVALID,
		    "principal: a group does not act");
	*ret = auth_supposed(c->a, call_world(c), kind, &id);
	return err_of(*ret == NULL ? E_NO_MEMORY : E_OK);
}

/* Who may explain everybody's access knows all projects; others know those
 * where they may do anything. */
static bool
knows_project(struct call *c, uint32_t project)
{
	return call_can(c, PERM_ACCESS_EXPLAIN, 0) ||
	    access_sees(c->actor, project, c->now);
}

static err
is_member(struct call *c, const struct actor *who, uint64_t seq, bool *ret)
{
	struct access_subject as[SUBJECTS_MAX];
	struct subject s[SUBJECTS_MAX];
	size_t n = access_subjects(who, c->now, as, SUBJECTS_MAX);

	for (size_t i = 0; i < n; i++)
		s[i] = (struct subject){as[i].kind, as[i].id};
	return store_member_any(c->lane->conn, seq, s, n, ret);
}

/* A private incident that the caller does not see is not there. */
static err
incident_target(struct call *c, const struct actor *who, struct str ref,
    struct target *t)
{
	struct incident_row row;
	struct incident_id id;
	uint64_t number;
	bool visible;

	if (incident_number_parse(ref, &number)) {
		TRY(store_incident_by_number(c->lane->conn, t->project, number,
		    c->a, &row));
	} else {
		if (!uuid_parse(ref, &id.u))
			return err_of(E_NOT_FOUND);
		TRY(store_incident_by_id(c->lane->conn, &id, c->a, &row));
		if (row.project != t->project)
			return err_of(E_NOT_FOUND);
	}
	if (row.private == 0)
		return OK;
	TRY(view_member(c, row.seq, &visible));
	if (!visible)
		return err_of(E_NOT_FOUND);
	t->restricted = true;
	return is_member(c, who, row.seq, &t->member);
}

static err
target_of(struct call *c, const struct actor *who, struct target *t)
{
	const struct json *r = json_get(c->body, STR("resource"));
	struct str slug = json_str_at(r, STR("project"));
	struct str type = json_str_at(r, STR("type"));
	struct str id = json_str_at(r, STR("id"));
	const struct project *p;

	for (const struct json *j = json_first(r); j != NULL; j = j->next)
		if (!known_member(j->name) || j->kind != JSON_STRING)
			return call_bad(c, E_UNKNOWN_MEMBER,
			    "resource: project, type and id, as texts");
	if (slug.p == NULL)
		return id.p == NULL
		    ? OK
		    : call_bad(c, E_INVALID, "resource: an id needs a project");
	p = world_project_slug(call_world(c), slug);
	if (p == NULL || !knows_project(c, p->o.project))
		return err_of(E_NOT_FOUND);
	t->project = p->o.project;
	c->rec.project = p->o.project;
	if (!str_is(type, "incident") || id.p == NULL)
		return OK;
	return incident_target(c, who, id, t);
}

err
route_access_explain(struct call *c)
{
	struct target t = {0};
	const struct actor *who;
	struct jw *w;

	if (!perm_parse(json_str_at(c->body, STR("permission")), &t.perm))
		return call_bad(c, E_INVALID, "permission: no such permission");
	TRY(principal_of(c, &who));
	TRY(target_of(c, who, &t));
	call_touch(c, principal_kind_text(who->kind), &who->id);
	w = answer(c, 200);
	jw_obj(w);
	access_explain(w, who, &t, c->now);
	jw_obj_end(w);
	return buf_check(&c->out);
}
