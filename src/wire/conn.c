/* A connection: its transport, its output and its end. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "wire/conn.h"

enum { READS = 16 }; /* records read from one connection in one turn */

void
conn_address(struct conn *c, const struct sockaddr_storage *sa)
{
	const struct sockaddr_in6 *six = (const void *)sa;
	const struct sockaddr_in *four = (const void *)sa;
	const void *from = &four->sin_addr;
	int family = AF_INET;

	if (sa->ss_family == AF_INET6 &&
	    IN6_IS_ADDR_V4MAPPED(&six->sin6_addr)) {
		from = six->sin6_addr.s6_addr + 12;
	} else if (sa->ss_family == AF_INET6) {
		from = &six->sin6_addr;
		family = AF_INET6;
	} else if (sa->ss_family != AF_INET) {
		return;
	}
	if (inet_ntop(family, from, c->address, sizeof c->address) == NULL)
		c->address[0] = '\0';
}

struct conn *
conn_new(struct reactor *r, int fd, const struct transport *t)
{
	struct conn *c = mem_new(1, sizeof *c);

	if (c == NULL)
		return NULL;
	c->source.kind = SOURCE_CONN;
	c->source.fd = fd;
	c->r = r;
	c->t = t;
	c->fresh = true;
	c->timer.owner = TIMER_CONN;
	buf_init(&c->in, IN_MAX);
	buf_init(&c->out, OUT_MAX);
	return c;
}

void
conn_free(struct conn *c)
{
	mem_free(c->cert);
	mem_free(c);
}

void
conn_dirty(struct conn *c)
{
	struct reactor *r = c->r;

	if (c->is_dirty || c->phase == C_DEAD)
		return;
	c->is_dirty = true;
	c->dirty_next = NULL;
	if (r->dirty == NULL)
		r->dirty = c;
	else
		r->dirty_last->dirty_next = c;
	r->dirty_last = c;
}

/* ---- the end ---- */

static void
conn_unlink(struct conn *c)
{
	struct reactor *r = c->r;

	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		r->conns = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
}

static void
conn_clear(struct conn *c)
{
	while (c->xs != NULL)
		exchange_lost(c->xs);
	c->x = NULL;
	if (c->h2 != NULL)
		h2_end(c);
	buf_done(&c->in);
	buf_done(&c->out);
	c->out_at = 0;
}

void
conn_close(struct conn *c)
{
	if (c->phase == C_DEAD)
		return;
	conn_clear(c);
	timer_set(c->r, &c->timer, T_NONE);
	c->t->end(c);
	c->phase = C_DEAD;
	if (c->source.fd >= 0)
		close(c->source.fd);
	conn_unlink(c);
	atomic_fetch_sub(&c->r->open, 1);
	c->next = c->r->dead;
	c->r->dead = c;
}

/*
 * Everything was said.  Closing now could destroy the answer on its way: if
 * the peer is still sending, the kernel resets.  So end our side, and listen
 * without hearing until the peer has closed too, for a while.
 */
static void
linger(struct conn *c)
{
	if (c->eof || c->source.fd < 0) {
		conn_close(c);
		return;
	}
	conn_clear(c);
	c->t->end(c);
	shutdown(c->source.fd, SHUT_WR);
	c->phase = C_LINGER;
	timer_set(c->r, &c->timer, T_LINGER);
	reactor_arm(c, EPOLLIN);
}

static void
linger_event(struct conn *c)
{
	ssize_t n = recv(c->source.fd, c->r->scratch, RECORD, MSG_DONTWAIT);

	if (n > 0)
		c->lingered += (size_t)n;
	if (n <= 0 || c->lingered > LINGER_BYTES)
		conn_close(c);
}

/* ---- input ---- */

void
conn_began(struct conn *c, bool h2)
{
	c->phase = h2 ? C_H2 : C_H1;
	if (h2) {
		COUNT(c->r, h2_connections);
		if (!h2_begin(c))
			c->doomed = true;
		conn_dirty(c);
	}
}

static void
handshake(struct conn *c)
{
	bool h2 = false;
	int io = IO_AGAIN;

	if (tls_handshake(c, &io, &h2)) {
		conn_began(c, h2);
		conn_read(c);
	} else if (io == IO_AGAIN) {
		reactor_arm(c,
		    c->want_write ? EPOLLIN | EPOLLOUT : (uint32_t)EPOLLIN);
	} else {
		COUNT(c->r, tls_failures);
		conn_close(c);
	}
}

/* May more input be taken?  If not, the peer's window closes. */
static bool
may_read(const struct conn *c)
{
	return !c->eof && !c->closing && !c->doomed &&
	    c->out.n - c->out_at <= OUT_HIGH && c->in.n < IN_HOLD;
}

void
conn_read(struct conn *c)
{
	struct reactor *r = c->r;
	ptrdiff_t n = 1;

	for (int i = 0; i < READS && may_read(c); i++) {
		n = c->t->read(c, r->scratch, RECORD);
		if (n <= 0)
			break;
		if (c->phase == C_H2)
			h2_input(c, str_of(r->scratch, (size_t)n));
		else
			h1_input(c, str_of(r->scratch, (size_t)n));
		if (!c->t->pending(c))
			break;
	}
	if (n == IO_CLOSED)
		c->eof = true; /* in order: what it asked may be answered */
	if (n == IO_LOST || (n == IO_CLOSED && c->phase == C_H2))
		c->doomed = true;
	/* bytes inside the TLS library make no event */
	c->again = n > 0 && c->t->pending(c);
	conn_dirty(c);
}

void
conn_event(struct conn *c, uint32_t events)
{
	switch (c->phase) {
	case C_DEAD:
		return;
	case C_LINGER:
		linger_event(c);
		return;
	case C_HANDSHAKE:
		handshake(c);
		return;
	case C_H1:
	case C_H2:
		break;
	}
	if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
		conn_close(c);
		return;
	}
	if ((events & EPOLLOUT) != 0 && c->want_write)
		c->again = true;
	if ((events & EPOLLIN) != 0 && may_read(c))
		conn_read(c);
	else if ((events & EPOLLIN) != 0)
		reactor_arm(c, c->events & ~(uint32_t)EPOLLIN);
	conn_dirty(c);
}

/* ---- output ---- */

void
conn_lend_out(struct conn *c)
{
	struct buf *spare = &c->r->spare;

	if (c->out.p != NULL || spare->p == NULL)
		return;
	c->out.p = spare->p;
	c->out.cap = spare->cap;
	*spare = (struct buf){0};
}

/* All was sent: the next answer finds the memory, perhaps in the cache. */
static void
out_done(struct conn *c)
{
	struct buf *spare = &c->r->spare;

	if (spare->p == NULL && c->out.cap <= OUT_MORE) {
		spare->p = c->out.p;
		spare->cap = c->out.cap;
		c->out.p = NULL;
	}
	buf_done(&c->out);
	c->out_at = 0;
}

static void
flush(struct conn *c)
{
	bool progress = false;

	if (c->out.n > 0)
		c->want_write = false;
	while (c->out_at < c->out.n) {
		ptrdiff_t n =
		    c->t->write(c, c->out.p + c->out_at, c->out.n - c->out_at);

		if (n <= 0) {
			if (n != IO_AGAIN)
				c->doomed = true;
			break;
		}
		c->out_at += (size_t)n;
		progress = true;
	}
	if (c->out_at == c->out.n) {
		out_done(c);
	} else if (c->out_at > OUT_HIGH) {
		c->out.n -= c->out_at;
		memmove(c->out.p, c->out.p + c->out_at, c->out.n);
		c->out_at = 0;
	}
	if (progress && c->timer.list == T_STALL)
		timer_set(c->r, &c->timer, T_NONE);
}

void
conn_eager(struct conn *c)
{
	if (c->out.n - c->out_at >= OUT_EAGER && !c->out.failed && !c->doomed)
		flush(c);
}

static void
arm(struct conn *c)
{
	uint32_t events = c->events;

	if (c->out.n > 0 || c->want_write)
		events |= EPOLLOUT;
	else
		events &= ~(uint32_t)EPOLLOUT;
	/* reading is stopped only when an event finds it not wanted */
	if (may_read(c))
		events |= EPOLLIN;
	else if (c->eof || c->closing)
		events &= ~(uint32_t)EPOLLIN;
	reactor_arm(c, events);
}

static void
produce(struct conn *c)
{
	c->more = false;
	if (c->phase == C_H2)
		h2_work(c);
	else
		h1_work(c);
}

void
conn_work(struct conn *c)
{
	if (c->phase != C_H1 && c->phase != C_H2)
		return;
	if (c->again && may_read(c)) {
		c->again = c->want_write = false;
		conn_read(c); /* dirty again when there is more */
	}
	produce(c);
	flush(c);
	if (c->doomed) {
		conn_close(c);
		return;
	}
	if (c->closing && c->out.n == 0) {
		linger(c);
		return;
	}
	if (c->phase == C_H2)
		h2_timer(c);
	else
		h1_timer(c);
	arm(c);
	if (c->again || (c->more && c->out.n == 0))
		conn_dirty(c);
}

void
conn_timeout(struct conn *c, enum timer_list list)
{
	/* before the first request there is nobody to answer */
	if (c->phase == C_H1 && (!c->fresh || c->x != NULL))
		h1_timeout(c, list);
	else if (c->phase == C_H2)
		h2_conn_timeout(c, list);
	else
		conn_close(c);
}

void
conn_drain(struct conn *c)
{
	if (c->phase == C_H2) {
		h2_drain(c);
		return;
	}
	if (c->phase != C_H1)
		return;
	if (c->x == NULL && may_read(c))
		conn_read(c); /* a request may be in the socket */
	if (c->x == NULL && c->in.n == 0)
		c->closing = true;
	else if (c->x != NULL && c->x->state == X_STREAM)
		exchange_drain(c->x);
	conn_dirty(c);
}
