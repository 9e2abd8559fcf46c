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
	SPARES = 6, /* sandboxes that wait for a step */
	SLOTS = (int)LIM_STEPS + SPARES,
	QUIET_MS = 10,
	END_MS = 5000,
	MS = 1000,
	BUSY = -1,
};

_Static_assert((int)SLOTS <= 1 << POOL_SLOT_BITS, "a uid for each");

/* A warden; `sock` is BUSY once it has its step. */
struct slot {
	pid_t pid; /* 0: nobody */
	int sock;
};

static struct {
	int sock, signals;
	pid_t self;
	unsigned most;
	struct zygote_conf conf;
	struct cgroups groups;
	struct filter filters[SANDBOX_PROFILES][2];
	struct slot slots[SLOTS];
	char packet[LIM_STEP_SPEC];
	struct step step; /* for wardens to fill in */
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

/* ---- wardens ---- */

static _Noreturn void
become_warden(unsigned slot, int sock)
{
	bool privileged = geteuid() == 0;
	unsigned pool = POOL +
	    (((unsigned)zygote.self & POOL_ZYGOTES) << POOL_SLOT_BITS) + slot;
	struct cell c = {.step = &zygote.step,
	    .filters = zygote.filters,
	    .conf = &zygote.conf,
	    .level = zygote.groups.level,
	    .privileged = privileged,
	    .uid = privileged ? pool : geteuid(),
	    .gid = privileged ? pool : getegid()};

	(void)close(zygote.sock);
	(void)close(zygote.signals);
	for (unsigned i = 0; i < SLOTS; i++)
		if (zygote.slots[i].pid != 0 && zygote.slots[i].sock != BUSY)
			(void)close(zygote.slots[i].sock);
	if (prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) != 0 ||
	    getppid() != zygote.self)
		_exit(1);
	warden_main(&c, &zygote.groups, slot, sock);
}

static unsigned
count(bool busy)
{
	unsigned n = 0;

	for (unsigned i = 0; i < SLOTS; i++)
		n += zygote.slots[i].pid != 0 &&
		    (zygote.slots[i].sock == BUSY) == busy;
	return n;
}

/* Its slot; NULL with errno. */
static struct slot *
new_spare(void)
{
	const int bytes = 2 * LIM_STEP_SPEC;
	unsigned slot = 0;
	int pair[2];
	pid_t pid;

	while (slot < SLOTS && zygote.slots[slot].pid != 0)
		slot++;
	if (slot == SLOTS ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return NULL;
	(void)setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
	pid = fork();
	if (pid == 0) {
		(void)close(pair[0]);
		become_warden(slot, pair[1]);
	}
	(void)close(pair[1]);
	if (pid < 0) {
		(void)close(pair[0]);
		return NULL;
	}
	zygote.slots[slot] = (struct slot){pid, pair[0]};
	return &zygote.slots[slot];
}

static struct slot *
a_spare(void)
{
	for (unsigned i = 0; i < SLOTS; i++)
		if (zygote.slots[i].pid != 0 && zygote.slots[i].sock != BUSY)
			return &zygote.slots[i];
	return new_spare();
}

/* ---- a step ---- */

static void
refuse(int control, const char *why)
{
	struct event_wire ev = {.what = SANDBOX_ENDED,
	    .end = SANDBOX_REFUSED,
	    .status = -1};

	trail_set(&ev.detail, "%s", why);
	(void)send(control, &ev, sizeof ev, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* To a spare; one that has died meanwhile is passed over. */
static void
start(struct str packet, const int *fds, size_t fds_n)
{
	struct slot *s;
	bool sent = false;

	if (fds_n <= SPEC_CONTROL)
		return;
	if (count(true) >= zygote.most) {
		refuse(fds[SPEC_CONTROL], "too many steps at a time");
		return;
	}
	while (!sent && (s = a_spare()) != NULL) {
		sent = packet_send(s->sock, packet, fds, fds_n);
		(void)close(s->sock);
		s->sock = BUSY;
	}
	if (!sent)
		refuse(fds[SPEC_CONTROL], "fork");
}

/* False: the delegate is gone. */
static bool
receive(void)
{
	int fds[PACKET_FDS];
	size_t fds_n;
	ssize_t n = packet_receive(zygote.sock, zygote.packet,
	    sizeof zygote.packet, fds, &fds_n);

	if (n <= 0)
		return false;
	start(str_of(zygote.packet, (size_t)n), fds, fds_n);
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
		for (unsigned i = 0; i < SLOTS; i++) {
			struct slot *s = &zygote.slots[i];

			if (s->pid != pid)
				continue;
			if (s->sock != BUSY)
				(void)close(s->sock);
			*s = (struct slot){0, BUSY};
			if (!WIFEXITED(status))
				cgroup_remove(
				    &(struct cgroup){&zygote.groups, i});
		}
}

static void
signal_all(int what)
{
	for (unsigned i = 0; i < SLOTS; i++)
		if (zygote.slots[i].pid != 0)
			(void)kill(zygote.slots[i].pid, what);
}

static _Noreturn void
end_all(void)
{
	struct pollfd p = {zygote.signals, POLLIN, 0};
	struct signalfd_siginfo info;
	int64_t until = time_mono_us() / MS + END_MS;

	(void)close(zygote.sock);
	signal_all(SIGTERM);
	for (reap(); count(true) + count(false) > 0; reap()) {
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

static _Noreturn void
serve(void)
{
	struct pollfd p[2] = {{zygote.sock, POLLIN, 0},
	    {zygote.signals, POLLIN, 0}};

	for (;;) {
		bool spare = count(false) < SPARES &&
		    count(true) + count(false) < zygote.most + SPARES;

		int ms = !spare ? -1 : count(false) == 0 ? 0 : QUIET_MS;

		/* New spares when nobody waits: what makes them takes the
		 * time of who does. */
		if (poll(p, 2, ms) == 0 && new_spare() == NULL)
			(void)poll(p, 2, MS);
		if ((p[1].revents & POLLIN) != 0 && !take_signals())
			end_all();
		if (p[0].revents != 0 && !receive())
			end_all();
	}
}

_Noreturn void
zygote_main(const struct zygote_conf *conf, int sock, int parent)
{
	struct zygote_hello hello = {.level = CGROUP_NONE};
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
	serve();
}
