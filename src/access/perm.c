#include "access/perm.h"

static const struct {
	struct str text;
	const char *meaning;
	bool org;  /* never asked of one project */
	bool self; /* holds everywhere as soon as it is granted anywhere */
} perms[PERM_MAX_] = {
#define SCOPE_ORG true, false
#define SCOPE_PROJECT false, false
#define SCOPE_SELF true, true
#define PERM(name, text, scope, meaning)                                       \
	[name] = {{"" text "", sizeof(text) - 1}, meaning, SCOPE_##scope},
#include "access/permissions.def"
#undef PERM
};

_Static_assert(PERM_MAX_ <= 128, "a permset holds 128 permissions");

static const struct {
	struct str name;
	const char *text;
} roles[ROLE_MAX_] = {
#define ROLE(name, text, ...)                                                  \
	[ROLE_##name] = {{"" #name "", sizeof(#name) - 1}, text},
#include "access/roles.def"
#undef ROLE
};

#define ROLE(name, text, ...)                                                  \
	static const uint8_t list_##name[] = {__VA_ARGS__};
#include "access/roles.def"
#undef ROLE

static const struct {
	const uint8_t *perm;
	size_t n;
} lists[ROLE_MAX_] = {
#define ROLE(name, text, ...) [ROLE_##name] = {list_##name, sizeof list_##name},
#include "access/roles.def"
#undef ROLE
};

/* The lists as sets.  Filled before main, only read afterwards: decisions
 * ask for them on every binding. */
static struct permset sets[ROLE_MAX_], org_set, self_set;

__attribute__((constructor)) static void
sets_fill(void)
{
	for (size_t r = 0; r < ROLE_MAX_; r++)
		for (size_t i = 0; i < lists[r].n; i++)
			permset_add(&sets[r],
			    (enum permission)lists[r].perm[i]);
	for (unsigned p = 0; p < PERM_MAX_; p++) {
		if (perms[p].org)
			permset_add(&org_set, (enum permission)p);
		if (perms[p].self)
			permset_add(&self_set, (enum permission)p);
	}
}

struct permset
perm_org_set(void)
{
	return org_set;
}

struct permset
perm_self_set(void)
{
	return self_set;
}

struct permset
permset_all(void)
{
	struct permset s = {{0, 0}};

	for (unsigned p = 0; p < PERM_MAX_; p++)
		permset_add(&s, (enum permission)p);
	return s;
}

struct permset
permset_all_but(enum permission p)
{
	struct permset s = permset_all();

	s.w[p / 64] &= ~(UINT64_C(1) << (p % 64));
	return s;
}

const char *
perm_text(enum permission p)
{
	return p < PERM_MAX_ ? perms[p].text.p : "none";
}

const char *
perm_meaning(enum permission p)
{
	return p < PERM_MAX_ ? perms[p].meaning : "a valid credential";
}

bool
perm_is_org(enum permission p)
{
	return p < PERM_MAX_ && perms[p].org;
}

bool
perm_is_self(enum permission p)
{
	return p < PERM_MAX_ && perms[p].self;
}

bool
perm_parse(struct str s, enum permission *ret)
{
	for (unsigned p = 0; p < PERM_MAX_; p++)
		if (str_eq(s, perms[p].text)) {
			*ret = (enum permission)p;
			return true;
		}
	return false;
}

const char *
role_name(enum builtin_role r)
{
	return r < ROLE_MAX_ ? roles[r].name.p : "";
}

const char *
role_text(enum builtin_role r)
{
	return r < ROLE_MAX_ ? roles[r].text : "";
}

struct permset
role_perms(enum builtin_role r)
{
	return r < ROLE_MAX_ ? sets[r] : (struct permset){{0, 0}};
}

bool
role_parse(struct str s, enum builtin_role *ret)
{
	for (unsigned r = 0; r < ROLE_MAX_; r++)
		if (str_eq(s, roles[r].name)) {
			*ret = (enum builtin_role)r;
			return true;
		}
	return false;
}
