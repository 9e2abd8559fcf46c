/*
 * The zygote: a small process that does nothing but fork wardens, so that a
 * step does not pay for the memory of the delegate.  It takes packets of
 * spec.h from its one socket; when that closes it ends, and all steps first.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/time.h"
#include "delegate/cell.h"
#include "delegate/event.h"
#include "delegate/zygote.h"

enum {
	POOL = 0x70000000, /* uids nobody hands out: above systemd's */
	POOL_SLOT_BITS = 10,
	POOL_ZYGOTES = 0x3ffff,
	END_MS = 5000,
	MS = 1000,
};

_Static_assert((int)LIM_STEPS <= 1 << POOL_SLOT_BITS, "a uid for each");

static struct {
	int sock, signals;
	pid_t self;
	unsigned most;
	struct zygote_conf conf;
	struct cgroups groups;
	struct filter filters[SANDBOX_PROFILES][2];
	pid_t wardens[LIM_STEPS];
	char packet[LIM_STEP_SPEC];
	struct step step;
} zygote;

/* ---- at the beginning ---- */

/* What the delegate was told is none of a step's business. */
static void
forget_environment(void)
{
	static char *none[] = {NULL};

	for (char **e = environ; *e != NULL; e++)
		memset(*e, 0, strlen(*e));
	environ = none;
}

static bool
only_our_files(int sock)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(null, 0) != 0 || dup2(null, 1) != 1 ||
	    dup2(sock, 3) != 3)
		return false;
	zygote.sock = 3;
	return fcntl(3, F_SETFD, FD_CLOEXEC) == 0 &&
	    close_range(4, ~0U, 0) == 0;
}

static err
make_filters(struct trail *t)
{
	for (unsigned p = 0; p < SANDBOX_PROFILES; p++)
		for (unsigned egress = 0; egress < 2; egress++) {
			err e = filter_make((enum sandbox_profile)p,
			    egress == 1, &zygote.filters[p][egress]);

			if (!err_ok(e)) {
				trail_set(t, "seccomp: the filter is too long");
				return err_of(E_DENIED);
			}
		}
	return OK;
}

/* What the trial step would not miss, and a step that ends badly would. */
static err
check_calls(struct trail *t)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC,
	    .resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV};
	int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	long fd;

	if (pidfd < 0 || syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) != 0)
		return cell_failed(t, "pidfd");
	(void)close(pidfd);
	fd = syscall(SYS_openat2, AT_FDCWD, ".", &how, sizeof how);
	if (fd < 0)
		return cell_failed(t, "openat2");
	(void)close((int)fd);
	return OK;
}

static err
prepare(int sock, struct trail *t)
{
	sigset_t set;

	if (!only_our_files(sock))
		return cell_failed(t, "descriptors of the zygote");
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigprocmask(SIG_SETMASK, &set, NULL);
	zygote.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (zygote.signals < 0)
		return cell_failed(t, "signalfd");
	forget_environment();
	(void)prctl(PR_SET_NAME, "redoubt-zygote", 0, 0, 0);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	TRY(check_calls(t));
	cgroups_open(&zygote.groups);
	return make_filters(t);
}

/* ---- a step ---- */

static unsigned
free_slot(void)
{
	unsigned i = 0;

	while (i < zygote.most && zygote.wardens[i] != 0)
		i++;
	return i;
}

static _Noreturn void
become_warden(unsigned slot)
{
	struct step *s = &zygote.step;
	bool privileged = geteuid() == 0;
	unsigned pool = POOL +
	    (((unsigned)zygote.self & POOL_ZYGOTES) << POOL_SLOT_BITS) + slot;
	struct cell c = {.step = s,
	    .filter = &zygote.filters[s->profile][s->egress ? 1 : 0],
	    .conf = &zygote.conf,
	    .level = zygote.groups.level,
	    .privileged = privileged,
	    .uid = privileged ? pool : geteuid(),
	    .gid = privileged ? pool : getegid()};

	(void)close(zygote.sock);
	(void)close(zygote.signals);
	if (prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) != 0 ||
	    getppid() != zygote.self)
		_exit(1);
	warden_main(&c, &zygote.groups, slot);
}

static void
refuse(int control, const char *why)
{
	struct event_wire ev = {.what = SANDBOX_ENDED,
	    .end = SANDBOX_REFUSED,
	    .status = -1};

	trail_set(&ev.detail, "%s", why);
	(void)send(control, &ev, sizeof ev, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
start(size_t n, const int *fds, size_t fds_n)
{
	unsigned slot = free_slot();
	pid_t pid;

	if (!err_ok(spec_read(str_of(zygote.packet, n), fds, fds_n,
		&zygote.step))) {
		if (fds_n > SPEC_CONTROL)
			refuse(fds[SPEC_CONTROL], "the zygote was misled");
	} else if (slot == zygote.most) {
		refuse(zygote.step.control, "too many steps at a time");
	} else {
		pid = fork();
		if (pid == 0)
			become_warden(slot);
		if (pid < 0)
			refuse(zygote.step.control, "fork");
		else
			zygote.wardens[slot] = pid;
	}
}

/* False: the delegate is gone. */
static bool
receive(void)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(SPEC_FDS * sizeof(int))];
	} c;
	struct iovec v = {zygote.packet, sizeof zygote.packet};
	struct msghdr m = {.msg_iov = &v,
	    .msg_iovlen = 1,
	    .msg_control = &c,
	    .msg_controllen = sizeof c};
	ssize_t n = recvmsg(zygote.sock, &m, MSG_CMSG_CLOEXEC);
	int fds[SPEC_FDS];
	size_t fds_n = 0;
	struct cmsghdr *h;

	if (n <= 0)
		return n < 0 && errno == EINTR;
	h = CMSG_FIRSTHDR(&m);
	if (h != NULL && h->cmsg_type == SCM_RIGHTS) {
		fds_n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(h), fds_n * sizeof(int));
	}
	start((m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 ? 0 : (size_t)n,
	    fds, fds_n);
	for (size_t i = 0; i < fds_n; i++)
		(void)close(fds[i]);
	return true;
}

/* ---- the end ---- */

/* Wardens that have ended; a killed one leaves its cgroup. */
static void
reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (unsigned i = 0; i < zygote.most; i++)
			if (zygote.wardens[i] == pid) {
				zygote.wardens[i] = 0;
				if (!WIFEXITED(status))
					cgroup_remove(&(
					    struct cgroup){&zygote.groups, i});
			}
}

static bool
any_left(void)
{
	for (unsigned i = 0; i < zygote.most; i++)
		if (zygote.wardens[i] != 0)
			return true;
	return false;
}

static void
signal_all(int what)
{
	for (unsigned i = 0; i < zygote.most; i++)
		if (zygote.wardens[i] != 0)
			(void)kill(zygote.wardens[i], what);
}

static _Noreturn void
end_all(void)
{
	struct pollfd p = {zygote.signals, POLLIN, 0};
	struct signalfd_siginfo info;
	int64_t until = time_mono_us() / MS + END_MS;

	(void)close(zygote.sock);
	signal_all(SIGTERM);
	for (reap(); any_left(); reap()) {
		int64_t left = until - time_mono_us() / MS;

		if (left <= 0) {
			signal_all(SIGKILL);
			left = MS;
		}
		(void)poll(&p, 1, (int)left);
		(void)!read(zygote.signals, &info, sizeof info);
	}
	cgroups_close(&zygote.groups);
	_exit(0);
}

/* False: it is time to end. */
static bool
take_signals(void)
{
	struct signalfd_siginfo info;
	bool stay = true;

	while (read(zygote.signals, &info, sizeof info) == (ssize_t)sizeof info)
		if (info.ssi_signo != SIGCHLD)
			stay = false;
	reap();
	return stay;
}

_Noreturn void
zygote_main(const struct zygote_conf *conf, int sock, int parent)
{
	struct zygote_hello hello = {.level = CGROUP_NONE};
	struct pollfd p[2];
	err e;

	(void)prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
	zygote.self = getpid();
	zygote.conf = *conf;
	zygote.most = conf->steps == 0 || conf->steps > LIM_STEPS ? LIM_STEPS
								  : conf->steps;
	e = prepare(sock, &hello.detail);
	hello.good = err_ok(e);
	hello.level = zygote.groups.level;
	if (getppid() != parent ||
	    send(zygote.sock, &hello, sizeof hello, MSG_NOSIGNAL) !=
		(ssize_t)sizeof hello ||
	    !hello.good)
		_exit(1);
	p[0] = (struct pollfd){zygote.sock, POLLIN, 0};
	p[1] = (struct pollfd){zygote.signals, POLLIN, 0};
	for (;;) {
		(void)poll(p, 2, -1);
		if ((p[1].revents & POLLIN) != 0 && !take_signals())
			end_all();
		if (p[0].revents != 0 && !receive())
			end_all();
	}
}
