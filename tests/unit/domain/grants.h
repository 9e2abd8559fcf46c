/* grants.h: real grants for domain tests, from a small world. */
#ifndef TESTS_GRANTS_H
#define TESTS_GRANTS_H

#include "access/access.h"

static inline const struct grant *
grant_for(struct arena *a, enum permission perm)
{
	static struct user user = {
	    .o = {.kind = OBJECT_USER, .id = {{1}}, .version = 1}};
	static struct project project = {.o = {.kind = OBJECT_PROJECT,
					     .id = {{2}},
					     .project = 1,
					     .version = 1}};
	static struct binding binding = {.o = {.kind = OBJECT_BINDING,
					     .id = {{3}},
					     .version = 1},
	    .subject_kind = PRINCIPAL_USER,
	    .subject = {{1}}};
	static struct integration integration = {
	    .o = {.kind = OBJECT_INTEGRATION,
		.id = {{4}},
		.project = 1,
		.version = 1}};
	struct actor *who = ARENA_NEW(a, struct actor);
	struct target t = {.perm = perm, .project = 1};
	static struct world *w; /* made once, for all tests of the program */
	struct world_builder *b;
	const struct grant *g;
	struct decision d;

	user.email = user.name = STR("a@example.com");
	project.slug = project.name = STR("default");
	binding.role = STR("org_admin");
	integration.name = integration.template = STR("generic");
	integration.auth = STR("{}");
	if (w == NULL) {
		BUG_ON(!err_ok(world_builder_new(&b)));
		BUG_ON(!err_ok(world_builder_put(b, &user.o)));
		BUG_ON(!err_ok(world_builder_put(b, &project.o)));
		BUG_ON(!err_ok(world_builder_put(b, &binding.o)));
		BUG_ON(!err_ok(world_builder_put(b, &integration.o)));
		BUG_ON(!err_ok(world_builder_done(b, &w)));
	}
	who->kind =
	    perm == PERM_INGEST ? PRINCIPAL_INTEGRATION : PRINCIPAL_USER;
	who->id = perm == PERM_INGEST ? integration.o.id : user.o.id;
	who->world = w;
	if (!err_ok(access_grant(a, who, &t, 1, &d, &g)))
		return NULL;
	return g;
}

#endif
