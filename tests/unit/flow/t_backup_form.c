/* t_backup_form.c: the files of backups as bytes: what is written is read
 * back, and nothing that was cut or made longer is. */
#include "flow/backup_form.h"
#include "store/store.h"
#include "tests/t.h"

static struct arena a;

static struct buf
on_arena(void)
{
	struct buf b;

	buf_init_on(&b, &a, 1 << 20);
	return b;
}

static struct backup_head
some_head(void)
{
	return (struct backup_head){.org = {{1, 2}},
	    .id = {{3}},
	    .base = {{4}},
	    .key = 77,
	    .schema = 9,
	    .time = 1790000000000};
}

TEST(head_and_tail)
{
	struct backup_head h = some_head(), got;
	struct backup_tail t = {.list_at = 12345, .lists = 3}, back;
	struct buf b, c;

	arena_init(&a, 1 << 22);
	b = on_arena();
	backup_head_put(&b, &h);
	T_OK(b.n == BACKUP_HEAD);
	T_REQUIRE(err_ok(backup_head_read(buf_view(&b), &got)));
	T_OK(uuid_eq(&got.org, &h.org) && uuid_eq(&got.id, &h.id) &&
	    uuid_eq(&got.base, &h.base) && got.key == 77 && got.schema == 9 &&
	    got.time == h.time);
	/* of keys it is another */
	T_OK(err_is(backup_keys_head_read(buf_view(&b), &got), E_CORRUPT));
	for (size_t n = 0; n < b.n; n++)
		T_OK(err_is(backup_head_read(str_head(buf_view(&b), n), &got),
		    E_CORRUPT));
	c = on_arena();
	backup_tail_put(&c, &t);
	T_OK(c.n == BACKUP_TAIL);
	T_REQUIRE(err_ok(backup_tail_read(buf_view(&c), &back)));
	T_OK(back.list_at == 12345 && back.lists == 3);
	T_OK(err_is(backup_tail_read(str_head(buf_view(&c), c.n - 1), &back),
	    E_CORRUPT));
	c.p[0] = 2;
	T_OK(err_is(backup_tail_read(buf_view(&c), &back), E_CORRUPT));
	arena_done(&a);
}

static struct str
some_list(size_t blocks)
{
	struct backup_list l = {.head = some_head(),
	    .entries = 300,
	    .vkey = STR("redoubt/x/1+00000000+AAAA"),
	    .files = {{{3}}, {{4}}},
	    .files_n = 2,
	    .rows = 1000,
	    .blocks_n = blocks};
	struct buf b = on_arena();

	backup_list_put(&b, &l);
	for (size_t i = 0; i < blocks; i++)
		backup_block_put(&b,
		    &(struct backup_block){.file = (uint8_t)(i % 2),
			.number = (uint32_t)i,
			.at = 80 + i * 100,
			.n = 95});
	return buf_view(&b);
}

TEST(lists)
{
	struct backup_list got;
	struct str s, longer;
	struct buf b;

	arena_init(&a, 1 << 24);
	s = some_list(50);
	T_REQUIRE(err_ok(backup_list_read(s, &a, &got)));
	T_OK(got.blocks_n == 50 && got.rows == 1000 && got.entries == 300 &&
	    got.files_n == 2 && got.blocks[49].at == 80 + 4900 &&
	    got.blocks[49].file == 1);
	T_GOOD(backup_list_read(some_list(0), &a, &got));
	for (size_t n = 0; n < s.n; n++)
		T_OK(err_is(backup_list_read(str_head(s, n), &a, &got),
		    E_CORRUPT));
	b = on_arena();
	buf_str(&b, s);
	buf_char(&b, 0);
	longer = buf_view(&b);
	T_OK(err_is(backup_list_read(longer, &a, &got), E_CORRUPT));
	/* a file beyond the chain; a list of another backup */
	b = on_arena();
	buf_str(&b, s);
	b.p[s.n - BACKUP_BLOCK_ENTRY] = 2;
	T_OK(err_is(backup_list_read(buf_view(&b), &a, &got), E_CORRUPT));
	b.p[s.n - BACKUP_BLOCK_ENTRY] = 1;
	b.p[32] ^= 1;
	T_OK(err_is(backup_list_read(buf_view(&b), &a, &got), E_CORRUPT));
	arena_done(&a);
}

TEST(rows)
{
	struct backup_rows r;
	struct buf b;
	struct str row;
	size_t n = 0;

	arena_init(&a, 1 << 20);
	b = on_arena();
	buf_c(&b,
	    "\x05"
	    "audit");
	buf_be16(&b, 8);
	buf_c(&b, "seq,leaf");
	for (size_t i = 0; i < 3; i++) {
		buf_be32(&b, 4);
		buf_c(&b, "abcd");
	}
	T_REQUIRE(err_ok(backup_rows_read(buf_view(&b), &r)));
	T_OK(str_is(r.table, "audit") && str_is(r.columns, "seq,leaf"));
	while (backup_rows_next(&r, &row))
		n += str_is(row, "abcd");
	T_OK(n == 3 && !r.rest.failed);
	T_REQUIRE(
	    err_ok(backup_rows_read(str_head(buf_view(&b), b.n - 1), &r)));
	while (backup_rows_next(&r, &row))
		;
	T_OK(r.rest.failed);
	T_OK(err_is(backup_rows_read(STR(""), &r), E_CORRUPT));
	arena_done(&a);
}

TEST(keys)
{
	struct data_key_row k = {.id = 7,
				.project = 1,
				.version = 2,
				.class = 4,
				.has_subject = true,
				.subject = {{9}},
				.term = 3},
			    got;
	struct project_key_row p = {.project = 1, .version = 2, .created = 5},
			       pgot;
	struct backup_keeper keep = {STR("seed"), STR("state"), STR("/x"),
				 STR("")},
			     kgot;
	struct buf b;
	struct cur c;

	arena_init(&a, 1 << 20);
	b = on_arena();
	backup_data_key_put(&b, &k, STR("wrapped"));
	backup_data_key_put(&b, &k, STR("again"));
	c = cur_of(buf_view(&b));
	T_GOOD(backup_data_key_read(&c, &got));
	T_OK(got.id == 7 && got.has_subject && got.term == 3 &&
	    str_is(got.was_wrapped.bytes, "wrapped"));
	T_GOOD(backup_data_key_read(&c, &got));
	T_OK(err_is(backup_data_key_read(&c, &got), E_NOT_FOUND));
	c = cur_of(str_head(buf_view(&b), b.n - 1));
	T_GOOD(backup_data_key_read(&c, &got));
	T_OK(err_is(backup_data_key_read(&c, &got), E_CORRUPT));
	b = on_arena();
	backup_project_key_put(&b, &p, STR("wrapped"));
	T_GOOD(backup_project_key_read(buf_view(&b), &pgot));
	T_OK(pgot.project == 1 && pgot.version == 2 && pgot.created == 5);
	T_OK(err_is(backup_project_key_read(str_head(buf_view(&b), b.n - 1),
			&pgot),
	    E_CORRUPT));
	b = on_arena();
	backup_keeper_put(&b, &keep);
	T_GOOD(backup_keeper_read(buf_view(&b), &kgot));
	T_OK(str_is(kgot.seed, "seed") && str_is(kgot.state, "state") &&
	    str_is(kgot.root, "/x") && kgot.escrow.n == 0);
	arena_done(&a);
}

T_MAIN
