/* sso_groups.c: see sso_groups.h. */
#include "flow/sso_groups.h"

#include <stdlib.h>

#include "base/limits.h"
#include "flow/admin_body.h"

bool
uuids_has(const struct uuid *id, size_t n, const struct uuid *u)
{
	for (size_t i = 0; i < n; i++)
		if (uuid_eq(&id[i], u))
			return true;
	return false;
}

static err
uuids_new(struct call *c, size_t max, struct uuids *ret)
{
	*ret = (struct uuids){arena_array(c->a, max + 1, sizeof *ret->id), 0};
	return arena_check(c->a);
}

/* Has the user the group from another identity than this one, too? */
static bool
given_elsewhere(struct call *c, const struct uuid *user,
    const struct uuid *group, const struct uuid *identity)
{
	const struct identity *const *i;
	size_t n;

	i = world_identities_of(call_world(c), user, &n);
	for (size_t k = 0; k < n; k++)
		if (!uuid_eq(&i[k]->o.id, identity) &&
		    uuids_has(i[k]->groups, i[k]->groups_n, group))
			return true;
	return false;
}

static int
by_id(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct uuid));
}

/* A copy of g with room for one member more, sorted as it was. */
static err
copy_of(struct call *c, const struct group *g, struct group *ret,
    struct principal_id **ret_members)
{
	struct principal_id *m = arena_array(c->a, g->members_n + 1, sizeof *m);

	*ret = *g;
	ret->name = arena_dup(c->a, g->name);
	TRY(arena_check(c->a));
	if (g->members_n > 0)
		memcpy(m, g->members, g->members_n * sizeof *m);
	ret->members = m;
	*ret_members = m;
	return OK;
}

static err
join(struct call *c, const struct uuid *group, const struct uuid *user,
    bool *ret_done)
{
	const struct group *old = world_group(call_world(c), group);
	struct principal_id *m;
	struct group g;

	*ret_done = false;
	if (old == NULL ||
	    (old->members_n > 0 &&
		bsearch(user, old->members, old->members_n, sizeof *m, by_id) !=
		    NULL))
		return OK;
	if (old->members_n >= LIM_GROUP_MEMBERS)
		return call_bad(c, E_LIMIT, "a group is full");
	TRY(copy_of(c, old, &g, &m));
	m[g.members_n++].u = *user;
	qsort(m, g.members_n, sizeof *m, by_id);
	admin_touch(c, &g.o);
	*ret_done = true;
	return admin_put(c, &g.o);
}

/* Without these members (sorted), where they are some. */
static err
without(struct call *c, const struct uuid *group, const struct uuid *users,
    size_t n, bool last_stays, bool *ret_done)
{
	const struct group *old = world_group(call_world(c), group);
	struct principal_id *m;
	struct group g;
	size_t out = 0;
	err e;

	*ret_done = false;
	if (old == NULL)
		return OK;
	TRY(copy_of(c, old, &g, &m));
	for (size_t i = 0; i < old->members_n; i++)
		if (bsearch(&old->members[i].u, users, n, sizeof *users,
			by_id) == NULL)
			m[out++] = old->members[i];
	if (out == old->members_n)
		return OK;
	g.members_n = out;
	e = keeps_admin(c, &g.o, OBJECT_GROUP, NULL);
	if (err_is(e, E_LAST_ADMIN) && last_stays)
		return OK;
	TRY(e);
	admin_touch(c, &g.o);
	*ret_done = true;
	return admin_put(c, &g.o);
}

/* They are in it because this provider says so, or another one does. */
static bool
is_given(struct call *c, const struct identity *what, const struct uuid *group)
{
	return uuids_has(what->groups, what->groups_n, group) ||
	    given_elsewhere(c, &what->user, group, &what->o.id);
}

err
groups_follow(struct call *c, const struct identity *what,
    const struct uuids *want, struct follow *ret)
{
	bool done;

	TRY(uuids_new(c, want->n + what->groups_n, &ret->given));
	TRY(uuids_new(c, want->n, &ret->joined));
	TRY(uuids_new(c, what->groups_n, &ret->left));
	for (size_t i = 0; i < want->n; i++) {
		const struct uuid *g = &want->id[i];

		TRY(join(c, g, &what->user, &done));
		if (done)
			ret->joined.id[ret->joined.n++] = *g;
		if (done || is_given(c, what, g))
			ret->given.id[ret->given.n++] = *g;
	}
	for (size_t i = 0; i < what->groups_n; i++) {
		const struct uuid *g = &what->groups[i];

		if (uuids_has(want->id, want->n, g) ||
		    given_elsewhere(c, &what->user, g, &what->o.id))
			continue;
		TRY(without(c, g, &what->user, 1, true, &done));
		if (done)
			ret->left.id[ret->left.n++] = *g;
	}
	return OK;
}

/* ---- all of a provider ---- */

struct pair {
	struct uuid group, user;
};

static int
by_pair(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct pair));
}

/* What would be taken from whom, sorted. */
static err
pairs_of(struct call *c, const struct uuid *idp, const struct uuids *keep,
    struct pair **ret, size_t *ret_n)
{
	const struct object *const *o;
	size_t n, max = 0, at = 0;

	o = world_objects(call_world(c), OBJECT_IDENTITY, &n);
	for (size_t i = 0; i < n; i++)
		max += ((const struct identity *)o[i])->groups_n;
	*ret = arena_array(c->a, max + 1, sizeof **ret);
	TRY(arena_check(c->a));
	for (size_t i = 0; i < n; i++) {
		const struct identity *who = (const struct identity *)o[i];

		if (!uuid_eq(&who->idp, idp))
			continue;
		for (size_t k = 0; k < who->groups_n; k++)
			if (!uuids_has(keep->id, keep->n, &who->groups[k]) &&
			    !given_elsewhere(c, &who->user, &who->groups[k],
				&who->o.id))
				(*ret)[at++] =
				    (struct pair){who->groups[k], who->user};
	}
	qsort(*ret, at, sizeof **ret, by_pair);
	*ret_n = at;
	return OK;
}

err
groups_withdraw(struct call *c, const struct uuid *idp,
    const struct uuids *keep)
{
	struct uuids users;
	struct pair *p;
	size_t n, end;
	bool done;

	TRY(pairs_of(c, idp, keep, &p, &n));
	TRY(uuids_new(c, n, &users));
	for (size_t i = 0; i < n; i = end) {
		users.n = 0;
		for (end = i; end < n && uuid_eq(&p[end].group, &p[i].group);
		     end++)
			users.id[users.n++] = p[end].user;
		TRY(without(c, &p[i].group, users.id, users.n, false, &done));
	}
	return OK;
}
