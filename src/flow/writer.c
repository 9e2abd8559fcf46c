/* writer.c: see writer.h. */
#include "flow/writer.h"

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "flow/chores.h"
#include "flow/engine.h"
#include "flow/line.h"
#include "flow/park.h"
#include "flow/policy_tests.h"
#include "flow/readers.h"
#include "flow/replay.h"
#include "flow/streams.h"
#include "flow/uses.h"
#include "flow/writer_queue.h"

enum { SIGN_EVERY_MS = 1000, NOBODY_MS = 25 };

/* Work of the server itself: see writer_do. */
struct task {
	err (*fn)(struct lane *l, void *arg);
	void *arg;
	err result;
	bool done;
	struct task *next;
};

struct writer {
	struct state *st;
	struct lane lane;
	const struct ipc_end *keeper;
	pthread_t thread;

	struct writer_queue queue;
	atomic_bool stop;
	pthread_mutex_t task_lock;
	pthread_cond_t task_done;
	struct task *tasks;

	struct desk *desk;
	struct ledger *ledger;
	struct uses *uses;
	struct snap *published; /* what lane.snap goes back to */
	bool begun;		/* a transaction is open */
	int64_t sign_at;	/* by the clock that is never set */
	struct chores chores;
	struct park park;
	bool look, waited; /* for those who wait; for the next checkpoint */

	/* Refusals of nobody: see wait_longer. */
	struct call *nobody[LIM_WRITER_QUEUE];
	size_t nobody_n;
	int64_t nobody_at;
};

struct desk *
writer_desk(struct writer *w)
{
	return w->desk;
}

struct ledger *
writer_ledger(struct writer *w)
{
	return w->ledger;
}

const struct ipc_end *
writer_keeper(struct writer *w)
{
	return w->keeper;
}

int64_t
writer_used(struct writer *w, const struct uuid *credential)
{
	return uses_last(w->uses, credential);
}

void
writer_wake_parked(struct writer *w)
{
	w->look = true;
}

void
writer_unpark(struct writer *w, const struct uuid *delegate)
{
	park_end(&w->park, delegate);
}

void
writer_sign_soon(struct writer *w)
{
	w->sign_at = 0;
	w->waited = true;
}

void
writer_note(struct writer *w, const struct uuid *credential, int64_t now)
{
	uses_note(w->uses, credential, (struct permset){{0}}, now);
}

void
writer_forget(struct writer *w, const struct uuid *credential)
{
	uses_forget(w->uses, credential);
}

void
writer_token_rights(struct writer *w, const struct uuid *token,
    int64_t ret[PERM_MAX_])
{
	uses_rights(w->uses, token, ret);
}

bool
writer_submit(struct writer *w, struct call *c)
{
	return !atomic_load(&w->stop) && writer_queue_add(&w->queue, c);
}

void
writer_nudge(struct writer *w)
{
	writer_queue_nudge(&w->queue);
}

/* ---- the snapshot a batch sees ---- */

void
writer_snap(struct writer *w, struct snap *s)
{
	struct snap *old = w->lane.snap;

	w->lane.snap = s;
	keyring_rekey(w->lane.ring, s->keys);
	(void)snap_unref(old);
}

static void
publish(struct writer *w)
{
	if (w->lane.snap == w->published)
		return;
	w->look = true; /* who waits may be no more */
	state_publish(w->st, w->lane.snap);
	(void)snap_unref(w->published);
	w->published = snap_ref(w->lane.snap);
}

/* ---- a transaction ---- */

static err
begin(struct writer *w)
{
	TRY(store_begin(w->lane.conn));
	w->begun = true;
	ledger_begin(w->ledger);
	return desk_begin(w->desk, &w->lane);
}

/* Back to where begin found everything; nothing, when it has not begun. */
static void
undo(struct writer *w)
{
	if (!w->begun)
		return;
	w->begun = false;
	store_rollback(w->lane.conn);
	ledger_undo(w->ledger);
	desk_clear(w->desk, &w->lane, true);
	uses_undo(w->uses);
	if (w->lane.snap != w->published)
		writer_snap(w, snap_ref(w->published));
}

static err
commit(struct writer *w)
{
	err e = desk_flush(w->desk, &w->lane);

	if (err_ok(e))
		e = uses_flush(w->uses, w->lane.conn);
	if (err_ok(e))
		e = ledger_flush(w->ledger, &w->lane, desk_arena(w->desk));
	if (err_ok(e))
		e = store_commit(w->lane.conn);
	if (!err_ok(e)) {
		log_event(LOG_STORE, KVE("error", e), KVC("at", "commit"));
		undo(w);
		return e;
	}
	w->begun = false;
	desk_clear(w->desk, &w->lane, false);
	publish(w);
	atomic_fetch_add_explicit(&w->st->n.batches, 1, memory_order_relaxed);
	if (atomic_load_explicit(&w->st->n.streams_open, memory_order_relaxed) >
	    0)
		streams_wake(w->st->streams);
	return OK;
}

/* ---- one request in it ---- */

/* Nothing of an earlier try may be left. */
static void
reset(struct call *c)
{
	if (c->handled)
		return;
	c->rec = (struct record){.action = c->route->audit,
	    .project = c->rec.project};
	c->trail.detail[0] = '\0';
	c->status = 0;
	c->etag = c->location = c->content_type = c->content_range = STR("");
	c->park = false;
	c->secret_from = c->secret_to = 0;
	c->cookies_n = 0;
	c->dirty = c->over = false;
	if (c->route->auth == ROUTE_LOGIN)
		c->actor = NULL; /* who it is comes out of the handler */
}

/* A failed change is on record when it was refused to this caller, or when
 * it was understood and could not be. */
static bool
failure_counts(struct call *c, err e)
{
	return line_denied(c, e) || err_status(e) >= 404;
}

/* What the record says of a failure. */
static void
record_failure(struct call *c, err e)
{
	c->rec.commitment = NULL;
	c->rec.body = STR_NONE;
	if (line_denied(c, e))
		return;
	c->rec.outcome = AUDIT_ERROR;
	c->rec.reason = str_c(err_name(e));
	c->rec.skip = false;
}

static err
handle(struct writer *w, struct call *c)
{
	struct world *before;
	bool replayed = false;
	err e;

	c->lane = &w->lane;
	if (c->snap != w->lane.snap)
		TRY(line_recheck(c));
	TRY(replay_find(c, &replayed));
	if (replayed)
		return OK;
	before = world_ref(w->lane.snap->world);
	e = line_handle(c);
	if (err_ok(e))
		e = policy_check(c, before);
	(void)world_unref(before);
	if (err_ok(e))
		e = replay_keep(c);
	return e;
}

/* The credential it came with was used: a token, a session that has not just
 * been ended, or a sender's secret. */
static void
note_use(struct writer *w, const struct call *c)
{
	static const struct uuid none;
	const struct actor *who = c->actor;

	if (who == NULL)
		return;
	if (who->token != NULL && !uuid_is_zero(&who->token->o.id))
		uses_note(w->uses, &who->token->o.id, c->asked, c->now);
	if (who->session != NULL && !c->over)
		writer_note(w, &who->session->o.id, c->now);
	if (c->route->auth == ROUTE_DELEGATE)
		writer_note(w, &who->id, c->now);
	if (c->route->auth == ROUTE_INGEST && !uuid_eq(&c->hook.secret, &none))
		uses_note(w->uses, &c->hook.secret, c->asked, c->now);
}

/* OK: c has its answer, good or bad, and its entry. An error: the
 * transaction is spoiled. */
static err
run(struct writer *w, struct call *c)
{
	err e = OK;

	reset(c);
	if (!c->handled)
		e = handle(w, c);
	c->lane = &w->lane;
	note_use(w, c);
	if (!err_ok(e)) {
		if (c->dirty || err_status(e) >= 500)
			return e;
		line_fail(c, e);
		if (!failure_counts(c, e))
			return OK;
		record_failure(c, e);
	}
	if (c->rec.skip)
		return OK;
	e = ledger_add(w->ledger, &w->lane, desk_arena(w->desk), c);
	if (!err_ok(e))
		log_event(LOG_AUDIT, KVE("error", e));
	return e;
}

static void
leave(struct writer *w, struct call *c)
{
	c->next = NULL;
	if (c->park && !park_full(&w->park)) {
		park_add(&w->park, c);
		return;
	}
	if (c->route->lane == ROUTE_STREAM && c->status == 0) {
		/* recorded, now opened */
		streams_open(w->st->streams, c);
		return;
	}
	line_answer(c);
}

static void
fail(struct call *c, err e)
{
	c->handled = true;
	line_fail(c, e);
	line_answer(c);
}

/* The store itself is in trouble: trying again would be worse. */
static bool
store_trouble(err e)
{
	return err_is(e, E_IO) || err_is(e, E_NO_SPACE) || err_is(e, E_LOCKED);
}

/* What is left of a request that was undone: its failure, on record. */
static err
only_record(struct writer *w, struct call *c, err why)
{
	err e;

	line_fail(c, why);
	c->handled = true;
	if (c->route->auth == ROUTE_LOGIN)
		c->actor = NULL; /* who it would have been was undone */
	record_failure(c, why);
	e = begin(w);
	if (err_ok(e))
		e = ledger_add(w->ledger, &w->lane, desk_arena(w->desk), c);
	if (err_ok(e))
		return commit(w);
	undo(w);
	return e;
}

/* A request alone: what it breaks is its own. */
static void
run_alone(struct writer *w, struct call *c)
{
	err e = begin(w);

	if (err_ok(e))
		e = run(w, c);
	if (err_ok(e))
		e = commit(w);
	if (err_ok(e)) {
		leave(w, c);
		return;
	}
	undo(w);
	if (!store_trouble(e) && !c->handled) {
		e = only_record(w, c, e);
		if (err_ok(e)) {
			line_answer(c);
			return;
		}
	}
	fail(c, e);
}

static void
run_batch(struct writer *w, struct call *const *c, size_t n)
{
	err e = begin(w);
	size_t done = 0;

	while (err_ok(e) && done < n && !desk_full(w->desk))
		e = run(w, c[done++]);
	if (err_ok(e))
		e = commit(w);
	if (err_ok(e)) {
		for (size_t i = 0; i < done; i++)
			leave(w, c[i]);
		if (done < n)
			run_batch(w, c + done, n - done);
		return;
	}
	undo(w);
	for (size_t i = 0; i < n; i++) {
		if (store_trouble(e))
			fail(c[i], e);
		else
			run_alone(w, c[i]);
	}
}

/* ---- the thread ---- */

static void
run_many(struct writer *w, struct call *const *c, size_t n)
{
	for (size_t at = 0; at < n; at += LIM_BATCH)
		run_batch(w, c + at, n - at < LIM_BATCH ? n - at : LIM_BATCH);
}

/*
 * Who has no credential is refused at any rate they like, and each refusal is
 * durable before it is answered.  They wait for each other, so that a flood
 * of them costs a few entries a second and not the disk.
 */
static void
run_nobody(struct writer *w, bool all)
{
	if (w->nobody_n == 0 || (!all && time_mono_us() / 1000 < w->nobody_at))
		return;
	run_many(w, w->nobody, w->nobody_n);
	w->nobody_n = 0;
}

static void
wait_longer(struct writer *w, struct call *c)
{
	if (w->nobody_n == LIM_WRITER_QUEUE)
		run_nobody(w, true);
	if (w->nobody_n == 0)
		w->nobody_at = time_mono_us() / 1000 + NOBODY_MS;
	w->nobody[w->nobody_n++] = c;
}

/* Keeps in c those that are run now; how many. */
static size_t
sort_out(struct writer *w, struct call **c, size_t n)
{
	size_t left = 0;

	for (size_t i = 0; i < n; i++) {
		if (c[i]->actor == NULL)
			wait_longer(w, c[i]);
		else
			c[left++] = c[i];
	}
	return left;
}

static err
run_task(struct writer *w, struct task *t)
{
	err e = begin(w);

	if (err_ok(e))
		e = t->fn(&w->lane, t->arg);
	if (err_ok(e))
		return commit(w);
	undo(w);
	return e;
}

err
writer_run(struct writer *w, err (*fn)(struct lane *l, void *arg), void *arg)
{
	struct task t = {.fn = fn, .arg = arg};

	return run_task(w, &t);
}

static void
run_tasks(struct writer *w)
{
	struct task *t, *next;

	(void)pthread_mutex_lock(&w->task_lock);
	t = w->tasks;
	w->tasks = NULL;
	(void)pthread_mutex_unlock(&w->task_lock);
	for (; t != NULL; t = next) {
		err e = run_task(w, t);

		next = t->next;
		(void)pthread_mutex_lock(&w->task_lock);
		t->result = e;
		t->done = true;
		(void)pthread_cond_broadcast(&w->task_done);
		(void)pthread_mutex_unlock(&w->task_lock);
	}
}

err
writer_do(struct writer *w, err (*fn)(struct lane *l, void *arg), void *arg)
{
	struct task t = {.fn = fn, .arg = arg}, **last;

	(void)pthread_mutex_lock(&w->task_lock);
	for (last = &w->tasks; *last != NULL; last = &(*last)->next)
		continue;
	*last = &t;
	writer_queue_wake(&w->queue);
	while (!t.done)
		(void)pthread_cond_wait(&w->task_done, &w->task_lock);
	(void)pthread_mutex_unlock(&w->task_lock);
	return t.result;
}

static void
sign(struct writer *w)
{
	int64_t now = time_mono_us() / 1000;

	if (now < w->sign_at || !ledger_unsigned(w->ledger))
		return;
	w->sign_at = now + SIGN_EVERY_MS;
	if (!chores_sign(&w->lane, w->ledger, w->keeper))
		return;
	w->look = w->look || w->waited;
	w->waited = false;
}

/* Those who wait look again: all, when there may be something for them. */
static void
run_parked(struct writer *w, bool stop)
{
	static _Thread_local struct call *c[LIM_PARKED];
	int64_t now = time_now_ms();
	bool all = w->look || stop || atomic_load(&w->st->draining);
	size_t n;

	w->look = false;
	n = park_take(&w->park, c, now, all);
	for (size_t i = 0; i < n; i++)
		c[i]->now = now;
	run_many(w, c, n);
}

static void
rest(struct writer *w)
{
	int ms = w->nobody_n > 0 ? NOBODY_MS : SIGN_EVERY_MS;

	ms = w->look ? 0 : engine_rest_ms(&w->lane, ms);
	ms = park_wait(&w->park, time_now_ms(), ms);
	writer_queue_rest(&w->queue, ms);
}

static void *
work(void *arg)
{
	static _Thread_local struct call *c[LIM_WRITER_QUEUE];
	struct writer *w = arg;

	for (;;) {
		bool stop = atomic_load(&w->stop);
		size_t n = writer_queue_take(&w->queue, c);

		run_many(w, c, sort_out(w, c, n));
		run_nobody(w, stop);
		run_tasks(w);
		engine_tend(&w->lane);
		sign(w);
		chores_do(&w->lane, &w->chores);
		run_parked(w, stop);
		if (n == 0 && stop)
			break;
		if (n == 0)
			rest(w);
	}
	w->sign_at = 0;
	sign(w);
	return NULL;
}

static void
free_all(struct writer *w)
{
	w->desk = desk_free(w->desk);
	w->ledger = ledger_close(w->ledger);
	w->uses = uses_free(w->uses);
	w->published = snap_unref(w->published);
	lane_close(&w->lane);
	writer_queue_close(&w->queue);
	mem_free(w);
}

err
writer_start(struct state *st, const struct ipc_end *keeper,
    struct writer **ret)
{
	struct writer *w = mem_new(1, sizeof *w);
	err e;

	if (w == NULL)
		return err_of(E_NO_MEMORY);
	w->st = st;
	w->keeper = keeper;
	(void)pthread_mutex_init(&w->task_lock, NULL);
	(void)pthread_cond_init(&w->task_done, NULL);
	e = writer_queue_open(&w->queue)
	    ? lane_open(st, LANE_WRITER, 0, &w->lane)
	    : err_of(E_IO);
	w->lane.writer = w;
	if (err_ok(e)) {
		w->published = snap_ref(w->lane.snap);
		e = desk_new(&w->desk);
	}
	if (err_ok(e))
		e = ledger_open(&w->lane, &w->ledger);
	if (err_ok(e))
		e = uses_load(w->lane.conn, &w->uses);
	if (err_ok(e)) {
		*ret = w; /* the thread may look there */
		if (pthread_create(&w->thread, NULL, work, w) == 0)
			return OK;
		*ret = NULL;
		e = err_of(E_NO_MEMORY);
	}
	free_all(w);
	return e;
}

struct writer *
writer_stop(struct writer *w)
{
	if (w == NULL)
		return NULL;
	atomic_store(&w->stop, true);
	writer_queue_wake(&w->queue);
	(void)pthread_join(w->thread, NULL);
	free_all(w);
	return NULL;
}
