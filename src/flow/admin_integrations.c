/*
 * admin_integrations.c: /v1/projects/{p}/integrations.  Rotating makes another
 * credential and lets the last one live on for a day, or as long as is asked
 * for, so senders can be changed one by one.
 */
#include <stdio.h>

#include "base/limits.h"
#include "domain/map.h"
#include "flow/admin_body.h"
#include "flow/admin_hooks.h"
#include "flow/handlers.h"
#include "flow/things.h"

/* ---- answers ---- */

static void
members_json(struct call *c, struct jw *w, const struct integration *n)
{
	char id[UUID_TEXT + 1], url[400];

	uuid_text(&n->o.id, id);
	(void)snprintf(url, sizeof url, "%s/ingest/%s",
	    c->lane->state->public_url, id);
	jw_kstr(w, "id", str_of(id, UUID_TEXT));
	jw_kstr(w, "name", n->name);
	jw_kstr(w, "kind", STR("alert"));
	jw_kstr(w, "template", n->template);
	jw_kstr(w, "url", str_c(url));
	jw_kstr(w, "status", n->disabled ? STR("disabled") : STR("active"));
	jw_kbool(w, "disabled", n->disabled);
	jw_kraw(w, "auth", n->auth);
	jw_kstr(w, "default_severity",
	    alert_severity_text(n->default_severity));
	jw_name(w, STR("mapping"));
	if (n->mapping.n == 0)
		jw_null(w);
	else
		jw_raw(w, n->mapping);
	jw_uuid(w, "created_by", &n->created_by.u);
	times_json(w, &n->o);
}

static void
render(struct call *c, struct jw *w, const struct object *o)
{
	jw_obj(w);
	members_json(c, w, (const struct integration *)o);
	jw_obj_end(w);
}

/* One integration, all of it. */
static void
render_one(struct call *c, struct jw *w, const struct object *o)
{
	const struct integration *n = (const struct integration *)o;

	jw_obj(w);
	members_json(c, w, n);
	hook_jwks_json(c, w, n);
	hook_credentials_json(c, w, n);
	jw_obj_end(w);
}

/* With the secret, this once. */
static err
answer_with_secret(struct call *c, int status, const struct integration *n,
    struct hook_shown *shown)
{
	struct jw *w = answer(c, status);

	jw_obj(w);
	members_json(c, w, n);
	hook_shown_json(c, shown);
	hook_jwks_json(c, w, n);
	hook_credentials_json(c, w, n);
	jw_obj_end(w);
	answer_etag(c, n->o.version);
	return buf_check(&c->out);
}

/* ---- seeing ---- */

static bool
wanted(struct call *c, const struct object *o)
{
	struct resource thing;

	if (o->project != c->project->o.project)
		return false;
	thing_integration((const struct integration *)o, &thing);
	return call_holds(c, &thing);
}

err
route_integration_list(struct call *c)
{
	c->narrowed = true; /* one by one, in wanted */
	return list_objects(c, OBJECT_INTEGRATION, wanted, render);
}

err
admin_integration(struct call *c, const struct integration **ret)
{
	struct target t = {.perm = c->route->perm,
	    .project = c->project->o.project};
	struct resource thing;
	struct uuid id;

	TRY(call_uuid(c, 1, &id));
	*ret = world_integration(call_world(c), &id);
	if (*ret == NULL || (*ret)->o.project != c->project->o.project)
		return err_of(E_NOT_FOUND);
	call_touch(c, "integration", &id);
	if (!c->narrow)
		return OK;
	thing_integration(*ret, &thing);
	t.res = &thing;
	return call_ask_about(c, &t, &c->grant);
}

err
route_integration_get(struct call *c)
{
	const struct integration *n;

	TRY(admin_integration(c, &n));
	return answer_object(c, 200, &n->o, render_one);
}

/* ---- making ---- */

/* Members that a literal can set, see domain/map.c. */
static bool
mappable(struct str name)
{
	return str_is(name, "title") || str_is(name, "service") ||
	    str_is(name, "environment") || str_is(name, "severity");
}

static err
check_mapping(struct call *c, const struct json *j)
{
	enum alert_severity sev;

	for (j = json_first(j); j != NULL; j = j->next) {
		if (!mappable(j->name))
			return call_bad(c, E_INVALID,
			    "mapping: title, service, environment or severity");
		if (j->kind != JSON_STRING || j->text.n == 0 ||
		    j->text.n > LIM_NAME)
			return call_bad(c, E_INVALID,
			    "mapping: %.*s must be a text", STR_ARG(j->name));
		if (str_is(j->name, "severity") &&
		    !alert_severity_parse(j->text, &sev))
			return call_bad(c, E_INVALID,
			    "mapping: severity is no alert severity");
	}
	return OK;
}

static err
read_mapping(struct call *c, struct integration *n)
{
	const struct json *j = json_get(c->body, STR("mapping"));
	struct buf b;
	struct jw w;

	if (j == NULL)
		return OK;
	n->mapping = STR("");
	if (j->kind == JSON_NULL)
		return OK;
	TRY(check_mapping(c, j));
	buf_init_on(&b, c->a, LIM_BODY);
	jw_init(&w, &b);
	jw_value(&w, j);
	n->mapping = buf_view(&b);
	return buf_check(&b);
}

static void
read_severity(struct call *c, struct integration *n)
{
	enum alert_severity sev;

	if (alert_severity_parse(json_str_at(c->body, STR("default_severity")),
		&sev))
		n->default_severity = (uint8_t)sev;
}

static err
read_template(struct call *c, struct integration *n)
{
	enum map_kind kind;

	n->template = body_text(c, "template", STR(""));
	if (!map_kind_parse(n->template, &kind))
		return call_bad(c, E_INVALID,
		    "template: alertmanager, grafana, pagerduty or generic");
	if (!str_is(body_text(c, "kind", STR("alert")), "alert"))
		return call_bad(c, E_INVALID, "kind: alert");
	return OK;
}

err
route_integration_create(struct call *c)
{
	struct integration n = {.default_severity = ALERT_WARNING};
	char id[UUID_TEXT + 1];
	struct hook_shown shown;
	struct hook_auth auth;

	n.name = body_text(c, "name", STR(""));
	TRY(read_template(c, &n));
	TRY(hook_read_auth(c, &n, &auth));
	if (c->slow)
		return hook_prepare(c, &auth);
	TRY(read_mapping(c, &n));
	read_severity(c, &n);
	TRY(room_for(c, OBJECT_INTEGRATION, LIM_INTEGRATIONS));
	n.created_by.u = c->actor->id;
	admin_new(c, OBJECT_INTEGRATION, c->project->o.project, &n.o);
	uuid_text(&n.o.id, id);
	answer_location(c, "%s/%s", project_path(c, "/integrations"), id);
	c->rec.body = hook_body(c, &auth, &n);
	call_touch(c, "integration", &n.o.id);
	TRY(hook_equip(c, &n, NULL, &auth, &shown));
	TRY(admin_put(c, &n.o));
	return answer_with_secret(c, 201, &n, &shown);
}

/* ---- changing ---- */

/* A copy whose texts outlive the world it was found in. */
static err
copy_of(struct call *c, const struct integration *old, struct integration *ret)
{
	*ret = *old;
	ret->name = arena_dup(c->a, old->name);
	ret->template = arena_dup(c->a, old->template);
	ret->auth = arena_dup(c->a, old->auth);
	ret->secrets = arena_dup(c->a, old->secrets);
	ret->mapping = arena_dup(c->a, old->mapping);
	return arena_check(c->a);
}

/* What the new rules need is made and shown, what they do not need is gone. */
static err
change_auth(struct call *c, struct integration *n, struct hook_shown *shown)
{
	struct hook_auth auth, old;

	shown->made = false;
	c->rec.body = c->req->body;
	if (json_get(c->body, STR("auth")) == NULL)
		return OK;
	TRY(hook_stored_auth(c, n, &old));
	TRY(hook_read_auth(c, n, &auth));
	c->rec.body = hook_body(c, &auth, n);
	return hook_equip(c, n, &old, &auth, shown);
}

static err
prepare_change(struct call *c, struct integration *n)
{
	struct hook_auth auth;

	if (json_get(c->body, STR("auth")) == NULL)
		return OK;
	TRY(hook_read_auth(c, n, &auth));
	return hook_prepare(c, &auth);
}

err
route_integration_patch(struct call *c)
{
	const struct integration *old;
	struct hook_shown shown;
	struct integration n;

	TRY(admin_integration(c, &old));
	TRY(call_match(c, old->o.version));
	TRY(copy_of(c, old, &n));
	if (c->slow)
		return prepare_change(c, &n);
	n.name = body_text(c, "name", n.name);
	n.disabled = body_flag(c, "disabled", n.disabled);
	read_severity(c, &n);
	TRY(read_mapping(c, &n));
	TRY(change_auth(c, &n, &shown));
	admin_touch(c, &n.o);
	TRY(admin_put(c, &n.o));
	if (shown.made)
		return answer_with_secret(c, 200, &n, &shown);
	return answer_object(c, 200, &n.o, render_one);
}

err
route_integration_delete(struct call *c)
{
	const struct integration *n;
	struct uuid id;

	TRY(admin_integration(c, &n));
	TRY(call_match(c, n->o.version));
	id = n->o.id;
	TRY(hook_forget(c, n));
	TRY(drop_tokens(c, &id));
	TRY(admin_remove(c, OBJECT_INTEGRATION, &id));
	answer_empty(c, 204);
	return OK;
}

/* ---- rotating ---- */

/* Of the rule that takes one: whether it could be its secret. */
static err
check_given(struct call *c, const struct hook_auth *h, struct str given)
{
	enum hook_kind kind;

	if (given.n == 0)
		return OK;
	if (!hook_wants_secret(h, &kind) || kind != HOOK_HMAC)
		return call_bad(c, E_INVALID,
		    "secret: only hmac takes one of the sender's");
	if (hook_secret_valid(c->a, hook_rule_of(h, kind), given))
		return OK;
	return call_bad(c, E_INVALID,
	    "secret: 16 to 512 bytes of printable ASCII; whsec_ must be "
	    "followed by base64 of 24 to 64");
}

static err
read_rotation(struct call *c, const struct hook_auth *h,
    struct hook_rotation *ret)
{
	const struct json *j = json_get(c->body, STR("overlap_s"));
	int64_t seconds = LIM_HOOK_OVERLAP_S;

	if (j != NULL && !json_i64(j, 0, LIM_HOOK_OVERLAP_S, &seconds))
		return call_bad(c, E_INVALID, "overlap_s: 0 to %d",
		    LIM_HOOK_OVERLAP_S);
	*ret = (struct hook_rotation){
	    .until = c->now + seconds * 1000,
	    .given = json_str_at(c->body, STR("secret")),
	    .drop = body_flag(c, "drop", false),
	    .jwe = body_flag(c, "jwe", false),
	};
	if (ret->drop && c->body->count != 1)
		return call_bad(c, E_INVALID, "drop makes nothing new");
	if (ret->jwe && ret->given.n > 0)
		return call_bad(c, E_INVALID, "jwe: the new key is made here");
	return check_given(c, h, ret->given);
}

err
route_integration_rotate(struct call *c)
{
	const struct integration *old;
	struct hook_rotation r;
	struct hook_shown shown;
	struct hook_auth auth;
	struct integration n;

	TRY(admin_integration(c, &old));
	TRY(call_match(c, old->o.version));
	TRY(copy_of(c, old, &n));
	TRY(hook_stored_auth(c, &n, &auth));
	TRY(read_rotation(c, &auth, &r));
	if (c->slow)
		return r.jwe ? hook_prepare(c, &auth) : OK;
	TRY(hook_rotate(c, &n, &auth, &r, &shown));
	admin_touch(c, &n.o);
	TRY(admin_put(c, &n.o));
	return answer_with_secret(c, 200, &n, &shown);
}
