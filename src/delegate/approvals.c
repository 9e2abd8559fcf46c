/*
 * approvals.c: who said yes, and is it in the log?  An approval is an entry
 * of the audit log: the leaf itself, and a proof that a checkpoint which this
 * delegate has taken contains it.
 */
#include "audit/leaf.h"
#include "base/json_canon.h"
#include "base/text.h"
#include "delegate/envelope.h"

enum { APPROVALS = 64, PROOF_MAX = 63, REF_MAX = 256 };

struct yes {
	struct str action, who;
	struct audit_entry e;
};

struct yeses {
	struct yes yes[APPROVALS];
	size_t n;
};

/* ---- reading them ---- */

static bool
proof_read(struct arena *a, const struct json *list, struct hash h[PROOF_MAX],
    size_t *ret_n)
{
	const struct json *j;
	size_t n = 0;

	if (list == NULL || list->kind != JSON_ARRAY || list->count > PROOF_MAX)
		return false;
	for (j = json_first(list); j != NULL; j = j->next) {
		struct str text, bytes;

		if (!json_str(j, &text) || !b64_decode(a, text, &bytes) ||
		    bytes.n != HASH_SIZE)
			return false;
		memcpy(h[n++].b, bytes.p, HASH_SIZE);
	}
	*ret_n = n;
	return true;
}

static enum reason
approval_read(struct task *t, const struct json *j,
    const struct checkpoint *point, struct yes *ret)
{
	struct str leaf = json_str_at(j, STR("leaf"));
	struct hash proof[PROOF_MAX], h;
	int64_t seq;
	size_t n;

	if (j->kind != JSON_OBJECT || j->count != 3 || leaf.p == NULL ||
	    !json_i64(json_get(j, STR("seq")), 1, JSON_INTEGER_MAX, &seq))
		return REASON_LEAF;
	if (!err_ok(audit_leaf_view(leaf, &ret->e, &ret->action)) ||
	    ret->e.seq != (uint64_t)seq)
		return REASON_LEAF;
	if (!proof_read(t->arena, json_get(j, STR("proof")), proof, &n))
		return REASON_PROOF;
	audit_leaf_hash(leaf, &h);
	if (!err_ok(audit_verify_inclusion(&h, (uint64_t)seq - 1, point->size,
		proof, n, &point->root)))
		return REASON_PROOF;
	ret->who = ret->e.principal_id;
	return REASON_NONE;
}

static enum reason
read_all(struct task *t, const struct offer *o, struct yeses *ret)
{
	const struct json *list = json_get(t->json, STR("approvals")), *j;

	ret->n = 0;
	for (j = json_first(list); j != NULL; j = j->next) {
		if (ret->n == APPROVALS)
			return REASON_LEAF;
		HOLDS(approval_read(t, j, &o->point, &ret->yes[ret->n]));
		ret->n++;
	}
	return REASON_NONE;
}

/* ---- counting them ---- */

struct question {
	const char *action, *type;
	struct str ref, project;
	const struct person *named; /* who may say it; n 0: anybody */
	size_t named_n;
};

static bool
is_named(const struct question *q, struct str who)
{
	/* Who is in a group is the server's to say. */
	for (size_t i = 0; i < q->named_n; i++)
		if (q->named[i].group || str_eq(q->named[i].id, who))
			return true;
	return q->named_n == 0;
}

static bool
answers(const struct yes *y, const struct question *q)
{
	const struct audit_entry *e = &y->e;

	if (!str_is(y->action, q->action) || e->outcome != AUDIT_OK ||
	    !str_eq(e->project, q->project) || !is_named(q, y->who) ||
	    !str_is(e->principal_kind, "user"))
		return false;
	for (size_t i = 0; i < e->resources; i++)
		if (str_is(e->resource[i].type, q->type) &&
		    str_eq(e->resource[i].id, q->ref))
			return true;
	return false;
}

/* Of different people. */
static size_t
count(const struct yeses *all, const struct question *q)
{
	struct str seen[APPROVALS];
	size_t n = 0, k;

	for (size_t i = 0; i < all->n; i++) {
		if (!answers(&all->yes[i], q))
			continue;
		for (k = 0; k < n && !str_eq(seen[k], all->yes[i].who); k++)
			;
		if (k == n)
			seen[n++] = all->yes[i].who;
	}
	return n;
}

/* a/b/c in the arena */
static struct str
ref(struct arena *a, struct str x, struct str y, struct str z)
{
	struct buf b;

	buf_init_on(&b, a, REF_MAX);
	buf_str(&b, x);
	buf_char(&b, '/');
	buf_str(&b, y);
	buf_char(&b, '/');
	buf_str(&b, z);
	return err_ok(buf_check(&b)) ? buf_view(&b) : STR_NONE;
}

/* <id>/<version>/<digest> of {"id","version","digest",..} */
static struct str
version_ref(struct arena *a, const struct json *j)
{
	const struct json *v = json_get(j, STR("version"));
	int64_t n;

	if (!json_i64(v, 1, JSON_INTEGER_MAX, &n))
		return STR_NONE;
	return ref(a, json_str_at(j, STR("id")), v->text,
	    json_str_at(j, STR("digest")));
}

/* ---- approval steps before this one ---- */

/*
 * One that is always passed on the way here: it stands before the step, or
 * before what the step stands in; it has no condition; and without a yes the
 * run does not go on.
 */
static bool
must_be_passed(const struct step *s)
{
	return s->kind == STEP_APPROVAL && s->only_if == NULL &&
	    s->on_failure != FAILURE_CONTINUE;
}

static bool
block_has(const struct block *b, const struct step *s, size_t *ret)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->steps[i] == s) {
			*ret = i;
			return true;
		}
	return false;
}

/* The block s stands in, and where in it. */
static const struct block *
block_of(const struct runbook *rb, const struct step *s, size_t *at)
{
	const struct step *p;

	if (s->parent == STEP_NONE)
		return block_has(&rb->main, s, at) ? &rb->main : NULL;
	p = rb->steps[s->parent];
	if (block_has(&p->undo, s, at))
		return &p->undo;
	if (p->kind == STEP_CONDITION) {
		if (block_has(&p->condition.then, s, at))
			return &p->condition.then;
		if (block_has(&p->condition.otherwise, s, at))
			return &p->condition.otherwise;
	}
	if (p->kind == STEP_PARALLEL)
		for (size_t i = 0; i < p->parallel.branches_n; i++)
			if (block_has(&p->parallel.branches[i], s, at))
				return &p->parallel.branches[i];
	return NULL;
}

/* hex(SHA-256(canonical {"inputs":..,"run":..,"runbook":digest})) */
static struct str
run_digest(struct task *t)
{
	struct str inputs;
	struct buf b;
	struct jw w;

	if (!err_ok(json_canon_text(t->arena, t->inputs, 1 << 20, &inputs)))
		return STR_NONE;
	buf_init_on(&b, t->arena, inputs.n + 512);
	jw_init(&w, &b);
	jw_obj(&w);
	jw_kraw(&w, "inputs", inputs);
	jw_kstr(&w, "run", t->run);
	jw_kstr(&w, "runbook", t->digest);
	jw_obj_end(&w);
	return err_ok(buf_check(&b)) ? task_digest(t->arena, buf_view(&b))
				     : STR_NONE;
}

static enum reason
approval_step(struct task *t, const struct yeses *all, const struct step *s,
    struct str project, struct trail *trail)
{
	struct question q = {.action = "run.approve",
	    .type = "run_approval",
	    .project = project,
	    .named = s->approval.approvers,
	    .named_n = s->approval.approvers_n};

	if (t->inputs == NULL)
		return REASON_INPUTS;
	q.ref = ref(t->arena, t->run, s->id, run_digest(t));
	if (count(all, &q) >= s->approval.count)
		return REASON_NONE;
	trail_set(trail, "approval step %.*s", STR_ARG(s->id));
	return REASON_UNAPPROVED_RUN;
}

static enum reason
approval_steps(struct task *t, const struct yeses *all, struct str project,
    struct trail *trail)
{
	const struct runbook *rb = t->runbook;
	const struct step *s = t->step;
	const struct block *b;
	size_t at;

	for (;;) {
		b = block_of(rb, s, &at);
		if (b == NULL)
			return REASON_RUNBOOK;
		for (size_t i = 0; i < at; i++)
			if (must_be_passed(b->steps[i]))
				HOLDS(approval_step(t, all, b->steps[i],
				    project, trail));
		if (s->parent == STEP_NONE)
			return REASON_NONE;
		s = rb->steps[s->parent];
	}
}

/* ---- all of it ---- */

enum reason
task_approvals(const struct pinned *p, const struct offer *o, struct task *t,
    struct trail *trail)
{
	const struct json *list = json_get(t->json, STR("connectors")), *j;
	struct question q = {.action = "runbook.approve",
	    .type = "runbook_version",
	    .project = p->project};
	struct yeses all;

	HOLDS(read_all(t, o, &all));
	q.ref = version_ref(t->arena, json_get(t->json, STR("runbook")));
	if (q.ref.p == NULL || count(&all, &q) < t->runbook->approvals)
		return REASON_UNAPPROVED;
	q.action = "connector.approve";
	q.type = "connector_version";
	for (j = json_first(list); j != NULL; j = j->next) {
		q.ref = version_ref(t->arena, j);
		if (q.ref.p != NULL && count(&all, &q) > 0)
			continue;
		trail_set(trail, "connector %.*s",
		    STR_ARG(json_str_at(j, STR("slug"))));
		return REASON_UNAPPROVED_CONN;
	}
	return approval_steps(t, &all, p->project, trail);
}
