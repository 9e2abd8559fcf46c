/*
 * log_ahead.c: the log is written ahead of its use.
 *
 * A commit that makes the file longer makes its fdatasync write the inode and
 * the map of blocks as well: three writes for one, twice the time.  So zeros
 * are appended before they are needed, in small pieces, off the writer's
 * path.  O_APPEND makes that safe beside a writer that gets there first: the
 * kernel appends after what it wrote, never over it.  Zeros are no frames:
 * whoever reads the log ends where its checksums do.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/conn.h"

enum {
	FRAME = 4096 + 24,
	AHEAD = 4 * 1024 * 1024, /* zeros there are after an extension */
	LOW = 2 * 1024 * 1024,	 /* when there are fewer */
	PIECE = 64 * 1024,	 /* what a commit may have to wait for */
	MOST = 48 * 1024 * 1024, /* below journal_size_limit */
};

static int
log_open(const struct store *s)
{
	size_t n = strlen(s->path);
	char *path = mem_new(n + sizeof "-wal", 1);
	int fd;

	if (path == NULL)
		return -1;
	memcpy(path, s->path, n);
	memcpy(path + n, "-wal", sizeof "-wal");
	fd = open(path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
	mem_free(path);
	return fd;
}

/* Zeros until there is enough; a full disk is for a commit to report. */
static void
extend(int fd, off_t size, off_t want)
{
	static const char zeros[PIECE];

	for (; size < want; size += PIECE)
		if (write(fd, zeros, sizeof zeros) != PIECE ||
		    fdatasync(fd) != 0)
			return;
}

void
store_log_ahead(struct store *s)
{
	off_t used = (off_t)atomic_load(&s->wal_pages) * FRAME;
	struct stat st;

	BUG_ON(s->folder == NULL);
	if (used + LOW > MOST || store_poisoned(s))
		return;
	BUG_ON(pthread_mutex_lock(&s->fold_lock) != 0);
	if (s->log_fd < 0)
		s->log_fd = log_open(s);
	if (s->log_fd >= 0 && fstat(s->log_fd, &st) == 0 &&
	    st.st_size < used + LOW)
		extend(s->log_fd, st.st_size, used + AHEAD);
	BUG_ON(pthread_mutex_unlock(&s->fold_lock) != 0);
}
