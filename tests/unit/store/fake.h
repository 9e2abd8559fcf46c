/*
 * fake.h: what the store's tests share: a directory of their own, blobs that
 * look like sealed ones, ids made from numbers.
 */
#ifndef TESTS_STORE_FAKE_H
#define TESTS_STORE_FAKE_H

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/store.h"
#include "tests/t.h"

static char fake_root[64];
static char fake_path[128];

static inline int
fake_unlink(const char *path, const struct stat *st, int kind, struct FTW *f)
{
	(void)st;
	(void)kind;
	(void)f;
	return remove(path);
}

static inline void
fake_gone(void)
{
	if (fake_root[0] != '\0')
		(void)nftw(fake_root, fake_unlink, 8, FTW_DEPTH | FTW_PHYS);
	fake_root[0] = '\0';
}

/* A new empty directory, the last one removed. */
static inline const char *
fake_dir(void)
{
	static bool once;

	fake_gone();
	if (!once && atexit(fake_gone) != 0)
		abort();
	once = true;
	(void)snprintf(fake_root, sizeof fake_root, "/tmp/rd-store-XXXXXX");
	if (mkdtemp(fake_root) == NULL)
		abort();
	return fake_root;
}

static inline const char *
fake_file(const char *name)
{
	(void)snprintf(fake_path, sizeof fake_path, "%s/%s", fake_root, name);
	return fake_path;
}

static inline struct store *
fake_open(const char *dir, enum store_mode mode)
{
	struct trail t = {""};
	struct store *s = NULL;
	err e = store_open(dir, mode, &t, &s);

	if (!err_ok(e))
		T_FAIL("store_open: %s: %s", err_name(e), t.detail);
	return s;
}

/* Bytes only this test believes to be sealed. */
static inline struct sealed
fake_sealed(const char *c)
{
	return (struct sealed){str_c(c)};
}

static inline struct uuid
fake_uuid(uint64_t kind, uint64_t n)
{
	struct uuid u;

	for (int i = 0; i < 8; i++) {
		u.b[i] = (uint8_t)(n >> (56 - 8 * i));
		u.b[8 + i] = (uint8_t)(kind >> (56 - 8 * i));
	}
	return u;
}

/* xorshift: the same run every time. */
static inline uint32_t
fake_rand(uint32_t below)
{
	static uint64_t x = 88172645463325252u;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (uint32_t)((x >> 11) % below);
}

#endif
