/* envelope_check.c: is it what was approved, and is it allowed here? */
#include "base/json_canon.h"
#include "base/limits.h"
#include "delegate/envelope.h"

static const struct json_limits limits = {.depth = LIM_JSON_DEPTH,
    .members = LIM_JSON_MEMBERS,
    .values = LIM_JSON_VALUES};

/* ---- 6: the checkpoint is that of the lease answer ---- */

static enum reason
checkpoint_check(const struct pinned *p, const struct offer *o,
    const struct task *t)
{
	struct checkpoint c;

	if (!err_ok(checkpoint_open(json_str_at(t->json, STR("checkpoint")),
		&p->log, &c)))
		return REASON_CHECKPOINT;
	return c.size == o->point.size &&
		memcmp(c.root.b, o->point.root.b, HASH_SIZE) == 0
	    ? REASON_NONE
	    : REASON_OTHER_POINT;
}

/* ---- 7: the document ---- */

static enum reason
runbook_check(struct task *t, struct trail *trail)
{
	const struct json *r = json_get(t->json, STR("runbook")), *doc;
	struct str text = json_str_at(r, STR("document"));

	if (r == NULL || r->count != 4 || text.p == NULL)
		return REASON_TEXT;
	t->digest = json_str_at(r, STR("digest"));
	if (!str_eq(task_digest(t->arena, text), t->digest))
		return REASON_DIGEST;
	if (!err_ok(json_parse(t->arena, text, &limits, trail, &doc)) ||
	    !err_ok(runbook_parse(doc, t->arena, trail, &t->runbook)))
		return REASON_RUNBOOK;
	t->step = runbook_step(t->runbook, t->step_id);
	if (t->step == NULL ||
	    (t->step->kind != STEP_SCRIPT && t->step->kind != STEP_HTTP))
		return REASON_STEP;
	return REASON_NONE;
}

/* ---- 10: values ---- */

/* Made of inputs and of the document alone, so that we can make it too. */
static bool
is_of_inputs(const struct value *v)
{
	if (v->kind == VALUE_INPUT || v->kind == VALUE_LITERAL)
		return true;
	if (v->kind != VALUE_CONCAT)
		return false;
	for (size_t i = 0; i < v->items_n; i++)
		if (!is_of_inputs(&v->items[i]))
			return false;
	return true;
}

/* have: NULL when it was left out. */
static bool
value_is(const struct task *t, const struct value *v, const struct json *have,
    bool as_text)
{
	struct scope s = {.inputs = t->inputs};
	struct trail ignored = {0};
	const struct json *want;
	struct str text, got;

	if (!is_of_inputs(v))
		return true;
	if (!err_ok(value_eval(v, &s, t->arena, &ignored, &want)))
		return false;
	if (want->kind == JSON_NULL)
		return have == NULL;
	if (have == NULL)
		return false;
	if (!as_text)
		return json_same(want, have);
	return err_ok(value_as_text(t->arena, want, &text)) &&
	    json_str(have, &got) && str_eq(text, got);
}

static bool
named_are(const struct task *t, const struct named_value *v, size_t n,
    const struct json *have, bool as_text)
{
	for (size_t i = 0; i < n; i++)
		if (!value_is(t, v[i].value, json_get(have, v[i].name),
			as_text))
			return false;
	return true;
}

static bool
script_values(const struct task *t)
{
	const struct step_script *s = &t->step->script;
	const struct json *arg = json_first(json_get(t->values, STR("args")));

	for (size_t i = 0; i < s->args_n; i++) {
		if (!value_is(t, &s->args[i], arg, true))
			return false;
		arg = arg == NULL ? NULL : arg->next;
	}
	return named_are(t, s->env, s->env_n, json_get(t->values, STR("env")),
	    true);
}

enum reason
task_values(const struct task *t)
{
	const struct step_http *h = &t->step->http;
	bool good;

	if (!step_values_match(t->runbook, t->step, t->values))
		return REASON_VALUES;
	if (t->inputs == NULL)
		return REASON_NONE;
	if (t->step->kind == STEP_SCRIPT)
		good = script_values(t);
	else
		good = named_are(t, h->params, h->params_n,
		    json_get(t->values, STR("params")), false);
	return good ? REASON_NONE : REASON_VALUES_INPUTS;
}

/* ---- 11: the selector ---- */

/* The labels the document says: of the step, or of its connector. */
static size_t
wanted(const struct task *t, size_t i, struct str *name, struct str *value)
{
	const struct step *s = t->step;

	if (s->kind == STEP_SCRIPT || s->selects) {
		if (i < s->delegates.labels_n) {
			*name = s->delegates.labels[i].name;
			*value = s->delegates.labels[i].value;
		}
		return s->delegates.labels_n;
	}
	for (size_t k = 0; k < t->connectors; k++) {
		const struct connector *c = &t->connector[k].c;

		if (!str_eq(c->slug, s->http.connector))
			continue;
		if (i < c->labels_n) {
			*name = c->labels[i].name;
			*value = c->labels[i].value;
		}
		return c->labels_n;
	}
	return 0;
}

enum reason
task_selector(const struct task *t, const struct policy *policy)
{
	const struct json *sel = json_get(t->json, STR("selector")), *l, *have;
	struct str name = STR_NONE, value = STR_NONE, got;
	size_t n = wanted(t, 0, &name, &value);

	l = json_get(sel, STR("labels"));
	if (n == 0 || l == NULL || l->kind != JSON_OBJECT || l->count == 0)
		return REASON_SELECTOR_EMPTY;
	if (sel->count != 1 || l->count != n)
		return REASON_SELECTOR;
	for (size_t i = 0; i < n; i++) {
		wanted(t, i, &name, &value);
		have = json_get(l, name);
		if (!json_str(have, &got) || !str_eq(got, value))
			return REASON_SELECTOR;
	}
	for (size_t i = 0; i < n; i++) {
		wanted(t, i, &name, &value);
		if (!policy_has_label(policy, name, value))
			return REASON_LABELS;
	}
	return REASON_NONE;
}

/* ---- 12: the local policy ---- */

static enum reason
limits_allowed(const struct step *s, const struct policy *p,
    struct trail *trail)
{
	const struct step_limits *l = &s->script.limits;
	const struct {
		const char *name;
		int64_t want, most;
	} rows[] = {
	    {"wall_s", l->wall_s, p->limits_wall_s},
	    {"cpu_s", l->cpu_s, p->limits_cpu_s},
	    {"memory_mb", l->memory_mb, p->limits_memory_mb},
	    {"pids", l->pids, p->limits_pids},
	    {"work_mb", l->work_mb, p->limits_work_mb},
	    {"output_kb", l->output_kb, p->limits_output_kb},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].want > rows[i].most) {
			trail_set(trail, "limits.%s: %lld, at most %lld here",
			    rows[i].name, (long long)rows[i].want,
			    (long long)rows[i].most);
			return REASON_POLICY_LIMITS;
		}
	return REASON_NONE;
}

static enum reason
connectors_allowed(const struct task *t, const struct policy *p,
    struct trail *trail)
{
	for (size_t i = 0; i < t->connectors; i++) {
		const struct connector *c = &t->connector[i].c;

		trail_set(trail, "connector %.*s", STR_ARG(c->slug));
		if (!words_have(&p->delegate_connectors, c->slug))
			return REASON_POLICY_CONN;
		for (size_t k = 0; k < c->hosts_n; k++)
			if (!words_have(&p->delegate_hosts, c->hosts[k].text))
				return REASON_POLICY_HOST;
		trail->detail[0] = '\0';
	}
	return REASON_NONE;
}

enum reason
task_policy(const struct task *t, const struct policy *p, struct trail *trail)
{
	const struct step *s = t->step;

	if (!policy_runs(p, s->kind == STEP_SCRIPT ? "script" : "http"))
		return REASON_POLICY_KIND;
	if (!words_have(&p->delegate_runbooks, t->runbook->slug))
		return REASON_POLICY_RUNBOOK;
	if (s->kind == STEP_SCRIPT) {
		if (policy_interpreter(p, s->script.interpreter) == NULL)
			return REASON_POLICY_PROGRAM;
		HOLDS(limits_allowed(s, p, trail));
	}
	HOLDS(connectors_allowed(t, p, trail));
	for (size_t i = 0; i < t->secrets; i++)
		if (!words_have(&p->delegate_secrets, t->secret[i].name)) {
			trail_set(trail, "secret %.*s",
			    STR_ARG(t->secret[i].name));
			return REASON_POLICY_SECRET;
		}
	return REASON_NONE;
}

enum reason
envelope_check(const struct pinned *p, const struct offer *o,
    const struct policy *policy, int64_t now, struct task *t,
    struct trail *trail)
{
	HOLDS(policy->why);
	HOLDS(checkpoint_check(p, o, t));
	HOLDS(runbook_check(t, trail));
	HOLDS(task_approvals(p, o, t, trail));
	HOLDS(task_secrets(t, trail));
	HOLDS(task_connectors(t, policy, now, trail));
	HOLDS(task_values(t));
	HOLDS(task_selector(t, policy));
	HOLDS(task_policy(t, policy, trail));
	return t->arena->failed ? REASON_MEMORY : REASON_NONE;
}
