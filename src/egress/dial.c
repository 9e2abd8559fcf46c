#include "egress/dial.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/rand.h"
#include "base/time.h"
#include "egress/address.h"
#include "egress/dns.h"

enum { ASK_TRIES = 2, ASK_MS = 700 };

bool
dial_wait(int fd, short what, int64_t until_us)
{
	for (;;) {
		int64_t left = (until_us - time_mono_us()) / 1000;
		struct pollfd p = {.fd = fd, .events = what};
		int n;

		if (left <= 0)
			return false;
		n = poll(&p, 1, (int)left);
		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
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

static int
connect_one(const struct address *a, int64_t until_us)
{
	int fd = open_to(a, SOCK_STREAM), bad = 0;
	socklen_t n = sizeof bad;

	if (fd < 0)
		return -1;
	if (dial_wait(fd, POLLOUT, until_us) &&
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &bad, &n) == 0 && bad == 0)
		return fd;
	(void)close(fd);
	return -1;
}

/* Each gets its share of the time that is left. */
static enum idp_status
connect_any(const struct address *a, size_t n, int64_t until_us, int *ret_fd)
{
	for (size_t i = 0; i < n; i++) {
		int64_t now = time_mono_us();
		int64_t share = (until_us - now) / (int64_t)(n - i);
		int fd = connect_one(&a[i], now + share);

		if (fd < 0)
			continue;
		*ret_fd = fd;
		return IDP_OK;
	}
	return IDP_CONNECT;
}

/* ---- names ---- */

/* Packets until one is the answer, or the time of this try is up. */
static err
ask_once(int fd, struct str query, int64_t until_us, char *packet,
    struct dns_addresses *ret)
{
	if (send(fd, query.p, query.n, MSG_NOSIGNAL) != (ssize_t)query.n)
		return err_of(E_UNAVAILABLE);
	while (dial_wait(fd, POLLIN, until_us)) {
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
    int64_t until_us, char *packet, struct dns_addresses *ret)
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
		    until < until_us ? until : until_us, packet, ret);
		(void)close(fd);
		if (err_ok(e) || err_is(e, E_NOT_FOUND))
			return e;
	}
	return e;
}

/* The addresses of one type that may be connected to, added to a. */
static enum idp_status
look_up(const struct provider *p, const struct url *u, enum dns_type type,
    int64_t until_us, struct address *a, size_t *n)
{
	char packet[DNS_ANSWER];
	struct dns_addresses found;
	struct address resolver;
	size_t before = *n;
	err e;

	if (!address_of(&p->resolver, &resolver))
		return IDP_DNS;
	e = ask(&resolver, u->host, type, until_us, packet, &found);
	if (!err_ok(e))
		return IDP_DNS;
	for (size_t i = 0; i < found.n; i++)
		if (address_raw(found.at[i], u->port, &a[*n]) &&
		    address_allowed(&a[*n], p->allow, p->allow_n))
			*n += 1;
	return *n > before ? IDP_OK : IDP_ADDRESS;
}

static enum idp_status
addresses(const struct provider *p, const struct url *u, int64_t until_us,
    struct address a[2 * DNS_ADDRESSES], size_t *n)
{
	struct endpoint literal = {u->host, u->port};
	enum idp_status four, six;

	*n = 0;
	for (size_t i = 0; i < p->connect_n; i++)
		if (address_of(&p->connect[i], &a[*n]))
			*n += 1;
	if (p->connect_n > 0)
		return IDP_OK;
	if (u->literal) {
		*n = address_of(&literal, a) &&
		    address_allowed(a, p->allow, p->allow_n);
		return *n == 1 ? IDP_OK : IDP_ADDRESS;
	}
	four = look_up(p, u, DNS_A, until_us, a, n);
	if (four == IDP_OK)
		return IDP_OK;
	six = look_up(p, u, DNS_AAAA, until_us, a, n);
	return six == IDP_OK ? IDP_OK : four == IDP_ADDRESS ? IDP_ADDRESS : six;
}

enum idp_status
dial(const struct provider *p, const struct url *u, int *ret_fd)
{
	int64_t until = time_mono_us() + (int64_t)LIM_IDP_CONNECT_MS * 1000;
	struct address a[2 * DNS_ADDRESSES];
	enum idp_status s;
	size_t n;

	_Static_assert((int)PROVIDER_ADDRESSES <= 2 * (int)DNS_ADDRESSES,
	    "connect fits");
	s = addresses(p, u, until, a, &n);
	return s == IDP_OK ? connect_any(a, n, until, ret_fd) : s;
}
