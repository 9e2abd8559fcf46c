/*
 * admin_integrations.c: /v1/projects/{p}/integrations.  The credential of an
 * integration is a webhook token it owns; rotating makes another and lets
 * the last one live on for a day, so senders can be changed one by one.
 */
#include <stdio.h>

#include "base/limits.h"
#include "base/mem.h"
#include "domain/map.h"
#include "flow/admin_body.h"
#include "flow/admin_tokens.h"
#include "flow/handlers.h"

/* A webhook does not renew its credential, so this one does not run out in
 * an administrator's time; what ends it is rotation. */
#define CREDENTIAL_MS (INT64_C(10) * 365 * 86400000)
#define OVERLAP_MS INT64_C(86400000)

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

/* With the secret, this once. */
static err
answer_with_secret(struct call *c, int status, const struct integration *n,
    char text[TOKEN_TEXT + 1])
{
	struct jw *w = answer(c, status);

	jw_obj(w);
	members_json(c, w, n);
	answer_secret(c, "secret", str_of(text, TOKEN_TEXT));
	jw_obj_end(w);
	mem_wipe(text, TOKEN_TEXT + 1);
	answer_etag(c, n->o.version);
	return buf_check(&c->out);
}

/* ---- seeing ---- */

static bool
wanted(struct call *c, const struct object *o)
{
	return o->project == c->project->o.project;
}

err
route_integration_list(struct call *c)
{
	return list_objects(c, OBJECT_INTEGRATION, wanted, render);
}

static err
find(struct call *c, const struct integration **ret)
{
	struct uuid id;

	TRY(call_uuid(c, 1, &id));
	*ret = world_integration(call_world(c), &id);
	if (*ret == NULL || (*ret)->o.project != c->project->o.project)
		return err_of(E_NOT_FOUND);
	call_touch(c, "integration", &id);
	return OK;
}

err
route_integration_get(struct call *c)
{
	const struct integration *n;

	TRY(find(c, &n));
	return answer_object(c, 200, &n->o, render);
}

/* ---- making ---- */

static err
read_auth(struct call *c, struct integration *n)
{
	const struct json *j = json_get(c->body, STR("auth"));

	if (!str_is(json_str_at(j, STR("kind")), "bearer"))
		return call_bad(c, E_INVALID, "auth: kind must be bearer");
	if (j->count != 1)
		return call_bad(c, E_UNKNOWN_MEMBER,
		    "auth: bearer has no other member");
	n->auth = STR("{\"kind\":\"bearer\"}");
	return OK;
}

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
		    "template: alertmanager, grafana or generic");
	if (!str_is(body_text(c, "kind", STR("alert")), "alert"))
		return call_bad(c, E_INVALID, "kind: alert");
	return OK;
}

static err
issue(struct call *c, const struct uuid *integration, char text[TOKEN_TEXT + 1])
{
	struct token t = {
	    .kind = 'w',
	    .owner_kind = PRINCIPAL_INTEGRATION,
	    .owner = {*integration},
	    .name = STR("webhook"),
	    .expires = c->now + CREDENTIAL_MS,
	};

	permset_add(&t.scopes, PERM_INGEST);
	TRY(token_issue(c, &t, text));
	call_touch(c, "token", &t.o.id);
	return OK;
}

err
route_integration_create(struct call *c)
{
	struct integration n = {.default_severity = ALERT_WARNING};
	char text[TOKEN_TEXT + 1], id[UUID_TEXT + 1];

	n.name = body_text(c, "name", STR(""));
	TRY(read_template(c, &n));
	TRY(read_auth(c, &n));
	TRY(read_mapping(c, &n));
	read_severity(c, &n);
	TRY(room_for(c, OBJECT_INTEGRATION, LIM_INTEGRATIONS));
	n.created_by.u = c->actor->id;
	admin_new(c, OBJECT_INTEGRATION, c->project->o.project, &n.o);
	uuid_text(&n.o.id, id);
	answer_location(c, "%s/%s", project_path(c, "/integrations"), id);
	TRY(admin_put(c, &n.o));
	c->rec.body = c->req->body;
	call_touch(c, "integration", &n.o.id);
	TRY(issue(c, &n.o.id, text));
	return answer_with_secret(c, 201, &n, text);
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
	ret->mapping = arena_dup(c->a, old->mapping);
	return arena_check(c->a);
}

err
route_integration_patch(struct call *c)
{
	const struct integration *old;
	struct integration n;

	TRY(find(c, &old));
	TRY(call_match(c, old->o.version));
	TRY(copy_of(c, old, &n));
	n.name = body_text(c, "name", n.name);
	n.disabled = body_flag(c, "disabled", n.disabled);
	read_severity(c, &n);
	TRY(read_mapping(c, &n));
	admin_touch(c, &n.o);
	TRY(admin_put(c, &n.o));
	c->rec.body = c->req->body;
	return answer_object(c, 200, &n.o, render);
}

err
route_integration_delete(struct call *c)
{
	const struct integration *n;
	struct uuid id;

	TRY(find(c, &n));
	TRY(call_match(c, n->o.version));
	id = n->o.id;
	TRY(drop_tokens(c, &id));
	TRY(admin_remove(c, OBJECT_INTEGRATION, &id));
	answer_empty(c, 204);
	return OK;
}

/* ---- rotating ---- */

/* A live credential of the integration other than `but`; the oldest. */
static const struct token *
live_credential(struct call *c, const struct uuid *integration,
    const struct uuid *but)
{
	const struct object *const *o;
	size_t n;

	o = world_objects(call_world(c), OBJECT_TOKEN, &n);
	for (size_t i = 0; i < n; i++) {
		const struct token *t = (const struct token *)o[i];

		if (uuid_eq(&t->owner.u, integration) && t->revoked == 0 &&
		    t->expires > c->now && !uuid_eq(&t->o.id, but))
			return t;
	}
	return NULL;
}

/* Of those there are, only the newest stays, and for a day. */
static err
retire(struct call *c, const struct uuid *integration)
{
	static const struct uuid none;
	const struct token *t, *next;
	struct token last;

	for (;;) {
		t = live_credential(c, integration, &none);
		if (t == NULL)
			return OK;
		next = live_credential(c, integration, &t->o.id);
		if (next == NULL)
			break;
		TRY(token_revoke(c, t));
	}
	if (t->expires <= c->now + OVERLAP_MS)
		return OK;
	TRY(token_copy(c, t, &last));
	last.expires = c->now + OVERLAP_MS;
	admin_touch(c, &last.o);
	return admin_put(c, &last.o);
}

err
route_integration_rotate(struct call *c)
{
	const struct integration *old;
	char text[TOKEN_TEXT + 1];
	struct integration n;

	TRY(find(c, &old));
	TRY(call_match(c, old->o.version));
	TRY(copy_of(c, old, &n));
	TRY(retire(c, &n.o.id));
	TRY(issue(c, &n.o.id, text));
	return answer_with_secret(c, 200, &n, text);
}
