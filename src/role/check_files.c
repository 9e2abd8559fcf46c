/* check_files.c: modes, owners, room, and what the kernel can give. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "role/check.h"
#include "role/plan.h"

/* What nobody but the owner may do with each. */
static const struct {
	const char *name;
	unsigned never; /* mode bits */
	bool must;	/* be there */
} files[] = {
    {".", 077, true},
    {"keys", 077, true},
    {"keys/audit.key", 0177, true},
    {"keys/keeper.state", 0177, true},
    {"db", 077, true},
    {"db/store.db", 0177, true},
    {"db/store.db-wal", 0177, false},
    {"tls", 022, true},
    {"redoubt.conf", 0133, false},
    {"idp.conf", 0177, false},
};

static void
file(struct checking *c, size_t i, size_t *bad)
{
	struct stat st;
	unsigned mode;

	if (fstatat(c->dir.fd, files[i].name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		if (!files[i].must)
			return;
		*bad += 1;
		check_say(c, "files.missing", false,
		    "restore it, or make a new store with redoubt init",
		    "%s is missing", files[i].name);
		return;
	}
	mode = (unsigned)st.st_mode & 07777;
	if (S_ISLNK(st.st_mode) || (mode & files[i].never) == 0)
		return;
	*bad += 1;
	check_say(c, "files.mode", false, "take the rights of others away",
	    "%s has mode %04o", files[i].name, mode);
}

void
check_files(struct checking *c)
{
	struct statvfs v;
	size_t bad = 0;

	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		file(c, i, &bad);
	if (bad == 0)
		check_say(c, "files.mode", false, NULL,
		    "only the owner can read and write");
	if (fstatvfs(c->dir.fd, &v) != 0 || v.f_blocks == 0)
		return;
	check_say(c, "files.room", true,
	    v.f_bavail < v.f_blocks / 20
		? "make room: with a full disk nothing is accepted"
		: NULL,
	    "%llu MiB are free",
	    (unsigned long long)v.f_bavail * v.f_frsize >> 20);
}

/* ---- identity providers ---- */

void
check_idp(struct checking *c)
{
	struct trail t = {{0}};
	struct idp_plan p;
	err e = plan_idp_of(&c->dir, &t, &p);

	if (!err_ok(e)) {
		check_say(c, "idp.conf", false,
		    "correct it, then send the server SIGHUP", "%s",
		    t.detail[0] ? t.detail : err_text(e));
		return;
	}
	if (!p.given)
		check_say(c, "idp.conf", false, NULL,
		    "there is none: no process of the server may connect to "
		    "anything");
	else
		check_say(c, "idp.conf", false, NULL,
		    "%zu identity providers may be called", p.conf.n);
	idp_plan_close(&p);
}

/* ---- confinement, tried in a child ---- */

static void
report_confinement(struct checking *c, const struct confinement *k)
{
	check_say(c, "confine.filter", false,
	    k->seccomp ? NULL : "run on a kernel with seccomp filters",
	    "system call filter: %s", k->seccomp ? "yes" : "no");
	check_say(c, "confine.network", true,
	    k->netns ? NULL
		     : "allow user namespaces, or start as root: the filter "
		       "alone keeps the server from calling out",
	    "network namespace without a way out: %s", k->netns ? "yes" : "no");
	check_say(c, "confine.files", true,
	    k->landlock > 0 ? NULL : "boot with lsm=landlock,...",
	    "Landlock ABI %d", k->landlock);
}

void
check_confinement(struct checking *c)
{
	struct confinement k = {0};
	struct trail t = {{0}};
	int p[2], status = 0;
	ssize_t n = 0;
	pid_t pid;

	if (pipe2(p, O_CLOEXEC) != 0)
		return;
	pid = fork();
	if (pid == 0) {
		struct confine_plan plan = {.role = CONFINE_KEEPER,
		    .keep = &p[1],
		    .keep_n = 1};
		bool good = err_ok(confine(&plan, &t, &k));

		good = good && write(p[1], &k, sizeof k) == sizeof k;
		_exit(good ? 0 : 1);
	}
	(void)close(p[1]);
	if (pid > 0) {
		n = read(p[0], &k, sizeof k);
		(void)waitpid(pid, &status, 0);
	}
	(void)close(p[0]);
	if (n != sizeof k)
		check_say(c, "confine", false,
		    "the roles would refuse to start here: see the log of "
		    "redoubt serve",
		    "a process cannot be confined on this machine");
	else
		report_confinement(c, &k);
}
