/*
 * server.c: the process that holds the connections and the store.  It brings
 * the line (flow/line.h) up: keys, store, log, writer, readers, streams,
 * reactors, in this order, and takes it down in the other.
 */
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "auth/throttle.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/time.h"
#include "flow/guard.h"
#include "flow/line.h"
#include "flow/load.h"
#include "flow/ration.h"
#include "flow/readers.h"
#include "flow/runs.h"
#include "flow/shredder.h"
#include "flow/streams.h"
#include "flow/writer.h"
#include "role/control.h"
#include "role/serve.h"
#include "role/serverboot.h"
#include "wire/wire.h"

enum { FOLD_MS = 20, PEM_MAX = 262144 };

struct server {
	struct server_boot boot;
	struct state state;
	struct wire *wire;
	struct lane lane[SETTINGS_THREADS]; /* of the reactors */
	unsigned lanes;
	struct control *control;
};

/* ---- what wire asks ---- */

static size_t
on_body_cap(void *ctx, const struct http_request *head)
{
	const struct server *s = ctx;

	return s->boot.settings.sealed ? LIM_SEALED_BODY : line_body_cap(head);
}

static void
on_request(void *ctx, struct exchange *x)
{
	struct server *s = ctx;

	if (s->boot.settings.sealed)
		line_sealed(x);
	else
		line_request(&s->lane[exchange_reactor(x)], x);
}

static void
on_tick(void *ctx, unsigned reactor)
{
	struct server *s = ctx;

	if (!s->boot.settings.sealed)
		line_tick(&s->lane[reactor]);
}

static void
on_turned(void *ctx, unsigned reactor)
{
	struct server *s = ctx;

	(void)reactor; /* what waits may be of any of them */
	if (!s->boot.settings.sealed)
		writer_nudge(s->state.writer);
}

static void
on_stream_closed(void *ctx, struct exchange *x)
{
	struct server *s = ctx;

	streams_closed(s->state.streams, x);
}

static void
on_problem(void *ctx, err e, const struct trail *t, struct buf *b)
{
	struct uuid id = rand_uuid(time_now_ms());
	char text[UUID_TEXT + 1];

	(void)ctx;
	uuid_text(&id, text);
	line_problem(b, e, t, text);
}

/* ---- certificate ---- */

static err
read_fd(int fd, struct buf *b)
{
	ssize_t n;

	if (!buf_room(b, PEM_MAX))
		return err_of(E_NO_MEMORY);
	while ((n = pread(fd, b->p + b->n, PEM_MAX - b->n, (off_t)b->n)) > 0)
		b->n += (size_t)n;
	return err_of(n < 0 || b->n == PEM_MAX ? E_IO : E_OK);
}

static err
load_tls(struct server *s, int cert, int key, struct trail *t)
{
	struct buf c, k;
	err e;

	buf_init(&c, PEM_MAX);
	buf_init(&k, PEM_MAX);
	e = read_fd(cert, &c);
	if (err_ok(e))
		e = read_fd(key, &k);
	if (err_ok(e))
		e = wire_tls(s->wire, buf_view(&c), buf_view(&k), t);
	if (k.p != NULL)
		mem_wipe(k.p, k.cap);
	buf_done(&c);
	buf_done(&k);
	(void)close(cert);
	(void)close(key);
	return e;
}

static void
reload_tls(struct server *s, const struct ipc_msg *m)
{
	struct trail t = {{0}};
	int64_t start = time_mono_us();
	err e = err_of(E_PEER);

	if (m->fds_n == 2)
		e = load_tls(s, m->fds[0], m->fds[1], &t);
	if (err_ok(e))
		log_event(LOG_TLS_RELOAD, KVN("us", time_mono_us() - start));
	else
		log_event(LOG_TLS_RELOAD_BAD, KVE("error", e),
		    KVC("detail", t.detail));
}

/* ---- up ---- */

static err
open_store(struct server *s, struct trail *t)
{
	int64_t start = time_mono_us();

	TRY(store_open(s->boot.settings.store_dir, STORE_WRITE, t,
	    &s->state.store));
	TRY(state_load(&s->state, &s->boot.keeper, t));
	TRY(state_check_log(&s->state, &s->boot.keeper, t));
	log_event(LOG_STORE_OPEN, KVN("us", time_mono_us() - start));
	return OK;
}

static err
note_start(struct lane *l, void *arg)
{
	(void)arg;
	return ledger_system(writer_ledger(l->writer), l,
	    desk_arena(writer_desk(l->writer)), AUDIT_SERVER_START, STR(""),
	    time_now_ms());
}

static err
note_stop(struct lane *l, void *arg)
{
	(void)arg;
	return ledger_system(writer_ledger(l->writer), l,
	    desk_arena(writer_desk(l->writer)), AUDIT_SERVER_STOP, STR(""),
	    time_now_ms());
}

static err
start_flow(struct server *s)
{
	struct state *st = &s->state;

	st->on_task = run_task_event;
	TRY(writer_start(st, &s->boot.keeper, &st->writer));
	TRY(writer_do(st->writer, note_start, NULL));
	TRY(readers_start(st, s->boot.settings.readers, LIM_READER_QUEUE,
	    &st->readers));
	TRY(readers_start(st, LIM_LOGIN_THREADS, LIM_LOGIN_QUEUE, &st->logins));
	st->throttle = throttle_new();
	st->ration = ration_new();
	if (st->throttle == NULL || st->ration == NULL)
		return err_of(E_NO_MEMORY);
	TRY(readers_start(st, LIM_HASHES, LIM_HASH_QUEUE, &st->hashes));
	TRY(streams_start(st, &st->streams));
	TRY(shredder_start(st, &st->shredder));
	while (s->lanes < s->boot.settings.reactors) {
		struct lane *l = &s->lane[s->lanes];

		TRY(lane_open(st, LANE_REACTOR, s->lanes, l));
		l->turns = true; /* on_turned */
		s->lanes++;
	}
	return control_start(st, &s->boot, &s->control);
}

static err
start_wire(struct server *s, struct trail *t)
{
	static const struct wire_hooks hooks_of = {
	    .body_cap = on_body_cap,
	    .request = on_request,
	    .stream_closed = on_stream_closed,
	    .tick = on_tick,
	    .problem = on_problem,
	    .turned = on_turned,
	};
	static struct wire_hooks hooks;
	struct wire_config c = {.reactors = s->boot.settings.reactors,
	    .listen_n = s->boot.listen_n};

	hooks = hooks_of;
	hooks.ctx = s;
	c.hooks = &hooks;
	memcpy(c.listen, s->boot.listen, s->boot.listen_n * sizeof *c.listen);
	c.certs[c.listen_n - 1] = s->boot.settings.last_certs;
	TRY(wire_new(&c, &s->wire));
	TRY(load_tls(s, s->boot.tls_cert, s->boot.tls_key, t));
	return wire_start(s->wire);
}

/* The public host, with the port that demands certificates. */
static bool
mtls_url(const struct server_settings *s, char *ret, size_t max)
{
	struct str url = s->public_url, at = s->listen[s->listen_n - 1];
	size_t port = at.n, end = url.n;
	struct buf b = {.p = ret, .cap = max - 1, .max = max - 1};

	if (!s->last_certs)
		return true; /* it stays empty */
	while (port > 0 && at.p[port - 1] != ':')
		port--;
	while (end > 0 && url.p[end - 1] >= '0' && url.p[end - 1] <= '9')
		end--;
	if (end == url.n || end == 0 || url.p[end - 1] != ':')
		end = url.n; /* it has no port */
	else
		end--;
	buf_str(&b, str_head(url, end));
	buf_char(&b, ':');
	buf_str(&b, str_skip(at, port));
	return !b.failed;
}

static err
up(struct server *s, struct trail *t)
{
	struct state *st = &s->state;
	struct str url;

	TRY(server_boot(&s->boot, t));
	if (s->boot.settings.sealed) {
		TRY(start_wire(s, t));
		return server_ready(&s->boot);
	}
	url = s->boot.settings.public_url;
	if (url.n >= sizeof st->public_url)
		return err_of(E_CONFIG);
	memcpy(st->public_url, url.p, url.n);
	if (!guard_origin(url, st->origin_url, sizeof st->origin_url))
		return err_of(E_CONFIG);
	if (!mtls_url(&s->boot.settings, st->trust.mtls_url,
		sizeof st->trust.mtls_url))
		return err_of(E_CONFIG);
	st->proxies = s->boot.settings.proxies;
	st->proxies_n = s->boot.settings.proxies_n;
	st->log_requests = s->boot.settings.log_requests;
	st->root_near = s->boot.settings.root_near;
	st->confined = s->boot.confined;
	st->root_sources = s->boot.settings.sources;
	(void)pthread_mutex_init(&st->lock, NULL);
	TRY(idp_client_new(&st->idp));
	TRY(idp_client_saml(st->idp, s->boot.idp, IDP_LINKS));
	TRY(open_store(s, t));
	TRY(start_flow(s));
	TRY(start_wire(s, t));
	return server_ready(&s->boot);
}

/* ---- running ---- */

/* Fold the write-ahead log back, off the writer's path. */
static void
tend_store(struct server *s)
{
	bool whole = atomic_load(&s->state.fold_whole) > 0;
	err e;

	store_log_ahead(s->state.store);
	if (!whole && store_wal_pages(s->state.store) < STORE_FOLD)
		return;
	e = store_checkpoint(s->state.store, whole);
	if (whole && err_ok(e))
		atomic_fetch_sub(&s->state.fold_whole, 1);
	if (!err_ok(e))
		log_event(LOG_STORE, KVE("error", e), KVC("at", "checkpoint"));
}

/*
 * A disk that refused to make something durable is not written to again
 * (store.h): only opening the store anew finds out what it holds.  So the
 * server ends, and whoever watches over it starts another.
 */
static bool
broken_store(struct server *s)
{
	if (!store_poisoned(s->state.store))
		return false;
	log_event(LOG_STOP, KVE("error", err_of(E_IO)),
	    KVC("detail",
		"the disk lost a write; the store must be opened "
		"anew"));
	return true;
}

/* It is on record: now it is done, for the next start too.  The supervisor
 * ends us: that is what takes every key and every text out of memory. */
static err
seal(const struct server *s)
{
	int db = open(s->boot.settings.store_dir,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	err e = db < 0 ? err_of(E_IO) : sealed_mark(db);

	if (db >= 0)
		(void)close(db);
	if (!err_ok(e)) /* the first process tries once more */
		log_event(LOG_SEALED, KVE("error", e));
	return ipc_send(&s->boot.supervisor, IPC_SEAL, STR(""), NULL, 0);
}

/* false: drain. */
static bool
told(struct server *s, err *ret)
{
	struct ipc_msg m;

	*ret = server_told(&s->boot, &m);
	if (!err_ok(*ret))
		return false;
	switch ((int)m.type) {
	case IPC_TLS_RELOAD:
		reload_tls(s, &m);
		return true;
	case IPC_EGRESS_LINK:
		*ret = idp_client_egress(s->state.idp, m.body, m.fds, m.fds_n);
		if (err_ok(*ret))
			return true;
		ipc_msg_drop(&m);
		return false;
	case IPC_SAML_LINK:
		*ret = idp_client_saml(s->state.idp, m.fds, m.fds_n);
		if (err_ok(*ret))
			return true;
		ipc_msg_drop(&m);
		return false;
	case IPC_ROOT_RELOAD_DONE:
		control_root_reloaded(s->control, m.body);
		ipc_msg_drop(&m);
		return true;
	default:
		ipc_msg_drop(&m);
		return m.type != IPC_DRAIN;
	}
}

static err
serve(struct server *s)
{
	struct pollfd p = {.fd = s->boot.supervisor.fd, .events = POLLIN};
	err e = OK;

	for (;;) {
		int n = poll(&p, 1, FOLD_MS);

		if (n > 0 && !told(s, &e))
			return e;
		if (s->boot.settings.sealed)
			continue;
		if (broken_store(s))
			return err_of(E_IO);
		tend_store(s);
		if (atomic_exchange(&s->state.sealing, false))
			TRY(seal(s));
	}
}

/* ---- down ---- */

static void
down(struct server *s)
{
	struct state *st = &s->state;

	if (s->boot.settings.sealed) {
		if (s->wire != NULL)
			wire_drain(s->wire);
		s->wire = wire_free(s->wire);
		return;
	}
	atomic_store(&st->draining, true);
	s->control = control_stop(s->control);
	shredder_end(st->shredder);
	streams_end(st->streams);
	if (s->wire != NULL)
		wire_drain(s->wire);
	st->hashes = readers_stop(st->hashes);
	st->logins = readers_stop(st->logins);
	st->readers = readers_stop(st->readers);
	if (st->writer != NULL)
		err_ignore(writer_do(st->writer, note_stop, NULL),
		    "the log may be what is broken");
	st->writer = writer_stop(st->writer);
	st->shredder = shredder_free(st->shredder);
	st->throttle = throttle_free(st->throttle);
	st->ration = ration_free(st->ration);
	s->wire = wire_free(s->wire);
	st->streams = streams_free(st->streams);
	while (s->lanes > 0)
		lane_close(&s->lane[--s->lanes]);
	state_done(st);
	st->idp = idp_client_free(st->idp);
	st->store = store_close(st->store);
}

int
role_server(void)
{
	static struct server s;
	struct trail t = {{0}};
	err e;

	mem_keep();
	e = up(&s, &t);

	if (err_ok(e)) {
		log_event(LOG_READY, KV("url", s.boot.settings.url));
		e = serve(&s);
	} else {
		log_event(LOG_STOP, KVE("error", e), KVC("detail", t.detail));
	}
	down(&s);
	return err_exit(e);
}
