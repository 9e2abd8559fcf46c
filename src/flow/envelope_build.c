/*
 * envelope_build.c: one task's envelope, from what is approved at this moment:
 * the runbook's version, the connectors its step names, their secrets sealed
 * to this delegate, and the leaves that show who approved all of it.
 */
#include "base/limits.h"
#include "flow/connectors.h"
#include "flow/envelope.h"
#include "flow/runbooks.h"
#include "flow/writer.h"

enum {
	LIFE_MS = 600000,
	CONNECTORS = 16,
	SECRETS = 64,
	/* the runbook's, one for each connector, and the run's own */
	APPROVALS = 16 + CONNECTORS + LIM_TASK_APPROVALS,
};

struct building {
	struct lane *l;
	struct arena *a;
	struct trail *t;
	int64_t now;
	const struct delegate *to;
	struct runbook_version v;
	const struct step *step;
	struct task_job job;
	struct envelope e;
	struct envelope_connector connector[CONNECTORS];
	struct secret_use secret[SECRETS];
	struct envelope_approval approval[APPROVALS];
};

static err
too_many(struct building *b, const char *what)
{
	trail_set(b->t, "too many %s for one task", what);
	return err_of(E_INVALID);
}

/* ---- approvals ---- */

static err
add_approval(struct building *b, uint64_t seq)
{
	for (size_t i = 0; i < b->e.approvals_n; i++)
		if (b->approval[i].seq == seq)
			return OK;
	if (b->e.approvals_n == APPROVALS)
		return too_many(b, "approvals");
	b->approval[b->e.approvals_n++] =
	    (struct envelope_approval){.seq = seq};
	return OK;
}

/* The leaves with their proofs, for the newest checkpoint; one that is in
 * none yet has to wait for the next. */
static err
prove_approvals(struct building *b)
{
	const struct audit_tree *tree =
	    ledger_tree(writer_ledger(b->l->writer));
	uint64_t size;

	TRY(store_checkpoint_get(b->l->conn, 0, b->a, &size, &b->e.checkpoint));
	for (size_t i = 0; i < b->e.approvals_n; i++) {
		struct envelope_approval *a = &b->approval[i];

		if (a->seq > size)
			return err_of(E_UNAVAILABLE);
		TRY(store_audit_get(b->l->conn, a->seq, b->a, &a->leaf));
		TRY(audit_tree_inclusion(tree, a->seq - 1, size, ledger_tile,
		    b->l->conn, b->a, &a->proof));
	}
	return OK;
}

/* ---- secrets and connectors ---- */

static err add_connector(struct building *b, struct str slug);

/* Where one lies that is not kept here: its manager's connector goes along,
 * with that one's own credential. */
static err
add_manager(struct building *b, struct str external)
{
	static const struct json_limits lim = {2, 8, 8};
	const struct json *j;

	TRY(json_parse(b->a, external, &lim, b->t, &j));
	return add_connector(b, json_str_at(j, STR("connector")));
}

static err
add_secret(struct building *b, struct str ref, struct str connector)
{
	struct secret_user by = {.runbook = b->v.rb->slug,
	    .connector = connector};
	struct secret_use *to = &b->secret[b->e.secrets_n];

	if (b->e.secrets_n == SECRETS)
		return too_many(b, "secrets");
	TRY(secret_boxes(b->l, b->e.task->project, ref, &by, &b->to->o.id,
	    b->now, b->a, b->t, to));
	for (size_t i = 0; i < b->e.secrets_n; i++)
		if (str_eq(b->secret[i].name, to->name) && /* public: a name */
		    b->secret[i].version == to->version)
			return OK;
	b->e.secrets_n++;
	return to->external.n == 0 ? OK : add_manager(b, to->external);
}

/* On record, when it is certain that they go. */
static err
record_secrets(struct building *b)
{
	for (size_t i = 0; i < b->e.secrets_n; i++)
		TRY(secret_used(b->l, &b->secret[i], b->e.task->project,
		    &b->e.task->run, &b->to->o.id, b->now, b->a));
	return OK;
}

static bool
has_connector(const struct building *b, struct str slug)
{
	for (size_t i = 0; i < b->e.connectors_n; i++)
		if (str_eq(b->connector[i].slug, slug))
			return true;
	return false;
}

static err
add_connector(struct building *b, struct str slug)
{
	struct envelope_connector *to = &b->connector[b->e.connectors_n];
	struct connector_use use;

	if (has_connector(b, slug))
		return OK;
	if (b->e.connectors_n == CONNECTORS)
		return too_many(b, "connectors");
	TRY(connector_usable(b->l->snap->world, b->e.task->project, slug,
	    b->now, b->t, &use));
	to->id = use.object->o.id;
	to->version = use.object->number;
	to->slug = arena_dup(b->a, slug);
	to->digest = arena_dup(b->a, str_c(use.digest));
	to->document = arena_dup(b->a, use.document);
	b->e.connectors_n++;
	TRY(arena_check(b->a));
	TRY(add_approval(b, use.approval));
	return use.object->secret.n == 0
	    ? OK
	    : add_secret(b, use.object->secret, to->slug);
}

static err
script_needs(struct building *b, const struct step_script *s)
{
	for (size_t i = 0; i < s->connectors_n; i++)
		TRY(add_connector(b, s->connectors[i]));
	for (size_t i = 0; i < s->secrets_n; i++) {
		const struct secret_ref *r = &s->secrets[i];
		struct buf ref;

		buf_init_on(&ref, b->a, 256);
		buf_str(&ref, r->name);
		if (r->version != 0)
			buf_fmt(&ref, "@%u", r->version);
		TRY(buf_check(&ref));
		TRY(add_secret(b, buf_view(&ref), STR("")));
	}
	return OK;
}

static err
needs(struct building *b)
{
	switch ((int)b->step->kind) {
	case STEP_SCRIPT:
		return script_needs(b, &b->step->script);
	case STEP_HTTP:
		return add_connector(b, b->step->http.connector);
	default:
		trail_set(b->t, "no step of a delegate's");
		return err_of(E_INVALID);
	}
}

/* ---- the whole ---- */

static err
collect(struct building *b)
{
	struct envelope *e = &b->e;
	const struct project *p =
	    world_project(b->l->snap->world, e->task->project);

	TRY(task_job(b->l, e->task, b->a, &b->job));
	TRY(runbook_version_load(b->l, &b->job.runbook, b->job.version, b->a,
	    &b->v));
	b->step = runbook_step(b->v.rb, b->job.step);
	if (b->step == NULL || p == NULL)
		return err_of(E_NOT_FOUND);
	e->job = &b->job;
	e->log = str_c(b->l->state->origin);
	e->project = p->o.id;
	e->project_slug = p->slug;
	e->issued = b->now;
	e->expires = b->now + LIFE_MS;
	e->digest = str_c(b->v.digest);
	e->document = b->v.document;
	e->connectors = b->connector;
	e->secrets = b->secret;
	e->approvals = b->approval;
	for (size_t i = 0; i < b->v.approvals_n; i++)
		TRY(add_approval(b, b->v.approvals[i].seq));
	for (size_t i = 0; i < b->job.approvals_n; i++)
		TRY(add_approval(b, b->job.approvals[i]));
	TRY(needs(b));
	TRY(prove_approvals(b));
	return record_secrets(b);
}

err
envelope_build(struct lane *l, const struct task_row *r,
    const struct delegate *to, int64_t now, struct arena *a, struct trail *t,
    struct buf *ret)
{
	struct building *b = ARENA_NEW(a, struct building);

	if (b == NULL)
		return err_of(E_NO_MEMORY);
	*b = (struct building){
	    .l = l,
	    .a = a,
	    .t = t,
	    .now = now,
	    .to = to,
	    .e = {.task = r},
	};
	TRY(collect(b));
	return envelope_seal(l, &b->e, to, a, ret);
}
