/* incident_view.c: see incident_view.h. */
#include "flow/incident_view.h"
#include "flow/retention.h"

#include "base/limits.h"
#include "flow/person.h"
#include "flow/things.h"

static const struct json_limits doc_limits = {
    .depth = LIM_JSON_DEPTH + 4,
    .members = LIM_JSON_MEMBERS,
    .values = LIM_JSON_VALUES,
};

static void
subjects_of(const struct actor *who, int64_t now, struct subjects *ret)
{
	struct access_subject as[SUBJECTS_MAX];

	ret->n = access_subjects(who, now, as, SUBJECTS_MAX);
	for (size_t i = 0; i < ret->n; i++)
		ret->s[i] = (struct subject){as[i].kind, as[i].id};
}

void
caller_subjects(struct call *c, struct subjects *ret)
{
	subjects_of(c->actor, c->now, ret);
}

err
view_member(struct call *c, uint64_t seq, bool *ret)
{
	struct subjects me;

	caller_subjects(c, &me);
	TRY(store_member_any(c->lane->conn, seq, me.s, me.n, ret));
	if (!*ret || c->also == NULL)
		return OK;
	subjects_of(c->also, c->now, &me);
	return store_member_any(c->lane->conn, seq, me.s, me.n, ret);
}

err
view_own_member(struct call *c, uint64_t seq, bool *ret)
{
	struct subjects me;
	size_t n = 0;

	caller_subjects(c, &me);
	for (size_t i = 0; i < me.n; i++)
		if (me.s[i].kind != SUBJECT_GLASS)
			me.s[n++] = me.s[i];
	return store_member_any(c->lane->conn, seq, me.s, n, ret);
}

/* The decision about this incident; replaces c->grant. */
static err
ask_about(struct call *c, uint64_t seq, bool restricted,
    const struct resource *res)
{
	struct target t = {.perm = c->route->perm,
	    .project = c->project->o.project,
	    .restricted = restricted,
	    .res = res};

	if (restricted)
		TRY(view_member(c, seq, &t.member));
	return call_ask_about(c, &t, &c->grant);
}

static void
touched(struct call *c, bool hidden, const struct uuid *id, uint32_t key)
{
	if (hidden)
		call_touch_hidden(c, "incident", id);
	else
		call_touch(c, "incident", id);
	c->rec.body_key = key;
}

/* The row, from what was opened lately when nobody has changed an incident
 * since. */
static err
incident_by_id(struct call *c, const struct incident_id *id,
    struct incident_row *ret)
{
	struct lane *l = c->lane;
	const struct opened_one *kept = NULL;

	if (c->stamp != 0)
		kept = opened_row(&l->opened, id, c->stamp, l->snap->version,
		    c->now);
	if (kept == NULL)
		return store_incident_by_id(l->conn, id, c->a, ret);
	*ret = kept->row;
	ret->stored.bytes = arena_dup(c->a, ret->stored.bytes);
	return arena_check(c->a);
}

err
view_incident(struct call *c, size_t i, struct incident_row *ret)
{
	uint32_t project = c->project->o.project, key;
	struct resource thing;
	struct incident_id id;
	uint64_t number;
	struct str doc;

	/* A reactor has no view of the store open, so what it reads next is
	 * never older than the stamp. */
	if (c->lane->kind == LANE_REACTOR)
		c->stamp = store_incidents_stamp(c->lane->state->store);
	if (incident_number_parse(c->var[i], &number)) {
		TRY(store_incident_by_number(c->lane->conn, project, number,
		    c->a, ret));
	} else {
		TRY(call_uuid(c, i, &id.u));
		TRY(incident_by_id(c, &id, ret));
		if (ret->project != project)
			return err_of(E_NOT_FOUND);
	}
	TRY(seal_key_id(ret->stored, &key));
	touched(c, ret->private != 0, &ret->id.u, key);
	if (c->narrow) {
		TRY(incident_doc(c, ret, &doc));
		TRY(thing_incident(c, ret, ret->severity, doc, &thing));
		return ask_about(c, ret->seq, ret->private != 0, &thing);
	}
	return ret->private != 0 ? ask_about(c, ret->seq, true, NULL) : OK;
}

err
view_card(struct call *c, struct str ref, struct incident_card **ret)
{
	struct incident_card *i;
	struct resource thing;

	TRY(desk_incident(c, ref, &i));
	touched(c, i->head.restricted, &i->row.id.u, i->key);
	if (c->narrow) {
		TRY(desk_incident_doc(c->lane, i));
		TRY(thing_incident(c, &i->row, i->head.severity, i->doc,
		    &thing));
		TRY(ask_about(c, i->row.seq, i->head.restricted, &thing));
	} else if (i->head.restricted) {
		TRY(ask_about(c, i->row.seq, true, NULL));
	}
	*ret = i;
	return OK;
}

err
view_attached(struct call *c, uint64_t seq, struct incident_row *ret_row,
    bool *ret_visible)
{
	*ret_visible = true;
	if (seq == 0)
		return OK;
	TRY(store_incident_by_seq(c->lane->conn, seq, c->a, ret_row));
	if (ret_row->private != 0)
		TRY(view_member(c, seq, ret_visible));
	return OK;
}

err
incident_doc(struct call *c, const struct incident_row *r, struct str *ret)
{
	struct seal_where w = incident_where(r);
	struct lane *l = c->lane;
	uint64_t version = l->snap->version;
	const struct opened_one *kept = NULL;

	if (c->stamp != 0)
		kept = opened_doc(&l->opened, r, version, c->now);
	if (kept != NULL) {
		*ret = arena_dup(c->a, kept->doc);
		return arena_check(c->a);
	}
	TRY(lane_open_sealed(l, &w, r->stored, c->a, ret));
	if (c->stamp != 0)
		opened_keep(&l->opened, r, *ret, c->stamp, version, c->now);
	return OK;
}

/* The permission counts as needed when there is something to be read. */
static void
note_sight(struct call *c, struct str doc)
{
	if (doc.p != NULL && str_find(doc, STR("\"security_details\":\"")))
		permset_add(&c->asked, PERM_INCIDENT_SENSITIVE);
}

err
view_sight(struct call *c, const struct incident_row *row, uint8_t severity,
    struct str doc, const struct grant **ret)
{
	struct target t = {.perm = PERM_INCIDENT_SENSITIVE,
	    .project = row->project};
	struct resource thing;
	struct decision d;

	*ret = NULL;
	if (err_ok(access_grant(c->a, c->actor, &t, c->now, &d, ret))) {
		note_sight(c, doc);
		return OK;
	}
	t.some = true; /* for some incidents: perhaps for this one? */
	if (!access_decide(c->actor, &t, c->now).allowed)
		return OK;
	if (doc.p == NULL)
		TRY(incident_doc(c, row, &doc));
	TRY(thing_incident(c, row, severity, doc, &thing));
	t.some = false;
	t.res = &thing;
	err_ignore(access_grant(c->a, c->actor, &t, c->now, &d, ret),
	    "no grant is an answer");
	if (*ret != NULL)
		note_sight(c, doc);
	return OK;
}

size_t
guarded_names(struct str ret[GUARDED_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < fields_n && n < GUARDED_MAX; i++)
		if (fields[i].schema == SCHEMA_INCIDENT &&
		    fields[i].sensitive == FIELD_GUARDED)
			ret[n++] = fields[i].name;
	return n;
}

static bool
is_guarded(struct str name)
{
	struct str names[GUARDED_MAX];
	size_t n = guarded_names(names);

	for (size_t i = 0; i < n; i++)
		if (str_eq(names[i], name))
			return true;
	return false;
}

/* Members of an object with null for those that are guarded. */
static void
redacted_members(struct jw *w, const struct json *o)
{
	for (const struct json *j = json_first(o); j != NULL; j = j->next) {
		jw_name(w, j->name);
		if (is_guarded(j->name))
			jw_null(w);
		else
			jw_value(w, j);
	}
}

static void
redacted_json(struct jw *w)
{
	struct str names[GUARDED_MAX];
	size_t n = guarded_names(names);

	jw_karr(w, "redacted");
	for (size_t i = 0; i < n; i++)
		jw_str(w, names[i]);
	jw_arr_end(w);
}

err
incident_members_json(struct call *c, struct jw *w,
    const struct incident_row *row, const struct incident_head *h,
    struct str doc, const struct grant *sight)
{
	const struct json *j;

	jw_uuid(w, "id", &row->id.u);
	jw_ki64(w, "number", (int64_t)row->number);
	jw_kstr(w, "severity", severity_text(h->severity));
	jw_kstr(w, "status", incident_status_text(h->status));
	jw_kbool(w, "private", h->restricted);
	jw_ki64(w, "alert_count", h->alerts);
	jw_ki64(w, "timeline_count", h->entries);
	jw_time(w, "created_at", h->created);
	jw_time(w, "updated_at", h->updated);
	jw_time(w, "acknowledged_at", h->acknowledged);
	jw_time(w, "mitigated_at", h->mitigated);
	jw_time(w, "resolved_at", h->resolved);
	jw_time(w, "closed_at", h->closed);
	retention_expires(c, w, row->project, RETAIN_INCIDENT, &row->id.u,
	    h->closed);
	if (sight != NULL) {
		jw_raw_members(w, doc);
		return OK;
	}
	TRY(json_parse(c->a, doc, &doc_limits, &c->trail, &j));
	redacted_members(w, j);
	redacted_json(w);
	return OK;
}

err
answer_incident(struct call *c, struct incident_card *i, int status)
{
	const struct grant *sight;
	struct jw *w;

	TRY(desk_incident_doc(c->lane, i));
	TRY(view_sight(c, &i->row, i->head.severity, i->doc, &sight));
	w = answer(c, status);
	jw_obj(w);
	TRY(incident_members_json(c, w, &i->row, &i->head, i->doc, sight));
	jw_obj_end(w);
	answer_etag(c, i->head.version);
	return buf_check(&c->out);
}

/* What was changed in a guarded member is guarded, too. */
static err
redacted_item(struct call *c, struct str item)
{
	const struct json *j;

	TRY(json_parse(c->a, item, &doc_limits, &c->trail, &j));
	jw_obj(&c->w);
	for (j = json_first(j); j != NULL; j = j->next) {
		jw_name(&c->w, j->name);
		if (!str_is(j->name, "data")) {
			jw_value(&c->w, j);
			continue;
		}
		jw_obj(&c->w);
		redacted_members(&c->w, j);
		jw_obj_end(&c->w);
	}
	jw_obj_end(&c->w);
	return OK;
}

/* The blob is the item as it is answered (desk_entry). */
static err
timeline_item(struct call *c, const struct incident_row *r,
    const struct entry_row *e, bool redact)
{
	struct seal_where where = entry_where(r->project, r->seq, e->n);
	struct str item;

	TRY(lane_open_sealed(c->lane, &where, e->stored, c->a, &item));
	TRY(person_named(c, item, &item));
	if (redact && e->kind == ENTRY_CHANGED)
		return redacted_item(c, item);
	jw_raw(&c->w, item);
	return OK;
}

static err
timeline_read(struct call *c, const struct incident_row *r,
    const struct page_key *k, bool *ret_more, uint32_t *ret_last)
{
	size_t shown = 0, n = PIECE;
	err e = OK;

	while (err_ok(e) && n == PIECE && !*ret_more) {
		struct entry_row *row;
		struct scratch s;

		scratch_begin(c, &s);
		e = store_entry_list(c->lane->conn, r->seq, *ret_last,
		    k->newest_first, PIECE, c->a, &row, &n);
		for (size_t i = 0; err_ok(e) && i < n && !*ret_more; i++) {
			*ret_more = shown == k->max || c->out.n > PAGE_BYTES;
			if (*ret_more)
				break;
			e = timeline_item(c, r, &row[i], k->redacted);
			*ret_last = row[i].n;
			shown++;
		}
		scratch_end(c, &s);
	}
	TRY(e);
	return buf_check(&c->out);
}

err
timeline_items(struct call *c, const struct incident_row *r,
    const struct grant *sight, uint32_t after, bool newest_first, uint32_t max,
    bool *ret_more, uint32_t *ret_last)
{
	struct page_key k = {r->seq, r->entries, after, max, newest_first,
	    sight == NULL};
	uint64_t version = c->lane->snap->version;
	const struct page_kept *kept =
	    pages_find(&c->lane->pages, &k, version, c->now);
	size_t from = c->out.n;

	*ret_more = false;
	*ret_last = after;
	if (kept != NULL) {
		*ret_more = kept->more;
		*ret_last = kept->last;
		jw_raw(&c->w, kept->items);
		return buf_check(&c->out);
	}
	TRY(timeline_read(c, r, &k, ret_more, ret_last));
	pages_keep(&c->lane->pages, &k, version, c->now,
	    str_skip(buf_view(&c->out), from), *ret_last, *ret_more);
	return OK;
}
