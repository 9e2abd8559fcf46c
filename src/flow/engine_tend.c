/* engine_tend.c: time goes on: runs that wait, what happened, schedules. */
#include "base/log.h"
#include "base/time.h"
#include "flow/engine.h"
#include "flow/fire.h"
#include "flow/writer.h"

enum { PIECE_DUE = 64, AGAIN_MS = 5000 };

struct due {
	struct uuid id[PIECE_DUE];
	size_t n;
	int64_t now;
	err (*one)(struct lane *l, const struct uuid *id, int64_t now);
};

static err
one_run(struct lane *l, const struct uuid *id, int64_t now)
{
	struct engine_run *r;

	TRY(engine_open(l, id, now, &r));
	TRY(run_timer(&r->m));
	TRY(engine_settle(r));
	return engine_rest(l, now);
}

static err
all_of(struct lane *l, void *arg)
{
	const struct due *d = arg;

	for (size_t i = 0; i < d->n; i++)
		TRY(d->one(l, &d->id[i], d->now));
	return OK;
}

/* Together; what one of them breaks is its own. */
static bool
do_due(struct lane *l, struct due *d)
{
	bool good = true;

	if (d->n == 0 || err_ok(writer_run(l->writer, all_of, d)))
		return true;
	for (size_t i = 0; i < d->n; i++) {
		struct due one = {.id = {d->id[i]},
		    .n = 1,
		    .now = d->now,
		    .one = d->one};
		err e = writer_run(l->writer, all_of, &one);

		if (err_ok(e))
			continue;
		good = false;
		log_event(LOG_RUN, KVE("error", e));
	}
	return good;
}

static err
look_up(struct lane *l, int64_t now, struct due *runs, struct due *triggers)
{
	TRY(store_run_due(l->conn, now, runs->id, PIECE_DUE, &runs->n));
	return store_trigger_due(l->conn, now, triggers->id, PIECE_DUE,
	    &triggers->n);
}

void
engine_tend(struct lane *l)
{
	struct engine *e = desk_engine(l);
	int64_t now = time_now_ms();
	struct due runs = {.now = now, .one = one_run};
	struct due triggers = {.now = now, .one = fire_schedule};
	bool good = true;

	if (!e->known || e->version != l->snap->version) {
		if (!err_ok(store_run_next_due(l->conn, &e->due)))
			e->due = now + AGAIN_MS;
		e->known = true;
		e->version = l->snap->version;
	}
	if (e->due == 0 || e->due > now)
		return;
	if (!err_ok(look_up(l, now, &runs, &triggers))) {
		e->due = now + AGAIN_MS;
		return;
	}
	good = do_due(l, &runs);
	good &= do_due(l, &triggers);
	good &= fire_happenings(l, now);
	/* what could not be done is tried again, and stops nothing else */
	e->known = !good;
	e->due = now + AGAIN_MS;
}

int
engine_rest_ms(struct lane *l, int max)
{
	const struct engine *e = desk_engine(l);
	int64_t left;

	if (!e->known)
		return 0;
	if (e->due == 0)
		return max;
	left = e->due - time_now_ms();
	return left < 0 ? 0 : left < max ? (int)left : max;
}
