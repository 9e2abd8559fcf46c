/*
 * The private root: a small tmpfs with read-only copies of mounts of the
 * host's tool directories, /step with the script, /job to work in, a /proc
 * that shows nobody else's processes and no kernel, and three devices.
 * Sources are opened before the root is mounted over one of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/limits.h"
#include "delegate/cell.h"

enum {
	SOURCES = 64,
	ROOT_KB = 512,
	ROOT_INODES = 192,
	SCRIPT_MODE = 0444,
	COPY = 4096,
};

struct source {
	const char *path;
	unsigned attr; /* MOUNT_ATTR_* to set */
	bool must;     /* else it may be absent */
	int tree;      /* a detached copy of the mount; -1 */
	bool dir;
};

enum {
	DATA_ATTR = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
	    MOUNT_ATTR_NOEXEC,
	TOOLS_ATTR = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
	DEVICE_ATTR = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
};

static const struct source closure[] = {
#define TOOLS(path) {path, TOOLS_ATTR, false, -1, false},
#define DATA(path) {path, DATA_ATTR, false, -1, false},
#include "delegate/closure.def"
#undef TOOLS
#undef DATA
    {"/dev/null", DEVICE_ATTR, true, -1, false},
    {"/dev/zero", DEVICE_ATTR, true, -1, false},
    {"/dev/urandom", DEVICE_ATTR, true, -1, false},
};

enum { CLOSURE = sizeof closure / sizeof *closure };

err
cell_failed(struct trail *t, const char *what)
{
	trail_set(t, "%s: %s", what, strerror(errno));
	return err_of(E_DENIED);
}

bool
cell_put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	size_t n = strlen(text);
	bool good = fd >= 0 && write(fd, text, n) == (ssize_t)n;

	if (fd >= 0)
		(void)close(fd);
	return good;
}

/* ---- directories and links of the new root ---- */

/* All directories above the last name. */
static bool
make_parents(int root, const char *path)
{
	char part[512];
	size_t n = strlen(path);

	if (n >= sizeof part)
		return false;
	for (size_t i = 1; i < n; i++) {
		if (path[i] != '/')
			continue;
		memcpy(part, path, i);
		part[i] = 0;
		if (mkdirat(root, part, 0755) != 0 && errno != EEXIST)
			return false;
	}
	return true;
}

static bool
make_file(int root, const char *path, mode_t mode)
{
	int fd =
	    openat(root, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	return fd >= 0 && close(fd) == 0;
}

static bool
copy_link(int root, const char *path)
{
	char target[512];
	ssize_t n = readlink(path, target, sizeof target - 1);

	if (n <= 0)
		return false;
	target[n] = 0;
	return make_parents(root, path + 1) &&
	    symlinkat(target, root, path + 1) == 0;
}

/* ---- copies of mounts ---- */

static err
open_source(struct source *s, struct trail *t)
{
	struct mount_attr attr = {.attr_set = s->attr};
	struct stat st;

	s->tree = -1;
	if (lstat(s->path, &st) != 0)
		return s->must ? cell_failed(t, s->path) : OK;
	if (S_ISLNK(st.st_mode))
		return OK;
	s->dir = S_ISDIR(st.st_mode);
	s->tree = open_tree(AT_FDCWD, s->path,
	    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE |
		AT_SYMLINK_NOFOLLOW);
	if (s->tree < 0)
		return cell_failed(t, s->path);
	if (mount_setattr(s->tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr,
		sizeof attr) != 0)
		return cell_failed(t, "mount_setattr");
	return OK;
}

static err
attach(int root, struct source *s, struct trail *t)
{
	struct stat st;

	if (s->tree < 0) {
		if (lstat(s->path, &st) == 0 && S_ISLNK(st.st_mode) &&
		    !copy_link(root, s->path))
			return cell_failed(t, s->path);
		return OK;
	}
	if (!make_parents(root, s->path + 1) ||
	    (s->dir ? mkdirat(root, s->path + 1, 0755) != 0
		    : !make_file(root, s->path + 1, 0444)))
		return cell_failed(t, s->path);
	if (move_mount(s->tree, "", root, s->path + 1,
		MOVE_MOUNT_F_EMPTY_PATH) != 0)
		return cell_failed(t, "move_mount");
	(void)close(s->tree);
	s->tree = -1;
	return OK;
}

static err
sources(const struct zygote_conf *conf, struct source v[SOURCES], size_t *ret_n,
    struct trail *t)
{
	size_t n = 0;

	for (size_t i = 0; i < CLOSURE; i++)
		v[n++] = closure[i];
	for (size_t i = 0; i < conf->paths_n && n < SOURCES; i++)
		v[n++] = (struct source){conf->paths[i], TOOLS_ATTR, true, -1,
		    false};
	for (size_t i = 0; i < n; i++)
		TRY(open_source(&v[i], t));
	*ret_n = n;
	return OK;
}

/* ---- what is ours ---- */

static bool
copy_bytes(int from, int to)
{
	char b[COPY];
	ssize_t n;

	if (lseek(from, 0, SEEK_SET) != 0)
		return false;
	while ((n = read(from, b, sizeof b)) > 0)
		if (write(to, b, (size_t)n) != n)
			return false;
	return n == 0;
}

static const struct {
	const char *path, *text;
} small_files[] = {
    {"etc/passwd", "step:x:1000:1000::/job:/bin/sh\n"},
    {"etc/group", "step:x:1000:\n"},
    {"etc/hosts", "127.0.0.1 localhost\n"},
};

static const struct {
	const char *path, *target;
} links[] = {
    {"dev/fd", "/proc/self/fd"},
    {"dev/stdin", "/proc/self/fd/0"},
    {"dev/stdout", "/proc/self/fd/1"},
    {"dev/stderr", "/proc/self/fd/2"},
    {"tmp", "job"},
};

static err
make_small_files(int root, struct trail *t)
{
	for (size_t i = 0; i < sizeof small_files / sizeof *small_files; i++) {
		size_t n = strlen(small_files[i].text);
		int fd;
		bool good;

		if (!make_parents(root, small_files[i].path))
			return cell_failed(t, "/etc");
		fd = openat(root, small_files[i].path,
		    O_WRONLY | O_CREAT | O_CLOEXEC, 0444);
		good =
		    fd >= 0 && write(fd, small_files[i].text, n) == (ssize_t)n;
		if (fd >= 0)
			(void)close(fd);
		if (!good)
			return cell_failed(t, small_files[i].path);
	}
	for (size_t i = 0; i < sizeof links / sizeof *links; i++)
		if (symlinkat(links[i].target, root, links[i].path) != 0 &&
		    errno != EEXIST)
			return cell_failed(t, links[i].path);
	return OK;
}

static err
make_proc(int root, struct trail *t)
{
	if (mkdirat(root, "proc", 0555) != 0 ||
	    mount("proc", "proc", "proc",
		MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY,
		"hidepid=2,subset=pid") != 0)
		return cell_failed(t, "/proc (hidepid=2,subset=pid)");
	return OK;
}

static err
enter(struct trail *t)
{
	if (syscall(SYS_pivot_root, ".", ".") != 0)
		return cell_failed(t, "pivot_root");
	if (umount2(".", MNT_DETACH) != 0 || chdir("/") != 0)
		return cell_failed(t, "the old root");
	return OK;
}

/* Any directory does: it is covered only for us. */
static const char place[] = "/usr";

err
root_make(const struct cell *c, struct trail *t)
{
	struct source v[SOURCES];
	char options[96];
	size_t n;
	int root;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return cell_failed(t, "private mounts");
	TRY(sources(c->conf, v, &n, t));
	(void)snprintf(options, sizeof options,
	    "size=%dk,nr_inodes=%d,mode=0755", ROOT_KB, ROOT_INODES);
	if (mount("root", place, "tmpfs", MS_NOSUID | MS_NODEV, options) != 0 ||
	    chdir(place) != 0)
		return cell_failed(t, "the root");
	root = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return cell_failed(t, "the root");
	for (size_t i = 0; i < n; i++)
		TRY(attach(root, &v[i], t));
	TRY(make_small_files(root, t));
	TRY(make_proc(root, t));
	if (mkdirat(root, "step", 0755) != 0 || mkdirat(root, "job", 0700) != 0)
		return cell_failed(t, "/job");
	(void)close(root);
	return enter(t);
}

/* ---- what is of the step ---- */

static err
make_script(const struct step *s, struct trail *t)
{
	int fd;
	bool good;

	if (s->script < 0)
		return OK;
	fd = open(SANDBOX_SCRIPT, O_WRONLY | O_CREAT | O_CLOEXEC, SCRIPT_MODE);
	good = fd >= 0 && copy_bytes(s->script, fd);
	if (fd >= 0)
		(void)close(fd);
	return good ? OK : cell_failed(t, SANDBOX_SCRIPT);
}

static err
make_job(const struct step *s, struct trail *t, int *ret_job)
{
	char options[96];
	int fd;

	(void)snprintf(options, sizeof options,
	    "size=%um,nr_inodes=%d,mode=0700", s->limits.work_mb,
	    LIM_STEP_FILES);
	if (mount("job", "/job", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		options) != 0)
		return cell_failed(t, "/job");
	fd = open("/job", O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return cell_failed(t, "/job");
	*ret_job = fd;
	return OK;
}

err
root_finish(const struct step *s, struct trail *t, int *ret_job)
{
	TRY(make_script(s, t));
	TRY(make_job(s, t, ret_job));
	if (mount(NULL, "/", NULL,
		MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV,
		NULL) != 0)
		return cell_failed(t, "a read-only root");
	return OK;
}
