/* One thread: its epoll, its connections, its timers and its mailbox. */
#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/time.h"
#include "wire/conn.h"

enum { EVENTS = 256, BACKLOG = 4096 };

static _Thread_local struct reactor *mine;

void
reactor_enter(struct reactor *r)
{
	mine = r;
}

bool
reactor_is_mine(const struct reactor *r)
{
	return mine == r;
}

/* ---- timers ---- */

static void
timer_clear(struct timer *t)
{
	if (t->list == T_NONE)
		return;
	t->prev->next = t->next;
	t->next->prev = t->prev;
	t->list = T_NONE;
}

void
timer_set(struct reactor *r, struct timer *t, enum timer_list list)
{
	struct timer *head = &r->timers[list];

	timer_clear(t);
	if (list == T_NONE)
		return;
	t->list = (uint8_t)list;
	t->at_us = r->now_us + r->period_us[list];
	t->next = head;
	t->prev = head->prev;
	head->prev->next = t;
	head->prev = t;
}

static void
timer_fire(struct timer *t)
{
	enum timer_list list = t->list;
	char *p = (char *)t;

	timer_clear(t);
	if (t->owner == TIMER_CONN)
		conn_timeout((void *)(p - offsetof(struct conn, timer)), list);
	else
		h2_timeout((void *)(p - offsetof(struct exchange, timer)),
		    list);
}

static void
timers_run(struct reactor *r)
{
	for (unsigned i = T_NONE + 1; i < T_MAX_; i++) {
		struct timer *head = &r->timers[i];

		while (head->next != head && head->next->at_us <= r->now_us)
			timer_fire(head->next);
	}
}

static int
timers_wait_ms(const struct reactor *r)
{
	int64_t until = r->tick_us;

	for (unsigned i = T_NONE + 1; i < T_MAX_; i++) {
		const struct timer *head = &r->timers[i];

		if (head->next != head && head->next->at_us < until)
			until = head->next->at_us;
	}
	if (until <= r->now_us)
		return 0;
	return (int)((until - r->now_us + 999) / 1000);
}

/* ---- the clock, and the date in every answer (RFC 9110 5.6.7) ---- */

static void
date_text(int64_t s, char ret[32])
{
	static const char days[] = "ThuFriSatSunMonTueWed";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char iso[TIME_TEXT + 1];
	int64_t day = s / 86400;
	int month;

	time_text(s * 1000, iso);
	month = (iso[5] - '0') * 10 + iso[6] - '0' - 1;
	snprintf(ret, 32, "%.3s, %.2s %.3s %.4s %.8s GMT", days + day % 7 * 3,
	    iso + 8, months + month * 3, iso, iso + 11);
}

void
reactor_clock(struct reactor *r)
{
	int64_t ms;

	r->now_us = time_mono_us();
	if (r->now_us < r->date_us)
		return;
	ms = time_now_ms();
	date_text(ms / 1000, r->date);
	r->date_us = r->now_us + (1000 - ms % 1000) * 1000;
}

/* ---- accepting ---- */

static struct reactor *
least_busy(struct reactor *r)
{
	struct reactor *best = r;
	unsigned least = atomic_load(&r->open);

	for (unsigned i = 0; i < r->w->reactors_n; i++) {
		unsigned open = atomic_load(&r->w->reactors[i].open);

		if (open < least) {
			least = open;
			best = &r->w->reactors[i];
		}
	}
	return best;
}

static unsigned
open_all(const struct wire *w)
{
	unsigned n = 0;

	for (unsigned i = 0; i < w->reactors_n; i++)
		n += atomic_load(&w->reactors[i].open);
	return n;
}

static void
listeners_arm(struct reactor *r, bool on)
{
	for (size_t i = 0; i < r->w->config.listen_n; i++) {
		struct source *s = &r->listen[i];
		struct epoll_event ev = {.events = EPOLLIN | EPOLLEXCLUSIVE,
		    .data.ptr = s};

		if (s->armed == on)
			continue;
		if (epoll_ctl(r->epoll, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL,
			s->fd, &ev) == 0)
			s->armed = on;
	}
}

/* A connection of our own, or one another reactor has accepted for us. */
static void
adopt(struct reactor *r, struct conn *c)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = &c->source};

	c->r = r;
	c->next = r->conns;
	if (r->conns != NULL)
		r->conns->prev = c;
	r->conns = c;
	c->events = EPOLLIN;
	timer_set(r, &c->timer, T_HEAD);
	if (!tls_accept(c) ||
	    epoll_ctl(r->epoll, EPOLL_CTL_ADD, c->source.fd, &ev) != 0)
		conn_close(c);
	else if (r->drain_us != 0)
		conn_drain(c);
}

static void
hand_over(struct reactor *to, struct conn *c)
{
	struct conn *old = atomic_load(&to->arrivals);

	do {
		c->next = old;
	} while (!atomic_compare_exchange_weak(&to->arrivals, &old, c));
	reactor_wake(to);
}

static void
arrivals_take(struct reactor *r)
{
	struct conn *c = atomic_exchange(&r->arrivals, NULL), *next;

	for (; c != NULL; c = next) {
		next = c->next;
		c->next = NULL;
		adopt(r, c);
	}
}

/*
 * One connection at a time; it goes to the reactor that has the fewest, so
 * shares are even whoever the kernel wakes.  false: nothing more to accept.
 */
static bool
accept_one(struct reactor *r, struct source *s)
{
	struct sockaddr_storage sa = {0};
	socklen_t sa_n = sizeof sa;
	struct reactor *to;
	struct conn *c;
	int fd = accept4(s->fd, (struct sockaddr *)&sa, &sa_n,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0) {
		/* out of descriptors: look again at the next tick */
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
		    errno == ENOBUFS)
			listeners_arm(r, false);
		return errno == ECONNABORTED || errno == EINTR;
	}
	COUNT(r, accepted);
	c = open_all(r->w) >= LIM_CONNECTIONS ? NULL
					      : conn_new(r, fd, &transport_tls);
	if (c == NULL) {
		COUNT(r, refused);
		close(fd);
		return true;
	}
	conn_address(c, &sa);
	c->source.index = s->index;
	/* at the end another reactor may be gone already */
	to = atomic_load(&r->w->draining) ? r : least_busy(r);
	atomic_fetch_add(&to->open, 1);
	if (to == r)
		adopt(r, c);
	else
		hand_over(to, c);
	return true;
}

/* ---- the mailbox ---- */

/*
 * The sender of the first letter to a sleeping reactor wakes it; all others
 * find it awake.  The flag is set before the reactor looks into the box for
 * the last time, so either it sees the letter or the sender sees the flag.
 */
void
reactor_wake(struct reactor *r)
{
	uint64_t one = 1;

	if (!atomic_load(&r->sleeping) || !atomic_exchange(&r->sleeping, false))
		return;
	while (write(r->mail_source.fd, &one, sizeof one) < 0 && errno == EINTR)
		;
}

void
exchange_mail(struct exchange *x, unsigned mail)
{
	struct reactor *r = x->r;
	struct exchange *old;

	if (atomic_fetch_or(&x->mail, mail) != 0)
		return; /* in the box already */
	old = atomic_load(&r->mail);
	do {
		x->mail_next = old;
	} while (!atomic_compare_exchange_weak(&r->mail, &old, x));
	if (!reactor_is_mine(r))
		reactor_wake(r);
}

static void
letter(struct exchange *x, unsigned mail)
{
	if ((mail & MAIL_REPLY) != 0) {
		exchange_answer(x);
		return;
	}
	exchange_letter(x, mail);
}

static void
mail_take(struct reactor *r)
{
	struct exchange *x = atomic_exchange(&r->mail, NULL), *list = NULL;

	while (x != NULL) { /* oldest first */
		struct exchange *next = x->mail_next;

		x->mail_next = list;
		list = x;
		x = next;
	}
	while (list != NULL) {
		x = list;
		list = x->mail_next;
		/* from here on x may be posted again */
		letter(x, atomic_exchange(&x->mail, 0));
	}
}

static void
work(struct reactor *r)
{
	struct conn *c = r->dirty;

	r->dirty = r->dirty_last = NULL;
	while (c != NULL) {
		struct conn *next = c->dirty_next;

		c->dirty_next = NULL;
		c->is_dirty = false;
		conn_work(c);
		c = next;
	}
}

/* Free the dead, but for those the list of the dirty still names. */
static void
bury(struct reactor *r)
{
	struct conn **at = &r->dead;

	while (*at != NULL) {
		struct conn *c = *at;

		if (c->is_dirty) {
			at = &c->next;
			continue;
		}
		*at = c->next;
		conn_free(c);
	}
}

void
reactor_settle(struct reactor *r)
{
	mail_take(r);
	work(r);
	timers_run(r);
	bury(r);
}

/* ---- the end ---- */

static void
drain_begin(struct reactor *r)
{
	struct conn *c, *next;

	/* what the kernel has accepted for us is served, not reset */
	for (size_t i = 0; i < r->w->config.listen_n; i++) {
		int left = BACKLOG;

		while (left-- > 0 && accept_one(r, &r->listen[i]))
			;
	}
	listeners_arm(r, false);
	r->drain_us = r->now_us + r->w->config.times.drain_ms * 1000LL;
	for (c = r->conns; c != NULL; c = next) {
		next = c->next;
		conn_drain(c);
	}
}

/* true: this reactor has nothing left to do. */
static bool
drained(struct reactor *r)
{
	if (!atomic_load(&r->w->draining))
		return false;
	if (r->drain_us == 0)
		drain_begin(r);
	if (r->now_us >= r->drain_us)
		return true;
	return r->conns == NULL && r->dirty == NULL && r->orphans == NULL &&
	    atomic_load(&r->arrivals) == NULL && atomic_load(&r->mail) == NULL;
}

/* ---- the loop ---- */

static void
tick(struct reactor *r)
{
	if (r->now_us < r->tick_us)
		return;
	r->tick_us = r->now_us + TICK_US;
	if (r->drain_us == 0)
		listeners_arm(r, true);
	if (r->w->hooks.tick != NULL)
		r->w->hooks.tick(r->w->hooks.ctx, r->index);
}

static void
dispatch(struct reactor *r, const struct epoll_event *ev)
{
	struct source *s = ev->data.ptr;
	uint64_t n;

	switch (s->kind) {
	case SOURCE_CONN:
		conn_event((struct conn *)s, ev->events);
		break;
	case SOURCE_LISTEN:
		accept_one(r, s);
		break;
	case SOURCE_MAIL:
		while (read(s->fd, &n, sizeof n) < 0 && errno == EINTR)
			;
		break;
	}
}

static int
sleep_ms(struct reactor *r)
{
	if (r->dirty != NULL)
		return 0;
	atomic_store(&r->sleeping, true);
	if (atomic_load(&r->mail) != NULL ||
	    atomic_load(&r->arrivals) != NULL) {
		atomic_store(&r->sleeping, false);
		return 0;
	}
	return timers_wait_ms(r);
}

void *
reactor_main(void *arg)
{
	struct reactor *r = arg;
	struct epoll_event ev[EVENTS];

	reactor_enter(r);
	reactor_clock(r);
	r->tick_us = r->now_us;
	if (r->w->hooks.thread != NULL)
		r->w->hooks.thread(r->w->hooks.ctx, r->index);
	while (!drained(r)) {
		int n;

		if (r->w->hooks.turned != NULL)
			r->w->hooks.turned(r->w->hooks.ctx, r->index);
		n = epoll_wait(r->epoll, ev, EVENTS, sleep_ms(r));
		atomic_store(&r->sleeping, false);
		reactor_clock(r);
		for (int i = 0; i < n; i++)
			dispatch(r, &ev[i]);
		arrivals_take(r);
		reactor_settle(r);
		tick(r);
	}
	while (r->conns != NULL)
		conn_close(r->conns);
	reactor_enter(NULL);
	return NULL;
}

void
reactor_arm(struct conn *c, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = &c->source};

	if (c->events == events || c->source.fd < 0)
		return;
	if (epoll_ctl(c->r->epoll, EPOLL_CTL_MOD, c->source.fd, &ev) == 0)
		c->events = events;
}

static void
periods(struct reactor *r)
{
	const struct wire_times *t = &r->w->config.times;

	r->period_us[T_HEAD] = t->head_ms * 1000LL;
	r->period_us[T_BODY] = t->body_ms * 1000LL;
	r->period_us[T_IDLE] = t->idle_ms * 1000LL;
	r->period_us[T_STALL] = t->stall_ms * 1000LL;
	r->period_us[T_LINGER] = LINGER_MS * 1000LL;
	r->period_us[T_NOTICE] = NOTICE_MS * 1000LL;
	for (unsigned i = 0; i < T_MAX_; i++)
		r->timers[i].prev = r->timers[i].next = &r->timers[i];
}

/* All descriptors are made here: later the process may make none. */
err
reactor_init(struct reactor *r, struct wire *w, unsigned index)
{
	struct epoll_event ev = {.events = EPOLLIN};

	r->w = w;
	r->index = index;
	periods(r);
	r->epoll = epoll_create1(EPOLL_CLOEXEC);
	r->mail_source.kind = SOURCE_MAIL;
	r->mail_source.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r->scratch = mem_new(1, RECORD);
	if (r->scratch == NULL)
		return err_of(E_NO_MEMORY);
	ev.data.ptr = &r->mail_source;
	if (r->epoll < 0 || r->mail_source.fd < 0 ||
	    epoll_ctl(r->epoll, EPOLL_CTL_ADD, r->mail_source.fd, &ev) != 0)
		return err_of(E_UNAVAILABLE);
	for (size_t i = 0; i < w->config.listen_n; i++)
		r->listen[i] = (struct source){.kind = SOURCE_LISTEN,
		    .fd = w->config.listen[i],
		    .index = (unsigned)i};
	return OK;
}

static void
exchanges_destroy(struct exchange *x)
{
	while (x != NULL) {
		struct exchange *next = x->next;

		exchange_destroy(x);
		x = next;
	}
}

/* Its thread has ended and nobody holds an exchange any more. */
void
reactor_done(struct reactor *r)
{
	struct conn *c = atomic_load(&r->arrivals), *next;

	for (; c != NULL; c = next) {
		next = c->next;
		close(c->source.fd);
		conn_free(c);
	}
	while (r->conns != NULL)
		conn_close(r->conns);
	work(r); /* forgets the dirty */
	bury(r);
	exchanges_destroy(r->orphans);
	exchanges_destroy(r->pool);
	mem_free(r->scratch);
	mem_free(r->spare.p);
	if (r->epoll >= 0)
		close(r->epoll);
	if (r->mail_source.fd >= 0)
		close(r->mail_source.fd);
}
