/* posture_evidence.c: see posture.h. */
#include "flow/posture.h"

#include <stdio.h>

#include "base/limits.h"
#include "flow/audit_review.h"
#include "flow/backup.h"

enum { DAY_MS = 86400000, BACKUP_DAYS = 2, KEPT = 20 };

/* One that is over opens nothing, and is asked about at every review. */
bool
posture_tokens_unexpired(struct call *c, char detail[POSTURE_DETAIL])
{
	const struct object *const *o;
	size_t n, over = 0, soon = 0;

	o = world_objects(call_world(c), OBJECT_TOKEN, &n);
	for (size_t i = 0; i < n; i++) {
		const struct token *t = (const struct token *)o[i];

		if (t->revoked != 0)
			continue;
		over += t->expires <= c->now;
		soon += t->expires > c->now &&
		    t->expires - c->now < (int64_t)7 * DAY_MS;
	}
	(void)snprintf(detail, POSTURE_DETAIL,
	    "expired tokens that were not revoked: %zu; that expire within a "
	    "week: %zu",
	    over, soon);
	return over == 0;
}

bool
posture_audit_reviewed(struct call *c, char detail[POSTURE_DETAIL])
{
	uint32_t days = world_policy(call_world(c))->audit_review_days;
	struct audit_unreviewed u;

	if (!err_ok(audit_unreviewed(c->lane, c->a, call_world(c), &u)))
		return false;
	(void)snprintf(detail, POSTURE_DETAIL,
	    "the log was %s; %llu entries of %lld days are unreviewed, the "
	    "policy says every %u days",
	    u.reviewed == 0 ? "never reviewed" : "reviewed",
	    (unsigned long long)u.entries,
	    u.entries == 0 ? 0LL : (long long)((c->now - u.since) / DAY_MS),
	    days);
	return u.reviewed != 0 && (u.due == 0 || c->now < u.due);
}

/* Who takes the disk must not have the key with it. */
bool
posture_root_apart(struct call *c, char detail[POSTURE_DETAIL])
{
	bool near = c->lane->state->root_near;

	(void)snprintf(detail, POSTURE_DETAIL, "the root key %s",
	    near ? "lies open on the disk of the store"
		 : "is on another disk than the store, or sealed");
	return !near;
}

static void
kept(char ret[static KEPT], int64_t days)
{
	if (days == RETAIN_FOR_EVER)
		(void)snprintf(ret, KEPT, "for ever");
	else
		(void)snprintf(ret, KEPT, "%d days", (int)days);
}

/* Incidents and alerts are kept for ever unless somebody says otherwise. */
bool
posture_retention_set(struct call *c, char detail[POSTURE_DETAIL])
{
	const struct world *w = call_world(c);
	int64_t i = retention_days(w, 0, RETAIN_INCIDENT);
	int64_t a = retention_days(w, 0, RETAIN_ALERT);
	char days[4][KEPT];

	kept(days[0], i);
	kept(days[1], a);
	kept(days[2], retention_days(w, 0, RETAIN_RUN));
	kept(days[3], retention_days(w, 0, RETAIN_PERSON));
	(void)snprintf(detail, POSTURE_DETAIL,
	    "kept: incidents %s, alerts %s, runs %s, people %s", days[0],
	    days[1], days[2], days[3]);
	return i != RETAIN_FOR_EVER && a != RETAIN_FOR_EVER;
}

bool
posture_backups_recent(struct call *c, char detail[POSTURE_DETAIL])
{
	int64_t last;

	if (!err_ok(backup_last(c->lane->conn, &last)))
		return false;
	if (last == 0)
		(void)snprintf(detail, POSTURE_DETAIL,
		    "no backup was ever made");
	else
		(void)snprintf(detail, POSTURE_DETAIL,
		    "the last backup that was verified is %lld hours old",
		    (long long)((c->now - last) / 3600000));
	return last != 0 && c->now - last < (int64_t)BACKUP_DAYS * DAY_MS;
}

/* What the delegate's host had of a sandbox when it joined: its doctor. */
static bool
sandboxed(struct call *c, const struct delegate *d)
{
	static const struct json_limits limits = {
	    .depth = LIM_JSON_DEPTH,
	    .members = LIM_JSON_MEMBERS,
	    .values = LIM_JSON_VALUES,
	};
	const struct json *j;
	struct str level;

	if (d->doctor.n == 0 ||
	    !err_ok(json_parse(c->a, d->doctor, &limits, NULL, &j)))
		return false;
	level = json_str_at(j, STR("level"));
	return str_is(level, "full") || str_is(level, "degraded");
}

bool
posture_delegates_sandboxed(struct call *c, char detail[POSTURE_DETAIL])
{
	const struct object *const *o;
	size_t n, approved = 0, without = 0;

	o = world_objects(call_world(c), OBJECT_DELEGATE, &n);
	for (size_t i = 0; i < n; i++) {
		const struct delegate *d = (const struct delegate *)o[i];
		struct scratch s;

		if (d->state != DELEGATE_APPROVED)
			continue;
		scratch_begin(c, &s);
		approved++;
		without += !sandboxed(c, d);
		scratch_end(c, &s);
	}
	(void)snprintf(detail, POSTURE_DETAIL,
	    "%zu of %zu approved delegates did not say that their host can "
	    "make a sandbox",
	    without, approved);
	return without == 0;
}
