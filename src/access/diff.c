/*
 * What a change of roles, bindings, groups and resource groups changes: the
 * objects that differ (cells are shared by worlds, so it shows in pointers),
 * whom they touch, and what each of those has before and after.
 */
#include <stdlib.h>

#include "access/rules.h"
#include "access/shelf.h"

bool
access_differs(const struct world *a, const struct world *b)
{
	return a->rights != b->rights ||
	    a->shelf[OBJECT_GROUP] != b->shelf[OBJECT_GROUP];
}

/* Ids that are touched: subjects of bindings, then principals. */
struct touched {
	struct arena *a;
	struct uuid *id;
	size_t n, cap;
	err e;
};

static void
touch(struct touched *t, const struct uuid *id)
{
	struct uuid *more;

	if (!err_ok(t->e))
		return;
	if (t->n == t->cap) {
		more = arena_array(t->a, 2 * t->cap + 64, sizeof *more);
		if (more == NULL) {
			t->e = err_of(E_NO_MEMORY);
			return;
		}
		if (t->n > 0)
			memcpy(more, t->id, t->n * sizeof *more);
		t->id = more;
		t->cap = 2 * t->cap + 64;
	}
	t->id[t->n++] = *id;
}

static int
by_id(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct uuid));
}

static void
once_each(struct touched *t)
{
	size_t out = 0;

	if (t->n > 1)
		qsort(t->id, t->n, sizeof *t->id, by_id);
	for (size_t i = 0; i < t->n; i++)
		if (i == 0 || by_id(&t->id[i - 1], &t->id[i]) != 0)
			t->id[out++] = t->id[i];
	t->n = out;
}

/* fn with each object of a kind that one has and the other has not. */
static void
each_other(const struct world *w, const struct world *other,
    enum object_kind kind, struct touched *t,
    void (
	*fn)(struct touched *t, const struct world *w, const struct object *o))
{
	size_t n;
	const struct object *const *o = world_objects(w, kind, &n);

	if (w->shelf[kind] == other->shelf[kind])
		return;
	for (size_t i = 0; i < n; i++)
		if (other->shelf[kind] == NULL ||
		    shelf_id(other->shelf[kind], &o[i]->id) != o[i])
			fn(t, w, o[i]);
}

static void
touch_binding(struct touched *t, const struct world *w, const struct object *o)
{
	(void)w;
	touch(t, &((const struct binding *)o)->subject);
}

static void
touch_members(struct touched *t, const struct world *w, const struct object *o)
{
	const struct group *g = (const struct group *)o;

	(void)w;
	for (size_t i = 0; i < g->members_n; i++)
		touch(t, &g->members[i].u);
}

static void
touch_role(struct touched *t, const struct world *w, const struct object *o)
{
	size_t n;
	const struct object *const *b = world_objects(w, OBJECT_BINDING, &n);

	for (size_t i = 0; i < n; i++)
		if (str_eq(((const struct binding *)b[i])->role,
			((const struct role *)o)->name))
			touch_binding(t, w, b[i]);
}

static void
touch_resources(struct touched *t, const struct world *w,
    const struct object *o)
{
	size_t n;
	const struct object *const *b = world_objects(w, OBJECT_BINDING, &n);

	for (size_t i = 0; i < n; i++)
		if (uuid_eq(&((const struct binding *)b[i])->group, &o->id))
			touch_binding(t, w, b[i]);
}

static void
touch_all(struct touched *t, const struct world *w, const struct world *other)
{
	size_t n = t->n;

	each_other(w, other, OBJECT_BINDING, t, touch_binding);
	each_other(w, other, OBJECT_ROLE, t, touch_role);
	each_other(w, other, OBJECT_RESOURCE_GROUP, t, touch_resources);
	each_other(w, other, OBJECT_GROUP, t, touch_members);
	for (size_t end = t->n; n < end; n++) {
		const struct group *g = world_group(w, &t->id[n]);

		if (g != NULL)
			touch_members(t, w, &g->o);
	}
}

/* ---- comparing ---- */

struct diff {
	const struct world *before, *after;
	int64_t now;
	struct access_change *list;
	size_t n;
};

static struct actor
principal(const struct world *w, const struct uuid *id)
{
	return (struct actor){
	    .kind = world_user(w, id) != NULL ? PRINCIPAL_USER
					      : PRINCIPAL_SERVICE_ACCOUNT,
	    .id = *id,
	    .world = w,
	};
}

/* What is asked of the organization only, or of a project only. */
static struct permset
here(struct permset s, uint32_t project)
{
	return project == 0 ? permset_and(s, perm_org_set())
			    : permset_not(s, perm_org_set());
}

static void
compare(struct diff *d, const struct uuid *id, uint32_t project)
{
	struct actor was = principal(d->before, id);
	struct actor is = principal(d->after, id);
	struct permset a =
	    here(access_effective(&was, project, d->now), project);
	struct permset b =
	    here(access_effective(&is, project, d->now), project);
	struct permset c = here(access_narrow(&was, project, d->now), project);
	struct permset e = here(access_narrow(&is, project, d->now), project);
	struct access_change *x = &d->list[d->n];

	*x = (struct access_change){
	    .kind = is.kind,
	    .id = *id,
	    .project = project,
	    .gained = permset_not(b, a),
	    .lost = permset_not(a, b),
	    .some_gained = permset_not(permset_not(e, c), a),
	    .some_lost = permset_not(permset_not(c, e), b),
	};
	d->n += !permset_empty(permset_or(x->gained, x->lost)) ||
	    !permset_empty(permset_or(x->some_gained, x->some_lost));
}

err
access_diff(struct arena *a, const struct world *before,
    const struct world *after, int64_t now, size_t max_pairs,
    struct access_change **ret, size_t *ret_n, bool *ret_cut)
{
	struct touched t = {.a = a};
	struct diff d = {.before = before, .after = after, .now = now};
	const struct object *const *p;
	size_t n, pairs = 0;

	touch_all(&t, before, after);
	touch_all(&t, after, before);
	TRY(t.e);
	once_each(&t);
	p = world_objects(after, OBJECT_PROJECT, &n);
	d.list = arena_array(a, max_pairs + 1, sizeof *d.list);
	if (d.list == NULL)
		return err_of(E_NO_MEMORY);
	*ret_cut = false;
	for (size_t i = 0; i < t.n && !*ret_cut; i++) {
		*ret_cut = n + 1 > max_pairs - pairs;
		if (*ret_cut)
			break;
		pairs += n + 1;
		compare(&d, &t.id[i], 0);
		for (size_t k = 0; k < n; k++)
			compare(&d, &t.id[i], p[k]->project);
	}
	*ret = d.list;
	*ret_n = d.n;
	return OK;
}
