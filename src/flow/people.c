/*
 * people.c: who is behind an id, and how somebody likes their pages.
 *
 * Answers name principals by id.  Who has been told an id may know the name
 * that goes with it, and nothing else: ids hold 74 random bits, so nobody
 * guesses one.  Who works incidents of a project finds by their names those
 * who take part in it, as one of them has to lead, or be let in.
 */
#include "flow/admin_body.h"
#include "flow/asked.h"
#include "flow/handlers.h"
#include "flow/person.h"

/* ---- names ---- */

/* Has the caller a right anywhere?  Others are strangers here. */
static bool
belongs(struct call *c)
{
	const struct object *const *o;
	struct permset all = access_effective(c->actor, 0, c->now);
	size_t n;

	for (unsigned p = 0; p < PERM_MAX_; p++)
		if (permset_has(&all, (enum permission)p))
			return true;
	o = world_objects(call_world(c), OBJECT_PROJECT, &n);
	for (size_t i = 0; i < n; i++)
		if (access_sees(c->actor, o[i]->project, c->now))
			return true;
	return false;
}

/* What a person is called; one without a name by the address's local part. */
static struct str
called(const struct user *u)
{
	struct str local, domain;

	if (u->name.n > 0)
		return u->name;
	(void)str_cut(u->email, '@', &local, &domain);
	return local;
}

static void
person_json(struct jw *w, enum principal_kind kind, const struct uuid *id,
    struct str name)
{
	jw_obj(w);
	jw_uuid(w, "id", id);
	jw_kstr(w, "kind", str_c(principal_kind_text(kind)));
	jw_kstr(w, "name", name);
	jw_obj_end(w);
}

static void
tell(struct call *c, struct jw *w, const struct uuid *id)
{
	static const enum principal_kind kinds[] = {PRINCIPAL_SERVICE_ACCOUNT,
	    PRINCIPAL_GROUP, PRINCIPAL_INTEGRATION, PRINCIPAL_DELEGATE};
	const struct world *world = call_world(c);
	const struct integration *g = world_integration(world, id);
	const struct delegate *d = world_delegate(world, id);
	const struct user *u = world_user(world, id);

	if (u != NULL) {
		person_json(w, PRINCIPAL_USER, id, called(u));
		return;
	}
	/* those of a project are not there for who does not see it */
	if ((g != NULL && !access_sees(c->actor, g->o.project, c->now)) ||
	    (d != NULL && !access_sees(c->actor, d->o.project, c->now)))
		return;
	for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
		struct str name = world_principal_name(world, kinds[k], id);

		if (name.n > 0)
			person_json(w, kinds[k], id, name);
	}
}

static err
by_ids(struct call *c, struct str ids)
{
	bool some = belongs(c);
	struct jw *w = list_begin(c);
	struct str one;
	size_t n = 0;

	while (ids.n > 0) {
		struct uuid id;

		(void)str_cut(ids, ',', &one, &ids);
		if (n++ == LIM_IDS || !uuid_parse(one, &id))
			return call_bad(c, E_INVALID,
			    "ids: at most %d, separated by commas", LIM_IDS);
		if (some)
			tell(c, w, &id);
	}
	return list_end(c, STR_NONE);
}

/* ---- who takes part ---- */

struct look {
	struct str q;
	uint32_t project;
	size_t found;
};

/* The name of one who may have to do with an incident; nothing of others. */
static struct str
candidate(struct call *c, const struct object *o, enum principal_kind kind)
{
	const struct user *u = (const struct user *)o;

	if (kind == PRINCIPAL_USER)
		return u->disabled ? STR_NONE : called(u);
	return world_principal_name(call_world(c), kind, &o->id);
}

static err
look_at(struct call *c, enum object_kind objects, enum principal_kind kind,
    struct look *k)
{
	const struct object *const *o;
	size_t n;

	o = world_objects(call_world(c), objects, &n);
	for (size_t i = 0; i < n && k->found < LIM_COLLEAGUES; i++) {
		struct str name = candidate(c, o[i], kind);
		const struct actor *a;

		if (name.n == 0 || !str_ifind(name, k->q))
			continue;
		a = auth_supposed(c->a, call_world(c), kind, &o[i]->id);
		if (a == NULL)
			return err_of(E_NO_MEMORY);
		if (!access_sees(a, k->project, c->now))
			continue;
		person_json(&c->w, kind, &o[i]->id, name);
		k->found++;
	}
	return OK;
}

static err
by_name(struct call *c, struct str slug)
{
	struct look k = {.q = c->query.raw[PARAM_Q]};

	if (k.q.n > LIM_NAME * 4)
		return call_bad(c, E_INVALID, "q: too long");
	TRY(asked_project(c, slug, &k.project));
	TRY(call_ask(c, PERM_INCIDENT_EDIT, k.project, &c->grant));
	(void)list_begin(c);
	TRY(look_at(c, OBJECT_USER, PRINCIPAL_USER, &k));
	TRY(look_at(c, OBJECT_GROUP, PRINCIPAL_GROUP, &k));
	return list_end(c, STR_NONE);
}

err
route_people(struct call *c)
{
	struct str ids = c->query.raw[PARAM_IDS];
	struct str project = c->query.raw[PARAM_PROJECT];

	if (ids.n > 0 && (project.p != NULL || c->query.raw[PARAM_Q].p != NULL))
		return call_bad(c, E_INVALID,
		    "ids: names for ids, or a project and q, not both");
	if (ids.n > 0)
		return by_ids(c, ids);
	if (project.p == NULL)
		return call_bad(c, E_MISSING,
		    "ids: whose names? or a project, to look for some");
	return by_name(c, project);
}

/* ---- preferences ---- */

static void
render(struct call *c, struct jw *w, const struct object *o)
{
	(void)c;
	jw_obj(w);
	jw_kraw(w, "document", ((const struct preferences *)o)->document);
	jw_time(w, "updated_at", o->updated);
	jw_obj_end(w);
}

/* Version 0 stands for nobody having said anything yet. */
static err
own(struct call *c, const struct preferences **ret)
{
	static const struct preferences none = {.document = {"{}", 2}};

	if (c->actor->kind != PRINCIPAL_USER)
		return call_bad(c, E_FORBIDDEN, "programs have no preferences");
	*ret = world_preferences(call_world(c), &c->actor->id);
	if (*ret == NULL)
		*ret = &none;
	return OK;
}

err
route_preferences_get(struct call *c)
{
	const struct preferences *p;

	TRY(own(c, &p));
	return answer_object(c, 200, &p->o, render);
}

err
route_preferences_put(struct call *c)
{
	const struct json *j = json_get(c->body, STR("document"));
	const struct preferences *old;
	struct preferences p;
	struct buf b;
	struct jw w;

	TRY(own(c, &old));
	if (j == NULL)
		return call_bad(c, E_MISSING, "document is required");
	TRY(call_match(c, old->o.version));
	p = *old;
	if (p.o.version == 0)
		admin_new(c, OBJECT_PREFERENCES, 0, &p.o);
	else
		admin_touch(c, &p.o);
	p.o.id = c->actor->id;
	buf_init_on(&b, c->a, LIM_BODY);
	jw_init(&w, &b);
	jw_value(&w, j);
	TRY(buf_check(&b));
	p.document = buf_view(&b);
	TRY(admin_put(c, &p.o));
	TRY(person_body(c, &c->actor->id));
	call_touch(c, "user", &c->actor->id);
	return answer_object(c, 200, &p.o, render);
}
