/* retention.c: see retention.h; /v1/projects/{p}/retention. */
#include "flow/retention.h"

#include "base/limits.h"
#include "base/time.h"
#include "flow/admin_body.h"
#include "flow/handlers.h"
#include "flow/holds.h"

enum { DAY_TEXT = 10, TERMS = 30 };
static const int64_t DAY_MS = INT64_C(86400000);

/* ---- bodies ---- */

static err
read_days(struct call *c, const struct json *of, const char *name, int64_t max,
    uint32_t *io)
{
	const struct json *j = json_get(of, str_c(name));
	int64_t v;

	if (j == NULL)
		return OK;
	if (!json_i64(j, 0, max, &v))
		return call_bad(c, E_INVALID, "retention.%.*s.%s: 0 to %lld",
		    STR_ARG(of->name), name, (long long)max);
	*io = (uint32_t)v;
	return OK;
}

static err
read_locked(struct call *c, const struct json *of, int64_t *io)
{
	const struct json *j = json_get(of, STR("locked"));
	struct str s;

	if (j == NULL)
		return OK;
	*io = 0;
	if (j->kind == JSON_NULL)
		return OK;
	if (!json_str(j, &s) || !time_parse(s, io))
		return call_bad(c, E_INVALID,
		    "retention.%.*s.locked: a time, RFC 3339",
		    STR_ARG(of->name));
	return OK;
}

static err
known_members(struct call *c, const struct json *of, bool project)
{
	const struct json *j;

	for (j = json_first(of); j != NULL; j = j->next) {
		if (str_is(j->name, "days") ||
		    (!project &&
			(str_is(j->name, "min_days") ||
			    str_is(j->name, "locked"))))
			continue;
		return call_bad(c, E_INVALID, "retention.%.*s.%.*s: %s",
		    STR_ARG(of->name), STR_ARG(j->name),
		    project ? "a project sets days only"
			    : "days, min_days or locked");
	}
	if (json_get(of, STR("days")) == NULL)
		return call_bad(c, E_MISSING, "retention.%.*s.days",
		    STR_ARG(of->name));
	return OK;
}

/* A locked one becomes longer only, until its time. */
static err
keeps_lock(struct call *c, struct str name, const struct retention_rule *old,
    const struct retention_rule *r)
{
	if (!old->set || old->locked <= c->now)
		return OK;
	if (r->set && r->days >= old->days && r->locked >= old->locked &&
	    r->min_days >= old->min_days)
		return OK;
	return call_bad(c, E_RETENTION_LOCKED,
	    "retention.%.*s: it is locked: %s", STR_ARG(name),
	    r->set && r->days < old->days ? "days may not become fewer"
					  : "it may not be unlocked");
}

static err
stricter(struct call *c, struct str name, enum retention_class k,
    const struct retention_rule *r)
{
	const struct world *w = call_world(c);
	const struct retention_rule *org = &world_policy(w)->retention[k];
	int64_t days = retention_days(w, 0, k);

	if (days != RETAIN_FOR_EVER && r->days > days)
		return call_bad(c, E_INVALID,
		    "retention.%.*s.days: the organization keeps it %lld days; "
		    "a project may keep it less, not longer",
		    STR_ARG(name), (long long)days);
	if (!org->set)
		return OK;
	if (org->locked > c->now && r->days < org->days)
		return call_bad(c, E_RETENTION_LOCKED,
		    "retention.%.*s.days: the organization has locked it at %u "
		    "days",
		    STR_ARG(name), org->days);
	if (r->days < org->min_days)
		return call_bad(c, E_INVALID,
		    "retention.%.*s.days: not fewer than the organization's "
		    "%u",
		    STR_ARG(name), org->min_days);
	return OK;
}

static err
read_rule(struct call *c, const struct json *j, enum retention_class k,
    bool project, struct retention_rule *io)
{
	struct retention_rule r = {.set = true,
	    .min_days = io->min_days,
	    .locked = io->locked};
	int64_t max = k == RETAIN_REPLY ? 1 : LIM_RETENTION_DAYS;

	if (j->kind == JSON_NULL) {
		r = (struct retention_rule){.set = false};
	} else if (j->kind != JSON_OBJECT) {
		return call_bad(c, E_INVALID, "retention.%.*s: {\"days\":n}",
		    STR_ARG(j->name));
	} else {
		TRY(known_members(c, j, project));
		TRY(read_days(c, j, "days", max, &r.days));
		TRY(read_days(c, j, "min_days", max, &r.min_days));
		TRY(read_locked(c, j, &r.locked));
	}
	if (r.set && r.days < r.min_days)
		return call_bad(c, E_INVALID,
		    "retention.%.*s.days: not fewer than min_days, %u",
		    STR_ARG(j->name), r.min_days);
	TRY(keeps_lock(c, j->name, io, &r));
	if (project && r.set)
		TRY(stricter(c, j->name, k, &r));
	*io = r;
	return OK;
}

err
retention_read(struct call *c, const struct json *classes, bool project,
    struct retention_rule rule[RETENTION_CLASSES])
{
	const struct json *j;
	enum retention_class k;

	for (j = json_first(classes); j != NULL; j = j->next) {
		if (!retention_class_parse(j->name, &k))
			return call_bad(c, E_INVALID,
			    "retention.%.*s: no class of data; incident, "
			    "alert, delivery, run, reply, audit_body, person "
			    "or secret_version",
			    STR_ARG(j->name));
		TRY(read_rule(c, j, k, project, &rule[k]));
	}
	return OK;
}

/* ---- answers ---- */

static void
rule_json(struct call *c, struct jw *w, uint32_t project,
    enum retention_class k)
{
	const struct world *world = call_world(c);
	const struct retention_rule *org = &world_policy(world)->retention[k];
	int64_t days = retention_days(world, project, k);

	jw_obj(w);
	jw_name(w, STR("days"));
	if (days == RETAIN_FOR_EVER)
		jw_null(w);
	else
		jw_i64(w, days);
	jw_ki64(w, "min_days", org->set ? org->min_days : 0);
	jw_time(w, "locked", org->set ? org->locked : 0);
	jw_kstr(w, "by", str_c(retention_by(world, project, k)));
	jw_obj_end(w);
}

void
retention_json(struct call *c, struct jw *w, uint32_t project)
{
	for (unsigned k = 0; k < RETENTION_CLASSES; k++) {
		jw_name(w,
		    str_c(retention_class_text((enum retention_class)k)));
		rule_json(c, w, project, (enum retention_class)k);
	}
}

static err
answer_project(struct call *c, const struct project *p)
{
	struct jw *w = answer(c, 200);

	jw_obj(w);
	retention_json(c, w, p->o.project);
	jw_obj_end(w);
	answer_etag(c, p->o.version);
	return buf_check(&c->out);
}

err
route_retention_get(struct call *c)
{
	call_touch(c, "project", &c->project->o.id);
	return answer_project(c, c->project);
}

err
route_retention_put(struct call *c)
{
	const struct object *copy;
	struct project p;

	call_touch(c, "project", &c->project->o.id);
	TRY(call_match(c, c->project->o.version));
	TRY(admin_copy(c, &c->project->o, &copy));
	p = *(const struct project *)copy;
	TRY(retention_read(c, c->body, true, p.retention));
	admin_touch(c, &p.o);
	TRY(admin_put(c, &p.o));
	c->rec.body = c->req->body;
	return answer_project(c, &p);
}

/* ---- when ---- */

bool
retention_of_keys(enum seal_class class, enum retention_class *ret)
{
	switch (class) {
	case SEAL_CLASS_ALERT:
		*ret = RETAIN_ALERT;
		return true;
	case SEAL_CLASS_PAYLOAD:
		*ret = RETAIN_DELIVERY;
		return true;
	case SEAL_CLASS_AUDIT:
		*ret = RETAIN_AUDIT_BODY;
		return true;
	case SEAL_CLASS_REPLY:
		*ret = RETAIN_REPLY;
		return true;
	default:
		return false;
	}
}

static int64_t
term_ms(int64_t days)
{
	if (days <= 0)
		return 0;
	return days <= TERMS ? DAY_MS : days * (DAY_MS / TERMS);
}

int64_t
retention_term_ms(const struct world *w, uint32_t project,
    enum seal_class class)
{
	enum retention_class k;

	return retention_of_keys(class, &k)
	    ? term_ms(retention_days(w, project, k))
	    : 0;
}

void
retention_expires(struct call *c, struct jw *w, uint32_t project,
    enum retention_class k, const struct uuid *incident, int64_t at)
{
	int64_t days = retention_days(call_world(c), project, k);
	char text[TIME_TEXT + 1];

	jw_name(w, STR("expires_on"));
	if (days == RETAIN_FOR_EVER || at == 0 ||
	    hold_covers(call_world(c), project, incident, c->now) != NULL) {
		jw_null(w);
		return;
	}
	at += days * DAY_MS;
	if (k == RETAIN_ALERT || k == RETAIN_DELIVERY)
		at += term_ms(days);
	time_text(at, text);
	jw_str(w, str_of(text, DAY_TEXT));
}
