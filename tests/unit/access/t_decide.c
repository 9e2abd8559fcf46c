/* Decisions one by one, grants, and the guards. */
#include <time.h>

#include "tests/unit/access/help.h"

/* Two projects; ann views alpha, root is an administrator, ops (group: bob)
 * responds in beta, eve has nothing, dan is disabled. */
static struct world *
office(void)
{
	struct world_builder *b = fresh();
	struct uuid ann = put_user(b, 1, "ann@x", false);
	struct uuid bob = put_user(b, 2, "bob@x", false);
	struct uuid root = put_user(b, 3, "root@x", false);
	struct uuid dan = put_user(b, 5, "dan@x", true);
	struct uuid ops = put_group(b, 1, "ops", &bob, 1);

	put_user(b, 4, "eve@x", false);
	put_project(b, 1, "alpha");
	put_project(b, 2, "beta");
	put_role(b, 1, "clerk", set_of(PERM_USER_EDIT));
	put_integration(b, 1, 1, false);
	put_integration(b, 2, 1, true);
	put_binding(b, 1, PRINCIPAL_USER, ann, "viewer", 1, 0);
	put_binding(b, 2, PRINCIPAL_GROUP, ops, "responder", 2, 0);
	put_binding(b, 3, PRINCIPAL_USER, root, "org_admin", 0, 0);
	put_binding(b, 4, PRINCIPAL_USER, dan, "org_admin", 0, 0);
	put_binding(b, 5, PRINCIPAL_USER, ann, "clerk", 1, 0);
	put_binding(b, 6, PRINCIPAL_USER, ann, "commander", 2, NOW + 1);
	return done(b);
}

enum who { ANN = 1, BOB, ROOT, EVE, DAN, STRANGER };

static struct actor
user(const struct world *w, enum who n)
{
	return actor_of(w, PRINCIPAL_USER, id_of(OBJECT_USER, (uint32_t)n),
	    NULL);
}

static enum access_rule
rule(const struct world *w, enum who n, enum permission p, uint32_t project)
{
	struct actor a = user(w, n);
	struct target t = {.perm = p, .project = project};

	return access_decide(&a, &t, NOW).rule;
}

TEST(table)
{
	static const struct {
		enum who who;
		enum permission perm;
		uint32_t project;
		enum access_rule want;
	} rows[] = {
	    {ANN, PERM_INCIDENT_VIEW, 1, RULE_ALLOW},
	    {ANN, PERM_INCIDENT_VIEW, 2, RULE_ALLOW},
	    {ANN, PERM_INCIDENT_VIEW, 0, RULE_NO_BINDING},
	    {ANN, PERM_INCIDENT_EDIT, 1, RULE_NO_BINDING},
	    {ANN, PERM_INCIDENT_EDIT, 2, RULE_ALLOW},
	    /* a project's binding gives nothing of the organization's */
	    {ANN, PERM_USER_EDIT, 0, RULE_NO_BINDING},
	    {ANN, PERM_USER_EDIT, 1, RULE_NO_BINDING},
	    /* but what is about oneself holds everywhere */
	    {ANN, PERM_TOKEN_CREATE, 0, RULE_ALLOW},
	    {ANN, PERM_NONE, 0, RULE_ALLOW_SELF},
	    {ANN, PERM_OBJECT, 0, RULE_ALLOW_SELF},
	    {BOB, PERM_INCIDENT_EDIT, 2, RULE_ALLOW},
	    {BOB, PERM_INCIDENT_EDIT, 1, RULE_NO_BINDING},
	    {ROOT, PERM_INCIDENT_EDIT, 1, RULE_ALLOW},
	    {ROOT, PERM_USER_EDIT, 0, RULE_ALLOW},
	    {ROOT, PERM_USER_EDIT, 1, RULE_ALLOW},
	    {ROOT, PERM_INGEST, 1, RULE_NO_BINDING},
	    {ROOT, PERM_MAX_, 1, RULE_NO_BINDING},
	    {EVE, PERM_INCIDENT_VIEW, 1, RULE_NO_BINDING},
	    {EVE, PERM_TOKEN_CREATE, 0, RULE_NO_BINDING},
	    {EVE, PERM_NONE, 0, RULE_ALLOW_SELF},
	    {DAN, PERM_INCIDENT_VIEW, 1, RULE_PRINCIPAL_DISABLED},
	    {DAN, PERM_NONE, 0, RULE_PRINCIPAL_DISABLED},
	    {STRANGER, PERM_NONE, 0, RULE_PRINCIPAL_DISABLED},
	};
	struct world *w = office();

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rule(w, rows[i].who, rows[i].perm, rows[i].project) !=
		    rows[i].want)
			T_FAIL("row %zu: %s", i,
			    access_rule_text(rule(w, rows[i].who, rows[i].perm,
				rows[i].project)));
	world_unref(w);
}

TEST(expiry_is_exact)
{
	struct world *w = office();
	struct actor a = user(w, ANN);
	struct target t = {.perm = PERM_INCIDENT_EDIT, .project = 2};

	T_OK(access_decide(&a, &t, NOW).allowed);
	T_OK(!access_decide(&a, &t, NOW + 1).allowed);
	T_OK(!access_decide(&a, &t, NOW + 2).allowed);
	world_unref(w);
}

TEST(token_ceiling)
{
	static const uint32_t one[] = {1};
	struct world *w = office();
	struct token t = token_of(1, 'p', PRINCIPAL_USER,
	    id_of(OBJECT_USER, ROOT), set_of(PERM_INCIDENT_VIEW));
	struct actor a = actor_of(w, PRINCIPAL_USER, t.owner.u, &t);
	struct target x = {.perm = PERM_INCIDENT_VIEW, .project = 2};

	T_EQ_INT(access_decide(&a, &x, NOW).rule, RULE_ALLOW);
	x.perm = PERM_INCIDENT_EDIT;
	T_EQ_INT(access_decide(&a, &x, NOW).rule, RULE_TOKEN_SCOPE);
	t.projects = one;
	t.projects_n = 1;
	x.perm = PERM_INCIDENT_VIEW;
	T_EQ_INT(access_decide(&a, &x, NOW).rule, RULE_TOKEN_PROJECT);
	x.project = 0;
	T_EQ_INT(access_decide(&a, &x, NOW).rule, RULE_TOKEN_PROJECT);
	x.project = 1;
	T_EQ_INT(access_decide(&a, &x, NOW).rule, RULE_ALLOW);
	x = (struct target){.perm = PERM_NONE};
	T_EQ_INT(access_decide(&a, &x, NOW).rule, RULE_ALLOW_SELF);
	x.project = 2;
	T_EQ_INT(access_decide(&a, &x, NOW).rule, RULE_TOKEN_PROJECT);
	x.project = 1;
	x.perm = PERM_INCIDENT_VIEW;
	T_EQ_INT(access_decide(&a, &x, t.expires - 1).rule, RULE_ALLOW);
	T_EQ_INT(access_decide(&a, &x, t.expires).rule, RULE_TOKEN_EXPIRED);
	t.revoked = 1;
	T_EQ_INT(access_decide(&a, &x, NOW).rule, RULE_TOKEN_EXPIRED);
	/* an organization's permission is no project's, named or not */
	t.revoked = 0;
	t.scopes = permset_all();
	x.perm = PERM_USER_EDIT;
	T_EQ_INT(access_decide(&a, &x, NOW).rule, RULE_TOKEN_PROJECT);
	world_unref(w);
}

TEST(restricted_is_invisible_to_administrators)
{
	struct world *w = office();
	struct actor root = user(w, ROOT), bob = user(w, BOB);
	struct target t = {.perm = PERM_INCIDENT_VIEW,
	    .project = 2,
	    .restricted = true};
	const struct grant *g = NULL;
	struct decision d;
	struct arena a;

	arena_init(&a, 65536);
	T_EQ_INT(access_decide(&root, &t, NOW).rule, RULE_RESTRICTED);
	T_ERR(access_grant(&a, &root, &t, NOW, &d, &g), E_NOT_FOUND);
	T_EQ_INT(d.rule, RULE_RESTRICTED);
	T_OK(g == NULL);
	t.member = true;
	T_GOOD(access_grant(&a, &bob, &t, NOW, &d, &g));
	/* being a member is not a right */
	t.perm = PERM_INCIDENT_RESTRICT;
	T_ERR(access_grant(&a, &bob, &t, NOW, &d, &g), E_FORBIDDEN);
	arena_done(&a);
	world_unref(w);
}

TEST(grant_says_what_was_granted)
{
	struct world *w = office();
	struct actor bob = user(w, BOB);
	struct target t = {.perm = PERM_INCIDENT_EDIT, .project = 2};
	const struct grant *g = NULL;
	struct decision d;
	struct arena a;

	arena_init(&a, 65536);
	T_GOOD(access_grant(&a, &bob, &t, NOW, &d, &g));
	T_REQUIRE(g != NULL);
	T_OK(grant_actor(g) == &bob);
	T_EQ_INT(grant_perm(g), PERM_INCIDENT_EDIT);
	T_EQ_INT(grant_project(g), 2);
	T_OK(d.allowed && d.binding != NULL && d.via != NULL);
	T_EQ_STR(d.via->name, STR("ops"));
	arena_done(&a);
	world_unref(w);
}

TEST(not_found_or_forbidden)
{
	static const struct {
		enum who who;
		enum permission perm;
		uint32_t project;
		enum err_code want;
	} rows[] = {
	    {ANN, PERM_INCIDENT_EDIT, 1, E_FORBIDDEN}, /* sees alpha */
	    {BOB, PERM_INCIDENT_VIEW, 1, E_NOT_FOUND}, /* does not */
	    {BOB, PERM_PROJECT_EDIT, 2, E_FORBIDDEN},
	    {EVE, PERM_INCIDENT_VIEW, 2, E_NOT_FOUND},
	    {EVE, PERM_USER_VIEW, 0, E_FORBIDDEN},
	    {ANN, PERM_USER_EDIT, 0, E_FORBIDDEN},
	    {DAN, PERM_INCIDENT_VIEW, 1, E_NOT_FOUND},
	    {DAN, PERM_NONE, 0, E_FORBIDDEN},
	};
	struct world *w = office();
	const struct grant *g = NULL;
	struct decision d;
	struct arena a;

	arena_init(&a, 65536);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct actor who = user(w, rows[i].who);
		struct target t = {.perm = rows[i].perm,
		    .project = rows[i].project};

		T_ERR(access_grant(&a, &who, &t, NOW, &d, &g), rows[i].want);
		T_OK(g == NULL && !d.allowed);
	}
	arena_done(&a);
	world_unref(w);
}

/* A token that does not name a project must not tell that it exists. */
TEST(a_token_hides_other_projects)
{
	static const uint32_t one[] = {1};
	struct world *w = office();
	struct token tok = token_of(1, 'p', PRINCIPAL_USER,
	    id_of(OBJECT_USER, ROOT), permset_all());
	struct actor a = actor_of(w, PRINCIPAL_USER, tok.owner.u, &tok);
	struct target t = {.perm = PERM_INCIDENT_VIEW, .project = 2};
	const struct grant *g = NULL;
	struct decision d;
	struct arena mem;

	tok.projects = one;
	tok.projects_n = 1;
	arena_init(&mem, 65536);
	T_ERR(access_grant(&mem, &a, &t, NOW, &d, &g), E_NOT_FOUND);
	T_EQ_INT(d.rule, RULE_TOKEN_PROJECT);
	tok.projects_n = 0;
	tok.scopes = set_of(PERM_INCIDENT_VIEW);
	t.perm = PERM_INCIDENT_EDIT;
	T_ERR(access_grant(&mem, &a, &t, NOW, &d, &g), E_FORBIDDEN);
	T_EQ_INT(d.rule, RULE_TOKEN_SCOPE);
	arena_done(&mem);
	world_unref(w);
}

TEST(integrations_deliver_to_their_project_only)
{
	struct world *w = office();
	struct actor in = actor_of(w, PRINCIPAL_INTEGRATION,
	    id_of(OBJECT_INTEGRATION, 1), NULL);
	struct target t = {.perm = PERM_INGEST, .project = 1};
	struct permset s;

	T_EQ_INT(access_decide(&in, &t, NOW).rule, RULE_ALLOW_SELF);
	t.project = 2;
	T_EQ_INT(access_decide(&in, &t, NOW).rule, RULE_NO_BINDING);
	t.project = 0;
	T_EQ_INT(access_decide(&in, &t, NOW).rule, RULE_NO_BINDING);
	for (unsigned p = 0; p < PERM_MAX_; p++) {
		t = (struct target){.perm = (enum permission)p, .project = 1};
		T_EQ_INT(access_decide(&in, &t, NOW).allowed, p == PERM_INGEST);
		T_EQ_INT(access_anywhere(&in, (enum permission)p, NOW),
		    p == PERM_INGEST);
	}
	s = access_effective(&in, 1, NOW);
	T_OK(permset_within(s, set_of(PERM_INGEST)));
	T_OK(permset_has(&s, PERM_INGEST));
	in.id = id_of(OBJECT_INTEGRATION, 2);
	t = (struct target){.perm = PERM_INGEST, .project = 1};
	T_EQ_INT(access_decide(&in, &t, NOW).rule, RULE_PRINCIPAL_DISABLED);
	world_unref(w);
}

TEST(delegates_work_in_their_project_and_do_nothing_else)
{
	struct delegate d = {.o = {.kind = OBJECT_DELEGATE,
				 .id = id_of(OBJECT_DELEGATE, 1),
				 .project = 1,
				 .version = 1},
	    .name = STR("d"),
	    .state = DELEGATE_APPROVED};
	/* not even what a binding to it would give */
	struct binding b = {.o = {.kind = OBJECT_BINDING,
				.id = id_of(OBJECT_BINDING, 900)},
	    .subject_kind = PRINCIPAL_SERVICE_ACCOUNT,
	    .subject = d.o.id,
	    .role = STR("org_admin")};
	struct world *w = office(), *w2;
	struct world_builder *wb;
	struct actor who;
	struct target t;
	struct permset s;

	T_GOOD(world_builder_from(w, &wb));
	T_GOOD(world_builder_put(wb, &d.o));
	T_GOOD(world_builder_put(wb, &b.o));
	T_GOOD(world_builder_done(wb, &w2));
	who = actor_of(w2, PRINCIPAL_DELEGATE, d.o.id, NULL);
	for (unsigned p = 0; p < PERM_MAX_; p++) {
		t = (struct target){.perm = (enum permission)p, .project = 1};
		T_EQ_INT(access_decide(&who, &t, NOW).allowed,
		    p == PERM_DELEGATE_WORK);
		T_EQ_INT(access_anywhere(&who, (enum permission)p, NOW),
		    p == PERM_DELEGATE_WORK);
	}
	t = (struct target){.perm = PERM_NONE};
	T_EQ_INT(access_decide(&who, &t, NOW).rule, RULE_NO_BINDING);
	t = (struct target){.perm = PERM_DELEGATE_WORK, .project = 2};
	T_EQ_INT(access_decide(&who, &t, NOW).rule, RULE_NO_BINDING);
	s = access_effective(&who, 1, NOW);
	T_OK(permset_within(s, set_of(PERM_DELEGATE_WORK)));
	T_OK(permset_has(&s, PERM_DELEGATE_WORK));
	for (unsigned st = 0; st < DELEGATE_STATES; st++) {
		struct world *w3;

		d.state = (enum delegate_state)st;
		T_GOOD(world_builder_from(w2, &wb));
		T_GOOD(world_builder_put(wb, &d.o));
		T_GOOD(world_builder_done(wb, &w3));
		who.world = w3;
		t.project = 1;
		T_EQ_INT(access_decide(&who, &t, NOW).allowed,
		    st == DELEGATE_APPROVED);
		world_unref(w3);
	}
	world_unref(w2);
	world_unref(w);
}

TEST(the_system_may_and_nobody_else_poses_as_it)
{
	struct world *w = office();
	struct token tok = token_of(1, 'p', PRINCIPAL_SYSTEM,
	    (struct uuid){{0}}, permset_all());
	struct actor a =
	    actor_of(w, PRINCIPAL_SYSTEM, (struct uuid){{0}}, NULL);
	struct target t = {.perm = PERM_INCIDENT_EDIT,
	    .project = 1,
	    .restricted = true};

	T_OK(access_decide(&a, &t, NOW).allowed);
	a.token = &tok;
	T_OK(!access_decide(&a, &t, NOW).allowed);
	a.token = NULL;
	a.kind = PRINCIPAL_ANONYMOUS;
	T_OK(!access_decide(&a, &t, NOW).allowed);
	t.perm = PERM_NONE;
	t.restricted = false;
	T_OK(!access_decide(&a, &t, NOW).allowed);
	world_unref(w);
}

TEST(subjects)
{
	struct world *w = office();
	struct actor bob = user(w, BOB);
	struct access_subject s[4];

	T_EQ_INT(access_subjects(&bob, NOW, s, 4), 2);
	T_EQ_INT(s[0].kind, 1);
	T_OK(uuid_eq(&s[0].id, &bob.id));
	T_EQ_INT(s[1].kind, 2);
	T_EQ_INT(access_subjects(&bob, NOW, s, 1), 1);
	T_EQ_INT(access_subjects(&bob, NOW, s, 0), 0);
	world_unref(w);
}

/* ---- guards ---- */

TEST(nobody_grants_what_it_lacks)
{
	struct world *w = office();
	struct actor ann = user(w, ANN), root = user(w, ROOT);
	struct token tok =
	    token_of(1, 'p', PRINCIPAL_USER, root.id, permset_all());
	struct trail t = {{0}};

	T_GOOD(access_may_grant(&ann, role_perms(ROLE_viewer), 1, NOW, &t));
	T_ERR(access_may_grant(&ann, role_perms(ROLE_responder), 1, NOW, &t),
	    E_FORBIDDEN);
	T_EQ_STR(str_c(t.detail),
	    STR("you cannot grant incident.create, which you lack"));
	T_ERR(access_may_grant(&ann, role_perms(ROLE_viewer), 0, NOW, &t),
	    E_FORBIDDEN);
	/* its organization's permission holds nowhere: bound to a project */
	T_ERR(access_may_grant(&ann, set_of(PERM_USER_EDIT), 1, NOW, &t),
	    E_FORBIDDEN);
	for (unsigned r = 0; r < ROLE_MAX_; r++) {
		T_GOOD(access_may_grant(&root, role_perms((enum builtin_role)r),
		    0, NOW, &t));
		T_GOOD(access_may_grant(&root, role_perms((enum builtin_role)r),
		    2, NOW, &t));
	}
	/* who may escalate grants what it lacks; a token of it may not */
	tok.scopes = set_of(PERM_RBAC_ESCALATE);
	root.token = &tok;
	T_GOOD(access_may_grant(&root, set_of(PERM_USER_EDIT), 0, NOW, &t));
	T_ERR(access_may_grant(&root, set_of(PERM_INGEST), 0, NOW, &t),
	    E_FORBIDDEN);
	T_ERR(access_may_grant(&root, set_of(PERM_DELEGATE_WORK), 1, NOW, &t),
	    E_FORBIDDEN);
	tok.scopes = permset_all_but(PERM_RBAC_ESCALATE);
	T_GOOD(access_may_grant(&root, set_of(PERM_USER_EDIT), 0, NOW, &t));
	tok.scopes = permset_all_but(PERM_USER_EDIT);
	tok.scopes.w[0] &= ~(UINT64_C(1) << PERM_RBAC_ESCALATE);
	T_ERR(access_may_grant(&root, set_of(PERM_USER_EDIT), 0, NOW, &t),
	    E_FORBIDDEN);
	world_unref(w);
}

/* Letting somebody into a group is granting what the group has. */
TEST(mapping_a_group_is_granting)
{
	struct world_builder *b = fresh();
	struct uuid ann = put_user(b, 1, "ann@x", false), g[4];
	struct actor a;
	struct world *w;

	for (uint32_t i = 0; i < 4; i++)
		g[i] = put_group(b, i, "g", NULL, 0);
	put_binding(b, 1, PRINCIPAL_USER, ann, "project_admin", 1, 0);
	put_binding(b, 2, PRINCIPAL_GROUP, g[0], "responder", 1, 0);
	put_binding(b, 3, PRINCIPAL_GROUP, g[1], "responder", 2, 0);
	put_binding(b, 4, PRINCIPAL_GROUP, g[2], "org_admin", 0, NOW);
	put(b,
	    &(struct binding){
		.o = head_of(OBJECT_BINDING, 5, 0),
		.subject_kind = PRINCIPAL_GROUP,
		.subject = g[3],
		.role = STR("org_admin"),
		.starts = NOW + 1,
	    });
	w = done(b);
	a = actor_of(w, PRINCIPAL_USER, ann, NULL);
	T_GOOD(access_may_map_group(&a, &g[0], NOW, NULL));
	T_ERR(access_may_map_group(&a, &g[1], NOW, NULL), E_FORBIDDEN);
	T_GOOD(access_may_map_group(&a, &g[2], NOW, NULL)); /* over */
	T_ERR(access_may_map_group(&a, &g[3], NOW, NULL), E_FORBIDDEN);
	world_unref(w);
}

/* What breaking the glass gives cannot be handed on, and ends by itself. */
TEST(broken_glass)
{
	struct world_builder *b = fresh();
	struct uuid ann = put_user(b, 1, "ann@x", false);
	struct uuid other = id_of(OBJECT_PROJECT, 70);
	struct binding glass = {
	    .o = head_of(OBJECT_BINDING, 1, 1),
	    .subject_kind = PRINCIPAL_USER,
	    .subject = ann,
	    .role = STR("project_admin"),
	    .expires = NOW + 1000,
	    .glass = id_of(OBJECT_BREAK_GLASS, 1),
	};
	struct resource r = {.type = RESOURCE_INCIDENT, .project = 1};
	struct target t = {.perm = PERM_INCIDENT_EDIT, .project = 1};
	struct access_subject s[4];
	struct actor a;
	struct world *w;

	put(b, &glass);
	w = done(b);
	a = actor_of(w, PRINCIPAL_USER, ann, NULL);
	T_OK(access_decide(&a, &t, NOW).allowed);
	T_ERR(access_may_grant(&a, set_of(PERM_INCIDENT_EDIT), 1, NOW, NULL),
	    E_FORBIDDEN);
	T_OK(access_glass(&a, NULL, NOW) == world_binding(w, &glass.o.id));
	T_OK(access_glass(&a, NULL, NOW + 1000) == NULL);
	T_EQ_INT(access_subjects(&a, NOW, s, 4), 1); /* of no incident */
	T_OK(!access_decide(&a, &t, NOW + 1000).allowed);
	b = from(w);
	world_unref(w);
	glass.incident = id_of(OBJECT_PROJECT, 77);
	put(b, &glass);
	w = done(b);
	a.world = w;
	T_OK(!access_decide(&a, &t, NOW).allowed);
	t.res = &r;
	r.id = other;
	T_OK(!access_decide(&a, &t, NOW).allowed);
	r.id = glass.incident;
	T_OK(access_decide(&a, &t, NOW).allowed);
	r.type = RESOURCE_ALERT;
	T_OK(!access_decide(&a, &t, NOW).allowed);
	r.incident = glass.incident;
	T_OK(access_decide(&a, &t, NOW).allowed);
	T_EQ_INT(access_subjects(&a, NOW, s, 4), 2);
	T_EQ_INT(s[1].kind, SUBJECT_GLASS);
	T_OK(uuid_eq(&s[1].id, &glass.glass));
	T_EQ_INT(access_subjects(&a, NOW + 1000, s, 4), 1);
	world_unref(w);
}

/* A narrow grant is one that a resource must still be shown to. */
TEST(some_resource)
{
	struct world_builder *b = fresh();
	struct uuid ann = put_user(b, 1, "ann@x", false);
	struct str db = STR("db");
	struct resource_group g = {
	    .o = head_of(OBJECT_RESOURCE_GROUP, 1, 0),
	    .name = STR("databases"),
	    .types = 1u << RESOURCE_INCIDENT,
	    .services = &db,
	    .services_n = 1,
	};
	struct binding x = {
	    .o = head_of(OBJECT_BINDING, 1, 1),
	    .subject_kind = PRINCIPAL_USER,
	    .subject = ann,
	    .role = STR("viewer"),
	    .group = g.o.id,
	};
	struct target t = {.perm = PERM_INCIDENT_VIEW, .project = 1};
	const struct grant *grant = NULL;
	struct decision d;
	struct actor a;
	struct arena arena;
	struct world *w;

	arena_init(&arena, 65536);
	put_project(b, 1, "p");
	put(b, &g);
	put(b, &x);
	w = done(b);
	a = actor_of(w, PRINCIPAL_USER, ann, NULL);
	T_ERR(access_grant(&arena, &a, &t, NOW, &d, &grant), E_FORBIDDEN);
	t.some = true;
	T_GOOD(access_grant(&arena, &a, &t, NOW, &d, &grant));
	T_OK(grant_narrow(grant));
	b = from(w);
	world_unref(w);
	put_binding(b, 9, PRINCIPAL_USER, ann, "viewer", 1, 0);
	w = done(b);
	a.world = w;
	T_GOOD(access_grant(&arena, &a, &t, NOW, &d, &grant));
	T_OK(!grant_narrow(grant)); /* what holds for all goes first */
	b = from(w);
	world_unref(w);
	world_builder_remove(b, OBJECT_BINDING, &(struct uuid){{0}});
	{
		struct uuid nine = id_of(OBJECT_BINDING, 9);

		world_builder_remove(b, OBJECT_BINDING, &nine);
	}
	g.services_n = 0; /* L13: selects nothing, holds nothing */
	put(b, &g);
	w = done(b);
	a.world = w;
	T_ERR(access_grant(&arena, &a, &t, NOW, &d, &grant), E_NOT_FOUND);
	world_unref(w);
	arena_done(&arena);
}

TEST(a_token_does_not_grant_past_its_scopes)
{
	struct world *w = office();
	struct token tok = token_of(1, 'p', PRINCIPAL_USER,
	    id_of(OBJECT_USER, ROOT), set_of(PERM_BINDING_EDIT));
	struct actor a = actor_of(w, PRINCIPAL_USER, tok.owner.u, &tok);

	T_ERR(access_may_grant(&a, role_perms(ROLE_viewer), 1, NOW, NULL),
	    E_FORBIDDEN);
	tok.scopes = permset_all();
	T_GOOD(access_may_grant(&a, role_perms(ROLE_viewer), 1, NOW, NULL));
	world_unref(w);
}

TEST(nobody_edits_its_own_role)
{
	struct world_builder *b;
	struct world *w = office();
	struct actor ann = user(w, ANN), root = user(w, ROOT), bob;
	const struct role *clerk = world_role(w, STR("clerk"));
	struct trail t = {{0}};

	T_ERR(access_may_edit_role(&ann, clerk, &t), E_FORBIDDEN);
	T_OK(t.detail[0] != '\0');
	T_GOOD(access_may_edit_role(&root, clerk, &t));
	b = from(w); /* through a group it is one's own, too */
	put_binding(b, 9, PRINCIPAL_GROUP, id_of(OBJECT_GROUP, 1), "clerk", 0,
	    NOW - 5);
	world_unref(w);
	w = done(b);
	bob = user(w, BOB);
	T_ERR(access_may_edit_role(&bob, world_role(w, STR("clerk")), &t),
	    E_FORBIDDEN);
	world_unref(w);
}

static struct world *
admins(bool group, uint32_t project, int64_t expires, bool disabled,
    const char *role)
{
	struct world_builder *b = fresh();
	struct uuid ann = put_user(b, 1, "ann@x", disabled);
	struct uuid g = put_group(b, 1, "g", &ann, 1);

	put_binding(b, 1, group ? PRINCIPAL_GROUP : PRINCIPAL_USER,
	    group ? g : ann, role, project, expires);
	return done(b);
}

TEST(the_last_administrator)
{
	static const struct {
		bool group;
		uint32_t project;
		int64_t expires;
		bool disabled;
		const char *role;
		enum err_code want;
	} rows[] = {
	    {false, 0, 0, false, "org_admin", E_OK},
	    {true, 0, 0, false, "org_admin", E_OK},
	    {false, 0, NOW + 1, false, "org_admin", E_OK},
	    {false, 0, NOW, false, "org_admin", E_LAST_ADMIN},
	    {false, 1, 0, false, "org_admin", E_LAST_ADMIN},
	    {false, 0, 0, true, "org_admin", E_LAST_ADMIN},
	    {true, 0, 0, true, "org_admin", E_LAST_ADMIN},
	    {false, 0, 0, false, "project_admin", E_LAST_ADMIN},
	};
	struct world *w = done(fresh());

	T_ERR(access_has_admin(w, NOW), E_LAST_ADMIN);
	world_unref(w);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		w = admins(rows[i].group, rows[i].project, rows[i].expires,
		    rows[i].disabled, rows[i].role);
		if (!err_is(access_has_admin(w, NOW), rows[i].want))
			T_FAIL("row %zu", i);
		world_unref(w);
	}
}

static double
ns_a_decision(const struct actor *a, unsigned rounds, unsigned *ret_allowed)
{
	struct timespec t0, t1;

	*ret_allowed = 0;
	clock_gettime(CLOCK_MONOTONIC, &t0);
	for (uint32_t i = 0; i < rounds; i++) {
		struct target t = {.perm = PERM_INCIDENT_VIEW,
		    .project = 1 + i % 50};

		*ret_allowed += access_decide(a, &t, NOW).allowed;
	}
	clock_gettime(CLOCK_MONOTONIC, &t1);
	return ((double)(t1.tv_sec - t0.tv_sec) * 1e9 +
		   (double)(t1.tv_nsec - t0.tv_nsec)) /
	    rounds;
}

/* 1 us with 1,000 bindings: of the world, of one subject, at one place. */
TEST(a_decision_is_fast)
{
	enum { ROUNDS = 100000 };

	for (unsigned kind = 0; kind < 3; kind++) {
		struct world_builder *b = fresh();
		struct uuid ann = put_user(b, 1, "ann@x", false);
		unsigned allowed, want;
		struct world *w;
		struct actor a;
		double ns;

		for (uint32_t i = 0; i < 1000; i++)
			put_binding(b, i, PRINCIPAL_USER,
			    kind > 0 || i < 40 ? ann : id_of(OBJECT_USER, i),
			    kind == 2 && i < 999 ? "auditor" : "viewer",
			    kind == 2 ? 7 : i + 1, 0);
		w = done(b);
		a = actor_of(w, PRINCIPAL_USER, ann, NULL);
		ns = ns_a_decision(&a, ROUNDS, &allowed);
		want = kind == 0 ? 40 : kind == 1 ? 50 : 1;
		printf("# %.0f ns a decision, 1,000 bindings (%u)\n", ns, kind);
		T_EQ_INT(allowed, ROUNDS / 50 * want);
#ifndef REDOUBT_SANITIZED
		T_OK(ns < 1000);
#endif
		world_unref(w);
	}
}

T_MAIN
