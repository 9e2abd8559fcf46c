/* Versions of runbooks in the store. */
#include "store/runbook.h"

#include "tests/unit/store/fake.h"

static struct version_row
row(uint64_t seq, uint64_t runbook, uint32_t n)
{
	return (struct version_row){.seq = seq,
	    .id = fake_uuid(1, seq),
	    .project = 3,
	    .runbook = fake_uuid(2, runbook),
	    .n = n,
	    .state = 1,
	    .created = 1000 + (int64_t)seq,
	    .sealed = fake_sealed("first")};
}

TEST(versions)
{
	struct version_row r, got;
	struct store_conn *w;
	struct store *s;
	struct arena a;
	uint64_t last;

	arena_init(&a, 1 << 20);
	s = fake_open(fake_dir(), STORE_CREATE);
	T_REQUIRE(s != NULL);
	w = store_writer(s);
	T_GOOD(store_begin(w));
	T_GOOD(store_version_last(w, &last));
	T_EQ_INT(last, 0);
	for (uint32_t n = 1; n <= 3; n++) {
		r = row(n, 1, n);
		T_GOOD(store_version_insert(w, &r));
	}
	r = row(4, 2, 1);
	T_GOOD(store_version_insert(w, &r));
	r.seq = 5;
	T_GOOD(store_savepoint(w));
	T_ERR(store_version_insert(w, &r), E_EXISTS); /* one n 1 of 2 */
	T_GOOD(store_savepoint_undo(w));
	T_GOOD(store_version_last(w, &last));
	T_EQ_INT(last, 4);
	r = row(2, 1, 2);
	r.state = 3;
	r.sealed = fake_sealed("second");
	T_GOOD(store_version_update(w, &r));
	T_GOOD(store_version_get(w, &r.runbook, 2, &a, &got));
	T_EQ_INT(got.state * 10 + got.n, 32);
	T_EQ_INT(got.project, 3);
	T_EQ_INT(got.created, 1002);
	T_OK(uuid_eq(&got.id, &r.id) && uuid_eq(&got.runbook, &r.runbook));
	T_OK(str_eq(got.stored.bytes, r.sealed.bytes));
	T_GOOD(store_version_get(w, &r.runbook, 1, &a, &got));
	T_EQ_INT(got.state, 1);
	T_ERR(store_version_get(w, &r.runbook, 4, &a, &got), E_NOT_FOUND);
	r.seq = 9;
	T_ERR(store_version_update(w, &r), E_NOT_FOUND);
	T_GOOD(store_version_delete(w, &r.runbook));
	T_ERR(store_version_get(w, &r.runbook, 1, &a, &got), E_NOT_FOUND);
	r = row(4, 2, 1);
	T_GOOD(store_version_get(w, &r.runbook, 1, &a, &got));
	T_GOOD(store_commit(w));
	(void)store_close(s);
	arena_done(&a);
}

T_MAIN
