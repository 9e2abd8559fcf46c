/*
 * harness.h: one connection of wire without sockets, TLS or threads.  The
 * first input byte is options: how large the pieces are in which the rest is
 * read, whether output blocks, whether answers come at once or at the end.
 */
#ifndef FUZZ_HARNESS_H
#define FUZZ_HARNESS_H

#include "base/mem.h"
#include "wire/conn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct feed {
	struct str left;
	size_t step;
	bool blocks;
	unsigned turn;
	size_t written;
};

static struct wire *fuzz_wire;
static struct exchange *kept[1024];
static size_t kept_n;
static bool late;

static ptrdiff_t
feed_read(struct conn *c, void *p, size_t n)
{
	struct feed *f = c->test;
	struct str piece = str_head(f->left, n < f->step ? n : f->step);

	if (piece.n == 0)
		return IO_AGAIN;
	memcpy(p, piece.p, piece.n);
	f->left = str_skip(f->left, piece.n);
	return (ptrdiff_t)piece.n;
}

static ptrdiff_t
feed_write(struct conn *c, const void *p, size_t n)
{
	struct feed *f = c->test;
	const volatile char *b = p;

	if (n > 0)
		(void)(b[0] + b[n - 1]); /* is it there? */
	if (f->blocks && f->turn++ % 3 == 0)
		return IO_AGAIN;
	if (f->blocks && n > 100)
		n = 100;
	f->written += n;
	return (ptrdiff_t)n;
}

static bool
feed_pending(struct conn *c)
{
	(void)c;
	return false;
}

static void
feed_end(struct conn *c)
{
	(void)c;
}

static const struct transport transport_feed = {feed_read, feed_write,
    feed_pending, feed_end};

static void
answer(struct exchange *x)
{
	const struct http_request *q = exchange_request(x);
	struct reply r = {.status = 200,
	    .content_type = STR("text/plain"),
	    .body = q->target};

	/* everything the request says must be there to be read */
	for (size_t i = 0; i < q->headers_n; i++) {
		const struct header *h = &q->headers[i];

		BUG_ON(!http_token(h->name));
		for (size_t k = 0; k < h->name.n; k++)
			BUG_ON(h->name.p[k] >= 'A' && h->name.p[k] <= 'Z');
		for (size_t k = 0; k < h->value.n; k++)
			BUG_ON((unsigned char)h->value.p[k] < ' ');
	}
	BUG_ON(q->path.n == 0 || (q->path.p[0] != '/' && q->path.p[0] != '*'));
	BUG_ON(q->body.n > 100000);
	if (q->path.n > 1 && q->path.p[1] == 's') {
		exchange_stream(x, &r);
		exchange_push(x, STR("one"), 1000);
		kept[kept_n++] = x;
		return;
	}
	exchange_reply(x, &r);
}

static void
on_request(void *ctx, struct exchange *x)
{
	(void)ctx;
	if (late && kept_n < 1000)
		kept[kept_n++] = x;
	else if (kept_n < 1000)
		answer(x);
	else
		exchange_reply(x, &(struct reply){.status = 204});
}

static size_t
on_body_cap(void *ctx, const struct http_request *q)
{
	(void)ctx;
	return q->path.n > 1 && q->path.p[1] == 'b' ? 100000 : 1000;
}

static void
on_stream_closed(void *ctx, struct exchange *x)
{
	(void)ctx;
	(void)x;
}

static void
on_problem(void *ctx, err e, const struct trail *t, struct buf *b)
{
	(void)ctx;
	buf_c(b, err_name(e));
	buf_c(b, t->detail);
}

static struct reactor *
fuzz_reactor(void)
{
	static const struct wire_hooks hooks = {.body_cap = on_body_cap,
	    .request = on_request,
	    .stream_closed = on_stream_closed,
	    .problem = on_problem};
	struct wire_config c = {.reactors = 1, .hooks = &hooks};

	if (fuzz_wire == NULL) {
		BUG_ON(!err_ok(wire_new(&c, &fuzz_wire)));
		fuzz_wire->reactors[0].now_us = 1000000;
	}
	return &fuzz_wire->reactors[0];
}

/* Answer what was kept: streams are pushed to, finished and released. */
static void
answer_kept(void)
{
	for (size_t i = 0; i < kept_n; i++) {
		struct exchange *x = kept[i];

		if (x->state == X_LENT && x->mail == 0) {
			exchange_reply(x,
			    &(struct reply){.status = 200,
				.content_type = STR("a"),
				.body = x->req.target});
			continue;
		}
		exchange_push(x, STR("two"), 1000);
		exchange_finish(x);
		exchange_release(x);
	}
	kept_n = 0;
}

static void
fuzz_connection(const uint8_t *data, size_t n, bool h2, struct str before)
{
	struct reactor *r = fuzz_reactor();
	static char bytes[1 << 17];
	struct feed f = {.step = RECORD};
	struct conn *c;

	if (n < 1 || n > sizeof bytes - 100)
		return;
	memcpy(bytes, before.p, before.n);
	memcpy(bytes + before.n, data + 1, n - 1);
	f.left = str_of(bytes, before.n + n - 1);
	if ((data[0] & 1) != 0)
		f.step = 1 + (data[0] >> 4);
	f.blocks = (data[0] & 2) != 0;
	late = (data[0] & 4) != 0;
	reactor_enter((data[0] & 8) != 0 ? r : NULL);
	c = conn_new(r, -1, &transport_feed);
	c->test = &f;
	r->conns = c;
	r->open++;
	conn_began(c, h2);
	for (int i = 0; i < 100 && c->phase != C_DEAD && f.left.n > 0; i++) {
		conn_event(c, 1 /* EPOLLIN */);
		reactor_settle(r);
		r->now_us += 1000;
		if (i % 8 == 7)
			answer_kept();
		if (r->conns == NULL)
			break;
	}
	answer_kept();
	for (int i = 0; i < 4; i++)
		reactor_settle(r);
	if (r->conns != NULL)
		conn_close(r->conns);
	for (int i = 0; i < 4; i++) {
		answer_kept(); /* what had waited for a job */
		reactor_settle(r);
	}
	BUG_ON(r->conns != NULL || r->orphans != NULL || r->dead != NULL);
	BUG_ON(r->mail != NULL || r->dirty != NULL || r->open != 0);
	BUG_ON(fuzz_wire->bodies != 0);
	for (unsigned i = T_HEAD; i < T_MAX_; i++)
		BUG_ON(r->timers[i].next != &r->timers[i]);
	reactor_enter(NULL);
}

#endif
