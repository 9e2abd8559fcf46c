/*
 * admin_connectors.c: /v1/projects/{p}/connectors.  Editing makes a document
 * another version that nobody has approved; approving is for somebody else.
 * Nothing here connects: what a connector leads to is a delegate's business.
 */
#include "audit/digest.h"
#include "base/time.h"
#include "flow/admin_body.h"
#include "flow/connector_care.h"
#include "flow/handlers.h"

/* ---- answers ---- */

static void
opt_uuid(struct jw *w, const char *name, const struct uuid *u)
{
	if (uuid_is_zero(u)) {
		jw_name(w, str_c(name));
		jw_null(w);
	} else {
		jw_uuid(w, name, u);
	}
}

static void
usable_json(struct call *c, struct jw *w, const struct connector_object *o)
{
	struct trail t = {{0}};
	struct connector_use use;
	bool usable = err_ok(connector_usable(call_world(c), o->o.project,
	    o->slug, c->now, &t, &use));

	jw_kbool(w, "usable", usable);
	jw_name(w, STR("why_not"));
	jw_str(w, usable ? STR_NONE : str_c(t.detail));
}

static void
members_json(struct call *c, struct jw *w, const struct connector_object *o)
{
	enum connector_kind kind = (enum connector_kind)o->kind;

	jw_uuid(w, "id", &o->o.id);
	jw_kstr(w, "slug", o->slug);
	jw_kstr(w, "name", o->name);
	jw_kstr(w, "kind", str_c(connector_kind_text(kind)));
	jw_kbool(w, "messages", connector_kind_messages(kind));
	jw_kstr(w, "state", str_c(connector_state_text(o->state)));
	jw_ki64(w, "version", o->number);
	jw_kstr(w, "digest", o->digest);
	jw_time(w, "expires_at", o->expires);
	usable_json(c, w, o);
	opt_uuid(w, "approved_by", &o->approved_by.u);
	jw_time(w, "approved_at", o->approved);
	jw_name(w, STR("approval"));
	if (o->approval == 0)
		jw_null(w);
	else
		jw_i64(w, (int64_t)o->approval);
	jw_name(w, STR("reason"));
	jw_str(w, o->reason.n == 0 ? STR_NONE : o->reason);
	jw_uuid(w, "created_by", &o->created_by.u);
	times_json(w, &o->o);
}

static void
render(struct call *c, struct jw *w, const struct object *o)
{
	jw_obj(w);
	members_json(c, w, (const struct connector_object *)o);
	jw_obj_end(w);
}

/* Every place it may reach, also those the document does not list. */
static void
reach_json(struct call *c, struct jw *w, const struct connector_object *o)
{
	struct connector doc;

	jw_karr(w, "reaches");
	if (err_ok(connector_open(c->a, o->document, &c->trail, &doc)))
		for (size_t i = 0; i < doc.hosts_n; i++)
			jw_str(w, doc.hosts[i].text);
	jw_arr_end(w);
}

static void
render_one(struct call *c, struct jw *w, const struct object *object)
{
	const struct connector_object *o =
	    (const struct connector_object *)object;

	jw_obj(w);
	members_json(c, w, o);
	reach_json(c, w, o);
	jw_karr(w, "editors");
	for (size_t i = 0; i < o->editors_n; i++) {
		char id[UUID_TEXT + 1];

		uuid_text(&o->editors[i], id);
		jw_str(w, str_of(id, UUID_TEXT));
	}
	jw_arr_end(w);
	jw_kraw(w, "document", o->document);
	jw_obj_end(w);
}

/* ---- seeing ---- */

static bool
wanted(struct call *c, const struct object *o)
{
	return o->project == c->project->o.project;
}

err
route_connector_list(struct call *c)
{
	return list_objects(c, OBJECT_CONNECTOR, wanted, render);
}

/* By id or slug. */
static err
find(struct call *c, const struct connector_object **ret)
{
	struct uuid id;

	if (err_ok(call_uuid(c, 1, &id)))
		*ret = world_connector(call_world(c), &id);
	else
		*ret = world_connector_slug(call_world(c),
		    c->project->o.project, c->var[1]);
	if (*ret == NULL || (*ret)->o.project != c->project->o.project)
		return err_of(E_NOT_FOUND);
	call_touch(c, "connector", &(*ret)->o.id);
	return OK;
}

err
route_connector_get(struct call *c)
{
	const struct connector_object *o;

	TRY(find(c, &o));
	return answer_object(c, 200, &o->o, render_one);
}

err
route_connector_kinds(struct call *c)
{
	struct jw *w = answer(c, 200);
	const struct json *all;

	TRY(json_parse(c->a, connector_catalogue(), &connector_limits,
	    &c->trail, &all));
	jw_obj(w);
	jw_karr(w, "items");
	for (unsigned i = 0; i < CONNECTOR_KINDS; i++) {
		enum connector_kind k = (enum connector_kind)i;
		struct str name = str_c(connector_kind_text(k));

		jw_obj(w);
		jw_kstr(w, "kind", name);
		jw_kstr(w, "meaning", str_c(connector_kind_meaning(k)));
		jw_kbool(w, "messages", connector_kind_messages(k));
		jw_name(w, STR("actions"));
		jw_value(w, json_get(all, name));
		jw_obj_end(w);
	}
	jw_arr_end(w);
	jw_obj_end(w);
	return buf_check(&c->out);
}

/* ---- making and changing ---- */

/* The document of a body and, for a change, of what was there before. */
static err
merge(struct call *c, const struct json *old, const struct json **ret)
{
	struct buf b;
	struct jw w;

	buf_init_on(&b, c->a, LIM_CONNECTOR_DOC * 2);
	jw_init(&w, &b);
	jw_obj(&w);
	for (const struct json *j = json_first(old); j != NULL; j = j->next) {
		if (json_get(c->body, j->name) != NULL)
			continue;
		jw_name(&w, j->name);
		jw_value(&w, j);
	}
	for (const struct json *j = json_first(c->body); j != NULL;
	     j = j->next) {
		if (j->kind == JSON_NULL || str_is(j->name, "name"))
			continue;
		jw_name(&w, j->name);
		jw_value(&w, j);
	}
	jw_obj_end(&w);
	if (b.failed)
		return call_bad(c, E_TOO_LARGE, "the document is over %d bytes",
		    LIM_CONNECTOR_DOC);
	return json_parse(c->a, buf_view(&b), &connector_limits, &c->trail,
	    ret);
}

/* The canonical document, checked, into o. */
static err
take_document(struct call *c, const struct json *doc,
    struct connector_object *o)
{
	char *digest = arena_get(c->a, DIGEST_TEXT + 1);
	struct connector d;
	struct str text;

	TRY(arena_check(c->a));
	TRY(connector_canon(c->a, doc, &c->trail, &text));
	TRY(connector_open(c->a, text, &c->trail, &d));
	digest_text(text, digest);
	o->slug = d.slug;
	o->document = text;
	o->digest = str_of(digest, DIGEST_TEXT);
	o->kind = (uint8_t)d.kind;
	o->secret = d.auth.secret;
	o->expires = d.expires;
	return OK;
}

err
route_connector_create(struct call *c)
{
	struct connector_object o = {.state = CONNECTOR_DRAFT, .number = 1};
	const struct json *doc;
	struct uuid editor = c->actor->id;

	TRY(room_for(c, OBJECT_CONNECTOR, LIM_CONNECTORS));
	TRY(merge(c, NULL, &doc));
	TRY(take_document(c, doc, &o));
	if (world_connector_slug(call_world(c), c->project->o.project,
		o.slug) != NULL)
		return call_bad(c, E_EXISTS, "slug: %.*s is taken",
		    STR_ARG(o.slug));
	o.name = body_text(c, "name", o.slug);
	o.editors = &editor;
	o.editors_n = 1;
	o.created_by.u = c->actor->id;
	admin_new(c, OBJECT_CONNECTOR, c->project->o.project, &o.o);
	c->rec.body = c->req->body;
	call_touch(c, "connector", &o.o.id);
	TRY(admin_put(c, &o.o));
	return answer_created(c, project_path(c, "/connectors"), &o.o,
	    render_one);
}

static err
copy_of(struct call *c, const struct connector_object *old,
    struct connector_object *ret)
{
	const struct object *copy;

	TRY(admin_copy(c, &old->o, &copy));
	*ret = *(const struct connector_object *)copy;
	return OK;
}

/* Who changes it is one more who cannot approve it; the first change after an
 * approval begins another list. */
static err
add_editor(struct call *c, struct connector_object *o)
{
	struct uuid *e = arena_array(c->a, o->editors_n + 1, sizeof *e);
	size_t n = 0;

	TRY(arena_check(c->a));
	for (size_t i = 0; o->approved == 0 && i < o->editors_n; i++) {
		if (uuid_eq(&o->editors[i], &c->actor->id))
			return OK;
		e[n++] = o->editors[i];
	}
	if (n == LIM_LIST)
		return call_bad(c, E_LIMIT,
		    "%d people have edited it; somebody else must approve it",
		    LIM_LIST);
	e[n++] = c->actor->id;
	o->editors = e;
	o->editors_n = n;
	return OK;
}

/* Another document: another version, that waits for approval unless it was
 * never submitted. */
static err
change_document(struct call *c, struct connector_object *o)
{
	TRY(add_editor(c, o));
	o->number++;
	if (o->state != CONNECTOR_DRAFT)
		o->state = CONNECTOR_PENDING;
	o->approved = 0;
	o->approval = 0;
	o->approved_by = (struct principal_id){0};
	o->reason = STR("");
	return OK;
}

err
route_connector_patch(struct call *c)
{
	const struct connector_object *old;
	const struct json *was, *doc;
	struct connector_object o;

	TRY(find(c, &old));
	TRY(call_match(c, old->o.version));
	if (old->state == CONNECTOR_REVOKED)
		return call_bad(c, E_CONFLICT, "it is revoked, for good");
	TRY(copy_of(c, old, &o));
	TRY(json_parse(c->a, o.document, &connector_limits, &c->trail, &was));
	TRY(merge(c, was, &doc));
	c->rec.body = c->req->body;
	TRY(take_document(c, doc, &o));
	o.name = body_text(c, "name", o.name);
	if (o.name.n == 0)
		o.name = o.slug;
	if (!str_eq(o.document, old->document))
		TRY(change_document(c, &o));
	admin_touch(c, &o.o);
	TRY(admin_put(c, &o.o));
	return answer_object(c, 200, &o.o, render_one);
}

err
route_connector_delete(struct call *c)
{
	const struct connector_object *o;

	TRY(find(c, &o));
	TRY(call_match(c, o->o.version));
	TRY(admin_remove(c, OBJECT_CONNECTOR, &o->o.id));
	answer_empty(c, 204);
	return OK;
}

/* ---- states ---- */

/* A copy of the one in the path, when it is in one of these states. */
static err
take(struct call *c, unsigned states, const char *what,
    struct connector_object *ret)
{
	const struct connector_object *old;

	TRY(find(c, &old));
	TRY(call_match(c, old->o.version));
	if ((states >> old->state & 1) == 0)
		return call_bad(c, E_TRANSITION, "it is %s and cannot be %s",
		    connector_state_text(old->state), what);
	return copy_of(c, old, ret);
}

static err
put(struct call *c, struct connector_object *o)
{
	admin_touch(c, &o->o);
	TRY(admin_put(c, &o->o));
	return answer_object(c, 200, &o->o, render_one);
}

err
route_connector_submit(struct call *c)
{
	struct connector_object o;

	TRY(take(c, 1U << CONNECTOR_DRAFT | 1U << CONNECTOR_SUSPENDED,
	    "submitted", &o));
	TRY(connector_ready(call_world(c), &o, c->now, &c->trail));
	o.state = CONNECTOR_PENDING;
	o.reason = STR("");
	return put(c, &o);
}

/* "<connector>/<version>/<digest>": what a delegate looks for. */
static err
touch_version(struct call *c, const struct connector_object *o)
{
	char id[UUID_TEXT + 1];
	struct buf b;

	uuid_text(&o->o.id, id);
	buf_init_on(&b, c->a, 160);
	buf_fmt(&b, "%s/%u/", id, o->number);
	buf_str(&b, o->digest);
	TRY(buf_check(&b));
	BUG_ON(c->rec.resources >= AUDIT_RESOURCES);
	c->rec.resource[c->rec.resources].type = "connector_version";
	c->rec.resource[c->rec.resources++].ref = buf_view(&b);
	return OK;
}

static err
four_eyes(struct call *c, const struct connector_object *o)
{
	if (c->actor->kind != PRINCIPAL_USER)
		return call_bad(c, E_FORBIDDEN,
		    "a connector is approved by a person");
	for (size_t i = 0; i < o->editors_n; i++)
		if (uuid_eq(&o->editors[i], &c->actor->id))
			return call_bad(c, E_FORBIDDEN,
			    "you have edited it: somebody else must approve "
			    "it");
	return OK;
}

err
route_connector_approve(struct call *c)
{
	struct connector_object o;

	TRY(take(c, 1U << CONNECTOR_PENDING, "approved", &o));
	TRY(four_eyes(c, &o));
	if (!str_eq(json_str_at(c->body, STR("digest")), o.digest))
		return call_bad(c, E_STALE,
		    "digest: version %u is another document; read it again",
		    o.number);
	TRY(connector_ready(call_world(c), &o, c->now, &c->trail));
	o.state = CONNECTOR_APPROVED;
	o.approved = c->now;
	o.approved_by.u = c->actor->id;
	o.approval = ledger_next(writer_ledger(c->lane->writer));
	TRY(touch_version(c, &o));
	return put(c, &o);
}

static err
withdraw(struct call *c, unsigned states, enum connector_state to)
{
	struct connector_object o;

	TRY(take(c, states, connector_state_text(to), &o));
	o.state = to;
	o.reason = body_text(c, "reason", STR(""));
	c->rec.body = c->req->body;
	return put(c, &o);
}

err
route_connector_suspend(struct call *c)
{
	return withdraw(c, 1U << CONNECTOR_APPROVED | 1U << CONNECTOR_PENDING,
	    CONNECTOR_SUSPENDED);
}

err
route_connector_revoke(struct call *c)
{
	return withdraw(c,
	    1U << CONNECTOR_DRAFT | 1U << CONNECTOR_PENDING |
		1U << CONNECTOR_APPROVED | 1U << CONNECTOR_SUSPENDED,
	    CONNECTOR_REVOKED);
}
