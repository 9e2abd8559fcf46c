/* t_seen.c: what may be used once; what a token has used. */
#include "base/limits.h"
#include "store/conn.h"
#include "tests/unit/store/fake.h"

static struct store *s;
static struct store_conn *w;

static bool
begin(void)
{
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
	s = store_close(s);
}

TEST(seen_once)
{
	const uint8_t x[SEEN_SIZE] = {1}, y[SEEN_SIZE] = {2};

	T_REQUIRE(begin());
	T_GOOD(store_seen_add(w, SEEN_JWT, x, 10));
	T_ERR(store_seen_add(w, SEEN_JWT, x, 99), E_EXISTS);
	T_GOOD(store_seen_add(w, SEEN_SAML, x, 20)); /* another thing */
	T_GOOD(store_seen_add(w, SEEN_JWT, y, 11));
	T_GOOD(store_commit(w)); /* E_EXISTS does not spoil it */
	T_GOOD(store_begin(w));
	T_ERR(store_seen_add(w, SEEN_JWT, y, 11), E_EXISTS);
	T_GOOD(store_seen_purge(w, 11)); /* x of JWT, and no other */
	T_GOOD(store_seen_add(w, SEEN_JWT, x, 10));
	T_ERR(store_seen_add(w, SEEN_JWT, y, 11), E_EXISTS);
	T_ERR(store_seen_add(w, SEEN_SAML, x, 20), E_EXISTS);
	store_rollback(w);
	T_GOOD(store_begin(w));
	T_ERR(store_seen_add(w, SEEN_JWT, x, 10), E_EXISTS);
	T_GOOD(store_savepoint(w));
	T_GOOD(store_seen_add(w, SEEN_HOOK, x, 10));
	T_GOOD(store_savepoint_undo(w));
	T_GOOD(store_seen_add(w, SEEN_HOOK, x, 10));
	T_GOOD(store_commit(w));
	end();
}

/* n rows of `seen` that expire at 1, made faster than one by one. */
static void
fill_seen(uint64_t n)
{
	char sql[256];

	(void)snprintf(sql, sizeof sql,
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
	    "WHERE i < %llu) INSERT INTO seen SELECT 99, "
	    "CAST(printf('%%032d', i) AS BLOB), 1 FROM n",
	    (unsigned long long)n);
	T_OK(sqlite3_exec(w->db, sql, NULL, NULL, NULL) == SQLITE_OK);
}

TEST(seen_at_n_and_n_plus_one)
{
	uint8_t x[SEEN_SIZE] = {0};

	T_REQUIRE(begin());
	T_GOOD(store_seen_add(w, SEEN_JWT, x, 99));
	fill_seen(LIM_SEEN - 2);
	w->seen_known = false;
	x[0] = 1;
	T_GOOD(store_seen_add(w, SEEN_JWT, x, 99));
	x[0] = 2;
	T_ERR(store_seen_add(w, SEEN_JWT, x, 99), E_LIMIT);
	T_ERR(store_seen_add(w, SEEN_JWT, x, 99), E_LIMIT);
	T_OK(w->seen_full);
	T_GOOD(store_seen_purge(w, 1)); /* nothing expired */
	T_ERR(store_seen_add(w, SEEN_JWT, x, 99), E_LIMIT);
	T_GOOD(store_seen_purge(w, 2));
	T_EQ_INT(w->seen, LIM_SEEN - STORE_PURGE);
	T_GOOD(store_seen_add(w, SEEN_JWT, x, 99));
	T_GOOD(store_commit(w));
	end();
}

TEST(right_use)
{
	struct right_used_row r = {.token = {fake_uuid(8, 8)},
	    .permission = UINT32_MAX,
	    .used = 5};
	struct right_used_row *l;
	struct arena a;
	size_t n;

	T_REQUIRE(begin());
	arena_init(&a, 65536);
	T_GOOD(store_right_used_put(w, &r));
	r.used = 6;
	T_GOOD(store_right_used_put(w, &r));
	r.permission = 1;
	T_GOOD(store_right_used_put(w, &r));
	T_GOOD(store_rights_used(w, &a, &l, &n));
	T_REQUIRE(n == 2);
	T_EQ_INT(l[0].permission, 1);
	T_EQ_INT(l[1].permission, UINT32_MAX);
	T_EQ_INT(l[1].used, 6);
	T_OK(uuid_eq(&l[1].token.u, &r.token.u));
	/* they go with the token */
	T_GOOD(store_token_used_delete(w, &r.token));
	T_GOOD(store_rights_used(w, &a, &l, &n));
	T_EQ_INT(n, 0);
	T_GOOD(store_commit(w));
	arena_done(&a);
	end();
}

T_MAIN
