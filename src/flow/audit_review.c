/* audit_review.c: see audit_review.h; /v1/audit/reviews. */
#include "flow/audit_review.h"

#include "audit/leaf.h"
#include "base/limits.h"
#include "base/log.h"
#include "flow/admin_body.h"
#include "flow/handlers.h"

enum { DAY_MS = 86400000, REMIND_EVERY_MS = DAY_MS };

/* ---- what is unreviewed ---- */

err
audit_unreviewed(struct lane *l, struct arena *a, const struct world *w,
    struct audit_unreviewed *ret)
{
	const struct audit_review *r = world_audit_reviewed(w);
	int64_t days = world_policy(w)->audit_review_days;
	struct audit_entry e;
	struct str leaf;
	uint64_t last;

	*ret = (struct audit_unreviewed){.first = 1};
	if (r != NULL) {
		ret->first = r->through + 1;
		ret->reviewed = r->o.created;
	}
	TRY(store_audit_last(l->conn, &last));
	if (last < ret->first)
		return OK;
	ret->entries = last - ret->first + 1;
	TRY(store_audit_get(l->conn, ret->first, a, &leaf));
	TRY(audit_leaf_read(a, leaf, &e));
	ret->since = e.time;
	ret->due = (r != NULL ? r->o.created : e.time) + days * DAY_MS;
	return OK;
}

void
audit_review_remind(struct lane *l, int64_t now, int64_t *next)
{
	struct audit_unreviewed u;
	struct arena a;
	err e;

	if (now < *next)
		return;
	arena_init(&a, (size_t)1024 * 1024);
	e = audit_unreviewed(l, &a, l->snap->world, &u);
	arena_done(&a);
	if (!err_ok(e) || u.due == 0 || now < u.due)
		return;
	*next = now + REMIND_EVERY_MS;
	log_event(LOG_AUDIT_REVIEW_DUE, KVN("entries", u.entries),
	    KVN("days", (now - u.since) / DAY_MS));
}

/* ---- answers ---- */

static void
render(struct call *c, struct jw *w, const struct object *o)
{
	const struct audit_review *r = (const struct audit_review *)o;

	jw_obj(w);
	jw_uuid(w, "id", &o->id);
	jw_ki64(w, "from", (int64_t)r->from);
	jw_ki64(w, "through", (int64_t)r->through);
	jw_uuid(w, "reviewer", &r->reviewer.u);
	jw_kstr(w, "name",
	    world_principal_name(call_world(c), PRINCIPAL_USER,
		&r->reviewer.u));
	jw_kstr(w, "note", r->note);
	jw_ki64(w, "findings", r->findings);
	jw_time(w, "created_at", o->created);
	jw_obj_end(w);
}

static void
unreviewed_json(struct call *c, struct jw *w, const struct audit_unreviewed *u)
{
	jw_kobj(w, "unreviewed");
	jw_ki64(w, "first", (int64_t)u->first);
	jw_ki64(w, "entries", (int64_t)u->entries);
	jw_time(w, "since", u->since);
	jw_time(w, "reviewed_at", u->reviewed);
	jw_time(w, "due_at", u->due);
	jw_kbool(w, "overdue", u->due != 0 && c->now >= u->due);
	jw_obj_end(w);
}

/* Newest first, behind the cursor's: ids rise with time. */
err
route_audit_review_list(struct call *c)
{
	struct str after, position = STR_NONE;
	const struct object *const *o;
	struct audit_unreviewed u;
	size_t n, shown = 0;
	struct jw *w;

	TRY(cursor_take(c, &after));
	if (after.n != 0 && after.n != 16)
		return err_of(E_BAD_CURSOR);
	TRY(audit_unreviewed(c->lane, c->a, call_world(c), &u));
	w = answer(c, 200);
	jw_obj(w);
	unreviewed_json(c, w, &u);
	jw_karr(w, "items");
	o = world_objects(call_world(c), OBJECT_AUDIT_REVIEW, &n);
	for (size_t i = n; i > 0; i--) {
		const struct object *r = o[i - 1];

		if (after.n != 0 && memcmp(r->id.b, after.p, 16) >= 0)
			continue;
		if (shown++ == c->query.limit)
			return list_end(c, position);
		render(c, w, r);
		position = str_of((const char *)r->id.b, 16);
	}
	return list_end(c, STR_NONE);
}

/* ---- reviewing ---- */

/* The oldest makes room: its entry in the log, and its note there, stay. */
static err
make_room(struct call *c)
{
	const struct object *const *o;
	struct uuid id;
	size_t n;

	o = world_objects(call_world(c), OBJECT_AUDIT_REVIEW, &n);
	if (n < LIM_AUDIT_REVIEWS)
		return OK;
	id = o[0]->id;
	return admin_remove(c, OBJECT_AUDIT_REVIEW, &id);
}

static err
read_body(struct call *c, struct audit_review *r)
{
	const struct json *j = json_get(c->body, STR("through"));
	int64_t through, findings = 0;
	struct audit_unreviewed u;

	TRY(audit_unreviewed(c->lane, c->a, call_world(c), &u));
	if (u.entries == 0)
		return call_bad(c, E_CONFLICT, "everything was reviewed");
	r->from = u.first;
	r->through = u.first + u.entries - 1;
	if (j != NULL) {
		if (!json_i64(j, (int64_t)r->from, (int64_t)r->through,
			&through))
			return call_bad(c, E_INVALID,
			    "through: %llu to %llu are unreviewed",
			    (unsigned long long)r->from,
			    (unsigned long long)r->through);
		r->through = (uint64_t)through;
	}
	j = json_get(c->body, STR("findings"));
	if (j != NULL && !json_i64(j, 0, UINT32_MAX, &findings))
		return call_bad(c, E_INVALID, "findings: how many");
	r->findings = (uint32_t)findings;
	r->note = str_trim(body_text(c, "note", STR("")));
	if (r->note.n == 0)
		return call_bad(c, E_INVALID,
		    "note: what was looked for, and what was found");
	return OK;
}

err
route_audit_review_add(struct call *c)
{
	struct audit_review r = {.reviewer.u = c->actor->id};

	if (c->actor->kind != PRINCIPAL_USER)
		return call_bad(c, E_FORBIDDEN,
		    "a person reviews the log, not an account");
	TRY(read_body(c, &r));
	TRY(make_room(c));
	admin_new(c, OBJECT_AUDIT_REVIEW, 0, &r.o);
	TRY(admin_put(c, &r.o));
	c->rec.body = c->req->body;
	call_touch(c, "audit_review", &r.o.id);
	call_touch_num(c, "audit", r.through);
	return answer_created(c, "/v1/audit/reviews", &r.o, render);
}
