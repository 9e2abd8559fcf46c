/*
 * oracle.h: a random organization in plain arrays, and the rules of
 * contract 3 and 4 written out once more, slowly, without anything of
 * src/access but the names of permissions and the role tables.
 */
#ifndef TESTS_ACCESS_ORACLE_H
#define TESTS_ACCESS_ORACLE_H

#include "tests/unit/access/help.h"

enum {
	PROJECTS = 4,
	USERS = 6,
	ACCOUNTS = 2,
	PEOPLE = USERS + ACCOUNTS, /* users first */
	GROUPS = 3,
	CUSTOM = 3,
	BINDINGS = 40,
	TOKENS = 6,
	RGROUPS = 5,
	THINGS = 12, /* resources: incidents, alerts, integrations */
	WORDS = 3,   /* services, environments, types, labels */
};

struct obinding {
	unsigned subject; /* PEOPLE, then GROUPS */
	unsigned role;	  /* ROLE_MAX_, then CUSTOM, then one that is none */
	unsigned project; /* 0 = everywhere */
	int64_t starts, expires;
	unsigned rgroup;   /* RGROUPS: none; RGROUPS + 1: one that is gone */
	unsigned incident; /* THINGS: none */
};

/* What a resource has, and what a resource group asks for: bits. */
struct othing {
	unsigned type; /* 0 incident, 1 alert, 2 integration */
	unsigned project;
	unsigned services, environments, labels; /* bit per word */
	unsigned kind;				 /* WORDS: none */
	int severity;				 /* -1: none */
	unsigned incident;			 /* of an alert; THINGS: none */
};

struct orgroup {
	unsigned types, services, environments, labels, kinds, severities;
	bool id[THINGS];
	unsigned project; /* 0 = all */
};

struct otoken {
	bool scope[PERM_MAX_];
	bool limited, project[PROJECTS + 1];
	bool revoked, expired;
};

struct org {
	bool disabled[PEOPLE], gone[PEOPLE];
	bool in_group[PEOPLE][GROUPS];
	bool custom[CUSTOM][PERM_MAX_];
	struct obinding binding[BINDINGS];
	unsigned bindings;
	struct otoken token[TOKENS];
	struct othing thing[THINGS];
	struct orgroup rgroup[RGROUPS];
};

static const char *const org_only[] = {"project.create", "user.view",
    "user.edit", "role.view", "role.edit", "token.admin", "access.explain",
    "policy.view", "policy.edit", "audit.view", "audit.export", "audit.review",
    "person.anonymize", "metrics.view", "posture.view", "rbac.escalate",
    "breakglass.review", "idp.view", "idp.edit", "scim.sync", "audit.witness",
    "key.view", "key.seal"};

static bool
is_org_only(enum permission p)
{
	for (size_t i = 0; i < sizeof org_only / sizeof *org_only; i++)
		if (strcmp(org_only[i], perm_text(p)) == 0)
			return true;
	return false;
}

static bool
is_self(enum permission p)
{
	return strcmp(perm_text(p), "token.create") == 0;
}

static unsigned
few(uint64_t *seed)
{
	return rnd_below(seed, 3) == 0 ? 1u << rnd_below(seed, WORDS) : 0;
}

static void
things_random(struct org *o, uint64_t *seed)
{
	for (unsigned i = 0; i < THINGS; i++) {
		struct othing *t = &o->thing[i];
		bool incident = i % 3 == 0;

		*t = (struct othing){.type = i % 3, .severity = -1};
		t->project = 1 + rnd_below(seed, PROJECTS);
		t->services = rnd_below(seed, 1u << WORDS);
		t->environments = rnd_below(seed, 1u << WORDS);
		t->labels = t->type == 1 ? rnd_below(seed, 1u << WORDS) : 0;
		t->kind = incident ? rnd_below(seed, WORDS + 1) : WORDS;
		if (incident)
			t->severity = (int)rnd_below(seed, 5);
		t->incident =
		    t->type == 1 ? 3 * rnd_below(seed, THINGS / 3 + 1) : THINGS;
	}
	for (unsigned i = 0; i < RGROUPS; i++) {
		struct orgroup *g = &o->rgroup[i];

		*g = (struct orgroup){
		    .types = rnd_below(seed, 8),
		    .services = few(seed),
		    .environments = few(seed),
		    .labels = few(seed),
		    .kinds = few(seed),
		    .severities =
			rnd_below(seed, 3) == 0 ? rnd_below(seed, 32) : 0,
		    .project = rnd_below(seed, 2) * rnd_below(seed, PROJECTS),
		};
		for (unsigned t = 0; t < THINGS; t++)
			g->id[t] = rnd_below(seed, 12) == 0;
	}
}

static void
org_random(struct org *o, uint64_t *seed)
{
	memset(o, 0, sizeof *o);
	things_random(o, seed);
	for (unsigned i = 0; i < PEOPLE; i++) {
		o->disabled[i] = rnd_below(seed, 8) == 0;
		o->gone[i] = rnd_below(seed, 16) == 0;
		for (unsigned g = 0; g < GROUPS; g++)
			o->in_group[i][g] = rnd_below(seed, 3) == 0;
	}
	for (unsigned c = 0; c < CUSTOM; c++)
		for (unsigned p = 0; p < PERM_MAX_; p++)
			o->custom[c][p] = rnd_below(seed, 3) == 0;
	o->bindings = rnd_below(seed, BINDINGS + 1);
	for (unsigned i = 0; i < o->bindings; i++)
		o->binding[i] = (struct obinding){
		    .subject = rnd_below(seed, PEOPLE + GROUPS),
		    .role = rnd_below(seed, ROLE_MAX_ + CUSTOM + 1),
		    .project = rnd_below(seed, PROJECTS + 1),
		    .expires = rnd_below(seed, 4) != 0
			? 0
			: (int64_t)NOW - 1 + rnd_below(seed, 3),
		    .starts = rnd_below(seed, 4) != 0
			? 0
			: (int64_t)NOW - 1 + rnd_below(seed, 3),
		    .rgroup = rnd_below(seed, 3) != 0
			? RGROUPS
			: rnd_below(seed, RGROUPS + 2),
		    .incident = rnd_below(seed, 8) != 0
			? THINGS
			: rnd_below(seed, THINGS),
		};
	for (unsigned i = 0; i < TOKENS; i++) {
		struct otoken *t = &o->token[i];

		for (unsigned p = 0; p < PERM_MAX_; p++)
			t->scope[p] = rnd_below(seed, 4) != 0;
		t->limited = rnd_below(seed, 2) == 0;
		for (unsigned p = 1; p <= PROJECTS; p++)
			t->project[p] = t->limited && rnd_below(seed, 2) == 0;
		t->project[1 + rnd_below(seed, PROJECTS)] |= t->limited;
		t->revoked = rnd_below(seed, 12) == 0;
		t->expired = rnd_below(seed, 12) == 0;
	}
}

static bool
oracle_role_has(const struct org *o, unsigned role, enum permission p)
{
	struct permset s;

	if (role < ROLE_MAX_) {
		s = role_perms((enum builtin_role)role);
		return permset_has(&s, p);
	}
	return role < ROLE_MAX_ + CUSTOM && o->custom[role - ROLE_MAX_][p];
}

/* Does the group hold the thing?  Nothing is asked for: nothing is held. */
static bool
oracle_in(const struct org *o, const struct orgroup *g, unsigned thing)
{
	const struct othing *t = &o->thing[thing];

	if ((g->types >> t->type & 1) == 0 ||
	    (g->project != 0 && g->project != t->project))
		return false;
	if (g->id[thing])
		return true;
	if (g->services == 0 && g->environments == 0 && g->labels == 0 &&
	    g->kinds == 0 && g->severities == 0)
		return false;
	if (g->services != 0 && (g->services & t->services) == 0)
		return false;
	if (g->environments != 0 && (g->environments & t->environments) == 0)
		return false;
	if ((g->labels & t->labels) != g->labels)
		return false;
	if (g->kinds != 0 &&
	    (t->kind == WORDS || (g->kinds >> t->kind & 1) == 0))
		return false;
	return g->severities == 0 ||
	    (t->severity >= 0 && (g->severities >> t->severity & 1) != 0);
}

/* Can it hold anything at all? */
static bool
oracle_empty(const struct orgroup *g)
{
	bool some = g->services != 0 || g->environments != 0 ||
	    g->labels != 0 || g->kinds != 0 || g->severities != 0;

	for (unsigned t = 0; t < THINGS; t++)
		some = some || g->id[t];
	return g->types == 0 || !some;
}

/* thing: an index, THINGS for none, THINGS + 1 for some. */
static bool
oracle_narrow(const struct org *o, const struct obinding *b, enum permission p,
    unsigned thing)
{
	bool placeless = thing > THINGS || is_self(p) ||
	    strcmp(perm_text(p), "project.view") == 0;

	if (is_org_only(p))
		return b->incident == THINGS && b->rgroup == RGROUPS;
	if (b->incident != THINGS) {
		const struct othing *t = &o->thing[thing % THINGS];

		if (placeless)
			return true;
		if (thing == THINGS)
			return false;
		return t->type == 1 ? t->incident == b->incident
				    : thing == b->incident;
	}
	if (b->rgroup == RGROUPS)
		return true;
	if (b->rgroup > RGROUPS)
		return false;
	if (placeless)
		return !oracle_empty(&o->rgroup[b->rgroup]);
	return thing != THINGS && oracle_in(o, &o->rgroup[b->rgroup], thing);
}

static bool
oracle_binding(const struct org *o, unsigned who, const struct obinding *b,
    enum permission p, unsigned project, unsigned thing)
{
	if (b->subject < PEOPLE ? b->subject != who
				: !o->in_group[who][b->subject - PEOPLE])
		return false;
	if (b->starts > NOW || (b->expires != 0 && b->expires <= NOW))
		return false;
	if (!oracle_role_has(o, b->role, p))
		return false;
	if (!oracle_narrow(o, b, p, thing))
		return false;
	if (is_self(p) || b->project == 0)
		return true;
	return !is_org_only(p) && b->project == project;
}

/* token: an index, or TOKENS for none. thing: an index, or THINGS. */
UNUSED static bool
oracle(const struct org *o, unsigned who, unsigned token, enum permission p,
    unsigned project, bool restricted, bool member, unsigned thing)
{
	bool org = is_org_only(p) || is_self(p);

	if (o->gone[who] || o->disabled[who])
		return false;
	if (token < TOKENS) {
		const struct otoken *t = &o->token[token];

		if (t->revoked || t->expired || !t->scope[p])
			return false;
		if (t->limited && (org || !t->project[project]))
			return false;
	}
	if (restricted && !member)
		return false;
	for (unsigned i = 0; i < o->bindings; i++)
		if (oracle_binding(o, who, &o->binding[i], p, project, thing))
			return true;
	return false;
}

/* ---- the same organization as a world ---- */

static struct uuid
person_id(unsigned who)
{
	return who < USERS ? id_of(OBJECT_USER, who)
			   : id_of(OBJECT_SERVICE_ACCOUNT, who - USERS);
}

static enum principal_kind
person_kind(unsigned who)
{
	return who < USERS ? PRINCIPAL_USER : PRINCIPAL_SERVICE_ACCOUNT;
}

static void
org_put_people(struct world_builder *b, const struct org *o)
{
	struct uuid members[PEOPLE];
	char name[16];

	for (unsigned i = 0; i < PEOPLE; i++) {
		if (o->gone[i])
			continue;
		if (i < USERS)
			put_user(b, i, "", o->disabled[i]);
		else
			put_account(b, i - USERS, "sa", o->disabled[i]);
	}
	for (unsigned g = 0; g < GROUPS; g++) {
		size_t n = 0;

		for (unsigned i = 0; i < PEOPLE; i++)
			if (o->in_group[i][g])
				members[n++] = person_id(i);
		snprintf(name, sizeof name, "g%u", g);
		put_group(b, g, name, members, n);
	}
}

static struct uuid
thing_id(unsigned i)
{
	static const enum object_kind kinds[] = {OBJECT_PROJECT, OBJECT_USER,
	    OBJECT_INTEGRATION};

	return id_of(kinds[i % 3], 1000 + i);
}

static const struct str oracle_services[] = {{"db", 2}, {"web", 3}, {"", 0}};
static const struct str oracle_environments[] = {{"prod", 4}, {"test", 4},
    {"x", 1}};
static const struct str oracle_kinds[] = {{"breach", 6}, {"outage", 6},
    {"y", 1}};
static const struct str oracle_labels[] = {{"team=a", 6}, {"team=b", 6},
    {"a=b=c", 5}};

static size_t
words(const struct str *all, unsigned bits, struct str ret[WORDS])
{
	size_t n = 0;

	for (unsigned i = 0; i < WORDS; i++)
		if ((bits >> i & 1) != 0)
			ret[n++] = all[i];
	return n;
}

static void
org_put_rgroup(struct world_builder *b, const struct orgroup *g, unsigned i)
{
	struct str s[4][WORDS];
	struct uuid ids[THINGS];
	char name[16];
	struct resource_group x = {
	    .o = head_of(OBJECT_RESOURCE_GROUP, i, g->project),
	    .types = (uint8_t)g->types,
	    .severities = (uint8_t)g->severities,
	    .services = s[0],
	    .environments = s[1],
	    .kinds = s[2],
	    .labels = s[3],
	    .ids = ids,
	};

	snprintf(name, sizeof name, "r%u", i);
	x.name = str_c(name);
	x.services_n = words(oracle_services, g->services, s[0]);
	x.environments_n = words(oracle_environments, g->environments, s[1]);
	x.kinds_n = words(oracle_kinds, g->kinds, s[2]);
	x.labels_n = words(oracle_labels, g->labels, s[3]);
	for (unsigned t = 0; t < THINGS; t++)
		if (g->id[t])
			ids[x.ids_n++] = thing_id(t);
	put(b, &x);
}

/* A resource, with room for what it points to. */
struct thing {
	struct resource r;
	struct str services[WORDS], environments[WORDS], labels[WORDS];
	struct resource_label label[WORDS];
};

UNUSED static void
org_thing(const struct org *o, unsigned i, struct thing *ret)
{
	const struct othing *t = &o->thing[i];
	struct resource *r = &ret->r;

	*r = (struct resource){
	    .type = (enum resource_type)t->type,
	    .project = t->project,
	    .id = thing_id(i),
	    .severity = t->severity,
	    .kind = t->kind < WORDS ? oracle_kinds[t->kind] : STR(""),
	    .services = ret->services,
	    .environments = ret->environments,
	    .labels = ret->label,
	};
	if (t->incident < THINGS)
		r->incident = thing_id(t->incident);
	r->services_n = words(oracle_services, t->services, ret->services);
	r->environments_n =
	    words(oracle_environments, t->environments, ret->environments);
	r->labels_n = words(oracle_labels, t->labels, ret->labels);
	for (size_t l = 0; l < r->labels_n; l++)
		(void)str_cut(ret->labels[l], '=', &ret->label[l].name,
		    &ret->label[l].value);
}

static void
org_put_binding(struct world_builder *b, const struct obinding *x,
    unsigned number)
{
	bool group = x->subject >= PEOPLE;
	char name[16];
	struct binding y = {
	    .o = head_of(OBJECT_BINDING, number, x->project),
	    .subject_kind = group ? PRINCIPAL_GROUP : person_kind(x->subject),
	    .subject = group ? id_of(OBJECT_GROUP, x->subject - PEOPLE)
			     : person_id(x->subject),
	    .starts = x->starts,
	    .expires = x->expires,
	};

	snprintf(name, sizeof name, "c%u", x->role - ROLE_MAX_);
	y.role = str_c(
	    x->role < ROLE_MAX_ ? role_name((enum builtin_role)x->role) : name);
	if (x->rgroup != RGROUPS)
		y.group = id_of(OBJECT_RESOURCE_GROUP, x->rgroup);
	if (x->incident != THINGS)
		y.incident = thing_id(x->incident);
	put(b, &y);
}

/* number: the number each binding gets; NULL: its place. */
static struct world *
org_world(const struct org *o, const unsigned *number)
{
	struct world_builder *b = fresh();
	char name[16];

	for (uint32_t p = 1; p <= PROJECTS; p++) {
		snprintf(name, sizeof name, "p%u", p);
		put_project(b, p, name);
	}
	org_put_people(b, o);
	for (unsigned c = 0; c < CUSTOM; c++) {
		struct permset s = {{0, 0}};

		for (unsigned p = 0; p < PERM_MAX_; p++)
			if (o->custom[c][p])
				permset_add(&s, (enum permission)p);
		snprintf(name, sizeof name, "c%u", c);
		put_role(b, c, name, s);
	}
	for (unsigned i = 0; i < RGROUPS; i++)
		org_put_rgroup(b, &o->rgroup[i], i);
	for (unsigned i = 0; i < o->bindings; i++)
		org_put_binding(b, &o->binding[i],
		    number == NULL ? i : number[i]);
	return done(b);
}

/* The token as a struct; numbers holds its projects. */
static struct token
org_token(const struct org *o, unsigned i, unsigned who,
    uint32_t numbers[PROJECTS])
{
	const struct otoken *t = &o->token[i];
	struct token x = token_of(i, 'p', person_kind(who), person_id(who),
	    (struct permset){{0, 0}});

	for (unsigned p = 0; p < PERM_MAX_; p++)
		if (t->scope[p])
			permset_add(&x.scopes, (enum permission)p);
	for (uint32_t p = 1; p <= PROJECTS; p++)
		if (t->project[p])
			numbers[x.projects_n++] = p;
	x.projects = numbers;
	x.expires = t->expired ? NOW : NOW + 1;
	x.revoked = t->revoked ? NOW - 1 : 0;
	return x;
}

#endif
