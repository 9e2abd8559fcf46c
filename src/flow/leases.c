/*
 * leases.c: POST /v1/delegate/lease, doc/PROTOCOL.delegate 4.  One question
 * renews what the delegate runs, tells it what to end, and gives it what it
 * may begin; when there is nothing of the kind, it waits in the writer until
 * there is (park.h), so work is out within a commit or two of being offered.
 */
#include "base/limits.h"
#include "base/text.h"
#include "domain/selector.h"
#include "flow/delegates.h"
#include "flow/envelope.h"
#include "flow/handlers.h"
#include "flow/writer.h"

enum {
	HELD = 2 * LIM_DELEGATE_HOLDS,
	MATCHES = 256,		 /* among which is chosen fairly */
	EACH = 32,		 /* of one selector */
	GIVEN = AUDIT_RESOURCES, /* in one answer: each is on record */
	GIVEN_BYTES = LIM_TASK,	 /* then the answer is long enough */
	/* It was given, and the delegate does not have it: its answer was
	 * lost on the way. */
	LOST_MS = 2000,
};

struct claim {
	struct uuid task;
	uint64_t fence;
};

struct match {
	struct uuid id, run;
	uint64_t busy; /* tasks of its run that are out */
	bool taken;
};

struct leasing {
	struct call *c;
	const struct delegate *d;
	int64_t capacity, wait_ms;
	uint64_t seen; /* checkpoint the delegate has */
	struct claim running[HELD];
	size_t running_n;
	struct uuid cancel[HELD];
	size_t cancel_n;
	size_t held; /* leased or started, after this question */
	struct match match[MATCHES];
	size_t match_n;
	size_t given;
	struct jw *w;
};

/* ---- what is asked ---- */

static err
read_claims(struct call *c, struct leasing *l)
{
	const struct json *j = json_first(json_get(c->body, STR("running")));

	for (; j != NULL; j = j->next) {
		struct claim *to = &l->running[l->running_n];
		int64_t fence;

		if (l->running_n == HELD || j->count != 2 ||
		    !uuid_parse(json_str_at(j, STR("task")), &to->task) ||
		    !json_i64(json_get(j, STR("fence")), 1, INT64_MAX, &fence))
			return call_bad(c, E_INVALID,
			    "running: [{\"task\":id,\"fence\":n},...], "
			    "at most %d",
			    HELD);
		to->fence = (uint64_t)fence;
		l->running_n++;
	}
	return OK;
}

static err
read_question(struct call *c, struct leasing *l)
{
	int64_t seen;

	if (!json_i64(json_get(c->body, STR("capacity")), 0, LIM_DELEGATE_HOLDS,
		&l->capacity) ||
	    !json_i64(json_get(c->body, STR("wait_ms")), 0, LIM_LEASE_WAIT_MS,
		&l->wait_ms) ||
	    !json_i64(json_get(c->body, STR("checkpoint_size")), 0, INT64_MAX,
		&seen))
		return call_bad(c, E_INVALID,
		    "capacity: 0 to %d; wait_ms: 0 to %d; checkpoint_size: a "
		    "size",
		    LIM_DELEGATE_HOLDS, LIM_LEASE_WAIT_MS);
	l->seen = (uint64_t)seen;
	return read_claims(c, l);
}

/* ---- what it has ---- */

static struct task_row *
claimed(const struct claim *c, struct task_row *held, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (uuid_eq(&held[i].id, &c->task) && held[i].fence == c->fence)
			return &held[i];
	return NULL;
}

static bool
claims(const struct leasing *l, const struct task_row *r)
{
	for (size_t i = 0; i < l->running_n; i++)
		if (uuid_eq(&l->running[i].task, &r->id) &&
		    l->running[i].fence == r->fence)
			return true;
	return false;
}

/* What it runs is its own for another while; what it should not run is said.
 * Ids that are none of its tasks are told to end, whosever they are: the
 * answer is the same for another's and for none. */
static err
renew(struct leasing *l, struct task_row *held, size_t n)
{
	struct call *c = l->c;

	for (size_t i = 0; i < l->running_n; i++) {
		struct task_row *r = claimed(&l->running[i], held, n);

		if (r == NULL || r->cancel)
			l->cancel[l->cancel_n++] = l->running[i].task;
		if (r == NULL)
			continue;
		r->until = c->now + LIM_LEASE_MS;
		TRY(store_task_update(c->lane->conn, r));
	}
	return OK;
}

/* A lease it does not know of ends now, not in half a minute. */
static err
take_back(struct leasing *l, struct task_row *held, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct task_row *r = &held[i];

		l->held++;
		if (l->c->parks > 0 || r->state != TASK_LEASED ||
		    claims(l, r) || l->c->now - r->changed < LOST_MS)
			continue;
		TRY(task_requeue(l->c->lane, r, l->c->now));
		l->held--;
	}
	return OK;
}

static err
review(struct leasing *l)
{
	struct call *c = l->c;
	struct task_row *held;
	size_t n;

	TRY(store_task_held(c->lane->conn, &l->d->o.id, HELD, c->a, &held, &n));
	c->dirty = n > 0;
	TRY(renew(l, held, n));
	return take_back(l, held, n);
}

/* ---- what it may have ---- */

/* Every label of the step's selector; none selects nothing (L13). */
static bool
selected(const struct task_job *job, const struct json *labels)
{
	const struct json *j = json_first(job->labels_json);

	for (; j != NULL; j = j->next)
		if (!str_eq(json_str_at(labels, j->name), j->text))
			return false;
	return job->labels_json->kind == JSON_OBJECT &&
	    job->labels_json->count > 0;
}

/* The oldest of one selector. */
static err
consider(struct leasing *l, const uint8_t selector[BLIND_SIZE])
{
	struct store_conn *conn = l->c->lane->conn;
	struct task_queued q[EACH];
	size_t n, room = MATCHES - l->match_n;

	TRY(store_task_queued(conn, l->d->o.project, selector,
	    room < EACH ? room : EACH, q, &n));
	for (size_t i = 0; i < n; i++) {
		struct match *m = &l->match[l->match_n++];

		*m = (struct match){.id = q[i].id, .run = q[i].run};
		TRY(store_task_running(conn, &m->run, &m->busy));
	}
	return OK;
}

/* One task of each selector is opened, to see which labels it names: however
 * long the queue, that is as many as there are kinds of steps. */
static err
look(struct leasing *l, struct arena *a)
{
	static const struct json_limits small = {2, 64, 256};
	uint8_t at[BLIND_SIZE] = {0};
	const struct json *labels;
	struct task_job job;
	struct task_row r;
	err e;

	while (l->match_n < MATCHES) {
		arena_reset(a);
		TRY(json_parse(a, l->d->labels, &small, NULL, &labels));
		e = store_task_selector(l->c->lane->conn, l->d->o.project, at,
		    a, &r);
		if (err_is(e, E_NOT_FOUND))
			return OK;
		TRY(e);
		memcpy(at, r.selector, sizeof at);
		TRY(task_job(l->c->lane, &r, a, &job));
		if (selected(&job, labels))
			TRY(consider(l, at));
	}
	return OK;
}

/* Of the run that has least out; of one run, the oldest. */
static struct match *
fairest(struct leasing *l)
{
	struct match *best = NULL;

	for (size_t i = 0; i < l->match_n; i++)
		if (!l->match[i].taken &&
		    (best == NULL || l->match[i].busy < best->busy))
			best = &l->match[i];
	return best;
}

/* ---- giving ---- */

/* What cannot be given to anybody as it is ends, and the run hears why. */
static err
refuse(struct leasing *l, struct task_row *r, err why, struct arena *a)
{
	struct task_end e = {.outcome = TASK_FAILED,
	    .code = str_c(err_name(why)),
	    .now = l->c->now};

	return task_over(l->c->lane, r, &e, a);
}

static void
render(struct leasing *l, const struct task_row *r, const struct buf *sealed)
{
	char id[UUID_TEXT + 1];

	uuid_text(&r->id, id);
	jw_obj(l->w);
	jw_ki64(l->w, "fence", (int64_t)r->fence);
	jw_name(l->w, STR("sealed"));
	jw_b64(l->w, buf_view(sealed));
	jw_kstr(l->w, "task", str_of(id, UUID_TEXT));
	jw_obj_end(l->w);
}

static bool
for_good(err e)
{
	return err_is(e, E_NOT_FOUND) || err_is(e, E_CONNECTOR) ||
	    err_is(e, E_SECRET) || err_is(e, E_INVALID) ||
	    err_is(e, E_TOO_LARGE);
}

static err
give(struct leasing *l, const struct uuid *id, struct arena *a)
{
	struct call *c = l->c;
	struct task_row r;
	struct buf sealed;
	err e;

	TRY(store_task_get(c->lane->conn, id, a, &r));
	r.delegate = l->d->o.id;
	r.fence++;
	buf_init_on(&sealed, a, LIM_TASK);
	e = envelope_build(c->lane, &r, l->d, c->now, a, &c->trail, &sealed);
	if (err_is(e, E_UNAVAILABLE)) {
		writer_sign_soon(c->lane->writer);
		return OK;
	}
	if (for_good(e)) {
		c->dirty = true;
		return refuse(l, &r, e, a);
	}
	TRY(e);
	r.state = TASK_LEASED;
	r.until = c->now + LIM_LEASE_MS;
	r.changed = c->now;
	c->dirty = true;
	TRY(store_task_update(c->lane->conn, &r));
	render(l, &r, &sealed);
	call_touch(c, "task", &r.id);
	l->given++;
	return OK;
}

static err
give_all(struct leasing *l, struct arena *a)
{
	int64_t room = (int64_t)l->d->max_tasks - (int64_t)l->held;
	struct match *m;

	room = room < l->capacity ? room : l->capacity;
	room = room < GIVEN ? room : GIVEN;
	if (room <= 0 || world_frozen(call_world(l->c), l->d->o.project))
		return OK;
	TRY(look(l, a));
	while ((int64_t)l->given < room && l->c->out.n < GIVEN_BYTES &&
	    (m = fairest(l)) != NULL) {
		size_t before = l->given;

		arena_reset(a);
		TRY(give(l, &m->id, a));
		m->taken = true;
		for (size_t i = 0; i < l->match_n; i++)
			if (uuid_eq(&l->match[i].run, &m->run))
				l->match[i].busy += l->given - before;
	}
	return OK;
}

/* ---- the answer ---- */

static err
checkpoint_json(struct leasing *l)
{
	struct call *c = l->c;
	struct str note;
	uint64_t size;

	TRY(store_checkpoint_get(c->lane->conn, 0, c->a, &size, &note));
	jw_kstr(l->w, "checkpoint", note);
	return delegate_consistency_json(c, l->w, l->seen, size);
}

static err
answer_rest(struct leasing *l)
{
	jw_karr(l->w, "cancel");
	for (size_t i = 0; i < l->cancel_n; i++) {
		char id[UUID_TEXT + 1];

		uuid_text(&l->cancel[i], id);
		jw_str(l->w, str_of(id, UUID_TEXT));
	}
	jw_arr_end(l->w);
	jw_kbool(l->w, "frozen",
	    world_frozen(call_world(l->c), l->d->o.project));
	if (l->given > 0)
		TRY(checkpoint_json(l));
	jw_obj_end(l->w);
	return buf_check(&l->c->out);
}

static bool
waits(const struct leasing *l)
{
	struct call *c = l->c;

	if (l->given > 0 || l->cancel_n > 0 || c->x == NULL ||
	    exchange_gone(c->x) || atomic_load(&c->lane->state->draining))
		return false;
	return c->now < c->park_until && c->parks < LIM_PARKS;
}

err
route_delegate_lease(struct call *c)
{
	struct leasing *l = ARENA_NEW(c->a, struct leasing);
	struct arena a;
	err e;

	TRY(arena_check(c->a));
	l->c = c;
	TRY(delegate_self(c, &l->d));
	TRY(read_question(c, l));
	if (c->parks == 0) {
		writer_unpark(c->lane->writer, &c->actor->id);
		c->park_until = c->now + l->wait_ms;
	}
	if (c->x != NULL && exchange_gone(c->x))
		l->capacity = 0; /* nobody would get it */
	TRY(review(l));
	l->w = answer(c, 200);
	jw_obj(l->w);
	jw_karr(l->w, "tasks");
	arena_init(&a, (size_t)8 * LIM_TASK);
	e = give_all(l, &a);
	arena_done(&a);
	TRY(e);
	jw_arr_end(l->w);
	c->rec.skip = l->given == 0;
	c->park = waits(l);
	return answer_rest(l);
}
