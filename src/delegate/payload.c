/*
 * The last steps before the step's own program: each takes something away
 * that nothing after it needs, and seccomp goes last because it would stand
 * in the way of the others.
 */
#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/limits.h"
#include "confine/landlock_abi.h"
#include "delegate/cell.h"

enum {
	CAPS = 63,
	KIB = 1024,
	MIB = 1024 * 1024,
	FILES = 256,
	STACK_MB = 8,
	SIGNALS = 64,
	ADDRESSES_MB = 2048,
	NO_PIPE = 1, /* of RLIMIT_CORE: not even to a program; core(5) */
	REFUSE_EXEC_GAIN = 1, /* PR_MDWE_REFUSE_EXEC_GAIN */
	SET_MDWE = 65,	      /* PR_SET_MDWE, Linux 6.3 */
};

/* ---- limits of the process ---- */

/* Root may have fewer than we want to give. */
static bool
limit(int what, rlim_t most)
{
	struct rlimit r;

	if (getrlimit((__rlimit_resource_t)what, &r) != 0)
		return false;
	if (most < r.rlim_max)
		r.rlim_max = most;
	r.rlim_cur = r.rlim_max;
	return setrlimit((__rlimit_resource_t)what, &r) == 0;
}

static err
limits(const struct cell *c, struct trail *t)
{
	const struct sandbox_limits *l = &c->step->limits;
	rlim_t memory = (rlim_t)l->memory_mb * MIB;
	rlim_t addresses = memory > (rlim_t)ADDRESSES_MB * MIB / 2
	    ? 2 * memory
	    : (rlim_t)ADDRESSES_MB * MIB;
	const struct {
		int what;
		rlim_t most;
	} rows[] = {
	    {RLIMIT_CORE, NO_PIPE},
	    {RLIMIT_CPU, l->cpu_s},
	    {RLIMIT_NOFILE, FILES},
	    {RLIMIT_FSIZE, (rlim_t)l->work_mb * MIB},
	    {RLIMIT_NPROC, (rlim_t)l->pids + 1},
	    {RLIMIT_MEMLOCK, 64 * KIB},
	    {RLIMIT_MSGQUEUE, 0},
	    {RLIMIT_SIGPENDING, SIGNALS},
	    {RLIMIT_STACK, STACK_MB * MIB},
	    {RLIMIT_NICE, 0},
	    {RLIMIT_RTPRIO, 0},
	    {RLIMIT_RTTIME, 0},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (!limit(rows[i].what, rows[i].most))
			return cell_failed(t, "setrlimit");
	/* Engines that compile reserve far more than they use. */
	if (c->step->profile != SANDBOX_JIT && !limit(RLIMIT_AS, addresses))
		return cell_failed(t, "RLIMIT_AS");
	if (c->level == CGROUP_NONE && !limit(RLIMIT_DATA, memory))
		return cell_failed(t, "RLIMIT_DATA");
	return OK;
}

/* ---- capabilities ---- */

err
payload_bound_caps(struct trail *t)
{
	for (unsigned long i = 0; i <= CAPS; i++)
		if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) != 0 && errno != EINVAL)
			return cell_failed(t, "the bounding set");
	return OK;
}

err
payload_no_caps(struct trail *t)
{
	const unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED |
	    SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED |
	    SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
	    SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
	struct __user_cap_header_struct h = {
	    .version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};

	if (prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) != 0)
		return cell_failed(t, "securebits");
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
		return cell_failed(t, "ambient capabilities");
	if (syscall(SYS_capset, &h, none) != 0)
		return cell_failed(t, "capset");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return cell_failed(t, "no_new_privs");
	return OK;
}

/* ---- Landlock ---- */

static const char *const tools[] = {
#define TOOLS(path) path,
#define DATA(path)
#include "delegate/closure.def"
#undef TOOLS
#undef DATA
};

static const uint64_t work = FS_READ_FILE | FS_WRITE_FILE | FS_READ_DIR |
    FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR | FS_MAKE_REG | FS_MAKE_SOCK |
    FS_MAKE_FIFO | FS_MAKE_SYM | FS_REFER | FS_TRUNCATE;

static bool
is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool
rules(int fd, const struct cell *c, uint64_t known)
{
	const uint64_t run = FS_EXECUTE | FS_READ_FILE | FS_READ_DIR;

	for (size_t i = 0; i < sizeof tools / sizeof *tools; i++)
		if (is_directory(tools[i]) &&
		    !landlock_allow(fd, tools[i], run))
			return false;
	for (size_t i = 0; i < c->conf->paths_n; i++)
		if (!landlock_allow(fd, c->conf->paths[i],
			is_directory(c->conf->paths[i])
			    ? run
			    : FS_EXECUTE | FS_READ_FILE))
			return false;
	return landlock_allow(fd, "/", FS_READ_FILE | FS_READ_DIR) &&
	    landlock_allow(fd, "/dev", FS_READ_FILE | FS_WRITE_FILE) &&
	    landlock_allow(fd, "/job", work & known);
}

/* As much as the kernel knows; a kernel that knows none is caught by what
 * is around it. */
static err
landlock(const struct cell *c, struct trail *t)
{
	long abi = landlock_abi();
	struct landlock_ruleset r = {.fs = landlock_files(abi),
	    .net = abi >= 4 ? NET_TCP : 0,
	    .scoped = abi >= 6 ? SCOPE_ALL : 0};
	bool good;
	int fd;

	if (abi < 1)
		return OK;
	fd = landlock_create(&r, abi);
	good = fd >= 0 && rules(fd, c, r.fs);
	if (good && abi >= 4 && c->step->egress)
		good = landlock_port(fd, NET_CONNECT, SANDBOX_EGRESS_PORT);
	if (!good || syscall(SYS_landlock_restrict_self, fd, 0) != 0)
		return cell_failed(t, "Landlock");
	(void)close(fd);
	return OK;
}

/* ---- descriptors ---- */

/* Out of the way of the numbers they are to have. */
static int
lift(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, CELL_HIGH_FD);
}

static bool
lower(int fd, int to)
{
	return fd >= 0 && dup2(fd, to) == to;
}

static err
descriptors(const struct step *s, struct trail *t)
{
	int out = lift(s->out), error = lift(s->err), in;
	int secrets[SANDBOX_FDS];

	for (size_t i = 0; i < s->secrets_n; i++)
		secrets[i] = lift(s->secrets[i]);
	in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (in >= 0 && in != 0)
		in = lift(in);
	if ((in != 0 && !lower(in, 0)) || !lower(out, 1) || !lower(error, 2))
		return cell_failed(t, "standard descriptors");
	for (size_t i = 0; i < s->secrets_n; i++)
		if (!lower(secrets[i], SANDBOX_FIRST_SECRET + (int)i))
			return cell_failed(t, "secrets");
	/* What is left closes at execve. */
	if (close_range(SANDBOX_FIRST_SECRET + (unsigned)s->secrets_n, ~0U,
		CLOSE_RANGE_CLOEXEC) != 0)
		return cell_failed(t, "close_range");
	return OK;
}

/* ---- environment ---- */

static void
own_variables(struct step *s)
{
	static char id[sizeof "REDOUBT_STEP=" + SANDBOX_ID];
	static const char *const always[] =
	    {("PATH=/usr/local/sbin:/usr/local/bin:/"
	      "usr/sbin:/usr/bin:/sbin:/bin"),
		"LANG=C.UTF-8", "HOME=/job", "TMPDIR=/job"};
	static const char *const proxy[] = {"HTTPS_PROXY=http://127.0.0.1:3128",
	    "https_proxy=http://127.0.0.1:3128"};
	size_t n = s->envc;

	(void)snprintf(id, sizeof id, "REDOUBT_STEP=%s", s->id);
	s->env[n++] = id;
	for (size_t i = 0; i < sizeof always / sizeof *always; i++)
		s->env[n++] = always[i];
	for (size_t i = 0; s->egress && i < sizeof proxy / sizeof *proxy; i++)
		s->env[n++] = proxy[i];
	BUG_ON(n > SANDBOX_ENV + SPEC_OWN_ENV);
	s->env[n] = NULL;
}

/* ---- all of it ---- */

/* Handlers do not survive execve; what is ignored or blocked does. */
static void
signals_as_new(void)
{
	struct sigaction normal = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		(void)sigaction(i, &normal, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static err
confine_payload(const struct cell *c, struct trail *t)
{
	if (setsid() < 0)
		return cell_failed(t, "setsid");
	signals_as_new();
	(void)umask(077);
	if (chdir("/job") != 0)
		return cell_failed(t, "/job");
	TRY(descriptors(c->step, t));
	TRY(limits(c, t));
	/* No kernel before 6.3 has it; the filter refuses the same. */
	if (c->step->profile != SANDBOX_JIT)
		(void)prctl(SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0);
	TRY(landlock(c, t));
	if (!filter_install(
		&c->filters[c->step->profile][c->step->egress ? 1 : 0]))
		return cell_failed(t, "seccomp");
	return OK;
}

_Noreturn void
payload_main(const struct cell *c, struct trail *t)
{
	struct step *s = c->step;

	own_variables(s);
	if (err_ok(confine_payload(c, t))) {
		(void)execve(s->argv[0], (char *const *)(uintptr_t)s->argv,
		    (char *const *)(uintptr_t)s->env);
		err_ignore(cell_failed(t, s->argv[0]), "told by pid 1");
	}
	_exit(127);
}
