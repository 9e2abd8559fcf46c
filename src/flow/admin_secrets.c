/*
 * admin_secrets.c: /v1/projects/{p}/secrets.  A value is never answered: what
 * came in was ciphertext already, and it goes to delegates only.  What is
 * kept for the audit log says who may open it, not what it is.
 */
#include "base/text.h"
#include "domain/connector.h"
#include "domain/selector.h"
#include "flow/admin_body.h"
#include "flow/handlers.h"
#include "flow/holds.h"
#include "flow/secret_body.h"

/* ---- answers ---- */

static void
raw_or_null(struct jw *w, const char *name, struct str json)
{
	jw_name(w, str_c(name));
	if (json.n == 0)
		jw_null(w);
	else
		jw_raw(w, json);
}

static void
members_json(struct call *c, struct jw *w, const struct secret_object *s)
{
	(void)c;
	jw_uuid(w, "id", &s->o.id);
	jw_kstr(w, "name", s->name);
	jw_kstr(w, "description", s->description);
	raw_or_null(w, "delegates", s->labels);
	raw_or_null(w, "external", s->external);
	strs_json(w, "runbooks", s->runbooks, s->runbooks_n);
	strs_json(w, "connectors", s->connectors, s->connectors_n);
	jw_name(w, STR("version"));
	if (s->last == 0)
		jw_null(w);
	else
		jw_i64(w, s->last);
	jw_uuid(w, "created_by", &s->created_by.u);
	times_json(w, &s->o);
}

static void
render(struct call *c, struct jw *w, const struct object *o)
{
	jw_obj(w);
	members_json(c, w, (const struct secret_object *)o);
	jw_obj_end(w);
}

static void
version_json(struct call *c, struct jw *w, const struct secret_version *v)
{
	jw_obj(w);
	jw_ki64(w, "version", v->number);
	jw_time(w, "created_at", v->at);
	jw_uuid(w, "created_by", &v->by);
	jw_time(w, "ends_at", v->until);
	jw_karr(w, "recipients");
	for (size_t i = 0; i < v->to_n; i++) {
		const struct delegate *d =
		    world_delegate(call_world(c), &v->to[i]);

		jw_obj(w);
		jw_uuid(w, "delegate", &v->to[i]);
		jw_name(w, STR("name"));
		jw_str(w, d == NULL ? STR_NONE : d->name);
		jw_obj_end(w);
	}
	jw_arr_end(w);
	jw_obj_end(w);
}

static bool
sealed_to(const struct secret_version *v, const struct uuid *delegate)
{
	for (size_t i = 0; i < v->to_n; i++)
		if (uuid_eq(&v->to[i], delegate))
			return true;
	return false;
}

/* Delegates that its selector matches and that cannot open the newest. */
static void
missing_json(struct call *c, struct jw *w, const struct secret_object *s,
    const struct secret_version *newest)
{
	const struct object *const *o;
	size_t n;

	jw_karr(w, "missing");
	o = world_objects(call_world(c), OBJECT_DELEGATE, &n);
	for (size_t i = 0; newest != NULL && i < n; i++) {
		const struct delegate *d = (const struct delegate *)o[i];

		if (secret_is_for(c->a, s, d) && !sealed_to(newest, &d->o.id)) {
			jw_obj(w);
			jw_uuid(w, "delegate", &d->o.id);
			jw_kstr(w, "name", d->name);
			jw_obj_end(w);
		}
	}
	jw_arr_end(w);
}

static void
render_one(struct call *c, struct jw *w, const struct object *o)
{
	const struct secret_object *s = (const struct secret_object *)o;
	struct secret_version *v = NULL;
	size_t n = 0;

	err_ignore(secret_versions(c->a, s, &v, &n), "then it shows none");
	jw_obj(w);
	members_json(c, w, s);
	jw_karr(w, "versions");
	for (size_t i = 0; i < n; i++)
		version_json(c, w, &v[i]);
	jw_arr_end(w);
	missing_json(c, w, s, n > 0 ? &v[0] : NULL);
	jw_obj_end(w);
}

/* ---- seeing ---- */

static bool
wanted(struct call *c, const struct object *o)
{
	return o->project == c->project->o.project;
}

err
route_secret_list(struct call *c)
{
	return list_objects(c, OBJECT_SECRET, wanted, render);
}

err
secret_in_path(struct call *c, const struct secret_object **ret)
{
	struct uuid id;

	if (err_ok(call_uuid(c, 1, &id)))
		*ret = world_secret(call_world(c), &id);
	else
		*ret = world_secret_name(call_world(c), c->project->o.project,
		    c->var[1]);
	if (*ret == NULL || (*ret)->o.project != c->project->o.project)
		return err_of(E_NOT_FOUND);
	call_touch(c, "secret", &(*ret)->o.id);
	return OK;
}

err
route_secret_get(struct call *c)
{
	const struct secret_object *s;

	TRY(secret_in_path(c, &s));
	return answer_object(c, 200, &s->o, render_one);
}

/* ---- making ---- */

static err
read_name(struct call *c, struct secret_object *s)
{
	s->name = body_text(c, "name", STR(""));
	if (!connector_secret_valid(s->name))
		return call_bad(c, E_INVALID,
		    "name: 1 to 63 of a-z, 0-9, -, _ and ., from a letter or "
		    "digit");
	if (world_secret_name(call_world(c), c->project->o.project, s->name) !=
	    NULL)
		return call_bad(c, E_EXISTS, "name: %.*s is taken",
		    STR_ARG(s->name));
	return OK;
}

/* A value or a reference, and not both. */
static err
read_kind(struct call *c, struct secret_object *s, struct secret_text *t)
{
	bool external = json_get(c->body, STR("external")) != NULL;
	bool data = json_get(c->body, STR("data")) != NULL;

	if (external == data)
		return call_bad(c, E_INVALID,
		    "data and boxes, or external: one of the two");
	if (external) {
		if (json_get(c->body, STR("boxes")) != NULL)
			return call_bad(c, E_INVALID, "external has no boxes");
		return secret_read_external(c, s);
	}
	TRY(secret_read_labels(c, s));
	if (s->labels.n == 0)
		return call_bad(c, E_MISSING, "delegates is missing");
	return secret_read_text(c, s, t);
}

/* The first or next version of s, stored. */
static err
add_version(struct call *c, struct secret_object *s,
    const struct secret_text *t, const struct secret_version *old, size_t n)
{
	struct secret_version *v = arena_array(c->a, n + 1, sizeof *v);

	TRY(arena_check(c->a));
	c->dirty = true;
	v[0] = (struct secret_version){
	    .number = ++s->last,
	    .at = c->now,
	    .by = c->actor->id,
	    .to = t->to,
	    .to_n = t->to_n,
	};
	TRY(secret_seal(c->lane, s, t->json, c->a, &v[0].key));
	for (size_t i = 0; i < n; i++)
		v[i + 1] = old[i];
	return secret_versions_put(c->a, v, n + 1, s);
}

err
route_secret_create(struct call *c)
{
	struct secret_object s = {.last = 0};
	struct secret_text t = {.to_n = 0};

	TRY(room_for(c, OBJECT_SECRET, LIM_PROJECT_SECRETS));
	TRY(read_name(c, &s));
	s.description = body_text(c, "description", STR(""));
	TRY(secret_read_lists(c, &s));
	TRY(read_kind(c, &s, &t));
	s.created_by.u = c->actor->id;
	admin_new(c, OBJECT_SECRET, c->project->o.project, &s.o);
	if (s.external.n == 0)
		TRY(add_version(c, &s, &t, NULL, 0));
	TRY(secret_record(c, &s, &t));
	call_touch(c, "secret", &s.o.id);
	TRY(admin_put(c, &s.o));
	return answer_created(c, project_path(c, "/secrets"), &s.o, render_one);
}

/* ---- changing ---- */

static err
copy_of(struct call *c, const struct secret_object *old,
    struct secret_object *ret)
{
	const struct object *copy;

	TRY(admin_copy(c, &old->o, &copy));
	*ret = *(const struct secret_object *)copy;
	return OK;
}

err
route_secret_patch(struct call *c)
{
	const struct secret_object *old;
	struct secret_object s;

	TRY(secret_in_path(c, &old));
	TRY(call_match(c, old->o.version));
	TRY(copy_of(c, old, &s));
	s.description = body_text(c, "description", s.description);
	TRY(secret_read_lists(c, &s));
	if (s.external.n == 0)
		TRY(secret_read_labels(c, &s));
	admin_touch(c, &s.o);
	TRY(secret_record(c, &s, NULL));
	TRY(admin_put(c, &s.o));
	return answer_object(c, 200, &s.o, render_one);
}

/* Who has it in use ends it first: a connector must not break unseen. */
static err
not_in_use(struct call *c, const struct secret_object *s)
{
	const struct object *const *o;
	size_t n;

	o = world_objects(call_world(c), OBJECT_CONNECTOR, &n);
	for (size_t i = 0; i < n; i++) {
		const struct connector_object *k =
		    (const struct connector_object *)o[i];

		if (k->o.project == s->o.project &&
		    k->state == CONNECTOR_APPROVED &&
		    str_eq(k->secret, s->name)) /* public: a name */
			return call_bad(c, E_CONFLICT,
			    "connector %.*s uses it: suspend or revoke that "
			    "first",
			    STR_ARG(k->slug));
	}
	return OK;
}

err
route_secret_delete(struct call *c)
{
	const struct secret_object *s;
	struct uuid id;

	TRY(secret_in_path(c, &s));
	TRY(call_match(c, s->o.version));
	TRY(not_in_use(c, s));
	TRY(hold_refuse(c,
	    hold_covers(call_world(c), s->o.project, NULL, c->now)));
	id = s->o.id;
	c->dirty = true;
	TRY(secret_destroy_all(c->lane, s, c->a));
	TRY(admin_remove(c, OBJECT_SECRET, &id));
	answer_empty(c, 204);
	return OK;
}

/* ---- rotating ---- */

/* The versions that stay: the newest of old for the overlap, others as long
 * as they had; what has no time left is destroyed now, unless it is under a
 * legal hold. */
static err
end_old(struct call *c, struct secret_version *v, size_t n, int64_t overlap,
    size_t *ret_n)
{
	bool held = hold_covers(call_world(c), c->project->o.project, NULL,
			c->now) != NULL;
	size_t left = 0;

	for (size_t i = 0; i < n; i++) {
		if (v[i].until == 0)
			v[i].until = c->now + overlap * 1000;
		if (held ||
		    !secret_past(call_world(c), c->project->o.project,
			v[i].until, c->now))
			v[left++] = v[i];
		else
			TRY(secret_destroy(c->lane, v[i].key));
	}
	*ret_n = left;
	return OK;
}

err
route_secret_rotate(struct call *c)
{
	const struct json *j = json_get(c->body, STR("overlap_s"));
	int64_t overlap = SECRET_OVERLAP_S;
	const struct secret_object *old;
	struct secret_version *v;
	struct secret_object s;
	struct secret_text t;
	size_t n;

	TRY(secret_in_path(c, &old));
	TRY(call_match(c, old->o.version));
	if (old->external.n > 0)
		return call_bad(c, E_CONFLICT,
		    "it lies elsewhere: rotate it there");
	if (j != NULL && !json_i64(j, 0, LIM_SECRET_OVERLAP_S, &overlap))
		return call_bad(c, E_INVALID, "overlap_s: 0 to %d",
		    LIM_SECRET_OVERLAP_S);
	TRY(copy_of(c, old, &s));
	TRY(secret_read_labels(c, &s));
	TRY(secret_read_text(c, &s, &t));
	TRY(secret_versions(c->a, &s, &v, &n));
	if (n >= LIM_SECRET_VERSIONS && overlap > 0)
		return call_bad(c, E_LIMIT,
		    "%zu versions are live; overlap_s 0 ends the last one", n);
	c->dirty = true;
	TRY(end_old(c, v, n, overlap, &n));
	TRY(add_version(c, &s, &t, v, n));
	admin_touch(c, &s.o);
	TRY(secret_record(c, &s, &t));
	TRY(admin_put(c, &s.o));
	return answer_object(c, 201, &s.o, render_one);
}
