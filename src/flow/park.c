#include "flow/park.h"

bool
park_full(const struct park *p)
{
	return p->n == LIM_PARKED;
}

void
park_add(struct park *p, struct call *c)
{
	BUG_ON(park_full(p));
	c->park = false;
	c->parks++;
	p->c[p->n++] = c;
}

size_t
park_take(struct park *p, struct call **ret, int64_t now, bool all)
{
	size_t taken = 0, left = 0;

	for (size_t i = 0; i < p->n; i++) {
		if (all || p->c[i]->park_until <= now ||
		    (p->c[i]->x != NULL && exchange_gone(p->c[i]->x)))
			ret[taken++] = p->c[i];
		else
			p->c[left++] = p->c[i];
	}
	p->n = left;
	return taken;
}

void
park_end(struct park *p, const struct uuid *delegate)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->c[i]->actor != NULL &&
		    uuid_eq(&p->c[i]->actor->id, delegate))
			p->c[i]->park_until = 0;
}

int
park_wait(const struct park *p, int64_t now, int max)
{
	int64_t ms = max;

	for (size_t i = 0; i < p->n; i++)
		if (p->c[i]->park_until - now < ms)
			ms = p->c[i]->park_until - now;
	return ms < 0 ? 0 : (int)ms;
}
