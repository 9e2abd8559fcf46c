/* Exchanges: their life, and what other threads may do with them. */
#include <errno.h>
#include <time.h>

#include "base/mem.h"
#include "wire/conn.h"

static void
list_add(struct exchange **list, struct exchange *x)
{
	x->prev = NULL;
	x->next = *list;
	if (*list != NULL)
		(*list)->prev = x;
	*list = x;
}

static void
list_remove(struct exchange **list, struct exchange *x)
{
	if (x->prev != NULL)
		x->prev->next = x->next;
	else
		*list = x->next;
	if (x->next != NULL)
		x->next->prev = x->prev;
	x->prev = x->next = NULL;
}

/* Away from its connection, among the orphans of the reactor. */
static void
detach(struct exchange *x)
{
	if (x->c == NULL)
		return;
	timer_set(x->r, &x->timer, T_NONE);
	list_remove(&x->c->xs, x);
	x->c->xs_n--;
	x->c = NULL;
	list_add(&x->r->orphans, x);
}

static struct exchange *
exchange_make(struct reactor *r)
{
	struct exchange *x = mem_new(1, sizeof *x);

	if (x == NULL)
		return NULL;
	x->r = r;
	arena_init(&x->arena, LIM_ARENA);
	buf_init(&x->stream.q, OUT_MAX);
	pthread_mutex_init(&x->stream.mu, NULL);
	pthread_cond_init(&x->stream.room, NULL);
	return x;
}

struct exchange *
exchange_new(struct conn *c)
{
	struct reactor *r = c->r;
	struct exchange *x = r->pool;

	if (x != NULL) {
		r->pool = x->next;
		r->pool_n--;
	} else {
		x = exchange_make(r);
		if (x == NULL)
			return NULL;
	}
	memset(&x->req, 0,
	    offsetof(struct exchange, h1) - offsetof(struct exchange, req));
	x->stream.finished = x->stream.closed = false;
	x->timer.owner = TIMER_EXCHANGE;
	x->c = c;
	list_add(&c->xs, x);
	c->xs_n++;
	x->req.started_us = r->now_us;
	x->req.listener = c->source.index;
	x->req.h2 = c->h2 != NULL;
	memcpy(x->req.address, c->address, sizeof x->req.address);
	tls_peer_lend(c, x);
	return x;
}

void
exchange_destroy(struct exchange *x)
{
	buf_done(&x->body);
	buf_done(&x->stream.q);
	arena_done(&x->arena);
	pthread_mutex_destroy(&x->stream.mu);
	pthread_cond_destroy(&x->stream.room);
	mem_free(x);
}

void
exchange_free(struct exchange *x)
{
	struct reactor *r = x->r;

	detach(x);
	list_remove(&r->orphans, x);
	if (x->charged > 0)
		atomic_fetch_sub(&r->w->bodies, x->charged);
	buf_done(&x->body);
	buf_done(&x->stream.q);
	x->stream.q_at = 0;
	x->state = X_IDLE;
	if (r->pool_n == POOL_MAX) {
		exchange_destroy(x);
		return;
	}
	x->arena.max = LIM_ARENA;
	if (x->arena.held > POOL_ARENA)
		arena_done(&x->arena);
	else
		arena_reset(&x->arena);
	x->next = r->pool;
	r->pool = x;
	r->pool_n++;
}

/* ---- the way to the caller and back ---- */

void
exchange_lend(struct exchange *x)
{
	const struct wire_hooks *h = &x->r->w->hooks;

	COUNT(x->r, requests);
	timer_set(x->r, &x->timer, T_NONE);
	x->req.body = buf_view(&x->body);
	x->complete = true;
	x->state = X_LENT;
	h->request(h->ctx, x);
}

static void
count_status(struct reactor *r, int status)
{
	if (status >= 500)
		COUNT(r, replies_5xx);
	else if (status >= 400)
		COUNT(r, replies_4xx);
	else if (status >= 200 && status < 300)
		COUNT(r, replies_2xx);
}

static bool
draining(const struct exchange *x)
{
	return atomic_load_explicit(&x->r->w->draining, memory_order_relaxed);
}

void
exchange_answer(struct exchange *x)
{
	if (x->c == NULL) {
		exchange_free(x);
		return;
	}
	count_status(x->r, x->reply.status);
	if (draining(x))
		x->close = true;
	if (x->c->h2 != NULL)
		h2_answer(x);
	else
		h1_answer(x);
}

void
exchange_refuse(struct exchange *x, enum err_code code, const char *why)
{
	const struct wire_hooks *h = &x->r->w->hooks;
	struct trail t = {""};
	struct buf b;

	COUNT(x->r, refused);
	x->refused = true;
	x->close = true;
	/* what the request held is not needed for its refusal */
	buf_done(&x->body);
	arena_reset(&x->arena);
	buf_init_on(&b, &x->arena, PROBLEM_MAX);
	trail_set(&t, "%s", why);
	h->problem(h->ctx, err_of(code), &t, &b);
	x->reply = (struct reply){
	    .status = err_status(err_of(code)),
	    .content_type = STR("application/problem+json"),
	    .body = b.failed ? STR_NONE : buf_view(&b),
	};
	exchange_answer(x);
}

void
exchange_lost(struct exchange *x)
{
	atomic_store(&x->gone, true);
	if (x->state == X_STREAM)
		exchange_over(x);
	else if (x->state == X_LENT)
		detach(x);
	else
		exchange_free(x);
}

/* ---- streams, the reactor's side ---- */

void
exchange_over(struct exchange *x)
{
	const struct wire_hooks *h = &x->r->w->hooks;

	detach(x);
	atomic_store(&x->gone, true); /* nobody listens any more */
	pthread_mutex_lock(&x->stream.mu);
	x->stream.closed = true;
	pthread_cond_broadcast(&x->stream.room);
	pthread_mutex_unlock(&x->stream.mu);
	x->state = X_OVER;
	if (x->released)
		exchange_free(x);
	else if (h->stream_closed != NULL)
		h->stream_closed(h->ctx, x);
}

void
exchange_drain(struct exchange *x)
{
	if (x->state != X_STREAM ||
	    !str_starts(x->reply.content_type, STR("text/event-stream")))
		return;
	pthread_mutex_lock(&x->stream.mu);
	x->stream.finished = true;
	pthread_mutex_unlock(&x->stream.mu);
	if (x->c->h2 != NULL)
		h2_pump(x);
	else
		h1_pump(x);
}

static void
stream_begin(struct exchange *x)
{
	COUNT(x->r, streams);
	x->state = X_STREAM;
	if (x->c == NULL) {
		exchange_over(x);
		return;
	}
	count_status(x->r, x->reply.status);
	if (draining(x))
		x->close = true;
	if (x->c->h2 != NULL)
		h2_stream(x);
	else
		h1_stream(x);
}

void
exchange_letter(struct exchange *x, unsigned mail)
{
	if ((mail & MAIL_RELEASE) != 0)
		x->released = true;
	if ((mail & MAIL_STREAM) != 0)
		stream_begin(x);
	else if (x->state == X_OVER && x->released)
		exchange_free(x);
	else if (x->state == X_STREAM && x->c->h2 != NULL)
		h2_pump(x);
	else if (x->state == X_STREAM)
		h1_pump(x);
}

size_t
exchange_waiting(struct exchange *x, bool *ret_end)
{
	struct stream *s = &x->stream;
	size_t n;

	pthread_mutex_lock(&s->mu);
	n = s->q.n - s->q_at;
	*ret_end = s->finished;
	pthread_mutex_unlock(&s->mu);
	return n;
}

void
exchange_take(struct exchange *x, void *p, size_t n)
{
	struct stream *s = &x->stream;

	pthread_mutex_lock(&s->mu);
	memcpy(p, s->q.p + s->q_at, n);
	s->q_at += n;
	if (s->q_at == s->q.n) {
		buf_done(&s->q);
		s->q_at = 0;
	} else if (s->q_at > s->q.n / 2) {
		s->q.n -= s->q_at;
		memmove(s->q.p, s->q.p + s->q_at, s->q.n);
		s->q_at = 0;
	}
	pthread_cond_broadcast(&s->room);
	pthread_mutex_unlock(&s->mu);
}

/* ---- for callers, any thread ---- */

const struct http_request *
exchange_request(const struct exchange *x)
{
	return &x->req;
}

struct arena *
exchange_arena(struct exchange *x)
{
	return &x->arena;
}

unsigned
exchange_reactor(const struct exchange *x)
{
	return x->r->index;
}

bool
exchange_gone(const struct exchange *x)
{
	return atomic_load_explicit(&x->gone, memory_order_relaxed);
}

void
exchange_set_user(struct exchange *x, void *user)
{
	x->user = user;
}

void *
exchange_user(const struct exchange *x)
{
	return x->user;
}

static void
reply_copy(struct exchange *x, const struct reply *r)
{
	struct reply *to = &x->reply;

	BUG_ON(r->headers_n > REPLY_HEADERS);
	to->status = r->status;
	to->content_type = r->content_type;
	to->body = r->body;
	to->headers_n = r->headers_n;
	for (size_t i = 0; i < r->headers_n; i++)
		to->headers[i] = r->headers[i];
}

void
exchange_reply(struct exchange *x, const struct reply *r)
{
	reply_copy(x, r);
	if (reactor_is_mine(x->r))
		exchange_answer(x);
	else
		exchange_mail(x, MAIL_REPLY);
}

void
exchange_stream(struct exchange *x, const struct reply *head)
{
	reply_copy(x, head);
	exchange_mail(x, MAIL_STREAM);
}

static bool
fits(const struct stream *s, size_t n, size_t max_queue)
{
	size_t waiting = s->q.n - s->q_at;

	return waiting <= max_queue && n <= max_queue - waiting;
}

static bool
push(struct stream *s, struct str bytes)
{
	buf_str(&s->q, bytes);
	if (!s->q.failed)
		return true;
	s->q.failed = false;
	return false;
}

bool
exchange_push(struct exchange *x, struct str bytes, size_t max_queue)
{
	struct stream *s = &x->stream;
	bool ok;

	pthread_mutex_lock(&s->mu);
	ok = !s->closed && !s->finished && fits(s, bytes.n, max_queue) &&
	    push(s, bytes);
	pthread_mutex_unlock(&s->mu);
	if (ok)
		exchange_mail(x, MAIL_MORE);
	return ok;
}

static void
deadline_in(int ms, struct timespec *ret)
{
	clock_gettime(CLOCK_MONOTONIC, ret);
	ret->tv_sec += ms / 1000;
	ret->tv_nsec += ms % 1000 * 1000000L;
	if (ret->tv_nsec >= 1000000000L) {
		ret->tv_nsec -= 1000000000L;
		ret->tv_sec++;
	}
}

bool
exchange_push_wait(struct exchange *x, struct str bytes, size_t max_queue,
    int ms)
{
	struct stream *s = &x->stream;
	struct timespec until;
	int rc = 0;
	bool ok;

	BUG_ON(reactor_is_mine(x->r));
	deadline_in(ms, &until);
	pthread_mutex_lock(&s->mu);
	while (!s->closed && !s->finished && s->q.n > s->q_at &&
	    !fits(s, bytes.n, max_queue) && rc == 0)
		rc = pthread_cond_clockwait(&s->room, &s->mu, CLOCK_MONOTONIC,
		    &until);
	/* a piece larger than the queue goes alone */
	ok = !s->closed && !s->finished &&
	    (s->q.n == s->q_at || fits(s, bytes.n, max_queue)) &&
	    push(s, bytes);
	pthread_mutex_unlock(&s->mu);
	if (ok)
		exchange_mail(x, MAIL_MORE);
	return ok;
}

static void
finish(struct exchange *x, unsigned mail)
{
	pthread_mutex_lock(&x->stream.mu);
	x->stream.finished = true;
	pthread_mutex_unlock(&x->stream.mu);
	exchange_mail(x, mail);
}

void
exchange_finish(struct exchange *x)
{
	finish(x, MAIL_MORE);
}

void
exchange_release(struct exchange *x)
{
	finish(x, MAIL_RELEASE);
}

struct str
http_header(const struct http_request *r, struct str name)
{
	for (size_t i = 0; i < r->headers_n; i++) {
		if (str_eq(r->headers[i].name, name))
			return r->headers[i].value;
	}
	return STR_NONE;
}

size_t
http_header_count(const struct http_request *r, struct str name)
{
	size_t n = 0;

	for (size_t i = 0; i < r->headers_n; i++)
		n += str_eq(r->headers[i].name, name);
	return n;
}
