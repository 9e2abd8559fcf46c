/* pages.c: see pages.h. */
#include "flow/pages.h"

#include "base/limits.h"
#include "base/mem.h"

static void
drop(struct pages *p, struct page_kept *s)
{
	if (s->items.p == NULL)
		return;
	mem_wipe((char *)(uintptr_t)s->items.p, s->items.n);
	mem_free((char *)(uintptr_t)s->items.p);
	p->bytes -= s->items.n;
	*s = (struct page_kept){0};
}

void
pages_clear(struct pages *p)
{
	for (size_t i = 0; i < PAGES; i++)
		drop(p, &p->slot[i]);
}

void
pages_tend(struct pages *p, uint64_t version, int64_t now)
{
	if (p->version != version)
		pages_clear(p);
	p->version = version;
	for (size_t i = 0; i < PAGES; i++) {
		struct page_kept *s = &p->slot[i];

		if (s->items.p != NULL &&
		    (now - s->made > PAGES_AGE_MS || now < s->made))
			drop(p, s);
	}
}

static bool
same(const struct page_key *a, const struct page_key *b)
{
	return a->incident == b->incident && a->entries == b->entries &&
	    a->after == b->after && a->max == b->max &&
	    a->newest_first == b->newest_first && a->redacted == b->redacted;
}

const struct page_kept *
pages_find(struct pages *p, const struct page_key *k, uint64_t version,
    int64_t now)
{
	pages_tend(p, version, now);
	for (size_t i = 0; i < PAGES; i++)
		if (p->slot[i].items.p != NULL && same(&p->slot[i].key, k))
			return &p->slot[i];
	return NULL;
}

/* The slot of an older page of the same incident, a free one, or the oldest. */
static struct page_kept *
victim(struct pages *p, const struct page_key *k)
{
	struct page_kept *oldest = &p->slot[0];

	for (size_t i = 0; i < PAGES; i++) {
		struct page_kept *s = &p->slot[i];

		if (s->items.p != NULL && s->key.incident == k->incident &&
		    s->key.entries != k->entries)
			drop(p, s);
		if (s->made < oldest->made)
			oldest = s;
	}
	return oldest;
}

void
pages_keep(struct pages *p, const struct page_key *k, uint64_t version,
    int64_t now, struct str items, uint32_t last, bool more)
{
	struct page_kept *s = victim(p, k);
	char *copy;

	drop(p, s);
	if (version != p->version || items.n == 0 ||
	    items.n > LIM_PAGES - p->bytes)
		return;
	copy = mem_grow(NULL, items.n, 1);
	if (copy == NULL)
		return;
	memcpy(copy, items.p, items.n);
	*s = (struct page_kept){*k, now, str_of(copy, items.n), last, more};
	p->bytes += items.n;
}
