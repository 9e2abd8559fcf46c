/* incident.c: see incident.h. */
#include "domain/incident.h"

static const enum severity severity_default = SEV3;

/* The members of the document in their order; what stands for absence. */
static const struct {
	struct str name;
	const char *empty;
} members[] = {
    {{"title", 5}, "\"\""},
    {{"summary", 7}, "null"},
    {{"type", 4}, "null"},
    {{"services", 8}, "[]"},
    {{"environments", 12}, "[]"},
    {{"fields", 6}, "{}"},
    {{"security_details", 16}, "null"},
    {{"commander", 9}, "null"},
};
enum { MEMBERS = sizeof members / sizeof *members };

struct span {
	size_t from, to;
};

static void
put_member(struct jw *w, size_t i, const struct json *body,
    const struct json *old)
{
	const struct json *j = json_get(body, members[i].name);

	if (j == NULL)
		j = json_get(old, members[i].name);
	jw_name(w, members[i].name);
	if (j == NULL)
		jw_raw(w, str_c(members[i].empty));
	else
		jw_value(w, j);
}

/* Writes the document; ret_at, when not NULL, gets where each member's value
 * begins and ends in it. */
static void
put_doc(struct buf *doc, const struct json *body, const struct json *old,
    struct str source, struct span ret_at[MEMBERS])
{
	struct jw w;

	jw_init(&w, doc);
	jw_obj(&w);
	for (size_t i = 0; i < MEMBERS; i++) {
		size_t at = doc->n;

		put_member(&w, i, body, old);
		if (ret_at != NULL)
			ret_at[i] = (struct span){at, doc->n};
	}
	jw_kraw(&w, "source", source);
	jw_obj_end(&w);
}

err
incident_create(const struct grant *g, const struct json *body,
    struct str source, int64_t now, struct incident_head *ret, struct buf *doc)
{
	enum severity sev = severity_default;
	bool restricted = false;

	BUG_ON(grant_perm(g) != PERM_INCIDENT_CREATE &&
	    grant_perm(g) != PERM_INGEST && grant_perm(g) != PERM_ALERT_ACT &&
	    grant_perm(g) != PERM_ALERT_CREATE);
	if (json_get(body, STR("severity")) != NULL &&
	    !severity_parse(json_str_at(body, STR("severity")), &sev))
		return err_of(E_INVALID);
	(void)json_bool(json_get(body, STR("private")), &restricted);
	put_doc(doc, body, NULL, source, NULL);
	*ret = (struct incident_head){
	    .severity = (uint8_t)sev,
	    .status = INCIDENT_NEW,
	    .restricted = restricted,
	    .version = 1,
	    .created = now,
	    .updated = now,
	};
	return buf_check(doc);
}

/* `"name":value` without the name. */
static struct str
value_at(const struct buf *doc, struct span at, size_t i)
{
	size_t skip = members[i].name.n + 3; /* two quotes and the colon */
	struct str s = str_of(doc->p + at.from, at.to - at.from);

	if (s.n > 0 && s.p[0] == ',')
		skip++;
	return str_skip(s, skip);
}

static bool
change_member(struct jw *w, size_t i, const struct json *old, struct str to)
{
	const struct json *j = json_get(old, members[i].name);
	struct str from = j == NULL ? str_c(members[i].empty) : j->raw;

	if (str_eq(from, to))
		return false;
	jw_name(w, members[i].name);
	jw_obj(w);
	jw_kraw(w, "from", from);
	jw_kraw(w, "to", to);
	jw_obj_end(w);
	return true;
}

static bool
change_severity(struct incident_head *h, const struct json *body, struct jw *w)
{
	struct str s = json_str_at(body, STR("severity"));
	enum severity sev;

	if (s.p == NULL || !severity_parse(s, &sev) || sev == h->severity)
		return false;
	jw_kobj(w, "severity");
	jw_kstr(w, "from", severity_text(h->severity));
	jw_kstr(w, "to", s);
	jw_obj_end(w);
	h->severity = (uint8_t)sev;
	return true;
}

static bool
change_private(struct incident_head *h, const struct json *body, struct jw *w)
{
	bool b;

	if (!json_bool(json_get(body, STR("private")), &b) ||
	    b == h->restricted)
		return false;
	jw_kobj(w, "private");
	jw_kbool(w, "from", h->restricted);
	jw_kbool(w, "to", b);
	jw_obj_end(w);
	h->restricted = b;
	return true;
}

err
incident_patch(const struct grant *g, struct incident_head *h,
    const struct json *old_doc, const struct json *body, int64_t now,
    struct buf *doc, struct buf *changes, bool *ret_changed)
{
	const struct json *source = json_get(old_doc, STR("source"));
	struct span at[MEMBERS];
	bool any = false;
	struct jw w;

	BUG_ON(grant_perm(g) != PERM_INCIDENT_EDIT);
	jw_init(&w, changes);
	jw_obj(&w);
	any |= change_severity(h, body, &w);
	any |= change_private(h, body, &w);
	put_doc(doc, body, old_doc, source == NULL ? STR("null") : source->raw,
	    at);
	TRY(buf_check(doc));
	for (size_t i = 0; i < MEMBERS; i++)
		any |= change_member(&w, i, old_doc, value_at(doc, at[i], i));
	jw_obj_end(&w);
	if (any) {
		h->version++;
		h->updated = now;
	}
	*ret_changed = any;
	return buf_check(changes);
}

err
incident_move(const struct grant *g, struct incident_head *h,
    enum incident_status to, int64_t now, struct trail *t)
{
	BUG_ON(grant_perm(g) != PERM_INCIDENT_EDIT);
	if (!incident_status_may_follow(h->status, to)) {
		trail_set(t, "%.*s cannot follow %.*s",
		    STR_ARG(incident_status_text(to)),
		    STR_ARG(incident_status_text(h->status)));
		return err_of(E_TRANSITION);
	}
	if (to == INCIDENT_INVESTIGATING && !incident_status_open(h->status))
		h->resolved = h->closed = 0; /* reopened */
	if (to == INCIDENT_CANCELLED || to == INCIDENT_CLOSED)
		h->closed = now;
	if (to == INCIDENT_RESOLVED || to == INCIDENT_CLOSED)
		h->resolved = h->resolved != 0 ? h->resolved : now;
	if (to == INCIDENT_MONITORING || to == INCIDENT_RESOLVED)
		h->mitigated = h->mitigated != 0 ? h->mitigated : now;
	if (to != INCIDENT_CANCELLED && h->acknowledged == 0)
		h->acknowledged = now;
	h->status = (uint8_t)to;
	h->version++;
	h->updated = now;
	return OK;
}

void
incident_attach(struct incident_head *h, int64_t now)
{
	h->alerts++;
	h->updated = now;
}

uint32_t
incident_next_entry(struct incident_head *h, int64_t now)
{
	h->updated = now;
	return ++h->entries;
}

static bool
value_matches(const struct json *j, struct str q)
{
	const struct json *k;

	if (j->kind == JSON_STRING || j->kind == JSON_NUMBER)
		return str_ifind(j->text, q);
	for (k = json_first(j); k != NULL; k = k->next)
		if (value_matches(k, q)) /* depth is bounded by the parser */
			return true;
	return false;
}

static bool
among(const struct str *list, size_t n, struct str s)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(list[i], s))
			return true;
	return false;
}

bool
incident_matches(const struct json *doc, struct str q, const struct str *but,
    size_t but_n)
{
	for (size_t i = 0; i < MEMBERS; i++) {
		const struct json *j = json_get(doc, members[i].name);

		if (j != NULL && !among(but, but_n, members[i].name) &&
		    value_matches(j, q))
			return true;
	}
	return false;
}

bool
incident_number_parse(struct str s, uint64_t *ret)
{
	if (s.n > 4 && str_ieq(str_head(s, 4), STR("INC-")))
		s = str_skip(s, 4);
	return str_u64(s, 1, INT64_MAX, ret);
}
