#include "role/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 4096 };

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static bool
address_v6(const char *host, uint16_t port, union address *a, socklen_t *n)
{
	a->v6 = (struct sockaddr_in6){.sin6_family = AF_INET6,
	    .sin6_port = htons(port)};
	*n = sizeof a->v6;
	return inet_pton(AF_INET6, host, &a->v6.sin6_addr) == 1;
}

static bool
address_v4(const char *host, uint16_t port, union address *a, socklen_t *n)
{
	a->v4 = (struct sockaddr_in){.sin_family = AF_INET,
	    .sin_port = htons(port)};
	*n = sizeof a->v4;
	if (strcmp(host, "localhost") == 0)
		host = "127.0.0.1";
	return inet_pton(AF_INET, host, &a->v4.sin_addr) == 1;
}

static bool
address(struct str s, union address *a, socklen_t *n)
{
	char host[INET6_ADDRSTRLEN + 1];
	struct str h = s, p = STR_NONE;
	uint64_t port;
	bool v6 = s.n > 0 && s.p[0] == '[';

	if (v6) {
		if (!str_cut(str_skip(s, 1), ']', &h, &p) || p.n == 0 ||
		    p.p[0] != ':')
			return false;
		p = str_skip(p, 1);
	} else if (!str_cut(s, ':', &h, &p)) {
		return false;
	}
	if (!str_u64(p, 0, UINT16_MAX, &port) || h.n >= sizeof host ||
	    (h.n > 0 && memchr(h.p, '\0', h.n) != NULL))
		return false;
	memcpy(host, h.p, h.n);
	host[h.n] = '\0';
	return v6 ? address_v6(host, (uint16_t)port, a, n)
		  : address_v4(host, (uint16_t)port, a, n);
}

static bool
bound(int fd, char ret[BOUND_MAX])
{
	char host[INET6_ADDRSTRLEN];
	union address a = {0};
	socklen_t n = sizeof a;

	if (getsockname(fd, &a.any, &n) != 0)
		return false;
	if (a.any.sa_family == AF_INET6) {
		(void)inet_ntop(AF_INET6, &a.v6.sin6_addr, host, sizeof host);
		(void)snprintf(ret, BOUND_MAX, "[%s]:%u", host,
		    ntohs(a.v6.sin6_port));
	} else {
		(void)inet_ntop(AF_INET, &a.v4.sin_addr, host, sizeof host);
		(void)snprintf(ret, BOUND_MAX, "%s:%u", host,
		    ntohs(a.v4.sin_port));
	}
	return true;
}

static bool
open_on(int fd, const union address *a, socklen_t n)
{
	int on = 1, off = 0;

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (a->any.sa_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off,
		    sizeof off);
	return bind(fd, &a->any, n) == 0 && listen(fd, BACKLOG) == 0;
}

err
listen_tcp(struct str host_port, struct trail *t, int *ret,
    char ret_bound[BOUND_MAX])
{
	union address a = {0};
	socklen_t n = 0;
	int fd;

	if (!address(host_port, &a, &n)) {
		trail_set(t,
		    "%.*s: not an address to listen on; want 127.0.0.1:8443 "
		    "or [::1]:8443",
		    STR_ARG(str_head(host_port, 60)));
		return err_of(E_CONFIG);
	}
	fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (fd < 0 || !open_on(fd, &a, n) || !bound(fd, ret_bound)) {
		trail_set(t, "%.*s: %s", STR_ARG(host_port),
		    strerrordesc_np(errno));
		if (fd >= 0)
			(void)close(fd);
		return err_of(E_UNAVAILABLE);
	}
	*ret = fd;
	return OK;
}

/* Through /proc, because a socket's path is at most 107 bytes. */
err
listen_control(const struct datadir *d, struct trail *t, int *ret)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	mode_t mask = umask(0177);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool good;

	(void)snprintf(a.sun_path, sizeof a.sun_path,
	    "/proc/self/fd/%d/control.sock", d->fd);
	(void)unlinkat(d->fd, "control.sock", 0);
	good = fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 &&
	    listen(fd, 16) == 0;
	(void)umask(mask);
	if (!good) {
		trail_set(t, "control.sock: %s", strerrordesc_np(errno));
		if (fd >= 0)
			(void)close(fd);
		return err_of(E_UNAVAILABLE);
	}
	*ret = fd;
	return OK;
}

int
notify_open(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	const char *path = getenv("NOTIFY_SOCKET");
	size_t n = path == NULL ? 0 : strlen(path);
	int fd;

	if (n < 2 || n >= sizeof a.sun_path ||
	    (path[0] != '/' && path[0] != '@'))
		return -1;
	memcpy(a.sun_path, path, n);
	if (path[0] == '@')
		a.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 &&
	    connect(fd, (struct sockaddr *)&a,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) != 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

void
notify_say(int fd, const char *text)
{
	if (fd >= 0 && write(fd, text, strlen(text)) < 0)
		return; /* a manager that has gone needs no news */
}
