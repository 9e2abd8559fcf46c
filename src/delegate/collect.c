#include "delegate/collect.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int
open_beneath(int dir, const char *name)
{
	const struct open_how how = {.flags = O_RDONLY | O_NOFOLLOW |
		O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
	    .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
		RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV};

	return (int)syscall(SYS_openat2, dir, name, &how, sizeof how);
}

static const char *
wrong_with(const struct stat *st, size_t max)
{
	if (!S_ISREG(st->st_mode))
		return "is no regular file";
	if (st->st_nlink != 1)
		return "has other names";
	if (st->st_size < 0 || (uint64_t)st->st_size > max)
		return "is too large";
	return NULL;
}

enum sandbox_outputs
collect(int job, size_t max, struct trail *t, int *ret_fd, size_t *ret_n)
{
	struct stat st;
	const char *wrong;
	int fd = open_beneath(job, COLLECT_NAME);

	if (fd < 0 && errno == ENOENT)
		return SANDBOX_NO_OUTPUTS;
	if (fd < 0 || fstat(fd, &st) != 0) {
		trail_set(t, COLLECT_NAME " cannot be read: %s",
		    errno == ELOOP ? "a symbolic link" : strerror(errno));
		if (fd >= 0)
			(void)close(fd);
		return SANDBOX_BAD_OUTPUTS;
	}
	wrong = wrong_with(&st, max);
	if (wrong != NULL) {
		trail_set(t, COLLECT_NAME " %s", wrong);
		(void)close(fd);
		return SANDBOX_BAD_OUTPUTS;
	}
	*ret_fd = fd;
	*ret_n = (size_t)st.st_size;
	return SANDBOX_OUTPUTS;
}
