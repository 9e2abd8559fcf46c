/* broker.c: the agent's side, and starting it. */
#include "delegate/broker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "delegate/broker_inner.h"
#include "egress/tls.h"

struct broker {
	int fd;
	pid_t pid;
	struct buf out, in;
};

static const struct {
	const char *code, *meaning;
} ends[] = {
#define BROKER_END(name, code, meaning) {code, meaning},
#include "delegate/broker_ends.def"
#undef BROKER_END
};

const char *
broker_end_code(enum broker_end e)
{
	return ends[e].code;
}

const char *
broker_end_meaning(enum broker_end e)
{
	return ends[e].meaning;
}

/* ---- starting ---- */

enum { FILE_MAX = BROKER_AUTHORITIES };

/* A file of the system's, whole; empty when it is not there. */
static void
file_read(const char *path, struct buf *ret)
{
	FILE *f = fopen(path, "re");
	size_t n;

	buf_init(ret, FILE_MAX);
	if (f == NULL)
		return;
	do {
		if (!buf_room(ret, 16384))
			break;
		n = fread(ret->p + ret->n, 1, 16384, f);
		ret->n += n;
	} while (n > 0);
	(void)fclose(f);
}

/* The nameserver lines of resolv.conf. */
static void
resolvers_found(struct broker_world *w, struct str text)
{
	struct str line, word, rest;

	while (text.n > 0 && w->resolver_n < BROKER_RESOLVERS) {
		str_cut(text, '\n', &line, &text);
		word = str_head(line, 10);
		rest = str_trim(str_skip(line, word.n));
		if (!str_is(word, "nameserver"))
			continue;
		if (endpoint_parse(rest, 53, &w->resolver[w->resolver_n]))
			w->resolver_n++;
	}
}

/* text: of resolv.conf, kept by the process for good. */
static err
resolvers(const struct broker_conf *c, struct broker_world *w, struct buf *text,
    struct trail *t)
{
	if (c->resolver_n > BROKER_RESOLVERS) {
		trail_set(t, "at most %d resolvers", BROKER_RESOLVERS);
		return err_of(E_CONFIG);
	}
	for (size_t i = 0; i < c->resolver_n; i++)
		if (!endpoint_parse(c->resolver[i], 53, &w->resolver[i])) {
			trail_set(t, "resolver %zu is no address", i + 1);
			return err_of(E_CONFIG);
		}
	w->resolver_n = c->resolver_n;
	if (w->resolver_n > 0)
		return OK;
	file_read("/etc/resolv.conf", text);
	resolvers_found(w, buf_view(text));
	return OK;
}

static err
authorities(const struct broker_conf *c, struct broker_world *w,
    struct trail *t)
{
	struct tls_plan p = {.authorities = c->authorities};
	struct buf b;
	err e;

	buf_init(&b, FILE_MAX);
	if (c->authorities.n == 0) {
		file_read("/etc/ssl/certs/ca-certificates.crt", &b);
		p.authorities = buf_view(&b);
	}
	e = tls_new(&p, &w->system);
	buf_done(&b);
	if (err_is(e, E_CONFIG))
		trail_set(t, "no certificate of an authority can be read");
	return e;
}

/* The child says one byte, or what is wrong. */
static err
started(int fd, struct trail *t)
{
	char said[sizeof t->detail] = {0};
	ssize_t n;

	do
		n = read(fd, said, sizeof said - 1);
	while (n < 0 && errno == EINTR);
	if (n == 1)
		return OK;
	trail_set(t, "broker: %s", n > 0 ? said : "it ended");
	return err_of(E_DENIED);
}

static err
forked(struct broker_world *w, const struct broker_conf *c, struct trail *t,
    struct broker *b)
{
	int link[2], ready[2];
	err e;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, link) != 0)
		return err_of(E_UNAVAILABLE);
	if (pipe2(ready, O_CLOEXEC) != 0) {
		(void)close(link[0]);
		(void)close(link[1]);
		return err_of(E_UNAVAILABLE);
	}
	b->pid = fork();
	if (b->pid == 0) {
		w->control = link[1];
		broker_process(w, c, ready[1]);
	}
	(void)close(link[1]);
	(void)close(ready[1]);
	b->fd = link[0];
	e = b->pid < 0 ? err_of(E_UNAVAILABLE) : started(ready[0], t);
	(void)close(ready[0]);
	return e;
}

err
broker_start(const struct broker_conf *c, struct trail *t, struct broker **ret)
{
	struct broker_world w = {.idle_ms = LIM_RELAY_IDLE_MS,
	    .bytes = LIM_RELAY_BYTES};
	struct broker *b = mem_new(1, sizeof *b);
	struct buf text = {0};
	err e;

	if (b == NULL)
		return err_of(E_NO_MEMORY);
	buf_init(&b->out, LIM_BROKER_FRAME);
	buf_init(&b->in, LIM_BROKER_FRAME);
	b->fd = -1;
	if (c->relay_idle_ms > 0 && c->relay_idle_ms < w.idle_ms)
		w.idle_ms = c->relay_idle_ms;
	if (c->relay_bytes > 0 && c->relay_bytes < w.bytes)
		w.bytes = c->relay_bytes;
	e = resolvers(c, &w, &text, t);
	if (err_ok(e))
		e = authorities(c, &w, t);
	if (err_ok(e))
		e = forked(&w, c, t, b);
	SSL_CTX_free(w.system); /* the process has its own copy */
	buf_done(&text);
	if (err_ok(e))
		*ret = b;
	else
		b = broker_stop(b);
	return e;
}

struct broker *
broker_stop(struct broker *b)
{
	if (b == NULL)
		return NULL;
	if (b->fd >= 0)
		(void)close(b->fd);
	if (b->pid > 0) {
		(void)kill(b->pid, SIGKILL);
		while (waitpid(b->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	buf_forget(&b->out);
	buf_forget(&b->in);
	mem_free(b);
	return NULL;
}

int
broker_fd(const struct broker *b)
{
	return b->fd;
}

int
broker_pid(const struct broker *b)
{
	return b->pid;
}

/* ---- asking ---- */

static err
message_send(struct broker *b, const struct message *m, int pass)
{
	err e = err_of(E_LIMIT);

	buf_clear(&b->out);
	/* At once, so that no copy with a secret is left behind. */
	if (b->out.p == NULL && !buf_room(&b->out, LIM_BROKER_FRAME))
		return err_of(E_NO_MEMORY);
	message_write(&b->out, m);
	if (!b->out.failed)
		e = frame_send(b->fd, buf_view(&b->out), pass);
	mem_wipe(b->out.p, b->out.n);
	return e;
}

err
broker_http(struct broker *b, uint64_t id, const struct broker_ask *ask)
{
	return message_send(b,
	    &(struct message){.op = OP_HTTP, .id = id, .ask = *ask}, -1);
}

err
broker_secret(struct broker *b, uint64_t id, const struct broker_ask *ask)
{
	return message_send(b,
	    &(struct message){.op = OP_SECRET, .id = id, .ask = *ask}, -1);
}

err
broker_relay(struct broker *b, uint64_t id, int listener,
    const struct str *documents, const struct str *secrets, size_t n)
{
	struct message m = {.op = OP_RELAY, .id = id, .documents_n = n};

	if (n > BROKER_CONNECTORS)
		return err_of(E_LIMIT);
	for (size_t i = 0; i < n; i++) {
		m.documents[i] = documents[i];
		m.secrets[i] = secrets == NULL ? STR("") : secrets[i];
	}
	return message_send(b, &m, listener);
}

err
broker_cancel(struct broker *b, uint64_t id)
{
	return message_send(b, &(struct message){.op = OP_CANCEL, .id = id},
	    -1);
}

/* ---- listening ---- */

static void
own(struct arena *a, struct str *s)
{
	*s = s->n == 0 ? STR("") : arena_dup(a, *s);
}

err
broker_next(struct broker *b, int ms, struct arena *a, struct broker_event *ret)
{
	struct pollfd p = {.fd = b->fd, .events = POLLIN};
	struct broker_event e;
	int fd, n = poll(&p, 1, ms);

	if (n == 0 || (n < 0 && errno == EINTR))
		return err_of(E_TIMEOUT);
	if (n < 0)
		return err_of(E_UNAVAILABLE);
	TRY(frame_recv(b->fd, &b->in, &fd));
	if (fd >= 0)
		(void)close(fd);
	if (!event_read(buf_view(&b->in), &e))
		return err_of(E_PEER);
	own(a, &e.host);
	own(a, &e.address);
	own(a, &e.detail);
	own(a, &e.outputs);
	own(a, &e.value);
	mem_wipe(b->in.p, b->in.n);
	TRY(arena_check(a));
	*ret = e;
	return OK;
}
