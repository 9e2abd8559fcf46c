/*
 * The warden of one step, outside its namespaces: makes pid 1, keeps the
 * time, takes orders, kills, collects, cleans up, reports.  It ends when
 * nothing of the step is left.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/time.h"
#include "delegate/cell.h"
#include "delegate/collect.h"
#include "delegate/event.h"

enum { MS = 1000, KIB = 1024, NEVER = -1 };

struct warden {
	struct cell *cell;
	struct cgroup group;
	int sock; /* of the zygote: the step comes from there */
	int link, control, pidfd, signals;
	pid_t init;
	int job;	  /* of the sandbox; -1 */
	int64_t begun;	  /* ms, monotonic */
	int64_t deadline; /* of the next act; NEVER */
	bool terminating; /* SIGTERM was sent */
	bool decided;	  /* end is known */
	struct event_wire end;
};

static int64_t
now_ms(void)
{
	return time_mono_us() / MS;
}

static void
tell(struct warden *w, const struct event_wire *ev, int fd)
{
	struct iovec v = {(void *)(uintptr_t)ev, sizeof *ev};
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} c = {.space = {0}};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};

	if (fd >= 0) {
		struct cmsghdr *h;

		m.msg_control = &c;
		m.msg_controllen = sizeof c;
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(h), &fd, sizeof fd);
	}
	(void)sendmsg(w->control, &m, MSG_NOSIGNAL);
}

/* The first reason stays. */
static void
decide(struct warden *w, enum sandbox_end end, const char *why)
{
	if (w->decided)
		return;
	w->decided = true;
	w->end.end = end;
	if (*why != 0)
		trail_set(&w->end.detail, "%s", why);
}

static void
refuse(struct warden *w, const struct trail *t)
{
	w->decided = false;
	memset(&w->end.detail, 0, sizeof w->end.detail);
	decide(w, SANDBOX_REFUSED, t->detail);
}

/* ---- making pid 1 ---- */

static bool
write_map(pid_t pid, const char *file, const char *text)
{
	char path[64];

	(void)snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
	return cell_put(path, text);
}

static err
map_ids(const struct warden *w, struct trail *t)
{
	char uid[64], gid[64];

	(void)snprintf(uid, sizeof uid, "%d %u 1", SANDBOX_UID, w->cell->uid);
	(void)snprintf(gid, sizeof gid, "%d %u 1", SANDBOX_UID, w->cell->gid);
	if (!write_map(w->init, "setgroups", "deny") ||
	    !write_map(w->init, "uid_map", uid) ||
	    !write_map(w->init, "gid_map", gid))
		return cell_failed(t, "the maps of the user namespace");
	return OK;
}

/*
 * The mounts go when we do, after the report: pid 1 does not die before they
 * have gone, if it is the last to have them.  Nobody needs them to be held.
 */
static void
hold_mounts(const struct warden *w)
{
	char path[64];

	(void)snprintf(path, sizeof path, "/proc/%d/ns/mnt", w->init);
	(void)open(path, O_RDONLY | O_CLOEXEC);
}

/* glibc has no wrapper: it could not know its child. */
static pid_t
clone_init(int *ret_pidfd)
{
	struct clone_args a = {.flags = CLONE_NEWUSER | CLONE_NEWNS |
		CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
		CLONE_NEWCGROUP | CLONE_PIDFD,
	    .pidfd = (uint64_t)(uintptr_t)ret_pidfd,
	    .exit_signal = SIGCHLD};

	return (pid_t)syscall(SYS_clone3, &a, sizeof a);
}

static err
start_init(struct warden *w, struct trail *t)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return cell_failed(t, "socketpair");
	w->link = pair[0];
	w->cell->link = pair[1];
	/* Root's groups are not the step's. */
	if (w->cell->privileged && setgroups(0, NULL) != 0)
		return cell_failed(t, "setgroups");
	if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0)
		return cell_failed(t, "prctl");
	if (!cgroup_doors(&w->group, w->cell->doors))
		return cell_failed(t, "a cgroup cannot be entered");
	w->init = clone_init(&w->pidfd);
	if (w->init == 0) {
		(void)close(w->link);
		(void)close(w->sock);
		(void)close(w->signals);
		init_main(w->cell);
	}
	cgroup_doors_close(w->cell->doors);
	(void)close(w->cell->link);
	if (w->init < 0)
		return cell_failed(t, "namespaces");
	TRY(map_ids(w, t));
	hold_mounts(w);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (!cgroup_enter(&w->group, w->init))
		return cell_failed(t, "a cgroup cannot be entered");
	if (send(w->link, &(char){ORDER_MAPPED}, 1, MSG_NOSIGNAL) != 1)
		return cell_failed(t, "pid 1");
	return OK;
}

static err
prepare(struct warden *w, const struct cgroups *groups, unsigned slot,
    struct trail *t)
{
	const int bytes = 2 * LIM_STEP_SPEC;

	if (!cgroup_make(groups, slot, &w->group))
		return cell_failed(t, "a cgroup cannot be made");
	TRY(start_init(w, t));
	(void)setsockopt(w->link, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
	return OK;
}

/* ---- the step ---- */

static char packet[LIM_STEP_SPEC];

/* False: there will be none. */
static bool
await_step(struct warden *w, size_t *ret_n, int fds[PACKET_FDS],
    size_t *ret_fds_n)
{
	struct pollfd p[2] = {{w->sock, POLLIN, 0}, {w->signals, POLLIN, 0}};
	ssize_t n;

	while (poll(p, 2, -1) < 0 && errno == EINTR)
		;
	if (p[1].revents != 0)
		return false;
	n = packet_receive(w->sock, packet, sizeof packet, fds, ret_fds_n);
	if (n <= 0 || *ret_fds_n <= SPEC_CONTROL)
		return false;
	w->control = fds[SPEC_CONTROL];
	*ret_n = (size_t)n;
	return true;
}

/* Its limits, and on to pid 1; what it says when it has ended already is
 * read later. */
static err
begin(struct warden *w, size_t n, const int *fds, size_t fds_n, struct trail *t)
{
	struct step *s = w->cell->step;

	if (!err_ok(spec_read(str_of(packet, n), fds, fds_n, s))) {
		trail_set(t, "the packet is bent");
		return err_of(E_PEER);
	}
	if (!cgroup_limit(&w->group, &s->limits))
		return cell_failed(t, "the limits of a cgroup cannot be set");
	w->begun = now_ms();
	w->deadline = w->begun + (int64_t)s->limits.wall_s * MS;
	(void)packet_send(w->link, str_of(packet, n), fds, fds_n);
	return OK;
}

static err
run(struct warden *w, const struct trail *prepared, struct trail *t)
{
	int fds[PACKET_FDS];
	size_t n = 0, fds_n = 0;
	err e;

	if (!await_step(w, &n, fds, &fds_n)) {
		trail_set(t, "no step came");
		return err_of(E_UNAVAILABLE);
	}
	w->begun = now_ms();
	if (prepared->detail[0] != 0) {
		*t = *prepared;
		e = err_of(E_DENIED);
	} else {
		e = begin(w, n, fds, fds_n, t);
	}
	for (size_t i = 0; i < fds_n; i++)
		if (i != SPEC_CONTROL)
			(void)close(fds[i]);
	return e;
}

/* ---- what happens ---- */

static void
kill_now(struct warden *w)
{
	if (w->pidfd >= 0)
		(void)syscall(SYS_pidfd_send_signal, w->pidfd, SIGKILL, NULL,
		    0);
	w->deadline = NEVER;
}

static void
terminate(struct warden *w)
{
	if (w->terminating)
		return;
	w->terminating = true;
	w->deadline = now_ms() + SANDBOX_GRACE_MS;
	(void)send(w->link, &(char){ORDER_TERM}, 1, MSG_NOSIGNAL);
}

static void
on_deadline(struct warden *w)
{
	if (w->deadline == NEVER || now_ms() < w->deadline)
		return;
	if (w->terminating) {
		kill_now(w);
		return;
	}
	decide(w, SANDBOX_TIMED_OUT, "");
	terminate(w);
}

static void
on_control(struct warden *w)
{
	char order = EVENT_KILL;
	ssize_t n = recv(w->control, &order, 1, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	decide(w, SANDBOX_CANCELLED, "");
	if (n == 1 && order == EVENT_TERM)
		terminate(w);
	else
		kill_now(w);
}

/* How the payload ended, of the status wait gave for it. */
static void
ended(struct warden *w, int status)
{
	bool forbidden = WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;

	w->end.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	w->end.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	decide(w,
	    WIFEXITED(status) ? SANDBOX_EXITED
		: forbidden   ? SANDBOX_FORBIDDEN
			      : SANDBOX_SIGNALLED,
	    "");
}

/* False: there is none. */
static bool
on_note(struct warden *w)
{
	struct event_wire ev = {.what = SANDBOX_STARTED};
	struct trail t = {{0}};
	struct note n = {.status = 0};
	int fds[2];
	size_t fds_n = 0;
	int got = note_receive(w->link, &n, fds, &fds_n);

	if (got == 0)
		kill_now(w);
	if (got != 1)
		return false;
	switch (n.kind) {
	case NOTE_STARTED:
		w->job = fds_n > 0 ? fds[0] : -1;
		ev.has_fd = fds_n > 1;
		tell(w, &ev, fds_n > 1 ? fds[1] : -1);
		if (fds_n > 1)
			(void)close(fds[1]);
		return true;
	case NOTE_FAILED:
		trail_set(&t, "%s", n.text);
		refuse(w, &t);
		break;
	case NOTE_ENDED:
		ended(w, n.status);
		break;
	case NOTE_MEMORY:
		decide(w, SANDBOX_MEMORY, "");
		break;
	}
	kill_now(w);
	return true;
}

static int
wait_ms(const struct warden *w)
{
	int64_t left;

	if (w->deadline == NEVER)
		return -1;
	left = w->deadline - now_ms();
	return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

/* Until pid 1, and with it everything, is dead. */
static void
watch_over(struct warden *w)
{
	struct pollfd p[4] = {{w->link, POLLIN, 0}, {w->control, POLLIN, 0},
	    {w->pidfd, POLLIN, 0}, {w->signals, POLLIN, 0}};

	for (;;) {
		(void)poll(p, 4, wait_ms(w));
		while (p[0].revents != 0 && on_note(w))
			;
		if ((p[0].revents & POLLHUP) != 0)
			p[0].fd = -1;
		if ((p[2].revents & POLLIN) != 0) {
			/* What it said last may have come after it. */
			while (on_note(w))
				;
			return;
		}
		if (p[1].revents != 0) {
			on_control(w);
			if ((p[1].revents & (POLLHUP | POLLERR)) != 0)
				p[1].fd = -1;
		}
		/* The zygote ends, or has ended. */
		if ((p[3].revents & POLLIN) != 0) {
			decide(w, SANDBOX_CANCELLED, "");
			kill_now(w);
			p[3].fd = -1;
		}
		on_deadline(w);
	}
}

/* ---- the end ---- */

static void
account(struct warden *w)
{
	struct rusage r;
	struct cgroup_usage u;
	int status = 0;

	memset(&r, 0, sizeof r);
	while (
	    w->init > 0 && wait4(w->init, &status, 0, &r) < 0 && errno == EINTR)
		;
	cgroup_usage(&w->group, &u);
	w->end.wall_ms = now_ms() - w->begun;
	w->end.cpu_ms = (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * MS +
	    (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / MS;
	w->end.memory = u.memory != 0 ? u.memory : r.ru_maxrss * KIB;
	if (u.oom && w->decided && w->end.end == SANDBOX_SIGNALLED &&
	    w->end.signal == SIGKILL)
		w->end.end = SANDBOX_MEMORY;
	/* Pid 1 itself was the victim, or it was killed from outside. */
	decide(w, u.oom ? SANDBOX_MEMORY : SANDBOX_LOST, "");
}

static void
report(struct warden *w)
{
	const struct sandbox_limits *l = &w->cell->step->limits;
	size_t n = 0;
	int fd = -1;

	w->end.what = SANDBOX_ENDED;
	w->end.outputs_kind = SANDBOX_NO_OUTPUTS;
	if (w->job >= 0)
		w->end.outputs_kind = collect(w->job,
		    (size_t)l->outputs_kb * KIB, &w->end.detail, &fd, &n);
	w->end.outputs_n = n;
	w->end.has_fd = fd >= 0;
	tell(w, &w->end, fd);
}

static int
signals_as_file(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

_Noreturn void
warden_main(struct cell *c, struct cgroups *groups, unsigned slot, int sock)
{
	struct warden w = {.cell = c,
	    .sock = sock,
	    .control = -1,
	    .link = -1,
	    .pidfd = -1,
	    .signals = signals_as_file(),
	    .job = -1,
	    .deadline = NEVER,
	    .end = {.status = -1}};
	struct trail prepared = {{0}}, t = {{0}};
	pid_t parent = getppid();
	err e;

	(void)prctl(PR_SET_NAME, "redoubt-warden", 0, 0, 0);
	e = prepare(&w, groups, slot, &prepared);
	if (err_ok(e))
		memset(&prepared, 0, sizeof prepared);
	e = run(&w, &prepared, &t);
	if (!err_ok(e)) {
		refuse(&w, &t);
		kill_now(&w);
	}
	if (w.pidfd >= 0)
		watch_over(&w);
	account(&w);
	if (w.control >= 0)
		report(&w);
	/* The slot is free when we are gone: nobody waits for this. */
	cgroup_remove(&w.group);
	/* Our zygote was killed: nobody else tidies up. */
	if (getppid() != parent)
		cgroups_close(groups);
	_exit(0);
}
