/* admin_who.c: GET /v1/access/who-can and /v1/access/what-can, for reviews. */
#include "auth/actor.h"
#include "base/limits.h"
#include "flow/admin_body.h"
#include "flow/asked.h"
#include "flow/handlers.h"

/* ---- who can ---- */

/* What is asked about everybody. */
struct who {
	struct target t;
	uint64_t seq; /* the private incident's, when it is about one */
	struct subject *member;
	size_t member_n;
};

static err
permission_of(struct call *c, enum permission *ret)
{
	struct str s = c->query.raw[PARAM_PERMISSION];

	if (s.p == NULL)
		return call_bad(c, E_MISSING, "permission is required");
	if (!perm_parse(s, ret))
		return call_bad(c, E_INVALID, "permission: no such permission");
	return OK;
}

static err
who_of(struct call *c, struct who *q)
{
	struct str slug = c->query.raw[PARAM_PROJECT];
	struct str resource = c->query.raw[PARAM_RESOURCE], type, id;

	TRY(permission_of(c, &q->t.perm));
	if (slug.p != NULL)
		TRY(asked_project(c, slug, &q->t.project));
	if (resource.p == NULL)
		return OK;
	if (slug.p == NULL || !str_cut(resource, ':', &type, &id))
		return call_bad(c, E_INVALID,
		    "resource: TYPE:ID, in a project");
	TRY(asked_resource(c, type, id, &q->t, &q->seq));
	if (!q->t.restricted)
		return OK;
	q->t.member = true; /* looked at by is_member */
	return store_members(c->lane->conn, q->seq, c->a, &q->member,
	    &q->member_n);
}

static bool
is_member(const struct who *q, const struct actor *a, int64_t now)
{
	struct access_subject as[SUBJECTS_MAX];
	size_t n;

	if (!q->t.restricted)
		return true;
	n = access_subjects(a, now, as, SUBJECTS_MAX);
	for (size_t i = 0; i < n; i++)
		for (size_t m = 0; m < q->member_n; m++)
			if (q->member[m].kind == as[i].kind &&
			    uuid_eq(&q->member[m].id, &as[i].id))
				return true;
	return false;
}

static void
can_json(struct call *c, struct jw *w, const struct actor *a,
    const struct decision *d)
{
	jw_obj(w);
	subject_json(w, "principal", a->kind, &a->id);
	jw_kstr(w, "name", a->name);
	jw_kstr(w, "rule", str_c(access_rule_text(d->rule)));
	jw_name(w, STR("role"));
	jw_str(w, d->binding == NULL ? STR_NONE : d->binding->role);
	if (d->binding != NULL)
		jw_uuid(w, "binding", &d->binding->o.id);
	jw_kstr(w, "group", d->via == NULL ? STR_NONE : d->via->name);
	jw_time(w, "expires_at", d->binding == NULL ? 0 : d->binding->expires);
	jw_obj_end(w);
	(void)c;
}

/* Users, then service accounts, each in order of id: the position is the
 * kind and the id of the last that was shown. */
struct walk {
	uint8_t position[17];
	size_t shown;
	bool more;
};

static err
walk_kind(struct call *c, const struct who *q, enum object_kind kind,
    enum principal_kind as, struct walk *k)
{
	const struct object *const *o;
	size_t n;

	o = world_objects(call_world(c), kind, &n);
	for (size_t i = 0; i < n && !k->more; i++) {
		const struct actor *a;
		struct decision d;

		if (k->position[0] == (uint8_t)as &&
		    memcmp(o[i]->id.b, k->position + 1, 16) <= 0)
			continue;
		a = auth_supposed(c->a, call_world(c), as, &o[i]->id);
		if (a == NULL)
			return err_of(E_NO_MEMORY);
		d = access_decide(a, &q->t, c->now);
		if (!d.allowed || !is_member(q, a, c->now))
			continue;
		k->more = k->shown == c->query.limit;
		if (k->more)
			break;
		can_json(c, &c->w, a, &d);
		k->position[0] = (uint8_t)as;
		memcpy(k->position + 1, o[i]->id.b, 16);
		k->shown++;
	}
	return OK;
}

err
route_access_who_can(struct call *c)
{
	struct who q = {0};
	struct walk k = {0};
	struct str position;

	TRY(who_of(c, &q));
	TRY(cursor_take(c, &position));
	if (position.n != 0 && position.n != sizeof k.position)
		return err_of(E_BAD_CURSOR);
	if (position.n != 0)
		memcpy(k.position, position.p, position.n);
	(void)list_begin(c);
	if (k.position[0] != PRINCIPAL_SERVICE_ACCOUNT)
		TRY(walk_kind(c, &q, OBJECT_USER, PRINCIPAL_USER, &k));
	if (!k.more)
		TRY(walk_kind(c, &q, OBJECT_SERVICE_ACCOUNT,
		    PRINCIPAL_SERVICE_ACCOUNT, &k));
	return list_end(c,
	    k.more ? str_of((char *)k.position, sizeof k.position) : STR_NONE);
}

/* ---- what can ---- */

static err
principal_of(struct call *c, const struct actor **ret)
{
	struct str s = c->query.raw[PARAM_PRINCIPAL], kind_text, id_text;
	enum principal_kind kind;
	struct uuid id;

	*ret = c->actor;
	if (s.p == NULL)
		return OK;
	if (!str_cut(s, ':', &kind_text, &id_text) ||
	    !principal_kind_parse(kind_text, &kind) ||
	    !uuid_parse(id_text, &id) ||
	    (kind != PRINCIPAL_USER && kind != PRINCIPAL_SERVICE_ACCOUNT &&
		kind != PRINCIPAL_GROUP))
		return call_bad(c, E_INVALID,
		    "principal: user:ID, service_account:ID or group:ID");
	TRY(asked_principal(c, kind, &id, ret));
	return err_of(
	    subject_exists(call_world(c), kind, &id) ? E_OK : E_NOT_FOUND);
}

static void
places_json(struct call *c, struct jw *w, const struct actor *who, bool narrow)
{
	const struct object *const *o;
	size_t n;

	o = world_objects(call_world(c), OBJECT_PROJECT, &n);
	for (size_t i = 0; i < n; i++) {
		const struct project *p = (const struct project *)o[i];
		struct permset s = narrow
		    ? access_narrow(who, p->o.project, c->now)
		    : permset_not(access_effective(who, p->o.project, c->now),
			  perm_org_set());

		if (!permset_empty(s))
			perms_named(w, p->slug, s);
	}
}

err
route_access_what_can(struct call *c)
{
	const struct actor *who;
	struct jw *w;

	TRY(principal_of(c, &who));
	call_touch(c, principal_kind_text(who->kind), &who->id);
	w = answer(c, 200);
	jw_obj(w);
	subject_json(w, "principal", who->kind, &who->id);
	jw_kstr(w, "name", who->name);
	perms_json(w, "organization", access_effective(who, 0, c->now));
	jw_kobj(w, "projects");
	places_json(c, w, who, false);
	jw_obj_end(w);
	jw_kobj(w, "some_resources");
	places_json(c, w, who, true);
	jw_obj_end(w);
	jw_obj_end(w);
	return buf_check(&c->out);
}
