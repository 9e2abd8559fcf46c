/*
 * Hash tables, and the index of what an id has many of: groups of a
 * principal, bindings of a subject, sessions of a user.  Counted first, then
 * filled in the order of the shelf, so each span is in the order of ids
 * without sorting.
 */
#include "access/shelf.h"

#include "base/mem.h"

err
table_new(size_t n, struct table *ret)
{
	size_t cap = 16;

	while (cap / 2 < n)
		cap *= 2;
	ret->slots = mem_new(cap, sizeof *ret->slots);
	if (ret->slots == NULL)
		return err_of(E_NO_MEMORY);
	ret->mask = cap - 1;
	return OK;
}

void
multi_add(struct table *t, uint64_t hash, const void *value)
{
	size_t i = hash & t->mask;

	while (t->slots[i].hash != 0)
		i = (i + 1) & t->mask;
	t->slots[i] = (struct slot){hash, value};
}

/* The ids an object counts for. */
static const struct uuid *
ids_of(const struct object *o, size_t *ret_n)
{
	const struct group *g = (const struct group *)o;

	*ret_n = 1;
	switch (o->kind) {
	case OBJECT_BINDING:
		return &((const struct binding *)o)->subject;
	case OBJECT_IDENTITY:
		return &((const struct identity *)o)->user;
	case OBJECT_CREDENTIAL:
		return &((const struct credential *)o)->user;
	case OBJECT_SESSION:
		return &((const struct session *)o)->user;
	case OBJECT_GROUP:
		*ret_n = g->members_n;
		return g->members == NULL ? NULL : &g->members->u;
	default:
		*ret_n = 0;
		return NULL;
	}
}

_Static_assert(sizeof(struct principal_id) == sizeof(struct uuid),
    "a list of principals is a list of uuids");

const struct span *
shelf_span(const struct shelf *s, const struct uuid *id)
{
	const struct table *t = &s->span_of;
	uint64_t hash = hash_uuid(id);

	if (t->slots == NULL)
		return NULL;
	for (size_t i = hash & t->mask; t->slots[i].hash != 0;
	     i = (i + 1) & t->mask) {
		const struct span *sp = t->slots[i].value;

		if (t->slots[i].hash == hash && uuid_eq(&sp->id, id))
			return sp;
	}
	return NULL;
}

/* How many ids in all; one span for each distinct one, with its count. */
static void
count_spans(struct shelf *s)
{
	size_t used = 0, at = 0;

	for (size_t i = 0; i < s->n; i++) {
		size_t n;
		const struct uuid *id = ids_of(s->all[i], &n);

		for (; n > 0; n--, id++) {
			const struct span *known = shelf_span(s, id);

			if (known != NULL) {
				s->spans[known - s->spans].n++;
				continue;
			}
			s->spans[used] = (struct span){*id, 0, 1};
			multi_add(&s->span_of, hash_uuid(id), &s->spans[used]);
			used++;
		}
	}
	for (size_t i = 0; i < used; i++) {
		s->spans[i].at = (uint32_t)at;
		at += s->spans[i].n;
		s->spans[i].n = 0; /* counts up again while filling */
	}
}

static bool
listed(const struct shelf *s, const struct span *sp, const struct object *o)
{
	return sp->n > 0 && s->many[sp->at + sp->n - 1] == o;
}

err
shelf_many(enum object_kind kind, struct shelf *s)
{
	size_t total = 0, n;

	(void)kind;
	for (size_t i = 0; i < s->n; i++) {
		ids_of(s->all[i], &n);
		total += n;
	}
	if (total > LIM_MEMBERSHIPS)
		return err_of(E_LIMIT);
	s->many = mem_new(total, sizeof *s->many);
	s->spans = mem_new(total, sizeof *s->spans);
	if (s->many == NULL || s->spans == NULL)
		return err_of(E_NO_MEMORY);
	TRY(table_new(total, &s->span_of));
	count_spans(s);
	for (size_t i = 0; i < s->n; i++) {
		const struct uuid *id = ids_of(s->all[i], &n);

		for (; n > 0; n--, id++) {
			struct span *sp =
			    &s->spans[shelf_span(s, id) - s->spans];

			/* a member named twice is in the group once */
			if (!listed(s, sp, s->all[i]))
				s->many[sp->at + sp->n++] = s->all[i];
		}
	}
	return OK;
}
