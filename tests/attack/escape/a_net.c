/* The network, without a way out and with one. */
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "escape.h"

enum { MPTCP = 262, SCTP = 132, VSOCK = 40, ALG = 38, ULP = 31 };
enum { FASTOPEN_CONNECT = 30, RELAY = 3128 };

static long
dial(int fd, int port)
{
	struct sockaddr_in to;
	long n;

	if (fd < 0)
		return -1;
	loopback(&to, port);
	n = connect(fd, (struct sockaddr *)&to, sizeof to);
	if (n == 0)
		(void)!write(fd, "x", 1);
	(void)close(fd);
	return n;
}

long
net_tcp(const struct victim *v)
{
	return dial(socket(AF_INET, SOCK_STREAM, 0), v->tcp);
}

long
net_mapped(const struct victim *v)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6,
	    .sin6_port = htons((uint16_t)v->tcp)};
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	if (fd < 0 ||
	    inet_pton(AF_INET6, "::ffff:127.0.0.1", &to.sin6_addr) != 1)
		return -1;
	return connect(fd, (struct sockaddr *)&to, sizeof to);
}

static long
fastopen(int fd, int port)
{
	struct sockaddr_in to;

	if (fd < 0)
		return -1;
	loopback(&to, port);
	return sendto(fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL,
	    (struct sockaddr *)&to, sizeof to);
}

long
net_fastopen(const struct victim *v)
{
	return fastopen(socket(AF_INET, SOCK_STREAM, 0), v->tcp);
}

long
net_mptcp(const struct victim *v)
{
	return dial(socket(AF_INET, SOCK_STREAM, MPTCP), v->tcp);
}

static long
datagram(int port)
{
	struct sockaddr_in to;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	loopback(&to, port);
	return fd < 0
	    ? -1
	    : sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof to);
}

long
net_udp(const struct victim *v)
{
	return datagram(v->udp);
}

long
net_raw(const struct victim *v)
{
	(void)v;
	return socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
}

long
net_ping(const struct victim *v)
{
	(void)v;
	return socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
}

long
net_packet(const struct victim *v)
{
	(void)v;
	return socket(AF_PACKET, SOCK_RAW, 0);
}

long
net_vsock(const struct victim *v)
{
	(void)v;
	return socket(VSOCK, SOCK_STREAM, 0);
}

long
net_alg(const struct victim *v)
{
	(void)v;
	return socket(ALG, SOCK_SEQPACKET, 0);
}

long
net_netlink(const struct victim *v)
{
	(void)v;
	return socket(AF_NETLINK, SOCK_RAW, 0);
}

long
net_sctp(const struct victim *v)
{
	(void)v;
	return socket(AF_INET, SOCK_STREAM, SCTP);
}

long
net_bind(const struct victim *v)
{
	struct sockaddr_in at;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)v;
	loopback(&at, 0);
	return fd < 0 ? -1 : bind(fd, (struct sockaddr *)&at, sizeof at);
}

long
net_listen(const struct victim *v)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)v;
	return fd < 0 ? -1 : listen(fd, 1);
}

static long
dial_unix(const char *name, bool abstract)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t n = strlen(name), at = abstract ? 1 : 0;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (n > sizeof to.sun_path - 2)
		return refused(ENAMETOOLONG);
	memcpy(to.sun_path + at, name, n);
	return fd < 0
	    ? -1
	    : connect(fd, (struct sockaddr *)&to,
		  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + 1));
}

long
net_abstract(const struct victim *v)
{
	return dial_unix(v->abs, true);
}

long
net_pathname(const struct victim *v)
{
	char path[160];

	(void)snprintf(path, sizeof path, "%s/sock", v->dir);
	return dial_unix(path, false);
}

/* Nobody inside may even have one. */
long
step_abstract(const struct victim *v)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX, .sun_path = "\0step"};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)v;
	if (dial_unix("step", true) == 0)
		return 0;
	return fd < 0 ? -1 : bind(fd, (struct sockaddr *)&at, sizeof at);
}

/* Another step's listener has the same address in another namespace. */
long
step_egress(const struct victim *v)
{
	(void)v;
	return dial(socket(AF_INET, SOCK_STREAM, 0), RELAY);
}

/* A descriptor of ours to a socket of the victim's. */
long
fd_scm(const struct victim *v)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	union {
		struct cmsghdr h;
		char space[CMSG_SPACE(sizeof(int))];
	} c = {.space = {0}};
	struct iovec i = {(void *)(uintptr_t) "x", 1};
	struct msghdr m = {.msg_name = &to,
	    .msg_namelen = sizeof to,
	    .msg_iov = &i,
	    .msg_iovlen = 1,
	    .msg_control = &c,
	    .msg_controllen = sizeof c};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), zero = 0;

	(void)snprintf(to.sun_path, sizeof to.sun_path, "%.90s/sock", v->dir);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
		return -1;
	c.h.cmsg_level = SOL_SOCKET;
	c.h.cmsg_type = SCM_RIGHTS;
	c.h.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&c.h), &zero, sizeof zero);
	m.msg_name = NULL;
	m.msg_namelen = 0;
	return sendmsg(fd, &m, MSG_NOSIGNAL);
}

/* ---- with a way out ---- */

static int
tcp(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

long
eg_other_port(const struct victim *v)
{
	return dial(tcp(), v->tcp);
}

long
eg_fastopen(const struct victim *v)
{
	return fastopen(tcp(), v->tcp);
}

static long
option(int level, int name, const void *value, socklen_t n)
{
	int fd = tcp();

	/* Not even the ordinary way: the attempt would prove nothing. */
	if (fd < 0)
		return 0;
	return setsockopt(fd, level, name, value, n);
}

long
eg_fastopen_opt(const struct victim *v)
{
	int one = 1;

	(void)v;
	return option(IPPROTO_TCP, FASTOPEN_CONNECT, &one, sizeof one);
}

long
eg_ulp(const struct victim *v)
{
	(void)v;
	return option(IPPROTO_TCP, ULP, "tls", 3);
}

long
eg_mptcp(const struct victim *v)
{
	(void)v;
	return socket(AF_INET, SOCK_STREAM, MPTCP);
}

long
eg_udp(const struct victim *v)
{
	return datagram(v->udp);
}

long
eg_v6(const struct victim *v)
{
	(void)v;
	return socket(AF_INET6, SOCK_STREAM, 0);
}

long
eg_raw(const struct victim *v)
{
	(void)v;
	return socket(AF_INET, SOCK_RAW, IPPROTO_TCP);
}

long
eg_route(const struct victim *v)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(80)};

	(void)v;
	(void)inet_pton(AF_INET, "169.254.169.254", &to.sin_addr);
	return connect(tcp(), (struct sockaddr *)&to, sizeof to);
}

long
eg_listen(const struct victim *v)
{
	struct sockaddr_in at;
	int fd = tcp(), one = 1;

	(void)v;
	loopback(&at, RELAY);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
	if (bind(fd, (struct sockaddr *)&at, sizeof at) == 0)
		return 0;
	return listen(tcp(), 1);
}

long
eg_netlink(const struct victim *v)
{
	(void)v;
	return socket(AF_NETLINK, SOCK_RAW, 0);
}
