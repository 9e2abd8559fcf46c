/* t_epoch.c: names of epochs, and the entry that leads from one to the next.
 */
#include "audit/epoch.h"

#include "tests/t.h"

#define LOG "redoubt/0192a3b4-c5d6-7e8f-9012-3456789abcde"

TEST(names)
{
	static const char *const bad[] = {"", "/", "/1", "redoubt", "redoubt/",
	    "redoubt/0", "redoubt/01", "redoubt/x", "redoubt/1-00000000",
	    "redoubt/2", "redoubt/2-", "redoubt/2-0000000",
	    "redoubt/2-000000000", "redoubt/2-0000000A", "redoubt/-2",
	    "redoubt/4294967296-00000000"};
	struct epoch e;

	T_OK(epoch_parse(STR(LOG "/1"), &e) && e.number == 1 &&
	    str_is(e.log, LOG));
	T_OK(epoch_parse(STR(LOG "/2-5f3a9c01"), &e) && e.number == 2);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (epoch_parse(str_c(bad[i]), &e))
			T_FAIL("%s", bad[i]);
}

TEST(the_next_one)
{
	static const uint8_t mark[4] = {0x5f, 0x3a, 0x9c, 0x01};
	char next[NOTE_NAME_MAX + 1], third[NOTE_NAME_MAX + 1];

	T_GOOD(epoch_next(STR(LOG "/1"), mark, next));
	T_OK(strcmp(next, LOG "/2-5f3a9c01") == 0);
	T_GOOD(epoch_next(str_c(next), mark, third));
	T_OK(strcmp(third, LOG "/3-5f3a9c01") == 0);
	T_OK(epoch_follows(STR(LOG "/1"), str_c(next)));
	T_OK(epoch_follows(str_c(next), str_c(third)));
	T_OK(!epoch_follows(STR(LOG "/1"), str_c(third)));
	T_OK(!epoch_follows(STR("redoubt/other/1"), str_c(next)));
	T_OK(!epoch_follows(str_c(next), str_c(next)));
	T_OK(err_is(epoch_next(STR("elsewhere"), mark, next), E_INVALID));
}

static struct str
written(struct arena *a, const struct fork *f)
{
	struct audit_entry e = {.seq = 301,
	    .time = 1790000000000,
	    .principal_kind = STR("system")};
	struct buf b;

	buf_init_on(&b, a, 4096);
	T_GOOD(fork_fill(f, a, &e));
	T_GOOD(audit_leaf_write(&b, &e));
	return buf_view(&b);
}

TEST(the_entry)
{
	struct fork f = {.log = STR(LOG "/2-5f3a9c01"),
			.before = STR(LOG "/1"),
			.size = 312},
		    got;
	struct arena a;
	struct str leaf;

	arena_init(&a, 1 << 16);
	memset(f.root.b, 7, sizeof f.root.b);
	leaf = written(&a, &f);
	T_OK(fork_is(leaf));
	T_REQUIRE(err_ok(fork_read(leaf, &got)));
	T_OK(str_eq(got.log, f.log) && str_eq(got.before, f.before));
	T_OK(got.size == 312 &&
	    memcmp(got.root.b, f.root.b, sizeof f.root.b) == 0);
	/* one that leads nowhere, or back */
	f.log = STR(LOG "/3-5f3a9c01");
	T_OK(err_is(fork_read(written(&a, &f), &got), E_CORRUPT));
	f.log = f.before;
	T_OK(err_is(fork_read(written(&a, &f), &got), E_CORRUPT));
	arena_done(&a);
}

T_MAIN
