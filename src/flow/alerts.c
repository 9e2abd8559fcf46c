/* alerts.c: /v1/projects/{p}/alerts. */
#include "base/limits.h"
#include "base/rand.h"
#include "flow/admin_body.h"
#include "flow/fold.h"
#include "flow/handlers.h"
#include "flow/incident_view.h"
#include "flow/retention.h"
#include "flow/things.h"
#include "flow/writer.h"

static const struct json_limits doc_limits = {
    .depth = LIM_JSON_DEPTH + 4,
    .members = LIM_JSON_MEMBERS,
    .values = LIM_JSON_VALUES,
};

static void
alert_json(struct call *c, struct jw *w, const struct alert_row *r,
    const struct alert_head *h, const struct uuid *incident, struct str doc)
{
	jw_obj(w);
	jw_uuid(w, "id", &r->id.u);
	jw_kstr(w, "severity", alert_severity_text(h->severity));
	jw_kstr(w, "status", alert_status_text(h->status));
	jw_ki64(w, "count", h->count);
	jw_time(w, "first_seen", h->first_seen);
	jw_time(w, "last_seen", h->last_seen);
	jw_time(w, "resolved_at", h->resolved);
	retention_expires(c, w, r->project, RETAIN_ALERT, incident,
	    h->resolved > h->last_seen ? h->resolved
		: h->resolved != 0     ? h->last_seen
				       : 0);
	if (incident == NULL)
		jw_knull(w, "incident");
	else
		jw_uuid(w, "incident", incident);
	jw_raw_members(w, doc);
	jw_obj_end(w);
}

static void
touch_row(struct call *c, const struct alert_row *r, bool hidden)
{
	if (hidden)
		call_touch_hidden(c, "alert", &r->id.u);
	else
		call_touch(c, "alert", &r->id.u);
}

/* The decision about this alert; replaces c->grant.  incident: the one it is
 * attached to, or NULL; restricted, when that one is private. */
static err
ask_about(struct call *c, const struct alert_row *r,
    const struct uuid *incident, bool restricted, bool member, struct str doc)
{
	struct target t = {.perm = c->route->perm,
	    .project = r->project,
	    .restricted = restricted,
	    .member = member};
	struct resource thing;

	if (!restricted && !c->narrow)
		return OK;
	if (c->narrow) {
		TRY(thing_alert(c, r, incident, doc, &thing));
		t.res = &thing;
	}
	return call_ask_about(c, &t, &c->grant);
}

/* ---- get, list ---- */

err
route_alert_get(struct call *c)
{
	struct incident_row incident;
	struct alert_head h;
	struct alert_row row;
	struct seal_where w;
	struct alert_id id;
	struct str doc;
	bool visible;

	TRY(call_uuid(c, 1, &id.u));
	TRY(store_alert_by_id(c->lane->conn, &id, c->a, &row));
	if (row.project != c->project->o.project)
		return err_of(E_NOT_FOUND);
	TRY(view_attached(c, row.incident, &incident, &visible));
	touch_row(c, &row, row.incident != 0 && incident.private != 0);
	w = alert_where(&row);
	TRY(lane_open_sealed(c->lane, &w, row.stored, c->a, &doc));
	TRY(ask_about(c, &row, row.incident == 0 ? NULL : &incident.id.u,
	    row.incident != 0 && incident.private != 0, visible, doc));
	h = alert_head_of(&row);
	(void)answer(c, 200);
	alert_json(c, &c->w, &row, &h,
	    row.incident == 0 ? NULL : &incident.id.u, doc);
	answer_etag(c, row.version);
	return OK;
}

static err
bits(struct call *c, enum param p, bool severity, uint32_t *ret)
{
	struct str all = c->query.raw[p], one;
	enum alert_severity sev;
	enum alert_status st;

	while (all.n > 0) {
		(void)str_cut(all, ',', &one, &all);
		if (severity && alert_severity_parse(one, &sev))
			*ret |= 1u << sev;
		else if (!severity && alert_status_parse(one, &st))
			*ret |= 1u << st;
		else
			return call_bad(c, E_INVALID, "%s: not known",
			    param_text(p));
	}
	return OK;
}

/* One alert of a page; *ret_shown false: q is not in it. The incident's id
 * is looked up, unless it is the one of the alert before. */
static err
list_item(struct call *c, const struct alert_row *r, struct incident_row *last,
    bool *ret_shown)
{
	struct alert_head h = alert_head_of(r);
	struct seal_where w = alert_where(r);
	struct str q = c->query.raw[PARAM_Q], doc;
	struct resource thing;
	const struct json *j;

	TRY(lane_open_sealed(c->lane, &w, r->stored, c->a, &doc));
	*ret_shown = true;
	if (q.p != NULL) {
		TRY(json_parse(c->a, doc, &doc_limits, &c->trail, &j));
		*ret_shown = alert_matches(j, q);
	}
	if (!*ret_shown)
		return OK;
	if (r->incident != 0 && r->incident != last->seq)
		TRY(store_incident_by_seq(c->lane->conn, r->incident, c->a,
		    last));
	if (c->narrow) {
		TRY(thing_alert(c, r, r->incident == 0 ? NULL : &last->id.u,
		    doc, &thing));
		*ret_shown = call_holds(c, &thing);
	}
	if (!*ret_shown)
		return OK;
	alert_json(c, &c->w, r, &h, r->incident == 0 ? NULL : &last->id.u, doc);
	return buf_check(&c->out);
}

struct page {
	size_t shown, seen;
	bool more, full;
	struct incident_row incident;
};

static err
list_piece(struct call *c, struct alert_filter *f, struct page *p)
{
	struct alert_row *row;
	bool hit;
	size_t n;

	TRY(store_alert_list(c->lane->conn, f, PIECE, c->a, &row, &n));
	for (size_t i = 0; i < n; i++) {
		p->more = true;
		p->full = p->shown == c->query.limit || p->seen >= LIM_SCAN ||
		    c->out.n > PAGE_BYTES;
		if (p->full)
			return OK;
		TRY(list_item(c, &row[i], &p->incident, &hit));
		p->shown += hit;
		p->seen += 1 + row[i].stored.bytes.n / SCAN_BYTES;
		p->more = false;
		f->after = row[i].seq;
	}
	p->full = n < PIECE;
	return OK;
}

static err
list_alerts(struct call *c, uint64_t incident)
{
	struct alert_filter f = {.project = c->project->o.project,
	    .incident = incident,
	    .from = c->query.from,
	    .to = c->query.to};
	struct page page = {0};
	struct str position;
	struct subjects me;
	struct cur cur;
	struct buf b;
	err e = OK;

	c->narrowed = true; /* row by row, in list_item */
	caller_subjects(c, &me);
	f.as = me.s;
	f.as_n = me.n;
	TRY(bits(c, PARAM_STATUS, false, &f.statuses));
	TRY(bits(c, PARAM_SEVERITY, true, &f.severities));
	TRY(cursor_take(c, &position));
	if (position.n > 0) {
		cur = cur_of(position);
		f.after = cur_be64(&cur);
		if (!cur_end(&cur))
			return err_of(E_BAD_CURSOR);
	}
	(void)list_begin(c);
	while (err_ok(e) && !page.full) {
		struct scratch s;

		scratch_begin(c, &s);
		e = list_piece(c, &f, &page);
		scratch_end(c, &s);
	}
	TRY(e);
	buf_init_on(&b, c->a, 8);
	buf_be64(&b, f.after);
	return list_end(c, page.more ? buf_view(&b) : STR_NONE);
}

/* The alert of one id, if there is one and the caller may see it. */
static err
list_one(struct call *c, struct str text, struct incident_row *last)
{
	struct incident_row incident = {0};
	struct alert_row row;
	struct alert_id id;
	bool visible, hit;
	err e;

	if (!uuid_parse(text, &id.u))
		return call_bad(c, E_INVALID, "ids: not an id");
	e = store_alert_by_id(c->lane->conn, &id, c->a, &row);
	if (err_is(e, E_NOT_FOUND))
		return OK;
	TRY(e);
	if (row.project != c->project->o.project)
		return OK;
	TRY(view_attached(c, row.incident, &incident, &visible));
	return visible ? list_item(c, &row, last, &hit) : OK;
}

static err
list_ids(struct call *c, struct str ids, uint64_t from, uint64_t *ret_next)
{
	struct incident_row last = {0};
	struct scratch s;
	struct str one;
	uint64_t n = 0;
	err e;

	for (*ret_next = 0; ids.n > 0; n++) {
		(void)str_cut(ids, ',', &one, &ids);
		if (n == LIM_IDS)
			return call_bad(c, E_INVALID, "ids: at most %d",
			    LIM_IDS);
		if (n < from || *ret_next > 0)
			continue;
		if (c->out.n > PAGE_BYTES) {
			*ret_next = n;
			continue;
		}
		scratch_begin(c, &s);
		last.seq = 0; /* it went with the scratch */
		e = list_one(c, one, &last);
		scratch_end(c, &s);
		TRY(e);
	}
	return OK;
}

/* Those of ids, in that order: what changed, of a list somebody has. */
static err
list_some(struct call *c, struct str ids)
{
	struct str position;
	uint64_t from = 0;
	struct cur cur;
	struct buf b;

	for (enum param p = 0; p < PARAM_MAX_; p++)
		if (p != PARAM_IDS && p != PARAM_CURSOR &&
		    c->query.raw[p].p != NULL)
			return call_bad(c, E_INVALID,
			    "ids goes with no other parameter");
	c->narrowed = true; /* row by row, in list_item */
	TRY(cursor_take(c, &position));
	if (position.n > 0) {
		cur = cur_of(position);
		from = cur_be64(&cur);
		if (!cur_end(&cur))
			return err_of(E_BAD_CURSOR);
	}
	(void)list_begin(c);
	TRY(list_ids(c, ids, from, &from));
	buf_init_on(&b, c->a, 8);
	buf_be64(&b, from);
	return list_end(c, from > 0 ? buf_view(&b) : STR_NONE);
}

err
route_alert_list(struct call *c)
{
	struct str ref = c->query.raw[PARAM_INCIDENT];
	struct incident_row row;

	if (c->query.raw[PARAM_IDS].p != NULL)
		return list_some(c, c->query.raw[PARAM_IDS]);
	if (c->query.raw[PARAM_Q].n > LIM_NAME * 4)
		return call_bad(c, E_INVALID, "q is too long");
	if (ref.p == NULL)
		return list_alerts(c, 0);
	c->var[1] = ref;
	TRY(view_incident(c, 1, &row));
	return list_alerts(c, row.seq);
}

err
route_incident_alerts(struct call *c)
{
	struct incident_row row;

	TRY(view_incident(c, 1, &row));
	return list_alerts(c, row.seq);
}

/* ---- by hand ---- */

static struct str
text_or(const struct json *body, struct str name, struct str otherwise)
{
	struct str s = json_str_at(body, name);

	return s.p == NULL ? otherwise : s;
}

static err
alert_of_body(struct call *c, struct alert_in *ret)
{
	const struct json *labels = json_get(c->body, STR("labels"));
	char *random = arena_get(c->a, 20);

	if (random == NULL)
		return err_of(E_NO_MEMORY);
	rand_base62(random, 20);
	*ret = (struct alert_in){
	    .title = json_str_at(c->body, STR("title")),
	    .message = text_or(c->body, STR("message"), STR("")),
	    .service = text_or(c->body, STR("service"), STR("")),
	    .environment = text_or(c->body, STR("environment"), STR("")),
	    .labels = labels == NULL ? STR("{}") : labels->raw,
	    .link = text_or(c->body, STR("link"), STR("")),
	    .dedup_key = text_or(c->body, STR("dedup_key"), str_of(random, 20)),
	    .severity = ALERT_WARNING,
	};
	ret->group = ret->dedup_key;
	if (json_get(c->body, STR("severity")) != NULL &&
	    !alert_severity_parse(json_str_at(c->body, STR("severity")),
		&ret->severity))
		return err_of(E_INVALID);
	return OK;
}

static err
answer_alert(struct call *c, struct alert_card *a, int status)
{
	struct incident_card *i = NULL;

	if (a->row.incident != 0)
		TRY(desk_incident_seq(c->lane, a->row.incident, &i));
	TRY(desk_alert_doc(c->lane, a));
	(void)answer(c, status);
	alert_json(c, &c->w, &a->row, &a->head, i == NULL ? NULL : &i->row.id.u,
	    a->doc);
	answer_etag(c, a->head.version);
	return buf_check(&c->out);
}

/* Is it of a private incident the caller is no member of? */
static err
hidden(struct call *c, const struct alert_card *a, bool *ret)
{
	struct incident_card *i;
	bool member;

	*ret = false;
	if (a->row.incident == 0)
		return OK;
	TRY(desk_incident_seq(c->lane, a->row.incident, &i));
	if (!i->head.restricted)
		return OK;
	TRY(view_member(c, i->row.seq, &member));
	*ret = !member;
	return OK;
}

/* It was taken in; what became of it, this caller may not know, nor that
 * there was one before. */
static err
answer_taken(struct call *c, const struct fold_in *f,
    const struct alert_card *a)
{
	struct alert_head h;
	size_t core;

	(void)alert_fold(c->grant, NULL, &f->in, false, c->now, &h);
	(void)answer(c, 201);
	alert_json(c, &c->w, &a->row, &h, NULL,
	    fold_doc(c, f, RULE_NOTHING, &core));
	answer_etag(c, h.version);
	return buf_check(&c->out);
}

err
route_alert_create(struct call *c)
{
	bool away;
	struct fold_in f;
	struct fold_out out;
	bool fresh;

	TRY(alert_of_body(c, &f.in));
	TRY(fold_blind(c->lane, c->project->o.project, &c->project->o.id, &f));
	TRY(fold_alert(c, &f, &out));
	TRY(fold_touch(c, out.alert));
	c->rec.body = c->req->body;
	TRY(hidden(c, out.alert, &away));
	fresh = out.did == ALERT_DID_OPEN || out.did == ALERT_DID_REOPEN;
	if (fresh || away) {
		char id[UUID_TEXT + 1];

		uuid_text(&out.alert->row.id.u, id);
		answer_location(c, "/v1/projects/%.*s/alerts/%s",
		    STR_ARG(c->project->slug), id);
	}
	if (away)
		return answer_taken(c, &f, out.alert);
	return answer_alert(c, out.alert, fresh ? 201 : 200);
}

/* The alert of {a}, as the caller may see it. */
static err
view_alert(struct call *c, struct alert_card **ret)
{
	struct incident_card *i = NULL;
	struct alert_card *a;
	struct alert_id id;
	bool restricted = false, member = false;

	TRY(call_uuid(c, 1, &id.u));
	TRY(desk_alert_id(c->lane, &id, &a));
	if (a->row.project != c->project->o.project)
		return err_of(E_NOT_FOUND);
	TRY(fold_touch(c, a));
	if (a->row.incident != 0) {
		TRY(desk_incident_seq(c->lane, a->row.incident, &i));
		c->rec.body_key = i->key;
		restricted = i->head.restricted;
		if (restricted)
			TRY(view_member(c, i->row.seq, &member));
	}
	if (c->narrow)
		TRY(desk_alert_doc(c->lane, a));
	TRY(ask_about(c, &a->row, i == NULL ? NULL : &i->row.id.u, restricted,
	    member, a->doc));
	*ret = a;
	return OK;
}

err
route_alert_ack(struct call *c)
{
	struct alert_card *a;
	struct alert_head h;

	TRY(view_alert(c, &a));
	TRY(call_match(c, a->head.version));
	h = a->head;
	TRY(alert_acknowledge(c->grant, &h, &c->trail));
	c->dirty = true;
	a->head = h;
	desk_alert_changed(a, STR_NONE);
	TRY(fold_note(c, a, ENTRY_ALERT_ACK,
	    json_str_at(c->body, STR("note"))));
	c->rec.body = c->req->body;
	return answer_alert(c, a, 200);
}

err
route_alert_resolve(struct call *c)
{
	struct alert_card *a;
	struct alert_head h;

	TRY(view_alert(c, &a));
	TRY(call_match(c, a->head.version));
	h = a->head;
	TRY(alert_resolve(c->grant, &h, c->now, &c->trail));
	c->dirty = true;
	a->head = h;
	desk_alert_changed(a, STR_NONE);
	TRY(fold_note(c, a, ENTRY_ALERT_RESOLVED,
	    json_str_at(c->body, STR("note"))));
	TRY(fold_resolved(c, a));
	c->rec.body = c->req->body;
	return answer_alert(c, a, 200);
}

/* To a new incident, or to the one the body names. */
err
route_alert_promote(struct call *c)
{
	struct str ref = json_str_at(c->body, STR("incident"));
	const struct grant *g;
	struct incident_card *i;
	struct alert_card *a;
	enum severity sev;

	TRY(view_alert(c, &a));
	if (a->row.incident != 0)
		return call_bad(c, E_CONFLICT,
		    "the alert belongs to an incident already");
	sev = rule_severity((enum alert_severity)a->head.severity);
	if (json_get(c->body, STR("severity")) != NULL &&
	    !severity_parse(json_str_at(c->body, STR("severity")), &sev))
		return err_of(E_INVALID);
	if (ref.p != NULL) {
		TRY(call_ask(c, PERM_INCIDENT_EDIT, a->row.project, &g));
		TRY(view_card(c, ref, &i));
		TRY(fold_attach(c, a, i));
		c->rec.resource[0].hidden |= i->head.restricted;
	} else {
		TRY(call_ask(c, PERM_INCIDENT_CREATE, a->row.project, &g));
		TRY(fold_open(c, g, a, sev, false, &i));
		call_touch(c, "incident", &i->row.id.u);
		c->rec.body_key = i->key;
	}
	c->rec.body = c->req->body;
	return answer_alert(c, a, 200);
}

/* ---- deliveries ---- */

err
route_delivery_list(struct call *c)
{
	const struct integration *in;
	struct principal_id id;
	struct delivery_row *row;
	struct str position;
	uint64_t after = 0;
	struct cur cur;
	struct buf b;
	struct jw *w;
	size_t n, i;

	TRY(admin_integration(c, &in));
	id.u = in->o.id;
	TRY(cursor_take(c, &position));
	if (position.n > 0) {
		cur = cur_of(position);
		after = cur_be64(&cur);
		if (!cur_end(&cur))
			return err_of(E_BAD_CURSOR);
	}
	TRY(store_delivery_list(c->lane->conn, &id, after,
	    (size_t)c->query.limit + 1, c->a, &row, &n));
	w = list_begin(c);
	for (i = 0; i < n && i < c->query.limit; i++) {
		jw_obj(w);
		jw_uuid(w, "id", &row[i].id.u);
		jw_time(w, "received_at", row[i].received);
		jw_kstr(w, "status",
		    row[i].status == DELIVERY_DEAD ? STR("dead_letter")
						   : STR("accepted"));
		jw_ki64(w, "alerts", row[i].alerts);
		jw_ki64(w, "bytes", row[i].bytes);
		retention_expires(c, w, row[i].project, RETAIN_DELIVERY, NULL,
		    row[i].received);
		jw_obj_end(w);
		after = row[i].seq;
	}
	buf_init_on(&b, c->a, 8);
	buf_be64(&b, after);
	return list_end(c, n > i ? buf_view(&b) : STR_NONE);
}
