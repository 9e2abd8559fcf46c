#include "ipc/ipc.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"

enum { HEADER = 4 };

/* A sender may own at most this much of the other's memory at a time. */
enum { SOCKET_BUFFER = 4 * LIM_IPC };

struct rule {
	enum ipc_role from, to;
	size_t max, fds;
	const char *name;
};

static const struct rule rules[] = {
#define MSG(name, from, to, max, fds, meaning) {from, to, max, fds, #name},
#include "ipc/ipc.def"
#undef MSG
};

/* ipc_recv's buffer is LIM_IPC bytes and a message brings IPC_FDS at most. */
#define MSG(name, from, to, max, fds, meaning)                                 \
	_Static_assert((max) <= LIM_IPC && (fds) <= IPC_FDS, #name);
#include "ipc/ipc.def"
#undef MSG

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int) * IPC_FDS)];
};

const char *
ipc_type_name(enum ipc_type t)
{
	return t < IPC_MAX_ ? rules[t].name : "?";
}

err
ipc_pair(enum ipc_role a, enum ipc_role b, struct ipc_end *ret_a,
    struct ipc_end *ret_b)
{
	int fd[2], size = SOCKET_BUFFER;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) != 0)
		return err_of(E_UNAVAILABLE);
	/* A smaller buffer than asked for still carries every message. */
	for (int i = 0; i < 2; i++)
		(void)setsockopt(fd[i], SOL_SOCKET, SO_SNDBUF, &size,
		    sizeof size);
	*ret_a = (struct ipc_end){.fd = fd[0], .self = a, .peer = b};
	*ret_b = (struct ipc_end){.fd = fd[1], .self = b, .peer = a};
	return OK;
}

static bool
allowed(enum ipc_role from, enum ipc_role to, size_t type, size_t body,
    size_t fds)
{
	const struct rule *r;

	if (type >= IPC_MAX_)
		return false;
	r = &rules[type];
	return r->from == from && r->to == to && body <= r->max &&
	    fds <= r->fds;
}

err
ipc_send(const struct ipc_end *e, enum ipc_type t, struct str body,
    const int *fds, size_t fds_n)
{
	unsigned char head[HEADER] = {(unsigned char)(t >> 8),
	    (unsigned char)t};
	struct iovec iov[2] = {{head, HEADER},
	    {(void *)(uintptr_t)body.p, body.n}};
	struct msghdr m = {.msg_iov = iov, .msg_iovlen = 2};
	union control c = {0};
	ssize_t n;

	if (!allowed(e->self, e->peer, t, body.n, fds_n))
		return err_of(E_PEER);
	if (fds_n > 0) {
		m.msg_control = c.bytes;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * fds_n);
		c.align.cmsg_level = SOL_SOCKET;
		c.align.cmsg_type = SCM_RIGHTS;
		c.align.cmsg_len = CMSG_LEN(sizeof(int) * fds_n);
		memcpy(CMSG_DATA(&c.align), fds, sizeof(int) * fds_n);
	}
	do
		n = sendmsg(e->fd, &m, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)(HEADER + body.n) ? OK : err_of(E_UNAVAILABLE);
}

static int64_t
mono_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Signals do not lengthen the wait. */
static err
readable(int fd, int ms)
{
	int64_t end = ms < 0 ? 0 : mono_ms() + ms;

	for (;;) {
		int64_t left = ms < 0 ? -1 : end - mono_ms();
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int n;

		if (ms >= 0 && left < 0)
			left = 0;
		n = poll(&p, 1, (int)left);
		if (n > 0)
			return OK;
		if (n == 0)
			return err_of(E_TIMEOUT);
		if (errno != EINTR)
			return err_of(E_UNAVAILABLE);
	}
}

void
ipc_msg_drop(struct ipc_msg *m)
{
	while (m->fds_n > 0)
		(void)close(m->fds[--m->fds_n]);
}

/* Every descriptor the kernel has given us must be kept or closed. */
static void
take_fds(struct msghdr *h, struct ipc_msg *ret)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c != NULL;
	     c = CMSG_NXTHDR(h, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			if (ret->fds_n < IPC_FDS)
				ret->fds[ret->fds_n++] = fd;
			else
				(void)close(fd);
		}
	}
}

err
ipc_recv(const struct ipc_end *e, int ms, char *buf, size_t buf_n,
    struct ipc_msg *ret)
{
	unsigned char head[HEADER] = {0};
	struct iovec iov[2] = {{head, HEADER}, {buf, buf_n}};
	union control c;
	struct msghdr h = {.msg_iov = iov,
	    .msg_iovlen = 2,
	    .msg_control = c.bytes,
	    .msg_controllen = sizeof c.bytes};
	struct ipc_msg m = {0};
	size_t type;
	ssize_t n;

	TRY(readable(e->fd, ms));
	do
		n = recvmsg(e->fd, &h, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return err_of(E_UNAVAILABLE);
	take_fds(&h, &m);
	type = (size_t)(head[0] << 8 | head[1]);
	if ((h.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || n < HEADER ||
	    head[2] != 0 || head[3] != 0 ||
	    !allowed(e->peer, e->self, type, (size_t)n - HEADER, m.fds_n)) {
		ipc_msg_drop(&m);
		return err_of(E_PEER);
	}
	m.type = (enum ipc_type)type;
	m.body = str_of(buf, (size_t)n - HEADER);
	*ret = m;
	return OK;
}

static err
call(const struct ipc_end *e, enum ipc_type ask, struct str body,
    enum ipc_type answer, int ms, char *buf, size_t buf_n, struct ipc_msg *ret)
{
	TRY(ipc_send(e, ask, body, NULL, 0));
	TRY(ipc_recv(e, ms, buf, buf_n, ret));
	if (ret->type == answer)
		return OK;
	ipc_msg_drop(ret);
	return err_of(E_PEER);
}

err
ipc_call(const struct ipc_end *e, enum ipc_type ask, struct str body,
    enum ipc_type answer, int ms, char *buf, size_t buf_n, struct ipc_msg *ret)
{
	struct ipc_msg m;
	err x = call(e, ask, body, answer, ms, buf, buf_n, &m);

	if (err_ok(x))
		*ret = m;
	else
		(void)shutdown(e->fd, SHUT_RDWR);
	return x;
}
