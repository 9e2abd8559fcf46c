/* shredder.c: see shredder.h. */
#include "flow/shredder.h"

#include <time.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"

enum { FIRST_S = 20, EVERY_S = 600 };

struct shredder {
	struct state *st;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t more;
	atomic_bool stop;
	bool wanted, busy;
	int64_t last;
};

/* Until it is time, or somebody wants one; false: it stops. */
static bool
rest(struct shredder *s, unsigned seconds)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += seconds;
	(void)pthread_mutex_lock(&s->lock);
	s->busy = false;
	while (!s->wanted && !atomic_load(&s->stop))
		if (pthread_cond_timedwait(&s->more, &s->lock, &until) != 0)
			break;
	s->wanted = false;
	s->busy = true;
	(void)pthread_mutex_unlock(&s->lock);
	return !atomic_load(&s->stop);
}

static void *
work(void *arg)
{
	struct shredder *s = arg;
	const struct rotation by = {.st = s->st,
	    .stop = &s->stop,
	    .by = "policy"};
	unsigned wait = FIRST_S;

	while (rest(s, wait)) {
		struct shredded did;
		struct trail t = {.detail = ""};
		err e = shred_run(&by, time_now_ms(), &t, &did);

		wait = EVERY_S;
		if (!err_ok(e) && !atomic_load(&s->stop))
			log_event(LOG_STORE, KVE("error", e),
			    KVC("at", "retention"));
		(void)pthread_mutex_lock(&s->lock);
		s->last = time_now_ms();
		(void)pthread_mutex_unlock(&s->lock);
	}
	return NULL;
}

void
shredder_wake(struct shredder *s)
{
	if (s == NULL)
		return;
	(void)pthread_mutex_lock(&s->lock);
	s->wanted = true;
	(void)pthread_cond_signal(&s->more);
	(void)pthread_mutex_unlock(&s->lock);
}

int64_t
shredder_last(struct shredder *s, bool *ret_busy)
{
	int64_t last;

	*ret_busy = false;
	if (s == NULL)
		return 0;
	(void)pthread_mutex_lock(&s->lock);
	last = s->last;
	*ret_busy = s->busy || s->wanted;
	(void)pthread_mutex_unlock(&s->lock);
	return last;
}

err
shredder_start(struct state *st, struct shredder **ret)
{
	struct shredder *s = mem_new(1, sizeof *s);

	if (s == NULL)
		return err_of(E_NO_MEMORY);
	s->st = st;
	(void)pthread_mutex_init(&s->lock, NULL);
	(void)pthread_cond_init(&s->more, NULL);
	if (pthread_create(&s->thread, NULL, work, s) != 0) {
		mem_free(s);
		return err_of(E_NO_MEMORY);
	}
	*ret = s;
	return OK;
}

void
shredder_end(struct shredder *s)
{
	if (s == NULL)
		return;
	(void)pthread_mutex_lock(&s->lock);
	atomic_store(&s->stop, true);
	(void)pthread_cond_signal(&s->more);
	(void)pthread_mutex_unlock(&s->lock);
	(void)pthread_join(s->thread, NULL);
}

struct shredder *
shredder_free(struct shredder *s)
{
	mem_free(s);
	return NULL;
}
