/* cells.c: see cells.h. */
#include "audit/cells.h"

#include "base/text.h"
#include "base/time.h"

const char *const cell_names[CELLS] = {
#define COLUMN(id, name, cef, label) name,
#include "audit/columns.def"
#undef COLUMN
};

/* ---- resources: "type:id type:id"; a space or a % of an id is %XX ---- */

void
cells_resource(struct buf *b, struct str type, struct str id)
{
	if (b->n > 0)
		buf_char(b, ' ');
	buf_str(b, type);
	if (id.n > 0)
		buf_char(b, ':');
	for (size_t i = 0; i < id.n; i++) {
		if (id.p[i] == ' ' || id.p[i] == '%')
			buf_c(b, id.p[i] == ' ' ? "%20" : "%25");
		else
			buf_char(b, id.p[i]);
	}
}

static struct str
resources_text(struct arena *a, const struct audit_entry *e)
{
	struct buf b;

	buf_init_on(&b, a, (size_t)4 * 65536);
	for (size_t i = 0; i < e->resources; i++)
		cells_resource(&b, e->resource[i].type, e->resource[i].id);
	return b.failed ? STR_NONE : buf_view(&b);
}

static struct str
id_back(struct arena *a, struct str s)
{
	char *to = arena_raw(a, s.n);
	size_t n = 0;

	for (size_t i = 0; to != NULL && i < s.n; i++) {
		char c = s.p[i];

		if (c == '%' && str_starts(str_skip(s, i), STR("%20")))
			c = ' ';
		if (s.p[i] == '%')
			i += 2;
		to[n++] = c;
	}
	return to == NULL ? STR_NONE : str_of(to, n);
}

static bool
resources_back(struct arena *a, struct str s, struct audit_entry *e)
{
	struct str one, type, id;

	while (s.n > 0) {
		if (e->resources == AUDIT_RESOURCES)
			return false;
		(void)str_cut(s, ' ', &one, &s);
		(void)str_cut(one, ':', &type, &id);
		e->resource[e->resources++] = (struct audit_resource){type,
		    id.n > 0 ? id_back(a, id) : STR_NONE};
	}
	return true;
}

bool
cells_time(struct arena *a, struct str ms, struct str *ret)
{
	char time[TIME_TEXT + 1];
	uint64_t v;

	/* 9999-12-31 */
	if (!str_u64(ms, 0, UINT64_C(253402300799999), &v))
		return false;
	time_text((int64_t)v, time);
	*ret = arena_dup(a, str_of(time, TIME_TEXT));
	return true;
}

/* ---- all of them ---- */

static struct str
number(struct arena *a, uint64_t v)
{
	struct buf b;

	buf_init_on(&b, a, 24);
	buf_u64(&b, v);
	return buf_view(&b);
}

static struct str
some(struct str s)
{
	return s.n == 0 ? STR_NONE : s;
}

err
cells_of(struct arena *a, const struct leaf_parts *p, const struct hash *h,
    struct cells *ret)
{
	const struct audit_entry *e = &p->e;
	char time[TIME_TEXT + 1];
	struct buf hash;

	time_text(e->time, time);
	buf_init_on(&hash, a, (size_t)2 * HASH_SIZE);
	hex_add(&hash, str_of((const char *)h->b, HASH_SIZE));
	*ret = (struct cells){{
	    [CELL_SEQ] = number(a, e->seq),
	    [CELL_TIME] = arena_dup(a, str_of(time, TIME_TEXT)),
	    [CELL_ACTION] = p->action,
	    [CELL_OUTCOME] = str_c(audit_outcome_text(e->outcome)),
	    [CELL_REASON] = some(e->reason),
	    [CELL_KIND] = e->principal_kind,
	    [CELL_PRINCIPAL] = some(e->principal_id),
	    [CELL_CREDENTIAL] = some(e->credential),
	    [CELL_ADDRESS] = some(e->address),
	    [CELL_PROJECT] = some(e->project),
	    [CELL_REQUEST] = some(e->request_id),
	    [CELL_COUNT] = e->count > 1 ? number(a, e->count) : STR_NONE,
	    [CELL_RESOURCES] =
		e->resources > 0 ? resources_text(a, e) : STR_NONE,
	    [CELL_COMMITMENT] = some(p->commitment),
	    [CELL_HASH] = buf_view(&hash),
	}};
	return arena_check(a);
}

bool
cells_leaf(struct arena *a, const struct cells *c, struct str *ret_leaf,
    struct hash *ret_hash)
{
	struct leaf_parts p = {
	    .action = c->v[CELL_ACTION],
	    .commitment = c->v[CELL_COMMITMENT],
	    .e =
		{
		    .reason = c->v[CELL_REASON],
		    .principal_kind = c->v[CELL_KIND],
		    .principal_id = c->v[CELL_PRINCIPAL],
		    .credential = c->v[CELL_CREDENTIAL],
		    .address = c->v[CELL_ADDRESS],
		    .project = c->v[CELL_PROJECT],
		    .request_id = c->v[CELL_REQUEST],
		},
	};
	struct buf b;

	if (!str_u64(c->v[CELL_SEQ], 1, LEAF_INT_MAX, &p.e.seq) ||
	    !time_parse(c->v[CELL_TIME], &p.e.time) ||
	    !audit_outcome_parse(c->v[CELL_OUTCOME], &p.e.outcome) ||
	    (c->v[CELL_COUNT].n > 0 &&
		!str_u64(c->v[CELL_COUNT], 2, LEAF_INT_MAX, &p.e.count)) ||
	    !resources_back(a, c->v[CELL_RESOURCES], &p.e) ||
	    !hex_decode(c->v[CELL_HASH], ret_hash->b, HASH_SIZE))
		return false;
	buf_init_on(&b, a, (size_t)128 * 1024);
	if (!leaf_again(&b, &p))
		return false;
	*ret_leaf = buf_view(&b);
	return true;
}
