/* streams.c: see streams.h. */
#include "flow/streams.h"

#include <stdio.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "flow/audit_feed.h"
#include "flow/events.h"
#include "flow/handlers.h"
#include "flow/line.h"
#include "flow/readers.h"
#include "flow/run_log_api.h"

enum {
	STREAMS_MAX = 1024,
	TICK_MS = 1000,
	CATCH_UP = 1000,
	WHO_MEMORY = 65536
};

struct stream {
	struct call *call;
	/* Who it is for is asked again and again while it is open: the
	 * answer lives in one of these, the one before in the other. */
	struct arena who[2];
	unsigned turn;
	uint64_t seq;	/* of the last entry looked at */
	int64_t pinged; /* us, by the clock that is never set */
	bool full;	/* its queue was; try again later */
	bool missed;	/* what it asks for cannot be told again */
	struct stream *next;
};

struct streams {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t more;
	bool woken, stop;
	struct stream *fresh; /* handed over by the writer */
	struct stream *open;  /* the thread's own */
	size_t open_n;
	uint64_t version; /* of the snapshot their rights were checked with */
	struct lane lane;
};

/* ---- handing over ---- */

void
streams_wake(struct streams *s)
{
	(void)pthread_mutex_lock(&s->lock);
	s->woken = true;
	(void)pthread_cond_signal(&s->more);
	(void)pthread_mutex_unlock(&s->lock);
}

void
streams_closed(struct streams *s, struct exchange *x)
{
	(void)x; /* found by exchange_gone at the next look */
	streams_wake(s);
}

void
streams_open(struct streams *s, struct call *c)
{
	struct stream *n;

	if (c->route->audit == AUDIT_AUDIT_EXPORT) {
		if (readers_submit(c->lane->state->readers, c))
			return;
		line_fail(c, err_of(E_UNAVAILABLE));
		line_answer(c);
		return;
	}
	n = mem_new(1, sizeof *n);
	(void)pthread_mutex_lock(&s->lock);
	if (n == NULL || s->stop) {
		(void)pthread_mutex_unlock(&s->lock);
		mem_free(n);
		line_fail(c, err_of(E_UNAVAILABLE));
		line_answer(c);
		return;
	}
	n->call = c;
	arena_init(&n->who[0], WHO_MEMORY);
	arena_init(&n->who[1], WHO_MEMORY);
	n->next = s->fresh;
	s->fresh = n;
	s->woken = true;
	(void)pthread_cond_signal(&s->more);
	(void)pthread_mutex_unlock(&s->lock);
}

/* ---- opening ---- */

/* What can be refused before it is recorded; the stream itself opens in
 * streams_open. */
static err
resume_ok(struct call *c)
{
	struct str last = http_header(c->req, STR("last-event-id"));
	uint64_t seq;

	if (last.p != NULL && !str_u64(last, 0, INT64_MAX, &seq))
		return call_bad(c, E_INVALID,
		    "Last-Event-ID is not one of this stream");
	return OK;
}

err
route_events(struct call *c)
{
	return resume_ok(c);
}

static size_t
streams_of(const struct streams *s, const struct uuid *principal)
{
	size_t n = 0;

	for (const struct stream *o = s->open; o != NULL; o = o->next)
		n += uuid_eq(&o->call->actor->id, principal);
	return n;
}

static bool
of_audit(const struct call *c)
{
	return c->route->audit == AUDIT_AUDIT_STREAM;
}

static bool
is_poll(const struct call *c)
{
	return of_audit(c) && audit_feed(c)->poll;
}

/* Where to begin: after Last-Event-ID, else at the end of the log. */
static err
begin_at(struct streams *s, struct stream *n)
{
	struct str last = http_header(n->call->req, STR("last-event-id"));
	uint64_t end;

	if (n->call->route->handle == route_run_log_stream)
		return run_log_begin(n->call, &n->seq);
	TRY(store_audit_last(s->lane.conn, &end));
	n->seq = end;
	if (of_audit(n->call)) {
		uint64_t after = audit_feed(n->call)->after;

		n->seq = after < end ? after : end;
		return OK;
	}
	if (last.p == NULL)
		return OK;
	if (!str_u64(last, 0, INT64_MAX, &n->seq))
		return err_of(E_INVALID); /* resume_ok has said no */
	n->missed = n->seq > end ||
	    (n->call->actor->session != NULL && end - n->seq > LIM_SSE_REPLAY);
	if (n->missed)
		n->seq = end;
	return OK;
}

static err
admit(struct streams *s, struct stream *n)
{
	struct call *c = n->call;
	struct reply head = {.status = 200,
	    .content_type = STR("text/event-stream")};
	char hello[128];

	c->lane = &s->lane;
	TRY(line_recheck(c));
	if (s->open_n >= STREAMS_MAX ||
	    streams_of(s, &c->actor->id) >= LIM_SSE_PRINCIPAL)
		return call_bad(c, E_RATE, "%d streams are open already",
		    LIM_SSE_PRINCIPAL);
	if (of_audit(c))
		TRY(audit_feed_may(c));
	TRY(begin_at(s, n));
	if (is_poll(c))
		return OK;
	head.headers[head.headers_n++] = (struct header){STR("x-request-id"),
	    str_of(c->request_id_text, UUID_TEXT)};
	exchange_stream(c->x, &head);
	n->pinged = time_mono_us();
	/* an id from the start: who loses the stream before its first event
	 * can resume, too */
	(void)snprintf(hello, sizeof hello,
	    ": redoubt\nretry: %d\nid: %llu\n\n%s", LIM_SSE_RETRY_MS,
	    (unsigned long long)n->seq,
	    n->missed ? "event: resync\ndata: {}\n\n" : "");
	(void)exchange_push(c->x, str_c(hello), LIM_SSE_QUEUE);
	return OK;
}

static void
stream_free(struct stream *o)
{
	arena_done(&o->who[0]);
	arena_done(&o->who[1]);
	mem_free(o);
}

static void
take_fresh(struct streams *s, struct stream *fresh)
{
	struct stream *next;

	for (; fresh != NULL; fresh = next) {
		err e = admit(s, fresh);

		next = fresh->next;
		if (!err_ok(e)) {
			line_fail(fresh->call, e);
			line_answer(fresh->call);
			stream_free(fresh);
			continue;
		}
		fresh->next = s->open;
		s->open = fresh;
		s->open_n++;
	}
	atomic_store(&s->lane.state->n.streams_open, s->open_n);
}

static void
end_stream(struct stream *o)
{
	struct call *c = o->call;
	struct exchange *x = c->x;

	(void)snap_unref(c->snap);
	exchange_finish(x);
	exchange_release(x);
	stream_free(o);
}

/* May it go on? */
static err
recheck(struct stream *o)
{
	struct call *c = o->call;
	struct arena *own = c->a;
	err e;

	o->turn ^= 1;
	arena_reset(&o->who[o->turn]);
	c->a = &o->who[o->turn];
	e = line_recheck(c);
	c->a = own;
	return err_ok(e) && of_audit(c) ? audit_feed_may(c) : e;
}

/* ---- telling ---- */

struct telling {
	struct streams *s;
	struct stream *o;
	struct arena *a;
	unsigned left;
};

static bool
tell_one(void *ctx, uint64_t seq, struct str leaf)
{
	struct telling *t = ctx;
	struct call *c = t->o->call;
	struct str text;
	struct buf b;

	if (t->left-- == 0 || (is_poll(c) && audit_feed_full(c)))
		return false;
	arena_reset(t->a);
	buf_init_on(&b, t->a, (size_t)8 * LIM_LEAF);
	if (of_audit(c)) {
		audit_feed_add(c, t->a, leaf, &b);
	} else {
		event_text(c, t->a, seq, leaf, &b);
	}
	text = buf_view(&b);
	if (b.failed)
		text = STR("");
	t->o->full = text.n > 0 && !exchange_push(c->x, text, LIM_SSE_QUEUE);
	if (t->o->full)
		return false;
	t->o->seq = seq;
	return true;
}

/* A few pieces of a run's log; what is left comes at the next look, at once. */
static bool
tell_log(struct streams *s, struct stream *o, struct arena *a)
{
	struct call *c = o->call;
	err e = OK;

	for (unsigned left = 8; left > 0; left--) {
		uint64_t at = o->seq;
		struct buf b;

		arena_reset(a);
		buf_init_on(&b, a, (size_t)2 * LIM_LOG_PIECE);
		if (!err_ok(store_view_begin(s->lane.conn)))
			return true;
		e = run_log_event(c, &s->lane, a, &at, &b);
		store_view_end(s->lane.conn);
		if (!err_ok(e) || b.n == 0)
			break;
		if (!exchange_push(c->x, buf_view(&b), LIM_SSE_QUEUE))
			break; /* its queue is full: the next look */
		o->seq = at;
		if (left == 1)
			streams_wake(s);
	}
	return err_ok(e);
}

/* A poll that has something to say, or has waited enough, is answered. */
static void
poll_answer(struct stream *o)
{
	struct call *c = o->call;

	if (c->status == 0)
		audit_feed_answer(c, o->seq);
	line_answer(c);
	stream_free(o);
}

/* Its id says how far a stream is that has had nothing to tell. */
static void
ping(struct stream *o)
{
	char text[48] = ": ping\n\n";

	if (of_audit(o->call))
		(void)snprintf(text, sizeof text, ": ping\nid: %llu\n\n",
		    (unsigned long long)o->seq);
	(void)exchange_push(o->call->x, str_c(text), LIM_SSE_QUEUE);
}

/* The credential is no good any more: its page asks for a login. */
static void
part(struct stream *o, err e)
{
	if (is_poll(o->call))
		line_fail(o->call, e);
	else if (!of_audit(o->call) && err_is(e, E_UNAUTHENTICATED))
		(void)exchange_push(o->call->x,
		    STR("event: reauth\ndata: {}\n\n"), LIM_SSE_QUEUE);
}

/* false: this stream is over. */
static bool
tell(struct streams *s, struct stream *o, struct arena *a, bool changed)
{
	struct telling t = {s, o, a, CATCH_UP};
	struct call *c = o->call;
	int64_t now = time_mono_us();
	bool due = (now - o->pinged) / 1000 > LIM_SSE_PING_MS;

	c->now = time_now_ms();
	if (exchange_gone(c->x))
		return false;
	if (changed || due) {
		err e = recheck(o);

		if (!err_ok(e)) {
			part(o, e);
			return false;
		}
	}
	if (due && !is_poll(c)) {
		ping(o);
		o->pinged = now;
	}
	if (c->route->handle == route_run_log_stream)
		return tell_log(s, o, a);
	if (!err_ok(store_view_begin(s->lane.conn)))
		return true;
	err_ignore(store_audit_walk(s->lane.conn, o->seq + 1, false, tell_one,
		       &t),
	    "tried again at the next look");
	store_view_end(s->lane.conn);
	if (is_poll(c) && audit_feed_due(c))
		return false;
	if (t.left == UINT32_MAX)
		streams_wake(s); /* there is more to catch up with */
	return true;
}

static void
tell_all(struct streams *s)
{
	struct stream **at = &s->open, *o;
	bool changed = s->version != s->lane.snap->version;
	struct arena a;

	s->version = s->lane.snap->version;
	arena_init(&a, (size_t)1024 * 1024);
	while ((o = *at) != NULL) {
		if (tell(s, o, &a, changed)) {
			at = &o->next;
			continue;
		}
		*at = o->next;
		s->open_n--;
		if (is_poll(o->call))
			poll_answer(o);
		else
			end_stream(o);
	}
	arena_done(&a);
	atomic_store(&s->lane.state->n.streams_open, s->open_n);
}

/* ---- the thread ---- */

static bool
wait_for_work(struct streams *s, struct stream **ret_fresh)
{
	struct timespec until;
	bool stop;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += TICK_MS / 1000;
	(void)pthread_mutex_lock(&s->lock);
	while (!s->woken && !s->stop)
		if (pthread_cond_clockwait(&s->more, &s->lock, CLOCK_MONOTONIC,
			&until) != 0)
			break;
	s->woken = false;
	*ret_fresh = s->fresh;
	s->fresh = NULL;
	stop = s->stop;
	(void)pthread_mutex_unlock(&s->lock);
	return !stop;
}

static void *
work(void *arg)
{
	struct streams *s = arg;
	struct stream *fresh, *o;

	while (wait_for_work(s, &fresh)) {
		lane_refresh(&s->lane);
		take_fresh(s, fresh);
		tell_all(s);
	}
	take_fresh(s, fresh);
	while ((o = s->open) != NULL) {
		s->open = o->next;
		if (is_poll(o->call))
			poll_answer(o);
		else
			end_stream(o);
	}
	return NULL;
}

void
streams_end(struct streams *s)
{
	if (s == NULL)
		return;
	(void)pthread_mutex_lock(&s->lock);
	s->stop = true;
	(void)pthread_cond_signal(&s->more);
	(void)pthread_mutex_unlock(&s->lock);
	(void)pthread_join(s->thread, NULL);
}

struct streams *
streams_free(struct streams *s)
{
	if (s == NULL)
		return NULL;
	lane_close(&s->lane);
	mem_free(s);
	return NULL;
}

err
streams_start(struct state *st, struct streams **ret)
{
	struct streams *s = mem_new(1, sizeof *s);
	err e;

	if (s == NULL)
		return err_of(E_NO_MEMORY);
	(void)pthread_mutex_init(&s->lock, NULL);
	(void)pthread_cond_init(&s->more, NULL);
	e = lane_open(st, LANE_STREAM, 0, &s->lane);
	if (!err_ok(e)) {
		mem_free(s);
		return e;
	}
	if (pthread_create(&s->thread, NULL, work, s) != 0) {
		lane_close(&s->lane);
		mem_free(s);
		return err_of(E_NO_MEMORY);
	}
	*ret = s;
	return OK;
}
