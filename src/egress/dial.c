#include "egress/dial.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/rand.h"
#include "base/time.h"
#include "egress/dns.h"

enum { ASK_TRIES = 2, ASK_MS = 700, LOOK_MS = 200 };

static bool
stopped(const bool *stop)
{
	return stop != NULL && __atomic_load_n(stop, __ATOMIC_RELAXED);
}

enum web_end
dial_wait(int fd, short what, int64_t until_us, const bool *stop)
{
	for (;;) {
		int64_t left = (until_us - time_mono_us()) / 1000;
		struct pollfd p = {.fd = fd, .events = what};
		int n;

		if (stopped(stop))
			return WEB_STOPPED;
		if (left <= 0)
			return WEB_TIMEOUT;
		if (stop != NULL && left > LOOK_MS)
			left = LOOK_MS;
		n = poll(&p, 1, (int)left);
		if (n > 0)
			return WEB_OK;
		if (n < 0 && errno != EINTR)
			return WEB_CONNECT;
	}
}

/* ---- connecting ---- */

static int
open_to(const struct address *a, int type)
{
	int fd =
	    socket(a->at.any.sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	if (connect(fd, &a->at.any, a->n) == 0 || errno == EINPROGRESS)
		return fd;
	(void)close(fd);
	return -1;
}

static enum web_end
connect_one(const struct address *a, int64_t until_us, const bool *stop,
    int *ret_fd)
{
	int fd = open_to(a, SOCK_STREAM), bad = 0;
	socklen_t n = sizeof bad;
	enum web_end e;

	if (fd < 0)
		return WEB_CONNECT;
	e = dial_wait(fd, POLLOUT, until_us, stop);
	if (e == WEB_OK &&
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &bad, &n) == 0 && bad == 0) {
		*ret_fd = fd;
		return WEB_OK;
	}
	(void)close(fd);
	return e == WEB_STOPPED ? e : WEB_CONNECT;
}

/* Each gets its share of the time that is left. */
static enum web_end
connect_any(const struct reach *r, const struct address *a, size_t n,
    int64_t until_us, int *ret_fd, struct address *ret_at)
{
	enum web_end e = WEB_CONNECT;

	for (size_t i = 0; i < n && e == WEB_CONNECT; i++) {
		int64_t now = time_mono_us();
		int64_t share = (until_us - now) / (int64_t)(n - i);

		*ret_at = a[i];
		e = connect_one(&a[i], now + share, r->stop, ret_fd);
	}
	return e;
}

/* ---- names ---- */

/* Packets until one is the answer, or the time of this try is up. */
static err
ask_once(int fd, struct str query, int64_t until_us, const bool *stop,
    char *packet, struct dns_addresses *ret)
{
	if (send(fd, query.p, query.n, MSG_NOSIGNAL) != (ssize_t)query.n)
		return err_of(E_UNAVAILABLE);
	while (dial_wait(fd, POLLIN, until_us, stop) == WEB_OK) {
		ssize_t n = recv(fd, packet, DNS_ANSWER, 0);
		err e;

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return err_of(E_UNAVAILABLE);
		e = dns_answer(str_of(packet, (size_t)n), query, ret);
		if (!err_is(e, E_BAD_ANSWER))
			return e;
	}
	return err_of(E_TIMEOUT);
}

static err
ask(const struct address *resolver, struct str name, enum dns_type type,
    int64_t until_us, const bool *stop, char *packet, struct dns_addresses *ret)
{
	err e = err_of(E_UNAVAILABLE);

	for (unsigned i = 0; i < ASK_TRIES; i++) {
		int64_t until = time_mono_us() + ASK_MS * 1000;
		uint8_t query[DNS_QUERY];
		uint16_t id;
		size_t n;
		int fd;

		rand_bytes(&id, sizeof id);
		n = dns_query(query, id, name, type);
		/* A socket of its own, so a port of its own, for each try. */
		fd = open_to(resolver, SOCK_DGRAM);
		if (n == 0 || fd < 0)
			return err_of(E_UNAVAILABLE);
		e = ask_once(fd, str_of((char *)query, n),
		    until < until_us ? until : until_us, stop, packet, ret);
		(void)close(fd);
		if (err_ok(e) || err_is(e, E_NOT_FOUND))
			return e;
	}
	return e;
}

/* The first resolver that answers at all. */
static err
ask_any(const struct reach *r, struct str name, enum dns_type type,
    int64_t until_us, char *packet, struct dns_addresses *ret)
{
	err e = err_of(E_UNAVAILABLE);

	for (size_t i = 0; i < r->resolver_n; i++) {
		struct address resolver;

		if (!address_of(&r->resolver[i], &resolver))
			continue;
		e = ask(&resolver, name, type, until_us, r->stop, packet, ret);
		if (err_ok(e) || err_is(e, E_NOT_FOUND))
			return e;
	}
	return e;
}

static bool
allowed(const struct reach *r, const struct address *a)
{
	return (r->open && address_public(a)) ||
	    address_allowed(a, r->allow, r->allow_n);
}

/* The addresses of one type that may be connected to, added to a. */
static enum web_end
look_up(const struct reach *r, const struct url *u, enum dns_type type,
    int64_t until_us, struct address *a, size_t *n)
{
	char packet[DNS_ANSWER];
	struct dns_addresses found;
	size_t before = *n;

	if (!err_ok(ask_any(r, u->host, type, until_us, packet, &found)))
		return WEB_DNS;
	for (size_t i = 0; i < found.n; i++)
		if (address_raw(found.at[i], u->port, &a[*n]) &&
		    allowed(r, &a[*n]))
			*n += 1;
	return *n > before ? WEB_OK : WEB_ADDRESS;
}

static enum web_end
addresses(const struct reach *r, const struct url *u, int64_t until_us,
    struct address a[DIAL_ADDRESSES], size_t *n)
{
	struct endpoint literal = {u->host, u->port};
	enum web_end four, six;

	*n = 0;
	for (size_t i = 0; i < r->connect_n && i < DIAL_ADDRESSES; i++)
		if (address_of(&r->connect[i], &a[*n]))
			*n += 1;
	if (r->connect_n > 0)
		return WEB_OK;
	if (u->literal) {
		*n = address_of(&literal, a) && allowed(r, a);
		return *n == 1 ? WEB_OK : WEB_ADDRESS;
	}
	four = look_up(r, u, DNS_A, until_us, a, n);
	if (four == WEB_OK)
		return WEB_OK;
	six = look_up(r, u, DNS_AAAA, until_us, a, n);
	return six == WEB_OK ? WEB_OK : four == WEB_ADDRESS ? WEB_ADDRESS : six;
}

enum web_end
dial(const struct reach *r, const struct url *u, int *ret_fd,
    struct address *ret_at)
{
	int64_t until = time_mono_us() + r->connect_ms * 1000;
	struct address a[DIAL_ADDRESSES];
	enum web_end e;
	size_t n;

	e = addresses(r, u, until, a, &n);
	if (e != WEB_OK)
		return stopped(r->stop) ? WEB_STOPPED : e;
	return connect_any(r, a, n, until, ret_fd, ret_at);
}
