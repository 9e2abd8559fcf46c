/*
 * worlds.c: random organizations, questions about them, and what access
 * decides, as one JSON document a line for compare.mjs, which asks Cedar.
 *
 *	worlds REQUESTS [SEED]
 *
 * The organization is written as plain data, as oracle.h drew it: what a
 * binding means is said once more, in Cedar's language, over there.
 */
#include "base/json.h"
#include "tests/unit/access/oracle.h"

enum { PER_WORLD = 250 };

static struct buf line;
static struct jw w;

static void
begin(const char *kind)
{
	line.n = 0;
	jw_init(&w, &line);
	jw_obj(&w);
	jw_kstr(&w, "line", str_c(kind));
}

static void
end(void)
{
	jw_obj_end(&w);
	if (line.failed)
		abort();
	fwrite(line.p, 1, line.n, stdout);
	putchar('\n');
}

static void
perms(const char *name, const struct permset *s)
{
	jw_name(&w, str_c(name));
	jw_arr(&w);
	for (unsigned p = 0; p < PERM_MAX_; p++)
		if (permset_has(s, (enum permission)p))
			jw_str(&w, str_c(perm_text((enum permission)p)));
	jw_arr_end(&w);
}

static void
bits(const char *name, const struct str *all, unsigned n, unsigned set)
{
	jw_name(&w, str_c(name));
	jw_arr(&w);
	for (unsigned i = 0; i < n; i++)
		if ((set >> i & 1) != 0)
			jw_str(&w, all[i]);
	jw_arr_end(&w);
}

static void
numbers(const char *name, unsigned n, unsigned set)
{
	jw_name(&w, str_c(name));
	jw_arr(&w);
	for (unsigned i = 0; i < n; i++)
		if ((set >> i & 1) != 0)
			jw_i64(&w, i);
	jw_arr_end(&w);
}

/* ---- the table of permissions ---- */

static void
tell_permissions(void)
{
	begin("permissions");
	jw_karr(&w, "all");
	for (unsigned p = 0; p < PERM_MAX_; p++) {
		enum permission perm = (enum permission)p;

		jw_obj(&w);
		jw_kstr(&w, "name", str_c(perm_text(perm)));
		jw_kbool(&w, "org", is_org_only(perm));
		jw_kbool(&w, "self", is_self(perm));
		jw_obj_end(&w);
	}
	jw_arr_end(&w);
	end();
}

/* ---- an organization ---- */

static void
tell_people(const struct org *o)
{
	jw_karr(&w, "people");
	for (unsigned i = 0; i < PEOPLE; i++) {
		unsigned groups = 0;

		for (unsigned g = 0; g < GROUPS; g++)
			groups |= (unsigned)o->in_group[i][g] << g;
		jw_obj(&w);
		jw_kbool(&w, "acts", !o->disabled[i] && !o->gone[i]);
		numbers("groups", GROUPS, groups);
		jw_obj_end(&w);
	}
	jw_arr_end(&w);
}

static void
tell_binding(const struct org *o, const struct obinding *b)
{
	struct permset s = {{0, 0}};

	for (unsigned p = 0; p < PERM_MAX_; p++)
		if (oracle_role_has(o, b->role, (enum permission)p))
			permset_add(&s, (enum permission)p);
	jw_obj(&w);
	jw_kbool(&w, "group", b->subject >= PEOPLE);
	jw_ki64(&w, "subject",
	    b->subject >= PEOPLE ? b->subject - PEOPLE : b->subject);
	perms("permissions", &s);
	jw_ki64(&w, "project", b->project);
	jw_ki64(&w, "starts", b->starts);
	jw_ki64(&w, "expires", b->expires);
	jw_ki64(&w, "rgroup", b->rgroup == RGROUPS ? -1 : (int64_t)b->rgroup);
	jw_ki64(&w, "incident",
	    b->incident == THINGS ? -1 : (int64_t)b->incident);
	jw_obj_end(&w);
}

static const struct str types[] = {{"incident", 8}, {"alert", 5},
    {"integration", 11}};

static void
tell_rgroup(const struct orgroup *g)
{
	unsigned ids = 0;

	for (unsigned t = 0; t < THINGS; t++)
		ids |= (unsigned)g->id[t] << t;
	jw_obj(&w);
	bits("types", types, 3, g->types);
	bits("services", oracle_services, WORDS, g->services);
	bits("environments", oracle_environments, WORDS, g->environments);
	bits("labels", oracle_labels, WORDS, g->labels);
	bits("kinds", oracle_kinds, WORDS, g->kinds);
	numbers("severities", 5, g->severities);
	numbers("ids", THINGS, ids);
	jw_ki64(&w, "project", g->project);
	jw_obj_end(&w);
}

static void
tell_thing(const struct othing *t)
{
	jw_obj(&w);
	jw_kstr(&w, "type", types[t->type]);
	jw_ki64(&w, "project", t->project);
	bits("services", oracle_services, WORDS, t->services);
	bits("environments", oracle_environments, WORDS, t->environments);
	bits("labels", oracle_labels, WORDS, t->labels);
	bits("kind", oracle_kinds, WORDS, t->kind < WORDS ? 1u << t->kind : 0);
	jw_ki64(&w, "severity", t->severity);
	jw_ki64(&w, "incident",
	    t->incident == THINGS ? -1 : (int64_t)t->incident);
	jw_obj_end(&w);
}

static void
tell_world(const struct org *o)
{
	begin("world");
	jw_ki64(&w, "now", NOW);
	tell_people(o);
	jw_karr(&w, "bindings");
	for (unsigned i = 0; i < o->bindings; i++)
		tell_binding(o, &o->binding[i]);
	jw_arr_end(&w);
	jw_karr(&w, "rgroups");
	for (unsigned i = 0; i < RGROUPS; i++)
		tell_rgroup(&o->rgroup[i]);
	jw_arr_end(&w);
	jw_karr(&w, "things");
	for (unsigned i = 0; i < THINGS; i++)
		tell_thing(&o->thing[i]);
	jw_arr_end(&w);
	end();
}

/* ---- a question ---- */

static void
tell_token(const struct otoken *t)
{
	struct permset s = {{0, 0}};
	unsigned projects = 0;

	for (unsigned p = 0; p < PERM_MAX_; p++)
		if (t->scope[p])
			permset_add(&s, (enum permission)p);
	for (unsigned p = 1; p <= PROJECTS; p++)
		projects |= (unsigned)t->project[p] << p;
	jw_kobj(&w, "token");
	jw_kbool(&w, "live", !t->revoked && !t->expired);
	perms("scopes", &s);
	jw_kbool(&w, "limited", t->limited);
	numbers("projects", PROJECTS + 1, projects);
	jw_obj_end(&w);
}

static void
ask(const struct org *o, const struct world *world, uint64_t *seed)
{
	unsigned who = rnd_below(seed, PEOPLE);
	unsigned token = rnd_below(seed, 2 * TOKENS);
	unsigned thing = rnd_below(seed, 2 * THINGS);
	struct actor actor =
	    actor_of(world, person_kind(who), person_id(who), NULL);
	struct target t = {
	    .perm = (enum permission)rnd_below(seed, PERM_MAX_),
	    .project = rnd_below(seed, PROJECTS + 1),
	    .restricted = rnd_below(seed, 6) == 0,
	    .member = rnd_below(seed, 2) == 0,
	};
	uint32_t projects[PROJECTS];
	struct thing room;
	struct decision d;
	struct token tok;

	if (token < TOKENS) {
		tok = org_token(o, token, who, projects);
		actor.token = &tok;
	}
	if (thing < THINGS) {
		org_thing(o, thing, &room);
		t.res = &room.r;
		t.project = room.r.project;
	}
	d = access_decide(&actor, &t, NOW);
	begin("ask");
	jw_ki64(&w, "who", who);
	jw_kstr(&w, "permission", str_c(perm_text(t.perm)));
	jw_ki64(&w, "project", t.project);
	jw_ki64(&w, "thing", thing < THINGS ? (int64_t)thing : -1);
	jw_kbool(&w, "restricted", t.restricted);
	jw_kbool(&w, "member", t.member);
	if (token < TOKENS)
		tell_token(&o->token[token]);
	jw_kbool(&w, "allowed", d.allowed);
	jw_kstr(&w, "rule", str_c(access_rule_text(d.rule)));
	jw_ki64(&w, "binding", d.binding == NULL ? -1 : d.binding->o.id.b[15]);
	end();
}

int
main(int argc, char **argv)
{
	unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 10) : 20000;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 20261128;
	struct arena a;
	struct org o;

	(void)t_last; /* t.h's, and no test is registered here */
	arena_init(&a, 1 << 22);
	buf_init_on(&line, &a, 1 << 20);
	tell_permissions();
	for (unsigned long done = 0; done < n; done += PER_WORLD) {
		struct world *world;

		org_random(&o, &seed);
		world = org_world(&o, NULL);
		tell_world(&o);
		for (unsigned i = 0; i < PER_WORLD && done + i < n; i++)
			ask(&o, world, &seed);
		world_unref(world);
	}
	arena_done(&a);
	return 0;
}
