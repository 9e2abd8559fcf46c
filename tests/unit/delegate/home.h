/* What the tests of a delegate's directory share: one of their own. */
#ifndef TESTS_UNIT_DELEGATE_HOME_H
#define TESTS_UNIT_DELEGATE_HOME_H

#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "delegate/home.h"
#include "tests/t.h"

static char test_path[64];

/* A directory that is new; its descriptor. */
static inline int
test_home(void)
{
	struct trail t = {0};
	int dir = -1;

	strcpy(test_path, "/tmp/redoubt-delegate-XXXXXX");
	if (mkdtemp(test_path) == NULL ||
	    !err_ok(home_open(test_path, false, &t, &dir)))
		abort();
	return dir;
}

static inline int
test_unlink(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)st;
	(void)flag;
	(void)f;
	return remove(path);
}

static inline void
test_home_done(int dir)
{
	close(dir);
	nftw(test_path, test_unlink, 8, FTW_DEPTH | FTW_PHYS);
}

static inline void
test_write(int dir, const char *name, const char *text)
{
	if (!err_ok(home_write(dir, name, 0600, str_c(text))))
		abort();
}

static inline struct str
test_read(int dir, const char *name, char *store, size_t max)
{
	struct buf b = {.p = store, .cap = max, .max = max};

	if (!err_ok(home_read(dir, name, &b)))
		return STR_NONE;
	return buf_view(&b);
}

#endif
