/* events.c: see events.h. */
#include "flow/events.h"

#include "flow/asked.h"
#include "flow/incident_view.h"
#include "flow/ledger.h"
#include "store/run.h"

/* What one must be permitted to see to be told of an action. */
static const struct {
	const char *prefix;
	enum permission perm;
} needed[] = {
    {"incident.", PERM_INCIDENT_VIEW},
    {"timeline.", PERM_INCIDENT_VIEW},
    {"alert.", PERM_ALERT_VIEW},
    {"ingest.", PERM_ALERT_VIEW},
    {"integration.", PERM_INTEGRATION_VIEW},
    {"run.", PERM_RUN_VIEW},
    {"trigger.", PERM_RUNBOOK_VIEW},
    {"automation.", PERM_PROJECT_VIEW},
    {"project.", PERM_PROJECT_VIEW},
    {"user.", PERM_USER_VIEW},
    {"service_account.", PERM_USER_VIEW},
    {"group.", PERM_USER_VIEW},
    {"role.", PERM_ROLE_VIEW},
    {"binding.", PERM_ROLE_VIEW},
    {"resource_group.", PERM_ROLE_VIEW},
    {"break_glass.", PERM_PROJECT_VIEW},
    {"policy_tests.", PERM_ROLE_VIEW},
    {"token.", PERM_TOKEN_ADMIN},
    {"runbook.", PERM_RUNBOOK_VIEW},
    {"trigger.", PERM_RUNBOOK_VIEW},
    {"delegate.", PERM_DELEGATE_VIEW},
    {"task.", PERM_RUN_VIEW},
    {"connector.", PERM_CONNECTOR_VIEW},
    {"secret.", PERM_SECRET_VIEW},
    {"policy.", PERM_POLICY_VIEW},
    {"retention.", PERM_RETENTION_VIEW},
    {"hold.", PERM_HOLD_VIEW},
    {"key.", PERM_KEY_VIEW},
    {"idp.", PERM_IDP_VIEW},
    {"identity.", PERM_USER_VIEW},
    {"", PERM_AUDIT_VIEW},
};

/* What an event takes to be told, and whether the caller has that for some
 * resources only. */
struct need {
	enum permission perm;
	uint32_t project;
	bool narrow;
};

/* What somebody does about themselves, told to their own pages: other tabs
 * have to know, and it is no news to the person. */
static bool
own(struct call *c, const struct audit_entry *e, struct str action)
{
	struct uuid u;

	return c->actor->session != NULL &&
	    (str_starts(action, STR("session.")) ||
		str_starts(action, STR("credential.")) ||
		str_starts(action, STR("preferences."))) &&
	    uuid_parse(e->principal_id, &u) && uuid_eq(&u, &c->actor->id);
}

static bool
permitted(struct call *c, const struct audit_entry *e, struct need *ret)
{
	struct str action = str_c(audit_action_text(e->action));
	const struct project *p = NULL;
	struct target some = {.some = true};
	struct uuid u;
	size_t i = 0;

	/* a repeated answer changed nothing */
	if (e->outcome != AUDIT_OK || str_is(e->reason, "replayed") ||
	    audit_action_kind(e->action) != AUDIT_CHANGE)
		return false;
	if (e->project.n > 0 && uuid_parse(e->project, &u))
		p = world_project_id(call_world(c), &u);
	if (e->project.n > 0 && p == NULL)
		return false;
	while (!str_starts(action, str_c(needed[i].prefix)))
		i++;
	*ret =
	    (struct need){needed[i].perm, p == NULL ? 0 : p->o.project, false};
	if (call_can(c, ret->perm, ret->project) || own(c, e, action))
		return true;
	/* that all automation stands still everybody may know: freeze_get */
	if (p == NULL && str_starts(action, STR("automation.")))
		return true;
	some.perm = ret->perm;
	some.project = ret->project;
	ret->narrow = access_decide(c->actor, &some, c->now).allowed;
	return ret->narrow;
}

/* The hidden ids of an entry, from what is sealed beside it. */
static err
hidden_ids(struct call *c, struct arena *a, uint64_t seq, struct cur *ret)
{
	struct seal_where where = {.table = SEAL_TABLE_AUDIT, .schema = 1};
	struct stored stored;
	struct str plain;

	TRY(store_audit_body_get(c->lane->conn, seq, a, &stored));
	seal_where_num(&where, seq);
	TRY(lane_open_sealed(c->lane, &where, stored, a, &plain));
	*ret = cur_of(str_skip(plain, 32));
	(void)cur_u8(ret);
	return err_of(ret->failed ? E_CORRUPT : E_OK);
}

/*
 * May the caller see this incident, or alert, as it is now?  What was public
 * when the entry was written may be private by now.
 */
static bool
visible(struct call *c, struct arena *a, struct str type, const struct uuid *id)
{
	struct incident_row incident = {0};
	struct incident_id iid = {*id};
	struct alert_id aid = {*id};
	struct alert_row alert;
	bool member = false;
	struct run_row run;
	err e;

	if (str_is(type, "run")) {
		e = store_run_by_id(c->lane->conn, id, a, &run);
		if (err_ok(e) && run.incident == 0)
			return true;
		if (err_ok(e))
			e = store_incident_by_seq(c->lane->conn, run.incident,
			    a, &incident);
	} else if (str_is(type, "alert")) {
		e = store_alert_by_id(c->lane->conn, &aid, a, &alert);
		if (err_ok(e) && alert.incident == 0)
			return true;
		if (err_ok(e))
			e = store_incident_by_seq(c->lane->conn, alert.incident,
			    a, &incident);
	} else {
		e = store_incident_by_id(c->lane->conn, &iid, a, &incident);
	}
	if (!err_ok(e))
		return false;
	if (incident.private == 0)
		return true;
	return err_ok(view_member(c, incident.seq, &member)) && member;
}

/* Is it one of those the caller has that for?  Private or not was asked
 * before. */
static bool
in_reach(struct call *c, struct arena *a, const struct need *need,
    struct str type, struct str id)
{
	struct target t = {.perm = need->perm, .project = need->project};
	enum resource_type known;
	struct arena *own = c->a;
	uint64_t seq;
	bool there;

	if (!need->narrow || str_is(type, "break_glass"))
		return true;
	if (!resource_type_parse(type, &known))
		return false;
	c->a = a; /* the call lives as long as the stream */
	there = err_ok(asked_resource(c, type, id, &t, &seq));
	c->a = own;
	t.restricted = false;
	return there && access_decide(c->actor, &t, c->now).allowed;
}

/* The resources the caller may see; how many. */
static size_t
resources(struct call *c, struct arena *a, uint64_t seq,
    const struct audit_entry *e, const struct need *need, struct jw *w)
{
	struct cur hidden = {0};
	bool mine = str_starts(str_c(audit_action_text(e->action)),
	    STR("break_glass."));
	size_t shown = 0;
	bool opened = false;

	for (size_t i = 0; i < e->resources; i++) {
		struct str id = e->resource[i].id;
		struct str type = e->resource[i].type;
		char text[UUID_TEXT + 1];
		struct uuid u;

		if (str_starts(id, STR("priv:"))) {
			if (!opened && !err_ok(hidden_ids(c, a, seq, &hidden)))
				hidden.failed = true;
			opened = true;
			cur_bytes(&hidden, u.b, sizeof u.b);
			if (hidden.failed)
				continue;
			uuid_text(&u, text);
			id = str_of(text, UUID_TEXT);
		}
		if (str_is(type, "run") &&
		    (!uuid_parse(id, &u) || !visible(c, a, type, &u)))
			return 0; /* all of it is about what is not there */
		if ((str_is(type, "incident") || str_is(type, "alert")) &&
		    (!uuid_parse(id, &u) || !visible(c, a, type, &u)))
			continue;
		if (!in_reach(c, a, need, type, id))
			continue;
		jw_obj(w);
		jw_kstr(w, "id", id);
		jw_kstr(w, "type", type);
		jw_obj_end(w);
		/* under what glass it was done is not what it was done to */
		shown += mine || !str_is(type, "break_glass");
	}
	return shown;
}

void
event_text(struct call *c, struct arena *a, uint64_t seq, struct str leaf,
    struct buf *b)
{
	size_t before = b->n, shown;
	struct audit_entry e;
	struct need need;
	struct jw w;

	if (!err_ok(audit_leaf_read(a, leaf, &e)) || !permitted(c, &e, &need))
		return;
	buf_fmt(b, "id: %llu\nevent: %s\ndata: ", (unsigned long long)seq,
	    audit_action_text(e.action));
	jw_init(&w, b);
	jw_obj(&w);
	jw_ki64(&w, "seq", (int64_t)seq);
	jw_time(&w, "time", e.time);
	jw_kstr(&w, "action", str_c(audit_action_text(e.action)));
	jw_kobj(&w, "principal");
	jw_kstr(&w, "kind", e.principal_kind);
	jw_kstr(&w, "id", e.principal_id);
	jw_obj_end(&w);
	jw_name(&w, STR("project"));
	jw_str(&w,
	    need.project == 0
		? STR_NONE
		: world_project(call_world(c), need.project)->slug);
	jw_karr(&w, "resource");
	shown = resources(c, a, seq, &e, &need, &w);
	jw_arr_end(&w);
	jw_obj_end(&w);
	buf_c(b, "\n\n");
	if ((e.resources > 0 || need.narrow) && shown == 0)
		b->n = before; /* all of it is hidden from this caller */
}
