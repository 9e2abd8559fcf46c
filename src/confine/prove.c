/*
 * What was given up is tried again.  Every attempt has arguments with which
 * the call could do no harm and would fail in another way if it were still
 * possible: only EACCES proves the filter.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/ptrace.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "confine/inner.h"

static const struct sockaddr_in loopback = {.sin_family = AF_INET,
    .sin_port = 0x0900,
    .sin_addr = {0x0100007f}};

static long
try_socket(void)
{
	return syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
}

static long
try_socket6(void)
{
	return syscall(SYS_socket, AF_INET6, SOCK_DGRAM, 0);
}

static long
try_socket_mptcp(void)
{
	return syscall(SYS_socket, AF_INET, SOCK_STREAM, 262);
}

static long
try_socket_raw(void)
{
	return syscall(SYS_socket, AF_INET, SOCK_RAW, 1);
}

static long
try_socket_netlink(void)
{
	return syscall(SYS_socket, AF_NETLINK, SOCK_RAW, 0);
}

static long
try_socket_unix(void)
{
	return syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
}

static long
try_connect(void)
{
	return syscall(SYS_connect, -1, &loopback, sizeof loopback);
}

static long
try_bind(void)
{
	return syscall(SYS_bind, -1, &loopback, sizeof loopback);
}

static long
try_listen(void)
{
	return syscall(SYS_listen, -1, 1);
}

static long
try_sendto(void)
{
	return syscall(SYS_sendto, -1, "", 0, 0, &loopback, sizeof loopback);
}

static long
try_fastopen(void)
{
	return syscall(SYS_sendto, -1, "", 0, MSG_FASTOPEN, NULL, 0);
}

static long
try_fastopen_msg(void)
{
	return syscall(SYS_sendmsg, -1, NULL, MSG_FASTOPEN);
}

static long
try_io_uring(void)
{
	return syscall(SYS_io_uring_setup, 0, NULL);
}

static long
try_exec(void)
{
	return syscall(SYS_execve, "", NULL, NULL);
}

static long
try_execveat(void)
{
	return syscall(SYS_execveat, -1, "", NULL, NULL, 0);
}

/* CLONE_SIGHAND without CLONE_VM is never valid. */
static long
try_fork(void)
{
	return syscall(SYS_clone, CLONE_SIGHAND, NULL, NULL, NULL, NULL);
}

static long
try_ptrace(void)
{
	return syscall(SYS_ptrace, PTRACE_GETSIGINFO, -1, NULL, NULL);
}

static long
try_vm_read(void)
{
	return syscall(SYS_process_vm_readv, -1, NULL, 0, NULL, 0, 0);
}

static long
try_executable(void)
{
	return syscall(SYS_mmap, NULL, 0, PROT_READ | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static long
try_root(void)
{
	return syscall(SYS_setresuid, 0, 0, 0);
}

static long
try_unshare(void)
{
	return syscall(SYS_unshare, CLONE_NEWNET);
}

static long
try_bpf(void)
{
	return syscall(SYS_bpf, -1, NULL, 0);
}

static long
try_outside(void)
{
	return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static long
try_write(void)
{
	return open("/dev/null", O_WRONLY | O_CLOEXEC);
}

/* NO_WAY_OUT and NO_UDP: unless the plan has one. */
enum need { NETWORK, NO_WAY_OUT, NO_UDP, FILTER, FILES };
enum {
	SUP = 1 << CONFINE_SUPERVISOR,
	SRV = 1 << CONFINE_SERVER,
	KPR = 1 << CONFINE_KEEPER,
	IDP = 1 << CONFINE_IDP,
	EGR = 1 << CONFINE_EGRESS,
	SML = 1 << CONFINE_SAML,
	BRK = 1 << CONFINE_BROKER,
	ALL = SUP | SRV | KPR | IDP | EGR | SML | BRK,
	CUT = SUP | SRV | KPR | SML /* never a socket */
};

static const struct attempt {
	const char *what;
	long (*run)(void);
	enum need need;
	unsigned roles;
} attempts[] = {
    {"socket", try_socket, NO_WAY_OUT, CUT | IDP},
    {"an IPv6 socket", try_socket6, NO_UDP, CUT | IDP | EGR},
    {"an MPTCP socket", try_socket_mptcp, NETWORK, ALL},
    {"a raw socket", try_socket_raw, NETWORK, ALL},
    {"a netlink socket", try_socket_netlink, NETWORK, ALL},
    {"a local socket", try_socket_unix, NETWORK, ALL},
    {"connect", try_connect, NO_WAY_OUT, CUT | IDP},
    {"bind", try_bind, NETWORK, ALL},
    {"listen", try_listen, NETWORK, ALL},
    {"sendto with an address", try_sendto, NETWORK, ALL},
    {"sendto with MSG_FASTOPEN", try_fastopen, NETWORK, ALL},
    {"sendmsg with MSG_FASTOPEN", try_fastopen_msg, NETWORK, ALL},
    {"io_uring", try_io_uring, NETWORK, ALL},
    {"execve", try_exec, FILTER, ALL},
    {"execveat", try_execveat, FILTER, ALL},
    {"fork", try_fork, FILTER, SUP | SRV | KPR | EGR | SML | BRK},
    {"ptrace", try_ptrace, FILTER, ALL},
    {"process_vm_readv", try_vm_read, FILTER, ALL},
    {"executable memory", try_executable, FILTER, ALL},
    {"becoming root", try_root, FILTER, ALL},
    {"unshare", try_unshare, FILTER, ALL},
    {"bpf", try_bpf, FILTER, ALL},
    {"opening a file outside", try_outside, FILES,
	SRV | KPR | IDP | EGR | SML | BRK},
    {"opening a file for writing", try_write, FILES, ALL},
};

static bool
provable(const struct attempt *a, const struct confine_plan *p,
    const struct confinement *c)
{
	if ((a->roles & 1U << p->role) == 0)
		return false;
	if (a->need == NO_WAY_OUT)
		return !p->egress;
	if (a->need == NO_UDP)
		return !p->egress ||
		    (p->role == CONFINE_EGRESS && !p->resolver);
	if (a->need == FILTER)
		return c->seccomp;
	/* The keeper's filter and the idp role's know no open at all. */
	if (a->need == FILES)
		return c->landlock > 0 ||
		    (c->seccomp && p->role >= CONFINE_KEEPER);
	return true;
}

static err
still(struct trail *t, const char *what)
{
	trail_set(t, "still possible after confinement: %s", what);
	return err_of(E_DENIED);
}

static err
prove_state(const struct confinement *c, struct trail *t)
{
	struct rlimit core;

	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return still(t, "new privileges");
	if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0 ||
	    getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_max != 0)
		return still(t, "a core dump");
	if (c->seccomp && prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != 2)
		return still(t, "everything: no filter");
	return OK;
}

/* The one thing that must still work. */
static err
prove_data_dir(const struct confine_plan *p, struct trail *t)
{
	int fd;

	if (p->role != CONFINE_SERVER || p->data_dir == NULL)
		return OK;
	fd = open(p->data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		trail_set(t, "the server cannot open its directory: %s",
		    strerror(errno));
		return err_of(E_DENIED);
	}
	(void)close(fd);
	return OK;
}

/* Nor is the way out closed where there has to be one. */
static err
prove_way_out(const struct confine_plan *p, struct trail *t)
{
	long fd;

	if (!p->egress)
		return OK;
	fd = try_socket();
	if (fd < 0) {
		trail_set(t, "no socket can be made: %s", strerror(errno));
		return err_of(E_DENIED);
	}
	(void)close((int)fd);
	return OK;
}

err
prove(const struct confine_plan *p, const struct confinement *c,
    struct trail *t)
{
	TRY(prove_state(c, t));
	for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
		const struct attempt *a = &attempts[i];

		if (!provable(a, p, c))
			continue;
		errno = 0;
		if (a->run() >= 0 || errno != EACCES)
			return still(t, a->what);
	}
	TRY(prove_way_out(p, t));
	return prove_data_dir(p, t);
}
