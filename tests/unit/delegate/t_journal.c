/* What was started is never started again. */
#include "base/buf.h"
#include "base/limits.h"
#include "delegate/journal.h"
#include "tests/unit/delegate/home.h"

static char store[8192];

static struct uuid
id(unsigned n)
{
	struct uuid u = {{1, 2, 3}};

	u.b[15] = (uint8_t)n;
	u.b[14] = (uint8_t)(n >> 8);
	u.b[13] = (uint8_t)(n >> 16);
	return u;
}

static struct journal *
open_at(int dir, int64_t now)
{
	struct journal *j = NULL;
	struct trail t = {0};

	T_GOOD(journal_open(dir, now, &t, &j));
	if (j == NULL)
		abort();
	return j;
}

TEST(once_and_through_restarts)
{
	int dir = test_home();
	struct journal *j = open_at(dir, 1000);
	struct uuid a = id(1), b = id(2);

	T_EQ_INT(journal_offered(j, &a, 1, 5000, 1000), REASON_NONE);
	T_EQ_INT(journal_offered(j, &a, 2, 5000, 1000), REASON_NONE);
	T_EQ_INT(journal_offered(j, &a, 1, 5000, 1000), REASON_FENCE_OLD);
	T_GOOD(journal_started(j, &a, 2, 5000, 1000));
	T_ERR(journal_started(j, &a, 3, 5000, 1000), E_EXISTS);
	T_EQ_INT(journal_offered(j, &a, 3, 9000, 1000), REASON_REPLAYED);
	T_EQ_INT(journal_offered(j, &b, 1, 5000, 1000), REASON_NONE);
	journal_close(j);
	T_EQ_STR(test_read(dir, "journal", store, sizeof store),
	    STR("started 01020300-0000-0000-0000-000000000001 2 5000\n"));
	/* even when the clock goes back */
	j = open_at(dir, 0);
	T_EQ_INT(journal_size(j), 1);
	T_EQ_INT(journal_offered(j, &a, 9, 9000, 0), REASON_REPLAYED);
	T_EQ_INT(journal_offered(j, &b, 1, 5000, 0), REASON_NONE);
	journal_close(j);
	test_home_done(dir);
}

TEST(a_line_cut_at_any_byte)
{
	static const char whole[] =
	    "started 01020300-0000-0000-0000-000000000001 1 5\n"
	    "started 01020300-0000-0000-0000-000000000002 1 5\n";
	struct uuid one = id(1), two = id(2);
	int dir = test_home();

	for (size_t n = strlen(whole) / 2; n <= strlen(whole); n++) {
		bool both = n == strlen(whole);
		struct journal *j;

		T_GOOD(home_write(dir, "journal", 0600, str_of(whole, n)));
		j = open_at(dir, 1);
		T_EQ_INT(journal_offered(j, &one, 1, 5, 1), REASON_REPLAYED);
		T_EQ_INT(journal_offered(j, &two, 1, 5, 1),
		    both ? REASON_REPLAYED : REASON_NONE);
		/* and what is written next is a line of its own */
		if (!both)
			T_GOOD(journal_started(j, &two, 1, 5, 1));
		journal_close(j);
		T_EQ_STR(test_read(dir, "journal", store, sizeof store),
		    str_c(whole));
	}
	test_home_done(dir);
}

TEST(a_line_that_is_none)
{
	static const char *const bad[] = {"hello\n",
	    "started 01020300-0000-0000-0000-000000000001 0 5\n",
	    "started 01020300-0000-0000-0000-000000000001 1 5 \n",
	    "started 00000000-0000-0000-0000-000000000000 1 5\n",
	    "started  01020300-0000-0000-0000-000000000001 1 5\n", "\n"};
	int dir = test_home();

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct trail t = {0};
		struct journal *j;

		test_write(dir, "journal", bad[i]);
		T_ERR(journal_open(dir, 1, &t, &j), E_CORRUPT);
		T_OK(strstr(t.detail, "line 1") != NULL);
	}
	test_home_done(dir);
}

TEST(a_full_one_forgets_only_what_expired_long_ago)
{
	int dir = test_home();
	struct journal *j = open_at(dir, 1);
	int64_t day = 86400000;
	struct uuid u;

	for (unsigned i = 1; i <= LIM_DELEGATE_JOURNAL; i++) {
		u = id(i);
		T_EQ_INT(journal_offered(j, &u, 1, i == 7 ? 10 : 2 * day, 1),
		    REASON_NONE);
	}
	u = id(LIM_DELEGATE_JOURNAL + 1);
	T_EQ_INT(journal_offered(j, &u, 1, 5, 1), REASON_JOURNAL);
	T_ERR(journal_started(j, &u, 1, 5, 1), E_LIMIT);
	T_EQ_INT(journal_offered(j, &u, 1, 3 * day, day + 20), REASON_NONE);
	u = id(8);
	T_EQ_INT(journal_offered(j, &u, 0, 5, 1), REASON_FENCE_OLD);
	T_EQ_INT(journal_size(j), LIM_DELEGATE_JOURNAL);
	journal_close(j);
	test_home_done(dir);
}

TEST(what_cannot_be_written_does_not_start)
{
	int dir = test_home();
	struct journal *j = open_at(dir, 1);
	struct uuid a = id(1), b = id(2);
	struct journal *again;

	/* a file with no room left: the descriptor of the journal is one of
	 * /dev/full */
	T_OK(unlinkat(dir, "journal", 0) == 0);
	journal_close(j);
	test_write(dir, "journal", "");
	again = open_at(dir, 1);
	T_OK(dup2(open("/dev/full", O_WRONLY), dir + 1) == dir + 1);
	T_ERR(journal_started(again, &a, 1, 5, 1), E_NO_SPACE);
	T_ERR(journal_started(again, &b, 1, 5, 1), E_IO);
	journal_close(again);
	test_home_done(dir);
}

T_MAIN
