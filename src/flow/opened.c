/* opened.c: see opened.h. */
#include "flow/opened.h"

#include "base/limits.h"
#include "base/mem.h"

static void
drop(struct opened *o, struct opened_one *s)
{
	if (s->text.p == NULL)
		return;
	mem_wipe((char *)(uintptr_t)s->text.p, s->text.n);
	mem_free((char *)(uintptr_t)s->text.p);
	o->bytes -= s->text.n;
	*s = (struct opened_one){0};
}

void
opened_clear(struct opened *o)
{
	for (size_t i = 0; i < OPENED; i++)
		drop(o, &o->slot[i]);
}

void
opened_tend(struct opened *o, uint64_t version, int64_t now)
{
	if (o->version != version)
		opened_clear(o);
	o->version = version;
	for (size_t i = 0; i < OPENED; i++) {
		struct opened_one *s = &o->slot[i];

		if (s->text.p != NULL &&
		    (now - s->made > OPENED_AGE_MS || now < s->made))
			drop(o, s);
	}
}

static struct opened_one *
find(struct opened *o, const struct incident_id *id, uint64_t version,
    int64_t now)
{
	opened_tend(o, version, now);
	for (size_t i = 0; i < OPENED; i++)
		if (o->slot[i].text.p != NULL &&
		    uuid_eq(&o->slot[i].row.id.u, &id->u))
			return &o->slot[i];
	return NULL;
}

const struct opened_one *
opened_row(struct opened *o, const struct incident_id *id, uint64_t stamp,
    uint64_t version, int64_t now)
{
	const struct opened_one *s = find(o, id, version, now);

	return s != NULL && s->stamp == stamp ? s : NULL;
}

const struct opened_one *
opened_doc(struct opened *o, const struct incident_row *r, uint64_t version,
    int64_t now)
{
	const struct opened_one *s = find(o, &r->id, version, now);

	return s != NULL && s->row.project == r->project &&
		str_eq(s->row.stored.bytes, r->stored.bytes)
	    ? s
	    : NULL;
}

/* The one of this incident, a free one, or the oldest. */
static struct opened_one *
victim(struct opened *o, const struct incident_id *id)
{
	struct opened_one *oldest = &o->slot[0];

	for (size_t i = 0; i < OPENED; i++) {
		struct opened_one *s = &o->slot[i];

		if (s->text.p != NULL && uuid_eq(&s->row.id.u, &id->u))
			return s;
		if (s->made < oldest->made)
			oldest = s;
	}
	return oldest;
}

void
opened_keep(struct opened *o, const struct incident_row *r, struct str doc,
    uint64_t stamp, uint64_t version, int64_t now)
{
	struct opened_one *s = victim(o, &r->id);
	struct str sealed = r->stored.bytes;
	size_t room, n;
	char *p;

	drop(o, s);
	room = LIM_OPENED - o->bytes;
	if (version != o->version || doc.n == 0 || sealed.n == 0 ||
	    doc.n > room || sealed.n > room - doc.n)
		return;
	n = doc.n + sealed.n;
	p = mem_grow(NULL, n, 1);
	if (p == NULL)
		return;
	memcpy(p, doc.p, doc.n);
	memcpy(p + doc.n, sealed.p, sealed.n);
	*s =
	    (struct opened_one){*r, stamp, now, str_of(p, n), str_of(p, doc.n)};
	s->row.sealed = (struct sealed){0};
	s->row.stored = (struct stored){str_of(p + doc.n, sealed.n)};
	o->bytes += n;
}
