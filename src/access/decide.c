#include "access/rights.h"
#include "access/rules.h"

/*
 * Only here are grants made: the type is complete in this file alone.
 */
struct grant {
	const struct actor *who;
	enum permission perm;
	uint32_t project;
	bool narrow;
};

static const char *const rule_texts[] = {
    [RULE_ALLOW] = "allow",
    [RULE_ALLOW_SELF] = "allow_self",
    [RULE_PRINCIPAL_DISABLED] = "principal_disabled",
    [RULE_TOKEN_EXPIRED] = "token_expired",
    [RULE_TOKEN_SCOPE] = "token_scope",
    [RULE_TOKEN_PROJECT] = "token_project",
    [RULE_RESTRICTED] = "restricted",
    [RULE_NO_BINDING] = "no_binding",
};

const char *
access_rule_text(enum access_rule r)
{
	return r <= RULE_NO_BINDING ? rule_texts[r] : "unknown";
}

/* ---- the pieces ---- */

uint32_t
rule_scope(enum permission p, uint32_t project)
{
	return perm_is_org(p) ? 0 : project;
}

bool
rule_is_system(const struct actor *who)
{
	return who->kind == PRINCIPAL_SYSTEM && who->token == NULL;
}

static bool
names_project(const struct token *tok, uint32_t project)
{
	if (tok->projects_n == 0)
		return true;
	for (size_t i = 0; i < tok->projects_n; i++)
		if (project != 0 && tok->projects[i] == project)
			return true;
	return false;
}

enum access_rule
rule_ceiling(const struct token *tok, enum permission p, uint32_t project,
    int64_t now)
{
	if (tok == NULL)
		return RULE_ALLOW;
	if (tok->revoked != 0 || now >= tok->expires)
		return RULE_TOKEN_EXPIRED;
	if (rule_asks_none(p))
		return project == 0 || names_project(tok, project)
		    ? RULE_ALLOW
		    : RULE_TOKEN_PROJECT;
	if (!permset_has(&tok->scopes, p))
		return RULE_TOKEN_SCOPE;
	if (!names_project(tok, project))
		return RULE_TOKEN_PROJECT;
	return RULE_ALLOW;
}

bool
rule_live(const struct binding *b, int64_t now)
{
	return now >= b->starts && (b->expires == 0 || now < b->expires);
}

bool
rule_reaches(const struct binding *b, enum permission p, uint32_t project)
{
	if (b->o.project == 0 || perm_is_self(p))
		return true;
	return project != 0 && b->o.project == project;
}

bool
rule_allows(const struct world *w, const struct binding *b,
    const struct target *t, uint32_t project, int64_t now)
{
	struct permset perms, placeless = rule_placeless();
	const struct resource_group *g;

	if (!rule_live(b, now) || !rule_reaches(b, t->perm, project) ||
	    !world_role_perms(w, b->role, &perms) ||
	    !permset_has(&perms, t->perm))
		return false;
	if (!rule_is_narrow(b))
		return true;
	if (perm_is_org(t->perm) && !perm_is_self(t->perm))
		return false;
	g = world_resource_group(w, &b->group);
	return t->some || permset_has(&placeless, t->perm)
	    ? rule_holds_any(b, g)
	    : rule_holds(b, g, t->res);
}

bool
rule_own_ingest(const struct actor *who, enum permission p, uint32_t project)
{
	const struct integration *in;

	if (who->kind != PRINCIPAL_INTEGRATION || p != PERM_INGEST)
		return false;
	in = world_integration(who->world, &who->id);
	return in != NULL && project != 0 && in->o.project == project;
}

bool
rule_own_work(const struct actor *who, enum permission p, uint32_t project)
{
	const struct delegate *d;

	if (who->kind != PRINCIPAL_DELEGATE || p != PERM_DELEGATE_WORK)
		return false;
	d = world_delegate(who->world, &who->id);
	return d != NULL && project != 0 && d->o.project == project;
}

/* ---- deciding ---- */

static struct decision
deny(enum access_rule rule)
{
	return (struct decision){.rule = rule};
}

static struct decision
allow(enum access_rule rule)
{
	return (struct decision){.allowed = true, .rule = rule};
}

/* Does the right allow what is asked? */
static bool
allows(const struct right *r, const struct target *t, int64_t now)
{
	if (!permset_has(&r->perms, t->perm) || now < r->starts ||
	    now >= r->expires)
		return false;
	if (!r->narrow)
		return true;
	return t->some ? rule_holds_any(r->b, r->group)
		       : rule_holds(r->b, r->group, t->res);
}

static const struct right *
first_at(const struct actor *who, const struct uuid *subject,
    const struct target *t, uint32_t place, int64_t now)
{
	const struct rights *all = world_rights(who->world);
	const struct holding *h = rights_at(all, subject, place);
	const struct right *r;

	if (h == NULL || !permset_has(&h->any, t->perm))
		return NULL;
	r = rights_of(all, h);
	for (size_t i = 0; i < h->n; i++)
		if (allows(&r[i], t, now))
			return &r[i];
	return NULL;
}

static const struct right *
lower(const struct right *a, const struct right *b)
{
	if (a == NULL || b == NULL)
		return a == NULL ? b : a;
	return memcmp(a->b->o.id.b, b->b->o.id.b, sizeof a->b->o.id.b) < 0 ? a
									   : b;
}

/* The first right of a subject that allows, in the order of binding ids. */
static const struct right *
first_of(const struct actor *who, const struct uuid *subject,
    const struct target *t, uint32_t project, int64_t now)
{
	const struct right *r;

	if (perm_is_self(t->perm))
		return first_at(who, subject, t, PLACE_ANY, now);
	r = first_at(who, subject, t, 0, now);
	if (project != 0)
		r = lower(r, first_at(who, subject, t, project, now));
	return r;
}

static struct decision
by_right(const struct right *r, const struct group *via)
{
	struct decision d = allow(RULE_ALLOW);

	d.binding = r->b;
	d.via = via;
	d.narrow = r->narrow;
	return d;
}

static struct decision
by_binding(const struct actor *who, const struct target *t, uint32_t project,
    int64_t now)
{
	const struct right *r = first_of(who, &who->id, t, project, now);
	const struct group *const *g;
	size_t n;

	if (r != NULL)
		return by_right(r, NULL);
	g = world_groups_of(who->world, &who->id, &n);
	for (size_t i = 0; i < n; i++) {
		r = first_of(who, &g[i]->o.id, t, project, now);
		if (r != NULL)
			return by_right(r, g[i]);
	}
	return deny(RULE_NO_BINDING);
}

/* What holds for all resources goes before what holds for some. */
static struct decision
by_any_binding(const struct actor *who, const struct target *t,
    uint32_t project, int64_t now)
{
	struct target whole = *t;
	struct decision d;

	if (!t->some)
		return by_binding(who, t, project, now);
	whole.some = false;
	d = by_binding(who, &whole, project, now);
	return d.allowed ? d : by_binding(who, t, project, now);
}

/* A credential is enough, or a binding. */
static struct decision
held(const struct actor *who, const struct target *t, uint32_t project,
    int64_t now)
{
	if (who->kind == PRINCIPAL_DELEGATE)
		return rule_own_work(who, t->perm, project)
		    ? allow(RULE_ALLOW_SELF)
		    : deny(RULE_NO_BINDING);
	if (rule_asks_none(t->perm) || rule_own_ingest(who, t->perm, project))
		return allow(RULE_ALLOW_SELF);
	return by_any_binding(who, t, project, now);
}

struct decision
access_decide(const struct actor *who, const struct target *t, int64_t now)
{
	uint32_t project = rule_scope(t->perm, t->project);
	enum access_rule ceiling;

	if (rule_is_system(who))
		return allow(RULE_ALLOW);
	if (!world_principal_live(who->world, who->kind, &who->id))
		return deny(RULE_PRINCIPAL_DISABLED);
	ceiling = rule_ceiling(who->token, t->perm, project, now);
	if (ceiling != RULE_ALLOW)
		return deny(ceiling);
	if (t->restricted && !t->member)
		return deny(RULE_RESTRICTED);
	return held(who, t, project, now);
}

enum access_rule
rule_held(const struct actor *who, const struct target *t, int64_t now)
{
	return held(who, t, rule_scope(t->perm, t->project), now).rule;
}

/* ---- grants ---- */

/*
 * What may exist without who knowing: a private incident that does not name
 * it, a resource it holds nothing for, and a project in which it may do
 * nothing at all.
 */
static bool
visible(const struct actor *who, const struct target *t, int64_t now)
{
	static const enum permission sight[RESOURCE_TYPES] = {
	    [RESOURCE_INCIDENT] = PERM_INCIDENT_VIEW,
	    [RESOURCE_ALERT] = PERM_ALERT_VIEW,
	    [RESOURCE_INTEGRATION] = PERM_INTEGRATION_VIEW,
	};
	struct target see = *t;

	if (t->restricted && !t->member)
		return false;
	if (t->res != NULL) {
		see.perm = sight[t->res->type];
		return access_decide(who, &see, now).allowed;
	}
	return t->project == 0 || access_sees(who, t->project, now);
}

err
access_grant(struct arena *a, const struct actor *who, const struct target *t,
    int64_t now, struct decision *ret_d, const struct grant **ret)
{
	struct grant *g;

	*ret_d = access_decide(who, t, now);
	if (!ret_d->allowed)
		return err_of(visible(who, t, now) ? E_FORBIDDEN : E_NOT_FOUND);
	g = ARENA_NEW(a, struct grant);
	if (g == NULL)
		return err_of(E_NO_MEMORY);
	*g = (struct grant){who, t->perm, t->project, ret_d->narrow && t->some};
	*ret = g;
	return OK;
}

const struct actor *
grant_actor(const struct grant *g)
{
	return g->who;
}

enum permission
grant_perm(const struct grant *g)
{
	return g->perm;
}

uint32_t
grant_project(const struct grant *g)
{
	return g->project;
}

bool
grant_narrow(const struct grant *g)
{
	return g->narrow;
}

bool
access_part(const struct actor *who, enum permission perm, uint32_t project,
    int64_t now)
{
	const struct target t = {.perm = perm};
	struct actor same = *who;
	struct token all;

	if (who->token == NULL || who->token->projects_n == 0 ||
	    !names_project(who->token, project))
		return false;
	all = *who->token;
	all.projects = NULL;
	all.projects_n = 0;
	same.token = &all;
	return access_decide(&same, &t, now).allowed;
}
