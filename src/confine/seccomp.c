/*
 * seccomp: the last step.  An allow list per role from syscalls.def, calls
 * whose arguments matter below, everything else kills the process.  One
 * condition decides about one call: a refusal is the exact opposite of what
 * is allowed, because libseccomp takes the widest rule when rules overlap.
 */
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "confine/inner.h"

enum {
	SUP = 1 << CONFINE_SUPERVISOR,
	SRV = 1 << CONFINE_SERVER,
	KPR = 1 << CONFINE_KEEPER,
	IDP = 1 << CONFINE_IDP,
	EGR = 1 << CONFINE_EGRESS,
	SML = 1 << CONFINE_SAML,
	BRK = 1 << CONFINE_BROKER
};

static const struct call {
	const char *name;
	unsigned allow, refuse;
} calls[] = {
#define ALLOW(name, roles) {#name, (roles), 0},
#define REFUSE(name, roles) {#name, 0, (roles)},
#include "confine/syscalls.def"
#undef ALLOW
#undef REFUSE
};

static const uint32_t refused = SCMP_ACT_ERRNO(EACCES);

static struct scmp_arg_cmp
eq(unsigned arg, uint64_t v)
{
	return (struct scmp_arg_cmp){arg, SCMP_CMP_EQ, v, 0};
}

static struct scmp_arg_cmp
ne(unsigned arg, uint64_t v)
{
	return (struct scmp_arg_cmp){arg, SCMP_CMP_NE, v, 0};
}

static struct scmp_arg_cmp
above(unsigned arg, uint64_t v)
{
	return (struct scmp_arg_cmp){arg, SCMP_CMP_GT, v, 0};
}

static struct scmp_arg_cmp
bits(unsigned arg, uint64_t mask, uint64_t v)
{
	return (struct scmp_arg_cmp){arg, SCMP_CMP_MASKED_EQ, mask, v};
}

/* A builder whose first error sticks. */
struct filter {
	scmp_filter_ctx f;
	int error;
};

static void
rules(struct filter *f, uint32_t action, const char *name, unsigned n,
    const struct scmp_arg_cmp *args)
{
	int nr = seccomp_syscall_resolve_name(name);
	int rc;

	if (nr < 0 || f->error != 0)
		return; /* not on this architecture */
	/* Relaxed builds allow by default; libseccomp refuses the echo. */
	if (confine_relaxed && action == SCMP_ACT_ALLOW)
		return;
	rc = seccomp_rule_add_array(f->f, action, nr, n, args);
	if (rc != 0)
		f->error = rc;
}

static void
always(struct filter *f, uint32_t action, const char *name)
{
	rules(f, action, name, 0, NULL);
}

static void
when(struct filter *f, uint32_t action, const char *name, struct scmp_arg_cmp a)
{
	rules(f, action, name, 1, &a);
}

static void
when2(struct filter *f, uint32_t action, const char *name,
    struct scmp_arg_cmp a, struct scmp_arg_cmp b)
{
	const struct scmp_arg_cmp args[2] = {a, b};

	rules(f, action, name, 2, args);
}

/* Sending: only over what is connected, never MSG_FASTOPEN, which connects. */
static void
sending(struct filter *f)
{
	when(f, SCMP_ACT_ALLOW, "sendmsg", bits(2, MSG_FASTOPEN, 0));
	when(f, refused, "sendmsg", bits(2, MSG_FASTOPEN, MSG_FASTOPEN));
	when2(f, SCMP_ACT_ALLOW, "sendto", bits(3, MSG_FASTOPEN, 0), eq(4, 0));
	when(f, refused, "sendto", ne(4, 0));
	when2(f, refused, "sendto", bits(3, MSG_FASTOPEN, MSG_FASTOPEN),
	    eq(4, 0));
}

static void
not_sending(struct filter *f)
{
	always(f, refused, "sendmsg");
	always(f, refused, "sendto");
}

static struct scmp_arg_cmp
below(unsigned arg, uint64_t v)
{
	return (struct scmp_arg_cmp){arg, SCMP_CMP_LT, v, 0};
}

enum { TYPE_MASK = 0xf }; /* SOCK_CLOEXEC and SOCK_NONBLOCK lie above */

/* Sockets of one family: TCP, and UDP for a resolver; the protocol is the
 * type's own (never MPTCP, which is another way out). */
static void
family(struct filter *f, uint64_t family, bool udp)
{
	for (uint64_t type = 0; type <= TYPE_MASK; type++) {
		if (type == SOCK_STREAM || (udp && type == SOCK_DGRAM)) {
			const struct scmp_arg_cmp yes[] = {eq(0, family),
			    bits(1, TYPE_MASK, type), eq(2, 0)};
			const struct scmp_arg_cmp no[] = {eq(0, family),
			    bits(1, TYPE_MASK, type), ne(2, 0)};

			rules(f, SCMP_ACT_ALLOW, "socket", 3, yes);
			rules(f, refused, "socket", 3, no);
		} else {
			when2(f, refused, "socket", eq(0, family),
			    bits(1, TYPE_MASK, type));
		}
	}
}

static void
calling_out(struct filter *f, const struct confine_plan *p)
{
	if (!p->egress) {
		always(f, refused, "socket");
		always(f, refused, "connect");
		return;
	}
	always(f, SCMP_ACT_ALLOW, "connect");
	family(f, AF_INET, p->resolver || p->role == CONFINE_IDP);
	family(f, AF_INET6, p->resolver || p->role == CONFINE_IDP);
	when(f, refused, "socket", below(0, AF_INET));
	for (uint64_t i = AF_INET + 1; i < AF_INET6; i++)
		when(f, refused, "socket", eq(0, i));
	when(f, refused, "socket", above(0, AF_INET6));
}

/* Pairs for what the idp role forks. */
static void
pairs(struct filter *f)
{
	when(f, SCMP_ACT_ALLOW, "socketpair", eq(0, AF_UNIX));
	when(f, refused, "socketpair", ne(0, AF_UNIX));
}

/* Options that tune an accepted connection, none that makes a new one. */
static void
socket_options(struct filter *f)
{
	static const uint64_t tcp[] = {1 /* NODELAY */, 3 /* CORK */,
	    4 /* KEEPIDLE */, 5 /* KEEPINTVL */, 6 /* KEEPCNT */,
	    9 /* DEFER_ACCEPT */, 12 /* QUICKACK */, 18 /* USER_TIMEOUT */,
	    25 /* NOTSENT_LOWAT */};
	static const uint64_t never[] = {19 /* REPAIR */, 23 /* FASTOPEN */,
	    30 /* FASTOPEN_CONNECT */, 31 /* ULP */};

	when(f, SCMP_ACT_ALLOW, "setsockopt", eq(1, SOL_SOCKET));
	for (size_t i = 0; i < sizeof tcp / sizeof *tcp; i++)
		when2(f, SCMP_ACT_ALLOW, "setsockopt", eq(1, IPPROTO_TCP),
		    eq(2, tcp[i]));
	for (size_t i = 0; i < sizeof never / sizeof *never; i++)
		when2(f, refused, "setsockopt", eq(1, IPPROTO_TCP),
		    eq(2, never[i]));
	when(f, refused, "setsockopt", above(1, IPPROTO_TCP));
}

/* Memory is never made executable; where nothing can be opened there is
 * nothing to map either. */
static void
memory(struct filter *f, enum confine_role role)
{
	const uint64_t how = MAP_SHARED | MAP_PRIVATE | MAP_ANONYMOUS;
	const uint64_t own = MAP_PRIVATE | MAP_ANONYMOUS;

	when(f, refused, "mmap", bits(2, PROT_EXEC, PROT_EXEC));
	when(f, refused, "mprotect", bits(2, PROT_EXEC, PROT_EXEC));
	when(f, SCMP_ACT_ALLOW, "mprotect", bits(2, PROT_EXEC, 0));
	if (role == CONFINE_SAML) {
		when2(f, SCMP_ACT_ALLOW, "mmap", bits(2, PROT_EXEC, 0),
		    bits(3, how, own));
		return;
	}
	when(f, SCMP_ACT_ALLOW, "mmap", bits(2, PROT_EXEC, 0));
}

/* Threads where there are any; never a process, never a namespace. */
static void
threads(struct filter *f, enum confine_role role)
{
	const uint64_t spaces = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC |
	    CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP;

	/* glibc falls back to clone, whose flags can be seen. */
	always(f, SCMP_ACT_ERRNO(ENOSYS), "clone3");
	if (confine_relaxed)
		return;
	if (role == CONFINE_IDP) {
		when(f, SCMP_ACT_ALLOW, "clone", bits(0, spaces, 0));
	} else if (role == CONFINE_SERVER || role == CONFINE_EGRESS ||
	    role == CONFINE_BROKER) {
		when(f, SCMP_ACT_ALLOW, "clone",
		    bits(0, spaces | CLONE_VM | CLONE_THREAD,
			CLONE_VM | CLONE_THREAD));
		when(f, refused, "clone", bits(0, CLONE_THREAD, 0));
	} else {
		always(f, refused, "clone");
	}
}

static void
small_things(struct filter *f, enum confine_role role)
{
	static const uint64_t may[] = {PR_SET_NAME, PR_GET_NAME,
	    PR_GET_DUMPABLE, PR_GET_NO_NEW_PRIVS, PR_GET_SECCOMP,
	    PR_CAPBSET_READ, 0x53564d41 /* PR_SET_VMA: names of mappings */};
	uint64_t pid = (uint64_t)getpid();

	for (size_t i = 0; i < sizeof may / sizeof *may; i++)
		when(f, SCMP_ACT_ALLOW, "prctl", eq(0, may[i]));
	when(f, refused, "prctl", eq(0, PR_SET_DUMPABLE));
	when(f, refused, "prctl", eq(0, PR_SET_SECCOMP));
	if (role == CONFINE_IDP) { /* for what it forks */
		when(f, SCMP_ACT_ALLOW, "prctl", eq(0, PR_SET_PDEATHSIG));
		when(f, SCMP_ACT_ALLOW, "prctl", eq(0, PR_SET_NO_NEW_PRIVS));
		always(f, SCMP_ACT_ALLOW, "tgkill");
		always(f, SCMP_ACT_ALLOW, "prlimit64");
		return;
	}
	/* abort(3) and stack checks: a signal to oneself. */
	when(f, SCMP_ACT_ALLOW, "tgkill", eq(0, pid));
	when(f, refused, "tgkill", ne(0, pid));
	when(f, SCMP_ACT_ALLOW, "prlimit64", eq(2, 0));
	when(f, refused, "prlimit64", ne(2, 0));
	if (role == CONFINE_SAML)
		return;
	when(f, SCMP_ACT_ALLOW, "ioctl", eq(1, TCGETS));
	when(f, refused, "ioctl", ne(1, TCGETS));
}

/* Sanitizers trace, fork and open files when the process ends. */
static bool
sanitizers_need(const char *name)
{
	static const char *const names[] = {"ptrace", "execve", "fork", "vfork",
	    "open", "openat", "kill", "tkill", "mkdir", "personality",
	    "prlimit64", "setrlimit", "memfd_create"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static void
fill(struct filter *f, const struct confine_plan *p)
{
	enum confine_role role = p->role;
	unsigned bit = 1U << role;

	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		const struct call *c = &calls[i];

		if ((c->allow & bit) != 0)
			always(f, SCMP_ACT_ALLOW, c->name);
		else if ((c->refuse & bit) != 0 &&
		    !(confine_relaxed && sanitizers_need(c->name)))
			always(f, refused, c->name);
	}
	calling_out(f, p);
	if (role != CONFINE_SAML)
		sending(f);
	else
		not_sending(f);
	if (role == CONFINE_IDP)
		pairs(f);
	if (role == CONFINE_SERVER)
		socket_options(f);
	else
		always(f, refused, "setsockopt");
	threads(f, role);
	if (confine_relaxed)
		return;
	memory(f, role);
	small_things(f, role);
}

err
seccomp_enter(const struct confine_plan *p, struct trail *t,
    struct confinement *ret)
{
	struct filter f = {
	    .f = seccomp_init(
		confine_relaxed ? SCMP_ACT_ALLOW : SCMP_ACT_KILL_PROCESS)};

	if (f.f == NULL) {
		trail_set(t, "seccomp: no memory");
		return err_of(E_DENIED);
	}
	f.error = seccomp_attr_set(f.f, SCMP_FLTATR_ACT_BADARCH,
	    SCMP_ACT_KILL_PROCESS);
	if (f.error == 0)
		f.error = seccomp_attr_set(f.f, SCMP_FLTATR_CTL_TSYNC, 1);
	if (f.error == 0)
		f.error = seccomp_attr_set(f.f, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	fill(&f, p);
	if (f.error == 0)
		f.error = seccomp_load(f.f);
	seccomp_release(f.f);
	if (f.error != 0) {
		trail_set(t, "seccomp: %s", strerror(-f.error));
		return err_of(E_DENIED);
	}
	ret->seccomp = !confine_relaxed;
	return OK;
}
