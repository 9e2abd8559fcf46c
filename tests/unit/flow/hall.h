/*
 * hall.h: the whole line without a network: an office (office.h) with
 * readers, streams and one reactor's lane.  Requests enter line_request as
 * they do from the wire, and their answers are read from the exchange.
 *
 * The clock stands still unless a test moves it.  hold and let_go stop the
 * writer in between, so that everything asked meanwhile is one batch.
 */
#ifndef TESTS_FLOW_HALL_H
#define TESTS_FLOW_HALL_H

#include <errno.h>
#include <sys/syscall.h>
#include <time.h>

#include "audit/verify.h"
#include "auth/throttle.h"
#include "base/limits.h"
#include "base/time.h"
#include "flow/line.h"
#include "flow/readers.h"
#include "flow/streams.h"
#include "tests/unit/flow/office.h"
/* wire's inside has names of its own for what flow calls so, too */
#define field wire_field
#define counters wire_counters
#include "wire/conn.h"
#undef field
#undef counters

/* ---- the clock ---- */

static _Atomic int64_t hall_clock; /* ms; 0 = the real one */

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	int64_t ms = atomic_load(&hall_clock);

	if (id != CLOCK_REALTIME || ms == 0)
		return (int)syscall(SYS_clock_gettime, id, ts);
	ts->tv_sec = ms / 1000;
	ts->tv_nsec = ms % 1000 * 1000000;
	return 0;
}

/* ---- a disk that is full ---- */

static _Atomic bool hall_full;

ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
	if (atomic_load(&hall_full)) {
		errno = ENOSPC;
		return -1;
	}
	return syscall(SYS_pwrite64, fd, p, n, at);
}

ssize_t
pwrite64(int fd, const void *p, size_t n, off64_t at)
{
	return pwrite(fd, p, n, at);
}

UNUSED static inline void
disk_full(bool full)
{
	atomic_store(&hall_full, full);
}

/* ---- the hall ---- */

enum { VISIT_HEADERS = 16, VISIT_GIVEN = 14, VISIT_MS = 20000 };

struct visit {
	struct exchange *x;
	struct header headers[VISIT_HEADERS];
	bool over;

	int status;
	struct str body;
	const struct json *json;
	struct visit *next;
};

struct hall {
	struct office o;
	struct lane lane;
	struct reactor *reactor; /* a mailbox nobody empties */
	struct visit *visits;
	struct store_conn *look; /* for the tests themselves */

	const char *token;		      /* NULL: none */
	const char *headers[2 * VISIT_GIVEN]; /* name, value, ...: next time */

	pthread_t holder;
	pthread_mutex_t mu;
	pthread_cond_t cond;
	bool held, letting;
};

static inline void
hall_open(struct hall *h)
{
	memset(h, 0, sizeof *h);
	office_open(&h->o);
	atomic_store(&hall_clock, h->o.now);
	MUST(readers_start(&h->o.st, 2, LIM_READER_QUEUE, &h->o.st.readers));
	MUST(readers_start(&h->o.st, 1, 2, &h->o.st.logins));
	MUST(readers_start(&h->o.st, LIM_HASHES, LIM_HASH_QUEUE,
	    &h->o.st.hashes));
	h->o.st.throttle = throttle_new();
	MUST(streams_start(&h->o.st, &h->o.st.streams));
	MUST(lane_open(&h->o.st, LANE_REACTOR, 0, &h->lane));
	MUST(store_reader(h->o.st.store, &h->look));
	h->reactor = calloc(1, sizeof *h->reactor);
	h->token = h->o.admin;
	pthread_mutex_init(&h->mu, NULL);
	pthread_cond_init(&h->cond, NULL);
}

struct hall_check {
	struct audit_check *check;
	struct audit_verdict v;
	struct store_conn *conn;
	err e;
};

static inline bool
hall_check_leaf(void *ctx, uint64_t seq, struct str leaf)
{
	struct hall_check *c = ctx;
	struct audit_tile tile;

	c->e = audit_check_leaf(c->check, leaf, &c->v);
	if (err_ok(c->e) && seq % TILE_WIDTH == 0) {
		MUST(ledger_tile(c->conn, 0, seq / TILE_WIDTH - 1, &tile));
		c->e = audit_check_tile(c->check, &tile, &c->v);
	}
	return err_ok(c->e);
}

/* The log verifies, and the keeper has signed all of it. */
static inline void
hall_check(struct hall *h)
{
	struct hall_check c = {.e = OK, .conn = store_writer(h->o.st.store)};
	struct str note;
	uint64_t size;

	MUST(audit_check_new(&c.check));
	MUST(store_audit_walk(h->look, 1, false, hall_check_leaf, &c));
	if (err_ok(c.e) && audit_check_size(c.check) > 0) {
		MUST(store_checkpoint_get(h->look, 0, &h->o.a, &size, &note));
		T_EQ_INT(size, audit_check_size(c.check));
		c.e =
		    audit_check_note(c.check, size, note, &h->o.note_key, &c.v);
	}
	if (err_ok(c.e))
		c.e = audit_check_end(c.check, &c.v);
	if (!err_ok(c.e))
		T_FAIL("the log: entry %llu: %s",
		    (unsigned long long)c.v.bad_seq, c.v.what);
	c.check = audit_check_free(c.check);
}

static inline void
hall_close(struct hall *h)
{
	struct visit *next;

	streams_end(h->o.st.streams);
	h->o.st.hashes = readers_stop(h->o.st.hashes);
	h->o.st.logins = readers_stop(h->o.st.logins);
	h->o.st.readers = readers_stop(h->o.st.readers);
	h->o.w = writer_stop(h->o.w);
	h->o.st.streams = streams_free(h->o.st.streams);
	lane_close(&h->lane);
	hall_check(h);
	store_conn_close(h->look);
	for (struct visit *v = h->visits; v != NULL; v = next) {
		next = v->next;
		exchange_destroy(v->x);
		free(v);
	}
	free(h->reactor);
	h->o.st.throttle = throttle_free(h->o.st.throttle);
	office_close(&h->o);
	atomic_store(&hall_clock, 0);
}

static inline void
tick(int64_t ms)
{
	atomic_fetch_add(&hall_clock, ms);
}

/* ---- asking ---- */

static inline struct exchange *
visit_exchange(struct hall *h)
{
	struct exchange *x = calloc(1, sizeof *x);

	x->r = h->reactor;
	arena_init(&x->arena, LIM_ARENA);
	buf_init(&x->stream.q, 16 << 20);
	pthread_mutex_init(&x->stream.mu, NULL);
	pthread_cond_init(&x->stream.room, NULL);
	snprintf(x->req.address, sizeof x->req.address, "%s", h->o.address);
	return x;
}

static inline enum http_method
visit_method(const char *text)
{
	for (unsigned m = 0; m < HTTP_OTHER; m++)
		if (strcmp(http_method_text((enum http_method)m), text) == 0)
			return (enum http_method)m;
	abort();
}

static inline bool
given(const struct hall *h, const char *name)
{
	for (size_t i = 0; i < (size_t)2 * VISIT_GIVEN && h->headers[i] != NULL;
	     i += 2)
		if (strcmp(h->headers[i], name) == 0)
			return true;
	return false;
}

static inline void
visit_headers(struct hall *h, struct visit *v)
{
	struct arena *a = &v->x->arena;
	char text[512];
	size_t n = 0;

	if (h->token != NULL) {
		snprintf(text, sizeof text, "Bearer %s", h->token);
		v->headers[n++] = (struct header){STR("authorization"),
		    arena_dup(a, str_c(text))};
	}
	if (v->x->req.body.n > 0 && !given(h, "content-type"))
		v->headers[n++] = (struct header){STR("content-type"),
		    STR("application/json")};
	for (size_t i = 0; i < (size_t)2 * VISIT_GIVEN && h->headers[i] != NULL;
	     i += 2)
		v->headers[n++] =
		    (struct header){arena_dup(a, str_c(h->headers[i])),
			arena_dup(a, str_c(h->headers[i + 1]))};
	memset(h->headers, 0, sizeof h->headers);
	v->x->req.headers = v->headers;
	v->x->req.headers_n = n;
}

/* Ask; the answer is waited for with `answered`. */
static inline struct visit *
knock(struct hall *h, const char *method, const char *target, const char *body)
{
	struct visit *v = calloc(1, sizeof *v);
	struct http_request *r;

	v->x = visit_exchange(h);
	v->next = h->visits;
	h->visits = v;
	r = &v->x->req;
	r->method = visit_method(method);
	r->target = arena_dup(&v->x->arena, str_c(target));
	if (!str_cut(r->target, '?', &r->path, &r->query))
		r->query = STR_NONE;
	if (body != NULL)
		r->body = arena_dup(&v->x->arena, str_c(body));
	visit_headers(h, v);
	line_request(&h->lane, v->x);
	return v;
}

static inline bool
visit_mail(struct visit *v, unsigned bit)
{
	for (int ms = 0; ms < VISIT_MS * 4; ms++) {
		if ((atomic_load(&v->x->mail) & bit) != 0)
			return true;
		usleep(250);
	}
	return false;
}

/* Its status; 0 when it never came. */
static inline int
answered(struct visit *v)
{
	static const struct json_limits lim = {63, 100000, 1000000};

	if (v->over)
		return v->status;
	if (!visit_mail(v, MAIL_REPLY)) {
		printf("# no answer\n");
		return 0;
	}
	v->over = true;
	v->status = v->x->reply.status;
	v->body = v->x->reply.body;
	if (v->body.n > 0 && (v->body.p[0] == '{' || v->body.p[0] == '['))
		MUST(json_parse(&v->x->arena, v->body, &lim, NULL, &v->json));
	return v->status;
}

UNUSED static inline struct visit *
visit(struct hall *h, const char *method, const char *target, const char *body)
{
	struct visit *v = knock(h, method, target, body);

	(void)answered(v);
	return v;
}

/* ---- streams ---- */

/* What a stream has sent by now is added to b; true: it has ended. */
UNUSED static inline bool
streamed(struct visit *v, struct buf *b)
{
	bool end;
	size_t n = exchange_waiting(v->x, &end);

	if (n > 0 && buf_room(b, n)) {
		exchange_take(v->x, b->p + b->n, n);
		b->n += n;
	}
	return end && n == 0;
}

/* Read until `word` was sent, or the end; false: neither in time. */
UNUSED static inline bool
stream_until(struct visit *v, struct buf *b, const char *word)
{
	for (int ms = 0; ms < VISIT_MS; ms++) {
		bool end = streamed(v, b);

		if (word != NULL && b->n > 0 &&
		    memmem(b->p, b->n, word, strlen(word)) != NULL)
			return true;
		if (end)
			return word == NULL;
		usleep(1000);
	}
	return false;
}

/* Has it begun to stream? */
UNUSED static inline bool
streams(struct visit *v)
{
	if (!visit_mail(v, MAIL_STREAM | MAIL_REPLY))
		return false;
	v->status = v->x->reply.status;
	return (atomic_load(&v->x->mail) & MAIL_STREAM) != 0;
}

/* The peer hangs up. */
UNUSED static inline void
hang_up(struct hall *h, struct visit *v)
{
	atomic_store(&v->x->gone, true);
	streams_closed(h->o.st.streams, v->x);
}

#define EQ_STATUS(v, want)                                                     \
	do {                                                                   \
		struct visit *v_ = (v);                                        \
		int got_ = answered(v_);                                       \
		if (got_ != (want))                                            \
			T_FAIL("%s: %d, want %d: %.*s", #v, got_, (want),      \
			    (int)(v_->body.n < 300 ? v_->body.n : 300),        \
			    v_->body.p == NULL ? "" : v_->body.p);             \
	} while (0)

#define EQ_TEXT(a, b) T_EQ_STR(str_c(a), str_c(b))

/* A string member of an answer, as a C string that lasts. */
UNUSED static inline const char *
told(struct hall *h, struct visit *v, const char *name)
{
	const char *c;

	(void)answered(v);
	c = arena_cstr(&h->o.a, json_str_at(v->json, str_c(name)));
	return c == NULL ? "" : c;
}

UNUSED static inline int64_t
number(struct visit *v, const char *name)
{
	int64_t n = -1;

	(void)answered(v);
	(void)json_i64(json_get(v->json, str_c(name)), INT64_MIN, INT64_MAX,
	    &n);
	return n;
}

UNUSED static inline struct str
reply_header(const struct visit *v, const char *name)
{
	const struct reply *r = &v->x->reply;

	for (size_t i = 0; i < r->headers_n; i++)
		if (str_is(r->headers[i].name, name))
			return r->headers[i].value;
	return STR_NONE;
}

/* How many items a list answered; -1: it is no list. */
UNUSED static inline int
listed(struct visit *v)
{
	const struct json *j;

	(void)answered(v);
	j = json_get(v->json, STR("items"));
	return j == NULL ? -1 : (int)j->count;
}

/* ---- batches ---- */

static inline err
hall_wait(struct lane *l, void *arg)
{
	struct hall *h = arg;

	(void)l;
	pthread_mutex_lock(&h->mu);
	h->held = true;
	pthread_cond_broadcast(&h->cond);
	while (!h->letting)
		pthread_cond_wait(&h->cond, &h->mu);
	h->held = h->letting = false;
	pthread_mutex_unlock(&h->mu);
	return OK;
}

static inline void *
hall_holder(void *arg)
{
	struct hall *h = arg;

	MUST(writer_do(h->o.w, hall_wait, h));
	return NULL;
}

UNUSED static inline void
hold(struct hall *h)
{
	if (pthread_create(&h->holder, NULL, hall_holder, h) != 0)
		abort();
	pthread_mutex_lock(&h->mu);
	while (!h->held)
		pthread_cond_wait(&h->cond, &h->mu);
	pthread_mutex_unlock(&h->mu);
}

UNUSED static inline void
let_go(struct hall *h)
{
	pthread_mutex_lock(&h->mu);
	h->letting = true;
	pthread_cond_broadcast(&h->cond);
	pthread_mutex_unlock(&h->mu);
	pthread_join(h->holder, NULL);
}

/* ---- the log ---- */

struct hall_sum {
	const char *action, *outcome, *reason;
	uint64_t entries, count, seq, last;
	int64_t time; /* of the last one that fits */
	bool falls;   /* a time is before the one above it */
	int64_t before;
	struct str leaf;
	struct arena *a;
};

static inline bool
hall_count(void *ctx, uint64_t seq, struct str leaf)
{
	struct hall_sum *s = ctx;
	struct audit_entry e;

	MUST(audit_leaf_read(s->a, leaf, &e));
	s->falls |= e.time < s->before;
	s->before = e.time;
	s->last = seq;
	if ((s->action != NULL &&
		strcmp(audit_action_text(e.action), s->action) != 0) ||
	    (s->outcome != NULL &&
		strcmp(audit_outcome_text(e.outcome), s->outcome) != 0) ||
	    (s->reason != NULL && !str_is(e.reason, s->reason)))
		return true;
	s->entries++;
	s->count += e.count > 1 ? e.count : 1;
	s->seq = seq;
	s->time = e.time;
	s->leaf = arena_dup(s->a, leaf);
	return true;
}

/* What the log says of an action (NULL: any), an outcome, a reason. */
UNUSED static inline struct hall_sum
log_of(struct hall *h, const char *action, const char *outcome,
    const char *reason)
{
	struct hall_sum s = {.action = action,
	    .outcome = outcome,
	    .reason = reason,
	    .a = &h->o.a};

	MUST(store_audit_walk(h->look, 1, false, hall_count, &s));
	return s;
}

UNUSED static inline uint64_t
logged(struct hall *h, const char *action, const char *outcome)
{
	return log_of(h, action, outcome, NULL).entries;
}

#endif
