/* run_log.c: see run_log.h. */
#include "flow/run_log.h"

#include "base/limits.h"
#include "flow/desk.h"
#include "flow/writer.h"
#include "store/task.h"

static struct seal_where
where_of(const struct log_row *r)
{
	struct seal_where w = {.table = SEAL_TABLE_RUN_LOG,
	    .schema = 1,
	    .project = r->project};

	seal_where_id(&w, &r->run);
	seal_where_num(&w, r->at);
	return w;
}

static err
seal_piece(struct lane *l, struct log_row *r, struct str bytes, struct arena *a)
{
	struct seal_where w = where_of(r);

	r->bytes = (uint32_t)bytes.n;
	return lane_seal(l, r->project, SEAL_CLASS_PAYLOAD, &w, bytes, a,
	    &r->sealed);
}

static err
open_piece(struct lane *l, const struct log_row *r, struct arena *a,
    struct str *ret)
{
	struct seal_where w = where_of(r);

	TRY(lane_open_sealed(l, &w, r->stored, a, ret));
	return err_of(ret->n == r->bytes ? E_OK : E_CORRUPT);
}

/* ---- sizes ---- */

static err
none(err e)
{
	return err_is(e, E_NOT_FOUND) ? OK : e;
}

err
run_log_size(struct lane *l, const struct run_log_of *of, uint64_t *ret)
{
	struct log_row r = {.bytes = 0};
	struct arena a;
	err e;

	arena_init(&a, (size_t)2 * LIM_LOG_PIECE);
	e = none(of->task != NULL
		? store_log_task_last(l->conn, of->task, &a, &r)
		: store_log_last(l->conn, &of->run, &a, &r));
	arena_done(&a);
	TRY(e);
	*ret = (of->task != NULL ? r.task_at : r.at) + r.bytes;
	return OK;
}

/* ---- appending ---- */

/* Small pieces of one task grow, so that many small writes are not many
 * rows; what was taken in is returned. */
static err
grow_last(struct lane *l, const struct log_row *last, struct str bytes,
    struct arena *a, size_t *ret)
{
	size_t n = LIM_LOG_PIECE - last->bytes;
	struct log_row r = *last;
	struct str old;
	struct buf b;

	*ret = 0;
	if (last->bytes == 0 || last->bytes >= LIM_LOG_PIECE / 4)
		return OK;
	n = n < bytes.n ? n : bytes.n;
	TRY(open_piece(l, last, a, &old));
	buf_init_on(&b, a, LIM_LOG_PIECE);
	buf_str(&b, old);
	buf_str(&b, str_head(bytes, n));
	TRY(buf_check(&b));
	TRY(seal_piece(l, &r, buf_view(&b), a));
	*ret = n;
	return store_log_extend(l->conn, &r);
}

static err
append(struct lane *l, struct log_row *r, struct str bytes, struct arena *a)
{
	while (bytes.n > 0) {
		size_t n = bytes.n < LIM_LOG_PIECE ? bytes.n : LIM_LOG_PIECE;

		TRY(seal_piece(l, r, str_head(bytes, n), a));
		TRY(store_log_insert(l->conn, r));
		r->at += n;
		r->task_at += n;
		bytes = str_skip(bytes, n);
	}
	return OK;
}

static err
append_to(struct lane *l, const struct uuid *run, struct log_row *r,
    struct str bytes, struct arena *a)
{
	struct log_row last = {.bytes = 0}, mine = {.bytes = 0};
	size_t taken = 0;

	TRY(none(store_log_last(l->conn, run, a, &last)));
	TRY(none(store_log_task_last(l->conn, &r->task, a, &mine)));
	if (last.at + last.bytes + bytes.n > LIM_RUN_LOG)
		return err_of(E_LIMIT);
	if (uuid_eq(&last.task, &r->task))
		TRY(grow_last(l, &last, bytes, a, &taken));
	r->at = last.at + last.bytes + taken;
	r->task_at = mine.task_at + mine.bytes + taken;
	return append(l, r, str_skip(bytes, taken), a);
}

err
run_log_append(struct lane *l, uint32_t project, const struct uuid *run,
    const struct uuid *task, struct str bytes)
{
	struct log_row r = {.run = *run,
	    .task = uuid_is_zero(task) ? *run : *task,
	    .project = project};
	struct arena a;
	err e;

	arena_init(&a, bytes.n * 2 + (size_t)8 * LIM_LOG_PIECE);
	e = append_to(l, run, &r, bytes, &a);
	arena_done(&a);
	return e;
}

/* ---- reading ---- */

err
run_log_read(struct lane *l, const struct run_log_of *of, uint64_t from,
    size_t max, struct arena *a, struct str *ret)
{
	struct log_row r;
	struct arena one;
	struct buf b;
	err e = OK;

	buf_init_on(&b, a, max);
	/* one piece, as it is stored and opened, and what an arena keeps of
	 * the piece before: its last chunk, whatever size that had */
	arena_init(&one, (size_t)8 * LIM_LOG_PIECE);
	while (b.n < max) {
		uint64_t at = from + b.n, first;
		struct str text;

		arena_reset(&one);
		e = of->task != NULL
		    ? store_log_task_from(l->conn, of->task, at, &one, &r)
		    : store_log_from(l->conn, &of->run, at, &one, &r);
		if (!err_ok(e))
			break;
		first = of->task != NULL ? r.task_at : r.at;
		if (at - first >= r.bytes)
			break; /* the end */
		e = open_piece(l, &r, &one, &text);
		if (!err_ok(e))
			break;
		text = str_skip(text, (size_t)(at - first));
		buf_str(&b, str_head(text, max - b.n));
	}
	arena_done(&one);
	TRY(none(e));
	*ret = buf_view(&b);
	return buf_check(&b);
}
