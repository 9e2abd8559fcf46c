/* fold.c: see fold.h. */
#include "flow/fold.h"

#include "base/limits.h"
#include "flow/fire.h"
#include "flow/tags.h"
#include "flow/writer.h"

static const struct json_limits doc_limits = {
    .depth = LIM_JSON_DEPTH + 4,
    .members = LIM_JSON_MEMBERS,
    .values = LIM_JSON_VALUES,
};

err
fold_blind(struct lane *l, uint32_t project, const struct uuid *sender,
    struct fold_in *f)
{
	char text[16 + 1024]; /* map.c cuts both to less */
	size_t n = f->in.dedup_key.n;

	if (n > 1024 || f->in.group.n > 1024)
		return err_of(E_MAPPING);
	memcpy(text, sender->b, 16);
	memcpy(text + 16, f->in.dedup_key.p, n);
	TRY(lane_blind(l, project, "dedup key", str_of(text, 16 + n),
	    f->dedup));
	n = f->in.group.n;
	memcpy(text + 16, f->in.group.p, n);
	return tag_blind(l, project, TAG_GROUP, str_of(text, 16 + n), f->group);
}

/* ---- incidents of alerts ---- */

static struct str
alert_title(struct call *c, struct alert_card *a)
{
	const struct json *j;

	if (!err_ok(desk_alert_doc(c->lane, a)) ||
	    !err_ok(json_parse(c->a, a->doc, &doc_limits, &c->trail, &j)))
		return STR("");
	return json_str_at(j, STR("title"));
}

err
fold_note(struct call *c, struct alert_card *a, enum entry_kind kind,
    struct str text)
{
	char id[UUID_TEXT + 1];
	struct incident_card *i;
	struct buf data;

	if (a->row.incident == 0)
		return OK;
	TRY(desk_incident_seq(c->lane, a->row.incident, &i));
	uuid_text(&a->row.id.u, id);
	buf_init_on(&data, c->a, 256);
	buf_fmt(&data, "{\"alert\":\"%s\"}", id);
	return desk_entry(c, i, kind, false, 0,
	    text.n > 0 ? text : alert_title(c, a), buf_view(&data), NULL);
}

err
fold_attach(struct call *c, struct alert_card *a, struct incident_card *i)
{
	a->row.incident = i->row.seq;
	desk_alert_changed(a, STR_NONE);
	incident_attach(&i->head, c->now);
	TRY(desk_incident_changed(c, i, STR_NONE));
	return fold_note(c, a, ENTRY_ALERT, STR(""));
}

/* The new incident as the body somebody would have posted. */
static err
opened_body(struct call *c, struct alert_card *a, enum severity severity,
    const struct json **ret)
{
	static const char *const lists[][2] = {{"service", "services"},
	    {"environment", "environments"}};
	const struct json *j;
	struct str s;
	struct buf b;
	struct jw w;

	TRY(desk_alert_doc(c->lane, a));
	TRY(json_parse(c->a, a->doc, &doc_limits, &c->trail, &j));
	buf_init_on(&b, c->a, LIM_REPLY);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_kstr(&w, "title", json_str_at(j, STR("title")));
	jw_kstr(&w, "summary", json_str_at(j, STR("message")));
	jw_kstr(&w, "severity", severity_text(severity));
	for (size_t i = 0; i < 2; i++) {
		s = json_str_at(j, str_c(lists[i][0]));
		jw_name(&w, str_c(lists[i][1]));
		jw_arr(&w);
		if (s.n > 0)
			jw_str(&w, s);
		jw_arr_end(&w);
	}
	jw_obj_end(&w);
	TRY(buf_check(&b));
	return json_parse(c->a, buf_view(&b), &doc_limits, &c->trail, ret);
}

static struct str
opened_source(struct call *c, struct alert_card *a, bool by_rule)
{
	struct buf b;
	struct jw w;

	buf_init_on(&b, c->a, 1024);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_kstr(&w, "kind", str_c(by_rule ? "rule" : call_source_kind(c)));
	jw_uuid(&w, "principal", &c->actor->id);
	jw_name(&w, STR("credential"));
	jw_str(&w, call_credential(c, c->a));
	jw_kstr(&w, "address", c->actor->address);
	if (by_rule)
		jw_kstr(&w, "rule", STR("default"));
	jw_uuid(&w, "alert", &a->row.id.u);
	jw_obj_end(&w);
	return buf_view(&b);
}

err
fold_open(struct call *c, const struct grant *g, struct alert_card *a,
    enum severity severity, bool by_rule, struct incident_card **ret)
{
	const struct json *body;
	struct incident_head h;
	struct buf doc;

	TRY(opened_body(c, a, severity, &body));
	buf_init_on(&doc, c->a, LIM_REPLY);
	TRY(incident_create(g, body, opened_source(c, a, by_rule), c->now, &h,
	    &doc));
	TRY(desk_incident_new(c, &h, buf_view(&doc), ret));
	TRY(desk_entry(c, *ret, ENTRY_CREATED, true, 0,
	    by_rule ? STR("Opened by the default rule")
		    : STR("Opened from an alert"),
	    STR(""), NULL));
	return fold_attach(c, a, *ret);
}

/* The open incident of this group; *ret NULL when there is none. */
static err
group_incident(struct call *c, const struct fold_in *f,
    struct incident_card **ret)
{
	uint32_t project = c->project->o.project;
	uint64_t number;
	err e = store_tag_newest(c->lane->conn, project, TAG_GROUP, f->group,
	    &number);

	*ret = NULL;
	if (err_is(e, E_NOT_FOUND))
		return OK;
	TRY(e);
	if (number == 0)
		return OK;
	TRY(desk_incident_number(c->lane, project, number, ret));
	if (!incident_status_open((*ret)->head.status))
		*ret = NULL;
	return OK;
}

static err
apply_rule(struct call *c, const struct fold_in *f, struct alert_card *a,
    enum rule_does does, struct incident_card *group, struct fold_out *ret)
{
	if (does == RULE_JOINS)
		return fold_attach(c, a, group);
	if (does != RULE_OPENS)
		return OK;
	TRY(fold_open(c, c->grant, a, rule_severity(f->in.severity), true,
	    &ret->opened));
	return store_tag_add(c->lane->conn, c->project->o.project, TAG_GROUP,
	    f->group, ret->opened->row.number);
}

/* ---- folding ---- */

static struct str
source_text(struct call *c)
{
	struct buf b;
	struct jw w;

	buf_init_on(&b, c->a, 1024);
	jw_init(&w, &b);
	call_source_json(c, &w);
	return buf_view(&b);
}

struct str
fold_doc(struct call *c, const struct fold_in *f, enum rule_does does,
    size_t *ret_core)
{
	struct buf explain, doc;

	buf_init_on(&explain, c->a, 1024);
	rule_explain(&explain, &f->in, does);
	buf_init_on(&doc, c->a, LIM_REPLY);
	*ret_core = alert_doc(&doc, &f->in, source_text(c), buf_view(&explain));
	return buf_view(&doc);
}

static err
known(struct call *c, const struct fold_in *f, struct alert_card **ret)
{
	err e = desk_alert_dedup(c->lane, f->dedup, ret);

	if (err_is(e, E_NOT_FOUND)) {
		*ret = NULL;
		return OK;
	}
	TRY(e);
	return desk_alert_doc(c->lane, *ret);
}

static err
fold_known(struct call *c, const struct fold_in *f, struct alert_card *a,
    const struct alert_head *h, struct str doc, struct fold_out *ret)
{
	struct incident_card *group = NULL;
	enum rule_does does;

	c->dirty = true;
	a->head = *h;
	ret->alert = a;
	desk_alert_changed(a,
	    ret->did == ALERT_DID_CHANGE
		? arena_dup(desk_arena(writer_desk(c->lane->writer)), doc)
		: STR_NONE);
	if (ret->did == ALERT_DID_RESOLVE)
		return fold_note(c, a, ENTRY_ALERT_RESOLVED, STR(""));
	if (ret->did == ALERT_DID_ACK)
		return fold_note(c, a, ENTRY_ALERT_ACK, STR(""));
	if (ret->did != ALERT_DID_CHANGE || a->row.incident != 0)
		return OK;
	TRY(group_incident(c, f, &group));
	does = rule_default(&f->in, ret->did, false, group != NULL);
	return apply_rule(c, f, a, does, group, ret);
}

static err
fold_fresh(struct call *c, const struct fold_in *f, const struct alert_head *h,
    struct fold_out *ret)
{
	struct incident_card *group = NULL;
	enum rule_does does;
	struct str doc;
	size_t core;

	if (!f->in.resolved)
		TRY(group_incident(c, f, &group));
	does = rule_default(&f->in, ret->did, false, group != NULL);
	doc = fold_doc(c, f, does, &core);
	TRY(desk_alert_new(c, c->project->o.project, f->dedup, h, doc,
	    &ret->alert));
	return apply_rule(c, f, ret->alert, does, group, ret);
}

static err
fold_it(struct call *c, const struct fold_in *f, struct fold_out *ret)
{
	struct alert_card *a;
	struct alert_head h;
	struct str doc;
	size_t core;
	bool same;

	*ret = (struct fold_out){0};
	TRY(known(c, f, &a));
	doc = fold_doc(c, f, RULE_NOTHING, &core);
	TRY(arena_check(c->a));
	same = a != NULL && str_starts(a->doc, str_head(doc, core));
	ret->did = alert_fold(c->grant, a == NULL ? NULL : &a->head, &f->in,
	    same, c->now, &h);
	if (alert_did_new(ret->did))
		return fold_fresh(c, f, &h, ret);
	return fold_known(c, f, a, &h, doc, ret);
}

/* To be told to triggers: with its incident, once it has one. */
static err
tell(struct call *c, enum trigger_on on, struct alert_card *a)
{
	struct incident_card *i = NULL;

	if (a->row.incident != 0)
		TRY(desk_incident_seq(c->lane, a->row.incident, &i));
	return fire_happened(c, on, i, a, STR(""), ENTRY_ALERT, STR(""));
}

err
fold_alert(struct call *c, const struct fold_in *f, struct fold_out *ret)
{
	TRY(fold_it(c, f, ret));
	if (alert_did_new(ret->did) && !f->in.resolved)
		return tell(c, TRIGGER_ALERT_OPENED, ret->alert);
	return ret->did == ALERT_DID_RESOLVE ? fold_resolved(c, ret->alert)
					     : OK;
}

err
fold_resolved(struct call *c, struct alert_card *a)
{
	return tell(c, TRIGGER_ALERT_RESOLVED, a);
}

err
fold_touch(struct call *c, struct alert_card *a)
{
	struct incident_card *i;

	if (a->row.incident != 0) {
		TRY(desk_incident_seq(c->lane, a->row.incident, &i));
		if (i->head.restricted) {
			call_touch_hidden(c, "alert", &a->row.id.u);
			return OK;
		}
	}
	call_touch(c, "alert", &a->row.id.u);
	return OK;
}
