/* All that a principal may do in one place, and the guards that keep it from
 * giving more than that. */
#include "access/rights.h"
#include "access/rules.h"

/* Which rights are summed up. */
struct sum {
	const struct actor *who;
	uint32_t project;
	int64_t now;
	bool own;    /* without what was taken by breaking glass */
	bool narrow; /* those for some resources, instead of for all */
	struct permset set;
};

static struct permset
held_at(const struct sum *s, const struct uuid *subject, uint32_t place)
{
	const struct rights *all = world_rights(s->who->world);
	const struct holding *h = rights_at(all, subject, place);
	const struct right *r = h == NULL ? NULL : rights_of(all, h);
	struct permset set = {{0, 0}};

	for (size_t i = 0; h != NULL && i < h->n; i++)
		if (r[i].narrow == s->narrow && s->now >= r[i].starts &&
		    s->now < r[i].expires &&
		    (!s->own || uuid_is_zero(&r[i].b->glass)) &&
		    (!s->narrow || rule_holds_any(r[i].b, r[i].group)))
			set = permset_or(set, r[i].perms);
	return set;
}

static void
add_subject(struct sum *s, const struct uuid *subject)
{
	s->set = permset_or(s->set, held_at(s, subject, 0));
	if (s->project != 0)
		s->set = permset_or(s->set,
		    permset_not(held_at(s, subject, s->project),
			perm_org_set()));
	s->set = permset_or(s->set, held_at(s, subject, PLACE_ANY));
}

static struct permset
under_ceiling(const struct token *tok, uint32_t project, int64_t now)
{
	struct permset s = {{0, 0}};

	for (unsigned p = 0; p < PERM_MAX_; p++) {
		enum permission perm = (enum permission)p;

		if (rule_ceiling(tok, perm, rule_scope(perm, project), now) ==
		    RULE_ALLOW)
			permset_add(&s, perm);
	}
	return s;
}

static struct permset
sum_up(struct sum *s)
{
	const struct actor *who = s->who;
	const struct group *const *g;
	size_t n;

	if (rule_is_system(who))
		return s->narrow ? s->set : permset_all();
	if (!world_principal_live(who->world, who->kind, &who->id))
		return s->set;
	if (!s->narrow && rule_own_ingest(who, PERM_INGEST, s->project))
		permset_add(&s->set, PERM_INGEST);
	if (who->kind == PRINCIPAL_DELEGATE) {
		if (!s->narrow &&
		    rule_own_work(who, PERM_DELEGATE_WORK, s->project))
			permset_add(&s->set, PERM_DELEGATE_WORK);
		return s->set;
	}
	add_subject(s, &who->id);
	g = world_groups_of(who->world, &who->id, &n);
	for (size_t i = 0; i < n; i++)
		add_subject(s, &g[i]->o.id);
	return permset_and(s->set,
	    under_ceiling(who->token, s->project, s->now));
}

struct permset
access_effective(const struct actor *who, uint32_t project, int64_t now)
{
	struct sum s = {.who = who, .project = project, .now = now};

	return sum_up(&s);
}

struct permset
access_own(const struct actor *who, uint32_t project, int64_t now)
{
	struct sum s = {.who = who,
	    .project = project,
	    .now = now,
	    .own = true};

	return sum_up(&s);
}

struct permset
access_narrow(const struct actor *who, uint32_t project, int64_t now)
{
	struct sum s = {.who = who,
	    .project = project,
	    .now = now,
	    .narrow = true};

	return permset_not(sum_up(&s), access_effective(who, project, now));
}

/* Would the binding give p at any place the token names? */
static bool
gives_anywhere(const struct actor *who, const struct binding *b,
    enum permission p, int64_t now)
{
	const struct token *tok = who->token;
	uint32_t place = b->o.project;

	if (perm_is_org(p) ||
	    (place == 0 && (tok == NULL || tok->projects_n == 0)))
		place = 0;
	else if (place == 0)
		place = tok->projects[0];
	return rule_allows(who->world, b,
		   &(struct target){.perm = p, .some = true}, place, now) &&
	    rule_ceiling(tok, p, place, now) == RULE_ALLOW;
}

static bool
any_of(const struct actor *who, const struct uuid *subject, enum permission p,
    int64_t now)
{
	size_t n;
	const struct binding *const *b =
	    world_bindings_of(who->world, subject, &n);

	for (size_t i = 0; i < n; i++)
		if (gives_anywhere(who, b[i], p, now))
			return true;
	return false;
}

bool
access_anywhere(const struct actor *who, enum permission p, int64_t now)
{
	const struct integration *in;
	const struct group *const *g;
	size_t n;

	if (rule_is_system(who))
		return true;
	if (!world_principal_live(who->world, who->kind, &who->id))
		return false;
	if (rule_asks_none(p))
		return rule_ceiling(who->token, p, 0, now) == RULE_ALLOW;
	if (who->kind == PRINCIPAL_INTEGRATION) {
		in = world_integration(who->world, &who->id);
		return p == PERM_INGEST && in != NULL &&
		    rule_own_ingest(who, p, in->o.project) &&
		    rule_ceiling(who->token, p, in->o.project, now) ==
		    RULE_ALLOW;
	}
	if (who->kind == PRINCIPAL_DELEGATE)
		return p == PERM_DELEGATE_WORK;
	if (any_of(who, &who->id, p, now))
		return true;
	g = world_groups_of(who->world, &who->id, &n);
	for (size_t i = 0; i < n; i++)
		if (any_of(who, &g[i]->o.id, p, now))
			return true;
	return false;
}

bool
access_sees(const struct actor *who, uint32_t project, int64_t now)
{
	struct permset there = access_effective(who, project, now);

	for (unsigned p = 0; p < PERM_MAX_; p++)
		if (permset_has(&there, (enum permission)p) &&
		    !perm_is_org((enum permission)p))
			return true;
	return false;
}

bool
access_is_subject(const struct actor *who, const struct uuid *subject)
{
	const struct group *const *g;
	size_t n;

	if (uuid_eq(&who->id, subject))
		return true;
	g = world_groups_of(who->world, &who->id, &n);
	for (size_t i = 0; i < n; i++)
		if (uuid_eq(&g[i]->o.id, subject))
			return true;
	return false;
}

const struct binding *
access_glass(const struct actor *who, const struct binding *after, int64_t now)
{
	bool found = after == NULL;
	size_t n;
	const struct binding *const *b =
	    world_bindings_of(who->world, &who->id, &n);

	for (size_t i = 0; i < n; i++) {
		if (found && !uuid_is_zero(&b[i]->glass) &&
		    rule_live(b[i], now))
			return b[i];
		found = found || b[i] == after;
	}
	return NULL;
}

size_t
access_subjects(const struct actor *who, int64_t now,
    struct access_subject *ret, size_t max)
{
	const struct binding *glass = NULL;
	const struct group *const *g;
	size_t n, out = 0;

	if (max == 0)
		return 0;
	ret[out++] = (struct access_subject){SUBJECT_PRINCIPAL, who->id};
	while (out < max && (glass = access_glass(who, glass, now)) != NULL)
		if (!uuid_is_zero(&glass->incident))
			ret[out++] = (struct access_subject){SUBJECT_GLASS,
			    glass->glass};
	g = world_groups_of(who->world, &who->id, &n);
	for (size_t i = 0; i < n && out < max; i++)
		ret[out++] = (struct access_subject){SUBJECT_GROUP, g[i]->o.id};
	return out;
}

/* ---- guards ---- */

/* May it hand out more than it has? */
static bool
escalates(const struct actor *who, int64_t now)
{
	struct target t = {.perm = PERM_RBAC_ESCALATE};

	return access_decide(who, &t, now).allowed;
}

err
access_may_grant(const struct actor *who, struct permset perms,
    uint32_t project, int64_t now, struct trail *t)
{
	struct permset own = access_own(who, project, now);

	if (escalates(who, now)) { /* all but what senders and delegates do */
		own = permset_all_but(PERM_INGEST);
		own = permset_and(own, permset_all_but(PERM_DELEGATE_WORK));
	}
	for (unsigned p = 0; p < PERM_MAX_; p++)
		if (permset_has(&perms, (enum permission)p) &&
		    !permset_has(&own, (enum permission)p)) {
			trail_set(t, "you cannot grant %s, which you lack",
			    perm_text((enum permission)p));
			return err_of(E_FORBIDDEN);
		}
	return OK;
}

err
access_may_map_group(const struct actor *who, const struct uuid *group,
    int64_t now, struct trail *t)
{
	size_t n;
	const struct binding *const *b =
	    world_bindings_of(who->world, group, &n);

	for (size_t i = 0; i < n; i++) {
		struct permset perms;

		if (b[i]->expires != 0 && b[i]->expires <= now)
			continue; /* one that begins later will count */
		if (world_role_perms(who->world, b[i]->role, &perms))
			TRY(access_may_grant(who, perms, b[i]->o.project, now,
			    t));
	}
	return OK;
}

static bool
bound_to(const struct world *w, const struct uuid *subject, struct str role)
{
	size_t n;
	const struct binding *const *b = world_bindings_of(w, subject, &n);

	for (size_t i = 0; i < n; i++)
		if (str_eq(b[i]->role, role))
			return true;
	return false;
}

err
access_may_edit_role(const struct actor *who, const struct role *r,
    struct trail *t)
{
	const struct group *const *g;
	bool own;
	size_t n;

	if (rule_is_system(who))
		return OK;
	own = bound_to(who->world, &who->id, r->name);
	g = world_groups_of(who->world, &who->id, &n);
	for (size_t i = 0; i < n; i++)
		own = own || bound_to(who->world, &g[i]->o.id, r->name);
	if (!own)
		return OK;
	trail_set(t, "you cannot edit a role that is bound to you");
	return err_of(E_FORBIDDEN);
}

/* Does a live principal stand behind the binding? */
static bool
has_holder(const struct world *w, const struct binding *b)
{
	const struct group *g;

	if (b->subject_kind != PRINCIPAL_GROUP)
		return world_principal_live(w, b->subject_kind, &b->subject);
	g = world_group(w, &b->subject);
	for (size_t i = 0; g != NULL && i < g->members_n; i++)
		if (world_principal_live(w, PRINCIPAL_USER, &g->members[i].u) ||
		    world_principal_live(w, PRINCIPAL_SERVICE_ACCOUNT,
			&g->members[i].u))
			return true;
	return false;
}

err
access_has_admin(const struct world *after, int64_t now)
{
	size_t n;
	const struct object *const *o =
	    world_objects(after, OBJECT_BINDING, &n);

	for (size_t i = 0; i < n; i++) {
		const struct binding *b = (const struct binding *)o[i];

		if (b->o.project == 0 && rule_live(b, now) &&
		    !rule_is_narrow(b) &&
		    str_is(b->role, role_name(ROLE_org_admin)) &&
		    has_holder(after, b))
			return OK;
	}
	return err_of(E_LAST_ADMIN);
}
