/* help.h: small worlds for the tests of access and auth. */
#ifndef TESTS_ACCESS_HELP_H
#define TESTS_ACCESS_HELP_H

#include "access/access.h"
#include "tests/t.h"

enum { NOW = 1000000 };

#define UNUSED __attribute__((unused))

/* An id for a number, different in each kind of thing. */
UNUSED static struct uuid
id_of(enum object_kind kind, uint32_t n)
{
	struct uuid u = {{0}};

	u.b[0] = (uint8_t)kind;
	u.b[12] = (uint8_t)(n >> 24);
	u.b[13] = (uint8_t)(n >> 16);
	u.b[14] = (uint8_t)(n >> 8);
	u.b[15] = (uint8_t)n;
	return u;
}

UNUSED static struct object
head_of(enum object_kind kind, uint32_t n, uint32_t project)
{
	return (struct object){
	    .kind = kind,
	    .id = id_of(kind, n),
	    .project = project,
	    .version = 1,
	    .created = 1,
	    .updated = 2,
	};
}

UNUSED static void
put(struct world_builder *b, const void *o)
{
	T_GOOD(world_builder_put(b, o));
}

UNUSED static void
put_project(struct world_builder *b, uint32_t n, const char *slug)
{
	struct project p = {
	    .o = head_of(OBJECT_PROJECT, n, n),
	    .slug = str_c(slug),
	    .name = str_c(slug),
	};

	put(b, &p);
}

UNUSED static struct uuid
put_user(struct world_builder *b, uint32_t n, const char *email, bool disabled)
{
	struct user u = {
	    .o = head_of(OBJECT_USER, n, 0),
	    .email = str_c(email),
	    .disabled = disabled,
	};

	put(b, &u);
	return u.o.id;
}

UNUSED static struct uuid
put_account(struct world_builder *b, uint32_t n, const char *name,
    bool disabled)
{
	struct service_account s = {
	    .o = head_of(OBJECT_SERVICE_ACCOUNT, n, 0),
	    .name = str_c(name),
	    .disabled = disabled,
	};

	put(b, &s);
	return s.o.id;
}

UNUSED static struct uuid
put_integration(struct world_builder *b, uint32_t n, uint32_t project,
    bool disabled)
{
	struct integration i = {
	    .o = head_of(OBJECT_INTEGRATION, n, project),
	    .name = STR("hook"),
	    .template = STR("generic"),
	    .auth = STR("{\"kind\":\"bearer\"}"),
	    .disabled = disabled,
	};

	put(b, &i);
	return i.o.id;
}

UNUSED static struct uuid
put_group(struct world_builder *b, uint32_t n, const char *name,
    const struct uuid *members, size_t members_n)
{
	struct principal_id m[64];
	struct group g = {
	    .o = head_of(OBJECT_GROUP, n, 0),
	    .name = str_c(name),
	    .members = m,
	    .members_n = members_n,
	};

	for (size_t i = 0; i < members_n; i++)
		m[i].u = members[i];
	put(b, &g);
	return g.o.id;
}

UNUSED static void
put_role(struct world_builder *b, uint32_t n, const char *name,
    struct permset perms)
{
	struct role r = {
	    .o = head_of(OBJECT_ROLE, n, 0),
	    .name = str_c(name),
	    .perms = perms,
	};

	put(b, &r);
}

UNUSED static void
put_binding(struct world_builder *b, uint32_t n, enum principal_kind kind,
    struct uuid subject, const char *role, uint32_t project, int64_t expires)
{
	struct binding x = {
	    .o = head_of(OBJECT_BINDING, n, project),
	    .subject_kind = kind,
	    .subject = subject,
	    .role = str_c(role),
	    .expires = expires,
	    .reason = STR("because"),
	};

	put(b, &x);
}

UNUSED static struct token
token_of(uint32_t n, char kind, enum principal_kind owner_kind,
    struct uuid owner, struct permset scopes)
{
	struct token t = {
	    .o = head_of(OBJECT_TOKEN, n, 0),
	    .kind = kind,
	    .owner_kind = owner_kind,
	    .owner = {owner},
	    .name = STR("t"),
	    .scopes = scopes,
	    .expires = NOW + 1000,
	};

	snprintf(t.key_id, sizeof t.key_id, "key%07u", n % 10000000);
	return t;
}

UNUSED static struct world *
done(struct world_builder *b)
{
	struct world *w = NULL;
	err e = world_builder_done(b, &w);

	if (!err_ok(e)) {
		printf("# world: %s\n", err_name(e));
		abort();
	}
	return w;
}

UNUSED static struct world_builder *
fresh(void)
{
	struct world_builder *b;

	if (!err_ok(world_builder_new(&b)))
		abort();
	return b;
}

UNUSED static struct world_builder *
from(const struct world *w)
{
	struct world_builder *b;

	if (!err_ok(world_builder_from(w, &b)))
		abort();
	return b;
}

UNUSED static struct actor
actor_of(const struct world *w, enum principal_kind kind, struct uuid id,
    const struct token *t)
{
	return (struct actor){
	    .kind = kind,
	    .id = id,
	    .token = t,
	    .world = w,
	};
}

UNUSED static struct permset
set_of(enum permission p)
{
	struct permset s = {{0, 0}};

	permset_add(&s, p);
	return s;
}

/* A small generator with a seed, so that a failure can be repeated. */
UNUSED static uint64_t
rnd(uint64_t *state)
{
	uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

UNUSED static uint32_t
rnd_below(uint64_t *state, uint32_t n)
{
	return (uint32_t)(rnd(state) % n);
}

#endif
