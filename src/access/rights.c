#include "access/rights.h"

#include "access/rules.h"
#include "base/mem.h"

struct rights {
	atomic_uint refs;
	struct right *list;
	struct holding *holding;
	struct table table;
};

static uint64_t
hash_of(const struct uuid *subject, uint32_t place)
{
	uint64_t h = hash_uuid(subject) ^
	    (place + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15);

	return (h ^ h >> 29) | 1;
}

const struct holding *
rights_at(const struct rights *r, const struct uuid *subject, uint32_t place)
{
	uint64_t hash = hash_of(subject, place);

	for (size_t i = hash & r->table.mask; r->table.slots[i].hash != 0;
	     i = (i + 1) & r->table.mask) {
		const struct holding *h = r->table.slots[i].value;

		if (r->table.slots[i].hash == hash && h->place == place &&
		    uuid_eq(&h->subject, subject))
			return h;
	}
	return NULL;
}

const struct right *
rights_of(const struct rights *r, const struct holding *h)
{
	return r->list + h->at;
}

/* ---- making ---- */

/*
 * A binding is up to three rights: what needs no resource, what holds for
 * the resources of a group, and what is about oneself and holds everywhere.
 */
struct maker {
	struct rights *r;
	size_t holdings;
	bool counting;
};

static void
add(struct maker *m, const struct right *right, uint32_t place)
{
	struct rights *r = m->r;
	const struct holding *known;
	struct holding *h;

	if (permset_empty(right->perms))
		return;
	known = rights_at(r, &right->b->subject, place);
	if (known == NULL) {
		h = &r->holding[m->holdings++];
		*h = (struct holding){.subject = right->b->subject,
		    .place = place};
		multi_add(&r->table, hash_of(&h->subject, place), h);
	} else {
		h = &r->holding[known - r->holding];
	}
	if (!m->counting) {
		r->list[h->at + h->n] = *right;
		h->any = permset_or(h->any, right->perms);
	}
	h->n++;
}

static void
add_binding(struct maker *m, const struct world *w, const struct binding *b)
{
	struct right x = {
	    .starts = b->starts,
	    .expires = b->expires == 0 ? INT64_MAX : b->expires,
	    .b = b,
	    .group = world_resource_group(w, &b->group),
	};
	struct permset perms, placeless = rule_placeless();

	if (!world_role_perms(w, b->role, &perms))
		return;
	if (rule_is_narrow(b)) {
		x.narrow = true;
		/* no resource is the organization's */
		x.perms =
		    permset_not(perms, permset_or(placeless, perm_org_set()));
		add(m, &x, b->o.project);
		if (!rule_holds_any(b, x.group))
			return;
		perms = permset_and(perms, placeless);
		x.narrow = false;
	}
	x.perms = perms;
	add(m, &x, b->o.project);
	x.perms = permset_and(perms, perm_self_set());
	add(m, &x, PLACE_ANY);
}

static void
fill(struct maker *m, const struct world *w)
{
	size_t n, at = 0;
	const struct object *const *o = world_objects(w, OBJECT_BINDING, &n);

	m->counting = true;
	for (size_t i = 0; i < n; i++)
		add_binding(m, w, (const struct binding *)o[i]);
	for (size_t i = 0; i < m->holdings; i++) {
		m->r->holding[i].at = at;
		at += m->r->holding[i].n;
		m->r->holding[i].n = 0; /* counts up again while filling */
	}
	m->counting = false;
	for (size_t i = 0; i < n; i++)
		add_binding(m, w, (const struct binding *)o[i]);
}

err
rights_new(const struct world *w, struct rights **ret)
{
	struct rights *r = mem_new(1, sizeof *r);
	struct maker m = {.r = r};
	err e = err_of(E_NO_MEMORY);
	size_t n;

	if (r == NULL)
		return e;
	atomic_init(&r->refs, 1);
	(void)world_objects(w, OBJECT_BINDING, &n);
	r->list = mem_new(3 * n, sizeof *r->list);
	r->holding = mem_new(3 * n, sizeof *r->holding);
	if (r->list != NULL && r->holding != NULL)
		e = table_new(3 * n, &r->table);
	if (!err_ok(e)) {
		(void)rights_unref(r);
		return e;
	}
	fill(&m, w);
	*ret = r;
	return OK;
}

struct rights *
rights_ref(struct rights *r)
{
	if (r != NULL)
		atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
	return r;
}

struct rights *
rights_unref(struct rights *r)
{
	if (r == NULL)
		return NULL;
	if (atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel) != 1)
		return NULL;
	mem_free(r->list);
	mem_free(r->holding);
	mem_free(r->table.slots);
	mem_free(r);
	return NULL;
}
