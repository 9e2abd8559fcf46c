/*
 * broker_main.c: the process.  One thread takes what the agent asks and what
 * scripts connect; each call and each connection has a thread of its own,
 * within bounds; one more thread tells the agent what has become of them, so
 * that nobody waits for an agent that does not listen.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "confine/confine.h"
#include "delegate/broker_inner.h"

enum {
	STACK = 256 * 1024,
	RELAY_ARENA = 4 * 1024 * 1024,
	LONGEST_MS = 86400 * 1000, /* of a call */
};

struct job {
	struct job *next;
	bool stop;
	struct buf frame; /* the message's texts lie in it */
	struct message m;
};

struct saying {
	struct saying *next;
	struct buf frame;
};

struct visit {
	struct relay *r;
	int fd;
};

static struct broker_world *world;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* all of below */
static pthread_cond_t said = PTHREAD_COND_INITIALIZER;
static pthread_cond_t heard = PTHREAD_COND_INITIALIZER;
static struct saying *first_saying, **last_saying = &first_saying;
static size_t saying_bytes;
static struct job *jobs;
static size_t jobs_n;
static struct relay *relays;
static size_t relays_n, visits_n;
/* The thread that hears the agent: it must never wait for it. */
static _Thread_local bool is_first;

/* ---- saying ---- */

void
broker_say(const struct broker_event *e)
{
	struct saying *s = mem_new(1, sizeof *s);

	BUG_ON(s == NULL);
	buf_init(&s->frame, LIM_BROKER_FRAME);
	/* At once: values are not left behind in smaller copies. */
	(void)buf_room(&s->frame,
	    256 + e->host.n + e->address.n + e->detail.n + e->outputs.n +
		e->value.n);
	event_write(&s->frame, e);
	BUG_ON(s->frame.failed);
	(void)pthread_mutex_lock(&lock);
	while (!is_first && saying_bytes > LIM_BROKER_QUEUE)
		(void)pthread_cond_wait(&heard, &lock);
	saying_bytes += s->frame.n;
	*last_saying = s;
	last_saying = &s->next;
	(void)pthread_cond_signal(&said);
	(void)pthread_mutex_unlock(&lock);
}

static struct saying *
saying_take(void)
{
	struct saying *s;

	(void)pthread_mutex_lock(&lock);
	while (first_saying == NULL)
		(void)pthread_cond_wait(&said, &lock);
	s = first_saying;
	first_saying = s->next;
	if (first_saying == NULL)
		last_saying = &first_saying;
	saying_bytes -= s->frame.n;
	(void)pthread_cond_broadcast(&heard);
	(void)pthread_mutex_unlock(&lock);
	return s;
}

static void *
tell(void *arg)
{
	(void)arg;
	for (;;) {
		struct saying *s = saying_take();
		err e = frame_send(world->control, buf_view(&s->frame), -1);

		buf_forget(&s->frame);
		mem_free(s);
		if (!err_ok(e))
			_exit(0); /* the agent is gone */
	}
}

static bool
thread_start(void *(*run)(void *), void *arg)
{
	pthread_attr_t a;
	pthread_t t;
	bool good;

	(void)pthread_attr_init(&a);
	(void)pthread_attr_setstacksize(&a, STACK);
	(void)pthread_attr_setdetachstate(&a, PTHREAD_CREATE_DETACHED);
	good = pthread_create(&t, &a, run, arg) == 0;
	(void)pthread_attr_destroy(&a);
	return good;
}

/* ---- calls ---- */

static void
job_free(struct job *j)
{
	buf_forget(&j->frame);
	mem_free(j);
}

static void
job_gone(struct job *j)
{
	(void)pthread_mutex_lock(&lock);
	for (struct job **at = &jobs; *at != NULL; at = &(*at)->next)
		if (*at == j) {
			*at = j->next;
			jobs_n--;
			break;
		}
	(void)pthread_mutex_unlock(&lock);
	job_free(j);
}

static void *
job_run(void *arg)
{
	struct job *j = arg;
	bool http = j->m.op == OP_HTTP;
	struct broker_event ev = {.id = j->m.id,
	    .what = http ? BROKER_ANSWER : BROKER_VALUE};
	struct arena a;
	struct call k = {.world = world,
	    .ask = &j->m.ask,
	    .stop = &j->stop,
	    .a = &a,
	    .ev = &ev,
	    .until_us = time_mono_us()};
	struct buf out;

	k.until_us += 1000 *
	    (j->m.ask.ms < LONGEST_MS ? j->m.ask.ms : (int64_t)LONGEST_MS);
	arena_init(&a, CALL_ARENA);
	_Static_assert((int)ACTION_OUTPUTS >= (int)BROKER_SECRET_MAX,
	    "either fits");
	buf_init(&out, ACTION_OUTPUTS);
	(void)buf_room(&out, out.max);
	if (http)
		call_http(&k, &out);
	else
		call_secret(&k, &out);
	if (ev.end == BROKER_OK && http)
		ev.outputs = buf_view(&out);
	else if (ev.end == BROKER_OK)
		ev.value = buf_view(&out);
	if (arena_check(&a).code != E_OK)
		ev.detail = STR_NONE;
	broker_say(&ev);
	arena_done(&a);
	buf_forget(&out);
	job_gone(j);
	return NULL;
}

/* ev of an ask that is not even begun. */
static void
refused(const struct message *m, enum broker_end e)
{
	struct broker_event ev = {.id = m->id,
	    .end = e,
	    .what = m->op == OP_HTTP ? BROKER_ANSWER
		: m->op == OP_SECRET ? BROKER_VALUE
				     : BROKER_RELAY_ENDED};

	broker_say(&ev);
}

static void
job_start(struct job *j)
{
	bool room;

	(void)pthread_mutex_lock(&lock);
	room = jobs_n < LIM_BROKER_CALLS;
	if (room) {
		j->next = jobs;
		jobs = j;
		jobs_n++;
	}
	(void)pthread_mutex_unlock(&lock);
	if (room && thread_start(job_run, j))
		return;
	refused(&j->m, BROKER_LIMIT);
	if (room)
		job_gone(j);
	else
		job_free(j);
}

/* ---- relays ---- */

static void
relay_ended(struct relay *r)
{
	struct broker_event ev = {.what = BROKER_RELAY_ENDED,
	    .id = r->id,
	    .up = r->up,
	    .down = r->down};

	broker_say(&ev);
	buf_forget(&r->secrets);
	arena_done(&r->a);
	mem_free(r);
}

/* Who lets go last ends it. */
static void
relay_drop(struct relay *r, bool visit)
{
	bool last;

	(void)pthread_mutex_lock(&lock);
	last = --r->refs == 0;
	if (visit) {
		r->connections--;
		visits_n--;
	}
	(void)pthread_mutex_unlock(&lock);
	if (last)
		relay_ended(r);
}

/* What is injected, in memory that is wiped. */
static bool
relay_secrets(struct relay *r, const struct message *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->documents_n; i++)
		n += m->secrets[i].n;
	buf_init(&r->secrets, n);
	if (n > 0 && !buf_room(&r->secrets, n))
		return false;
	for (size_t i = 0; i < m->documents_n; i++) {
		size_t at = r->secrets.n;

		if (m->secrets[i].n == 0)
			continue;
		buf_str(&r->secrets, m->secrets[i]);
		r->secret[i] = str_of(r->secrets.p + at, m->secrets[i].n);
	}
	return true;
}

static enum broker_end
relay_open(struct relay *r, const struct message *m)
{
	for (size_t i = 0; i < m->documents_n; i++) {
		struct str text = arena_dup(&r->a, m->documents[i]);
		enum broker_end e;

		if (text.p == NULL)
			return BROKER_LIMIT;
		e = document_open(&r->a, text, &r->c[i]);
		if (e != BROKER_OK)
			return e;
		if (r->c[i].egress == CONNECTOR_EGRESS_NONE)
			return BROKER_DOCUMENT;
		r->document[i] = text;
		r->c_n++;
	}
	return relay_secrets(r, m) ? BROKER_OK : BROKER_LIMIT;
}

static void
relay_start(const struct message *m, int listener)
{
	struct relay *r = mem_new(1, sizeof *r);
	enum broker_end e = BROKER_LIMIT;

	if (r != NULL) {
		arena_init(&r->a, RELAY_ARENA);
		*r = (struct relay){.id = m->id,
		    .listener = listener,
		    .refs = 1,
		    .a = r->a,
		    .world = world};
		e = listener < 0 || relays_n >= LIM_BROKER_RELAYS
		    ? BROKER_LIMIT
		    : relay_open(r, m);
	}
	if (e == BROKER_OK) {
		r->next = relays;
		relays = r;
		relays_n++;
		return;
	}
	refused(m, e);
	if (listener >= 0)
		(void)close(listener);
	if (r != NULL) {
		buf_forget(&r->secrets);
		arena_done(&r->a);
	}
	mem_free(r);
}

static void *
visit_run(void *arg)
{
	struct visit *v = arg;
	struct relay *r = v->r;
	int fd = v->fd;

	mem_free(v);
	relay_serve(r, fd);
	relay_drop(r, true);
	return NULL;
}

static bool
visit_allowed(struct relay *r)
{
	bool good;

	(void)pthread_mutex_lock(&lock);
	good =
	    r->connections < LIM_RELAY_CONNECTIONS && visits_n < LIM_RELAY_ALL;
	if (good) {
		r->connections++;
		r->refs++;
		visits_n++;
	}
	(void)pthread_mutex_unlock(&lock);
	return good;
}

static void
visit_start(struct relay *r)
{
	int fd = accept4(r->listener, NULL, NULL, SOCK_CLOEXEC);
	struct visit *v;

	if (fd < 0)
		return;
	if (!visit_allowed(r)) {
		relay_refuse(r, fd, BROKER_CONNECTIONS);
		return;
	}
	v = mem_new(1, sizeof *v);
	if (v != NULL) {
		*v = (struct visit){r, fd};
		if (thread_start(visit_run, v))
			return;
		mem_free(v);
	}
	relay_refuse(r, fd, BROKER_LIMIT);
	relay_drop(r, true);
}

/* ---- what the agent says ---- */

static void
cancel(uint64_t id)
{
	(void)pthread_mutex_lock(&lock);
	for (struct job *j = jobs; j != NULL; j = j->next)
		if (j->m.id == id)
			__atomic_store_n(&j->stop, true, __ATOMIC_RELAXED);
	(void)pthread_mutex_unlock(&lock);
	for (struct relay **at = &relays; *at != NULL; at = &(*at)->next) {
		struct relay *r = *at;

		if (r->id != id)
			continue;
		__atomic_store_n(&r->stop, true, __ATOMIC_RELAXED);
		*at = r->next;
		relays_n--;
		(void)close(r->listener); /* before anybody is told */
		relay_drop(r, false);
		return;
	}
}

/* Takes over j. */
static void
message(struct job *j, int fd)
{
	switch (j->m.op) {
	case OP_HTTP:
	case OP_SECRET:
		job_start(j);
		return;
	case OP_RELAY:
		relay_start(&j->m, fd);
		break;
	case OP_CANCEL:
		cancel(j->m.id);
		break;
	}
	job_free(j);
}

static void
agent_heard(void)
{
	struct job *j = mem_new(1, sizeof *j);
	int fd;

	BUG_ON(j == NULL);
	buf_init(&j->frame, LIM_BROKER_FRAME);
	if (!err_ok(frame_recv(world->control, &j->frame, &fd)))
		_exit(0);
	BUG_ON(!message_read(buf_view(&j->frame), &j->m));
	if (j->m.op != OP_RELAY && fd >= 0)
		(void)close(fd);
	message(j, fd);
}

/* While the agent does not listen scripts are not heard either. */
static bool
behind(void)
{
	bool is;

	(void)pthread_mutex_lock(&lock);
	is = saying_bytes > LIM_BROKER_QUEUE / 2;
	(void)pthread_mutex_unlock(&lock);
	return is;
}

enum { BEHIND_MS = 100 };

static _Noreturn void
serve(void)
{
	static struct pollfd p[LIM_BROKER_RELAYS + 1];
	static struct relay *whose[LIM_BROKER_RELAYS + 1];

	for (;;) {
		bool wait = behind();
		nfds_t n = 1;

		p[0] = (struct pollfd){world->control, POLLIN, 0};
		for (struct relay *r = relays; r != NULL && !wait;
		     r = r->next) {
			whose[n] = r;
			p[n++] = (struct pollfd){r->listener, POLLIN, 0};
		}
		if (poll(p, n, wait ? BEHIND_MS : -1) < 0 && errno != EINTR)
			_exit(1);
		for (nfds_t i = 1; i < n; i++)
			if (p[i].revents != 0)
				visit_start(whose[i]);
		if (p[0].revents != 0)
			agent_heard();
	}
}

/* ---- the beginning ---- */

static void
report(int fd, const struct trail *t, bool good)
{
	size_t n = good ? 1 : strlen(t->detail);

	(void)!write(fd, good ? "+" : t->detail, n);
	(void)close(fd);
}

_Noreturn void
broker_process(struct broker_world *w, const struct broker_conf *c, int ready)
{
	int keep[2] = {w->control, ready};
	struct confine_plan plan = {.role = CONFINE_BROKER,
	    .uid = c->uid,
	    .gid = c->gid,
	    .keep = keep,
	    .keep_n = 2,
	    .egress = true,
	    .resolver = true};
	struct trail t = {"it cannot be confined"};
	struct confinement got;
	bool good;

	world = w;
	is_first = true;
	log_role("broker");
	(void)prctl(PR_SET_NAME, "redoubt-broker", 0, 0, 0);
	good = err_ok(confine(&plan, &t, &got)) && thread_start(tell, NULL);
	report(ready, &t, good);
	if (!good)
		_exit(1);
	serve();
}
