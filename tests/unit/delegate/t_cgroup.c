/* Where a process's cgroup is, of what the kernel tells. */
#include "delegate/cgroup.h"
#include "tests/t.h"

static const char hybrid[] = "9:name=systemd:/\n"
			     "8:pids:/a/b\n"
			     "4:memory:/m\n"
			     "2:cpu,cpuacct:/\n"
			     "0::/unified.slice\n";
static const char mounts[] =
    "20 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
    "30 20 0:26 / /sys/fs/cgroup/pids rw,nosuid shared:9 - cgroup cgroup "
    "rw,pids\n"
    "31 20 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    "32 20 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
    "33 20 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate\n";

static void
found(const char *own, const char *mnt, const char *controller,
    const char *want)
{
	char got[CGROUP_PATH] = "";
	bool good = cgroup_find(str_c(own), str_c(mnt), controller, got);

	T_EQ_STR(str_c(good ? got : "none"), str_c(want));
}

TEST(version_1)
{
	found(hybrid, mounts, "pids", "/sys/fs/cgroup/pids/a/b");
	found(hybrid, mounts, "memory", "/sys/fs/cgroup/memory/m");
	found(hybrid, mounts, "cpu", "/sys/fs/cgroup/cpu");
	found(hybrid, mounts, "io", "none");
	/* a part of a name is no name */
	found("8:pids2:/a\n", mounts, "pids", "none");
}

TEST(version_2)
{
	found(hybrid, mounts, "", "/sys/fs/cgroup/unified/unified.slice");
	found("0::/\n", "33 20 0:29 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
	    "", "/sys/fs/cgroup");
	found("8:pids:/\n", mounts, "", "none");
}

/* The mount shows a part of the tree only. */
TEST(in_a_container)
{
	static const char part[] =
	    "33 20 0:29 /docker/1f /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n";

	found("0::/docker/1f/x\n", part, "", "/sys/fs/cgroup/x");
	found("0::/docker/1f\n", part, "", "/sys/fs/cgroup");
	found("0::/elsewhere\n", part, "", "none");
}

TEST(what_is_bent)
{
	found("", "", "", "none");
	found("0::/a", "33 20 0:29 /\n", "", "none");
	found("0", mounts, "", "none");
	found("0::/a\n", "1 2 3 / /x\\040y rw - cgroup2 c rw\n", "", "none");
}

/* As we are: whatever is to be had can be made, entered and taken away. */
TEST(here)
{
	const struct sandbox_limits l = {.memory_mb = 64, .pids = 8};
	struct cgroup_usage u;
	struct cgroups c;
	struct cgroup g;

	cgroups_open(&c);
	printf("# %s\n", cgroup_level_name(c.level));
	T_OK(cgroup_make(&c, 0, &g));
	T_OK(cgroup_limit(&g, &l));
	cgroup_usage(&g, &u);
	T_OK(!u.oom);
	cgroup_remove(&g);
	cgroups_close(&c);
	T_EQ_INT(c.trees, 0);
}

T_MAIN
