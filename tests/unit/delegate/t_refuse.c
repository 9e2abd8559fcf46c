/*
 * L10: no sandbox, no run.  Everything a sandbox is made of is taken away,
 * one thing at a time, in a child; starting must fail with an error that
 * names it, and nothing may have run.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/wait.h>
#include <unistd.h>

#include "delegate/sandbox.h"
#include "tests/t.h"

static char said[192];

/* What zygote_start says in a child in which `cripple` has run. */
static bool
starts(bool (*cripple)(const void *), const void *arg)
{
	int p[2], status;
	ssize_t n;
	pid_t pid;

	if (pipe(p) != 0)
		return true;
	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		struct zygote_conf c = {0};
		struct trail t = {{0}};
		struct zygote *z = NULL;
		err e;

		(void)close(p[0]);
		if (!cripple(arg))
			_exit(2);
		e = zygote_start(&c, &t, &z);
		(void)!write(p[1], t.detail, strlen(t.detail));
		if (!err_ok(e) && (z != NULL || !err_is(e, E_DENIED)))
			_exit(3);
		_exit(err_ok(e) ? 0 : 1);
	}
	(void)close(p[1]);
	n = read(p[0], said, sizeof said - 1);
	said[n > 0 ? n : 0] = 0;
	(void)close(p[0]);
	(void)waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 1)
		return false;
	T_EQ_INT(status, 0);
	return true;
}

static bool
nothing(const void *arg)
{
	return arg == NULL;
}

TEST(here_it_starts)
{
	T_OK(starts(nothing, NULL));
}

/* ---- a kernel without that call ---- */

static const struct gone {
	const char *call, *named;
} gone[] = {
    {"clone3", "namespaces"},
    {"mount", "private mounts"},
    {"open_tree", "/usr"},
    {"mount_setattr", "mount_setattr"},
    {"move_mount", "move_mount"},
    {"pivot_root", "pivot_root"},
    {"umount2", "the old root"},
    {"seccomp", "seccomp"},
    {"capset", "capset"},
    {"prlimit64", "setrlimit"},
    {"close_range", "descriptors of the zygote"},
    {"openat2", "openat2"},
    {"pidfd_send_signal", "pidfd"},
    {"pidfd_open", "pidfd"},
    {"sethostname", "sethostname"},
    {"setresuid", "the ids of the user namespace"},
};

static bool
without(const void *arg)
{
	const struct gone *g = arg;
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
	bool good = f != NULL &&
	    seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS),
		seccomp_syscall_resolve_name(g->call), 0) == 0;

	/* The filter of the test itself has to be loaded first. */
	good = good && seccomp_load(f) == 0;
	seccomp_release(f);
	return good;
}

TEST(without_a_call_it_refuses_and_names_what)
{
	for (size_t i = 0; i < sizeof gone / sizeof *gone; i++) {
		if (starts(without, &gone[i]))
			T_FAIL("it starts without %s", gone[i].call);
		else if (strstr(said, gone[i].named) == NULL)
			T_FAIL("without %s it says: %s", gone[i].call, said);
	}
}

/* prctl by its first argument. */
static bool
without_prctl(const void *arg)
{
	const int *option = arg;
	const struct scmp_arg_cmp first = {0, SCMP_CMP_EQ,
	    (scmp_datum_t)*option, 0};
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
	bool good = f != NULL &&
	    seccomp_attr_set(f, SCMP_FLTATR_CTL_NNP, 0) == 0 &&
	    seccomp_rule_add_array(f, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(prctl),
		1, &first) == 0 &&
	    seccomp_load(f) == 0;

	seccomp_release(f);
	return good;
}

TEST(without_no_new_privs_it_refuses)
{
	int nnp = 38;

	if (geteuid() != 0) {
		printf("# only root can take that away: not tried\n");
		return;
	}
	T_OK(!starts(without_prctl, &nnp));
	T_OK(strstr(said, "no_new_privs") != NULL);
}

/* ---- a host that does not let us ---- */

static bool
put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good =
	    fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	(void)close(fd);
	return good;
}

/* A user namespace of our own, where `file` says how many there may be. */
static bool
none_of(const void *file)
{
	char uid[64], gid[64];

	(void)snprintf(uid, sizeof uid, "4711 %u 1", geteuid());
	(void)snprintf(gid, sizeof gid, "4711 %u 1", getegid());
	return unshare(CLONE_NEWUSER) == 0 &&
	    put("/proc/self/setgroups", "deny") &&
	    put("/proc/self/uid_map", uid) && put("/proc/self/gid_map", gid) &&
	    put(file, "0");
}

TEST(without_a_kind_of_namespace_it_refuses)
{
	static const char *const kinds[] = {"user", "mnt", "pid", "net", "ipc",
	    "uts", "cgroup"};
	char path[64];

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		(void)snprintf(path, sizeof path,
		    "/proc/sys/user/max_%s_namespaces", kinds[i]);
		if (starts(none_of, path))
			T_FAIL("it starts without %s namespaces", kinds[i]);
		else if (strstr(said, "namespaces: No space left") == NULL)
			T_FAIL("without %s it says: %s", kinds[i], said);
	}
}

T_MAIN
