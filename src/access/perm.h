/* perm.h: permissions and sets of them, from permissions.def. */
#ifndef ACCESS_PERM_H
#define ACCESS_PERM_H

#include "base/err.h"
#include "base/str.h"

enum permission {
#define PERM(name, text, scope, meaning) name,
#include "access/permissions.def"
#undef PERM
	PERM_MAX_,
	PERM_OBJECT = 254, /* a route whose handler asks about its object */
	PERM_NONE = 255,   /* a route that asks for none beyond a credential */
};

struct permset {
	uint64_t w[2];
};

static inline void
permset_add(struct permset *s, enum permission p)
{
	s->w[p / 64] |= UINT64_C(1) << (p % 64);
}

static inline bool
permset_has(const struct permset *s, enum permission p)
{
	return p < PERM_MAX_ && (s->w[p / 64] >> (p % 64) & 1) != 0;
}

static inline struct permset
permset_or(struct permset a, struct permset b)
{
	return (struct permset){{a.w[0] | b.w[0], a.w[1] | b.w[1]}};
}

static inline struct permset
permset_and(struct permset a, struct permset b)
{
	return (struct permset){{a.w[0] & b.w[0], a.w[1] & b.w[1]}};
}

static inline struct permset
permset_not(struct permset a, struct permset b)
{
	return (struct permset){{a.w[0] & ~b.w[0], a.w[1] & ~b.w[1]}};
}

static inline bool
permset_empty(struct permset a)
{
	return (a.w[0] | a.w[1]) == 0;
}

/* Is a a subset of b? */
static inline bool
permset_within(struct permset a, struct permset b)
{
	return (a.w[0] & ~b.w[0]) == 0 && (a.w[1] & ~b.w[1]) == 0;
}

struct permset permset_all(void);
struct permset permset_all_but(enum permission p);
const char *perm_text(enum permission p);
const char *perm_meaning(enum permission p);
/* Never asked of one project: the organization's, or SELF. */
bool perm_is_org(enum permission p);
/* About oneself: holds everywhere once a role with it is bound anywhere. */
bool perm_is_self(enum permission p);
/* All of those. */
struct permset perm_org_set(void);
struct permset perm_self_set(void);
bool perm_parse(struct str s, enum permission *ret);

/* Built-in roles, from roles.def. */
enum builtin_role {
#define ROLE(name, text, ...) ROLE_##name,
#include "access/roles.def"
#undef ROLE
	ROLE_MAX_
};
const char *role_name(enum builtin_role r);
const char *role_text(enum builtin_role r);
struct permset role_perms(enum builtin_role r);
bool role_parse(struct str s, enum builtin_role *ret);

#endif
