/* runbooks.c: versions of runbooks, in the store and read.  See runbooks.h. */
#include "flow/runbooks.h"

#include "base/json_canon.h"
#include "base/limits.h"
#include "base/rand.h"
#include "flow/admin_body.h"

enum { AROUND = 65536 }; /* of a blob: all that is not the document */

const char *
version_state_text(unsigned s)
{
	static const char *const text[] = {"unknown", "draft", "approved",
	    "published", "superseded"};

	return text[s < sizeof text / sizeof *text ? s : 0];
}

const struct runbook_object *
runbook_find(const struct world *w, uint32_t project, struct str id_or_slug)
{
	const struct runbook_object *r;
	struct uuid id;

	if (!uuid_parse(id_or_slug, &id))
		return world_runbook_slug(w, project, id_or_slug);
	r = world_runbook(w, &id);
	return r != NULL && r->o.project == project ? r : NULL;
}

/* ---- reading ---- */

static struct seal_where
where_of(const struct version_row *r)
{
	struct seal_where w = {.table = SEAL_TABLE_RUNBOOK,
	    .schema = 1,
	    .project = r->project};

	seal_where_id(&w, &r->id);
	return w;
}

static bool
read_approvals(struct arena *a, const struct json *list,
    struct runbook_version *v)
{
	struct version_approval *p;
	int64_t seq;

	if (list == NULL || list->kind != JSON_ARRAY)
		return false;
	p = arena_array(a, list->count + 1, sizeof *p);
	if (p == NULL)
		return false;
	v->approvals = p;
	for (const struct json *j = json_first(list); j != NULL; j = j->next) {
		if (!uuid_parse(json_str_at(j, STR("by")), &p->by) ||
		    !json_i64(json_get(j, STR("at")), 0, INT64_MAX, &p->at) ||
		    !json_i64(json_get(j, STR("seq")), 1, INT64_MAX, &seq))
			return false;
		p++->seq = (uint64_t)seq;
		v->approvals_n++;
	}
	return true;
}

static bool
read_head(struct arena *a, const struct json *j, struct runbook_version *v)
{
	v->note = json_str_at(j, STR("note"));
	return subject_of(json_get(j, STR("author")), &v->author_kind,
		   &v->author) &&
	    subject_of(json_get(j, STR("uploader")), &v->uploader_kind,
		&v->uploader) &&
	    json_i64(json_get(j, STR("published")), 0, INT64_MAX,
		&v->published) &&
	    read_approvals(a, json_get(j, STR("approvals")), v);
}

static err
read_version(struct arena *a, struct str text, struct runbook_version *v)
{
	static const struct json_limits lim = {LIM_JSON_DEPTH + 2,
	    LIM_JSON_MEMBERS, LIM_JSON_VALUES + 100};
	const struct json *j = NULL, *doc;

	TRY(json_parse(a, text, &lim, NULL, &j));
	doc = json_get(j, STR("document"));
	if (doc == NULL || !read_head(a, j, v)) {
		TRY(arena_check(a));
		return err_of(E_CORRUPT);
	}
	v->document = doc->raw;
	digest_text(v->document, v->digest);
	return runbook_parse(doc, a, NULL, &v->rb);
}

err
runbook_version_load(struct lane *l, const struct uuid *runbook, uint32_t n,
    struct arena *a, struct runbook_version *ret)
{
	struct runbook_version v = {0};
	struct seal_where w;
	struct str text;
	err e;

	TRY(store_version_get(l->conn, runbook, n, a, &v.row));
	w = where_of(&v.row);
	TRY(lane_open_sealed(l, &w, v.row.stored, a, &text));
	e = read_version(a, text, &v);
	if (!err_ok(e) && !err_is(e, E_NO_MEMORY))
		return err_of(E_CORRUPT);
	TRY(e);
	*ret = v;
	return OK;
}

err
runbook_current(struct lane *l, const struct runbook_object *r, struct arena *a,
    struct trail *t, struct runbook_version *ret)
{
	if (r->archived || r->current == 0) {
		trail_set(t, "%s",
		    r->archived ? "the runbook is archived"
				: "no version of the runbook is published");
		return err_of(E_CONFLICT);
	}
	return runbook_version_load(l, &r->o.id, r->current, a, ret);
}

/* ---- writing ---- */

static void
put_version(struct jw *w, const struct runbook_version *v)
{
	jw_obj(w);
	jw_kraw(w, "document", v->document);
	subject_json(w, "author", v->author_kind, &v->author);
	subject_json(w, "uploader", v->uploader_kind, &v->uploader);
	jw_kstr(w, "note", v->note);
	jw_ki64(w, "published", v->published);
	jw_karr(w, "approvals");
	for (size_t i = 0; i < v->approvals_n; i++) {
		jw_obj(w);
		jw_uuid(w, "by", &v->approvals[i].by);
		jw_ki64(w, "at", v->approvals[i].at);
		jw_ki64(w, "seq", (int64_t)v->approvals[i].seq);
		jw_obj_end(w);
	}
	jw_arr_end(w);
	jw_obj_end(w);
}

static err
seal_version(struct lane *l, struct arena *a, const struct runbook_version *v,
    struct sealed *ret)
{
	struct seal_where where = where_of(&v->row);
	struct buf b;
	struct jw w;

	buf_init_on(&b, a, LIM_RUNBOOK + AROUND);
	jw_init(&w, &b);
	put_version(&w, v);
	TRY(buf_check(&b));
	return lane_seal(l, 0, SEAL_CLASS_OBJECT, &where, buf_view(&b), a, ret);
}

err
version_insert(struct lane *l, int64_t now, struct arena *a,
    struct runbook_version *v)
{
	TRY(store_version_last(l->conn, &v->row.seq));
	v->row.seq++;
	v->row.id = rand_uuid(now);
	v->row.created = now;
	TRY(seal_version(l, a, v, &v->row.sealed));
	return store_version_insert(l->conn, &v->row);
}

err
version_update(struct lane *l, struct arena *a, const struct runbook_version *v)
{
	struct version_row row = v->row;

	TRY(seal_version(l, a, v, &row.sealed));
	return store_version_update(l->conn, &row);
}

/* ---- of a call ---- */

err
call_runbook(struct call *c, const struct runbook_object **ret)
{
	*ret = runbook_find(call_world(c), c->project->o.project, c->var[1]);
	if (*ret == NULL)
		return err_of(E_NOT_FOUND);
	call_touch(c, "runbook", &(*ret)->o.id);
	return OK;
}

err
call_version(struct call *c, const struct runbook_object **ret_r,
    struct runbook_version *ret)
{
	uint64_t n;

	TRY(call_runbook(c, ret_r));
	if (!str_u64(c->var[2], 1, UINT32_MAX, &n))
		return err_of(E_NOT_FOUND);
	return runbook_version_load(c->lane, &(*ret_r)->o.id, (uint32_t)n, c->a,
	    ret);
}

err
body_document(struct call *c, const struct runbook **ret, struct str *ret_text)
{
	const struct json *doc = json_get(c->body, STR("document"));
	err e;

	TRY(runbook_parse(doc, c->a, &c->trail, ret));
	e = json_canon_text(c->a, doc, LIM_RUNBOOK, ret_text);
	if (err_is(e, E_NO_MEMORY))
		return call_bad(c, E_TOO_LARGE,
		    "a runbook has at most %d bytes", LIM_RUNBOOK);
	return e;
}

err
runbook_copy(struct call *c, const struct runbook_object *old,
    struct runbook_object *ret)
{
	const struct object *copy;

	TRY(admin_copy(c, &old->o, &copy));
	*ret = *(const struct runbook_object *)copy;
	return OK;
}
