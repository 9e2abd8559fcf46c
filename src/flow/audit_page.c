/* audit_page.c: see audit_page.h. */
#include "flow/audit_page.h"

#include "base/limits.h"

struct page {
	struct call *c;
	const struct audit_query *q;
	audit_render render;
	struct arena a; /* of one leaf */
	uint64_t first, last, at;
	size_t shown, seen;
	bool more;
	err e;
};

static bool
page_one(void *ctx, uint64_t seq, struct str leaf)
{
	struct page *p = ctx;
	struct audit_entry e;

	if (seq < p->first || seq > p->last)
		return false;
	p->more = p->shown == p->c->query.limit || p->seen == LIM_AUDIT_SCAN ||
	    p->c->out.n > PAGE_BYTES;
	if (p->more)
		return false;
	p->seen++;
	p->at = seq;
	if (!audit_query_may(p->q, leaf))
		return true;
	arena_reset(&p->a);
	p->e = audit_leaf_read(&p->a, leaf, &e);
	if (!err_ok(p->e))
		return false;
	if (audit_query_match(p->q, &e)) {
		p->shown++;
		p->render(&p->c->w, &e, leaf);
	}
	return true;
}

/* Where the page begins: at an end of the range, or behind the cursor. */
static err
start(struct page *p, uint64_t *ret)
{
	struct str position;
	struct cur cur;

	TRY(cursor_take(p->c, &position));
	*ret = p->q->down ? p->last : p->first;
	if (position.n == 0)
		return OK;
	cur = cur_of(position);
	*ret = cur_be64(&cur);
	if (!cur_end(&cur) || *ret == 0)
		return err_of(E_BAD_CURSOR);
	*ret = p->q->down ? *ret - 1 : *ret + 1;
	return OK;
}

err
audit_page(struct call *c, const struct audit_query *q, audit_render render)
{
	struct page p = {.c = c, .q = q, .render = render, .e = OK};
	uint64_t from;
	struct buf b;
	err e = OK;

	TRY(audit_query_range(c->lane, c->a, q, &p.first, &p.last));
	TRY(start(&p, &from));
	(void)list_begin(c);
	arena_init(&p.a, (size_t)1024 * 1024);
	if (from >= p.first && from <= p.last)
		e = store_audit_walk(c->lane->conn, from, q->down, page_one,
		    &p);
	arena_done(&p.a);
	TRY(e);
	TRY(p.e);
	buf_init_on(&b, c->a, 8);
	buf_be64(&b, p.at);
	return list_end(c, p.more ? buf_view(&b) : STR_NONE);
}
