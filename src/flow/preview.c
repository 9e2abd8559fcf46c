/*
 * preview.c: POST /v1/access/preview: what a change would change.  The change
 * is made, by its own handler with all its checks, looked at, and taken back;
 * so what is previewed is what would happen, and who may not make it learns
 * no more than if they had tried.
 */
#include "base/limits.h"
#include "base/text.h"
#include "flow/admin_body.h"
#include "flow/handlers.h"
#include "flow/policy_tests.h"
#include "flow/shape.h"
#include "flow/writer.h"

/* ---- which change ---- */

static bool
may_preview(const struct route *r)
{
	/* they write objects and nothing else */
	static err (*const those[])(struct call *) = {
	    route_role_create,
	    route_role_patch,
	    route_role_delete,
	    route_binding_create,
	    route_binding_delete,
	    route_group_create,
	    route_group_patch,
	    route_group_delete,
	    route_rgroup_create,
	    route_rgroup_patch,
	    route_rgroup_delete,
	};

	for (size_t i = 0; i < sizeof those / sizeof *those; i++)
		if (r->handle == those[i])
			return true;
	return false;
}

static err
find(struct call *c, struct call *as)
{
	static const struct {
		const char *text;
		enum http_method method;
	} methods[] = {{"POST", HTTP_POST}, {"PATCH", HTTP_PATCH},
	    {"DELETE", HTTP_DELETE}};
	struct str method = json_str_at(c->body, STR("method"));
	struct route_match m = {0};
	size_t i = 0;

	while (i < sizeof methods / sizeof *methods &&
	    !str_is(method, methods[i].text))
		i++;
	if (i == sizeof methods / sizeof *methods ||
	    !err_ok(route_find(methods[i].method,
		json_str_at(c->body, STR("path")), &m)) ||
	    !may_preview(m.route))
		return call_bad(c, E_INVALID,
		    "method and path of a change of roles, bindings, groups "
		    "or resource groups");
	as->route = m.route;
	for (i = 0; i < m.vars; i++)
		TRY(url_decode(c->a, m.var[i], &as->var[i]));
	return OK;
}

static err
shape(struct call *as)
{
	const struct json *body = json_get(as->body, STR("body"));

	as->body = body;
	if (as->route->schema == SCHEMA_NONE)
		return OK;
	if (body == NULL || body->kind != JSON_OBJECT)
		return call_bad(as, E_MISSING, "body is required");
	return shape_body(as->route->schema, as->route->set, body, &as->trail);
}

static err
make(struct call *as)
{
	TRY(shape(as));
	if (as->route->perm != PERM_OBJECT)
		TRY(call_ask(as, as->route->perm, 0, &as->grant));
	return as->route->handle(as);
}

/* ---- what it changes ---- */

struct told {
	struct jw *w;
	struct call *c;
	size_t shown, count;
};

static void
triple(struct told *t, const struct access_change *x, enum permission p,
    bool some)
{
	const struct project *pr = world_project(call_world(t->c), x->project);

	t->count++;
	if (t->shown == LIM_TRIPLES)
		return;
	t->shown++;
	jw_obj(t->w);
	subject_json(t->w, "principal", x->kind, &x->id);
	jw_kstr(t->w, "permission", str_c(perm_text(p)));
	jw_kstr(t->w, "project", pr == NULL ? STR_NONE : pr->slug);
	jw_kbool(t->w, "some_resources", some);
	jw_obj_end(t->w);
}

static void
triples(struct told *t, const char *name, const struct access_change *x,
    size_t n, bool gained)
{
	jw_name(t->w, str_c(name));
	jw_arr(t->w);
	t->shown = t->count = 0;
	for (size_t i = 0; i < n; i++) {
		struct permset all = gained ? x[i].gained : x[i].lost;
		struct permset some =
		    gained ? x[i].some_gained : x[i].some_lost;

		for (unsigned p = 0; p < PERM_MAX_; p++) {
			if (permset_has(&all, (enum permission)p))
				triple(t, &x[i], (enum permission)p, false);
			else if (permset_has(&some, (enum permission)p))
				triple(t, &x[i], (enum permission)p, true);
		}
	}
	jw_arr_end(t->w);
}

static err
tell(struct call *c, const struct world *before, const struct world *after)
{
	struct access_change *x;
	struct told t = {answer(c, 200), c, 0, 0};
	size_t n, more;
	bool cut;

	TRY(access_diff(c->a, before, after, c->now, LIM_PREVIEW, &x, &n,
	    &cut));
	jw_obj(t.w);
	triples(&t, "added", x, n, true);
	cut = cut || t.shown < t.count;
	more = t.count;
	triples(&t, "removed", x, n, false);
	cut = cut || t.shown < t.count;
	jw_ki64(t.w, "added_count", (int64_t)more);
	jw_ki64(t.w, "removed_count", (int64_t)t.count);
	jw_kbool(t.w, "truncated", cut);
	TRY(policy_turned(c, t.w, before, after));
	jw_obj_end(t.w);
	return buf_check(&c->out);
}

/* ---- making and taking back ---- */

/* The snapshot goes back to what it was; *ret is the world it had. */
static err
try_it(struct call *c, struct call *as, struct world **ret)
{
	struct snap *was = snap_ref(c->lane->snap);
	err e = store_savepoint(c->lane->conn), undone;

	if (!err_ok(e)) {
		(void)snap_unref(was);
		return e;
	}
	e = make(as);
	if (err_ok(e))
		*ret = world_ref(c->lane->snap->world);
	if (c->lane->snap != was)
		writer_snap(c->lane->writer, snap_ref(was));
	(void)snap_unref(was);
	undone = store_savepoint_undo(c->lane->conn);
	if (err_ok(undone) || !err_ok(e))
		return e;
	(void)world_unref(*ret);
	return undone;
}

err
route_access_preview(struct call *c)
{
	struct call as = *c;
	struct world *after = NULL;
	err e;

	TRY(find(c, &as));
	buf_init_on(&as.out, c->a, LIM_REPLY);
	e = try_it(c, &as, &after);
	c->trail = as.trail;
	if (!err_ok(e)) {
		c->rec.outcome = as.rec.outcome;
		c->rec.reason = as.rec.reason;
		return e;
	}
	e = tell(c, call_world(c), after);
	(void)world_unref(after);
	return e;
}
