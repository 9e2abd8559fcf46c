/* asked.c: see asked.h. */
#include "flow/asked.h"

#include "auth/actor.h"
#include "domain/incident.h"
#include "flow/incident_view.h"
#include "flow/things.h"

err
asked_principal(struct call *c, enum principal_kind kind, const struct uuid *id,
    const struct actor **ret)
{
	*ret = c->actor;
	if (kind == c->actor->kind && uuid_eq(id, &c->actor->id))
		return OK;
	TRY(call_ask(c, PERM_ACCESS_EXPLAIN, 0, &c->grant));
	*ret = auth_supposed(c->a, call_world(c), kind, id);
	return err_of(*ret == NULL ? E_NO_MEMORY : E_OK);
}

/* Who may explain everybody's access knows all projects; others know those
 * where they may do anything. */
err
asked_project(struct call *c, struct str slug, uint32_t *ret)
{
	const struct project *p = world_project_slug(call_world(c), slug);

	if (p == NULL ||
	    (!call_can(c, PERM_ACCESS_EXPLAIN, 0) &&
		!access_sees(c->actor, p->o.project, c->now)))
		return err_of(E_NOT_FOUND);
	*ret = p->o.project;
	c->rec.project = *ret;
	return OK;
}

err
asked_member(struct call *c, const struct actor *who, uint64_t seq, bool *ret)
{
	struct access_subject as[SUBJECTS_MAX];
	struct subject s[SUBJECTS_MAX];
	size_t n = access_subjects(who, c->now, as, SUBJECTS_MAX);

	for (size_t i = 0; i < n; i++)
		s[i] = (struct subject){as[i].kind, as[i].id};
	return store_member_any(c->lane->conn, seq, s, n, ret);
}

static err
find_incident(struct call *c, struct str ref, uint32_t project,
    struct incident_row *ret)
{
	struct incident_id id;
	uint64_t number;

	if (incident_number_parse(ref, &number))
		return store_incident_by_number(c->lane->conn, project, number,
		    c->a, ret);
	if (!uuid_parse(ref, &id.u))
		return err_of(E_NOT_FOUND);
	TRY(store_incident_by_id(c->lane->conn, &id, c->a, ret));
	return err_of(ret->project == project ? E_OK : E_NOT_FOUND);
}

static err
incident_thing(struct call *c, struct str ref, struct target *t,
    struct resource *thing, uint64_t *ret_seq)
{
	struct incident_row row;
	struct str doc;

	TRY(find_incident(c, ref, t->project, &row));
	*ret_seq = row.seq;
	t->restricted = row.private != 0;
	TRY(incident_doc(c, &row, &doc));
	return thing_incident(c, &row, row.severity, doc, thing);
}

static err
alert_thing(struct call *c, struct str ref, struct target *t,
    struct resource *thing, uint64_t *ret_seq)
{
	struct incident_row incident;
	struct alert_row row;
	struct seal_where w;
	struct alert_id id;
	struct str doc;

	if (!uuid_parse(ref, &id.u))
		return err_of(E_NOT_FOUND);
	TRY(store_alert_by_id(c->lane->conn, &id, c->a, &row));
	if (row.project != t->project)
		return err_of(E_NOT_FOUND);
	*ret_seq = row.incident;
	if (row.incident != 0) {
		TRY(store_incident_by_seq(c->lane->conn, row.incident, c->a,
		    &incident));
		t->restricted = incident.private != 0;
	}
	w = alert_where(&row);
	TRY(lane_open_sealed(c->lane, &w, row.stored, c->a, &doc));
	return thing_alert(c, &row, row.incident == 0 ? NULL : &incident.id.u,
	    doc, thing);
}

static err
integration_thing(struct call *c, struct str ref, const struct target *t,
    struct resource *thing)
{
	const struct integration *n = NULL;
	struct uuid id;

	if (uuid_parse(ref, &id))
		n = world_integration(call_world(c), &id);
	if (n == NULL || n->o.project != t->project)
		return err_of(E_NOT_FOUND);
	thing_integration(n, thing);
	return OK;
}

/* Does the caller see it?  Privacy holds for who may explain, too. */
static err
seen(struct call *c, const struct target *t, uint64_t seq)
{
	static const enum permission sight[RESOURCE_TYPES] = {
	    [RESOURCE_INCIDENT] = PERM_INCIDENT_VIEW,
	    [RESOURCE_ALERT] = PERM_ALERT_VIEW,
	    [RESOURCE_INTEGRATION] = PERM_INTEGRATION_VIEW,
	};
	struct target see = *t;
	bool member = true;

	if (t->restricted)
		TRY(view_member(c, seq, &member));
	see.perm = sight[t->res->type];
	see.restricted = false;
	if (member &&
	    (call_can(c, PERM_ACCESS_EXPLAIN, 0) ||
		access_decide(c->actor, &see, c->now).allowed))
		return OK;
	return err_of(E_NOT_FOUND);
}

err
asked_resource(struct call *c, struct str type, struct str id, struct target *t,
    uint64_t *ret_seq)
{
	struct resource *thing = ARENA_NEW(c->a, struct resource);
	enum resource_type which;

	if (thing == NULL)
		return err_of(E_NO_MEMORY);
	*ret_seq = 0;
	if (!resource_type_parse(type, &which))
		return call_bad(c, E_INVALID,
		    "resource: an incident, alert or integration");
	switch (which) {
	case RESOURCE_INCIDENT:
		TRY(incident_thing(c, id, t, thing, ret_seq));
		break;
	case RESOURCE_ALERT:
		TRY(alert_thing(c, id, t, thing, ret_seq));
		break;
	case RESOURCE_INTEGRATION:
	case RESOURCE_TYPES:
		TRY(integration_thing(c, id, t, thing));
		break;
	}
	t->res = thing;
	return seen(c, t, *ret_seq);
}
