/* The delegate's side of sandbox.h. */
#include "delegate/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/time.h"
#include "delegate/cell.h"
#include "delegate/event.h"
#include "delegate/zygote.h"

enum {
	HELLO_MS = 10000,
	TRIAL_MS = 20000,
	STOP_MS = 15000,
	SEND_S = 5,
	MS = 1000,
	SOCKET_BYTES = 512 * 1024,
};

struct zygote {
	int sock;
	pid_t pid;
	enum cgroup_level level;
};

static const struct {
	const char *code, *meaning;
} ends[] = {
#define SANDBOX_END(name, code, meaning) {code, meaning},
#include "delegate/sandbox_ends.def"
#undef SANDBOX_END
};

const char *
sandbox_end_code(enum sandbox_end e)
{
	return ends[e].code;
}

const char *
sandbox_end_meaning(enum sandbox_end e)
{
	return ends[e].meaning;
}

int
zygote_pid(const struct zygote *z)
{
	return z->pid;
}

const char *
zygote_level(const struct zygote *z)
{
	return cgroup_level_name(z->level);
}

static err
no(struct trail *t, const char *what)
{
	trail_set(t, "%s: %s", what, strerror(errno));
	return err_of(E_UNAVAILABLE);
}

static void
shut(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

/* ---- starting and stopping ---- */

static err
hello(struct zygote *z, struct trail *t)
{
	struct pollfd p = {z->sock, POLLIN, 0};
	struct zygote_hello h;
	int n;

	do
		n = poll(&p, 1, HELLO_MS);
	while (n < 0 && errno == EINTR);
	if (n != 1 ||
	    recv(z->sock, &h, sizeof h, MSG_DONTWAIT) != (ssize_t)sizeof h) {
		trail_set(t, "the zygote does not answer");
		return err_of(E_DENIED);
	}
	if (!h.good) {
		trail_set(t, "sandbox: %s", h.detail.detail);
		return err_of(E_DENIED);
	}
	z->level = h.level;
	return OK;
}

/* One step that does nothing, with everything a sandbox has. */
static err
trial(struct zygote *z, struct trail *t)
{
	const struct str argv[] = {STR("/usr/bin/true")};
	const struct sandbox_spec s = {.id = STR("trial"),
	    .argv = argv,
	    .argv_n = 1,
	    .egress = true,
	    .limits = {.wall_s = TRIAL_MS / MS}};
	struct sandbox_event ev = {.what = SANDBOX_STARTED, .egress = -1};
	struct sandbox b;
	err e = zygote_run(z, &s, t, &b);

	while (err_ok(e) && ev.what != SANDBOX_ENDED) {
		e = sandbox_next(&b, TRIAL_MS, &ev);
		if (err_ok(e) && ev.egress >= 0)
			(void)close(ev.egress);
	}
	sandbox_done(&b);
	if (err_ok(e) && (ev.end != SANDBOX_EXITED || ev.status != 0)) {
		trail_set(t, "sandbox: %s",
		    *ev.detail.detail != 0 ? ev.detail.detail
					   : sandbox_end_meaning(ev.end));
		return err_of(E_DENIED);
	}
	return err_ok(e) ? OK : err_of(E_DENIED);
}

static err
launch(const struct zygote_conf *c, struct zygote *z, struct trail *t)
{
	const int bytes = SOCKET_BYTES;
	const struct timeval patience = {SEND_S, 0};
	pid_t self = getpid();
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return no(t, "socketpair");
	z->sock = pair[0];
	(void)setsockopt(z->sock, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
	(void)setsockopt(z->sock, SOL_SOCKET, SO_SNDTIMEO, &patience,
	    sizeof patience);
	z->pid = fork();
	if (z->pid == 0)
		zygote_main(c, pair[1], self);
	(void)close(pair[1]);
	if (z->pid < 0)
		return no(t, "fork");
	TRY(hello(z, t));
	return trial(z, t);
}

err
zygote_start(const struct zygote_conf *c, struct trail *t, struct zygote **ret)
{
	struct zygote *z;
	err e;

	if (c->paths_n > SANDBOX_PATHS) {
		trail_set(t, "at most %d tool directories", SANDBOX_PATHS);
		return err_of(E_INVALID);
	}
	z = mem_new(1, sizeof *z);
	if (z == NULL)
		return err_of(E_NO_MEMORY);
	z->sock = -1;
	e = launch(c, z, t);
	if (err_ok(e))
		*ret = z;
	else
		(void)zygote_stop(z);
	return e;
}

struct zygote *
zygote_stop(struct zygote *z)
{
	const struct timespec pause = {0, 1000000};
	int64_t until = time_mono_us() + (int64_t)STOP_MS * MS;
	int status;

	if (z == NULL)
		return NULL;
	shut(&z->sock);
	while (z->pid > 0 && waitpid(z->pid, &status, WNOHANG) == 0) {
		if (time_mono_us() > until)
			(void)kill(z->pid, SIGKILL);
		(void)nanosleep(&pause, NULL);
	}
	mem_free(z);
	return NULL;
}

/* ---- what a step is given ---- */

struct parcel {
	int fds[SPEC_FDS]; /* to send */
	size_t n;
	int control, out, err; /* to keep */
};

static void
parcel_drop(struct parcel *p, bool all)
{
	for (size_t i = 0; i < p->n; i++)
		shut(&p->fds[i]);
	p->n = 0;
	if (!all)
		return;
	shut(&p->control);
	shut(&p->out);
	shut(&p->err);
}

static err
add_pipe(struct parcel *p, int *ret_read, struct trail *t)
{
	int pair[2];

	if (pipe2(pair, O_CLOEXEC) != 0)
		return no(t, "pipe");
	*ret_read = pair[0];
	p->fds[p->n++] = pair[1];
	return OK;
}

static bool
write_all(int fd, struct str s)
{
	while (s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		s = str_skip(s, (size_t)n);
	}
	return true;
}

static err
add_script(struct parcel *p, struct str script, struct trail *t)
{
	int fd = memfd_create("redoubt-script", MFD_CLOEXEC);

	if (fd < 0)
		return no(t, "memfd_create");
	p->fds[p->n++] = fd;
	return write_all(fd, script) ? OK : no(t, "the script");
}

/* Read once, never a file: what a pipe has given is gone. */
static err
add_secret(struct parcel *p, struct str secret, struct trail *t)
{
	int pair[2];
	bool good;

	if (pipe2(pair, O_CLOEXEC) != 0)
		return no(t, "pipe");
	p->fds[p->n++] = pair[0];
	good = fcntl(pair[1], F_SETFL, O_NONBLOCK) == 0 &&
	    write_all(pair[1], secret);
	(void)close(pair[1]);
	return good ? OK : no(t, "a secret");
}

static err
pack(const struct sandbox_spec *s, struct parcel *p, struct trail *t)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return no(t, "socketpair");
	p->control = pair[0];
	p->fds[p->n++] = pair[1];
	TRY(add_pipe(p, &p->out, t));
	TRY(add_pipe(p, &p->err, t));
	if (s->script.n > 0)
		TRY(add_script(p, s->script, t));
	for (size_t i = 0; i < s->secrets_n; i++)
		TRY(add_secret(p, s->secrets[i], t));
	return OK;
}

err
zygote_run(struct zygote *z, const struct sandbox_spec *s, struct trail *t,
    struct sandbox *ret)
{
	struct parcel p = {.control = -1, .out = -1, .err = -1};
	struct buf b;
	err e;

	*ret = (struct sandbox){-1, -1, -1};
	buf_init(&b, LIM_STEP_SPEC);
	e = spec_write(s, t, &b);
	if (err_ok(e))
		e = pack(s, &p, t);
	if (err_ok(e) && !packet_send(z->sock, buf_view(&b), p.fds, p.n))
		e = no(t, "the zygote");
	buf_done(&b);
	parcel_drop(&p, !err_ok(e));
	if (err_ok(e))
		*ret = (struct sandbox){p.control, p.out, p.err};
	return e;
}

/* ---- what it tells ---- */

static void
lost(struct sandbox_event *ret)
{
	*ret = (struct sandbox_event){.what = SANDBOX_ENDED,
	    .egress = -1,
	    .end = SANDBOX_LOST,
	    .status = -1,
	    .outputs = -1};
}

static err
unpack(const struct event_wire *w, int fd, struct sandbox_event *ret)
{
	if (w->what > SANDBOX_ENDED || w->end >= SANDBOX_ENDS ||
	    w->outputs_kind > SANDBOX_BAD_OUTPUTS) {
		shut(&fd);
		return err_of(E_PEER);
	}
	*ret = (struct sandbox_event){.what = (enum sandbox_what)w->what,
	    .egress = w->what == SANDBOX_STARTED ? fd : -1,
	    .end = (enum sandbox_end)w->end,
	    .status = w->status,
	    .signal = w->signal,
	    .wall_ms = w->wall_ms,
	    .cpu_ms = w->cpu_ms,
	    .memory = w->memory,
	    .outputs_kind = (enum sandbox_outputs)w->outputs_kind,
	    .outputs = w->what == SANDBOX_ENDED ? fd : -1,
	    .outputs_n = w->outputs_n,
	    .detail = w->detail};
	ret->detail.detail[sizeof ret->detail.detail - 1] = 0;
	return OK;
}

err
sandbox_next(struct sandbox *s, int ms, struct sandbox_event *ret)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} c = {.space = {0}};
	struct event_wire w;
	struct iovec v = {&w, sizeof w};
	struct msghdr m = {.msg_iov = &v,
	    .msg_iovlen = 1,
	    .msg_control = &c,
	    .msg_controllen = sizeof c};
	struct pollfd p = {s->control, POLLIN, 0};
	struct cmsghdr *h;
	int fd = -1;
	ssize_t n;

	if (s->control < 0)
		return err_of(E_UNAVAILABLE);
	if (poll(&p, 1, ms) <= 0)
		return err_of(E_TIMEOUT);
	n = recvmsg(s->control, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return err_of(E_TIMEOUT);
	h = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
	if (h != NULL && h->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(h), sizeof fd);
	if (n != (ssize_t)sizeof w) {
		lost(ret);
		return OK;
	}
	return unpack(&w, fd, ret);
}

void
sandbox_kill(struct sandbox *s, bool now)
{
	char order = now ? EVENT_KILL : EVENT_TERM;

	if (s->control >= 0)
		(void)send(s->control, &order, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void
sandbox_done(struct sandbox *s)
{
	shut(&s->control);
	shut(&s->out);
	shut(&s->err);
}
