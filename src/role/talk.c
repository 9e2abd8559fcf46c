#include "role/talk.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/json.h"
#include "base/time.h"

/* Until fd is ready or the time is up; until 0: for ever. */
static err
ready(int fd, short what, int64_t until_us)
{
	struct pollfd p = {.fd = fd, .events = what};

	for (;;) {
		int64_t left = until_us - time_mono_us();
		int n;

		if (until_us != 0 && left <= 0)
			return err_of(E_TIMEOUT);
		n = poll(&p, 1, until_us == 0 ? -1 : (int)(left / 1000) + 1);
		if (n > 0)
			return OK;
		if (n < 0 && errno != EINTR)
			return err_of(E_UNAVAILABLE);
	}
}

static int64_t
deadline(int ms)
{
	return ms < 0 ? 0 : time_mono_us() + (int64_t)ms * 1000;
}

err
talk_hear(int fd, int ms, struct buf *b)
{
	int64_t until = deadline(ms);
	char part[4096];

	for (;;) {
		const char *end;
		ssize_t n;
		size_t got;

		TRY(ready(fd, POLLIN, until));
		n = recv(fd, part, sizeof part, 0);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return err_of(E_UNAVAILABLE);
		got = (size_t)n;
		end = memchr(part, '\n', got);
		if (end != NULL)
			got = (size_t)(end - part);
		buf_add(b, part, got);
		if (b->failed)
			return err_of(E_TOO_LARGE);
		if (end != NULL)
			return err_of(got + 1 == (size_t)n ? E_OK : E_PEER);
	}
}

static err
say(int fd, int64_t until, struct str s)
{
	while (s.n > 0) {
		ssize_t n;

		TRY(ready(fd, POLLOUT, until));
		n = send(fd, s.p, s.n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return err_of(E_UNAVAILABLE);
		s = str_skip(s, (size_t)n);
	}
	return OK;
}

err
talk_say(int fd, int ms, struct str s)
{
	int64_t until = deadline(ms);

	TRY(say(fd, until, s));
	return say(fd, until, STR("\n"));
}

err
talk_put(int fd, int ms, struct str s)
{
	return say(fd, deadline(ms), s);
}

err
talk_get(int fd, int ms, void *ret, size_t n)
{
	int64_t until = deadline(ms);
	char *p = ret;

	while (n > 0) {
		ssize_t got;

		TRY(ready(fd, POLLIN, until));
		got = recv(fd, p, n, 0);
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got <= 0)
			return err_of(E_UNAVAILABLE);
		p += got;
		n -= (size_t)got;
	}
	return OK;
}

bool
talk_may(int fd, uid_t *ret_uid)
{
	struct ucred c;
	socklen_t n = sizeof c;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &n) != 0)
		return false;
	*ret_uid = c.uid;
	return c.uid == 0 || c.uid == geteuid();
}

void
talk_refuse(int fd, err e, const struct trail *t)
{
	char room[512];
	struct buf b = {.p = room, .cap = sizeof room, .max = sizeof room};
	struct jw w;

	jw_init(&w, &b);
	jw_obj(&w);
	jw_kstr(&w, "error", str_c(err_name(e)));
	jw_kstr(&w, "detail",
	    str_c(t->detail[0] != '\0' ? t->detail : err_text(e)));
	jw_obj_end(&w);
	err_ignore(talk_say(fd, TALK_MS, buf_view(&b)),
	    "who does not listen has no use for it");
}
