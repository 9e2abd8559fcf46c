/* backup_verify.c: `redoubt backup verify`: all that can be said of a backup
 * without a server. */
#include <unistd.h>

#include "base/mem.h"
#include "role/backup_chain.h"

struct looking {
	struct backup_chain *c;
	struct audit_check *check;
	struct audit_verdict v;
	uint64_t gone; /* rows that nothing opens any more */
};

/* ---- rows ---- */

/* The next column of a row: its bytes, or its number. */
static bool
column(struct cur *row, struct str *ret, uint64_t *ret_num)
{
	uint8_t type = cur_u8(row);

	*ret = STR_NONE;
	*ret_num = 0;
	if (type == 1)
		*ret_num = cur_be64(row);
	else if (type == 2 || type == 3)
		*ret = cur_view(row, cur_be32(row));
	return !row->failed && type <= 3;
}

/* The column of that name. */
static bool
column_of(const struct backup_rows *t, struct str row, const char *want,
    struct str *ret)
{
	struct str names = t->columns, name;
	struct cur c = cur_of(row);
	uint64_t num;

	do {
		bool more = str_cut(names, ',', &name, &names);

		if (!column(&c, ret, &num))
			return false;
		if (str_is(name, want))
			return true;
		if (!more)
			return false;
	} while (true);
}

/* The log as in a store, but for tiles and checkpoints, which come later and
 * are looked at when it is restored: here, that each entry is one and the
 * next. */
static err
on_row(void *ctx, const struct backup_rows *t, struct str row)
{
	struct looking *l = ctx;
	struct str v;
	uint32_t key;

	if (str_is(t->table, "audit"))
		return column_of(t, row, "leaf", &v)
		    ? audit_check_leaf(l->check, v, &l->v)
		    : err_of(E_CORRUPT);
	if (!column_of(t, row, "sealed", &v))
		return OK;
	if (!err_ok(seal_key_id((struct stored){v}, &key)))
		return err_of(E_CORRUPT);
	if (!backup_ring_has(&l->c->ring, key))
		l->gone++;
	return OK;
}

static err
look(struct looking *l)
{
	struct backup_chain *c = l->c;
	err e;

	TRY(audit_check_new(&l->check));
	e = backup_chain_rows(c, on_row, l);
	if (err_is(e, E_BAD_ANSWER))
		trail_set(c->t, "%s: audit log: %s", c->file[0].path,
		    l->v.what);
	TRY(e);
	if (l->v.entries != c->list.entries) {
		trail_set(c->t, "%s: it does not have the entries it says",
		    c->file[0].path);
		return err_of(E_CORRUPT);
	}
	return OK;
}

/* ---- telling ---- */

static err
answer(struct arena *a, const struct backup_chain *c, const struct looking *l,
    bool opened, struct str *ret)
{
	struct buf b;
	struct jw w;

	buf_init_on(&b, a, (size_t)4 * PATH_MAX);
	jw_init(&w, &b);
	jw_obj(&w);
	backup_chain_json(&w, c, opened);
	if (opened)
		jw_ki64(&w, "destroyed", (int64_t)l->gone);
	jw_obj_end(&w);
	*ret = buf_view(&b);
	return buf_check(&b);
}

static err
verify(struct backup_chain *c, const struct restore_options *o, struct trail *t,
    struct arena *a, struct str *ret)
{
	struct looking l = {.c = c};
	struct trail quiet = {{0}};
	bool opened = true;
	err e = backup_chain_open(c, o, t);

	/* Without keys or the root key there is less to say. */
	if (err_is(e, E_NOT_FOUND) && c->n > 0 && o->keys == NULL) {
		*t = quiet;
		return answer(a, c, &l, false, ret);
	}
	TRY(e);
	e = backup_chain_unlock(c, o);
	if (err_is(e, E_NOT_FOUND) && o->root == NULL && c->roots == NULL) {
		*t = quiet;
		opened = false;
		e = OK;
	}
	if (err_ok(e) && opened)
		e = look(&l);
	l.check = audit_check_free(l.check);
	TRY(e);
	return answer(a, c, &l, opened, ret);
}

err
role_backup_verify(struct arena *a, const struct restore_options *o,
    struct trail *t, struct str *ret)
{
	struct backup_chain *c = mem_new(1, sizeof *c);
	err e;

	if (c == NULL)
		return err_of(E_NO_MEMORY);
	e = confine_light(t);
	if (err_ok(e)) {
		e = verify(c, o, t, a, ret);
		backup_chain_close(c);
	}
	mem_free(c);
	return e;
}
