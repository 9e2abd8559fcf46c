/* envelope.c: opening: whom it is from, whom it is for, whether it is fresh. */
#include "delegate/envelope.h"

#include "base/json_canon.h"
#include "base/limits.h"
#include "base/text.h"
#include "seal/ed25519.h"
#include "seal/hpke.h"

/* What the signature is over needs a little more than the ids. */
enum { SIGNED_MAX = 1024, SHA_HEX = 64 };

static const struct json_limits limits = {.depth = LIM_JSON_DEPTH,
    .members = LIM_JSON_MEMBERS,
    .values = LIM_JSON_VALUES};

#define INFO STR("redoubt-task/1")

struct str
task_digest(struct arena *a, struct str s)
{
	struct hash h;
	struct buf b;

	audit_sha256(s, &h);
	buf_init_on(&b, a, SHA_HEX);
	hex_add(&b, str_of((const char *)h.b, sizeof h.b));
	return err_ok(buf_check(&b)) ? buf_view(&b) : STR_NONE;
}

/* ---- 1: opening ---- */

static enum reason
unseal(const struct pinned *p, const struct offer *o, struct arena *a,
    struct str *ret_text, struct str *ret_sig)
{
	struct str plain;
	struct cur c;
	uint32_t n;
	char *at;

	if (o->sealed.n > LIM_TASK || o->sealed.n < HPKE_OVERHEAD)
		return REASON_SIZE;
	plain.n = o->sealed.n - HPKE_OVERHEAD;
	at = arena_raw(a, plain.n + 1);
	if (at == NULL)
		return REASON_MEMORY;
	if (!err_ok(hpke_open(secret_view(p->sealing), INFO, o->task, o->sealed,
		(uint8_t *)at)))
		return REASON_SEALED;
	plain.p = at;
	c = cur_of(plain);
	n = cur_be32(&c);
	*ret_text = cur_view(&c, n);
	*ret_sig = cur_view(&c, ED25519_SIG);
	return cur_end(&c) ? REASON_NONE : REASON_FORM;
}

/* ---- 2: the signature, over the values the text itself has ---- */

static bool
member_i64(const struct json *obj, struct str name, int64_t min, int64_t *ret)
{
	return json_i64(json_get(obj, name), min, JSON_INTEGER_MAX, ret);
}

static enum reason
signed_by_keeper(const struct pinned *p, const struct json *env,
    struct str text, struct str sig, struct arena *a)
{
	static const char *const first[] = {"log", "task", "delegate"};
	int64_t issued, expires;
	struct buf b;

	if (!member_i64(env, STR("issued"), 0, &issued) ||
	    !member_i64(env, STR("expires"), 0, &expires))
		return REASON_SIGNATURE;
	buf_init_on(&b, a, SIGNED_MAX);
	buf_str(&b, INFO);
	buf_char(&b, '\n');
	for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
		buf_str(&b, json_str_at(env, str_c(first[i])));
		buf_char(&b, '\n');
	}
	buf_i64(&b, issued);
	buf_char(&b, '\n');
	buf_i64(&b, expires);
	buf_char(&b, '\n');
	buf_str(&b, task_digest(a, text));
	buf_char(&b, '\n');
	return err_ok(buf_check(&b)) &&
		ed25519_verify(p->task_key, buf_view(&b), sig)
	    ? REASON_NONE
	    : REASON_SIGNATURE;
}

/* ---- 3: its form, and whom it is for ---- */

static const struct member {
	const char *name;
	enum json_kind kind;
	bool may_be_absent;
} members[] = {
    {"approvals", JSON_ARRAY, false},
    {"attempt", JSON_NUMBER, false},
    {"checkpoint", JSON_STRING, false},
    {"connectors", JSON_ARRAY, false},
    {"delegate", JSON_STRING, false},
    {"expires", JSON_NUMBER, false},
    {"fence", JSON_NUMBER, false},
    {"inputs", JSON_OBJECT, true},
    {"issued", JSON_NUMBER, false},
    {"log", JSON_STRING, false},
    {"project", JSON_STRING, false},
    {"project_slug", JSON_STRING, false},
    {"run", JSON_STRING, false},
    {"runbook", JSON_OBJECT, false},
    {"secrets", JSON_ARRAY, false},
    {"selector", JSON_OBJECT, false},
    {"step", JSON_STRING, false},
    {"task", JSON_STRING, false},
    {"v", JSON_STRING, false},
    {"values", JSON_OBJECT, false},
};

static bool
members_right(const struct json *env)
{
	size_t found = 0;

	if (env->kind != JSON_OBJECT)
		return false;
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		const struct json *j = json_get(env, str_c(members[i].name));

		if (j == NULL && !members[i].may_be_absent)
			return false;
		if (j != NULL && j->kind != members[i].kind)
			return false;
		found += j != NULL;
	}
	return found == env->count;
}

static bool
fill(struct task *t)
{
	const struct json *e = t->json;
	int64_t fence, attempt;
	struct uuid run;

	t->id_text = json_str_at(e, STR("task"));
	t->run = json_str_at(e, STR("run"));
	t->project_slug = json_str_at(e, STR("project_slug"));
	t->step_id = json_str_at(e, STR("step"));
	t->values = json_get(e, STR("values"));
	t->inputs = json_get(e, STR("inputs"));
	if (!uuid_parse(t->id_text, &t->id) || !uuid_parse(t->run, &run) ||
	    !member_i64(e, STR("fence"), 1, &fence) ||
	    !member_i64(e, STR("attempt"), 1, &attempt) ||
	    !member_i64(e, STR("issued"), 0, &t->issued) ||
	    !member_i64(e, STR("expires"), 0, &t->expires))
		return false;
	t->fence = (uint64_t)fence;
	t->attempt = (uint64_t)attempt;
	return true;
}

static enum reason
for_us(const struct pinned *p, const struct offer *o, const struct task *t)
{
	const struct json *e = t->json;

	if (!str_is(json_str_at(e, STR("v")), "redoubt-task/1"))
		return REASON_TEXT;
	if (!str_is(json_str_at(e, STR("log")), p->log.name))
		return REASON_LOG;
	if (!str_eq(t->id_text, o->task))
		return REASON_TASK;
	if (t->fence != o->fence)
		return REASON_FENCE;
	if (!str_eq(json_str_at(e, STR("delegate")), p->delegate))
		return REASON_DELEGATE;
	if (!str_eq(json_str_at(e, STR("project")), p->project))
		return REASON_PROJECT;
	return REASON_NONE;
}

/* ---- 4: its time ---- */

static enum reason
fresh(const struct task *t, int64_t now)
{
	if (t->issued > now + TASK_SKEW_MS)
		return REASON_EARLY;
	if (now >= t->expires)
		return REASON_STALE;
	if (t->expires <= t->issued || t->expires - t->issued > TASK_LIFE_MS)
		return REASON_LIFE;
	return REASON_NONE;
}

enum reason
envelope_open(const struct pinned *p, const struct offer *o, int64_t now,
    struct arena *a, struct task *ret)
{
	struct task t = {.arena = a};
	struct str text, sig;
	struct trail ignored = {0};

	HOLDS(unseal(p, o, a, &text, &sig));
	/* Anybody can seal to us; parsing comes before the signature only
	 * because what is signed is named inside. */
	if (!err_ok(json_parse(a, text, &limits, &ignored, &t.json)))
		return a->failed ? REASON_MEMORY : REASON_TEXT;
	HOLDS(signed_by_keeper(p, t.json, text, sig, a));
	if (!json_is_canon(text, t.json) || !members_right(t.json) || !fill(&t))
		return REASON_TEXT;
	HOLDS(for_us(p, o, &t));
	HOLDS(fresh(&t, now));
	if (a->failed)
		return REASON_MEMORY;
	*ret = t;
	return REASON_NONE;
}
