/*
 * broker_wire.c: frames of u32 length over a stream socket; in them numbers
 * and texts (u32 length), read by exact consumption.
 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "delegate/broker_inner.h"

/* ---- texts and numbers ---- */

static void
text_add(struct buf *b, struct str s)
{
	buf_be32(b, (uint32_t)s.n);
	buf_str(b, s);
}

static struct str
text_take(struct cur *c)
{
	return cur_view(c, cur_be32(c));
}

void
message_write(struct buf *b, const struct message *m)
{
	const struct broker_ask *a = &m->ask;

	buf_char(b, (char)m->op);
	buf_be64(b, m->id);
	buf_be64(b, (uint64_t)a->ms);
	text_add(b, a->document);
	text_add(b, a->secret);
	text_add(b, a->action);
	text_add(b, a->params);
	text_add(b, a->outputs);
	text_add(b, a->path);
	text_add(b, a->field);
	buf_char(b, (char)m->documents_n);
	for (size_t i = 0; i < m->documents_n; i++) {
		text_add(b, m->documents[i]);
		text_add(b, m->secrets[i]);
	}
}

bool
message_read(struct str in, struct message *ret)
{
	struct cur c = cur_of(in);
	struct message m = {.op = (enum broker_op)cur_u8(&c)};
	struct broker_ask *a = &m.ask;

	m.id = cur_be64(&c);
	a->ms = (int64_t)cur_be64(&c);
	a->document = text_take(&c);
	a->secret = text_take(&c);
	a->action = text_take(&c);
	a->params = text_take(&c);
	a->outputs = text_take(&c);
	a->path = text_take(&c);
	a->field = text_take(&c);
	m.documents_n = cur_u8(&c);
	if (m.documents_n > BROKER_CONNECTORS)
		return false;
	for (size_t i = 0; i < m.documents_n; i++) {
		m.documents[i] = text_take(&c);
		m.secrets[i] = text_take(&c);
	}
	if (!cur_end(&c) || m.op < OP_HTTP || m.op > OP_CANCEL || a->ms < 0)
		return false;
	*ret = m;
	return true;
}

void
event_write(struct buf *b, const struct broker_event *e)
{
	buf_char(b, (char)e->what);
	buf_be64(b, e->id);
	buf_char(b, (char)e->end);
	buf_char(b, e->sent ? 1 : 0);
	buf_be16(b, (uint16_t)e->status);
	buf_be64(b, (uint64_t)e->retry_ms);
	buf_be64(b, e->up);
	buf_be64(b, e->down);
	buf_be16(b, e->port);
	text_add(b, e->host);
	text_add(b, e->address);
	text_add(b, e->detail);
	text_add(b, e->outputs);
	text_add(b, e->value);
}

bool
event_read(struct str in, struct broker_event *ret)
{
	struct cur c = cur_of(in);
	struct broker_event e = {.what = (enum broker_what)cur_u8(&c)};
	uint8_t end, sent;

	e.id = cur_be64(&c);
	end = cur_u8(&c);
	sent = cur_u8(&c);
	e.status = cur_be16(&c);
	e.retry_ms = (int64_t)cur_be64(&c);
	e.up = cur_be64(&c);
	e.down = cur_be64(&c);
	e.port = cur_be16(&c);
	e.host = text_take(&c);
	e.address = text_take(&c);
	e.detail = text_take(&c);
	e.outputs = text_take(&c);
	e.value = text_take(&c);
	if (!cur_end(&c) || e.what > BROKER_RELAY_ENDED || end >= BROKER_ENDS ||
	    sent > 1 || e.retry_ms < 0)
		return false;
	e.end = (enum broker_end)end;
	e.sent = sent == 1;
	*ret = e;
	return true;
}

/* ---- frames ---- */

static bool
write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t k = send(fd, p, n, MSG_NOSIGNAL);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return false;
		p += k;
		n -= (size_t)k;
	}
	return true;
}

static bool
read_all(int fd, char *p, size_t n)
{
	while (n > 0) {
		ssize_t k = read(fd, p, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return false;
		p += k;
		n -= (size_t)k;
	}
	return true;
}

union control {
	struct cmsghdr head;
	char bytes[CMSG_SPACE(sizeof(int))];
};

/* The length, and the descriptor with its first byte. */
static bool
head_send(int fd, unsigned char head[4], int pass)
{
	union control c = {.bytes = {0}};
	struct iovec v = {head, 4};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
	ssize_t n;

	if (pass >= 0) {
		c.head.cmsg_level = SOL_SOCKET;
		c.head.cmsg_type = SCM_RIGHTS;
		c.head.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&c.head), &pass, sizeof pass);
		m.msg_control = c.bytes;
		m.msg_controllen = sizeof c.bytes;
	}
	do
		n = sendmsg(fd, &m, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n > 0 &&
	    (n == 4 || write_all(fd, (char *)head + n, 4 - (size_t)n));
}

err
frame_send(int fd, struct str payload, int pass)
{
	unsigned char head[4] = {(unsigned char)(payload.n >> 24),
	    (unsigned char)(payload.n >> 16), (unsigned char)(payload.n >> 8),
	    (unsigned char)payload.n};

	if (payload.n > LIM_BROKER_FRAME)
		return err_of(E_LIMIT);
	if (!head_send(fd, head, pass) || !write_all(fd, payload.p, payload.n))
		return err_of(E_UNAVAILABLE);
	return OK;
}

static bool
head_recv(int fd, unsigned char head[4], int *ret_fd)
{
	union control c = {.bytes = {0}};
	struct iovec v = {head, 4};
	struct msghdr m = {.msg_iov = &v,
	    .msg_iovlen = 1,
	    .msg_control = c.bytes,
	    .msg_controllen = sizeof c.bytes};
	ssize_t n;

	*ret_fd = -1;
	do
		n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n > 0 && m.msg_controllen >= CMSG_LEN(sizeof(int)) &&
	    c.head.cmsg_level == SOL_SOCKET && c.head.cmsg_type == SCM_RIGHTS &&
	    c.head.cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(ret_fd, CMSG_DATA(&c.head), sizeof *ret_fd);
	return n > 0 &&
	    (n == 4 || read_all(fd, (char *)head + n, 4 - (size_t)n));
}

err
frame_recv(int fd, struct buf *b, int *ret_fd)
{
	unsigned char head[4];
	uint32_t n;

	buf_clear(b);
	if (!head_recv(fd, head, ret_fd))
		return err_of(E_UNAVAILABLE);
	n = (uint32_t)head[0] << 24 | (uint32_t)head[1] << 16 |
	    (uint32_t)head[2] << 8 | head[3];
	if (n > LIM_BROKER_FRAME)
		return err_of(E_PEER);
	if (!buf_room(b, n))
		return err_of(E_NO_MEMORY);
	if (!read_all(fd, b->p, n))
		return err_of(E_UNAVAILABLE);
	b->n = n;
	return OK;
}
