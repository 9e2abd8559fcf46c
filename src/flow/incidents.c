/* incidents.c: /v1/projects/{p}/incidents. */
#include "base/limits.h"
#include "base/time.h"
#include "flow/fire.h"
#include "flow/glass.h"
#include "flow/handlers.h"
#include "flow/incident_view.h"
#include "flow/person.h"
#include "flow/tags.h"
#include "flow/things.h"
#include "flow/writer.h"

enum { INCLUDE_ENTRIES = 50 };

static const struct json_limits doc_limits = {
    .depth = LIM_JSON_DEPTH + 4,
    .members = LIM_JSON_MEMBERS,
    .values = LIM_JSON_VALUES,
};

static struct str
source_of(struct call *c)
{
	struct buf b;
	struct jw w;

	buf_init_on(&b, c->a, 1024);
	jw_init(&w, &b);
	call_source_json(c, &w);
	return buf_view(&b);
}

/* ---- get ---- */

static err
include_timeline(struct call *c, const struct incident_row *r,
    const struct grant *sight)
{
	struct str what = c->query.raw[PARAM_INCLUDE];
	uint32_t last;
	bool more;

	if (what.p == NULL)
		return OK;
	if (!str_is(what, "timeline"))
		return call_bad(c, E_INVALID, "include: timeline");
	jw_karr(&c->w, "timeline");
	TRY(timeline_items(c, r, sight, 0, true, INCLUDE_ENTRIES, &more,
	    &last));
	jw_arr_end(&c->w);
	return OK;
}

err
route_incident_get(struct call *c)
{
	const struct grant *sight;
	struct incident_head h;
	struct incident_row row;
	struct str doc;
	struct jw *w;

	TRY(view_incident(c, 1, &row));
	TRY(incident_doc(c, &row, &doc));
	TRY(view_sight(c, &row, row.severity, doc, &sight));
	h = incident_head_of(&row);
	w = answer(c, 200);
	jw_obj(w);
	TRY(incident_members_json(c, w, &row, &h, doc, sight));
	glass_banner(c, w, row.project, &row.id.u);
	TRY(include_timeline(c, &row, sight));
	jw_obj_end(w);
	answer_etag(c, row.version);
	return OK;
}

/* ---- list ---- */

/* "sev0,sev1" as bits. */
static err
bits(struct call *c, enum param p, bool severity, uint32_t *ret)
{
	struct str all = c->query.raw[p], one;
	enum incident_status st;
	enum severity sev;

	while (all.n > 0) {
		(void)str_cut(all, ',', &one, &all);
		if (severity && severity_parse(one, &sev))
			*ret |= 1u << sev;
		else if (!severity && incident_status_parse(one, &st))
			*ret |= 1u << st;
		else
			return call_bad(c, E_INVALID, "%s: not known",
			    param_text(p));
	}
	return OK;
}

static err
sort_of(struct call *c, enum incident_sort *ret)
{
	static const struct {
		const char *text;
		enum incident_sort sort;
	} known[] = {{"newest", SORT_NEWEST}, {"-created_at", SORT_NEWEST},
	    {"oldest", SORT_OLDEST}, {"created_at", SORT_OLDEST},
	    {"severity", SORT_WORST}, {"-severity", SORT_MILDEST}};
	struct str s = c->query.raw[PARAM_SORT];

	*ret = SORT_NEWEST;
	if (s.p == NULL)
		return OK;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (str_is(s, known[i].text)) {
			*ret = known[i].sort;
			return OK;
		}
	}
	return call_bad(c, E_INVALID,
	    "sort: newest, oldest, severity or -severity");
}

struct list_filter {
	struct incident_filter f;
	struct subjects me;
	uint8_t service[BLIND_SIZE], type[BLIND_SIZE];
};

static err
filter_of(struct call *c, struct list_filter *l)
{
	struct str service = c->query.raw[PARAM_SERVICE];
	struct str type = c->query.raw[PARAM_TYPE];
	struct incident_filter *f = &l->f;

	f->project = c->project->o.project;
	TRY(bits(c, PARAM_STATUS, false, &f->statuses));
	TRY(bits(c, PARAM_SEVERITY, true, &f->severities));
	TRY(sort_of(c, &f->sort));
	f->from = c->query.from;
	f->to = c->query.to;
	caller_subjects(c, &l->me);
	f->as = l->me.s;
	f->as_n = l->me.n;
	if (service.p != NULL) {
		TRY(tag_blind(c->lane, f->project, TAG_SERVICE, service,
		    l->service));
		f->service = l->service;
	}
	if (type.p != NULL) {
		TRY(tag_blind(c->lane, f->project, TAG_TYPE, type, l->type));
		f->type = l->type;
	}
	return OK;
}

static err
position_take(struct call *c, struct incident_filter *f)
{
	struct str position;
	struct cur cur;

	TRY(cursor_take(c, &position));
	if (position.n == 0)
		return OK;
	cur = cur_of(position);
	f->after_number = cur_be64(&cur);
	f->after_severity = cur_u8(&cur);
	return err_of(cur_end(&cur) ? E_OK : E_BAD_CURSOR);
}

/* What one may not read is not found either. */
static bool
matches(const struct json *doc, struct str q, const struct grant *sight)
{
	struct str names[GUARDED_MAX];

	return incident_matches(doc, q, names,
	    sight == NULL ? guarded_names(names) : 0);
}

/* Shown, when there is no q or the document contains it. */
static err
list_item(struct call *c, const struct incident_row *r, struct str q,
    bool *ret_shown)
{
	struct incident_head h = incident_head_of(r);
	const struct grant *sight;
	struct resource thing;
	const struct json *j;
	struct str doc;

	TRY(incident_doc(c, r, &doc));
	*ret_shown = true;
	if (c->narrow) {
		TRY(thing_incident(c, r, r->severity, doc, &thing));
		*ret_shown = call_holds(c, &thing);
	}
	TRY(view_sight(c, r, r->severity, doc, &sight));
	if (*ret_shown && q.p != NULL) {
		TRY(json_parse(c->a, doc, &doc_limits, &c->trail, &j));
		*ret_shown = matches(j, q, sight);
	}
	if (!*ret_shown)
		return OK;
	jw_obj(&c->w);
	TRY(incident_members_json(c, &c->w, r, &h, doc, sight));
	jw_obj_end(&c->w);
	return buf_check(&c->out);
}

/* What of a page is done, and whether anything follows it. */
struct page {
	size_t shown, seen;
	bool more;
};

/* Rows until the page is full: *ret_full. */
static err
list_piece(struct call *c, const struct incident_row *row, size_t n,
    struct incident_filter *f, struct page *p, bool *ret_full)
{
	bool hit;

	*ret_full = true;
	for (size_t i = 0; i < n; i++) {
		p->more = true;
		if (p->shown == c->query.limit || p->seen >= LIM_SCAN ||
		    c->out.n > PAGE_BYTES)
			return OK;
		TRY(list_item(c, &row[i], c->query.raw[PARAM_Q], &hit));
		p->shown += hit;
		p->seen += 1 + row[i].stored.bytes.n / SCAN_BYTES;
		p->more = false;
		f->after_number = row[i].number;
		f->after_severity = row[i].severity;
	}
	*ret_full = false;
	return OK;
}

/*
 * One page.  With q rows are read and opened until the page is full or
 * LIM_SCAN rows were looked at; the cursor goes on from there either way.
 */
static err
list_page(struct call *c, struct incident_filter *f, struct page *p)
{
	bool full = false;
	err e = OK;

	while (err_ok(e) && !full) {
		struct incident_row *row;
		struct scratch s;
		size_t n;

		scratch_begin(c, &s);
		e = store_incident_list(c->lane->conn, f, PIECE, c->a, &row,
		    &n);
		if (err_ok(e))
			e = list_piece(c, row, n, f, p, &full);
		if (err_ok(e) && n < PIECE)
			full = true;
		scratch_end(c, &s);
	}
	return e;
}

static struct str
position_of(struct call *c, const struct incident_filter *f)
{
	struct buf b;

	buf_init_on(&b, c->a, 16);
	buf_be64(&b, f->after_number);
	buf_char(&b, (char)f->after_severity);
	return buf_view(&b);
}

err
route_incident_list(struct call *c)
{
	struct list_filter l = {0};
	struct page page = {0};

	if (c->query.raw[PARAM_Q].n > LIM_NAME * 4)
		return call_bad(c, E_INVALID, "q is too long");
	c->narrowed = true; /* row by row, in list_item */
	TRY(filter_of(c, &l));
	TRY(position_take(c, &l.f));
	(void)list_begin(c);
	TRY(list_page(c, &l.f, &page));
	return list_end(c, page.more ? position_of(c, &l.f) : STR_NONE);
}

/* ---- create, patch, move ---- */

/* Who may make some incidents only makes such ones. */
static err
ask_new(struct call *c)
{
	struct target t = {.perm = c->route->perm,
	    .project = c->project->o.project};
	struct resource thing;

	if (!c->narrow)
		return OK;
	TRY(thing_new_incident(c, &thing));
	t.res = &thing;
	if (err_ok(call_ask_about(c, &t, &c->grant)))
		return OK;
	return call_bad(c, E_FORBIDDEN,
	    "you may not declare an incident like this one");
}

static bool
sets_guarded(struct call *c)
{
	struct str names[GUARDED_MAX];
	size_t n = guarded_names(names);

	for (size_t i = 0; i < n; i++)
		if (json_get(c->body, names[i]) != NULL)
			return true;
	return false;
}

static err
refuse_guarded(struct call *c)
{
	return call_bad(c, E_FORBIDDEN,
	    "a sensitive member is set with incident.sensitive only");
}

static err
ask_guarded_new(struct call *c)
{
	struct target t = {.perm = PERM_INCIDENT_SENSITIVE,
	    .project = c->project->o.project};
	struct resource thing;

	if (!sets_guarded(c))
		return OK;
	TRY(thing_new_incident(c, &thing));
	t.res = &thing;
	if (!access_decide(c->actor, &t, c->now).allowed)
		return refuse_guarded(c);
	permset_add(&c->asked, PERM_INCIDENT_SENSITIVE);
	return OK;
}

static err
ask_guarded(struct call *c, const struct incident_card *i)
{
	const struct grant *sight;

	if (!sets_guarded(c))
		return OK;
	TRY(view_sight(c, &i->row, i->head.severity, i->doc, &sight));
	if (sight == NULL)
		return refuse_guarded(c);
	permset_add(&c->asked, PERM_INCIDENT_SENSITIVE);
	return OK;
}

err
route_incident_create(struct call *c)
{
	struct incident_card *i;
	struct incident_head h;
	struct subject me = {1, c->actor->id};
	struct buf doc;

	TRY(ask_new(c));
	TRY(ask_guarded_new(c));
	buf_init_on(&doc, c->a, LIM_BODY * 2);
	TRY(incident_create(c->grant, c->body, source_of(c), c->now, &h, &doc));
	TRY(desk_incident_new(c, &h, buf_view(&doc), &i));
	if (h.restricted)
		TRY(store_members_set(c->lane->conn, i->row.seq, &me, 1));
	TRY(desk_entry(c, i, ENTRY_CREATED, true, 0, STR("Incident declared"),
	    STR(""), NULL));
	if (h.restricted)
		call_touch_hidden(c, "incident", &i->row.id.u);
	else
		call_touch(c, "incident", &i->row.id.u);
	c->rec.body = c->req->body;
	c->rec.body_key = i->key;
	answer_location(c, "/v1/projects/%.*s/incidents/%llu",
	    STR_ARG(c->project->slug), (unsigned long long)i->row.number);
	return answer_incident(c, i, 201);
}

/* Who sees a private incident by breaking glass does not choose who else
 * does, nor stays. */
static err
own_member(struct call *c, const struct incident_card *i)
{
	bool own = true;

	if (i->head.restricted)
		TRY(view_own_member(c, i->row.seq, &own));
	if (own)
		return OK;
	return call_bad(c, E_FORBIDDEN,
	    "you see it by breaking glass; its members choose");
}

/* Making private or public is a permission of its own; who makes an incident
 * private stays among its members. */
static err
patch_private(struct call *c, struct incident_card *i, bool *ret_became)
{
	const struct grant *g;
	bool to;

	*ret_became = false;
	if (!json_bool(json_get(c->body, STR("private")), &to) ||
	    to == i->head.restricted)
		return OK;
	TRY(call_ask(c, PERM_INCIDENT_RESTRICT, i->row.project, &g));
	TRY(own_member(c, i));
	if (!to)
		TRY(call_fresh(c));
	*ret_became = to;
	return OK;
}

static err
check_commander(struct call *c)
{
	struct str s = json_str_at(c->body, STR("commander"));
	struct uuid u;

	if (s.p == NULL)
		return OK;
	if (!uuid_parse(s, &u) ||
	    !world_principal_live(call_world(c), PRINCIPAL_USER, &u))
		return call_bad(c, E_INVALID, "commander: no such user");
	return OK;
}

err
route_incident_patch(struct call *c)
{
	struct subject me = {1, c->actor->id};
	struct incident_card *i;
	const struct json *old;
	struct incident_head h;
	struct buf doc, changes;
	bool changed, became_private;

	TRY(view_card(c, c->var[1], &i));
	TRY(call_match(c, i->head.version));
	TRY(patch_private(c, i, &became_private));
	TRY(check_commander(c));
	TRY(desk_incident_doc(c->lane, i));
	TRY(ask_guarded(c, i));
	TRY(json_parse(c->a, i->doc, &doc_limits, &c->trail, &old));
	buf_init_on(&doc, c->a, LIM_BODY * 2);
	buf_init_on(&changes, c->a, LIM_BODY * 3);
	h = i->head;
	TRY(incident_patch(c->grant, &h, old, c->body, c->now, &doc, &changes,
	    &changed));
	c->rec.body = c->req->body;
	if (!changed)
		return answer_incident(c, i, 200);
	i->head = h;
	TRY(desk_incident_changed(c, i, buf_view(&doc)));
	if (became_private)
		TRY(store_members_set(c->lane->conn, i->row.seq, &me, 1));
	TRY(desk_entry(c, i, ENTRY_CHANGED, false, 0, STR("Incident changed"),
	    buf_view(&changes), NULL));
	TRY(fire_happened(c, TRIGGER_INCIDENT_UPDATED, i, NULL,
	    buf_view(&changes), ENTRY_CHANGED, STR("")));
	if (became_private)
		c->rec.resource[0].hidden = true;
	return answer_incident(c, i, 200);
}

err
route_incident_move(struct call *c)
{
	struct str note = json_str_at(c->body, STR("note")), from;
	struct incident_head h;
	struct incident_card *i;
	enum incident_status to;
	struct buf data;

	TRY(view_card(c, c->var[1], &i));
	TRY(call_match(c, i->head.version));
	if (!incident_status_parse(json_str_at(c->body, STR("to")), &to))
		return err_of(E_INVALID);
	h = i->head;
	TRY(incident_move(c->grant, &h, to, c->now, &c->trail));
	buf_init_on(&data, c->a, 256);
	buf_fmt(&data, "{\"from\":\"%.*s\",\"to\":\"%.*s\"}",
	    STR_ARG(incident_status_text(i->head.status)),
	    STR_ARG(incident_status_text(h.status)));
	from = incident_status_text(i->head.status);
	i->head = h;
	TRY(desk_incident_changed(c, i, STR_NONE));
	TRY(desk_entry(c, i, ENTRY_STATUS, true, 0,
	    note.p == NULL ? STR("") : note, buf_view(&data), NULL));
	buf_clear(&data);
	buf_fmt(&data, "{\"status\":{\"from\":\"%.*s\"}}", STR_ARG(from));
	TRY(fire_happened(c, TRIGGER_INCIDENT_UPDATED, i, NULL, buf_view(&data),
	    ENTRY_STATUS, STR("")));
	c->rec.body = c->req->body;
	return answer_incident(c, i, 200);
}

/* ---- members ---- */

static err
answer_members(struct call *c, const struct subject *m, size_t n,
    uint32_t version)
{
	struct jw *w = answer(c, 200);
	const struct world *world = call_world(c);

	jw_obj(w);
	jw_karr(w, "members");
	for (size_t i = 0; i < n; i++) {
		bool user = world_user(world, &m[i].id) != NULL;

		jw_obj(w);
		jw_kstr(w, "kind",
		    m[i].kind == 2 ? STR("group")
			: user	   ? STR("user")
				   : STR("service_account"));
		jw_uuid(w, "id", &m[i].id);
		jw_obj_end(w);
	}
	jw_arr_end(w);
	jw_obj_end(w);
	answer_etag(c, version);
	return OK;
}

err
route_members_get(struct call *c)
{
	struct incident_row row;
	struct subject *m;
	size_t n;

	TRY(view_incident(c, 1, &row));
	TRY(store_members(c->lane->conn, row.seq, c->a, &m, &n));
	return answer_members(c, m, glass_last(m, n), row.version);
}

static err
member_of(struct call *c, const struct json *j, struct subject *ret)
{
	struct str kind = json_str_at(j, STR("kind"));
	const struct world *w = call_world(c);
	bool known;

	if (!uuid_parse(json_str_at(j, STR("id")), &ret->id))
		return err_of(E_INVALID);
	ret->kind = str_is(kind, "group") ? 2 : 1;
	known = ret->kind == 2	   ? world_group(w, &ret->id) != NULL
	    : str_is(kind, "user") ? world_user(w, &ret->id) != NULL
				   : world_service_account(w, &ret->id) != NULL;
	if (!known)
		return call_bad(c, E_INVALID, "members: no such %.*s",
		    STR_ARG(kind));
	return OK;
}

/* These, and who sees it by broken glass, until that is over. */
static err
set_members(struct call *c, uint64_t seq, const struct subject *m, size_t n)
{
	struct subject *old, *all;
	size_t old_n, people;

	TRY(store_members(c->lane->conn, seq, c->a, &old, &old_n));
	people = glass_last(old, old_n);
	all = arena_array(c->a, n + old_n + 1, sizeof *all);
	TRY(arena_check(c->a));
	memcpy(all, m, n * sizeof *m);
	memcpy(all + n, old + people, (old_n - people) * sizeof *old);
	return store_members_set(c->lane->conn, seq, all, n + old_n - people);
}

err
route_members_put(struct call *c)
{
	const struct json *j = json_get(c->body, STR("members"));
	struct subject m[LIM_MEMBERS], *stored;
	struct incident_card *i;
	size_t n = 0;

	TRY(view_card(c, c->var[1], &i));
	TRY(call_match(c, i->head.version));
	TRY(own_member(c, i));
	for (j = json_first(j); j != NULL && n < LIM_MEMBERS; j = j->next)
		TRY(member_of(c, j, &m[n++]));
	if (n == 0)
		return call_bad(c, E_INVALID,
		    "members: nobody could see the incident any more");
	i->head.version++;
	TRY(desk_incident_changed(c, i, STR_NONE));
	TRY(set_members(c, i->row.seq, m, n));
	TRY(desk_entry(c, i, ENTRY_MEMBERS, false, 0, STR("Members changed"),
	    c->body->raw, NULL));
	c->rec.body = c->req->body;
	/* as a GET would tell it: each once */
	TRY(store_members(c->lane->conn, i->row.seq, c->a, &stored, &n));
	return answer_members(c, stored, glass_last(stored, n),
	    i->head.version);
}

/* ---- timeline ---- */

err
route_timeline_list(struct call *c)
{
	struct str order = c->query.raw[PARAM_ORDER], position;
	const struct grant *sight;
	struct incident_row row;
	uint32_t after = 0, last;
	bool newest = false, more;
	struct cur cur;
	struct buf b;

	if (order.p != NULL && !str_is(order, "asc") &&
	    !(newest = str_is(order, "desc")))
		return call_bad(c, E_INVALID, "order: asc or desc");
	TRY(view_incident(c, 1, &row));
	TRY(cursor_take(c, &position));
	if (position.n > 0) {
		cur = cur_of(position);
		after = cur_be32(&cur);
		if (!cur_end(&cur))
			return err_of(E_BAD_CURSOR);
	}
	(void)list_begin(c);
	TRY(view_sight(c, &row, row.severity, STR_NONE, &sight));
	TRY(timeline_items(c, &row, sight, after, newest, c->query.limit, &more,
	    &last));
	buf_init_on(&b, c->a, 8);
	buf_be32(&b, last);
	return list_end(c, more ? buf_view(&b) : STR_NONE);
}

err
route_timeline_add(struct call *c)
{
	struct str text = json_str_at(c->body, STR("text"));
	struct incident_card *i;
	bool key_event = false;
	int64_t occurred = 0;
	struct str item;

	(void)json_bool(json_get(c->body, STR("key_event")), &key_event);
	(void)time_parse(json_str_at(c->body, STR("occurred_at")), &occurred);
	if (text.n == 0)
		return call_bad(c, E_INVALID, "text is empty");
	if (occurred > c->now + 300000)
		return call_bad(c, E_INVALID, "occurred_at is in the future");
	TRY(view_card(c, c->var[1], &i));
	TRY(desk_entry(c, i, ENTRY_NOTE, key_event, occurred, text, STR(""),
	    &item));
	c->rec.body = c->req->body;
	TRY(person_named(c, item, &item));
	jw_raw(answer(c, 201), item);
	return OK;
}
