/* readers.c: see readers.h. */
#include "flow/readers.h"

#include "base/limits.h"
#include "base/mem.h"
#include "flow/line.h"
#include "flow/streams.h"

enum { READERS_MAX = 16 };

struct reader {
	pthread_t thread;
	struct lane lane;
	struct readers *all;
	unsigned poked;
};

struct readers {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct call *first, **last;
	unsigned queued, queue; /* waiting, and at most */
	unsigned pokes;
	bool stop;
	unsigned n;
	struct reader reader[READERS_MAX];
};

/* Until there is something to do; looks at its lane when it is poked. */
static void
rest(struct reader *me)
{
	struct readers *r = me->all;

	if (me->poked == r->pokes) {
		(void)pthread_cond_wait(&r->more, &r->lock);
		return;
	}
	me->poked = r->pokes;
	(void)pthread_mutex_unlock(&r->lock);
	lane_refresh(&me->lane);
	(void)pthread_mutex_lock(&r->lock);
}

static struct call *
take(struct reader *me)
{
	struct readers *r = me->all;
	struct call *c;

	(void)pthread_mutex_lock(&r->lock);
	while (r->first == NULL && !r->stop)
		rest(me);
	c = r->first;
	if (c != NULL) {
		r->first = c->next;
		if (r->first == NULL)
			r->last = &r->first;
		r->queued--;
	}
	(void)pthread_mutex_unlock(&r->lock);
	return c;
}

static void *
work(void *arg)
{
	struct reader *me = arg;
	struct call *c;

	while ((c = take(me)) != NULL) {
		c->next = NULL;
		if (c->handled)
			streams_export(&me->lane, c);
		else if (c->route->lane == ROUTE_SLOW ||
		    c->route->lane == ROUTE_HASH)
			line_slow(&me->lane, c);
		else
			line_read(&me->lane, c);
	}
	return NULL;
}

bool
readers_submit(struct readers *r, struct call *c)
{
	bool room;

	c->next = NULL;
	(void)pthread_mutex_lock(&r->lock);
	room = r->queued < r->queue && !r->stop;
	if (room) {
		*r->last = c;
		r->last = &c->next;
		r->queued++;
		(void)pthread_cond_signal(&r->more);
	}
	(void)pthread_mutex_unlock(&r->lock);
	return room;
}

void
readers_poke(struct readers *r)
{
	if (r == NULL)
		return;
	(void)pthread_mutex_lock(&r->lock);
	r->pokes++;
	(void)pthread_cond_broadcast(&r->more);
	(void)pthread_mutex_unlock(&r->lock);
}

struct readers *
readers_stop(struct readers *r)
{
	if (r == NULL)
		return NULL;
	(void)pthread_mutex_lock(&r->lock);
	r->stop = true;
	(void)pthread_cond_broadcast(&r->more);
	(void)pthread_mutex_unlock(&r->lock);
	for (unsigned i = 0; i < r->n; i++) {
		(void)pthread_join(r->reader[i].thread, NULL);
		lane_close(&r->reader[i].lane);
	}
	mem_free(r);
	return NULL;
}

err
readers_start(struct state *st, unsigned threads, unsigned queue,
    struct readers **ret)
{
	struct readers *r = mem_new(1, sizeof *r);
	err e = OK;

	if (r == NULL)
		return err_of(E_NO_MEMORY);
	(void)pthread_mutex_init(&r->lock, NULL);
	(void)pthread_cond_init(&r->more, NULL);
	r->last = &r->first;
	r->queue = queue;
	if (threads > READERS_MAX)
		threads = READERS_MAX;
	while (r->n < threads && err_ok(e)) {
		struct reader *me = &r->reader[r->n];

		me->all = r;
		e = lane_open(st, LANE_READER, r->n, &me->lane);
		if (!err_ok(e))
			break;
		if (pthread_create(&me->thread, NULL, work, me) != 0) {
			lane_close(&me->lane);
			e = err_of(E_NO_MEMORY);
			break;
		}
		r->n++;
	}
	if (!err_ok(e)) {
		(void)readers_stop(r);
		return e;
	}
	*ret = r;
	return OK;
}
