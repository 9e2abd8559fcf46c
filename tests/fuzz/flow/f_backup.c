/*
 * What a backup's file says, of anybody: no reader goes beyond it, and what
 * it answers is what it was given, written again.  The first byte chooses.
 */
#include "flow/backup_form.h"
#include "store/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
list(struct str s, struct arena *a)
{
	struct backup_list l;
	struct buf b;

	if (!err_ok(backup_list_read(s, a, &l)))
		return;
	buf_init_on(&b, a, s.n + 1);
	backup_list_put(&b, &l);
	for (size_t i = 0; i < l.blocks_n; i++)
		backup_block_put(&b, &l.blocks[i]);
	BUG_ON(!str_eq(buf_view(&b), s));
}

static void
rows(struct str s)
{
	struct backup_rows r;
	struct str row;
	size_t sum = 0;

	if (!err_ok(backup_rows_read(s, &r)))
		return;
	while (backup_rows_next(&r, &row))
		for (size_t i = 0; i < row.n; i++)
			sum += (uint8_t)row.p[i];
	BUG_ON(sum > s.n * 255);
}

static void
keys(struct str s)
{
	struct cur c = cur_of(s);
	struct project_key_row p;
	struct backup_keeper k;
	struct data_key_row d;

	while (err_ok(backup_data_key_read(&c, &d)))
		BUG_ON(d.id == 0 || d.was_wrapped.bytes.n > s.n);
	if (err_ok(backup_project_key_read(s, &p)))
		BUG_ON(p.version == 0);
	if (err_ok(backup_keeper_read(s, &k)))
		BUG_ON(k.seed.n + k.state.n + k.root.n + k.escrow.n > s.n);
}

static void
small(struct str s)
{
	struct backup_head h;
	struct backup_tail t;
	uint8_t kind;
	uint32_t len;

	if (err_ok(backup_head_read(s, &h)) ||
	    err_ok(backup_keys_head_read(s, &h)))
		BUG_ON(s.n != BACKUP_HEAD || h.time < 0);
	if (err_ok(backup_tail_read(s, &t)))
		BUG_ON(s.n != BACKUP_TAIL);
	if (err_ok(backup_record_read(s, &kind, &len)))
		BUG_ON(len > BACKUP_RECORD_MAX);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str s = str_of((const char *)data + 1, n == 0 ? 0 : n - 1);
	struct arena a;

	if (n == 0)
		return 0;
	arena_init(&a, 1 << 24);
	switch (data[0] % 4) {
	case 0:
		list(s, &a);
		break;
	case 1:
		rows(s);
		break;
	case 2:
		keys(s);
		break;
	default:
		small(s);
	}
	arena_done(&a);
	return 0;
}
