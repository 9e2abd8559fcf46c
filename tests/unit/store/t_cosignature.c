/* t_cosignature.c: what witnesses have cosigned. */
#include "base/limits.h"
#include "store/conn.h"
#include "store/cosignature.h"
#include "tests/unit/store/fake.h"

static const struct uuid one = {{1}}, two = {{2}}, three = {{3}};
static struct store *s;
static struct store_conn *w;
static struct arena a;

static bool
begin(void)
{
	arena_init(&a, 1 << 20);
	s = fake_open(fake_dir(), STORE_CREATE);
	if (s == NULL)
		return false;
	w = store_writer(s);
	T_GOOD(store_begin(w));
	return true;
}

static void
end(void)
{
	T_GOOD(store_commit(w));
	s = store_close(s);
	arena_done(&a);
}

static void
put(const struct uuid *witness, uint64_t size, int64_t time)
{
	struct cosignature_row r = {*witness, size, time, STR("line\n")};

	T_GOOD(store_cosignature_put(w, &r));
}

static uint64_t
cosigned(uint64_t from, unsigned quorum)
{
	uint64_t size = 99;
	err e = store_cosigned_size(w, from, quorum, &size);

	if (err_is(e, E_NOT_FOUND))
		return 0;
	T_GOOD(e);
	return size;
}

TEST(quorum)
{
	T_REQUIRE(begin());
	T_EQ_INT(cosigned(1, 1), 0);
	put(&one, 10, 1);
	put(&two, 10, 2);
	put(&one, 20, 3);
	put(&one, 20, 4); /* again is no other witness */
	put(&three, 5, 5);
	T_EQ_INT(cosigned(1, 1), 20);
	T_EQ_INT(cosigned(1, 2), 10);
	T_EQ_INT(cosigned(10, 2), 10);
	T_EQ_INT(cosigned(11, 2), 0);
	T_EQ_INT(cosigned(1, 3), 0);
	T_GOOD(store_cosignature_forget(w, &two));
	T_EQ_INT(cosigned(1, 2), 0);
	end();
}

TEST(rows)
{
	struct cosignature_row r, all[3];
	size_t n;

	T_REQUIRE(begin());
	T_ERR(store_cosignature_last(w, &one, &a, &r), E_NOT_FOUND);
	put(&one, 30, 7);
	put(&one, 10, 9); /* one comes late */
	put(&two, 30, 8);
	T_GOOD(store_cosignature_last(w, &one, &a, &r));
	T_EQ_INT(r.size, 30);
	T_EQ_INT(r.time, 7);
	T_EQ_STR(r.line, STR("line\n"));
	T_OK(uuid_eq(&r.witness, &one));
	T_GOOD(store_cosignatures_at(w, 30, &a, all, 3, &n));
	T_EQ_INT(n, 2);
	T_OK(uuid_eq(&all[0].witness, &two)); /* the newest first */
	T_GOOD(store_cosignatures_at(w, 30, &a, all, 1, &n));
	T_EQ_INT(n, 1);
	T_GOOD(store_cosignatures_at(w, 31, &a, all, 3, &n));
	T_EQ_INT(n, 0);
	end();
}

TEST(only_the_newest_stay)
{
	struct cosignature_row all[2];
	size_t n;

	T_REQUIRE(begin());
	put(&two, 1, 1);
	for (unsigned i = 1; i <= LIM_COSIGNATURES + 1; i++)
		put(&one, i, i);
	T_GOOD(store_cosignatures_at(w, 1, &a, all, 2, &n));
	T_OK(n == 1 && uuid_eq(&all[0].witness, &two));
	T_GOOD(store_cosignatures_at(w, 2, &a, all, 2, &n));
	T_EQ_INT(n, 1);
	end();
}

TEST(checkpoints_by_time)
{
	struct str note;
	uint64_t size;
	int64_t time;

	T_REQUIRE(begin());
	for (unsigned i = 1; i <= 9; i++)
		T_GOOD(store_checkpoint_put(w, i * 10, i * 100, STR("n")));
	T_ERR(store_cosigned_since(w, 0, 0, &a, &size, &note), E_NOT_FOUND);
	put(&one, 30, 9999);
	put(&two, 70, 1);
	T_GOOD(store_cosigned_since(w, 300, 0, &a, &size, &note));
	T_EQ_INT(size, 30);
	T_EQ_STR(note, STR("n"));
	T_GOOD(store_cosigned_since(w, 301, 0, &a, &size, &note));
	T_EQ_INT(size, 70);
	T_GOOD(store_cosigned_since(w, 0, 31, &a, &size, &note));
	T_EQ_INT(size, 70);
	T_ERR(store_cosigned_since(w, 701, 0, &a, &size, &note), E_NOT_FOUND);
	T_ERR(store_cosigned_since(w, 0, 71, &a, &size, &note), E_NOT_FOUND);
	T_GOOD(store_checkpoint_time(w, 30, &time));
	T_EQ_INT(time, 300);
	T_ERR(store_checkpoint_time(w, 31, &time), E_NOT_FOUND);
	end();
}

T_MAIN
