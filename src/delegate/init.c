/*
 * Pid 1 of a sandbox.  It makes the root and the network, forks the payload,
 * and stays: it reaps what the payload leaves, tells the warden how it
 * ended, and when it goes the kernel kills everything in its namespace.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "delegate/cell.h"
#include "delegate/watch.h"

enum { BACKLOG = 64, WATCH_MS = 25, STACK = 64 * 1024 };

/* ---- who we are ---- */

static err
wait_for_maps(const struct cell *c, struct trail *t)
{
	char order = 0;
	ssize_t n;

	do
		n = read(c->link, &order, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1 || order != ORDER_MAPPED) {
		trail_set(t, "the warden is gone");
		return err_of(E_DENIED);
	}
	return OK;
}

/* What is to be run. A spare that is not wanted ends here. */
static err
take_step(const struct cell *c, struct trail *t)
{
	static char packet[LIM_STEP_SPEC];
	int fds[PACKET_FDS];
	size_t fds_n;
	ssize_t n = packet_receive(c->link, packet, sizeof packet, fds, &fds_n);

	if (n <= 0)
		_exit(0);
	if (!err_ok(
		spec_read(str_of(packet, (size_t)n), fds, fds_n, c->step))) {
		trail_set(t, "the packet is bent");
		return err_of(E_PEER);
	}
	(void)close(c->step->control);
	return OK;
}

static err
become_somebody(struct trail *t)
{
	if (setresgid(SANDBOX_UID, SANDBOX_UID, SANDBOX_UID) != 0 ||
	    setresuid(SANDBOX_UID, SANDBOX_UID, SANDBOX_UID) != 0)
		return cell_failed(t, "the ids of the user namespace");
	/* Both were forgotten with the change of ids, or are now wanted. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return cell_failed(t, "prctl");
	return OK;
}

/*
 * Before the change of ids makes our /proc entries root's.  None is required:
 * the filter refuses nesting too, and where the memory of the host ends the
 * kernel looks for a victim in any case.  The filter of core dumps is for
 * hosts that pipe them to a program, which RLIMIT_CORE 0 does not stop.
 */
static void
write_to_proc(void)
{
	(void)cell_put("/proc/sys/user/max_user_namespaces", "0");
	(void)cell_put("/proc/self/oom_score_adj", "500");
	(void)cell_put("/proc/self/coredump_filter", "0");
}

/* ---- network ---- */

static err
loopback_up(int fd, struct trail *t)
{
	struct ifreq r = {.ifr_name = "lo"};

	if (ioctl(fd, SIOCGIFFLAGS, &r) != 0)
		return cell_failed(t, "lo");
	r.ifr_flags = (short)(r.ifr_flags | IFF_UP);
	if (ioctl(fd, SIOCSIFFLAGS, &r) != 0)
		return cell_failed(t, "lo");
	return OK;
}

static err
listen_for_egress(struct trail *t, int *ret)
{
	const struct sockaddr_in at = {.sin_family = AF_INET,
	    .sin_port = htons(SANDBOX_EGRESS_PORT),
	    .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	err e;

	if (fd < 0)
		return cell_failed(t, "a socket");
	e = loopback_up(fd, t);
	if (err_ok(e) &&
	    (bind(fd, (const struct sockaddr *)&at, sizeof at) != 0 ||
		listen(fd, BACKLOG) != 0))
		e = cell_failed(t, "127.0.0.1:3128");
	if (err_ok(e))
		*ret = fd;
	else
		(void)close(fd);
	return e;
}

/* ---- the payload ---- */

struct birth {
	const struct cell *c;
	struct trail *t;
};

static int
be_payload(void *arg)
{
	const struct birth *b = arg;

	payload_main(b->c, b->t);
}

/*
 * Its pid once execve has succeeded.  It is ourselves until then, on another
 * stack: a copy of our memory would be most of what a step costs here.
 */
static err
start_payload(const struct cell *c, struct trail *t, pid_t *ret)
{
	static _Alignas(16) char stack[STACK];
	struct birth b = {c, t};
	pid_t pid = clone(be_payload, stack + sizeof stack,
	    CLONE_VM | CLONE_VFORK | SIGCHLD, &b);

	if (pid < 0)
		return cell_failed(t, "fork");
	if (t->detail[0] != 0)
		return err_of(E_DENIED);
	*ret = pid;
	return OK;
}

static void
close_what_is_the_payloads(struct step *s)
{
	(void)close(s->out);
	(void)close(s->err);
	if (s->script >= 0)
		(void)close(s->script);
	for (size_t i = 0; i < s->secrets_n; i++)
		(void)close(s->secrets[i]);
}

static _Noreturn void
end(const struct cell *c, enum note_kind kind, int status, const char *text)
{
	struct note n = {.kind = kind, .status = status};

	(void)snprintf(n.text, sizeof n.text, "%s", text);
	(void)note_send(c->link, &n, NULL, 0);
	_exit(0);
}

/* ---- watching ---- */

/* Whoever has ended; when the payload has, so have we. */
static void
reap(const struct cell *c, pid_t payload)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == payload)
			end(c, NOTE_ENDED, status, "");
}

static _Noreturn void
watch(const struct cell *c, pid_t payload, int children)
{
	const int64_t most = (int64_t)c->step->limits.memory_mb << 20;
	struct pollfd p[2] = {{c->link, POLLIN, 0}, {children, POLLIN, 0}};
	struct signalfd_siginfo info;
	struct watch w;
	bool adds = c->level == CGROUP_NONE;

	if (adds && !watch_open(&w))
		end(c, NOTE_FAILED, 0, "/proc cannot be read");
	for (;;) {
		char order;

		(void)poll(p, 2, adds ? WATCH_MS : -1);
		if ((p[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
			if (read(c->link, &order, 1) != 1)
				_exit(0);
			if (order == ORDER_TERM)
				(void)kill(-1, SIGTERM);
		}
		if ((p[1].revents & POLLIN) != 0)
			(void)!read(children, &info, sizeof info);
		reap(c, payload);
		if (adds && watch_memory(&w) > most)
			end(c, NOTE_MEMORY, 0, "");
	}
}

static err
make(struct cell *c, struct trail *t, int fds[2], size_t *ret_n)
{
	fds[1] = -1;
	TRY(wait_for_maps(c, t));
	if (!cgroup_go_in(c->doors))
		return cell_failed(t, "a cgroup cannot be entered");
	write_to_proc();
	TRY(become_somebody(t));
	(void)umask(022);
	if (sethostname("step", 4) != 0)
		return cell_failed(t, "sethostname");
	TRY(root_make(c, t));
	TRY(payload_bound_caps(t));
	TRY(take_step(c, t));
	if (c->step->egress)
		TRY(listen_for_egress(t, &fds[1]));
	TRY(root_finish(c->step, t, &fds[0]));
	*ret_n = fds[1] >= 0 ? 2 : 1;
	return payload_no_caps(t);
}

_Noreturn void
init_main(struct cell *c)
{
	struct note started = {.kind = NOTE_STARTED};
	struct trail t = {{0}};
	pid_t payload;
	size_t n = 0;
	int fds[2], children;
	sigset_t set;
	err e;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	(void)prctl(PR_SET_NAME, "redoubt-step", 0, 0, 0);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	children = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	e = make(c, &t, fds, &n);
	if (err_ok(e))
		e = start_payload(c, &t, &payload);
	if (!err_ok(e) || children < 0)
		end(c, NOTE_FAILED, 0, t.detail);
	close_what_is_the_payloads(c->step);
	if (!note_send(c->link, &started, fds, n))
		_exit(0);
	for (size_t i = 0; i < n; i++)
		(void)close(fds[i]);
	watch(c, payload, children);
}
