#include "delegate/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "delegate/cell.h"

enum { TEXT = 65536, NAME = 64, RETRIES = 200, MIB = 1024 * 1024 };

static const char prefix[] = "redoubt-";

const char *
cgroup_level_name(enum cgroup_level l)
{
	static const char *const names[] = {"rlimit", "cgroup1", "cgroup2"};

	return names[l];
}

/* ---- where it is ---- */

/* Is `word` one of the comma-separated words? */
static bool
lists(struct str words, const char *word)
{
	struct str head;

	while (words.n > 0) {
		(void)str_cut(words, ',', &head, &words);
		if (str_is(head, word))
			return true;
	}
	return false;
}

/* Our path in the hierarchy: "4:memory:/a/b", "0::/a/b". */
static bool
own_path(struct str cgroup, const char *controller, struct str *ret)
{
	struct str line, id, words, path;

	while (cgroup.n > 0) {
		(void)str_cut(cgroup, '\n', &line, &cgroup);
		if (str_cut(line, ':', &id, &words) &&
		    str_cut(words, ':', &words, &path) &&
		    (*controller == 0 ? words.n == 0
				      : lists(words, controller))) {
			*ret = path;
			return true;
		}
	}
	return false;
}

struct mount_line {
	struct str root, point, type, options;
};

/* "36 35 98:0 /root /point rw,... [optional] - type source options" */
static bool
mount_read(struct str line, struct mount_line *ret)
{
	struct str word;

	for (int i = 0; i < 3; i++)
		if (!str_cut(line, ' ', &word, &line))
			return false;
	if (!str_cut(line, ' ', &ret->root, &line) ||
	    !str_cut(line, ' ', &ret->point, &line))
		return false;
	do {
		if (!str_cut(line, ' ', &word, &line))
			return false;
	} while (!str_is(word, "-"));
	return str_cut(line, ' ', &ret->type, &line) &&
	    str_cut(line, ' ', &word, &ret->options);
}

bool
cgroup_find(struct str cgroup, struct str mountinfo, const char *controller,
    char ret[CGROUP_PATH])
{
	const char *type = *controller == 0 ? "cgroup2" : "cgroup";
	struct str own, line;
	struct mount_line m;

	if (!own_path(cgroup, controller, &own))
		return false;
	while (mountinfo.n > 0) {
		(void)str_cut(mountinfo, '\n', &line, &mountinfo);
		if (!mount_read(line, &m) || !str_is(m.type, type) ||
		    (*controller != 0 && !lists(m.options, controller)) ||
		    memchr(m.point.p, '\\', m.point.n) != NULL)
			continue;
		/* Inside a container the mount shows a part only. */
		if (!str_is(m.root, "/")) {
			if (!str_starts(own, m.root))
				continue;
			own = str_skip(own, m.root.n);
		}
		if (str_is(own, "/"))
			own = STR_NONE;
		return m.point.n + own.n < CGROUP_PATH - NAME &&
		    snprintf(ret, CGROUP_PATH, "%.*s%.*s", STR_ARG(m.point),
			(int)own.n, own.n == 0 ? "" : own.p) > 0;
	}
	return false;
}

/* ---- small files ---- */

static bool
put(const char *dir, const char *file, const char *text)
{
	char path[CGROUP_PATH + 2 * NAME];

	(void)snprintf(path, sizeof path, "%s/%s", dir, file);
	return cell_put(path, text);
}

static bool
put_number(const char *dir, const char *file, uint64_t v)
{
	char text[32];

	(void)snprintf(text, sizeof text, "%llu", (unsigned long long)v);
	return put(dir, file, text);
}

static struct str
get_path(const char *path, char *ret, size_t max)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t n = 0;
	ssize_t got;

	if (fd < 0)
		return STR_NONE;
	while (n < max && (got = read(fd, ret + n, max - n)) > 0)
		n += (size_t)got;
	(void)close(fd);
	return str_of(ret, n);
}

static struct str
get(const char *dir, const char *file, char *ret, size_t max)
{
	char path[CGROUP_PATH + 2 * NAME];

	(void)snprintf(path, sizeof path, "%s/%s", dir, file);
	return get_path(path, ret, max);
}

/* The number in a line "name N", or of the whole file for "". */
static int64_t
number_in(struct str text, const char *name)
{
	struct str line, word, value;
	uint64_t v;

	while (text.n > 0) {
		(void)str_cut(text, '\n', &line, &text);
		value = line;
		if (*name != 0 &&
		    (!str_cut(line, ' ', &word, &value) || !str_is(word, name)))
			continue;
		return str_u64(value, 0, INT64_MAX, &v) ? (int64_t)v : 0;
	}
	return 0;
}

static bool
has_word(struct str text, const char *word)
{
	struct str head;

	while (text.n > 0) {
		(void)str_cut(text, ' ', &head, &text);
		if (head.n > 0 && head.p[head.n - 1] == '\n')
			head.n--;
		if (str_is(head, word))
			return true;
	}
	return false;
}

/* ---- the zygote's directories ---- */

static void
remove_tree(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL)
		if (strncmp(e->d_name, "step-", 5) == 0)
			(void)unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR);
	(void)closedir(d);
	(void)rmdir(dir);
}

/* Of zygotes that were killed; a group with somebody in it stays. */
static void
sweep(const char *own)
{
	char path[CGROUP_PATH + NAME + 256];
	DIR *d = opendir(own);
	struct dirent *e;
	uint64_t pid;

	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		if (strncmp(e->d_name, prefix, sizeof prefix - 1) != 0 ||
		    !str_u64(str_c(e->d_name + sizeof prefix - 1), 1, INT32_MAX,
			&pid) ||
		    kill((pid_t)pid, 0) == 0 || errno != ESRCH)
			continue;
		(void)snprintf(path, sizeof path, "%s/%s", own, e->d_name);
		remove_tree(path);
	}
	(void)closedir(d);
}

static bool
make_own(char dir[CGROUP_PATH])
{
	size_t n = strlen(dir);

	sweep(dir);
	(void)snprintf(dir + n, CGROUP_PATH - n, "/%s%d", prefix, getpid());
	return mkdir(dir, 0755) == 0 || errno == EEXIST;
}

/* Processes and controllers cannot be in one group of version 2: move to a
 * leaf, if nobody but us and who started us lives here. */
static bool
move_to_leaf(const char *own)
{
	char text[4096], leaf[CGROUP_PATH + NAME];
	struct str procs = get(own, "cgroup.procs", text, sizeof text), line;
	uint64_t pid;

	for (struct str left = procs; left.n > 0;) {
		(void)str_cut(left, '\n', &line, &left);
		if (line.n > 0 &&
		    (!str_u64(line, 1, INT32_MAX, &pid) ||
			((pid_t)pid != getpid() && (pid_t)pid != getppid())))
			return false;
	}
	(void)snprintf(leaf, sizeof leaf, "%s/redoubt", own);
	if (mkdir(leaf, 0755) != 0 && errno != EEXIST)
		return false;
	while (procs.n > 0) {
		(void)str_cut(procs, '\n', &line, &procs);
		if (str_u64(line, 1, INT32_MAX, &pid) &&
		    !put_number(leaf, "cgroup.procs", pid))
			return false;
	}
	return true;
}

/* An earlier zygote has moved us there: ours is the group around it. */
static void
leave_leaf(char *dir)
{
	struct str at = str_c(dir);

	if (str_ends(at, STR("/redoubt")))
		dir[at.n - (sizeof "/redoubt" - 1)] = 0;
}

static bool
open_v2(struct str cgroup, struct str mounts, struct cgroups *c)
{
	static const char need[] = "+memory +pids";
	char text[1024], *dir = c->dir[0];
	struct str have;

	if (!cgroup_find(cgroup, mounts, "", dir))
		return false;
	leave_leaf(dir);
	have = get(dir, "cgroup.controllers", text, sizeof text);
	if (!has_word(have, "memory") || !has_word(have, "pids"))
		return false;
	if (!put(dir, "cgroup.subtree_control", need) &&
	    (!move_to_leaf(dir) || !put(dir, "cgroup.subtree_control", need)))
		return false;
	(void)put(dir, "cgroup.subtree_control", "+cpu");
	if (!make_own(dir) || !put(dir, "cgroup.subtree_control", need))
		return false;
	(void)put(dir, "cgroup.subtree_control", "+cpu");
	c->trees = 1;
	c->level = CGROUP_V2;
	return true;
}

static bool
open_v1(struct str cgroup, struct str mounts, struct cgroups *c)
{
	static const char *const names[CGROUP_TREES] = {"memory", "pids",
	    "cpu"};

	for (c->trees = 0; c->trees < CGROUP_TREES; c->trees++)
		if (!cgroup_find(cgroup, mounts, names[c->trees],
			c->dir[c->trees]) ||
		    !make_own(c->dir[c->trees]))
			break;
	if (c->trees < 2) {
		while (c->trees > 0)
			(void)rmdir(c->dir[--c->trees]);
		return false;
	}
	c->level = CGROUP_V1;
	return true;
}

void
cgroups_open(struct cgroups *ret)
{
	static char own[4096], mounts[TEXT];
	struct str a = get_path("/proc/self/cgroup", own, sizeof own);
	struct str b = get_path("/proc/self/mountinfo", mounts, sizeof mounts);

	memset(ret, 0, sizeof *ret);
	if (!open_v2(a, b, ret) && !open_v1(a, b, ret)) {
		memset(ret, 0, sizeof *ret);
		ret->level = CGROUP_NONE;
	}
}

void
cgroups_close(struct cgroups *c)
{
	for (unsigned i = 0; i < c->trees; i++)
		remove_tree(c->dir[i]);
	c->trees = 0;
}

/* ---- a step's ---- */

static void
step_dir(const struct cgroup *g, unsigned tree, char ret[CGROUP_PATH + NAME])
{
	(void)snprintf(ret, CGROUP_PATH + NAME, "%s/step-%u", g->of->dir[tree],
	    g->slot);
}

static bool
limit_v2(const char *dir, const struct sandbox_limits *l)
{
	(void)put(dir, "memory.swap.max", "0");
	(void)put(dir, "memory.oom.group", "1");
	(void)put(dir, "cpu.max", "100000 100000");
	return put_number(dir, "memory.max", (uint64_t)l->memory_mb * MIB) &&
	    put_number(dir, "pids.max", (uint64_t)l->pids + 1);
}

static bool
limit_v1(const struct cgroup *g, const struct sandbox_limits *l)
{
	char dir[CGROUP_PATH + NAME];
	uint64_t memory = (uint64_t)l->memory_mb * MIB;

	if (g->of->trees > 2) {
		step_dir(g, 2, dir);
		(void)put(dir, "cpu.cfs_quota_us", "100000");
	}
	step_dir(g, 1, dir);
	if (!put_number(dir, "pids.max", (uint64_t)l->pids + 1))
		return false;
	step_dir(g, 0, dir);
	if (!put_number(dir, "memory.limit_in_bytes", memory))
		return false;
	/* Without swap accounting there is no such file. */
	(void)put_number(dir, "memory.memsw.limit_in_bytes", memory);
	return true;
}

bool
cgroup_make(const struct cgroups *c, unsigned slot, struct cgroup *ret)
{
	char dir[CGROUP_PATH + NAME];

	*ret = (struct cgroup){c, slot};
	for (unsigned i = 0; i < c->trees; i++) {
		step_dir(ret, i, dir);
		(void)rmdir(dir); /* a warden was killed here */
		if (mkdir(dir, 0755) != 0)
			return false;
	}
	return true;
}

bool
cgroup_limit(const struct cgroup *g, const struct sandbox_limits *l)
{
	char dir[CGROUP_PATH + NAME];

	if (g->of->level == CGROUP_V1)
		return limit_v1(g, l);
	step_dir(g, 0, dir);
	return g->of->level == CGROUP_NONE || limit_v2(dir, l);
}

bool
cgroup_enter(const struct cgroup *g, int pid)
{
	char dir[CGROUP_PATH + NAME];

	if (g->of->level != CGROUP_V2)
		return true;
	step_dir(g, 0, dir);
	return put_number(dir, "cgroup.procs", (uint64_t)pid);
}

bool
cgroup_doors(const struct cgroup *g, int ret[CGROUP_TREES])
{
	char dir[CGROUP_PATH + NAME], path[CGROUP_PATH + 2 * NAME];

	for (unsigned i = 0; i < CGROUP_TREES; i++)
		ret[i] = -1;
	if (g->of->level != CGROUP_V1)
		return true;
	for (unsigned i = 0; i < g->of->trees; i++) {
		step_dir(g, i, dir);
		(void)snprintf(path, sizeof path, "%s/tasks", dir);
		ret[i] = open(path, O_WRONLY | O_CLOEXEC);
		if (ret[i] < 0)
			return false;
	}
	return true;
}

bool
cgroup_go_in(int doors[CGROUP_TREES])
{
	bool good = true;

	for (unsigned i = 0; i < CGROUP_TREES && doors[i] >= 0; i++)
		good = good && write(doors[i], "0", 1) == 1;
	cgroup_doors_close(doors);
	return good;
}

void
cgroup_doors_close(int doors[CGROUP_TREES])
{
	for (unsigned i = 0; i < CGROUP_TREES; i++) {
		if (doors[i] >= 0)
			(void)close(doors[i]);
		doors[i] = -1;
	}
}

void
cgroup_usage(const struct cgroup *g, struct cgroup_usage *ret)
{
	bool v2 = g->of->level == CGROUP_V2;
	char dir[CGROUP_PATH + NAME], text[1024];

	memset(ret, 0, sizeof *ret);
	if (g->of->level == CGROUP_NONE)
		return;
	step_dir(g, 0, dir);
	ret->memory =
	    number_in(get(dir, v2 ? "memory.peak" : "memory.max_usage_in_bytes",
			  text, sizeof text),
		"");
	ret->oom =
	    number_in(get(dir, v2 ? "memory.events" : "memory.oom_control",
			  text, sizeof text),
		"oom_kill") > 0;
}

void
cgroup_remove(const struct cgroup *g)
{
	const struct timespec ms = {0, 1000000};
	char dir[CGROUP_PATH + NAME];

	for (unsigned i = 0; i < g->of->trees; i++) {
		step_dir(g, i, dir);
		for (int n = 0;
		     n < RETRIES && rmdir(dir) != 0 && errno == EBUSY; n++)
			(void)nanosleep(&ms, NULL);
	}
}
