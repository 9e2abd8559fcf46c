/* alert.c: see alert.h. */
#include "domain/alert.h"

const char *
alert_did_text(enum alert_did d)
{
	static const char *const text[] = {
	    [ALERT_DID_OPEN] = "opened",
	    [ALERT_DID_REPEAT] = "repeated",
	    [ALERT_DID_CHANGE] = "changed",
	    [ALERT_DID_RESOLVE] = "resolved",
	    [ALERT_DID_REOPEN] = "opened",
	    [ALERT_DID_CLOSED] = "resolved",
	    [ALERT_DID_AGAIN] = "repeated",
	    [ALERT_DID_ACK] = "acknowledged",
	    [ALERT_DID_TAKEN] = "acknowledged",
	};

	return text[d];
}

bool
alert_did_new(enum alert_did d)
{
	return d == ALERT_DID_OPEN || d == ALERT_DID_REOPEN ||
	    d == ALERT_DID_CLOSED || d == ALERT_DID_TAKEN;
}

static enum alert_did
fold_new(const struct alert_in *in, int64_t now, struct alert_head *ret)
{
	*ret = (struct alert_head){
	    .status = in->resolved ? ALERT_RESOLVED
		: in->acknowledged ? ALERT_ACKNOWLEDGED
				   : ALERT_TRIGGERED,
	    .severity = (uint8_t)in->severity,
	    .version = 1,
	    .count = 1,
	    .first_seen = now,
	    .last_seen = now,
	    .resolved = in->resolved ? now : 0,
	};
	return in->resolved    ? ALERT_DID_CLOSED
	    : in->acknowledged ? ALERT_DID_TAKEN
			       : ALERT_DID_OPEN;
}

/* Whoever took it did not say it fires: a resolved one stays so. */
static enum alert_did
fold_ack(struct alert_head *h)
{
	if (h->status == ALERT_RESOLVED)
		return ALERT_DID_AGAIN;
	if (h->status == ALERT_ACKNOWLEDGED)
		return ALERT_DID_REPEAT;
	h->status = ALERT_ACKNOWLEDGED;
	h->version++;
	return ALERT_DID_ACK;
}

enum alert_did
alert_fold(const struct grant *g, const struct alert_head *old,
    const struct alert_in *in, bool same_doc, int64_t now,
    struct alert_head *ret)
{
	BUG_ON(
	    grant_perm(g) != PERM_INGEST && grant_perm(g) != PERM_ALERT_CREATE);
	if (old == NULL)
		return fold_new(in, now, ret);
	if (old->status == ALERT_RESOLVED && !in->resolved &&
	    !in->acknowledged) {
		(void)fold_new(in, now, ret);
		return ALERT_DID_REOPEN;
	}
	*ret = *old;
	ret->count = old->count < UINT32_MAX ? old->count + 1 : UINT32_MAX;
	ret->last_seen = now;
	if (in->resolved) {
		if (old->status == ALERT_RESOLVED)
			return ALERT_DID_AGAIN;
		ret->status = ALERT_RESOLVED;
		ret->resolved = now;
		ret->version++;
		return ALERT_DID_RESOLVE;
	}
	if (in->acknowledged)
		return fold_ack(ret);
	if (same_doc && old->severity == in->severity)
		return ALERT_DID_REPEAT;
	ret->severity = (uint8_t)in->severity;
	ret->version++;
	return ALERT_DID_CHANGE;
}

err
alert_acknowledge(const struct grant *g, struct alert_head *h, struct trail *t)
{
	BUG_ON(grant_perm(g) != PERM_ALERT_ACT);
	if (h->status == ALERT_RESOLVED) {
		trail_set(t, "the alert is resolved");
		return err_of(E_CONFLICT);
	}
	if (h->status != ALERT_ACKNOWLEDGED)
		h->version++;
	h->status = ALERT_ACKNOWLEDGED;
	return OK;
}

err
alert_resolve(const struct grant *g, struct alert_head *h, int64_t now,
    struct trail *t)
{
	BUG_ON(grant_perm(g) != PERM_ALERT_ACT);
	if (h->status == ALERT_RESOLVED) {
		trail_set(t, "the alert is resolved");
		return err_of(E_CONFLICT);
	}
	h->status = ALERT_RESOLVED;
	h->resolved = now;
	h->version++;
	return OK;
}

static void
opt(struct jw *w, struct str name, struct str s)
{
	jw_name(w, name);
	jw_str(w, s.n == 0 ? STR_NONE : s);
}

size_t
alert_doc(struct buf *b, const struct alert_in *in, struct str source,
    struct str explain)
{
	size_t core;
	struct jw w;

	jw_init(&w, b);
	jw_obj(&w);
	jw_kstr(&w, "title", in->title);
	opt(&w, STR("message"), in->message);
	jw_kstr(&w, "dedup_key", in->dedup_key);
	opt(&w, STR("service"), in->service);
	opt(&w, STR("environment"), in->environment);
	jw_kraw(&w, "labels", in->labels.n == 0 ? STR("{}") : in->labels);
	opt(&w, STR("link"), in->link);
	jw_kbool(&w, "severity_unmapped", in->severity_unmapped);
	opt(&w, STR("group"), in->group);
	core = b->n;
	jw_kraw(&w, "source", source);
	jw_kraw(&w, "explain", explain);
	jw_obj_end(&w);
	return core;
}

bool
alert_matches(const struct json *doc, struct str q)
{
	static const struct str where[] = {{"title", 5}, {"message", 7},
	    {"service", 7}, {"environment", 11}, {"dedup_key", 9}};
	const struct json *l;

	for (size_t i = 0; i < sizeof where / sizeof *where; i++)
		if (str_ifind(json_str_at(doc, where[i]), q))
			return true;
	l = json_first(json_get(doc, STR("labels")));
	for (; l != NULL; l = l->next)
		if (l->kind == JSON_STRING && str_ifind(l->text, q))
			return true;
	return false;
}

enum rule_does
rule_default(const struct alert_in *in, enum alert_did did, bool attached,
    bool group_open)
{
	if (attached || in->resolved)
		return RULE_NOTHING;
	if (did != ALERT_DID_OPEN && did != ALERT_DID_REOPEN &&
	    did != ALERT_DID_CHANGE)
		return RULE_NOTHING;
	if (group_open)
		return RULE_JOINS;
	if (in->severity == ALERT_CRITICAL || in->severity == ALERT_ERROR)
		return RULE_OPENS;
	return RULE_NOTHING;
}

void
rule_explain(struct buf *b, const struct alert_in *in, enum rule_does does)
{
	static const char *const did[] = {
	    [RULE_NOTHING] = "nothing",
	    [RULE_OPENS] = "opened an incident",
	    [RULE_JOINS] = "joined the open incident of its group",
	};
	bool grave = in->severity <= ALERT_ERROR;
	struct jw w;

	jw_init(&w, b);
	jw_obj(&w);
	jw_karr(&w, "rules");
	jw_obj(&w);
	jw_kstr(&w, "rule", STR("default"));
	jw_kstr(&w, "condition", STR("severity is critical or error"));
	jw_kbool(&w, "matched", grave && !in->resolved);
	jw_kstr(&w, "did", str_c(did[does]));
	jw_obj_end(&w);
	jw_arr_end(&w);
	jw_obj_end(&w);
}

enum severity
rule_severity(enum alert_severity s)
{
	static const enum severity to[] = {
	    [ALERT_CRITICAL] = SEV1,
	    [ALERT_ERROR] = SEV2,
	    [ALERT_WARNING] = SEV3,
	    [ALERT_INFO] = SEV4,
	};

	return to[s];
}
