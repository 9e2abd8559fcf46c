#include "delegate/watch.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/str.h"

enum { STATUS = 4096, LINE_KB = 1024 };

bool
watch_open(struct watch *w)
{
	w->proc = opendir("/proc");
	w->page = sysconf(_SC_PAGESIZE);
	return w->proc != NULL && w->page > 0;
}

/* "RssAnon:\t    1234 kB" */
static int64_t
kilobytes(struct str text, const char *name)
{
	struct str line, head, value;
	uint64_t v;

	while (text.n > 0) {
		(void)str_cut(text, '\n', &line, &text);
		if (!str_cut(line, ':', &head, &value) || !str_is(head, name))
			continue;
		value = str_trim(value);
		(void)str_cut(value, ' ', &value, &head);
		return str_u64(value, 0, INT64_MAX / LINE_KB, &v) ? (int64_t)v
								  : 0;
	}
	return 0;
}

static int64_t
of_process(int proc, const char *pid)
{
	char path[64], text[STATUS];
	struct str s;
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof path, "%.16s/status", pid);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof text);
	(void)close(fd);
	s = str_of(text, n > 0 ? (size_t)n : 0);
	return (kilobytes(s, "RssAnon") + kilobytes(s, "RssShmem")) * LINE_KB;
}

int64_t
watch_memory(struct watch *w)
{
	int64_t sum = 0;
	struct statfs job;
	struct dirent *e;

	rewinddir(w->proc);
	while ((e = readdir(w->proc)) != NULL)
		if (e->d_name[0] >= '1' && e->d_name[0] <= '9')
			sum += of_process(dirfd(w->proc), e->d_name);
	if (statfs("/job", &job) == 0)
		sum += (int64_t)(job.f_blocks - job.f_bfree) *
		    (int64_t)job.f_bsize;
	return sum;
}
