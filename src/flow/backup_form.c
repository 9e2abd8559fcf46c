/* backup_form.c: see backup_form.h. */
#include "flow/backup_form.h"

#include "store/store.h"

enum { TABLE_MAX = 64, WRAPPED_MAX = 1024 };

static const struct str file_magic = {"redoubt-backup-1", 16};
static const struct str keys_magic = {"redoubt-bkkeys-1", 16};

/* ---- head and tail ---- */

static void
head_put(struct buf *b, struct str magic, const struct backup_head *h)
{
	buf_str(b, magic);
	buf_add(b, h->org.b, 16);
	buf_add(b, h->id.b, 16);
	buf_add(b, h->base.b, 16);
	buf_be32(b, h->key);
	buf_be32(b, h->schema);
	buf_be64(b, (uint64_t)h->time);
}

static err
head_read(struct cur *c, struct str magic, struct backup_head *ret)
{
	struct str m = cur_view(c, magic.n);
	struct backup_head h = {.key = 0};

	cur_bytes(c, h.org.b, 16);
	cur_bytes(c, h.id.b, 16);
	cur_bytes(c, h.base.b, 16);
	h.key = cur_be32(c);
	h.schema = cur_be32(c);
	h.time = (int64_t)cur_be64(c);
	if (c->failed || !str_eq(m, magic) || h.time < 0 || h.key == 0)
		return err_of(E_CORRUPT);
	*ret = h;
	return OK;
}

void
backup_head_put(struct buf *b, const struct backup_head *h)
{
	head_put(b, file_magic, h);
}

err
backup_head_read(struct str s, struct backup_head *ret)
{
	struct cur c = cur_of(s);

	TRY(head_read(&c, file_magic, ret));
	return err_of(cur_end(&c) ? E_OK : E_CORRUPT);
}

void
backup_keys_head(struct buf *b, const struct backup_head *h)
{
	head_put(b, keys_magic, h);
}

err
backup_keys_head_read(struct str s, struct backup_head *ret)
{
	struct cur c = cur_of(s);

	TRY(head_read(&c, keys_magic, ret));
	return err_of(cur_end(&c) ? E_OK : E_CORRUPT);
}

void
backup_tail_put(struct buf *b, const struct backup_tail *t)
{
	buf_char(b, RECORD_TAIL);
	buf_be64(b, t->list_at);
	buf_be32(b, t->lists);
	buf_add(b, t->sha, sizeof t->sha);
}

err
backup_tail_read(struct str s, struct backup_tail *ret)
{
	struct cur c = cur_of(s);
	uint8_t kind = cur_u8(&c);
	struct backup_tail t;

	t.list_at = cur_be64(&c);
	t.lists = cur_be32(&c);
	cur_bytes(&c, t.sha, sizeof t.sha);
	if (!cur_end(&c) || kind != RECORD_TAIL)
		return err_of(E_CORRUPT);
	*ret = t;
	return OK;
}

void
backup_record_put(struct buf *b, enum backup_record kind, size_t n)
{
	buf_char(b, (char)kind);
	buf_be32(b, (uint32_t)n);
}

err
backup_record_read(struct str s, uint8_t *ret_kind, uint32_t *ret_n)
{
	struct cur c = cur_of(s);
	uint8_t kind = cur_u8(&c);
	uint32_t n = cur_be32(&c);

	if (!cur_end(&c) || n > BACKUP_RECORD_MAX)
		return err_of(E_CORRUPT);
	*ret_kind = kind;
	*ret_n = n;
	return OK;
}

/* ---- where ---- */

static struct seal_where
where(enum seal_table table, uint8_t column, const struct uuid *id)
{
	struct seal_where w = {.table = table, .column = column, .schema = 1};

	seal_where_id(&w, id);
	return w;
}

struct seal_where
backup_where_block(const struct uuid *id, uint32_t number)
{
	struct seal_where w = where(SEAL_TABLE_BACKUP, 0, id);

	seal_where_num(&w, number);
	return w;
}

struct seal_where
backup_where_list(const struct uuid *id)
{
	return where(SEAL_TABLE_BACKUP, 1, id);
}

struct seal_where
backup_where_keys(const struct uuid *id)
{
	return where(SEAL_TABLE_BACKUP_KEYS, 0, id);
}

/* ---- the list ---- */

void
backup_list_put(struct buf *b, const struct backup_list *l)
{
	backup_head_put(b, &l->head);
	buf_be64(b, l->entries);
	buf_char(b, (char)l->vkey.n);
	buf_str(b, l->vkey);
	buf_char(b, (char)l->files_n);
	for (size_t i = 0; i < l->files_n; i++)
		buf_add(b, l->files[i].b, 16);
	buf_be64(b, l->rows);
	buf_be32(b, (uint32_t)l->blocks_n);
}

void
backup_block_put(struct buf *b, const struct backup_block *k)
{
	buf_char(b, (char)k->file);
	buf_be32(b, k->number);
	buf_be64(b, k->at);
	buf_be32(b, k->n);
	buf_add(b, k->mac, sizeof k->mac);
}

static err
block_read(struct cur *c, size_t files, struct backup_block *ret)
{
	ret->file = cur_u8(c);
	ret->number = cur_be32(c);
	ret->at = cur_be64(c);
	ret->n = cur_be32(c);
	cur_bytes(c, ret->mac, sizeof ret->mac);
	return err_of(
	    c->failed || ret->file >= files || ret->n > BACKUP_RECORD_MAX
		? E_CORRUPT
		: E_OK);
}

static err
blocks_read(struct cur *c, struct arena *a, struct backup_list *l)
{
	/* As many as are really there. */
	if (c->failed || l->blocks_n != c->n / BACKUP_BLOCK_ENTRY ||
	    c->n % BACKUP_BLOCK_ENTRY != 0)
		return err_of(E_CORRUPT);
	l->blocks = arena_array(a, l->blocks_n + 1, sizeof *l->blocks);
	TRY(arena_check(a));
	for (size_t i = 0; i < l->blocks_n; i++)
		TRY(block_read(c, l->files_n, &l->blocks[i]));
	return OK;
}

err
backup_list_read(struct str s, struct arena *a, struct backup_list *ret)
{
	struct cur c = cur_of(s);
	struct backup_list l = {.files_n = 0};

	TRY(backup_head_read(cur_view(&c, BACKUP_HEAD), &l.head));
	l.entries = cur_be64(&c);
	l.vkey = cur_view(&c, cur_u8(&c));
	l.files_n = cur_u8(&c);
	if (c.failed || l.files_n == 0 || l.files_n > LIM_BACKUP_CHAIN)
		return err_of(E_CORRUPT);
	for (size_t i = 0; i < l.files_n; i++)
		cur_bytes(&c, l.files[i].b, 16);
	l.rows = cur_be64(&c);
	l.blocks_n = cur_be32(&c);
	if (!uuid_eq(&l.files[0], &l.head.id))
		return err_of(E_CORRUPT);
	TRY(blocks_read(&c, a, &l));
	if (!cur_end(&c))
		return err_of(E_CORRUPT);
	*ret = l;
	return OK;
}

err
backup_list_open(struct str rest, const struct uuid *id,
    const struct data_key *k, struct arena *a, struct buf *plain)
{
	struct seal_where w = backup_where_list(id);
	struct str piece;

	for (uint32_t i = 0; rest.n > 0; i++) {
		struct stored s;
		uint8_t kind;
		uint32_t n;

		TRY(backup_record_read(str_head(rest, BACKUP_RECORD), &kind,
		    &n));
		rest = str_skip(rest, BACKUP_RECORD);
		if (kind != RECORD_LIST || n > rest.n)
			return err_of(E_CORRUPT);
		s.bytes = str_head(rest, n);
		rest = str_skip(rest, n);
		arena_reset(a);
		TRY(seal_open_chunk(k, &w, i, rest.n == 0, s, a, &piece));
		buf_str(plain, piece);
	}
	return buf_check(plain);
}

/* ---- blocks ---- */

err
backup_rows_read(struct str plain, struct backup_rows *ret)
{
	struct backup_rows r = {.rest = cur_of(plain)};

	r.table = cur_view(&r.rest, cur_u8(&r.rest));
	r.columns = cur_view(&r.rest, cur_be16(&r.rest));
	if (r.rest.failed || r.table.n == 0 || r.table.n > TABLE_MAX)
		return err_of(E_CORRUPT);
	*ret = r;
	return OK;
}

bool
backup_rows_next(struct backup_rows *r, struct str *ret)
{
	if (cur_end(&r->rest))
		return false;
	*ret = cur_view(&r->rest, cur_be32(&r->rest));
	return !r->rest.failed;
}

/* ---- keys ---- */

void
backup_project_key_put(struct buf *b, const struct project_key_row *k,
    struct str wrapped)
{
	buf_be32(b, k->project);
	buf_be32(b, k->version);
	buf_be64(b, (uint64_t)k->created);
	buf_be16(b, (uint16_t)wrapped.n);
	buf_str(b, wrapped);
}

err
backup_project_key_read(struct str s, struct project_key_row *ret)
{
	struct cur c = cur_of(s);
	struct project_key_row k;

	k.project = cur_be32(&c);
	k.version = cur_be32(&c);
	k.created = (int64_t)cur_be64(&c);
	k.wrapped.bytes = cur_view(&c, cur_be16(&c));
	if (!cur_end(&c) || k.version == 0 || k.created < 0 ||
	    k.wrapped.bytes.n > WRAPPED_MAX)
		return err_of(E_CORRUPT);
	*ret = k;
	return OK;
}

void
backup_data_key_put(struct buf *b, const struct data_key_row *k,
    struct str wrapped)
{
	buf_be32(b, k->id);
	buf_be32(b, k->project);
	buf_be32(b, k->version);
	buf_char(b, (char)k->class);
	buf_be64(b, k->term);
	buf_char(b, k->has_subject);
	buf_add(b, k->subject.b, 16);
	buf_be16(b, (uint16_t)wrapped.n);
	buf_str(b, wrapped);
}

err
backup_data_key_read(struct cur *c, struct data_key_row *ret)
{
	struct data_key_row k = {.id = 0};
	uint8_t subject;

	if (cur_end(c))
		return err_of(E_NOT_FOUND);
	k.id = cur_be32(c);
	k.project = cur_be32(c);
	k.version = cur_be32(c);
	k.class = cur_u8(c);
	k.term = cur_be64(c);
	subject = cur_u8(c);
	cur_bytes(c, k.subject.b, 16);
	k.was_wrapped.bytes = cur_view(c, cur_be16(c));
	if (c->failed || k.id == 0 || subject > 1 || k.term > INT64_MAX ||
	    k.was_wrapped.bytes.n > WRAPPED_MAX)
		return err_of(E_CORRUPT);
	k.has_subject = subject == 1;
	*ret = k;
	return OK;
}

void
backup_keeper_put(struct buf *b, const struct backup_keeper *k)
{
	buf_be16(b, (uint16_t)k->seed.n);
	buf_str(b, k->seed);
	buf_be16(b, (uint16_t)k->state.n);
	buf_str(b, k->state);
	buf_be16(b, (uint16_t)k->root.n);
	buf_str(b, k->root);
	buf_be32(b, (uint32_t)k->escrow.n);
	buf_str(b, k->escrow);
}

err
backup_keeper_read(struct str s, struct backup_keeper *ret)
{
	struct cur c = cur_of(s);
	struct backup_keeper k;

	k.seed = cur_view(&c, cur_be16(&c));
	k.state = cur_view(&c, cur_be16(&c));
	k.root = cur_view(&c, cur_be16(&c));
	k.escrow = cur_view(&c, cur_be32(&c));
	if (!cur_end(&c) || k.seed.n == 0 || k.state.n == 0)
		return err_of(E_CORRUPT);
	*ret = k;
	return OK;
}
