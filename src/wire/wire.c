/* The server as a whole: made, started, drained, freed. */
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "wire/conn.h"

/* NOTSENT: what the kernel may hold of an answer that is not on its way. */
enum { USER_TIMEOUT_MS = 30000, NOTSENT = 128 * 1024 };

static void
times_default(struct wire_times *t)
{
	if (t->head_ms == 0)
		t->head_ms = LIM_HEAD_MS;
	if (t->body_ms == 0)
		t->body_ms = LIM_BODY_MS;
	if (t->idle_ms == 0)
		t->idle_ms = LIM_IDLE_MS;
	if (t->stall_ms == 0)
		t->stall_ms = LIM_STALL_MS;
	if (t->drain_ms == 0)
		t->drain_ms = LIM_DRAIN_MS;
}

static bool
tcp_set(int fd, int option, int value)
{
	return setsockopt(fd, IPPROTO_TCP, option, &value, sizeof value) == 0;
}

/* Accepted sockets inherit these, so nothing has to be set later. */
static err
listener_prepare(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
	    !tcp_set(fd, TCP_NODELAY, 1) ||
	    !tcp_set(fd, TCP_USER_TIMEOUT, USER_TIMEOUT_MS) ||
	    !tcp_set(fd, TCP_NOTSENT_LOWAT, NOTSENT))
		return err_of(E_UNAVAILABLE);
	return OK;
}

static err
wire_prepare(struct wire *w)
{
	TRY(tls_tickets_new(&w->tickets));
	for (size_t i = 0; i < w->config.listen_n; i++)
		TRY(listener_prepare(w->config.listen[i]));
	for (unsigned i = 0; i < w->reactors_n; i++)
		TRY(reactor_init(&w->reactors[i], w, i));
	return OK;
}

err
wire_new(const struct wire_config *c, struct wire **ret)
{
	struct wire *w;
	err e;

	BUG_ON(c->reactors == 0 || c->listen_n > 8);
	w = mem_new(1, sizeof *w + c->reactors * sizeof w->reactors[0]);
	if (w == NULL)
		return err_of(E_NO_MEMORY);
	w->config = *c;
	w->hooks = *c->hooks;
	w->config.hooks = &w->hooks;
	w->reactors_n = c->reactors;
	times_default(&w->config.times);
	pthread_mutex_init(&w->tls_mu, NULL);
	for (unsigned i = 0; i < w->reactors_n; i++)
		w->reactors[i].epoll = w->reactors[i].mail_source.fd = -1;
	e = wire_prepare(w);
	if (!err_ok(e)) {
		w->config.listen_n = 0; /* still the caller's */
		wire_free(w);
		return e;
	}
	*ret = w;
	return OK;
}

static bool
any_certs(const struct wire_config *c)
{
	for (size_t i = 0; i < c->listen_n; i++)
		if (c->certs[i])
			return true;
	return false;
}

err
wire_tls(struct wire *w, struct str chain, struct str key, struct trail *t)
{
	struct ssl_ctx_st *ctx[2] = {NULL, NULL};

	TRY(tls_context(chain, key, w->tickets, false, t, &ctx[0]));
	if (any_certs(&w->config)) {
		err e = tls_context(chain, key, w->tickets, true, t, &ctx[1]);

		if (!err_ok(e)) {
			tls_context_free(ctx[0]);
			return e;
		}
	}
	/* connections hold a reference of their own */
	for (int i = 0; i < 2; i++)
		tls_context_free(tls_context_swap(w, i == 1, ctx[i]));
	return OK;
}

err
wire_start(struct wire *w)
{
	sigset_t all, before;
	bool ok = true;

	BUG_ON(w->started);
	w->started = true;
	/* signals are for other threads; SIGPIPE from a write is for nobody */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (unsigned i = 0; ok && i < w->reactors_n; i++) {
		struct reactor *r = &w->reactors[i];

		ok = pthread_create(&r->thread, NULL, reactor_main, r) == 0;
		r->running = ok;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return ok ? OK : err_of(E_UNAVAILABLE);
}

void
wire_drain(struct wire *w)
{
	atomic_store(&w->draining, true);
	for (unsigned i = 0; i < w->reactors_n; i++)
		reactor_wake(&w->reactors[i]);
	for (unsigned i = 0; i < w->reactors_n; i++) {
		if (w->reactors[i].running)
			pthread_join(w->reactors[i].thread, NULL);
		w->reactors[i].running = false;
	}
}

struct wire *
wire_free(struct wire *w)
{
	if (w == NULL)
		return NULL;
	wire_drain(w);
	for (unsigned i = 0; i < w->reactors_n; i++)
		reactor_done(&w->reactors[i]);
	for (size_t i = 0; i < w->config.listen_n; i++)
		close(w->config.listen[i]);
	tls_context_free(w->tls[0]);
	tls_context_free(w->tls[1]);
	tls_tickets_free(w->tickets);
	pthread_mutex_destroy(&w->tls_mu);
	mem_free(w);
	return NULL;
}

static uint64_t
read_one(const _Atomic uint64_t *n)
{
	return atomic_load_explicit(n, memory_order_relaxed);
}

void
wire_stats(const struct wire *w, struct wire_stats *ret)
{
	struct wire_stats s = {0};

	for (unsigned i = 0; i < w->reactors_n; i++) {
		const struct reactor *r = &w->reactors[i];

		s.open += atomic_load(&r->open);
		s.accepted += read_one(&r->n.accepted);
		s.requests += read_one(&r->n.requests);
		s.replies_2xx += read_one(&r->n.replies_2xx);
		s.replies_4xx += read_one(&r->n.replies_4xx);
		s.replies_5xx += read_one(&r->n.replies_5xx);
		s.refused += read_one(&r->n.refused);
		s.h2_connections += read_one(&r->n.h2_connections);
		s.tls_failures += read_one(&r->n.tls_failures);
		s.streams += read_one(&r->n.streams);
	}
	*ret = s;
}
