/* What zygote, wardens and pid 1 say to each other. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "delegate/cell.h"

enum { NOTE_FDS = 2 };

union control {
	struct cmsghdr align;
	char space[CMSG_SPACE(NOTE_FDS * sizeof(int))];
};

bool
note_send(int link, const struct note *n, const int *fds, size_t fds_n)
{
	struct note copy = *n;
	struct iovec v = {&copy, sizeof copy};
	union control c = {.space = {0}};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};

	BUG_ON(fds_n > NOTE_FDS);
	if (fds_n > 0) {
		struct cmsghdr *h;

		m.msg_control = &c;
		m.msg_controllen = CMSG_SPACE(fds_n * sizeof(int));
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(fds_n * sizeof(int));
		memcpy(CMSG_DATA(h), fds, fds_n * sizeof(int));
	}
	return sendmsg(link, &m, MSG_NOSIGNAL) == (ssize_t)sizeof copy;
}

int
note_receive(int link, struct note *ret, int fds[2], size_t *ret_fds_n)
{
	struct iovec v = {ret, sizeof *ret};
	union control c = {.space = {0}};
	struct msghdr m = {.msg_iov = &v,
	    .msg_iovlen = 1,
	    .msg_control = &c,
	    .msg_controllen = sizeof c};
	ssize_t n = recvmsg(link, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	struct cmsghdr *h;

	*ret_fds_n = 0;
	if (n == 0)
		return 0;
	if (n < 0)
		return errno == ECONNRESET ? 0 : -1;
	h = CMSG_FIRSTHDR(&m);
	if (h != NULL && h->cmsg_type == SCM_RIGHTS) {
		*ret_fds_n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(h), *ret_fds_n * sizeof(int));
	}
	if (n != (ssize_t)sizeof *ret || (m.msg_flags & MSG_CTRUNC) != 0)
		return -1;
	ret->text[sizeof ret->text - 1] = 0;
	return 1;
}

union packet_control {
	struct cmsghdr align;
	char space[CMSG_SPACE(PACKET_FDS * sizeof(int))];
};

bool
packet_send(int to, struct str packet, const int *fds, size_t fds_n)
{
	struct iovec v = {(void *)(uintptr_t)packet.p, packet.n};
	union packet_control c = {.space = {0}};
	struct msghdr m = {.msg_iov = &v,
	    .msg_iovlen = 1,
	    .msg_control = &c,
	    .msg_controllen = CMSG_SPACE(fds_n * sizeof(int))};
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);
	ssize_t n;

	if (h == NULL || fds_n > PACKET_FDS)
		return false;
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(fds_n * sizeof(int));
	memcpy(CMSG_DATA(h), fds, fds_n * sizeof(int));
	do
		n = sendmsg(to, &m, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)packet.n;
}

ssize_t
packet_receive(int from, char *buf, size_t max, int fds[PACKET_FDS],
    size_t *ret_fds_n)
{
	struct iovec v = {buf, max};
	union packet_control c;
	struct msghdr m = {.msg_iov = &v,
	    .msg_iovlen = 1,
	    .msg_control = &c,
	    .msg_controllen = sizeof c};
	ssize_t n;
	struct cmsghdr *h;

	*ret_fds_n = 0;
	do
		n = recvmsg(from, &m, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	h = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
	if (h != NULL && h->cmsg_type == SCM_RIGHTS) {
		*ret_fds_n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(h), *ret_fds_n * sizeof(int));
	}
	/* Cut off: nothing that spec_read would take. */
	if (n > 0 && (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
		return 1;
	return n;
}
