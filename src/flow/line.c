/* line.c: see line.h and flow.def. */
#include "flow/line.h"

#include "auth/token.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/text.h"
#include "base/time.h"
#include "flow/form.h"
#include "flow/guard.h"
#include "flow/handlers.h"
#include "flow/ingest.h"
#include "flow/page.h"
#include "flow/proxy.h"
#include "flow/ration.h"
#include "flow/readers.h"
#include "flow/sender.h"
#include "flow/shape.h"
#include "flow/writer.h"

static const struct json_limits body_limits = {
    .depth = LIM_JSON_DEPTH,
    .members = LIM_JSON_MEMBERS,
    .values = LIM_JSON_VALUES,
};

/* ---- route ---- */

/*
 * A token in an address is in somebody's log already: refuse, and let the
 * writer revoke it when it is a good one.
 */
static bool
leaked_token(struct call *c)
{
	struct str plain, found;

	if (!token_find(c->req->target, &found) &&
	    (!err_ok(url_decode(c->a, c->req->target, &plain)) ||
		!token_find(plain, &found)))
		return false;
	c->route = &route_leak;
	c->var[0] = found;
	return true;
}

static err
step_route(struct call *c)
{
	const struct state *st = c->lane->state;
	struct route_match m;
	err e;

	if (!err_ok(proxy_client(c->a, st->proxies, st->proxies_n, c->req,
		&c->address)))
		return call_bad(c, E_BAD_REQUEST,
		    "the proxy's X-Forwarded-For or Forwarded does not say "
		    "who asks");
	if (leaked_token(c))
		return OK;
	e = route_find(c->req->method, c->req->path, &m);
	c->allow = m.allow;
	if (!err_ok(e)) {
		/* that there is nothing, too, only the known may know */
		c->route = &route_none;
		return OK;
	}
	c->route = m.route;
	for (size_t i = 0; i < m.vars; i++)
		TRY(url_decode(c->a, m.var[i], &c->var[i]));
	return OK;
}

/* ---- auth ---- */

static int64_t
last_used(void *ctx, const struct uuid *session)
{
	struct state *st = ctx;

	return st->writer == NULL ? 0 : writer_used(st->writer, session);
}

static err
step_auth(struct call *c)
{
	struct auth_input in = {
	    .world = c->lane->snap->world,
	    .now = c->now,
	    .authorization = http_header(c->req, STR("authorization")),
	    .cert = c->req->cert == NULL ? NULL : c->req->cert->sha256,
	    .cookie = http_header(c->req, STR("cookie")),
	    .address = c->address,
	    .issuers = &c->lane->issuers,
	    .version = c->lane->snap->version,
	    .last_used = last_used,
	    .ctx = c->lane->state,
	};
	enum jose_why jwt = WHY_OK;
	uint32_t id;
	err e;

	in.jwt_why = &jwt;
	if (c->route->auth == ROUTE_OPEN || c->route->auth == ROUTE_LOGIN)
		return OK;
	TRY(call_token_key(c, &in.token_mac, &id));
	if (http_header_count(c->req, STR("authorization")) > 1 ||
	    http_header_count(c->req, STR("cookie")) > 1) {
		c->why = AUTH_MALFORMED;
		e = err_of(E_UNAUTHENTICATED);
	} else if (c->route->auth == ROUTE_API) {
		e = auth_api(c->a, &in, &c->why, &c->actor);
	} else if (c->route->auth == ROUTE_JOIN) {
		e = auth_join(c->a, &in, &c->why, &c->actor);
	} else if (c->route->auth == ROUTE_DELEGATE) {
		e = auth_delegate(c->a, &in,
		    c->req->cert == NULL ? STR("") : c->req->cert->der,
		    c->lane->state->trust.ca, &c->why, &c->cert, &c->actor);
		if (err_ok(e) && c->lane->state->ration != NULL &&
		    c->parks == 0)
			e = ration_take(c->lane->state->ration, &c->actor->id,
			    c->req->body.n, time_mono_us());
	} else {
		e = sender_auth(c, &in);
	}
	if (err_is(e, E_UNAUTHENTICATED) || err_is(e, E_DISABLED) ||
	    err_is(e, E_RATE)) {
		c->rec.action = AUDIT_AUTH_FAILED;
		c->rec.outcome = AUDIT_DENIED;
		c->rec.reason = str_c(c->why == AUTH_JWT
			? jose_why_text(jwt)
			: auth_ingest_reason(c->why, &c->hook));
	}
	if (c->why == AUTH_BOTH)
		return call_bad(c, E_BAD_REQUEST,
		    "a token and a session at once: which of them asks?");
	TRY(e);
	return guard_session(c);
}

/* ---- shape ---- */

/* Identity comes from the credential only (L03). */
static err
no_identity_headers(struct call *c)
{
	static const char *const names[] = {"x-redoubt-user", "x-redoubt-role",
	    "x-redoubt-project", "x-redoubt-tenant", "x-user", "x-user-id",
	    "x-remote-user", "remote-user", "x-forwarded-user",
	    "x-auth-request-user", "x-role", "x-tenant", "x-tenant-id",
	    "x-org-id", "x-owner"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (http_header_count(c->req, str_c(names[i])) > 0)
			return call_bad(c, E_BAD_REQUEST,
			    "header %s is not accepted: the credential says "
			    "who asks",
			    names[i]);
	return OK;
}

err
line_content_type(struct call *c, struct str want)
{
	struct str type = http_header(c->req, STR("content-type")), rest;

	(void)str_cut(type, ';', &type, &rest);
	rest = str_trim(rest);
	if (!str_ieq(str_trim(type), want) ||
	    (rest.n > 0 && !str_ieq(rest, STR("charset=utf-8")) &&
		!str_ieq(rest, STR("charset=\"utf-8\""))))
		return call_bad(c, E_MEDIA_TYPE, "the body must be %.*s",
		    STR_ARG(want));
	if (http_header_count(c->req, STR("content-encoding")) > 0)
		return call_bad(c, E_MEDIA_TYPE,
		    "content encodings are not accepted");
	return OK;
}

/* Every member is optional, and so is the body. */
static bool
body_optional(enum schema s)
{
	return s == SCHEMA_ALERT_ACT || s == SCHEMA_WITHDRAWAL ||
	    s == SCHEMA_ROTATE || s == SCHEMA_TOKEN_ROTATE ||
	    s == SCHEMA_TOKEN_NARROW || s == SCHEMA_DELEGATE_APPROVAL ||
	    s == SCHEMA_RUN || s == SCHEMA_RUN_CANCEL ||
	    s == SCHEMA_RUNBOOK_PLAN;
}

static bool
says_scim(struct call *c)
{
	struct str type = http_header(c->req, STR("content-type")), rest;

	(void)str_cut(type, ';', &type, &rest);
	return str_ieq(str_trim(type), STR("application/scim+json"));
}

static err
parse_body(struct call *c)
{
	struct str type = STR("application/json");

	if (c->req->body.n == 0 && body_optional(c->route->schema))
		return OK;
	if (c->req->body.n == 0)
		return call_bad(c, E_BAD_JSON, "the body is empty");
	if (route_is_scim(c->route) && says_scim(c))
		type = STR("application/scim+json");
	TRY(line_content_type(c, type));
	return json_parse(c->a, c->req->body, &body_limits, &c->trail,
	    &c->body);
}

static err
parse_form(struct call *c)
{
	struct form *f = ARENA_NEW(c->a, struct form);

	TRY(arena_check(c->a));
	c->form = f;
	if (c->req->method == HTTP_HEAD)
		return err_of(E_METHOD); /* nobody logs in to see headers */
	if (c->req->method == HTTP_GET)
		return form_parse(c->a, c->req->query, f);
	TRY(line_content_type(c, STR("application/x-www-form-urlencoded")));
	return form_parse(c->a, c->req->body, f);
}

static err
step_shape(struct call *c)
{
	const struct route *r = c->route;

	if (r == &route_none || r == &route_leak)
		return OK;
	if (r->auth != ROUTE_OPEN && r->auth != ROUTE_INGEST)
		TRY(no_identity_headers(c));
	if (r->schema == SCHEMA_FORM && c->req->method != HTTP_POST)
		return parse_form(c);
	if (!route_is_scim(r))
		TRY(shape_query(c->a, c->req->query, r->params, &c->trail,
		    &c->query));
	if (r->auth == ROUTE_INGEST)
		return sender_shape(c);
	if (r->schema == SCHEMA_NONE) {
		if (c->req->body.n > 0 && !str_is(c->req->body, "{}"))
			return call_bad(c, E_INVALID,
			    "this request takes no body");
		return OK;
	}
	if (r->schema == SCHEMA_FORM)
		return parse_form(c);
	TRY(parse_body(c));
	if (c->body == NULL || r->schema == SCHEMA_SCIM)
		return OK;
	return shape_body(r->schema, r->set, c->body, &c->trail);
}

/* ---- access ---- */

/*
 * Handlers that look at each resource before they show or change it.  Only
 * they are reached by who holds the permission for some resources only; to
 * all others that is no permission (doc/adr/0023).
 */
static bool
narrows(const struct route *r)
{
	static err (*const those[])(struct call *) = {
	    route_incident_list,
	    route_incident_create,
	    route_incident_get,
	    route_incident_patch,
	    route_incident_move,
	    route_timeline_list,
	    route_timeline_add,
	    route_members_get,
	    route_members_put,
	    route_incident_alerts,
	    route_alert_list,
	    route_alert_get,
	    route_alert_ack,
	    route_alert_resolve,
	    route_integration_list,
	    route_integration_get,
	    route_integration_patch,
	    route_integration_delete,
	    route_integration_rotate,
	    route_integration_test,
	    route_delivery_list,
	};

	for (size_t i = 0; i < sizeof those / sizeof *those; i++)
		if (r->handle == those[i])
			return true;
	return false;
}

/* A delegate works in its own project, and is asked which by nobody. */
static const struct project *
project_of_delegate(struct call *c)
{
	const struct delegate *d = world_delegate(call_world(c), &c->actor->id);

	return d == NULL ? NULL : world_project(call_world(c), d->o.project);
}

static err
step_access(struct call *c)
{
	const struct route *r = c->route;
	uint32_t project = 0;
	struct target t;

	c->grant = NULL;
	c->narrow = false;
	if (r->auth == ROUTE_OPEN || r->auth == ROUTE_LOGIN)
		return OK;
	if (route_in_project(r)) {
		c->project = world_project_slug(call_world(c), c->var[0]);
		if (c->project == NULL)
			return err_of(E_NOT_FOUND);
	} else if (r->auth == ROUTE_INGEST) {
		const struct integration *n =
		    world_integration(call_world(c), &c->actor->id);

		if (n == NULL)
			return err_of(E_UNAUTHENTICATED);
		c->project = world_project(call_world(c), n->o.project);
		if (c->project == NULL)
			return err_of(E_DISABLED);
	}
	if (r->auth == ROUTE_DELEGATE || r->auth == ROUTE_JOIN) {
		c->project = project_of_delegate(c);
		if (c->project == NULL)
			return err_of(E_UNAUTHENTICATED);
	}
	if (c->project != NULL)
		project = c->project->o.project;
	c->rec.project = project;
	if (r->perm == PERM_NONE || r->perm == PERM_OBJECT)
		return OK;
	t = (struct target){.perm = r->perm,
	    .project = project,
	    .some = narrows(r)};
	TRY(call_ask_about(c, &t, &c->grant));
	c->narrow = grant_narrow(c->grant);
	return OK;
}

err
line_handle(struct call *c)
{
	c->narrowed = false;
	TRY(c->route->handle(c));
	if (c->narrow && !c->narrowed)
		return err_of(E_FORBIDDEN);
	return OK;
}

err
line_inside(struct call *c)
{
	BUG_ON(c->run == NULL);
	if (c->body != NULL)
		TRY(shape_body(c->route->schema, c->route->set, c->body,
		    &c->trail));
	TRY(step_access(c));
	return line_handle(c);
}

err
line_recheck(struct call *c)
{
	struct snap *old = c->snap;
	err e;

	/* from here on the call points into this snapshot only */
	c->snap = snap_ref(c->lane->snap);
	c->actor = NULL;
	c->project = NULL;
	e = step_auth(c);
	if (err_ok(e))
		e = step_access(c);
	(void)snap_unref(old);
	return e;
}

/* ---- the walk ---- */

static err
check(struct call *c)
{
	static err (*const step[])(struct call *) = {
#define STEP(name, where, refuses, meaning) step_##name,
#define step_handle NULL
#define step_record NULL
#include "flow/flow.def"
#undef STEP
#undef step_handle
#undef step_record
	};

	for (size_t i = 0; step[i] != NULL; i++)
		TRY(step[i](c));
	return OK;
}

bool
line_denied(struct call *c, err e)
{
	if (c->rec.outcome != AUDIT_DENIED &&
	    (err_is(e, E_FORBIDDEN) || err_is(e, E_DISABLED))) {
		c->rec.outcome = AUDIT_DENIED;
		c->rec.reason = str_c(err_name(e));
		c->rec.skip = false;
	}
	return c->rec.outcome == AUDIT_DENIED;
}

static void
to_writer(struct call *c)
{
	struct writer *w = c->lane->state->writer;

	if (!writer_submit(w, c)) {
		line_fail(c, err_of(E_UNAVAILABLE));
		line_answer(c);
	} else if (!c->lane->turns) {
		writer_nudge(w);
	}
}

/* Handled, or refused: record what must be on record, then answer. */
static void
finish(struct call *c, err e)
{
	bool record = err_ok(e) && c->route->audit != AUDIT_NONE;

	if (!err_ok(e)) {
		line_fail(c, e);
		record = line_denied(c, e);
	}
	c->handled = true;
	if (record && !c->rec.skip)
		to_writer(c);
	else
		line_answer(c);
}

static void
dispatch(struct call *c)
{
	switch (c->route->lane) {
	case ROUTE_REACTOR:
		finish(c, line_handle(c));
		return;
	case ROUTE_READER:
		if (readers_submit(c->lane->state->readers, c))
			return;
		line_fail(c, err_of(E_UNAVAILABLE));
		line_answer(c);
		return;
	case ROUTE_WRITER:
		if (c->route->auth == ROUTE_INGEST) {
			err e = ingest_prepare(c);

			if (!err_ok(e)) {
				finish(c, e);
				return;
			}
		}
		to_writer(c);
		return;
	case ROUTE_SLOW:
		if (readers_submit(c->lane->state->logins, c))
			return;
		line_fail(c, err_of(E_RATE));
		line_answer(c);
		return;
	case ROUTE_HASH:
		if (readers_submit(c->lane->state->hashes, c))
			return;
		line_fail(c, err_of(E_UNAVAILABLE));
		line_answer(c);
		return;
	case ROUTE_STREAM: { /* recorded first, then opened by the streams */
		err e = line_handle(c);

		if (!err_ok(e)) {
			finish(c, e);
			return;
		}
		c->handled = true;
		to_writer(c);
		return;
	}
	}
}

void
line_read(struct lane *l, struct call *c)
{
	err e;

	c->lane = l;
	lane_refresh(l);
	e = l->snap == c->snap ? OK : line_recheck(c);
	if (err_ok(e)) {
		e = store_view_begin(l->conn);
		if (err_ok(e)) {
			e = line_handle(c);
			store_view_end(l->conn);
		}
	}
	finish(c, e);
}

void
line_slow(struct lane *l, struct call *c)
{
	err e;

	c->lane = l;
	lane_refresh(l);
	e = l->snap == c->snap ? OK : line_recheck(c);
	if (err_ok(e)) {
		c->slow = true;
		c->narrowed = false;
		e = c->route->handle(c);
		if (err_ok(e) && c->status != 0 && c->narrow && !c->narrowed)
			e = err_of(E_FORBIDDEN); /* as in line_handle */
		c->slow = false;
	}
	if (!err_ok(e) || c->status != 0)
		finish(c, e);
	else
		to_writer(c);
}

static struct call *
call_new(struct lane *l, struct exchange *x)
{
	struct call *c = ARENA_NEW(exchange_arena(x), struct call);

	if (c == NULL)
		return NULL;
	c->lane = l;
	c->x = x;
	c->req = exchange_request(x);
	c->a = exchange_arena(x);
	c->address = str_c(c->req->address);
	c->now = time_now_ms();
	c->request_id = rand_uuid(c->now);
	uuid_text(&c->request_id, c->request_id_text);
	c->snap = snap_ref(l->snap);
	c->route = &route_none;
	buf_init_on(&c->out, c->a, LIM_REPLY);
	return c;
}

void
line_request(struct lane *l, struct exchange *x)
{
	struct call *c;
	err e;

	lane_refresh(l);
	atomic_fetch_add_explicit(&l->state->n.requests, 1,
	    memory_order_relaxed);
	if (page_answer(x))
		return;
	c = call_new(l, x);
	if (c == NULL) {
		exchange_reply(x, &(struct reply){.status = 503});
		return;
	}
	e = check(c);
	if (c->rec.action == AUDIT_NONE)
		c->rec.action = c->route->audit;
	if (!err_ok(e))
		finish(c, e);
	else
		dispatch(c);
}

void
line_tick(struct lane *l)
{
	lane_refresh(l);
	if (l->pages.bytes > 0)
		pages_tend(&l->pages, l->snap->version, time_now_ms());
	if (l->opened.bytes > 0)
		opened_tend(&l->opened, l->snap->version, time_now_ms());
}

size_t
line_body_cap(const struct http_request *head)
{
	if (str_ends(head->path, STR("/v2/enqueue")))
		return LIM_ENQUEUE_BODY;
	if (str_starts(head->path, STR("/ingest/")))
		return LIM_INGEST_BODY;
	return LIM_BODY;
}
