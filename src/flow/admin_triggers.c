/*
 * admin_triggers.c: /v1/projects/{p}/triggers: what starts runbooks by
 * itself.  A trigger runs as a service account; who makes or changes one must
 * be allowed all that the account is allowed here, so nobody gets by a
 * trigger what they do not have.
 */
#include "auth/actor.h"
#include "base/json_canon.h"
#include "domain/trigger.h"
#include "flow/admin_body.h"
#include "flow/fire.h"
#include "flow/handlers.h"
#include "flow/runbooks.h"
#include "store/run.h"

/* Members of the body that are the trigger's document. */
static const struct str config[] = {{"on", 2}, {"when", 4}, {"delay_s", 7},
    {"recheck", 7}, {"cron", 4}, {"time_zone", 9}, {"inputs", 6}, {"guard", 5}};
enum { CONFIG = sizeof config / sizeof *config };

/* ---- answers ---- */

static const struct json *
config_of(struct call *c, const struct trigger_object *t)
{
	static const struct json_limits lim = {LIM_JSON_DEPTH, LIM_JSON_MEMBERS,
	    LIM_JSON_VALUES};
	const struct json *j = NULL;

	return err_ok(json_parse(c->a, t->config, &lim, NULL, &j)) ? j : NULL;
}

static void
members_json(struct call *c, struct jw *w, const struct object *o)
{
	const struct trigger_object *t = (const struct trigger_object *)o;
	const struct runbook_object *r =
	    world_runbook(call_world(c), &t->runbook);
	const struct json *j = config_of(c, t);

	jw_uuid(w, "id", &t->o.id);
	jw_kstr(w, "name", t->name);
	jw_kstr(w, "runbook", r == NULL ? STR_NONE : r->slug);
	jw_uuid(w, "service_account", &t->account);
	jw_kbool(w, "enabled", !t->disabled);
	for (size_t i = 0; i < CONFIG; i++) {
		const struct json *m = json_get(j, config[i]);

		jw_name(w, config[i]);
		if (m == NULL)
			jw_null(w);
		else
			jw_value(w, m);
	}
	subject_json(w, "owner", t->owner_kind, &t->owner);
	jw_uuid(w, "created_by", &t->created_by.u);
	times_json(w, &t->o);
}

static void
render(struct call *c, struct jw *w, const struct object *o)
{
	jw_obj(w);
	members_json(c, w, o);
	jw_obj_end(w);
}

static bool
wanted(struct call *c, const struct object *o)
{
	return o->project == c->project->o.project;
}

err
route_trigger_list(struct call *c)
{
	return list_objects(c, OBJECT_TRIGGER, wanted, render);
}

static err
find(struct call *c, const struct trigger_object **ret)
{
	struct uuid id;

	TRY(call_uuid(c, 1, &id));
	*ret = world_trigger(call_world(c), &id);
	if (*ret == NULL || (*ret)->o.project != c->project->o.project)
		return err_of(E_NOT_FOUND);
	call_touch(c, "trigger", &id);
	return OK;
}

err
route_trigger_get(struct call *c)
{
	const struct trigger_object *t;

	struct jw *w;

	TRY(find(c, &t));
	w = answer(c, 200);
	jw_obj(w);
	members_json(c, w, &t->o);
	TRY(fire_state_json(c, w, &t->o.id));
	jw_obj_end(w);
	answer_etag(c, t->o.version);
	return buf_check(&c->out);
}

/* ---- reading ---- */

/* The document: members of the body over those there were; null drops one. */
static err
merge(struct call *c, const struct json *old, const struct json **ret)
{
	static const struct json_limits lim = {LIM_JSON_DEPTH, LIM_JSON_MEMBERS,
	    LIM_JSON_VALUES};
	struct buf b;
	struct jw w;

	buf_init_on(&b, c->a, LIM_BODY);
	jw_init(&w, &b);
	jw_obj(&w);
	for (size_t i = 0; i < CONFIG; i++) {
		const struct json *j = json_get(c->body, config[i]);

		if (j == NULL)
			j = json_get(old, config[i]);
		if (j == NULL || j->kind == JSON_NULL)
			continue;
		jw_name(&w, config[i]);
		jw_value(&w, j);
	}
	jw_obj_end(&w);
	TRY(buf_check(&b));
	return json_parse(c->a, buf_view(&b), &lim, &c->trail, ret);
}

/* The runbook's published version, else its newest: what inputs there are. */
static err
document_of(struct call *c, const struct trigger_object *t,
    struct runbook_version *ret)
{
	const struct runbook_object *r =
	    world_runbook(call_world(c), &t->runbook);

	if (r == NULL)
		return err_of(E_CONFLICT);
	return runbook_version_load(c->lane, &r->o.id,
	    r->current == 0 ? r->latest : r->current, c->a, ret);
}

static err
read_config(struct call *c, struct trigger_object *t, struct trigger *ret)
{
	const struct json *old = t->config.n == 0 ? NULL : config_of(c, t);
	struct runbook_version v;
	const struct json *doc;
	err e;

	TRY(merge(c, old, &doc));
	TRY(document_of(c, t, &v));
	TRY(trigger_parse(doc, v.rb, c->a, &c->trail, ret));
	e = json_canon_text(c->a, doc, LIM_TRIGGER, &t->config);
	if (err_is(e, E_NO_MEMORY))
		return call_bad(c, E_TOO_LARGE,
		    "a trigger has at most %d "
		    "bytes",
		    LIM_TRIGGER);
	return e;
}

/* All the account may do in the project the caller must be allowed too. */
static err
may_use(struct call *c, const struct uuid *account)
{
	const struct actor *as = auth_supposed(c->a, call_world(c),
	    PRINCIPAL_SERVICE_ACCOUNT, account);
	uint32_t project = c->project->o.project;

	if (as == NULL)
		return err_of(E_NO_MEMORY);
	TRY(call_ask(c, PERM_RUNBOOK_RUN, project, &c->grant));
	for (unsigned p = 0; p < PERM_MAX_; p++) {
		struct target t = {.perm = (enum permission)p,
		    .project = project};

		if (access_decide(as, &t, c->now).allowed &&
		    !call_can(c, (enum permission)p, project))
			return call_bad(c, E_FORBIDDEN,
			    "service_account: it has %s, and you do not",
			    perm_text((enum permission)p));
	}
	return OK;
}

static err
read_account(struct call *c, struct trigger_object *t)
{
	struct str text = body_text(c, "service_account", STR(""));
	const struct service_account *s;

	if (text.n > 0 && !uuid_parse(text, &t->account))
		return call_bad(c, E_INVALID, "service_account: an id");
	s = world_service_account(call_world(c), &t->account);
	if (s == NULL || s->disabled)
		return call_bad(c, E_INVALID,
		    "service_account: there is none of that id");
	return may_use(c, &t->account);
}

static err
read_owner(struct call *c, struct trigger_object *t)
{
	const struct json *j = json_get(c->body, STR("owner"));

	if (j == NULL)
		return OK;
	if (!subject_of(j, &t->owner_kind, &t->owner) ||
	    !subject_exists(call_world(c), t->owner_kind, &t->owner))
		return call_bad(c, E_INVALID,
		    "owner: a user, service account or group there is");
	return OK;
}

/* When the schedule is due next, beside what the trigger has done. */
static err
put_due(struct call *c, const struct trigger_object *t, const struct trigger *g)
{
	struct trigger_row row = {0};
	err e = store_trigger_get(c->lane->conn, &t->o.id, &row);

	if (!err_ok(e) && !err_is(e, E_NOT_FOUND))
		return e;
	row.trigger = t->o.id;
	row.due = g->on == TRIGGER_SCHEDULE && !t->disabled
	    ? cron_next(&g->cron, g->zone, c->now)
	    : 0;
	return store_trigger_put(c->lane->conn, &row);
}

/* ---- making and changing ---- */

err
route_trigger_create(struct call *c)
{
	struct trigger_object t = {.owner_kind = c->actor->kind,
	    .owner = c->actor->id,
	    .created_by = {c->actor->id}};
	const struct runbook_object *r;
	struct trigger g;

	t.name = body_text(c, "name", STR(""));
	t.disabled = !body_flag(c, "enabled", true);
	r = runbook_find(call_world(c), c->project->o.project,
	    body_text(c, "runbook", STR("")));
	if (r == NULL)
		return call_bad(c, E_INVALID, "runbook: there is none");
	t.runbook = r->o.id;
	TRY(read_config(c, &t, &g));
	TRY(read_account(c, &t));
	TRY(read_owner(c, &t));
	TRY(room_for(c, OBJECT_TRIGGER, LIM_TRIGGERS));
	admin_new(c, OBJECT_TRIGGER, c->project->o.project, &t.o);
	c->rec.body = c->req->body;
	call_touch(c, "trigger", &t.o.id);
	TRY(admin_put(c, &t.o));
	TRY(put_due(c, &t, &g));
	return answer_created(c, project_path(c, "/triggers"), &t.o, render);
}

err
route_trigger_patch(struct call *c)
{
	const struct trigger_object *old;
	const struct object *copy;
	struct trigger_object t;
	struct trigger g;

	TRY(find(c, &old));
	TRY(call_match(c, old->o.version));
	TRY(admin_copy(c, &old->o, &copy));
	t = *(const struct trigger_object *)copy;
	t.name = body_text(c, "name", t.name);
	t.disabled = !body_flag(c, "enabled", !t.disabled);
	TRY(read_config(c, &t, &g));
	TRY(read_account(c, &t));
	TRY(read_owner(c, &t));
	admin_touch(c, &t.o);
	c->rec.body = c->req->body;
	TRY(admin_put(c, &t.o));
	TRY(put_due(c, &t, &g));
	return answer_object(c, 200, &t.o, render);
}

err
route_trigger_delete(struct call *c)
{
	const struct trigger_object *t;
	struct uuid id;
	err e;

	TRY(find(c, &t));
	TRY(call_match(c, t->o.version));
	id = t->o.id;
	TRY(admin_remove(c, OBJECT_TRIGGER, &id));
	e = store_trigger_delete(c->lane->conn, &id);
	if (!err_ok(e) && !err_is(e, E_NOT_FOUND))
		return e;
	answer_empty(c, 204);
	return OK;
}

/* ---- what a schedule comes to ---- */

err
route_trigger_next(struct call *c)
{
	const struct trigger_object *t;
	struct str after, position = STR_NONE;
	struct trigger g;
	int64_t at = c->now;
	struct jw *w;

	TRY(find(c, &t));
	TRY(cursor_take(c, &after));
	if (after.n == sizeof at)
		memcpy(&at, after.p, sizeof at);
	TRY(trigger_parse(config_of(c, t), NULL, c->a, NULL, &g));
	w = list_begin(c);
	for (uint32_t i = 0; g.on == TRIGGER_SCHEDULE && i < c->query.limit;
	     i++) {
		at = cron_next(&g.cron, g.zone, at);
		if (at == 0)
			return list_end(c, STR_NONE);
		jw_obj(w);
		jw_time(w, "at", at);
		jw_obj_end(w);
		position = str_of((const char *)&at, sizeof at);
	}
	return list_end(c, position);
}
