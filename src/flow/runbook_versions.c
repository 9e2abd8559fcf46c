/*
 * runbook_versions.c: /v1/projects/{p}/runbooks/{n}/versions.  What a version
 * says never changes.  Others than its author and whoever uploaded it approve
 * it, naming its digest; with enough of them it can be published.
 */
#include "flow/admin_body.h"
#include "flow/handlers.h"
#include "flow/ledger.h"
#include "flow/runbook_refs.h"
#include "flow/runbooks.h"
#include "flow/writer.h"

/* ---- answers ---- */

static void
approvals_json(struct call *c, struct jw *w, const struct runbook_version *v)
{
	jw_karr(w, "approvals");
	for (size_t i = 0; i < v->approvals_n; i++) {
		const struct version_approval *p = &v->approvals[i];

		jw_obj(w);
		subject_json(w, "principal", PRINCIPAL_USER, &p->by);
		jw_kstr(w, "name",
		    world_principal_name(call_world(c), PRINCIPAL_USER,
			&p->by));
		jw_time(w, "at", p->at);
		jw_ki64(w, "seq", (int64_t)p->seq);
		jw_obj_end(w);
	}
	jw_arr_end(w);
}

/* What is named and is not there yet: it can be made later. */
static void
step_warnings(struct call *c, struct jw *w, const struct step *s)
{
	uint32_t project = c->project->o.project;
	const struct world *world = call_world(c);

	for (size_t i = 0; s->kind == STEP_SCRIPT && i < s->script.secrets_n;
	     i++)
		if (world_secret_name(world, project,
			s->script.secrets[i].name) == NULL) {
			jw_obj(w);
			jw_kstr(w, "step", s->id);
			jw_kstr(w, "no_secret", s->script.secrets[i].name);
			jw_obj_end(w);
		}
	for (size_t i = 0; s->kind == STEP_SCRIPT && i < s->script.connectors_n;
	     i++)
		if (world_connector_slug(world, project,
			s->script.connectors[i]) == NULL) {
			jw_obj(w);
			jw_kstr(w, "step", s->id);
			jw_kstr(w, "no_connector", s->script.connectors[i]);
			jw_obj_end(w);
		}
	if (s->kind == STEP_HTTP &&
	    world_connector_slug(world, project, s->http.connector) == NULL) {
		jw_obj(w);
		jw_kstr(w, "step", s->id);
		jw_kstr(w, "no_connector", s->http.connector);
		jw_obj_end(w);
	}
}

void
version_json(struct call *c, struct jw *w, const struct runbook_version *v,
    bool whole)
{
	jw_obj(w);
	jw_uuid(w, "runbook", &v->row.runbook);
	jw_ki64(w, "version", v->row.n);
	jw_kstr(w, "state", str_c(version_state_text(v->row.state)));
	jw_kstr(w, "digest", str_c(v->digest));
	subject_json(w, "author", v->author_kind, &v->author);
	subject_json(w, "uploader", v->uploader_kind, &v->uploader);
	jw_kstr(w, "note", v->note);
	jw_ki64(w, "approvals_needed", v->rb->approvals);
	approvals_json(c, w, v);
	jw_time(w, "created_at", v->row.created);
	jw_time(w, "published_at", v->published);
	if (whole) {
		jw_karr(w, "warnings");
		for (size_t i = 0; i < v->rb->steps_n; i++)
			step_warnings(c, w, v->rb->steps[i]);
		jw_arr_end(w);
		jw_kraw(w, "document", v->document);
	}
	jw_obj_end(w);
}

static err
answer_version(struct call *c, int status, const struct runbook_version *v)
{
	version_json(c, answer(c, status), v, true);
	return buf_check(&c->out);
}

/* "<uuid>/<n>/<digest>": what an approval's leaf names. */
static void
touch_version(struct call *c, const struct runbook_version *v)
{
	char id[UUID_TEXT + 1];
	struct buf b;

	if (c->rec.resources == AUDIT_RESOURCES)
		return;
	uuid_text(&v->row.runbook, id);
	buf_init_on(&b, c->a, 256);
	buf_fmt(&b, "%s/%u/%s", id, v->row.n, v->digest);
	c->rec.resource[c->rec.resources].type = "runbook_version";
	c->rec.resource[c->rec.resources].ref = buf_view(&b);
	c->rec.resources++;
}

/* ---- seeing ---- */

static err
after_of(struct call *c, uint32_t latest, uint32_t *ret)
{
	struct str at;

	TRY(cursor_take(c, &at));
	*ret = latest + 1;
	if (at.n == 0)
		return OK;
	if (at.n != sizeof *ret)
		return err_of(E_BAD_CURSOR);
	memcpy(ret, at.p, sizeof *ret);
	return OK;
}

/* Newest first, one opened at a time. */
err
route_version_list(struct call *c)
{
	const struct runbook_object *r;
	uint32_t n, shown = 0;

	TRY(call_runbook(c, &r));
	TRY(after_of(c, r->latest, &n));
	(void)list_begin(c);
	while (--n >= 1 && shown < c->query.limit) {
		struct runbook_version v = {0};
		struct scratch s;
		err e;

		scratch_begin(c, &s);
		e = runbook_version_load(c->lane, &r->o.id, n, c->a, &v);
		if (err_ok(e))
			version_json(c, &c->w, &v, false);
		scratch_end(c, &s);
		TRY(e);
		shown++;
	}
	n++; /* the last one shown */
	return list_end(c,
	    n > 1 && shown > 0 ? str_of((const char *)&n, sizeof n) : STR_NONE);
}

err
route_version_get(struct call *c)
{
	const struct runbook_object *r;
	struct runbook_version v;

	TRY(call_version(c, &r, &v));
	touch_version(c, &v);
	return answer_version(c, 200, &v);
}

/* ---- making ---- */

static err
read_author(struct call *c, struct runbook_version *v)
{
	const struct json *j = json_get(c->body, STR("author"));

	v->uploader_kind = c->actor->kind;
	v->uploader = c->actor->id;
	v->author_kind = c->actor->kind;
	v->author = c->actor->id;
	v->note = body_text(c, "note", STR(""));
	if (j == NULL || j->kind == JSON_NULL)
		return OK;
	if (!subject_of(j, &v->author_kind, &v->author) ||
	    v->author_kind == PRINCIPAL_GROUP ||
	    !subject_exists(call_world(c), v->author_kind, &v->author))
		return call_bad(c, E_INVALID,
		    "author: a user or service account there is");
	return OK;
}

err
version_make(struct call *c, const struct runbook_object *r,
    struct runbook_version *v)
{
	TRY(body_document(c, &v->rb, &v->document));
	if (!str_eq(v->rb->slug, r->slug))
		return call_bad(c, E_INVALID,
		    "slug: the runbook's is %.*s and stays", STR_ARG(r->slug));
	digest_text(v->document, v->digest);
	TRY(read_author(c, v));
	v->row.runbook = r->o.id;
	v->row.project = r->o.project;
	v->row.n = r->latest;
	v->row.state = VERSION_DRAFT;
	c->dirty = true;
	touch_version(c, v);
	return version_insert(c->lane, c->now, c->a, v);
}

/* Another version that says what the newest says is none. */
static err
says_more(struct call *c, const struct runbook_object *r)
{
	struct runbook_version last;
	const struct runbook *rb;
	struct str text;

	TRY(body_document(c, &rb, &text));
	TRY(runbook_version_load(c->lane, &r->o.id, r->latest, c->a, &last));
	if (str_eq(text, last.document))
		return call_bad(c, E_EXISTS,
		    "version %u, the newest, says the same", r->latest);
	return OK;
}

err
route_version_create(struct call *c)
{
	const struct runbook_object *old;
	struct runbook_version v = {0};
	struct runbook_object r;

	TRY(call_runbook(c, &old));
	TRY(call_match(c, old->o.version));
	TRY(runbook_copy(c, old, &r));
	if (r.archived)
		return call_bad(c, E_CONFLICT, "the runbook is archived");
	if (r.latest >= LIM_RUNBOOK_VERSIONS)
		return call_bad(c, E_LIMIT, "there are %u versions already",
		    r.latest);
	TRY(says_more(c, &r));
	r.latest++;
	TRY(version_make(c, &r, &v));
	admin_touch(c, &r.o);
	TRY(admin_put(c, &r.o));
	answer_location(c, "%s/%.*s/versions/%u", project_path(c, "/runbooks"),
	    STR_ARG(r.slug), v.row.n);
	return answer_version(c, 201, &v);
}

/* ---- approving ---- */

static bool
is_person(const struct runbook_version *v, const struct uuid *id)
{
	return uuid_eq(id, &v->author) || uuid_eq(id, &v->uploader);
}

static err
may_approve(struct call *c, const struct runbook_version *v)
{
	if (c->actor->kind != PRINCIPAL_USER)
		return call_bad(c, E_FORBIDDEN,
		    "a runbook is approved by a person");
	if (is_person(v, &c->actor->id))
		return call_bad(c, E_FORBIDDEN,
		    "somebody else must approve what you wrote or uploaded");
	for (size_t i = 0; i < v->approvals_n; i++)
		if (uuid_eq(&v->approvals[i].by, &c->actor->id))
			return call_bad(c, E_CONFLICT, "you have approved it");
	return OK;
}

/*
 * How many it takes: what the document says, and what the published one says
 * if that is more, so that fewer are asked for only after as many agreed.
 */
static err
approvals_needed(struct call *c, const struct runbook_object *r,
    const struct runbook_version *v, uint32_t *ret)
{
	struct runbook_version now;

	*ret = v->rb->approvals;
	if (r->current == 0 || r->current == v->row.n)
		return OK;
	TRY(runbook_version_load(c->lane, &r->o.id, r->current, c->a, &now));
	if (now.rb->approvals > *ret)
		*ret = now.rb->approvals;
	return OK;
}

/* Those of people who are still there. */
static uint32_t
approvals_live(struct call *c, const struct runbook_version *v)
{
	uint32_t n = 0;

	for (size_t i = 0; i < v->approvals_n; i++)
		n += world_principal_live(call_world(c), PRINCIPAL_USER,
		    &v->approvals[i].by);
	return n;
}

static err
add_approval(struct call *c, struct runbook_version *v)
{
	struct version_approval *p =
	    arena_array(c->a, v->approvals_n + 1, sizeof *p);

	if (p == NULL)
		return err_of(E_NO_MEMORY);
	if (v->approvals_n > 0)
		memcpy(p, v->approvals, v->approvals_n * sizeof *p);
	/* this call's entry is the next one, see writer.c */
	p[v->approvals_n++] = (struct version_approval){.by = c->actor->id,
	    .at = c->now,
	    .seq = ledger_next(writer_ledger(c->lane->writer))};
	v->approvals = p;
	return OK;
}

err
route_version_approve(struct call *c)
{
	struct str digest = body_text(c, "digest", STR(""));
	const struct runbook_object *r;
	struct runbook_version v;
	uint32_t need;

	TRY(call_version(c, &r, &v));
	touch_version(c, &v);
	if (!str_is(digest, v.digest))
		return call_bad(c, E_CONFLICT,
		    "digest: that is not what this version says");
	TRY(may_approve(c, &v));
	if (v.row.state != VERSION_DRAFT && v.row.state != VERSION_APPROVED)
		return call_bad(c, E_CONFLICT, "it is %s",
		    version_state_text(v.row.state));
	TRY(approvals_needed(c, r, &v, &need));
	TRY(add_approval(c, &v));
	if (approvals_live(c, &v) >= need)
		v.row.state = VERSION_APPROVED;
	c->dirty = true;
	TRY(version_update(c->lane, c->a, &v));
	return answer_version(c, 200, &v);
}

/* ---- publishing ---- */

static err
supersede(struct call *c, const struct runbook_object *r, uint32_t by)
{
	struct runbook_version old;

	if (r->current == 0 || r->current == by)
		return OK;
	TRY(runbook_version_load(c->lane, &r->o.id, r->current, c->a, &old));
	old.row.state = VERSION_SUPERSEDED;
	return version_update(c->lane, c->a, &old);
}

/* What the runbook shows of its published version. */
void
runbook_show(struct runbook_object *r, const struct runbook *rb)
{
	r->name = rb->name;
	r->pinned = rb->pinned;
	r->context = runbook_context_text(rb->context);
	r->types = rb->incident_types;
	r->types_n = rb->incident_types_n;
}

static err
may_publish(struct call *c, const struct runbook_object *r,
    const struct runbook_version *v)
{
	uint32_t need;

	if (r->archived)
		return call_bad(c, E_CONFLICT, "the runbook is archived");
	if (v->row.state == VERSION_PUBLISHED)
		return call_bad(c, E_CONFLICT, "it is published");
	TRY(approvals_needed(c, r, v, &need));
	if (approvals_live(c, v) < need)
		return call_bad(c, E_CONFLICT,
		    "it has %u of the %u approvals it needs",
		    approvals_live(c, v), need);
	return runbook_refs_check(c, r->o.project, v->rb);
}

err
route_version_publish(struct call *c)
{
	const struct runbook_object *old;
	struct runbook_version v;
	struct runbook_object r;

	TRY(call_version(c, &old, &v));
	TRY(call_match(c, old->o.version));
	touch_version(c, &v);
	TRY(runbook_copy(c, old, &r));
	TRY(may_publish(c, &r, &v));
	c->dirty = true;
	TRY(supersede(c, &r, v.row.n));
	v.row.state = VERSION_PUBLISHED;
	v.published = c->now;
	TRY(version_update(c->lane, c->a, &v));
	r.current = v.row.n;
	runbook_show(&r, v.rb);
	admin_touch(c, &r.o);
	TRY(admin_put(c, &r.o));
	return answer_version(c, 200, &v);
}
