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
	BINDINGS = 24,
	TOKENS = 6,
};

struct obinding {
	unsigned subject; /* PEOPLE, then GROUPS */
	unsigned role;	  /* ROLE_MAX_, then CUSTOM, then one that is none */
	unsigned project; /* 0 = everywhere */
	int64_t expires;
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
};

static const char *const org_only[] = {"project.create", "user.view",
    "user.edit", "role.view", "role.edit", "token.admin", "access.explain",
    "audit.view", "audit.export", "metrics.view", "posture.view"};

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

static void
org_random(struct org *o, uint64_t *seed)
{
	memset(o, 0, sizeof *o);
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

static bool
oracle_binding(const struct org *o, unsigned who, const struct obinding *b,
    enum permission p, unsigned project)
{
	if (b->subject < PEOPLE ? b->subject != who
				: !o->in_group[who][b->subject - PEOPLE])
		return false;
	if (b->expires != 0 && b->expires <= NOW)
		return false;
	if (!oracle_role_has(o, b->role, p))
		return false;
	if (is_self(p) || b->project == 0)
		return true;
	return !is_org_only(p) && b->project == project;
}

/* token: an index, or TOKENS for none. */
UNUSED static bool
oracle(const struct org *o, unsigned who, unsigned token, enum permission p,
    unsigned project, bool restricted, bool member)
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
		if (oracle_binding(o, who, &o->binding[i], p, project))
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

static void
org_put_binding(struct world_builder *b, const struct obinding *x,
    unsigned number)
{
	bool group = x->subject >= PEOPLE;
	char name[16];

	snprintf(name, sizeof name, "c%u", x->role - ROLE_MAX_);
	put_binding(b, number,
	    group ? PRINCIPAL_GROUP : person_kind(x->subject),
	    group ? id_of(OBJECT_GROUP, x->subject - PEOPLE)
		  : person_id(x->subject),
	    x->role < ROLE_MAX_ ? role_name((enum builtin_role)x->role) : name,
	    x->project, x->expires);
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
