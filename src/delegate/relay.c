/*
 * relay.c: one connection of a script: one CONNECT, the host checked, found
 * and connected to, the answer, one ClientHello for that very host, the
 * version the server takes; then bytes, both ways, within the step's budget.
 * The relay sees no plain text and adds none.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/time.h"
#include "delegate/broker_inner.h"
#include "delegate/connect.h"
#include "delegate/hello.h"
#include "delegate/invoke.h"
#include "egress/dial.h"

enum { PIECE = 16384, START = 2 * LIM_RELAY_HELLO + PIECE, SHOWN = 255 };

struct way {
	int from, to;
	size_t at, n;	       /* what is left of p */
	bool ended;	       /* nothing more comes */
	uint64_t *count, *all; /* of the connection, of the step */
	char p[PIECE];
};

/* One connection; everything large in it, for stacks are small. */
struct link {
	struct relay *r;
	const struct connector *c; /* that leads there */
	int client, server;
	struct connect_head head;
	struct broker_event ev;
	char shown[SHOWN + 1], address[ADDRESS_SHOWN];
	uint64_t up, down;
	struct hello hello;
	bool called; /* it was no CONNECT, and has been answered */
	size_t n;
	char start[START];
	struct way ways[2];
};

/* ---- saying it ---- */

/* What a script wrote, cut and printable. */
static void
shown(struct link *k)
{
	size_t n = k->head.host.n < SHOWN ? k->head.host.n : SHOWN;

	for (size_t i = 0; i < n; i++) {
		char c = k->head.host.p[i];

		k->shown[i] = c >= 0x21 && c <= 0x7e ? c : '?';
	}
	k->shown[n] = '\0';
	k->ev.host = str_c(k->shown);
	k->ev.port = k->head.port;
}

static void
decided(struct link *k, enum broker_end e)
{
	k->ev.what = BROKER_DECISION;
	k->ev.id = k->r->id;
	k->ev.end = e;
	broker_say(&k->ev);
}

static void
write_some(int fd, const void *p, size_t n)
{
	/* A few bytes; who does not take them does not get them. */
	(void)!send(fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static const char *
status_of(enum broker_end e)
{
	switch (e) {
	case BROKER_NOT_HTTP:
	case BROKER_EARLY:
		return "400 Bad Request";
	case BROKER_METHOD:
		return "405 Method Not Allowed\r\nAllow: CONNECT";
	case BROKER_DNS:
	case BROKER_CONNECT:
		return "502 Bad Gateway";
	case BROKER_TIMEOUT:
		return "504 Gateway Timeout";
	case BROKER_BUDGET:
	case BROKER_CONNECTIONS:
		return "429 Too Many Requests";
	default:
		return "403 Forbidden";
	}
}

static void
answer(int fd, enum broker_end e)
{
	char text[256];
	int n = snprintf(text, sizeof text,
	    "HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n"
	    "X-Redoubt-Reason: %s\r\n\r\n",
	    status_of(e), broker_end_code(e));

	write_some(fd, text, (size_t)n);
}

/* Fatal, access_denied. */
static void
alert(int fd)
{
	static const char text[] = "\x15\x03\x03\0\2\2\x31";

	write_some(fd, text, sizeof text - 1);
}

void
relay_refuse(struct relay *r, int fd, enum broker_end why)
{
	struct broker_event ev = {.what = BROKER_DECISION,
	    .id = r->id,
	    .end = why};

	answer(fd, why);
	broker_say(&ev);
	(void)close(fd);
}

/* ---- listening ---- */

/* More of the client's, behind what is there; false: no more, or not in
 * time.  Read, not received: what else the socket brings stays behind. */
static bool
more(struct link *k, int fd, int64_t until_us)
{
	for (;;) {
		ssize_t n;

		if (k->n == sizeof k->start ||
		    dial_wait(fd, POLLIN, until_us, &k->r->stop) != WEB_OK)
			return false;
		n = read(fd, k->start + k->n, sizeof k->start - k->n);
		if (n > 0)
			k->n += (size_t)n;
		if (n >= 0 || (errno != EAGAIN && errno != EINTR))
			return n > 0;
	}
}

static int64_t
soon(void)
{
	return time_mono_us() + (int64_t)LIM_RELAY_HEAD_MS * 1000;
}

/* Of the step's budget; false: it is used up. */
static bool
spend(struct link *k, uint64_t n)
{
	uint64_t up = __atomic_load_n(&k->r->up, __ATOMIC_RELAXED);
	uint64_t down = __atomic_load_n(&k->r->down, __ATOMIC_RELAXED);

	return up + down + n <= k->r->world->bytes;
}

/* ---- the CONNECT ---- */

static const struct connector *
leads(const struct relay *r, struct str host, uint16_t port)
{
	for (size_t i = 0; i < r->c_n; i++)
		if (r->c[i].egress == CONNECTOR_EGRESS_PASS &&
		    connector_reaches(&r->c[i], host, port))
			return &r->c[i];
	return NULL;
}

/* An action for a script: the answer is its own. */
static enum broker_end
invoke_heard(struct link *k, int64_t until)
{
	struct invoke v;
	enum broker_end e;
	bool done;

	for (;;) {
		e = invoke_take(str_of(k->start, k->n), &done, &v);
		if (e != BROKER_OK)
			return e;
		if (done)
			break;
		if (!more(k, k->client, until))
			return BROKER_NOT_HTTP;
	}
	if (!spend(k, v.params.n))
		return BROKER_BUDGET;
	relay_call(k->r, k->client, &v);
	k->called = true;
	return BROKER_OK;
}

static enum broker_end
head_heard(struct link *k)
{
	int64_t until = soon();
	enum broker_end e;
	bool done;

	if (relay_injects(k->r)) {
		while (k->n < sizeof "POST http://" &&
		    invoke_begins(str_of(k->start, k->n)) == (k->n > 0))
			if (!more(k, k->client, until))
				return BROKER_NOT_HTTP;
		if (invoke_begins(str_of(k->start, k->n)))
			return invoke_heard(k, until);
	}

	for (;;) {
		e = connect_take(str_of(k->start, k->n), &done, &k->head);
		if (e != BROKER_OK || done)
			break;
		if (!more(k, k->client, until))
			return BROKER_NOT_HTTP;
	}
	shown(k);
	if (e != BROKER_OK)
		return e;
	k->c = leads(k->r, k->head.host, k->head.port);
	if (k->c == NULL)
		return BROKER_HOST;
	/* A client waits for its answer; a second request does not. */
	return k->n > k->head.n ? BROKER_EARLY : BROKER_OK;
}

static enum broker_end
connected(struct link *k)
{
	static const enum broker_end as[] = {[WEB_OK] = BROKER_OK,
	    [WEB_DNS] = BROKER_DNS,
	    [WEB_ADDRESS] = BROKER_ADDRESS,
	    [WEB_CONNECT] = BROKER_CONNECT,
	    [WEB_TIMEOUT] = BROKER_TIMEOUT,
	    [WEB_STOPPED] = BROKER_CANCELLED};
	const struct reach reach = {.resolver = k->r->world->resolver,
	    .resolver_n = k->r->world->resolver_n,
	    .allow = k->c->cidrs,
	    .allow_n = k->c->cidrs_n,
	    .open = true,
	    .connect_ms = LIM_BROKER_CONNECT_MS,
	    .stop = &k->r->stop};
	struct url u = {.host = k->ev.host, .port = k->head.port};
	struct address at = {0};
	enum web_end e = dial(&reach, &u, &k->server, &at);

	if (at.n > 0)
		k->ev.address = address_show(&at, k->address);
	return as[e];
}

/* ---- the handshake ---- */

static enum broker_end
hello_heard(struct link *k, bool again)
{
	int64_t until = soon();
	struct str name;

	for (;;) {
		bool done;
		enum broker_end e =
		    hello_take(str_of(k->start, k->n), again, &done, &k->hello);

		if (e != BROKER_OK)
			return e;
		if (done)
			break;
		if (!more(k, k->client, until))
			return BROKER_NOT_TLS;
	}
	name = str_of(k->hello.name, k->hello.name_n);
	if (!str_eq(name, k->ev.host))
		return BROKER_SNI;
	return k->hello.tls13 || k->c->tls12 ? BROKER_OK : BROKER_VERSION;
}

/* A whole flight; small, so that it fits into what the kernel keeps. */
static bool
flight_sent(struct link *k, int fd, uint64_t *count)
{
	size_t at = 0;

	while (at < k->n) {
		ssize_t n = send(fd, k->start + at, k->n - at, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN &&
		    dial_wait(fd, POLLOUT, soon(), &k->r->stop) == WEB_OK)
			continue;
		if (n <= 0)
			return false;
		at += (size_t)n;
		*count += (uint64_t)n;
	}
	k->n = 0;
	return true;
}

static enum broker_end
server_heard(struct link *k, enum server_says *ret)
{
	int64_t until = soon();

	while ((*ret = server_take(str_of(k->start, k->n))) == SERVER_MORE)
		if (!more(k, k->server, until))
			return BROKER_CONNECT;
	if (*ret == SERVER_BAD)
		return BROKER_NOT_TLS;
	return *ret == SERVER_OLD && !k->c->tls12 ? BROKER_VERSION : BROKER_OK;
}

/*
 * The client's greeting goes on when it names the host; so does the second
 * one, when the server asks for that, and nothing of the client's before the
 * server has spoken.
 */
static enum broker_end
greeted(struct link *k)
{
	enum server_says says = SERVER_RETRY;

	for (bool again = false; says == SERVER_RETRY; again = true) {
		enum broker_end e = hello_heard(k, again);

		if (e != BROKER_OK)
			return e;
		if (!flight_sent(k, k->server, &k->up))
			return BROKER_CONNECT;
		e = server_heard(k, &says);
		if (e != BROKER_OK)
			return e;
		if (says == SERVER_RETRY && again)
			return BROKER_NOT_TLS;
		if (!flight_sent(k, k->client, &k->down))
			return BROKER_CONNECT;
	}
	return BROKER_OK;
}

/* ---- bytes ---- */

static void
way_init(struct way *w, int from, int to, uint64_t *count, uint64_t *all)
{
	w->from = from;
	w->to = to;
	w->count = count;
	w->all = all;
}

static bool
way_read(struct link *k, struct way *w, enum broker_end *ret)
{
	ssize_t n = read(w->from, w->p, PIECE);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0) {
		w->ended = true;
		(void)shutdown(w->to, SHUT_WR);
		return true;
	}
	if (!spend(k, (uint64_t)n)) {
		*ret = BROKER_BUDGET;
		return false;
	}
	*w->count += (uint64_t)n;
	(void)__atomic_fetch_add(w->all, (uint64_t)n, __ATOMIC_RELAXED);
	w->at = 0;
	w->n = (size_t)n;
	return true;
}

static bool
way_write(struct way *w)
{
	ssize_t n = send(w->to, w->p + w->at, w->n, MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	w->at += (size_t)n;
	w->n -= (size_t)n;
	return true;
}

static bool
way_moves(struct link *k, struct way *w, struct pollfd *p, enum broker_end *ret)
{
	if (w->n > 0)
		return (p[1].revents & (POLLOUT | POLLERR | POLLHUP)) == 0 ||
		    way_write(w);
	return w->ended || (p[0].revents & (POLLIN | POLLERR | POLLHUP)) == 0 ||
	    way_read(k, w, ret);
}

enum { LOOK_MS = 500 };

/* What each socket is waited for. */
static void
wanted(const struct link *k, struct pollfd p[2])
{
	const struct way *up = &k->ways[0], *down = &k->ways[1];

	p[0] = (struct pollfd){.fd = k->client};
	p[1] = (struct pollfd){.fd = k->server};
	p[0].events = (short)((up->n == 0 && !up->ended ? POLLIN : 0) |
	    (down->n > 0 ? POLLOUT : 0));
	p[1].events = (short)((down->n == 0 && !down->ended ? POLLIN : 0) |
	    (up->n > 0 ? POLLOUT : 0));
	/* A socket whose hang-up is known is not asked about it for ever. */
	for (size_t i = 0; i < 2; i++)
		if (p[i].events == 0)
			p[i].fd = -1;
}

static enum broker_end
pumped(struct link *k)
{
	int64_t last = time_mono_us();
	enum broker_end e = BROKER_OK;

	for (;;) {
		struct pollfd p[2], back[2];
		int n;

		if (k->ways[0].ended && k->ways[1].ended &&
		    k->ways[0].n + k->ways[1].n == 0)
			return BROKER_OK;
		if (__atomic_load_n(&k->r->stop, __ATOMIC_RELAXED))
			return BROKER_CANCELLED;
		wanted(k, p);
		n = poll(p, 2, LOOK_MS);
		if (n == 0 &&
		    time_mono_us() - last > k->r->world->idle_ms * 1000)
			return BROKER_IDLE;
		if (n <= 0)
			continue;
		last = time_mono_us();
		back[0] = p[1];
		back[1] = p[0];
		if (!way_moves(k, &k->ways[0], p, &e) ||
		    !way_moves(k, &k->ways[1], back, &e))
			return e;
	}
}

/* ---- all of it ---- */

static void
closed(struct link *k, enum broker_end e)
{
	k->ev.what = BROKER_CLOSED;
	k->ev.end = e;
	k->ev.up = k->up;
	k->ev.down = k->down;
	broker_say(&k->ev);
}

static void
served(struct link *k)
{
	static const char yes[] = "HTTP/1.1 200 OK\r\n\r\n";
	enum broker_end e = head_heard(k);

	if (k->called)
		return;
	if (e == BROKER_OK && !spend(k, 1))
		e = BROKER_BUDGET;
	if (e == BROKER_OK)
		e = connected(k);
	if (e != BROKER_OK) {
		answer(k->client, e);
		decided(k, e);
		return;
	}
	k->n = 0;
	write_some(k->client, yes, sizeof yes - 1);
	e = greeted(k);
	decided(k, e);
	(void)__atomic_fetch_add(&k->r->up, k->up, __ATOMIC_RELAXED);
	(void)__atomic_fetch_add(&k->r->down, k->down, __ATOMIC_RELAXED);
	if (e != BROKER_OK) {
		alert(k->client);
		return;
	}
	way_init(&k->ways[0], k->client, k->server, &k->up, &k->r->up);
	way_init(&k->ways[1], k->server, k->client, &k->down, &k->r->down);
	closed(k, pumped(k));
}

void
relay_serve(struct relay *r, int fd)
{
	struct link *k = mem_new(1, sizeof *k);

	if (k == NULL || fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
		mem_free(k);
		relay_refuse(r, fd, BROKER_LIMIT);
		return;
	}
	k->r = r;
	k->client = fd;
	k->server = -1;
	served(k);
	(void)close(k->client);
	if (k->server >= 0)
		(void)close(k->server);
	mem_free(k);
}
